//! Accounts: what is counted up to a limit, such as uses of a code, and what is paid down to nothing, such as a gift card.
//!
//! A balance moves by postings only, and an order carries the postings that it caused. So the sum of an account's postings
//! is its balance, and whoever undoes an order posts the opposite.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    Cart, CartEvent, Code, Currency, GiftCardId, IdError, PromotionId, Sku, Terms, Uses, VisitorId,
    gift_card::{self, GiftCards},
    promotion::{PromotionDefinition, UseLimits},
};

/// Names an account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AccountId {
    /// Counts the orders that used a promotion.
    PromotionUses {
        /// The promotion.
        promotion: PromotionId,
    },
    /// Counts the orders that used a promotion by one of its codes.
    CodeUses {
        /// The promotion.
        promotion: PromotionId,
        /// The code.
        code: Code,
    },
    /// Counts the orders of one customer that used a promotion.
    CustomerUses {
        /// The promotion.
        promotion: PromotionId,
        /// The customer.
        customer: VisitorId,
    },
    /// Counts the pieces of a product that a customer has bought, where the shop sells a customer only so many.
    CustomerPieces {
        /// The customer.
        customer: VisitorId,
        /// The product.
        sku: Sku,
    },
    /// Counts the orders of a customer, less those that were cancelled.
    CustomerOrders {
        /// The customer.
        customer: VisitorId,
    },
    /// Holds what is left on a gift card, in minor units.
    GiftCard {
        /// The currency that it is good for.
        currency: Currency,
        /// The card.
        card: GiftCardId,
    },
    /// Holds the credit that a customer has with the shop, in minor units.
    StoreCredit {
        /// The currency of the credit.
        currency: Currency,
        /// The customer.
        customer: VisitorId,
    },
}

impl AccountId {
    /// Reports whether it counts orders, all or those that used a promotion: one that is cancelled counts no more.
    pub fn counts_orders(&self) -> bool {
        match self {
            Self::PromotionUses { .. }
            | Self::CodeUses { .. }
            | Self::CustomerUses { .. }
            | Self::CustomerOrders { .. } => true,
            Self::CustomerPieces { .. } | Self::GiftCard { .. } | Self::StoreCredit { .. } => false,
        }
    }

    /// Returns what kind of account it is, as tables and names of accounts spell it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PromotionUses { .. } => "promotion",
            Self::CodeUses { .. } => "code",
            Self::CustomerUses { .. } => "customer",
            Self::CustomerPieces { .. } => "pieces",
            Self::CustomerOrders { .. } => "orders",
            Self::GiftCard { .. } => "gift-card",
            Self::StoreCredit { .. } => "credit",
        }
    }
}

impl fmt::Display for AccountId {
    /// Writes the kind and what it is about, such as `code:spring:SPRING-24`. Only the last part may hold a colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::PromotionUses { promotion } => write!(f, "{kind}:{promotion}"),
            Self::CodeUses { promotion, code } => write!(f, "{kind}:{promotion}:{code}"),
            Self::CustomerUses { promotion, customer } => write!(f, "{kind}:{promotion}:{customer}"),
            Self::CustomerPieces { customer, sku } => write!(f, "{kind}:{customer}:{sku}"),
            Self::CustomerOrders { customer } => write!(f, "{kind}:{customer}"),
            Self::GiftCard { currency, card } => write!(f, "{kind}:{}:{card}", currency.code()),
            Self::StoreCredit { currency, customer } => write!(f, "{kind}:{}:{customer}", currency.code()),
        }
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Says why a text names no account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountIdError {
    /// There is no such kind, or a part is missing.
    #[error("{0:?} names no account")]
    Shape(String),
    /// A part is no identifier.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, AccountIdError> {
        let shape = || AccountIdError::Shape(text.chars().take(200).collect());
        let (kind, rest) = text.split_once(':').ok_or_else(shape)?;
        let pair = || rest.split_once(':').ok_or_else(shape);
        Ok(match kind {
            "promotion" => Self::PromotionUses { promotion: PromotionId::parse(rest)? },
            "code" => {
                let (promotion, code) = pair()?;
                let code = Code::parse(code).map_err(|_| shape())?;
                Self::CodeUses { promotion: PromotionId::parse(promotion)?, code }
            }
            "customer" => {
                let (promotion, customer) = pair()?;
                Self::CustomerUses {
                    promotion: PromotionId::parse(promotion)?,
                    customer: VisitorId::parse(customer)?,
                }
            }
            "pieces" => {
                let (customer, sku) = pair()?;
                Self::CustomerPieces { customer: VisitorId::parse(customer)?, sku: Sku::parse(sku)? }
            }
            "orders" => Self::CustomerOrders { customer: VisitorId::parse(rest)? },
            "gift-card" => {
                let (currency, card) = pair()?;
                let currency = Currency::parse(currency).map_err(|_| shape())?;
                Self::GiftCard { currency, card: GiftCardId::parse(card)? }
            }
            "credit" => {
                let (currency, customer) = pair()?;
                let currency = Currency::parse(currency).map_err(|_| shape())?;
                Self::StoreCredit { currency, customer: VisitorId::parse(customer)? }
            }
            _ => return Err(shape()),
        })
    }
}

