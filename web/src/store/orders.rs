//! Orders that came from elsewhere.

use cart_core::Order;

/// Is an order of another system. Its cart and payment are named after the order.
#[derive(Clone, Debug)]
pub struct ImportedOrder(pub Order);
