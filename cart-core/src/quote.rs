//! What a cart costs, line by line, and why.
//!
//! A quote is derived anew from cart, catalogue, terms and clock whenever somebody looks, so it is never out of date.
//! The order of the work is fixed: prices of the lines, what promotions take off them, shipping of what is left,
//! tax of both. The cart that became an order keeps the quote that it was placed with.

mod explain;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::explain::{Told, explain};
use crate::{
    Assessment, Balances, Cart, Destination, Freight, Line, LineId, Money, NotApplied, Occasion, Offer,
    Offers, PricePolicy, PriceQuestion, PriceReason, Product, Products, Promoted, PromotedLine, PromotionId,
    Properties, PropertyRule, SelectedPrice, Sku, Stage, TaxQuestion, TaxableLine, Taxed, Tender, Terms,
    gift_card,
    promotion::{Gift, Verdict},
};

/// Is what a cart costs, in minor units of its currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The lines, in the order of the cart.
    pub lines: Vec<LineQuote>,
    /// What promotions did, and which others are in reach or have a code that was typed.
    #[serde(default)]
    pub promotions: Promoted,
    /// The ways to travel, at their charges after promotions.
    pub offers: Offers,
    /// What the cart would come to with each of the offered ways, in their order.
    #[serde(default)]
    pub offered_totals_minor: Vec<i64>,
    /// What of it is tax.
    pub tax: Assessment,
    /// What gift cards and credit pay, in the order in which they are used up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenders: Vec<Tender>,
    /// The sums.
    pub totals: Totals,
}

/// Is what a line costs, in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineQuote {
    /// The price of one piece.
    pub unit_price_minor: i64,
    /// The price of one piece when the shopper last set the quantity, where it was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_minor: Option<i64>,
    /// Why a piece costs that; not there where it is the product's own price, and for gifts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<PriceReason>,
    /// What shoppers read for the names of the line's properties, where it is something else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What promotions take off all pieces.
    #[serde(default)]
    pub discount_minor: i64,
    /// All pieces, after promotions.
    pub total_minor: i64,
    /// What of it is tax.
    pub tax: Taxed,
}

impl LineQuote {
    /// Returns what is said of a line, each text under what shoppers read.
    pub fn labelled<'a>(&'a self, properties: &'a Properties) -> impl Iterator<Item = (&'a str, &'a str)> {
        properties.iter().map(|(name, text)| (self.labels.get(name).map_or(name, String::as_str), text))
    }
}

/// Sums a cart in minor units. `total = subtotal - discount + shipping + tax_added`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Pieces over all lines.
    pub items: u64,
    /// Lines without shipping, as they are priced.
    pub subtotal_minor: i64,
    /// What promotions take off the lines.
    #[serde(default)]
    pub discount_minor: i64,
    /// Shipping, as it is priced, after promotions.
    pub shipping_minor: i64,
    /// The tax in the total.
    pub tax_minor: i64,
    /// What tax adds to the prices: all of it where they do not include it, nothing where they do, and less than
    /// nothing where it is taken out of them again.
    pub tax_added_minor: i64,
    /// What is to be paid.
    pub total_minor: i64,
    /// What of it gift cards pay.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gift_cards_minor: i64,
    /// What of it the customer's credit with the shop pays.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub store_credit_minor: i64,
    /// What these leave to be paid by other means; not there where they pay nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_minor: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

impl Totals {
    /// Returns what the payment provider is asked for.
    pub fn due(&self) -> i64 {
        self.total_minor - self.gift_cards_minor - self.store_credit_minor
    }

    fn paid_by(mut self, tenders: &[Tender]) -> Self {
        for tender in tenders {
            match tender.card {
                Some(_) => self.gift_cards_minor += tender.minor,
                None => self.store_credit_minor += tender.minor,
            }
        }
        self.due_minor = (!tenders.is_empty()).then(|| self.due());
        self
    }
}

impl Quote {
    /// Returns the offer that the cart has chosen, where it still stands.
    pub fn chosen(&self, cart: &Cart) -> Option<&Offer> {
        self.offers.offered.iter().find(|offer| Some(&offer.method) == cart.shipping.as_ref())
    }

