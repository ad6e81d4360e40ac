//! Bundles: products that are made of pieces of others.
//!
//! A bundle has no stock of its own. It can be had as often as all its parts can, whoever buys them, and takes from the
//! shelf what its parts would. Its price is its own, or the sum of the parts' less a share; its tax is that of the
//! parts. A line keeps the parts that it was added with.

use std::{collections::BTreeSet, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    DefinitionError, OnOffer, PriceQuestion, PriceReason, Product, SelectedPrice, Sku, StockLevels,
    definition::Faults,
    limits::{BUNDLE_LINES_MAX, BUNDLE_PIECES_MAX, PRICE_MINOR_MAX},
    promotion::WHOLE_BP,
};

/// Says what a bundle is made of and how it is priced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The parts, each product once.
    pub parts: Vec<Part>,
    /// What is taken off the sum of the parts' prices, in basis points; a bundle without it has a price of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_bp: Option<u32>,
}

/// Is some pieces of a product within a bundle.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// The product.
    pub sku: Sku,
    /// Its pieces in one bundle, at least 1.
    pub quantity: u32,
    /// The product as the catalogue lists it, once that was looked up.
    #[serde(skip)]
    pub product: Option<Arc<Product>>,
}

/// What was looked up says nothing of the part itself.
impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        (&self.sku, self.quantity) == (&other.sku, other.quantity)
    }
}

impl Eq for Part {}

/// Is a part of a bundle as a line keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinePart {
    /// The product.
    pub sku: Sku,
    /// Its name when the bundle was added.
    pub name: String,
    /// Its pieces in one bundle, at least 1.
    pub quantity: u32,
    /// Tells whether it does not travel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub digital: bool,
}

impl Part {
    /// Returns a part whose product was not looked up yet.
    pub fn new(sku: Sku, quantity: u32) -> Self {
        Self { sku, quantity, product: None }
    }
}

impl Bundle {
    /// Checks the parts and the share.
    ///
    /// # Errors
    /// [`DefinitionError`] with each part that stands twice or has no pieces, and with a share that is none.
    pub fn check(&self) -> Result<(), DefinitionError> {
        let mut faults = Faults::default();
        faults.need((1..=BUNDLE_LINES_MAX).contains(&self.parts.len()), "parts", || {
            format!("holds {} parts; name 1 to {BUNDLE_LINES_MAX}", self.parts.len())
        });
        let mut seen = BTreeSet::new();
        faults.each("parts", &self.parts, |faults, part| {
            faults.need(seen.insert(&part.sku), "sku", || {
                format!("is {}, as another part's is; add their pieces up", part.sku)
            });
            faults.need((1..=BUNDLE_PIECES_MAX).contains(&part.quantity), "quantity", || {
                format!("is {}; write 1 to {BUNDLE_PIECES_MAX} pieces", part.quantity)
            });
        });
        if let Some(off_bp) = self.off_bp {
            faults.need(off_bp < WHOLE_BP, "off_bp", || {
                format!("is {off_bp}; write 0 to {} basis points", WHOLE_BP - 1)
            });
        }
        faults.verdict()
    }

    /// Sums what the parts cost, and takes the bundle's share off; nothing where a part has no price in the currency.
    /// A part's tier is that of all its pieces.
    fn price_for(&self, off_bp: u32, question: &PriceQuestion<'_>) -> Option<SelectedPrice> {
        let mut sum = 0_i128;
        for part in &self.parts {
            let quantity = part.quantity.saturating_mul(question.quantity.max(1));
            let price = part.product.as_ref()?.price_for(&PriceQuestion { quantity, ..*question })?;
            sum += i128::from(price.minor) * i128::from(part.quantity);
        }
        let minor = i64::try_from(less(sum, off_bp)).ok().filter(|minor| *minor <= PRICE_MINOR_MAX)?;
        Some(SelectedPrice { minor, why: PriceReason::Bundle { off_bp } })
    }
}

/// Takes a share off; exact halves of the smallest unit are taken off.
fn less(sum: i128, off_bp: u32) -> i128 {
    sum - crate::promotion::percent(sum, off_bp)
}

