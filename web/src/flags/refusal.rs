//! How GrowthBook's server says no: `{"status": 400, "error": "…"}`.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::problem::Problem;

/// Is an answer that says no, and how to mend it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    status: StatusCode,
    error: String,
    retry_after_s: Option<u64>,
}

impl Refusal {
    /// Returns a refusal of a status.
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), retry_after_s: None }
    }

    /// Says that a request makes no sense, as a key that nobody has.
    pub fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// Says after how many seconds to ask again, where that helps.
    pub fn after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_s = seconds;
        self
    }
}

/// Is a refusal as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FlagsRefusal")]
pub(super) struct Document<'a> {
    /// The HTTP status.
    status: u16,
    /// What is wrong, for people.
    error: &'a str,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::new(problem.status(), problem.detail())
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        response
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(Document { status: self.status.as_u16(), error: &self.error })
    }
}
