//! Carts and their orders.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header, header::ContentType},
    web,
};
use cart_core::{CartId, ChannelId, Currency, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    BASE,
    headers::{CACHE_CONTROL, ETAG, IDEMPOTENCY_KEY, IF_MATCH, LOCATION, PREFER, PREFERENCE_APPLIED},
    operation::Operation,
    request::{
        Return, asks_for_newest, cart_id, done, etag, forced, household_of, idempotency_key, if_match, json,
        optional_json, owner,
    },
    snapshots::{Keeping, is_wanted, sealed},
};
use crate::{
    carts::CartWish,
    checkout::Placing,
    problem::{Kind, Problem, accepted},
    shop::Shop,
    store::Accepted,
    visitor::Visitor,
    wire::{AcceptedView, CartView, CommandForm, Parsed},
};

/// Describes the operations on carts and their orders.
pub(super) fn operations() -> Vec<Operation> {
    const REFUSALS: &[Kind] = &[Kind::UnknownCart, Kind::NotOwner, Kind::UnreadableCart];
    vec![
        Operation::post("/carts", open)
            .named("openCart", "Opens a cart, or answers the visitor's own of the id that is named")
            .about(
                "Without a token a new visitor is made, and the answer carries their token; an `Idempotency-Key` needs one, \
                 because a key is a visitor's own. A query of `<experiment>=<index>` forces a variation, to look at it.",
            )
            .for_any_visitor()
            .takes(IDEMPOTENCY_KEY)
            .optional_body::<OpenForm>()
            .example("in euros", json!({ "currency": "EUR" }))
            .answers::<OpenView<'_>>(201, "The cart.")
            .with(LOCATION)
            .with(ETAG)
            .leads_to("readCart", "id", "$response.body#/cart/id")
            .leads_to("commandCart", "id", "$response.body#/cart/id")
            .problems(&[Kind::Unauthorized, Kind::NotOwner, Kind::UnreadableCart, Kind::IdempotencyMismatch]),
        Operation::get("/carts/{id}", read)
            .named("readCart", "Reads a cart, for its owner")
            .for_visitors()
            .path::<CartId>("id", "The cart.")
            .takes(CACHE_CONTROL)
            .answers::<CartView<'_>>(200, "The cart and what it costs now.")
            .with(ETAG)
            .problems(REFUSALS),
        Operation::post("/carts/{id}/commands", command)
            .named("commandCart", "Runs a command on a cart")
            .about("A command is done whole or not at all, and answered once it is stored.")
            .for_visitors()
            .path::<CartId>("id", "The cart.")
            .query::<Keeping>()
            .takes(IF_MATCH)
            .takes(IDEMPOTENCY_KEY)
            .body::<CommandForm>()
            .example("add", json!({ "type": "add_line", "sku": "MUG", "quantity": 2 }))
            .example("change", json!({ "type": "set_quantity", "sku": "MUG", "quantity": 3 }))
            .example("order", json!({ "type": "place_order", "payment_token": "tok_success" }))
            .takes(PREFER)
            .answers::<AcceptedView<'_>>(200, "The cart after the command.")
            .with(ETAG)
            .may_carry(PREFERENCE_APPLIED)
            .leads_to("readOrder", "id", "$response.body#/order/id")
            .leads_to("readCart", "id", "$response.body#/cart/id")
            .answers::<AcceptedView<'_>>(
                202,
                "The order waits for its payment: `payment` of the cart says where the shopper confirms it.",
            )
            .with(ETAG)
            .answers_nothing(204, "The command was done; so little was preferred. An order is found at `Location`.")
            .with(ETAG)
            .with(PREFERENCE_APPLIED)
            .may_carry(LOCATION)
            .problems(REFUSALS)
            .problems(&Kind::rejections())
            .problems(&[
                Kind::IdempotencyMismatch,
                Kind::TooManyTries,
                Kind::PaymentDeclined,
                Kind::PaymentTimeout,
                Kind::UnknownPaymentToken,
            ]),
    ]
}

#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "NewCart")]
#[serde(deny_unknown_fields)]
pub(super) struct OpenForm {
    /// The id to open the cart under; the shop makes one up where none is named.
    #[schemars(with = "Option<CartId>")]
    id: Option<String>,
    /// The currency of all its prices; the catalogue's own where none is named.
    #[schemars(with = "Option<Currency>")]
    currency: Option<String>,
    /// The channel that the cart is filled through, by which promotions may be limited: such as `app`, or `till`; the shop's own
    /// pages are `web`.
    #[schemars(with = "Option<ChannelId>")]
    channel: Option<String>,
}

