//! Prices that changed since the shopper was told, where the shop wants them accepted: in the cart and in the checkout.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use cart_core::{Cart, Command};

use super::{
    Front, Page,
    cart::{refusal, run},
    checkout::{in_checkout, show, step_of},
    form::Form,
    guest::Guest,
    pages::{Entered, Notice},
    see_other,
};
use crate::{problem::Problem, shop::Shop};

/// What a shopper is told whose prices changed while they looked at them.
const CHANGED_AGAIN: &str = "The prices have changed once more. Look them over, then accept them.";
const ACCEPTED: &str = "The new prices are yours.";

/// Accepts the prices that a form shows; `None` where they are others by now: nobody accepts what they have not seen.
async fn accept(
    shop: &Shop,
    guest: &Guest,
    cart: &Arc<Cart>,
    form: &Form,
) -> Result<Option<Arc<Cart>>, Problem> {
    let is_seen = |wanted: &str| form.pairs().any(|(name, value)| name == "seen" && value == wanted);
    let changed = shop.quote(cart).changed(cart);
    if !changed.iter().all(|(line, minor)| is_seen(&format!("{line}={minor}"))) {
        return Ok(None);
    }
    run(shop, guest, cart, Command::AcceptPrices).await.map(|accepted| Some(accepted.cart))
}

/// `POST /cart/prices`.
pub(super) async fn in_cart(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(change_cart(&front, &request, body)).await
}

async fn change_cart(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let (form, guest) = front.sent(request, body).await?;
    let Some(cart) = &guest.cart else { return Ok(see_other(&guest, "/cart", None)) };
    let notice = match accept(&front.shop, &guest, cart, &form).await {
        Ok(Some(_)) => Some(Notice::Done(ACCEPTED.into())),
        Ok(None) => Some(Notice::Refused(CHANGED_AGAIN.into())),
        Err(problem) => refusal(problem)?,
    };
    Ok(see_other(&guest, "/cart", notice))
}

/// `POST /checkout/prices`: shows the page of the checkout again, with what was filled in.
pub(super) async fn in_the_checkout(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(change_checkout(&front, &request, body)).await
}

async fn change_checkout(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let (form, guest) = front.sent(request, body).await?;
    let Some(mut cart) = in_checkout(&guest) else { return Ok(see_other(&guest, "/cart", None)) };
    let step = step_of(&cart, &form);
    let mut entered = Entered::default();
    let status = match accept(&front.shop, &guest, &cart, &form).await? {
        Some(changed) => {
            cart = changed;
            entered.done = Some(ACCEPTED.into());
            StatusCode::OK
        }
        None => {
            entered.problem = Some(CHANGED_AGAIN.into());
            StatusCode::CONFLICT
        }
    };
    entered.fields = form.into_fields();
    show(front, request, &guest, &cart, step, &entered, status)
}
