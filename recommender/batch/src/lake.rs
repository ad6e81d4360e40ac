//! The lake: orders as Parquet, one folder a day, compacted from event files that are each read once.
//!
//! ```text
//! <lake>/_manifest-v1.json          how far each event file has been read, and the days that must be there
//! <lake>/_lock                      held by the one process that writes
//! <lake>/day=2026-01-31/orders.parquet
//! ```
//!
//! A row is one `order_placed` event: `id`, `position`, `at_ms`, `unit`, `cart`, `order_id`, `currency`, `source`,
//! `total_minor` and `lines`, a list of `sku`, `quantity`, `unit_price_minor`. Days are replaced whole, first the days,
//! then the manifest: a crash between the two only means that some lines are read again, and an event that is there
//! already is not taken twice. An engine that reads folders of Parquet, such as Spark SQL, passes over names that begin with `_`.

pub mod days;
pub mod events;
pub mod lines;
pub mod manifest;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use polars::prelude::DataFrame;

use crate::{
    orders::{Gather, Orders},
    progress::Bar,
};
use days::Days;
use events::EventFile;
use lines::{Batch, Broken};
use manifest::Manifest;

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
    /// Orders among those that had been read before.
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
    unwritten: Vec<DataFrame>,
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
        for day in manifest.days.keys() {
            if !days.path(day).exists() {
                bail!(
                    "lake {} lacks day {day}; remove the lake to build it again from the event files",
                    folder.display()
                );
            }
        }
        Ok(Self { days, manifest, manifest_path, unwritten: Vec::new(), _lock: None })
    }

    /// Returns how far events have been read.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads what is new in the event files and compacts its orders; `broken` is told of each line that is no event.
    ///
    /// # Errors
    /// Where a file has an unknown version, or files cannot be read or written; what was compacted before stands.
    pub fn compact(&mut self, events: &Path, broken: &mut dyn FnMut(Broken)) -> anyhow::Result<Tally> {
        self.read_new(events, broken, Self::write)
    }

    /// Reads what is new in the event files, to be used by [`Lake::orders`] but not written.
    ///
    /// # Errors
    /// As [`Lake::compact`].
    pub fn add(&mut self, events: &Path, broken: &mut dyn FnMut(Broken)) -> anyhow::Result<Tally> {
        self.read_new(events, broken, |lake, frame| {
            lake.unwritten.push(frame);
            Ok(0)
        })
    }

    /// Returns all orders, oldest first.
    ///
    /// # Errors
    /// Where a day cannot be read.
    pub fn orders(&self) -> anyhow::Result<Orders> {
        let mut gather = Gather::default();
        self.days.gather(self.manifest.days.keys(), &self.unwritten, &mut gather)?;
        Ok(gather.finish()?)
    }

    fn read_new(
        &mut self,
        events: &Path,
        broken: &mut dyn FnMut(Broken),
        mut keep: impl FnMut(&mut Self, DataFrame) -> anyhow::Result<u64>,
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
                if batch.bytes.len() < BATCH_BYTES {
                    break;
                }
                self.flush(&mut batch, &mut tally, &mut keep)?;
            }
        }
        self.flush(&mut batch, &mut tally, &mut keep)?;
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
        keep: &mut impl FnMut(&mut Self, DataFrame) -> anyhow::Result<u64>,
    ) -> anyhow::Result<()> {
        let batch = std::mem::take(batch);
        tally.orders += batch.orders;
        if batch.orders > 0 {
            let frame = days::frame(batch.bytes).context("orders of the event files")?;
            tally.duplicates += keep(self, frame)?;
        } else {
            self.save_if_writing()?;
        }
        Ok(())
    }

    fn write(&mut self, frame: DataFrame) -> anyhow::Result<u64> {
        let mut duplicates = 0;
        for merged in self.days.merge(frame)? {
            duplicates += merged.duplicates;
            self.manifest.days.insert(merged.day, merged.orders);
        }
        self.save_if_writing()?;
        Ok(duplicates)
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
