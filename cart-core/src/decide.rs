//! The rules: a request and the facts it needs become events, or a rejection.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    AssignedVariation, Cart, CartEvent, CartId, Code, Command, Currency, FieldError, Line, LineId, LineQuote,
    MethodId, Order, OrderId, OrderLine, Payment, PricePolicy, PriceQuestion, Product, Properties, Rejection,
    Request, Sku, Stage, Step, StepDetails, StockLevels, StockPolicy, Terms, VisitorId, Wanted, Workflow,
    evolve,
    limits::{CART_CODES_MAX, CART_LINES_MAX, LINE_QUANTITY_MAX, SAVED_LINES_MAX},
    promotion::Verdict,
    quote,
};

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

fn add_line(
    cart: &Cart,
    facts: &Facts<'_>,
    sku: &Sku,
    quantity: u32,
    properties: &Properties,
) -> Result<Vec<CartEvent>, Rejection> {
    let line = cart.line(&LineId::new(sku.clone(), properties));
    let wanted = u64::from(quantity) + line.map_or(0, |l| u64::from(l.quantity));
    if quantity == 0 {
        return Err(Rejection::InvalidQuantity { quantity: 0 });
    }
    if wanted > u64::from(LINE_QUANTITY_MAX) {
        return Err(Rejection::InvalidQuantity { quantity: wanted });
    }
    let (product, unit_price_minor) = for_sale(cart, facts, sku, wanted as u32)?;
    let order = cart.pieces_of(sku) + u64::from(quantity);
    admit(product, wanted as u32, order)?;
    if line.is_none() && cart.lines.len() >= CART_LINES_MAX {
        return Err(Rejection::CartFull);
    }
    let hold = hold_needed(facts, product.stock_policy, sku, wanted as u32, line.map_or(0, |l| l.held))?;
    Ok(vec![CartEvent::LineAdded {
        sku: sku.clone(),
        properties: properties.clone(),
        name: product.name.clone(),
        policy: product.stock_policy,
        quantity,
        unit_price_minor,
        hold,
        holds_expire_at_ms: expiry_after(cart, facts, hold),
    }])
}

fn set_quantity(
    cart: &Cart,
    facts: &Facts<'_>,
    id: &LineId,
    quantity: u32,
) -> Result<Vec<CartEvent>, Rejection> {
    if quantity == 0 || quantity > LINE_QUANTITY_MAX {
        return Err(Rejection::InvalidQuantity { quantity: u64::from(quantity) });
    }
    let Some(line) = cart.line(id) else {
        // What the properties of a line that is gone were, its name no longer says.
        return match id.is_plain() {
            true => add_line(cart, facts, id.sku(), quantity, &Properties::default()),
            false => Err(Rejection::LineNotFound { line: id.clone() }),
        };
    };
    if line.quantity == quantity && line.held <= quantity {
        return Ok(vec![]);
    }
    let for_sale = for_sale(cart, facts, &line.sku, quantity);
    // Fewer pieces are granted even of a product that is sold out or no longer for sale.
    let (hold, unit_price_minor) = if quantity > line.quantity {
        let (product, unit_price_minor) = for_sale?;
        let order = cart.pieces_of(&line.sku) - u64::from(line.quantity) + u64::from(quantity);
        admit(product, quantity, order)?;
        (hold_needed(facts, line.policy, &line.sku, quantity, line.held)?, unit_price_minor)
    } else {
        if let Ok((product, _)) = for_sale {
            admit(product, quantity, 0)?;
        }
        // The price of a tier goes with the quantity; a price of another day is kept.
        let told_today = for_sale_at(cart, facts, &line.sku, line.quantity) == Some(line.unit_price_minor);
        let today = for_sale.ok().filter(|_| told_today).map(|(_, minor)| minor);
        (0, today.unwrap_or(line.unit_price_minor))
    };
    Ok(vec![CartEvent::QuantitySet {
        line: id.clone(),
        quantity,
        unit_price_minor,
        hold,
        release: line.held.saturating_sub(quantity),
        holds_expire_at_ms: expiry_after(cart, facts, hold),
    }])
}

/// Returns a product that may be bought, and what one piece costs where so many are.
fn for_sale<'a>(
    cart: &Cart,
    facts: &Facts<'a>,
    sku: &Sku,
    quantity: u32,
) -> Result<(&'a Product, i64), Rejection> {
    let product = facts
        .products
        .product(sku)
        .filter(|p| !p.hidden)
        .ok_or_else(|| Rejection::UnknownSku { sku: sku.clone() })?;
    let question = PriceQuestion { currency: cart.currency, group: None, quantity, now_ms: facts.now_ms };
    match product.price_for(&question) {
        Some(price) => Ok((product, price.minor)),
        None => Err(Rejection::CurrencyMismatch { product: product.price.currency, cart: cart.currency }),
    }
}

