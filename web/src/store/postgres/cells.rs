//! Reading cells back into the domain's types; what does not fit is reported, not guessed.

use std::{fmt::Display, str::FromStr};

use serde::de::DeserializeOwned;
use tokio_postgres::{Row, types::FromSql};

use super::super::{Result, StoreError};

/// Reads a cell.
pub fn cell<'r, T: FromSql<'r>>(row: &'r Row, column: &str) -> Result<T> {
    row.try_get(column).map_err(|error| corrupt(column, &error))
}

/// Reads a whole number that is never negative.
pub fn number<T: TryFrom<i64, Error: Display>>(row: &Row, column: &str) -> Result<T> {
    T::try_from(cell(row, column)?).map_err(|error| corrupt(column, &error))
}

/// Parses a text.
pub fn parsed<T: FromStr<Err: Display>>(row: &Row, column: &str) -> Result<T> {
    cell::<&str>(row, column)?.parse().map_err(|error| corrupt(column, &error))
}

/// Parses a text where there is one.
pub fn parsed_option<T: FromStr<Err: Display>>(row: &Row, column: &str) -> Result<Option<T>> {
    let text: Option<&str> = cell(row, column)?;
    text.map(|t| t.parse().map_err(|error| corrupt(column, &error))).transpose()
}

/// Parses JSON that was selected as text.
pub fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T> {
    serde_json::from_str(cell(row, column)?).map_err(|error| corrupt(column, &error))
}

/// Parses JSON that was selected as text, where there is some.
pub fn json_option<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>> {
    let text: Option<&str> = cell(row, column)?;
    text.map(|t| serde_json::from_str(t).map_err(|error| corrupt(column, &error))).transpose()
}

/// Turns a number into what a column takes; beyond its range it stays at the edge.
pub fn bigint(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Serialises a value of the domain; that cannot fail, as none of them has a map with odd keys.
pub fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| corrupt("a value", &error))
}

fn corrupt(column: &str, why: &dyn Display) -> StoreError {
    StoreError::Corrupt(format!("{column}: {why}"))
}
