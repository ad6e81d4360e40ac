//! What promotions are asked about: the lines, the customer, the time and place.

use super::Code;
use crate::{ChannelId, Country, Currency, GroupId, Product, PromotionId, VisitorId};

/// Is a line as far as promotions care.
///
/// Quantity and price are within [`crate::limits`]; a price below 0 counts as 0.
#[derive(Clone, Copy, Debug)]
pub struct PromotedLine<'a> {
    /// What is bought.
    pub product: &'a Product,
    /// The pieces.
    pub quantity: u32,
    /// The price of a piece in minor units of the cart's currency.
    pub unit_minor: i64,
    /// The price is reduced already, as in a sale.
    pub is_reduced: bool,
    /// The line is the gift of a promotion: no promotion counts or reduces it.
    pub is_gift: bool,
}

impl<'a> PromotedLine<'a> {
    /// Returns a line that somebody bought at a price that is not reduced.
    pub fn new(product: &'a Product, quantity: u32, unit_minor: i64) -> Self {
        Self { product, quantity, unit_minor, is_reduced: false, is_gift: false }
    }

    /// Returns the line's price in minor units before promotions.
    pub fn full_minor(&self) -> i64 {
        let minor = i128::from(self.quantity) * i128::from(self.unit_minor.max(0));
        i64::try_from(minor).unwrap_or(i64::MAX)
    }
}

/// Says how often a promotion was used by orders so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// In all.
    pub total: u64,
    /// By the customer.
    pub by_customer: u64,
    /// With the code.
    pub of_code: u64,
}

/// Is all that is known of a cart but its lines.
#[derive(Clone, Copy)]
pub struct Occasion<'a> {
    /// The time in Unix milliseconds.
    pub now_ms: i64,
    /// The cart's currency.
    pub currency: Currency,
    /// Who buys, where that is known.
    pub customer: Option<&'a VisitorId>,
    /// The customer's group, where there is one.
    pub group: Option<&'a GroupId>,
    /// How the cart is being filled, where that is known.
    pub channel: Option<&'a ChannelId>,
    /// Where the order goes, where that is known.
    pub country: Option<Country>,
    /// The codes that the shopper typed, in that order.
    pub codes: &'a [Code],
    /// How many orders the customer has placed so far.
    pub orders_before: u64,
    /// The promotions whose gift the shopper does not want.
    pub gifts_declined: &'a [PromotionId],
    /// The promotions whose gift cannot be had at present.
    pub gifts_out_of_stock: &'a [PromotionId],
    /// Answers how often a promotion was used, and its code where one was typed; asked only where there are limits.
    pub uses: &'a dyn Fn(&PromotionId, Option<&Code>) -> Uses,
}

impl Occasion<'_> {
    /// Returns an occasion of which only the time and currency are known.
    pub fn new(now_ms: i64, currency: Currency) -> Self {
        Self {
            now_ms,
            currency,
            customer: None,
            group: None,
            channel: None,
            country: None,
            codes: &[],
            orders_before: 0,
            gifts_declined: &[],
            gifts_out_of_stock: &[],
            uses: &|_, _| Uses::default(),
        }
    }
}
