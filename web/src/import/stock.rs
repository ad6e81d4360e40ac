//! The stock of locations: the pieces of one product in one location a row.

use cart_core::{LocationId, limits::SUPPLY_MAX};

use super::{
    Report,
    row::{Fields, Mapping, Row},
    table::Table,
};
use crate::{
    clock,
    store::{StockAct, StockChange, StockOutcome, Store},
};

/// The fields of a row.
const FIELDS: [&str; 4] = ["sku", "location", "stock", "safety_stock"];
/// Rows that one transaction takes.
const BATCH: usize = 1_000;
/// Who changes the stock by an import.
const IMPORT: &str = "import";

/// Imports the stock of locations; imported again, it changes nothing.
///
/// # Errors
/// Where the columns do not fit or the store does not answer. Bad rows are no error: they are in the report.
pub async fn import(
    store: &dyn Store,
    table: Table,
    mapping: &Mapping,
    tick: impl Fn(),
) -> anyhow::Result<Report> {
    let fields = Fields::place(mapping, &table.columns, &FIELDS, &["sku", "location"])?;
    let (mut report, mut batch) = (Report::default(), vec![]);
    for cells in table.cells {
        report.rows += 1;
        tick();
        match cells.and_then(|cells| change(&fields.row(&cells))) {
            Ok(Some(change)) => batch.push((report.rows, change)),
            Ok(None) => report.skipped += 1,
            Err(reason) => report.bad.push((report.rows, reason)),
        }
        if batch.len() == BATCH {
            make(store, &mut batch, &mut report).await?;
        }
    }
    make(store, &mut batch, &mut report).await?;
    report.bad.sort();
    Ok(report)
}

fn change(row: &Row<'_>) -> Result<Option<StockChange>, String> {
    let Some(sku) = row.sku()? else { return Ok(None) };
    let pieces = |field: &str| match row.text(field) {
        None => Ok(None),
        Some(_) => match row.number(field)? {
            n @ 0..=SUPPLY_MAX => Ok(Some(n)),
            n => Err(format!("{field} {n} is not 0 to {SUPPLY_MAX}")),
        },
    };
    let location = LocationId::parse(row.needed("location")?).map_err(|error| error.to_string())?;
    let act = StockAct::Set {
        location,
        supplied: pieces("stock")?,
        on_hand: None,
        safety: pieces("safety_stock")?,
    };
    Ok(Some(StockChange {
        sku,
        act,
        reason: String::new(),
        by: IMPORT.into(),
        at_ms: clock::now_ms(),
        key: None,
    }))
}

async fn make(
    store: &dyn Store,
    batch: &mut Vec<(u64, StockChange)>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (rows, changes): (Vec<u64>, Vec<StockChange>) = std::mem::take(batch).into_iter().unzip();
    let outcomes = store.change_stock(&changes).await?;
    for ((row, change), outcome) in rows.into_iter().zip(&changes).zip(outcomes) {
        let sku = &change.sku;
        match outcome {
            StockOutcome::Changed => report.count("levels changed", 1),
            StockOutcome::Unchanged | StockOutcome::Repeated => report.count("levels unchanged", 1),
            StockOutcome::UnknownProduct => report.bad.push((row, format!("there is no product {sku}"))),
            StockOutcome::SupplyTooLow { taken } => {
                report.bad.push((row, format!("stock of {sku} is below the {taken} pieces held or sold")));
            }
            StockOutcome::TooFew { .. } | StockOutcome::TooMany | StockOutcome::KeyReused => {
                report.bad.push((row, format!("stock of {sku} cannot become that")));
            }
        }
    }
    Ok(())
}
