//! Every rule of a definition, broken once.

use super::*;
use serde_json::json;

fn written() -> Value {
    json!({
        "schema_version": 1,
        "key": "checkout-express",
        "name": "Express checkout",
        "hypothesis": "One page instead of four lets more visitors finish.",
        "owner": "mara",
        "flag": "checkout_workflow",
        "seed": "été 2026",
        "coverage_bp": 8000,
        "variations": [
            {"key": "classic", "name": "Classic", "weight_bp": 5000, "value": {"name": "classic", "steps": ["address"]}},
            {"key": "express", "name": "Express", "weight_bp": 5000, "value": {"name": "express", "steps": []}},
        ],
        "primary_metric": "revenue_per_unit",
        "planned_units": 20_000,
        "planned_days": 21,
        "status": "running",
    })
}

/// Applies `change` to a good definition and returns the error as people read it.
fn error_of(change: impl FnOnce(&mut Value)) -> String {
    let mut value = written();
    change(&mut value);
    let error = Experiment::parse_value(&value).unwrap_err();
    let by_text = Experiment::parse(&value.to_string()).unwrap_err();
    match error {
        DefinitionError::Unreadable(_) | DefinitionError::UnreadableVariation { .. } => {
            assert!(matches!(by_text, DefinitionError::Unreadable(_)));
        }
        _ => assert_eq!(error, by_text),
    }
    error.to_string()
}

#[test]
fn a_definition_is_written_as_it_was_read() {
    let experiment = Experiment::parse_value(&written()).unwrap();
    assert_eq!(experiment.to_value(), written());
    let text = serde_json::to_string(&experiment).unwrap();
    assert_eq!(text.parse::<Experiment>().unwrap(), experiment);
    assert_eq!(serde_json::from_str::<Experiment>(&text).unwrap(), experiment);
    assert_eq!(experiment.hypothesis(), "One page instead of four lets more visitors finish.");
    assert_eq!(experiment.primary_metric(), "revenue_per_unit");
    assert_eq!(experiment.variations()[1].value()["name"], "express");
}

#[test]
fn what_is_left_out_has_a_default() {
    let mut value = written();
    for field in [
        "hypothesis",
        "owner",
        "seed",
        "coverage_bp",
        "primary_metric",
        "planned_units",
        "planned_days",
        "status",
    ] {
        value.as_object_mut().unwrap().remove(field);
    }
    value["variations"][0].as_object_mut().unwrap().remove("name");
    let experiment = Experiment::parse_value(&value).unwrap();
    assert_eq!((experiment.hypothesis(), experiment.seed()), ("", "checkout-express"));
    assert_eq!((experiment.coverage_bp(), experiment.planned_units()), (10_000, 5_000));
    assert_eq!((experiment.owner(), experiment.planned_days(), experiment.is_aa()), ("", None, false));
    assert_eq!((experiment.primary_metric(), experiment.status()), ("conversion", Status::Draft));
    assert_eq!(experiment.variations()[0].name(), "classic");
}

#[test]
fn unreadable_definitions_say_where() {
    let unknown = error_of(|value| value["coverage"] = json!(1));
    assert!(
        unknown.starts_with("definition cannot be read: unknown field `coverage`, expected one of"),
        "{unknown}"
    );
    let unknown = error_of(|value| value["variations"][1]["weigth_bp"] = json!(1));
    assert!(unknown.starts_with("variation 2 cannot be read: unknown field `weigth_bp`"), "{unknown}");
    let missing = error_of(|value| drop(value["variations"][0].as_object_mut().unwrap().remove("value")));
    assert_eq!(missing, "variation 1 cannot be read: missing field `value`");
    let status = error_of(|value| value["status"] = json!("asleep"));
    assert!(
        status.contains("unknown variant `asleep`, expected one of `draft`, `running`, `paused`"),
        "{status}"
    );
    let negative = error_of(|value| value["coverage_bp"] = json!(-1));
    assert!(negative.contains("invalid value: integer `-1`, expected u32"), "{negative}");

    let broken = Experiment::parse("{\"key\": ").unwrap_err().to_string();
    assert_eq!(broken, "definition cannot be read: EOF while parsing a value at line 1 column 8");
    let twice = written().to_string().replacen("{", "{\"key\": \"other\", ", 1);
    let twice = Experiment::parse(&twice).unwrap_err().to_string();
    assert!(twice.starts_with("definition cannot be read: duplicate field `key` at line 1"), "{twice}");
}

