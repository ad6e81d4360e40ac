//! The outbox, read by position while others write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use web::store::{Exposure, OutboxEvent, Place, Store, TrackedEvent};

use super::{
    orders::imported,
    subject::{NOW_MS, Subject, cart_id, turn, visitor},
    till::{add, open},
};

const WRITERS: usize = 8;
const ROUNDS: usize = 20;

pub async fn every_event_is_seen_once_while_others_write(subject: Subject) {
    subject.stock_up(&[("MUG", 10_000)]).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn(read_on(subject.store.clone(), is_over.clone()));
    let looking = tokio::spawn(look_on(subject.store.clone(), is_over.clone()));
    let writers = (0..WRITERS).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            let cart = format!("c{n}");
            turn(&*store, vec![open(&cart, "ann")]).await.unwrap();
            for round in 0..ROUNDS {
                let name = format!("{n}-{round}");
                turn(&*store, vec![add(&cart, "MUG", 1), add(&cart, "MUG", 1)]).await.unwrap();
                let unit = visitor(&name);
                let attributes = serde_json::Map::new();
                let exposure =
                    Exposure { experiment: "blue".into(), variation: 0, unit, at_ms: NOW_MS, attributes };
                store.expose(&[exposure]).await.unwrap();
                store.import_orders(&[imported(&name, "bob", NOW_MS)]).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    subject.settle().await;
    is_over.store(true, Ordering::SeqCst);
    let (seen, looked) = (reading.await.unwrap(), looking.await.unwrap());

    assert!(seen.is_sorted_by(|a, b| a.position < b.position), "positions grow");
    let ids: BTreeSet<_> = seen.iter().map(|e| e.id).collect();
    assert_eq!((ids.len(), seen.len()), (WRITERS * (1 + ROUNDS * 4), WRITERS * (1 + ROUNDS * 4)));
    let added: Vec<_> = seen.iter().filter(|e| e.kind == "line_added").map(|e| e.id).collect();
    assert_eq!(looked, added, "who looks for some types misses none");
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for event in &seen {
        *kinds.entry(&event.kind).or_default() += 1;
    }
    let expected = [
        ("cart_opened", 1),
        ("exposure_logged", ROUNDS),
        ("line_added", 2 * ROUNDS),
        ("order_placed", ROUNDS),
    ];
    assert_eq!(kinds, expected.map(|(kind, count)| (kind, WRITERS * count)).into());
    for n in 0..WRITERS {
        let of_cart = seen.iter().filter(|e| e.cart == Some(cart_id(&format!("c{n}"))));
        let versions: Vec<_> = of_cart.map(|e| e.data.get().replace(' ', "")).collect();
        let expected: Vec<_> = (1..=1 + 2 * ROUNDS).map(|v| format!(r#"{{"version":{v}}}"#)).collect();
        assert_eq!(versions, expected, "a cart's events stand in their order");
    }
    let all: Vec<_> = subject.events().await.iter().map(|e| e.id).collect();
    assert_eq!(seen.iter().map(|e| e.id).collect::<Vec<_>>(), all);
}

/// Reads by position until the writers have ended and nothing is left.
async fn read_on(store: Arc<dyn Store>, is_over: Arc<AtomicBool>) -> Vec<OutboxEvent> {
    let mut seen: Vec<OutboxEvent> = vec![];
    loop {
        let was_over = is_over.load(Ordering::SeqCst);
        let position = seen.last().map_or(0, |e| e.position);
        let events = store.outbox_after(position, 7).await.unwrap();
        assert!(events.len() <= 7);
        if was_over && events.is_empty() {
            return seen;
        }
        seen.extend(events);
    }
}

/// Looks through the events for one type until the writers have ended and nothing is left.
async fn look_on(store: Arc<dyn Store>, is_over: Arc<AtomicBool>) -> Vec<uuid::Uuid> {
    let (mut seen, mut position) = (vec![], 0);
    loop {
        let was_over = is_over.load(Ordering::SeqCst);
        let (events, looked) = store.outbox_through(&["line_added"], position, 5, 3).await.unwrap();
        assert!(events.len() <= 3 && looked >= position);
        if was_over && store.outbox_after(position, 1).await.unwrap().is_empty() {
            return seen;
        }
        seen.extend(events.into_iter().map(|event| event.id));
        position = looked;
    }
}

pub async fn cursors_remember_and_lag_is_counted(subject: Subject) {
    let store = &subject.store;
    assert_eq!(store.cursor("files").await.unwrap(), 0);
    assert_eq!(store.outbox_lag("files", 10).await.unwrap(), 0);
    for n in 0..5 {
        subject.ask(open(&format!("c{n}"), "ann")).await;
    }
    let events = subject.events().await;
    assert_eq!(store.outbox_lag("files", 10).await.unwrap(), 5);
    assert_eq!(store.outbox_lag("files", 3).await.unwrap(), 3);
    store.set_cursor("files", events[2].position).await.unwrap();
    assert_eq!(store.cursor("files").await.unwrap(), events[2].position);
    assert_eq!(store.cursor("rollups").await.unwrap(), 0, "readers do not share a cursor");
    assert_eq!(store.outbox_lag("files", 10).await.unwrap(), 2);
    let rest = store.outbox_after(events[2].position, 10).await.unwrap();
    assert_eq!(rest.iter().map(|e| e.id).collect::<Vec<_>>(), [events[3].id, events[4].id]);
    store.set_cursor("files", events[4].position).await.unwrap();
    assert_eq!(store.outbox_lag("files", 10).await.unwrap(), 0);
    assert!(store.outbox_after(u64::MAX, 10).await.unwrap().is_empty());
}

pub async fn a_lease_is_held_by_one_process_until_it_ends(subject: Subject) {
    let lease = async |reader, process, now_ms, until_ms| {
        subject.store.lease(reader, process, now_ms, until_ms).await.unwrap()
    };
    assert!(lease("files", "a", 0, 10).await);
    assert!(!lease("files", "b", 9, 19).await);
    assert!(lease("rollups", "b", 9, 19).await, "readers do not share a lease");
    assert!(lease("files", "a", 9, 19).await, "the holder renews it");
    assert!(!lease("files", "b", 18, 28).await);
    assert!(lease("files", "b", 19, 29).await, "it has ended");
    assert!(!lease("files", "a", 20, 30).await);
}

pub async fn events_of_some_types_are_read_and_the_rest_is_passed(subject: Subject) {
    let store = &subject.store;
    let (nothing, begin) = store.outbox_of(&["product_viewed"], Place::default(), 10).await.unwrap();
    assert!(nothing.is_empty());
    assert_eq!(store.outbox_before(10).await.unwrap(), 0);
    let viewed = |name: &str| {
        TrackedEvent::viewed(&visitor(name), &cart_core::Sku::parse("MUG").unwrap(), "page", NOW_MS)
    };
    store.track(&[viewed("a"), viewed("b")]).await.unwrap();
    subject.ask(open("c", "ann")).await;
    store.track(&[viewed("c")]).await.unwrap();
    let all = subject.events().await;
    let kinds: Vec<&str> = all.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["product_viewed", "product_viewed", "cart_opened", "product_viewed"]);
    assert_eq!(all[0].data.get().replace(' ', ""), r#"{"sku":"MUG","source":"page"}"#);

    let units = |events: &[OutboxEvent]| events.iter().map(|e| e.unit.to_string()).collect::<Vec<_>>();
    let (first, place) = store.outbox_of(&["product_viewed"], begin, 2).await.unwrap();
    assert_eq!((units(&first), place.settled), (vec!["a".into(), "b".into()], all[1].position));
    let (rest, place) = store.outbox_of(&["product_viewed"], place, 2).await.unwrap();
    assert_eq!(units(&rest), ["c"]);
    assert!(place.settled >= all[3].position, "what was looked through is passed");
    let through = async |kinds: &[&str], after, most, limit| {
        let (events, looked) = store.outbox_through(kinds, after, most, limit).await.unwrap();
        (units(&events), looked)
    };
    let views = &["product_viewed"][..];
    assert_eq!(through(views, 0, 9, 2).await, (vec!["a".into(), "b".into()], all[1].position));
    assert_eq!(
        through(views, all[1].position, 1, 2).await,
        (vec![], all[2].position),
        "what is no view is passed"
    );
    assert_eq!(through(views, 0, 3, 9).await, (vec!["a".into(), "b".into()], all[2].position));
    assert_eq!(through(views, 0, 4, 9).await, (vec!["a".into(), "b".into(), "c".into()], all[3].position));
    let (rest, end) = through(views, all[1].position, 9, 9).await;
    assert!(rest == ["c"] && end >= all[3].position, "{rest:?} {end}");
    let (none, looked) = through(&["order_placed"], 0, 9, 9).await;
    assert!(none.is_empty() && looked >= all[3].position, "where nothing counts all is passed");
    let (none, later) = through(views, looked, 9, 9).await;
    assert!(none.is_empty() && later >= looked, "nobody goes back");
    let (opened, other) = store.outbox_of(&["cart_opened"], begin, 10).await.unwrap();
    assert!(opened.len() == 1 && other.settled >= all[3].position);
    let (none, later) = store.outbox_of(&["product_viewed", "cart_opened"], place, 2).await.unwrap();
    assert!(none.is_empty() && later.settled >= place.settled, "nobody goes back");

    assert_eq!(store.outbox_before(1).await.unwrap(), all[2].position);
    assert_eq!(store.outbox_before(3).await.unwrap(), all[0].position);
    assert_eq!(store.outbox_before(4).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_past_a_transaction_under_way() {
    let subject = Subject::postgres().await;
    let (client, connection) =
        tokio_postgres::connect(&subject.url().unwrap(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let begin = "BEGIN; INSERT INTO outbox (position, id, at_ms, kind, unit, data)
        SELECT value + (pg_current_xact_id()::text::bigint << 20), gen_random_uuid(), 1, 'line_added', 'ann', '{}'
        FROM settings WHERE name = 'outbox_base'";
    client.batch_execute(begin).await.unwrap();
    subject.ask(open("c", "ann")).await;
    let store = &subject.store;
    let look = async |after| store.outbox_through(&["cart_opened", "line_added"], after, 9, 9).await.unwrap();
    let (none, looked) = look(0).await;
    assert!(none.is_empty() && store.outbox_after(0, 9).await.unwrap().is_empty(), "{none:?}");
    client.batch_execute("COMMIT").await.unwrap();
    subject.settle().await;
    let kinds: Vec<_> = look(looked).await.0.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["line_added", "cart_opened"], "what was under way comes first");
}
