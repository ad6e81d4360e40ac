//! The page of who waits to be told that a product is back.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Query},
};
use cart_core::{Product, StockLevels};
use dashboards::{DemandPage, DemandRow, DemandState, Pages};
use serde::Deserialize;

use super::{html, login::SignedIn, orders::next_link, stock::path_of};
use crate::{
    api::{
        page::{CursorText, PAGE_DEFAULT},
        stock_requests::{AfterDemand, demands},
    },
    back_in_stock::{name_of, waves::is_back},
    clock,
    problem::Problem,
    shop::Shop,
    store::StockDemand,
};

#[derive(Deserialize)]
pub(super) struct Wanted {
    cursor: Option<CursorText>,
}

/// `GET /admin/demand`.
pub(super) async fn list(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    wanted: Query<Wanted>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let after = wanted.cursor.as_ref().map(CursorText::decode::<AfterDemand>).transpose()?;
    let found = demands(&shop, after, PAGE_DEFAULT).await?;
    let (catalogue, now_ms) = (shop.catalogue.get(), clock::now_ms());
    let product = |demand: &StockDemand| catalogue.product(&demand.sku);
    let shelves = found.entries.iter().filter_map(product).flat_map(|product| product.shelves());
    let stock = shop.stock(&shelves.cloned().collect()).await?;
    let row = |demand: &StockDemand| row(demand, product(demand), &stock, now_ms);
    html(pages.demand(&DemandPage {
        session,
        are_letters_sent: shop.config.mail.is_sent(),
        rows: found.entries.iter().map(row).collect(),
        next: next_link(&found, &request),
    }))
}

fn row(demand: &StockDemand, product: Option<&Arc<Product>>, stock: &StockLevels, now_ms: i64) -> DemandRow {
    let on_offer = |product: &Product| stock.on_offer(product, now_ms);
    let state = match product.filter(|product| product.is_for_sale()) {
        None => DemandState::Hidden,
        Some(product) if is_back(product, on_offer(product), now_ms) => DemandState::Back,
        Some(product) if on_offer(product).is_none_or(|offer| offer.all > 0) => DemandState::Later,
        Some(_) => DemandState::SoldOut,
    };
    DemandRow {
        sku: demand.sku.to_string(),
        name: product.map_or_else(|| demand.sku.to_string(), |product| name_of(product)),
        path: product.filter(|product| product.bundle.is_none()).map(|product| path_of(product.sku.as_str())),
        waiting: demand.waiting,
        oldest_at_ms: demand.oldest_at_ms,
        state,
    }
}
