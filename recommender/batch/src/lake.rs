//! The lake: orders, returns and views as Parquet, one folder a day, compacted from event files that are each read once.
//!
//! ```text
//! <lake>/_manifest-v1.json          how far each event file has been read, and the days that must be there
//! <lake>/_lock                      held by the one process that writes
//! <lake>/day=2026-01-31/orders.parquet    order_placed: unit, cart, order_id, currency, source, total_minor,
//!                                         lines (a list of sku, quantity, unit_price_minor)
//! <lake>/day=2026-01-31/returns.parquet   order_cancelled, order_refunded: order_id, lines (sku, quantity)
//! <lake>/day=2026-01-31/views.parquet     product_viewed, line_added: unit, sku, source (view or cart)
//! <lake>/day=2026-01-31/units.parquet     visitor_known, history_declined, _allowed, _deleted: unit, said, known_as,
//!                                         through_ms
//! ```
//!
//! Each row leads with its event's `id`, `position` and `at_ms`. Days are replaced whole, first the days,
//! then the manifest: a crash between the two only means that some lines are read again, and an event that is there
//! already is not taken twice. A history that was deleted is taken out of
//! the views, for good; what somebody did while they said no is never learnt from. An engine that reads folders of Parquet, such as Spark SQL, passes over names that begin with `_`.

pub mod days;
pub mod events;
pub mod lines;
mod logs;
pub mod manifest;
pub mod table;
mod units;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use learning::train::Logs;
use polars::prelude::{DataFrame, LazyFrame};

use crate::progress::Bar;
use days::Days;
use events::EventFile;
use lines::{Batch, Broken};
use manifest::Manifest;
use table::Table;
use units::Units;

/// The bytes of order lines that are compacted at a time: they, and their frame, are what compacting holds in memory.
const BATCH_BYTES: usize = 64 << 20;

/// Counts what one reading of event files met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Event files in the folder.
    pub files: usize,
    /// Lines that were read, broken ones too.
    pub lines: u64,
    /// Orders among them.
    pub orders: u64,
    /// Views among them.
    pub views: u64,
    /// Rows that had been read before.
    pub duplicates: u64,
    /// Lines that are no event.
    pub broken: u64,
    /// Files whose last line is not finished; it is read once it is.
    pub unfinished: u64,
}

/// Is a folder of orders by day, opened.
pub struct Lake {
    days: Days,
    manifest: Manifest,
    manifest_path: PathBuf,
    /// Events that have been read but not written, where the lake is only looked at.
    unwritten: Vec<(Table, DataFrame)>,
    _lock: Option<File>,
}

