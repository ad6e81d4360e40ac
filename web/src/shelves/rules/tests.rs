use std::collections::BTreeSet;

use cart_core::{Currency, Money, Product, Sku};

use super::*;

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

/// Products A to F; A and B are mugs, C and D teas, E and F tins. F is for winter.
fn product(name: &str) -> Product {
    let mut product = Product::new(sku(name), name, Money::new(100, Currency::parse("GBP").unwrap()));
    product.category = match name {
        "A" | "B" => "Mugs",
        "C" | "D" => "Tea",
        _ => "Tins",
    }
    .into();
    if name == "F" {
        product.attributes.insert("season".into(), "winter".into());
    }
    product
}

const NOW_MS: i64 = 1_796_083_200_000;

/// Arranges A to F on a shelf of four, for somebody who bought B, where D is sold out.
fn arranged(rules: &str) -> String {
    arranged_at(rules, ShelfName::BoughtTogether, NOW_MS)
}

fn arranged_at(rules: &str, shelf: ShelfName, now_ms: i64) -> String {
    let rules = Rules::parse(rules).unwrap();
    let bought = BTreeSet::from([sku("B")]);
    let may_be_offered = |sku: &Sku| sku.as_str() != "D";
    let context =
        Context { shelf, now_ms, bought: Some(&bought), wanted: 4, may_be_offered: &may_be_offered };
    let suggested = ["A", "B", "C", "D", "E"].map(product).to_vec();
    let pinned = |sku: &Sku| Some(product(sku.as_str()));
    let shelf = rules.arrange(suggested, &context, |product| product, pinned);
    shelf.iter().map(|product| product.sku.as_str()).collect()
}

