//! Against guessing: how often one may try to log in.
//!
//! Attempts are counted in the store before they are made, so that no node and no burst gets more. An account is never
//! locked by a few strangers' tries: the narrow limit is for one address at one account.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::EntryError;
use crate::store::Store;

/// How long attempts are counted together, in milliseconds: a quarter of an hour.
pub const WINDOW_MS: i64 = 900_000;
/// The most attempts of one address at one account in a window: more than somebody mistypes.
pub const PAIR_ATTEMPTS_MAX: u64 = 10;
/// The most attempts at one account in a window, whoever tries.
pub const ACCOUNT_ATTEMPTS_MAX: u64 = 100;
/// The most attempts of one address in a window: an office behind one address, not a list of stolen passwords.
pub const ADDRESS_ATTEMPTS_MAX: u64 = 100;

/// Counts one attempt; lets it pass or not. Where the address is not known, only the account's attempts are counted.
///
/// # Errors
/// [`EntryError::TooMany`], or that the store does not answer.
pub async fn admit(
    store: &dyn Store,
    email: &str,
    address: Option<IpAddr>,
    now_ms: i64,
) -> Result<(), EntryError> {
    let mut keys = of_account(email, address).to_vec();
    keys.extend(address.map(|address| key("a", ["", &address.to_string()])));
    let counts = store.count_attempt(&keys, now_ms / WINDOW_MS).await?;
    let most = [PAIR_ATTEMPTS_MAX, ACCOUNT_ATTEMPTS_MAX, ADDRESS_ATTEMPTS_MAX];
    if counts.iter().zip(most).any(|(count, most)| *count > most) {
        let left_ms = WINDOW_MS - now_ms.rem_euclid(WINDOW_MS);
        return Err(EntryError::TooMany { retry_after_s: u32::try_from(left_ms / 1_000 + 1).unwrap_or(900) });
    }
    Ok(())
}

/// Forgets the attempts at an account, once its password was right. Those of the address stay: whoever tries many
/// accounts has one of their own.
///
/// # Errors
/// Where the store does not answer.
pub async fn forgive(store: &dyn Store, email: &str, address: Option<IpAddr>) -> Result<(), EntryError> {
    Ok(store.forgive_attempts(&of_account(email, address)).await?)
}

fn of_account(email: &str, address: Option<IpAddr>) -> [String; 2] {
    let address = address.map_or_else(String::new, |address| address.to_string());
    [key("p", [email, &address]), key("e", [email, ""])]
}

/// Digests rather than addresses: what is only compared need not be readable.
fn key(kind: &str, parts: [&str; 2]) -> String {
    let digest = Sha256::new().chain_update(parts[0]).chain_update([0]).chain_update(parts[1]).finalize();
    format!("{kind}{}", hex::encode(&digest[..16]))
}
