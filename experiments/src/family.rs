//! Many tests at once: p-values corrected for how many there are, over metrics and variations.

/// Returns Holm's adjusted p-values, in the order given: rejecting those at most α errs anywhere with chance α at
/// most.
///
/// p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1)p₍ⱼ₎). It supposes nothing about how the tests depend on each other,
/// and with p-values that are valid any time it holds at any time. Source: Holm (1979), "A Simple Sequentially
/// Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6. What is no p-value (NaN) counts as 1.
///
/// ```
/// let adjusted = experiments::family::holm(&[0.01, 0.04, 0.03, 0.005]);
/// let expected = [0.03, 0.06, 0.06, 0.02];
/// assert!(adjusted.iter().zip(expected).all(|(found, known)| (found - known).abs() < 1e-15));
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let (order, count) = (ascending(p_values), p_values.len());
    let mut adjusted = vec![1.0; count];
    let mut largest = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(((count - rank) as f64 * sound(p_values[index])).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

/// Returns Benjamini and Hochberg's adjusted p-values, in the order given: among those at most α, a share of α at most
/// is expected to be wrong.
///
/// p̃₍ᵢ₎ = min over j ≥ i of min(1, m·p₍ⱼ₎/j). Tests must be independent or depend positively; p-values that were
/// looked at until they were small need [`e_benjamini_hochberg`]. Source: Benjamini and Hochberg (1995), "Controlling
/// the False Discovery Rate", JRSS B 57. What is no p-value (NaN) counts as 1.
///
/// ```
/// let adjusted = experiments::family::benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005]);
/// let expected = [0.02, 0.04, 0.04, 0.02];
/// assert!(adjusted.iter().zip(expected).all(|(found, known)| (found - known).abs() < 1e-15));
/// ```
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    step_up(p_values, sound)
}

/// Returns the e-BH procedure's adjusted p-values of e-values, in the order given: those at most α are rejected.
///
/// The k largest are rejected with e₍ₖ₎ ≥ m/(αk), for the largest such k. It holds however the e-values depend on each
/// other and at any stopping time ([`crate::sequence::Sequence::e_value`]). Source: Wang and Ramdas (2022), "False
/// Discovery Rate Control with E-values", JRSS B 84. What is no e-value (negative or NaN) counts as 0.
///
/// ```
/// let adjusted = experiments::family::e_benjamini_hochberg(&[100.0, 5.0, 40.0]);
/// assert!(adjusted.iter().zip([0.03, 0.2, 0.0375]).all(|(found, known)| (found - known).abs() < 1e-15));
/// ```
pub fn e_benjamini_hochberg(e_values: &[f64]) -> Vec<f64> {
    let inverse: Vec<f64> = e_values.iter().map(|e| if *e > 0.0 { 1.0 / e } else { f64::INFINITY }).collect();
    step_up(&inverse, |inverse| inverse)
}

fn step_up(values: &[f64], sound: fn(f64) -> f64) -> Vec<f64> {
    let count = values.len();
    let mut adjusted = vec![1.0; count];
    let mut smallest = 1.0_f64;
    for (rank, index) in ascending(values).into_iter().enumerate().rev() {
        smallest = smallest.min(count as f64 * sound(values[index]) / (rank + 1) as f64);
        adjusted[index] = smallest;
    }
    adjusted
}

fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    // NaN, whatever its sign, comes last.
    order.sort_by(|&one, &other| {
        values[one].is_nan().cmp(&values[other].is_nan()).then(values[one].total_cmp(&values[other]))
    });
    order
}

fn sound(p: f64) -> f64 {
    if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_values_count_as_no_evidence() {
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[f64::NAN, 0.01]), [1.0, 0.02]);
        assert_eq!(benjamini_hochberg(&[-f64::NAN, 0.01, 7.0]), [1.0, 0.03, 1.0]);
        assert_eq!(e_benjamini_hochberg(&[f64::NAN, -3.0, 0.0, f64::INFINITY]), [1.0, 1.0, 1.0, 0.0]);
    }

    proptest! {
        #[test]
        fn adjusting_keeps_order_and_never_helps(p_values in proptest::collection::vec(0.0..=1.0_f64, 1..20)) {
            let (holm, fdr) = (holm(&p_values), benjamini_hochberg(&p_values));
            for (i, &p) in p_values.iter().enumerate() {
                prop_assert!(p <= fdr[i] + 1e-15 && fdr[i] <= holm[i] + 1e-15 && holm[i] <= 1.0);
                prop_assert!(holm[i] <= (p * p_values.len() as f64).min(1.0) + 1e-15);
                for (j, &other) in p_values.iter().enumerate() {
                    prop_assert!(p > other || (holm[i] <= holm[j] && fdr[i] <= fdr[j]));
                }
            }
        }

        /// Rejected by the rule as it is stated: the k largest with e ≥ m/(αk).
        #[test]
        fn e_values_are_rejected_by_the_rule(
            e_values in proptest::collection::vec(0.0..200.0_f64, 1..12), alpha in 0.01..0.5_f64,
        ) {
            let adjusted = e_benjamini_hochberg(&e_values);
            let mut sorted = e_values.clone();
            sorted.sort_by(|one, other| other.total_cmp(one));
            let m = e_values.len() as f64;
            let k = (1..=sorted.len()).rev().find(|&k| sorted[k - 1] >= m / (alpha * k as f64)).unwrap_or(0);
            let rejected = adjusted.iter().filter(|p| **p <= alpha).count();
            prop_assert_eq!(rejected, k);
        }
    }
}
