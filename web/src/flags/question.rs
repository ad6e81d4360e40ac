//! What is asked at the doors that evaluate: JSON as JavaScript writes it.

use actix_web::{HttpRequest, web};
use experiments::json::{Json, Object};

use crate::{
    api::request::json_bytes,
    problem::{Kind, Problem},
};

/// The largest question in bytes: a thousand attributes of a hundred bytes.
pub const QUESTION_BYTES_MAX: usize = 128 * 1_024;
/// Most keys of one object of a question, as GrowthBook's proxy has it.
pub const QUESTION_KEYS_MAX: usize = 1_000;

/// Reads an object of JSON.
///
/// # Errors
/// The problem with its type, its size or its shape.
pub(super) async fn object(request: &HttpRequest, body: web::Payload) -> Result<Object, Problem> {
    object_of(&json_bytes(request, body, QUESTION_BYTES_MAX).await?)
}

/// Reads an object of JSON from its bytes.
///
/// # Errors
/// The problem with its shape.
pub(super) fn object_of(bytes: &[u8]) -> Result<Object, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(Problem::new(Kind::InvalidJson, "the body must be an object")),
        Err(error) => Err(Problem::invalid_json(error)),
    }
}

/// Returns a field of a question; null counts as absent.
pub(super) fn field<'q>(question: &'q Object, name: &str) -> Option<&'q Json> {
    question.get(name).filter(|value| !value.is_null())
}

/// Counts what may be too much.
///
/// # Errors
/// Says what there is too much of.
pub(super) fn bounded(name: &str, count: usize) -> Result<(), String> {
    match count <= QUESTION_KEYS_MAX {
        true => Ok(()),
        false => Err(format!("{name} has {count} keys, the most allowed is {QUESTION_KEYS_MAX}")),
    }
}
