//! What modes need, found once with twice the nodes and a walk for every number of units.

use super::*;
use crate::effect::Scale;
use crate::power::Baseline;

/// The most and the expected units of the mixture, the sequence, Pocock's and O'Brien and Fleming's bounds, and the
/// fixed horizon, at a power of 80 %.
fn check(study: Study, effect: f64, looks: Looks, known: [[u64; 2]; 5]) {
    let offers = offers(&study, effect, 0.8, looks);
    let near = |found: u64, known: u64| found.abs_diff(known) as f64 <= 2e-6 * known as f64 + 1.0;
    assert_eq!(offers.len(), known.len());
    for offer in offers {
        let [most, expected] = match offer.mode {
            Mode::Mixture { .. } => known[0],
            Mode::Sequential { .. } => known[1],
            Mode::GroupSequential { spending: Spending::Pocock, .. } => known[2],
            Mode::GroupSequential { .. } => known[3],
            Mode::FixedHorizon | Mode::Bayesian { .. } => known[4],
        };
        assert!(near(offer.units_max, most) && near(offer.units_expected, expected), "{looks:?} {offer:?}");
    }
}

#[test]
fn a_conversion_needs_what_it_always_did() {
    let study = Study::new(Baseline::proportion(0.1).unwrap(), Scale::Relative);
    let fixed = [32_463, 32_463];
    for (looks, known) in [
        (Looks::Anytime, [[54_255, 32_991], [54_411, 34_105], [41_602, 24_939], [34_240, 25_024], fixed]),
        (
            Looks::Scheduled(20),
            [[56_488, 35_758], [56_499, 36_775], [41_087, 25_103], [33_966, 25_344], fixed],
        ),
        (
            Looks::Scheduled(200),
            [[53_666, 32_380], [53_856, 33_513], [41_669, 24_919], [34_281, 24_989], fixed],
        ),
    ] {
        check(study, 0.1, looks, known);
    }
}

#[test]
fn rare_conversions_and_means_need_what_they_always_did() {
    let rare = Study::new(Baseline::proportion(0.02).unwrap(), Scale::Absolute);
    check(
        rare,
        0.001,
        Looks::Anytime,
        [
            [1_053_580, 640_649],
            [1_056_608, 662_276],
            [807_865, 484_279],
            [664_915, 485_938],
            [630_405, 630_405],
        ],
    );
    let mean = Study::new(Baseline::mean(5.0, 90.0).unwrap(), Scale::Relative);
    check(
        mean,
        0.03,
        Looks::Anytime,
        [[216_273, 131_509], [216_895, 135_949], [165_834, 99_410], [136_490, 99_751], [129_406, 129_406]],
    );
}
