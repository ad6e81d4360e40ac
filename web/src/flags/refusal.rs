//! How the doors of flags say no: in the words of the protocol that was spoken.
//!
//! GrowthBook's server says `{"status": 400, "error": "…"}`, OFREP `{"key": "…", "errorCode": "FLAG_NOT_FOUND",
//! "errorDetails": "…"}`. Status, `Retry-After` and caching are the same in both.

use std::fmt::Debug;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use experiments::json::{Json, Object};
use schemars::JsonSchema;
use serde::Serialize;

use crate::problem::{Kind, Problem};

/// Is an answer that says no, and how to mend it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Refusal<W = GrowthBook> {
    status: StatusCode,
    error: String,
    retry_after_s: Option<u64>,
    words: W,
}

/// Says no as OFREP does. Clients understand the statuses 400 and 404, and 429; others puzzle them.
pub type Failure = Refusal<Ofrep>;

/// Is how a protocol words a refusal.
pub trait Words: Debug {
    /// Returns the body of the answer.
    fn body(&self, status: StatusCode, error: &str) -> Json;
}

impl<W> Refusal<W> {
    /// Answers with another status, and says after how many seconds to ask again, where that helps.
    pub fn with_status(self, status: StatusCode, retry_after_s: Option<u64>) -> Self {
        Self { status, retry_after_s, ..self }
    }
}

impl<W: Words> ResponseError for Refusal<W> {
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
            .content_type("application/json")
            .body(self.words.body(self.status, &self.error).to_string())
    }
}

/// Is GrowthBook's words, which are no more than the status and a sentence.
#[derive(Clone, Copy, Debug)]
pub struct GrowthBook;

impl Words for GrowthBook {
    fn body(&self, status: StatusCode, error: &str) -> Json {
        Object::default().with("status", u32::from(status.as_u16())).with("error", error).into()
    }
}

impl Refusal {
    /// Says that a request makes no sense, as a key that nobody has.
    pub fn bad_request(error: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: error.into(), retry_after_s: None, words: GrowthBook }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::bad_request(problem.detail()).with_status(problem.status(), None)
    }
}

/// Is a refusal as GrowthBook's clients see it, for the API's document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FlagsRefusal")]
pub(super) struct Document {
    /// The HTTP status.
    status: u16,
    /// What is wrong, for people.
    error: String,
}

/// Is OFREP's words.
#[derive(Clone, Debug)]
pub struct Ofrep {
    /// The flag, where one was asked for: clients do not understand a failure of a flag without it.
    key: Option<String>,
    code: Code,
}

/// Names what went wrong, in OFREP's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The body cannot be read.
    ParseError,
    /// The context names no unit.
    TargetingKeyMissing,
    /// The context has not the right shape.
    InvalidContext,
    /// There is no such flag.
    FlagNotFound,
    /// Anything else.
    General,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::ParseError => "PARSE_ERROR",
            Self::TargetingKeyMissing => "TARGETING_KEY_MISSING",
            Self::InvalidContext => "INVALID_CONTEXT",
            Self::FlagNotFound => "FLAG_NOT_FOUND",
            Self::General => "GENERAL",
        }
    }
}

impl Words for Ofrep {
    fn body(&self, _: StatusCode, error: &str) -> Json {
        let key = self.key.iter().map(|key| ("key".to_owned(), Json::from(key.as_str())));
        let body: Object = key.collect();
        body.with("errorCode", self.code.as_str()).with("errorDetails", error).into()
    }
}

impl Failure {
    /// Returns a failure.
    pub fn new(code: Code, error: impl Into<String>) -> Self {
        let status = match code {
            Code::FlagNotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, error: error.into(), retry_after_s: None, words: Ofrep { key: None, code } }
    }

    /// Says which flag was asked for.
    pub fn of(mut self, key: &str) -> Self {
        self.words.key = Some(key.to_owned());
        self
    }

    /// Returns the failure as it stands among the flags of an answer.
    pub fn to_json(&self) -> Json {
        self.words.body(self.status, &self.error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let code = match problem.kind() {
            Kind::BodyTooLarge => Code::InvalidContext,
            _ => Code::ParseError,
        };
        Self::new(code, problem.detail())
    }
}