#[test]
fn rules_that_are_broken_say_how_to_mend_them() {
    let cases: [(&str, Value, &str); 23] = [
        ("/schema_version", json!(2), "schema version 2 is unknown: this build reads version 1"),
        ("/key", json!(""), "key is empty: give it at least one character"),
        (
            "/key",
            json!("a b"),
            "key `a b` is not a key: start with a letter or digit, then letters, digits, `-`, `_` or `.`",
        ),
        (
            "/key",
            json!("-a"),
            "key `-a` is not a key: start with a letter or digit, then letters, digits, `-`, `_` or `.`",
        ),
        ("/key", json!("k".repeat(65)), "key has 65 bytes, the most allowed is 64: shorten it"),
        ("/name", json!(" "), "name is empty: give it at least one character"),
        ("/name", json!("n".repeat(201)), "name has 201 bytes, the most allowed is 200: shorten it"),
        ("/name", json!("a\u{7}"), "name holds a control character: remove it"),
        (
            "/hypothesis",
            json!("h".repeat(4001)),
            "hypothesis has 4001 bytes, the most allowed is 4000: shorten it",
        ),
        ("/owner", json!("a\nb"), "owner holds a control character: remove it"),
        ("/owner", json!("o".repeat(201)), "owner has 201 bytes, the most allowed is 200: shorten it"),
        ("/planned_days", json!(0), "planned_days is 0: choose from 1 to 366"),
        ("/flag", json!(""), "flag is empty: give it at least one character"),
        ("/seed", json!(""), "seed is empty: give it at least one character"),
        (
            "/variations",
            json!([]),
            "experiment has 0 variations, the fewest is 2: add a control and a treatment",
        ),
        (
            "/variations/1/key",
            json!("é"),
            "key of variation 2 `é` is not a key: start with a letter or digit, then letters, digits, `-`, `_` or `.`",
        ),
        ("/variations/1/key", json!("classic"), "variation key `classic` stands twice: rename one of them"),
        (
            "/variations/1/weight_bp",
            json!(0),
            "variation `express` has weight 0 and would never be shown: give it a weight or remove it",
        ),
        (
            "/variations/1/weight_bp",
            json!(4999),
            "variation weights sum to 9999 of 10000 basis points: add 1 to some `weight_bp`",
        ),
        (
            "/variations/1/weight_bp",
            json!(u32::MAX),
            "variation weights sum to 4294972295 of 10000 basis points: take 4294962295 from some `weight_bp`",
        ),
        ("/coverage_bp", json!(10_001), "coverage_bp is 10001, the most is 10000 (everybody): lower it"),
        ("/planned_units", json!(99), "planned_units is 99: choose from 100 to 10000000000"),
        (
            "/variations/0/value",
            json!("v".repeat(DEFINITION_BYTES_MAX)),
            "definition has 66018 bytes, the most allowed is 65536: shorten its texts or values",
        ),
    ];
    for (pointer, to, message) in cases {
        assert_eq!(error_of(|value| *value.pointer_mut(pointer).unwrap() = to), message);
    }
    let eleven: Vec<Value> =
        (0..11).map(|i| json!({"key": i.to_string(), "weight_bp": 1, "value": i})).collect();
    assert_eq!(
        error_of(|value| value["variations"] = json!(eleven)),
        "experiment has 11 variations, the most allowed is 10: split it into several"
    );
}
