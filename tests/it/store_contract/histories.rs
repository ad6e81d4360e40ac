//! What units say of their histories.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use web::store::{Because, History, HistoryWish};

use super::subject::{NOW_MS, Subject, visitor};

pub async fn what_is_said_of_a_history_is_kept_and_told_once(subject: Subject) {
    let store = &subject.store;
    let (ann, bob) = (visitor("ann"), visitor("bob"));
    let both = [ann.clone(), bob.clone()].into();
    assert_eq!(store.histories(&both).await.unwrap(), BTreeMap::new());
    let say = async |wish, at_ms| store.say_of_history(&ann, wish, at_ms).await.unwrap();
    assert!(!say(HistoryWish::Allow, NOW_MS).await, "nobody said otherwise");
    assert!(say(HistoryWish::Decline(Because::Signal), NOW_MS).await);
    assert!(!say(HistoryWish::Decline(Because::Choice), NOW_MS + 1).await, "none is kept already");
    let declined = History { declined: Some(Because::Signal), ..History::default() };
    assert_eq!(store.histories(&both).await.unwrap(), [(ann.clone(), declined)].into());
    assert!(say(HistoryWish::Delete, NOW_MS + 2).await);
    assert!(say(HistoryWish::Allow, NOW_MS + 3).await);
    assert!(!say(HistoryWish::Delete, NOW_MS + 2).await, "it is forgotten already");
    let deleted = History { declined: None, deleted_through_ms: NOW_MS + 2 };
    assert_eq!(store.histories(&both).await.unwrap(), [(ann.clone(), deleted)].into());

    let events = subject.events().await;
    let told: Vec<(&str, i64, Value)> = events
        .iter()
        .map(|event| {
            (event.kind.as_str(), event.at_ms - NOW_MS, serde_json::from_str(event.data.get()).unwrap())
        })
        .collect();
    let through = json!({"through_ms": NOW_MS + 2});
    let expected = [
        ("history_declined", 0, json!({"because": "signal"})),
        ("history_deleted", 2, through),
        ("history_allowed", 3, json!({})),
    ];
    assert_eq!(told, expected);
    assert!(events.iter().all(|event| event.unit == ann && event.cart.is_none()));
}

pub async fn two_who_speak_for_a_unit_at_once_are_told_in_turn(subject: Subject) {
    let decline = |at_ms| {
        let store = subject.store.clone();
        let wish = HistoryWish::Decline(Because::Choice);
        tokio::spawn(async move { store.say_of_history(&visitor("ann"), wish, at_ms).await.unwrap() })
    };
    let saying: Vec<_> = (0..8).map(|n| decline(NOW_MS + n)).collect();
    let mut changed = 0;
    for said in saying {
        changed += usize::from(said.await.unwrap());
    }
    assert_eq!((changed, subject.events().await.len()), (1, 1));
}
