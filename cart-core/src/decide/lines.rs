//! The rules of a cart's lines.

use std::borrow::Cow;

use super::{
    Facts, bought_before,
    pieces::{Served, expiry_after, needs, policy_of, serve},
};
use crate::{
    Cart, CartEvent, Line, LineId, Product, Properties, Rejection, SavedLine, Sku, Wanted,
    limits::{CART_LINES_MAX, CART_PROPERTIES_BYTES_MAX, LINE_QUANTITY_MAX, SAVED_LINES_MAX},
};

pub(crate) fn add_line(
    cart: &Cart,
    facts: &Facts<'_>,
    sku: &Sku,
    quantity: u32,
    properties: &Properties,
) -> Result<Vec<CartEvent>, Rejection> {
    let properties = &marked(facts, sku, properties);
    let id = LineId::new(sku.clone(), properties);
    let line = cart.line(&id);
    let wanted = u64::from(quantity) + line.map_or(0, |l| u64::from(l.quantity));
    if quantity == 0 {
        return Err(Rejection::InvalidQuantity { quantity: 0 });
    }
    if wanted > u64::from(LINE_QUANTITY_MAX) {
        return Err(Rejection::InvalidQuantity { quantity: wanted });
    }
    let (product, unit_price_minor) = for_sale(cart, facts, sku, wanted as u32)?;
    let order = cart.pieces_of(sku) + u64::from(quantity);
    admit(cart, facts, product, wanted as u32, order)?;
    let said = product
        .takes(properties, line.map(|line| &line.properties))
        .map_err(|fault| Rejection::PropertyRefused { sku: sku.clone(), fault })?;
    if line.is_none() && cart.bought().count() >= CART_LINES_MAX {
        return Err(Rejection::CartFull);
    }
    let is_news = line.is_none_or(|line| line.properties != said) && !said.is_empty();
    if is_news && too_much_text(cart, &id, &said) {
        return Err(Rejection::CartFull);
    }
    let policy = policy_of(cart, product);
    let parts = if line.is_none() { product.line_parts() } else { vec![] };
    let needs = needs(facts, policy, sku, line.map_or(&parts, |line| &line.parts));
    let Served { hold, picks, backordered } = serve(cart, facts, policy, &needs, wanted as u32, line)?;
    Ok(vec![CartEvent::LineAdded {
        sku: sku.clone(),
        properties: said,
        name: product.name.clone(),
        policy,
        digital: product.is_digital(),
        quantity,
        unit_price_minor,
        holds_expire_at_ms: expiry_after(cart, facts, hold),
        hold,
        picks,
        parts,
        backordered,
        ships_from_ms: product.ships_from_ms(facts.now_ms),
    }])
}

pub(super) fn set_quantity(
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
    not_given(line)?;
    if line.quantity == quantity && line.held <= quantity {
        return Ok(vec![]);
    }
    let for_sale = for_sale(cart, facts, &line.sku, quantity);
    // Fewer pieces are granted even of a product that is sold out or no longer for sale.
    let (Served { hold, picks, backordered }, unit_price_minor) = if quantity > line.quantity {
        let (product, unit_price_minor) = for_sale?;
        let order = cart.pieces_of(&line.sku) - u64::from(line.quantity) + u64::from(quantity);
        admit(cart, facts, product, quantity, order)?;
        let needs = needs(facts, line.policy, &line.sku, &line.parts);
        let served = serve(cart, facts, line.policy, &needs, quantity, Some(line))?;
        (served, unit_price_minor)
    } else {
        if let Ok((product, _)) = for_sale {
            admit(cart, facts, product, quantity, 0)?;
        }
        // The price of a tier goes with the quantity; a price of another day is kept.
        let told_today = for_sale_at(cart, facts, &line.sku, line.quantity) == Some(line.unit_price_minor);
        let today = for_sale.ok().filter(|_| told_today).map(|(_, minor)| minor);
        let backordered = line.backordered.saturating_sub(line.quantity - quantity);
        let picks = line.picks_of(line.held.saturating_sub(quantity));
        (Served { hold: 0, picks, backordered }, today.unwrap_or(line.unit_price_minor))
    };
    Ok(vec![CartEvent::QuantitySet {
        line: id.clone(),
        quantity,
        unit_price_minor,
        hold,
        release: line.held.saturating_sub(quantity),
        picks,
        backordered,
        holds_expire_at_ms: expiry_after(cart, facts, hold),
    }])
}

