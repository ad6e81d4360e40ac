//! The event files: append-only, rotated, one event a line; the batch reads them and never meets SQL.
//!
//! A file is named after the format's version and the position of its first event. Lines are whole and on disk
//! before the cursor moves. A crash in between leaves a torn line or events that come again: readers drop both.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::reader::{ReadError, Reader};
use crate::store::{OutboxEvent, Store, readers};

/// Writes events to files.
pub struct EventFiles {
    folder: PathBuf,
    bytes_max: u64,
    age_max: Duration,
    open: Option<OpenFile>,
}

struct OpenFile {
    file: File,
    size_bytes: u64,
    since: Instant,
}

impl OpenFile {
    /// Reports whether nobody could find the file any more; what is written to it would be lost.
    fn is_deleted(&self) -> bool {
        self.file.metadata().is_ok_and(|m| m.nlink() == 0)
    }
}

impl EventFiles {
    /// Returns a writer into a folder, which is made where it is missing.
    pub fn new(folder: PathBuf, bytes_max: u64, age_max: Duration) -> Self {
        Self { folder, bytes_max, age_max, open: None }
    }

    fn append(&mut self, events: &[OutboxEvent]) -> io::Result<()> {
        let Some(first) = events.first() else { return Ok(()) };
        self.close_if_due();
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event)?;
            lines.push(b'\n');
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => open_file(&self.folder, first.position)?,
        };
        open.file.write_all(&lines)?;
        open.file.sync_data()?;
        open.size_bytes += lines.len() as u64;
        // Put back only now: after a failed write the next try begins a file of its own.
        self.open = Some(open);
        Ok(())
    }

    fn close_if_due(&mut self) {
        let is_due = |open: &OpenFile| {
            open.size_bytes >= self.bytes_max || open.since.elapsed() >= self.age_max || open.is_deleted()
        };
        if self.open.as_ref().is_some_and(is_due) {
            self.open = None;
        }
    }
}

/// Opens the file of a first position. Where it stands already, events come again after a crash: what is torn at its
/// end is cut off and the rest kept.
fn open_file(folder: &Path, position: u64) -> io::Result<OpenFile> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("events-v1-{position:020}.jsonl"));
    let mut file = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(path)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let size_bytes = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at as u64 + 1);
    file.set_len(size_bytes)?;
    file.seek(SeekFrom::End(0))?;
    File::open(folder)?.sync_all()?;
    Ok(OpenFile { file, size_bytes, since: Instant::now() })
}

#[async_trait]
impl Reader for EventFiles {
    fn name(&self) -> &'static str {
        readers::FILES
    }

    async fn take(&mut self, store: &dyn Store, _from: u64, events: &[OutboxEvent]) -> Result<(), ReadError> {
        tokio::task::block_in_place(|| self.append(events))?;
        if let Some(last) = events.last() {
            store.set_cursor(self.name(), last.position).await?;
        }
        Ok(())
    }

    async fn rest(&mut self, _store: &dyn Store) -> Result<(), ReadError> {
        self.close_if_due();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(position: u64) -> OutboxEvent {
        serde_json::from_str(&format!(
            r#"{{"position":{position},"id":"{}","at_ms":1,"type":"cart_cleared","cart":"c","unit":"v","data":{{}}}}"#,
            uuid::Uuid::new_v4()
        ))
        .unwrap()
    }

    fn lines(folder: &Path) -> Vec<(String, usize)> {
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        files
            .iter()
            .map(|f| {
                let text = fs::read_to_string(f).unwrap();
                (f.file_name().unwrap().to_string_lossy().into_owned(), text.lines().count())
            })
            .collect()
    }

    #[test]
    fn files_rotate_by_size_and_mend_a_torn_end() {
        let folder = tempfile::tempdir().unwrap();
        let writer = |bytes| EventFiles::new(folder.path().into(), bytes, Duration::from_secs(60));
        let mut files = writer(1);
        files.append(&[event(1), event(2)]).unwrap();
        files.append(&[event(3)]).unwrap();
        let named = |p: u64, n| (format!("events-v1-{p:020}.jsonl"), n);
        assert_eq!(lines(folder.path()), [named(1, 2), named(3, 1)]);

        let torn = folder.path().join(named(3, 1).0);
        OpenOptions::new().append(true).open(&torn).unwrap().write_all(b"{\"position\":4,").unwrap();
        writer(1 << 20).append(&[event(3), event(4)]).unwrap();
        assert_eq!(lines(folder.path()), [named(1, 2), named(3, 3)]);
        assert!(
            fs::read_to_string(&torn)
                .unwrap()
                .lines()
                .all(|l| serde_json::from_str::<OutboxEvent>(l).is_ok())
        );
    }

    #[test]
    fn a_folder_that_was_taken_away_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let events = folder.path().join("events");
        let mut files = EventFiles::new(events.clone(), 1 << 20, Duration::from_secs(60));
        files.append(&[event(1)]).unwrap();
        fs::remove_dir_all(&events).unwrap();
        files.append(&[event(2)]).unwrap();
        assert_eq!(lines(&events), [(format!("events-v1-{:020}.jsonl", 2), 1)]);
    }
}
