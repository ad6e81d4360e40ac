//! The sample-ratio check: fair splits are left alone, crooked ones found.

use experiments::sample_ratio::{MISMATCH_P, SampleRatio, chi_square_p};

use super::{crowd::Crowd, dice::Dice};
use crate::figure::{Figure, Format, Target};

const DAYS: u64 = 60;
const UNITS_A_DAY: u64 = 2500;

pub fn measure(crowd: &Crowd, format: Format) {
    let [alarms, daily] = crowd.percent::<2>(60, |dice| run(0.5, dice));
    let [found, _] = crowd.percent::<2>(61, |dice| run(0.51, dice));
    let looks = format!("{} runs, {DAYS} daily looks to {} units", crowd.runs, DAYS * UNITS_A_DAY);
    let figures = [
        ("split, fair, alarms", alarms, Target::AtMost(0.1), String::new()),
        ("split, fair, daily chi-square", daily, Target::None, format!(", below {MISMATCH_P}")),
        ("split, 51:49, found", found, Target::AtLeast(95.0), String::new()),
    ];
    for (name, value, target, more) in figures {
        Figure { name: name.to_owned(), value, unit: "%", target, yardstick: format!("{looks}{more}") }
            .print(format);
    }
}

/// Whether the sequential check, and a chi-square test each day, ever find a mismatch.
fn run(share: f64, dice: &mut Dice) -> [bool; 2] {
    let mut looks = Vec::with_capacity(DAYS as usize);
    let mut units = [0_u64; 2];
    for _ in 0..DAYS {
        let treated = dice.binomial(UNITS_A_DAY, share);
        units[0] += UNITS_A_DAY - treated;
        units[1] += treated;
        looks.push(units);
    }
    let equal = [1.0, 1.0];
    let check = SampleRatio::check(&equal, looks.iter().map(|units| &units[..]));
    let is_odd = |units: &[u64; 2]| chi_square_p(units, &equal).is_some_and(|p| p < MISMATCH_P);
    [check.is_mismatch, looks.iter().any(is_odd)]
}
