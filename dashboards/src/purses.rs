//! Gift cards and the credit of customers: what is left, what moved it, and forms that give more or stop it.

use serde::Serialize;

use crate::moment::Moment;
use crate::money::Currency;
use crate::session::{Notice, Session};

/// Holds what moved an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Why, such as `order:o5f2c9e`.
    pub cause: String,
    /// What was added, in the smallest unit; less than 0 was taken away.
    pub delta_minor: i64,
    /// When, Unix milliseconds UTC.
    pub at_ms: i64,
}

#[derive(Serialize)]
struct MovementView<'a> {
    words: &'static str,
    /// The order that it is about.
    order: Option<&'a str>,
    /// What else the cause says, such as a reference.
    about: &'a str,
    amount: String,
    balance: String,
    at: Moment,
}

/// Shows movements, the newest first, each with what was left after it.
fn movements<'a>(
    movements: &'a [Movement],
    balance_minor: i64,
    currency: &Currency,
) -> Vec<MovementView<'a>> {
    let mut left_minor = balance_minor;
    let view = |movement: &'a Movement| {
        let (kind, about) = movement.cause.split_once(':').unwrap_or((&movement.cause, ""));
        let (words, is_order) = match kind {
            "order" => ("Paid for order", true),
            "cancel" => ("Given back: order cancelled", true),
            "refund" => ("Given back of order", true),
            "issue" => ("Issued", false),
            "credit" => ("Given by the shop", false),
            _ => ("Moved", false),
        };
        let balance = currency.amount(left_minor);
        left_minor -= movement.delta_minor;
        let sign = if movement.delta_minor > 0 { "+" } else { "" };
        MovementView {
            words,
            order: is_order.then(|| about.split(':').next().unwrap_or_default()),
            about: if is_order { "" } else { about },
            amount: format!("{sign}{}", currency.amount(movement.delta_minor)),
            balance,
            at: Moment::of(movement.at_ms),
        }
    };
    movements.iter().map(view).collect()
}

/// Holds one gift card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GiftCardRow {
    /// Its name in addresses: a digest of its code.
    pub id: String,
    /// The end of its code.
    pub last4: String,
    /// Its currency.
    pub currency: Currency,
    /// What is left on it, in the smallest unit.
    pub balance_minor: i64,
    /// Whether the shop has stopped it.
    pub is_stopped: bool,
    /// Whether its time is over.
    pub is_expired: bool,
    /// When it stops paying, Unix milliseconds UTC, where it does.
    pub expires_at_ms: Option<i64>,
    /// When it was issued, Unix milliseconds UTC.
    pub issued_at_ms: i64,
    /// What the shop's people want to remember of it.
    pub note: String,
}

#[derive(Serialize)]
struct CardView<'a> {
    id: &'a str,
    last4: &'a str,
    balance: String,
    state: Pill,
    is_stopped: bool,
    expires: Option<Moment>,
    issued: Moment,
    note: &'a str,
}

/// Is a state in a word.
#[derive(Serialize)]
pub(crate) struct Pill {
    pub label: &'static str,
    pub tone: &'static str,
    pub icon: &'static str,
}

impl GiftCardRow {
    fn view(&self) -> CardView<'_> {
        let (label, tone, icon) = match self {
            Self { is_stopped: true, .. } => ("Stopped", "bad", "stop"),
            Self { is_expired: true, .. } => ("Expired", "bad", "wait"),
            Self { balance_minor: 0, .. } => ("Used up", "calm", "level"),
            _ => ("Pays", "good", "check"),
        };
        CardView {
            id: &self.id,
            last4: &self.last4,
            balance: self.currency.amount(self.balance_minor),
            state: Pill { label, tone, icon },
            is_stopped: self.is_stopped,
            expires: self.expires_at_ms.map(Moment::of),
            issued: Moment::of(self.issued_at_ms),
            note: &self.note,
        }
    }
}

