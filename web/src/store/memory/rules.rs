//! What a decision must keep to. A database lets some of it pass; here each breach is a panic that names it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use cart_core::{AccountId, Cart, Movement, Order, OrderLine, Sku, Slot, Stage};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    super::{AccountWants, CartWrite, IdleDue, PostingWrite, Staged, Wants},
    state::State,
};

/// Checks everything that a decision staged.
///
/// # Panics
/// Where it broke a rule.
pub fn check(state: &State, wants: &Wants, skus: &BTreeSet<Sku>, wanted: &AccountWants, staged: &Staged) {
    carts(state, wants, staged);
    accounts(state, wanted, staged);
    stock(state, skus, staged);
    orders(state, staged);
    payments(state, staged);
    keys(state, wants, staged);
    answers(wants, staged);
    events(state, staged);
}

fn carts(state: &State, wants: &Wants, staged: &Staged) {
    let mut seen = BTreeSet::new();
    for CartWrite { before, cart, is_claimed, idle } in &staged.carts {
        let id = &cart.id;
        let is_done = cart.is_closed() || cart.is_expired();
        assert!(
            !is_done || !matches!(idle, IdleDue::At(Some(_))),
            "cart {id} is done with and looked at again"
        );
        assert!(wants.carts.contains_key(id), "cart {id} is written without having been wanted");
        assert!(seen.insert(id), "cart {id} is written twice");
        let row = state.carts.get(id).map(|row| &row.cart);
        let at = row.map_or(0, |cart| cart.version);
        assert_eq!(*before, at, "cart {id} is guarded by version {before} and stands at {at}");
        assert!(cart.version > at, "cart {id} goes from version {at} to {}", cart.version);
        if let Some(row) = row {
            assert_eq!(row.owner != cart.owner, *is_claimed, "cart {id} changes hands unsaid, or not at all");
            let is_final = row.order_id().is_none_or(|order| cart.order_id() == Some(order));
            assert!(is_final, "cart {id} was another order");
            assert!(
                row.order_id().is_none() || row.lines == cart.lines,
                "cart {id} is an order and its lines change"
            );
            assert!(
                row.merged_into().is_none() || (row.stage == cart.stage && cart.lines.is_empty()),
                "cart {id} went into another and changes nevertheless"
            );
        }
        reads_back(&**cart);
    }
}

