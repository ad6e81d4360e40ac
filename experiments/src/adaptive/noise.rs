//! How much units vary at present, arm by arm.

use super::{Batch, Pair, slope, within};

/// How many of the latest batches are the present, at least.
const PRESENT_BATCHES: usize = 5;
/// The share of all units that they hold, at least: of short batches five are a few hours of one day.
const PRESENT_SHARE: f64 = 0.1;
/// How often levels and variances are fitted to each other; the rest of a fit shrinks to a small part each time.
const PASSES: usize = 10;

/// Holds the present variance of each arm.
///
/// Where the level drifts, the noise drifts with it, and what is latest counts. An arm that few units meet has too few of late to tell its
/// variance. So it is taken that all arms drift alike: an arm's variance within a batch is s²·r, with one s² an arm and one r a
/// batch, fitted to all batches by their margins; an arm's present variance is its s² times the mean r of the latest batches. Source:
/// Deming and Stephan (1940), "On a Least Squares Adjustment of a Sampled Frequency Table When the Expected Marginal Totals
/// are Known", Annals of Mathematical Statistics 11.
pub(crate) struct Noise(Vec<f64>);

/// The squares around the mean of an arm's units in a batch, and their degrees of freedom.
type Cell = [f64; 2];

impl Noise {
    pub fn of(batches: &[Batch]) -> Self {
        // By the slope of the last batch, which those before it give.
        let theta = slope(batches.split_last().map_or(&[], |(_, before)| before));
        let cells = |batch: &Batch| -> Vec<Cell> {
            let cell = |arm| [within(arm, 1.0, theta), arm.outcome.units.saturating_sub(1) as f64];
            batch.arms.iter().map(cell).collect()
        };
        let table: Vec<Vec<Cell>> = batches.iter().map(cells).collect();
        let arms = table.iter().map(Vec::len).min().unwrap_or(0);
        let (mut levels, mut variances) = (vec![1.0; table.len()], vec![0.0; arms]);
        for _ in 0..PASSES {
            for (arm, variance) in variances.iter_mut().enumerate() {
                *variance = ratio(table.iter().zip(&levels).map(|(cells, level)| (cells[arm], *level)));
            }
            for (cells, level) in table.iter().zip(&mut levels) {
                *level = ratio(cells.iter().copied().zip(variances.iter().copied()));
            }
        }
        let present = present(&table, &levels);
        Self(variances.iter().map(|variance| variance * present).collect())
    }

    /// What a unit adds to the sum of squares that is assigned with the chances of a batch; `None` where an arm shows no spread.
    pub fn of_a_unit(&self, pair: Pair, at: &Batch) -> Option<f64> {
        let of_arm = |arm: usize| {
            let (_, chance) = at.arm(arm)?;
            Some(self.0.get(arm)? / chance).filter(|spread| *spread > 0.0 && spread.is_finite())
        };
        Some(of_arm(pair.control)? + of_arm(pair.treatment)?)
    }
}

/// The squares over what they are expected to be, at one scale a cell; 0 where nothing is expected.
fn ratio(cells: impl Iterator<Item = (Cell, f64)>) -> f64 {
    let add = |[seen, expected]: Cell, ([squares, freedom], scale): (Cell, f64)| {
        [seen + squares, expected + freedom * scale]
    };
    let [seen, expected] = cells.fold([0.0; 2], add);
    if expected > 0.0 { seen / expected } else { 0.0 }
}

/// The mean level of the latest batches, each as much as it has units.
fn present(table: &[Vec<Cell>], levels: &[f64]) -> f64 {
    let units = |cells: &Vec<Cell>| cells.iter().map(|[_, freedom]| freedom).sum::<f64>();
    let all: f64 = table.iter().map(units).sum();
    let (mut held, mut weighted, mut batches) = (0.0, 0.0, 0);
    for (cells, level) in table.iter().zip(levels).rev().filter(|(cells, _)| units(cells) > 0.0) {
        if batches >= PRESENT_BATCHES && held >= PRESENT_SHARE * all {
            break;
        }
        held += units(cells);
        weighted += units(cells) * level;
        batches += 1;
    }
    weighted / held
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistic::Statistic;

    fn batch(units: [u64; 2], level: f64) -> Batch {
        let arm = |(units, variance)| Statistic { units, mean: 0.0, variance: variance * level }.into();
        let arms = units.into_iter().zip([1.0, 3.0]).map(arm).collect();
        Batch { chances: vec![0.5, 0.5], arms }
    }

    #[test]
    fn an_arm_that_few_meet_varies_as_the_level_of_all_says() {
        // Of the first arm there are none but at the first level.
        let mut batches = vec![batch([1_001, 1_001], 1.0)];
        batches.extend((1..=9).map(|step| batch([1, 1_001], 1.0 + f64::from(step) / 10.0)));
        let Noise(found) = Noise::of(&batches);
        // The last five levels are 1.5 to 1.9.
        assert!((found[0] - 1.7).abs() < 1e-3 && (found[1] - 5.1).abs() < 3e-3, "{found:?}");
    }

    #[test]
    fn short_batches_are_no_present_until_they_hold_a_tenth() {
        let long: Vec<Batch> = (0..9).map(|_| batch([1_001, 1_001], 1.0)).collect();
        let short = |level: f64| (0..10).map(|_| batch([101, 101], level)).collect::<Vec<_>>();
        let Noise(found) = Noise::of(&[long.clone(), short(2.0)].concat());
        assert!((found[0] - 2.0).abs() < 1e-6, "{found:?}");
        // Ten of a hundred are a tenth of them all; of five of them nobody knows what the others show.
        let Noise(found) = Noise::of(&[long, short(1.0), short(2.0)[..5].to_vec()].concat());
        assert!(found[0] < 1.6, "{found:?}");
    }

    #[test]
    fn no_spread_is_nothing_to_foretell_by() {
        let pair = Pair { control: 0, treatment: 1 };
        let still = batch([100, 100], 0.0);
        assert_eq!(Noise::of(std::slice::from_ref(&still)).of_a_unit(pair, &still), None);
        assert_eq!(Noise::of(&[]).of_a_unit(pair, &still), None);
    }
}
