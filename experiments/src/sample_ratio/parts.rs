//! The check of the split in parts of the units, such as days or devices.

use serde::Serialize;

use super::{MISMATCH_P, SampleRatio};
use crate::family::holm;

/// Reports the split of one part of the units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartSplit {
    /// Units of every arm.
    pub units: Vec<u64>,
    /// Units the plan expects of each arm, given their total.
    pub expected: Vec<f64>,
    /// p-value of the sequential test, corrected by Holm over all parts; valid however often it is read.
    pub adjusted_p: f64,
    /// Whether the split of the part is not the planned one.
    pub is_mismatch: bool,
}

/// Checks the split of parts of the units against weights of any sum.
///
/// A fault of one part hides in the whole where the part is small, or where another part has the opposite one. Each part is
/// tested as it stands now: the Bayes factor is below 1/p with chance 1 − p at all times together, so that a reading at any
/// of them is valid.
///
/// ```
/// use experiments::sample_ratio::parts;
/// // Phones lose visitors of the treatment.
/// let found = parts(&[0.5, 0.5], &[vec![2_000, 1_400], vec![6_000, 6_020]]);
/// assert_eq!(found.iter().map(|part| part.is_mismatch).collect::<Vec<_>>(), [true, false]);
/// ```
pub fn parts(weights: &[f64], parts: &[Vec<u64>]) -> Vec<PartSplit> {
    let check = |units: &Vec<u64>| (units.clone(), SampleRatio::check(weights, std::iter::once(&units[..])));
    corrected(parts.iter().map(check).collect())
}

/// Corrects the checks of all parts, each with its units, for how many they are.
pub(crate) fn corrected(checks: Vec<(Vec<u64>, SampleRatio)>) -> Vec<PartSplit> {
    let p_values: Vec<f64> = checks.iter().map(|(_, check)| check.sequential_p).collect();
    let split = |((units, check), adjusted_p): ((Vec<u64>, SampleRatio), f64)| PartSplit {
        units,
        expected: check.expected,
        adjusted_p,
        is_mismatch: adjusted_p < MISMATCH_P,
    };
    checks.into_iter().zip(holm(&p_values)).map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{HashVersion, bucket};

    #[test]
    fn opposite_faults_that_hide_in_the_whole_are_found() {
        let found = parts(&[1.0, 1.0], &[vec![3_300, 2_700], vec![2_700, 3_300], vec![500, 480]]);
        assert_eq!(found.iter().map(|part| part.is_mismatch).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(parts(&[1.0, 1.0], &[]), []);
        assert!(!parts(&[1.0, 1.0], &[vec![0, 0]])[0].is_mismatch);
    }

    /// Fair splits in twenty parts, looked at ten times each: an alarm must be rarer than one in a thousand experiments.
    #[test]
    fn fair_splits_in_many_parts_raise_no_alarm() {
        for seed in 0..40 {
            let mut units = vec![vec![0_u64, 0]; 20];
            for unit in 0..20_000_u32 {
                let place = bucket(&format!("s{seed}"), &unit.to_string(), HashVersion::V2);
                units[unit as usize % 20][usize::from(place >= 0.5)] += 1;
                if unit % 2_000 == 1_999 {
                    assert!(parts(&[0.5, 0.5], &units).iter().all(|part| !part.is_mismatch), "seed {seed}");
                }
            }
        }
    }
}
