//! The manifest: how far each event file is compacted, and what the lake holds.

use std::{collections::BTreeMap, fs, io, io::Write, path::Path};

use anyhow::{Context, bail};
use recommender::file;
use serde::{Deserialize, Serialize};

use super::{
    events::EventFile,
    lines::{Batch, Mark},
    table::Table,
};

/// The manifest's name in the lake; the version is in the name, as that of event files is.
pub const FILE_NAME: &str = "_manifest-v1.json";

const VERSION: u32 = 1;

/// Says how far events are compacted, and which days the lake must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u32,
    /// The highest position of an event that was read.
    pub through_position: i64,
    /// The latest time of an event that was read, Unix milliseconds.
    pub through_at_ms: i64,
    /// How far each event file, by name, has been read.
    files: BTreeMap<String, Mark>,
    /// The days and how many orders each has.
    pub days: BTreeMap<String, u64>,
    /// The days with returns, and how many rows each has.
    #[serde(default)]
    pub returns: BTreeMap<String, u64>,
    /// The days on which units said something, and how many rows each has.
    #[serde(default)]
    pub units: BTreeMap<String, u64>,
    /// The days with views, and how many each has.
    #[serde(default)]
    pub views: BTreeMap<String, u64>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            version: VERSION,
            through_position: 0,
            through_at_ms: 0,
            files: BTreeMap::new(),
            days: BTreeMap::new(),
            returns: BTreeMap::new(),
            units: BTreeMap::new(),
            views: BTreeMap::new(),
        }
    }
}

impl Manifest {
    /// Reads the manifest, an empty one where there is no file.
    ///
    /// # Errors
    /// Where the file cannot be read, is no manifest, or has a version that is not known.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            text => text.with_context(|| path.display().to_string())?,
        };
        let manifest: Self = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
        if manifest.version != VERSION {
            bail!("{}: lake of version {}, this program knows {VERSION}", path.display(), manifest.version);
        }
        Ok(manifest)
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// Where it cannot be written; the old one then stands.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        file::replace(path, |file| file.write_all(&text)).with_context(|| path.display().to_string())
    }

    /// Returns the days of a table and how many rows each has.
    pub fn days(&self, table: Table) -> &BTreeMap<String, u64> {
        match table {
            Table::Orders => &self.days,
            Table::Returns => &self.returns,
            Table::Units => &self.units,
            Table::Views => &self.views,
        }
    }

    /// Notes how many rows of a table a day has.
    pub fn note(&mut self, table: Table, day: String, rows: u64) {
        let days = match table {
            Table::Orders => &mut self.days,
            Table::Returns => &mut self.returns,
            Table::Units => &mut self.units,
            Table::Views => &mut self.views,
        };
        days.insert(day, rows);
    }

    /// Returns how far a file has been read: not at all where it is shorter than it was, for then it is another file.
    pub fn mark(&self, file: &EventFile) -> Mark {
        let mark = self.files.get(&file.name).copied().unwrap_or_default();
        if mark.bytes <= file.bytes { mark } else { Mark::default() }
    }

    /// Notes how far a file has been read, and what its events said of position and time.
    pub fn advance(&mut self, file: &EventFile, mark: Mark, batch: &Batch) {
        self.files.insert(file.name.clone(), mark);
        self.through_position = self.through_position.max(batch.through_position);
        self.through_at_ms = self.through_at_ms.max(batch.through_at_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_survives_its_file_and_other_versions_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        assert_eq!(Manifest::read(&path).unwrap(), Manifest::default());
        let mut manifest = Manifest::default();
        manifest.days.insert("2026-01-31".to_owned(), 4);
        manifest.save(&path).unwrap();
        assert_eq!(Manifest::read(&path).unwrap(), manifest);
        manifest.version = 2;
        manifest.save(&path).unwrap();
        let said = Manifest::read(&path).unwrap_err().to_string();
        assert!(said.ends_with("lake of version 2, this program knows 1"), "{said}");
        fs::write(&path, "{").unwrap();
        assert!(Manifest::read(&path).is_err());
    }

    #[test]
    fn a_file_that_shrank_is_read_anew() {
        let mut file = EventFile { path: "e".into(), name: "e".to_owned(), bytes: 100 };
        let mut manifest = Manifest::default();
        assert_eq!(manifest.mark(&file), Mark::default());
        let mark = Mark { bytes: 80, lines: 2 };
        manifest.advance(&file, mark, &Batch { through_position: 5, ..Batch::default() });
        assert_eq!((manifest.mark(&file), manifest.through_position), (mark, 5));
        file.bytes = 79;
        assert_eq!(manifest.mark(&file), Mark::default());
    }
}
