//! Accounts and their entries.

use std::collections::{BTreeSet, btree_map::Entry};

use async_trait::async_trait;
use cart_core::{AccountId, Balances, Posting};

use super::super::{AccountStore, PostingWrite, Result};
use super::{MemoryStore, state::State};

#[async_trait]
impl AccountStore for MemoryStore {
    async fn balances(&self, accounts: &BTreeSet<AccountId>) -> Result<Balances> {
        Ok(self.state.lock().await.balances(accounts.iter()))
    }

    async fn post(&self, postings: &[PostingWrite]) -> Result<u64> {
        Ok(post(&mut *self.state.lock().await, postings))
    }

    async fn entries(&self, account: &AccountId, limit: usize) -> Result<Vec<PostingWrite>> {
        let state = self.state.lock().await;
        let of_account = state.entries.iter().filter(|((of, _), _)| of == account);
        let mut entries: Vec<_> = of_account
            .map(|((account, cause), (delta, at_ms))| PostingWrite {
                posting: Posting { account: account.clone(), delta: *delta },
                cause: cause.clone(),
                at_ms: *at_ms,
            })
            .collect();
        entries.sort_unstable_by(|a, b| (b.at_ms, &b.cause).cmp(&(a.at_ms, &a.cause)));
        entries.truncate(limit);
        Ok(entries)
    }
}

/// Books amounts whose cause has not moved their account yet; returns how many.
pub fn post(state: &mut State, postings: &[PostingWrite]) -> u64 {
    let mut new = 0;
    for PostingWrite { posting, cause, at_ms } in postings {
        let key = (posting.account.clone(), cause.clone());
        if let Entry::Vacant(entry) = state.entries.entry(key) {
            entry.insert((posting.delta, *at_ms));
            *state.accounts.entry(posting.account.clone()).or_default() += posting.delta;
            new += 1;
        }
    }
    new
}
