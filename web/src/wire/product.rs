//! Products, what a search found, and why a piece costs what it costs.

use std::{collections::BTreeMap, sync::Arc};

use cart_core::{
    Currency, FamilyId, LinePart, PriceQuestion, PriceReason, Product, PropertyRule, QuantityLimits,
    SelectedPrice, Sku, StockLevels,
    limits::{LINE_QUANTITY_MAX, PROPERTIES_MAX, PROPERTY_NAME_BYTES_MAX, PROPERTY_VALUE_BYTES_MAX},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    catalogue::Listed,
    search::{Facet, Found, Hit, PriceRange, Sort},
};

/// Is a product as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Product")]
pub struct ProductView<'a> {
    #[schemars(with = "Sku")]
    sku: &'a str,
    name: &'a str,
    description: &'a str,
    category: &'a str,
    price_minor: i64,
    currency: Currency,
    /// Pieces that may be bought and ship at once; `null` where the shop never runs out.
    available: Option<i64>,
    /// Further pieces that may be bought and ship later.
    #[serde(skip_serializing_if = "Option::is_none")]
    later: Option<i64>,
    /// When the first pieces ship, in Unix milliseconds, where the product is still to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    ships_from_ms: Option<i64>,
    /// It does not travel.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    digital: bool,
    /// What it is made of, where it is a bundle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<LinePart>,
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<FamilyId>")]
    family: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    options: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: &'a BTreeMap<String, String>,
    /// What may be said of its pieces, and nothing else; not there where anything may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = PROPERTIES_MAX))]
    properties: Vec<PropertyView<'a>>,
}

/// Is a property that a product takes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProductProperty")]
struct PropertyView<'a> {
    #[schemars(length(min = 1, max = PROPERTY_NAME_BYTES_MAX))]
    name: &'a str,
    /// What shoppers read.
    label: &'a str,
    /// A line needs it.
    required: bool,
    /// The most characters of its text.
    #[schemars(range(min = 1, max = PROPERTY_VALUE_BYTES_MAX))]
    max_chars: u32,
    /// `true`: lines with different texts stay apart. `false`: the text is said of the whole line; added again, the newer one
    /// holds, and one that is not given again stays.
    splits: bool,
}

impl<'a> From<&'a PropertyRule> for PropertyView<'a> {
    fn from(rule: &'a PropertyRule) -> Self {
        Self {
            name: &rule.name,
            label: rule.label(),
            required: rule.required,
            max_chars: rule.chars_max(),
            splits: rule.splits,
        }
    }
}

impl<'a> ProductView<'a> {
    /// Shapes a product with its stock and what one piece costs now.
    pub fn of(product: &'a Product, stock: &StockLevels, now: &PriceQuestion<'_>) -> Self {
        let (price_minor, currency, _) = price_of(product, now);
        let on_offer = stock.on_offer(product, now.now_ms);
        Self {
            sku: product.sku.as_str(),
            name: &product.name,
            description: &product.description,
            category: &product.category,
            price_minor,
            currency,
            available: on_offer.map(|o| o.there),
            later: on_offer.map(|o| o.all - o.there).filter(|pieces| *pieces > 0),
            ships_from_ms: product.ships_from_ms(now.now_ms),
            digital: product.is_digital(),
            parts: product.line_parts(),
            image: product.image.as_ref().map(|file| format!("/static/products/{file}")),
            family: product.family.as_ref().map(|family| family.as_str()),
            options: &product.options,
            attributes: &product.attributes,
            properties: product.properties.iter().map(PropertyView::from).collect(),
        }
    }

    /// Says nothing of how much there is: nobody knows now.
    #[must_use]
    pub fn uncounted(self) -> Self {
        Self { available: None, later: None, ..self }
    }
}

/// Selects the price of one piece: in the currency asked for, or else the product's own.
fn price_of(product: &Product, now: &PriceQuestion<'_>) -> (i64, Currency, PriceReason) {
    match product.price_for(now) {
        Some(SelectedPrice { minor, why }) => (minor, now.currency, why),
        None => (product.price.minor, product.price.currency, PriceReason::Base),
    }
}

/// Is a variant beside its family's others.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Variant")]
struct VariantView<'a> {
    #[schemars(with = "Sku")]
    sku: &'a str,
    name: &'a str,
    options: &'a BTreeMap<String, String>,
    price_minor: i64,
    currency: Currency,
    available: Option<i64>,
}

impl<'a> VariantView<'a> {
    fn of(product: &'a Product, stock: &StockLevels, now: &PriceQuestion<'_>) -> Self {
        let (price_minor, currency, _) = price_of(product, now);
        Self {
            sku: product.sku.as_str(),
            name: &product.name,
            options: &product.options,
            price_minor,
            currency,
            available: stock.on_offer(product, now.now_ms).map(|o| o.there),
        }
    }
}

/// Is a hit: the variant that fits best, with all of its family.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Hit")]
struct HitView<'a> {
    #[serde(flatten)]
    product: ProductView<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantView<'a>>,
}

