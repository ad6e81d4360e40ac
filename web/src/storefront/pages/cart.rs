//! The cart on pages, and the order that it becomes.

use cart_core::{
    Address, Cart, Code, GiftCard, Line, LinePart, LineQuote, NotApplied, Offer, Order, OrderStatus,
    PriceReason, Product, PromotionOutcome, Properties, PropertyRule, Quote, promotion::Verdict,
};
use serde::Serialize;

use super::{
    NoteField, Parcel, Picture, Price, ShareRow, Shelf, checkout::asks_contact, country, day::day, link,
    order::status_words, price::with_prices,
};
use crate::shares::unnamed;

/// Is one line of a cart or an order.
#[derive(Clone, Debug, Serialize)]
pub struct CartLine {
    id: String,
    properties: Vec<(String, String)>,
    name: String,
    /// Its page; gifts, some of which are made to be given alone, lead nowhere.
    href: Option<String>,
    /// The promotion that gives it away, where one does.
    gift_of: Option<String>,
    action: String,
    picture: Picture,
    quantity: u32,
    unit_price: Price,
    /// Why a piece costs that, where it is worth telling.
    why: Option<String>,
    /// What the shopper was told, where the price has changed since.
    was: Option<Price>,
    total: Price,
    /// Pieces that went back to the shelf when the time of the hold was over.
    released: u32,
    was_released: bool,
    /// Says what ships later, where something does.
    later: Option<String>,
    /// Says what a bundle is made of.
    parts: Option<String>,
}

impl CartLine {
    fn new(
        line: &Line,
        quote: &LineQuote,
        currency: cart_core::Currency,
        now_ms: i64,
        product: Option<&Product>,
    ) -> Self {
        Self {
            id: line.id().to_string(),
            properties: quote.labelled(&line.properties).map(|(l, text)| (l.into(), text.into())).collect(),
            name: line.name.clone(),
            href: (!line.is_gift()).then(|| link::product(line.sku.as_str())),
            gift_of: line.gift_of.as_ref().map(ToString::to_string),
            action: link::line(&line.id().to_string()),
            picture: product.map_or_else(|| unlisted(line.sku.as_str()), Picture::of),
            quantity: line.quantity,
            unit_price: Price::new(quote.unit_price_minor, currency),
            why: quote.why.as_ref().and_then(why),
            was: quote.was_minor.map(|minor| Price::new(minor, currency)),
            total: Price::new(quote.total_minor, currency),
            released: line.released,
            was_released: line.released > 0,
            later: later(line, now_ms),
            parts: parts(&line.parts),
        }
    }
}

/// That a price stands in the cart's currency goes without saying.
fn why(reason: &PriceReason) -> Option<String> {
    (!matches!(reason, PriceReason::Listed { .. })).then(|| reason.to_string())
}

/// Says what a bundle is made of: `2 × Mug; 1 × Tea`.
pub(crate) fn parts(parts: &[LinePart]) -> Option<String> {
    let words = parts.iter().map(|part| format!("{} × {}", part.quantity, part.name));
    Some(words.collect::<Vec<_>>().join("; ")).filter(|words| !words.is_empty())
}

/// Says what of a line ships later: all of it from a day on, or some pieces.
fn later(line: &Line, now_ms: i64) -> Option<String> {
    match (line.ships_from_ms.filter(|at| *at > now_ms), line.backordered) {
        (Some(at_ms), _) => Some(format!("Ships from {}", day(at_ms))),
        (None, 0) => None,
        (None, 1) => Some("1 of these ships later".into()),
        (None, pieces) => Some(format!("{pieces} of these ship later")),
    }
}

/// Is a line that waits for later.
#[derive(Clone, Debug, Serialize)]
struct SavedLine {
    name: String,
    href: String,
    action: String,
    properties: Vec<(String, String)>,
    quantity: u32,
}

impl SavedLine {
    fn new(line: &cart_core::SavedLine, product: Option<&Product>) -> Self {
        Self {
            name: line.name.clone(),
            href: link::product(line.sku.as_str()),
            action: link::line(&line.id().to_string()),
            properties: labelled(&line.properties, product),
            quantity: line.quantity,
        }
    }
}

/// Shows what is said of pieces that are in no cart, each text under the label that the product has for it today.
pub(super) fn labelled(properties: &Properties, product: Option<&Product>) -> Vec<(String, String)> {
    let label = |name: &str| {
        let rule = product.and_then(|product| product.properties.iter().find(|rule| rule.name == name));
        rule.map_or(name, PropertyRule::label).to_owned()
    };
    properties.iter().map(|(name, text)| (label(name), text.to_owned())).collect()
}

/// A product that has left the catalogue still has its line.
pub(super) fn unlisted(sku: &str) -> Picture {
    Picture { src: link::picture(sku), tint: 0, free: false }
}

/// Says what a promotion did, or what it waits for.
#[derive(Clone, Debug, Serialize)]
struct PromotionNote {
    text: String,
    applied: bool,
    /// Names the promotion, where its gift was declined and may be had after all.
    declined: Option<String>,
}

