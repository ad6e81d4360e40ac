//! Checkpoints of the write-ahead log beside the writer.
//!
//! A checkpoint copies the log's pages into the file and syncs both: tens of milliseconds, in which SQLite's own would keep
//! the writer. Here a thread with a connection of its own does it while the writer appends, a little at a time. Once the log
//! is long, the few pages that were appended meanwhile are the writer's to copy and sync, between two transactions: the log
//! begins anew only where all of it is copied, and would else grow for as long as somebody writes.

use std::{
    fs::File,
    mem::ManuallyDrop,
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc::WeakSender;

use super::{
    super::{Result, StoreError},
    connections::{Write, open},
};

/// The pages of the log (4 KiB each) that are copied at a time: as many as are copied and synced within milliseconds. With
/// ten times as many, everybody waits longer for a while, twice a second.
const STEP: i32 = 500;
/// The pages with which the log is to begin anew. The last of them are copied in the writer's time, so the rarer the better;
/// but whoever reads a page looks for it in the whole log.
const WHOLE: i32 = 16_000;
/// A pass that found fewer new ones leaves the writer little to do.
const PAGES_LEFT: i32 = 500;
/// The most passes before the writer's: each copies what was appended during the one before.
const PASSES_MAX: usize = 4;
/// How far the thread gives way to others: from 0, not at all, to 19.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// How long a failed checkpoint is not tried again: whatever is wrong with the disk, trying at every commit makes it worse.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts the thread that follows the writer's log. It ends when the writer has stopped.
pub fn start(db: &mut Connection, writer: WeakSender<Write>) -> Result<()> {
    let path = db.path().map(ToOwned::to_owned).expect("the shop's data are in a file");
    let path = Path::new(&path);
    let own = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let file = File::open(path).map_err(|e| {
        StoreError::Unavailable(format!("{} cannot be opened to be synced: {e}", path.display()))
    })?;
    let (wake, woken) = sync_channel(1);
    follow(db, wake)?;
    thread::Builder::new()
        .name("sqlite-checkpoints".into())
        .spawn(move || {
            give_way();
            // Never closed: that would take the locks of SQLite's own descriptors away, which POSIX counts by process.
            let file = ManuallyDrop::new(file);
            Copier { own, file: &file, whole: WHOLE }.run(&woken, &writer);
        })
        .map_err(|e| StoreError::Unavailable(format!("the thread of checkpoints does not start: {e}")))?;
    Ok(())
}

/// Wakes the thread whenever commits have appended a step.
fn follow(db: &mut Connection, wake: SyncSender<()>) -> Result<()> {
    let (mut before, mut appended) = (0_i32, 0_i32);
    // A hook takes the place of SQLite's own checkpoints.
    db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
        // Of a log that has begun anew all pages are new.
        appended = appended.saturating_add(if pages < before { pages } else { pages - before });
        before = pages;
        // Where it cannot be woken it is awake, or has ended with its connection.
        if appended >= STEP && wake.try_send(()).is_ok() {
            appended = 0;
        }
        Ok(())
    }))?;
    Ok(())
}

/// Lets the threads that shoppers wait for go first: a pass copies hundreds of pages, and nobody waits for it.
#[cfg(target_os = "linux")]
fn give_way() {
    // Of the calling thread alone, on Linux. Where it is not allowed the thread is as the others.
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

/// Copies the log into the file, a step at a time.
struct Copier<'f> {
    own: Connection,
    file: &'f File,
    /// The pages with which the log is to begin anew.
    whole: i32,
}