impl TryFrom<String> for AccountId {
    type Error = AccountIdError;
    fn try_from(text: String) -> Result<Self, AccountIdError> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.to_string()
    }
}

/// Changes a balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The account.
    pub account: AccountId,
    /// What is added: uses, pieces or minor units; less than 0 takes away.
    pub delta: i64,
}

impl Posting {
    /// Returns the posting that undoes this one.
    pub fn reversed(&self) -> Self {
        Self { account: self.account.clone(), delta: -self.delta }
    }
}

/// Holds the balances that a decision may need; an account that was never posted to has none, which counts as 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Balances(BTreeMap<AccountId, i64>);

impl Balances {
    /// Returns the balance of an account, where it was ever posted to.
    pub fn get(&self, account: &AccountId) -> Option<i64> {
        self.0.get(account).copied()
    }

    /// Sets a balance.
    pub fn insert(&mut self, account: AccountId, balance: i64) {
        self.0.insert(account, balance);
    }

    /// Reports whether nothing is known of any account.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Visits the balances in the order of their accounts.
    pub fn iter(&self) -> impl Iterator<Item = (&AccountId, i64)> {
        self.0.iter().map(|(account, balance)| (account, *balance))
    }

    /// Moves what an event moves.
    pub fn apply(&mut self, event: &CartEvent) {
        for Posting { account, delta } in postings(event).map_or(&[][..], |(_, postings)| postings) {
            *self.0.entry(account.clone()).or_default() += delta;
        }
    }

    /// Says how many orders a customer has placed, as far as that is known.
    pub fn orders(&self, customer: &VisitorId) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let orders = self.get(&AccountId::CustomerOrders { customer: customer.clone() });
        orders.and_then(|orders| u64::try_from(orders).ok()).unwrap_or(0)
    }

    /// Says how often a promotion was used.
    pub fn uses(&self, promotion: &PromotionId, code: Option<&Code>, customer: &VisitorId) -> Uses {
        if self.is_empty() {
            return Uses::default();
        }
        let count = |account: AccountId| u64::try_from(self.get(&account).unwrap_or(0)).unwrap_or(0);
        let promotion = || promotion.clone();
        Uses {
            total: count(AccountId::PromotionUses { promotion: promotion() }),
            by_customer: count(AccountId::CustomerUses {
                promotion: promotion(),
                customer: customer.clone(),
            }),
            of_code: code
                .map_or(0, |code| count(AccountId::CodeUses { promotion: promotion(), code: code.clone() })),
        }
    }
}

impl FromIterator<(AccountId, i64)> for Balances {
    fn from_iter<I: IntoIterator<Item = (AccountId, i64)>>(balances: I) -> Self {
        Self(balances.into_iter().collect())
    }
}

/// Returns what an event posts, with the cause that it is posted under: no cause posts to an account twice.
pub fn postings(event: &CartEvent) -> Option<(String, &[Posting])> {
    match event {
        CartEvent::OrderPlaced(order) if !order.postings.is_empty() => {
            Some((format!("order:{}", order.order_id), &order.postings))
        }
        CartEvent::OrderCancelled { order_id, postings, .. } if !postings.is_empty() => {
            Some((format!("cancel:{order_id}"), postings))
        }
        CartEvent::OrderRefunded { order_id, refund, postings } if !postings.is_empty() => {
            Some((format!("refund:{order_id}:{}", refund.number), postings))
        }
        _ => None,
    }
}

