//! The catalogue and its recommendations.

use actix_web::{HttpRequest, HttpResponse, web};
use cart_core::{Sku, StockLevels};
use serde::{Deserialize, Serialize};

use super::request::{cart_id, visitor};
use crate::{
    problem::{Problem, accepted},
    shelves::Shelf,
    shop::Shop,
    visitor::Visitor,
    wire::{ProductView, sku_of},
};

/// The most products of one answer.
const PAGE_MAX: usize = 100;
const PAGE_DEFAULT: usize = 24;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    #[serde(default)]
    q: String,
    category: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
}

#[derive(Serialize)]
struct ProductsView<'a> {
    total: usize,
    products: Vec<ProductView<'a>>,
}

/// `GET /api/v1/products`: what is for sale.
pub(super) async fn products(
    shop: web::Data<Shop>,
    query: web::Query<Query>,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if limit == 0 || limit > PAGE_MAX {
        return Err(Problem::invalid_request(format!("limit must be 1 to {PAGE_MAX}")));
    }
    let catalogue = shop.catalogue.get();
    let found = catalogue.search(&query.q, query.category.as_deref());
    let page: Vec<_> = found.iter().skip(query.offset).take(limit).collect();
    let stock = shop.store.stock(&page.iter().map(|p| p.sku.clone()).collect()).await?;
    let products = page.iter().map(|p| ProductView::of(p, &stock)).collect();
    Ok(HttpResponse::Ok().json(ProductsView { total: found.len(), products }))
}

/// `GET /api/v1/products/{sku}`: one product.
pub(super) async fn product(shop: web::Data<Shop>, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::not_found("unknown_product", format!("no product {path} is for sale"));
    let sku = Sku::parse(&path).map_err(|_| unknown())?;
    let catalogue = shop.catalogue.get();
    let product = catalogue.visible(&sku).ok_or_else(unknown)?;
    let stock = shop.store.stock(&[sku].into()).await?;
    Ok(HttpResponse::Ok().json(ProductView::of(product, &stock)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    sku: Option<String>,
    cart: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct SuggestionView<'a> {
    #[serde(flatten)]
    product: ProductView<'a>,
    reason: &'static str,
}

#[derive(Serialize)]
struct RecommendationsView<'a> {
    recommendations: Vec<SuggestionView<'a>>,
}

/// `GET /api/v1/recommendations`: what goes with a product (`sku`), with a cart (`cart`), or with a visitor's history.
pub(super) async fn recommendations(
    shop: web::Data<Shop>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let limit = wanted.limit.unwrap_or(8);
    if limit == 0 || limit > PAGE_MAX {
        return Err(Problem::invalid_request(format!("limit must be 1 to {PAGE_MAX}")));
    }
    let catalogue = shop.catalogue.get();
    let shelf: Shelf = match (&wanted.sku, &wanted.cart) {
        (Some(_), Some(_)) => return Err(Problem::invalid_request("name a sku or a cart, not both")),
        (Some(sku), None) => shop.shelves.bought_together(&catalogue, &sku_of(sku)?, limit),
        (None, Some(id)) => {
            let caller = visitor(&request)?;
            let cart = accepted(shop.carts.read(cart_id(id)?, caller.id).await?)?.cart;
            shop.shelves.goes_with(&catalogue, &cart, limit)
        }
        (None, None) => match Visitor::of_request(&request) {
            Some(visitor) => {
                let orders = shop.store.orders_of(&visitor.id, 20).await?;
                shop.shelves.for_history(&catalogue, &orders, limit)
            }
            None => shop.shelves.popular(&catalogue, limit),
        },
    };
    let stock: StockLevels = shop.store.stock(&shelf.iter().map(|s| s.product.sku.clone()).collect()).await?;
    let recommendations = shelf
        .iter()
        .map(|s| SuggestionView { product: ProductView::of(&s.product, &stock), reason: s.reason })
        .collect();
    Ok(HttpResponse::Ok().json(RecommendationsView { recommendations }))
}
