//! The text of carts that are read, written once for as long as nothing that it tells changes.

use std::{ops::Range, sync::Arc};

use actix_web::web::Bytes;
use cart_core::{Cart, Terms, quote};

use crate::{answers, catalogue::Catalogue, clock, wire::CartView};

/// Keeps the texts of carts.
pub type CartTexts = answers::Answers<Sources, Written>;

/// Is what a cart's text is made of, beside the cart and the time.
pub struct Sources {
    catalogue: Arc<Catalogue>,
    terms: Arc<Terms>,
}

impl PartialEq for Sources {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.catalogue, &other.catalogue) && Arc::ptr_eq(&self.terms, &other.terms)
    }
}

impl answers::Sources for Sources {
    /// No price and no promotion begins or ends, and nothing is released.
    fn span(&self, from_ms: i64) -> Range<i64> {
        let prices = self.catalogue.changes_ms().filter(|at_ms| *at_ms > from_ms);
        let next = prices.chain(self.terms.promotions.change_after(from_ms)).min();
        from_ms..next.unwrap_or(i64::MAX)
    }
}

/// Is a state of a cart with its text.
#[derive(Clone)]
pub struct Written {
    /// States are swapped whole: the same place in memory is the same state.
    cart: Arc<Cart>,
    text: Bytes,
}

impl CartTexts {
    /// Returns what a cart is and costs now, as clients read it.
    pub fn of(&self, cart: &Arc<Cart>, catalogue: Arc<Catalogue>, terms: Arc<Terms>) -> Bytes {
        let sources = Sources { catalogue, terms };
        let (id, now_ms) = (cart.id.as_str(), clock::now_ms());
        let known = self.find(id, &sources, now_ms);
        if let Some(known) = known.filter(|known| Arc::ptr_eq(&known.cart, cart)) {
            return known.text;
        }
        let quote = quote(cart, &*sources.catalogue, &sources.terms, now_ms);
        let text = serde_json::to_vec(&CartView::of(cart, &quote)).expect("a cart is plain values");
        let text = Bytes::from(text);
        let written = Written { cart: cart.clone(), text: text.clone() };
        self.keep(id, sources, now_ms, written, text.len());
        text
    }
}
