//! The fold of events into a cart. It cannot fail: what reaches it was decided.

use crate::{Cart, CartEvent, Line, LineId, SavedLine, Stage, StepDetails, limits::LINE_QUANTITY_MAX};

/// Folds one event into the cart.
pub fn evolve(cart: &mut Cart, event: &CartEvent) {
    cart.version += 1;
    match event {
        // A cart is born with this event, by `Cart::from_opened`; seen again it says nothing new.
        CartEvent::CartOpened { .. } => {}
        CartEvent::LineAdded {
            sku,
            properties,
            name,
            policy,
            quantity,
            unit_price_minor,
            hold,
            holds_expire_at_ms,
        } => {
            let id = LineId::new(sku.clone(), properties);
            let at = cart.lines.iter().position(|l| l.is(&id)).unwrap_or_else(|| {
                cart.lines.push(Line {
                    sku: sku.clone(),
                    properties: properties.clone(),
                    name: String::new(),
                    quantity: 0,
                    unit_price_minor: 0,
                    held: 0,
                    policy: *policy,
                });
                cart.lines.len() - 1
            });
            let line = &mut cart.lines[at];
            line.name.clone_from(name);
            line.policy = *policy;
            line.unit_price_minor = *unit_price_minor;
            line.quantity += quantity;
            line.held += hold;
            cart.holds_expire_at_ms = *holds_expire_at_ms;
        }
        CartEvent::QuantitySet { line, quantity, unit_price_minor, hold, release, holds_expire_at_ms } => {
            if let Some(line) = cart.lines.iter_mut().find(|l| l.is(line)) {
                line.quantity = *quantity;
                line.unit_price_minor = *unit_price_minor;
                line.held = line.held + hold - release;
            }
            cart.holds_expire_at_ms = *holds_expire_at_ms;
        }
        CartEvent::LineRemoved { line, .. } => {
            cart.lines.retain(|l| !l.is(line));
            forget_ended_holds(cart);
        }
        CartEvent::LineSaved { line, .. } => save(cart, line),
        CartEvent::SavedLineDropped { line } => cart.saved.retain(|l| l.id() != *line),
        CartEvent::CodeApplied { code } => cart.codes.push(code.clone()),
        CartEvent::CodeRemoved { code } => cart.codes.retain(|c| c != code),
        CartEvent::NoteSet { text } => cart.note.clone_from(text),
        CartEvent::PricesAccepted { prices } => {
            for (id, unit_price_minor) in prices {
                if let Some(line) = cart.lines.iter_mut().find(|l| l.is(id)) {
                    line.unit_price_minor = *unit_price_minor;
                }
            }
        }
        CartEvent::CartCleared { .. } => {
            cart.lines.clear();
            cart.holds_expire_at_ms = None;
        }
        CartEvent::CheckoutStarted => cart.stage = Stage::Checkout { completed: vec![] },
        CartEvent::StepCompleted { details } => complete(cart, details),
        CartEvent::HoldsExpired { releases } => {
            for (line, pieces) in releases {
                release(cart, line, *pieces);
            }
            forget_ended_holds(cart);
        }
        CartEvent::OrderPlaced(order) => {
            cart.stage = Stage::Ordered { order_id: order.order_id.clone(), quote: order.quote.clone() };
            for line in &mut cart.lines {
                line.held = 0;
            }
            cart.holds_expire_at_ms = None;
        }
    }
}

fn complete(cart: &mut Cart, details: &StepDetails) {
    match details {
        StepDetails::Address(address) => cart.address = Some(address.clone()),
        StepDetails::Shipping { method } => cart.shipping.clone_from(method),
        StepDetails::Payment | StepDetails::Review => {}
    }
    if let Stage::Checkout { completed } = &mut cart.stage
        && !completed.contains(&details.step())
    {
        completed.push(details.step());
    }
}

/// Lays a line aside; where it lies there already, the pieces add up.
fn save(cart: &mut Cart, id: &LineId) {
    let Some(at) = cart.lines.iter().position(|l| l.is(id)) else { return };
    let Line { sku, properties, name, quantity, .. } = cart.lines.remove(at);
    match cart.saved.iter_mut().find(|l| l.id() == *id) {
        Some(saved) => saved.quantity = saved.quantity.saturating_add(quantity).min(LINE_QUANTITY_MAX),
        None => cart.saved.push(SavedLine { sku, properties, name, quantity }),
    }
    forget_ended_holds(cart);
}

fn release(cart: &mut Cart, id: &LineId, pieces: u32) {
    if let Some(line) = cart.lines.iter_mut().find(|l| l.is(id)) {
        line.held -= pieces;
    }
}

fn forget_ended_holds(cart: &mut Cart) {
    if cart.lines.iter().all(|l| l.held == 0) {
        cart.holds_expire_at_ms = None;
    }
}

impl Cart {
    /// Returns the cart that a [`CartEvent::CartOpened`] describes, and `None` for any other event.
    pub fn from_opened(event: &CartEvent) -> Option<Self> {
        let CartEvent::CartOpened { id, owner, currency, workflow, assignments } = event else { return None };
        Some(Self {
            id: id.clone(),
            owner: owner.clone(),
            version: 1,
            currency: *currency,
            workflow: workflow.clone(),
            assignments: assignments.clone(),
            stage: Stage::Open,
            lines: vec![],
            saved: vec![],
            codes: vec![],
            note: String::new(),
            address: None,
            shipping: None,
            holds_expire_at_ms: None,
        })
    }

    /// Rebuilds a cart from its whole history; `None` where that does not begin with its opening.
    pub fn replay<'e>(events: impl IntoIterator<Item = &'e CartEvent>) -> Option<Self> {
        let mut events = events.into_iter();
        let mut cart = Self::from_opened(events.next()?)?;
        for event in events {
            evolve(&mut cart, event);
        }
        Some(cart)
    }
}
