//! What is known of the customer: the group that they belong to.

use super::{Facts, lines::for_sale_at};
use crate::{Cart, CartEvent, GroupId, LineId};

/// Notes the group of a cart's owner. Whatever the policy for changed prices, its lines cost from then on what the group
/// pays: it is not the price that changed, but who asks.
pub fn set_group(cart: &Cart, facts: &Facts<'_>, group: Option<&GroupId>) -> Vec<CartEvent> {
    if cart.group.as_ref() == group || cart.is_closed() {
        return vec![];
    }
    let grouped = Cart { group: group.cloned(), ..cart.clone() };
    let price = |line: &crate::Line| -> Option<(LineId, i64)> {
        let minor = for_sale_at(&grouped, facts, &line.sku, line.quantity)?;
        (minor != line.unit_price_minor).then(|| (line.id(), minor))
    };
    let prices = cart.bought().filter_map(price).collect();
    vec![CartEvent::GroupSet { group: group.cloned(), prices }]
}
