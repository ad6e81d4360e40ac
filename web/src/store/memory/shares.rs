//! The links by which carts are shared.

use async_trait::async_trait;
use cart_core::CartId;

use super::{
    super::{CartShare, Result, ShareStore, shares::CART_SHARES_MAX},
    MemoryStore,
};

fn lives(share: &CartShare, now_ms: i64) -> bool {
    share.ends_at_ms.is_none_or(|ends_at_ms| ends_at_ms > now_ms)
}

#[async_trait]
impl ShareStore for MemoryStore {
    async fn add_share(&self, share: &CartShare, now_ms: i64) -> Result<bool> {
        let shares = &mut self.state.lock().await.shares;
        shares.retain(|other| other.cart != share.cart || lives(other, now_ms));
        let has_room = shares.iter().filter(|other| other.cart == share.cart).count() < CART_SHARES_MAX;
        if has_room {
            assert!(
                shares.iter().all(|other| other.token_hash != share.token_hash),
                "a token is drawn twice"
            );
            shares.push(share.clone());
        }
        Ok(has_room)
    }

    async fn share(&self, token_hash: &str, now_ms: i64) -> Result<Option<CartShare>> {
        let shares = &self.state.lock().await.shares;
        Ok(shares.iter().find(|share| share.token_hash == token_hash && lives(share, now_ms)).cloned())
    }

    async fn shares_of(&self, cart: &CartId, now_ms: i64) -> Result<Vec<CartShare>> {
        let shares = &self.state.lock().await.shares;
        let of_cart = shares.iter().filter(|share| share.cart == *cart && lives(share, now_ms));
        let mut of_cart: Vec<_> = of_cart.cloned().collect();
        of_cart.sort_by(|a, b| (a.created_at_ms, &a.id).cmp(&(b.created_at_ms, &b.id)));
        Ok(of_cart)
    }

    async fn end_share(&self, cart: &CartId, id: &str) -> Result<Option<String>> {
        let shares = &mut self.state.lock().await.shares;
        let at = shares.iter().position(|share| share.cart == *cart && share.id == id);
        Ok(at.map(|at| shares.remove(at).token_hash))
    }
}
