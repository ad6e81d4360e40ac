//! What is on its way to sinks.

use web::store::{
    CursorMove, Delivery, DeliveryCounts, DeliveryQuery, DeliveryState, DeliveryStep, Forgetting,
    OutboxEvent, StoreError, Try,
};

use super::{subject::Subject, till::open};

const SINK: &str = "endpoint";

async fn events(subject: &Subject, carts: &[&str]) -> Vec<OutboxEvent> {
    for cart in carts {
        subject.ask(open(cart, "ann")).await;
    }
    subject.events().await
}

fn delivery(event: &OutboxEvent, state: DeliveryState, at_ms: i64) -> Delivery {
    Delivery {
        sink: SINK.into(),
        position: event.position,
        event: event.id,
        kind: event.kind.clone(),
        state,
        attempts: 2,
        due_at_ms: (state == DeliveryState::Waiting).then_some(at_ms + 10),
        changed_at_ms: at_ms,
        tries: vec![
            Try { at_ms, took_ms: 3, status: Some(500), error: Some("“no”".into()) },
            Try { at_ms: at_ms + 1, took_ms: 4, status: None, error: None },
        ],
    }
}

fn any(limit: usize) -> DeliveryQuery {
    DeliveryQuery { state: None, before: None, limit }
}

async fn save(subject: &Subject, deliveries: Vec<Delivery>) {
    subject.store.save_deliveries(&DeliveryStep { moved: None, deliveries }).await.unwrap();
}

async fn list(subject: &Subject, query: DeliveryQuery) -> Vec<Delivery> {
    subject.store.deliveries(SINK, &query).await.unwrap()
}

pub async fn a_new_sink_begins_at_the_end_of_the_outbox(subject: Subject) {
    let before = events(&subject, &["a", "b"]).await;
    subject.store.begin_cursor(SINK).await.unwrap();
    let at = subject.store.cursor(SINK).await.unwrap();
    assert!(at >= before.last().unwrap().position);
    let after = events(&subject, &["c"]).await.pop().unwrap();
    subject.store.begin_cursor(SINK).await.unwrap();
    assert_eq!(subject.store.cursor(SINK).await.unwrap(), at, "one that has begun stays where it is");
    let unread: Vec<_> = subject.store.outbox_after(at, 9).await.unwrap().iter().map(|e| e.id).collect();
    assert_eq!(unread, [after.id]);
}

pub async fn a_step_moves_its_cursor_or_writes_nothing(subject: Subject) {
    let events = events(&subject, &["a", "b"]).await;
    let moved = |from, to| Some(CursorMove { reader: SINK.into(), from, to });
    let [first, second] = [&events[0], &events[1]];
    let step =
        |moved, event| DeliveryStep { moved, deliveries: vec![delivery(event, DeliveryState::Delivered, 5)] };
    subject.store.save_deliveries(&step(moved(0, first.position), first)).await.unwrap();
    let stale = subject.store.save_deliveries(&step(moved(0, second.position), second)).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    assert_eq!(list(&subject, any(9)).await, [delivery(first, DeliveryState::Delivered, 5)]);
    subject.store.save_deliveries(&step(moved(first.position, second.position), second)).await.unwrap();
    assert_eq!(subject.store.cursor(SINK).await.unwrap(), second.position);
    assert_eq!(list(&subject, any(9)).await.len(), 2);
}

