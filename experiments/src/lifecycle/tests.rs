//! Every move from every status, and what may still change.

use super::*;
use serde_json::{Value, json};

fn written() -> Value {
    json!({
        "schema_version": 1, "key": "e", "name": "E", "flag": "f", "coverage_bp": 5000,
        "hypothesis": "One sells more than nothing.", "owner": "ann", "planned_days": 14,
        "variations": [
            {"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1},
        ],
    })
}

fn read(value: &Value) -> Experiment {
    Experiment::parse_value(value).unwrap()
}

fn changed(pointer: &str, to: Value) -> Experiment {
    let mut value = read(&written()).to_value();
    match value.pointer_mut(pointer) {
        Some(place) => *place = to,
        None => value[&pointer[1..]] = to,
    }
    read(&value)
}

#[test]
fn a_life_goes_one_way() {
    use Move::{Archive, Pause, Resume, Start, Stop};
    use MoveError::{AlreadyRunning, NotOver, NotStarted};
    use Status::{Archived, Draft, Paused, Running, Stopped};
    let moves = [Start, Pause, Resume, Stop, Archive];
    let table = [
        (Draft, [Ok(Running), Err(NotStarted), Err(NotStarted), Err(NotStarted), Err(NotStarted)]),
        (Running, [Err(AlreadyRunning), Ok(Paused), Err(AlreadyRunning), Ok(Stopped), Err(NotOver)]),
        (Paused, [Err(MoveError::Paused), Err(MoveError::Paused), Ok(Running), Ok(Stopped), Err(NotOver)]),
        (
            Stopped,
            [
                Err(MoveError::Stopped),
                Err(MoveError::Stopped),
                Err(MoveError::Stopped),
                Err(MoveError::Stopped),
                Ok(Archived),
            ],
        ),
        (Archived, [const { Err(MoveError::Archived) }; 5]),
    ];
    assert_eq!(table.each_ref().map(|(from, _)| *from), Status::ALL);
    for (from, ends) in table {
        assert_eq!(moves.map(|asked| from.after(asked)), ends, "{from}");
    }
}

#[test]
fn what_decides_the_split_is_fixed_once_it_runs() {
    let draft = read(&written());
    let running = draft.clone().moved(Move::Start).unwrap();
    let frozen = [
        ("/flag", json!("other"), "flag"),
        ("/seed", json!("other"), "seed"),
        ("/variations/1/value", json!(2), "variations"),
        ("/variations/1/key", json!("c"), "variations"),
        ("/primary_metric", json!("revenue_per_unit"), "primary_metric"),
        ("/metrics", json!(["orders"]), "metrics"),
        ("/guardrails", json!([{"metric": "page_latency", "margin_bp": 500}]), "guardrails"),
        ("/correction", json!("benjamini_hochberg"), "correction"),
        ("/method", json!({"kind": "fixed_horizon"}), "method"),
        ("/planned_units", json!(20_000), "planned_units"),
        ("/hypothesis", json!("One sells less than nothing."), "hypothesis"),
        ("/planned_days", json!(28), "planned_days"),
    ];
    for (pointer, to, field) in frozen {
        let next = changed(pointer, to);
        assert_eq!(running.clone().revised(next.clone()), Err(ChangeError::Frozen { field }));
        assert_eq!(draft.clone().revised(next.clone()), Ok(next));
    }
    let mut weights = written();
    weights["variations"][0]["weight_bp"] = json!(4000);
    weights["variations"][1]["weight_bp"] = json!(6000);
    let next = read(&weights);
    assert!(!running.is_same_split(&next));
    assert_eq!(running.clone().revised(next), Err(ChangeError::Frozen { field: "variations" }));
    let next = changed("/key", json!("e2"));
    assert!(matches!(draft.revised(next), Err(ChangeError::Key { .. })));
}

#[test]
fn words_may_change_and_coverage_may_rise() {
    let running = read(&written()).moved(Move::Start).unwrap();
    let renamed = running.clone().revised(changed("/variations/1/name", json!("New"))).unwrap();
    assert_eq!((renamed.variations()[1].name(), renamed.status()), ("New", Status::Running));
    assert!(renamed.is_same_split(&running));
    let wider = running.clone().revised(changed("/coverage_bp", json!(6000))).unwrap();
    assert_eq!(wider.coverage_bp(), 6000);
    let narrower = wider.revised(changed("/coverage_bp", json!(5999)));
    assert_eq!(narrower, Err(ChangeError::CoverageLowered { from: 6000, to: 5999 }));
    let stopped = running.moved(Move::Stop).unwrap();
    let wider = stopped.revised(changed("/coverage_bp", json!(6000)));
    assert_eq!(wider, Err(ChangeError::Frozen { field: "coverage_bp" }));
}

#[test]
fn what_is_said_before_the_start_is_asked_for_there() {
    let without = |fields: &[&str]| {
        let mut value = written();
        for field in fields {
            value.as_object_mut().unwrap().remove(*field);
        }
        read(&value)
    };
    let refusal = |fields: &[&str]| without(fields).moved(Move::Start).unwrap_err().to_string();
    assert_eq!(
        refusal(&["owner"]),
        "experiment cannot start without an owner: say so first, so that nobody chooses by the result"
    );
    let all = ["hypothesis", "owner", "planned_days"];
    assert!(refusal(&all).contains("without a hypothesis, an owner and a planned length:"));
    assert_eq!(without(&all).missing().into_iter().map(Missing::field).collect::<Vec<_>>(), all);
}

#[test]
fn what_an_earlier_version_started_without_goes_on_and_may_still_be_said() {
    let mut value = written();
    value["status"] = json!("running");
    for field in ["hypothesis", "owner", "planned_days"] {
        value.as_object_mut().unwrap().remove(field);
    }
    let running = read(&value);
    let said = running.clone().revised(read(&written())).unwrap();
    assert_eq!((said.owner(), said.planned_days(), said.status()), ("ann", Some(14), Status::Running));
    assert_eq!(said.revised(running), Err(ChangeError::Frozen { field: "hypothesis" }));
}

#[test]
fn an_aa_experiment_shows_the_same_to_all_and_no_other_does() {
    let same = changed("/variations/1/value", json!(0));
    assert!(same.is_aa(), "two of the same value are an A/A experiment of earlier versions");
    assert!(same.clone().moved(Move::Start).is_ok());
    let start = |variations: Value, is_aa: bool| {
        let mut value = written();
        (value["variations"], value["is_aa"]) = (variations, json!(is_aa));
        let error = read(&value).moved(Move::Start).unwrap_err();
        assert_eq!(read(&value).check_values().map_err(MoveError::Values), Err(error.clone()));
        error.to_string()
    };
    let arms = |values: [i32; 3]| {
        let arm = |(key, value): (&str, i32)| json!({"key": key, "weight_bp": 2_000, "value": value});
        let mut arms: Vec<Value> = ["a", "b", "c"].into_iter().zip(values).map(arm).collect();
        arms[2]["weight_bp"] = json!(6_000);
        json!(arms)
    };
    assert!(start(arms([0, 1, 0]), false).starts_with("variations `a` and `c` have the same value"));
    assert!(start(arms([0, 0, 1]), true).starts_with("variation `c` has another value than the control"));
    let running = same.moved(Move::Start).unwrap();
    let mut value = running.to_value();
    assert_eq!(value["is_aa"], json!(true));
    value["is_aa"] = json!(false);
    assert_eq!(running.revised(read(&value)), Err(ChangeError::Frozen { field: "is_aa" }));
}

#[test]
fn what_was_learned_is_said_at_the_end_and_stays() {
    let running = read(&written()).moved(Move::Start).unwrap();
    let too_soon = DefinitionError::NotLearned;
    assert_eq!(running.clone().teaching("Nobody minds."), Err(too_soon));
    let over = running.clone().ship("b", 7).unwrap();
    assert!(over.clone().teaching(&"x".repeat(4_001)).is_err());
    let taught = over.teaching("Nobody minds.").unwrap();
    // The form of a change knows nothing of what was shipped and learned.
    let renamed = taught.clone().revised(changed("/name", json!("Other"))).unwrap();
    assert_eq!((renamed.learned(), renamed.shipped()), ("Nobody minds.", taught.shipped()));
    assert_eq!(read(&renamed.to_value()), renamed);
}
