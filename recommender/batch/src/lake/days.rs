//! Days of rows as Parquet, read and written with Polars.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use polars::prelude::*;
use recommender::file;

use super::{lines::DAY_MS, table::Table};

/// The folder of rows by day.
#[derive(Clone, Debug)]
pub struct Days {
    folder: PathBuf,
}

/// Says what merging rows into one day came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Merged {
    /// The day, as `2026-01-31`.
    pub day: String,
    /// How many rows it has now.
    pub rows: u64,
    /// How many of the new ones it had already.
    pub duplicates: u64,
}

/// Reads JSON lines of a table into rows, which lead with the number of their day since 1970.
///
/// # Errors
/// Where Polars cannot read them.
pub fn frame(table: Table, lines: Vec<u8>) -> PolarsResult<DataFrame> {
    LazyJsonLineReader::new_with_sources(ScanSources::Buffers(Arc::from([lines.into()])))
        .with_schema(Some(Arc::new(table.schema())))
        .finish()?
        .collect()
}

impl Days {
    /// Names the folder of a lake.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns a table's file of a day.
    pub fn path(&self, table: Table, day: &str) -> PathBuf {
        self.folder.join(format!("day={day}")).join(table.file_name())
    }

    /// Adds rows of [`frame`] to the days they belong to; a row whose `id` a day has already is left out.
    ///
    /// # Errors
    /// Where a day cannot be read or replaced; days before it are then merged.
    pub fn merge(&self, table: Table, rows: DataFrame) -> anyhow::Result<Vec<Merged>> {
        let mut merged = Vec::new();
        for part in rows
            .sort(["day"], SortMultipleOptions::default().with_maintain_order(true))?
            .partition_by_stable(["day"], true)?
        {
            let number = part.column("day")?.i64()?.get(0).context("a day without rows")?;
            let day = name(number)?;
            let path = self.path(table, &day);
            let outcome = merge_day(&path, day, part.drop("day")?);
            merged.push(outcome.map_err(|error| unreadable(&path, error))?);
        }
        Ok(merged)
    }

    /// Takes out of a day's file what makes `is_forgotten` true, and returns how many rows it has then, `None` where
    /// nothing is taken.
    ///
    /// # Errors
    /// Where the day cannot be read or replaced.
    pub fn remove(&self, table: Table, day: &str, is_forgotten: Expr) -> anyhow::Result<Option<u64>> {
        let path = self.path(table, day);
        let all = read(&path, |rows| rows)?;
        let before = all.height();
        let mut kept = all.lazy().filter(is_forgotten.not()).collect()?;
        if kept.height() == before {
            return Ok(None);
        }
        write(&path, &mut kept)?;
        Ok(Some(kept.height() as u64))
    }

    /// Returns how many lines the orders of a day have.
    ///
    /// # Errors
    /// Where the day cannot be read.
    pub fn lines(&self, day: &str) -> anyhow::Result<u64> {
        let lines = col("lines").list().len().cast(DataType::Int64).sum();
        let rows = read(&self.path(Table::Orders, day), |rows| rows.select([lines]))?;
        Ok(rows.column("lines")?.i64()?.get(0).unwrap_or(0) as u64)
    }

    /// Returns the time of the first row of a day, `None` where there is none.
    ///
    /// # Errors
    /// Where the day cannot be read.
    pub fn first_ms(&self, table: Table, day: &str) -> anyhow::Result<Option<i64>> {
        let rows = read(&self.path(table, day), |rows| rows.select([col("at_ms").min()]))?;
        Ok(rows.column("at_ms")?.i64()?.get(0))
    }

    /// Calls `each` with the rows of these days, which ascend, and of rows of [`frame`] beside them, by time: at most [`SLICE_ROWS`] of a day at a
    /// time where there are no rows beside them.
    ///
    /// # Errors
    /// Where a day cannot be read, or `each` fails.
    pub fn scan<'a>(
        &self,
        table: Table,
        days: impl Iterator<Item = &'a String>,
        more: &[&DataFrame],
        mut each: impl FnMut(LazyFrame) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let paths: Vec<PathBuf> = days.map(|day| self.path(table, day)).collect();
        if more.is_empty() {
            // Days ascend and each is sorted, so that reading them in turn is the order of time.
            return paths.iter().try_for_each(|path| in_slices(path, &mut each));
        }
        let mut parts =
            more.iter().map(|rows| rows.drop("day").map(IntoLazy::lazy)).collect::<PolarsResult<Vec<_>>>()?;
        if !paths.is_empty() {
            parts.insert(0, scan(&paths)?);
        }
        let sorted = concat(parts, UnionArgs::default())?.sort(BY_TIME, SortMultipleOptions::default());
        each(sorted)
    }
}

/// Names a day by its number since 1970, as `2026-01-31`.
///
/// # Errors
/// Where it is after the year 9999.
pub fn name(number: i64) -> anyhow::Result<String> {
    let midnight = time::OffsetDateTime::from_unix_timestamp(number * DAY_MS / 1_000)?;
    Ok(format!("{:04}-{:02}-{:02}", midnight.year(), u8::from(midnight.month()), midnight.day()))
}

/// Calls `each` with the rows of a day, some at a time.
fn in_slices(path: &PathBuf, each: &mut impl FnMut(LazyFrame) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let rows = ParquetReader::new(file).num_rows().map_err(|error| unreadable(path, error.into()))?;
    let one = |from: usize| each(scan(std::slice::from_ref(path))?.slice(from as i64, SLICE_ROWS as IdxSize));
    (0..rows).step_by(SLICE_ROWS).try_for_each(one).map_err(|error| unreadable(path, error))
}

/// Reads what is asked for of a day's file.
fn read(path: &PathBuf, of: impl FnOnce(LazyFrame) -> LazyFrame) -> anyhow::Result<DataFrame> {
    let rows = scan(std::slice::from_ref(path)).and_then(|rows| of(rows).collect());
    rows.map_err(|error| unreadable(path, error.into()))
}

/// Says which day cannot be read, and how to mend it, where reading is what failed. A day is never left out: a model without it would look
/// as good as one with it.
fn unreadable(path: &Path, error: anyhow::Error) -> anyhow::Error {
    let mend = match error.chain().any(|cause| cause.is::<PolarsError>()) {
        true => " cannot be read; remove the lake, and it is built again from the event files",
        false => "",
    };
    error.context(format!("{}{mend}", path.display()))
}

/// The most rows of a day that are read at a time, and that stand in one group of its file: a few megabytes.
pub const SLICE_ROWS: usize = 50_000;

/// The order of rows.
const BY_TIME: [&str; 3] = ["at_ms", "position", "id"];

fn merge_day(path: &Path, day: String, rows: DataFrame) -> anyhow::Result<Merged> {
    let mut parts = Vec::new();
    if path.exists() {
        parts.push(scan(&[path.to_owned()])?);
    }
    parts.push(rows.lazy());
    let all = concat(parts, UnionArgs::default())?.collect()?;
    let before = all.height();
    let mut kept = all
        .lazy()
        .unique_stable(Some(by_name(["id"], true, false)), UniqueKeepStrategy::First)
        .sort(BY_TIME, SortMultipleOptions::default())
        .collect()?;
    write(path, &mut kept)?;
    let rows = kept.height() as u64;
    Ok(Merged { day, rows, duplicates: before as u64 - rows })
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
        let written = ParquetWriter::new(file)
            .with_compression(ParquetCompression::Zstd(None))
            .with_row_group_size(Some(SLICE_ROWS))
            .finish(rows);
        written.map(drop).map_err(io::Error::other)
    })?;
    Ok(())
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
