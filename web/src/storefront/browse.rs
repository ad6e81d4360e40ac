//! Looking around: the first page, lists, one product, pictures and files.

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web::{Data, Path, Query},
};
use cart_core::{Money, PriceQuestion, Product, Sku, StockLevels};

use super::{
    Front, Page,
    guest::Guest,
    history::seen,
    html, html_response,
    pages::{
        Card, Hero, Home, ListRow, Listing, ProductPage, Shelf, Tell, asset as file, placeholder,
        worker as program,
    },
    rendered,
};
use crate::{
    config::SessionMode,
    definitions::Forced,
    problem::{Kind, Problem},
    search::Ask,
    shelves::{About, ShelfName, Shown},
    shop::Shop,
    views::Source,
};

/// Products on a shelf.
pub(super) const SHELF_LEN: usize = 6;
/// Products that the first page puts forward.
const FEATURED_LEN: usize = 8;

/// Makes cards of products, with one look at the stock for all of them.
pub(super) async fn cards(
    shop: &Shop,
    now: &PriceQuestion<'_>,
    products: &[Arc<Product>],
) -> Result<Vec<Card>, Problem> {
    let stock = shop.stock(&skus_of(products)).await?;
    Ok(cards_of(now, products, Some(&stock)))
}

/// As [`cards`], of what stands on a shelf: where the store is slow, they do not say how much there is.
pub(super) async fn shelf_cards(
    shop: &Shop,
    now: &PriceQuestion<'_>,
    products: &[Arc<Product>],
) -> Vec<Card> {
    let stock = shop.shelf_stock(skus_of(products)).await;
    cards_of(now, products, stock.as_deref())
}

fn skus_of(products: &[Arc<Product>]) -> BTreeSet<Sku> {
    products.iter().flat_map(|p| p.shelves()).cloned().collect()
}

fn cards_of(now: &PriceQuestion<'_>, products: &[Arc<Product>], stock: Option<&StockLevels>) -> Vec<Card> {
    let on_offer = |p: &Product| stock.and_then(|stock| stock.on_offer(p, now.now_ms));
    let card = |p: &Arc<Product>| Card::of(p, on_offer(p), now.now_ms).at(price_now(p, now));
    products.iter().map(card).collect()
}

/// Says what one piece costs now: in the currency asked for, or else in the product's own.
pub(super) fn price_now(product: &Product, now: &PriceQuestion<'_>) -> Money {
    product.price_for(now).map_or(product.price, |price| Money::new(price.minor, now.currency))
}

/// Fills a shelf for a guest, who thereby meets who fills it.
pub(super) async fn shelf_for(
    shop: &Shop,
    name: ShelfName,
    about: About,
    guest: &Guest,
    wanted: usize,
) -> Shown {
    let filling = shop.filling(name, Some(&guest.visitor), &guest.forced);
    let shown = shop.shelf(name, about, Some(&guest.visitor), filling, wanted, &guest.in_cart()).await;
    shop.expose_shelf(&guest.visitor, &shown).await;
    shown
}

/// Makes a shelf of pages out of one of recommendations.
pub(super) async fn shelf(shop: &Shop, guest: &Guest, heading: &str, shown: Shown) -> Shelf {
    shelf_beside(shop, guest, heading, shown, None).await
}

/// Makes a shelf for the page of a product, where there is one.
async fn shelf_beside(
    shop: &Shop,
    guest: &Guest,
    heading: &str,
    shown: Shown,
    beside: Option<&Sku>,
) -> Shelf {
    let catalogue = shop.catalogue.get();
    let because: Vec<String> =
        shown.items.iter().map(|item| item.suggested.why.words(&catalogue, beside)).collect();
    let (products, spots): (Vec<_>, Vec<_>) =
        shown.items.into_iter().map(|item| (item.suggested.product, item.spot)).unzip();
    let cards =
        shelf_cards(shop, &guest.price_question(shop), &products).await.into_iter().zip(spots).zip(because);
    let cards = cards.map(|((card, spot), because)| card.shown_at(spot.as_ref()).because(because)).collect();
    Shelf::new(heading, cards)
}

/// `GET /`.
pub(super) async fn home(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    front.serve(home_page(&front, &request)).await
}

