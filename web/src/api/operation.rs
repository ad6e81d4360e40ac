//! Describes an operation of the API once: the router serves what the document tells, and nothing else.

use actix_web::{
    FromRequest, Handler, Resource, Responder, Route, Scope,
    http::Method,
    middleware::{Compat, Compress},
    web,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::request::other_method;
use crate::problem::Kind;

/// Makes the schema of one type.
pub(crate) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// Says who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Anybody, unknown.
    Anybody,
    /// Anybody; a visitor is answered as such.
    AnyVisitor,
    /// A visitor.
    Visitor,
    /// One of the shop's people.
    Admin,
}

/// Is a header that a request or an answer may carry.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub name: &'static str,
    pub about: &'static str,
    pub shape: Shape,
    pub example: &'static str,
}

/// Is a parameter of the address.
pub(crate) struct Parameter {
    pub name: &'static str,
    pub about: &'static str,
    pub shape: Shape,
}

/// Is a body with what it looks like.
pub(crate) struct Body {
    pub shape: Shape,
    pub is_required: bool,
    pub examples: Vec<(&'static str, Value)>,
}

/// Is an answer that says yes.
pub(crate) struct Success {
    pub status: u16,
    pub about: &'static str,
    /// None where the answer has no body.
    pub shape: Option<Shape>,
    /// Each with whether it is always there.
    pub headers: Vec<(Header, bool)>,
    /// Each with the operation that it leads to, the parameter that it tells and where it stands.
    pub links: Vec<[&'static str; 3]>,
}

/// Is an answer that says no in words that are not the API's own.
pub(crate) struct Refusal {
    pub status: u16,
    pub about: &'static str,
    pub shape: Shape,
}

/// Is one method of one address: who answers, and all that clients need to know of it.
pub struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) about: &'static str,
    pub(crate) caller: Caller,
    pub(crate) path_parameters: Vec<Parameter>,
    pub(crate) query: Option<Shape>,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Option<Body>,
    pub(crate) successes: Vec<Success>,
    pub(crate) problems: Vec<Kind>,
    /// What can go wrong with an operation of another protocol, which has its own words for that, its own root and gate.
    pub(crate) refusals: Vec<Refusal>,
    /// Whether the answer is compressed for clients that take it so.
    pub(crate) is_compressed: bool,
    /// Whether it makes sense over HTTP alone.
    is_http_only: bool,
    route: Box<dyn Fn(Route) -> Route>,
}