/// Reads what is wanted of a cart that is to be opened.
///
/// # Errors
/// The problem `invalid_request`.
pub fn wished(currency: Option<&str>, channel: Option<&str>) -> Result<CartWish, Problem> {
    let currency = currency.map(Currency::parse).transpose();
    let channel = channel.map(ChannelId::parse).transpose();
    Ok(CartWish {
        currency: currency.map_err(|e| Problem::invalid_request(e.to_string()))?,
        channel: channel.map_err(|e| Problem::invalid_request(e.to_string()))?,
    })
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OpenedCart")]
struct OpenView<'a> {
    cart: CartView<'a>,
    /// The token of a visitor who is new: whoever holds it owns the cart.
    #[serde(skip_serializing_if = "Option::is_none")]
    visitor_token: Option<&'a str>,
}

/// `POST /api/v1/carts`: opens a cart for the visitor of the request, or for a new one whose token is answered.
pub(super) async fn open(
    shop: web::Data<Shop>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (form, bytes) = optional_json::<OpenForm>(&request, body).await?;
    let key = idempotency_key(&request, &bytes)?;
    let id = form.id.as_deref().map(CartId::parse).transpose();
    let id = id.map_err(|e| Problem::invalid_request(e.to_string()))?;
    let wish = wished(form.currency.as_deref(), form.channel.as_deref())?;
    let visitor = match Visitor::of_request(&request) {
        Some(visitor) => visitor,
        // A key is a visitor's own: whoever has no name yet would get another cart each time.
        None if key.is_some() => return Err(Problem::unauthorized()),
        None => Visitor::fresh_at(&request),
    };
    let forced = forced(&request, &shop.definitions.get());
    let Accepted { cart, quote, .. } =
        accepted(shop.open_cart_once(id, &visitor, wish, &forced, key).await?)?;
    let mut response = HttpResponse::Created();
    response
        .insert_header((header::LOCATION, format!("{BASE}/carts/{}", cart.id)))
        .insert_header(etag(cart.version));
    for cookie in visitor.cookies(&request) {
        response.cookie(cookie);
    }
    Ok(response.json(OpenView { cart: CartView::of(&cart, &quote), visitor_token: visitor.new_token() }))
}

/// `GET /api/v1/carts/{id}`: the cart, for its owner.
pub(super) async fn read(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, caller) = (cart_id(&path)?, owner(&request)?);
    let asks_for_newest = asks_for_newest(&request);
    let known = shop.carts.newest(&id).filter(|cart| !asks_for_newest && cart.owner == caller);
    let cart = match (known, asks_for_newest) {
        (Some(cart), _) => cart,
        (None, true) => accepted(shop.carts.read_newest(id, caller).await?)?.cart,
        (None, false) => accepted(shop.carts.read(id, caller).await?)?.cart,
    };
    Ok(HttpResponse::Ok()
        .insert_header(etag(cart.version))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header(ContentType::json())
        .body(shop.cart_text(&cart)))
}

/// `POST /api/v1/carts/{id}/commands`: one command.
pub(super) async fn command(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = owner(&request)?;
    let cart = cart_id(&path)?;
    let keeper = is_wanted(&request)?.then(|| caller.clone());
    let (form, bytes) = json::<CommandForm>(&request, body).await?;
    let key = idempotency_key(&request, &bytes)?;
    let expected_version = if_match(&request)?;
    let parsed = form.parse()?;
    let is_placing = matches!(parsed, Parsed::PlaceOrder { .. });
    let answer = match parsed {
        Parsed::Command(command) => {
            shop.admit_cards(&command, &caller, household_of(&shop.config.limits, &request))?;
            let request = Request { caller: Some(caller), expected_version, command };
            shop.carts.execute(cart, request, key).await?
        }
        Parsed::PlaceOrder { payment_token } => {
            let placing = Placing { cart, caller, expected_version, payment_token, key };
            shop.checkout.place_order(placing).await?
        }
    };
    let accepted = accepted(answer)?;
    let snapshot = keeper.and_then(|visitor| sealed(&shop, &visitor, &accepted.cart, &accepted.quote));
    // Accepted, and not done before the shopper has confirmed the payment: the cart says where.
    let waits = is_placing && accepted.cart.order_id().is_none();
    let preferred = Return::preferred(&request).filter(|_| !waits && snapshot.is_none());
    let mut response = done(accepted.cart.version, preferred);
    if waits {
        response.status(StatusCode::ACCEPTED);
    }
    if preferred != Some(Return::Minimal) {
        return Ok(response.json(AcceptedView::from(&accepted).with_snapshot(snapshot)));
    }
    if let Some(order) = &accepted.order {
        response.insert_header((header::LOCATION, format!("{BASE}/orders/{}", order.order_id)));
    }
    Ok(response.finish())
}
