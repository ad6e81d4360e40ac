//! Sets of code units.

use super::case::{canonical, lower};

/// A range of at most this many units is folded unit by unit where case is ignored. In longer ones a unit is
/// looked for itself, in upper and in lower case, which finds all but units with two lower cases.
const FOLDED_MAX: u16 = 512;

/// Holds a set of code units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Set {
    /// The answer for units below 128.
    ascii: u128,
    ranges: Vec<(u16, u16)>,
    /// What stands for the members of short ranges, where case is ignored.
    folded: Vec<u16>,
    is_negated: bool,
    ignores_case: bool,
}

impl Set {
    pub(super) fn new(ranges: Vec<(u16, u16)>, is_negated: bool, ignores_case: bool) -> Set {
        let ranges = merged(ranges);
        let mut folded = Vec::new();
        if ignores_case {
            for &(first, last) in ranges.iter().filter(|(first, last)| last - first < FOLDED_MAX) {
                folded.extend((first..=last).map(canonical));
            }
            folded.sort_unstable();
            folded.dedup();
        }
        let mut set = Set { ascii: 0, ranges, folded, is_negated, ignores_case };
        set.ascii = (0..128).filter(|&unit| set.search(unit)).fold(0, |bits, unit| bits | 1 << unit);
        set
    }

    pub(super) fn has(&self, unit: u16) -> bool {
        if unit < 128 { self.ascii >> unit & 1 == 1 } else { self.search(unit) }
    }

    fn search(&self, unit: u16) -> bool {
        let is_in = |unit: u16| {
            let next = self.ranges.partition_point(|&(first, _)| first <= unit);
            next > 0 && unit <= self.ranges[next - 1].1
        };
        let is_member = is_in(unit) || (self.ignores_case && self.is_folded_in(unit, is_in));
        is_member != self.is_negated
    }

    fn is_folded_in(&self, unit: u16, is_in: impl Fn(u16) -> bool) -> bool {
        let upper = canonical(unit);
        let is_equal = |other: u16| canonical(other) == upper && is_in(other);
        self.folded.binary_search(&upper).is_ok() || is_equal(upper) || is_equal(lower(upper))
    }
}

/// Sorts ranges and joins those that overlap.
fn merged(mut ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    ranges.sort_unstable();
    ranges.dedup_by(|next, last| {
        let overlaps = next.0 <= last.1;
        if overlaps {
            last.1 = last.1.max(next.1);
        }
        overlaps
    });
    ranges
}

/// The units of `\d`.
pub(super) const DIGITS: &[(u16, u16)] = &[(0x30, 0x39)];
/// The units of `\w`.
pub(super) const WORD: &[(u16, u16)] = &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)];
/// The units of `\s`: white space and line ends.
pub(super) const SPACE: &[(u16, u16)] = &[
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
];
/// The line ends that `.` leaves out.
pub(super) const LINE_ENDS: &[(u16, u16)] = &[(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)];

/// Returns the units outside of sorted ranges.
pub(super) fn complement(ranges: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let mut next = 0_u32;
    let mut outside = Vec::new();
    for &(first, last) in ranges {
        if u32::from(first) > next {
            outside.push((next as u16, first - 1));
        }
        next = next.max(u32::from(last) + 1);
    }
    if next <= 0xFFFF {
        outside.push((next as u16, 0xFFFF));
    }
    outside
}

pub(super) fn is_word(unit: u16) -> bool {
    WORD.iter().any(|&(first, last)| first <= unit && unit <= last)
}
