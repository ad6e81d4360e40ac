//! The connections of a file: one that writes, on a thread of its own, and some that read.

use std::{
    any::Any,
    fs,
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig, ffi::ErrorCode};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{
    super::{Result, StoreError},
    checkpoints,
};

/// The most writes that wait for the writer; those beyond wait for a place. The actors in front bound their own work.
const WRITES_WAITING_MAX: usize = 256;
/// The most reads at once; each is quick and in memory, as a rule.
const READERS_MAX: usize = 4;
/// How long a statement waits for another process's transaction on the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements kept prepared by a connection, more than there are in the source.
const STATEMENTS_MAX: usize = 128;

/// Opens the connection that writes, and creates the file where there is none.
pub fn create(path: &Path) -> Result<Connection> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|e| {
            StoreError::Unavailable(format!("folder {} cannot be made: {e}", folder.display()))
        })?;
    }
    let db = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!(
            "{} cannot keep a write-ahead log ({mode})",
            path.display()
        )));
    }
    // FULL syncs the log at every commit, so that what was answered survives a power cut. Checkpoints are made beside it.
    // A commit after rows have outgrown their page goes through the whole cache (SQLite has given a page a number beyond the
    // file's for a moment), and what is not in it the system has in memory: so it is small.
    db.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;",
    )?;
    Ok(db)
}

/// Opens a connection to a file.
pub fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|e| StoreError::Unavailable(format!("{} cannot be opened: {e}", path.display())))?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // A plan that may depend on a parameter's value is made anew for every value, which takes longer than most of our
    // statements run. All of ours find their rows by key, whatever the values.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(db)
}

/// Runs work that may block on a thread where it may.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => panic::resume_unwind(payload),
            Err(error) => Err(StoreError::Unavailable(format!("the runtime stops: {error}"))),
        },
    }
}

/// Is work for the writer's thread.
pub type Write = Box<dyn FnOnce(&mut Connection) + Send>;

/// Hands writes to the thread that does them, one transaction each.
#[derive(Debug)]
pub struct Writer(mpsc::Sender<Write>);

impl Writer {
    /// Starts the thread. It ends when the writer is dropped and what waits is done.
    pub fn start(mut db: Connection) -> Result<Self> {
        let (sender, mut waiting) = mpsc::channel::<Write>(WRITES_WAITING_MAX);
        checkpoints::start(&mut db, sender.downgrade())?;
        thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || {
                while let Some(write) = waiting.blocking_recv() {
                    write(&mut db);
                }
            })
            .map_err(|e| StoreError::Unavailable(format!("the writer's thread does not start: {e}")))?;
        Ok(Self(sender))
    }

    /// Runs work in one transaction, which is rolled back where the work fails. A panic of the work is the caller's.
    pub async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel::<std::result::Result<Result<T>, Box<dyn Any + Send>>>();
        let write: Write = Box::new(move |db| {
            // The transaction is dropped, and so rolled back, before the panic arrives here.
            let done = panic::catch_unwind(AssertUnwindSafe(|| transact(db, work)));
            // A caller that has gone away no longer wants to know.
            let _ = reply.send(done);
        });
        let gone = |_| StoreError::Unavailable("the writer has stopped".into());
        self.0.send(write).await.map_err(gone)?;
        match answer.await {
            Ok(Ok(done)) => done,
            Ok(Err(payload)) => panic::resume_unwind(payload),
            Err(_) => Err(StoreError::Unknown("the writer stopped meanwhile".into())),
        }
    }
}

fn transact<T>(db: &mut Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    if !db.is_autocommit() {
        // A rollback failed before, as on a disk that is gone; until it works there is nothing to begin.
        db.execute_batch("ROLLBACK")?;
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit().map_err(uncommitted)?;
    Ok(value)
}

/// A commit that did not get the lock has done nothing. Of any other failure it is not known whether the log's last
/// frame reached the disk, where a restart would find it.
fn uncommitted(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Unavailable(error.to_string())
        }
        _ => StoreError::Unknown(error.to_string()),
    }
}

/// Lends connections that only read.
#[derive(Clone, Debug)]
pub struct Readers {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
}

