//! The data of each event type, as the outbox and the event files carry it. Names, addresses and means of payment
//! stay in the store: what leaves it says what was bought, not by whom.

use cart_core::{CartEvent, Order, OrderLine, Packed, RefundedLine, Relocation, ReopenedLine};
use serde_json::{Value, json};

/// Lists the types of events that the outbox holds.
pub const KINDS: [&str; 59] = [
    "back_in_stock",
    "balances_noted",
    "cart_abandoned",
    "cart_claimed",
    "cart_cleared",
    "cart_expired",
    "cart_merged",
    "cart_opened",
    "cart_reopened",
    "checkout_started",
    "code_applied",
    "code_removed",
    "event_tracked",
    "exposure_logged",
    "gift_accepted",
    "gift_added",
    "gift_card_applied",
    "gift_card_removed",
    "gift_declined",
    "gift_withdrawn",
    "gifts_out_of_stock",
    "group_set",
    "history_allowed",
    "history_declined",
    "history_deleted",
    "holds_expired",
    "holds_moved",
    "line_added",
    "line_laid_aside",
    "line_merged",
    "line_removed",
    "line_saved",
    "lines_held",
    "note_set",
    "order_cancelled",
    "order_fulfilled",
    "order_placed",
    "order_refunded",
    "order_relocated",
    "parcel_corrected",
    "parcel_sent",
    "payment_begun",
    "payment_cancelled",
    "payment_captured",
    "payment_challenged",
    "payment_failed",
    "payment_refunded",
    "payment_voided",
    "prices_accepted",
    "product_viewed",
    "quantity_set",
    "saved_line_dropped",
    "shelf_clicked",
    "shelf_shown",
    "step_completed",
    "stock_changed",
    "stock_request_made",
    "store_credit_set",
    "visitor_known",
];

/// Returns an event's data as a JSON object.
pub fn data_of(event: &CartEvent) -> String {
    match event {
        CartEvent::CartOpened { currency, channel, workflow, assignments, .. } => {
            json!({"currency": currency, "channel": channel, "workflow": workflow.name(), "assignments": assignments})
        }
        CartEvent::LineAdded { sku, quantity, unit_price_minor, .. } => {
            json!({"sku": sku, "quantity": quantity, "unit_price_minor": unit_price_minor})
        }
        CartEvent::GiftAdded { promotion, sku, quantity, .. } => {
            json!({"promotion": promotion, "sku": sku, "quantity": quantity})
        }
        CartEvent::GiftDeclined { promotion } | CartEvent::GiftAccepted { promotion } => {
            json!({"promotion": promotion})
        }
        CartEvent::GiftsOutOfStock { promotions } => json!({"promotions": promotions}),
        CartEvent::QuantitySet { line, quantity, .. } => json!({"sku": line.sku(), "quantity": quantity}),
        CartEvent::LineRemoved { line, .. }
        | CartEvent::LineSaved { line, .. }
        | CartEvent::GiftWithdrawn { line, .. }
        | CartEvent::SavedLineDropped { line } => json!({"sku": line.sku()}),
        CartEvent::CodeApplied { code } | CartEvent::CodeRemoved { code } => json!({"code": code}),
        // What a shopper writes, in a note or a property, stays in the store too.
        CartEvent::GroupSet { group, prices } => {
            let prices: Vec<_> = prices.iter().map(|(line, minor)| (line.sku(), minor)).collect();
            json!({"group": group, "prices": prices})
        }
        CartEvent::PricesAccepted { prices } => {
            let prices: Vec<_> = prices.iter().map(|(line, minor)| (line.sku(), minor)).collect();
            json!({"prices": prices})
        }
        // What customers have used or own is theirs.
        CartEvent::BalancesNoted { .. }
        | CartEvent::GiftCardApplied { .. }
        | CartEvent::GiftCardRemoved { .. }
        | CartEvent::StoreCreditSet { .. }
        | CartEvent::CartCleared { .. }
        | CartEvent::NoteSet { .. }
        | CartEvent::CheckoutStarted => json!({}),
        CartEvent::StepCompleted { details, .. } => json!({"step": details.step()}),
        CartEvent::LinesHeld { holds, .. } => {
            let holds: Vec<_> = holds.iter().map(|h| (h.line.sku(), h.hold)).collect();
            json!({"holds": holds})
        }
        CartEvent::HoldsMoved { moves } => {
            let moves: Vec<_> = moves.iter().map(|m| json!({"sku": m.line.sku(), "from": m.from, "to": m.to})).collect();
            json!({"moves": moves})
        }
        CartEvent::HoldsExpired { releases } => {
            let releases: Vec<_> = releases.iter().map(|r| (r.line.sku(), r.pieces)).collect();
            json!({"releases": releases})
        }
        CartEvent::CartAbandoned(seen) => json!({
            "total_minor": seen.total_minor,
            "lines": seen.lines,
            "pieces": seen.pieces,
            "reached": seen.reached(),
            "next_step": seen.next_step,
            "reasons": seen.reasons,
        }),
        CartEvent::CartExpired { releases } => {
            let releases: Vec<_> = releases.iter().map(|r| (r.line.sku(), r.pieces)).collect();
            json!({"releases": releases})
        }
        CartEvent::CartReopened { lines } => {
            let line = |l: &ReopenedLine| {
                json!({"sku": l.line.sku(), "wanted": l.wanted, "quantity": l.quantity,
                    "because": l.because.as_ref().map(cart_core::Rejection::name)})
            };
            json!({"lines": lines.iter().map(line).collect::<Vec<_>>()})
        }
        CartEvent::PaymentBegun { attempt } => {
            json!({"payment": attempt.id, "amount_minor": attempt.amount_minor})
        }
        CartEvent::PaymentFailed { payment, reason } => json!({"payment": payment, "reason": reason}),
        CartEvent::PaymentChallenged { payment, .. }
        | CartEvent::PaymentCancelled { payment }
        | CartEvent::PaymentVoided { payment } => json!({"payment": payment}),
        CartEvent::PaymentCaptured { payment, amount_minor }
        | CartEvent::PaymentRefunded { payment, amount_minor, .. } => {
            json!({"payment": payment, "amount_minor": amount_minor})
        }
        CartEvent::OrderRelocated { order_id, relocation } => {
            let Relocation { from, to, contents, .. } = relocation;
            json!({"order_id": order_id, "from": from, "to": to, "contents": contents_of(contents)})
        }
        CartEvent::ParcelSent { order_id, parcel } => {
            json!({"order_id": order_id, "number": parcel.number, "location": parcel.location,
                "contents": contents_of(&parcel.contents), "tracking": parcel.tracking})
        }
        CartEvent::ParcelCorrected { order_id, number, tracking, before } => {
            json!({"order_id": order_id, "number": number, "tracking": tracking, "before": before})
        }
        CartEvent::OrderFulfilled { order_id, .. } => json!({"order_id": order_id}),
        CartEvent::OrderCancelled { order_id, refund, .. } | CartEvent::OrderRefunded { order_id, refund, .. } => {
            let line = |l: &RefundedLine| json!({"sku": l.line.sku(), "quantity": l.quantity, "restocked": l.restocked});
            let lines: Vec<_> = refund.lines.iter().map(line).collect();
            json!({"order_id": order_id, "amount_minor": refund.amount_minor, "lines": lines})
        }
        // The event's own unit is the cart's; that and the user's id let a reader know them for one person.
        CartEvent::CartClaimed { owner } => json!({"user": owner}),
        CartEvent::LineMerged { from, sku, quantity, unit_price_minor, .. } => {
            json!({"from": from, "sku": sku, "quantity": quantity, "unit_price_minor": unit_price_minor})
        }
        CartEvent::LineLaidAside { line } => json!({"sku": line.sku, "quantity": line.quantity}),
        CartEvent::CartMerged { into, releases } => {
            let releases: Vec<_> = releases.iter().map(|r| (r.line.sku(), r.pieces)).collect();
            json!({"into": into, "releases": releases})
        }
        CartEvent::OrderPlaced(order) => return order_data(order, "shop"),
    }
    .to_string()
}

