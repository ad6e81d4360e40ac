//! What holds of every promotion, whatever the definitions, the cart and the occasion.

mod by_hand;
mod drafts;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cart_core::{
    ChannelId, Code, Country, GroupId, NotApplied, Occasion, Promoted, PromotedLine, PromotionDefinition,
    Promotions, Uses, VisitorId,
    limits::{CART_LINES_MAX, LINE_QUANTITY_MAX, PRICE_MINOR_MAX},
    promotion::{
        Amounts, Benefit, BundlePart, Need, Per, PromotionClass, PromotionConditions, Selector, Stacking,
        UseLimits, Verdict,
    },
};
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence};

use by_hand::{alone, selects};
use drafts::{
    CODES, CURRENCIES, Draft, PRODUCTS, Setting, currency, definitions, lines, need, price, product, setting,
};

fn config(cases: u32) -> ProptestConfig {
    let regressions = FileFailurePersistence::Direct("tests/promotions-regressions.txt");
    ProptestConfig { cases, failure_persistence: Some(Box::new(regressions)), ..Default::default() }
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
