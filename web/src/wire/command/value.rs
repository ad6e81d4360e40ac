//! The values in commands, parsed one by one.

use std::collections::BTreeMap;

use cart_core::{
    Asked, Code, FieldError, GiftCard, LineId, PromotionId, Properties, Sku, Step, StepDetails, Typed,
    limits::{LINE_QUANTITY_MAX, NOTE_BYTES_MAX},
};
use serde_json::Number;

use super::{PAYMENT_TOKEN_BYTES_MAX, field::DetailField};
use crate::{
    gift_card,
    problem::{Kind, Problem},
};

/// Parses a SKU; what cannot be one is for sale nowhere.
///
/// # Errors
/// The problem `unknown_sku`.
pub fn sku_of(text: &str) -> Result<Sku, Problem> {
    Sku::parse(text).map_err(|e| Problem::new(Kind::UnknownSku, e.to_string()))
}

/// Parses the name of a line; what cannot be one names no line.
///
/// # Errors
/// The problem `line_not_found`.
pub fn line_of(text: &str) -> Result<LineId, Problem> {
    text.parse().map_err(|e: cart_core::IdError| Problem::new(Kind::LineNotFound, e.to_string()))
}

pub(super) fn line_named(line: Option<String>, sku: Option<String>) -> Result<LineId, Problem> {
    match (line, sku) {
        (Some(line), None) => line_of(&line),
        (None, Some(sku)) => sku_of(&sku).map(LineId::from),
        _ => Err(Problem::invalid_request("name the line by `line`, or by `sku` where it has no properties")),
    }
}

/// Parses what is to be done to the pieces of a line.
///
/// # Errors
/// The problem `invalid_details`, where there is too much of it or a text is too long or not printable.
pub fn properties_of(texts: BTreeMap<String, String>) -> Result<Properties, Problem> {
    Properties::parse(texts).map_err(|e| {
        Problem::invalid_details(vec![FieldError { field: "properties".into(), message: e.to_string() }])
    })
}

/// Parses a code; what cannot be one opens nothing.
///
/// # Errors
/// The problem `unknown_code`.
pub fn code_of(text: &str) -> Result<Code, Problem> {
    Code::parse(text).map_err(|e| Problem::new(Kind::UnknownCode, e.to_string()))
}

/// Parses the name of a promotion; what cannot be one gives nothing.
///
/// # Errors
/// The problem `gift_not_found`.
pub fn promotion_of(text: &str) -> Result<PromotionId, Problem> {
    PromotionId::parse(text).map_err(|e| Problem::new(Kind::GiftNotFound, e.to_string()))
}

/// Parses the code of a gift card; what cannot be one is on no card.
///
/// # Errors
/// The problem `unknown_gift_card`.
pub fn gift_card_of(text: &str) -> Result<GiftCard, Problem> {
    gift_card::of_code(text).map_err(|why| Problem::new(Kind::UnknownGiftCard, why))
}

/// Parses what a shopper typed who need not know what it is.
///
/// # Errors
/// The problem `unknown_code`, where it can be on no promotion and no gift card.
pub fn typed_of(text: &str) -> Result<Typed, Problem> {
    match (code_of(text), gift_card_of(text)) {
        (Ok(code), Ok(card)) => Ok(Typed::Either(code, card)),
        (Ok(code), Err(_)) => Ok(Typed::Code(code)),
        (Err(_), Ok(card)) => Ok(Typed::Card(card)),
        (Err(problem), Err(_)) => Err(problem),
    }
}

pub(super) fn token_of(text: String) -> Result<String, Problem> {
    match text.len() {
        0..=PAYMENT_TOKEN_BYTES_MAX => Ok(text),
        len => Err(Problem::new(
            Kind::UnknownPaymentToken,
            format!("the payment token has {len} bytes, the most allowed is {PAYMENT_TOKEN_BYTES_MAX}"),
        )),
    }
}

/// Parses a note to the shop.
///
/// # Errors
/// The problem `invalid_details`, where it is too long or not printable.
pub fn note_of(text: String) -> Result<String, Problem> {
    let text = text.trim();
    if text.len() > NOTE_BYTES_MAX || text.chars().any(|c| c.is_control() && c != '\n') {
        let message = format!("must be at most {NOTE_BYTES_MAX} bytes of printable text");
        return Err(Problem::invalid_details(vec![FieldError { field: "text".into(), message }]));
    }
    Ok(text.to_owned())
}

/// Whether it is too many or too few is a rule of the cart; here it must only be a whole number that fits.
pub(super) fn quantity_of(number: &Number) -> Result<u32, Problem> {
    number.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
        Problem::invalid_quantity(format!(
            "quantity {number} is not a whole number from 1 to {LINE_QUANTITY_MAX}"
        ))
    })
}

pub(super) fn details_of(
    step: &str,
    details: &BTreeMap<DetailField, String>,
) -> Result<StepDetails, Problem> {
    let step = Step::from_name(step).ok_or_else(|| {
        let names = Step::ALL.map(Step::name).join(", ");
        Problem::invalid_details(vec![FieldError {
            field: "step".into(),
            message: format!("must be one of {names}"),
        }])
    })?;
    // What the cart needs beyond a country is a rule of the cart: an earlier step may have asked for the e-mail address.
    let asked = Asked { knows_email: true, ..Asked::default() };
    StepDetails::parse(step, asked, |field| details.get(&DetailField::of_name(field)?).cloned())
        .map_err(Problem::invalid_details)
}