#[test]
fn rules_change_a_shelf_as_they_say() {
    let table = [
        ("nothing", "[]", "ABCE"),
        ("a product", r#"[{"id": "x", "type": "exclude", "skus": ["A"]}]"#, "BCE"),
        ("a category", r#"[{"id": "x", "type": "exclude", "categories": ["Mugs", "Tins"]}]"#, "C"),
        ("sooner", r#"[{"id": "x", "type": "boost", "skus": ["E"], "percent": 500}]"#, "EABC"),
        ("not past its equal", r#"[{"id": "x", "type": "boost", "skus": ["B"], "percent": 200}]"#, "ABCE"),
        ("later", r#"[{"id": "x", "type": "boost", "categories": ["Mugs"], "percent": 10}]"#, "CEAB"),
        (
            "boosts multiply",
            r#"[{"id": "x", "type": "boost", "skus": ["E"], "percent": 200}, {"id": "y", "type": "boost", "categories": ["Tins"], "percent": 250}]"#,
            "EABC",
        ),
        ("a pin", r#"[{"id": "x", "type": "pin", "skus": ["F"], "place": 2}]"#, "AFBC"),
        ("a pin moves what is there", r#"[{"id": "x", "type": "pin", "skus": ["E"], "place": 1}]"#, "EABC"),
        (
            "what is sold out is not pinned",
            r#"[{"id": "x", "type": "pin", "skus": ["D"], "place": 1}]"#,
            "ABCE",
        ),
        (
            "an exclusion outdoes a pin",
            r#"[{"id": "x", "type": "pin", "skus": ["F"], "place": 1}, {"id": "y", "type": "exclude", "attributes": ["season=winter"]}]"#,
            "ABCE",
        ),
        (
            "pins of a shelf that is short stand at its end",
            r#"[{"id": "x", "type": "pin", "skus": ["F"], "place": 4}, {"id": "y", "type": "exclude", "categories": ["Mugs", "Tea"]}]"#,
            "EF",
        ),
        ("a pin beyond the shelf", r#"[{"id": "x", "type": "pin", "skus": ["F"], "place": 5}]"#, "ABCE"),
        ("one of each category", r#"[{"id": "x", "type": "spread", "most": 1}]"#, "ACE"),
        (
            "pins count, too",
            r#"[{"id": "x", "type": "spread", "most": 1}, {"id": "y", "type": "pin", "skus": ["F"], "place": 1}]"#,
            "FAC",
        ),
        ("bought and offered once", r#"[{"id": "x", "type": "once", "categories": ["Mugs"]}]"#, "ACE"),
        (
            "of another shelf",
            r#"[{"id": "x", "type": "exclude", "skus": ["A"], "shelves": ["popular"]}]"#,
            "ABCE",
        ),
        (
            "of a time to come",
            r#"[{"id": "x", "type": "exclude", "skus": ["A"], "from": "2027-01-01T00:00:00Z"}]"#,
            "ABCE",
        ),
    ];
    for (what, rules, shelf) in table {
        assert_eq!(arranged(rules), shelf, "{what}");
    }
    let lasts = r#"[{"id": "x", "type": "exclude", "skus": ["A"], "from": "2026-12-01T00:00:00Z", "until": "2026-12-02T00:00:00Z"}]"#;
    let at = |hours: i64| arranged_at(lasts, ShelfName::Popular, NOW_MS + hours * 3_600_000);
    assert_eq!([at(-1), at(0), at(23), at(24)], ["ABCE", "BCE", "BCE", "ABCE"]);
}

#[test]
fn what_is_offered_once_is_not_offered_while_nobody_knows_what_was_bought() {
    let rules = Rules::parse(r#"[{"id": "x", "type": "once", "categories": ["Mugs"]}]"#).unwrap();
    let context = Context {
        shelf: ShelfName::Popular,
        now_ms: NOW_MS,
        bought: None,
        wanted: 4,
        may_be_offered: &|_| true,
    };
    let shelf = rules.arrange(["A", "C"].map(product).to_vec(), &context, |product| product, |_| None);
    assert_eq!(shelf, [product("C")]);
}

#[test]
fn rules_that_make_no_sense_are_refused_in_words() {
    let table = [
        ("{}", "a JSON array of rules"),
        (r#"[{"id": "x", "type": "hide", "skus": ["A"]}]"#, "unknown variant `hide`"),
        (r#"[{"id": "x", "type": "exclude", "sku": "A"}]"#, "unknown field `sku`"),
        (r#"[{"id": "x", "type": "exclude", "shelves": ["top"], "skus": ["A"]}]"#, "unknown variant `top`"),
        (r#"[{"id": "", "type": "spread", "most": 1}]"#, "rule \"number 1\": an id is 1 to 40 letters"),
        (r#"[{"id": "x", "type": "exclude"}]"#, "rule \"x\": it names no product"),
        (r#"[{"id": "x", "type": "exclude", "attributes": ["winter"]}]"#, "write it like season=winter"),
        (r#"[{"id": "x", "type": "boost", "skus": ["A"]}]"#, "percent must be 10 to 1000"),
        (r#"[{"id": "x", "type": "boost", "skus": ["A"], "percent": 5}]"#, "percent must be 10 to 1000"),
        (r#"[{"id": "x", "type": "pin", "skus": ["A", "B"], "place": 1}]"#, "a pin is for one product"),
        (r#"[{"id": "x", "type": "pin", "skus": ["A"], "place": 0}]"#, "place must be 1 to 20"),
        (r#"[{"id": "x", "type": "spread", "most": 1, "skus": ["A"]}]"#, "skus means nothing"),
        (
            r#"[{"id": "x", "type": "spread", "most": 1, "from": "soon"}]"#,
            "write it like 2026-12-01T00:00:00Z",
        ),
        (
            r#"[{"id": "x", "type": "spread", "most": 1, "from": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z"}]"#,
            "it ends before it begins",
        ),
        (
            r#"[{"id": "x", "type": "spread", "most": 1}, {"id": "x", "type": "spread", "most": 2}]"#,
            "there are two rules \"x\"",
        ),
        (
            r#"[{"id": "x", "type": "pin", "skus": ["A"], "place": 1}, {"id": "y", "type": "pin", "skus": ["B"], "place": 1, "shelves": ["popular"]}]"#,
            "rules \"x\" and \"y\" pin two products to place 1",
        ),
    ];
    for (text, words) in table {
        let error = Rules::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let apart = r#"[{"id": "x", "type": "pin", "skus": ["A"], "place": 1, "shelves": ["popular"]},
        {"id": "y", "type": "pin", "skus": ["B"], "place": 1, "shelves": ["continue"]}]"#;
    assert!(Rules::parse(apart).is_ok(), "pins of two shelves do not meet");
}

#[test]
fn rules_are_written_as_they_are_read() {
    let text = r#"[{"id":"cosy","type":"boost","note":"Warm things","shelves":["popular"],"from":"2026-12-01T00:00:00Z","attributes":["season=winter"],"percent":150},{"id":"top","type":"pin","skus":["A"],"place":1}]"#;
    assert_eq!(Rules::parse(text).unwrap().to_text(), text);
}
