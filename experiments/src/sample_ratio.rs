//! The check that units were split as planned. A mismatch means that units were lost or counted twice in some
//! arm, so no comparison of the arms can be trusted.

use serde::Serialize;
use statrs::function::gamma::ln_gamma;

use crate::distribution::chi_square;

mod parts;

pub(crate) use parts::corrected;
pub use parts::{PartSplit, parts};

/// Below this sequential p-value the split counts as mismatched: at most one sound experiment in a thousand is
/// ever withheld by mistake, over its whole life.
pub const MISMATCH_P: f64 = 0.001;

/// How many units' worth of belief the sequential test puts on the planned split.
///
/// A small value finds gross faults at once, a large one finds small imbalances sooner: 300 to 100 where
/// equal was planned is found at 1,000, not yet at 10,000, which Optimizely's ssrm uses and which finds 50.5
/// % to 49.5 % sooner.
pub const CONCENTRATION: f64 = 1_000.0;

/// Reports the split against the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleRatio {
    /// Units the plan expects of each arm, given their total.
    pub expected: Vec<f64>,
    /// p-value of the sequential test, over all looks; valid however often it is read. 1 without units.
    pub sequential_p: f64,
    /// p-value of Pearson's chi-square test on the last look; valid for a single look only. `None` without
    /// units.
    pub chi_square_p: Option<f64>,
    /// The threshold below which `sequential_p` withholds the verdict, [`MISMATCH_P`].
    pub threshold: f64,
    /// Whether the split is not the planned one.
    pub is_mismatch: bool,
}

impl SampleRatio {
    /// Checks the units of every arm at every look, oldest first, against weights of any sum.
    ///
    /// The sequential test's p-value is its lowest over the looks, so a mismatch once found stays found.
    ///
    /// ```
    /// use experiments::sample_ratio::SampleRatio;
    /// let check = SampleRatio::check(&[0.5, 0.5], [[1000_u64, 1010], [5000, 5031]].iter().map(|look| &look[..]));
    /// assert!(!check.is_mismatch);
    /// let check = SampleRatio::check(&[0.5, 0.5], [[1000_u64, 1010], [5000, 4000]].iter().map(|look| &look[..]));
    /// assert!(check.is_mismatch);
    /// assert_eq!(check.expected, [4500.0, 4500.0]);
    /// ```
    pub fn check<'a>(weights: &[f64], looks: impl Iterator<Item = &'a [u64]>) -> SampleRatio {
        SampleRatio::check_epochs(&[Epoch { weights, looks: looks.collect() }])
    }

    /// Checks the units of every arm when weights changed on the way, the oldest epoch first.
    ///
    /// Each epoch's looks count the units that were exposed under its weights, and no others: totals against the last
    /// weights would find a mismatch in any ramp. The epochs' Bayes factors are multiplied; the chi-squares are added,
    /// with their degrees of freedom.
    ///
    /// ```
    /// use experiments::sample_ratio::{Epoch, SampleRatio};
    /// let ramp = Epoch { weights: &[0.9, 0.1], looks: vec![&[900, 100], &[1800, 200]] };
    /// let even = Epoch { weights: &[0.5, 0.5], looks: vec![&[5000, 5000]] };
    /// let check = SampleRatio::check_epochs(&[ramp, even]);
    /// assert!(!check.is_mismatch);
    /// assert_eq!(check.expected, [6800.0, 5200.0]);
    /// ```
    pub fn check_epochs(epochs: &[Epoch<'_>]) -> SampleRatio {
        let (mut sequential_p, mut ln_factor_before) = (1.0_f64, 0.0);
        let mut all_expected = Vec::new();
        let mut chi_square: Option<(f64, usize)> = None;
        for Epoch { weights, looks } in epochs {
            let factors = looks.iter().map(|units| ln_bayes_factor(units, weights, CONCENTRATION));
            let factors: Vec<f64> = factors.map(|ln_factor| ln_factor_before + ln_factor).collect();
            sequential_p = factors.iter().map(|&ln_factor| p_of(ln_factor)).fold(sequential_p, f64::min);
            ln_factor_before = factors.last().copied().unwrap_or(ln_factor_before);
            let last = looks.last().copied().unwrap_or(&[]);
            let expected = expected(last, weights);
            all_expected.resize(all_expected.len().max(expected.len()), 0.0);
            all_expected.iter_mut().zip(expected).for_each(|(all, of_epoch)| *all += of_epoch);
            if let Some((square, freedom)) = chi_square_of(last, weights) {
                let (before, freedom_before) = chi_square.unwrap_or((0.0, 0));
                chi_square = Some((before + square, freedom_before + freedom));
            }
        }
        SampleRatio {
            expected: all_expected,
            sequential_p,
            chi_square_p: chi_square.and_then(|(square, freedom)| chi_square::upper_tail(square, freedom)),
            threshold: MISMATCH_P,
            is_mismatch: sequential_p < MISMATCH_P,
        }
    }
}

