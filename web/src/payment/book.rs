//! The sandbox's own memory: one SQLite file, so that it outlives the server as a real provider does.

use std::{path::Path, sync::mpsc, thread, time::Duration};

use rusqlite::Connection;
use tokio::sync::oneshot;

/// How long a write waits for another process's transaction on the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The most writes that share one commit.
const BATCH_MAX: usize = 256;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS payments (
        id TEXT PRIMARY KEY,
        cart TEXT NOT NULL,
        state TEXT NOT NULL
            CHECK (state IN ('pending', 'challenged', 'authorised', 'captured', 'declined', 'voided')),
        amount_minor INTEGER NOT NULL,
        captured_minor INTEGER NOT NULL DEFAULT 0,
        refunded_minor INTEGER NOT NULL DEFAULT 0 CHECK (refunded_minor <= captured_minor),
        settles_as TEXT,
        settles_at_ms INTEGER,
        webhooks INTEGER NOT NULL DEFAULT 0,
        webhook_at_ms INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX IF NOT EXISTS payments_settling ON payments (settles_at_ms) WHERE settles_at_ms IS NOT NULL;
    CREATE INDEX IF NOT EXISTS payments_telling ON payments (webhook_at_ms) WHERE webhooks > 0;
    CREATE TABLE IF NOT EXISTS refunds (
        payment TEXT NOT NULL,
        number INTEGER NOT NULL,
        amount_minor INTEGER NOT NULL,
        PRIMARY KEY (payment, number)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;";

/// Says why the book could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The database said no.
    #[error("the sandbox's book: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file system said no.
    #[error("the sandbox's book: {0}")]
    Io(#[from] std::io::Error),
    /// The thread that writes is gone.
    #[error("the sandbox's book is closed")]
    Closed,
}

/// Does its part of a transaction and returns what to do once its end is known.
type Entry = Box<dyn FnOnce(&Connection) -> Told + Send>;
type Told = Box<dyn FnOnce(bool) + Send>;

/// Hands entries to the thread that writes them; those that wait share a commit.
#[derive(Clone, Debug)]
pub struct Book(mpsc::Sender<Entry>);

impl Book {
    /// Opens the file, where need be creates it and its folder.
    ///
    /// # Errors
    /// Where it cannot be opened or is no SQLite file.
    pub fn open(path: &Path) -> Result<Self, BookError> {
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let db = Connection::open(path)?;
        db.busy_timeout(BUSY_TIMEOUT)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        Self::start(db)
    }

    /// Returns a book that is forgotten when dropped.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn in_memory() -> Result<Self, BookError> {
        Self::start(Connection::open_in_memory()?)
    }

    fn start(db: Connection) -> Result<Self, BookError> {
        db.execute_batch(TABLES)?;
        let (sender, waiting) = mpsc::channel::<Entry>();
        thread::Builder::new().name("sandbox-book".into()).spawn(move || {
            while let Ok(first) = waiting.recv() {
                let entries = std::iter::once(first).chain(waiting.try_iter().take(BATCH_MAX - 1)).collect();
                write(&db, entries);
            }
        })?;
        Ok(Self(sender))
    }

    /// Runs work in a transaction that others may share and returns what it found once that is durable. The work is
    /// done even where the caller goes away meanwhile.
    ///
    /// # Errors
    /// Where it was not done, or it is not known whether it was.
    pub async fn enter<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, BookError> {
        let (reply, answer) = oneshot::channel();
        let entry: Entry = Box::new(move |db| {
            let done = work(db);
            Box::new(move |is_durable| {
                // A caller that has gone away no longer wants to know.
                let _ = reply.send(if is_durable {
                    done.map_err(BookError::from)
                } else {
                    Err(BookError::Closed)
                });
            })
        });
        self.0.send(entry).map_err(|_| BookError::Closed)?;
        answer.await.map_err(|_| BookError::Closed)?
    }
}

fn write(db: &Connection, entries: Vec<Entry>) {
    let begun = db.execute_batch("BEGIN IMMEDIATE");
    if let Err(error) = begun {
        tracing::warn!(%error, "the sandbox's book cannot be written");
        // Whoever waits hears so when their entry is dropped.
        return;
    }
    let told: Vec<Told> = entries.into_iter().map(|entry| entry(db)).collect();
    let committed = db.execute_batch("COMMIT").or_else(|error| {
        tracing::warn!(%error, "the sandbox's book was not written");
        db.execute_batch("ROLLBACK").and(Err(error))
    });
    told.into_iter().for_each(|tell| tell(committed.is_ok()));
}
