//! The way from the driver's errors to those that callers branch on.

use std::error::Error as _;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::{
    Error,
    error::{DbError, Severity, SqlState},
};

use super::super::StoreError;

/// Translates an error of the pool: nothing was sent yet.
pub fn of_pool(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => of_query(&error),
        PoolError::Timeout(TimeoutType::Wait) => StoreError::Unavailable("all connections are busy".into()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// Translates an error of a statement that writes nothing, or whose transaction was not asked to commit.
pub fn of_query(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(db) if is_lost_race(db) => StoreError::Conflict(words(error)),
        _ => StoreError::Unavailable(words(error)),
    }
}

/// Translates an error of a commit, or of a statement that commits by itself. Only the server can say that nothing
/// was written, and only while the session lives: a session that ends may have committed before.
pub fn of_commit(error: &Error) -> StoreError {
    match error.as_db_error().and_then(DbError::parsed_severity) {
        Some(Severity::Error) => of_query(error),
        _ => StoreError::Unknown(words(error)),
    }
}

fn is_lost_race(error: &DbError) -> bool {
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::CHECK_VIOLATION,
        // How a statement says that it did not write as many rows as it had to.
        SqlState::DIVISION_BY_ZERO,
    ]
    .contains(error.code())
}

/// Says what happened, with its causes; the driver's own words leave them out.
pub fn words(error: &Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", db.message(), db.code().code());
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
