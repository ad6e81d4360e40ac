//! A turn of the double: everything is checked before anything is written.

use std::collections::BTreeMap;

use super::{
    super::{Decision, Loaded, LoadedCart, Outcome, Staged, StoredAnswer, Wants},
    rules,
    state::{CartRow, State},
};

/// Loads, decides and checks; nothing is written yet.
///
/// # Panics
/// Where the decision broke one of the [`rules`].
pub fn decide(state: &State, wants: &Wants, decision: Box<dyn Decision>) -> Staged {
    let loaded = load(state, wants);
    let skus = decision.skus(&loaded);
    let stock = state.levels(&skus);
    let staged = decision.decide(loaded, stock);
    rules::check(state, wants, &skus, &staged);
    staged
}

fn load(state: &State, wants: &Wants) -> Loaded {
    let mut loaded = Loaded::default();
    for (id, known) in &wants.carts {
        let Some(row) = state.carts.get(id) else { continue };
        let is_current = *known == Some(row.cart.version);
        let cart = if is_current { LoadedCart::Current } else { LoadedCart::Fresh(row.cart.clone()) };
        loaded.carts.insert(id.clone(), cart);
    }
    for key in &wants.keys {
        let Some(write) = state.keys.get(key) else { continue };
        let stored = StoredAnswer { fingerprint: write.fingerprint.clone(), answer: write.answer.clone() };
        loaded.keys.insert(key.clone(), stored);
    }
    loaded
}

/// Writes what was checked.
pub fn commit(state: &mut State, staged: Staged) -> Outcome {
    let Staged { carts, movements, orders, keys, exposures, events, mut outcome } = staged;
    for write in carts {
        let next = state.carts.len() as u64;
        let number = state.carts.get(&write.cart.id).map_or(next, |row| row.number);
        state.carts.insert(write.cart.id.clone(), CartRow { number, cart: write.cart });
    }
    for (sku, movement) in movements {
        state.stock.get_mut(&sku).expect("a checked movement has its stock").apply(movement);
    }
    for order in &orders {
        assert!(state.insert_order(order, true), "order {} was checked to be new", order.order_id);
    }
    let keys: BTreeMap<_, _> = keys.into_iter().map(|k| (k.key.clone(), k)).collect();
    state.keys.extend(keys);
    outcome.exposed = state.expose(exposures);
    for event in events {
        state.append(event);
    }
    outcome
}
