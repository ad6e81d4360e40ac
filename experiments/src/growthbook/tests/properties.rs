use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json as value};

use super::*;
use crate::definition;
use crate::hash::{bucket_ranges, choose_variation};

/// Any JSON, with the words of payloads strewn in.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "",
        "a",
        "id",
        "1",
        "$in",
        "$or",
        "$and",
        "$not",
        "$nor",
        "$savedGroup",
        "$regex",
        "$elemMatch",
        "$all",
        "$vgt",
        "value",
        "features",
        "rules",
        "force",
        "variations",
        "coverage",
        "weights",
        "ranges",
        "range",
        "condition",
        "meta",
        "key",
        "parentConditions",
        "filters",
        "namespace",
        "seed",
        "hashVersion",
        "hashAttribute",
        "experiments",
        "savedGroups",
        "type",
        "list",
        "urlPatterns",
        "pattern",
        "simple",
        "tracks",
        "contextualBandits",
        "contexts",
        "minBucketVersion",
        "(a+)+$",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![0.0, 0.5, 1.0, 2.0, -1.0]).prop_map(Value::from),
        words.clone().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let key = prop_oneof![4 => words.clone().prop_map(str::to_owned), 1 => ".{0,4}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn units() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9-]{1,20}", "\\PC{1,12}", ".{1,6}"]
}

fn definition(key: &str, coverage_bp: u32, weights_bp: &[u32]) -> definition::Experiment {
    let variation = |(index, weight): (usize, &u32)| value!({"key": format!("v{index}"), "weight_bp": weight, "value": index});
    let variations: Vec<Value> = weights_bp.iter().enumerate().map(variation).collect();
    definition::Experiment::parse_value(&value!({
        "schema_version": 1, "key": key, "name": key, "flag": "flag", "status": "running", "seed": format!("{key} é"),
        "coverage_bp": coverage_bp, "variations": variations,
    }))
    .unwrap()
}

/// Two to five weights that sum to the whole.
fn weights() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::btree_set(1..10_000_u32, 1..5).prop_map(|cuts| {
        let edges: Vec<u32> = std::iter::once(0).chain(cuts).chain([10_000]).collect();
        edges.windows(2).map(|pair| pair[1] - pair[0]).collect()
    })
}

fn unit(id: &str) -> Json {
    Json::try_from(&value!({"id": id})).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_payload_and_no_attributes_make_a_panic(
        features in prop::collection::btree_map("[fg]", any_json(), 0..3),
        rule in any_json(), experiment in any_json(), groups in any_json(), bandits in any_json(), attributes in any_json(), url in ".{0,20}",
    ) {
        let payload = value!({
            "features": {"f": {"rules": [rule, {"variations": [1, 2], "condition": rule, "parentConditions": [{"id": "g", "condition": rule}]}]},
                "g": features.get("g")},
            "experiments": [experiment], "savedGroups": groups, "contextualBandits": bandits,
        });
        for payload in [payload, rule] {
            let payload = Json::try_from(&payload).unwrap();
            let Ok(payload) = Payload::compile(payload) else { continue };
            let attributes = Json::try_from(&attributes).unwrap();
            let user = User { url: &url, ..User::new(&attributes) };
            let documents = BTreeMap::new();
            let mut evaluator = Evaluator::new(&payload, user).with_sticky_buckets(&documents).noting_exposures();
            let first = serde_json::to_string(&evaluator.evaluate("f")).unwrap();
            // The same question has the same answer, whatever was asked in between.
            evaluator.run_page(&["a"]);
            let fresh = Evaluator::new(&payload, user).with_sticky_buckets(&documents).evaluate("f");
            prop_assert_eq!(serde_json::to_string(&fresh).unwrap(), first);
            super::super::remote::reduce(evaluator);
        }
    }

    #[test]
    fn any_door_gives_a_unit_the_same_variation(
        one in (1..10_001_u32, weights()), other in (0..10_001_u32, weights()), ids in prop::collection::vec(units(), 40),
        shipped in prop::option::of(0..2_usize),
    ) {
        let mut experiments = vec![definition("one", one.0, &one.1), definition("other", other.0, &other.1)];
        // What was shipped stands in front, and holds for whom no experiment includes.
        if let Some(index) = shipped {
            experiments.insert(0, definition("before", 100, &[5_000, 5_000]).ship(&format!("v{index}"), 7).unwrap());
        }
        let payload = Payload::compile(export::payload(&experiments, "2026-11-29").into()).unwrap();
        prop_assert_eq!(payload.problems(), &[]);
        for id in ids {
            let placed = experiments.iter().find_map(|experiment| {
                let placed = crate::assign(experiment, &id);
                placed.in_experiment.then(|| (experiment.key(), placed.variation))
            });
            let attributes = unit(&id);
            let theirs = Evaluator::new(&payload, User::new(&attributes)).evaluate("flag");
            let expected = placed.map(|(_, variation)| value!(variation)).or(shipped.map(|index| value!(index)));
            prop_assert_eq!(theirs.value.to_value(), expected.unwrap_or(Value::Null));
            let exposed = theirs.experiment.map(|(view, result)| (view.experiment.key(), result.variation));
            prop_assert_eq!(placed, exposed);
        }
    }

    #[test]
    fn raising_coverage_only_adds_units(
        weights in weights(), coverages in prop::array::uniform2(0..10_001_u32), ids in prop::collection::vec(units(), 40),
    ) {
        let (low, high) = (coverages[0].min(coverages[1]), coverages[0].max(coverages[1]));
        let [low, high] = [low, high].map(|coverage| {
            Payload::compile(export::payload(&[definition("e", coverage, &weights)], "").into()).unwrap()
        });
        for id in ids {
            let attributes = unit(&id);
            let of = |payload| Evaluator::new(payload, User::new(&attributes)).evaluate("flag").value.to_string();
            let (before, after) = (of(&low), of(&high));
            prop_assert!(before == "null" || before == after, "{id}: {before} {after}");
        }
    }

    #[test]
    fn ranges_of_the_whole_leave_no_gap_and_do_not_overlap(weights in weights(), place in 0..10_000_u32) {
        let shares: Vec<f64> = weights.iter().map(|weight| f64::from(*weight) / 10_000.0).collect();
        let ranges = bucket_ranges(shares.len(), 1.0, Some(&shares));
        prop_assert!(ranges[0].start == 0.0 && (ranges[ranges.len() - 1].end - 1.0).abs() < 1e-9);
        prop_assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        let place = f64::from(place) / 10_000.0;
        prop_assert_eq!(ranges.iter().filter(|range| range.contains(place)).count(), choose_variation(place, &ranges).map_or(0, |_| 1));
    }
}

#[test]
fn a_hundred_thousand_units_split_as_the_weights_say() {
    let rule = r#"{"key": "e", "hashVersion": 2, "variations": [0, 1, 2], "weights": [0.2, 0.3, 0.5], "coverage": 0.8}"#;
    let payload = with_rules(rule);
    let mut counts = [0_u32; 4];
    for i in 0..100_000 {
        let attributes = unit(&format!("visitor-{i}"));
        let result = Evaluator::new(&payload, User::new(&attributes)).evaluate("f");
        counts[result.experiment.map_or(3, |(_, result)| result.variation)] += 1;
    }
    // Five standard deviations of a binomial of 100,000 are at most 791.
    for (count, expected) in counts.into_iter().zip([16_000, 24_000, 40_000, 20_000_u32]) {
        assert!(count.abs_diff(expected) < 791, "{counts:?}");
    }
}
