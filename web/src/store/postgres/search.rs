//! The index of words: a GIN index of lexemes finds products, two plain tables find words.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::{Product, Sku};
use deadpool_postgres::Client;

use super::{
    super::{
        Result, SearchStore, StoreError,
        search::{IndexChange, after_all_of},
    },
    PostgresStore,
    cells::{bigint, cell, json, number, parsed},
    transaction::{Transaction, bounded, execute, query},
};
use crate::search::{
    terms::{Alternative, Terms},
    typo::trigrams,
    words::{GAP, INDEX_VERSION},
};

/// The places that a `tsvector` knows of one lexeme, and the highest it tells from another.
const PLACES_MAX: usize = 255;
const PLACE_MAX: usize = 16_383;

#[async_trait]
impl SearchStore for PostgresStore {
    async fn matching(&self, terms: &Terms, limit: usize) -> Result<Vec<Sku>> {
        bounded(matching(&self.client().await?, &query_of(terms), limit)).await
    }

    async fn knows_word(&self, word: &str, is_prefix: bool) -> Result<bool> {
        bounded(knows_word(&self.client().await?, word, is_prefix)).await
    }

    async fn words_alike(
        &self,
        trigrams: &[String],
        least: usize,
        limit: usize,
    ) -> Result<Vec<(String, u64)>> {
        bounded(words_alike(&self.client().await?, trigrams, least, limit)).await
    }
}

/// Writes terms in the language of `tsquery`. Every word is quoted, and holds nothing but letters and digits.
fn query_of(terms: &Terms) -> String {
    let alternative = |a: &Alternative| {
        let words: Vec<String> = a.words.iter().map(|word| format!("'{word}'")).collect();
        format!("({}{})", words.join(" <-> "), if a.is_prefix { ":*" } else { "" })
    };
    let term = |alternatives: &[Alternative]| {
        format!("({})", alternatives.iter().map(alternative).collect::<Vec<_>>().join(" | "))
    };
    terms.0.iter().map(|t| term(&t.0)).collect::<Vec<_>>().join(" & ")
}

/// Writes a text as a `tsvector`: each word with its places; a gap takes a place and is no word.
fn vector_of(text: &str) -> String {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (n, word) in text.split(' ').enumerate().filter(|(_, word)| !word.is_empty() && *word != GAP) {
        let places = places.entry(word).or_default();
        if places.len() < PLACES_MAX {
            places.push((n + 1).min(PLACE_MAX).to_string());
        }
    }
    let words: Vec<_> = places.into_iter().map(|(word, at)| format!("'{word}':{}", at.join(","))).collect();
    words.join(" ")
}

async fn matching(client: &Client, words: &str, limit: usize) -> Result<Vec<Sku>> {
    const SQL: &str = "SELECT coalesce(array_agg(sku), '{}') AS skus FROM (
            SELECT sku FROM search_texts WHERE words @@ $1::text::tsquery LIMIT $2
        ) AS found";
    let rows = query(client, SQL, &[&words, &bigint(limit)]).await?;
    let skus: Vec<&str> = rows.first().map_or(Ok(vec![]), |row| cell(row, "skus"))?;
    skus.into_iter().map(|sku| sku.parse().map_err(|e| StoreError::Corrupt(format!("sku: {e}")))).collect()
}

async fn knows_word(client: &Client, word: &str, is_prefix: bool) -> Result<bool> {
    const SQL: &str = "SELECT 1 FROM search_words WHERE word BETWEEN $1 AND $2 LIMIT 1";
    let end = if is_prefix { after_all_of(word) } else { word.to_owned() };
    Ok(!query(client, SQL, &[&word, &end]).await?.is_empty())
}

async fn words_alike(
    client: &Client,
    trigrams: &[String],
    least: usize,
    limit: usize,
) -> Result<Vec<(String, u64)>> {
    const SQL: &str = "SELECT word, products FROM (
            SELECT word, count(*) AS shared FROM search_trigrams WHERE trigram = ANY ($1::text[])
            GROUP BY word HAVING count(*) >= $2 ORDER BY shared DESC, word LIMIT $3
        ) AS alike JOIN search_words USING (word)";
    let rows = query(client, SQL, &[&trigrams, &bigint(least), &bigint(limit)]).await?;
    rows.iter().map(|row| Ok((parsed(row, "word")?, number(row, "products")?))).collect()
}

