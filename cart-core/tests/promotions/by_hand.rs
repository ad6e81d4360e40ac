//! What promotions give, found by trying all there is to try.

use std::collections::BTreeSet;

use cart_core::{
    Promotions, allocate,
    promotion::{Benefit, BundlePart, Pick, Selector},
};
use proptest::{collection::vec, prelude::*};

use crate::{
    apply, config,
    drafts::{Draft, PRODUCTS, Setting, currency, product, selector},
};

/// Reports whether a selector means a product at its full price: the rule of its doc, asked plainly.
pub fn selects(selector: &Selector, n: usize) -> bool {
    let product = product(n);
    let named = selector.skus.contains(&product.sku)
        || selector.categories.contains(&product.category)
        || product.family.as_ref().is_some_and(|family| selector.families.contains(family));
    let names_nothing =
        selector.skus.is_empty() && selector.categories.is_empty() && selector.families.is_empty();
    let attributes = &selector.attributes;
    (named || names_nothing)
        && attributes.iter().all(|(name, values)| values.contains(&product.attributes[name]))
        && !selector.except.skus.contains(&product.sku)
}

pub fn alone(benefit: Benefit) -> Promotions {
    let json = serde_json::json!([{"id": "p", "name": "P", "benefit": benefit}]);
    serde_json::from_value(json).expect("the draft makes sense")
}

/// Lists every piece with the product it is of, one by one; the prices have no remainder.
fn pieces_of(drafts: &[Draft]) -> Vec<(usize, i64)> {
    drafts.iter().flat_map(|draft| vec![(draft.0, draft.2); draft.1 as usize]).collect()
}

/// Returns the pieces that a selector means, as bits.
fn meant(selector: &Selector, pieces: &[(usize, i64)]) -> u32 {
    (0..pieces.len()).filter(|n| selects(selector, pieces[*n].0)).map(|n| 1 << n).sum()
}

fn worth(set: u32, pieces: &[(usize, i64)]) -> i64 {
    (0..pieces.len()).filter(|n| set & (1 << n) != 0).map(|n| pieces[n].1).sum()
}

