//! Measures of ranked lists, with intervals.

use super::{Case, LIST};
use crate::draw::mix;

/// Adds up, per group of cases, how often and how far up what came was found.
#[derive(Clone, Debug)]
pub struct Measure {
    groups: Vec<Sums>,
    last_group: Option<u32>,
    is_listed: Vec<bool>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    cases: f64,
    hits: f64,
    reciprocal_ranks: f64,
    gains: f64,
    recall: f64,
    precision: f64,
}

/// The 95 % interval of a figure, by the percentiles of 1,000 bootstrap samples of whole groups (Efron and Tibshirani,
/// "An introduction to the bootstrap", 1993, chapter 13).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
    /// The figure.
    pub mean: f64,
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Holds what lists of twenty attained.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// The number of cases.
    pub cases: u64,
    /// The part of the cases whose next item was in the list (hit rate).
    pub hit_rate: Interval,
    /// The mean of 1 / rank of the next item, 0 beyond the list (mean reciprocal rank; Voorhees, TREC-8, 1999).
    pub reciprocal_rank: Interval,
    /// The mean of 1 / log₂(rank + 1): the normalised discounted cumulative gain (Järvelin and Kekäläinen, ACM TOIS
    /// 20(4), 2002) where one item is relevant, so that the ideal gain is 1.
    pub gain: Interval,
    /// The mean part of all that came that was in the list.
    pub recall: f64,
    /// The mean part of the list that came.
    pub precision: f64,
    /// The part of the catalogue that was in any list.
    pub coverage: f64,
}

const SAMPLES: usize = 1_000;

impl Measure {
    /// Begins with no case, of a catalogue of so many items.
    pub fn new(items: usize) -> Self {
        Self { groups: Vec::new(), last_group: None, is_listed: vec![false; items] }
    }

    /// Adds a case and the list that answered it. Cases of one group follow each other.
    pub fn add(&mut self, case: &Case, list: &[u32]) {
        if self.last_group.replace(case.group) != Some(case.group) {
            self.groups.push(Sums::default());
        }
        let sums = self.groups.last_mut().expect("pushed for the first case");
        sums.cases += 1.0;
        list.iter().for_each(|&item| self.is_listed[item as usize] = true);
        if let Some(place) = list.iter().position(|item| *item == case.came[0]) {
            sums.hits += 1.0;
            sums.reciprocal_ranks += 1.0 / (place as f64 + 1.0);
            sums.gains += 1.0 / (place as f64 + 2.0).log2();
        }
        let mut came = case.came.clone();
        came.sort_unstable();
        came.dedup();
        let found = came.iter().filter(|item| list.contains(item)).count() as f64;
        sums.recall += found / came.len() as f64;
        sums.precision += found / LIST as f64;
    }

    /// Returns the normalised discounted cumulative gain alone, without its interval.
    pub fn mean_gain(&self) -> f64 {
        let sums = Sums::of(self.groups.iter());
        if sums.cases > 0.0 { sums.gains / sums.cases } else { 0.0 }
    }

    /// Returns the figures.
    pub fn figures(&self) -> Figures {
        let all = Sums::of(self.groups.iter());
        let mean = |of: fn(&Sums) -> f64| if all.cases > 0.0 { of(&all) / all.cases } else { 0.0 };
        let [hit_rate, reciprocal_rank, gain] =
            self.intervals([|s| s.hits, |s| s.reciprocal_ranks, |s| s.gains]);
        let listed = self.is_listed.iter().filter(|listed| **listed).count();
        Figures {
            cases: all.cases as u64,
            hit_rate,
            reciprocal_rank,
            gain,
            recall: mean(|sums| sums.recall),
            precision: mean(|sums| sums.precision),
            coverage: listed as f64 / self.is_listed.len().max(1) as f64,
        }
    }

    fn intervals<const N: usize>(&self, of: [fn(&Sums) -> f64; N]) -> [Interval; N] {
        let count = self.groups.len() as u64;
        if count == 0 {
            return [Interval::default(); N];
        }
        let means = |sums: &Sums| of.map(|of| of(sums) / sums.cases);
        let samples: Vec<[f64; N]> = (0..SAMPLES as u64)
            .map(|sample| {
                let drawn = (0..count).map(|draw| &self.groups[(mix(sample << 32 | draw) % count) as usize]);
                means(&Sums::of(drawn))
            })
            .collect();
        let whole = means(&Sums::of(self.groups.iter()));
        std::array::from_fn(|figure| {
            let mut sorted: Vec<f64> = samples.iter().map(|sample| sample[figure]).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            Interval {
                mean: whole[figure],
                low: sorted[SAMPLES * 25 / 1_000],
                high: sorted[SAMPLES * 975 / 1_000 - 1],
            }
        })
    }
}

impl Sums {
    fn of<'a>(groups: impl Iterator<Item = &'a Self>) -> Self {
        groups.fold(Self::default(), |sum, group| Self {
            cases: sum.cases + group.cases,
            hits: sum.hits + group.hits,
            reciprocal_ranks: sum.reciprocal_ranks + group.reciprocal_ranks,
            gains: sum.gains + group.gains,
            recall: sum.recall + group.recall,
            precision: sum.precision + group.precision,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(group: u32, came: &[u32]) -> Case {
        Case { given: vec![9], came: came.to_vec(), group }
    }

    #[test]
    fn ranks_are_measured_by_hand() {
        let mut measure = Measure::new(8);
        measure.add(&case(0, &[1, 2, 2]), &[1, 3]);
        measure.add(&case(0, &[2]), &[0, 3, 2]);
        measure.add(&case(1, &[5]), &[1]);
        let figures = measure.figures();
        assert_eq!(figures.cases, 3);
        assert!((figures.hit_rate.mean - 2.0 / 3.0).abs() < 1e-12);
        assert!((figures.reciprocal_rank.mean - (1.0 + 1.0 / 3.0) / 3.0).abs() < 1e-12);
        // log₂ 2 = 1, log₂ 4 = 2.
        assert!((figures.gain.mean - 1.5 / 3.0).abs() < 1e-12);
        assert!((figures.recall - (0.5 + 1.0) / 3.0).abs() < 1e-12);
        assert!((figures.precision - 2.0 / 20.0 / 3.0).abs() < 1e-12);
        assert_eq!(figures.coverage, 4.0 / 8.0);
    }

    #[test]
    fn an_interval_is_as_wide_as_its_groups_are_few() {
        let width = |groups: u32, cases: u32| {
            let mut measure = Measure::new(2);
            for group in 0..groups {
                (0..cases).for_each(|_| {
                    measure.add(&case(group, &[u32::from(mix(group.into()).is_multiple_of(2))]), &[1])
                });
            }
            let Interval { mean, low, high } = measure.figures().hit_rate;
            assert!(low < mean && mean < high, "{low} {mean} {high}");
            high - low
        };
        // 2 · 1.96 · √(¼ / 400) = .098, and no narrower for asking each group ten times.
        assert!((width(400, 1) - 0.098).abs() < 0.015);
        assert!((width(400, 10) - 0.098).abs() < 0.015);
        assert_eq!(Measure::new(0).figures(), Figures::default());
    }
}
