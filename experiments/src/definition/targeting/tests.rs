//! What is let in and what is refused.

use serde_json::json;

use super::*;
use crate::definition::Experiment;

fn with(targeting: &Value) -> Result<Experiment, String> {
    Experiment::parse_value(&json!({
        "schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running", "targeting": targeting,
        "variations": [{"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}],
    }))
    .map_err(|error| error.to_string())
}

#[test]
fn what_makes_no_sense_is_refused_with_how_to_mend_it() {
    for (targeting, why) in [
        (json!({"condition": []}), "condition is no object: write"),
        (json!({"condition": {"device": {"$is": "phone"}}}), "condition at `device.$is`"),
        (json!({"condition": {"device": {"$regex": "("}}}), "condition at `device.$regex`"),
        (
            json!({"condition": {"device": "x".repeat(9_000)}}),
            "the most allowed is 8192: put long lists into",
        ),
        (json!({"layer": {"key": "l", "from_bp": 500, "to_bp": 500}}), "layer `l` is empty from 500 to 500"),
        (
            json!({"layer": {"key": "l", "from_bp": 0, "to_bp": 10_010}}),
            "layer `l` ends at 10010, the most is 10000",
        ),
        (json!({"layer": {"key": "l", "from_bp": 5, "to_bp": 100}}), "choose multiples of 10 basis points"),
        (json!({"layer": {"key": "a b", "from_bp": 0, "to_bp": 100}}), "layer `a b` is not a key"),
        (json!({"prerequisites": [{"flag": "f", "value": 1}]}), "which the experiment decides itself"),
        (json!({"prerequisites": [{"flag": "", "value": 1}]}), "name no flag in place 1"),
        (
            json!({"prerequisites": [{"flag": "g", "value": 1}, {"flag": "g", "value": 1}]}),
            "ask twice for the same of `g`",
        ),
        (
            json!({"prerequisites": (0..11).map(|n| json!({"flag": "g", "value": n})).collect::<Vec<_>>()}),
            "name 11 flags, the most allowed is 10",
        ),
        (json!({"what": 1}), "unknown field `what`"),
    ] {
        let error = with(&targeting).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn what_is_asked_for_is_found_wherever_it_stands() {
    let condition = json!({
        "$or": [{"device": "phone"}, {"$not": {"address.city": {"$in": ["Wien"]}}}],
        "id": {"$inGroup": "staff"}, "$savedGroup": {"id": "vips"},
    });
    let experiment = with(&json!({"condition": condition})).unwrap();
    let names = |found: BTreeSet<String>| found.into_iter().collect::<Vec<_>>();
    assert_eq!(names(experiment.targeting().attributes()), ["address", "device", "id"]);
    assert_eq!(names(experiment.targeting().groups()), ["staff", "vips"]);
    assert_eq!(
        Experiment::parse_value(&experiment.to_value()).unwrap(),
        experiment,
        "it is written as it is read"
    );
}

#[test]
fn parts_of_a_layer_share_no_unit() {
    let layer = |from_bp, to_bp| Layer { key: "l".into(), from_bp, to_bp };
    let (low, high) = (layer(0, 4_000), layer(4_000, 10_000));
    assert!(
        !low.overlaps(&high)
            && layer(0, 4_010).overlaps(&high)
            && !Layer { key: "m".into(), ..high.clone() }.overlaps(&high)
    );
    let units = || (0..4_000).map(|unit| unit.to_string());
    assert!(units().all(|unit| low.holds(&unit) != high.holds(&unit)));
    let held = units().filter(|unit| low.holds(unit)).count();
    assert!((1_450..1_750).contains(&held), "{held} of 4000 lie in 40 %");
}
