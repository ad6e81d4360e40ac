//! The promises of the statistics, proved by simulation: how often whole experiments, with known truths, are judged
//! wrong.
//!
//! All that is drawn follows from the seed, whatever the number of threads.

mod adjustment;
mod bandit;
mod coverage;
mod crowd;
mod dice;
mod false_alarms;
mod page;
mod power;
mod price;
mod shop;
mod split;
mod taken;

use std::time::Instant;

use crate::figure::Format;
use crowd::Crowd;

/// Simulates one part and prints its figures.
type Part = fn(&Crowd, Format);

/// Parts by name, in the order of the table.
const PARTS: [(&str, Part); 8] = [
    ("alarms", false_alarms::measure),
    ("page", page::measure),
    ("coverage", coverage::measure),
    ("power", power::measure),
    ("price", price::measure),
    ("adjustment", adjustment::measure),
    ("split", split::measure),
    ("bandit", bandit::measure),
];

/// Simulates the parts named, or all, with so many runs each.
pub fn measure(runs: u64, seed: u64, only: &[String], format: Format) {
    for (name, part) in PARTS {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            let began = Instant::now();
            part(&Crowd { runs, seed }, format);
            eprintln!("{name}: {runs} runs, seed {seed}, {:.0} s", began.elapsed().as_secs_f64());
        }
    }
}
