//! What a clerk does with a pencil: rounds, and hands a sum out.

use std::cmp::Reverse;

/// Rounds a fraction that is not below 0 to the nearest whole number.
pub fn rounded(exact: i128, whole: i128, is_half_even: bool) -> i128 {
    let below = exact / whole;
    match (2 * exact).cmp(&(2 * below * whole + whole)) {
        std::cmp::Ordering::Less => below,
        std::cmp::Ordering::Equal if is_half_even => below + below % 2,
        _ => below + 1,
    }
}

/// Takes a share of a sum, in hundredths of a percent; half a unit counts as a whole one.
pub fn share_of(minor: i64, bp: i64) -> i64 {
    rounded(i128::from(minor) * i128::from(bp), 10_000, false) as i64
}

/// Hands a sum out in whole numbers: one by one to the first of those that lack most of their exact shares.
pub fn handed_out(sum: i128, exact: &[i128], whole: i128) -> Vec<i64> {
    let mut shares: Vec<i128> = exact.iter().map(|exact| exact / whole).collect();
    while !shares.is_empty() && shares.iter().sum::<i128>() < sum {
        let lacks = |n: &usize| (exact[*n] - shares[*n] * whole, Reverse(*n));
        let next = (0..shares.len()).max_by_key(lacks).expect("some share");
        shares[next] += 1;
    }
    shares.into_iter().map(|share| i64::try_from(share).expect("a share of a sum")).collect()
}

/// Shares a sum in proportion to weights, equally where nothing weighs anything.
pub fn shared(sum: i64, weights: &[i64]) -> Vec<i64> {
    let all: i64 = weights.iter().sum();
    let weigh = |weight: &i64| if all == 0 { 1 } else { i128::from(*weight) };
    let exact: Vec<i128> = weights.iter().map(|weight| i128::from(sum) * weigh(weight)).collect();
    let whole = if all == 0 { weights.len() as i128 } else { all.into() };
    handed_out(sum.into(), &exact, whole)
}
