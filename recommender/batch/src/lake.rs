//! The lake: orders, returns and views as Parquet, one folder a day, compacted from event files that are each read once.
//!
//! ```text
//! <lake>/_manifest-v1.json          how far each event file has been read, and the days that must be there
//! <lake>/_lock                      held by the one process that writes
//! <lake>/_counts/                   what is bought together, counted of the days, and of which (`learning::counts`)
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
//! the views, for good, and its orders are learnt from no more; what somebody did while they said no is never learnt from. An engine that reads folders of Parquet, such as Spark SQL, passes over names that begin with `_`.

pub mod counting;
pub mod days;
pub mod events;
pub mod lines;
mod logs;
pub mod manifest;
mod orders;
pub mod table;
mod units;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    ops::Bound,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use learning::{
    log::Log,
    train::{LINES_MAX, Logs, Settings},
};
use polars::prelude::{DataFrame, LazyFrame};
use recommender::Deletion;

use crate::progress::Bar;
use days::Days;
use events::EventFile;
use lines::{Batch, Broken};
use manifest::Manifest;
use orders::Returned;
use table::Table;
use units::Units;

/// The bytes of order lines that are compacted at a time, at most and at least: they, and their frame, are what compacting holds in
/// memory, beside the day that they belong to.
const BATCH_BYTES: usize = 64 << 20;
const BATCH_BYTES_MIN: usize = 1 << 20;

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
    /// The latest time of an event that is believed.
    latest_ms: i64,
    /// The bytes of lines that are compacted at a time.
    batch_bytes: usize,
    /// The most lines of orders, and of views, that logs are made of.
    lines: usize,
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
        Ok(Self {
            days,
            manifest,
            manifest_path,
            unwritten: Vec::new(),
            latest_ms: lines::AT_MS_MAX,
            batch_bytes: BATCH_BYTES,
            lines: LINES_MAX,
            _lock: None,
        })
    }

    /// Believes no event that is later than a time, Unix milliseconds, by more than clocks differ.
    #[must_use]
    pub fn up_to(self, now_ms: i64) -> Self {
        Self { latest_ms: now_ms.saturating_add(lines::AHEAD_MAX_MS), ..self }
    }

    /// Reads with about so much memory.
    #[must_use]
    pub fn within(self, memory_bytes: usize, settings: &Settings) -> Self {
        let batch_bytes = (memory_bytes / 16).clamp(BATCH_BYTES_MIN, BATCH_BYTES);
        Self { batch_bytes, lines: settings.lines, ..self }
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

    /// Returns the orders and the sessions of the latest days, as many as have what models are learnt from, oldest first,
    /// over the same items; `known` are further items with their names.
    ///
    /// # Errors
    /// Where a day cannot be read.
    pub fn logs<'a>(&self, known: impl IntoIterator<Item = (&'a str, &'a str)>) -> anyhow::Result<Logs> {
        let (orders, sessions) = self.latest(self.lines as u64)?;
        Ok(Logs::new(orders, sessions, known))
    }

    /// Returns the orders and the sessions of as many of the latest days as together have so many lines and views.
    fn latest(&self, lines: u64) -> anyhow::Result<(Log, Log)> {
        let units = self.units()?;
        let of_orders = latest(&self.manifest.days, lines, |day, _| self.days.lines(day))?;
        let mut orders = logs::Orders::new(self.returned(of_orders.first().copied())?, &units);
        self.scan(Table::Orders, of_orders.into_iter(), |rows| orders.take(rows))?;
        let of_views = latest(&self.manifest.views, lines, |_, views| Ok(views))?;
        let mut sessions = logs::Sessions::new(&units);
        self.scan(Table::Views, of_views.into_iter(), |rows| sessions.take(rows))?;
        Ok((orders.finish(), sessions.finish()))
    }

    /// Returns the time of the first order or view, Unix milliseconds, zero where there is none.
    ///
    /// # Errors
    /// Where a day cannot be read.
    pub fn first_ms(&self) -> anyhow::Result<i64> {
        let mut first = None;
        for table in [Table::Orders, Table::Views] {
            let day = self.manifest.days(table).iter().find(|(_, rows)| **rows > 0);
            let at_ms = day.map_or(Ok(None), |(day, _)| self.days.first_ms(table, day))?;
            first = first.into_iter().chain(at_ms).min();
        }
        Ok(first.unwrap_or(0))
    }

    /// Returns what came back of orders from a day on, or of all. Clocks differ, so the returns of the day before are looked
    /// at, too.
    fn returned(&self, from: Option<&String>) -> anyhow::Result<Returned> {
        let days = &self.manifest.returns;
        let from = from.and_then(|from| days.range::<String, _>(..from).next_back()).map(|(day, _)| day);
        let days =
            days.range::<String, _>((from.map_or(Bound::Unbounded, Bound::Included), Bound::Unbounded));
        let mut returned = Returned::default();
        self.scan(Table::Returns, days.map(|(day, _)| day), |rows| returned.take(rows))?;
        Ok(returned)
    }

    /// Calls `each` with the rows of some days of a table, which ascend, and of those that are not written.
    fn scan<'a>(
        &self,
        table: Table,
        days: impl Iterator<Item = &'a String>,
        each: impl FnMut(LazyFrame) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let more: Vec<&DataFrame> =
            self.unwritten.iter().filter(|(of, _)| *of == table).map(|(_, rows)| rows).collect();
        self.days.scan(table, days, &more, each)
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
                let mut tell = |line| bar.aside(|| broken(line));
                let read = lines::read(file, from, self.batch_bytes, self.latest_ms, &mut batch, &mut tell)?;
                bar.advance(read.mark.bytes - from.bytes);
                tally.lines += read.mark.lines - from.lines;
                tally.broken += read.broken;
                tally.unfinished += u64::from(read.unfinished);
                self.manifest.advance(file, read.mark, &batch);
                if batch.size() < self.batch_bytes {
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

    /// Returns the latest deletion of a history that is known, and that logs and counts are free of.
    ///
    /// # Errors
    /// Where a day cannot be read.
    pub fn latest_deletion(&self) -> anyhow::Result<Option<Deletion>> {
        Ok(self.units()?.latest_deletion())
    }

    fn units(&self) -> anyhow::Result<Units> {
        let mut units = Units::default();
        self.scan(Table::Units, self.manifest.units.keys(), |rows| units.take(rows))?;
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

/// Returns the latest days that together have so many lines, or all; `lines` tells those of a day by its rows.
fn latest(
    days: &BTreeMap<String, u64>,
    most: u64,
    lines: impl Fn(&str, u64) -> anyhow::Result<u64>,
) -> anyhow::Result<Vec<&String>> {
    let (mut latest, mut sum) = (Vec::new(), 0);
    for (day, rows) in days.iter().rev() {
        if sum >= most {
            break;
        }
        latest.push(day);
        sum += lines(day, *rows)?;
    }
    latest.reverse();
    Ok(latest)
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
