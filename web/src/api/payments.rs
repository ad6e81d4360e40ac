//! What payment providers tell of their own accord.

use actix_web::{HttpRequest, HttpResponse, web};
use cart_core::{CartId, PaymentId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    headers::{WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP},
    operation::Operation,
    request::body_bytes,
};
use crate::{
    clock,
    problem::{Kind, Problem},
    shop::Shop,
    signature::{SignatureError, verify},
    wire::read,
};

/// Describes what providers ask.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/payments/webhook", webhook)
            .named("tellOfPayment", "Takes a payment provider's word that a payment has changed")
            .http_only()
            .about("Signed as Standard Webhooks has it; told again, it changes nothing.")
            .takes(WEBHOOK_ID)
            .takes(WEBHOOK_TIMESTAMP)
            .takes(WEBHOOK_SIGNATURE)
            .body::<Told>()
            .answers_nothing(204, "It was taken.")
            .problems(&[Kind::InvalidSignature]),
    ]
}

/// What a webhook says of a payment beside its name is asked of the provider: a message may be old by now.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "PaymentWebhook")]
struct Told {
    payment: PaymentId,
    cart: CartId,
}

/// `POST /api/v1/payments/webhook`: the provider's word that a payment has changed, signed as Standard Webhooks has it.
pub(super) async fn webhook(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let bytes = body_bytes(body).await?;
    believe(&shop, &request, &bytes)
        .map_err(|error| Problem::new(Kind::InvalidSignature, error.to_string()))?;
    let told: Told = read(&bytes)?;
    // Told twice, it is asked twice and changes nothing the second time.
    shop.checkout.resolve(&told.cart, Some(&told.payment)).await?;
    shop.checkout.settle_soon(told.cart);
    Ok(HttpResponse::NoContent().finish())
}

fn believe(shop: &Shop, request: &HttpRequest, body: &[u8]) -> Result<(), SignatureError> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(timestamp), Some(signatures)) = (
        header("webhook-id"),
        header("webhook-timestamp").and_then(|text| text.parse().ok()),
        header("webhook-signature"),
    ) else {
        return Err(SignatureError::Missing);
    };
    verify(&shop.webhook_secret, id, timestamp, signatures, body, clock::now_ms() / 1_000)
}
