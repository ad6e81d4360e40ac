//! The reader on a store: late metrics are counted as if they had been there.

use std::collections::BTreeMap;

use experiments::{ArmSums, Experiment};
use serde_json::json;

use super::*;
use crate::{
    catalogue::CatalogueCell,
    store::{
        ExperimentStore, Exposure, LATE, LookRow, OutboxStore, RollUpStore, SHARED, StoredExperiment,
        TRACKED, TrackedEvent, UnitRow, memory::MemoryStore,
    },
};

const LATE_METRICS: [&str; 3] = ["orders", "page_latency", "time_to_order"];
/// Visitors, some of which turn out to be one person.
const VISITORS: u64 = 701;

fn experiment(key: &str, metrics: &[&str]) -> Experiment {
    let definition = json!({
        "schema_version": 1, "key": key, "name": key, "flag": "checkout_workflow", "status": "running",
        "primary_metric": "conversion", "metrics": metrics,
        "variations": [
            {"key": "a", "weight_bp": 5000, "value": "classic"}, {"key": "b", "weight_bp": 5000, "value": "express"},
        ],
    });
    Experiment::parse_value(&definition).unwrap()
}

async fn save(store: &MemoryStore, experiment: &Experiment, expected: Option<u64>) {
    let row = StoredExperiment {
        key: experiment.key().to_owned(),
        revision: expected.unwrap_or(0) + 1,
        definition: experiment.to_value().to_string(),
        saved_at_ms: 1,
        saved_by: "ann".into(),
        reason: "forgotten".into(),
    };
    store.save_definition(&row, expected).await.unwrap();
}

fn visitor(number: u64) -> VisitorId {
    format!("v-{number}").parse().unwrap()
}

/// What happens at a moment of the story, an hour after the one before.
async fn happen(store: &MemoryStore, moment: u64) {
    let at_ms = moment as i64 * 3_600_000;
    let unit = visitor(moment * 37 % VISITORS);
    let event = |kind: &'static str, data: serde_json::Value| TrackedEvent {
        kind,
        id: None,
        unit: unit.clone(),
        at_ms,
        data: data.to_string(),
    };
    match moment % 4 {
        0 | 1 => {
            let device = ["phone", "desktop"][moment as usize % 3 / 2];
            let exposure = |experiment: &str| Exposure {
                experiment: experiment.into(),
                variation: u32::try_from(moment / 4 % 2).unwrap(),
                unit: unit.clone(),
                at_ms,
                attributes: json!({"device": device}).as_object().unwrap().clone(),
            };
            store.expose(&["bare", "whole"].map(exposure)).await.unwrap();
        }
        2 => {
            let order = json!({"source": "shop", "total_minor": 700, "lines": []});
            store.track(&[event("order_placed", order)]).await.unwrap();
        }
        _ if moment % 28 == 3 => {
            let known = TrackedEvent::known(&unit, &visitor(moment % VISITORS), at_ms);
            store.track(&[known]).await.unwrap();
        }
        _ => {
            let timed = json!({"name": "page_timed", "value": moment % 900});
            store.track(&[event(TRACKED, timed)]).await.unwrap();
        }
    }
}

/// Lets a reader take a step, as it does in a server; reports whether there was something to do.
async fn step(store: &MemoryStore, reader: &mut RollUps) -> bool {
    let from = store.cursor(readers::ROLLUPS).await.unwrap();
    let events = store.outbox_after(from, 300).await.unwrap();
    if !events.is_empty() {
        reader.take(store, from, &events).await.unwrap();
    }
    reader.rest(store).await.unwrap();
    let cursor = store.cursor(readers::ROLLUPS).await.unwrap();
    let rows = store.rolled_up().await.unwrap().experiments;
    !events.is_empty() || rows.iter().any(|row| row.position.is_some_and(|position| position < cursor))
}

/// All that is rolled up.
async fn rows(store: &MemoryStore) -> (RolledUp, Vec<LookRow>, Vec<UnitRow>) {
    let rolled = store.rolled_up().await.unwrap();
    let mut looks = vec![];
    for row in &rolled.experiments {
        looks.extend(store.looks(&row.experiment).await.unwrap());
    }
    let units = store.units(&(0..VISITORS).map(visitor).collect()).await.unwrap();
    (rolled, looks, units)
}

#[tokio::test]
async fn a_late_metric_has_the_numbers_that_it_would_have_had_from_the_start() {
    let store = MemoryStore::new();
    let (definitions, metrics) = (
        Arc::new(DefinitionsCell::default()),
        Arc::new(ExperimentMetrics::new(Arc::<CatalogueCell>::default())),
    );
    let start = || RollUps::new(definitions.clone(), metrics.clone());
    let bare = experiment("bare", &["add_to_cart"]);
    save(&store, &bare, None).await;
    save(&store, &experiment("whole", &[&["add_to_cart"][..], &LATE_METRICS].concat()), None).await;
    let mut reader = start();
    for moment in 1..6_000 {
        happen(&store, moment).await;
    }
    while step(&store, &mut reader).await {}
    let before = rows(&store).await;
    assert!(before.1.len() > 2 && before.0.arms.iter().any(|arm| arm.segment == CROSSED));

    let late = LATE_METRICS.iter().fold(bare, |more, metric| more.adding(metric, 5).unwrap());
    save(&store, &late, Some(1)).await;
    definitions.refresh(&store).await.unwrap();
    assert!(step(&store, &mut reader).await, "more than one step is behind");
    let is_planned = |arm: &&ArmRow| !arm.experiment.contains(LATE);
    let now = store.rolled_up().await.unwrap();
    assert!(now.arms.iter().filter(is_planned).eq(&before.0.arms), "the other numbers stay meanwhile");
    // It goes on while more happens, and another process takes over.
    for moment in 6_000..6_060 {
        happen(&store, moment).await;
        step(&store, &mut reader).await;
        if moment % 20 == 2 {
            reader = start();
        }
    }
    while step(&store, &mut reader).await {}
    let found = rows(&store).await;
    assert!(found.0.experiments.iter().all(|row| row.position.is_none()), "it goes along");
    store.reset_roll_ups().await.unwrap();
    while step(&store, &mut reader).await {}
    assert_eq!(rows(&store).await, found, "made again from the beginning");

    let arms: BTreeMap<(String, String, u32), ArmSums> = (found.0.arms.iter())
        .map(|row| {
            ((row.experiment.clone(), row.segment.clone(), row.variation), ArmSums::parse(&row.sums).unwrap())
        })
        .collect();
    let of_whole =
        arms.iter().filter(|((key, segment, _), _)| key == "whole" && !segment.starts_with([SHARED, '(']));
    let mut compared = 0;
    for ((_, segment, variation), whole) in of_whole {
        let of = |key: String| arms[&(key, segment.clone(), *variation)].clone();
        let beside = |(place, sums): (usize, ArmSums), metric: &&str| {
            (place + 1, sums.beside(place, of(late_key("bare", metric))))
        };
        let (_, together) = LATE_METRICS.iter().fold((2, of("bare".into())), beside);
        assert_eq!(&together, whole, "{segment}");
        compared += 1;
    }
    assert!(compared > 100, "{compared} segments");
}
