//! What is done with endpoints, by the API and by the pages.

use std::{collections::BTreeSet, time::Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    problem::{Kind, Problem},
    shop::Shop,
    store::{StoreError, webhooks::replay_cursor},
    webhooks::{
        Endpoint,
        endpoint::{self, DESCRIPTION_BYTES_MAX, ENDPOINTS_MAX, Replay},
        target::{self, URL_BYTES_MAX},
    },
};

/// Is an endpoint to make.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEndpoint {
    /// Where events are posted: an `https` address.
    #[schemars(length(max = URL_BYTES_MAX))]
    pub url: String,
    /// What it is for.
    #[serde(default)]
    #[schemars(length(max = DESCRIPTION_BYTES_MAX))]
    pub description: String,
    /// The types of events that it is sent; all where none are named.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub types: BTreeSet<String>,
}

/// Is what changes of an endpoint; what is left out stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointChange {
    /// Where events are posted from now on.
    #[schemars(length(max = URL_BYTES_MAX))]
    pub url: Option<String>,
    /// What it is for.
    #[schemars(length(max = DESCRIPTION_BYTES_MAX))]
    pub description: Option<String>,
    /// The types of events that it is sent; all where the list is empty.
    #[schemars(with = "Option<Vec<String>>")]
    pub types: Option<BTreeSet<String>>,
    /// Whether it is sent anything.
    pub enabled: Option<bool>,
}

fn unknown(id: &str) -> Problem {
    Problem::new(Kind::UnknownEndpoint, format!("there is no endpoint {id:?}"))
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::InvalidEndpoint, detail)
}

/// Checks what may be changed of an endpoint.
fn check(
    shop: &Shop,
    url: Option<&str>,
    description: Option<&str>,
    types: Option<&BTreeSet<String>>,
) -> Result<(), Problem> {
    if let Some(url) = url {
        target::parse(url, shop.config.webhooks.allow_private).map_err(invalid)?;
    }
    if description.is_some_and(|text| text.len() > DESCRIPTION_BYTES_MAX) {
        return Err(invalid(format!("the description is longer than {DESCRIPTION_BYTES_MAX} bytes")));
    }
    types.map_or(Ok(()), |types| endpoint::check_types(types).map_err(invalid))
}

/// Finds an endpoint.
///
/// # Errors
/// Where there is none of that id.
pub(crate) async fn find(shop: &Shop, id: &str) -> Result<Endpoint, Problem> {
    let found = endpoint::all(&*shop.store).await?.into_iter().find(|(_, endpoint)| endpoint.id == id);
    found.map(|(_, endpoint)| endpoint).ok_or_else(|| unknown(id))
}

/// Makes an endpoint, once for each key of whoever does it; returns it with its secret.
///
/// # Errors
/// Where it cannot be had as described, the shop has as many as it may have, or the key made another one.
pub(crate) async fn make(
    shop: &Shop,
    new: NewEndpoint,
    by: &str,
    key: Option<&str>,
) -> Result<(Endpoint, String), Problem> {
    let NewEndpoint { url, description, types } = new;
    check(shop, Some(&url), Some(&description), Some(&types))?;
    let mut wanted = Endpoint::new(url, description, types);
    if let Some(key) = key {
        // The key names the endpoint, so that the same request finds what it made.
        wanted.id = endpoint::id_of(&Sha256::digest(format!("endpoint:{by}:{key}"))[..16]);
    }
    let endpoints = endpoint::all(&*shop.store).await?;
    let made = match endpoints.iter().find(|(_, known)| known.id == wanted.id) {
        Some((_, known)) => known.clone(),
        None if endpoints.len() >= ENDPOINTS_MAX => {
            let detail =
                format!("the shop has {ENDPOINTS_MAX} endpoints, the most allowed; delete one first");
            return Err(invalid(detail));
        }
        None => match endpoint::add(&*shop.store, &wanted).await {
            // Sent twice at the same moment.
            Err(StoreError::Conflict(_)) => find(shop, &wanted.id).await?,
            added => added.map(|()| wanted.clone())?,
        },
    };
    let said =
        |endpoint: &Endpoint| (endpoint.url.clone(), endpoint.description.clone(), endpoint.types.clone());
    if said(&made) != said(&wanted) {
        let detail = format!("the same request made endpoint {} before, which is another one now", made.id);
        return Err(Problem::new(Kind::IdempotencyMismatch, detail));
    }
    let secret = made.secrets.first().map(|secret| secret.key.clone()).unwrap_or_default();
    Ok((made, secret))
}

