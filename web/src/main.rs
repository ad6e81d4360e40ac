//! cartwright
fn main() {}