async fn home_page(front: &Front, request: &HttpRequest) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let catalogue = shop.catalogue.get();
    let mut by_category = vec![vec![]; catalogue.categories().len()];
    for product in catalogue.families() {
        if let Ok(n) = catalogue.categories().binary_search(&product.category) {
            by_category[n].push(product);
        }
    }
    // The first of each category, then the second of each, so that the page shows the breadth of the shop.
    let longest = by_category.iter().map(Vec::len).max().unwrap_or(0);
    let mixed = (0..longest).flat_map(|n| by_category.iter().filter_map(move |c| c.get(n).copied()));
    let on_offer = |p: &&Arc<Product>| !shop.shelves.is_sold_out(&p.sku);
    let most = FEATURED_LEN + SHELF_LEN;
    let mut featured: Vec<Arc<Product>> = mixed.filter(on_offer).take(most).cloned().collect();
    if featured.is_empty() {
        let filling = shop.filling(ShelfName::Popular, None, &Forced::new());
        let popular =
            shop.shelf(ShelfName::Popular, About::Nothing, None, filling, most, &guest.in_cart()).await;
        featured = popular.items.into_iter().map(|item| item.suggested.product).collect();
    }
    let orders = match guest.visitor.new_token() {
        Some(_) => vec![],
        None => shop.taste(&guest.visitor).await,
    };
    let trail = shop.trail(&guest.visitor).session;
    let next = match trail.is_empty() {
        true => None,
        false => {
            let about = About::Trail(trail.clone());
            let chosen = shelf_for(shop, ShelfName::Continue, about, &guest, SHELF_LEN).await.particular();
            Some(shelf(shop, &guest, "Where you left off", chosen).await)
        }
    };
    let suggested = match orders.is_empty() {
        true => {
            let chosen = shelf_for(shop, ShelfName::Popular, About::Nothing, &guest, SHELF_LEN).await;
            shelf(shop, &guest, "Popular now", chosen).await
        }
        false => {
            let about = About::Shopper { orders, trail };
            let chosen = shelf_for(shop, ShelfName::Recommended, about, &guest, SHELF_LEN).await;
            shelf(shop, &guest, "Recommended for you", chosen).await
        }
    };
    // What the shelf below shows comes last, so that a page with enough to show shows nothing twice.
    featured.sort_by_key(|p| suggested.cards.iter().any(|card| card.sku == p.sku.as_str()));
    featured.truncate(FEATURED_LEN);
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
            dashboards::count(catalogue.visible_count() as u64)
        ),
    };
    let mut page =
        Home::new(hero, cards(shop, &guest.price_question(shop), &featured).await?, suggested, &doors);
    page.next = next;
    page.seen = seen(front, &guest, None).await;
    html(&guest, request, StatusCode::OK, front.pages.home(&front.shell_of(&guest, request), &page))
}

/// `GET /products`.
pub(super) async fn listing(
    front: Data<Front>,
    request: HttpRequest,
    pairs: Query<Vec<(String, String)>>,
) -> HttpResponse {
    front.serve(listing_page(&front, &request, &pairs)).await
}

async fn listing_page(front: &Front, request: &HttpRequest, pairs: &[(String, String)]) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let (mut ask, mut page) = (Ask::default(), 1_usize);
    for (name, value) in pairs {
        match &**name {
            "page" => page = value.parse().unwrap_or(1).max(1),
            // The page counts in numbers, so a cursor is nobody's; other parameters, such as forced variations, are
            // somebody else's.
            "cursor" => {}
            // A field of a form that was left empty asks for nothing.
            _ if value.is_empty() => {}
            _ => drop(ask.take(name, value).map_err(Problem::invalid_request)?),
        }
    }
    let group = guest.visitor.group();
    let now = guest.price_question(shop);
    let now = PriceQuestion { currency: ask.currency.unwrap_or(now.currency), ..now };
    let in_currency = Ask { currency: Some(now.currency), ..ask.clone() };
    let mut found = shop
        .search(&in_currency, group, (page - 1).saturating_mul(Listing::PAGE_LEN), Listing::PAGE_LEN)
        .await?;
    let count = Listing::page_count(found.total);
    if page > count {
        page = count;
        found = shop.search(&in_currency, group, (page - 1) * Listing::PAGE_LEN, Listing::PAGE_LEN).await?;
    }
    let shown: Vec<Arc<Product>> = found.hits.iter().map(|hit| hit.product.clone()).collect();
    let cards = cards(shop, &now, &shown).await?.into_iter().zip(&found.hits).map(|(card, hit)| {
        let prices: Vec<Money> = hit.variants.iter().map(|v| price_now(v, &now)).collect();
        if prices.len() > 1 { card.for_family(&prices) } else { card.at(price_now(&hit.product, &now)) }
    });
    let list = Listing::new(&ask, &found, cards.collect(), page, now.currency);
    let mut shell = front.shell_of(&guest, request);
    shell.query.clone_from(&ask.text);
    html(&guest, request, StatusCode::OK, front.pages.listing(&shell, &list))
}

/// `GET /products/{sku}`.
pub(super) async fn product(front: Data<Front>, request: HttpRequest, sku: Path<String>) -> HttpResponse {
    front.serve(product_page(&front, &request, &sku, None)).await
}

