//! Our own experiments with everything that may leave a unit out.

use serde_json::{Value, json as value};

use super::*;
use crate::definition::Experiment as Definition;

fn running(key: &str, flag: &str, more: Value) -> Definition {
    let mut definition = value!({
        "schema_version": 1, "key": key, "name": key, "flag": flag, "status": "running", "variations": [
            {"key": "old", "weight_bp": 5000, "value": "old"}, {"key": "new", "weight_bp": 5000, "value": "new"},
        ],
    });
    for (name, more) in more.as_object().unwrap() {
        definition[name] = more.clone();
    }
    Definition::parse_value(&definition).unwrap()
}

fn holdout(begun_at_ms: i64) -> Definition {
    running(
        "h",
        crate::holdout::FLAG,
        value!({"begun": {"at_ms": begun_at_ms}, "coverage_bp": 2000, "variations": [
            {"key": "held", "weight_bp": 5000, "value": "held"}, {"key": "free", "weight_bp": 5000, "value": "free"}]}),
    )
}

fn compiled(experiments: &[Definition]) -> Payload {
    let payload = Payload::compile(export::payload(experiments, "").into()).unwrap();
    assert_eq!(payload.problems(), []);
    payload
}

fn answer(payload: &Payload, flag: &str, attributes: &Value) -> Option<String> {
    let attributes = Json::try_from(attributes).unwrap();
    let value = Evaluator::new(payload, User::new(&attributes)).evaluate(flag).value.clone();
    value.as_str().map(str::to_owned)
}

fn unit(n: u32) -> Value {
    value!({"id": format!("u{n}")})
}

#[test]
fn a_condition_and_what_another_flag_is_worth_leave_units_out_and_move_nobody() {
    let first = running("first", "f", value!({}));
    let then = |is_not: bool| {
        let asks = value!([{"flag": "f", "value": "new", "is_not": is_not}]);
        running("then", "g", value!({"targeting": {"condition": {"device": "phone"}, "prerequisites": asks}}))
    };
    for is_not in [false, true] {
        let all = [first.clone(), then(is_not)];
        let payload = compiled(&all);
        for n in 0..400 {
            let unit = unit(n);
            let phone = value!({"id": unit["id"], "device": "phone"});
            assert_eq!(answer(&payload, "g", &unit), None, "nobody knows the device");
            let may = (answer(&payload, "f", &phone).as_deref() == Some("new")) != is_not;
            let placed = crate::assign(&all[1], unit["id"].as_str().unwrap()).variation;
            assert_eq!(answer(&payload, "g", &phone), may.then(|| ["old", "new"][placed].to_owned()));
        }
    }
}

#[test]
fn experiments_of_one_layer_never_meet_in_a_unit() {
    let part = |key, flag, from_bp, to_bp| {
        running(key, flag, value!({"targeting": {"layer": {"key": "l", "from_bp": from_bp, "to_bp": to_bp}}}))
    };
    let all = [part("a", "f", 0, 3_000), part("b", "g", 3_000, 10_000)];
    let payload = compiled(&all);
    let mut met = [0, 0];
    for n in 0..2_000 {
        let found = ["f", "g"].map(|flag| answer(&payload, flag, &unit(n)));
        let placed = [0, 1].map(|one: usize| crate::assign(&all[one], &format!("u{n}")).in_experiment);
        assert_eq!(found.each_ref().map(Option::is_some), placed);
        assert!(placed[0] != placed[1], "a unit is in one of them");
        met[usize::from(placed[1])] += 1;
    }
    assert!(met[0] > 500 && met[0] < 700, "{met:?}");
}

#[test]
fn who_is_held_out_meets_nothing_that_began_or_was_shipped_since() {
    let shipped = |key: &str, flag: &str, at_ms| running(key, flag, value!({})).ship("new", at_ms).unwrap();
    let all = [running("a", "f", value!({})), shipped("early", "g", 4), holdout(5), shipped("late", "k", 6)];
    let payload = compiled(&all);
    let (mut held, mut free) = (0, 0);
    for n in 0..2_000 {
        let unit = unit(n);
        let placed = crate::assign(&all[2], unit["id"].as_str().unwrap());
        let is_held = placed.in_experiment && placed.variation == 0;
        held += u32::from(is_held);
        free += u32::from(placed.in_experiment && !is_held);
        assert_eq!(answer(&payload, "f", &unit).is_none(), is_held);
        assert_eq!(answer(&payload, "k", &unit), (!is_held).then(|| "new".into()));
        assert_eq!(answer(&payload, "g", &unit).as_deref(), Some("new"), "it was there before");
        // Both sides of the comparison are exposed to the holdout where they meet what it governs.
        let attributes = Json::try_from(&unit).unwrap();
        let mut evaluator = Evaluator::new(&payload, User::new(&attributes)).noting_exposures();
        evaluator.evaluate("k");
        let exposed = evaluator.take_exposures();
        let key = |exposure: &Exposure<'_>| match exposure {
            Exposure::Ran(view, result) => (view.experiment.key().to_owned(), result.variation),
            Exposure::Told(_) => panic!("nobody told it"),
        };
        let told: Vec<_> = exposed.iter().map(key).collect();
        let expected = placed.in_experiment.then(|| ("h".to_owned(), placed.variation));
        assert_eq!(told, Vec::from_iter(expected));
    }
    assert!((150..250).contains(&held) && (150..250).contains(&free), "{held} {free}");
}
