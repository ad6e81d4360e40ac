//! The fold of events into a cart. It cannot fail: what reaches it was decided.

use crate::{
    AttemptState, Balances, Cart, CartEvent, HoldMove, Lapse, Line, LineHold, LineId, LinePart, LineRelease,
    OrderState, OrderStatus, PaymentAttempt, PaymentTask, Pick, Properties, Refund, SavedLine, Sku, Stage,
    StepDetails, StockPolicy, limits::LINE_QUANTITY_MAX,
};

/// Folds one event into the cart.
pub fn evolve(cart: &mut Cart, event: &CartEvent) {
    cart.version += 1;
    if event.is_activity() {
        cart.lapse = None;
    }
    match event {
        // A cart is born with this event, by `Cart::from_opened`; seen again it says nothing new.
        CartEvent::CartOpened { .. } => {}
        CartEvent::LineAdded {
            sku,
            properties,
            name,
            policy,
            parts,
            digital,
            quantity,
            unit_price_minor,
            hold,
            picks,
            backordered,
            ships_from_ms,
            holds_expire_at_ms,
        } => {
            let line = line_for(cart, sku, properties, *policy, parts);
            line.properties.clone_from(properties);
            line.name.clone_from(name);
            line.policy = *policy;
            line.digital = *digital;
            line.unit_price_minor = *unit_price_minor;
            line.quantity += quantity;
            line.ships_from_ms = *ships_from_ms;
            take(line, *hold, picks, *backordered);
            cart.holds_expire_at_ms = *holds_expire_at_ms;
        }
        CartEvent::QuantitySet {
            line,
            quantity,
            unit_price_minor,
            hold,
            release,
            picks,
            backordered,
            holds_expire_at_ms,
        } => {
            if let Some(line) = cart.lines.iter_mut().find(|l| l.is(line)) {
                line.quantity = *quantity;
                line.unit_price_minor = *unit_price_minor;
                let is_less = *release > 0;
                put_back(line, *release, if is_less { picks } else { &[] });
                take(line, *hold, if is_less { &[] } else { picks }, *backordered);
            }
            cart.holds_expire_at_ms = *holds_expire_at_ms;
        }
        CartEvent::LinesHeld { holds, holds_expire_at_ms } => {
            for LineHold { line, hold, picks, backordered } in holds {
                if let Some(line) = cart.lines.iter_mut().find(|l| l.is(line)) {
                    take(line, *hold, picks, *backordered);
                }
            }
            cart.holds_expire_at_ms = *holds_expire_at_ms;
        }
        CartEvent::HoldsMoved { moves } => {
            for HoldMove { line, to, backordered, .. } in moves {
                if let Some(line) = cart.lines.iter_mut().find(|l| l.is(line)) {
                    line.picks.clone_from(to);
                    unsaid(line);
                    line.backordered = *backordered;
                }
            }
        }
        CartEvent::LineRemoved { line, .. } | CartEvent::GiftWithdrawn { line, .. } => {
            cart.lines.retain(|l| !l.is(line));
            forget_ended_holds(cart);
        }
        CartEvent::LineSaved { line, .. } => save(cart, line),
        CartEvent::SavedLineDropped { line } => cart.saved.retain(|l| l.id() != *line),
        CartEvent::CodeApplied { code } => cart.codes.push(code.clone()),
        CartEvent::CodeRemoved { code } => cart.codes.retain(|c| c != code),
        CartEvent::GiftAdded {
            promotion,
            sku,
            name,
            policy,
            parts,
            digital,
            quantity,
            hold,
            picks,
            backordered,
            ships_from_ms,
            holds_expire_at_ms,
        } => {
            let mut line = Line {
                gift_of: Some(promotion.clone()),
                parts: parts.clone(),
                digital: *digital,
                ships_from_ms: *ships_from_ms,
                ..Line::new(sku.clone(), name.as_str(), *quantity, 0, *policy)
            };
            take(&mut line, *hold, picks, *backordered);
            cart.lines.push(line);
            cart.holds_expire_at_ms = *holds_expire_at_ms;
        }
        CartEvent::GiftDeclined { promotion } => cart.gifts_declined.push(promotion.clone()),
        CartEvent::GiftAccepted { promotion } => cart.gifts_declined.retain(|p| p != promotion),
        CartEvent::GiftsOutOfStock { promotions } => cart.gifts_out_of_stock.clone_from(promotions),
        CartEvent::GiftCardApplied { card } => cart.gift_cards.push(card.clone()),
        CartEvent::GiftCardRemoved { card } => cart.gift_cards.retain(|c| c.id != *card),
        CartEvent::StoreCreditSet { on } => cart.uses_credit = *on,
        CartEvent::BalancesNoted { balances } => cart.known.clone_from(balances),
        CartEvent::NoteSet { text } => cart.note.clone_from(text),
        CartEvent::GroupSet { group, prices } => {
            cart.group.clone_from(group);
            reprice(cart, prices);
        }
        CartEvent::PricesAccepted { prices } => reprice(cart, prices),
        CartEvent::CartCleared { .. } => {
            cart.lines.clear();
            cart.holds_expire_at_ms = None;
        }
        CartEvent::CheckoutStarted => cart.stage = Stage::Checkout { completed: vec![], payment: None },
        CartEvent::StepCompleted { details } => complete(cart, details),
        CartEvent::HoldsExpired { releases } => {
            for LineRelease { line, pieces, picks } in releases {
                release(cart, line, *pieces, picks);
            }
            forget_ended_holds(cart);
        }
        CartEvent::PaymentBegun { attempt } => {
            cart.payments += 1;
            cart.payment_failure = None;
            set_payment(cart, Some(attempt.clone()));
        }
        CartEvent::PaymentChallenged { url, .. } => {
            if let Stage::Checkout { payment: Some(attempt), .. } = &mut cart.stage {
                attempt.state = AttemptState::Challenged { url: url.clone() };
            }
        }
        CartEvent::PaymentFailed { reason, .. } => {
            set_payment(cart, None);
            cart.payment_failure = Some(reason.clone());
        }
        CartEvent::PaymentCancelled { payment } => {
            if cart.payment().is_some_and(|attempt| attempt.id == *payment) {
                set_payment(cart, None);
            }
            cart.payment_tasks.push(PaymentTask::Void { payment: payment.clone() });
        }
        CartEvent::PaymentVoided { payment } => {
            let done = PaymentTask::Void { payment: payment.clone() };
            cart.payment_tasks.retain(|task| *task != done);
        }
        CartEvent::PaymentCaptured { payment, amount_minor } => {
            let done = PaymentTask::Capture { payment: payment.clone(), amount_minor: *amount_minor };
            cart.payment_tasks.retain(|task| *task != done);
        }
        CartEvent::PaymentRefunded { payment, number, amount_minor } => {
            let (payment, number, amount_minor) = (payment.clone(), *number, *amount_minor);
            let done = PaymentTask::Refund { payment, number, amount_minor };
            cart.payment_tasks.retain(|task| *task != done);
        }
        CartEvent::ParcelSent { parcel, .. } => {
            if let Stage::Ordered { state, .. } = &mut cart.stage {
                state.parcels.push(parcel.clone());
            }
        }
        CartEvent::OrderRelocated { relocation, .. } => {
            if let Stage::Ordered { state, .. } = &mut cart.stage {
                state.relocations.push(relocation.clone());
            }
        }
        CartEvent::ParcelCorrected { number, tracking, .. } => {
            if let Stage::Ordered { state, .. } = &mut cart.stage
                && let Some(parcel) = state.parcels.iter_mut().find(|parcel| parcel.number == *number)
            {
                parcel.tracking.clone_from(tracking);
            }
        }
        CartEvent::OrderFulfilled { at_ms, .. } => {
            if let Stage::Ordered { state, .. } = &mut cart.stage {
                state.status = OrderStatus::Fulfilled { at_ms: *at_ms };
            }
        }
        CartEvent::CartAbandoned(_) => cart.lapse = Some(Lapse::Abandoned),
        CartEvent::CartExpired { .. } => {
            cart.lapse = Some(Lapse::Expired);
            cart.stage = Stage::Open;
            for line in &mut cart.lines {
                (line.held, line.released) = (0, 0);
                line.picks.clear();
            }
            cart.holds_expire_at_ms = None;
        }
        CartEvent::CartReopened { .. } => cart.lines.clear(),
        CartEvent::OrderCancelled { refund, .. } => cancel(cart, refund),
        CartEvent::OrderRefunded { refund, .. } => give_back(cart, refund),
        CartEvent::CartClaimed { owner } => {
            // Experiments go on knowing the cart by the visitor who opened it.
            let opener = std::mem::replace(&mut cart.owner, owner.clone());
            cart.unit.get_or_insert(opener);
        }
        CartEvent::LineMerged {
            sku,
            properties,
            name,
            policy,
            parts,
            digital,
            quantity,
            unit_price_minor,
            carried,
            carried_picks,
            hold,
            picks,
            backordered,
            ships_from_ms,
            holds_expire_at_ms,
            ..
        } => {
            let line = line_for(cart, sku, properties, *policy, parts);
            line.properties.clone_from(properties);
            line.name.clone_from(name);
            line.policy = *policy;
            line.digital = *digital;
            line.unit_price_minor = *unit_price_minor;
            line.quantity += quantity;
            line.ships_from_ms = *ships_from_ms;
            pick(line, *carried, carried_picks);
            line.held += carried;
            take(line, *hold, picks, *backordered);
            cart.holds_expire_at_ms = *holds_expire_at_ms;
        }
        CartEvent::LineLaidAside { line } => lay_aside(cart, line.clone()),
        CartEvent::CartMerged { into, .. } => {
            cart.stage = Stage::Merged { into: into.clone() };
            cart.lines.clear();
            cart.saved.clear();
            cart.codes.clear();
            cart.gifts_declined.clear();
            cart.gifts_out_of_stock.clear();
            cart.gift_cards.clear();
            cart.uses_credit = false;
            cart.known = Balances::default();
            cart.note.clear();
            cart.contact = None;
            cart.address = None;
            cart.shipping = None;
            cart.holds_expire_at_ms = None;
        }
        CartEvent::OrderPlaced(order) => {
            if let Some(payment) = order.payment.clone().filter(|_| order.due_minor() > 0) {
                cart.payment_tasks.push(PaymentTask::Capture { payment, amount_minor: order.due_minor() });
            }
            cart.stage = Stage::Ordered {
                order_id: order.order_id.clone(),
                quote: order.quote.clone(),
                payment: order.payment.clone(),
                state: OrderState::default(),
            };
            for line in &mut cart.lines {
                (line.held, line.released) = (0, 0);
                line.picks.clear();
            }
            cart.holds_expire_at_ms = None;
        }
    }
}

