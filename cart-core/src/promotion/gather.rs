//! Picking pieces: which of the lines' pieces a promotion is about.

use std::cmp::Ordering;

use super::basket::Basket;

/// Is some pieces of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Picked {
    pub(super) line: u32,
    pub(super) pieces: u32,
}

/// Compares what is left of one piece, without a division; equals are in the order of the lines.
fn by_piece(basket: &Basket, a: u32, b: u32) -> Ordering {
    let rate = |of: u32, other: u32| {
        i128::from(basket.left[of as usize]) * i128::from(basket.quantity[other as usize])
    };
    rate(a, b).cmp(&rate(b, a))
}

/// Sorts lines by what is left of one piece, the dearest first.
pub(super) fn sort_dearest_first(basket: &Basket, lines: &mut [u32]) {
    lines.sort_unstable_by(|a, b| by_piece(basket, *b, *a).then(a.cmp(b)));
}

/// Sorts lines by what is left of one piece, the cheapest first.
pub(super) fn sort_cheapest_first(basket: &Basket, lines: &mut [u32]) {
    lines.sort_unstable_by(|a, b| by_piece(basket, *a, *b).then(a.cmp(b)));
}

/// Returns what is left of some pieces of a line, to the nearest minor unit; all pieces are worth all of it.
pub(super) fn value(basket: &Basket, picked: Picked) -> i64 {
    let line = picked.line as usize;
    let (left, quantity) = (i128::from(basket.left[line]), i128::from(basket.quantity[line]));
    let pieces = i128::from(picked.pieces);
    i64::try_from((2 * left * pieces + quantity) / (2 * quantity)).unwrap_or(i64::MAX)
}

/// Fits pieces into the parts of a group, of which some may accept the same pieces.
///
/// Which parts can be filled is Hall's marriage theorem (P. Hall, "On Representatives of Subsets", 1935) over sets of
/// parts, of which there are few: `t` groups can be filled where, for every set of parts, the pieces that any of them
/// accepts are at least `t` times what they need. The sets of pieces that fit are the independent sets of a transversal
/// matroid (Edmonds and Fulkerson, "Transversals and Matroid Partition", 1965), so taking the dearest piece that still
/// fits, again and again, fills the groups with the dearest pieces there are.
#[derive(Debug)]
pub(super) struct Gathering<'a> {
    basket: &'a Basket,
    /// The lines that any part accepts, the dearest first, each with the set of parts that accept it.
    lines: Vec<(u32, u8)>,
    /// For each set of parts, how many pieces a group needs of them.
    needed: Vec<u64>,
    /// For each set of parts, how many pieces any of them accepts.
    accepted: Vec<u64>,
}

impl<'a> Gathering<'a> {
    /// Lists what each part needs and the lines it accepts.
    pub(super) fn new<L>(basket: &'a Basket, parts: impl ExactSizeIterator<Item = (u32, L)>) -> Self
    where
        L: Iterator<Item = usize>,
    {
        let sets = 1_usize << parts.len();
        let mut needed = vec![0; sets];
        let mut accepting = vec![0_u8; basket.quantity.len()];
        for (part, (pieces, lines)) in parts.enumerate() {
            let bit = 1_usize << part;
            lines.for_each(|line| accepting[line] |= bit as u8);
            for set in (0..sets).filter(|set| set & bit != 0) {
                needed[set] += u64::from(pieces);
            }
        }
        let mut sorted: Vec<u32> =
            (0..accepting.len() as u32).filter(|line| accepting[*line as usize] != 0).collect();
        sort_dearest_first(basket, &mut sorted);
        let lines: Vec<_> = sorted.into_iter().map(|line| (line, accepting[line as usize])).collect();
        let mut accepted = vec![0; sets];
        for (line, by) in &lines {
            for set in (0..sets).filter(|set| set & usize::from(*by) != 0) {
                accepted[set] += u64::from(basket.quantity[*line as usize]);
            }
        }
        Self { basket, lines, needed, accepted }
    }

    /// Returns how many groups can be filled.
    pub(super) fn times(&self) -> u64 {
        let pairs = self.accepted.iter().zip(&self.needed).skip(1);
        pairs.map(|(accepted, needed)| accepted / needed).min().unwrap_or(0)
    }

    /// Returns a set of parts, as bits, that lacks pieces for one group, with how many: single parts come before sets of
    /// them, in their order. Any piece that one part of the set accepts helps.
    pub(super) fn lacking(&self) -> (usize, u64) {
        let lack = |set: usize| self.needed[set].saturating_sub(self.accepted[set]);
        let lacking = (1..self.needed.len()).filter(|set| lack(*set) > 0);
        lacking.min_by_key(|set| (set.count_ones(), *set)).map_or((1, 0), |set| (set, lack(set)))
    }

    /// Picks the dearest pieces that fill so many groups; at most [`Self::times`].
    pub(super) fn pick(&self, times: u64) -> Vec<Picked> {
        let mut room: Vec<u64> = self.needed.iter().map(|needed| needed * times).collect();
        let mut picked = vec![];
        for (line, by) in &self.lines {
            let by = usize::from(*by);
            // A piece fits where every set of parts that holds all of its own has room.
            let supersets = || (by..self.needed.len()).filter(|set| set & by == by);
            let most = supersets().map(|set| room[set]).min().unwrap_or(0);
            let pieces = u64::from(self.basket.quantity[*line as usize]).min(most);
            if pieces > 0 {
                supersets().for_each(|set| room[set] -= pieces);
                picked.push(Picked { line: *line, pieces: pieces as u32 });
            }
        }
        picked
    }
}
