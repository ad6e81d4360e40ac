//! Carts of the double: a turn is checked whole before anything of it is written.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::{Cart, CartId, GiftCardId, VisitorId};
use tokio::sync::mpsc;

use super::{
    super::{
        CartStore, Decision, Heard, IdleDue, Loaded, LoadedCart, Outcome, PendingPayment, PostingWrite,
        Result, Staged, StoreError, StoredAnswer, Wants,
    },
    Fault, MemoryStore, rules,
    state::{CartRow, State},
};

#[async_trait]
impl CartStore for MemoryStore {
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
        let fault = self.faults.next();
        match &fault {
            Some(Fault::Stall(go_on)) => go_on.notified().await,
            Some(Fault::Fail) => return Err(StoreError::Unavailable("told to fail".into())),
            _ => {}
        }
        let mut state = self.state.lock().await;
        let staged = decide(&state, &wants, &*decision);
        match fault {
            Some(Fault::Conflict) => return Err(StoreError::Conflict("told to conflict".into())),
            Some(Fault::CrashBeforeCommit) => return Err(StoreError::Unknown("told to crash before".into())),
            _ => {}
        }
        let outcome = commit(&mut state, staged);
        match fault {
            Some(Fault::CrashAfterCommit) => Err(StoreError::Unknown("told to crash after".into())),
            _ => Ok(outcome),
        }
    }

    async fn cart(&self, id: &CartId) -> Result<Option<Cart>> {
        Ok(self.state.lock().await.carts.get(id).map(|row| Cart::clone(&row.cart)))
    }

    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>> {
        let state = self.state.lock().await;
        let open = state.carts.values().filter(|row| row.cart.owner == *owner && !row.cart.is_closed());
        Ok(open.max_by_key(|row| row.number).map(|row| row.cart.id.clone()))
    }

    async fn open_carts_of(&self, owner: &VisitorId) -> Result<Vec<CartId>> {
        let state = self.state.lock().await;
        let open = state.carts.values().filter(|row| row.cart.owner == *owner && !row.cart.is_closed());
        let mut open: Vec<_> = open.map(|row| (row.number, row.cart.id.clone())).collect();
        open.sort_unstable_by(|a, b| b.cmp(a));
        open.truncate(super::super::carts::OPEN_CARTS_MAX);
        Ok(open.into_iter().map(|(_, id)| id).collect())
    }

    async fn put_off_wakes(&self, _: i64) -> Result<u64> {
        // It looks at all carts.
        Ok(0)
    }

    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
        let state = self.state.lock().await;
        let ends = |row: &CartRow| row.cart.holds_expire_at_ms.filter(|end| *end <= now_ms);
        let mut ended: Vec<_> = state.carts.iter().filter_map(|(id, row)| Some((ends(row)?, id))).collect();
        ended.sort();
        Ok(ended.into_iter().take(limit).map(|(_, id)| id.clone()).collect())
    }

    async fn idle_carts(&self, now_ms: i64, limit: usize) -> Result<Vec<(CartId, u64)>> {
        let state = self.state.lock().await;
        let mut due: Vec<_> = state.idle_due.iter().filter(|(_, due)| **due <= now_ms).collect();
        due.sort_by_key(|(id, due)| (**due, *id));
        let of = |id: &CartId| state.carts.get(id).map_or(0, |row| row.cart.version);
        Ok(due.into_iter().take(limit).map(|(id, _)| (id.clone(), of(id))).collect())
    }

    async fn forget_keys(&self, before_ms: i64) -> Result<u64> {
        let mut state = self.state.lock().await;
        let before = state.keys.len();
        state.keys.retain(|_, key| key.at_ms >= before_ms);
        Ok((before - state.keys.len()) as u64)
    }

    async fn listen(&self, heard: mpsc::Sender<Heard>) -> Result<()> {
        // Whoever asked may have gone away.
        let _ = heard.send(Heard::Everything).await;
        std::future::pending().await
    }
}

/// Loads, decides and checks; nothing is written yet.
///
/// # Panics
/// Where the decision broke one of the [`rules`].
pub fn decide(state: &State, wants: &Wants, decision: &dyn Decision) -> Staged {
    let mut loaded = load(state, wants);
    let skus = decision.skus(&loaded);
    let wanted = decision.accounts(&loaded);
    loaded.balances = state.balances(wanted.moved.union(&wanted.read));
    let known = |id: &GiftCardId| Some((id.clone(), state.gift_cards.get(id)?.terms()));
    loaded.cards = wanted.cards.iter().filter_map(known).collect();
    let stock = state.levels(&skus);
    let staged = decision.decide(loaded, stock);
    rules::check(state, wants, &skus, &wanted, &staged);
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
    let Staged {
        carts,
        movements,
        postings,
        balances,
        orders,
        order_updates,
        payments,
        keys,
        exposures,
        events,
        mut outcome,
    } = staged;
    for write in carts {
        match write.idle {
            IdleDue::AsBefore => {}
            IdleDue::At(Some(due_ms)) => drop(state.idle_due.insert(write.cart.id.clone(), due_ms)),
            IdleDue::At(None) => drop(state.idle_due.remove(&write.cart.id)),
        }
        let next = state.carts.len() as u64;
        let number = state.carts.get(&write.cart.id).map_or(next, |row| row.number);
        state.carts.insert(write.cart.id.clone(), CartRow { number, cart: write.cart });
    }
    for (slot, movement) in movements {
        let mut level = state.stock.at(&slot).expect("a checked movement has its stock");
        level.apply(movement);
        state.stock.insert(slot, level);
    }
    state.accounts.extend(balances.into_iter().map(|(account, write)| (account, write.after)));
    for PostingWrite { posting, cause, at_ms } in postings {
        state.entries.insert((posting.account, cause), (posting.delta, at_ms));
    }
    for order in &orders {
        assert!(state.insert_order(order, true), "order {} was checked to be new", order.order_id);
    }
    for (id, order) in order_updates {
        state.orders.get_mut(&id).expect("the order was checked to be there").order = order;
    }
    for (cart, since_ms) in payments {
        match since_ms {
            Some(since_ms) => {
                let pending = PendingPayment { cart: cart.clone(), since_ms, tries: 0 };
                state.pending_payments.insert(cart, (since_ms, pending));
            }
            None => drop(state.pending_payments.remove(&cart)),
        }
    }
    let keys: BTreeMap<_, _> = keys.into_iter().map(|k| (k.key.clone(), k)).collect();
    state.keys.extend(keys);
    outcome.exposed = state.expose(exposures);
    for event in events {
        state.append(event);
    }
    outcome
}