/// A payment of which nothing was given back yet is let go whole, whether it was taken meanwhile or not.
fn cancel(cart: &mut Cart, refund: &Refund) {
    let Stage::Ordered { state, payment, .. } = &mut cart.stage else { return };
    let is_whole = state.refunds.is_empty();
    state.status = OrderStatus::Cancelled { at_ms: refund.at_ms };
    match payment.clone().filter(|_| is_whole && refund.provider_minor() > 0) {
        Some(payment) => {
            state.refunds.push(refund.clone());
            cart.payment_tasks
                .retain(|task| !matches!(task, PaymentTask::Capture { payment: p, .. } if *p == payment));
            cart.payment_tasks.push(PaymentTask::Void { payment });
        }
        None => give_back(cart, refund),
    }
}

fn give_back(cart: &mut Cart, refund: &Refund) {
    let Stage::Ordered { state, payment, .. } = &mut cart.stage else { return };
    let (number, amount_minor) = (refund.number, refund.provider_minor());
    state.refunds.push(refund.clone());
    if let Some(payment) = payment.clone().filter(|_| amount_minor > 0) {
        cart.payment_tasks.push(PaymentTask::Refund { payment, number, amount_minor });
    }
}

fn set_payment(cart: &mut Cart, attempt: Option<PaymentAttempt>) {
    if let Stage::Checkout { payment, .. } = &mut cart.stage {
        *payment = attempt;
    }
}

