//! The pages of the stock of each location.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Query},
};
use cart_core::{LocationId, Locations, StockLevel};
use dashboards::{
    Notice, Pages, ProductStockPage, Session, StockChangeRow, StockDeed, StockForm, StockLevelRow,
    StockLocation, StockPage, StockRow,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Did, html, html_with,
    login::{Sent, SignedIn},
    orders::next_link,
    refusal, see_other,
};
use crate::{
    api::{
        page::{CursorText, PAGE_DEFAULT},
        stock::{AfterSku, NewChange, ProductStock, StockQuery, change_stock, page_of, stock_of},
    },
    problem::Problem,
    shop::Shop,
    store::{NotedChange, StockAct},
    storefront::{
        form::Form,
        pages::{encode, location_name},
    },
};

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    low: String,
    cursor: Option<CursorText>,
}

const DONE: &[(&str, &str)] = &[
    ("set", "What was counted is noted."),
    ("adjust", "The stock is adjusted."),
    ("move", "The pieces are moved."),
];

fn levels(locations: &Locations, levels: &[(LocationId, StockLevel)]) -> Vec<StockLevelRow> {
    let row = |(id, level): &(LocationId, StockLevel)| StockLevelRow {
        location: location_name(locations, id),
        on_hand: level.on_hand(),
        held: level.held,
        safety: level.safety,
        available: level.free(),
    };
    levels.iter().map(row).collect()
}

pub(super) fn path_of(sku: &str) -> String {
    format!("/admin/stock/{}", encode(sku))
}

fn row(locations: &Locations, stock: &ProductStock) -> StockRow {
    StockRow {
        sku: stock.product.sku.to_string(),
        path: path_of(stock.product.sku.as_str()),
        name: stock.product.name.clone(),
        levels: levels(locations, &stock.levels),
    }
}

fn change_row(locations: &Locations, noted: NotedChange) -> StockChangeRow {
    let name = |id: &LocationId| location_name(locations, id);
    let deed = match &noted.change.act {
        StockAct::Set { location, .. } => StockDeed::Set { at: name(location) },
        StockAct::Adjust { location, pieces } => StockDeed::Adjust { at: name(location), pieces: *pieces },
        StockAct::Move { from, to, pieces } => {
            StockDeed::Move { from: name(from), to: name(to), pieces: *pieces }
        }
    };
    StockChangeRow {
        deed,
        reason: noted.change.reason,
        by: noted.change.by,
        at_ms: noted.change.at_ms,
        after: levels(locations, &noted.after),
    }
}

/// `GET /admin/stock`.
pub(super) async fn list(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    wanted: Query<Wanted>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let (text, low) = (wanted.q.trim(), wanted.low.trim());
    let after = wanted.cursor.as_ref().map(CursorText::decode::<AfterSku>).transpose()?;
    let query =
        StockQuery { text: text.to_owned(), low: number("low", low)?, after: after.map(|AfterSku(sku)| sku) };
    let found = page_of(&shop, query, PAGE_DEFAULT).await?;
    let terms = shop.terms.get();
    html(pages.stock(&StockPage {
        session,
        query: text.to_owned(),
        low: low.to_owned(),
        next: next_link(&found, &request),
        rows: found.entries.iter().map(|stock| row(&terms.locations, stock)).collect(),
    }))
}

fn number(name: &str, text: &str) -> Result<Option<i64>, Problem> {
    let wrong = |_| Problem::invalid_request(format!("{name} {text:?} is no whole number"));
    (!text.is_empty()).then(|| text.parse().map_err(wrong)).transpose()
}

async fn product_page(
    shop: &Shop,
    session: Session,
    sku: &str,
    form: StockForm,
    notice: Option<Notice>,
) -> Result<ProductStockPage, Problem> {
    let (stock, changes) = stock_of(shop, sku).await?;
    let terms = shop.terms.get();
    // Those that send orders, and those that only keep pieces.
    let others = stock.levels.iter().map(|(id, _)| id).filter(|id| !terms.locations.ids().contains(id));
    let locations = terms.locations.ids().iter().chain(others);
    let locations = locations
        .map(|id| StockLocation { id: id.to_string(), name: location_name(&terms.locations, id) })
        .collect();
    Ok(ProductStockPage {
        session,
        notice,
        row: row(&terms.locations, &stock),
        locations,
        changes: changes.into_iter().map(|noted| change_row(&terms.locations, noted)).collect(),
        form,
        key: Uuid::new_v4().to_string(),
    })
}

/// `GET /admin/stock/{sku}`.
pub(super) async fn read(
    shop: Data<Shop>,
    pages: Data<Pages>,
    sku: Path<String>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    html(pages.product_stock(
        &product_page(&shop, session, &sku, StockForm::default(), did.notice(DONE, &[])).await?,
    ))
}

/// `POST /admin/stock/{sku}/{change}`: sets, adjusts or moves, once for each form that was shown.
pub(super) async fn change(
    shop: Data<Shop>,
    pages: Data<Pages>,
    path: Path<(String, String)>,
    Sent { session, form: fields, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (sku, asked) = path.into_inner();
    let form = typed(&asked, &fields);
    let key = fields.get("key").map(str::to_owned);
    let changed = async { change_stock(&shop, &sku, new_change(&form)?, session.user.clone(), key).await };
    match changed.await {
        Ok(_) => Ok(see_other(&format!("{}?did={asked}", path_of(&sku)))),
        Err(problem) => {
            let (status, notice) = refusal(problem)?;
            let page = product_page(&shop, session, &sku, form, Some(notice)).await?;
            html_with(status, pages.product_stock(&page))
        }
    }
}

fn typed(change: &str, fields: &Form) -> StockForm {
    let text = |name: &str| fields.text(name).trim().to_owned();
    StockForm {
        change: change.to_owned(),
        location: text("location"),
        to: text("to"),
        on_hand: text("on_hand"),
        safety_stock: text("safety_stock"),
        pieces: text("pieces"),
        reason: text("reason"),
    }
}

fn new_change(form: &StockForm) -> Result<NewChange, Problem> {
    let location =
        |text: &str| LocationId::parse(text).map_err(|error| Problem::invalid_request(error.to_string()));
    let pieces = || Ok::<i64, Problem>(number("pieces", &form.pieces)?.unwrap_or(0));
    let (at, reason) = (location(&form.location)?, form.reason.clone());
    Ok(match form.change.as_str() {
        "set" => NewChange::Set {
            location: at,
            on_hand: number("on hand", &form.on_hand)?,
            safety_stock: number("keep back", &form.safety_stock)?,
            reason,
        },
        "adjust" => NewChange::Adjust { location: at, pieces: pieces()?, reason },
        "move" => NewChange::Move { from: at, to: location(&form.to)?, pieces: pieces()?, reason },
        asked => {
            return Err(Problem::invalid_request(format!("{asked:?} is nothing that is done with stock")));
        }
    })
}
