//! One measured figure and how it is printed.

use serde_json::json;

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
            Target::AtLeast(least) => Some(self.value >= least),
            Target::AtMost(most) => Some(self.value <= most),
            Target::Exactly(wanted) => Some(self.value == wanted),
            Target::None => None,
        }
    }

    /// Prints the figure.
    pub fn print(&self, format: Format) {
        let value = (self.value * 100.0).round() / 100.0;
        let target = match self.target {
            Target::AtLeast(target) | Target::AtMost(target) | Target::Exactly(target) => {
                Some((target * 100.0).round() / 100.0)
            }
            Target::None => None,
        };
        let bound = match self.target {
            Target::AtLeast(_) => "at least",
            Target::AtMost(_) => "at most",
            _ => "exactly",
        };
        let Self { name, unit, yardstick, .. } = self;
        match format {
            Format::Json => {
                let met = self.is_met();
                let line = json!({"name": name, "value": value, "unit": unit, "target": target, "met": met, "yardstick": yardstick});
                println!("{line}");
            }
            Format::Text => {
                let target = match (self.is_met(), target) {
                    (Some(met), Some(target)) => {
                        format!("{bound} {target}: {}", if met { "met" } else { "NOT MET" })
                    }
                    _ => String::new(),
                };
                println!("{name:<36} {value:>12} {unit:<10} {target:<24} {yardstick}");
            }
        }
    }
}