impl PromotionNote {
    /// `hidden` are codes that it is not to give away by its name.
    fn of(outcome: &PromotionOutcome, hidden: &[Code]) -> Self {
        let (_, text) = unnamed(&outcome.name, outcome.to_string(), hidden);
        let is_declined = matches!(outcome.verdict, Verdict::NotApplied(NotApplied::Declined { .. }));
        Self {
            text: with_prices(&text),
            applied: matches!(outcome.verdict, Verdict::Applied(_)),
            declined: is_declined.then(|| outcome.promotion.to_string()),
        }
    }
}

/// Is a gift card that is to pay.
#[derive(Clone, Debug, Serialize)]
struct CardRow {
    id: String,
    last4: String,
    pays: Price,
}

impl CardRow {
    fn of(card: &GiftCard, quote: &Quote, currency: cart_core::Currency) -> Self {
        let tender = quote.tenders.iter().find(|tender| tender.card.as_ref() == Some(card));
        let minor = tender.map_or(0, |tender| tender.minor);
        Self { id: card.id.to_string(), last4: card.last4.clone(), pays: Price::new(-minor, currency) }
    }
}

/// Is a cart as pages show it.
#[derive(Clone, Debug, Serialize)]
pub struct CartView {
    version: u64,
    lines: Vec<CartLine>,
    saved: Vec<SavedLine>,
    count: u64,
    subtotal: Price,
    discount: Option<Price>,
    codes: Vec<String>,
    /// Those of them that no promotion knows any more.
    unknown_codes: Vec<String>,
    promotions: Vec<PromotionNote>,
    gift_cards: Vec<CardRow>,
    uses_credit: bool,
    credit: Option<Price>,
    /// What gift cards and credit leave to be paid, where they pay something.
    due: Option<Price>,
    shipping: Price,
    /// The tax that comes on top of the prices, or is taken out of them.
    tax_added: Option<Price>,
    /// The tax within the prices.
    tax_included: Option<Price>,
    tax_is_estimated: bool,
    total: Price,
    hold_minutes: Option<i64>,
    holds_expire_at_ms: Option<i64>,
    /// The time of some holds is over.
    has_released: bool,
    /// Some line costs another amount than the shopper was told.
    has_changed: bool,
}

impl CartView {
    /// Shows a cart at a time. `product` finds a line's product, for its picture.
    pub fn of<'a>(
        cart: &Cart,
        quote: &Quote,
        now_ms: i64,
        product: impl Fn(&cart_core::Sku) -> Option<&'a Product>,
    ) -> Self {
        let totals = quote.totals;
        let price = |minor| Price::new(minor, cart.currency);
        let left_ms = cart.holds_expire_at_ms.map(|at| at - now_ms).filter(|left| *left > 0);
        Self {
            version: cart.version,
            lines: cart
                .lines
                .iter()
                .zip(&quote.lines)
                .map(|(l, q)| CartLine::new(l, q, cart.currency, now_ms, product(&l.sku)))
                .collect(),
            saved: cart.saved.iter().map(|line| SavedLine::new(line, product(&line.sku))).collect(),
            count: totals.items,
            subtotal: price(totals.subtotal_minor),
            discount: (totals.discount_minor != 0).then(|| price(-totals.discount_minor)),
            codes: cart.codes.iter().map(ToString::to_string).collect(),
            unknown_codes: quote.promotions.unknown_codes.iter().map(ToString::to_string).collect(),
            gift_cards: cart.gift_cards.iter().map(|card| CardRow::of(card, quote, cart.currency)).collect(),
            uses_credit: cart.uses_credit,
            credit: (totals.store_credit_minor != 0).then(|| price(-totals.store_credit_minor)),
            due: totals.due_minor.map(price),
            promotions: quote
                .promotions
                .outcomes
                .iter()
                .map(|outcome| PromotionNote::of(outcome, &[]))
                .collect(),
            shipping: price(totals.shipping_minor),
            tax_added: (totals.tax_added_minor != 0).then(|| price(totals.tax_added_minor)),
            tax_included: (totals.tax_added_minor == 0 && totals.tax_minor != 0)
                .then(|| price(totals.tax_minor)),
            tax_is_estimated: quote.tax.estimated && quote.tax.zone.is_some(),
            total: price(totals.total_minor),
            hold_minutes: left_ms.map(|left| (left + 59_999) / 60_000),
            holds_expire_at_ms: left_ms.and(cart.holds_expire_at_ms),
            has_released: cart.lines.iter().any(|l| l.released > 0),
            has_changed: quote.lines.iter().any(|l| l.was_minor.is_some()),
        }
    }

    /// Leaves out what is between the owner and the shop, as the API does: codes are shown to those who may change them.
    #[must_use]
    pub(super) fn shared(self, cart: &Cart, quote: &Quote, is_editable: bool) -> Self {
        let hidden = if is_editable { &[][..] } else { &cart.codes };
        let outcomes = quote.promotions.outcomes.iter();
        Self {
            saved: vec![],
            codes: if is_editable { self.codes } else { vec![] },
            promotions: outcomes.map(|outcome| PromotionNote::of(outcome, hidden)).collect(),
            gift_cards: vec![],
            uses_credit: false,
            credit: None,
            due: None,
            ..self
        }
    }
}