/// Brings the index up to date with products that were put. The caller holds the lock on the catalogue.
pub async fn index(transaction: &Transaction, products: &[&Product]) -> Result<()> {
    const BEFORE: &str = "SELECT sku, text FROM search_texts WHERE sku = ANY ($1::text[])";
    let skus: Vec<&str> = products.iter().map(|p| p.sku.as_str()).collect();
    let mut before = BTreeMap::new();
    for row in &query(transaction, BEFORE, &[&skus]).await? {
        before.insert(parsed(row, "sku")?, cell(row, "text")?);
    }
    let change = IndexChange::of(products.iter().copied(), &before);
    write_texts(transaction, &change).await?;
    count_words(transaction, &change).await
}

async fn write_texts(transaction: &Transaction, change: &IndexChange) -> Result<()> {
    const DELETE: &str = "DELETE FROM search_texts WHERE sku = ANY ($1::text[])";
    const INSERT: &str = "INSERT INTO search_texts (sku, text, words)
        SELECT w.sku, w.text, w.words::tsvector
        FROM unnest($1::text[], $2::text[], $3::text[]) AS w (sku, text, words)
        ON CONFLICT (sku) DO UPDATE SET text = excluded.text, words = excluded.words";
    let hidden: Vec<&str> =
        change.texts.iter().filter(|(_, text)| text.is_none()).map(|(sku, _)| sku.as_str()).collect();
    if !hidden.is_empty() {
        execute(transaction, DELETE, &[&hidden]).await?;
    }
    let shown = change.texts.iter().filter_map(|(sku, text)| Some((sku.as_str(), text.as_deref()?)));
    let (skus, texts): (Vec<&str>, Vec<&str>) = shown.unzip();
    let vectors: Vec<String> = texts.iter().map(|text| vector_of(text)).collect();
    execute(transaction, INSERT, &[&skus, &texts, &vectors]).await.map(drop)
}

async fn count_words(transaction: &Transaction, change: &IndexChange) -> Result<()> {
    const COUNT: &str = "INSERT INTO search_words AS s (word, products)
        SELECT * FROM unnest($1::text[], $2::int8[])
        ON CONFLICT (word) DO UPDATE SET products = s.products + excluded.products
        RETURNING word, products";
    const FORGET: &str =
        "WITH gone AS (DELETE FROM search_words WHERE word = ANY ($1::text[]) RETURNING word)
        DELETE FROM search_trigrams AS t USING gone
        WHERE t.trigram = ANY ($2::text[]) AND t.word = gone.word";
    const LEARN: &str = "INSERT INTO search_trigrams (trigram, word)
        SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING";
    if change.words.is_empty() {
        return Ok(());
    }
    let words: Vec<&str> = change.words.keys().map(String::as_str).collect();
    let more: Vec<i64> = change.words.values().copied().collect();
    let rows = query(transaction, COUNT, &[&words, &more]).await?;
    let (mut gone, mut trigrams_gone) = (vec![], vec![]);
    let (mut new_trigrams, mut new_words) = (vec![], vec![]);
    for row in &rows {
        let (word, products): (&str, i64) = (cell(row, "word")?, cell(row, "products")?);
        if products == 0 {
            trigrams_gone.extend(trigrams(word));
            gone.push(word);
        } else if change.words.get(word) == Some(&products) {
            for trigram in trigrams(word) {
                new_trigrams.push(trigram);
                new_words.push(word);
            }
        }
    }
    if !gone.is_empty() {
        execute(transaction, FORGET, &[&gone, &trigrams_gone]).await?;
    }
    execute(transaction, LEARN, &[&new_trigrams, &new_words]).await.map(drop)
}

/// Makes the index again where it is of another version.
pub async fn keep_current(transaction: &Transaction) -> Result<()> {
    const VERSION: &str = "SELECT revision FROM revisions WHERE name = 'search' FOR UPDATE";
    const DOCS: &str = "SELECT doc::text FROM products";
    const SET: &str = "UPDATE revisions SET revision = $1 WHERE name = 'search'";
    let rows = query(transaction, VERSION, &[]).await?;
    let version: u64 = rows.first().map_or(Ok(0), |row| number(row, "revision"))?;
    if version == INDEX_VERSION {
        return Ok(());
    }
    for table in ["search_texts", "search_words", "search_trigrams"] {
        execute(transaction, &format!("DELETE FROM {table}"), &[]).await?;
    }
    let docs = query(transaction, DOCS, &[]).await?;
    let products: Vec<Product> = docs.iter().map(|row| json(row, "doc")).collect::<Result<_>>()?;
    for some in products.chunks(1_000) {
        index(transaction, &some.iter().collect::<Vec<_>>()).await?;
    }
    execute(transaction, SET, &[&bigint(INDEX_VERSION)]).await.map(drop)
}
