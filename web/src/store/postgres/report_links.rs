//! The links by which others read the report of an experiment.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::{
    super::{ReportLink, ReportLinkStore, Result, report_links::REPORT_LINKS_MAX},
    PostgresStore,
    cells::{bigint, cell},
    transaction::{Params, Transaction, bounded, execute, query},
};

const COLUMNS: &str = "token_hash, id, experiment, note, made_by, created_at_ms, ends_at_ms";

#[async_trait]
impl ReportLinkStore for PostgresStore {
    async fn add_report_link(&self, link: &ReportLink) -> Result<bool> {
        let transaction = Transaction::begin(self.client().await?).await?;
        let is_added = bounded(add(&transaction, link)).await?;
        transaction.commit().await?;
        Ok(is_added)
    }

    async fn report_link(&self, token_hash: &str, now_ms: i64) -> Result<Option<ReportLink>> {
        let sql = format!("SELECT {COLUMNS} FROM report_links WHERE token_hash = $1 AND ends_at_ms > $2");
        let client = self.client().await?;
        bounded(query(&client, &sql, &[&token_hash, &now_ms])).await?.first().map(link_of).transpose()
    }

    async fn report_links(&self, experiment: &str, now_ms: i64) -> Result<Vec<ReportLink>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM report_links WHERE experiment = $1 AND ends_at_ms > $2
            ORDER BY created_at_ms, id"
        );
        let client = self.client().await?;
        bounded(query(&client, &sql, &[&experiment, &now_ms])).await?.iter().map(link_of).collect()
    }

    async fn end_report_link(&self, experiment: &str, id: &str) -> Result<bool> {
        const SQL: &str = "DELETE FROM report_links WHERE experiment = $1 AND id = $2 RETURNING id";
        let client = self.client().await?;
        Ok(!bounded(query(&client, SQL, &[&experiment, &id])).await?.is_empty())
    }
}

/// Those who make links to one report at once do it one after the other, so that none is one too many.
async fn add(transaction: &Transaction, link: &ReportLink) -> Result<bool> {
    const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtextextended('links to ' || $1, 0))::text";
    const FORGET: &str = "DELETE FROM report_links WHERE experiment = $1 AND ends_at_ms <= $2";
    let ReportLink { token_hash, id, experiment, note, made_by, created_at_ms, ends_at_ms } = link;
    query(transaction, ALONE, &[experiment]).await?;
    execute(transaction, FORGET, &[experiment, created_at_ms]).await?;
    let sql = format!(
        "INSERT INTO report_links ({COLUMNS}) SELECT $1, $2, $3, $4, $5, $6::bigint, $7::bigint
        WHERE (SELECT count(*) FROM report_links WHERE experiment = $3) < $8"
    );
    let most = bigint(REPORT_LINKS_MAX);
    let params: &Params<'_> = &[token_hash, id, experiment, note, made_by, created_at_ms, ends_at_ms, &most];
    Ok(execute(transaction, &sql, params).await? == 1)
}

fn link_of(row: &Row) -> Result<ReportLink> {
    Ok(ReportLink {
        token_hash: cell(row, "token_hash")?,
        id: cell(row, "id")?,
        experiment: cell(row, "experiment")?,
        note: cell(row, "note")?,
        made_by: cell(row, "made_by")?,
        created_at_ms: cell(row, "created_at_ms")?,
        ends_at_ms: cell(row, "ends_at_ms")?,
    })
}
