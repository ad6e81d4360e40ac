//! Looking around: the first page, lists, one product, pictures and files.

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path, Query},
};
use cart_core::{Product, Sku};
use serde::Deserialize;

use super::{
    Front, Page,
    guest::Guest,
    html,
    pages::{Card, Hero, Home, Listing, ProductPage, Shelf, asset as file, placeholder},
};
use crate::{problem::Problem, shelves, shop::Shop};

/// Products on a shelf.
pub(super) const SHELF_LEN: usize = 6;
/// Products that the first page puts forward.
const FEATURED_LEN: usize = 8;
/// Orders that a visitor's taste is read from.
const HISTORY_ORDERS: usize = 20;

/// Makes cards of products, with one look at the stock for all of them.
pub(super) async fn cards(shop: &Shop, products: &[Arc<Product>]) -> Result<Vec<Card>, Problem> {
    let skus: BTreeSet<Sku> = products.iter().map(|p| p.sku.clone()).collect();
    let stock = shop.store.stock(&skus).await?;
    Ok(products.iter().map(|p| Card::of(p, stock.available(&p.sku))).collect())
}

/// Makes a shelf of pages out of one of recommendations.
pub(super) async fn shelf(shop: &Shop, heading: &str, suggested: shelves::Shelf) -> Result<Shelf, Problem> {
    let products: Vec<_> = suggested.into_iter().map(|s| s.product).collect();
    Ok(Shelf::new(heading, cards(shop, &products).await?))
}

/// `GET /`.
pub(super) async fn home(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    front.serve(home_page(&front, &request)).await
}

async fn home_page(front: &Front, request: &HttpRequest) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let catalogue = shop.catalogue.get();
    let by_category: Vec<Vec<&Arc<Product>>> =
        catalogue.categories().iter().map(|c| catalogue.search("", Some(c))).collect();
    // The first of each category, then the second of each, so that the page shows the breadth of the shop.
    let longest = by_category.iter().map(Vec::len).max().unwrap_or(0);
    let mixed = (0..longest).flat_map(|n| by_category.iter().filter_map(move |c| c.get(n).copied()));
    let on_offer = |p: &&Arc<Product>| !shop.shelves.is_sold_out(&p.sku);
    let mut featured: Vec<Arc<Product>> = mixed.filter(on_offer).take(FEATURED_LEN).cloned().collect();
    if featured.is_empty() {
        let popular = shop.shelves.popular(&catalogue, FEATURED_LEN);
        featured = popular.into_iter().map(|s| s.product).collect();
    }
    let orders = match guest.visitor.new_token() {
        Some(_) => vec![],
        None => shop.store.orders_of(&guest.visitor.id, HISTORY_ORDERS).await?,
    };
    let suggested = match orders.is_empty() {
        true => shelf(shop, "Popular now", shop.shelves.popular(&catalogue, SHELF_LEN)).await?,
        false => {
            let chosen = shop.shelves.for_history(&catalogue, &orders, SHELF_LEN);
            shelf(shop, "Recommended for you", chosen).await?
        }
    };
    let doors: Vec<(String, &Product)> = catalogue
        .categories()
        .iter()
        .zip(&by_category)
        .filter_map(|(name, products)| Some((name.clone(), &***products.last()?)))
        .collect();
    let hero = Hero {
        heading: "Good things, well kept".into(),
        text: format!(
            "{} things for sale, and your cart is the same on every device you own.",
            catalogue.visible_count()
        ),
    };
    let page = Home::new(hero, cards(shop, &featured).await?, suggested, &doors);
    html(&guest, request, StatusCode::OK, front.pages.home(&front.shell_of(&guest, request), &page))
}

/// Is what a list may be asked for; other parameters, such as forced variations, are somebody else's.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    category: String,
    page: Option<usize>,
}

/// `GET /products`.
pub(super) async fn listing(front: Data<Front>, request: HttpRequest, wanted: Query<Wanted>) -> HttpResponse {
    front.serve(listing_page(&front, &request, &wanted)).await
}

async fn listing_page(front: &Front, request: &HttpRequest, wanted: &Wanted) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let catalogue = shop.catalogue.get();
    let query = wanted.q.trim();
    let category = Some(wanted.category.as_str()).filter(|c| !c.is_empty());
    let found = catalogue.search(query, category);
    let page = wanted.page.unwrap_or(1).clamp(1, Listing::page_count(found.len()));
    let shown: Vec<Arc<Product>> = found
        .iter()
        .skip((page - 1) * Listing::PAGE_LEN)
        .take(Listing::PAGE_LEN)
        .map(|p| (*p).clone())
        .collect();
    let cards = cards(shop, &shown).await?;
    let list = Listing::new(query, category, catalogue.categories(), cards, found.len(), page);
    let mut shell = front.shell_of(&guest, request);
    query.clone_into(&mut shell.query);
    html(&guest, request, StatusCode::OK, front.pages.listing(&shell, &list))
}

/// `GET /products/{sku}`.
pub(super) async fn product(front: Data<Front>, request: HttpRequest, sku: Path<String>) -> HttpResponse {
    front.serve(product_page(&front, &request, &sku)).await
}

async fn product_page(front: &Front, request: &HttpRequest, sku: &str) -> Page {
    let shop = &front.shop;
    let catalogue = shop.catalogue.get();
    let unknown = || Problem::not_found("unknown_product", format!("no product {sku} is for sale"));
    let product = Sku::parse(sku).ok().and_then(|sku| catalogue.visible(&sku)).ok_or_else(unknown)?;
    let guest = Guest::meet(shop, request).await?;
    let available = shop.store.stock(&[product.sku.clone()].into()).await?.available(&product.sku);
    let together = shop.shelves.bought_together(&catalogue, &product.sku, SHELF_LEN);
    let page = ProductPage::new(product, available, shelf(shop, "Bought together", together).await?);
    html(&guest, request, StatusCode::OK, front.pages.product(&front.shell_of(&guest, request), &page))
}

/// `GET /products/{sku}/picture`: the product's own picture, or one drawn from its name.
pub(super) async fn picture(front: Data<Front>, sku: Path<String>) -> HttpResponse {
    let catalogue = front.shop.catalogue.get();
    let product = Sku::parse(&sku).ok().and_then(|sku| catalogue.product(&sku).cloned());
    let drawn = product.as_ref().and_then(|p| file(&format!("products/{}", p.image.as_deref()?)));
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "public, max-age=3600"));
    match drawn {
        Some(drawn) => response.content_type(drawn.content_type).body(drawn.bytes),
        None => {
            let name = product.as_ref().map_or(sku.as_str(), |p| &p.name);
            response.content_type("image/svg+xml").body(placeholder(name))
        }
    }
}

/// `GET /static/{path}`: a file built into the program; one asked for by its digest never changes.
pub(super) async fn asset(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, Problem> {
    let found =
        file(&path).ok_or_else(|| Problem::not_found("no_such_file", format!("there is no file {path}")))?;
    let is_versioned = request.query_string().starts_with("v=");
    let cache = if is_versioned { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    Ok(HttpResponse::Ok()
        .content_type(found.content_type)
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(found.bytes))
}
