//! The pages of gift cards and credit.

use super::{AS_OF_MS, DAY_MS, HOSTILE, session};
use crate::money::Currency;
use crate::purses::{
    CreditPage, CustomerAccount, GiftCardPage, GiftCardRow, GiftCardsPage, Movement, NewGiftCard,
};
use crate::session::Notice;

fn movement(cause: &str, delta_minor: i64) -> Movement {
    Movement { cause: cause.into(), delta_minor, at_ms: AS_OF_MS }
}

/// One gift card, of which half is spent.
pub fn gift_card(is_stopped: bool) -> GiftCardPage {
    GiftCardPage {
        session: session(),
        notice: is_stopped.then(|| Notice::Done("The card is stopped.".into())),
        card: GiftCardRow {
            id: "0a1b2c".into(),
            last4: "6789".into(),
            currency: Currency::new("GBP", 2),
            balance_minor: 1_500,
            is_stopped,
            is_expired: false,
            expires_at_ms: Some(AS_OF_MS + 365 * DAY_MS),
            issued_at_ms: AS_OF_MS - 30 * DAY_MS,
            note: HOSTILE.into(),
        },
        movements: vec![
            movement("refund:o5f2c9e:1", 250),
            movement("order:o5f2c9e", -1_250),
            movement("issue", 2_500),
        ],
    }
}

/// The list of gift cards in each of their states.
pub fn gift_cards(issued: Option<&str>) -> GiftCardsPage {
    let card = || gift_card(false).card;
    let form = NewGiftCard { amount: HOSTILE.into(), currency: "GBP".into(), ..NewGiftCard::default() };
    GiftCardsPage {
        session: session(),
        notice: None,
        last4: HOSTILE.into(),
        cards: vec![
            card(),
            gift_card(true).card,
            GiftCardRow { is_expired: true, expires_at_ms: Some(AS_OF_MS), ..card() },
            GiftCardRow { balance_minor: 0, expires_at_ms: None, note: String::new(), ..card() },
        ],
        next: Some("/admin/gift-cards?cursor=abc".into()),
        issued: issued.map(str::to_owned),
        form: NewGiftCard { code: "WXYZ-EFGH-2345-6789".into(), ..form },
    }
}

/// The credit of a customer.
pub fn credit() -> CreditPage {
    CreditPage {
        session: session(),
        notice: Some(Notice::Refused("The amount must be 1 to 99.".into())),
        customer: "u5f2c9e".into(),
        currency: Currency::new("GBP", 2),
        balance_minor: 500,
        movements: vec![movement(&format!("credit:{HOSTILE}"), 500)],
        amount: "lots".into(),
        reference: HOSTILE.into(),
        account: Some(CustomerAccount { email: "ada@example.org".into(), group: HOSTILE.into() }),
    }
}