/// Returns the line of a product with these properties; where there is none, a new one with these parts.
fn line_for<'c>(
    cart: &'c mut Cart,
    sku: &Sku,
    properties: &Properties,
    policy: StockPolicy,
    parts: &[LinePart],
) -> &'c mut Line {
    let id = LineId::new(sku.clone(), properties);
    let at = cart.lines.iter().position(|l| l.is(&id)).unwrap_or_else(|| {
        let properties = properties.clone();
        let parts = parts.to_vec();
        let at = cart.bought().count();
        cart.lines.insert(at, Line { properties, parts, ..Line::new(sku.clone(), "", 0, 0, policy) });
        at
    });
    &mut cart.lines[at]
}

fn lay_aside(cart: &mut Cart, line: SavedLine) {
    match cart.saved.iter_mut().find(|l| l.id() == line.id()) {
        Some(saved) => {
            saved.quantity = saved.quantity.saturating_add(line.quantity).min(LINE_QUANTITY_MAX);
            saved.properties = line.properties;
        }
        None => cart.saved.push(line),
    }
}

fn complete(cart: &mut Cart, details: &StepDetails) {
    match details {
        StepDetails::Contact { email } => {
            cart.contact = Some(email.clone());
            // Entered again, it is the address's too.
            if let Some(address) = &mut cart.address {
                address.email.clone_from(email);
            }
        }
        StepDetails::Address(address) => {
            if let Some(contact) = &mut cart.contact {
                contact.clone_from(&address.email);
            }
            cart.address = Some(address.clone());
        }
        StepDetails::Shipping { method } => cart.shipping.clone_from(method),
        StepDetails::Payment | StepDetails::Review => {}
    }
    if let Stage::Checkout { completed, .. } = &mut cart.stage
        && !completed.contains(&details.step())
    {
        completed.push(details.step());
    }
}

