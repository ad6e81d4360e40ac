//! The rules of a cart's lines.

use super::Facts;
use crate::{
    Cart, CartEvent, Line, LineId, PriceQuestion, Product, Properties, Rejection, SavedLine, Sku,
    StockPolicy, Wanted,
    limits::{CART_LINES_MAX, LINE_QUANTITY_MAX, SAVED_LINES_MAX},
};

pub(super) fn add_line(
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

pub(super) fn remove_line(cart: &Cart, id: &LineId) -> Result<Vec<CartEvent>, Rejection> {
    let line = line(cart, id)?;
    Ok(vec![CartEvent::LineRemoved { line: id.clone(), release: line.held }])
}

pub(super) fn save_line(cart: &Cart, id: &LineId) -> Result<Vec<CartEvent>, Rejection> {
    let line = line(cart, id)?;
    if cart.saved_line(id).is_none() && cart.saved.len() >= SAVED_LINES_MAX {
        return Err(Rejection::CartFull);
    }
    Ok(vec![CartEvent::LineSaved { line: id.clone(), release: line.held }])
}

pub(super) fn restore_line(cart: &Cart, facts: &Facts<'_>, id: &LineId) -> Result<Vec<CartEvent>, Rejection> {
    let saved = saved_line(cart, id)?;
    let mut events = add_line(cart, facts, &saved.sku, saved.quantity, &saved.properties)?;
    events.insert(0, CartEvent::SavedLineDropped { line: id.clone() });
    Ok(events)
}

fn line<'c>(cart: &'c Cart, id: &LineId) -> Result<&'c Line, Rejection> {
    cart.line(id).ok_or_else(|| Rejection::LineNotFound { line: id.clone() })
}

pub(super) fn saved_line<'c>(cart: &'c Cart, id: &LineId) -> Result<&'c SavedLine, Rejection> {
    cart.saved_line(id).ok_or_else(|| Rejection::LineNotFound { line: id.clone() })
}
