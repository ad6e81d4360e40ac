//! Days of orders as Parquet, read and written with Polars.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use polars::prelude::*;
use recommender::file;

use super::lines::DAY_MS;
use crate::orders::Gather;

/// How many days are scanned at a time: their lines are what loading holds in memory beside the orders' numbers.
const DAYS_AT_A_TIME: usize = 64;

/// The folder of orders by day.
#[derive(Clone, Debug)]
pub struct Days {
    folder: PathBuf,
}

/// Says what merging orders into one day came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Merged {
    /// The day, as `2026-01-31`.
    pub day: String,
    /// How many orders it has now.
    pub orders: u64,
    /// How many of the new ones it had already.
    pub duplicates: u64,
}

/// Returns the columns of an order: its day, which becomes its folder, then those of the lake.
fn schema() -> Schema {
    let line = DataType::Struct(vec![
        Field::new("sku".into(), DataType::String),
        Field::new("quantity".into(), DataType::Int64),
        Field::new("unit_price_minor".into(), DataType::Int64),
    ]);
    Schema::from_iter([
        Field::new("day".into(), DataType::Int64),
        Field::new("id".into(), DataType::String),
        Field::new("position".into(), DataType::Int64),
        Field::new("at_ms".into(), DataType::Int64),
        Field::new("unit".into(), DataType::String),
        Field::new("cart".into(), DataType::String),
        Field::new("order_id".into(), DataType::String),
        Field::new("currency".into(), DataType::String),
        Field::new("source".into(), DataType::String),
        Field::new("total_minor".into(), DataType::Int64),
        Field::new("lines".into(), DataType::List(Box::new(line))),
    ])
}

/// Reads JSON lines of orders into rows, which lead with the number of their day since 1970.
///
/// # Errors
/// Where Polars cannot read them.
pub fn frame(lines: Vec<u8>) -> PolarsResult<DataFrame> {
    LazyJsonLineReader::new_with_sources(ScanSources::Buffers(Arc::from([lines.into()])))
        .with_schema(Some(Arc::new(schema())))
        .finish()?
        .collect()
}

impl Days {
    /// Names the folder of a lake.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the file of a day.
    pub fn path(&self, day: &str) -> PathBuf {
        self.folder.join(format!("day={day}")).join("orders.parquet")
    }

    /// Adds rows of [`frame`] to the days they belong to; a row whose `id` a day has already is left out.
    ///
    /// # Errors
    /// Where a day cannot be read or replaced; days before it are then merged.
    pub fn merge(&self, rows: DataFrame) -> anyhow::Result<Vec<Merged>> {
        let mut merged = Vec::new();
        for part in rows
            .sort(["day"], SortMultipleOptions::default().with_maintain_order(true))?
            .partition_by_stable(["day"], true)?
        {
            let number = part.column("day")?.i64()?.get(0).context("a day without rows")?;
            let day = name(number)?;
            let outcome = self.merge_day(&day, part.drop("day")?);
            merged.push(outcome.with_context(|| self.path(&day).display().to_string())?);
        }
        Ok(merged)
    }

    fn merge_day(&self, day: &str, rows: DataFrame) -> anyhow::Result<Merged> {
        let path = self.path(day);
        let mut parts = Vec::new();
        if path.exists() {
            parts.push(scan(std::slice::from_ref(&path))?);
        }
        parts.push(rows.lazy());
        let all = concat(parts, UnionArgs::default())?.collect()?;
        let before = all.height();
        let mut kept = all
            .lazy()
            .unique_stable(Some(by_name(["id"], true, false)), UniqueKeepStrategy::First)
            .sort(["at_ms", "position", "id"], SortMultipleOptions::default())
            .collect()?;
        write(&path, &mut kept)?;
        let orders = kept.height() as u64;
        Ok(Merged { day: day.to_owned(), orders, duplicates: before as u64 - orders })
    }

