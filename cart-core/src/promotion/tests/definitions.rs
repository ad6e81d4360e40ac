//! What is refused of a definition, and how it is written down.

use super::*;

const OFF: &str = r#""benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}"#;

fn refusal(fields: &str) -> String {
    match promotions([&format!("{{{fields}}}")[..]]) {
        Ok(_) => panic!("accepted: {fields}"),
        Err(error) => error,
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    for (fields, message) in [
        (r#""name": "" "#, "promotions[0].name is \"\"; write 1 to 200 bytes"),
        (r#""limits": {"total": 0}"#, "promotions[0].limits.total is 0, so that nobody may use it"),
        (r#""limits": {"per_code": 1}"#, "promotions[0].limits.per_code limits codes, but there are none"),
        (r#""codes": ["two words"]"#, "\"two words\" is not a code; write 1 to 40 letters"),
        (
            r#""conditions": {"from_ms": 1000, "until_ms": 1000}"#,
            "promotions[0].conditions.until_ms is 1970-01-01T00:00:01Z, not after from_ms 1970-01-01T00:00:01Z",
        ),
        (
            r#""conditions": {"weekly": {"from_minute": 600, "until_minute": 600}}"#,
            "promotions[0].conditions.weekly.until_minute is 600 and from_minute 600; let the hours end",
        ),
        (
            r#""conditions": {"weekly": {"until_minute": 1441}}"#,
            "promotions[0].conditions.weekly.until_minute is 1441 and from_minute 0",
        ),
        (
            r#""conditions": {"weekly": {"utc_offset_minutes": -1441}}"#,
            "promotions[0].conditions.weekly.utc_offset_minutes is -1441; write -1440 to 1440",
        ),
        (
            r#""conditions": {"min_orders_before": 2, "max_orders_before": 1}"#,
            "promotions[0].conditions.max_orders_before is 1, below min_orders_before 2",
        ),
        (r#""conditions": {"needs": [{}]}"#, "promotions[0].conditions.needs[0] asks for nothing"),
        (
            r#""conditions": {"needs": [{"of": {}, "min_pieces": 1}]}"#,
            "promotions[0].conditions.needs[0].of selects nothing; name skus, families, categories or attributes",
        ),
        (
            r#""conditions": {"needs": [{"min_pieces": 0}]}"#,
            "promotions[0].conditions.needs[0].min_pieces is 0, which every cart holds",
        ),
        (
            r#""conditions": {"needs": [{"max_pieces": 0}]}"#,
            "promotions[0].conditions.needs[0].max_pieces is 0 of everything, so that only an empty cart fits",
        ),
        (
            r#""conditions": {"needs": [{"min_pieces": 3, "max_pieces": 2}]}"#,
            "promotions[0].conditions.needs[0].max_pieces is 2, below min_pieces 3",
        ),
        (
            r#""conditions": {"needs": [{"min_minor": {"GBP": 0}}]}"#,
            "promotions[0].conditions.needs[0].min_minor is 0 GBP; write 1 or more",
        ),
        (
            r#""conditions": {"needs": [{"min_minor": {"GBP": 3}, "max_minor": {"GBP": 2}}]}"#,
            "promotions[0].conditions.needs[0].max_minor is 2 GBP, below min_minor 3",
        ),
        (r#""colour": "red""#, "unknown field `colour`"),
        (r#""conditions": {"moon": "full"}"#, "unknown field `moon`"),
        (r#""stacking": {"mode": "stackable", "group": "x"}"#, "unknown field `group`"),
        (r#""stacking": {"mode": "best_of"}"#, "missing field `group`"),
        (r#""stacking": {"mode": "exclusive", "but_with": ["moon"]}"#, "unknown variant `moon`"),
        (r#""stacking": {"mode": "best_of", "group": " "}"#, "promotions[0].stacking.group is \" \""),
        (r#""conditions": {"currencies": ["XXX"]}"#, "\"XXX\" is not an ISO 4217 currency code"),
        (r#""conditions": {"countries": ["England"]}"#, "\"England\" is not a country's code"),
    ] {
        let refusal = refusal(&format!("{fields}, {OFF}"));
        assert!(refusal.contains(message), "{fields}: {refusal}");
    }
}

#[test]
fn benefits_that_make_no_sense_are_refused_with_their_place() {
    let all = r#""on": {"all": true}"#;
    for (benefit, message) in [
        (format!(r#""kind": "percentage", {all}, "off_bp": 10001"#), ".off_bp is 10001; write 1 to 10000 basis points"),
        (format!(r#""kind": "percentage", {all}, "off_bp": 0"#), ".off_bp is 0; write 1 to 10000 basis points"),
        (format!(r#""kind": "percentage", {all}, "off_bp": 1, "max_minor": {{"GBP": 0}}"#), ".max_minor is 0 GBP; write 1 to"),
        (format!(r#""kind": "percentage", {all}, "off_bp": 1, "on_sundays": 1"#), "unknown field `on_sundays`"),
        (r#""kind": "percentage", "on": {}, "off_bp": 1"#.into(), ".on selects nothing"),
        (
            r#""kind": "percentage", "on": {"all": true, "skus": ["A"]}, "off_bp": 1"#.into(),
            ".on.all stands beside named products",
        ),
        (
            r#""kind": "percentage", "on": {"attributes": {"size": []}}, "off_bp": 1"#.into(),
            ".on.attributes has no value for \"size\"",
        ),
        (
            r#""kind": "percentage", "on": {"categories": [" tea"]}, "off_bp": 1"#.into(),
            ".on.categories is \" tea\"",
        ),
        (format!(r#""kind": "fixed", {all}, "off_minor": {{}}"#), ".off_minor holds no amount in any currency"),
        (format!(r#""kind": "fixed", {all}, "off_minor": {{"GBP": -5}}"#), ".off_minor is -5 GBP; write 1 to"),
        (
            format!(r#""kind": "fixed", {all}, "off_minor": {{"GBP": 100000000001}}"#),
            ".off_minor is 100000000001 GBP; write 1 to 100000000000",
        ),
        (format!(r#""kind": "tiered", {all}, "tiers": []"#), ".tiers holds 0 tiers; write 1 to 20"),
        (
            format!(r#""kind": "tiered", {all}, "tiers": [{{"off_bp": 1}}]"#),
            ".tiers[0] is not reached by one measure",
        ),
        (
            format!(r#""kind": "tiered", {all}, "tiers": [{{"from_pieces": 2, "from_minor": {{"GBP": 1}}, "off_bp": 1}}]"#),
            ".tiers[0] is not reached by one measure",
        ),
        (
            format!(r#""kind": "tiered", {all}, "tiers": [{{"from_pieces": 2}}]"#),
            ".tiers[0] does not take off one thing",
        ),
        (
            format!(
                r#""kind": "tiered", {all}, "tiers": [{{"from_pieces": 2, "off_bp": 1}}, {{"from_minor": {{"GBP": 1}}, "off_bp": 2}}]"#
            ),
            ".tiers[1] is not measured as the first tier is",
        ),
        (
            format!(
                r#""kind": "tiered", {all}, "tiers": [{{"from_pieces": 3, "off_bp": 1}}, {{"from_pieces": 3, "off_bp": 2}}]"#
            ),
            ".tiers[1].from_pieces is 3, not above the tier before, 3; write the tiers from the lowest up",
        ),
        (
            format!(
                r#""kind": "tiered", {all}, "tiers": [{{"from_minor": {{"GBP": 9}}, "off_bp": 1}}, {{"from_minor": {{"GBP": 9}}, "off_bp": 2}}]"#
            ),
            ".tiers[1].from_minor is 9 GBP, not above the tier before, 9",
        ),
        (
            r#""kind": "buy_get", "buy": {"all": true}, "buy_pieces": 0, "get": {"all": true}, "get_pieces": 10000, "times_max": 0"#
                .into(),
            ".buy_pieces is 0; write 1 to 9999 pieces; promotions[0].benefit.get_pieces is 10000; write 1 to 9999 pieces; \
             promotions[0].benefit.times_max is 0, so that nothing is given",
        ),
        (
            format!(r#""kind": "cheapest_free", {all}, "of_pieces": 3, "free_pieces": 3"#),
            ".free_pieces is 3 of 3; leave at least one piece",
        ),
        (r#""kind": "bundle_price", "parts": [], "price_minor": {"GBP": 1}"#.into(), ".parts holds 0 parts; write 1 to 6"),
        (
            r#""kind": "bundle_price", "parts": [{"on": {"all": true}, "pieces": 0}], "price_minor": {}"#.into(),
            ".parts[0].pieces is 0; write 1 to 9999 pieces; promotions[0].benefit.price_minor holds no amount",
        ),
        (r#""kind": "free_shipping", "off_bp": 20000"#.into(), ".off_bp is 20000"),
        (r#""kind": "gift", "sku": "TEA", "pieces": 0"#.into(), ".pieces is 0"),
        (r#""kind": "magic""#.into(), "unknown variant `magic`"),
    ] {
        let refusal = refusal(&format!(r#""benefit": {{{benefit}}}"#));
        assert!(refusal.contains(message), "{benefit}: {refusal}");
    }
    let shipping =
        refusal(r#""stacking": {"mode": "best_of", "group": "g"}, "benefit": {"kind": "free_shipping"}"#);
    assert!(
        shipping.contains("stacking compares amounts, but what a promotion of class shipping saves"),
        "{shipping}"
    );
}

#[test]
fn a_set_refuses_twins_and_too_many() {
    let twins = promotions([&format!(r#"{{"id": "a", {OFF}}}"#)[..]; 2]).map(drop);
    assert_eq!(twins, Err("promotions[1].id is a, as another promotion's is; give each its own".into()));
    let text = format!("{{{OFF}}}");
    let many = promotions(vec![&text[..]; PROMOTIONS_MAX + 1]).map(drop).unwrap_err();
    assert_eq!(many, "promotions holds 1001 promotions, the most allowed is 1000");
    let names: Vec<_> = (0..=1_000).map(|n| format!("\"S{n}\"")).collect();
    let crowded = refusal(&format!(
        r#""benefit": {{"kind": "percentage", "on": {{"skus": [{}]}}, "off_bp": 1}}"#,
        names.join(",")
    ));
    assert!(crowded.contains(".on names 1001 things, the most allowed is 1000"), "{crowded}");
}

#[test]
fn a_set_is_written_as_it_is_read() {
    let text = r#"[{"id":"summer","name":"Summer","codes":["SUN"],"priority":5,"stacking":{"mode":"last","but_with":["shipping"]},
        "skip_discounted_lines":true,"conditions":{"from_ms":1,"weekly":{"days":["sat"],"from_minute":0,"until_minute":60,
        "utc_offset_minutes":60},"channels":["web"],"needs":[{"of":{"all":true},"min_minor":{"GBP":100},"sum":"full"}]},
        "limits":{"total":5},"benefit":{"kind":"buy_get","buy":{"families":["mug"]},"buy_pieces":1,"get":{"skus":["TEA"],
        "except":{"categories":["x"]}},"get_pieces":1,"off_bp":10000,"pick":"dearest"}}]"#;
    let promotions: Promotions = serde_json::from_str(text).unwrap();
    let (written, read): (serde_json::Value, serde_json::Value) =
        (serde_json::to_value(&promotions).unwrap(), serde_json::from_str(text).unwrap());
    assert_eq!(written, read);
    assert_eq!(serde_json::from_value::<Promotions>(written).unwrap(), promotions);
    assert_eq!(promotions.definition(&"summer".parse().unwrap()).unwrap().priority, 5);
    assert_eq!(promotions.definitions().next().unwrap().check(), Ok(()));
}

#[test]
fn outcomes_are_written_as_they_are_read() {
    let promotions = promotions([
        r#"{"benefit": {"kind": "gift", "sku": "TEA"}, "codes": ["g"]}"#,
        r#"{"benefit": {"kind": "fixed", "on": {"all": true}, "off_minor": {"GBP": 30}}}"#,
        r#"{"benefit": {"kind": "free_shipping"}}"#,
        r#"{"benefit": {"kind": "free_shipping"}, "conditions": {"needs": [{"min_minor": {"GBP": 300}}]}}"#,
    ])
    .unwrap();
    let codes = [Code::parse("g").unwrap(), Code::parse("h").unwrap()];
    let occasion = Occasion { codes: &codes, ..Occasion::new(0, currency("GBP")) };
    let promoted = promote(&promotions, &[("A", 1, 100)], &occasion);
    let json = serde_json::to_value(&promoted).unwrap();
    assert_eq!(serde_json::from_value::<Promoted>(json.clone()).unwrap(), promoted);
    assert_eq!(
        json["outcomes"][0],
        serde_json::json!({"promotion": "p1", "name": "p1", "verdict": {"applied": {
            "off": {"minor": 30, "currency": "GBP"}, "times": 1, "lines": [{"line": 0, "minor": 30}]
        }}})
    );
    assert_eq!(
        json["outcomes"][3],
        serde_json::json!({"promotion": "p3", "name": "p3", "verdict": {"not_applied": {
            "reason": "sum_lacking", "lacking": {"minor": 230, "currency": "GBP"}, "of": null
        }}})
    );
}

/// Returns every reason, in the order of its list. The match stops compiling when one is new: add it to both.
fn reasons() -> Vec<NotApplied> {
    let (gbp, sku, of) = (currency("GBP"), Sku::parse("TEA").unwrap(), Some("books".into()));
    let (money, by, name) = (Money::new(100, gbp), PromotionId::parse("p").unwrap(), "P".into());
    let hours = serde_json::from_str("{}").unwrap();
    let successor = |reason: &NotApplied| match reason {
        NotApplied::Paused => Some(NotApplied::NotBegun { from_ms: 0 }),
        NotApplied::NotBegun { .. } => Some(NotApplied::Ended { until_ms: 0 }),
        NotApplied::Ended { .. } => Some(NotApplied::Hours { hours: WeeklyHours::clone(&hours) }),
        NotApplied::Hours { .. } => Some(NotApplied::CodeMissing),
        NotApplied::CodeMissing => Some(NotApplied::Channel),
        NotApplied::Channel => Some(NotApplied::Currency { currency: gbp }),
        NotApplied::Currency { .. } => Some(NotApplied::Group),
        NotApplied::Group => Some(NotApplied::Customer),
        NotApplied::Customer => Some(NotApplied::OrdersLacking { orders: 1 }),
        NotApplied::OrdersLacking { .. } => Some(NotApplied::OrdersTooMany { max: 0 }),
        NotApplied::OrdersTooMany { .. } => {
            Some(NotApplied::Country { country: None, countries: ["GB".parse().unwrap()].into() })
        }
        NotApplied::Country { .. } => Some(NotApplied::UsedUp { limit: UseLimit::Total }),
        NotApplied::UsedUp { .. } => {
            Some(NotApplied::Excluded { by: by.clone(), name: std::sync::Arc::clone(&name) })
        }
        NotApplied::Excluded { .. } => Some(NotApplied::PiecesLacking { pieces: 1, of: of.clone() }),
        NotApplied::PiecesLacking { .. } => Some(NotApplied::PiecesTooMany { max: 1, of: None }),
        NotApplied::PiecesTooMany { .. } => Some(NotApplied::SumLacking { lacking: money, of: None }),
        NotApplied::SumLacking { .. } => Some(NotApplied::SumTooGreat { max: money, of: of.clone() }),
        NotApplied::SumTooGreat { .. } => Some(NotApplied::NothingSelected { of: of.clone() }),
        NotApplied::NothingSelected { .. } => Some(NotApplied::NothingLeft),
        NotApplied::NothingLeft => Some(NotApplied::TooLittle),
        NotApplied::TooLittle => Some(NotApplied::NotCheaper { price: money }),
        NotApplied::NotCheaper { .. } => Some(NotApplied::Declined { sku: sku.clone(), name: String::new() }),
        NotApplied::Declined { .. } => {
            Some(NotApplied::GiftOutOfStock { sku: sku.clone(), name: "Tea".into() })
        }
        NotApplied::GiftOutOfStock { .. } => {
            Some(NotApplied::Beaten { by: by.clone(), name: std::sync::Arc::clone(&name), off: money })
        }
        NotApplied::Beaten { .. } => None,
    };
    std::iter::successors(Some(NotApplied::Paused), successor).collect()
}

#[test]
fn every_reason_is_written_by_its_stable_name() {
    for reason in reasons() {
        let json = serde_json::to_value(&reason).unwrap();
        assert_eq!(json["reason"], reason.name());
        assert_eq!(serde_json::from_value::<NotApplied>(json).unwrap(), reason);
        let sentence = reason.to_string();
        assert!(!sentence.ends_with('.') && sentence.starts_with(char::is_lowercase), "{sentence}");
    }
    let refusal = serde_json::from_str::<NotApplied>(r#"{"reason": "no such"}"#).unwrap_err().to_string();
    let known: Vec<_> = refusal.split('`').skip(3).step_by(2).collect();
    assert_eq!(known, reasons().iter().map(NotApplied::name).collect::<Vec<_>>());
}
