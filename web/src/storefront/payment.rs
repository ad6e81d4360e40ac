//! Payments that need the shopper once more: the sandbox's page to confirm on, and the ways back from it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use cart_core::{Cart, Command, PaymentId};

use super::{
    Front, Page,
    cart::{refusal, run},
    guest::Guest,
    html,
    pages::{ChallengePage, Notice},
    see_other,
};
use crate::{
    payment::{book::BookError, sandbox::Row},
    problem::{Kind, Problem},
    shop::Shop,
};

/// Where the shopper comes back to from the provider's page.
pub(super) const RETURN_PATH: &str = "/checkout/return";

/// `GET /sandbox/payments/{id}`: the page on which a payment is confirmed.
pub(super) async fn challenge(front: Data<Front>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    front.serve(challenge_page(&front, &request, &id)).await
}

async fn challenge_page(front: &Front, request: &HttpRequest, id: &str) -> Page {
    let shop = &front.shop;
    let guest = Guest::meet(shop, request).await?;
    let (id, row) = known(shop, id).await?;
    let currency = match shop.store.cart(&row.cart).await? {
        Some(cart) => cart.currency,
        None => shop.currency(),
    };
    let page = ChallengePage::of(&id, row.amount_minor, currency, row.state == "challenged");
    let mut shell = front.shell_of(&guest, request);
    shell.index = false;
    html(&guest, request, StatusCode::OK, front.pages.challenge(&shell, &page))
}

/// `POST /sandbox/payments/{id}`: confirms or refuses, and leads back to the shop.
pub(super) async fn decide(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    body: Payload,
) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (form, guest) = front.sent(&request, body).await?;
            let (id, _) = known(shop, &id).await?;
            let confirmed = form.get("confirm").is_some();
            shop.sandbox.decide(&id, confirmed).await.map_err(closed)?;
            Ok(see_other(&guest, RETURN_PATH, None))
        })
        .await
}

async fn known(shop: &Shop, id: &str) -> Result<(PaymentId, Row), Problem> {
    let unknown = || Problem::new(Kind::UnknownPayment, "the sandbox knows no such payment");
    let id = PaymentId::parse(id).map_err(|_| unknown())?;
    let row = shop.sandbox.payment(&id).await.map_err(closed)?.ok_or_else(unknown)?;
    Ok((id, row))
}

fn closed(error: BookError) -> Problem {
    tracing::warn!(%error, "the sandbox does not answer");
    Problem::new(Kind::Unavailable, "the sandbox does not answer; try again in a moment")
}

/// `GET /checkout/return`: where the shopper comes back to; the provider is asked, and the page shows what became of the
/// payment.
pub(super) async fn come_back(front: Data<Front>, request: HttpRequest) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let guest = Guest::meet(shop, &request).await?;
            let Some(cart) = &guest.cart else { return newest_order(shop, &guest).await };
            let paid_by = cart.payment().map(|attempt| attempt.id.clone());
            shop.checkout.resolve(&cart.id, paid_by.as_ref()).await?;
            after(shop, &guest, cart).await
        })
        .await
}

/// Leads to the newest order: placed meanwhile, it is what a shopper wants to see.
pub(super) async fn newest_order(shop: &Shop, guest: &Guest) -> Page {
    Ok(match shop.store.orders_of(&guest.visitor.id, 1).await?.first() {
        Some(order) => see_other(guest, &format!("/orders/{}", order.order_id), None),
        None => see_other(guest, "/cart", None),
    })
}

async fn after(shop: &Shop, guest: &Guest, before: &Cart) -> Page {
    let Some(cart) = shop.store.cart(&before.id).await? else { return Ok(see_other(guest, "/cart", None)) };
    if let Some(order) = cart.order_id() {
        let thanks = Notice::Done("Thank you! Your order is on its way to us.".into());
        return Ok(see_other(guest, &format!("/orders/{order}"), Some(thanks)));
    }
    let notice = match (before.payment(), cart.payment()) {
        (Some(_), None) => {
            Some(Notice::Refused("The payment was not made. Nothing was charged; try another way.".into()))
        }
        _ => None,
    };
    Ok(see_other(guest, "/checkout", notice))
}

/// `POST /checkout/cancel`: gives the payment under way up.
pub(super) async fn cancel(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front
        .serve(async {
            let shop = &front.shop;
            let (_, guest) = front.sent(&request, body).await?;
            let Some(cart) = &guest.cart else { return newest_order(shop, &guest).await };
            let notice = match run(shop, &guest, cart, Command::CancelPayment { payment: None }).await {
                Ok(accepted) => {
                    shop.checkout.settle_soon(accepted.cart.id.clone());
                    Some(Notice::Done("The payment was cancelled. Nothing was charged.".into()))
                }
                Err(problem) => refusal(problem)?,
            };
            Ok(see_other(&guest, "/checkout", notice))
        })
        .await
}
