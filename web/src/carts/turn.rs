//! What a turn decides: jobs in order of arrival, on staged copies, so that two jobs for one cart see each other.

mod desk;
mod wants;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cart_core::{Cart, CartId, Rejection, Sku, StockLevels, Terms, VisitorId, quote};

use self::desk::{Desk, StagedCart};
use super::{Job, idle::Patience};
use crate::{
    catalogue::Catalogue,
    store::{Accepted, AccountWants, Answer, Decision, KeyRef, Loaded, LoadedCart, Staged, Wants},
};

/// Is one turn before it is decided.
pub struct Turn {
    /// The jobs in order of arrival.
    pub jobs: Arc<[Job]>,
    /// The carts that were in memory when the turn began.
    pub memory: BTreeMap<CartId, Arc<Cart>>,
    /// The catalogue as of then.
    pub catalogue: Arc<Catalogue>,
    /// The terms as of then.
    pub terms: Arc<Terms>,
    /// The clock's reading, in Unix milliseconds.
    pub now_ms: i64,
    /// How long a hold lasts, in milliseconds.
    pub hold_ms: i64,
    /// How long carts may be left alone.
    pub patience: Patience,
}

impl Turn {
    /// Lists what the turn must load.
    pub fn wants(&self) -> Wants {
        let carts = self.jobs.iter().flat_map(Job::carts);
        let carts = carts.map(|id| (id.clone(), self.memory.get(id).map(|c| c.version)));
        Wants { carts: carts.collect(), keys: self.jobs.iter().filter_map(key_ref).collect() }
    }

    fn cart<'a>(&'a self, loaded: &'a Loaded, id: &CartId) -> Option<&'a Arc<Cart>> {
        match loaded.carts.get(id)? {
            LoadedCart::Fresh(cart) => Some(cart),
            LoadedCart::Current => self.memory.get(id),
            LoadedCart::Unreadable => None,
        }
    }
}

/// Answers a read of a cart.
pub(super) fn read(
    cart: Arc<Cart>,
    caller: Option<&VisitorId>,
    catalogue: &Catalogue,
    terms: &Terms,
    now_ms: i64,
) -> Answer {
    if caller.is_some_and(|caller| cart.owner != *caller) {
        return Answer::Rejected(Rejection::NotOwner);
    }
    let quote = quote(&cart, catalogue, terms, now_ms);
    Answer::Accepted(Box::new(Accepted {
        cart,
        quote,
        item: None,
        order: None,
        left: vec![],
        reopened: vec![],
    }))
}

fn key_ref(job: &Job) -> Option<KeyRef> {
    job.key.as_ref().map(|k| KeyRef { cart: job.cart.clone(), key: k.key.clone() })
}

impl Decision for Turn {
    fn skus(&self, loaded: &Loaded) -> BTreeSet<Sku> {
        self.stocked(loaded)
    }

    fn accounts(&self, loaded: &Loaded) -> AccountWants {
        self.counting(loaded)
    }

    fn decide(&self, mut loaded: Loaded, stock: StockLevels) -> Staged {
        let carts = loaded
            .carts
            .keys()
            .filter_map(|id| self.cart(&loaded, id).map(|c| (id.clone(), StagedCart::loaded(c.clone()))))
            .collect();
        let unreadable = loaded.carts.iter().filter(|(_, cart)| matches!(cart, LoadedCart::Unreadable));
        let unreadable = unreadable.map(|(id, _)| id.clone()).collect();
        let before = std::mem::take(&mut loaded.balances);
        let cards = std::mem::take(&mut loaded.cards);
        let mut desk = Desk {
            turn: self,
            carts,
            unreadable,
            keys: loaded.keys,
            stock,
            balances: before.clone(),
            cards,
            staged: Staged::default(),
        };
        for job in self.jobs.iter() {
            let answer = desk.answer(job);
            desk.staged.outcome.answers.push(answer);
        }
        desk.close(&before)
    }
}
