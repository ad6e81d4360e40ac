//! Sharing an amount so that the shares sum to it exactly.

use std::cmp::Reverse;

/// Shares a total in proportion to weights by largest remainder: the shares sum to the total exactly, and each differs
/// from its exact share by less than one minor unit.
///
/// Every share is its exact share rounded down; what is then left goes, one unit each, to those that lost most by that,
/// of equals to the earlier. This is Hamilton's method of apportionment (Balinski and Young, "Fair Representation",
/// 1982, chapter 3). A share has the sign of the total, and where no weight is smaller than 0 and the total is not above
/// their sum, no share is above its weight. A weight below 0 counts as 0; where all weights are 0, they
/// count as equal. Without weights there is nobody to give to, and the result is empty.
///
/// ```
/// use cart_core::allocate;
/// // 10.00 over 3 : 3 : 1 is 4.2857…, 4.2857… and 1.4286…; the two units left go to the first two.
/// assert_eq!(allocate(1_000, &[3, 3, 1]), [429, 428, 143]);
/// assert_eq!(allocate(-5, &[1, 1]), [-3, -2]);
/// ```
pub fn allocate(total_minor: i64, weights: &[i64]) -> Vec<i64> {
    let mut shares = Vec::with_capacity(weights.len());
    let sum: i128 = weights.iter().map(|w| i128::from(*w.max(&0))).sum();
    let total = total_minor.unsigned_abs();
    let mut remainders = Vec::with_capacity(weights.len());
    let given = match (sum, u64::try_from(sum)) {
        (0, _) => {
            divide(total, weights.len() as u64, weights.iter().map(|_| 1), &mut shares, &mut remainders)
        }
        // Products that fit 64 bits are the common case, and their division is several times as fast.
        (_, Ok(sum)) if total.checked_mul(sum).is_some() => {
            divide(total, sum, weights.iter().map(|w| *w.max(&0)), &mut shares, &mut remainders)
        }
        _ => divide_wide(total, sum, weights, &mut shares, &mut remainders),
    };
    let left = usize::try_from(total - given).unwrap_or(usize::MAX).min(remainders.len());
    if left > 0 {
        if left < remainders.len() {
            remainders.select_nth_unstable(left - 1);
        }
        for (_, n) in &remainders[..left] {
            shares[*n as usize] += 1;
        }
    }
    let signed = |share: u64| if total_minor < 0 { 0_i64.wrapping_sub_unsigned(share) } else { share as i64 };
    shares.into_iter().map(signed).collect()
}

/// Is how much a share lost by rounding down, and its position; the least is served first.
type Remainder = (Reverse<u128>, u32);

fn divide(
    total: u64,
    sum: u64,
    weights: impl Iterator<Item = i64>,
    shares: &mut Vec<u64>,
    remainders: &mut Vec<Remainder>,
) -> u64 {
    let mut given = 0;
    for (n, weight) in weights.enumerate() {
        let product = total * weight.unsigned_abs();
        let (share, remainder) = (product / sum, product % sum);
        given += share;
        shares.push(share);
        if remainder > 0 {
            remainders.push((Reverse(u128::from(remainder)), n as u32));
        }
    }
    given
}

fn divide_wide(
    total: u64,
    sum: i128,
    weights: &[i64],
    shares: &mut Vec<u64>,
    remainders: &mut Vec<Remainder>,
) -> u64 {
    let mut given = 0;
    for (n, weight) in weights.iter().enumerate() {
        // Both factors are at most 2⁶³, so their product is at most 2¹²⁶.
        let product = i128::from(total) * i128::from(*weight.max(&0));
        let share = u64::try_from(product / sum).expect("a share is not above the total");
        given += share;
        shares.push(share);
        if product % sum > 0 {
            remainders.push((Reverse((product % sum).unsigned_abs()), n as u32));
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_the_total_and_ties_go_to_the_earlier() {
        for (total, weights, shares) in [
            (100, &[1, 1, 1][..], &[34, 33, 33][..]),
            (101, &[1, 1, 1], &[34, 34, 33]),
            // 5.5, 3.3, 2.2: the half is the largest remainder.
            (11, &[5, 3, 2], &[6, 3, 2]),
            // 1.17, 2.33, 3.5.
            (7, &[1, 2, 3], &[1, 2, 4]),
            // 0.67, 0.67, 0.67 and two units.
            (2, &[7, 7, 7], &[1, 1, 0]),
            (5, &[0, 1], &[0, 5]),
            (5, &[-9, 1], &[0, 5]),
            (5, &[0, 0], &[3, 2]),
            (0, &[3, 4], &[0, 0]),
            (-7, &[1, 2, 3], &[-1, -2, -4]),
            (9, &[], &[]),
            (1, &[4], &[1]),
        ] {
            assert_eq!(allocate(total, weights), shares, "{total} over {weights:?}");
        }
    }

    #[test]
    fn the_greatest_amounts_are_shared_exactly() {
        for weights in [vec![i64::MAX; 500], (1..=500).map(|n| i64::MAX / n).collect(), vec![0; 500]] {
            for total in [i64::MAX, i64::MIN, i64::MAX - 1, 1, 499] {
                let sum: i128 = allocate(total, &weights).into_iter().map(i128::from).sum();
                assert_eq!(sum, i128::from(total));
            }
        }
    }
}
