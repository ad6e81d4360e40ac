//! What holds of every promotion, whatever the definitions, the cart and the occasion.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cart_core::{
    ChannelId, Code, Country, Currency, GroupId, Money, NotApplied, Occasion, Product, Promoted,
    PromotedLine, PromotionDefinition, PromotionId, Promotions, Sku, Uses, VisitorId, allocate,
    limits::{CART_LINES_MAX, LINE_QUANTITY_MAX, PRICE_MINOR_MAX},
    promotion::{
        Amounts, Benefit, BundlePart, Exceptions, Need, Per, Pick, PromotionClass, PromotionConditions,
        Selector, Stacking, SumOf, Tier, UseLimits, Verdict, WeeklyHours,
    },
};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    test_runner::FileFailurePersistence,
};

fn config(cases: u32) -> ProptestConfig {
    let regressions = FileFailurePersistence::Direct("tests/promotions-regressions.txt");
    ProptestConfig { cases, failure_persistence: Some(Box::new(regressions)), ..Default::default() }
}

const CURRENCIES: [&str; 3] = ["GBP", "JPY", "KWD"];
const CATEGORIES: [&str; 3] = ["books", "mugs", "tea"];
const PRODUCTS: usize = 12;

fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("a currency")
}

fn sku(n: usize) -> Sku {
    Sku::parse(&format!("SKU-{n:02}")).expect("a SKU")
}

/// The catalogue: every third product of a category, every fourth of a family, every second red.
fn product(n: usize) -> Product {
    let mut product = Product::new(sku(n), "A product", Money::new(100, currency("GBP")));
    product.category = CATEGORIES[n % CATEGORIES.len()].into();
    product.family = n.is_multiple_of(4).then(|| "family".parse().expect("a family"));
    product.attributes.insert("colour".into(), if n.is_multiple_of(2) { "red" } else { "blue" }.into());
    product
}

