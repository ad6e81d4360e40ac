//! Trains and evaluates recommendations from event files.

fn main() {}
