//! What of the API may be asked over a channel: every operation of a visitor, as the API describes it.
//!
//! A push is called like its operation. Its payload names the operation's parameters, holds its body under `body`, and says by
//! `idempotency_key` and `if_version` what headers say over HTTP.

use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::{
    http::{Method, header::HeaderValue},
    web::Bytes,
};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::manner::{KEY, VERSION};
use crate::{
    api::{self, operation::Operation},
    problem::{Kind, Problem},
};

/// The member of a payload that holds the body.
pub(super) const BODY: &str = "body";

/// Lists the operations that may be asked over a channel.
pub(crate) fn offered() -> impl Iterator<Item = Operation> {
    api::operations().into_iter().filter(Operation::is_for_channels)
}

/// Is what an operation takes.
struct Offered {
    method: Method,
    path: &'static str,
    in_path: Vec<&'static str>,
    has_query: bool,
    has_body: bool,
    takes_key: bool,
    takes_version: bool,
}

static OFFERED: LazyLock<BTreeMap<&'static str, Offered>> =
    LazyLock::new(|| offered().map(|operation| (operation.id, Offered::of(&operation))).collect());

impl Offered {
    fn of(operation: &Operation) -> Self {
        let takes = |name: &str| operation.headers.iter().any(|header| header.name == name);
        Self {
            method: operation.method.clone(),
            path: operation.path,
            in_path: operation.path_parameters.iter().map(|parameter| parameter.name).collect(),
            has_query: operation.query.is_some(),
            has_body: operation.body.is_some(),
            takes_key: takes("Idempotency-Key"),
            takes_version: takes("If-Match"),
        }
    }

    fn members(&self) -> Vec<&'static str> {
        let others = [(BODY, self.has_body), (KEY, self.takes_key), (VERSION, self.takes_version)];
        self.in_path
            .iter()
            .copied()
            .chain(others.into_iter().filter(|(_, is_taken)| *is_taken).map(|(name, _)| name))
            .collect()
    }
}

/// Is a request that a push stands for.
#[derive(Debug, PartialEq)]
pub(super) struct Asked {
    pub method: Method,
    /// The path and the query, behind the API's root.
    pub address: String,
    pub key: Option<HeaderValue>,
    pub if_match: Option<HeaderValue>,
    pub body: Option<Bytes>,
}

/// Reads the request that a push stands for; its values are looked at where those of all requests are.
///
/// # Errors
/// The problem `invalid_request`, where no operation of the name is offered or it takes no such member.
pub(super) fn asked(event: &str, payload: Value) -> Result<Asked, Problem> {
    let unknown = || {
        Problem::invalid_request(format!(
            "event {event:?} is no operation that is offered here; /api/openapi.json names them, without what is the shop's people's"
        ))
    };
    let offered = OFFERED.get(event).ok_or_else(unknown)?;
    let Value::Object(payload) = payload else {
        return Err(Problem::invalid_request(format!("the payload of {event} is an object")));
    };
    let members = offered.members();
    // The names of a query's parameters may be the catalogue's own, and who reads it refuses others.
    let (known, query): (Map<_, _>, Map<_, _>) =
        payload.into_iter().partition(|(name, _)| members.contains(&name.as_str()));
    if let Some(other) = query.keys().next().filter(|_| !offered.has_query) {
        return Err(Problem::invalid_request(format!("{event} takes no {other:?}, only {members:?}")));
    }
    let mut payload = known;
    let address = address(offered, &mut payload, &query)?;
    let key = payload.remove(KEY).map(|key| {
        let text = key.as_str().and_then(|key| HeaderValue::from_str(key).ok());
        text.ok_or_else(|| Problem::invalid_request(format!("{KEY} must be printable ASCII characters")))
    });
    let if_match = payload.remove(VERSION).map(|version| {
        let version = version.as_u64().and_then(|v| HeaderValue::from_str(&format!("\"{v}\"")).ok());
        let wrong = || format!("{VERSION} must be the version of a cart, as it tells it");
        version.ok_or_else(|| Problem::invalid_request(wrong()))
    });
    Ok(Asked {
        method: offered.method.clone(),
        address,
        key: key.transpose()?,
        if_match: if_match.transpose()?,
        body: payload.remove(BODY).map(|body| body.to_string().into()),
    })
}

