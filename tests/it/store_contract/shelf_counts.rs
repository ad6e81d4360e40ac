//! What is derived from the events about shelves.

use std::collections::BTreeSet;

use cart_core::VisitorId;
use web::store::{ShelfClick, ShelfCount, ShelfDuel, ShelfStep, StoreError};

use super::subject::{NOW_MS, Subject};

fn click(unit: &str, sku: &str, at_ms: i64) -> ShelfClick {
    ShelfClick {
        unit: VisitorId::parse(unit).unwrap(),
        sku: sku.into(),
        shelf: "popular".into(),
        algorithm: "pairs".into(),
        at_ms,
        is_added: false,
        is_ordered: false,
    }
}

fn duel(showing: &str, clicks: u64) -> ShelfDuel {
    ShelfDuel { showing: showing.into(), clicks, clicks_against: 1, at_ms: NOW_MS }
}

fn count(what: &str, of: &str) -> ShelfCount {
    ShelfCount { shelf: "popular".into(), algorithm: "pairs".into(), what: what.into(), of: of.into() }
}

pub async fn counts_of_shelves_add_up_by_days(subject: Subject) {
    let store = &subject.store;
    let step = |from, to| ShelfStep {
        from,
        to,
        clicks: vec![click("a", "X", NOW_MS), click("b", "X", NOW_MS)],
        duels: vec![duel("s1", 1)],
        counts: [
            ((7, count("seen", "X")), 2),
            ((8, count("seen", "X")), 3),
            ((8, count("wins", "popular")), 1),
        ]
        .into(),
        forget_before_ms: NOW_MS,
        ..ShelfStep::default()
    };
    store.save_shelf_step(&step(0, 1)).await.unwrap();
    let refused = store.save_shelf_step(&step(0, 1)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(store.cursor("shelves").await.unwrap(), 1);
    let all = store.shelf_counts(0, 100).await.unwrap();
    assert_eq!(all, [(count("seen", "X"), 5), (count("wins", "popular"), 1)].into());
    assert_eq!(store.shelf_counts(7, 7).await.unwrap(), [(count("seen", "X"), 2)].into());

    // The clicks of one become another's; what is old is forgotten; counts may fall.
    let units =
        |names: &[&str]| names.iter().map(|name| VisitorId::parse(name).unwrap()).collect::<BTreeSet<_>>();
    let next = ShelfStep {
        from: 1,
        to: 2,
        clicks: vec![ShelfClick { is_added: true, ..click("b", "X", NOW_MS + 5) }, click("u", "X", NOW_MS)],
        gone: units(&["a"]),
        duels: vec![duel("s1", 2), duel("s2", 0)],
        counts: [((8, count("wins", "popular")), -1)].into(),
        forget_before_ms: NOW_MS + 1,
    };
    store.save_shelf_step(&next).await.unwrap();
    let clicks = store.shelf_clicks(&units(&["a", "b", "u"])).await.unwrap();
    assert_eq!(clicks, [next.clicks[0].clone()], "the unit's are too old");
    let showings = ["s1".to_owned(), "s2".to_owned(), "s3".to_owned()].into();
    assert_eq!(store.shelf_duels(&showings).await.unwrap(), []);
    assert_eq!(
        store.shelf_counts(8, 8).await.unwrap().get(&count("wins", "popular")).copied().unwrap_or(0),
        0
    );
    store.reset_shelf_counts().await.unwrap();
    assert_eq!(store.shelf_counts(0, 100).await.unwrap(), [].into());
    assert_eq!(store.cursor("shelves").await.unwrap(), 0);
}
