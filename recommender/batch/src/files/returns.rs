//! What came back, in logs that tell it as lines of negative quantity, mostly in orders of their own (`C536379`).
//!
//! By the rule of `cartwright import orders`: pieces are taken from the order that the line stands in, then from the earlier orders
//! of the same customer, the latest first. A line counts where pieces of it are left.

use std::collections::HashMap;

use super::Entry;

/// Is a line that takes pieces back.
pub struct Return {
    /// The entry that it stands in.
    pub id: String,
    /// Whose it is, where that is known.
    pub buyer: Option<String>,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// What came back.
    pub item: String,
    /// How many pieces.
    pub pieces: i64,
}

/// Takes returns from entries, the earliest return first; lines and entries of which nothing is left go.
pub fn take_back(entries: &mut Vec<(String, Entry)>, mut returns: Vec<Return>) {
    returns.sort_by_key(|one| one.at_ms);
    let mut of_buyers: HashMap<String, Vec<usize>> = HashMap::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, (id, entry)) in entries.iter().enumerate() {
        places.insert(id.clone(), place);
        if let Some(buyer) = &entry.buyer {
            of_buyers.entry(buyer.clone()).or_default().push(place);
        }
    }
    of_buyers.values_mut().for_each(|of_one| of_one.sort_by_key(|&place| entries[place].1.at_ms));
    for one in returns {
        let of_buyer = one.buyer.as_ref().and_then(|buyer| of_buyers.get(buyer));
        let own = places.get(&one.id).copied();
        let earlier = of_buyer.into_iter().flatten().rev().copied();
        let mut left = one.pieces;
        for place in own.into_iter().chain(earlier) {
            let entry = &mut entries[place].1;
            if entry.at_ms > one.at_ms && Some(place) != own {
                continue;
            }
            for line in entry.lines.iter_mut().filter(|line| line.item == one.item) {
                let pieces = left.min(line.pieces);
                line.pieces -= pieces;
                left -= pieces;
            }
        }
    }
    for (_, entry) in entries.iter_mut() {
        entry.lines.retain(|line| line.pieces > 0);
    }
    entries.retain(|(_, entry)| !entry.lines.is_empty());
}