impl Copier<'_> {
    fn run(&self, woken: &Receiver<()>, writer: &WeakSender<Write>) {
        let mut anew_at = self.whole;
        while woken.recv().is_ok() {
            match self.step(writer, anew_at) {
                Ok(Some(next)) => anew_at = next,
                // Who opens the file next copies the rest.
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "the write-ahead log could not be copied; it is tried again in a second");
                    thread::sleep(PAUSE);
                }
            }
            // Commits of before this step.
            while woken.try_recv().is_ok() {}
        }
    }

    /// Copies what is new, and lets the log begin anew where it has so many pages. Returns with how many it is to begin anew
    /// next; none where the writer has stopped.
    fn step(&self, writer: &WeakSender<Write>, anew_at: i32) -> Result<Option<i32>> {
        let Pass { pages, mut copied } = self.beside()?;
        if pages < anew_at {
            return Ok(Some(if pages < self.whole { self.whole } else { anew_at }));
        }
        for _ in 1..PASSES_MAX {
            let before = copied;
            copied = self.beside()?.copied;
            if copied - before < PAGES_LEFT {
                break;
            }
        }
        // It does not begin anew while a reader needs what the file had before: no use to try with every step then.
        Ok(last(writer)?.map(|pass| pass.pages.saturating_add(self.whole)))
    }

    /// Copies beside the writer. SQLite syncs the file when all of the log is copied, which would be in the writer's time.
    fn beside(&self) -> Result<Pass> {
        let pass = pass(&self.own)?;
        self.file
            .sync_data()
            .map_err(|e| StoreError::Unavailable(format!("the file cannot be synced: {e}")))?;
        Ok(pass)
    }
}

/// Lets the writer copy the rest; none where it has stopped.
fn last(writer: &WeakSender<Write>) -> Result<Option<Pass>> {
    let (reply, answer) = sync_channel(1);
    let write: Write = Box::new(move |db| drop(reply.send(pass(db))));
    let is_sent = writer.upgrade().is_some_and(|writer| writer.blocking_send(write).is_ok());
    match is_sent.then(|| answer.recv()) {
        Some(Ok(pass)) => pass.map(Some),
        Some(Err(_)) | None => Ok(None),
    }
}

/// Is what a pass found and did.
struct Pass {
    /// The pages of the log.
    pages: i32,
    /// Those of them that are in the file by now.
    copied: i32,
}

/// Copies what no reader and no writer is in the way of, and waits for neither.
fn pass(db: &Connection) -> Result<Pass> {
    let found = |row: &rusqlite::Row<'_>| Ok(Pass { pages: row.get(1)?, copied: row.get(2)? });
    Ok(db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], found)?)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn the_thread_waits_after_an_error_and_ends_with_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut db = open(&path, flags).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n); BEGIN; INSERT INTO t VALUES (1);")
            .unwrap();
        let (own, file) = (open(&path, flags).unwrap(), File::open(&path).unwrap());
        let (sender, mut writes) = mpsc::channel::<Write>(1);
        let (wake, woken) = sync_channel(1);
        let weak = sender.downgrade();
        let following = thread::spawn(move || Copier { own, file: &file, whole: 1 }.run(&woken, &weak));

        // Inside a transaction no connection makes a checkpoint: the first pass fails.
        wake.send(()).unwrap();
        writes.blocking_recv().unwrap()(&mut db);
        let failed = Instant::now();
        while failed.elapsed() < PAUSE / 2 {
            let _ = wake.try_send(());
            assert!(writes.try_recv().is_err(), "it is tried again at once");
            thread::sleep(Duration::from_millis(5));
        }
        db.execute_batch("COMMIT").unwrap();
        let again = loop {
            let _ = wake.try_send(());
            if let Ok(write) = writes.try_recv() {
                break write;
            }
            assert!(failed.elapsed() < PAUSE * 20, "it is not tried again");
            thread::sleep(Duration::from_millis(5));
        };
        again(&mut db);

        // A log that is long enough again is to begin anew, and nobody is there to do it.
        drop((sender, writes));
        db.execute_batch("INSERT INTO t VALUES (zeroblob(100000))").unwrap();
        let stopped = Instant::now();
        while !following.is_finished() {
            let _ = wake.try_send(());
            assert!(stopped.elapsed() < PAUSE * 20, "it goes on without its writer");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_writer_that_has_stopped_is_no_error() {
        let (sender, writes) = mpsc::channel::<Write>(1);
        let weak = sender.downgrade();
        drop(writes);
        assert!(matches!(last(&weak), Ok(None)), "it takes no more");
        drop(sender);
        assert!(matches!(last(&weak), Ok(None)), "it is gone");
    }
}
