//! The one place that maps what went wrong to an HTTP status and a problem document (RFC 9457).

pub mod kind;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use cart_core::{FieldError, Rejection, VisitorId};
use schemars::JsonSchema;
use serde::Serialize;

pub use kind::Kind;

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
    kind: Kind,
    detail: String,
    fields: Vec<FieldError>,
    retry_after_s: Option<u32>,
}

impl Problem {
    /// Returns a problem of a kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), fields: vec![], retry_after_s: None }
    }

    /// Says that the body is not JSON of the expected shape.
    pub fn invalid_json(detail: impl std::fmt::Display) -> Self {
        Self::new(Kind::InvalidJson, detail.to_string())
    }

    /// Says that a header or parameter cannot be read.
    pub fn invalid_request(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidRequest, detail)
    }

    /// Says that a quantity is no whole number in range.
    pub fn invalid_quantity(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidQuantity, detail)
    }

    /// Says that nobody is known by the request.
    pub fn unauthorized() -> Self {
        Self::new(
            Kind::Unauthorized,
            "say who you are: Authorization: Bearer <visitor_token>, as the answer that opened the cart gave it",
        )
    }

    /// Says that nobody of that id has an account.
    pub fn unknown_customer(id: &VisitorId) -> Self {
        Self::new(Kind::UnknownCustomer, format!("nobody with the id {id} has an account"))
    }

    /// Says that nobody is logged in.
    pub fn not_logged_in() -> Self {
        Self::new(Kind::NotLoggedIn, "log in first: POST /api/v1/sessions")
    }

    /// Says that the session of the request's token has ended.
    pub fn session_ended() -> Self {
        Self::new(Kind::SessionEnded, "the session has ended; log in again: POST /api/v1/sessions")
    }

    /// Says that details of a step are wrong, field by field.
    pub fn invalid_details(fields: Vec<FieldError>) -> Self {
        Rejection::InvalidDetails { fields }.into()
    }

    /// Says that somebody has asked more often than they may, and when they may again.
    pub fn too_many_requests(of: &str, wait_seconds: u64) -> Self {
        let detail = format!("the {of} has asked more often than it may; ask again in {wait_seconds} s");
        let retry_after_s = Some(u32::try_from(wait_seconds).unwrap_or(u32::MAX));
        Self { retry_after_s, ..Self::new(Kind::TooManyRequests, detail) }
    }

    /// Says when to ask again, in seconds.
    #[must_use]
    pub fn with_retry_after_s(self, seconds: u32) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the stable name, as the channel gives it for a reason.
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Returns the sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns a sentence that says how to mend it.
    pub fn mend(&self) -> &'static str {
        self.kind.mend()
    }

    /// Returns what is wrong, field by field.
    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }

    /// Returns the seconds after which to ask again, where waiting helps.
    pub fn retry_after_s(&self) -> Option<u32> {
        let busy = (self.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_SECONDS);
        self.retry_after_s.or(busy)
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        let document = Document {
            kind: self.kind.uri(),
            title: self.kind.title(),
            status: self.status().as_u16(),
            code: self.name(),
            detail: &self.detail,
            mend: self.mend(),
            fields: &self.fields,
        };
        let mut response = HttpResponse::build(self.status());
        if let Some(seconds) = self.retry_after_s() {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if self.kind == Kind::NotAdmin {
            response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"shop\", charset=\"UTF-8\""));
        }
        let body = serde_json::to_string(&document).expect("texts are JSON");
        response.content_type("application/problem+json").body(body)
    }
}

/// Is a problem as clients see it (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Document<'a> {
    /// Names the kind; the address of a page about it.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = "^/problems/[a-z-]+$"))]
    kind: String,
    /// The kind for people.
    title: String,
    /// The HTTP status.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// The stable name of the kind, to branch on.
    code: &'a str,
    /// A sentence about this request.
    detail: &'a str,
    /// A sentence that says how to mend it.
    mend: &'a str,
    /// What is wrong, field by field.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [FieldError],
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let mut problem = Self::new(kind_of(&rejection), rejection.to_string());
        match rejection.reason() {
            Rejection::InvalidDetails { fields } => problem.fields.clone_from(fields),
            Rejection::AddressNotServed { .. } => {
                let message = "is one that the shop does not send to".into();
                problem.fields = vec![FieldError { field: "country".into(), message }];
            }
            _ => {}
        }
        problem
    }
}

