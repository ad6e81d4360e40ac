//! The one place that maps what went wrong to an HTTP status and a problem document (RFC 9457).

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use cart_core::{FieldError, Rejection};
use serde_json::json;

use crate::{
    carts::CartsError,
    checkout::CheckoutError,
    payment::PaymentError,
    store::{Accepted, Answer, StoreError},
};

/// How long a client is asked to wait when the shop is busy or its store away, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Is an answer that says no, how come, and how to mend it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    status: StatusCode,
    name: &'static str,
    detail: String,
    fields: Vec<FieldError>,
}

impl Problem {
    /// Returns a problem of a stable name.
    pub fn new(status: StatusCode, name: &'static str, detail: impl Into<String>) -> Self {
        Self { status, name, detail: detail.into(), fields: vec![] }
    }

    /// Says that the body is not JSON of the expected shape.
    pub fn invalid_json(detail: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_json", detail.to_string())
    }

    /// Says that a header or parameter cannot be read.
    pub fn invalid_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
    }

    /// Says that a quantity is no whole number in range.
    pub fn invalid_quantity(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_quantity", detail)
    }

    /// Says that nobody is known by the request.
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "say who you are: Authorization: Bearer <visitor_token>, as the answer that opened the cart gave it",
        )
    }

    /// Says that there is no such thing.
    pub fn not_found(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, name, detail)
    }

    /// Says that details of a step are wrong, field by field.
    pub fn invalid_details(fields: Vec<FieldError>) -> Self {
        Rejection::InvalidDetails { fields }.into()
    }

    /// Returns the stable name, as the channel gives it for a reason.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns what is wrong, field by field.
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut title = self.name.replace('_', " ").replace("json", "JSON");
        title[..1].make_ascii_uppercase();
        let mut document = json!({
            "type": format!("/problems/{}", self.name.replace('_', "-")),
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.fields.is_empty() {
            document["fields"] = json!(self.fields);
        }
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()));
        }
        response.content_type("application/problem+json").body(document.to_string())
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection.reason() {
            Rejection::NotOwner => StatusCode::FORBIDDEN,
            Rejection::StaleVersion { .. } => StatusCode::PRECONDITION_FAILED,
            Rejection::CartClosed { .. }
            | Rejection::CartEmpty
            | Rejection::StepOutOfOrder { .. }
            | Rejection::CheckoutIncomplete { .. }
            | Rejection::PriceChanged { .. }
            | Rejection::PaymentMismatch { .. }
            | Rejection::OutOfStock { .. } => StatusCode::CONFLICT,
            Rejection::InvalidQuantity { .. }
            | Rejection::UnknownSku { .. }
            | Rejection::CurrencyMismatch { .. }
            | Rejection::UnknownCode { .. }
            | Rejection::QuantityLimit { .. }
            | Rejection::LineNotFound { .. }
            | Rejection::CartFull
            | Rejection::InvalidDetails { .. }
            | Rejection::InBatch { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut problem = Self::new(status, rejection.name(), rejection.to_string());
        if let Rejection::InvalidDetails { fields } = rejection.reason() {
            problem.fields.clone_from(fields);
        }
        problem
    }
}

impl From<CartsError> for Problem {
    fn from(error: CartsError) -> Self {
        let name = match error {
            CartsError::Busy => "busy",
            CartsError::Unavailable => "unavailable",
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, name, error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the store did not answer a request");
        CartsError::Unavailable.into()
    }
}

impl From<CheckoutError> for Problem {
    fn from(error: CheckoutError) -> Self {
        match error {
            CheckoutError::Carts(error) => error.into(),
            CheckoutError::Payment(error) => {
                let status = match error {
                    PaymentError::Declined => StatusCode::PAYMENT_REQUIRED,
                    PaymentError::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
                    PaymentError::UnknownToken(_) => StatusCode::UNPROCESSABLE_ENTITY,
                };
                Self::new(status, error.name(), error.to_string())
            }
        }
    }
}

/// Takes what an answer accepted.
///
/// # Errors
/// The problem that a refusal is.
pub fn accepted(answer: Answer) -> Result<Accepted, Problem> {
    match answer {
        Answer::Accepted(accepted) => Ok(*accepted),
        Answer::Rejected(rejection) => Err(rejection.into()),
        Answer::UnknownCart => {
            Err(Problem::not_found("unknown_cart", "there is no such cart; open one first"))
        }
        Answer::KeyReused => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_mismatch",
            "the Idempotency-Key was used before for another request; use a new key for a new request",
        )),
        Answer::Unreadable => Err(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "unreadable_cart",
            "what the shop stored of this cart cannot be read; open another one, and tell the shop",
        )),
    }
}