    /// Returns the lines whose price is another than the shopper was told.
    pub fn changed(&self, cart: &Cart) -> Vec<(LineId, i64)> {
        let lines = cart.lines.iter().zip(&self.lines).filter(|(_, quote)| quote.was_minor.is_some());
        lines.map(|(line, quote)| (line.id(), quote.unit_price_minor)).collect()
    }
}

/// Says what a cart costs, by what it was told of its accounts.
pub fn quote(cart: &Cart, products: &dyn Products, terms: &Terms, now_ms: i64) -> Quote {
    quote_knowing(cart, &cart.known, products, terms, now_ms)
}

/// Says what a cart costs where the accounts say this.
pub fn quote_knowing<'a>(
    cart: &'a Cart,
    known: &Balances,
    products: &'a dyn Products,
    terms: &Terms,
    now_ms: i64,
) -> Quote {
    if let Stage::Ordered { quote: Some(quote), .. } = &cart.stage {
        return Quote::clone(quote);
    }
    let priced: Vec<_> = cart.lines.iter().map(|line| price(cart, line, products, terms, now_ms)).collect();
    let subtotal_minor: i64 = priced.iter().map(|p| p.total_minor).sum();
    let destination = destination(cart);
    let mut promotions =
        promote(cart, known, &priced, terms, destination.as_ref(), now_ms, &cart.gifts_out_of_stock);
    let typed: Vec<&PromotionId> =
        cart.codes.iter().flat_map(|code| terms.promotions.opened_by(code)).collect();
    promotions.outcomes.retain(|o| match &o.verdict {
        Verdict::Applied(_) => true,
        Verdict::NotApplied(why) => {
            why.is_in_reach() || why.is_missing_gift() || typed.contains(&&o.promotion)
        }
    });
    name_gifts(&mut promotions, products);
    let left = &promotions.left_minor;
    let mut offers = offers(cart, &priced, left.iter().sum(), terms, destination.as_ref());
    for offer in &mut offers.offered {
        let off: i64 = promotions.off_shipping(&offer.method, offer.minor).iter().map(|(_, off)| off).sum();
        offer.minor -= off;
    }
    let chosen = offers.offered.iter().find(|offer| Some(&offer.method) == cart.shipping.as_ref());
    let shipping_minor = chosen.map_or(0, |offer| offer.minor);
    let taxable = Taxable::of(&priced, left, products, &cart.price_question(1, now_ms));
    let assess = |offer: Option<&Offer>| {
        terms.taxes.assess(&TaxQuestion {
            lines: &taxable.amounts,
            shipping_minor: offer.map_or(0, |offer| offer.minor),
            shipping_category: offer.and_then(|offer| offer.tax_category.as_ref()),
            destination: destination.as_ref(),
            group: cart.group.as_ref(),
        })
    };
    let tax = taxable.line_by_line(assess(chosen));
    let offered_totals_minor =
        offers.offered.iter().map(|offer| assess(Some(offer)).total.gross_minor).collect();
    let totals = Totals {
        items: cart.lines.iter().map(|l| u64::from(l.quantity)).sum(),
        subtotal_minor,
        discount_minor: promotions.discount_minor,
        shipping_minor,
        tax_minor: tax.total.tax_minor,
        tax_added_minor: tax.total.gross_minor
            - (subtotal_minor - promotions.discount_minor)
            - shipping_minor,
        total_minor: tax.total.gross_minor,
        ..Totals::default()
    };
    let tenders = gift_card::tenders(cart, known, totals.total_minor);
    let totals = totals.paid_by(&tenders);
    let lines =
        priced.iter().zip(left).zip(&tax.lines).map(|((p, left), tax)| p.quote(*left, *tax)).collect();
    Quote { lines, promotions, offers, offered_totals_minor, tax, tenders, totals }
}

/// Is a line with its price.
struct Priced<'a> {
    line: &'a Line,
    product: Option<&'a Product>,
    unit_price_minor: i64,
    why: Option<PriceReason>,
    total_minor: i64,
}

impl Priced<'_> {
    fn quote(&self, left_minor: i64, tax: Taxed) -> LineQuote {
        let told_minor = self.line.unit_price_minor;
        LineQuote {
            unit_price_minor: self.unit_price_minor,
            was_minor: (told_minor != self.unit_price_minor).then_some(told_minor),
            why: self.why.clone(),
            labels: self.labels(),
            discount_minor: self.total_minor - left_minor,
            total_minor: left_minor,
            tax,
        }
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let Some(product) = self.product else { return BTreeMap::new() };
        let is_said = |rule: &&PropertyRule| {
            rule.label() != rule.name && self.line.properties.iter().any(|(name, _)| name == rule.name)
        };
        let rules = product.properties.iter().filter(is_said);
        rules.map(|rule| (rule.name.clone(), rule.label.clone())).collect()
    }
}

