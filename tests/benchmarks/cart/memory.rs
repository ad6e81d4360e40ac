//! What a live cart costs in memory.

use std::fs;

use harness::TestApp;

use super::{LINES_READ, Run, shopper::shoppers};
use crate::figure::Target;

const CARTS: usize = 40_000;
const VISITORS: usize = 32;

/// Opens and fills carts, and says by how much the server has grown for each.
pub async fn measure(run: &Run, app: &TestApp) {
    let before = resident_bytes(app.node().pid());
    for shopper in shoppers(app, VISITORS, CARTS / VISITORS).await {
        shopper.fill(app.address(), LINES_READ).await;
    }
    let grown = resident_bytes(app.node().pid()) - before;
    let yardstick = format!("{CARTS} carts of {LINES_READ} lines in memory, growth of the resident set");
    run.print("memory.per_cart", grown / CARTS as f64 / 1_024.0, "KiB", Target::AtMost(4.0), &yardstick);
}

fn resident_bytes(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory is told");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number of kB") * 1_024.0
}