/// Is the field for codes and gift cards as it was left.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Redeem {
    /// What was typed and not taken.
    pub typed: String,
    /// Why it was not, in a sentence.
    pub error: Option<String>,
}

/// Is the cart page; without a cart, or with an empty one, it says so and shows the shelf.
#[derive(Clone, Debug, Serialize)]
pub struct CartPage {
    /// The cart, where one is open.
    pub cart: Option<CartView>,
    /// What goes with the cart; its heading comes from the shell, as the flag says.
    pub shelf: Shelf,
    /// The links to the cart.
    pub shares: Vec<ShareRow>,
    /// The field for codes.
    pub redeem: Redeem,
    /// The field for a note to the shop, where there is something to buy.
    pub note: Option<NoteField>,
}

/// Is the thank-you page of an order.
#[derive(Clone, Debug, Serialize)]
pub struct Confirmation {
    order_id: String,
    /// The cart that the order was: browsers need not keep it any more.
    bought: String,
    heading: &'static str,
    status: &'static str,
    /// What was given back.
    refunded: Option<Price>,
    /// Tells whether the shopper may cancel the order now, or the rest of it.
    pub can_cancel: bool,
    /// Tells whether something was sent, and something was not.
    is_sent_in_part: bool,
    cart: CartView,
    /// What the shopper told the shop; may be empty.
    note: String,
    email: Option<String>,
    /// Tells whether a confirmation goes there.
    is_mailed: bool,
    address_lines: Vec<String>,
    delivery: Option<String>,
    /// What was sent in which parcel, and what is still to come.
    pub parcels: Vec<Parcel>,
    /// What the shop tells of things bought: name and text.
    delivery_notes: Vec<(String, String)>,
    /// Offers whoever bought as a guest to make an account, with the address that they typed.
    pub offers_account: bool,
    shelf: Shelf,
}

impl Confirmation {
    /// Shows the order that a cart became. `product` finds a line's product, for its picture; `is_mailed` tells whether
    /// the shop sends a confirmation.
    pub fn of<'a>(
        cart: &Cart,
        quote: &Quote,
        order: &Order,
        product: impl Fn(&cart_core::Sku) -> Option<&'a Product>,
        is_mailed: bool,
        shelf: Shelf,
    ) -> Self {
        Self {
            order_id: order.order_id.to_string(),
            bought: order.cart.to_string(),
            heading: match order.state.status {
                OrderStatus::Placed if order.state.is_sent_in_part() => "Part of it is on its way.",
                OrderStatus::Placed => "Thank you. It’s yours.",
                OrderStatus::Fulfilled { .. } => "It is on its way.",
                OrderStatus::Cancelled { .. } => "It was cancelled.",
            },
            status: status_words(order),
            refunded: (order.state.refunded_minor() > 0)
                .then(|| Price::new(order.state.refunded_minor(), order.currency)),
            can_cancel: false,
            is_sent_in_part: order.state.is_sent_in_part(),
            cart: CartView {
                hold_minutes: None,
                holds_expire_at_ms: None,
                ..CartView::of(cart, quote, 0, product)
            },
            note: cart.note.clone(),
            email: cart.address.as_ref().map(|a| a.email.clone()),
            is_mailed,
            address_lines: cart.address.as_ref().map(address_lines).unwrap_or_default(),
            delivery: quote.chosen(cart).map(delivery),
            parcels: vec![],
            delivery_notes: delivery_notes(order),
            offers_account: asks_contact(cart),
            shelf,
        }
    }
}

/// Lists what whoever bought the order is told; of one that was cancelled, nothing any more.
pub(crate) fn delivery_notes(order: &Order) -> Vec<(String, String)> {
    order.notes().map(|(name, note)| (name.to_owned(), note.to_owned())).collect()
}

/// Writes an address as an envelope has it, without what is not known.
pub(crate) fn address_lines(address: &Address) -> Vec<String> {
    let lines = [
        address.name.clone(),
        address.street.clone(),
        format!("{} {}", address.city, address.postcode).trim().to_owned(),
        country::name(&address.country).to_owned(),
    ];
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

/// Says how an order travels: `Standard, 3 to 5 working days`.
pub(crate) fn delivery(offer: &Offer) -> String {
    let name = &offer.name;
    match offer.days.map(|days| (days.from, days.to)) {
        None => name.clone(),
        Some((0, 0)) => format!("{name}, today"),
        Some((1, 1)) => format!("{name}, the next working day"),
        Some((from, to)) if from == to => format!("{name}, {from} working days"),
        Some((from, to)) => format!("{name}, {from} to {to} working days"),
    }
}