fn address(
    offered: &Offered,
    payload: &mut Map<String, Value>,
    parameters: &Map<String, Value>,
) -> Result<String, Problem> {
    let mut address = offered.path.to_owned();
    for name in &offered.in_path {
        let value = payload.remove(*name).map(|value| text_of(name, &value)).transpose()?.flatten();
        let missing = || Problem::invalid_request(format!("say which: {name} is missing"));
        let value = value.filter(|value| !value.is_empty()).ok_or_else(missing)?;
        // A space is %20 in a path.
        let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        // Dots alone would lead to another path.
        let encoded = match value.as_str() {
            "." | ".." => return Err(Problem::new(Kind::InvalidRequest, format!("{name} must be no path"))),
            _ => encoded.replace('+', "%20"),
        };
        address = address.replace(&format!("{{{name}}}"), &encoded);
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        // A parameter that is named several times is a list here.
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            if let Some(value) = text_of(name, value)? {
                query.append_pair(name, &value);
            }
        }
    }
    let query = query.finish();
    Ok(if query.is_empty() { address } else { format!("{address}?{query}") })
}

/// Returns a parameter as an address holds it; what is null is left out.
fn text_of(name: &str, value: &Value) -> Result<Option<String>, Problem> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => {
            Err(Problem::invalid_request(format!("{name} must be a text, a number or a truth value")))
        }
    }
}

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_push_stands_for_a_request() {
        let read = asked("readOrder", json!({"id": "o 1/é"})).unwrap();
        assert_eq!((read.method, read.address.as_str()), (Method::GET, "/orders/o%201%2F%C3%A9"));
        let payload = json!({"id": "l1", "body": {"sku": "MUG"}});
        let put = asked("putWish", payload).unwrap();
        assert_eq!((put.method, put.address.as_str()), (Method::POST, "/lists/l1/items"));
        assert_eq!(put.body.unwrap(), r#"{"sku":"MUG"}"#);
        let found =
            asked("searchProducts", json!({"q": "a&b", "option.size": ["S", "M"], "cursor": null})).unwrap();
        assert_eq!(found.address, "/products?option.size=S&option.size=M&q=a%26b");
        let payload = json!({"id": "c", "body": {}, "idempotency_key": "k", "if_version": 7});
        let command = asked("commandCart", payload).unwrap();
        assert_eq!(
            (command.key.unwrap(), command.if_match.unwrap()),
            ("k".parse().unwrap(), "\"7\"".parse().unwrap())
        );
        for (event, bad) in [
            ("fulfilOrder", json!({"id": "o1"})),
            ("logIn", json!({"body": {}})),
            ("tellOfPayment", json!({"body": {}})),
            ("readOrder", json!({})),
            ("readOrder", json!({"id": ".."})),
            ("readOrder", json!({"id": ["o1"]})),
            ("readOrder", json!({"id": "o1", "body": {}})),
            ("readOrder", json!({"id": "o1", "idempotency_key": "k"})),
            ("commandCart", json!({"id": "c", "if_version": "7"})),
            ("commandCart", json!({"id": "c", "idempotency_key": "a\n"})),
            ("readOrder", json!([])),
        ] {
            assert_eq!(asked(event, bad.clone()).unwrap_err().kind(), Kind::InvalidRequest, "{event} {bad}");
        }
    }

    #[test]
    fn no_parameter_is_called_like_another_member() {
        for operation in offered() {
            let members = [BODY, KEY, VERSION].map(str::to_owned).into_iter();
            let in_path = operation.path_parameters.iter().map(|parameter| parameter.name.to_owned());
            let mut members: Vec<_> = members.chain(in_path).collect();
            if let Some(query) = operation.query {
                let query = query(&mut SchemaSettings::draft2020_12().for_deserialize().into_generator());
                let properties = query.get("properties").and_then(Value::as_object);
                members.extend(properties.expect("a query has parameters").keys().cloned());
            }
            let count = members.len();
            members.sort_unstable();
            members.dedup();
            assert_eq!(members.len(), count, "{}: {members:?}", operation.id);
        }
    }

    #[test]
    fn all_that_a_visitor_may_do_is_offered_but_what_belongs_to_http() {
        let left_out: Vec<_> = api::operations()
            .into_iter()
            .filter(|operation| !operation.is_for_channels() && !operation.path.starts_with("/admin/"))
            .map(|operation| operation.id)
            .collect();
        assert_eq!(left_out, ["tellOfPayment", "signUp", "changePassword", "logIn", "logOut"]);
        assert!(offered().all(|operation| !operation.path.starts_with("/admin/")));
    }
}
