//! Secrets and signatures of webhooks, both those that come in and those that go out, as Standard Webhooks has them
//! (<https://www.standardwebhooks.com>): HMAC-SHA-256 over `id.timestamp.body`, in base64, after `v1,`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Begins a secret whose bytes are written in base64.
const PREFIX: &str = "whsec_";
/// The bytes of a new secret; the specification allows 24 to 64.
const SECRET_BYTES: usize = 32;

/// How far a webhook's time may be from ours, in seconds: whoever records one cannot send it again later.
pub const TOLERANCE_SECONDS: i64 = 300;

/// Says why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing or cannot be read.
    #[error("webhook-id, webhook-timestamp and webhook-signature must be there")]
    Missing,
    /// It is too old, or from the future.
    #[error("webhook-timestamp is more than {TOLERANCE_SECONDS} seconds from now")]
    OutOfTime,
    /// No signature fits.
    #[error("webhook-signature does not fit the body")]
    Wrong,
}

/// Makes a secret.
pub fn new_secret() -> String {
    let bytes: [u8; SECRET_BYTES] = rand::random();
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// Returns the bytes of a secret: those that base64 after `whsec_` stands for, else the text itself.
fn key_of(secret: &str) -> Vec<u8> {
    let encoded = secret.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
    encoded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn mac(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key_of(secret)).expect("a key of any length will do");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    mac
}

/// Returns the signature of a body. The example is the specification's own.
///
/// ```
/// # use web::signature::sign;
/// let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// let signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, br#"{"test": 2432232314}"#);
/// assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
/// ```
pub fn sign(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> String {
    format!("v1,{}", STANDARD.encode(mac(secret, id, timestamp, body).finalize().into_bytes()))
}

/// Checks the signatures of a body, of which one must fit: while a secret is changed there are two.
///
/// # Errors
/// [`SignatureError`].
pub fn verify(
    secret: &str,
    id: &str,
    timestamp: i64,
    signatures: &str,
    body: &[u8],
    now: i64,
) -> Result<(), SignatureError> {
    if (now - timestamp).abs() > TOLERANCE_SECONDS {
        return Err(SignatureError::OutOfTime);
    }
    let fits = |signature: &str| {
        let bytes = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        bytes.is_some_and(|bytes| mac(secret, id, timestamp, body).verify_slice(&bytes).is_ok())
    };
    if signatures.split(' ').any(fits) { Ok(()) } else { Err(SignatureError::Wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_in_time_is_believed() {
        let signed = sign("secret", "m1", 1_000, b"{}");
        let check =
            |id, at, signatures: &str, body: &[u8], now| verify("secret", id, at, signatures, body, now);
        assert_eq!(check("m1", 1_000, &signed, b"{}", 1_300), Ok(()));
        assert_eq!(check("m1", 1_000, &format!("v1,AAAA {signed}"), b"{}", 1_000), Ok(()));
        assert_eq!(check("m1", 1_000, &signed, b"{}", 1_301), Err(SignatureError::OutOfTime));
        assert_eq!(check("m1", 1_000, &signed, b"{}", 699), Err(SignatureError::OutOfTime));
        for (id, at, signatures, body) in [
            ("m2", 1_000, signed.as_str(), b"{}".as_slice()),
            ("m1", 1_001, &signed, b"{}"),
            ("m1", 1_000, &signed, b"{ }"),
            ("m1", 1_000, "v1,", b"{}"),
            ("m1", 1_000, "", b"{}"),
            ("m1", 1_000, &signed[3..], b"{}"),
        ] {
            assert_eq!(
                check(id, at, signatures, body, 1_000),
                Err(SignatureError::Wrong),
                "{id} {signatures}"
            );
        }
    }

    /// The example of the specification, version 1.0.0.
    #[test]
    fn a_known_body_has_its_known_signature() {
        let body = br#"{"event_type":"ping","data":{"success":true}}"#;
        let signed = sign("whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", 1_731_705_121, body);
        assert_eq!(signed, "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
    }
}
