//! What is drawn: definitions of promotions, carts, and who asks when and where.

use std::{collections::BTreeSet, sync::Arc};

use cart_core::{
    Currency, Money, Product, PromotionDefinition, PromotionId, Sku,
    promotion::{
        Amounts, Benefit, BundlePart, Exceptions, Need, Per, Pick, PromotionClass, PromotionConditions,
        Selector, Stacking, SumOf, Tier, UseLimits, WeeklyHours,
    },
};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
};

pub const CURRENCIES: [&str; 3] = ["GBP", "JPY", "KWD"];
pub const CATEGORIES: [&str; 3] = ["books", "mugs", "tea"];
pub const PRODUCTS: usize = 12;

pub fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("a currency")
}

pub fn sku(n: usize) -> Sku {
    Sku::parse(&format!("SKU-{n:02}")).expect("a SKU")
}

/// The catalogue: every third product of a category, every fourth of a family, every second red.
pub fn product(n: usize) -> Product {
    let mut product = Product::new(sku(n), "A product", Money::new(100, currency("GBP")));
    product.category = CATEGORIES[n % CATEGORIES.len()].into();
    product.family = n.is_multiple_of(4).then(|| "family".parse().expect("a family"));
    product.attributes.insert("colour".into(), if n.is_multiple_of(2) { "red" } else { "blue" }.into());
    product
}

pub fn selector() -> impl Strategy<Value = Selector> {
    let base = Selector::default;
    let plain = prop_oneof![
        3 => Just(Selector::everything()),
        2 => btree_set(0..PRODUCTS, 1..4)
            .prop_map(move |skus| Selector { skus: skus.into_iter().map(sku).collect(), ..base() }),
        3 => (0..CATEGORIES.len())
            .prop_map(move |n| Selector { categories: [CATEGORIES[n].to_owned()].into(), ..base() }),
        1 => Just(Selector { families: ["family".parse().expect("a family")].into(), ..base() }),
        1 => Just(Selector { attributes: [("colour".into(), ["red".to_owned()].into())].into(), ..base() }),
    ];
    (plain, option::weighted(0.2, 0..PRODUCTS), prop::bool::weighted(0.1)).prop_map(
        |(selector, except, full_price_only)| Selector {
            except: Exceptions { skus: except.into_iter().map(sku).collect(), ..Exceptions::default() },
            full_price_only,
            ..selector
        },
    )
}

pub fn amounts(least: i64, most: i64) -> impl Strategy<Value = Amounts> {
    vec(option::weighted(0.9, least..=most), CURRENCIES.len()).prop_map(move |drafts| {
        let known = CURRENCIES.iter().zip(drafts).filter_map(|(code, minor)| Some((currency(code), minor?)));
        let mut amounts: Amounts = known.collect();
        amounts.entry(currency("GBP")).or_insert(most);
        amounts
    })
}

pub fn some_amounts(least: i64, most: i64) -> impl Strategy<Value = Amounts> {
    prop_oneof![3 => Just(Amounts::new()), 1 => amounts(least, most)]
}

pub fn off_bp() -> impl Strategy<Value = u32> {
    prop_oneof![1_u32..=10_000, Just(10_000), Just(1), Just(3_333)]
}

pub fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    let steps = vec((1_u32..5, option::of(off_bp()), amounts(1, 900)), 1..4);
    (any::<bool>(), steps).prop_map(|(by_pieces, steps)| {
        let mut from = 0;
        let tier = |(step, off_bp, off_minor): (u32, Option<u32>, Amounts)| {
            from += step;
            let sums = CURRENCIES.map(|code| (currency(code), i64::from(from) * 400));
            Tier {
                from_pieces: by_pieces.then_some(from),
                from_minor: if by_pieces { Amounts::new() } else { sums.into() },
                off_minor: if off_bp.is_none() { off_minor } else { Amounts::new() },
                off_bp,
            }
        };
        steps.into_iter().map(tier).collect()
    })
}

pub fn benefit() -> impl Strategy<Value = Benefit> {
    let per = prop_oneof![Just(Per::Cart), Just(Per::Piece)];
    let pick = prop_oneof![Just(Pick::Cheapest), Just(Pick::Dearest)];
    let times_max = || option::weighted(0.3, 1_u32..4);
    prop_oneof![
        3 => (selector(), off_bp(), some_amounts(1, 500))
            .prop_map(|(on, off_bp, max_minor)| Benefit::Percentage { on, off_bp, max_minor }),
        2 => (selector(), amounts(1, 900), per)
            .prop_map(|(on, off_minor, per)| Benefit::Fixed { on, off_minor, per }),
        2 => (selector(), tiers()).prop_map(|(on, tiers)| Benefit::Tiered { on, tiers }),
        3 => ((selector(), 1_u32..4), (selector(), 1_u32..3), off_bp(), pick, times_max()).prop_map(
            |((buy, buy_pieces), (get, get_pieces), off_bp, pick, times_max)| {
                Benefit::BuyGet { buy, buy_pieces, get, get_pieces, off_bp, pick, times_max }
            }
        ),
        2 => (selector(), 2_u32..5, times_max()).prop_flat_map(|(on, of_pieces, times_max)| {
            (1..of_pieces).prop_map(move |free_pieces| {
                Benefit::CheapestFree { on: on.clone(), of_pieces, free_pieces, times_max }
            })
        }),
        3 => (vec((selector(), 1_u32..3), 1..5), amounts(0, 900), times_max()).prop_map(
            |(parts, price_minor, times_max)| {
                let parts = parts.into_iter().map(|(on, pieces)| BundlePart { on, pieces }).collect();
                Benefit::BundlePrice { parts, price_minor, times_max }
            }
        ),
        1 => (off_bp(), some_amounts(1, 500)).prop_map(|(off_bp, max_minor)| {
            Benefit::FreeShipping { methods: BTreeSet::new(), off_bp, max_minor }
        }),
        1 => (0..PRODUCTS, 1_u32..3).prop_map(|(n, pieces)| Benefit::Gift { sku: sku(n), pieces }),
    ]
}

