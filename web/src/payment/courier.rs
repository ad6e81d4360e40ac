//! The courier of the sandbox: it carries its webhooks to the shop, as a provider does over the network.

use std::time::Duration;

use reqwest::Client;
use serde_json::json;
use uuid::Uuid;

use super::{PaymentError, Sandbox, book::BookError, sandbox::Row};
use crate::clock;
use crate::signature::sign;

/// How often the sandbox looks for what is to be told.
const PAUSE: Duration = Duration::from_millis(250);
/// The most webhooks of one round.
const ROUND_MAX: u32 = 50;

/// Carries webhooks to an address for ever.
pub async fn run(sandbox: Sandbox, secret: String, url: String) {
    let http = Client::builder().timeout(Duration::from_secs(10)).build().unwrap_or_default();
    loop {
        if let Err(error) = round(&sandbox, &http, &secret, &url).await {
            tracing::warn!(%error, "the sandbox cannot tell of its payments");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn round(sandbox: &Sandbox, http: &Client, secret: &str, url: &str) -> Result<(), BookError> {
    for (payment, row) in sandbox.to_tell(ROUND_MAX).await? {
        let Row { cart, state, amount_minor, .. } = row;
        let body =
            json!({"type": format!("payment.{state}"), "payment": payment, "cart": cart, "amount_minor": amount_minor})
                .to_string();
        let (id, timestamp) = (Uuid::now_v7().simple().to_string(), clock::now_ms() / 1_000);
        let sent = http
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", sign(secret, &id, timestamp, body.as_bytes()))
            .header("webhook-id", id)
            .body(body)
            .send()
            .await;
        let was_taken = sent.is_ok_and(|answer| answer.status().is_success());
        if !was_taken {
            tracing::debug!(%payment, "{}; the webhook is sent again", PaymentError::TimedOut);
        }
        sandbox.told(&payment, was_taken).await?;
    }
    Ok(())
}
