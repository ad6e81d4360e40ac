//! The data of each event type, as the outbox and the event files carry it. Names, addresses and means of payment
//! stay in the store: what leaves it says what was bought, not by whom.

use cart_core::{CartEvent, Order};
use serde_json::json;

/// Returns an event's data as a JSON object.
pub fn data_of(event: &CartEvent) -> String {
    match event {
        CartEvent::CartOpened { currency, workflow, assignments, .. } => {
            json!({"currency": currency, "workflow": workflow.name(), "assignments": assignments})
        }
        CartEvent::LineAdded { sku, quantity, unit_price_minor, .. } => {
            json!({"sku": sku, "quantity": quantity, "unit_price_minor": unit_price_minor})
        }
        CartEvent::QuantitySet { line, quantity, .. } => json!({"sku": line.sku(), "quantity": quantity}),
        CartEvent::LineRemoved { line, .. }
        | CartEvent::LineSaved { line, .. }
        | CartEvent::SavedLineDropped { line } => json!({"sku": line.sku()}),
        CartEvent::CodeApplied { code } | CartEvent::CodeRemoved { code } => json!({"code": code}),
        // What a shopper writes, in a note or a property, stays in the store too.
        CartEvent::PricesAccepted { prices } => {
            let prices: Vec<_> = prices.iter().map(|(line, minor)| (line.sku(), minor)).collect();
            json!({"prices": prices})
        }
        CartEvent::CartCleared { .. } | CartEvent::NoteSet { .. } | CartEvent::CheckoutStarted => json!({}),
        CartEvent::StepCompleted { details, .. } => json!({"step": details.step()}),
        CartEvent::HoldsExpired { releases } => {
            let releases: Vec<_> = releases.iter().map(|(line, pieces)| (line.sku(), pieces)).collect();
            json!({"releases": releases})
        }
        CartEvent::OrderPlaced(order) => return order_data(order, "shop"),
    }
    .to_string()
}

/// Returns the data of an `order_placed` event; `source` is `shop` or `import`.
pub fn order_data(order: &Order, source: &str) -> String {
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|l| json!({"sku": l.sku, "quantity": l.quantity, "unit_price_minor": l.unit_price_minor}))
        .collect();
    json!({
        "order_id": order.order_id,
        "currency": order.currency,
        "total_minor": order.total_minor,
        "source": source,
        "lines": lines,
    })
    .to_string()
}
