//! The OpenAPI document, made from the operations that the router serves and the types that their handlers read and write.

use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    BASE,
    headers::{RATE_LIMIT, RATE_LIMIT_POLICY, RETRY_AFTER},
    operation::{Caller, Header, Operation, Refusal, Success},
};
use crate::{
    problem::{Document, Kind},
    visitor::COOKIE,
};

/// Answers the document; it is the same as long as the program is.
static DOCUMENT: LazyLock<(web::Bytes, String)> = LazyLock::new(|| {
    let text = document(&super::documented()).to_string();
    let digest = Sha256::digest(&text);
    (text.into(), format!("\"{}\"", hex::encode(&digest[..12])))
});

/// `GET /api/openapi.json`.
pub(super) async fn serve(request: HttpRequest) -> HttpResponse {
    let (text, etag) = &*DOCUMENT;
    let is_known =
        request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, etag.as_str()))
        .insert_header((header::CACHE_CONTROL, "max-age=300"));
    match is_known {
        true => response.finish(),
        false => response.content_type("application/json").body(text.clone()),
    }
}

/// Makes the document.
pub(super) fn document(operations: &[Operation]) -> Value {
    let mut writer = Writer::new();
    let mut paths = Map::new();
    for operation in operations {
        let base = if operation.is_foreign() { "" } else { BASE };
        let path = paths.entry(format!("{base}{}", operation.path)).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = writer.operation(operation);
    }
    let headers: Map<_, _> = [RATE_LIMIT, RATE_LIMIT_POLICY]
        .iter()
        .map(|header| (header.name.into(), writer.header(header)))
        .collect();
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Cartwright",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Shopping carts, from the catalogue to the order.",
            "description": "Amounts are whole minor units of the currency that stands beside them. What is refused is a \
                problem document (RFC 9457); its `code` is stable, and the page at its `type` says how to mend it. \
                Limits of texts are bytes of UTF-8.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": writer.schemas(),
            "headers": headers,
            "securitySchemes": {
                "visitor_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The `visitor_token` of the answer that opened the cart, or a secret of the client's own \
                        choice: whoever holds it is the visitor.",
                },
                "admin_password": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The name and password of one of the shop's people, as they sign in at `/admin`.",
                },
                "visitor_cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": "The same token, as browsers keep it.",
                },
            },
        },
        "x-problems": Kind::ALL.iter().map(|kind| problem(*kind)).collect::<Vec<_>>(),
    })
}

fn problem(kind: Kind) -> Value {
    json!({
        "code": kind.name(),
        "type": kind.uri(),
        "title": kind.title(),
        "status": kind.status().as_u16(),
        "means": kind.means(),
        "mend": kind.mend(),
    })
}

/// Is the schemas of a document while it is written: what is read and what is written may differ in one type.
struct Writer {
    reads: SchemaGenerator,
    writes: SchemaGenerator,
}