fn for_sale_at(cart: &Cart, facts: &Facts<'_>, sku: &Sku, quantity: u32) -> Option<i64> {
    for_sale(cart, facts, sku, quantity).ok().map(|(_, minor)| minor)
}

fn admit(product: &Product, line: u32, order: u64) -> Result<(), Rejection> {
    let wanted = Wanted { line, order, bought_before: 0 };
    product
        .limits
        .admits(wanted)
        .map_err(|broken| Rejection::QuantityLimit { sku: product.sku.clone(), broken })
}

/// Returns the further pieces that a line must hold to have `wanted`.
fn hold_needed(
    facts: &Facts<'_>,
    policy: StockPolicy,
    sku: &Sku,
    wanted: u32,
    held: u32,
) -> Result<u32, Rejection> {
    let missing = wanted.saturating_sub(held);
    if !policy.is_tracked() || missing == 0 {
        return Ok(0);
    }
    let available = facts.stock.available(sku);
    if available < i64::from(missing) {
        return Err(Rejection::OutOfStock { sku: sku.clone(), available, wanted: missing });
    }
    // A line that promises nothing is still refused when the shelf is visibly too empty.
    Ok(if policy == StockPolicy::HoldOnAdd { missing } else { 0 })
}

/// Every change that holds pieces renews the time of all the cart's holds.
fn expiry_after(cart: &Cart, facts: &Facts<'_>, hold: u32) -> Option<i64> {
    if hold > 0 { Some(facts.now_ms + facts.hold_ms) } else { cart.holds_expire_at_ms }
}

fn remove_line(cart: &Cart, id: &LineId) -> Result<Vec<CartEvent>, Rejection> {
    let line = line(cart, id)?;
    Ok(vec![CartEvent::LineRemoved { line: id.clone(), release: line.held }])
}

fn save_line(cart: &Cart, id: &LineId) -> Result<Vec<CartEvent>, Rejection> {
    let line = line(cart, id)?;
    if cart.saved_line(id).is_none() && cart.saved.len() >= SAVED_LINES_MAX {
        return Err(Rejection::CartFull);
    }
    Ok(vec![CartEvent::LineSaved { line: id.clone(), release: line.held }])
}

fn restore_line(cart: &Cart, facts: &Facts<'_>, id: &LineId) -> Result<Vec<CartEvent>, Rejection> {
    let saved = saved_line(cart, id)?;
    let mut events = add_line(cart, facts, &saved.sku, saved.quantity, &saved.properties)?;
    events.insert(0, CartEvent::SavedLineDropped { line: id.clone() });
    Ok(events)
}

fn line<'c>(cart: &'c Cart, id: &LineId) -> Result<&'c Line, Rejection> {
    cart.line(id).ok_or_else(|| Rejection::LineNotFound { line: id.clone() })
}

fn saved_line<'c>(cart: &'c Cart, id: &LineId) -> Result<&'c crate::SavedLine, Rejection> {
    cart.saved_line(id).ok_or_else(|| Rejection::LineNotFound { line: id.clone() })
}

fn holds(cart: &Cart) -> Vec<(LineId, u32)> {
    cart.lines.iter().filter(|l| l.held > 0).map(|l| (l.id(), l.held)).collect()
}

fn start_checkout(cart: &Cart) -> Result<Vec<CartEvent>, Rejection> {
    if cart.lines.is_empty() {
        return Err(Rejection::CartEmpty);
    }
    match cart.stage {
        Stage::Checkout { .. } => Ok(vec![]),
        _ => Ok(vec![CartEvent::CheckoutStarted]),
    }
}

fn complete_step(cart: &Cart, facts: &Facts<'_>, details: &StepDetails) -> Result<Vec<CartEvent>, Rejection> {
    let step = details.step();
    let next = cart.next_step();
    if cart.lines.is_empty() {
        return Err(Rejection::CartEmpty);
    }
    if next != Some(step) && !cart.completed().contains(&step) {
        return Err(Rejection::StepOutOfOrder { step, next });
    }
    if let StepDetails::Shipping { method } = details {
        admit_method(cart, facts, method.as_ref())?;
    }
    let says_nothing_new = match details {
        StepDetails::Address(address) => cart.address.as_ref() == Some(address),
        StepDetails::Shipping { method } => *method == cart.shipping,
        StepDetails::Payment | StepDetails::Review => true,
    };
    if says_nothing_new && cart.completed().contains(&step) {
        return Ok(vec![]);
    }
    Ok(vec![CartEvent::StepCompleted { details: details.clone() }])
}

