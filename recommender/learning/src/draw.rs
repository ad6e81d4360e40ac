//! Draws that come out the same every time, by hashes in place of chance.

/// Spreads a number over all 64 bits: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Returns the number of a name, eight bytes mixed in at a time. Two of a hundred million names are given the same one in
/// three of ten thousand shops.
pub fn hash(name: &str) -> u64 {
    name.as_bytes().chunks(8).fold(mix(name.len() as u64), |sum, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        mix(sum ^ u64::from_le_bytes(word))
    })
}

/// Sorts an order's items, each once, and keeps of a long order those that a hash of order and item draws; `named` gives
/// what stands for an item, so that its number need not be the same every time.
///
/// Returns how many distinct items there were.
pub fn draw(order: u64, items: &mut Vec<u32>, most: usize, named: impl Fn(u32) -> u64) -> u32 {
    items.sort_unstable();
    items.dedup();
    let length = items.len();
    if length > most {
        items.sort_by_cached_key(|&item| mix(order ^ mix(named(item))));
        items.truncate(most);
        items.sort_unstable();
    }
    length as u32
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn of_an_order_that_is_too_long_the_same_items_are_drawn_every_time() {
        let drawn = |order| {
            let mut items: Vec<u32> = (0..100).rev().chain(0..100).collect();
            assert_eq!(draw(order, &mut items, 10, u64::from), 100);
            items
        };
        assert_eq!((drawn(1), drawn(1).len()), (drawn(1), 10));
        assert!(drawn(1).is_sorted() && drawn(1) != drawn(2));
    }

    #[test]
    fn items_are_drawn_whatever_their_numbers() {
        let names: Vec<String> = (0..100).map(|item| format!("SKU-{item}")).collect();
        let drawn = |number: fn(u32) -> u32| {
            let mut items: Vec<u32> = (0..100).collect();
            draw(7, &mut items, 10, |item| hash(&names[number(item) as usize]));
            items.into_iter().map(number).collect::<HashSet<u32>>()
        };
        assert_eq!(drawn(|item| item), drawn(|item| 99 - item));
    }

    #[test]
    fn names_have_numbers_of_their_own() {
        let names = (0..100_000).map(|number| format!("order-{number}"));
        let hashes: HashSet<u64> = names.map(|name| hash(&name)).collect();
        assert_eq!(hashes.len(), 100_000);
        assert_eq!(HashSet::from(["", "\0", "\0\0", "a", "a\0"].map(hash)).len(), 5);
    }
}
