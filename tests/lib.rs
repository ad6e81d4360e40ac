//! The black-box tests of Cartwright live in `it/`, its benchmarks behind `bench`.
