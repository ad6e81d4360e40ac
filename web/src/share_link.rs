//! The tokens of links by which something is shared: one shape for wish lists, carts and reports.
//!
//! A token is 244 random bits, which nobody guesses; of it the shop keeps a digest. What it leads to is part of the
//! digest, so a token of one kind is none of the other.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Says what a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTo {
    /// A wish list.
    List,
    /// A cart.
    Cart,
    /// The report of an experiment.
    Report,
}

impl LinkTo {
    /// Makes a token; returns it with its digest.
    pub fn fresh_token(self) -> (String, String) {
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let digest = self.digest_of(&token);
        (token, digest)
    }

    /// Returns what the store keeps of a token.
    pub fn digest_of(self, token: &str) -> String {
        let domain = match self {
            Self::List => "cartwright list 1:",
            Self::Cart => "cartwright cart link 1:",
            Self::Report => "cartwright report link 1:",
        };
        let digest = Sha256::new().chain_update(domain).chain_update(token).finalize();
        hex::encode(digest)
    }

    /// Returns the path of the page of a token.
    pub fn path(self, token: &str) -> String {
        match self {
            Self::List => format!("/lists/shared/{token}"),
            Self::Cart => format!("/cart/shared/{token}"),
            Self::Report => format!("/reports/{token}"),
        }
    }

    /// Returns the whole address of the page of a token, in a shop of that address.
    pub fn url(self, shop: &str, token: &str) -> String {
        format!("{}{}", shop.trim_end_matches('/'), self.path(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_new_leads_to_one_kind_and_does_not_show_in_its_digest() {
        let (token, digest) = LinkTo::List.fresh_token();
        assert_ne!(LinkTo::List.fresh_token().0, token);
        assert!(LinkTo::List.digest_of(&token) == digest && !digest.contains(&token));
        assert_ne!(LinkTo::Cart.digest_of(&token), digest);
        assert_eq!(LinkTo::Cart.url("https://shop.example/", "t"), "https://shop.example/cart/shared/t");
    }
}
