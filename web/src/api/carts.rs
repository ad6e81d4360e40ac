//! Carts and their orders.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use cart_core::{Currency, OrderId, Request};
use serde::{Deserialize, Serialize};

use super::request::{cart_id, forced, idempotency_key, if_match, json, visitor};
use crate::{
    checkout::{Placing, place_order},
    problem::{Problem, accepted},
    shop::Shop,
    store::Accepted,
    visitor::Visitor,
    wire::{AcceptedView, CartView, CommandForm, OrderView, Parsed},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenForm {
    id: Option<String>,
    currency: Option<String>,
}

#[derive(Serialize)]
struct OpenView<'a> {
    cart: CartView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visitor_token: Option<&'a str>,
}

/// `POST /api/v1/carts`: opens a cart for the visitor of the request, or for a new one whose token is answered.
pub(super) async fn open(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let has_body = request.headers().get(header::CONTENT_LENGTH).is_some_and(|l| l.as_bytes() != b"0")
        || request.headers().contains_key(header::TRANSFER_ENCODING);
    let form = match has_body {
        true => json::<OpenForm>(&request, body).await?.0,
        false => OpenForm { id: None, currency: None },
    };
    let id = form.id.as_deref().map(cart_core::CartId::parse).transpose();
    let id = id.map_err(|e| Problem::invalid_request(e.to_string()))?;
    let currency = form.currency.as_deref().map(Currency::parse).transpose();
    let currency = currency.map_err(|e| Problem::invalid_request(e.to_string()))?;
    let visitor = Visitor::of_request(&request).unwrap_or_else(Visitor::fresh);
    let forced = forced(&request, &shop.definitions.get());
    let Accepted { cart, quote, .. } = accepted(shop.open_cart(id, &visitor.id, currency, &forced).await?)?;
    let mut response = HttpResponse::Created();
    response
        .insert_header((header::LOCATION, format!("/api/v1/carts/{}", cart.id)))
        .insert_header(etag(cart.version));
    if visitor.new_token().is_some() {
        response.cookie(visitor.cookie());
    }
    Ok(response.json(OpenView { cart: CartView::of(&cart, &quote), visitor_token: visitor.new_token() }))
}

/// `GET /api/v1/carts/{id}`: the cart, for its owner.
pub(super) async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    let Accepted { cart, quote, .. } = accepted(shop.carts.read(cart_id(&path)?, caller.id).await?)?;
    Ok(HttpResponse::Ok()
        .insert_header(etag(cart.version))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(CartView::of(&cart, &quote)))
}

/// `POST /api/v1/carts/{id}/commands`: one command.
pub(super) async fn command(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?.id;
    let cart = cart_id(&path)?;
    let (form, bytes) = json::<CommandForm>(&request, body).await?;
    let key = idempotency_key(&request, &bytes)?;
    let expected_version = if_match(&request)?;
    let answer = match form.parse()? {
        Parsed::Command(command) => {
            let request = Request { caller: Some(caller), expected_version, command };
            shop.carts.execute(cart, request, key).await?
        }
        Parsed::PlaceOrder { payment_token } => {
            let placing = Placing { cart, caller, expected_version, payment_token, key };
            place_order(&shop.carts, &*shop.payment, placing).await?
        }
    };
    let accepted = accepted(answer)?;
    Ok(HttpResponse::Ok().insert_header(etag(accepted.cart.version)).json(AcceptedView::from(&accepted)))
}

/// `GET /api/v1/orders/{id}`: the order, for the visitor who placed it.
pub(super) async fn order(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    let unknown = || Problem::not_found("unknown_order", "you have no such order");
    let id = OrderId::parse(&path).map_err(|_| unknown())?;
    // Somebody else's order looks like none at all: ids of orders are not for guessing.
    let order = shop.store.order(&id).await?.filter(|o| o.owner == caller.id).ok_or_else(unknown)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(OrderView::from(&order)))
}

fn etag(version: u64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}