/// Checks that pieces move as lines and orders say, and that none is invented or lost.
fn stock(state: &State, skus: &BTreeSet<Sku>, staged: &Staged) {
    for (slot, movement) in &staged.movements {
        assert!(skus.contains(&slot.sku), "stock of {slot} moves without having been asked for");
        let mut level =
            state.stock.at(slot).unwrap_or_else(|| panic!("stock of {slot} moves, and there is none"));
        level.apply(*movement);
        assert!(level.is_conserved(), "{movement:?} leaves stock of {slot} at {level:?}");
    }
    let mut due: BTreeMap<Slot, Movement> = BTreeMap::new();
    for CartWrite { cart, .. } in &staged.carts {
        let before = state.carts.get(&cart.id).map(|row| &*row.cart);
        for (sign, line) in
            before.iter().flat_map(|c| &c.lines).map(|l| (-1, l)).chain(cart.lines.iter().map(|l| (1, l)))
        {
            for (sku, location, held) in line.holds() {
                due.entry(Slot::new(sku, location)).or_default().held += sign * i64::from(held);
            }
        }
    }
    let mut sells = |sign: i64, order: &Order| {
        for (sku, location, sold, back) in order.lines.iter().flat_map(OrderLine::all_sold) {
            due.entry(Slot::new(sku, location)).or_default().sold +=
                sign * (i64::from(sold) - i64::from(back));
        }
    };
    staged.orders.iter().for_each(|order| sells(1, order));
    for (id, order) in &staged.order_updates {
        // What a turn places and changes at once is all there is of it.
        let placed = staged.orders.iter().find(|placed| placed.order_id == *id);
        let row = state.orders.get(id).map(|row| &row.order);
        sells(-1, placed.or(row).unwrap_or_else(|| panic!("order {id} is changed, and there is none")));
        sells(1, order);
    }
    let all: BTreeSet<&Slot> = due.keys().chain(staged.movements.keys()).collect();
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

/// Checks that balances move by entries only, never below zero, and that orders post what they say.
fn accounts(state: &State, wanted: &AccountWants, staged: &Staged) {
    let mut due: BTreeMap<&AccountId, i64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for PostingWrite { posting, cause, .. } in &staged.postings {
        let account = &posting.account;
        let is_new = !state.entries.contains_key(&(account.clone(), cause.clone()));
        assert!(is_new && seen.insert((account, cause)), "{cause} moves account {account} twice");
        *due.entry(account).or_default() += posting.delta;
    }
    assert!(
        due.keys().copied().eq(staged.balances.keys()),
        "other balances than postings: {:?}",
        staged.balances
    );
    for (account, write) in &staged.balances {
        let is_wanted = wanted.moved.contains(account) || wanted.read.contains(account);
        assert!(is_wanted, "account {account} moves without having been asked for");
        assert_eq!(write.before, state.accounts.get(account).copied(), "account {account} is guarded so");
        assert_eq!(write.after, write.before.unwrap_or(0) + due[account], "account {account} moves so");
        assert!(write.after >= 0, "account {account} falls to {}", write.after);
    }
    for order in &staged.orders {
        let cause = format!("order:{}", order.order_id);
        let posted: Vec<_> =
            staged.postings.iter().filter(|p| p.cause == cause).map(|p| &p.posting).collect();
        assert!(posted.into_iter().eq(&order.postings), "order {} posts other than it says", order.order_id);
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
    for (id, order) in &staged.order_updates {
        let is_of = |w: &CartWrite| match &w.cart.stage {
            Stage::Ordered { order_id, state, .. } => order_id == id && *state == order.state,
            _ => false,
        };
        assert!(staged.carts.iter().any(is_of), "order {id} changes otherwise than its cart");
        reads_back(order);
    }
    for CartWrite { cart, .. } in &staged.carts {
        let was_ordered = state.carts.get(&cart.id).is_some_and(|row| row.cart.order_id().is_some());
        if let Stage::Ordered { order_id, .. } = &cart.stage
            && !was_ordered
        {
            assert!(
                seen.contains(order_id),
                "cart {} becomes order {order_id}, which is not placed",
                cart.id
            );
        }
    }
}

/// Checks that a cart is listed where, and only where, its payments have not come to their end.
fn payments(state: &State, staged: &Staged) {
    for CartWrite { cart, .. } in &staged.carts {
        let is_listed = match staged.payments.get(&cart.id) {
            Some(since_ms) => since_ms.is_some(),
            None => state.pending_payments.contains_key(&cart.id),
        };
        assert_eq!(is_listed, cart.is_payment_due(), "cart {} is listed for its payments", cart.id);
    }
    for cart in staged.payments.keys() {
        let is_written = staged.carts.iter().any(|write| write.cart.id == *cart);
        assert!(is_written, "the payments of cart {cart} are noted, and the cart is not written");
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

/// A store does not see the jobs of a turn, but each wants a key at most, and two carts where one goes into the other.
fn answers(wants: &Wants, staged: &Staged) {
    let jobs = wants.carts.len().div_ceil(2).max(wants.keys.len());
    let answers = staged.outcome.answers.len();
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
    for CartWrite { before, cart, .. } in &staged.carts {
        let told = staged.events.iter().filter(|e| e.cart.as_ref() == Some(&cart.id)).count() as u64;
        assert_eq!(told, cart.version - before, "events of cart {}, which counts them", cart.id);
    }
}

fn reads_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("a value has JSON");
    let back: T = serde_json::from_str(&text).expect("a value's JSON reads back");
    assert_eq!(back, *value, "a value reads back otherwise");
}
