//! The rules: a request and the facts it needs become events, or a rejection.

mod checkout;
mod lines;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    AssignedVariation, Cart, CartEvent, CartId, Command, Currency, LineId, Product, Rejection, Request, Sku,
    Stage, StockLevels, Terms, VisitorId, Workflow, evolve,
};
use checkout::{accept_prices, apply_code, complete_step, place_order, start_checkout};
use lines::{add_line, remove_line, restore_line, save_line, saved_line, set_quantity};

/// Finds products by their SKU: the catalogue, or a few products of a test.
pub trait Products {
    /// Returns a product, hidden or not.
    fn product(&self, sku: &Sku) -> Option<&Product>;
}

impl<P: std::ops::Deref<Target = Product>> Products for BTreeMap<Sku, P> {
    fn product(&self, sku: &Sku) -> Option<&Product> {
        self.get(sku).map(|p| &**p)
    }
}

/// Is what a decision may know of the world.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The clock's reading, in Unix milliseconds.
    pub now_ms: i64,
    /// The catalogue.
    pub products: &'a dyn Products,
    /// The stock of every product that the command names, and of the cart's where it moves them all.
    pub stock: &'a StockLevels,
    /// How long a hold lasts, in milliseconds.
    pub hold_ms: i64,
    /// The terms of the shop.
    pub terms: &'a Terms,
}

/// Opens a cart.
pub fn open(
    id: CartId,
    owner: VisitorId,
    currency: Currency,
    workflow: Arc<Workflow>,
    assignments: Vec<AssignedVariation>,
) -> CartEvent {
    CartEvent::CartOpened { id, owner, currency, workflow, assignments }
}

/// Decides a request: the events that follow from it, none where it changes nothing.
///
/// # Errors
/// The first [`Rejection`] that holds, in the order in which that type lists them.
pub fn decide(cart: &Cart, facts: &Facts<'_>, request: &Request) -> Result<Vec<CartEvent>, Rejection> {
    if request.caller.as_ref().is_some_and(|caller| *caller != cart.owner) {
        return Err(Rejection::NotOwner);
    }
    if let Some(expected) = request.expected_version.filter(|v| *v != cart.version) {
        return Err(Rejection::StaleVersion { expected, actual: cart.version });
    }
    if let Stage::Ordered { order_id, .. } = &cart.stage {
        return match request.command {
            Command::ExpireHolds => Ok(vec![]),
            _ => Err(Rejection::CartClosed { order_id: order_id.clone() }),
        };
    }
    run(cart, facts, &request.command)
}

fn run(cart: &Cart, facts: &Facts<'_>, command: &Command) -> Result<Vec<CartEvent>, Rejection> {
    match command {
        Command::AddLine { sku, quantity, properties } => add_line(cart, facts, sku, *quantity, properties),
        Command::SetQuantity { line, quantity } => set_quantity(cart, facts, line, *quantity),
        Command::RemoveLine { line } => remove_line(cart, line),
        Command::SaveLine { line } => save_line(cart, line),
        Command::RestoreLine { line } => restore_line(cart, facts, line),
        Command::DropSavedLine { line } => {
            let saved = saved_line(cart, line)?;
            Ok(vec![CartEvent::SavedLineDropped { line: saved.id() }])
        }
        Command::ApplyCode { code } => apply_code(cart, facts, code),
        Command::RemoveCode { code } if !cart.codes.contains(code) => Ok(vec![]),
        Command::RemoveCode { code } => Ok(vec![CartEvent::CodeRemoved { code: code.clone() }]),
        Command::SetNote { text } if *text == cart.note => Ok(vec![]),
        Command::SetNote { text } => Ok(vec![CartEvent::NoteSet { text: text.clone() }]),
        Command::AcceptPrices => Ok(accept_prices(cart, facts)),
        Command::Batch(commands) => batch(cart, facts, commands),
        Command::Clear if cart.lines.is_empty() => Ok(vec![]),
        Command::Clear => Ok(vec![CartEvent::CartCleared { releases: holds(cart) }]),
        Command::StartCheckout => start_checkout(cart),
        Command::CompleteStep(details) => complete_step(cart, facts, details),
        Command::PlaceOrder { order_id, payment } => place_order(cart, facts, order_id, payment),
        Command::ExpireHolds => Ok(expire_holds(cart, facts.now_ms)),
    }
}

/// Each command sees what those before it did; the first that is refused refuses them all.
fn batch(cart: &Cart, facts: &Facts<'_>, commands: &[Command]) -> Result<Vec<CartEvent>, Rejection> {
    let (mut cart, mut stock, mut all) = (cart.clone(), facts.stock.clone(), vec![]);
    for (position, command) in commands.iter().enumerate() {
        let events = run(&cart, &Facts { stock: &stock, ..*facts }, command)
            .map_err(|because| Rejection::InBatch { position, because: Box::new(because) })?;
        for event in &events {
            evolve(&mut cart, event);
            stock.apply(event);
        }
        all.extend(events);
    }
    Ok(all)
}

fn holds(cart: &Cart) -> Vec<(LineId, u32)> {
    cart.lines.iter().filter(|l| l.held > 0).map(|l| (l.id(), l.held)).collect()
}

fn expire_holds(cart: &Cart, now_ms: i64) -> Vec<CartEvent> {
    match cart.holds_expire_at_ms {
        Some(end) if end <= now_ms => vec![CartEvent::HoldsExpired { releases: holds(cart) }],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests;