/// Lists the accounts that count the uses of a promotion, by the limits that it has, each with its limit.
pub fn counters(
    definition: &PromotionDefinition,
    code: Option<&Code>,
    customer: &VisitorId,
) -> Vec<(AccountId, u64)> {
    let UseLimits { total, per_customer, per_code } = definition.limits;
    let promotion = || definition.id.clone();
    let all = total.map(|limit| (AccountId::PromotionUses { promotion: promotion() }, limit));
    let customers = per_customer
        .map(|limit| (AccountId::CustomerUses { promotion: promotion(), customer: customer.clone() }, limit));
    let codes = per_code
        .zip(code)
        .map(|(limit, code)| (AccountId::CodeUses { promotion: promotion(), code: code.clone() }, limit));
    [all, customers, codes].into_iter().flatten().collect()
}

/// Lists the accounts that bear on what a customer's cart costs where these codes were typed, each counter with its
/// limit. In most shops there are none, and nothing needs to be looked up.
pub fn bearing(customer: &VisitorId, codes: &[Code], terms: &Terms) -> Vec<(AccountId, u64)> {
    let limited = terms.promotions.limited(codes);
    limited.into_iter().flat_map(|(definition, code)| counters(definition, code, customer)).collect()
}

/// Returns the account of a customer's orders where a promotion asks for them: an order counts there in any case, but in most
/// shops nobody asks.
pub fn orders_of(customer: &VisitorId, terms: &Terms) -> Option<AccountId> {
    let asks = terms.promotions.asks_for_orders();
    asks.then(|| AccountId::CustomerOrders { customer: customer.clone() })
}

/// Returns what a cart is told of the accounts that bear on it: the counters that have reached their limits, and what is
/// left of what is to pay for it; a card that pays no more counts as empty.
pub fn noted(cart: &Cart, terms: &Terms, balances: &Balances, cards: &GiftCards, now_ms: i64) -> Balances {
    let reached = |(account, limit): (AccountId, u64)| {
        let balance = balances.get(&account)?;
        u64::try_from(balance).is_ok_and(|uses| uses >= limit).then_some((account, balance))
    };
    let counters = bearing(&cart.owner, &cart.codes, terms).into_iter().filter_map(reached);
    let left = |account| balances.get(&account).map(|balance| (account, balance));
    let purses = gift_card::purses(cart).filter_map(left);
    let orders = orders_of(&cart.owner, terms).and_then(left);
    let mut noted: Balances = counters.chain(purses).chain(orders).collect();
    for card in &cart.gift_cards {
        let account = card.account(cart.currency);
        if noted.get(&account).is_some() && gift_card::usable(cards, card, cart.currency, now_ms).is_err() {
            noted.insert(account, 0);
        }
    }
    noted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_by_what_it_is_about() {
        for text in [
            "promotion:ten",
            "code:ten:TEN-1",
            "customer:ten:ada",
            "pieces:ada:MUG: blue",
            "orders:ada",
            "gift-card:GBP:0a1b",
            "credit:JPY:ada",
        ] {
            let id: AccountId = text.parse().unwrap();
            assert_eq!((id.to_string().as_str(), id.kind()), (text, text.split(':').next().unwrap()));
            assert_eq!(serde_json::from_str::<AccountId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        }
        for text in [
            "",
            "promotion",
            "promotion:",
            "code:ten",
            "code:ten:a b",
            "customer:ten:",
            "orders:",
            "credit:GBP",
            "credit:pound:ada",
            "purse:ada",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn uses_are_read_from_the_accounts_of_a_promotion() {
        let id = |text: &str| text.parse::<AccountId>().unwrap();
        let balances: Balances =
            [(id("promotion:p"), 7), (id("code:p:A"), 3), (id("code:p:B"), 4), (id("customer:p:ada"), 2)]
                .into_iter()
                .collect();
        let (p, a) = (PromotionId::parse("p").unwrap(), Code::parse("A").unwrap());
        let uses = |promotion, code, who| {
            let Uses { total, by_customer, of_code } =
                balances.uses(promotion, code, &VisitorId::parse(who).unwrap());
            (total, by_customer, of_code)
        };
        assert_eq!(uses(&p, Some(&a), "ada"), (7, 2, 3));
        assert_eq!(uses(&p, None, "eve"), (7, 0, 0));
        assert_eq!(uses(&PromotionId::parse("q").unwrap(), Some(&a), "ada"), (0, 0, 0));
    }
}