/// A method must be offered; where nothing travels, none is needed.
fn admit_method(cart: &Cart, facts: &Facts<'_>, method: Option<&MethodId>) -> Result<(), Rejection> {
    let offers = quote(cart, facts.products, facts.terms, facts.now_ms).offers;
    let is_offered = offers.offered.iter().any(|offer| Some(&offer.method) == method);
    if is_offered || !offers.needed {
        return Ok(());
    }
    let refused = offers.refused.iter().find(|refused| Some(&refused.method) == method);
    let names: Vec<_> = offers.offered.iter().map(|offer| offer.method.as_str()).collect();
    let message = match (refused, &names[..]) {
        (Some(refused), _) => format!("{} {}", refused.method, refused.why),
        (None, []) => "cannot be chosen: nothing of the shop's goes there".into(),
        (None, _) => format!("must be one of {}", names.join(", ")),
    };
    Err(Rejection::InvalidDetails { fields: vec![FieldError { field: "method".into(), message }] })
}

/// Whether a promotion applies is said by each quote; a code only has to be one of the shop's.
fn apply_code(cart: &Cart, facts: &Facts<'_>, code: &Code) -> Result<Vec<CartEvent>, Rejection> {
    if cart.codes.contains(code) {
        return Ok(vec![]);
    }
    if !facts.terms.promotions.knows_code(code) {
        return Err(Rejection::UnknownCode { code: code.clone() });
    }
    if cart.codes.len() >= CART_CODES_MAX {
        let message = format!("is one too many: a cart takes {CART_CODES_MAX}; take another back first");
        return Err(Rejection::InvalidDetails { fields: vec![FieldError { field: "code".into(), message }] });
    }
    Ok(vec![CartEvent::CodeApplied { code: code.clone() }])
}

fn accept_prices(cart: &Cart, facts: &Facts<'_>) -> Vec<CartEvent> {
    let prices = quote(cart, facts.products, facts.terms, facts.now_ms).changed(cart);
    if prices.is_empty() { vec![] } else { vec![CartEvent::PricesAccepted { prices }] }
}

fn place_order(
    cart: &Cart,
    facts: &Facts<'_>,
    order_id: &OrderId,
    payment: &Payment,
) -> Result<Vec<CartEvent>, Rejection> {
    if cart.lines.is_empty() {
        return Err(Rejection::CartEmpty);
    }
    let next = cart.next_step();
    if next.is_some() || cart.stage == Stage::Open {
        return Err(Rejection::CheckoutIncomplete { next });
    }
    let mut quote = quote(cart, facts.products, facts.terms, facts.now_ms);
    if quote.offers.needed && quote.chosen(cart).is_none() {
        // The way that was chosen is no longer offered: the shopper chooses again.
        return Err(Rejection::CheckoutIncomplete { next: Some(Step::Shipping) });
    }
    if facts.terms.prices == PricePolicy::Tell && !quote.changed(cart).is_empty() {
        let lines = quote.changed(cart).into_iter().map(|(line, _)| line).collect();
        return Err(Rejection::PriceChanged { lines });
    }
    let totals = quote.totals;
    // An order tells what applied; what might have is of no use to it.
    quote.promotions.outcomes.retain(|o| matches!(o.verdict, Verdict::Applied(_)));
    if payment.amount_minor != totals.total_minor {
        return Err(Rejection::PaymentMismatch {
            authorised_minor: payment.amount_minor,
            due_minor: totals.total_minor,
        });
    }
    let mut taken = BTreeMap::new();
    let lines = cart.lines.iter().zip(&quote.lines);
    let lines = lines.map(|(line, quote)| sell(facts, &mut taken, line, quote)).collect::<Result<_, _>>()?;
    Ok(vec![CartEvent::OrderPlaced(Order {
        order_id: order_id.clone(),
        cart: cart.id.clone(),
        owner: cart.owner.clone(),
        placed_at_ms: facts.now_ms,
        currency: cart.currency,
        lines,
        note: cart.note.clone(),
        shipping: quote.chosen(cart).map(|offer| offer.method.clone()),
        shipping_minor: totals.shipping_minor,
        total_minor: totals.total_minor,
        payment_reference: payment.reference.clone(),
        quote: Some(Box::new(quote)),
    })])
}

/// Sells a line; `taken` counts the pieces that lines before it took off the shelf.
fn sell<'c>(
    facts: &Facts<'_>,
    taken: &mut BTreeMap<&'c Sku, i64>,
    line: &'c Line,
    quote: &LineQuote,
) -> Result<OrderLine, Rejection> {
    let missing = if line.policy.is_tracked() { line.quantity - line.held } else { 0 };
    let taken = taken.entry(&line.sku).or_default();
    let available = facts.stock.available(&line.sku) - *taken;
    *taken += i64::from(missing);
    if i64::from(missing) > available {
        return Err(Rejection::OutOfStock { sku: line.sku.clone(), available, wanted: missing });
    }
    Ok(OrderLine {
        sku: line.sku.clone(),
        properties: line.properties.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price_minor: quote.unit_price_minor,
        discount_minor: quote.discount_minor,
        from_held: line.held,
        from_available: missing,
    })
}

fn expire_holds(cart: &Cart, now_ms: i64) -> Vec<CartEvent> {
    match cart.holds_expire_at_ms {
        Some(end) if end <= now_ms => vec![CartEvent::HoldsExpired { releases: holds(cart) }],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests;
