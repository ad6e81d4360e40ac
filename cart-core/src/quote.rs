//! What a cart costs, line by line, and why.
//!
//! A quote is derived anew from cart, catalogue, terms and clock whenever somebody looks, so it is never out of date.
//! The order of the work is fixed: prices of the lines, what promotions take off them, shipping of what is left,
//! tax of both. The cart that became an order keeps the quote that it was placed with.

use serde::{Deserialize, Serialize};

use crate::{
    Assessment, Cart, Destination, Line, LineId, Money, Occasion, Offer, Offers, Parcel, PricePolicy,
    PriceQuestion, Product, Products, Promoted, PromotedLine, Stage, TaxQuestion, TaxableLine, Taxed, Terms,
    promotion::Verdict,
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
    /// What promotions take off all pieces.
    #[serde(default)]
    pub discount_minor: i64,
    /// All pieces, after promotions.
    pub total_minor: i64,
    /// What of it is tax.
    pub tax: Taxed,
}

/// Sums a cart in minor units. `total = subtotal - discount + shipping + tax_added`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// Says what a cart costs.
pub fn quote<'a>(cart: &'a Cart, products: &'a dyn Products, terms: &Terms, now_ms: i64) -> Quote {
    if let Stage::Ordered { quote: Some(quote), .. } = &cart.stage {
        return Quote::clone(quote);
    }
    let priced: Vec<_> = cart.lines.iter().map(|line| price(cart, line, products, terms, now_ms)).collect();
    let subtotal_minor: i64 = priced.iter().map(|p| p.total_minor).sum();
    let destination =
        cart.address.as_ref().and_then(|a| Destination::read(&a.country, &a.region, &a.postcode));
    let promotions = promote(cart, &priced, terms, destination.as_ref(), now_ms);
    let left = &promotions.left_minor;
    let mut offers = offers(cart, &priced, left.iter().sum(), terms, destination.as_ref());
    for offer in &mut offers.offered {
        let off: i64 = promotions.off_shipping(&offer.method, offer.minor).iter().map(|(_, off)| off).sum();
        offer.minor -= off;
    }
    let chosen = offers.offered.iter().find(|offer| Some(&offer.method) == cart.shipping.as_ref());
    let shipping_minor = chosen.map_or(0, |offer| offer.minor);
    let standard = crate::TaxCategory::default();
    let taxable = |(p, left): (&Priced<'a>, &i64)| TaxableLine {
        category: p.product.map_or(&standard, |product| &product.tax_category),
        amount_minor: *left,
    };
    let lines: Vec<_> = priced.iter().zip(left).map(taxable).collect();
    let assess = |offer: Option<&Offer>| {
        terms.taxes.assess(&TaxQuestion {
            lines: &lines,
            shipping_minor: offer.map_or(0, |offer| offer.minor),
            shipping_category: offer.and_then(|offer| offer.tax_category.as_ref()),
            destination: destination.as_ref(),
            group: None,
        })
    };
    let tax = assess(chosen);
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
    };
    let lines =
        priced.iter().zip(left).zip(&tax.lines).map(|((p, left), tax)| p.quote(*left, *tax)).collect();
    Quote { lines, promotions, offers, offered_totals_minor, tax, totals }
}

/// Is a line with its price.
struct Priced<'a> {
    line: &'a Line,
    product: Option<&'a Product>,
    unit_price_minor: i64,
    total_minor: i64,
}

impl Priced<'_> {
    fn quote(&self, left_minor: i64, tax: Taxed) -> LineQuote {
        let told_minor = self.line.unit_price_minor;
        LineQuote {
            unit_price_minor: self.unit_price_minor,
            was_minor: (told_minor != self.unit_price_minor).then_some(told_minor),
            discount_minor: self.total_minor - left_minor,
            total_minor: left_minor,
            tax,
        }
    }
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
    let question = PriceQuestion { currency: cart.currency, group: None, quantity: line.quantity, now_ms };
    let today = || product.filter(|p| !p.hidden).and_then(|p| p.price_for(&question)).map(|p| p.minor);
    let unit_price_minor = match terms.prices {
        PricePolicy::Hold => line.unit_price_minor,
        PricePolicy::Follow | PricePolicy::Tell => today().unwrap_or(line.unit_price_minor),
    };
    Priced { line, product, unit_price_minor, total_minor: i64::from(line.quantity) * unit_price_minor }
}

fn promote(
    cart: &Cart,
    priced: &[Priced<'_>],
    terms: &Terms,
    destination: Option<&Destination>,
    now_ms: i64,
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
            PromotedLine::new(product, p.line.quantity, p.unit_price_minor)
        })
        .collect();
    let mut promoted = terms.promotions.apply(
        &lines,
        &Occasion {
            customer: Some(&cart.owner),
            country: destination.map(|d| d.country),
            codes: &cart.codes,
            ..Occasion::new(now_ms, cart.currency)
        },
    );
    let typed = |id: &crate::PromotionId| {
        let definition = terms.promotions.definition(id);
        definition.is_some_and(|d| d.codes.iter().any(|code| cart.codes.contains(code)))
    };
    promoted.outcomes.retain(|o| match &o.verdict {
        Verdict::Applied(_) => true,
        Verdict::NotApplied(why) => why.is_in_reach() || typed(&o.promotion),
    });
    promoted
}

fn offers(
    cart: &Cart,
    priced: &[Priced<'_>],
    subtotal_minor: i64,
    terms: &Terms,
    destination: Option<&Destination>,
) -> Offers {
    let travelling = || priced.iter().filter(|p| p.product.is_none_or(|product| !product.digital));
    let categories: Vec<&str> =
        travelling().filter_map(|p| p.product).map(|product| product.category.as_str()).collect();
    let weight_g = |p: &Priced<'_>| {
        p.product.map_or(0, |product| u64::from(product.weight_g)) * u64::from(p.line.quantity)
    };
    let parcel = Parcel {
        subtotal_minor,
        currency: cart.currency,
        weight_g: travelling().map(weight_g).sum(),
        pieces: travelling().map(|p| u64::from(p.line.quantity)).sum(),
        categories: &categories,
        group: None,
    };
    terms.shipping.offers(&parcel, destination)
}

#[cfg(test)]
mod tests;