impl<'a> HitView<'a> {
    fn of(hit: &'a Hit, stock: &StockLevels, now: &PriceQuestion<'_>) -> Self {
        let variant = |v: &'a Arc<Product>| VariantView::of(v, stock, now);
        Self {
            product: ProductView::of(&hit.product, stock, now),
            variants: if hit.variants.len() > 1 {
                hit.variants.iter().map(variant).collect()
            } else {
                vec![]
            },
        }
    }
}

/// Is the answer of a search as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FoundProducts")]
pub struct FoundView<'a> {
    total: usize,
    /// There are at least so many; more were not counted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    total_is_least: bool,
    products: Vec<HitView<'a>>,
    #[schemars(with = "Sort")]
    sort: &'static str,
    /// What was probably meant: nothing has the words as they were typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<&'a str>,
    facets: Vec<FacetView<'a>>,
    price_ranges: Vec<PriceRangeView>,
    in_stock: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Facet")]
struct FacetView<'a> {
    name: String,
    values: Vec<ValueView<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FacetValue")]
struct ValueView<'a> {
    value: &'a str,
    count: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    selected: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PriceRange")]
struct PriceRangeView {
    from_minor: i64,
    to_minor: i64,
    count: u32,
}

impl<'a> FoundView<'a> {
    /// Shapes what was found, with its stock and what a piece of it costs now.
    pub fn of(
        found: &'a Found,
        sort: Sort,
        stock: &StockLevels,
        now: &PriceQuestion<'_>,
        next_cursor: Option<String>,
    ) -> Self {
        let facet = |f: &'a Facet| FacetView {
            name: f.kind.parameter(),
            values: f
                .values
                .iter()
                .map(|v| ValueView { value: &v.value, count: v.count, selected: v.is_selected })
                .collect(),
        };
        let range = |r: &PriceRange| PriceRangeView {
            from_minor: r.from_minor,
            to_minor: r.to_minor,
            count: r.count,
        };
        Self {
            total: found.total,
            total_is_least: found.is_cut,
            products: found.hits.iter().map(|hit| HitView::of(hit, stock, now)).collect(),
            sort: sort.name(),
            did_you_mean: found.meant.as_deref(),
            facets: found.facets.iter().map(facet).collect(),
            price_ranges: found.prices.iter().map(range).collect(),
            in_stock: found.in_stock,
            next_cursor,
        }
    }
}

/// Is one product with its family and the reason of its price.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProductDetail")]
pub struct ProductDetailView<'a> {
    #[serde(flatten)]
    product: ProductView<'a>,
    price: PriceView,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    price_steps: Vec<PriceStepView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<VariantView<'a>>,
    limits: LimitsView,
}

/// Says in what numbers a product is sold.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "QuantityLimits")]
struct LimitsView {
    /// The fewest pieces of a line.
    min: u32,
    /// The pieces of a line are a multiple of this.
    step: u32,
    /// The most pieces of a line.
    #[schemars(range(max = LINE_QUANTITY_MAX))]
    max_per_line: u32,
    /// The most pieces of an order, over all lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_per_order: Option<u32>,
    /// The most pieces that one customer ever buys.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_per_customer: Option<u32>,
}

impl From<&QuantityLimits> for LimitsView {
    fn from(limits: &QuantityLimits) -> Self {
        Self {
            min: limits.min,
            step: limits.step,
            max_per_line: limits.max_per_line.unwrap_or(LINE_QUANTITY_MAX).min(LINE_QUANTITY_MAX),
            max_per_order: limits.max,
            max_per_customer: limits.per_customer,
        }
    }
}

/// Says what a piece costs, and why.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SelectedPrice")]
struct PriceView {
    minor: i64,
    currency: Currency,
    reason: &'static str,
    detail: String,
}

/// Says what a piece costs where so many are bought.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PriceStep")]
struct PriceStepView {
    min_quantity: u32,
    minor: i64,
    reason: &'static str,
    detail: String,
}

impl<'a> ProductDetailView<'a> {
    /// Shapes a product; `family` is its visible variants, itself included.
    pub fn of(
        product: &'a Product,
        family: &'a [Listed],
        stock: &StockLevels,
        now: &PriceQuestion<'_>,
    ) -> Self {
        let (minor, currency, why) = price_of(product, now);
        let steps = product.price_steps(now);
        let step = |(min_quantity, price): &(u32, SelectedPrice)| PriceStepView {
            min_quantity: *min_quantity,
            minor: price.minor,
            reason: price.why.name(),
            detail: price.why.to_string(),
        };
        Self {
            product: ProductView::of(product, stock, now),
            price: PriceView { minor, currency, reason: why.name(), detail: why.to_string() },
            limits: LimitsView::from(&product.limits),
            price_steps: if steps.len() > 1 { steps.iter().map(step).collect() } else { vec![] },
            variants: match family.len() {
                0 | 1 => vec![],
                _ => family.iter().map(|v| VariantView::of(&v.product, stock, now)).collect(),
            },
        }
    }
}
