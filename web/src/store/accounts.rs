//! The rows of accounts and of the entries that move them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::{AccountId, Balances, GiftCardId, Posting};

use super::Result;

/// Keeps accounts outside a turn.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Reads the balances of some accounts; those that were never posted to are left out.
    async fn balances(&self, accounts: &BTreeSet<AccountId>) -> Result<Balances>;

    /// Books amounts that come from outside, such as gift cards that were sold; those whose cause has moved their account
    /// before are passed over. Returns how many were new.
    async fn post(&self, postings: &[PostingWrite]) -> Result<u64>;

    /// Lists what moved an account, the newest first.
    async fn entries(&self, account: &AccountId, limit: usize) -> Result<Vec<PostingWrite>>;
}

/// Lists the accounts that a decision needs.
#[derive(Clone, Debug, Default)]
pub struct AccountWants {
    /// Those that it is likely to move: they are locked while it decides.
    pub moved: BTreeSet<AccountId>,
    /// Those that it only reads; one that moves nevertheless is guarded by the balance that was read.
    pub read: BTreeSet<AccountId>,
    /// The gift cards whose terms it reads.
    pub cards: BTreeSet<GiftCardId>,
}

/// Is a posting to write, under a cause that posts to no account twice.
#[derive(Clone, Debug)]
pub struct PostingWrite {
    /// What moves.
    pub posting: Posting,
    /// Why, such as `order:o17`.
    pub cause: String,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}

/// Is a balance to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceWrite {
    /// The balance that the row must have; none where there must be no row.
    pub before: Option<i64>,
    /// The balance to be.
    pub after: i64,
}

/// Sums postings up to the balances to write.
pub fn balances_after(before: &Balances, postings: &[PostingWrite]) -> BTreeMap<AccountId, BalanceWrite> {
    let mut writes: BTreeMap<AccountId, BalanceWrite> = BTreeMap::new();
    for Posting { account, delta } in postings.iter().map(|write| &write.posting) {
        let known = before.get(account);
        let fresh = BalanceWrite { before: known, after: known.unwrap_or(0) };
        writes.entry(account.clone()).or_insert(fresh).after += delta;
    }
    writes
}
