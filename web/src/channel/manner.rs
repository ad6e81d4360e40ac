//! How a push is to be run: once a key, and only on the version that its client knows. What headers say over HTTP, members of the
//! payload say here.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::frame::Message;
use crate::{
    api::request::{KEY_BYTES_MAX, is_idempotency_key},
    carts::IdempotencyKey,
    problem::Problem,
};

pub(super) const KEY: &str = "idempotency_key";
pub(super) const VERSION: &str = "if_version";

/// Is how a push is to be run.
#[derive(Debug, Default)]
pub struct Manner {
    /// The key, where the client wants to be able to ask again.
    pub key: Option<IdempotencyKey>,
    /// The version that the cart must have.
    pub expected_version: Option<u64>,
}

/// Takes what says how a push is to be run out of its payload; the rest says what is to be done.
///
/// # Errors
/// The problem `invalid_request`.
pub fn take_manner(message: &mut Message) -> Result<Manner, Problem> {
    let Value::Object(payload) = &mut message.payload else { return Ok(Manner::default()) };
    let (key, version) = (payload.remove(KEY), payload.remove(VERSION));
    let expected_version = version.map(|version| {
        let wrong =
            || Problem::invalid_request(format!("{VERSION} must be the version of a cart, as it tells it"));
        version.as_u64().ok_or_else(wrong)
    });
    let key = key.map(|key| match key.as_str() {
        Some(key) if is_idempotency_key(key) => Ok(key.to_owned()),
        _ => Err(Problem::invalid_request(format!(
            "{KEY} must be 1 to {KEY_BYTES_MAX} printable ASCII characters"
        ))),
    });
    let key = key.transpose()?.map(|key| {
        let asked = Sha256::new().chain_update(&message.event).chain_update([0]);
        let asked = asked.chain_update(message.payload.to_string()).finalize();
        IdempotencyKey { key, fingerprint: hex::encode(&asked[..16]) }
    });
    Ok(Manner { key, expected_version: expected_version.transpose()? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn push(payload: Value) -> Message {
        Message { join_ref: None, reference: None, topic: "cart:1".into(), event: "command".into(), payload }
    }

    #[test]
    fn a_key_stands_for_the_rest_of_the_push() {
        let mut message = push(json!({"type": "clear", "idempotency_key": "k1", "if_version": 7}));
        let manner = take_manner(&mut message).unwrap();
        assert_eq!((message.payload, manner.expected_version), (json!({"type": "clear"}), Some(7)));
        let key = manner.key.unwrap();
        let same =
            take_manner(&mut push(json!({"idempotency_key": "k1", "type": "clear"}))).unwrap().key.unwrap();
        let other =
            take_manner(&mut push(json!({"idempotency_key": "k1", "type": "lapse"}))).unwrap().key.unwrap();
        assert_eq!((key.key.as_str(), &key.fingerprint), ("k1", &same.fingerprint));
        assert_ne!(key.fingerprint, other.fingerprint);
        assert!(take_manner(&mut push(json!({"type": "clear"}))).unwrap().key.is_none());
        let long = "k".repeat(KEY_BYTES_MAX + 1);
        for bad in [
            json!({"idempotency_key": ""}),
            json!({"idempotency_key": 1}),
            json!({"idempotency_key": "é"}),
            json!({"idempotency_key": long}),
            json!({"if_version": -1}),
            json!({"if_version": "7"}),
        ] {
            assert!(take_manner(&mut push(bad.clone())).is_err(), "{bad}");
        }
    }
}
