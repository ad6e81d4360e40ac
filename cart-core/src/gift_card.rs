//! What pays beside the payment provider: gift cards, and credit that a customer has with the shop.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Balances, Cart, Currency, GiftCardId, Posting, Rejection, VisitorId};

/// Is a gift card as a cart knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GiftCard {
    /// A digest of its code.
    pub id: GiftCardId,
    /// The end of its code, by which its owner tells it from others.
    pub last4: String,
}

impl GiftCard {
    /// Returns the account of what is left on it.
    pub fn account(&self, currency: Currency) -> AccountId {
        AccountId::GiftCard { currency, card: self.id.clone() }
    }
}

/// Says what a gift card is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardTerms {
    /// The currency of what is on it.
    pub currency: Currency,
    /// When it stops paying, in Unix milliseconds, where it does.
    pub expires_at_ms: Option<i64>,
    /// The shop has stopped it.
    pub is_disabled: bool,
}

/// Holds the terms of the cards that a decision may need.
pub type GiftCards = BTreeMap<GiftCardId, CardTerms>;

/// Checks that a card pays in a currency now.
///
/// # Errors
/// Says why it does not.
pub fn usable(cards: &GiftCards, card: &GiftCard, currency: Currency, now_ms: i64) -> Result<(), Rejection> {
    let last4 = || card.last4.clone();
    let terms = cards.get(&card.id).ok_or_else(|| Rejection::UnknownGiftCard { last4: last4() })?;
    if terms.currency != currency {
        return Err(Rejection::GiftCardCurrency { last4: last4(), card: terms.currency, cart: currency });
    }
    if terms.is_disabled {
        return Err(Rejection::GiftCardDisabled { last4: last4() });
    }
    if terms.expires_at_ms.is_some_and(|end| end <= now_ms) {
        return Err(Rejection::GiftCardExpired { last4: last4() });
    }
    Ok(())
}

/// Is what a gift card or a customer's credit pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tender {
    /// The card; none for credit.
    pub card: Option<GiftCard>,
    /// Minor units, above 0.
    pub minor: i64,
}

impl Tender {
    /// Returns the account that it is paid from.
    pub fn account(&self, currency: Currency, customer: &VisitorId) -> AccountId {
        self.card.as_ref().map_or_else(|| credit(currency, customer), |card| card.account(currency))
    }
}

/// Returns the account of the credit that a customer has with the shop.
pub fn credit(currency: Currency, customer: &VisitorId) -> AccountId {
    AccountId::StoreCredit { currency, customer: customer.clone() }
}

/// Lists the accounts that the cart is to be paid from, in the order in which they are used up.
pub fn purses(cart: &Cart) -> impl Iterator<Item = AccountId> {
    let cards = cart.gift_cards.iter().map(|card| card.account(cart.currency));
    cards.chain(cart.uses_credit.then(|| credit(cart.currency, &cart.owner)))
}

/// Says what pays a total: the cards in the order in which they were applied, then credit, each as far as it goes.
pub fn tenders(cart: &Cart, known: &Balances, total_minor: i64) -> Vec<Tender> {
    let mut left = total_minor.max(0);
    let cards = cart.gift_cards.iter().map(|card| Some(card.clone()));
    let all = cards.chain(cart.uses_credit.then_some(None));
    let pays = all.map(|card| {
        let mut tender = Tender { card, minor: 0 };
        let account = tender.account(cart.currency, &cart.owner);
        tender.minor = known.get(&account).unwrap_or(0).clamp(0, left);
        left -= tender.minor;
        tender
    });
    pays.filter(|tender| tender.minor > 0).collect()
}

/// Says what gift cards, and then credit, would pay of a total by what the cart was told of its accounts; none where
/// they pay nothing.
pub fn paid(cart: &Cart, total_minor: i64) -> Option<(i64, i64)> {
    let tenders = tenders(cart, &cart.known, total_minor);
    let (cards, credit): (Vec<_>, Vec<_>) = tenders.iter().partition(|tender| tender.card.is_some());
    let sum = |tenders: Vec<&Tender>| tenders.iter().map(|tender| tender.minor).sum();
    (!tenders.is_empty()).then(|| (sum(cards), sum(credit)))
}

/// Says what goes back where an amount does that such tenders paid: the last that paid is the first that is given back.
/// `before_minor` is what went back before.
pub fn given_back(
    tenders: &[Tender],
    before_minor: i64,
    minor: i64,
    account: impl Fn(&Tender) -> AccountId,
) -> Vec<Posting> {
    let (mut begins, ends) = (0, before_minor + minor);
    let mut postings = vec![];
    for tender in tenders.iter().rev() {
        let delta = ends.min(begins + tender.minor) - before_minor.max(begins);
        begins += tender.minor;
        if delta > 0 {
            postings.push(Posting { account: account(tender), delta });
        }
    }
    postings
}