pub fn need() -> impl Strategy<Value = Need> {
    let sum = prop_oneof![Just(SumOf::Left), Just(SumOf::Full)];
    (selector(), option::of(1_u64..4), option::of(3_u64..30), some_amounts(1, 2_000), sum).prop_map(
        |(of, min_pieces, max_pieces, min_minor, sum)| {
            let max_pieces = max_pieces
                .map(|max| max.max(min_pieces.unwrap_or(1)))
                .or((min_pieces.is_none()).then_some(99));
            Need { of, min_pieces, max_pieces, min_minor, max_minor: Amounts::new(), sum }
        },
    )
}

pub fn conditions() -> impl Strategy<Value = PromotionConditions> {
    let window = (option::weighted(0.2, 0_i64..100), option::weighted(0.2, 100_i64..200));
    let weekly = option::weighted(
        0.1,
        Just(WeeklyHours {
            days: BTreeSet::new(),
            from_minute: 0,
            until_minute: 1_439,
            utc_offset_minutes: -60,
        }),
    );
    let names = (
        option::weighted(0.1, Just("web")),
        option::weighted(0.1, Just("trade")),
        option::weighted(0.1, Just("ada")),
        option::weighted(0.1, Just("GB")),
        option::weighted(0.1, 0_u64..3),
    );
    let needs = prop_oneof![3 => Just(vec![]), 2 => vec(need(), 1..3)];
    (window, weekly, names, needs).prop_map(|((from_ms, until_ms), weekly, names, needs)| {
        let (channel, group, customer, country, max_orders_before) = names;
        PromotionConditions {
            from_ms,
            until_ms,
            weekly,
            channels: channel.map(|name| name.parse().expect("a channel")).into_iter().collect(),
            groups: group.map(|name| name.parse().expect("a group")).into_iter().collect(),
            customers: customer.map(|name| name.parse().expect("a customer")).into_iter().collect(),
            countries: country.map(|name| name.parse().expect("a country")).into_iter().collect(),
            max_orders_before,
            needs,
            ..PromotionConditions::default()
        }
    })
}

pub fn stacking() -> impl Strategy<Value = Stacking> {
    let but_with =
        || prop_oneof![Just(BTreeSet::new()), Just([PromotionClass::Gift, PromotionClass::Shipping].into())];
    prop_oneof![
        8 => Just(Stacking::default()),
        1 => but_with().prop_map(|but_with| Stacking::Last { but_with }),
        1 => but_with().prop_map(|but_with| Stacking::Exclusive { but_with }),
        3 => (0..2).prop_map(|n| Stacking::BestOf { group: format!("group-{n}") }),
    ]
}

pub fn definitions() -> impl Strategy<Value = Vec<PromotionDefinition>> {
    let draft = (
        benefit(),
        conditions(),
        stacking(),
        prop_oneof![2 => Just(0), 1 => -2_i32..3],
        option::weighted(0.2, 0..3_usize),
        (prop::bool::weighted(0.2), prop::bool::weighted(0.05), prop::bool::weighted(0.2)),
    );
    vec(draft, 0..9).prop_map(|drafts| {
        let definition = |(n, (benefit, conditions, stacking, priority, code, flags)): (usize, _)| {
            let benefit: Benefit = benefit;
            let (skip_discounted_lines, paused, limited): (bool, bool, bool) = flags;
            let compares = matches!(benefit.class(), PromotionClass::Items | PromotionClass::Order);
            let stacking = match stacking {
                Stacking::BestOf { .. } if !compares => Stacking::default(),
                stacking => stacking,
            };
            let code: Option<usize> = code;
            PromotionDefinition {
                id: PromotionId::parse(&format!("p{n}")).expect("an id"),
                name: Arc::from("A promotion"),
                paused,
                codes: code.map(|n| CODES[n].parse().expect("a code")).into_iter().collect(),
                priority,
                stacking,
                skip_discounted_lines,
                conditions,
                limits: UseLimits { total: limited.then_some(2), ..UseLimits::default() },
                benefit,
            }
        };
        drafts.into_iter().enumerate().map(definition).collect()
    })
}

pub const CODES: [&str; 3] = ["ONE", "TWO", "THREE"];

/// A line: product, pieces, unit price, whether it is reduced already, whether it is a gift.
pub type Draft = (usize, u32, i64, bool, bool);

pub fn lines(most: usize, price: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = Vec<Draft>> {
    let pieces = prop_oneof![4 => 1_u32..6, 1 => Just(0)];
    vec((0..PRODUCTS, pieces, price, prop::bool::weighted(0.2), prop::bool::weighted(0.05)), 0..most)
}

pub fn price() -> impl Strategy<Value = i64> + Clone {
    prop_oneof![6 => 1_i64..1_000, 2 => (1_i64..5).prop_map(|n| n * 100), 1 => Just(0)]
}

/// Who and where: bits for what is known, and a currency.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub currency: usize,
    pub now_ms: i64,
    pub known: u8,
    pub uses: u64,
}

pub fn setting() -> impl Strategy<Value = Setting> {
    (0..CURRENCIES.len(), 0_i64..250, any::<u8>(), 0_u64..4)
        .prop_map(|(currency, now_ms, known, uses)| Setting { currency, now_ms, known, uses })
}
