//! Checkpoints of the write-ahead log beside the writer.
//!
//! A checkpoint copies the log's pages into the file and syncs both: tens of milliseconds, in which SQLite's own would keep
//! the writer. Here a thread with a connection of its own does it while the writer appends. The few pages that were appended
//! meanwhile are the writer's to copy and sync, between two transactions: the log begins anew only where all of it is copied,
//! and would else grow for as long as somebody writes.

use std::{
    fs::File,
    mem::ManuallyDrop,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::mpsc::WeakSender;

use super::{
    super::{Result, StoreError},
    connections::{Write, open},
};

/// The pages of the log (4 KiB each) with which a checkpoint begins: many adds change one page, which is copied once.
const PAGES: i32 = 8_000;
/// A pass that copied fewer leaves the writer little to do.
const PAGES_LEFT: i32 = 500;
/// The most passes beside the writer: each copies what was appended during the one before.
const PASSES_MAX: usize = 4;

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
    let begin_at = Arc::new(AtomicI32::new(PAGES));
    let (wake, woken) = sync_channel(1);
    follow(db, begin_at.clone(), wake)?;
    thread::Builder::new()
        .name("sqlite-checkpoints".into())
        .spawn(move || {
            // Never closed: that would take the locks of SQLite's own descriptors away, which POSIX counts by process.
            let file = ManuallyDrop::new(file);
            run(&own, &file, &woken, &begin_at, &writer);
        })
        .map_err(|e| StoreError::Unavailable(format!("the thread of checkpoints does not start: {e}")))?;
    Ok(())
}

/// Wakes the thread whenever a commit leaves the log long enough.
fn follow(db: &mut Connection, begin_at: Arc<AtomicI32>, wake: SyncSender<()>) -> Result<()> {
    // A hook takes the place of SQLite's own checkpoints.
    db.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
        if pages >= begin_at.load(Ordering::Relaxed) {
            // It is awake where this fails, or has ended with its connection.
            let _ = wake.try_send(());
        }
        Ok(())
    }))?;
    Ok(())
}

fn run(
    own: &Connection,
    file: &File,
    woken: &Receiver<()>,
    begin_at: &AtomicI32,
    writer: &WeakSender<Write>,
) {
    while woken.recv().is_ok() {
        let next = match beside(own, file).and_then(|()| last(writer)) {
            Ok(Some(Pass { pages, copied })) if pages == copied => PAGES,
            // A reader still needs what the file had before: no use to try with every commit.
            Ok(Some(Pass { pages, .. })) => pages.saturating_add(PAGES),
            // Who opens the file next copies the rest.
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be copied; it is tried again in a second");
                thread::sleep(PAUSE);
                PAGES
            }
        };
        begin_at.store(next, Ordering::Relaxed);
        // Commits of before the log began anew.
        while woken.try_recv().is_ok() {}
    }
}

fn beside(own: &Connection, file: &File) -> Result<()> {
    let mut before = 0;
    for _ in 0..PASSES_MAX {
        let Pass { copied, .. } = pass(own)?;
        if copied - before < PAGES_LEFT {
            break;
        }
        before = copied;
        // SQLite syncs the file when all of the log is copied, which is in the writer's time.
        file.sync_data().map_err(|e| StoreError::Unavailable(format!("the file cannot be synced: {e}")))?;
    }
    Ok(())
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
        let following = thread::spawn(move || run(&own, &file, &woken, &AtomicI32::new(PAGES), &weak));

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

        drop((sender, writes));
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