/// Changes an endpoint, disables it, or enables it again where it stopped.
///
/// # Errors
/// Where it cannot be had so, or there is none of that id.
pub(crate) async fn amend(shop: &Shop, id: &str, form: &EndpointChange) -> Result<Endpoint, Problem> {
    check(shop, form.url.as_deref(), form.description.as_deref(), form.types.as_ref())?;
    let changed = endpoint::change(&*shop.store, id, |endpoint| {
        if let Some(url) = &form.url {
            endpoint.url.clone_from(url);
        }
        if let Some(description) = &form.description {
            endpoint.description.clone_from(description);
        }
        if let Some(types) = &form.types {
            endpoint.types.clone_from(types);
        }
        match form.enabled {
            Some(true) if !endpoint.enabled => endpoint.enable(),
            Some(false) => endpoint.disable(None),
            _ => {}
        }
    });
    changed.await?.map(|(endpoint, ())| endpoint).ok_or_else(|| unknown(id))
}

/// Makes a new secret for an endpoint; returns both.
///
/// # Errors
/// Where there is none of that id.
pub(crate) async fn new_secret(shop: &Shop, id: &str) -> Result<(Endpoint, String), Problem> {
    let overlap_ms = i64::from(shop.config.webhooks.secret_overlap_hours) * 3_600_000;
    let rotated = endpoint::change(&*shop.store, id, |endpoint| endpoint.rotate(overlap_ms)).await?;
    rotated.ok_or_else(|| unknown(id))
}

/// Begins to send the events of a span of time again.
///
/// # Errors
/// Where the span is none, another replay is under way, or there is no such endpoint.
pub(crate) async fn begin_replay(
    shop: &Shop,
    id: &str,
    from_ms: i64,
    to_ms: i64,
) -> Result<Endpoint, Problem> {
    if from_ms >= to_ms {
        return Err(invalid("a replay needs a from_ms before its to_ms"));
    }
    let endpoint = find(shop, id).await?;
    if endpoint.replay.is_some() {
        return Err(invalid("another replay is under way; wait until it is done"));
    }
    let replay = Replay { from_ms, to_ms, end: shop.store.cursor(id).await? };
    shop.store.set_cursor(&replay_cursor(id), 0).await?;
    let changed = endpoint::change(&*shop.store, id, |endpoint| endpoint.replay = Some(replay)).await?;
    changed.map(|(endpoint, ())| endpoint).ok_or_else(|| unknown(id))
}

/// Deletes an endpoint with its deliveries; returns it as it was.
///
/// # Errors
/// Where there is none of that id.
pub(crate) async fn remove(shop: &Shop, id: &str) -> Result<Endpoint, Problem> {
    let endpoint = find(shop, id).await?;
    shop.store.delete_endpoint(id).await?;
    Ok(endpoint)
}

/// Is what came of a message that is no event.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Ping {
    pub took_ms: u64,
    /// The HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Says why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Posts a message that is no event to an endpoint.
///
/// # Errors
/// Where there is none of that id.
pub(crate) async fn pinged(shop: &Shop, id: &str) -> Result<Ping, Problem> {
    let endpoint = find(shop, id).await?;
    let began = Instant::now();
    let answer = shop.webhooks.ping(&endpoint).await;
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (status, error) = match answer {
        Ok(answer) => (Some(answer.status), None),
        Err(why) => (None, Some(why)),
    };
    Ok(Ping { took_ms, status, error })
}
