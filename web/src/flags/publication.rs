//! What the clients of a key are sent: the running experiments as a GrowthBook payload.

use actix_web::web::Bytes;
use experiments::{
    growthbook::encryption::encrypt_payload,
    json::{Json, Object},
};
use sha2::{Digest, Sha256};

use crate::{config::FlagClient, definitions::Definitions};

/// Is the payload of one version of the definitions, made once for all who ask.
#[derive(Debug)]
pub struct Publication {
    /// The version of the definitions.
    pub version: String,
    /// Names the content; the same on every node.
    pub digest: String,
    /// The payload as JSON text; none for clients that are only evaluated remotely.
    pub body: Option<Bytes>,
    /// The same as a server-sent event; clients without a payload are told that there is something to ask for.
    pub event: Bytes,
}

impl Publication {
    /// Makes the payload for a client.
    pub fn of(definitions: &Definitions, client: &FlagClient) -> Self {
        let plain = with_status(definitions.payload().source());
        let digest = digest(&[&Json::from(plain.clone()).to_string()]);
        let sent = match &client.encryption_key {
            // The initialisation vector is new for each text and comes from a generator that the system seeds.
            Some(key) => {
                encrypt_payload(&plain, key, rand::random).expect("the key was checked at the start")
            }
            None => plain,
        };
        let body = (!client.only_remote).then(|| Json::from(sent).to_string());
        let event = match &body {
            // JSON text has no line breaks.
            Some(body) => format!("id: {digest}\nevent: features\ndata: {body}\n\n"),
            None => format!("id: {digest}\nevent: features-updated\ndata: \n\n"),
        };
        let version = definitions.version().to_owned();
        Self { version, digest, body: body.map(Bytes::from), event: event.into() }
    }

    /// Returns the ETag. It is weak: what is encrypted has other bytes on each node, and means the same.
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.digest)
    }
}

/// Puts in front what GrowthBook's server says.
pub(super) fn with_status(payload: &Object) -> Object {
    let status = [("status".to_owned(), Json::from(200))];
    status.into_iter().chain(payload.iter().map(|(key, value)| (key.to_owned(), value.clone()))).collect()
}

/// Names a content by its parts.
pub(super) fn digest(parts: &[&str]) -> String {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part).chain_update([0]));
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