impl Operation {
    /// Describes `GET path`, relative to the API's root; `HEAD` is answered as well.
    pub(crate) fn get<F, Args>(path: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::GET, path, handler)
    }

    /// Describes `POST path`, relative to the API's root.
    pub(crate) fn post<F, Args>(path: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::POST, path, handler)
    }

    /// Describes an operation of any method.
    pub(crate) fn new<F, Args>(method: Method, path: &'static str, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self {
            method,
            path,
            id: "",
            summary: "",
            about: "",
            caller: Caller::Anybody,
            path_parameters: vec![],
            query: None,
            headers: vec![],
            body: None,
            successes: vec![],
            problems: vec![Kind::NotAcceptable, Kind::TooManyRequests, Kind::Busy, Kind::Unavailable],
            refusals: vec![],
            is_compressed: false,
            is_http_only: false,
            route: Box::new(move |route| route.to(handler.clone())),
        }
    }

    /// Names the operation, for clients that are generated, and says in a line what it does.
    pub(crate) fn named(mut self, id: &'static str, summary: &'static str) -> Self {
        (self.id, self.summary) = (id, summary);
        self
    }

    /// Says what else there is to know.
    pub(crate) fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Says that a visitor is answered as such.
    pub(crate) fn for_any_visitor(mut self) -> Self {
        self.caller = Caller::AnyVisitor;
        self.problems(&[Kind::SessionEnded])
    }

    /// Says that only a visitor is answered.
    pub(crate) fn for_visitors(mut self) -> Self {
        self.caller = Caller::Visitor;
        self.problems(&[Kind::Unauthorized, Kind::SessionEnded])
    }

    /// Says that only the shop's people are answered.
    pub(crate) fn for_admins(mut self) -> Self {
        self.caller = Caller::Admin;
        self.problems(&[Kind::NotAdmin, Kind::TooManyAttempts])
    }

    /// Describes a parameter of the path.
    pub(crate) fn path<T: JsonSchema>(mut self, name: &'static str, about: &'static str) -> Self {
        self.path_parameters.push(Parameter { name, about, shape: shape::<T> });
        self
    }

    /// Describes the query by the struct that it is read into.
    pub(crate) fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(T::json_schema);
        self.problems(&[Kind::InvalidRequest])
    }

    /// Describes a header that a request may carry.
    pub(crate) fn takes(mut self, header: Header) -> Self {
        self.headers.push(header);
        self.problems(&[Kind::InvalidRequest])
    }

    /// Describes the body by the type that it is read into.
    pub(crate) fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { shape: shape::<T>, is_required: true, examples: vec![] });
        self.problems(&[
            Kind::InvalidJson,
            Kind::InvalidRequest,
            Kind::BodyTooLarge,
            Kind::UnsupportedMediaType,
        ])
    }

    /// Describes a body that may be left out.
    pub(crate) fn optional_body<T: JsonSchema>(self) -> Self {
        let mut operation = self.body::<T>();
        if let Some(body) = &mut operation.body {
            body.is_required = false;
        }
        operation
    }

    /// Shows a body.
    pub(crate) fn example(mut self, name: &'static str, example: Value) -> Self {
        if let Some(body) = &mut self.body {
            body.examples.push((name, example));
        }
        self
    }

    /// Describes an answer that says yes.
    pub(crate) fn answers<T: JsonSchema>(mut self, status: u16, about: &'static str) -> Self {
        self.successes.push(Success {
            status,
            about,
            shape: Some(shape::<T>),
            headers: vec![],
            links: vec![],
        });
        self
    }

    /// Describes an answer that says yes and no more.
    pub(crate) fn answers_nothing(mut self, status: u16, about: &'static str) -> Self {
        self.successes.push(Success { status, about, shape: None, headers: vec![], links: vec![] });
        self
    }

    /// Says that the answer is long, so that it is worth compressing.
    pub(crate) fn compressed(mut self) -> Self {
        self.is_compressed = true;
        self
    }

    /// Says that the answer described last tells a parameter of another operation, as OpenAPI's links have it.
    pub(crate) fn leads_to(
        mut self,
        operation: &'static str,
        parameter: &'static str,
        told: &'static str,
    ) -> Self {
        if let Some(success) = self.successes.last_mut() {
            success.links.push([operation, parameter, told]);
        }
        self
    }

    /// Describes a header that the answer described last may carry.
    pub(crate) fn may_carry(self, header: Header) -> Self {
        self.carrying(header, false)
    }

    /// Describes a header that the answer described last carries.
    pub(crate) fn with(self, header: Header) -> Self {
        self.carrying(header, true)
    }

    fn carrying(mut self, header: Header, always: bool) -> Self {
        if let Some(success) = self.successes.last_mut() {
            success.headers.push((header, always));
        }
        self
    }

    /// Says that only a user who has logged in is answered.
    pub(crate) fn for_users(self) -> Self {
        self.for_visitors().problems(&[Kind::NotLoggedIn])
    }

    /// Lists what can go wrong besides what its other descriptions imply.
    pub(crate) fn problems(mut self, kinds: &[Kind]) -> Self {
        self.problems.extend(kinds);
        self.problems.sort_unstable();
        self.problems.dedup();
        self
    }

    /// Says what can go wrong with an operation of another protocol, in place of the API's problems.
    pub(crate) fn refuses<T: JsonSchema>(mut self, status: u16, about: &'static str) -> Self {
        self.refusals.push(Refusal { status, about, shape: shape::<T> });
        self
    }

    /// Says that it is not offered over channels: what it does belongs to requests, or to who opens a socket.
    pub(crate) fn http_only(mut self) -> Self {
        self.is_http_only = true;
        self
    }

    /// Reports whether visitors may ask it over a channel.
    pub(crate) fn is_for_channels(&self) -> bool {
        !self.is_http_only && !self.is_foreign() && self.caller != Caller::Admin
    }

    /// Reports whether it speaks another protocol than the API's own.
    pub(crate) fn is_foreign(&self) -> bool {
        !self.refusals.is_empty()
    }

    fn route(&self, method: Method) -> Route {
        (self.route)(web::method(method))
    }
}

fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Groups operations by path, in the order of the list.
pub(crate) fn by_path(operations: Vec<Operation>) -> Vec<(&'static str, Vec<Operation>)> {
    let mut paths: Vec<(&'static str, Vec<Operation>)> = vec![];
    for operation in operations {
        match paths.iter_mut().find(|(path, _)| *path == operation.path) {
            Some((_, of_path)) => of_path.push(operation),
            None => paths.push((operation.path, vec![operation])),
        }
    }
    paths
}

/// Begins the resource of one path: its operations, and the methods that it has, for `Allow`.
pub(crate) fn resource(path: &str, operations: &[Operation]) -> (Resource, String) {
    let mut allowed: Vec<&str> = vec!["OPTIONS"];
    let mut resource = web::resource(path);
    for operation in operations {
        allowed.push(operation.method.as_str());
        resource = resource.route(operation.route(operation.method.clone()));
        if operation.method == Method::GET {
            allowed.push("HEAD");
            resource = resource.route(operation.route(Method::HEAD));
        }
    }
    allowed.sort_unstable();
    (resource, allowed.join(", "))
}

/// Serves one path: its operations, and an answer to methods that it has not.
pub(crate) fn serve(scope: Scope, path: &str, operations: &[Operation]) -> Scope {
    let (resource, allow) = resource(path, operations);
    let resource = resource.default_service(web::to(move |request| other_method(request, allow.clone())));
    match operations.iter().any(|operation| operation.is_compressed) {
        true => scope.service(resource.wrap(Compat::new(Compress::default()))),
        false => scope.service(resource),
    }
}