/// Holds the looks that were taken under one set of weights, the oldest first: units of every arm in each.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch<'a> {
    /// The weights of the arms, of any sum.
    pub weights: &'a [f64],
    /// Units that were exposed under these weights, up to each look.
    pub looks: Vec<&'a [u64]>,
}

fn expected(units: &[u64], weights: &[f64]) -> Vec<f64> {
    let total: f64 = units.iter().map(|&n| n as f64).sum();
    let whole: f64 = weights.iter().sum();
    weights.iter().map(|weight| if whole > 0.0 { weight / whole * total } else { 0.0 }).collect()
}

/// Returns the p-value of Pearson's chi-square test (1900): χ² = Σ(O − E)²/E over the arms with weight, one
/// degree of freedom fewer than those arms. `None` without units or with fewer than two arms; 0 when an arm
/// without weight has units.
///
/// ```
/// use experiments::sample_ratio::chi_square_p;
/// let p = chi_square_p(&[5100, 4900], &[0.5, 0.5]).expect("has units");
/// assert!((p - 0.0455002639).abs() < 1e-10);
/// let p = chi_square_p(&[1000, 1100, 950], &[1.0, 1.0, 1.0]).expect("has units");
/// assert!((p - 0.003222154905).abs() < 1e-12);
/// ```
pub fn chi_square_p(units: &[u64], weights: &[f64]) -> Option<f64> {
    let (chi_square, freedom) = chi_square_of(units, weights)?;
    chi_square::upper_tail(chi_square, freedom)
}

/// χ² and its degrees of freedom; infinite when an arm without weight has units.
fn chi_square_of(units: &[u64], weights: &[f64]) -> Option<(f64, usize)> {
    if units.iter().all(|&n| n == 0) {
        return None;
    }
    let freedom = weights.iter().filter(|&&weight| weight > 0.0).count().saturating_sub(1);
    if has_stray_units(units, weights) {
        return Some((f64::INFINITY, freedom));
    }
    let pairs = units.iter().zip(expected(units, weights));
    let chi_square = pairs.filter(|(_, e)| *e > 0.0).map(|(&o, e)| (o as f64 - e).powi(2) / e).sum();
    Some((chi_square, freedom))
}

/// Returns ln of the Bayes factor against the planned split, of Lindon and Malek's sequential test.
///
/// With weights w summing to 1, units n_i summing to n and a Dirichlet(κw) prior on the split: ln BF = lnΓ(κ)
/// − lnΓ(κ + n) + Σ[lnΓ(κw_i + n_i) − lnΓ(κw_i)] − Σ n_i ln w_i. Units in an arm without weight make it
/// infinite. Source: Lindon and Malek (2022), "Anytime-Valid Inference for Multinomial Count Data", NeurIPS,
/// <https://arxiv.org/abs/2011.03567>.
///
/// ```
/// use experiments::sample_ratio::ln_bayes_factor;
/// assert!((ln_bayes_factor(&[5300, 4700], &[0.5, 0.5], 10_000.0) - 8.655214614).abs() < 1e-9);
/// assert!((ln_bayes_factor(&[5300, 4700], &[0.5, 0.5], 2.0) - 13.62955863).abs() < 1e-8);
/// ```
pub fn ln_bayes_factor(units: &[u64], weights: &[f64], concentration: f64) -> f64 {
    if has_stray_units(units, weights) {
        return f64::INFINITY;
    }
    let whole: f64 = weights.iter().sum();
    let total: f64 = units.iter().map(|&n| n as f64).sum();
    let arms = units.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    let of_arms: f64 = arms
        .map(|(&n, &weight)| {
            let (n, weight) = (n as f64, weight / whole);
            ln_gamma(concentration * weight + n) - ln_gamma(concentration * weight) - n * weight.ln()
        })
        .sum();
    of_arms - (ln_gamma(concentration + total) - ln_gamma(concentration))
}

/// Returns the p-value min(1, 1/BF) of one look; the lowest over any number of looks is a valid p-value, too.
///
/// ```
/// use experiments::sample_ratio::sequential_p_of;
/// assert!((sequential_p_of(&[5300, 4700], &[0.5, 0.5], 10_000.0) - 0.0001742160062).abs() < 1e-12);
/// assert!((sequential_p_of(&[5100, 4900], &[0.5, 0.5], 10_000.0) - 0.5202319125).abs() < 1e-9);
/// assert_eq!(sequential_p_of(&[5100, 4900], &[0.5, 0.5], 100.0), 1.0);
/// ```
pub fn sequential_p_of(units: &[u64], weights: &[f64], concentration: f64) -> f64 {
    p_of(ln_bayes_factor(units, weights, concentration))
}