/// Returns properties by the rules that their product has today.
pub(crate) fn marked<'p>(facts: &Facts<'_>, sku: &Sku, properties: &'p Properties) -> Cow<'p, Properties> {
    match facts.products.product(sku) {
        Some(product) => product.marked(properties),
        None => Cow::Borrowed(properties),
    }
}

/// Counts saved lines too, but for the one that comes back into the cart, and all but what the line said before.
fn too_much_text(cart: &Cart, id: &LineId, properties: &Properties) -> bool {
    let saved = cart.saved.iter().filter(|saved| saved.id() != *id).map(|saved| &saved.properties);
    let lines = cart.lines.iter().filter(|line| !line.is(id)).map(|line| &line.properties);
    let texts = lines.chain(saved);
    properties.bytes() + texts.map(Properties::bytes).sum::<usize>() > CART_PROPERTIES_BYTES_MAX
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
        .filter(|p| p.is_for_sale())
        .ok_or_else(|| Rejection::UnknownSku { sku: sku.clone() })?;
    match product.price_for(&cart.price_question(quantity, facts.now_ms)) {
        Some(price) => Ok((product, price.minor)),
        None => Err(Rejection::CurrencyMismatch { product: product.price.currency, cart: cart.currency }),
    }
}

pub(super) fn for_sale_at(cart: &Cart, facts: &Facts<'_>, sku: &Sku, quantity: u32) -> Option<i64> {
    for_sale(cart, facts, sku, quantity).ok().map(|(_, minor)| minor)
}

pub(super) fn admit(
    cart: &Cart,
    facts: &Facts<'_>,
    product: &Product,
    line: u32,
    order: u64,
) -> Result<(), Rejection> {
    // Fewer pieces than before are asked with no order: nobody has to buy more to take some back.
    let counts = product.limits.per_customer.is_some() && order > 0;
    let bought_before = if counts { bought_before(cart, facts, &product.sku) } else { 0 };
    let wanted = Wanted { line, order, bought_before };
    product
        .limits
        .admits(wanted)
        .map_err(|broken| Rejection::QuantityLimit { sku: product.sku.clone(), broken })
}

pub(super) fn remove_line(cart: &Cart, id: &LineId) -> Result<Vec<CartEvent>, Rejection> {
    let line = line(cart, id)?;
    Ok(vec![CartEvent::LineRemoved { line: id.clone(), release: line.held, picks: line.picks.clone() }])
}

pub(super) fn save_line(cart: &Cart, id: &LineId) -> Result<Vec<CartEvent>, Rejection> {
    let line = line(cart, id)?;
    if cart.saved_line(id).is_none() && cart.saved.len() >= SAVED_LINES_MAX {
        return Err(Rejection::CartFull);
    }
    Ok(vec![CartEvent::LineSaved { line: id.clone(), release: line.held, picks: line.picks.clone() }])
}

pub(super) fn restore_line(cart: &Cart, facts: &Facts<'_>, id: &LineId) -> Result<Vec<CartEvent>, Rejection> {
    let saved = saved_line(cart, id)?;
    let mut events = add_line(cart, facts, &saved.sku, saved.quantity, &saved.properties)?;
    events.insert(0, CartEvent::SavedLineDropped { line: id.clone() });
    Ok(events)
}

fn line<'c>(cart: &'c Cart, id: &LineId) -> Result<&'c Line, Rejection> {
    let line = cart.line(id).ok_or_else(|| Rejection::LineNotFound { line: id.clone() })?;
    not_given(line)?;
    Ok(line)
}

fn not_given(line: &Line) -> Result<(), Rejection> {
    match &line.gift_of {
        Some(promotion) => Err(Rejection::GiftLine { line: line.id(), promotion: promotion.clone() }),
        None => Ok(()),
    }
}

pub(super) fn saved_line<'c>(cart: &'c Cart, id: &LineId) -> Result<&'c SavedLine, Rejection> {
    cart.saved_line(id).ok_or_else(|| Rejection::LineNotFound { line: id.clone() })
}
