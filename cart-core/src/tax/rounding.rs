//! Rounding to whole minor units, and handing a rounded whole down to its parts.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

/// Says how tax is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rounding {
    /// What is rounded.
    pub per: RoundingScope,
    /// How exact halves are rounded.
    pub mode: RoundingMode,
}

/// Says what is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingScope {
    /// The tax of each line.
    #[default]
    Line,
    /// The tax of each rate over the whole order.
    Order,
}

/// Says how exact halves are rounded; all else goes to the nearest unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingMode {
    /// Away from zero.
    #[default]
    HalfUp,
    /// To the even neighbour, so that over many lines halves do not add up to one side (IEEE 754's default).
    HalfEven,
}

/// Divides and rounds to the nearest whole; the denominator is above 0.
pub(super) fn divide(numerator: i128, denominator: i128, mode: RoundingMode) -> i128 {
    let (quotient, remainder) = (numerator / denominator, numerator % denominator);
    let is_up = match (2 * remainder.abs()).cmp(&denominator) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => mode == RoundingMode::HalfUp || quotient % 2 != 0,
    };
    if is_up { quotient + numerator.signum() } else { quotient }
}

/// Hands a whole down to parts by largest remainder, so that they sum to it exactly.
///
/// Part n is `numerator / denominator` rounded down, and one more where its remainder is among the largest; of equal
/// remainders the earlier part is given. This is Hamilton's method of apportionment (Balinski and Young, "Fair
/// Representation", 1982, chapter 3), for a whole that differs from the exact sum of the parts by less than one.
pub(super) fn hand_out(
    whole: i128,
    numerators: impl ExactSizeIterator<Item = i128>,
    denominator: i128,
) -> Vec<i64> {
    let count = numerators.len();
    let (mut parts, mut remainders) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut left = whole;
    for (n, numerator) in numerators.enumerate() {
        let part = numerator.div_euclid(denominator);
        left -= part;
        parts.push(i64::try_from(part).expect("a tax fits where its amount does"));
        remainders.push((Reverse(numerator.rem_euclid(denominator)), n));
    }
    if left > 0 {
        remainders.sort_unstable();
        for (_, n) in remainders.into_iter().take(usize::try_from(left).unwrap_or(count)) {
            parts[n] += 1;
        }
    }
    parts
}

/// Splits an amount in proportion to weights, of which at least one is above 0, by largest remainder.
pub(super) fn split(minor: i64, weights: &[i128]) -> Vec<i64> {
    let whole = i128::from(minor);
    hand_out(whole, weights.iter().map(|weight| whole * weight), weights.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_up_or_to_the_even_neighbour() {
        for (numerator, denominator, up, even) in [
            (5, 10, 1, 0),
            (15, 10, 2, 2),
            (25, 10, 3, 2),
            (24, 10, 2, 2),
            (26, 10, 3, 3),
            (-5, 10, -1, 0),
            (-15, 10, -2, -2),
            (-25, 10, -3, -2),
            (-24, 10, -2, -2),
            (-26, 10, -3, -3),
            (0, 10, 0, 0),
            // Of an odd denominator nothing is an exact half.
            (3, 7, 0, 0),
            (4, 7, 1, 1),
        ] {
            assert_eq!(divide(numerator, denominator, RoundingMode::HalfUp), up, "{numerator}");
            assert_eq!(divide(numerator, denominator, RoundingMode::HalfEven), even, "{numerator}");
        }
    }

    #[test]
    fn a_whole_is_handed_down_by_largest_remainder() {
        for (minor, weights, parts) in [
            (100, &[1, 1, 1][..], &[34, 33, 33][..]),
            (101, &[1, 1, 1], &[34, 34, 33]),
            // 10·[5, 3, 2]/10 is whole; 11·[5, 3, 2]/10 = 5.5, 3.3, 2.2.
            (10, &[5, 3, 2], &[5, 3, 2]),
            (11, &[5, 3, 2], &[6, 3, 2]),
            // 7·[1, 2, 3]/6 = 1.17, 2.33, 3.5.
            (7, &[1, 2, 3], &[1, 2, 4]),
            (5, &[0, 1], &[0, 5]),
            (0, &[3, 4], &[0, 0]),
        ] {
            assert_eq!(split(minor, weights), parts);
        }
    }
}
