//! The order of application, and what applies beside what.

use super::*;

fn tried(texts: &[&str], lines: &[(&str, u32, i64)]) -> (Vec<String>, Vec<i64>) {
    let promoted =
        promote(&promotions(texts.iter().copied()).unwrap(), lines, &Occasion::new(0, currency("GBP")));
    (verdicts(&promoted), promoted.left_minor)
}

const TEN_OFF_ALL: &str = r#""benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}"#;
const BOOKS_HALF: &str =
    r#""benefit": {"kind": "percentage", "on": {"categories": ["books"]}, "off_bp": 5000}"#;
const TWO_OFF: &str = r#""benefit": {"kind": "fixed", "on": {"all": true}, "off_minor": {"GBP": 200}}"#;
const SHIPPING: &str = r#""benefit": {"kind": "free_shipping"}"#;
const GIFT: &str = r#""benefit": {"kind": "gift", "sku": "TEA"}"#;

fn with(fields: &str, benefit: &str) -> String {
    format!("{{{fields}, {benefit}}}")
}

#[test]
fn priority_then_class_then_id_is_the_order() {
    let texts = [
        with(r#""id": "a""#, SHIPPING),
        with(r#""id": "b""#, GIFT),
        with(r#""id": "d""#, TEN_OFF_ALL),
        with(r#""id": "c""#, TWO_OFF),
        with(r#""id": "e""#, BOOKS_HALF),
        with(r#""id": "f", "priority": 1"#, SHIPPING),
        with(r#""id": "g", "priority": -1"#, BOOKS_HALF),
    ];
    let mut texts: Vec<_> = texts.iter().map(String::as_str).collect();
    for _ in 0..texts.len() {
        texts.rotate_left(1);
        let (verdicts, left) = tried(&texts, &[("BOOK", 1, 2_000)]);
        assert_eq!(verdicts, ["f", "e", "c", "d", "b", "a", "g"].map(|id| format!("{id} applied")));
        // 20.00, half is 10.00, less 2.00 is 8.00, less a tenth is 7.20, half of it.
        assert_eq!(left, [360]);
    }
}

#[test]
fn what_is_stacked_sees_what_was_left() {
    let gone = with(
        r#""priority": 1"#,
        r#""benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 10000}"#,
    );
    assert_eq!(
        tried(&[&gone, &with(r#""id": "z""#, TWO_OFF)], &[("A", 1, 100)]),
        (vec!["p0 applied".into(), "z nothing_left".into()], vec![0])
    );
    // A minimum is measured on what is left, or on the full prices where that is asked.
    for (sum, verdict, left) in [("left", "z sum_lacking", 1_000), ("full", "z applied", 800)] {
        let need = format!(
            r#""id": "z", "conditions": {{"needs": [{{"min_minor": {{"GBP": 1500}}, "sum": "{sum}"}}]}}"#
        );
        assert_eq!(
            tried(&[&with(r#""id": "a""#, BOOKS_HALF), &with(&need, TWO_OFF)], &[("BOOK", 1, 2_000)]),
            (vec!["a applied".to_owned(), verdict.to_owned()], vec![left])
        );
    }
}

#[test]
fn lines_that_were_reduced_can_be_left_alone() {
    let (verdicts, left) = tried(
        &[
            &with(r#""id": "a""#, BOOKS_HALF),
            &with(r#""id": "b", "skip_discounted_lines": true"#, TEN_OFF_ALL),
        ],
        &[("BOOK", 1, 2_000), ("MUG", 1, 1_000)],
    );
    assert_eq!(
        (&verdicts[..], &left[..]),
        (&["a applied".into(), "b applied".into()][..], &[1_000, 900][..])
    );
    let (verdicts, _) = tried(
        &[
            &with(r#""id": "a""#, BOOKS_HALF),
            &with(r#""id": "b", "skip_discounted_lines": true"#, TEN_OFF_ALL),
        ],
        &[("BOOK", 1, 2_000)],
    );
    assert_eq!(verdicts, ["a applied", "b nothing_left"]);
}

#[test]
fn exclusive_ones_stand_alone_but_for_the_classes_they_name() {
    let exclusive =
        |fields: &str| with(&format!(r#"{fields}, "stacking": {{"mode": "exclusive"}}"#), TEN_OFF_ALL);
    let lines = &[("BOOK", 1, 2_000)];
    let a = with(r#""id": "a""#, BOOKS_HALF);
    let s = with(r#""id": "s""#, SHIPPING);
    // It comes first and nothing follows.
    let (verdicts, left) = tried(&[&a, &exclusive(r#""id": "x", "priority": 1"#), &s], lines);
    assert_eq!(verdicts, ["x applied", "a excluded", "s excluded"]);
    assert_eq!(left, [1_800]);
    // Something applied before, so that it does not.
    let (verdicts, _) = tried(&[&a, &exclusive(r#""id": "x""#), &s], lines);
    assert_eq!(verdicts, ["a applied", "x excluded", "s applied"]);
    // What did not apply before excludes nothing.
    let (verdicts, _) = tried(&[&a, &exclusive(r#""id": "x""#), &s], &[("MUG", 1, 2_000)]);
    assert_eq!(verdicts, ["a nothing_selected", "x applied", "s excluded"]);
    // It lets shipping be free beside it.
    let but = with(
        r#""id": "x", "priority": 1, "stacking": {"mode": "exclusive", "but_with": ["shipping"]}"#,
        TEN_OFF_ALL,
    );
    let (verdicts, _) = tried(&[&a, &but, &s], lines);
    assert_eq!(verdicts, ["x applied", "a excluded", "s applied"]);
    let promoted = promote(&promotions([&a[..], &but]).unwrap(), lines, &Occasion::new(0, currency("GBP")));
    assert_eq!(promoted.outcomes[1].to_string(), "a: does not combine with x");
}

#[test]
fn the_last_one_keeps_what_applied_before_it() {
    let last = with(r#""id": "m", "stacking": {"mode": "last", "but_with": ["gift"]}"#, TEN_OFF_ALL);
    let texts = [
        with(r#""id": "a""#, BOOKS_HALF),
        last,
        with(r#""id": "n""#, TWO_OFF),
        with(r#""id": "g""#, GIFT),
        with(r#""id": "s""#, SHIPPING),
    ];
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let (verdicts, left) = tried(&texts, &[("BOOK", 1, 2_000)]);
    assert_eq!(verdicts, ["a applied", "m applied", "n excluded", "g applied", "s excluded"]);
    assert_eq!(left, [900]);
}

#[test]
fn of_a_group_the_one_that_takes_off_most_applies() {
    let group = |fields: &str, benefit: &str| {
        with(&format!(r#"{fields}, "stacking": {{"mode": "best_of", "group": "sale"}}"#), benefit)
    };
    let texts = [
        group(r#""id": "b""#, TEN_OFF_ALL),
        group(r#""id": "c", "priority": -5"#, TWO_OFF),
        group(r#""id": "d", "conditions": {"groups": ["trade"]}"#, BOOKS_HALF),
        with(r#""id": "e", "priority": -1"#, TEN_OFF_ALL),
    ];
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let told = |unit_minor| {
        let promotions = promotions(texts.iter().copied()).unwrap();
        let promoted = promote(&promotions, &[("A", 1, unit_minor)], &Occasion::new(0, currency("GBP")));
        (sentences(&promoted), promoted.left_minor)
    };
    // The group stands where d, its first member, does: before e.
    assert_eq!(
        told(1_000),
        (
            vec![
                "d: is for customers of another group".into(),
                "b: would take 1.00 GBP off, but only c of its group applies".into(),
                "c: 2.00 GBP off".into(),
                "e: 0.80 GBP off".into(),
            ],
            vec![720]
        )
    );
    assert_eq!(
        told(3_000).0[1..3],
        ["b: 3.00 GBP off", "c: would take 2.00 GBP off, but only b of its group applies"]
    );
    // Of equals the first: 2.00 each.
    assert_eq!(
        told(2_000).0[1..3],
        ["b: 2.00 GBP off", "c: would take 2.00 GBP off, but only b of its group applies"]
    );
}

#[test]
fn two_lines_of_one_product_are_told_apart_by_their_place() {
    let promotions = promotions([&with(r#""id": "a""#, TWO_OFF)[..]]).unwrap();
    let mug = product("MUG");
    let lines =
        [PromotedLine::new(&mug, 2, 300), PromotedLine::new(&mug, 1, 300), PromotedLine::new(&mug, 2, 300)];
    let promoted = promotions.apply(&lines, &Occasion::new(0, currency("GBP")));
    // 80, 40 and 80 of 2.00.
    assert_eq!(promoted.left_minor, [520, 260, 520]);
    let Verdict::Applied(applied) = &promoted.outcomes[0].verdict else { panic!("it applies") };
    let shares: Vec<_> = applied.lines.iter().map(|share| (share.line, share.minor)).collect();
    assert_eq!(shares, [(0, 80), (1, 40), (2, 80)]);
}
