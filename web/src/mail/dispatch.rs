//! A parcel of an order as letters tell of it.

use cart_core::{Address, Locations, Order, OrderStatus};
use serde::Serialize;

use crate::storefront::pages::{
    Parcel, address_lines, day,
    parcel::{sent, sent_parcel},
    parcels,
};

/// Is a parcel that has left, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dispatch {
    name: String,
    order_id: String,
    placed_on: String,
    parcel: Parcel,
    /// Tells whether it completes the order.
    is_last: bool,
    /// Tells whether it is all of the order.
    is_only: bool,
    /// What is still to come.
    rest: Vec<Parcel>,
    address_lines: Vec<String>,
}

impl Dispatch {
    /// Shows a parcel of an order that goes to an address; none where the order has no such parcel.
    pub fn of(order: &Order, locations: &Locations, address: &Address, number: u32) -> Option<Self> {
        let parcel = order.state.parcels.iter().find(|parcel| parcel.number == number)?;
        let is_fulfilled = matches!(order.state.status, OrderStatus::Fulfilled { .. });
        let is_last = is_fulfilled && order.state.parcels.last() == Some(parcel);
        Some(Self {
            name: address.name.clone(),
            order_id: order.order_id.to_string(),
            placed_on: day(order.placed_at_ms),
            parcel: sent_parcel(order, locations, parcel),
            is_last,
            is_only: is_last && order.state.parcels.len() == 1,
            rest: parcels(order, locations).split_off(sent(order, locations).len()),
            address_lines: address_lines(address),
        })
    }
}