/// Holds what the form of a new card says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewGiftCard {
    /// What is put on it, as typed.
    pub amount: String,
    /// The currency's code.
    pub currency: String,
    /// The last day on which it pays, as `2027-12-31`; empty for no end.
    pub last_day: String,
    /// What is to be remembered.
    pub note: String,
    /// The code that it will have: sent twice, the form issues one card.
    pub code: String,
}

/// Holds what the list of gift cards shows.
#[derive(Debug, Clone, PartialEq)]
pub struct GiftCardsPage {
    /// Who reads it.
    pub session: Session,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The end of the codes that was searched for.
    pub last4: String,
    /// The cards, the newest first.
    pub cards: Vec<GiftCardRow>,
    /// Where the list goes on.
    pub next: Option<String>,
    /// The code of the card that was issued just now: it is shown once.
    pub issued: Option<String>,
    /// The form that issues another.
    pub form: NewGiftCard,
}

#[derive(Serialize)]
pub(crate) struct CardsView<'a> {
    last4: &'a str,
    rows: Vec<CardView<'a>>,
    next: Option<&'a str>,
    issued: Option<&'a str>,
    form: &'a NewGiftCard,
}

impl GiftCardsPage {
    pub(crate) fn view(&self) -> CardsView<'_> {
        CardsView {
            last4: &self.last4,
            rows: self.cards.iter().map(GiftCardRow::view).collect(),
            next: self.next.as_deref(),
            issued: self.issued.as_deref(),
            form: &self.form,
        }
    }
}

/// Holds one gift card with what moved it.
#[derive(Debug, Clone, PartialEq)]
pub struct GiftCardPage {
    /// Who reads it.
    pub session: Session,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The card.
    pub card: GiftCardRow,
    /// What moved it, the newest first.
    pub movements: Vec<Movement>,
}

#[derive(Serialize)]
pub(crate) struct CardPageView<'a> {
    card: CardView<'a>,
    movements: Vec<MovementView<'a>>,
}

impl GiftCardPage {
    pub(crate) fn view(&self) -> CardPageView<'_> {
        let card = &self.card;
        CardPageView {
            card: card.view(),
            movements: movements(&self.movements, card.balance_minor, &card.currency),
        }
    }
}

/// Holds the page on which a customer is looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomersPage {
    /// Who reads it.
    pub session: Session,
    /// What was searched for and not found; empty at first.
    pub query: String,
}

#[derive(Serialize)]
pub(crate) struct CustomersView<'a> {
    query: &'a str,
}

impl CustomersPage {
    pub(crate) fn view(&self) -> CustomersView<'_> {
        CustomersView { query: &self.query }
    }
}

/// Holds what is known of a customer who has an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerAccount {
    /// The address that they log in with.
    pub email: String,
    /// The group that they belong to, as typed; empty for none.
    pub group: String,
}

/// Holds a customer's credit with what moved it, and their group.
#[derive(Debug, Clone, PartialEq)]
pub struct CreditPage {
    /// Who reads it.
    pub session: Session,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The customer's id, as orders name their owner.
    pub customer: String,
    /// The currency of the credit.
    pub currency: Currency,
    /// What they have, in the smallest unit.
    pub balance_minor: i64,
    /// What moved it, the newest first.
    pub movements: Vec<Movement>,
    /// The amount that the form gives, as typed.
    pub amount: String,
    /// The reference that it gives it under.
    pub reference: String,
    /// Their account, where they have one: a guest has none.
    pub account: Option<CustomerAccount>,
}

#[derive(Serialize)]
pub(crate) struct CreditView<'a> {
    customer: &'a str,
    code: &'a str,
    balance: String,
    movements: Vec<MovementView<'a>>,
    amount: &'a str,
    reference: &'a str,
    account: Option<&'a CustomerAccount>,
}

impl CreditPage {
    pub(crate) fn view(&self) -> CreditView<'_> {
        CreditView {
            customer: &self.customer,
            code: self.currency.code(),
            balance: self.currency.amount(self.balance_minor),
            movements: movements(&self.movements, self.balance_minor, &self.currency),
            amount: &self.amount,
            reference: &self.reference,
            account: self.account.as_ref(),
        }
    }
}
