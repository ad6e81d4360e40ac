//! How OFREP says no: `{"key": "…", "errorCode": "FLAG_NOT_FOUND", "errorDetails": "…"}`.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use experiments::json::{Json, Object};

use crate::problem::{Kind, Problem};

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

/// Is an answer that says no. Clients understand the statuses 400 and 404, and 429; others puzzle them.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{details}")]
pub struct Failure {
    /// The flag, where one was asked for: clients do not understand a failure of a flag without it.
    key: Option<String>,
    code: Code,
    details: String,
    status: StatusCode,
    retry_after_s: Option<u64>,
}

impl Failure {
    /// Returns a failure.
    pub fn new(code: Code, details: impl Into<String>) -> Self {
        let status = match code {
            Code::FlagNotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { key: None, code, details: details.into(), status, retry_after_s: None }
    }

    /// Says which flag was asked for.
    pub fn of(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// Answers with another status, and says when to ask again.
    pub fn with_status(mut self, status: StatusCode, retry_after_s: Option<u64>) -> Self {
        (self.status, self.retry_after_s) = (status, retry_after_s);
        self
    }

    /// Returns the failure as it stands among the flags of an answer.
    pub fn to_json(&self) -> Json {
        let key = self.key.iter().map(|key| ("key".to_owned(), Json::from(key.as_str())));
        let failure: Object = key.collect();
        failure.with("errorCode", self.code.as_str()).with("errorDetails", self.details.as_str()).into()
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

impl ResponseError for Failure {
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
            .body(self.to_json().to_string())
    }
}