impl Writer {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.transforms.push(Box::new(RecursiveTransform(speak_plainly)));
            })
        };
        Self {
            reads: settings().for_deserialize().into_generator(),
            writes: settings().for_serialize().into_generator(),
        }
    }

    fn schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.writes.take_definitions(true);
        for (name, schema) in self.reads.take_definitions(true) {
            let written = schemas.insert(name.clone(), schema.clone());
            assert!(written.is_none_or(|written| written == schema), "{name} is read otherwise than written");
        }
        schemas
    }

    fn operation(&mut self, operation: &Operation) -> Value {
        let mut responses = BTreeMap::new();
        for success in &operation.successes {
            let allowances = if operation.is_foreign() { &[][..] } else { &[RATE_LIMIT, RATE_LIMIT_POLICY] };
            responses.insert(success.status.to_string(), self.success(success, allowances));
        }
        if operation.is_foreign() {
            for refusal in &operation.refusals {
                responses.insert(refusal.status.to_string(), self.foreign(refusal));
            }
        } else {
            let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
            for kind in &operation.problems {
                by_status.entry(kind.status().as_u16()).or_default().push(*kind);
            }
            for (status, kinds) in by_status {
                responses.insert(status.to_string(), self.refusal(&kinds));
            }
        }
        let tag = match operation.is_foreign() {
            true => "flags",
            false => operation.path.split('/').nth(1).unwrap_or_default(),
        };
        let mut value = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "tags": [tag],
            "parameters": self.parameters(operation),
            "responses": responses,
        });
        if !operation.about.is_empty() {
            value["description"] = operation.about.into();
        }
        match operation.caller {
            Caller::Anybody => {}
            Caller::AnyVisitor => {
                value["security"] = json!([{}, { "visitor_token": [] }, { "visitor_cookie": [] }])
            }
            Caller::Admin => value["security"] = json!([{ "admin_password": [] }]),
            Caller::Visitor => value["security"] = json!([{ "visitor_token": [] }, { "visitor_cookie": [] }]),
        }
        if let Some(body) = &operation.body {
            let examples: Map<_, _> = body
                .examples
                .iter()
                .map(|(name, value)| ((*name).into(), json!({ "value": value })))
                .collect();
            let mut content = json!({ "schema": (body.shape)(&mut self.reads) });
            if !examples.is_empty() {
                content["examples"] = examples.into();
            }
            value["requestBody"] =
                json!({ "required": body.is_required, "content": { "application/json": content } });
        }
        value
    }

    fn parameters(&mut self, operation: &Operation) -> Vec<Value> {
        let mut parameters = vec![];
        for parameter in &operation.path_parameters {
            parameters.push(json!({
                "name": parameter.name,
                "in": "path",
                "required": true,
                "description": parameter.about,
                "schema": (parameter.shape)(&mut self.reads),
            }));
        }
        if let Some(query) = operation.query {
            let mut query = query(&mut self.reads).to_value();
            let required = query["required"].take();
            let is_required =
                |name: &str| required.as_array().is_some_and(|all| all.iter().any(|r| r == name));
            let properties = query["properties"].take();
            for (name, mut schema) in properties.as_object().cloned().unwrap_or_default() {
                let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
                parameters.push(json!({
                    "name": name,
                    "in": "query",
                    "required": is_required(&name),
                    "description": about.unwrap_or_default(),
                    "schema": without_null(schema),
                }));
            }
        }
        for header in &operation.headers {
            let mut value = self.header(header);
            value["name"] = header.name.into();
            value["in"] = "header".into();
            parameters.push(value);
        }
        parameters
    }

    fn header(&mut self, header: &Header) -> Value {
        json!({
            "description": header.about,
            "schema": (header.shape)(&mut self.writes),
            "example": header.example,
        })
    }

    fn foreign(&mut self, refusal: &Refusal) -> Value {
        let schema = (refusal.shape)(&mut self.writes);
        let mut value =
            json!({ "description": refusal.about, "content": { "application/json": { "schema": schema } } });
        if refusal.status == 429 {
            value["headers"][RETRY_AFTER.name] = self.header(&RETRY_AFTER);
        }
        value
    }

    fn success(&mut self, success: &Success, allowances: &[Header]) -> Value {
        let mut value = json!({ "description": success.about });
        for header in allowances {
            value["headers"][header.name] =
                json!({ "$ref": format!("#/components/headers/{}", header.name) });
        }
        if let Some(shape) = success.shape {
            value["content"] = json!({ "application/json": { "schema": shape(&mut self.writes) } });
        }
        for [operation, parameter, told] in &success.links {
            value["links"][operation] =
                json!({ "operationId": operation, "parameters": { *parameter: told } });
        }
        for (header, always) in &success.headers {
            value["headers"][header.name] = self.header(header);
            value["headers"][header.name]["required"] = (*always).into();
        }
        value
    }

    fn refusal(&mut self, kinds: &[Kind]) -> Value {
        let about = kinds.iter().map(|kind| format!("`{}`: {} {}", kind.name(), kind.means(), kind.mend()));
        let document = self.writes.subschema_for::<Document<'_>>();
        let codes: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
        let types: Vec<_> = kinds.iter().map(|kind| kind.uri()).collect();
        let mut schema = document.to_value();
        schema["properties"] = json!({ "code": { "enum": codes }, "type": { "enum": types } });
        let mut value = json!({
            "description": about.collect::<Vec<_>>().join("\n\n"),
            "content": { "application/problem+json": { "schema": schema } },
        });
        if kinds.iter().any(|kind| kind.asks_to_wait()) {
            value["headers"][RETRY_AFTER.name] = self.header(&RETRY_AFTER);
        }
        value
    }
}

/// The house's documents of types begin with "Is a cart", as a sentence about the type; a reader of the document has no type.
fn speak_plainly(schema: &mut Schema) {
    let about = schema.get("description").and_then(Value::as_str);
    if let Some(rest) = about.and_then(|about| about.strip_prefix("Is ")) {
        let (first, others) = rest.split_at(1);
        schema.insert("description".into(), format!("{}{others}", first.to_ascii_uppercase()).into());
    }
}

/// A parameter of a query is absent or has a value; it is never null.
fn without_null(mut schema: Value) -> Value {
    if let Some(kinds) = schema["type"].as_array() {
        let kinds: Vec<_> = kinds.iter().filter(|kind| *kind != "null").cloned().collect();
        if let [kind] = &kinds[..] {
            schema["type"] = kind.clone();
        }
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let any: Vec<_> = any.iter().filter(|one| one["type"] != "null").cloned().collect();
        if let [one] = &any[..] {
            return one.clone();
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_is_named_once_and_says_what_it_does() {
        let operations = super::super::documented();
        let ids: BTreeSet<_> = operations.iter().map(|operation| operation.id).collect();
        assert_eq!(ids.len(), operations.len());
        for operation in &operations {
            let Operation { method, path, summary, successes, path_parameters, .. } = operation;
            assert!(
                !operation.id.is_empty() && !summary.is_empty() && !successes.is_empty(),
                "{method} {path}"
            );
            let in_path: Vec<_> =
                path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            let described: Vec<_> = path_parameters.iter().map(|parameter| parameter.name).collect();
            assert_eq!(in_path, described, "{method} {path}");
        }
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        fn references(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(members) => {
                    for (name, member) in members {
                        match (name.as_str(), member) {
                            ("$ref", Value::String(to)) => drop(found.insert(to.clone())),
                            _ => references(member, found),
                        }
                    }
                }
                Value::Array(values) => values.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = document(&super::super::documented());
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("a reference stays in the document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}