/// Is the lines as tax sees them: a bundle is taxed as its parts are.
struct Taxable<'a> {
    amounts: Vec<TaxableLine<'a>>,
    /// How many of the amounts belong to each line; empty where it is one each.
    counts: Vec<usize>,
}

impl<'a> Taxable<'a> {
    fn of(
        priced: &[Priced<'a>],
        left: &[i64],
        products: &'a dyn Products,
        question: &PriceQuestion<'_>,
    ) -> Self {
        if priced.iter().all(|p| p.line.parts.is_empty()) {
            let whole = |(p, left): (&Priced<'a>, &i64)| p.taxable(*left);
            return Self { amounts: priced.iter().zip(left).map(whole).collect(), counts: vec![] };
        }
        let (mut amounts, mut counts) = (vec![], vec![]);
        for (p, left) in priced.iter().zip(left) {
            let parts = p.taxable_parts(*left, products, question);
            counts.push(parts.len());
            amounts.extend(parts);
        }
        Self { amounts, counts }
    }

    /// Adds up what belongs to one line.
    fn line_by_line(&self, mut tax: Assessment) -> Assessment {
        if !self.counts.is_empty() {
            let mut parts = tax.lines.iter().copied();
            tax.lines = self.counts.iter().map(|count| parts.by_ref().take(*count).sum()).collect();
        }
        tax
    }
}

impl<'a> Priced<'a> {
    fn taxable(&self, amount_minor: i64) -> TaxableLine<'a> {
        TaxableLine { category: category(self.product), amount_minor }
    }

    /// Shares an amount out among the parts of a bundle, in proportion to what they cost alone; those of one
    /// category stay together.
    fn taxable_parts(
        &self,
        amount_minor: i64,
        products: &'a dyn Products,
        question: &PriceQuestion<'_>,
    ) -> Vec<TaxableLine<'a>> {
        let mut weights: Vec<(&crate::TaxCategory, i64)> = vec![];
        for part in &self.line.parts {
            let product = products.product(&part.sku);
            let minor = product.and_then(|p| p.price_for(question)).map_or(0, |price| price.minor);
            let weight = minor.saturating_mul(part.quantity.into());
            match weights.iter_mut().find(|(known, _)| *known == category(product)) {
                Some((_, sum)) => *sum = sum.saturating_add(weight),
                None => weights.push((category(product), weight)),
            }
        }
        if weights.is_empty() {
            return vec![self.taxable(amount_minor)];
        }
        let shares = crate::allocate(amount_minor, &weights.iter().map(|(_, w)| *w).collect::<Vec<_>>());
        let part = |((category, _), amount_minor): (&(&'a crate::TaxCategory, i64), i64)| TaxableLine {
            category,
            amount_minor,
        };
        weights.iter().zip(shares).map(part).collect()
    }
}

/// What has left the catalogue is taxed as most things are.
fn category(product: Option<&Product>) -> &crate::TaxCategory {
    static STANDARD: std::sync::LazyLock<crate::TaxCategory> = std::sync::LazyLock::new(Default::default);
    product.map_or(&STANDARD, |product| &product.tax_category)
}

/// What has left the catalogue keeps the price that the shopper was told.
fn price<'a>(
    cart: &Cart,
    line: &'a Line,
    products: &'a dyn Products,
    terms: &Terms,
    now_ms: i64,
) -> Priced<'a> {
    let product = products.product(&line.sku);
    let question = cart.price_question(line.quantity, now_ms);
    let today = match line.is_gift() {
        true => Some(SelectedPrice { minor: 0, why: PriceReason::Base }),
        false => product.filter(|p| p.is_for_sale()).and_then(|p| p.price_for(&question)),
    };
    let kept = SelectedPrice { minor: line.unit_price_minor, why: PriceReason::Kept };
    let SelectedPrice { minor, why } = match today {
        Some(today) if line.is_gift() || terms.prices != PricePolicy::Hold || today.minor == kept.minor => {
            today
        }
        _ => kept,
    };
    Priced {
        line,
        product,
        unit_price_minor: minor,
        why: Some(why).filter(|why| *why != PriceReason::Base),
        total_minor: i64::from(line.quantity) * minor,
    }
}