fn selector() -> impl Strategy<Value = Selector> {
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

fn amounts(least: i64, most: i64) -> impl Strategy<Value = Amounts> {
    vec(option::weighted(0.9, least..=most), CURRENCIES.len()).prop_map(move |drafts| {
        let known = CURRENCIES.iter().zip(drafts).filter_map(|(code, minor)| Some((currency(code), minor?)));
        let mut amounts: Amounts = known.collect();
        amounts.entry(currency("GBP")).or_insert(most);
        amounts
    })
}

fn some_amounts(least: i64, most: i64) -> impl Strategy<Value = Amounts> {
    prop_oneof![3 => Just(Amounts::new()), 1 => amounts(least, most)]
}

fn off_bp() -> impl Strategy<Value = u32> {
    prop_oneof![1_u32..=10_000, Just(10_000), Just(1), Just(3_333)]
}

fn tiers() -> impl Strategy<Value = Vec<Tier>> {
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

fn benefit() -> impl Strategy<Value = Benefit> {
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

fn need() -> impl Strategy<Value = Need> {
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

fn conditions() -> impl Strategy<Value = PromotionConditions> {
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

fn stacking() -> impl Strategy<Value = Stacking> {
    let but_with =
        || prop_oneof![Just(BTreeSet::new()), Just([PromotionClass::Gift, PromotionClass::Shipping].into())];
    prop_oneof![
        8 => Just(Stacking::default()),
        1 => but_with().prop_map(|but_with| Stacking::Last { but_with }),
        1 => but_with().prop_map(|but_with| Stacking::Exclusive { but_with }),
        3 => (0..2).prop_map(|n| Stacking::BestOf { group: format!("group-{n}") }),
    ]
}

fn definitions() -> impl Strategy<Value = Vec<PromotionDefinition>> {
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

const CODES: [&str; 3] = ["ONE", "TWO", "THREE"];

/// A line: product, pieces, unit price, whether it is reduced already, whether it is a gift.
type Draft = (usize, u32, i64, bool, bool);

fn lines(most: usize, price: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = Vec<Draft>> {
    let pieces = prop_oneof![4 => 1_u32..6, 1 => Just(0)];
    vec((0..PRODUCTS, pieces, price, prop::bool::weighted(0.2), prop::bool::weighted(0.05)), 0..most)
}

fn price() -> impl Strategy<Value = i64> + Clone {
    prop_oneof![6 => 1_i64..1_000, 2 => (1_i64..5).prop_map(|n| n * 100), 1 => Just(0)]
}

/// Who and where: bits for what is known, and a currency.
#[derive(Clone, Copy, Debug)]
struct Setting {
    currency: usize,
    now_ms: i64,
    known: u8,
    uses: u64,
}

fn setting() -> impl Strategy<Value = Setting> {
    (0..CURRENCIES.len(), 0_i64..250, any::<u8>(), 0_u64..4)
        .prop_map(|(currency, now_ms, known, uses)| Setting { currency, now_ms, known, uses })
}

fn apply(promotions: &Promotions, drafts: &[Draft], setting: Setting) -> Promoted {
    let products: Vec<_> = (0..PRODUCTS).map(product).collect();
    let lines: Vec<_> = drafts
        .iter()
        .map(|(n, quantity, unit_minor, is_reduced, is_gift)| PromotedLine {
            is_reduced: *is_reduced,
            is_gift: *is_gift,
            ..PromotedLine::new(&products[*n], *quantity, *unit_minor)
        })
        .collect();
    let known = |bit: u8| setting.known & (1 << bit) != 0;
    let (group, channel): (GroupId, ChannelId) =
        ("trade".parse().expect("a group"), "web".parse().expect("a channel"));
    let customer: VisitorId = "ada".parse().expect("a customer");
    let codes: Vec<Code> = CODES.iter().map(|code| code.parse().expect("a code")).collect();
    let occasion = Occasion {
        customer: known(0).then_some(&customer),
        group: known(1).then_some(&group),
        channel: known(2).then_some(&channel),
        country: known(3).then(|| Country::parse("GB").expect("a country")),
        codes: if known(4) { &codes } else { &[] },
        orders_before: u64::from(setting.known >> 6),
        uses: &|id, code| {
            let counted = promotions.counted(if known(4) { &codes } else { &[] });
            assert!(counted.contains(&(id, code)), "{id} with {code:?} was to be looked up");
            Uses { total: setting.uses, ..Uses::default() }
        },
        ..Occasion::new(setting.now_ms, currency(CURRENCIES[setting.currency]))
    };
    promotions.apply(&lines, &occasion)
}

fn full(draft: &Draft) -> i64 {
    i64::from(draft.1) * draft.2
}

/// Checks that the sums of an application are exact, whatever it decided.
fn audit(definitions: &[PromotionDefinition], drafts: &[Draft], promoted: &Promoted) {
    let mut left: Vec<i64> = drafts.iter().map(full).collect();
    for (outcome, applied) in promoted.applied() {
        let shares: i64 = applied.lines.iter().map(|share| share.minor).sum();
        assert_eq!(shares, applied.off.minor, "the shares of {outcome} sum to what it takes off");
        for share in &applied.lines {
            let line = share.line as usize;
            assert!(share.minor > 0 && !drafts[line].4, "{outcome} takes something, and nothing off a gift");
            left[line] -= share.minor;
            assert!(left[line] >= 0, "{outcome} takes more off line {line} than was left");
        }
        let places: BTreeSet<_> = applied.lines.iter().map(|share| share.line).collect();
        assert_eq!(places.len(), applied.lines.len(), "{outcome} names a line once");
        let gives = applied.shipping_off_bp.is_some() || applied.gift.is_some();
        assert_eq!(applied.off.minor > 0, !gives, "{outcome} gives one thing");
        assert!(applied.times >= 1);
    }
    assert_eq!(promoted.left_minor, left);
    let charged = |draft: &&Draft| !draft.4;
    let before: i64 = drafts.iter().filter(charged).map(full).sum();
    let after: i64 = drafts.iter().zip(&left).filter(|(draft, _)| !draft.4).map(|(_, left)| left).sum();
    assert_eq!(promoted.discount_minor, before - after);
    let told: BTreeSet<_> = promoted.outcomes.iter().map(|outcome| &outcome.promotion).collect();
    let defined: BTreeSet<_> = definitions.iter().map(|definition| &definition.id).collect();
    assert_eq!((told, promoted.outcomes.len()), (defined, definitions.len()), "each has one outcome");
    for outcome in &promoted.outcomes {
        assert!(outcome.to_string().len() > outcome.name.len() + 4, "{outcome} has a sentence");
    }
    audit_stacking(definitions, promoted);
}

/// Checks that nothing applied beside what excludes it, and one of a group at most.
fn audit_stacking(definitions: &[PromotionDefinition], promoted: &Promoted) {
    let by_id: BTreeMap<_, _> = definitions.iter().map(|d| (&d.id, d)).collect();
    let applied: Vec<_> = promoted.applied().map(|(outcome, _)| by_id[&outcome.promotion]).collect();
    for (n, one) in applied.iter().enumerate() {
        for (m, other) in applied.iter().enumerate().filter(|(m, _)| *m != n) {
            let lets = |but_with: &BTreeSet<PromotionClass>| but_with.contains(&other.benefit.class());
            match (&one.stacking, &other.stacking) {
                (Stacking::Exclusive { but_with }, _) => assert!(lets(but_with)),
                (Stacking::Last { but_with }, _) => assert!(m < n || lets(but_with)),
                (Stacking::BestOf { group }, Stacking::BestOf { group: other }) => assert_ne!(group, other),
                _ => {}
            }
        }
    }
}

/// Returns what an application says of each promotion, but for the places of lines.
fn placeless(promoted: &Promoted) -> Vec<String> {
    let mut outcomes = promoted.outcomes.clone();
    for outcome in &mut outcomes {
        if let Verdict::Applied(applied) = &mut outcome.verdict {
            applied.lines.clear();
        }
    }
    outcomes.iter().map(|outcome| format!("{outcome:?}")).collect()
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn sums_are_exact_and_every_promotion_is_explained(
        definitions in definitions(),
        drafts in lines(12, price()),
        setting in setting(),
    ) {
        let promotions = Promotions::new(definitions.clone()).expect("the drafts make sense");
        let promoted = apply(&promotions, &drafts, setting);
        audit(&definitions, &drafts, &promoted);
        prop_assert_eq!(&promoted, &apply(&promotions, &drafts, setting));

        let json = serde_json::to_string(&promotions).expect("definitions are written");
        let read: Promotions = serde_json::from_str(&json).expect("what was written is read");
        prop_assert_eq!(&read, &promotions);
        let json = serde_json::to_string(&promoted).expect("outcomes are written");
        prop_assert_eq!(serde_json::from_str::<Promoted>(&json).expect("what was written is read"), promoted);
    }

    #[test]
    fn neither_the_order_of_lines_nor_of_definitions_changes_anything(
        definitions in definitions(),
        (drafts, shuffled) in lines(12, price()).prop_flat_map(|drafts| {
            let places: Vec<_> = (0..drafts.len()).collect();
            (Just(drafts), Just(places).prop_shuffle())
        }),
        setting in setting(),
    ) {
        let promotions = Promotions::new(definitions.clone()).expect("the drafts make sense");
        let promoted = apply(&promotions, &drafts, setting);
        let moved: Vec<_> = shuffled.iter().map(|place| drafts[*place]).collect();
        let again = apply(&promotions, &moved, setting);
        prop_assert_eq!(placeless(&again), placeless(&promoted));
        prop_assert_eq!(again.discount_minor, promoted.discount_minor);
        // Lines that are alike may change places with each other, but their amounts do not change.
        let amounts = |drafts: &[Draft], promoted: &Promoted| {
            let mut amounts: Vec<_> = drafts.iter().copied().zip(promoted.left_minor.clone()).collect();
            amounts.sort_unstable();
            amounts
        };
        prop_assert_eq!(amounts(&moved, &again), amounts(&drafts, &promoted));

        let reversed = Promotions::new(definitions.into_iter().rev().collect()).expect("the drafts make sense");
        prop_assert_eq!(apply(&reversed, &drafts, setting), promoted);
    }

    #[test]
    fn what_a_shopper_is_told_to_add_or_spend_is_what_was_lacking(
        need in need(),
        drafts in lines(6, price()),
    ) {
        // What is added must not be too much at once.
        let need = Need { min_pieces: need.min_pieces.or(Some(1)), max_pieces: None, ..need };
        let definition = PromotionDefinition {
            id: "p".parse().expect("an id"),
            name: Arc::from("A promotion"),
            paused: false,
            codes: BTreeSet::new(),
            priority: 0,
            stacking: Stacking::default(),
            skip_discounted_lines: false,
            conditions: PromotionConditions { needs: vec![need.clone()], ..PromotionConditions::default() },
            limits: UseLimits::default(),
            benefit: Benefit::FreeShipping { methods: BTreeSet::new(), off_bp: 10_000, max_minor: Amounts::new() },
        };
        let promotions = Promotions::new(vec![definition]).expect("the draft makes sense");
        let setting = Setting { currency: 0, now_ms: 0, known: 0, uses: 0 };
        let told = |drafts: &[Draft]| match &apply(&promotions, drafts, setting).outcomes[0].verdict {
            Verdict::NotApplied(why) => Some(why.clone()),
            Verdict::Applied(_) => None,
        };
        // A product of which the need counts every piece, unless it counts none.
        let Some(helper) = (0..PRODUCTS).find(|n| selects(&need.of, *n)) else { return Ok(()) };
        match told(&drafts) {
            Some(NotApplied::PiecesLacking { pieces, .. }) => {
                let with = |pieces: u64| [&drafts[..], &[(helper, pieces as u32, 0, false, false)]].concat();
                let still = |pieces| matches!(told(&with(pieces)), Some(NotApplied::PiecesLacking { .. }));
                prop_assert!(!still(pieces) && (pieces == 1 || still(pieces - 1)));
            }
            Some(NotApplied::SumLacking { lacking, .. }) => {
                let with = |minor| [&drafts[..], &[(helper, 1, minor, false, false)]].concat();
                let still = |minor| matches!(told(&with(minor)), Some(NotApplied::SumLacking { .. }));
                prop_assert!(!still(lacking.minor) && still(lacking.minor - 1));
            }
            _ => {}
        }
    }
}

/// Reports whether a selector means a product at its full price: the rule of its doc, asked plainly.
fn selects(selector: &Selector, n: usize) -> bool {
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

fn alone(benefit: Benefit) -> Promotions {
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

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn the_dearest_carts_are_promoted_exactly(
        definitions in definitions(),
        drafts in vec(
            (0..PRODUCTS, Just(LINE_QUANTITY_MAX), (PRICE_MINOR_MAX - 5)..=PRICE_MINOR_MAX, any::<bool>(), Just(false)),
            CART_LINES_MAX..=CART_LINES_MAX,
        ),
        setting in setting(),
    ) {
        let promotions = Promotions::new(definitions.clone()).expect("the drafts make sense");
        audit(&definitions, &drafts, &apply(&promotions, &drafts, setting));
    }
}

#[test]
fn amounts_beyond_every_limit_do_not_panic() {
    let product = product(0);
    let all = Selector::everything;
    for benefit in [
        Benefit::Percentage { on: all(), off_bp: 9_999, max_minor: Amounts::new() },
        Benefit::Fixed { on: all(), off_minor: [(currency("GBP"), PRICE_MINOR_MAX)].into(), per: Per::Piece },
        Benefit::CheapestFree { on: all(), of_pieces: 2, free_pieces: 1, times_max: None },
        Benefit::BundlePrice {
            parts: vec![BundlePart { on: all(), pieces: 9_999 }; 6],
            price_minor: [(currency("GBP"), 0)].into(),
            times_max: None,
        },
    ] {
        let promotions = alone(benefit);
        for (quantity, unit_minor) in [(u32::MAX, i64::MAX), (u32::MAX, 1), (1, i64::MIN), (0, i64::MAX)] {
            let lines = vec![PromotedLine::new(&product, quantity, unit_minor); 3];
            let promoted = promotions.apply(&lines, &Occasion::new(i64::MIN, currency("GBP")));
            assert!(promoted.left_minor.iter().all(|left| *left >= 0));
        }
    }
}
