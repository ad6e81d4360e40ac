//! An endpoint: where events go, which, and under whose signature.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    clock,
    events::data::KINDS,
    signature,
    store::{OutboxEvent, Result, Store, StoreError, StoredEndpoint, VIEWED},
};

/// The most endpoints of a shop: each has a task and connections of its own.
pub const ENDPOINTS_MAX: usize = 20;
/// The longest description in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 200;
/// How often a change is tried that others are faster with.
const RACES_MAX: usize = 5;

/// Is an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name; the name of its sink as well.
    pub id: String,
    /// Where events are posted.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// The types of events that it wants; all where there are none, but for views of products, which are many and are sent to
    /// who names them.
    pub types: BTreeSet<String>,
    /// Tells whether it is sent anything.
    pub enabled: bool,
    /// Says why it was disabled, where the shop did that by itself.
    pub note: Option<String>,
    /// What it is signed with, the newest first: two while the older one is being replaced.
    pub secrets: Vec<Secret>,
    /// When it was made, in Unix milliseconds.
    pub created_at_ms: i64,
    /// Since when nothing arrives, in Unix milliseconds.
    pub failing_since_ms: Option<i64>,
    /// What of the past is sent again.
    pub replay: Option<Replay>,
}

/// Is a secret that signs until it ends.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The secret, `whsec_…`.
    pub key: String,
    /// When it no longer signs, in Unix milliseconds; never, of the newest.
    pub ends_at_ms: Option<i64>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("ends_at_ms", &self.ends_at_ms).finish_non_exhaustive()
    }
}

/// Is a part of the past that is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Events from here on, in Unix milliseconds.
    pub from_ms: i64,
    /// Events before this, in Unix milliseconds.
    pub to_ms: i64,
    /// The place in the outbox where it ends: what follows was not sent yet when it was asked for.
    pub end: u64,
}

impl Replay {
    /// Reports whether an event is to be sent again.
    pub fn means(&self, event: &OutboxEvent) -> bool {
        event.position <= self.end && (self.from_ms..self.to_ms).contains(&event.at_ms)
    }
}

impl Endpoint {
    /// Returns a new endpoint, whose first secret is known to whoever makes it.
    pub fn new(url: String, description: String, types: BTreeSet<String>) -> Self {
        Self {
            id: id_of(Uuid::new_v4().as_bytes()),
            url,
            description,
            types,
            enabled: true,
            note: None,
            secrets: vec![Secret { key: signature::new_secret(), ends_at_ms: None }],
            created_at_ms: clock::now_ms(),
            failing_since_ms: None,
            replay: None,
        }
    }

    /// Reports whether the endpoint wants a type of events.
    pub fn wants(&self, kind: &str) -> bool {
        self.types.contains(kind) || (self.types.is_empty() && kind != VIEWED)
    }

    /// Puts a new secret in front; the one before it signs beside it for a while, older ones no longer.
    pub fn rotate(&mut self, overlap_ms: i64) -> String {
        let key = signature::new_secret();
        self.secrets.truncate(1);
        for secret in &mut self.secrets {
            secret.ends_at_ms = Some(clock::now_ms().saturating_add(overlap_ms));
        }
        self.secrets.insert(0, Secret { key: key.clone(), ends_at_ms: None });
        key
    }

    /// Returns the signatures of a message, of each secret that has not ended.
    pub fn sign(&self, id: &str, now_ms: i64, body: &[u8]) -> String {
        let live = self.secrets.iter().filter(|secret| secret.ends_at_ms.is_none_or(|end| now_ms < end));
        let signatures = live.map(|secret| signature::sign(&secret.key, id, now_ms.div_euclid(1_000), body));
        signatures.collect::<Vec<_>>().join(" ")
    }

    /// Stops sending, and says why.
    pub fn disable(&mut self, note: Option<String>) {
        (self.enabled, self.note) = (false, note);
    }

    /// Begins to send again, where it stopped.
    pub fn enable(&mut self) {
        (self.enabled, self.note, self.failing_since_ms) = (true, None, None);
    }

    fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

/// Writes the name of an endpoint.
pub fn id_of(bytes: &[u8]) -> String {
    format!("wh_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Checks the types that an endpoint wants.
///
/// # Errors
/// Names the one that is none, and those that are.
pub fn check_types(types: &BTreeSet<String>) -> std::result::Result<(), String> {
    match types.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
        Some(kind) => Err(format!("{kind:?} is no type of events; the types are {}", KINDS.join(", "))),
        None => Ok(()),
    }
}

/// Reads all endpoints with their revisions; one that cannot be read is reported and left out.
///
/// # Errors
/// What the store says.
pub async fn all(store: &dyn Store) -> Result<Vec<(u64, Endpoint)>> {
    let read = |stored: StoredEndpoint| match serde_json::from_str(&stored.document) {
        Ok(endpoint) => Some((stored.revision, endpoint)),
        Err(error) => {
            tracing::error!(id = stored.id, %error, "the store holds an endpoint that cannot be read");
            None
        }
    };
    Ok(store.endpoints().await?.into_iter().filter_map(read).collect())
}

/// Saves a new endpoint, which begins with what happens from now on.
///
/// # Errors
/// What the store says.
pub async fn add(store: &dyn Store, endpoint: &Endpoint) -> Result<()> {
    store.begin_cursor(&endpoint.id).await?;
    store.save_endpoint(&endpoint.id, &endpoint.to_json()?, 0).await.map(drop)
}

/// Changes an endpoint, whoever else does meanwhile, and returns it as it is then; none where there is none.
///
/// # Errors
/// What the store says.
pub async fn change<T>(
    store: &dyn Store,
    id: &str,
    mut change: impl FnMut(&mut Endpoint) -> T + Send,
) -> Result<Option<(Endpoint, T)>> {
    let mut races = 0;
    loop {
        let found = all(store).await?.into_iter().find(|(_, endpoint)| endpoint.id == id);
        let Some((revision, mut endpoint)) = found else { return Ok(None) };
        let before = endpoint.clone();
        let outcome = change(&mut endpoint);
        if endpoint == before {
            return Ok(Some((endpoint, outcome)));
        }
        match store.save_endpoint(id, &endpoint.to_json()?, revision).await {
            Ok(_) => return Ok(Some((endpoint, outcome))),
            Err(StoreError::Conflict(_)) if races < RACES_MAX => races += 1,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_rotation_signs_beside_its_successor_until_it_ends() {
        let mut endpoint = Endpoint::new("https://shop.example/".into(), String::new(), BTreeSet::new());
        let first = endpoint.secrets[0].key.clone();
        let second = endpoint.rotate(1_000);
        let now_ms = clock::now_ms();
        let signed = |endpoint: &Endpoint, at_ms| endpoint.sign("id", at_ms, b"{}");
        let by = |key: &str, at_ms: i64| signature::sign(key, "id", at_ms / 1_000, b"{}");
        assert_eq!(signed(&endpoint, now_ms), format!("{} {}", by(&second, now_ms), by(&first, now_ms)));
        assert_eq!(signed(&endpoint, now_ms + 2_000), by(&second, now_ms + 2_000));
        let third = endpoint.rotate(1_000);
        assert_eq!(endpoint.secrets.len(), 2, "two live secrets are the most");
        assert_eq!(signed(&endpoint, now_ms), format!("{} {}", by(&third, now_ms), by(&second, now_ms)));
        assert!(!format!("{endpoint:?}").contains("whsec_"));
    }

    #[test]
    fn views_of_products_go_to_who_names_them() {
        let wants = |types: &[&str], kind| {
            let types = types.iter().map(|kind| (*kind).to_owned()).collect();
            Endpoint::new("https://example.org".into(), String::new(), types).wants(kind)
        };
        assert!(wants(&[], "order_placed") && !wants(&[], VIEWED));
        assert!(wants(&[VIEWED], VIEWED) && !wants(&[VIEWED], "order_placed"));
    }

    #[test]
    fn types_are_those_of_the_outbox() {
        assert_eq!(check_types(&["order_placed".to_owned()].into()), Ok(()));
        assert!(check_types(&["order_palced".to_owned()].into()).unwrap_err().contains("order_placed"));
    }
}
