//! The schema: numbered steps, each applied once, by one process at a time.

use deadpool_postgres::Client;

use super::{
    super::{Result, StoreError},
    cells::cell,
    error, search,
    transaction::{Transaction, execute, query},
};

/// All steps in order; one that has shipped is never edited.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../../../migrations/postgres/0001_begin.sql")),
    (2, include_str!("../../../migrations/postgres/0002_documents.sql")),
    (3, include_str!("../../../migrations/postgres/0003_lz4.sql")),
    (4, include_str!("../../../migrations/postgres/0004_deliveries.sql")),
    (5, include_str!("../../../migrations/postgres/0005_accounts.sql")),
    (6, include_str!("../../../migrations/postgres/0006_payments.sql")),
    (7, include_str!("../../../migrations/postgres/0007_search.sql")),
    (8, include_str!("../../../migrations/postgres/0008_owed_pieces.sql")),
    (9, include_str!("../../../migrations/postgres/0009_webhooks.sql")),
    (10, include_str!("../../../migrations/postgres/0010_order_states.sql")),
    (11, include_str!("../../../migrations/postgres/0011_users.sql")),
    (12, include_str!("../../../migrations/postgres/0012_idle_carts.sql")),
    (13, include_str!("../../../migrations/postgres/0013_gift_cards.sql")),
    (14, include_str!("../../../migrations/postgres/0014_wish_lists.sql")),
    (15, include_str!("../../../migrations/postgres/0015_locations.sql")),
    (16, include_str!("../../../migrations/postgres/0016_shares.sql")),
    (17, include_str!("../../../migrations/postgres/0017_wakes.sql")),
    (18, include_str!("../../../migrations/postgres/0018_stock_change_keys.sql")),
    (19, include_str!("../../../migrations/postgres/0019_stock_requests.sql")),
    (20, include_str!("../../../migrations/postgres/0020_stock_requests_by_address.sql")),
    (21, include_str!("../../../migrations/postgres/0021_shelves.sql")),
    (22, include_str!("../../../migrations/postgres/0022_reasons_of_experiments.sql")),
    (23, include_str!("../../../migrations/postgres/0023_imported_features.sql")),
    (24, include_str!("../../../migrations/postgres/0024_tracked_ids.sql")),
    (25, include_str!("../../../migrations/postgres/0025_metrics.sql")),
    (26, include_str!("../../../migrations/postgres/0026_shared_units.sql")),
    (27, include_str!("../../../migrations/postgres/0027_report_links.sql")),
    (28, include_str!("../../../migrations/postgres/0028_histories.sql")),
    (29, include_str!("../../../migrations/postgres/0029_document_history.sql")),
    (30, include_str!("../../../migrations/postgres/0030_shelf_counts.sql")),
    (31, include_str!("../../../migrations/postgres/0031_late_metrics.sql")),
    (32, include_str!("../../../migrations/postgres/0032_customer_groups.sql")),
];

/// Whoever holds this advisory lock migrates; the others wait. The number spells "cartwrig".
const LOCK: &str = "SET LOCAL lock_timeout = 0;
    SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock(7161130727041558887);
    CREATE TABLE IF NOT EXISTS schema_migrations (
        number bigint PRIMARY KEY,
        applied_at timestamptz NOT NULL DEFAULT now()
    );";

/// Restored from a dump, the database may live in a server whose transactions are numbered from a lower number. Places
/// in the outbox must go on growing, so what is added to the numbers grows.
const RAISE_BASE: &str = "UPDATE settings
    SET value = (((top.position >> 20) + 1) << 20) - own.number
    FROM (
        SELECT greatest((SELECT max(position) FROM outbox), (SELECT max(position) FROM cursors)) AS position
    ) AS top, (SELECT pg_current_xact_id()::text::bigint << 20 AS number) AS own
    WHERE name = 'outbox_base' AND top.position >= value + own.number";

/// Brings the schema up to date.
pub async fn migrate(client: Client) -> Result<()> {
    let transaction = Transaction::begin(client).await?;
    run(&transaction, LOCK).await?;
    let rows =
        query(&transaction, "SELECT coalesce(max(number), 0) AS number FROM schema_migrations", &[]).await?;
    let applied: i64 = rows.first().map_or(Ok(0), |row| cell(row, "number"))?;
    let newest = MIGRATIONS.len() as i64;
    if applied > newest {
        let why = format!("its schema is of step {applied}, this program knows {newest}: run a newer one");
        return Err(StoreError::Unavailable(why));
    }
    for (number, sql) in MIGRATIONS.iter().filter(|(number, _)| *number > applied) {
        run(&transaction, sql).await?;
        execute(&transaction, "INSERT INTO schema_migrations (number) VALUES ($1)", &[number]).await?;
        tracing::info!(number, "the schema was migrated");
    }
    search::keep_current(&transaction).await?;
    if execute(&transaction, RAISE_BASE, &[]).await? > 0 {
        tracing::warn!(
            "the database came from another server: places in the outbox go on above the highest one"
        );
    }
    transaction.commit().await
}

async fn run(transaction: &Transaction, sql: &str) -> Result<()> {
    transaction.batch_execute(sql).await.map_err(|e| error::of_query(&e))
}
