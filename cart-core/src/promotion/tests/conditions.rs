//! When promotions hold, and what is told where they do not.

use super::*;
use crate::{ChannelId, Country, GroupId, VisitorId};

/// Tries one promotion with a condition on three mugs of 10.00 and a book of 5.00 in pounds.
fn told(fields: &str, occasion: &Occasion<'_>) -> String {
    let text = format!(
        r#"{{"id": "p", "name": "P", "benefit": {{"kind": "percentage", "on": {{"all": true}}, "off_bp": 1000}}, {fields}}}"#
    );
    let promotions = promotions([&text[..]]).unwrap();
    sentences(&promote(&promotions, &[("MUG", 3, 1_000), ("BOOK", 1, 500)], occasion)).remove(0)
}

#[test]
fn the_first_condition_that_fails_is_told_with_how_to_mend_it() {
    let plain = Occasion::new(DECEMBER_MS, currency("GBP"));
    let (trade, staff): (GroupId, GroupId) = ("trade".parse().unwrap(), "staff".parse().unwrap());
    let (web, app): (ChannelId, ChannelId) = ("web".parse().unwrap(), "app".parse().unwrap());
    let (ada, bob): (VisitorId, VisitorId) = ("ada".parse().unwrap(), "bob".parse().unwrap());
    let country = |code: &str| Some(code.parse::<Country>().unwrap());
    let off = "3.50 GBP off";
    let cases: Vec<(&str, Occasion<'_>, &str)> = vec![
        (r#""paused": true"#, plain, "is paused by the shop"),
        (r#""conditions": {"from_ms": 1796083200000}"#, plain, off),
        (
            r#""conditions": {"from_ms": 1796083200000}"#,
            Occasion { now_ms: DECEMBER_MS - 1, ..plain },
            "begins 1 December 2026, 00:00 UTC",
        ),
        (r#""conditions": {"until_ms": 1796083200000}"#, plain, "ended 1 December 2026, 00:00 UTC"),
        (r#""conditions": {"until_ms": 1796083200000}"#, Occasion { now_ms: DECEMBER_MS - 1, ..plain }, off),
        (r#""conditions": {"weekly": {"days": ["tue"]}}"#, plain, off),
        (
            r#""conditions": {"weekly": {"days": ["mon", "fri"], "from_minute": 1020, "until_minute": 1140}}"#,
            plain,
            "holds Monday, Friday 17:00 to 19:00 (UTC+00:00)",
        ),
        // An hour behind UTC it is still Monday, 23:00.
        (
            r#""conditions": {"weekly": {"days": ["mon"], "from_minute": 1380, "utc_offset_minutes": -60}}"#,
            plain,
            off,
        ),
        (
            r#""conditions": {"weekly": {"from_minute": 60, "utc_offset_minutes": 30}}"#,
            plain,
            "holds every day 01:00 to 24:00 (UTC+00:30)",
        ),
        (r#""codes": ["x"]"#, plain, "enter its code"),
        (r#""conditions": {"channels": ["web"]}"#, Occasion { channel: Some(&web), ..plain }, off),
        (
            r#""conditions": {"channels": ["web"]}"#,
            Occasion { channel: Some(&app), ..plain },
            "is for orders through another channel",
        ),
        (r#""conditions": {"channels": ["web"]}"#, plain, "is for orders through another channel"),
        (r#""conditions": {"currencies": ["GBP"]}"#, plain, off),
        (r#""conditions": {"currencies": ["EUR"]}"#, plain, "is not for orders in GBP"),
        (r#""conditions": {"needs": [{"min_minor": {"EUR": 1}}]}"#, plain, "is not for orders in GBP"),
        (r#""conditions": {"groups": ["trade"]}"#, Occasion { group: Some(&trade), ..plain }, off),
        (
            r#""conditions": {"groups": ["trade"]}"#,
            Occasion { group: Some(&staff), ..plain },
            "is for customers of another group",
        ),
        (r#""conditions": {"customers": ["ada"]}"#, Occasion { customer: Some(&ada), ..plain }, off),
        (
            r#""conditions": {"customers": ["ada"]}"#,
            Occasion { customer: Some(&bob), ..plain },
            "is for other customers",
        ),
        (r#""conditions": {"max_orders_before": 0}"#, plain, off),
        (
            r#""conditions": {"max_orders_before": 0}"#,
            Occasion { orders_before: 1, ..plain },
            "is for the first order",
        ),
        (
            r#""conditions": {"max_orders_before": 2}"#,
            Occasion { orders_before: 3, ..plain },
            "is for the first 3 orders",
        ),
        (
            r#""conditions": {"min_orders_before": 3}"#,
            Occasion { orders_before: 1, ..plain },
            "order 2 more times first",
        ),
        (r#""conditions": {"countries": ["GB", "IE"]}"#, plain, "give an address in GB, IE"),
        (r#""conditions": {"countries": ["GB"]}"#, Occasion { country: country("gb"), ..plain }, off),
        (
            r#""conditions": {"countries": ["GB", "IE"]}"#,
            Occasion { country: country("FR"), ..plain },
            "is for orders to GB, IE, not FR",
        ),
        (r#""conditions": {"needs": [{"min_minor": {"GBP": 3500}}]}"#, plain, off),
        (r#""conditions": {"needs": [{"min_minor": {"GBP": 4000}}]}"#, plain, "spend 5.00 GBP more"),
        (
            r#""conditions": {"needs": [{"of": {"categories": ["books"]}, "min_minor": {"GBP": 501}}]}"#,
            plain,
            "spend 0.01 GBP more on books",
        ),
        (
            r#""conditions": {"needs": [{"max_minor": {"GBP": 3499}}]}"#,
            plain,
            "is for orders up to 34.99 GBP",
        ),
        (r#""conditions": {"needs": [{"max_minor": {"GBP": 3500}, "max_pieces": 4}]}"#, plain, off),
        (r#""conditions": {"needs": [{"min_pieces": 5}]}"#, plain, "add 1 more piece"),
        (
            r#""conditions": {"weekly": {"days": ["wed"], "from_minute": 1439}}"#,
            Occasion { now_ms: -1, ..plain },
            off,
        ),
        (
            r#""conditions": {"needs": [{"min_pieces": 4},
                {"of": {"name": "good books", "categories": ["books"]}, "min_pieces": 3}]}"#,
            plain,
            "add 2 more pieces of good books",
        ),
        (
            r#""conditions": {"needs": [{"of": {"skus": ["MUG"]}, "max_pieces": 2}]}"#,
            plain,
            "is for orders of at most 2 pieces of MUG",
        ),
        (
            r#""conditions": {"needs": [{"of": {"attributes": {"colour": ["red"]}}, "max_pieces": 0}]}"#,
            plain,
            "is for orders without any red",
        ),
    ];
    for (fields, occasion, sentence) in cases {
        let told = told(fields, &occasion);
        assert_eq!(told, format!("P: {sentence}"), "{fields}");
    }
}

#[test]
fn codes_open_promotions_whatever_their_case_and_unknown_ones_are_named() {
    let codes: Vec<Code> = ["nope", " sUmMer", "NOPE"].map(|code| Code::parse(code).unwrap()).into();
    let occasion = Occasion { codes: &codes, ..Occasion::new(0, currency("GBP")) };
    let promotions = promotions([
        r#"{"codes": ["Summer", "SOMMER"], "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}"#,
        r#"{"codes": ["summer"], "benefit": {"kind": "free_shipping"}}"#,
        r#"{"codes": ["winter"], "benefit": {"kind": "free_shipping"}}"#,
    ])
    .unwrap();
    let promoted = promote(&promotions, &[("A", 1, 100)], &occasion);
    assert_eq!(verdicts(&promoted), ["p0 applied", "p1 applied", "p2 code_missing"]);
    assert_eq!(promoted.unknown_codes, [codes[0].clone()]);
    let used: Vec<_> = promoted
        .applied()
        .map(|(outcome, applied)| (outcome.promotion.as_str(), applied.code.clone().unwrap()))
        .collect();
    assert_eq!(used, [("p0", codes[1].clone()), ("p1", codes[1].clone())]);
    assert!(promotions.knows_code(&codes[1]) && !promotions.knows_code(&codes[0]));
    assert!(!NotApplied::CodeMissing.is_in_reach());
}

#[test]
fn limits_of_uses_are_refused_from_the_last_use_on() {
    let codes = ["once-a", "once-b"].map(|code| Code::parse(code).unwrap());
    let limits =
        r#""codes": ["once-a", "once-b"], "limits": {"total": 10, "per_customer": 2, "per_code": 1}"#;
    let off = "P: 3.50 GBP off";
    for (total, by_customer, of_codes, sentence) in [
        (9, 1, [0, 0], off),
        (10, 0, [0, 0], "P: was used as often as it may be"),
        (9, 2, [0, 0], "P: was used by you as often as it may be"),
        // The second code still opens it.
        (9, 1, [1, 0], off),
        (9, 1, [1, 1], "P: needs another code; this one was used as often as it may be"),
        (u64::MAX, u64::MAX, [u64::MAX; 2], "P: was used as often as it may be"),
    ] {
        let uses = |id: &PromotionId, code: Option<&Code>| {
            assert_eq!(id.as_str(), "p");
            let typed = codes.iter().position(|c| Some(c) == code).expect("it asks for a typed code");
            Uses { total, by_customer, of_code: of_codes[typed] }
        };
        let occasion = Occasion { codes: &codes, uses: &uses, ..Occasion::new(0, currency("GBP")) };
        assert_eq!(told(limits, &occasion), sentence);
    }
    let text = format!(r#"{{"id": "p", {limits}, "benefit": {{"kind": "free_shipping"}}}}"#);
    let open = r#"{"id": "q", "limits": {"total": 1}, "benefit": {"kind": "free_shipping"}}"#;
    let set = promotions([&text[..], open, r#"{"codes": ["once-a"], "benefit": {"kind": "free_shipping"}}"#])
        .unwrap();
    let names = |counted: Vec<(&PromotionId, Option<&Code>)>| -> Vec<String> {
        counted.iter().map(|(id, code)| format!("{id} {}", code.map_or("-", |code| code.as_str()))).collect()
    };
    assert_eq!(names(set.counted(&codes)), ["p ONCE-A", "p ONCE-B", "q -"]);
    assert_eq!(names(set.counted(&codes[1..])), ["p ONCE-B", "q -"]);
    assert_eq!(names(set.counted(&[])), ["q -"]);
    // Nobody asks where there is no limit.
    let occasion = Occasion { uses: &|_, _| panic!("asked"), ..Occasion::new(0, currency("GBP")) };
    assert_eq!(told(r#""priority": 0"#, &occasion), off);
}

#[test]
fn selectors_mean_names_attributes_and_exceptions() {
    let lines = &[("MUG-S", 1, 100), ("MUG-L", 1, 100), ("TEA", 1, 100), ("TEA-L", 1, 100), ("X", 1, 100)];
    for (selector, left) in [
        (r#"{"all": true}"#, [0, 0, 0, 0, 0]),
        (r#"{"skus": ["X", "TEA", "Y"]}"#, [100, 100, 0, 100, 0]),
        (r#"{"families": ["mug"], "skus": ["X"]}"#, [0, 0, 100, 100, 0]),
        (r#"{"categories": ["tea"]}"#, [100, 100, 0, 0, 100]),
        (r#"{"categories": ["tea"], "attributes": {"size": ["large"]}}"#, [100, 100, 100, 0, 100]),
        (r#"{"attributes": {"size": ["large"], "colour": ["red"]}}"#, [100; 5]),
        (r#"{"attributes": {"colour": ["red", "blue"]}}"#, [0, 0, 100, 100, 100]),
        (r#"{"all": true, "except": {"families": ["mug"], "skus": ["X"]}}"#, [100, 100, 0, 0, 100]),
        (r#"{"categories": ["tea", "mugs"], "except": {"categories": ["tea"]}}"#, [0, 0, 100, 100, 100]),
    ] {
        let benefit =
            format!(r#"{{"benefit": {{"kind": "percentage", "on": {selector}, "off_bp": 10000}}}}"#);
        let promotions = promotions([&benefit[..]]).unwrap();
        let promoted = promote(&promotions, lines, &Occasion::new(0, currency("GBP")));
        assert_eq!(promoted.left_minor, left, "{selector}");
    }
}

#[test]
fn what_is_selected_is_called_by_its_names() {
    let many = r#"{"skus": ["A", "B", "C", "D"], "categories": ["tea"]}"#;
    for (selector, class, label) in [
        (r#"{"all": true}"#, PromotionClass::Order, None),
        (r#"{"all": true, "name": "anything at all"}"#, PromotionClass::Order, Some("anything at all")),
        (
            r#"{"all": true, "except": {"categories": ["books"], "skus": ["A"]}}"#,
            PromotionClass::Items,
            Some("anything but books, A"),
        ),
        (r#"{"all": true, "full_price_only": true}"#, PromotionClass::Items, Some("full-price products")),
        (r#"{"attributes": {"size": ["S", "M"]}}"#, PromotionClass::Items, Some("M, S")),
        (
            r#"{"families": ["mug"], "except": {"skus": ["MUG-S"]}}"#,
            PromotionClass::Items,
            Some("mug, but not MUG-S"),
        ),
        (many, PromotionClass::Items, Some("tea, A, B …")),
        (r#"{"name": "our tea", "categories": ["tea"]}"#, PromotionClass::Items, Some("our tea")),
    ] {
        let text = format!(r#"{{"benefit": {{"kind": "percentage", "on": {selector}, "off_bp": 1}}}}"#);
        let promotions = promotions([&text[..]]).unwrap();
        assert_eq!(promotions.definitions().next().unwrap().benefit.class(), class, "{selector}");
        let selector: Selector = serde_json::from_str(selector).unwrap();
        assert_eq!(selector.label().as_deref(), label);
        // Only a selector of everything may be summed with everything.
        let text = format!(
            r#"{{"conditions": {{"needs": [{{"of": {}, "min_pieces": 9}}]}}, "benefit": {{"kind": "free_shipping"}}}}"#,
            serde_json::to_string(&selector).unwrap()
        );
        let promotions = super::promotions([&text[..]]).unwrap();
        let promoted = promote(&promotions, &[("BOOK", 9, 100)], &Occasion::new(0, currency("GBP")));
        let counts = selector.all && selector.except == Exceptions::default();
        assert_eq!(verdicts(&promoted), [if counts { "p0 applied" } else { "p0 pieces_lacking" }]);
    }
}

#[test]
fn reduced_prices_can_be_left_alone() {
    let promotions = promotions([
        r#"{"benefit": {"kind": "percentage", "on": {"all": true, "full_price_only": true}, "off_bp": 1000}}"#,
    ])
    .unwrap();
    let mug = product("MUG");
    let line = PromotedLine::new(&mug, 1, 1_000);
    let lines = [PromotedLine { is_reduced: true, ..line }, line];
    let promoted = promotions.apply(&lines, &Occasion::new(0, currency("GBP")));
    assert_eq!(promoted.left_minor, [1_000, 900]);
}

#[test]
fn more_lines_than_a_word_has_bits_are_matched() {
    let promotions = promotions([
        r#"{"benefit": {"kind": "percentage", "on": {"categories": ["books"]}, "off_bp": 10000}}"#,
        r#"{"benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 5000}}"#,
    ])
    .unwrap();
    for count in [1, 63, 64, 65, 128, 200] {
        let name = |n: usize| if n.is_multiple_of(3) { format!("BOOK{n:03}") } else { format!("A{n:03}") };
        let skus: Vec<_> = (0..count).map(name).collect();
        let lines: Vec<_> = skus.iter().map(|sku| (&sku[..], 1, 100)).collect();
        let promoted = promote(&promotions, &lines, &Occasion::new(0, currency("GBP")));
        for (n, left) in promoted.left_minor.iter().enumerate() {
            assert_eq!(*left, if n.is_multiple_of(3) { 0 } else { 50 }, "line {n} of {count}");
        }
    }
}

#[test]
fn of_several_reasons_the_first_of_the_list_is_told() {
    let mut fields = serde_json::json!({
        "paused": true,
        "codes": ["x"],
        "limits": {"total": 1},
        "conditions": {
            "from_ms": 1, "until_ms": 2, "weekly": {"days": ["fri"]}, "channels": ["web"], "groups": ["trade"],
            "customers": ["ada"], "min_orders_before": 1, "countries": ["GB"],
            "needs": [{"min_pieces": 9}, {"min_minor": {"EUR": 9}}]
        },
        "benefit": {"kind": "fixed", "on": {"skus": ["NONE"]}, "off_minor": {"JPY": 1}}
    });
    let exclusive = r#"{"id": "a", "priority": 9, "stacking": {"mode": "exclusive"}, "benefit": {"kind": "free_shipping"}}"#;
    let codes = [Code::parse("x").unwrap()];
    let mut occasion =
        Occasion { uses: &|_, _| Uses { total: 1, ..Uses::default() }, ..Occasion::new(0, currency("GBP")) };
    let mut beside = vec![exclusive];
    let told = |fields: &serde_json::Value, occasion: &Occasion<'_>, beside: &[&str]| {
        let text = fields.to_string();
        let texts = beside.iter().copied().chain([&text[..]]);
        let promoted = promote(&promotions(texts).unwrap(), &[("MUG", 1, 5)], occasion);
        verdicts(&promoted).pop().unwrap().split(' ').next_back().unwrap().to_owned()
    };
    assert_eq!(told(&fields, &occasion, &beside), "paused");
    fields["paused"] = false.into();
    assert_eq!(told(&fields, &occasion, &beside), "not_begun");
    occasion.now_ms = 2;
    assert_eq!(told(&fields, &occasion, &beside), "ended");
    occasion.now_ms = 1;
    assert_eq!(told(&fields, &occasion, &beside), "hours");
    fields["conditions"]["weekly"] = serde_json::json!({});
    assert_eq!(told(&fields, &occasion, &beside), "code_missing");
    occasion.codes = &codes;
    assert_eq!(told(&fields, &occasion, &beside), "channel");
    fields["conditions"]["channels"] = serde_json::json!([]);
    assert_eq!(told(&fields, &occasion, &beside), "currency");
    fields["conditions"]["needs"][1]["min_minor"] = serde_json::json!({"GBP": 9});
    assert_eq!(told(&fields, &occasion, &beside), "currency");
    fields["benefit"]["off_minor"] = serde_json::json!({"GBP": 1});
    assert_eq!(told(&fields, &occasion, &beside), "group");
    fields["conditions"]["groups"] = serde_json::json!([]);
    assert_eq!(told(&fields, &occasion, &beside), "customer");
    fields["conditions"]["customers"] = serde_json::json!([]);
    assert_eq!(told(&fields, &occasion, &beside), "orders_lacking");
    occasion.orders_before = 1;
    assert_eq!(told(&fields, &occasion, &beside), "country");
    fields["conditions"]["countries"] = serde_json::json!([]);
    assert_eq!(told(&fields, &occasion, &beside), "used_up");
    fields["limits"]["total"] = 2.into();
    assert_eq!(told(&fields, &occasion, &beside), "excluded");
    beside.clear();
    assert_eq!(told(&fields, &occasion, &beside), "pieces_lacking");
    fields["conditions"]["needs"][0]["min_pieces"] = 1.into();
    assert_eq!(told(&fields, &occasion, &beside), "sum_lacking");
    fields["conditions"]["needs"][1]["min_minor"] = serde_json::json!({"GBP": 5});
    assert_eq!(told(&fields, &occasion, &beside), "nothing_selected");
    fields["benefit"]["on"] = serde_json::json!({"all": true});
    assert_eq!(told(&fields, &occasion, &beside), "applied");
}
