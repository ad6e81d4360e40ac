//! The catalogue.

use actix_web::{HttpRequest, HttpResponse, web};
use cart_core::{Currency, Sku};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    operation::Operation,
    page::{Cursor, CursorText, Limit},
};
use crate::{
    problem::{Kind, Problem},
    search::{self, Ask, QUERY_BYTES_MAX, Sort, ask::FILTER_BYTES_MAX},
    shop::Shop,
    visitor::Visitor,
    wire::{FoundView, ProductDetailView},
};

/// Describes the operations on the catalogue.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/products", products)
            .named("searchProducts", "Searches what is for sale")
            .about(
                "Words may come in any order; those between quotes follow each other, and the last may go on. Where nothing \
                 has the words, those that are misspelt are mended and `did_you_mean` says how. Variants of a family are \
                 one hit. `option.NAME=VALUE` and `attribute.NAME=VALUE` narrow by what `facets` lists; a parameter named \
                 again lets another value pass too. The counts of a facet leave its own filter out of account.",
            )
            .query::<Query>()
            .answers::<FoundView<'_>>(200, "What was found, with what it may be narrowed by.")
            .compressed()
            .problems(&[Kind::InvalidCursor]),
        Operation::get("/products/{sku}", product)
            .named("readProduct", "Reads a product, with its variants and the reason of its price")
            .path::<Sku>("sku", "The product.")
            .query::<Detail>()
            .answers::<ProductDetailView<'_>>(200, "The product.")
            .problems(&[Kind::UnknownProduct]),
    ]
}

/// Describes the query of a search. [`Ask`] reads it: names of facets are not known beforehand.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the document alone is made of it")]
struct Query {
    /// What is looked for.
    #[schemars(length(max = QUERY_BYTES_MAX))]
    q: Option<String>,
    /// The category; named again, another as well.
    #[schemars(length(max = FILTER_BYTES_MAX))]
    category: Option<String>,
    /// The least and the greatest price in minor units, both included; either may be left out.
    #[schemars(regex(pattern = r"^((-?[0-9]+)?\.\.(-?[0-9]+)?)?$"))]
    price: Option<String>,
    /// Leaves out what is sold out.
    in_stock: Option<bool>,
    /// Shows prices in a currency, and leaves out what has none in it.
    currency: Option<Currency>,
    /// The order.
    sort: Option<Sort>,
    /// The most hits to answer.
    limit: Option<Limit>,
    /// The place to go on from; the sort must be the same.
    cursor: Option<CursorText>,
}

/// Is where a page of a search begins.
#[derive(Serialize, Deserialize)]
pub(crate) struct FoundCursor(pub(crate) search::Cursor);

impl Cursor for FoundCursor {
    const VERSION: u8 = 1;
    const LIST: &'static str = "products";
}

/// `GET /api/v1/products`: what is for sale, searched, narrowed and sorted.
pub(super) async fn products(
    shop: web::Data<Shop>,
    request: HttpRequest,
    pairs: web::Query<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let (mut ask, mut limit) = (Ask::default(), Limit::default());
    for (name, value) in pairs.iter() {
        match &**name {
            "limit" => {
                let number = value.parse::<usize>().map_err(|e| format!("limit {value:?}: {e}"));
                limit = number.and_then(Limit::try_from).map_err(Problem::invalid_request)?;
            }
            "cursor" => ask.cursor = Some(FoundCursor::decode(value)?.0),
            _ if ask.take(name, value).map_err(Problem::invalid_request)? => {}
            _ => return Err(Problem::invalid_request(format!("there is no parameter {name:?}"))),
        }
    }
    if ask.cursor.as_ref().is_some_and(|cursor| cursor.sort() != ask.sort) {
        let detail = "the cursor belongs to another sort; keep the sort of the first page";
        return Err(Problem::new(Kind::InvalidCursor, detail));
    }
    let who = Visitor::of_request(&request);
    let group = who.as_ref().and_then(Visitor::group);
    let found = shop.search(&ask, group, 0, limit.get()).await?;
    let shown = found.hits.iter().flat_map(|hit| hit.variants.iter().chain([&hit.product]));
    let stock = shop.stock(&shown.flat_map(|p| p.shelves()).cloned().collect()).await?;
    let next_cursor = found.next.clone().map(|cursor| FoundCursor(cursor).encode());
    let now = shop.price_question(ask.currency, group);
    Ok(HttpResponse::Ok().json(FoundView::of(&found, ask.sort, &stock, &now, next_cursor)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Detail {
    /// The currency of the price; the shop's own where none is named.
    #[schemars(with = "Option<Currency>")]
    currency: Option<String>,
}

/// `GET /api/v1/products/{sku}`: one product, with the variants of its family and the reason of its price.
pub(super) async fn product(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
    detail: web::Query<Detail>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(Kind::UnknownProduct, format!("no product {path} is for sale"));
    let currency = detail.currency.as_deref().map(Currency::parse).transpose();
    let currency = currency.map_err(|e| Problem::invalid_request(e.to_string()))?;
    let sku = Sku::parse(&path).map_err(|_| unknown())?;
    let catalogue = shop.catalogue.get();
    let product = catalogue.visible(&sku).ok_or_else(unknown)?;
    let family = catalogue.variants(&sku);
    let stock = shop.stock(&family.iter().flat_map(|v| v.product.shelves()).cloned().collect()).await?;
    let who = Visitor::of_request(&request);
    let now = shop.price_question(currency, who.as_ref().and_then(Visitor::group));
    Ok(HttpResponse::Ok().json(ProductDetailView::of(product, family, &stock, &now)))
}