/// Lists pieces, the parts of a bundle with its name.
fn contents_of(contents: &[Packed]) -> Vec<Value> {
    let packed = |p: &Packed| {
        let bundle = (p.line.sku() != &p.sku).then(|| p.line.sku());
        json!({"sku": p.sku, "pieces": p.pieces, "bundle": bundle})
    };
    contents.iter().map(packed).collect()
}

/// Returns the data of an `order_placed` event; `source` is `shop` or `import`. Gifts are told apart: nobody chose them, so
/// nothing is to be learnt from them.
pub fn order_data(order: &Order, source: &str) -> String {
    let bought = order.lines.iter().filter(|l| l.gift_of.is_none());
    let lines: Vec<_> = bought
        .map(|l| json!({"sku": l.sku, "quantity": l.quantity, "unit_price_minor": l.unit_price_minor}))
        .collect();
    let gift = |l: &OrderLine| {
        let promotion = l.gift_of.as_ref()?;
        Some(json!({"sku": l.sku, "quantity": l.quantity, "promotion": promotion}))
    };
    let gifts: Vec<_> = order.lines.iter().filter_map(gift).collect();
    let mut data = json!({
        "order_id": order.order_id,
        "currency": order.currency,
        "total_minor": order.total_minor,
        "source": source,
        "lines": lines,
    });
    if !gifts.is_empty() {
        data["gifts"] = gifts.into();
    }
    data.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_a_cart_is_listed() {
        let source = include_str!("../../../cart-core/src/event/kind.rs");
        let (_, names) = source.split_once("pub fn name(&self)").unwrap();
        let (names, _) = names.split_once("\n    }\n").unwrap();
        let names: Vec<_> = names.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(names.contains(&"order_placed"), "{names:?}");
        for name in names {
            assert!(KINDS.contains(&name), "KINDS lacks {name}");
        }
    }
}
