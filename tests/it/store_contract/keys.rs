//! Idempotency keys: one effect and one answer, however often a request comes.

use std::time::Duration;

use web::store::{Answer, KeyRef, Loaded, Outcome, Staged, Wants};

use super::{
    subject::{NOW_MS, Subject, accepted, cart_id, level, rejected, turn},
    till::{Fixed, add, open},
};

pub async fn a_replay_gives_the_same_answer(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    subject.ask(open("c", "ann")).await;
    let first = subject.ask(add("c", "MUG", 2).keyed("k", "two mugs")).await;
    subject.ask(add("c", "MUG", 1)).await;
    let again = subject.ask(add("c", "MUG", 2).keyed("k", "two mugs")).await;
    assert_eq!(json(&again), json(&first));
    assert_eq!(accepted(&again).version, 2);
    assert_eq!(subject.level("MUG").await, level(10, 7, 3, 0));

    // A rejection is kept as well: the client asked once, whatever has become of the stock.
    let first = subject.ask(add("c", "MUG", 9).keyed("l", "nine mugs")).await;
    assert_eq!(rejected(&first), "out_of_stock");
    subject.stock_up(&[("MUG", 100)]).await;
    assert_eq!(json(&subject.ask(add("c", "MUG", 9).keyed("l", "nine mugs")).await), json(&first));
    // Another cart's key of the same name is another key.
    subject.ask(open("d", "ann")).await;
    accepted(&subject.ask(add("d", "MUG", 9).keyed("l", "nine mugs")).await);
}

pub async fn replays_at_once_have_one_effect(subject: Subject) {
    subject.stock_up(&[("MUG", 100)]).await;
    subject.ask(open("c", "ann")).await;
    let asks = (0..16).map(|_| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            let jobs = vec![add("c", "MUG", 1).keyed("k", "a mug")];
            json(&turn(&*store, jobs).await.unwrap().answers[0])
        })
    });
    let mut answers = vec![];
    for ask in asks.collect::<Vec<_>>() {
        answers.push(ask.await.unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(subject.level("MUG").await, level(100, 99, 1, 0));
}

pub async fn a_key_used_for_another_request_is_visible(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    subject.ask(open("c", "ann")).await;
    subject.ask(add("c", "MUG", 1).keyed("k", "one mug")).await;
    assert!(matches!(subject.ask(add("c", "MUG", 2).keyed("k", "two mugs")).await, Answer::KeyReused));
    assert_eq!(subject.cart("c").await.version, 2);
}

pub async fn keys_are_forgotten_by_age(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    subject.ask(open("c", "ann")).await;
    for (key, at_ms) in [("old", NOW_MS), ("new", NOW_MS + 1)] {
        subject.ask(add("c", "MUG", 1).keyed(key, "f").at(at_ms)).await;
    }
    assert_eq!(subject.store.forget_keys(NOW_MS + 1).await.unwrap(), 1);
    assert_eq!(subject.store.forget_keys(NOW_MS + 1).await.unwrap(), 0);
    let keys = look(&subject, &["old", "new"]).await.keys;
    assert_eq!(keys.keys().map(|k| k.key.as_str()).collect::<Vec<_>>(), ["new"]);
}

/// A turn that is given up half-way has or has not happened; asked again under its key it has happened once.
pub async fn a_turn_whose_caller_went_away_heals(subject: Subject) {
    subject.stock_up(&[("MUG", 1_000)]).await;
    subject.ask(open("c", "ann")).await;
    for round in 0..40 {
        let ask = || vec![add("c", "MUG", 1).keyed(&format!("k{round}"), "a mug")];
        let (store, jobs) = (subject.store.clone(), ask());
        let given_up = tokio::spawn(async move { turn(&*store, jobs).await });
        tokio::time::sleep(Duration::from_micros(round * 50)).await;
        given_up.abort();
        let healed = tokio::time::timeout(Duration::from_secs(10), turn(&*subject.store, ask()));
        accepted(&healed.await.unwrap().unwrap().answers[0]);
    }
    assert_eq!(subject.cart("c").await.lines[0].quantity, 40);
    assert_eq!(subject.level("MUG").await, level(1_000, 960, 40, 0));
}

/// Returns what a turn finds of some keys.
async fn look(subject: &Subject, keys: &[&str]) -> Loaded {
    let keys = keys.iter().map(|key| KeyRef { cart: cart_id("c"), key: (*key).into() });
    let wants = Wants { carts: [(cart_id("c"), None)].into(), keys: keys.collect() };
    let answers = vec![Answer::UnknownCart; wants.keys.len()];
    let outcome = Outcome { answers, ..Outcome::default() };
    let look = Fixed::new(Staged { outcome, ..Staged::default() });
    let seen = look.seen.clone();
    subject.store.turn(wants, Box::new(look)).await.unwrap();
    let loaded = seen.lock().unwrap().take();
    loaded.unwrap()
}

pub fn json(answer: &Answer) -> serde_json::Value {
    serde_json::to_value(answer).unwrap()
}
