use super::*;

fn asked(fields: &[(&str, &str)]) -> Calculator {
    Calculator::read(fields.iter().map(|(name, text)| (format!("calculator_{name}"), *text)))
}

/// What is typed, and what is told of it.
type Wrong<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn it_advises_the_cheapest_way_that_holds_for_how_the_team_looks() {
    let best = |looks: &str| {
        let calculator = asked(&[("rate", "10"), ("lift", "10"), ("looks", looks), ("units_a_day", "2,000")]);
        let view = calculator.view();
        let answer = view.answer.unwrap_or_else(|| panic!("{:?}", view.errors));
        assert!(answer.rows[0].is_best && answer.rows[0].is_valid);
        let (method, label) = calculator.advised().expect("an answer advises");
        assert!(answer.sentence.contains(label), "{}", answer.sentence);
        let planned = answer.rows.iter().filter(|row| row.name.contains("looks on the way there")).count();
        assert_eq!((planned, answer.rows.len()), if looks == "some" { (1, 5) } else { (0, 4) });
        (method.to_owned(), answer.rows[0].most.clone(), answer.rows[0].days.clone())
    };
    // What the planner's own numbers say: 2 × 14,751 visitors for a lift of 10 % over a rate of 10 %.
    let study = Study::new(Baseline::proportion(0.1).expect("fit"), Scale::Relative);
    let needed = study.units_needed(&Mode::FixedHorizon, 0.1, 0.8).expect("enough");
    let days = counted(needed.div_ceil(2_000), "day");
    assert_eq!(best("once"), ("fixed_horizon".into(), count(needed), days));
    assert_eq!(best("some").0, "group_sequential:5");
    let any = best("any").0;
    assert!(any == "sequential" || any == "mixture:1000", "{any}");
}

#[test]
fn every_mistake_says_at_its_field_what_to_mend() {
    let table: [Wrong<'_>; 14] = [
        (&[("kind", "ratio"), ("mean", "80"), ("deviation", "40"), ("lift", "5")], &["events"]),
        (
            &[("kind", "quantile"), ("mean", "900"), ("below", "950"), ("events", "6"), ("lift", "5")],
            &["below"],
        ),
        (&[("kind", "retention"), ("rate", "20"), ("after_days", "0"), ("lift", "5")], &["after_days"]),
        (&[("rate", "3"), ("lift", "5"), ("correlation", "100")], &["correlation"]),
        (&[("rate", "3"), ("lift", "5"), ("variations", "1"), ("control", "0")], &["variations", "control"]),
        (&[("rate", "3"), ("lift", "")], &["lift"]),
        (&[("rate", "100"), ("lift", "5")], &["rate"]),
        (&[("rate", "1,234"), ("lift", "-5")], &["lift", "rate"]),
        (&[("rate", "80"), ("lift", "50")], &["lift"]),
        (&[("kind", "mean"), ("lift", "5")], &["mean", "deviation"]),
        (&[("rate", "3"), ("lift", "5"), ("power", "100")], &["power"]),
        (&[("rate", "3"), ("lift", "5"), ("units_a_day", "some")], &["units_a_day"]),
        (&[("rate", "3"), ("lift", "5"), ("looks", "some"), ("looks_count", "1")], &["looks_count"]),
        (&[("rate", "0.000001"), ("lift", "0.001")], &["lift"]),
    ];
    for (fields, places) in table {
        let errors = asked(fields).outcome.expect_err("there are mistakes");
        let found: Vec<_> = errors.iter().filter_map(|error| error.field.clone()).collect();
        assert_eq!(found, places.iter().map(|place| id(place)).collect::<Vec<_>>(), "{fields:?}");
    }
}

/// The visitors that a single look needs, by what is typed.
fn needed(fields: &[(&str, &str)]) -> u64 {
    let all = [("lift", "5"), ("looks", "once")];
    let calculator = asked(&all.iter().chain(fields).copied().collect::<Vec<_>>());
    let answer = calculator.outcome.unwrap_or_else(|errors| panic!("{errors:?}")).expect("it was asked");
    answer.asked.arms.all(answer.offers[0].units_max)
}

