//! The way between columns and values.

use std::{error::Error, str::FromStr};

use rusqlite::{Connection, Params, Row, types::Type};
use serde::{Serialize, de::DeserializeOwned};

use super::super::{Result, StoreError};

/// Reads a text column by the value's own parser.
pub fn parsed<T>(row: &Row<'_>, at: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    row.get_ref(at)?.as_str()?.parse().map_err(|e| unreadable(at, e))
}

/// Reads a text column by the value's own parser, where it is not null.
pub fn parsed_option<T>(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    let text = row.get_ref(at)?.as_str_or_null()?;
    text.map(|text| text.parse().map_err(|e| unreadable(at, e))).transpose()
}

/// Reads a text column as JSON.
pub fn json<T: DeserializeOwned>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(at)?.as_str()?).map_err(|e| unreadable(at, e))
}

/// Reads a number that is never negative.
pub fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let stored: i64 = row.get(at)?;
    u64::try_from(stored).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(at, stored))
}

fn unreadable(at: usize, error: impl Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error))
}

/// Returns a number as it is stored or compared with what is stored: SQLite's end at `i64::MAX`, which no count and no
/// position of a shop reaches.
pub fn int(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// Returns a value as JSON text.
pub fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::Corrupt(format!("a value has no JSON: {e}")))
}

/// Reads all rows of a query.
pub fn rows<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Reads the first row of a query, where there is one.
pub fn row<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    Ok(rows.next()?.map(read).transpose()?)
}

/// Runs a statement and returns how many rows it wrote.
pub fn execute(db: &Connection, sql: &str, params: impl Params) -> Result<usize> {
    Ok(db.prepare_cached(sql)?.execute(params)?)
}