    /// Gathers the orders of these days, which ascend, and of rows of [`frame`] beside them, by time.
    ///
    /// # Errors
    /// Where a day cannot be read.
    pub fn gather<'a>(
        &self,
        days: impl Iterator<Item = &'a String>,
        more: &[DataFrame],
        gather: &mut Gather,
    ) -> anyhow::Result<()> {
        let paths: Vec<PathBuf> = days.map(|day| self.path(day)).collect();
        if more.is_empty() {
            // Days ascend and each is sorted, so that reading them in turn is the order of time.
            for paths in paths.chunks(DAYS_AT_A_TIME) {
                push(&lines(scan(paths)?)?, gather)?;
            }
            return Ok(());
        }
        let mut parts =
            more.iter().map(|rows| rows.drop("day").map(IntoLazy::lazy)).collect::<PolarsResult<Vec<_>>>()?;
        if !paths.is_empty() {
            parts.insert(0, scan(&paths)?);
        }
        let sorted = concat(parts, UnionArgs::default())?
            .sort(["at_ms", "position", "id"], SortMultipleOptions::default());
        push(&lines(sorted)?, gather)
    }
}

/// Returns one row per order line, in the order of the orders, with what training needs of it.
fn lines(orders: LazyFrame) -> anyhow::Result<DataFrame> {
    let every_line = ExplodeOptions { empty_as_null: false, keep_nulls: false };
    Ok(orders
        .select([col("order_id"), col("at_ms"), col("lines")])
        .explode(by_name(["lines"], true, false), every_line)
        .select([col("order_id"), col("at_ms"), col("lines").struct_().field_by_name("sku")])
        .collect()?)
}

/// Hands rows of [`lines`] on, order by order.
fn push(lines: &DataFrame, gather: &mut Gather) -> anyhow::Result<()> {
    let (ids, skus) = (lines.column("order_id")?.str()?, lines.column("sku")?.str()?);
    let at_ms = lines.column("at_ms")?.i64()?;
    let mut rows = ids.iter().zip(at_ms.iter()).zip(skus.iter()).peekable();
    let mut order = Vec::new();
    while let Some(((id, at_ms), sku)) = rows.next() {
        let (id, at_ms) = (id.context("an order without id")?, at_ms.context("an order without time")?);
        order.push(sku.context("a line without SKU")?);
        if rows.peek().is_none_or(|((next, _), _)| *next != Some(id)) {
            gather.order(id, at_ms, order.drain(..));
        }
    }
    Ok(())
}

fn scan(paths: &[PathBuf]) -> PolarsResult<LazyFrame> {
    let paths = paths.iter().map(|path| PlRefPath::try_from_path(path)).collect::<PolarsResult<Vec<_>>>()?;
    // Paths are taken to the letter: a data folder may have a star in its name, or `day=` in it.
    let args = ScanArgsParquet {
        glob: false,
        hive_options: HiveOptions::new_disabled(),
        ..ScanArgsParquet::default()
    };
    LazyFrame::scan_parquet_files(paths.into(), args)
}

fn write(path: &Path, rows: &mut DataFrame) -> anyhow::Result<()> {
    file::replace(path, |file| {
        let written = ParquetWriter::new(file).with_compression(ParquetCompression::Zstd(None)).finish(rows);
        written.map(drop).map_err(io::Error::other)
    })?;
    Ok(())
}

/// Names a day by its number since 1970, as `2026-01-31`.
fn name(number: i64) -> anyhow::Result<String> {
    let midnight = time::OffsetDateTime::from_unix_timestamp(number * DAY_MS / 1_000)?;
    Ok(format!("{:04}-{:02}-{:02}", midnight.year(), u8::from(midnight.month()), midnight.day()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_in_utc() {
        assert_eq!(name(0).unwrap(), "1970-01-01");
        assert_eq!(name(20_484).unwrap(), "2026-01-31");
        assert_eq!(name(super::super::lines::AT_MS_MAX / DAY_MS).unwrap(), "9999-12-31");
    }
}
