//! The invariants over all rows of the double.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{Line, OrderLine, Slot, Stage};

use super::state::State;

/// Says what is broken, a sentence each.
pub fn audit(state: &State) -> Vec<String> {
    let mut broken = vec![];
    for (sku, level) in state.stock.iter() {
        if !level.is_conserved() {
            broken.push(format!(
                "stock of {sku} is not conserved: {} supplied, {} available, {} held, {} sold",
                level.supplied, level.available, level.held, level.sold
            ));
        }
    }
    let lines = state.carts.values().flat_map(|row| &row.cart.lines);
    let holds =
        sums(lines.flat_map(Line::holds).map(|(sku, at, held)| (Slot::new(sku, at), i64::from(held))));
    differ(
        state,
        &holds,
        |level| level.held,
        &mut broken,
        |sku, held, sum| format!("{held} pieces of {sku} are held, carts hold {sum}"),
    );
    let lines = state.orders.values().filter(|row| row.is_shop).flat_map(|row| &row.order.lines);
    let sales = lines.flat_map(OrderLine::all_sold);
    let sales =
        sums(sales.map(|(sku, at, sold, back)| (Slot::new(sku, at), i64::from(sold) - i64::from(back))));
    differ(
        state,
        &sales,
        |level| level.sold,
        &mut broken,
        |sku, sold, sum| format!("{sold} pieces of {sku} are sold, orders took {sum}"),
    );
    let placed: BTreeSet<_> =
        state.orders.values().filter(|row| row.is_shop).map(|r| (&r.order.cart, &r.order.order_id)).collect();
    let became: BTreeSet<_> =
        state.carts.iter().filter_map(|(id, row)| Some((id, row.cart.order_id()?))).collect();
    for (cart, order) in placed.symmetric_difference(&became) {
        broken.push(format!("cart {cart} and order {order} do not agree"));
    }
    let mut sums: BTreeMap<_, i64> = BTreeMap::new();
    for ((account, _), (delta, _)) in &state.entries {
        *sums.entry(account).or_default() += delta;
    }
    let all: BTreeSet<_> = state.accounts.keys().chain(sums.keys().copied()).collect();
    for account in all {
        let (balance, sum) = (state.accounts.get(account).copied(), sums.get(account).copied());
        let (balance, sum) = (balance.unwrap_or(0), sum.unwrap_or(0));
        if balance != sum {
            broken.push(format!("account {account} is at {balance}, its entries make {sum}"));
        }
    }
    for row in state.orders.values().filter(|row| row.is_shop) {
        let cart = state.carts.get(&row.order.cart).map(|cart| &cart.cart.stage);
        if let Some(Stage::Ordered { state, .. }) = cart
            && *state != row.order.state
        {
            broken.push(format!(
                "cart {} and order {} tell different states",
                row.order.cart, row.order.order_id
            ));
        }
    }
    for (id, row) in &state.carts {
        if row.cart.is_payment_due() != state.pending_payments.contains_key(id) {
            broken.push(format!("the payments of cart {id} and their list do not agree"));
        }
    }
    broken
}

fn sums(pieces: impl Iterator<Item = (Slot, i64)>) -> BTreeMap<Slot, i64> {
    let mut sums = BTreeMap::new();
    for (sku, pieces) in pieces {
        *sums.entry(sku).or_default() += pieces;
    }
    sums
}

fn differ(
    state: &State,
    sums: &BTreeMap<Slot, i64>,
    part: impl Fn(&cart_core::StockLevel) -> i64,
    broken: &mut Vec<String>,
    sentence: impl Fn(&Slot, i64, i64) -> String,
) {
    let all: BTreeSet<&Slot> = state.stock.slots().chain(sums.keys()).collect();
    for sku in all {
        let (stored, sum) =
            (state.stock.at(sku).map_or(0, |level| part(&level)), sums.get(sku).copied().unwrap_or(0));
        if stored != sum {
            broken.push(sentence(sku, stored, sum));
        }
    }
}
