//! The rows of gift cards: what each is good for. What is left on one is its account.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cart_core::{AccountId, CardTerms, Currency, GiftCard, GiftCardId, Posting};

use super::{PostingWrite, Result};

/// Keeps gift cards. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait GiftCardStore: Send + Sync {
    /// Issues cards, each with its amount. A card that is there already keeps its terms and is given an amount whose cause
    /// is new; one that is there in another currency is left as it is.
    async fn issue_gift_cards(&self, cards: &[IssuedCard]) -> Result<Issued>;

    /// Reads a card.
    async fn gift_card(&self, id: &GiftCardId) -> Result<Option<StoredCard>>;

    /// Lists cards, the newest first.
    async fn gift_cards(&self, query: &CardQuery, limit: usize) -> Result<Vec<StoredCard>>;

    /// Stops a card, or lets it pay again; answers whether there is one.
    async fn disable_gift_card(&self, id: &GiftCardId, at_ms: Option<i64>) -> Result<bool>;
}

/// Is a card to issue.
#[derive(Clone, Debug)]
pub struct IssuedCard {
    /// The card.
    pub card: GiftCard,
    /// The currency of what is on it.
    pub currency: Currency,
    /// What is put on it, in minor units.
    pub amount_minor: i64,
    /// Why, such as `issue`; no cause puts an amount on a card twice.
    pub cause: String,
    /// When it stops paying, in Unix milliseconds, where it does.
    pub expires_at_ms: Option<i64>,
    /// What the shop's people want to remember of it.
    pub note: String,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}

impl IssuedCard {
    /// Returns what is posted to the card's account.
    pub fn posting(&self) -> PostingWrite {
        PostingWrite {
            posting: Posting { account: self.card.account(self.currency), delta: self.amount_minor },
            cause: self.cause.clone(),
            at_ms: self.at_ms,
        }
    }
}

/// Says what became of cards that were to be issued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issued {
    /// Amounts that were booked now.
    pub booked: u64,
    /// Cards that are there in another currency.
    pub in_other_currency: Vec<GiftCardId>,
}

/// Picks the amounts to book: those of cards that are in the currency in which they are stored.
pub fn to_book(cards: &[IssuedCard], stored: &BTreeMap<GiftCardId, Currency>) -> (Vec<PostingWrite>, Issued) {
    let (fit, other): (Vec<_>, Vec<_>) =
        cards.iter().partition(|issued| stored.get(&issued.card.id) == Some(&issued.currency));
    let in_other_currency = other.into_iter().map(|issued| issued.card.id.clone()).collect();
    (fit.into_iter().map(IssuedCard::posting).collect(), Issued { booked: 0, in_other_currency })
}

/// Is a card as it is stored, with what is left on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCard {
    /// The card.
    pub card: GiftCard,
    /// The currency of what is on it.
    pub currency: Currency,
    /// When it stops paying, in Unix milliseconds, where it does.
    pub expires_at_ms: Option<i64>,
    /// When the shop stopped it, where it did.
    pub disabled_at_ms: Option<i64>,
    /// What the shop's people want to remember of it.
    pub note: String,
    /// When it was issued, in Unix milliseconds.
    pub issued_at_ms: i64,
    /// What is left on it, in minor units.
    pub balance_minor: i64,
}

impl StoredCard {
    /// Returns the account of what is left on it.
    pub fn account(&self) -> AccountId {
        self.card.account(self.currency)
    }

    /// Returns what a decision must know of it.
    pub fn terms(&self) -> CardTerms {
        CardTerms {
            currency: self.currency,
            expires_at_ms: self.expires_at_ms,
            is_disabled: self.disabled_at_ms.is_some(),
        }
    }
}

/// Says which cards are wanted.
#[derive(Clone, Debug, Default)]
pub struct CardQuery {
    /// The end of their codes.
    pub last4: Option<String>,
    /// The card that stands before them, by its issue and id.
    pub before: Option<(i64, GiftCardId)>,
}
