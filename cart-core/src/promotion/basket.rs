//! The lines of a cart while promotions take from them.

use super::{
    PromotedLine, SumOf,
    index::{Matches, SelectorId, SelectorIndex, prefix},
};

/// Holds the lines in an order of their own, so that the cart's order decides nothing.
///
/// Lines that differ in nothing but their place in the cart are interchangeable: a unit that the largest remainder
/// gives to the first of them changes no sum.
#[derive(Debug)]
pub(super) struct Basket {
    /// The place in the cart of each line.
    places: Vec<u32>,
    pub(super) quantity: Vec<u32>,
    full: Vec<i64>,
    pub(super) left: Vec<i64>,
    selected: Matches,
    everything: Option<SelectorId>,
    pieces: u64,
    full_sum: i128,
    left_sum: i128,
}

impl Basket {
    pub(super) fn new(
        lines: &[PromotedLine<'_>],
        index: &SelectorIndex,
        everything: Option<SelectorId>,
    ) -> Self {
        let counts = |line: &PromotedLine<'_>| !line.is_gift && line.quantity > 0;
        let mut sorted: Vec<_> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| counts(line))
            .map(|(place, line)| (prefix(line.product.sku.as_str()), place as u32))
            .collect();
        let key = |place: u32| {
            let line = &lines[place as usize];
            (&line.product.sku, line.unit_minor, line.quantity, line.is_reduced, place)
        };
        sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| key(a.1).cmp(&key(b.1))));
        let places: Vec<u32> = sorted.into_iter().map(|(_, place)| place).collect();
        let in_order = || places.iter().map(|place| &lines[*place as usize]);
        let full: Vec<i64> = in_order().map(PromotedLine::full_minor).collect();
        let full_sum = full.iter().map(|minor| i128::from(*minor)).sum();
        Self {
            selected: index.matches(in_order()),
            quantity: in_order().map(|line| line.quantity).collect(),
            pieces: in_order().map(|line| u64::from(line.quantity)).sum(),
            left: full.clone(),
            full,
            places,
            everything,
            full_sum,
            left_sum: full_sum,
        }
    }

    /// Returns the place in the cart of a line.
    pub(super) fn place(&self, line: u32) -> u32 {
        self.places[line as usize]
    }

    /// Sums the pieces and amounts of what is selected.
    pub(super) fn measure(&self, selector: SelectorId, sum: SumOf) -> (u64, i128) {
        let (amounts, whole) = match sum {
            SumOf::Left => (&self.left, self.left_sum),
            SumOf::Full => (&self.full, self.full_sum),
        };
        if self.everything == Some(selector) {
            return (self.pieces, whole);
        }
        self.selected.lines(selector).fold((0, 0), |(pieces, minor), line| {
            (pieces + u64::from(self.quantity[line]), minor + i128::from(amounts[line]))
        })
    }

    /// Reports whether there is nothing that promotions count.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces == 0
    }

    /// Reports whether nothing in the cart is selected.
    pub(super) fn lacks(&self, selector: SelectorId) -> bool {
        self.selected.is_empty(selector)
    }

    /// Walks the selected lines of which something is left to take, and of which nothing was taken where that is asked.
    pub(super) fn open_lines(
        &self,
        selector: SelectorId,
        untouched: bool,
    ) -> impl Iterator<Item = usize> + use<'_> {
        let is_open =
            move |line: &usize| self.left[*line] > 0 && !(untouched && self.left[*line] < self.full[*line]);
        self.selected.lines(selector).filter(is_open)
    }

    /// Takes shares off lines; no share is above what is left.
    pub(super) fn take(&mut self, shares: &[(u32, i64)]) {
        for (line, minor) in shares {
            self.left[*line as usize] -= minor;
            self.left_sum -= i128::from(*minor);
        }
    }

    /// Returns what is left of each line of the cart; a gift's price is left alone.
    pub(super) fn left_by_place(&self, lines: &[PromotedLine<'_>]) -> Vec<i64> {
        let mut left: Vec<i64> = lines.iter().map(PromotedLine::full_minor).collect();
        for (place, minor) in self.places.iter().zip(&self.left) {
            left[*place as usize] = *minor;
        }
        left
    }

    /// Returns what was taken in all.
    pub(super) fn taken(&self) -> i128 {
        self.full_sum - self.left_sum
    }
}