/// Lays a line aside; where it lies there already, the pieces add up.
fn save(cart: &mut Cart, id: &LineId) {
    let Some(at) = cart.lines.iter().position(|l| l.is(id)) else { return };
    let Line { sku, properties, name, quantity, .. } = cart.lines.remove(at);
    lay_aside(cart, SavedLine { sku, properties, name, quantity });
    forget_ended_holds(cart);
}

/// A line that holds pieces again has forgotten what it lost.
fn take(line: &mut Line, hold: u32, picks: &[Pick], backordered: u32) {
    pick(line, hold, picks);
    line.held += hold;
    line.backordered = backordered;
    line.released = if hold > 0 { 0 } else { line.released.min(line.quantity - line.held) };
}

/// Adds so many pieces that a line did not hold before.
fn pick(line: &mut Line, pieces: u32, picks: &[Pick]) {
    shift(line, pieces, picks, |held, new| held + new);
}

/// Takes away pieces that a line held.
fn unpick(line: &mut Line, pieces: u32, picks: &[Pick]) {
    shift(line, pieces, picks, |held, gone| held - gone);
}

/// Changes what a line holds where: of a plain line that is not said, pieces of its own product in the main location.
fn shift(line: &mut Line, pieces: u32, picks: &[Pick], by: fn(u32, u32) -> u32) {
    let is_unsaid = line.parts.is_empty() && picks.is_empty();
    if is_unsaid && line.picks.is_empty() {
        return;
    }
    said(line);
    let own = (is_unsaid && pieces > 0).then(|| Pick::new(line.sku.clone(), pieces));
    for pick in own.iter().chain(picks) {
        match line.picks.iter_mut().find(|held| held.is_of(&pick.sku, &pick.location)) {
            Some(held) => held.pieces = by(held.pieces, pick.pieces),
            None => line.picks.push(Pick { pieces: by(0, pick.pieces), ..pick.clone() }),
        }
    }
    line.picks.retain(|held| held.pieces > 0);
    unsaid(line);
}

/// Says where the pieces of a plain line are that all lie in the main location.
fn said(line: &mut Line) {
    if line.parts.is_empty() && line.picks.is_empty() && line.held > 0 {
        line.picks.push(Pick::new(line.sku.clone(), line.held));
    }
}

/// Says no more where the pieces of a plain line are, where all lie in the main location.
fn unsaid(line: &mut Line) {
    if line.parts.is_empty() && line.picks.iter().all(|pick| pick.location.is_main()) {
        line.picks.clear();
    }
}

fn put_back(line: &mut Line, pieces: u32, picks: &[Pick]) {
    unpick(line, pieces, picks);
    line.held -= pieces;
}

fn reprice(cart: &mut Cart, prices: &[(LineId, i64)]) {
    for (id, unit_price_minor) in prices {
        if let Some(line) = cart.lines.iter_mut().find(|l| l.is(id)) {
            line.unit_price_minor = *unit_price_minor;
        }
    }
}

fn release(cart: &mut Cart, id: &LineId, pieces: u32, picks: &[Pick]) {
    if let Some(line) = cart.lines.iter_mut().find(|l| l.is(id)) {
        put_back(line, pieces, picks);
        line.released += pieces;
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
        let CartEvent::CartOpened { id, owner, unit, group, channel, currency, workflow, assignments } =
            event
        else {
            return None;
        };
        Some(Self {
            id: id.clone(),
            owner: owner.clone(),
            unit: unit.clone().filter(|unit| unit != owner),
            group: group.clone(),
            channel: channel.clone(),
            version: 1,
            currency: *currency,
            workflow: workflow.clone(),
            assignments: assignments.clone(),
            stage: Stage::Open,
            lines: vec![],
            saved: vec![],
            codes: vec![],
            gifts_declined: vec![],
            gifts_out_of_stock: vec![],
            gift_cards: vec![],
            uses_credit: false,
            known: Balances::default(),
            note: String::new(),
            contact: None,
            address: None,
            shipping: None,
            payments: 0,
            payment_tasks: vec![],
            payment_failure: None,
            lapse: None,
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