impl Readers {
    /// Returns readers of a file; each is opened when it is first needed.
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), idle: Arc::default(), places: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// Runs work on one snapshot of the file.
    pub async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let readers = self.clone();
        let place = self.places.clone().acquire_owned().await.expect("the semaphore is never closed");
        blocking(move || {
            let _place = place;
            let mut db = readers.take()?;
            let answer = work(&*db.transaction()?);
            readers.idle().push(db);
            answer
        })
        .await
    }

    fn take(&self) -> Result<Connection> {
        if let Some(db) = self.idle().pop() {
            return Ok(db);
        }
        let db = open(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        db.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")?;
        Ok(db)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A push or pop leaves the list whole, whatever panicked beside it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            // With one writer no rule of the tables is broken by a race, only by what was to be written.
            Some(ErrorCode::ConstraintViolation) => Self::Conflict(text),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(text),
            Some(_) => Self::Unavailable(text),
            None => Self::Corrupt(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
    }

    #[test]
    fn only_a_commit_that_may_have_reached_the_disk_is_unknown() {
        use rusqlite::ffi::{SQLITE_BUSY, SQLITE_CONSTRAINT, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_IOERR};
        for code in [SQLITE_IOERR, SQLITE_FULL] {
            assert!(matches!(uncommitted(failure(code)), StoreError::Unknown(_)), "{code}");
            assert!(matches!(StoreError::from(failure(code)), StoreError::Unavailable(_)), "{code}");
        }
        assert!(matches!(uncommitted(failure(SQLITE_BUSY)), StoreError::Unavailable(_)));
        assert!(matches!(StoreError::from(failure(SQLITE_BUSY)), StoreError::Unavailable(_)));
        assert!(matches!(StoreError::from(failure(SQLITE_CONSTRAINT)), StoreError::Conflict(_)));
        assert!(matches!(StoreError::from(failure(SQLITE_CORRUPT)), StoreError::Corrupt(_)));
    }

    #[tokio::test]
    async fn the_log_begins_anew_while_somebody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let db = create(&folder.path().join("shop.db")).unwrap();
        db.execute_batch("CREATE TABLE t (number INTEGER PRIMARY KEY, text TEXT)").unwrap();
        let writer = Writer::start(db).unwrap();
        let log = folder.path().join("shop.db-wal");
        let (mut longest, mut written) = (0, 0_u64);
        // Two hundred megabytes.
        for number in 0..2_000 {
            let insert = move |db: &Connection| {
                Ok(db.execute("INSERT INTO t VALUES (?1, ?2)", (number, "x".repeat(100_000)))?)
            };
            writer.run(insert).await.unwrap();
            written += 100_000;
            longest = longest.max(fs::metadata(&log).unwrap().len());
        }
        assert!(longest < written * 3 / 4, "the log grew to {longest} bytes");
        let sum = |db: &Connection| {
            Ok(db.query_row("SELECT sum(length(text)) FROM t", [], |row| row.get::<_, i64>(0))?)
        };
        assert_eq!(Readers::new(&folder.path().join("shop.db")).run(sum).await.unwrap(), written as i64);
    }

    #[tokio::test]
    async fn a_full_disk_is_unavailable_and_undoes_the_whole_write() {
        let folder = tempfile::tempdir().unwrap();
        let db = create(&folder.path().join("shop.db")).unwrap();
        // SQLite reports a file that may not grow as it reports a disk that is full.
        db.execute_batch("CREATE TABLE t (text TEXT); PRAGMA max_page_count = 20").unwrap();
        let writer = Writer::start(db).unwrap();
        let write = |bytes: usize| {
            writer.run(move |db| {
                db.execute("INSERT INTO t VALUES ('small')", [])?;
                Ok(db.execute("INSERT INTO t VALUES (?1)", ["x".repeat(bytes)])?)
            })
        };
        let full = write(1_000_000).await;
        assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
        write(1).await.unwrap();
        let rows: i64 =
            writer.run(|db| Ok(db.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)).await.unwrap();
        assert_eq!(rows, 2);
    }
}
