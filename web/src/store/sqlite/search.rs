//! The index of words: FTS5 finds products, two plain tables find words.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::{Product, Sku};
use rusqlite::{Connection, params};

use super::{
    super::{
        Result, SearchStore,
        search::{IndexChange, after_all_of},
    },
    SqliteStore,
    columns::{count, execute, int, json, parsed, row, rows, to_json},
    schema,
};
use crate::search::{
    terms::{Alternative, Terms},
    typo::trigrams,
    words::INDEX_VERSION,
};

#[async_trait]
impl SearchStore for SqliteStore {
    async fn matching(&self, terms: &Terms, limit: usize) -> Result<Vec<Sku>> {
        let query = query_of(terms);
        self.readers.run(move |db| matching(db, &query, limit)).await
    }

    async fn knows_word(&self, word: &str, is_prefix: bool) -> Result<bool> {
        let word = word.to_owned();
        self.readers.run(move |db| knows_word(db, &word, is_prefix)).await
    }

    async fn words_alike(
        &self,
        trigrams: &[String],
        least: usize,
        limit: usize,
    ) -> Result<Vec<(String, u64)>> {
        let trigrams = to_json(&trigrams)?;
        self.readers.run(move |db| words_alike(db, &trigrams, least, limit)).await
    }
}

/// Writes terms in FTS5's language. Every word is quoted, and holds nothing but letters and digits.
fn query_of(terms: &Terms) -> String {
    let alternative =
        |a: &Alternative| format!("\"{}\"{}", a.words.join(" "), if a.is_prefix { "*" } else { "" });
    let term = |alternatives: &[Alternative]| {
        format!("({})", alternatives.iter().map(alternative).collect::<Vec<_>>().join(" OR "))
    };
    terms.0.iter().map(|t| term(&t.0)).collect::<Vec<_>>().join(" AND ")
}

fn matching(db: &Connection, query: &str, limit: usize) -> Result<Vec<Sku>> {
    let sql = "SELECT sku FROM search_index AS i JOIN search_texts AS t ON t.number = i.rowid
        WHERE search_index MATCH ?1 LIMIT ?2";
    rows(db, sql, params![query, int(limit)], |row| parsed(row, 0))
}

fn knows_word(db: &Connection, word: &str, is_prefix: bool) -> Result<bool> {
    let end = if is_prefix { after_all_of(word) } else { word.to_owned() };
    let sql = "SELECT 1 FROM search_words WHERE word BETWEEN ?1 AND ?2 LIMIT 1";
    Ok(row(db, sql, [word, &end], |_| Ok(()))?.is_some())
}

fn words_alike(db: &Connection, trigrams: &str, least: usize, limit: usize) -> Result<Vec<(String, u64)>> {
    let sql = "SELECT word, products FROM (
            SELECT word, count(*) AS shared FROM search_trigrams
            WHERE trigram IN (SELECT value FROM json_each(?1))
            GROUP BY word HAVING shared >= ?2 ORDER BY shared DESC, word LIMIT ?3
        ) JOIN search_words USING (word)";
    rows(db, sql, params![trigrams, int(least), int(limit)], |row| Ok((row.get(0)?, count(row, 1)?)))
}

/// Brings the index up to date with products that were put.
pub fn index<'p>(db: &Connection, products: impl IntoIterator<Item = &'p Product> + Clone) -> Result<()> {
    let mut before = BTreeMap::new();
    for product in products.clone() {
        let sql = "SELECT text FROM search_texts WHERE sku = ?1";
        if let Some(text) = row(db, sql, [product.sku.as_str()], |row| row.get(0))? {
            before.insert(product.sku.clone(), text);
        }
    }
    let change = IndexChange::of(products, &before);
    for (sku, text) in &change.texts {
        write_text(db, sku, text.as_deref())?;
    }
    change.words.iter().try_for_each(|(word, more)| count_word(db, word, *more))
}

fn write_text(db: &Connection, sku: &Sku, text: Option<&str>) -> Result<()> {
    let sql = "DELETE FROM search_texts WHERE sku = ?1 RETURNING number";
    let number: Option<i64> = row(db, sql, [sku.as_str()], |row| row.get(0))?;
    if let Some(number) = number {
        execute(db, "DELETE FROM search_index WHERE rowid = ?1", [number])?;
    }
    if let Some(text) = text {
        execute(
            db,
            "INSERT INTO search_texts (number, sku, text) VALUES (?1, ?2, ?3)",
            params![number, sku.as_str(), text],
        )?;
        let number = db.last_insert_rowid();
        execute(db, "INSERT INTO search_index (rowid, text) VALUES (?1, ?2)", params![number, text])?;
    }
    Ok(())
}

fn count_word(db: &Connection, word: &str, more: i64) -> Result<()> {
    let sql = "INSERT INTO search_words (word, products) VALUES (?1, ?2)
        ON CONFLICT (word) DO UPDATE SET products = products + ?2 RETURNING products";
    let products: Option<i64> = row(db, sql, params![word, more], |row| row.get(0))?;
    match products {
        Some(0) => {
            execute(db, "DELETE FROM search_words WHERE word = ?1", [word])?;
            for trigram in trigrams(word) {
                let sql = "DELETE FROM search_trigrams WHERE trigram = ?1 AND word = ?2";
                execute(db, sql, params![trigram, word])?;
            }
        }
        Some(products) if products == more => {
            for trigram in trigrams(word) {
                execute(
                    db,
                    "INSERT INTO search_trigrams (trigram, word) VALUES (?1, ?2)",
                    params![trigram, word],
                )?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Makes the index again where it is of another version.
pub fn keep_current(db: &Connection) -> Result<()> {
    if schema::revision(db, "search")? == INDEX_VERSION {
        return Ok(());
    }
    db.execute_batch(
        "DELETE FROM search_texts; DELETE FROM search_words; DELETE FROM search_trigrams;
         INSERT INTO search_index (search_index) VALUES ('delete-all');",
    )?;
    let products: Vec<Product> = rows(db, "SELECT doc FROM products", [], |row| json(row, 0))?;
    index(db, &products)?;
    let sql = "UPDATE revisions SET revision = ?1 WHERE name = 'search'";
    execute(db, sql, [int(INDEX_VERSION)]).map(drop)
}
