//! One measured figure and how it is printed.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::json;

/// Counts the printed figures that miss what they must reach.
static MISSED: AtomicUsize = AtomicUsize::new(0);

/// Says how a run ends: where that is to be checked, it fails if a figure missed its target. Aims are none.
pub fn end(is_checked: bool) -> ExitCode {
    let missed = MISSED.load(Ordering::Relaxed);
    if is_checked && missed > 0 {
        eprintln!("{missed} figures miss their targets");
    }
    ExitCode::from(code(is_checked, missed))
}

fn code(is_checked: bool, missed: usize) -> u8 {
    u8::from(is_checked && missed > 0)
}

/// Says how figures are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Says what a figure should be.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// Exactly this.
    Exactly(f64),
    /// At least the first; the second is aimed at.
    Aiming(f64, f64),
    /// This is aimed at, from below; nothing is missed short of it.
    Aim(f64),
    /// Reported for what it is.
    None,
}

/// Is one figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much it is.
    pub value: f64,
    /// The unit of the value.
    pub unit: &'static str,
    /// What it should be.
    pub target: Target,
    /// What it was measured beside, and how.
    pub yardstick: String,
}

impl Figure {
    fn is_met(&self) -> Option<bool> {
        match self.target {
            Target::AtLeast(least) | Target::Aiming(least, _) => Some(self.value >= least),
            Target::AtMost(most) => Some(self.value <= most),
            Target::Exactly(wanted) => Some(self.value == wanted),
            Target::Aim(_) | Target::None => None,
        }
    }

    fn aim(&self) -> Option<f64> {
        match self.target {
            Target::Aiming(_, aim) | Target::Aim(aim) => Some(aim),
            _ => None,
        }
    }

    /// Prints the figure, and remembers whether it missed its target.
    pub fn print(&self, format: Format) {
        let hundredths = |number: f64| (number * 100.0).round() / 100.0;
        let value = hundredths(self.value);
        let target = match self.target {
            Target::AtLeast(target)
            | Target::AtMost(target)
            | Target::Exactly(target)
            | Target::Aiming(target, _) => Some(hundredths(target)),
            Target::Aim(_) | Target::None => None,
        };
        let bound = match self.target {
            Target::AtLeast(_) | Target::Aiming(..) => "at least",
            Target::AtMost(_) => "at most",
            _ => "exactly",
        };
        if self.is_met() == Some(false) {
            MISSED.fetch_add(1, Ordering::Relaxed);
        }
        let Self { name, unit, yardstick, .. } = self;
        match format {
            Format::Json => {
                let met = self.is_met();
                let line = json!({"name": name, "value": value, "unit": unit, "target": target, "aim": self.aim(), "met": met, "yardstick": yardstick});
                println!("{line}");
            }
            Format::Text => {
                let target = match (self.is_met(), target) {
                    (Some(met), Some(target)) => {
                        format!("{bound} {target}: {}", if met { "met" } else { "NOT MET" })
                    }
                    _ => String::new(),
                };
                let aim = self.aim().map(|aim| format!("aim {aim}")).unwrap_or_default();
                let target = [target, aim].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
                println!("{name:<36} {value:>12} {unit:<10} {:<24} {yardstick}", target.join(", "));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_checked_run_fails_by_a_missed_target_and_none_by_an_aim() {
        let met = |value, target| {
            Figure { name: "f".into(), value, unit: "times", target, yardstick: String::new() }.is_met()
        };
        assert_eq!([2.9, 3.0].map(|value| met(value, Target::AtLeast(3.0))), [Some(false), Some(true)]);
        assert_eq!([3.0, 3.1].map(|value| met(value, Target::AtMost(3.0))), [Some(true), Some(false)]);
        assert_eq!([2.9, 3.0].map(|value| met(value, Target::Aiming(3.0, 5.0))), [Some(false), Some(true)]);
        assert_eq!([met(0.1, Target::Aim(0.4)), met(0.1, Target::None)], [None, None]);
        assert_eq!([code(true, 0), code(true, 2), code(false, 2)], [0, 1, 0]);
    }
}
