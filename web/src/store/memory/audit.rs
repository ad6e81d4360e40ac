//! The invariants over all rows of the double.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::Sku;

use super::state::State;

/// Says what is broken, a sentence each.
pub fn audit(state: &State) -> Vec<String> {
    let mut broken = vec![];
    for (sku, level) in &state.stock {
        if !level.is_conserved() {
            broken.push(format!(
                "stock of {sku} is not conserved: {} supplied, {} available, {} held, {} sold",
                level.supplied, level.available, level.held, level.sold
            ));
        }
    }
    let lines = state.carts.values().flat_map(|row| &row.cart.lines);
    let holds = sums(lines.map(|l| (&l.sku, i64::from(l.held))));
    differ(
        state,
        &holds,
        |level| level.held,
        &mut broken,
        |sku, held, sum| format!("{held} pieces of {sku} are held, carts hold {sum}"),
    );
    let lines = state.orders.values().filter(|row| row.is_shop).flat_map(|row| &row.order.lines);
    let sales = sums(lines.map(|l| (&l.sku, i64::from(l.from_held) + i64::from(l.from_available))));
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
    broken
}

fn sums<'a>(pieces: impl Iterator<Item = (&'a Sku, i64)>) -> BTreeMap<&'a Sku, i64> {
    let mut sums = BTreeMap::new();
    for (sku, pieces) in pieces {
        *sums.entry(sku).or_default() += pieces;
    }
    sums
}

fn differ(
    state: &State,
    sums: &BTreeMap<&Sku, i64>,
    part: impl Fn(&cart_core::StockLevel) -> i64,
    broken: &mut Vec<String>,
    sentence: impl Fn(&Sku, i64, i64) -> String,
) {
    let all: BTreeSet<&Sku> = state.stock.keys().chain(sums.keys().copied()).collect();
    for sku in all {
        let (stored, sum) = (state.stock.get(sku).map_or(0, &part), sums.get(sku).copied().unwrap_or(0));
        if stored != sum {
            broken.push(sentence(sku, stored, sum));
        }
    }
}
