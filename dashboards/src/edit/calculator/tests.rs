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
        assert_eq!((planned, answer.rows.len()), if looks == "some" { (1, 4) } else { (0, 3) });
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
    let table: [Wrong<'_>; 9] = [
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
