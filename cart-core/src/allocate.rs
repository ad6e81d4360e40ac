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
    let mut shares = weights.to_vec();
    allocate_in_place(total_minor, &mut shares, |weight| weight);
    shares
}

/// Replaces the weights within some items by their shares, as [`allocate`] has it.
pub(crate) fn allocate_in_place<T>(total_minor: i64, items: &mut [T], weight: impl Fn(&mut T) -> &mut i64) {
    let mut sum = 0_i128;
    for item in &mut *items {
        let weight = weight(item);
        *weight = (*weight).max(0);
        sum += i128::from(*weight);
    }
    if sum == 0 {
        items.iter_mut().for_each(|item| *weight(item) = 1);
        sum = items.len() as i128;
    }
    let total = total_minor.unsigned_abs();
    match u64::try_from(sum) {
        Ok(0) => return,
        // Products that fit 64 bits are the common case, and their division is several times as fast.
        Ok(sum) if total.checked_mul(sum).is_some() => {
            share_out(total, items, &weight, |weight| {
                let product = total * weight;
                (product / sum, product % sum)
            });
        }
        _ => share_out(total, items, &weight, |weight| {
            // Both factors are at most 2⁶³, so their product is at most 2¹²⁶.
            let product = u128::from(total) * u128::from(weight);
            let share = u64::try_from(product / sum.unsigned_abs()).expect("a share is not above the total");
            (share, product % sum.unsigned_abs())
        }),
    }
    if total_minor < 0 {
        // The smallest total has no positive counterpart; its shares wrap around to what they should be.
        items.iter_mut().for_each(|item| *weight(item) = weight(item).wrapping_neg());
    }
}

/// Gives each item its share rounded down, and the units left to those that lost most by it.
fn share_out<T, R: Ord + Default>(
    total: u64,
    items: &mut [T],
    weight: impl Fn(&mut T) -> &mut i64,
    divide: impl Fn(u64) -> (u64, R),
) {
    let mut left = total;
    let mut losses = Vec::with_capacity(items.len());
    for (n, item) in items.iter_mut().enumerate() {
        let weight = weight(item);
        let (share, remainder) = divide(weight.unsigned_abs());
        left -= share;
        *weight = share.cast_signed();
        if remainder > R::default() {
            losses.push((Reverse(remainder), n));
        }
    }
    // Each loss is below one unit, so fewer units are left than items lost something.
    let left = usize::try_from(left).unwrap_or(usize::MAX).min(losses.len());
    if (1..losses.len()).contains(&left) {
        losses.select_nth_unstable(left - 1);
    }
    for (_, n) in &losses[..left] {
        let share = weight(&mut items[*n]);
        *share = share.wrapping_add(1);
    }
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