impl Product {
    /// Looks the products of a bundle's parts up, and gives a bundle without a price of its own what they cost. A part that is not found, or is a bundle itself, keeps the bundle from
    /// being sold.
    pub fn resolve(&mut self, find: impl Fn(&Sku) -> Option<Arc<Product>>) {
        for part in self.bundle.iter_mut().flat_map(|bundle| &mut bundle.parts) {
            part.product = find(&part.sku).filter(|product| product.bundle.is_none());
        }
        let price = |part: &Part| {
            let price = part.product.as_ref().map(|product| product.price);
            let price = price.filter(|price| price.currency == self.price.currency)?;
            Some(i128::from(price.minor) * i128::from(part.quantity))
        };
        if let Some(off_bp) = self.bundle.as_ref().and_then(|bundle| bundle.off_bp) {
            let sum: i128 = self.parts().iter().filter_map(price).sum();
            self.price.minor = i64::try_from(less(sum, off_bp)).unwrap_or(PRICE_MINOR_MAX);
        }
    }

    /// Returns the parts of a bundle; a plain product has none.
    pub fn parts(&self) -> &[Part] {
        self.bundle.as_ref().map_or(&[], |bundle| &bundle.parts)
    }

    /// Returns the products whose stock says how many pieces may be had: itself, or its parts.
    pub fn shelves(&self) -> impl Iterator<Item = &Sku> {
        let own = self.bundle.is_none().then_some(&self.sku);
        own.into_iter().chain(self.parts().iter().map(|part| &part.sku))
    }

    /// Reports whether it has pieces of its own that are counted.
    pub fn has_stock(&self) -> bool {
        self.stock_policy.is_tracked() && self.bundle.is_none()
    }

    /// Reports whether it may be shown and bought: not hidden, and all its parts are there.
    pub fn is_for_sale(&self) -> bool {
        !self.hidden && self.parts().iter().all(|part| part.product.is_some())
    }

    /// Reports whether nothing of it travels.
    pub fn is_digital(&self) -> bool {
        let is_wired = |part: &Part| part.product.as_ref().is_some_and(|product| product.digital);
        self.digital || (self.bundle.is_some() && self.parts().iter().all(is_wired))
    }

    /// Returns what one piece weighs in grams: what is said of it, or else all its parts.
    pub fn parcel_weight_g(&self) -> u64 {
        let part_g = |part: &Part| {
            let product = part.product.as_ref().filter(|product| !product.digital);
            product.map_or(0, |product| u64::from(product.weight_g) * u64::from(part.quantity))
        };
        match self.weight_g {
            0 => self.parts().iter().map(part_g).sum(),
            weight_g => weight_g.into(),
        }
    }

    /// Returns when its first pieces ship, in Unix milliseconds, where it or a part of it is still to come.
    pub fn ships_from_ms(&self, now_ms: i64) -> Option<i64> {
        let parts = self.parts().iter().filter_map(|part| part.product.as_deref());
        let coming = |product: &Product| product.coming(now_ms).map(|preorder| preorder.releases_at_ms);
        std::iter::once(self).chain(parts).filter_map(coming).max()
    }

    /// Returns what a bundle costs that has no price of its own.
    pub(crate) fn bundle_price_for(&self, question: &PriceQuestion<'_>) -> Option<Option<SelectedPrice>> {
        let bundle = self.bundle.as_ref()?;
        Some(bundle.price_for(bundle.off_bp?, question))
    }

    /// Returns the parts as a line keeps them.
    pub fn line_parts(&self) -> Vec<LinePart> {
        let part = |part: &Part| LinePart {
            sku: part.sku.clone(),
            name: part.product.as_ref().map(|product| product.name.clone()).unwrap_or_default(),
            quantity: part.quantity,
            digital: part.product.as_ref().is_some_and(|product| product.digital),
        };
        self.parts().iter().map(part).collect()
    }
}

impl StockLevels {
    /// Returns the bundles that may be bought: as many as the scarcest of their parts allows; `None` where none of these
    /// is counted.
    pub(crate) fn bundles_on_offer(&self, bundle: &Product, now_ms: i64) -> Option<OnOffer> {
        let counted = bundle.parts().iter().filter(|_| bundle.stock_policy.is_tracked());
        let of_part = |part: &Part| {
            let pieces = self.on_offer(part.product.as_deref()?, now_ms)?;
            let each = i64::from(part.quantity.max(1));
            Some(OnOffer { there: pieces.there / each, all: pieces.all / each })
        };
        let least = |a: OnOffer, b: OnOffer| OnOffer { there: a.there.min(b.there), all: a.all.min(b.all) };
        counted.filter_map(of_part).reduce(least)
    }
}
