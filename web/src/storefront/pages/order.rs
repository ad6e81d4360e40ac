//! Orders as shoppers see them: a list of their own, and one that was looked up.

use cart_core::{Locations, Order, OrderLine, OrderStatus};
use serde::Serialize;

use super::{Parcel, Price, day::day, parcels};

/// Says in words how far an order has come, and what of its payment has come back.
pub(super) fn status_words(order: &Order) -> &'static str {
    match (order.state.status, order.payment_status()) {
        (OrderStatus::Cancelled { .. }, _) => "Cancelled, and paid back",
        (_, "refunded") => "Paid back",
        (OrderStatus::Placed, part) if order.state.is_sent_in_part() => match part {
            "partially_refunded" => "On its way in part, and paid back in part",
            _ => "On its way in part",
        },
        (OrderStatus::Placed, "partially_refunded") => "Being packed, paid back in part",
        (OrderStatus::Placed, _) => "Being packed",
        (OrderStatus::Fulfilled { .. }, "partially_refunded") => "On its way, paid back in part",
        (OrderStatus::Fulfilled { .. }, _) => "On its way",
    }
}

/// Is an order in a line.
#[derive(Clone, Debug, Serialize)]
pub struct OrderRow {
    id: String,
    href: String,
    placed_on: String,
    pieces: u64,
    total: Price,
    status: &'static str,
}

impl From<&Order> for OrderRow {
    fn from(order: &Order) -> Self {
        Self {
            id: order.order_id.to_string(),
            href: format!("/orders/{}", order.order_id),
            placed_on: day(order.placed_at_ms),
            pieces: order.lines.iter().map(|line| u64::from(line.quantity)).sum(),
            total: Price::new(order.total_minor, order.currency),
            status: status_words(order),
        }
    }
}

/// Is the list of a visitor's orders.
#[derive(Clone, Debug, Serialize)]
pub struct OrdersPage {
    /// The orders, the newest first.
    pub orders: Vec<OrderRow>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// Is the page on which a guest looks an order up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LookUpPage {
    /// What was typed for the number.
    pub order: String,
    /// What was typed for the address.
    pub email: String,
    /// Why there is nothing to show.
    pub problem: Option<String>,
    /// What was found.
    pub found: Option<FoundOrder>,
}

/// Is an order that was looked up: what was bought, and not where it went.
#[derive(Clone, Debug, Serialize)]
pub struct FoundOrder {
    row: OrderRow,
    lines: Vec<String>,
    /// What was sent in which parcel, and what is still to come.
    parcels: Vec<Parcel>,
}

fn in_words(line: &OrderLine) -> String {
    let gift = if line.gift_of.is_some() { ", a gift" } else { "" };
    format!("{} × {}{gift}", line.quantity, line.name)
}

impl FoundOrder {
    /// Shows an order that goes from locations.
    pub fn of(order: &Order, locations: &Locations) -> Self {
        Self {
            row: OrderRow::from(order),
            lines: order.lines.iter().map(in_words).collect(),
            parcels: parcels(order, locations),
        }
    }
}
