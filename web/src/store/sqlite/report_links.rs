//! The links by which others read the report of an experiment.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::{
    super::{ReportLink, ReportLinkStore, Result, report_links::REPORT_LINKS_MAX},
    SqliteStore,
    columns::{execute, int, row, rows},
};

const COLUMNS: &str = "token_hash, id, experiment, note, made_by, created_at_ms, ends_at_ms";

#[async_trait]
impl ReportLinkStore for SqliteStore {
    async fn add_report_link(&self, link: &ReportLink) -> Result<bool> {
        let link = link.clone();
        self.writer.run(move |db| add(db, &link)).await
    }

    async fn report_link(&self, token_hash: &str, now_ms: i64) -> Result<Option<ReportLink>> {
        let token_hash = token_hash.to_owned();
        let sql = format!("SELECT {COLUMNS} FROM report_links WHERE token_hash = ?1 AND ends_at_ms > ?2");
        self.readers.run(move |db| row(db, &sql, params![token_hash, now_ms], link_of)).await
    }

    async fn report_links(&self, experiment: &str, now_ms: i64) -> Result<Vec<ReportLink>> {
        let experiment = experiment.to_owned();
        let sql = format!(
            "SELECT {COLUMNS} FROM report_links WHERE experiment = ?1 AND ends_at_ms > ?2
            ORDER BY created_at_ms, id"
        );
        self.readers.run(move |db| rows(db, &sql, params![experiment, now_ms], link_of)).await
    }

    async fn end_report_link(&self, experiment: &str, id: &str) -> Result<bool> {
        let (experiment, id) = (experiment.to_owned(), id.to_owned());
        let sql = "DELETE FROM report_links WHERE experiment = ?1 AND id = ?2";
        self.writer.run(move |db| Ok(execute(db, sql, [experiment, id])? == 1)).await
    }
}

fn add(db: &Connection, link: &ReportLink) -> Result<bool> {
    let ReportLink { token_hash, id, experiment, note, made_by, created_at_ms, ends_at_ms } = link;
    let forget = "DELETE FROM report_links WHERE experiment = ?1 AND ends_at_ms <= ?2";
    execute(db, forget, params![experiment, created_at_ms])?;
    let sql = format!(
        "INSERT INTO report_links ({COLUMNS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
        WHERE (SELECT count(*) FROM report_links WHERE experiment = ?3) < ?8"
    );
    let most = int(REPORT_LINKS_MAX);
    let params = params![token_hash, id, experiment, note, made_by, created_at_ms, ends_at_ms, most];
    Ok(execute(db, &sql, params)? == 1)
}

fn link_of(row: &Row<'_>) -> rusqlite::Result<ReportLink> {
    Ok(ReportLink {
        token_hash: row.get(0)?,
        id: row.get(1)?,
        experiment: row.get(2)?,
        note: row.get(3)?,
        made_by: row.get(4)?,
        created_at_ms: row.get(5)?,
        ends_at_ms: row.get(6)?,
    })
}
