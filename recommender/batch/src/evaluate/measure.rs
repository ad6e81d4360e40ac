//! Measures of ranked lists in which one item is to be found.

use std::collections::BTreeSet;

use cart_core::Sku;

use super::LIST;

/// Adds up how often, and how far up, what was hidden was found.
#[derive(Clone, Debug)]
pub struct Measure {
    cases: u64,
    hits_10: u64,
    hits_20: u64,
    reciprocal_ranks: f64,
    gains: f64,
    items: usize,
    suggested: BTreeSet<Sku>,
}

impl Measure {
    /// Begins with no case, of a catalogue of so many items.
    pub fn new(items: usize) -> Self {
        let suggested = BTreeSet::new();
        Self { cases: 0, hits_10: 0, hits_20: 0, reciprocal_ranks: 0.0, gains: 0.0, items, suggested }
    }

    /// Adds a case: the rank of the hidden item from 1, `None` where it is not in the list, and the list.
    pub fn add(&mut self, rank: Option<usize>, list: impl Iterator<Item = Sku>) {
        self.cases += 1;
        self.suggested.extend(list);
        let Some(rank) = rank.filter(|rank| *rank <= LIST) else { return };
        self.hits_10 += u64::from(rank <= 10);
        self.hits_20 += 1;
        self.reciprocal_ranks += 1.0 / rank as f64;
        self.gains += 1.0 / (rank as f64 + 1.0).log2();
    }

    /// Returns the number of cases.
    pub fn cases(&self) -> u64 {
        self.cases
    }

    /// Returns the fraction of cases in which the hidden item is among the first ten.
    pub fn hit_rate_10(&self) -> f64 {
        self.mean(self.hits_10 as f64)
    }

    /// Returns the fraction of cases in which the hidden item is among the first twenty.
    pub fn hit_rate_20(&self) -> f64 {
        self.mean(self.hits_20 as f64)
    }

    /// Returns one standard error of the hit rate at 20: √(p (1 − p) / cases).
    pub fn hit_rate_20_error(&self) -> f64 {
        let rate = self.hit_rate_20();
        if self.cases == 0 { 0.0 } else { (rate * (1.0 - rate) / self.cases as f64).sqrt() }
    }

    /// Returns the mean of 1 / rank, 0 beyond twenty (mean reciprocal rank; Voorhees, TREC-8, 1999).
    pub fn reciprocal_rank_20(&self) -> f64 {
        self.mean(self.reciprocal_ranks)
    }

    /// Returns the mean of 1 / log₂(rank + 1), 0 beyond twenty: the normalised discounted cumulative gain (Järvelin and
    /// Kekäläinen, ACM TOIS 20(4), 2002) where one item is relevant, so that the ideal gain is 1.
    pub fn gain_20(&self) -> f64 {
        self.mean(self.gains)
    }

    /// Returns the fraction of the items that were in any list.
    pub fn coverage(&self) -> f64 {
        if self.items == 0 { 0.0 } else { self.suggested.len() as f64 / self.items as f64 }
    }

    fn mean(&self, sum: f64) -> f64 {
        if self.cases == 0 { 0.0 } else { sum / self.cases as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_measured_by_hand() {
        let sku = |text: &str| Sku::parse(text).unwrap();
        let mut measure = Measure::new(4);
        measure.add(Some(1), [sku("A"), sku("B")].into_iter());
        measure.add(Some(3), [sku("A")].into_iter());
        measure.add(Some(15), [sku("C")].into_iter());
        measure.add(None, [sku("C")].into_iter());
        assert_eq!((measure.hit_rate_10(), measure.hit_rate_20(), measure.coverage()), (0.5, 0.75, 0.75));
        assert!((measure.reciprocal_rank_20() - (1.0 + 1.0 / 3.0 + 1.0 / 15.0) / 4.0).abs() < 1e-12);
        // log₂ 2 = 1, log₂ 4 = 2, log₂ 16 = 4.
        assert!((measure.gain_20() - (1.0 + 0.5 + 0.25) / 4.0).abs() < 1e-12);
        assert!((measure.hit_rate_20_error() - (0.75_f64 * 0.25 / 4.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn no_cases_are_no_division_by_nothing() {
        let measure = Measure::new(0);
        assert_eq!((measure.hit_rate_20(), measure.coverage(), measure.hit_rate_20_error()), (0.0, 0.0, 0.0));
    }
}
