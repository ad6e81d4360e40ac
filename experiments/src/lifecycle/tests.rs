//! Every move from every status, and what may still change.

use super::*;
use serde_json::{Value, json};

fn written() -> Value {
    json!({
        "schema_version": 1, "key": "e", "name": "E", "flag": "f", "coverage_bp": 5000,
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
    *value.pointer_mut(pointer).unwrap() = to;
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
        (Archived, [Err(MoveError::Archived); 5]),
    ];
    assert_eq!(table.map(|(from, _)| from), Status::ALL);
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
        ("/planned_units", json!(20_000), "planned_units"),
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