fn kind_of(rejection: &Rejection) -> Kind {
    match rejection {
        Rejection::NotOwner => Kind::NotOwner,
        Rejection::StaleVersion { .. } => Kind::StaleVersion,
        Rejection::CartClosed { .. } => Kind::CartClosed,
        Rejection::CartMerged { .. } => Kind::CartMerged,
        Rejection::CartExpired => Kind::CartExpired,
        Rejection::InvalidQuantity { .. } => Kind::InvalidQuantity,
        Rejection::UnknownSku { .. } => Kind::UnknownSku,
        Rejection::CurrencyMismatch { .. } => Kind::CurrencyMismatch,
        Rejection::QuantityLimit { .. } => Kind::QuantityLimit,
        Rejection::PropertyRefused { .. } => Kind::PropertyRefused,
        Rejection::UnknownCode { .. } => Kind::UnknownCode,
        Rejection::LineNotFound { .. } => Kind::LineNotFound,
        Rejection::ParcelNotFound { .. } => Kind::ParcelNotFound,
        Rejection::GiftLine { .. } => Kind::GiftLine,
        Rejection::GiftNotFound { .. } => Kind::GiftNotFound,
        Rejection::CartFull => Kind::CartFull,
        Rejection::CartEmpty => Kind::CartEmpty,
        Rejection::StepOutOfOrder { .. } => Kind::StepOutOfOrder,
        Rejection::InvalidDetails { .. } => Kind::InvalidDetails,
        Rejection::AddressNotServed { .. } => Kind::AddressNotServed,
        Rejection::CheckoutIncomplete { .. } => Kind::CheckoutIncomplete,
        Rejection::PriceChanged { .. } => Kind::PriceChanged,
        Rejection::UnknownGiftCard { .. } => Kind::UnknownGiftCard,
        Rejection::GiftCardCurrency { .. } => Kind::GiftCardCurrency,
        Rejection::GiftCardDisabled { .. } => Kind::GiftCardDisabled,
        Rejection::GiftCardExpired { .. } => Kind::GiftCardExpired,
        Rejection::GiftCardEmpty { .. } => Kind::GiftCardEmpty,
        Rejection::PromotionUsedUp { .. } => Kind::PromotionUsedUp,
        Rejection::GiftsChanged { .. } => Kind::GiftsChanged,
        Rejection::PaymentCancelled => Kind::PaymentCancelled,
        Rejection::PaymentMismatch { .. } => Kind::PaymentMismatch,
        Rejection::NotOrdered { .. } => Kind::NotOrdered,
        Rejection::OrderState { .. } => Kind::OrderState,
        Rejection::CancelTooLate { .. } => Kind::CancelTooLate,
        Rejection::RefundTooLarge { .. } => Kind::RefundTooLarge,
        Rejection::OutOfStock { .. } => Kind::OutOfStock,
        Rejection::InBatch { because, .. } => kind_of(because),
    }
}

impl From<CartsError> for Problem {
    fn from(error: CartsError) -> Self {
        let kind = match error {
            CartsError::Busy => Kind::Busy,
            CartsError::Unavailable => Kind::Unavailable,
        };
        Self::new(kind, error.to_string())
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
            CheckoutError::Store(error) => error.into(),
            CheckoutError::Payment(error) => {
                let kind = match error {
                    PaymentError::Declined => Kind::PaymentDeclined,
                    PaymentError::TimedOut => Kind::PaymentTimeout,
                    PaymentError::Cancelled => Kind::PaymentCancelled,
                    PaymentError::UnknownToken(_) => Kind::UnknownPaymentToken,
                };
                Self::new(kind, error.to_string())
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
        Answer::UnknownCart => Err(Problem::new(Kind::UnknownCart, "there is no such cart; open one first")),
        Answer::KeyReused => Err(Problem::new(
            Kind::IdempotencyMismatch,
            "the Idempotency-Key was used before for another request; use a new key for a new request",
        )),
        Answer::Unreadable => Err(Problem::new(
            Kind::UnreadableCart,
            "what the shop stored of this cart cannot be read; open another one, and tell the shop",
        )),
    }
}