fn promote(
    cart: &Cart,
    known: &Balances,
    priced: &[Priced<'_>],
    terms: &Terms,
    destination: Option<&Destination>,
    now_ms: i64,
    gifts_out_of_stock: &[PromotionId],
) -> Promoted {
    // What has left the catalogue is a plain product to promotions.
    let gone = |p: &Priced<'_>| match p.product {
        Some(_) => None,
        None => Some(Product::new(
            p.line.sku.clone(),
            p.line.name.as_str(),
            Money::new(p.unit_price_minor, cart.currency),
        )),
    };
    let gone: Vec<_> = priced.iter().map(gone).collect();
    let lines: Vec<_> = priced
        .iter()
        .zip(&gone)
        .map(|(p, gone)| {
            let product = p.product.or(gone.as_ref()).expect("what has left the catalogue has a stand-in");
            let line = PromotedLine::new(product, p.line.quantity, p.unit_price_minor);
            PromotedLine { is_gift: p.line.is_gift(), ..line }
        })
        .collect();
    terms.promotions.apply(
        &lines,
        &Occasion {
            gifts_declined: &cart.gifts_declined,
            gifts_out_of_stock,
            customer: Some(&cart.owner),
            group: cart.group.as_ref(),
            channel: cart.channel.as_ref(),
            orders_before: known.orders(&cart.owner),
            country: destination.map(|d| d.country),
            codes: &cart.codes,
            uses: &|promotion, code| known.uses(promotion, code, &cart.owner),
            ..Occasion::new(now_ms, cart.currency)
        },
    )
}

/// Calls gifts what their products are called.
fn name_gifts(promoted: &mut Promoted, products: &dyn Products) {
    let called = |sku: &Sku| products.product(sku).map(|product| product.name.clone()).unwrap_or_default();
    promoted.gifts.iter_mut().for_each(|gift| gift.name = called(&gift.sku));
    for outcome in &mut promoted.outcomes {
        match &mut outcome.verdict {
            Verdict::Applied(applied) => {
                applied.gift.iter_mut().for_each(|gift| gift.name = called(&gift.sku));
            }
            Verdict::NotApplied(
                NotApplied::Declined { sku, name } | NotApplied::GiftOutOfStock { sku, name },
            ) => *name = called(sku),
            Verdict::NotApplied(_) => {}
        }
    }
}

/// Returns the gifts that a cart is due where the accounts say this and some cannot be had.
pub(crate) fn gifts_due(
    cart: &Cart,
    known: &Balances,
    products: &dyn Products,
    terms: &Terms,
    now_ms: i64,
    out_of_stock: &[PromotionId],
) -> Vec<Gift> {
    let priced: Vec<_> = cart.lines.iter().map(|line| price(cart, line, products, terms, now_ms)).collect();
    promote(cart, known, &priced, terms, destination(cart).as_ref(), now_ms, out_of_stock).gifts
}

fn destination(cart: &Cart) -> Option<Destination> {
    cart.address.as_ref().and_then(|a| Destination::read(&a.country, &a.region, &a.postcode))
}

fn offers(
    cart: &Cart,
    priced: &[Priced<'_>],
    subtotal_minor: i64,
    terms: &Terms,
    destination: Option<&Destination>,
) -> Offers {
    let travelling =
        || priced.iter().filter(|p| !p.line.digital && p.product.is_none_or(|product| !product.is_digital()));
    let categories: Vec<&str> =
        travelling().filter_map(|p| p.product).map(|product| product.category.as_str()).collect();
    let weight_g =
        |p: &Priced<'_>| p.product.map_or(0, Product::parcel_weight_g) * u64::from(p.line.quantity);
    let parcel = Freight {
        subtotal_minor,
        currency: cart.currency,
        weight_g: travelling().map(weight_g).sum(),
        pieces: travelling().map(|p| u64::from(p.line.quantity)).sum(),
        categories: &categories,
        group: cart.group.as_ref(),
    };
    terms.shipping.offers(&parcel, destination)
}

#[cfg(test)]
mod tests;