#[test]
fn every_kind_of_metric_is_planned_by_its_own_spread() {
    let near =
        |found: u64, known: f64| assert!((found as f64 / known - 1.0).abs() < 0.03, "{found} and {known}");
    let mean = needed(&[("kind", "mean"), ("mean", "10"), ("deviation", "10")]);
    // 2·7.849·2·s²/Δ² with Δ = 5 % of the mean.
    near(mean, 4.0 * 7.849 / 0.05_f64.powi(2) * 1.05);
    let count = needed(&[("kind", "count"), ("mean", "4")]);
    near(count, mean as f64 / 4.0);
    near(needed(&[("kind", "count"), ("mean", "4"), ("deviation", "4")]), mean as f64);
    // One visitor in twenty-five orders, so that it takes 25 times as many.
    near(
        needed(&[("kind", "ratio"), ("mean", "10"), ("deviation", "10"), ("events", "0.04")]),
        mean as f64 * 25.0,
    );
    // s² = 0.9·0.1/f² with f = 0.05/40, over 6 pages of a visitor.
    let quantile = [("kind", "quantile"), ("mean", "400"), ("below", "360"), ("events", "6")];
    near(needed(&quantile), mean as f64 * 0.09 / (0.05_f64 / 40.0).powi(2) / 6.0 / 400.0_f64.powi(2));
    let rate = needed(&[("rate", "10")]);
    near(needed(&[("kind", "retention"), ("rate", "10")]), rate as f64);
    // A correlation of 60 % takes 36 % of the variance out, of both arms.
    near(needed(&[("rate", "10"), ("correlation", "60")]), rate as f64 * 0.64);
}

#[test]
fn more_variations_and_uneven_ones_need_more() {
    let two = needed(&[("rate", "10")]) as f64;
    let three = needed(&[("rate", "10"), ("variations", "3")]) as f64;
    // Half as many again, and 2.5 % in the place of 5: (2.241 + 0.842)²/(1.960 + 0.842)² = 1.211.
    assert!((three / two / (1.5 * 1.211) - 1.0).abs() < 0.01, "{three} and {two}");
    let uneven = needed(&[("rate", "10"), ("control", "90")]) as f64;
    // 1/(4·0.9·0.1) as many.
    assert!((uneven / two / 2.778 - 1.0).abs() < 0.05, "{uneven} and {two}");
}

#[test]
fn a_belief_is_told_for_contrast_and_never_advised() {
    let calculator = asked(&[("rate", "10"), ("lift", "10"), ("looks", "once")]);
    let view = calculator.view().answer.unwrap();
    let belief = view.rows.iter().find(|row| row.name.starts_with("As a belief")).expect("a row");
    assert!(!belief.is_valid && belief.remark.starts_with("a belief"));
    assert_eq!(calculator.advised().unwrap().0, "fixed_horizon");
}

#[test]
fn who_comes_back_is_known_days_later() {
    let days = |kind: &str| {
        let calculator = asked(&[
            ("kind", kind),
            ("rate", "10"),
            ("lift", "10"),
            ("units_a_day", "2000"),
            ("after_days", "14"),
        ]);
        calculator.answer().unwrap().days(20_000).unwrap()
    };
    assert_eq!((days("share"), days("retention")), (10, 24));
}

#[test]
fn nothing_is_answered_before_it_is_asked() {
    let calculator = Calculator::read([("copy", "checkout-express")]);
    let view = calculator.view();
    assert!(
        !view.is_open && view.answer.is_none() && view.errors.is_empty() && view.copy == "checkout-express"
    );
}

#[test]
fn numbers_are_read_as_people_type_them() {
    let table = [
        ("3.4", Some(3.4)),
        ("3,4", Some(3.4)),
        ("3.4 %", Some(3.4)),
        ("1,234.5", Some(1_234.5)),
        ("1.234,5", Some(1_234.5)),
        ("12 000", Some(12_000.0)),
        ("1,234", None),
        ("0,125", Some(0.125)),
        ("1e5", None),
        ("nan", None),
        ("1.2.3", None),
        (",", None),
    ];
    for (text, read) in table {
        assert_eq!(number(text), read, "{text}");
    }
}
