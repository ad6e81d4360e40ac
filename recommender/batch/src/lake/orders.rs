//! Orders as a lake's rows tell them, and what came back of them.

use std::collections::HashMap;

use anyhow::Context;
use learning::draw::hash;
use polars::prelude::{DataFrame, ExplodeOptions, LazyFrame, by_name, col};

/// Is one order.
pub struct Order<'a> {
    /// Its place among the rows.
    pub row: u32,
    /// Its id.
    pub id: &'a str,
    /// When it was placed.
    pub at_ms: i64,
    /// Each product once, with its pieces.
    pub lines: Vec<(&'a str, i64)>,
}

/// Calls `each` with the orders of rows, in their order.
///
/// # Errors
/// Where they cannot be read, or `each` fails.
pub fn each_order(
    rows: LazyFrame,
    mut each: impl FnMut(&Order<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let lines = lines(rows)?;
    let mut open: Option<(u32, Order<'_>)> = None;
    each_line(&lines, |row, order, at_ms, line| {
        match &mut open {
            Some((of, open)) if *of == row => open.lines.push(line),
            _ => {
                let new = Order { row, id: order, at_ms, lines: vec![line] };
                if let Some((_, done)) = open.replace((row, new)) {
                    each(&done.of_each_product_once())?;
                }
            }
        }
        Ok(())
    })?;
    open.map_or(Ok(()), |(_, last)| each(&last.of_each_product_once()))
}

impl<'a> Order<'a> {
    fn of_each_product_once(mut self) -> Self {
        self.lines.sort_unstable();
        self.lines.dedup_by(|line, before| {
            let is_same = line.0 == before.0;
            before.1 += if is_same { line.1 } else { 0 };
            is_same
        });
        self
    }

    /// Returns the products of which pieces are left, and those whose pieces all came back.
    pub fn parted(&self, returned: &Returned) -> (Vec<&'a str>, Vec<&'a str>) {
        let order = hash(self.id);
        let (gone, left): (Vec<_>, Vec<_>) =
            self.lines.iter().partition(|(sku, pieces)| returned.pieces(order, sku) >= *pieces);
        let skus = |lines: Vec<&(&'a str, i64)>| lines.into_iter().map(|(sku, _)| *sku).collect();
        (skus(left), skus(gone))
    }
}

/// Holds the pieces that came back, by the hashes of order and SKU.
#[derive(Default)]
pub struct Returned(HashMap<(u64, u64), i64>);

impl Returned {
    /// Adds rows of returns.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn take(&mut self, rows: LazyFrame) -> anyhow::Result<()> {
        each_line(&lines(rows)?, |_, order, _, (sku, pieces)| {
            *self.0.entry((hash(order), hash(sku))).or_default() += pieces;
            Ok(())
        })
    }

    /// Returns the hashes of the orders, some more than once.
    pub fn orders(&self) -> impl Iterator<Item = u64> {
        self.0.keys().map(|(order, _)| *order)
    }

    fn pieces(&self, order: u64, sku: &str) -> i64 {
        if self.0.is_empty() { 0 } else { self.0.get(&(order, hash(sku))).copied().unwrap_or(0) }
    }
}

/// Returns one row per line of orders or returns, in their order, each with its row's number.
fn lines(rows: LazyFrame) -> anyhow::Result<DataFrame> {
    let every_line = ExplodeOptions { empty_as_null: false, keep_nulls: false };
    let field = |name: &str| col("lines").struct_().field_by_name(name);
    Ok(rows
        .select([col("order_id"), col("at_ms"), col("lines")])
        .with_row_index("row", None)
        .explode(by_name(["lines"], true, false), every_line)
        .select([col("row"), col("order_id"), col("at_ms"), field("sku"), field("quantity")])
        .collect()?)
}

fn each_line<'a>(
    lines: &'a DataFrame,
    mut each: impl FnMut(u32, &'a str, i64, (&'a str, i64)) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let rows = lines.column("row")?.u32()?;
    let (ids, skus) = (lines.column("order_id")?.str()?, lines.column("sku")?.str()?);
    let (at_ms, quantities) = (lines.column("at_ms")?.i64()?, lines.column("quantity")?.i64()?);
    let orders = rows.iter().zip(ids.iter()).zip(at_ms.iter());
    for (((row, id), at_ms), (sku, quantity)) in orders.zip(skus.iter().zip(quantities.iter())) {
        let row = row.context("a row without number")?;
        let (id, at_ms) = (id.context("an order without id")?, at_ms.context("an order without time")?);
        let line = (sku.context("a line without SKU")?, quantity.context("a line without quantity")?);
        each(row, id, at_ms, line)?;
    }
    Ok(())
}