fn p_of(ln_factor: f64) -> f64 {
    if ln_factor.is_nan() { 1.0 } else { (-ln_factor).exp().min(1.0) }
}

fn has_stray_units(units: &[u64], weights: &[f64]) -> bool {
    let weight_of = |index: usize| weights.get(index).copied().unwrap_or(0.0);
    units.iter().enumerate().any(|(index, &n)| n > 0 && weight_of(index) <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EQUAL: [f64; 2] = [0.5, 0.5];

    #[test]
    fn published_numbers_hold() {
        let chi_square = chi_square_p(&[5300, 4700], &EQUAL).unwrap();
        assert!((chi_square - 1.97e-9).abs() < 0.005e-9, "{chi_square}");
        let sequential = sequential_p_of(&[5300, 4700], &EQUAL, 2.0);
        assert!((sequential - 1.204364367e-6).abs() < 1e-14, "{sequential}");
        assert_eq!(sequential_p_of(&[5100, 4900], &EQUAL, 2.0), 1.0);
        // An arm without weight costs no degree of freedom, unlike in gbstats, which gives 0.135 here.
        let unused = chi_square_p(&[5100, 4900, 0], &[0.5, 0.5, 0.0]).unwrap();
        assert!((unused - 0.0455002639).abs() < 1e-10);
    }

    /// The factor grows unit by unit as Lindon and Malek update it: BF·=(κw_i + n_i)/((κ + n)w_i).
    #[test]
    fn totals_give_what_unit_by_unit_updating_gives() {
        let weights = [0.2, 0.3, 0.5];
        let (mut units, mut ln_factor) = ([0_u64; 3], 0.0);
        for step in 0..3_000_usize {
            let arm = [0, 1, 2, 2, 0, 2, 1][step % 7];
            let before: u64 = units.iter().sum();
            let up = CONCENTRATION * weights[arm] + units[arm] as f64;
            ln_factor += (up / ((CONCENTRATION + before as f64) * weights[arm])).ln();
            units[arm] += 1;
        }
        assert!((ln_bayes_factor(&units, &weights, CONCENTRATION) - ln_factor).abs() < 1e-8);
    }

    #[test]
    fn a_mismatch_once_found_stays_found() {
        let looks = [[300_u64, 100], [10_200, 10_000]];
        assert!(sequential_p_of(&looks[0], &EQUAL, 10_000.0) > 0.1);
        let check = SampleRatio::check(&EQUAL, looks.iter().map(|look| &look[..]));
        assert!(check.is_mismatch && check.sequential_p < 0.001, "{check:?}");
        assert!(check.chi_square_p.unwrap() > 0.1);
    }

    #[test]
    fn a_change_of_weights_is_no_mismatch_but_one_within_an_epoch_is() {
        let epoch = |weights, units| Epoch { weights, looks: vec![units] };
        let ramp: [f64; 2] = [0.9, 0.1];
        let sound = [epoch(&ramp, &[9_000, 1_000]), epoch(&EQUAL, &[5_000, 5_000])];
        assert!(!SampleRatio::check_epochs(&sound).is_mismatch);
        let totals = [14_000_u64, 6_000];
        assert!(SampleRatio::check(&EQUAL, [&totals[..]].into_iter()).is_mismatch);
        let broken = [epoch(&ramp, &[9_000, 1_000]), epoch(&EQUAL, &[6_000, 5_000])];
        let check = SampleRatio::check_epochs(&broken);
        assert!(check.is_mismatch && check.chi_square_p.unwrap() < 1e-9, "{check:?}");
        assert_eq!(SampleRatio::check_epochs(&[]).sequential_p, 1.0);
    }

    #[test]
    fn nothing_to_check_is_no_mismatch_and_stray_units_are() {
        let check = SampleRatio::check(&EQUAL, [[0_u64, 0]].iter().map(|look| &look[..]));
        assert_eq!((check.sequential_p, check.chi_square_p, check.is_mismatch), (1.0, None, false));
        let check = SampleRatio::check(&[1.0, 1.0, 0.0], [[5_u64, 5, 1]].iter().map(|look| &look[..]));
        assert_eq!((check.sequential_p, check.chi_square_p, check.is_mismatch), (0.0, Some(0.0), true));
        assert_eq!(chi_square_p(&[5], &[1.0]), None);
        assert!(ln_bayes_factor(&[u64::MAX, u64::MAX], &EQUAL, CONCENTRATION).is_finite());
    }
}
