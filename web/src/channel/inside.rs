//! The API, asked from inside: what a push names is run by the service that requests reach, so that it is parsed, limited,
//! allowed and answered as over HTTP.

use std::{net::SocketAddr, rc::Rc};

use actix_http::{Payload, Request};
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::{
    App, Error, HttpRequest,
    body::to_bytes,
    dev::{AppConfig, ServiceResponse},
    http::{
        Uri,
        header::{
            AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
            RETRY_AFTER,
        },
    },
    middleware::from_fn,
    web,
};
use futures_util::{future::LocalBoxFuture, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{frame::Refusal, operations::Asked};
use crate::{api, application::furnish, problem::Problem, shop::Shop, users::door::recognise};

type Call = Rc<dyn Fn(Request) -> LocalBoxFuture<'static, Result<ServiceResponse, Error>>>;

/// What a handshake says of itself alone: the requests that follow are others.
const OF_THE_HANDSHAKE: [&str; 9] = [
    "accept",
    "accept-encoding",
    "cache-control",
    "connection",
    "idempotency-key",
    "origin",
    "prefer",
    "transfer-encoding",
    "upgrade",
];

/// Is the API as a worker's sockets ask it; it is opened when the first one does.
pub struct Inside {
    shop: web::Data<Shop>,
    call: OnceCell<Call>,
}

impl Inside {
    /// Returns the API of a shop, still to be opened.
    pub fn new(shop: web::Data<Shop>) -> Rc<Self> {
        Rc::new(Self { shop, call: OnceCell::new() })
    }

    async fn call(&self, request: Request) -> Result<ServiceResponse, Error> {
        let call = self.call.get_or_try_init(|| open(self.shop.clone())).await?;
        call(request).await
    }
}

async fn open(shop: web::Data<Shop>) -> Result<Call, Problem> {
    let app = App::new().configure(furnish(shop)).wrap(from_fn(recognise)).configure(api::routes);
    let opened = app.into_factory().new_service(AppConfig::default()).await;
    let service = opened.map_err(|()| {
        tracing::error!("the API cannot be opened for channels");
        Problem::from(crate::carts::CartsError::Unavailable)
    })?;
    let call = move |request| -> LocalBoxFuture<'static, _> { Box::pin(service.call(request)) };
    Ok(Rc::new(call))
}

/// Is who asks from inside: what their handshake told of them goes with each request.
#[derive(Clone)]
pub(super) struct Asker {
    inside: Rc<Inside>,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
}

impl Asker {
    /// Returns who opened a socket, with the token that the client told beside its headers.
    pub(super) fn of(request: &HttpRequest, token: Option<&str>) -> Self {
        let inside = request.app_data::<Rc<Inside>>().expect("every worker has the API inside").clone();
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers() {
            let is_others =
                ["sec-websocket-", "if-", "content-"].iter().any(|prefix| name.as_str().starts_with(prefix))
                    || OF_THE_HANDSHAKE.contains(&name.as_str());
            if !is_others {
                headers.append(name.clone(), value.clone());
            }
        }
        if let Some(bearer) = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok()) {
            headers.insert(AUTHORIZATION, bearer);
        }
        Self { inside, headers, peer: request.peer_addr() }
    }

    /// Asks, and returns what is answered.
    ///
    /// # Errors
    /// The refusal that a problem document tells.
    pub(super) async fn ask(self, asked: Asked) -> Result<Value, Refusal<'static>> {
        let uri = format!("{}{}", api::BASE, asked.address).parse::<Uri>();
        let uri =
            uri.map_err(|error| Refusal::of(&Problem::invalid_request(error.to_string())).into_owned())?;
        let mut headers = self.headers;
        let mut say = |name: HeaderName, value: Option<HeaderValue>| {
            value.into_iter().for_each(|value| drop(headers.insert(name.clone(), value)));
        };
        say(HeaderName::from_static("idempotency-key"), asked.key);
        say(IF_MATCH, asked.if_match);
        let payload: Payload = match asked.body {
            None => Payload::None,
            Some(body) => {
                say(CONTENT_TYPE, Some(HeaderValue::from_static("application/json")));
                say(CONTENT_LENGTH, Some(body.len().into()));
                Payload::Stream { payload: Box::pin(stream::iter([Ok(body)])) }
            }
        };
        let mut request = Request::with_payload(payload);
        let head = request.head_mut();
        (head.method, head.uri, head.headers, head.peer_addr) = (asked.method, uri, headers, self.peer);
        let answer = match self.inside.call(request).await {
            Ok(answer) => answer.into_parts().1,
            Err(error) => error.error_response(),
        };
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok());
        let retry_after_s = retry_after.and_then(|seconds| seconds.parse().ok());
        let is_success = answer.status().is_success();
        let body = to_bytes(answer.into_body()).await.unwrap_or_default();
        if is_success {
            return Ok(serde_json::from_slice(&body).unwrap_or_else(|_| json!({})));
        }
        let told = serde_json::from_slice::<Told>(&body).unwrap_or_default();
        Err(Refusal {
            reason: told.code.into(),
            detail: told.detail.into(),
            mend: told.mend.into(),
            fields: told.fields.into(),
            retry_after_s,
        })
    }
}

/// Is what a refusal takes over of a problem document.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    code: String,
    detail: String,
    mend: String,
    fields: Vec<cart_core::FieldError>,
}
