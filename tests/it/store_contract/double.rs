//! The strict double: it fails when told to, and panics where a database might be kind.

use std::{sync::Arc, time::Duration};

use cart_core::Movement;
use web::store::{
    Answer, CartWrite, Decision, KeyRef, KeyWrite, Outcome, Staged, StoreError, Wants,
    memory::{Fault, MemoryStore},
};

use super::{
    carts::{changed, staged},
    keys::json,
    subject::{NOW_MS, Subject, accepted, cart_id, level, sku, turn},
    till::{Fixed, Till, add, open},
};

async fn shop() -> Subject {
    let subject = Subject::memory();
    subject.stock_up(&[("MUG", 10)]).await;
    subject.ask(open("c", "ann")).await;
    subject
}

/// Runs one turn, without another try.
async fn once(subject: &Subject, key: &str) -> Result<Outcome, StoreError> {
    let till = Till::new(vec![add("c", "MUG", 1).keyed(key, "a mug")]);
    subject.store.turn(till.wants(), Box::new(till)).await
}

fn double(subject: &Subject) -> &MemoryStore {
    subject.double().unwrap()
}

#[tokio::test]
async fn a_commit_of_unknown_outcome_heals() {
    let subject = shop().await;
    for (fault, key) in [(Fault::CrashAfterCommit, "after"), (Fault::CrashBeforeCommit, "before")] {
        double(&subject).faults().line_up(fault, 1);
        let before = subject.cart("c").await.version;
        assert!(matches!(once(&subject, key).await, Err(StoreError::Unknown(_))));
        assert_eq!(subject.cart("c").await.version - before, u64::from(key == "after"));
        let healed = once(&subject, key).await.unwrap();
        assert_eq!(accepted(&healed.answers[0]).version, before + 1);
        assert_eq!(subject.cart("c").await.version, before + 1);
        assert_eq!(json(&once(&subject, key).await.unwrap().answers[0]), json(&healed.answers[0]));
    }
    assert_eq!(subject.level("MUG").await, level(10, 8, 2, 0));
    assert_eq!(subject.count("line_added").await, 2);
}

#[tokio::test]
async fn it_fails_and_conflicts_as_often_as_it_is_told() {
    let subject = shop().await;
    let faults = double(&subject).faults();
    faults.line_up(Fault::Fail, 2);
    faults.line_up(Fault::Conflict, 1);
    for _ in 0..2 {
        assert!(matches!(once(&subject, "k").await, Err(StoreError::Unavailable(_))));
    }
    assert!(matches!(once(&subject, "k").await, Err(StoreError::Conflict(_))));
    assert_eq!((subject.cart("c").await.version, faults.left()), (1, 0));
    accepted(&once(&subject, "k").await.unwrap().answers[0]);
    faults.line_up(Fault::Conflict, 3);
    assert_eq!(turn(&*subject.store, vec![add("c", "MUG", 1)]).await.unwrap().answers.len(), 1);
}

#[tokio::test]
async fn it_stalls_until_it_may_go_on() {
    let subject = Arc::new(shop().await);
    let go_on = double(&subject).faults().stall();
    let (one, other) = (subject.clone(), subject.clone());
    let stalled = tokio::spawn(async move { once(&one, "k").await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!stalled.is_finished());
    accepted(&once(&other, "l").await.unwrap().answers[0]);
    go_on.notify_one();
    assert_eq!(accepted(&stalled.await.unwrap().unwrap().answers[0]).version, 3);
}

/// Runs a turn that must panic, and returns what the panic says.
async fn breach(subject: &Subject, wants: Wants, decision: impl Decision + 'static) -> String {
    let store = subject.store.clone();
    let turn = tokio::spawn(async move { store.turn(wants, Box::new(decision)).await });
    let panic = turn.await.unwrap_err().into_panic();
    assert_eq!(subject.events().await.len(), 1, "nothing is written");
    panic.downcast_ref::<String>().unwrap().clone()
}

fn wants(carts: &[&str]) -> Wants {
    Wants { carts: carts.iter().map(|id| (cart_id(id), None)).collect(), ..Wants::default() }
}

#[tokio::test]
async fn it_names_the_mistake_of_a_decision() {
    let subject = shop().await;
    let cart = subject.cart("c").await;
    let good = || staged(vec![changed(&cart)]);
    let move_mugs = |available, held| {
        let mut staged = good();
        staged.movements.insert(sku("MUG").into(), Movement { available, held, sold: 0 });
        Fixed::new(staged)
    };

    let said = breach(&subject, wants(&["d"]), Fixed::new(good())).await;
    assert!(said.contains("cart c is written without having been wanted"), "{said}");

    let mut unasked = move_mugs(-1, 1);
    unasked.skus.clear();
    let said = breach(&subject, wants(&["c"]), unasked).await;
    assert!(said.contains("stock of MUG moves without having been asked for"), "{said}");

    let said = breach(&subject, wants(&["c"]), move_mugs(-1, 2)).await;
    assert!(said.contains("leaves stock of MUG at"), "{said}");

    let said = breach(&subject, wants(&["c"]), move_mugs(-1, 1)).await;
    assert!(said.contains("lines and orders of MUG move other pieces"), "{said}");

    let silent = Staged { outcome: Outcome::default(), ..good() };
    let said = breach(&subject, wants(&["c"]), Fixed::new(silent)).await;
    assert!(said.contains("0 answers to at least 1 jobs"), "{said}");

    let write = CartWrite { before: 7, ..changed(&cart) };
    let said = breach(&subject, wants(&["c"]), Fixed::new(staged(vec![write]))).await;
    assert!(said.contains("cart c is guarded by version 7 and stands at 1"), "{said}");

    let mut unwanted = good();
    unwanted.keys.push(KeyWrite {
        key: KeyRef { cart: cart_id("c"), key: "k".into() },
        fingerprint: "f".into(),
        answer: Answer::UnknownCart,
        at_ms: NOW_MS,
    });
    let said = breach(&subject, wants(&["c"]), Fixed::new(unwanted)).await;
    assert!(said.contains("without having been wanted"), "{said}");

    let mut quiet = good();
    quiet.events.clear();
    let said = breach(&subject, wants(&["c"]), Fixed::new(quiet)).await;
    assert!(said.contains("events of cart c"), "{said}");

    subject.store.turn(wants(&["c"]), Box::new(Fixed::new(good()))).await.unwrap();
}