/// Makes the page of a product; `tell` is the form of who asked to be told that it is back, with what is wrong in it.
pub(super) async fn product_page(
    front: &Front,
    request: &HttpRequest,
    sku: &str,
    tell: Option<Tell>,
) -> Page {
    let shop = &front.shop;
    let catalogue = shop.catalogue.get();
    let unknown = || Problem::new(Kind::UnknownProduct, format!("no product {sku} is for sale"));
    let product = Sku::parse(sku).ok().and_then(|sku| catalogue.visible(&sku)).ok_or_else(unknown)?;
    let guest = Guest::meet(shop, request).await?;
    if request.method() == Method::GET {
        shop.note_click(&guest.visitor, sku, from(request).as_deref());
    }
    let family = catalogue.variants(&product.sku);
    let stock = shop.stock(&family.iter().flat_map(|v| v.product.shelves()).cloned().collect()).await?;
    let now = guest.price_question(shop);
    let on_offer = |p: &Product| stock.on_offer(p, now.now_ms);
    let left = |p: &Product| on_offer(p).map_or(i64::MAX, |o| o.all);
    let variants: Vec<(&Product, i64)> = family.iter().map(|v| (&*v.product, left(&v.product))).collect();
    let lists = shop.store.lists_of(&guest.visitor.id).await?;
    let about = About::Product(product.sku.clone());
    let together = shelf_for(shop, ShelfName::BoughtTogether, about, &guest, SHELF_LEN).await;
    let belongs: Vec<bool> = together.items.iter().map(|item| item.suggested.belongs()).collect();
    let mut trail = shop.trail(&guest.visitor).session;
    trail.push(product.sku.clone());
    let about = About::Trail(trail);
    let viewed = shelf_for(shop, ShelfName::AlsoViewed, about, &guest, 2 * SHELF_LEN).await;
    let viewed = viewed.particular().without(&together, SHELF_LEN);
    let viewed = shelf(shop, &guest, "People also viewed", viewed).await;
    let together = shelf_beside(shop, &guest, "Bought together", together, Some(&product.sku)).await;
    let belonging = together.cards.iter().zip(belongs).filter(|(_, belongs)| *belongs);
    let set: Vec<Card> = belonging.map(|(card, _)| card.clone()).collect();
    let status = match tell {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => {
            // Whether it is noted or not is nothing to the page.
            let _ = shop.views.note(&guest.visitor, product.sku.clone(), Source::Page, now.now_ms);
            StatusCode::OK
        }
    };
    let mut page = ProductPage::new(product, Card::of(product, on_offer(product), now.now_ms), together)
        .priced(product, &now)
        .with_set(&set)
        .with_family(product, &variants)
        .with_lists(lists.iter().map(ListRow::from).collect())
        .with_tell(shop.config.mail.is_sent().then(|| tell.unwrap_or_else(|| fresh_tell(shop, &guest))));
    page.viewed = Some(viewed);
    page.seen = seen(front, &guest, Some(&product.sku)).await;
    html(&guest, request, status, front.pages.product(&front.shell_of(&guest, request), &page))
}

/// Returns the place of a shelf that the address says its visitor comes from.
fn from(request: &HttpRequest) -> Option<String> {
    let pairs = Query::<Vec<(String, String)>>::from_query(request.query_string()).ok()?;
    pairs.into_inner().into_iter().find_map(|(name, value)| (name == "from").then_some(value))
}

fn fresh_tell(shop: &Shop, guest: &Guest) -> Tell {
    let email = guest.visitor.login().map(|login| login.email.clone()).unwrap_or_default();
    Tell { email, error: None, keep_days: shop.config.back_in_stock.keep_days }
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
        file(&path).ok_or_else(|| Problem::new(Kind::NoSuchFile, format!("there is no file {path}")))?;
    let is_versioned = request.query_string().starts_with("v=");
    let cache = if is_versioned { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    Ok(HttpResponse::Ok()
        .content_type(found.content_type)
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(found.bytes))
}

/// `GET /offline`: the page that a browser keeps for times without a network. It is the same for everybody.
pub(super) async fn offline(front: Data<Front>) -> HttpResponse {
    let page = async {
        let mut shell = front.shell();
        shell.index = false;
        shell.keeps = front.keeps(None);
        let html = rendered(front.pages.offline(&shell))?;
        Ok(html_response(StatusCode::OK).body(html))
    };
    front.serve(page).await
}

/// `GET /sw.js`: the worker that keeps pages; where sessions are not hybrid, one that gives them up.
pub(super) async fn worker(front: Data<Front>) -> HttpResponse {
    let is_kept = front.shop.config.session.mode == SessionMode::Hybrid;
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(program(is_kept))
}
