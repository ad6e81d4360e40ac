//! What a cart costs.

use serde::{Deserialize, Serialize};

use crate::{Cart, Line};

/// Sums a cart in minor units of its currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Pieces over all lines.
    pub items: u64,
    /// Lines without shipping.
    pub subtotal_minor: i64,
    /// Shipping.
    pub shipping_minor: i64,
    /// What is to be paid.
    pub total_minor: i64,
}

impl Line {
    /// Returns the line's price in minor units; the limits keep it far from overflow.
    pub fn total_minor(&self) -> i64 {
        i64::from(self.quantity) * self.unit_price_minor
    }
}

impl Cart {
    /// Sums the cart.
    pub fn totals(&self) -> Totals {
        let subtotal_minor = self.lines.iter().map(Line::total_minor).sum();
        Totals {
            items: self.lines.iter().map(|l| u64::from(l.quantity)).sum(),
            subtotal_minor,
            shipping_minor: self.shipping_minor,
            total_minor: subtotal_minor + self.shipping_minor,
        }
    }
}
