//! Gift cards.

use async_trait::async_trait;
use cart_core::GiftCardId;

use super::{
    super::{CardQuery, GiftCardStore, Issued, IssuedCard, Result, StoredCard, gift_cards::to_book},
    MemoryStore,
    accounts::post,
    state::State,
};

#[async_trait]
impl GiftCardStore for MemoryStore {
    async fn issue_gift_cards(&self, cards: &[IssuedCard]) -> Result<Issued> {
        let state = &mut *self.state.lock().await;
        for IssuedCard { card, currency, expires_at_ms, note, at_ms, .. } in cards {
            state.gift_cards.entry(card.id.clone()).or_insert_with(|| StoredCard {
                card: card.clone(),
                currency: *currency,
                expires_at_ms: *expires_at_ms,
                disabled_at_ms: None,
                note: note.clone(),
                issued_at_ms: *at_ms,
                balance_minor: 0,
            });
        }
        let stored = state.gift_cards.iter().map(|(id, card)| (id.clone(), card.currency)).collect();
        let (postings, issued) = to_book(cards, &stored);
        Ok(Issued { booked: post(state, &postings), ..issued })
    }

    async fn gift_card(&self, id: &GiftCardId) -> Result<Option<StoredCard>> {
        let state = self.state.lock().await;
        Ok(state.gift_cards.get(id).map(|card| with_balance(&state, card)))
    }

    async fn gift_cards(&self, query: &CardQuery, limit: usize) -> Result<Vec<StoredCard>> {
        let state = self.state.lock().await;
        let at = |card: &StoredCard| (card.issued_at_ms, card.card.id.clone());
        let mut found: Vec<_> = state
            .gift_cards
            .values()
            .filter(|card| query.last4.as_ref().is_none_or(|last4| card.card.last4 == *last4))
            .filter(|card| query.before.as_ref().is_none_or(|before| at(card) < *before))
            .map(|card| with_balance(&state, card))
            .collect();
        found.sort_unstable_by_key(|card| std::cmp::Reverse(at(card)));
        found.truncate(limit);
        Ok(found)
    }

    async fn disable_gift_card(&self, id: &GiftCardId, at_ms: Option<i64>) -> Result<bool> {
        let mut state = self.state.lock().await;
        let card = state.gift_cards.get_mut(id);
        Ok(card.map(|card| card.disabled_at_ms = at_ms).is_some())
    }
}

fn with_balance(state: &State, card: &StoredCard) -> StoredCard {
    let balance_minor = state.accounts.get(&card.account()).copied().unwrap_or(0);
    StoredCard { balance_minor, ..card.clone() }
}
