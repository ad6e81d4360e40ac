//! Why each promotion did or did not apply to a cart.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use cart_core::{Cart, CartId, Told, explain};

use super::{
    admin::admin,
    headers::ETAG,
    operation::Operation,
    request::{cart_id, etag, owner},
};
use crate::{
    clock,
    problem::{Kind, Problem, accepted},
    shop::Shop,
    wire::ExplanationView,
};

/// Describes the operations that explain promotions.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/carts/{id}/explain", for_owner)
            .named("explainCart", "Says of each promotion why it did or did not apply, for the cart's owner")
            .about(
                "The cart itself tells of promotions that applied, that are in reach or whose code was typed; this tells of the \
                 others, too. Promotions that a code opens are told of once it was typed; those that are paused, have not \
                 begun or are for other customers, to the shop's people alone. A cart that became an order tells of those \
                 that applied to it.",
            )
            .for_visitors()
            .path::<CartId>("id", "The cart.")
            .answers::<ExplanationView<'_>>(200, "The promotions, in the order of application.")
            .with(ETAG)
            .problems(&[Kind::UnknownCart, Kind::NotOwner, Kind::UnreadableCart]),
        Operation::get("/admin/carts/{id}/explain", for_shop)
            .named("explainAnyCart", "Says of every promotion why it did or did not apply to any cart")
            .about("As it applies to what the cart holds now, with those that its owner is not told of.")
            .for_admins()
            .path::<CartId>("id", "The cart.")
            .answers::<ExplanationView<'_>>(200, "The promotions, in the order of application.")
            .with(ETAG)
            .problems(&[Kind::UnknownCart, Kind::UnreadableCart]),
    ]
}

/// `GET /api/v1/carts/{id}/explain`.
async fn for_owner(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, caller) = (cart_id(&path)?, owner(&request)?);
    let cart = accepted(shop.carts.read(id, caller).await?)?.cart;
    Ok(answer(&shop, &cart, Told::Shopper))
}

/// `GET /api/v1/admin/carts/{id}/explain`.
async fn for_shop(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    admin(&shop, &request).await?;
    let cart = accepted(shop.carts.read(cart_id(&path)?, None).await?)?.cart;
    Ok(answer(&shop, &cart, Told::Shop))
}

fn answer(shop: &Shop, cart: &Cart, told: Told) -> HttpResponse {
    let outcomes = explain(cart, &*shop.catalogue.get(), &shop.terms.get(), clock::now_ms(), told);
    HttpResponse::Ok()
        .insert_header(etag(cart.version))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .json(ExplanationView::of(cart, &outcomes))
}
