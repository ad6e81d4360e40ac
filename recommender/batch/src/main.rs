//! batch
fn main() {}
