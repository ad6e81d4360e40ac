//! The pages of the stock.

use super::{AS_OF_MS, DAY_MS, HOSTILE, session};
use crate::session::Notice;
use crate::stock::{
    ProductStockPage, StockChangeRow, StockDeed, StockForm, StockLevelRow, StockLocation, StockPage, StockRow,
};

fn stock_row(sku: &str, name: &str, levels: &[(&str, i64, i64, i64)]) -> StockRow {
    let level = |&(location, on_hand, held, safety): &(&str, i64, i64, i64)| StockLevelRow {
        location: location.into(),
        on_hand,
        held,
        safety,
        available: on_hand - held - safety,
    };
    StockRow {
        sku: sku.into(),
        path: format!("/admin/stock/{sku}"),
        name: name.into(),
        levels: levels.iter().map(level).collect(),
    }
}

/// Returns the list of the stock.
pub fn stock() -> StockPage {
    let rows = vec![
        stock_row("MUG", "Stoneware mug", &[("Leeds", 40, 3, 2), ("Berlin", 0, 0, 0)]),
        stock_row("TEAPOT", HOSTILE, &[("Leeds", 5, 5, 1)]),
    ];
    let next = Some("/admin/stock?cursor=next".into());
    StockPage { session: session(), query: String::new(), low: String::new(), rows, next }
}

/// Returns the stock of a product, after a form was refused.
pub fn product_stock() -> ProductStockPage {
    let row = stock_row("MUG", "Stoneware mug", &[("Leeds", 40, 3, 2), ("Berlin", 0, 0, 0)]);
    let (leeds, berlin) = (|| "Leeds".to_owned(), || "Berlin".to_owned());
    let change = |deed, reason: &str, days| StockChangeRow {
        deed,
        reason: reason.into(),
        by: "mara".into(),
        at_ms: AS_OF_MS - days * DAY_MS,
        after: row.levels.clone(),
    };
    ProductStockPage {
        session: session(),
        notice: Some(Notice::Refused("Of MUG 35 pieces can leave that location.".into())),
        locations: vec![
            StockLocation { id: "main".into(), name: leeds() },
            StockLocation { id: "berlin".into(), name: berlin() },
        ],
        changes: vec![
            change(StockDeed::Move { from: berlin(), to: leeds(), pieces: 4 }, "", 1),
            change(StockDeed::Adjust { at: leeds(), pieces: -1 }, HOSTILE, 2),
            change(StockDeed::Adjust { at: leeds(), pieces: 12 }, "delivered", 3),
            StockChangeRow { after: vec![], ..change(StockDeed::Set { at: leeds() }, "", 4) },
        ],
        form: StockForm { change: "move".into(), pieces: "36".into(), ..StockForm::default() },
        key: "0199a1b2".into(),
        row,
    }
}
