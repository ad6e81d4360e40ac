//! Definitions and exposures.

use web::store::{Exposure, StoreError, StoredExperiment, StoredFeatures, TrackedEvent};

use super::{
    subject::{NOW_MS, Subject, visitor},
    till::{Till, open},
};

fn definition(key: &str, text: &str) -> StoredExperiment {
    StoredExperiment {
        key: key.into(),
        revision: 0,
        definition: text.into(),
        saved_at_ms: NOW_MS,
        saved_by: "ann".into(),
        reason: format!("because of {text}"),
    }
}

pub async fn a_definition_is_saved_over_the_revision_that_was_read(subject: Subject) {
    let save = async |text: &str, expected| {
        subject.store.save_definition(&definition("blue", text), expected).await.map_err(|e| match e {
            StoreError::Conflict(_) => "conflict",
            other => panic!("{other}"),
        })
    };
    assert_eq!(save("{}", Some(1)).await, Err("conflict"));
    assert_eq!(save(r#"{"n":1}"#, None).await, Ok(1));
    assert_eq!(save("{}", None).await, Err("conflict"));
    assert_eq!(save(r#"{"n":2}"#, Some(1)).await, Ok(2));
    assert_eq!(save("{}", Some(1)).await, Err("conflict"));
    assert_eq!(save(r#"{"n":3}"#, Some(2)).await, Ok(3));
    let stored = subject.store.definitions(0).await.unwrap().unwrap().experiments;
    assert_eq!((stored.len(), stored[0].revision, stored[0].saved_at_ms), (1, 3, NOW_MS));
    assert_eq!(value(&stored[0].definition), serde_json::json!({"n": 3}));
    let history = subject.store.history("blue").await.unwrap();
    let told: Vec<_> = history.iter().map(|e| (e.revision, value(&e.definition)["n"].as_i64())).collect();
    assert_eq!(told, [(1, Some(1)), (2, Some(2)), (3, Some(3))]);
    assert!(
        history.iter().all(|e| e.saved_by == "ann" && e.reason.starts_with("because of {\"n\"")),
        "{history:?}"
    );
    assert_eq!(stored[0].reason, r#"because of {"n":3}"#);
    assert_eq!(subject.store.history("none").await.unwrap(), []);
}

pub async fn one_of_many_savers_wins(subject: Subject) {
    for expected in [None, Some(1), Some(2)] {
        let savers = (0..8).map(|n| {
            let store = subject.store.clone();
            tokio::spawn(async move {
                let text = format!(r#"{{"saver":{n}}}"#);
                match store.save_definition(&definition("blue", &text), expected).await {
                    Ok(revision) => Some((n, revision)),
                    Err(StoreError::Conflict(_)) => None,
                    Err(other) => panic!("{other}"),
                }
            })
        });
        let mut winners = vec![];
        for saver in savers.collect::<Vec<_>>() {
            winners.extend(saver.await.unwrap());
        }
        let [(winner, revision)] = winners[..] else { panic!("{winners:?}") };
        assert_eq!(revision, expected.unwrap_or(0) + 1);
        let stored = subject.store.definitions(0).await.unwrap().unwrap().experiments;
        assert_eq!(value(&stored[0].definition), serde_json::json!({"saver": winner}));
    }
}

pub async fn definitions_are_sent_where_their_revision_is_new(subject: Subject) {
    assert!(subject.store.definitions(0).await.unwrap().is_none(), "without definitions the revision is 0");
    for key in ["b", "a"] {
        subject.store.save_definition(&definition(key, "{}"), None).await.unwrap();
    }
    let first = subject.store.definitions(0).await.unwrap().unwrap();
    assert_eq!(first.experiments.iter().map(|e| e.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(subject.store.definitions(first.revision).await.unwrap().is_none());
    subject.store.save_definition(&definition("a", "{}"), None).await.unwrap_err();
    assert!(subject.store.definitions(first.revision).await.unwrap().is_none(), "nothing changed");
    subject.store.save_definition(&definition("a", "{}"), Some(1)).await.unwrap();
    assert!(subject.store.definitions(first.revision).await.unwrap().unwrap().revision > first.revision);
}

pub async fn imported_features_come_with_the_definitions(subject: Subject) {
    let features =
        |text: &str, after_ms| StoredFeatures { text: text.into(), saved_at_ms: NOW_MS + after_ms };
    // Beyond what a database keeps in a row's own page, and with what JSON and SQL both escape.
    let large = format!(r#"{{"features": {{"f": {{"defaultValue": "{}é'\""}}}}}}"#, "x".repeat(3_000_000));
    subject.store.put_features(&features(&large, 0)).await.unwrap();
    let first = subject.store.definitions(0).await.unwrap().unwrap();
    assert_eq!((first.experiments.len(), first.features), (0, Some(features(&large, 0))));
    assert!(subject.store.definitions(first.revision).await.unwrap().is_none());

    subject.store.save_definition(&definition("a", "{}"), None).await.unwrap();
    subject.store.put_features(&features("{}", 1)).await.unwrap();
    let second = subject.store.definitions(first.revision).await.unwrap().unwrap();
    assert!(second.revision > first.revision);
    assert_eq!(
        (second.experiments.len(), second.features),
        (1, Some(features("{}", 1))),
        "in place of those before"
    );

    // Whoever writes at once with others is last or is written over; everybody moves the revision.
    let writers = (0..8).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            store.put_features(&features(&n.to_string(), n)).await.unwrap();
            store.save_definition(&definition(&format!("of-{n}"), "{}"), None).await.unwrap();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let last = subject.store.definitions(second.revision).await.unwrap().unwrap();
    assert_eq!((last.revision, last.experiments.len()), (second.revision + 16, 9));
}

fn exposure(experiment: &str, unit: &str, variation: u32, at_ms: i64) -> Exposure {
    let attributes = serde_json::Map::new();
    Exposure { experiment: experiment.into(), variation, unit: visitor(unit), at_ms, attributes }
}

pub async fn a_unit_is_exposed_once(subject: Subject) {
    let tasks = (0..8).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            let units = (0..10).map(|u| exposure("blue", &format!("u{u}"), n, NOW_MS + i64::from(n)));
            store.expose(&units.collect::<Vec<_>>()).await.unwrap()
        })
    });
    let mut new = vec![];
    for task in tasks.collect::<Vec<_>>() {
        new.extend(task.await.unwrap());
    }
    assert_eq!(new.len(), 10);
    let again = exposure("blue", "u1", 0, NOW_MS);
    assert_eq!(subject.store.expose(&[again, exposure("red", "u1", 1, NOW_MS)]).await.unwrap().len(), 1);
    let twice = [exposure("red", "u2", 1, NOW_MS), exposure("red", "u2", 0, NOW_MS)];
    assert_eq!(subject.store.expose(&twice).await.unwrap(), twice[..1]);
    assert_eq!(subject.store.expose(&[]).await.unwrap(), []);

    let events = subject.events().await;
    assert_eq!(events.len(), 12);
    for event in &events[..10] {
        let met = new.iter().find(|e| e.unit == event.unit).unwrap();
        assert_eq!((event.kind.as_str(), &event.cart, event.at_ms), ("exposure_logged", &None, met.at_ms));
        let data = serde_json::json!({"experiment": "blue", "variation": met.variation});
        assert_eq!(value(event.data.get()), data);
    }
}

pub async fn an_exposure_tells_its_attributes(subject: Subject) {
    let mut seen = exposure("blue", "ann", 1, NOW_MS);
    seen.attributes.insert("device".into(), "phone".into());
    assert_eq!(subject.store.expose(std::slice::from_ref(&seen)).await.unwrap(), [seen]);
    let data = serde_json::json!({"experiment": "blue", "variation": 1, "attributes": {"device": "phone"}});
    assert_eq!(value(subject.events().await[0].data.get()), data);
}

fn tracked(id: Option<u128>, unit: &str, at_ms: i64) -> TrackedEvent {
    let data = serde_json::json!({"name": "page_timed", "value": at_ms - NOW_MS}).to_string();
    TrackedEvent {
        kind: "event_tracked",
        id: id.map(uuid::Uuid::from_u128),
        unit: visitor(unit),
        at_ms,
        data,
    }
}

pub async fn a_tracked_event_is_logged_once_by_its_id(subject: Subject) {
    let track = async |events: &[TrackedEvent]| subject.store.track(events).await.unwrap();
    let first = [
        tracked(Some(1), "ann", NOW_MS),
        tracked(None, "bob", NOW_MS + 1),
        tracked(Some(1), "ann", NOW_MS + 2),
    ];
    assert_eq!(track(&first).await, 2, "an id that stands twice is one");
    assert_eq!(track(&first).await, 1, "without an id nobody knows");
    assert_eq!(track(&[]).await, 0);
    let tasks = (0..8).map(|n| {
        let store = subject.store.clone();
        let mut events: Vec<_> = (10..20).map(|id| tracked(Some(id), "eve", NOW_MS + n)).collect();
        if n % 2 == 0 {
            events.reverse();
        }
        tokio::spawn(async move { store.track(&events).await.unwrap() })
    });
    let mut new = 0;
    for task in tasks.collect::<Vec<_>>() {
        new += task.await.unwrap();
    }
    assert_eq!(new, 10, "who logs at once logs each once");
    let events = subject.events().await;
    assert_eq!(events.len(), 13);
    assert!(events.iter().all(|e| e.kind == "event_tracked" && e.cart.is_none()));
    let second = (events[1].unit.as_str(), events[1].at_ms, value(events[1].data.get())["value"].as_i64());
    assert_eq!(second, ("bob", NOW_MS + 1, Some(1)));

    assert_eq!(subject.store.forget_tracked(NOW_MS).await.unwrap(), 0);
    assert!(subject.store.forget_tracked(NOW_MS + 1).await.unwrap() >= 1);
    assert_eq!(track(&first[..1]).await, 1, "what is forgotten is new");
}

pub async fn a_turn_exposes_before_what_follows(subject: Subject) {
    let known = exposure("blue", "ann", 0, NOW_MS);
    subject.store.expose(std::slice::from_ref(&known)).await.unwrap();
    let new = exposure("red", "ann", 1, NOW_MS);
    let till = Till::exposing(vec![open("c", "ann")], vec![known, new.clone()]);
    let outcome = subject.store.turn(till.wants(), Box::new(till)).await.unwrap();
    assert_eq!(outcome.exposed, [new]);
    let kinds: Vec<_> = subject.events().await.into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, ["exposure_logged", "exposure_logged", "cart_opened"]);
}

fn value(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}
