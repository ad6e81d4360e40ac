//! The endpoints of webhooks.

use web::store::{
    Delivery, DeliveryQuery, DeliveryState, DeliveryStep, StoreError, StoredEndpoint, webhooks::replay_cursor,
};

use super::{subject::Subject, till::open};

pub async fn an_endpoint_is_saved_over_the_revision_that_was_read(subject: Subject) {
    let store = &subject.store;
    assert_eq!(store.save_endpoint("b", "{\"n\":1}", 0).await.unwrap(), 1);
    assert_eq!(store.save_endpoint("a", "{}", 0).await.unwrap(), 1);
    assert_eq!(store.save_endpoint("b", "{\"n\":2}", 1).await.unwrap(), 2);
    for expected in [0, 1, 3] {
        let stale = store.save_endpoint("b", "{\"n\":3}", expected).await;
        assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    }
    assert!(matches!(store.save_endpoint("c", "{}", 1).await, Err(StoreError::Conflict(_))));
    let stored = |id: &str, revision, document: &str| StoredEndpoint {
        id: id.into(),
        revision,
        document: document.into(),
    };
    assert_eq!(store.endpoints().await.unwrap(), [stored("a", 1, "{}"), stored("b", 2, "{\"n\":2}")]);
}

pub async fn an_endpoint_is_deleted_with_all_that_belongs_to_it(subject: Subject) {
    subject.ask(open("c", "ann")).await;
    let event = subject.events().await.pop().unwrap();
    let store = &subject.store;
    for id in ["a", "b"] {
        store.save_endpoint(id, "{}", 0).await.unwrap();
        store.set_cursor(id, 7).await.unwrap();
        store.set_cursor(&replay_cursor(id), 8).await.unwrap();
        let delivery = Delivery {
            sink: id.into(),
            position: event.position,
            event: event.id,
            kind: event.kind.clone(),
            state: DeliveryState::Dead,
            attempts: 1,
            due_at_ms: None,
            changed_at_ms: 1,
            tries: vec![],
        };
        store.save_deliveries(&DeliveryStep { moved: None, deliveries: vec![delivery] }).await.unwrap();
    }
    assert!(store.delete_endpoint("a").await.unwrap());
    assert!(!store.delete_endpoint("a").await.unwrap());
    let left = async |id: &str| {
        let query = DeliveryQuery { state: None, before: None, limit: 9 };
        let deliveries = store.deliveries(id, &query).await.unwrap().len();
        (deliveries, store.cursor(id).await.unwrap(), store.cursor(&replay_cursor(id)).await.unwrap())
    };
    assert_eq!((left("a").await, left("b").await), ((0, 0, 0), (1, 7, 8)));
    assert_eq!(store.endpoints().await.unwrap().len(), 1);
}
