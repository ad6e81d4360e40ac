//! `POST /api/eval/{clientKey}`: the payload reduced to what it means for one user, so that the rules stay here.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use experiments::{
    growthbook::{Evaluator, User, remote::reduce, sticky::Documents},
    json::{Json, Object},
};

use super::{
    features::SSE_SUPPORT,
    publication::with_status,
    question::{bounded, field, object},
    refusal::Refusal,
};
use crate::shop::Shop;

/// The part of a question, and of its answer, that holds sticky buckets: the SDKs' own name for them.
const DOCUMENTS: &str = "stickyBucketAssignmentDocs";

/// `POST /api/eval/{clientKey}`.
pub(super) async fn evaluate(
    shop: web::Data<Shop>,
    request: HttpRequest,
    client_key: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Refusal> {
    shop.flags.clients.find(&client_key)?;
    let question = Question::read(object(&request, body).await?).map_err(Refusal::bad_request)?;
    let definitions = shop.definitions.get();
    let evaluator = Evaluator::new(definitions.payload(), question.user());
    let reduced = match &question.documents {
        None => reduce(evaluator).0,
        Some(documents) => {
            let (reduced, changed) = reduce(evaluator.with_sticky_buckets(documents));
            let kept = documents.clone().into_iter().chain(changed).collect::<Documents>();
            let kept = serde_json::to_value(kept).ok().and_then(|kept| Json::try_from(&kept).ok());
            reduced.with(DOCUMENTS, kept.unwrap_or(Json::Null))
        }
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Without it SDKs do not listen for changes.
        .insert_header(SSE_SUPPORT)
        .content_type("application/json")
        .body(Json::from(with_status(&reduced)).to_string()))
}

/// Is whom to evaluate for, as GrowthBook's SDKs ask.
#[derive(Debug)]
struct Question {
    attributes: Json,
    url: String,
    forced_variations: BTreeMap<String, i64>,
    forced_features: BTreeMap<String, Json>,
    /// The assignments that outlive the rules, where the client keeps them.
    documents: Option<Documents>,
}

impl Question {
    /// Reads a question; every part may be left out.
    ///
    /// # Errors
    /// Says which part is wrong, and what it must be.
    fn read(body: Object) -> Result<Self, String> {
        Ok(Self {
            attributes: members(&body, "attributes")?.clone().into(),
            url: url(&body)?,
            forced_variations: forced_variations(&members(&body, "forcedVariations")?)?,
            forced_features: forced_features(&body)?,
            documents: documents(&body)?,
        })
    }

    fn user(&self) -> User<'_> {
        User {
            url: &self.url,
            forced_variations: Some(&self.forced_variations),
            forced_features: Some(&self.forced_features),
            ..User::new(&self.attributes)
        }
    }
}

fn members(body: &Object, name: &str) -> Result<Object, String> {
    let object = match field(body, name) {
        None => return Ok(Object::default()),
        Some(Json::Object(object)) => object,
        Some(_) => return Err(format!("{name} must be an object")),
    };
    bounded(name, object.len())?;
    Ok(object.clone())
}

fn documents(body: &Object) -> Result<Option<Documents>, String> {
    let Some(documents) = field(body, DOCUMENTS) else { return Ok(None) };
    bounded(DOCUMENTS, documents.as_object().map_or(0, Object::len))?;
    let read = serde_json::from_value(documents.to_value());
    read.map(Some)
        .map_err(|error| format!("{DOCUMENTS} must hold documents as GrowthBook's SDKs keep them: {error}"))
}

fn url(body: &Object) -> Result<String, String> {
    match field(body, "url") {
        None => Ok(String::new()),
        Some(Json::String(url)) => Ok(url.clone()),
        Some(_) => Err("url must be a text".into()),
    }
}

fn forced_variations(members: &Object) -> Result<BTreeMap<String, i64>, String> {
    let index = |(key, value): (&str, &Json)| match value.as_f64() {
        // An index that no experiment has leaves the user out, as in the SDKs.
        Some(index) if index.fract() == 0.0 && index.abs() < 1e9 => Ok((key.to_owned(), index as i64)),
        _ => Err(format!("forcedVariations: the variation of {key:?} must be a whole number")),
    };
    members.iter().map(index).collect()
}

fn forced_features(body: &Object) -> Result<BTreeMap<String, Json>, String> {
    let pairs = match field(body, "forcedFeatures") {
        None => &[],
        Some(Json::Array(pairs)) => &pairs[..],
        Some(_) => return Err("forcedFeatures must be a list of [key, value]".into()),
    };
    bounded("forcedFeatures", pairs.len())?;
    let pair = |pair: &Json| match pair.as_array() {
        Some([Json::String(key), value]) => Ok((key.clone(), value.clone())),
        _ => Err(format!("forcedFeatures must be a list of [key, value], not of {pair}")),
    };
    pairs.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read_or_refused_by_its_part() {
        let read = |text: &str| {
            let Ok(Json::Object(body)) = Json::parse(text) else { panic!("{text} is no object") };
            Question::read(body).map(|question| format!("{question:?}"))
        };
        assert!(read("{}").is_ok() && read(r#"{"attributes": null, "url": null, "more": 1}"#).is_ok());
        let asked = read(r#"{"forcedVariations": {"e": 1}, "forcedFeatures": [["f", [0]]], "url": "/?a=1"}"#);
        assert!(asked.is_ok_and(|asked| asked.contains(r#""e": 1"#) && asked.contains("/?a=1")));
        for (text, why) in [
            (r#"{"attributes": []}"#, "attributes must be an object"),
            (r#"{"url": 7}"#, "url must be a text"),
            (r#"{"forcedVariations": {"e": "1"}}"#, "the variation of \"e\" must be a whole number"),
            (r#"{"forcedVariations": {"e": 1.5}}"#, "whole number"),
            (r#"{"forcedVariations": {"e": 1e300}}"#, "whole number"),
            (r#"{"forcedFeatures": {"f": 1}}"#, "a list of [key, value]"),
            (r#"{"forcedFeatures": [["f"]]}"#, "not of [\"f\"]"),
            (r#"{"stickyBucketAssignmentDocs": []}"#, "must hold documents as GrowthBook's SDKs keep them"),
            (r#"{"stickyBucketAssignmentDocs": {"id||u": {}}}"#, "missing field `attributeName`"),
        ] {
            assert!(read(text).unwrap_err().contains(why), "{text}");
        }
    }
}
