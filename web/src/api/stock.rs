//! The stock of each location, for the shop's own people.

mod change;

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use cart_core::{LocationId, Product, Sku, StockLevel, limits::SUPPLY_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use change::{NewChange, change_stock};

use super::{
    admin::admin,
    headers::IDEMPOTENCY_KEY,
    operation::Operation,
    page::{Cursor, CursorText, Limit, Page, within},
    request::{idempotency_key, json},
};
use crate::{
    problem::{Kind, Problem},
    search::words::words,
    shop::Shop,
    store::{NotedChange, StockAct},
};

/// The newest changes of a product that are answered.
const CHANGES_MAX: usize = 100;
/// The longest search in bytes: a SKU, or a product's name.
const SEARCH_BYTES_MAX: usize = 200;

/// Describes the operations on the stock.
pub(super) fn operations() -> Vec<Operation> {
    const SKU: &str = "The product, hidden or not.";
    vec![
        Operation::get("/admin/stock", list)
            .named("listStock", "Lists the stock of each location, by SKU")
            .about(
                "Bundles and what the shop never runs out of have no stock, and are left out. In each location \
                 `on_hand` = `held` + `safety_stock` + `available`.",
            )
            .for_admins()
            .query::<Query>()
            .answers::<StockView>(200, "A page of it.")
            .problems(&[Kind::InvalidCursor]),
        Operation::get("/admin/stock/{sku}", read)
            .named("readStock", "Reads the stock of a product, and what was changed of it by hand")
            .for_admins()
            .path::<Sku>("sku", SKU)
            .answers::<StockWithChanges>(200, "The stock.")
            .problems(&[Kind::UnknownProduct, Kind::StockNotKept]),
        Operation::post("/admin/stock/{sku}/changes", change)
            .named("changeStock", "Sets, adjusts or moves the stock of a product")
            .about(
                "`set` says how many pieces a location has, as somebody counted them, and how many of them carts never get; \
                 `adjust` says how many came or are gone; `move` takes them from one location to another. None takes away \
                 pieces that carts hold. Each is told in the outbox as `stock_changed`.",
            )
            .for_admins()
            .path::<Sku>("sku", SKU)
            .takes(IDEMPOTENCY_KEY)
            .body::<NewChange>()
            .example("counted", json!({ "type": "set", "on_hand": 12, "safety_stock": 2 }))
            .example("broken", json!({ "type": "adjust", "pieces": -1, "reason": "fell off the shelf" }))
            .example("nearer", json!({ "type": "move", "from": "main", "to": "berlin", "pieces": 5 }))
            .answers::<ChangeView>(200, "The change, with what it led to.")
            .problems(&[
                Kind::UnknownProduct,
                Kind::StockNotKept,
                Kind::UnknownLocation,
                Kind::InvalidDetails,
                Kind::StockTooLow,
                Kind::OutOfStock,
                Kind::IdempotencyMismatch,
            ]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    /// Words of the name, or part of the SKU.
    #[schemars(length(max = SEARCH_BYTES_MAX))]
    q: Option<String>,
    /// Only products of which some location has at most so many pieces `available`.
    #[schemars(range(min = 0, max = SUPPLY_MAX))]
    low: Option<i64>,
    /// The most products to answer.
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the page before.
    cursor: Option<CursorText>,
}

/// Is where a page of the stock begins: behind that product.
#[derive(Serialize, Deserialize)]
pub(crate) struct AfterSku(pub Sku);

impl Cursor for AfterSku {
    const VERSION: u8 = 1;
    const LIST: &'static str = "stock";
}

/// Is what one location has of a product.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StockLevel")]
struct LevelView {
    location: LocationId,
    /// The pieces that are there; below 0, pieces that are owed.
    on_hand: i64,
    /// Those of them that lines of carts hold.
    held: i64,
    /// Those of them that no cart may take.
    safety_stock: i64,
    /// Those of them that carts may take; below 0, what is missing until they may take one.
    available: i64,
}

impl LevelView {
    fn of((location, level): &(LocationId, StockLevel)) -> Self {
        Self {
            location: location.clone(),
            on_hand: level.on_hand(),
            held: level.held,
            safety_stock: level.safety,
            available: level.free(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProductStock")]
struct ProductView {
    sku: Sku,
    name: String,
    locations: Vec<LevelView>,
}

impl From<ProductStock> for ProductView {
    fn from(stock: ProductStock) -> Self {
        Self {
            sku: stock.product.sku.clone(),
            name: stock.product.name.clone(),
            locations: stock.levels.iter().map(LevelView::of).collect(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Stock")]
struct StockView {
    products: Vec<ProductView>,
    /// Where the next page begins; `null` at the end of the list.
    next_cursor: Option<String>,
}

/// Is a change that was made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StockChange")]
struct ChangeView {
    sku: Sku,
    /// What was done: `set`, `adjust` or `move`.
    r#type: &'static str,
    /// The pieces that came, went below 0, or moved; none of `set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pieces: Option<i64>,
    reason: String,
    /// Who did it.
    by: String,
    at_ms: i64,
    /// What its locations had after it; of `move`, the one that gave comes first.
    locations: Vec<LevelView>,
}

impl From<NotedChange> for ChangeView {
    fn from(NotedChange { change, after }: NotedChange) -> Self {
        let (kind, pieces) = match change.act {
            StockAct::Set { .. } => ("set", None),
            StockAct::Adjust { pieces, .. } => ("adjust", Some(pieces)),
            StockAct::Move { pieces, .. } => ("move", Some(pieces)),
        };
        Self {
            sku: change.sku,
            r#type: kind,
            pieces,
            reason: change.reason,
            by: change.by,
            at_ms: change.at_ms,
            locations: after.iter().map(LevelView::of).collect(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StockWithChanges")]
struct StockWithChanges {
    #[serde(flatten)]
    stock: ProductView,
    /// What was changed by hand or by an import, the newest first.
    changes: Vec<ChangeView>,
}

/// Is what the locations have of a product.
pub(crate) struct ProductStock {
    /// The product.
    pub product: Arc<Product>,
    /// What each location has, the main one first.
    pub levels: Vec<(LocationId, StockLevel)>,
}

/// Says which products are wanted.
#[derive(Default)]
pub(crate) struct StockQuery {
    /// Words of the name, or part of the SKU; empty for all.
    pub text: String,
    /// The most pieces that some location has for carts to take.
    pub low: Option<i64>,
    /// The product that stands before them.
    pub after: Option<Sku>,
}

async fn list(
    shop: web::Data<Shop>,
    request: HttpRequest,
    query: web::Query<Query>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let after = query.cursor.as_ref().map(CursorText::decode::<AfterSku>).transpose()?;
    if query.low.is_some_and(|low| !(0..=SUPPLY_MAX).contains(&low)) {
        return Err(Problem::invalid_request(format!("low must be 0 to {SUPPLY_MAX}")));
    }
    let wanted = StockQuery {
        text: within("q", query.q.as_deref(), SEARCH_BYTES_MAX)?.unwrap_or_default().to_owned(),
        low: query.low,
        after: after.map(|AfterSku(sku)| sku),
    };
    let page = page_of(&shop, wanted, query.limit.get()).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if let Some(link) = page.link(&request) {
        response.insert_header(link);
    }
    Ok(response.json(StockView {
        products: page.entries.into_iter().map(ProductView::from).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Returns a page of the stock, by SKU.
///
/// # Errors
/// What the store says.
pub(crate) async fn page_of(
    shop: &Shop,
    wanted: StockQuery,
    limit: usize,
) -> Result<Page<ProductStock>, Problem> {
    let catalogue = shop.catalogue.get();
    let (sought, terms) = (wanted.text.trim().to_lowercase(), words(&wanted.text));
    let is_wanted = |product: &Product| {
        let name = words(&product.name).join(" ");
        product.has_stock()
            && (product.sku.as_str().to_lowercase().contains(&sought)
                || (!terms.is_empty() && terms.iter().all(|term| name.contains(term.as_str()))))
    };
    let mut found: Vec<Arc<Product>> = vec![];
    match wanted.low {
        None => {
            let all = catalogue.all().filter(|p| wanted.after.as_ref().is_none_or(|after| p.sku > *after));
            found.extend(all.filter(|p| is_wanted(p)).cloned());
            found.sort_unstable_by(|a, b| a.sku.cmp(&b.sku));
            found.truncate(limit + 1);
        }
        // What the store finds may be none of what is sought: then it is asked for more.
        Some(low) => {
            let mut after = wanted.after;
            while found.len() <= limit {
                let skus = shop.store.low_stock(low, after.as_ref(), limit + 1).await?;
                let products = skus.iter().filter_map(|sku| catalogue.product(sku));
                found.extend(products.filter(|p| is_wanted(p)).cloned());
                if skus.len() <= limit {
                    break;
                }
                after = skus.into_iter().last();
            }
            found.truncate(limit + 1);
        }
    }
    let skus: BTreeSet<Sku> = found.iter().map(|product| product.sku.clone()).collect();
    let levels = shop.store.stock(&skus).await?;
    let with_levels = |product: Arc<Product>| {
        let levels = levels.of(&product.sku).map(|(at, level)| (at.clone(), *level)).collect();
        ProductStock { product, levels }
    };
    let found = found.into_iter().map(with_levels).collect();
    Ok(Page::of(found, limit, |stock: &ProductStock| AfterSku(stock.product.sku.clone())))
}

/// Finds a product that has a stock.
fn find(shop: &Shop, text: &str) -> Result<Arc<Product>, Problem> {
    let unknown = || Problem::new(Kind::UnknownProduct, format!("the catalogue has no product {text:?}"));
    let sku = Sku::parse(text).map_err(|_| unknown())?;
    let product = shop.catalogue.get().product(&sku).cloned().ok_or_else(unknown)?;
    match product.has_stock() {
        true => Ok(product),
        false => Err(Problem::new(Kind::StockNotKept, format!("{sku} has no stock of its own"))),
    }
}

/// Reads the stock of a product, with what was changed of it, the newest first.
///
/// # Errors
/// The problems `unknown_product` and `stock_not_kept`.
pub(crate) async fn stock_of(shop: &Shop, sku: &str) -> Result<(ProductStock, Vec<NotedChange>), Problem> {
    let product = find(shop, sku)?;
    let stock = shop.store.stock(&[product.sku.clone()].into()).await?;
    let levels = stock.of(&product.sku).map(|(at, level)| (at.clone(), *level)).collect();
    let changes = shop.store.stock_changes(&product.sku, CHANGES_MAX).await?;
    Ok((ProductStock { product, levels }, changes))
}

async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    sku: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let (stock, changes) = stock_of(&shop, &sku).await?;
    let changes = changes.into_iter().map(ChangeView::from).collect();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(StockWithChanges { stock: stock.into(), changes }))
}

async fn change(
    shop: web::Data<Shop>,
    request: HttpRequest,
    sku: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let by = admin(&shop, &request).await?;
    let (form, bytes) = json::<NewChange>(&request, body).await?;
    let key = idempotency_key(&request, &bytes)?.map(|key| key.key);
    let noted = change_stock(&shop, &sku, form, by, key).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(ChangeView::from(noted)))
}
