//! The distributions that statistics lean on, right to the last digits far out in their tails.

pub(crate) mod chi_square;
pub(crate) mod normal;
pub(crate) mod student;
