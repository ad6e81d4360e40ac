//! What a decision must keep to. A database lets some of it pass; here each breach is a panic that names it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use cart_core::{Cart, Movement, Sku, Stage};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    super::{CartWrite, Staged, Wants},
    state::State,
};

/// Checks everything that a decision staged.
///
/// # Panics
/// Where it broke a rule.
pub fn check(state: &State, wants: &Wants, skus: &BTreeSet<Sku>, staged: &Staged) {
    carts(state, wants, staged);
    stock(state, skus, staged);
    orders(state, staged);
    keys(state, wants, staged);
    answers(wants, staged);
    events(state, staged);
}

fn carts(state: &State, wants: &Wants, staged: &Staged) {
    let mut seen = BTreeSet::new();
    for CartWrite { before, cart } in &staged.carts {
        let id = &cart.id;
        assert!(wants.carts.contains_key(id), "cart {id} is written without having been wanted");
        assert!(seen.insert(id), "cart {id} is written twice");
        let row = state.carts.get(id).map(|row| &row.cart);
        let at = row.map_or(0, |cart| cart.version);
        assert_eq!(*before, at, "cart {id} is guarded by version {before} and stands at {at}");
        assert!(cart.version > at, "cart {id} goes from version {at} to {}", cart.version);
        if let Some(row) = row {
            assert_eq!(row.owner, cart.owner, "cart {id} changes hands");
            assert!(row.order_id().is_none(), "cart {id} is an order and changes nevertheless");
        }
        reads_back(&**cart);
    }
}

/// Checks that pieces move as lines and orders say, and that none is invented or lost.
fn stock(state: &State, skus: &BTreeSet<Sku>, staged: &Staged) {
    for (sku, movement) in &staged.movements {
        assert!(skus.contains(sku), "stock of {sku} moves without having been asked for");
        let mut level =
            *state.stock.get(sku).unwrap_or_else(|| panic!("stock of {sku} moves, and there is none"));
        level.apply(*movement);
        assert!(level.is_conserved(), "{movement:?} leaves stock of {sku} at {level:?}");
    }
    let mut due: BTreeMap<&Sku, Movement> = BTreeMap::new();
    for CartWrite { cart, .. } in &staged.carts {
        let before = state.carts.get(&cart.id).map(|row| &*row.cart);
        for (sign, line) in
            before.iter().flat_map(|c| &c.lines).map(|l| (-1, l)).chain(cart.lines.iter().map(|l| (1, l)))
        {
            due.entry(&line.sku).or_default().held += sign * i64::from(line.held);
        }
    }
    for line in staged.orders.iter().flat_map(|o| &o.lines) {
        due.entry(&line.sku).or_default().sold += i64::from(line.from_held) + i64::from(line.from_available);
    }
    let all: BTreeSet<&Sku> = due.keys().copied().chain(staged.movements.keys()).collect();
    for sku in all {
        let staged = staged.movements.get(sku).copied().unwrap_or_default();
        let due = due.get(sku).copied().unwrap_or_default();
        assert_eq!(
            (staged.held, staged.sold),
            (due.held, due.sold),
            "lines and orders of {sku} move other pieces"
        );
    }
}

fn orders(state: &State, staged: &Staged) {
    let mut seen = BTreeSet::new();
    for order in &staged.orders {
        let id = &order.order_id;
        assert!(!state.orders.contains_key(id) && seen.insert(id), "order {id} exists");
        let is_of = |w: &CartWrite| w.cart.id == order.cart && w.cart.order_id() == Some(id);
        assert!(
            staged.carts.iter().any(is_of),
            "order {id} is placed and cart {} does not become it",
            order.cart
        );
        reads_back(order);
    }
    for CartWrite { cart, .. } in &staged.carts {
        if let Stage::Ordered { order_id, .. } = &cart.stage {
            assert!(
                seen.contains(order_id),
                "cart {} becomes order {order_id}, which is not placed",
                cart.id
            );
        }
    }
}

fn keys(state: &State, wants: &Wants, staged: &Staged) {
    let mut seen = BTreeSet::new();
    let is_there = |cart| state.carts.contains_key(cart) || staged.carts.iter().any(|w| w.cart.id == *cart);
    for write in &staged.keys {
        let key = &write.key;
        assert!(wants.keys.contains(key), "{key:?} is kept without having been wanted");
        assert!(!state.keys.contains_key(key) && seen.insert(key), "{key:?} is kept twice");
        assert!(is_there(&key.cart), "{key:?} is kept for a cart that is not there");
        let text = serde_json::to_string(&write.answer).expect("an answer has JSON");
        let back: super::super::Answer = serde_json::from_str(&text).expect("an answer's JSON reads back");
        assert_eq!(
            serde_json::to_string(&back).expect("an answer has JSON"),
            text,
            "an answer reads back otherwise"
        );
    }
}

/// A store does not see the jobs of a turn, but there is at least one for each wanted cart and each wanted key.
fn answers(wants: &Wants, staged: &Staged) {
    let (answers, jobs) = (staged.outcome.answers.len(), wants.carts.len().max(wants.keys.len()));
    assert!(answers >= jobs, "{answers} answers to at least {jobs} jobs");
    let touched: BTreeMap<_, _> = staged.outcome.touched.iter().map(|t| (&t.cart.id, t)).collect();
    assert_eq!(touched.len(), staged.outcome.touched.len(), "a cart is touched twice");
    for (id, touched) in &touched {
        assert!(wants.carts.contains_key(*id), "cart {id} is touched without having been wanted");
        let write = staged.carts.iter().find(|w| w.cart.id == **id);
        assert_eq!(touched.is_changed, write.is_some(), "cart {id} is changed: {}", touched.is_changed);
        if let Some(write) = write {
            assert_eq!(
                touched.cart, write.cart,
                "cart {id} is touched in another state than it is written in"
            );
        }
    }
    let is_touched = |w: &&CartWrite| !touched.contains_key(&w.cart.id);
    let silent: Vec<&Cart> = staged.carts.iter().filter(is_touched).map(|w| &*w.cart).collect();
    assert!(silent.is_empty(), "written and not touched: {silent:?}");
    assert!(staged.outcome.exposed.is_empty(), "the store says which exposures are new");
}

fn events(state: &State, staged: &Staged) {
    let mut seen = BTreeSet::new();
    for event in &staged.events {
        let is_new = !state.event_ids.contains(&event.id) && seen.insert(event.id);
        assert!(is_new, "event {} is in the outbox already", event.id);
        let data: serde_json::Value = serde_json::from_str(&event.data)
            .unwrap_or_else(|e| panic!("the data of {} is no JSON: {e}", event.kind));
        assert!(data.is_object(), "the data of {} is no JSON object", event.kind);
    }
    for CartWrite { before, cart } in &staged.carts {
        let told = staged.events.iter().filter(|e| e.cart.as_ref() == Some(&cart.id)).count() as u64;
        assert_eq!(told, cart.version - before, "events of cart {}, which counts them", cart.id);
    }
}

fn reads_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("a value has JSON");
    let back: T = serde_json::from_str(&text).expect("a value's JSON reads back");
    assert_eq!(back, *value, "a value reads back otherwise");
}