pub async fn deliveries_are_due_listed_and_sent_again(subject: Subject) {
    let events = events(&subject, &["a", "b", "c", "d"]).await;
    let states =
        [DeliveryState::Waiting, DeliveryState::Waiting, DeliveryState::Delivered, DeliveryState::Dead];
    let at = [40, 20, 30, 30];
    let all: Vec<_> = (0..4).map(|n| delivery(&events[n], states[n], at[n])).collect();
    save(&subject, all.clone()).await;
    let other = Delivery { sink: "other".into(), ..all[0].clone() };
    save(&subject, vec![other.clone()]).await;

    let due = async |now_ms, limit| {
        let due = subject.store.due_deliveries(SINK, now_ms, limit).await.unwrap();
        assert!(due.iter().all(|(d, event)| d.event == event.id && d.position == event.position));
        due.into_iter().map(|(d, _)| d).collect::<Vec<_>>()
    };
    assert!(due(29, 9).await.is_empty());
    assert_eq!(due(30, 9).await, [all[1].clone()]);
    assert_eq!(due(50, 9).await, [all[1].clone(), all[0].clone()]);
    assert_eq!(due(50, 1).await, [all[1].clone()]);

    let newest_first = [0, 3, 2, 1].map(|n| all[n].clone());
    assert_eq!(list(&subject, any(9)).await, newest_first);
    assert_eq!(list(&subject, any(2)).await, newest_first[..2]);
    let before = Some((30, events[3].position));
    assert_eq!(list(&subject, DeliveryQuery { before, ..any(9) }).await, newest_first[2..]);
    let dead = DeliveryQuery { state: Some(DeliveryState::Dead), ..any(9) };
    assert_eq!(list(&subject, dead.clone()).await, [all[3].clone()]);
    let counts = async || subject.store.count_deliveries(SINK).await.unwrap();
    assert_eq!(counts().await, DeliveryCounts { waiting: 2, dead: 1 });

    assert_eq!(subject.store.redeliver(SINK, Some(events[2].position), 60).await.unwrap(), 1);
    assert_eq!(subject.store.redeliver(SINK, None, 70).await.unwrap(), 1, "the dead one");
    assert_eq!(subject.store.redeliver(SINK, Some(u64::MAX >> 2), 70).await.unwrap(), 0);
    let again = |n: usize, at_ms| Delivery {
        state: DeliveryState::Waiting,
        attempts: 0,
        due_at_ms: Some(at_ms),
        changed_at_ms: at_ms,
        ..all[n].clone()
    };
    assert_eq!(due(99, 9).await, [all[1].clone(), all[0].clone(), again(2, 60), again(3, 70)]);
    assert!(list(&subject, dead).await.is_empty());
    assert_eq!(subject.store.deliveries("other", &any(9)).await.unwrap(), [other]);
}

pub async fn the_log_is_bounded_by_age_and_number(subject: Subject) {
    let events = events(&subject, &["a", "b", "c", "d"]).await;
    let [waiting, delivered, dead] = DeliveryState::ALL;
    let all = [(delivered, 10), (dead, 10), (delivered, 20), (delivered, 30)];
    save(
        &subject,
        all.iter().zip(&events).map(|((state, at), event)| delivery(event, *state, *at)).collect(),
    )
    .await;
    let forget = async |delivered_before_ms, other_before_ms, keep| {
        let before = Forgetting { delivered_before_ms, other_before_ms, keep };
        subject.store.forget_deliveries(SINK, &before).await.unwrap()
    };
    let left =
        async || list(&subject, any(9)).await.iter().map(|d| (d.state, d.changed_at_ms)).collect::<Vec<_>>();
    assert_eq!(forget(10, 10, 9).await, 0);
    assert_eq!(forget(11, 10, 9).await, 1);
    assert_eq!(left().await, [(delivered, 30), (delivered, 20), (dead, 10)]);
    assert_eq!(
        forget(0, 0, 1).await,
        1,
        "one of the arrived ones is one too many; the dead one is not counted out"
    );
    assert_eq!(left().await, [(delivered, 30), (dead, 10)]);
    save(&subject, vec![delivery(&events[0], waiting, 12)]).await;
    assert_eq!(forget(0, 13, 9).await, 2);
    assert_eq!(left().await, [(delivered, 30)]);
    assert_eq!(
        subject
            .store
            .forget_deliveries("other", &Forgetting { delivered_before_ms: 99, other_before_ms: 99, keep: 0 })
            .await
            .unwrap(),
        0
    );
}
