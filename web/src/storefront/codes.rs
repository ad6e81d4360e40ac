//! Codes, gift cards and credit: one field in the cart and in the checkout; the shop finds out what was typed.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use cart_core::{Cart, Command, GiftCardId};

use super::{
    Front, Page,
    cart::{Left, cart_page, run, sentence},
    checkout::{in_checkout, show, step_of},
    form::Form,
    guest::Guest,
    pages::{Entered, Redeem},
    see_other,
};
use crate::{
    api::request::household_of,
    problem::{Kind, Problem},
    shop::Shop,
    wire::{code_of, typed_of},
};

/// Is what came of a form that asked to redeem something, or to take it back.
pub(super) enum Redeemed {
    /// The form asked for nothing of the kind.
    Nothing,
    /// It was done: the cart after it.
    Done(Arc<Cart>),
    /// It was refused: the field says why.
    Refused(Redeem),
}

/// Does what a form asks for.
///
/// # Errors
/// Where it was not a rule that said no.
pub(super) async fn redeem(
    shop: &Shop,
    request: &HttpRequest,
    guest: &Guest,
    cart: &Cart,
    form: &Form,
) -> Result<Redeemed, Problem> {
    let done = async {
        let Some(command) = command_of(form)? else { return Ok(None) };
        shop.admit_cards(&command, &guest.visitor.id, household_of(&shop.config.limits, request))?;
        run(shop, guest, cart, command).await.map(Some)
    };
    match done.await {
        Ok(None) => Ok(Redeemed::Nothing),
        Ok(Some(accepted)) => Ok(Redeemed::Done(accepted.cart)),
        Err(problem) => {
            let is_at_the_field = matches!(
                problem.status(),
                StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::TOO_MANY_REQUESTS
            );
            let error = Some(sentence(problem.detail()));
            let typed = form.text("code").to_owned();
            is_at_the_field.then_some(Redeemed::Refused(Redeem { typed, error })).ok_or(problem)
        }
    }
}

fn command_of(form: &Form) -> Result<Option<Command>, Problem> {
    if let Some(code) = form.get("remove_code") {
        return Ok(Some(Command::RemoveCode { code: code_of(code)? }));
    }
    if let Some(card) = form.get("remove_card") {
        let card = GiftCardId::parse(card).map_err(|e| Problem::new(Kind::UnknownGiftCard, e.to_string()))?;
        return Ok(Some(Command::RemoveGiftCard { card }));
    }
    if let Some(on) = form.get("credit") {
        return Ok(Some(Command::UseStoreCredit { on: on == "1" }));
    }
    match form.text("code").trim() {
        "" => Ok(None),
        code => Ok(Some(Command::RedeemCode(typed_of(code)?))),
    }
}

/// Says at the field that nothing was typed.
fn nothing_typed() -> Redeem {
    Redeem { typed: String::new(), error: Some("Type the code of your gift card or discount.".into()) }
}

/// `POST /cart/codes`.
pub(super) async fn in_cart(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(change_cart(&front, &request, body)).await
}

async fn change_cart(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let (form, guest) = front.sent(request, body).await?;
    let Some(cart) = &guest.cart else { return Ok(see_other(&guest, "/cart", None)) };
    let field = match redeem(shop, request, &guest, cart, &form).await? {
        Redeemed::Done(_) => return Ok(see_other(&guest, "/cart", None)),
        Redeemed::Nothing => nothing_typed(),
        Redeemed::Refused(field) => field,
    };
    let left = Left { redeem: field, ..Left::default() };
    cart_page(front, request, &guest, left, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// `POST /checkout/codes`: shows the page of the checkout again, with what was filled in.
pub(super) async fn in_the_checkout(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(change_checkout(&front, &request, body)).await
}

async fn change_checkout(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let (form, guest) = front.sent(request, body).await?;
    let Some(mut cart) = in_checkout(&guest) else { return Ok(see_other(&guest, "/cart", None)) };
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    let field = match redeem(shop, request, &guest, &cart, &form).await? {
        Redeemed::Done(changed) => {
            (cart, status) = (changed, StatusCode::OK);
            Redeem::default()
        }
        Redeemed::Nothing => nothing_typed(),
        Redeemed::Refused(field) => field,
    };
    let step = step_of(&cart, &form);
    let entered = Entered { fields: form.into_fields(), redeem: field, ..Entered::default() };
    show(front, request, &guest, &cart, step, &entered, status)
}
