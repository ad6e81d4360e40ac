//! The note to the shop: a form on the cart's page, and a field beside the button that orders.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use cart_core::{Command, FieldError};

use super::{
    Front, Page,
    cart::{Left, cart_page, refusal, run, sentence},
    form::Form,
    pages::{NoteField, Notice},
    see_other,
};
use crate::wire::note_of;

/// Reads the note of a form, where it has a field for one.
///
/// # Errors
/// What is wrong with the field.
pub(super) fn typed(form: &Form) -> Result<Option<String>, FieldError> {
    let Some(text) = form.get("note") else { return Ok(None) };
    let wrong = |message| FieldError { field: "note".into(), message };
    note_of(form_text(text)).map(Some).map_err(|problem| match problem.fields() {
        [field, ..] => wrong(field.message.clone()),
        [] => wrong(problem.detail().to_owned()),
    })
}

/// Returns a text of several lines as the API writes it: forms end each with two characters.
pub(super) fn form_text(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// `POST /cart/note`.
pub(super) async fn write(front: Data<Front>, request: HttpRequest, body: Payload) -> HttpResponse {
    front.serve(write_note(&front, &request, body)).await
}

async fn write_note(front: &Front, request: &HttpRequest, body: Payload) -> Page {
    let shop = &front.shop;
    let (form, guest) = front.sent(request, body).await?;
    let Some(cart) = &guest.cart else { return Ok(see_other(&guest, "/cart", None)) };
    let text = match typed(&form) {
        Ok(text) => text.unwrap_or_default(),
        Err(wrong) => {
            let field = NoteField::new(form_text(form.text("note")));
            let note = Some(field.refused(Some(sentence(&format!("the note {}", wrong.message)))));
            let left = Left { note, ..Left::default() };
            return cart_page(front, request, &guest, left, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let done = if text.is_empty() { "There is no note any more." } else { "Your note goes with the order." };
    let notice = match run(shop, &guest, cart, Command::SetNote { text }).await {
        Ok(_) => Some(Notice::Done(done.into())),
        Err(problem) => refusal(problem)?,
    };
    Ok(see_other(&guest, "/cart", notice))
}