impl Lake {
    /// Opens the lake to write to it, making the folder where it is missing.
    ///
    /// # Errors
    /// Where another process writes to it, its version is unknown, or days are missing.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("lake {}", folder.display()))?;
        let lock = lock(folder)?;
        Ok(Self { _lock: Some(lock), ..Self::look_at(Some(folder))? })
    }

    /// Opens the lake, or an empty one where there is no folder, to read from it; nothing is written.
    ///
    /// # Errors
    /// Where its version is unknown, or days are missing.
    pub fn look_at(folder: Option<&Path>) -> anyhow::Result<Self> {
        let folder = folder.unwrap_or(Path::new(""));
        let manifest_path = folder.join(manifest::FILE_NAME);
        let manifest = Manifest::read(&manifest_path)?;
        let days = Days::new(folder.to_owned());
        for table in Table::ALL {
            let missing = manifest.days(table).keys().find(|day| !days.path(table, day).exists());
            if let Some(day) = missing {
                bail!(
                    "lake {} lacks {} of day {day}; remove the lake to build it again from the event files",
                    folder.display(),
                    table.file_name()
                );
            }
        }
        Ok(Self { days, manifest, manifest_path, unwritten: Vec::new(), _lock: None })
    }

    /// Returns how far events have been read.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads what is new in the event files and compacts it; `broken` is told of each line that is no event.
    ///
    /// # Errors
    /// Where a file has an unknown version, or files cannot be read or written; what was compacted before stands.
    pub fn compact(&mut self, events: &Path, broken: &mut dyn FnMut(Broken)) -> anyhow::Result<Tally> {
        self.read_new(events, broken, Self::write)
    }

    /// Reads what is new in the event files, to be used by [`Lake::logs`] but not written.
    ///
    /// # Errors
    /// As [`Lake::compact`].
    pub fn add(&mut self, events: &Path, broken: &mut dyn FnMut(Broken)) -> anyhow::Result<Tally> {
        self.read_new(events, broken, |lake, table, frame| {
            lake.unwritten.push((table, frame));
            Ok(0)
        })
    }

    /// Returns the orders and the sessions, oldest first, over the same items; `catalogue` has items with their names.
    ///
    /// # Errors
    /// Where a day cannot be read.
    pub fn logs(&self, catalogue: &[(String, String)]) -> anyhow::Result<Logs> {
        let mut returned = logs::Returned::default();
        self.scan(Table::Returns, |rows| returned.take(rows))?;
        let mut orders = logs::Orders::new(returned);
        self.scan(Table::Orders, |rows| orders.take(rows))?;
        let mut sessions = logs::Sessions::new(self.units()?);
        self.scan(Table::Views, |rows| sessions.take(rows))?;
        Ok(Logs::new(orders.finish(), sessions.finish(), catalogue))
    }

    fn scan(&self, table: Table, each: impl FnMut(LazyFrame) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let more: Vec<&DataFrame> =
            self.unwritten.iter().filter(|(of, _)| *of == table).map(|(_, rows)| rows).collect();
        self.days.scan(table, self.manifest.days(table).keys(), &more, each)
    }

    fn read_new(
        &mut self,
        events: &Path,
        broken: &mut dyn FnMut(Broken),
        mut keep: impl FnMut(&mut Self, Table, DataFrame) -> anyhow::Result<u64>,
    ) -> anyhow::Result<Tally> {
        let files = events::list(events)?;
        let bar = Bar::bytes("reading events", files.iter().map(|file| self.unread(file)).sum());
        let mut tally = Tally { files: files.len(), ..Tally::default() };
        let mut batch = Batch::default();
        for file in &files {
            loop {
                let from = self.manifest.mark(file);
                let read =
                    lines::read(file, from, BATCH_BYTES, &mut batch, &mut |line| bar.aside(|| broken(line)))?;
                bar.advance(read.mark.bytes - from.bytes);
                tally.lines += read.mark.lines - from.lines;
                tally.broken += read.broken;
                tally.unfinished += u64::from(read.unfinished);
                self.manifest.advance(file, read.mark, &batch);
                if batch.size() < BATCH_BYTES {
                    break;
                }
                self.flush(&mut batch, &mut tally, &mut keep)?;
            }
        }
        self.flush(&mut batch, &mut tally, &mut keep)?;
        self.forget()?;
        bar.finish();
        Ok(tally)
    }

    fn unread(&self, file: &EventFile) -> u64 {
        file.bytes.saturating_sub(self.manifest.mark(file).bytes)
    }

    fn flush(
        &mut self,
        batch: &mut Batch,
        tally: &mut Tally,
        keep: &mut impl FnMut(&mut Self, Table, DataFrame) -> anyhow::Result<u64>,
    ) -> anyhow::Result<()> {
        let batch = std::mem::take(batch);
        tally.orders += batch.orders;
        tally.views += batch.views;
        for (table, rows) in batch.rows {
            let frame = days::frame(table, rows)
                .with_context(|| format!("{} of the event files", table.file_name()))?;
            tally.duplicates += keep(self, table, frame)?;
        }
        self.save_if_writing()
    }

    fn write(&mut self, table: Table, frame: DataFrame) -> anyhow::Result<u64> {
        let mut duplicates = 0;
        for merged in self.days.merge(table, frame)? {
            duplicates += merged.duplicates;
            self.manifest.note(table, merged.day, merged.rows);
        }
        Ok(duplicates)
    }

    fn units(&self) -> anyhow::Result<Units> {
        let mut units = Units::default();
        self.scan(Table::Units, |rows| units.take(rows))?;
        Ok(units)
    }

    /// Takes the views of deleted histories out of the lake's files, also those that came late.
    fn forget(&mut self) -> anyhow::Result<()> {
        if self._lock.is_none() {
            return Ok(());
        }
        let Some(deleted) = self.units()?.deleted() else { return Ok(()) };
        for day in self.manifest.views.keys().cloned().collect::<Vec<_>>() {
            if let Some(rows) = self.days.remove(Table::Views, &day, deleted.clone())? {
                self.manifest.note(Table::Views, day, rows);
            }
        }
        self.save_if_writing()
    }

    fn save_if_writing(&self) -> anyhow::Result<()> {
        if self._lock.is_some() { self.manifest.save(&self.manifest_path) } else { Ok(()) }
    }
}

fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("_lock");
    let file = File::create(&path).with_context(|| format!("lake {}", folder.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            bail!("lake {} is being written by another process", folder.display())
        }
        Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", path.display())),
    }
}

#[cfg(test)]
mod tests;