/// Finds the greatest saving of bundles by trying every set of pieces that fills one, again and again.
fn best_bundles(parts: &[BundlePart], price_minor: i64, pieces: &[(usize, i64)]) -> i64 {
    // The sets that fill one bundle, and from these the sets that fill several.
    let mut bundles = BTreeSet::from([0_u32]);
    for part in parts {
        let fits = meant(&part.on, pieces);
        for _ in 0..part.pieces {
            let free = |set: u32| (0..pieces.len()).map(|n| 1 << n).filter(move |bit| fits & !set & bit != 0);
            bundles = bundles.iter().flat_map(|set| free(*set).map(move |bit| set | bit)).collect();
        }
    }
    let (mut filled, mut times, mut best) = (BTreeSet::from([0_u32]), 0, 0);
    while !filled.is_empty() {
        let saved = filled.iter().map(|set| worth(*set, pieces) - times * price_minor);
        best = saved.max().unwrap_or(0).max(best);
        let more = |set: &u32| {
            let set = *set;
            bundles.iter().filter(move |bundle| set & **bundle == 0).map(move |bundle| set | bundle)
        };
        filled = filled.iter().flat_map(more).collect();
        times += 1;
    }
    best
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn bundles_save_as_much_as_any_way_to_fill_them(
        parts in vec((selector(), 1_u32..3), 1..4),
        price_minor in 0_i64..1_200,
        drafts in vec((0..PRODUCTS, 1_u32..4, 1_i64..700, Just(false), Just(false)), 0..4),
    ) {
        let parts: Vec<_> = parts.into_iter().map(|(on, pieces)| BundlePart { on, pieces }).collect();
        let pieces = pieces_of(&drafts);
        let promotions = alone(Benefit::BundlePrice {
            parts: parts.clone(),
            price_minor: [(currency("GBP"), price_minor)].into(),
            times_max: None,
        });
        let setting = Setting { currency: 0, now_ms: 0, known: 0, uses: 0 };
        let promoted = apply(&promotions, &drafts, setting);
        prop_assert_eq!(promoted.discount_minor, best_bundles(&parts, price_minor, &pieces));
    }

    #[test]
    fn buying_and_getting_gives_what_a_till_would_count_out(
        (buy, buy_pieces) in (selector(), 1_u32..4),
        (get, get_pieces) in (selector(), 1_u32..3),
        drafts in vec((0..PRODUCTS, 1_u32..4, 1_i64..700, Just(false), Just(false)), 0..5),
    ) {
        // As often as possible, and then as cheaply: try every set of reduced pieces.
        let pieces = pieces_of(&drafts);
        let (bought, got) = (meant(&buy, &pieces), meant(&get, &pieces));
        let times_of = |set: u32| {
            let times = set.count_ones() / get_pieces;
            let is_whole = set & !got == 0 && set.count_ones().is_multiple_of(get_pieces);
            (is_whole && (bought & !set).count_ones() >= times * buy_pieces).then_some(times)
        };
        let sets = || (1..1_u32 << pieces.len()).filter_map(|set| Some((times_of(set)?, worth(set, &pieces))));
        let times = sets().map(|(times, _)| times).max();
        let cheapest = sets().filter(|(t, _)| Some(*t) == times).map(|(_, minor)| minor).min().unwrap_or(0);
        let promotions = alone(Benefit::BuyGet {
            buy: buy.clone(), buy_pieces, get: get.clone(), get_pieces,
            off_bp: 10_000, pick: Pick::Cheapest, times_max: None,
        });
        let setting = Setting { currency: 1, now_ms: 0, known: 0, uses: 0 };
        let promoted = apply(&promotions, &drafts, setting);
        prop_assert_eq!(promoted.discount_minor, cheapest);
        let counted = promoted.applied().next().map(|(_, applied)| applied.times);
        prop_assert_eq!(counted, times.map(u64::from));
    }

    #[test]
    fn the_cheapest_of_each_group_are_free_as_a_till_would_lay_them_out(
        on in selector(),
        of_pieces in 2_u32..5,
        drafts in vec((0..PRODUCTS, 1_u32..9, 1_i64..700, Just(false), Just(false)), 0..6),
    ) {
        let mut laid: Vec<_> = pieces_of(&drafts).into_iter().filter(|(n, _)| selects(&on, *n)).map(|p| p.1).collect();
        laid.sort_unstable_by(|a, b| b.cmp(a));
        let free: i64 = laid.chunks_exact(of_pieces as usize).filter_map(|group| group.last()).sum();
        let promotions = alone(Benefit::CheapestFree { on, of_pieces, free_pieces: 1, times_max: None });
        let setting = Setting { currency: 2, now_ms: 0, known: 0, uses: 0 };
        prop_assert_eq!(apply(&promotions, &drafts, setting).discount_minor, free);
    }

    #[test]
    fn shares_are_within_a_unit_of_the_exact_ones(
        total in prop_oneof![-1_000_i64..1_000, any::<i64>()],
        weights in vec(prop_oneof![4 => 0_i64..1_000, 1 => any::<i64>()], 1..20),
    ) {
        let shares = allocate(total, &weights);
        prop_assert_eq!(shares.iter().map(|s| i128::from(*s)).sum::<i128>(), i128::from(total));
        let sum: i128 = weights.iter().map(|w| i128::from(*w.max(&0))).sum();
        if sum > 0 {
            for (share, weight) in shares.iter().zip(&weights) {
                let exact = i128::from(total) * i128::from(*weight.max(&0));
                let product = i128::from(*share) * sum;
                prop_assert!((product - exact).abs() < sum, "{} of {}", share, weight);
            }
        }
    }
}
