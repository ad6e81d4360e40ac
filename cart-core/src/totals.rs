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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        CartId, Currency, Properties, Sku, StockPolicy, VisitorId, Workflow,
        limits::{CART_LINES_MAX, LINE_QUANTITY_MAX, PRICE_MINOR_MAX},
        open,
    };

    fn cart(lines: impl IntoIterator<Item = (u32, i64)>, shipping_minor: i64) -> Cart {
        let opened = open(
            CartId::parse("c1").unwrap(),
            VisitorId::parse("ada").unwrap(),
            Currency::parse("GBP").unwrap(),
            Arc::new(Workflow::classic()),
            vec![],
        );
        let mut cart = Cart::from_opened(&opened).unwrap();
        cart.shipping_minor = shipping_minor;
        cart.lines = lines
            .into_iter()
            .enumerate()
            .map(|(n, (quantity, unit_price_minor))| Line {
                sku: Sku::parse(&format!("P{n}")).unwrap(),
                properties: Properties::default(),
                name: String::new(),
                quantity,
                unit_price_minor,
                held: 0,
                policy: StockPolicy::Untracked,
            })
            .collect();
        cart
    }

    #[test]
    fn lines_and_shipping_add_up() {
        let totals = |items, subtotal_minor, shipping_minor, total_minor| Totals {
            items,
            subtotal_minor,
            shipping_minor,
            total_minor,
        };
        assert_eq!(cart([], 0).totals(), Totals::default());
        assert_eq!(cart([(2, 1_250), (1, 3_400)], 0).totals(), totals(3, 5_900, 0, 5_900));
        assert_eq!(cart([(3, 333), (7, 0)], 495).totals(), totals(10, 999, 495, 1_494));
    }

    #[test]
    fn the_dearest_cart_that_the_limits_allow_is_summed_exactly() {
        let dearest = cart(vec![(LINE_QUANTITY_MAX, PRICE_MINOR_MAX); CART_LINES_MAX], PRICE_MINOR_MAX);
        let exact = CART_LINES_MAX as i128 * i128::from(LINE_QUANTITY_MAX) * i128::from(PRICE_MINOR_MAX);
        assert_eq!(i128::from(dearest.totals().subtotal_minor), exact);
        assert_eq!(i128::from(dearest.totals().total_minor), exact + i128::from(PRICE_MINOR_MAX));
        assert!(exact < 500_000_000_000_000_000);
    }
}
