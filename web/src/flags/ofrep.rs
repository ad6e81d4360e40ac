//! OFREP, the OpenFeature Remote Evaluation Protocol 0.3: any OpenFeature SDK asks, and sees values and no rules.

mod answer;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use experiments::{
    growthbook::{Evaluator, User, export::UNIT_ATTRIBUTE},
    json::{Json, Object},
};
use schemars::JsonSchema;
use serde::Deserialize;

use self::answer::{answer, flags};
use super::{
    gate::is_known,
    publication::digest,
    question::{bounded, field, object},
    refusal::{Code, Failure},
    subscription::OFREP_PATH,
};
use crate::{definitions::Definitions, shop::Shop};

/// The attribute of a context that names the unit.
const TARGETING_KEY: &str = "targetingKey";
/// The longest targeting key in bytes: an address of mail or a token fits several times.
pub const TARGETING_KEY_BYTES_MAX: usize = 1_024;

/// `POST /ofrep/v1/evaluate/flags/{key}`: one flag, for servers.
pub(super) async fn one(
    shop: web::Data<Shop>,
    request: HttpRequest,
    key: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let context = context(&request, body).await.map_err(|failure| failure.of(&key))?;
    let definitions = shop.definitions.get();
    let mut evaluator = Evaluator::new(definitions.payload(), User::new(&context));
    let answer = answer(&definitions, &mut evaluator, &key)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(Json::from(answer).to_string()))
}

/// `POST /ofrep/v1/evaluate/flags`: all flags, for pages, which ask again and again whether something has changed.
pub(super) async fn all(
    shop: web::Data<Shop>,
    request: HttpRequest,
    told: web::Query<Told>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let context = context(&request, body).await?;
    let definitions = since(&shop, &told).await;
    let mut evaluator = Evaluator::new(definitions.payload(), User::new(&context));
    let answer = |key| match answer(&definitions, &mut evaluator, key) {
        Ok(answer) => Json::from(answer),
        Err(failure) => failure.to_json(),
    };
    let flags: Vec<Json> = flags(&definitions).into_iter().map(answer).collect();
    let metadata = Object::default().with("version", definitions.version());
    let answer = Object::default()
        .with("flags", Json::Array(flags))
        .with("metadata", metadata)
        .with("eventStreams", Json::Array(vec![event_stream(&definitions)]));
    let text = Json::from(answer).to_string();
    // Of the whole context: where another attribute changes, pages send the ETag of the one before.
    let etag = format!("\"{}\"", digest(&[&context.to_value().to_string(), &text]));
    let is_known = is_known(&request, &etag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, etag)).insert_header((header::CACHE_CONTROL, "no-store"));
    match is_known {
        true => Ok(response.finish()),
        false => Ok(response.content_type("application/json").body(text)),
    }
}

/// Is what a stream has told a client, which it passes on as OFREP's ADR 0008 has it.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Told {
    /// The version of the definitions.
    #[serde(rename = "flagConfigEtag")]
    version: Option<String>,
}

/// Returns the definitions, not older than a stream of another node has told: versions are times in ISO 8601.
async fn since(shop: &Shop, told: &Told) -> Arc<Definitions> {
    let definitions = shop.definitions.get();
    if told.version.as_deref().is_none_or(|version| version <= definitions.version()) {
        return definitions;
    }
    // Where the store is away, flags go on as they were.
    if let Err(error) = shop.definitions.refresh(&*shop.store).await {
        tracing::debug!(%error, "newer definitions cannot be read");
    }
    shop.definitions.get()
}

/// Says where a client hears that something has changed since these definitions. Without an origin it is the one that the
/// client asks anyway, whatever proxy stands before the shop.
fn event_stream(definitions: &Definitions) -> Json {
    let address = format!("{OFREP_PATH}?since={}", definitions.version());
    let endpoint = Object::default().with("requestUri", address);
    Object::default().with("type", "sse").with("endpoint", endpoint).into()
}

/// Reads the attributes of a question; the targeting key is the unit, whatever else calls itself so.
async fn context(request: &HttpRequest, body: web::Payload) -> Result<Json, Failure> {
    let question = object(request, body).await?;
    let context = match field(&question, "context") {
        None => &Object::default(),
        Some(Json::Object(context)) => context,
        Some(_) => return Err(Failure::new(Code::InvalidContext, "context must be an object")),
    };
    bounded("context", context.len()).map_err(|why| Failure::new(Code::InvalidContext, why))?;
    let key = match field(context, TARGETING_KEY) {
        Some(Json::String(key)) if key.len() > TARGETING_KEY_BYTES_MAX => {
            let why = format!("targetingKey has {} bytes, the most is {TARGETING_KEY_BYTES_MAX}", key.len());
            return Err(Failure::new(Code::InvalidContext, why));
        }
        Some(Json::String(key)) if !key.is_empty() => key,
        None | Some(Json::String(_)) => {
            let why =
                "context.targetingKey must name the visitor or user: without one nobody can be assigned";
            return Err(Failure::new(Code::TargetingKeyMissing, why));
        }
        Some(_) => return Err(Failure::new(Code::InvalidContext, "context.targetingKey must be a text")),
    };
    Ok(context.clone().with(UNIT_ATTRIBUTE, key.as_str()).into())
}
