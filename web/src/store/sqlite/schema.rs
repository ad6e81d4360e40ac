//! The tables and the numbered steps that lead to them.

use rusqlite::{Connection, TransactionBehavior};

use super::{
    super::{Result, StoreError},
    columns::{count, int, row},
    search,
};

/// All steps in order; a file's `user_version` is the number of those it has seen.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/sqlite/0001_tables.sql"),
    include_str!("../../../migrations/sqlite/0002_product_documents.sql"),
    include_str!("../../../migrations/sqlite/0003_documents.sql"),
    include_str!("../../../migrations/sqlite/0004_deliveries.sql"),
    include_str!("../../../migrations/sqlite/0005_accounts.sql"),
    include_str!("../../../migrations/sqlite/0006_payments.sql"),
    include_str!("../../../migrations/sqlite/0007_search.sql"),
    include_str!("../../../migrations/sqlite/0008_owed_pieces.sql"),
    include_str!("../../../migrations/sqlite/0009_webhooks.sql"),
    include_str!("../../../migrations/sqlite/0010_order_states.sql"),
    include_str!("../../../migrations/sqlite/0011_users.sql"),
    include_str!("../../../migrations/sqlite/0012_merged_carts.sql"),
    include_str!("../../../migrations/sqlite/0013_idle_carts.sql"),
    include_str!("../../../migrations/sqlite/0014_gift_cards.sql"),
    include_str!("../../../migrations/sqlite/0015_wish_lists.sql"),
    include_str!("../../../migrations/sqlite/0016_locations.sql"),
    include_str!("../../../migrations/sqlite/0017_shares.sql"),
    include_str!("../../../migrations/sqlite/0018_wakes.sql"),
    include_str!("../../../migrations/sqlite/0019_stock_change_keys.sql"),
    include_str!("../../../migrations/sqlite/0020_stock_requests.sql"),
    include_str!("../../../migrations/sqlite/0021_stock_requests_by_address.sql"),
    include_str!("../../../migrations/sqlite/0022_reasons_of_experiments.sql"),
    include_str!("../../../migrations/sqlite/0023_imported_features.sql"),
    include_str!("../../../migrations/sqlite/0024_tracked_ids.sql"),
    include_str!("../../../migrations/sqlite/0025_metrics.sql"),
    include_str!("../../../migrations/sqlite/0026_shared_units.sql"),
    include_str!("../../../migrations/sqlite/0027_report_links.sql"),
    include_str!("../../../migrations/sqlite/0028_histories.sql"),
    include_str!("../../../migrations/sqlite/0029_document_history.sql"),
    include_str!("../../../migrations/sqlite/0030_shelf_counts.sql"),
    include_str!("../../../migrations/sqlite/0031_late_metrics.sql"),
    include_str!("../../../migrations/sqlite/0032_customer_groups.sql"),
];

/// Brings the tables up to date; processes that start at once do it one after the other.
pub fn migrate(db: &mut Connection) -> Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let seen: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let (seen, known) = (seen as usize, MIGRATIONS.len());
    if seen > known {
        return Err(StoreError::Corrupt(format!(
            "the tables are at step {seen}, this version knows {known}; run the newer version"
        )));
    }
    for migration in &MIGRATIONS[seen..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", int(known))?;
    search::keep_current(&transaction)?;
    Ok(transaction.commit()?)
}

/// Reads something from the file.
pub fn ping(db: &Connection) -> Result<()> {
    revision(db, "catalogue").map(drop)
}

/// Returns a revision that callers poll.
pub fn revision(db: &Connection, name: &str) -> Result<u64> {
    let revision = row(db, "SELECT revision FROM revisions WHERE name = ?1", [name], |row| count(row, 0))?;
    revision.ok_or_else(|| StoreError::Corrupt(format!("the revision of {name} is gone")))
}

/// Moves a revision on.
pub fn bump(db: &Connection, name: &str) -> Result<()> {
    db.prepare_cached("UPDATE revisions SET revision = revision + 1 WHERE name = ?1")?.execute([name])?;
    Ok(())
}
