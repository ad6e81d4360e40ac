//! What a turn decides: jobs in order of arrival, on staged copies, so that two jobs for one cart see each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cart_core::{
    Cart, CartEvent, CartId, Facts, Line, Rejection, Request, Sku, StockLevels, Terms, decide, evolve, quote,
    stock,
};
use uuid::Uuid;

use super::{IdempotencyKey, Job, JobKind, Opening};
use crate::{
    catalogue::Catalogue,
    events::data::data_of,
    store::{
        Accepted, Answer, CartWrite, Decision, EventWrite, Exposure, KeyRef, KeyWrite, Loaded, LoadedCart,
        Staged, StoredAnswer, Touched, Wants,
    },
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
}

impl Turn {
    /// Lists what the turn must load.
    pub fn wants(&self) -> Wants {
        let carts = self.jobs.iter().map(|j| (j.cart.clone(), self.memory.get(&j.cart).map(|c| c.version)));
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

fn key_ref(job: &Job) -> Option<KeyRef> {
    job.key.as_ref().map(|k| KeyRef { cart: job.cart.clone(), key: k.key.clone() })
}

impl Decision for Turn {
    fn skus(&self, loaded: &Loaded) -> BTreeSet<Sku> {
        let mut skus = BTreeSet::new();
        for job in self.jobs.iter() {
            let (JobKind::Execute(Request { command, .. }) | JobKind::Try(Request { command, .. })) =
                &job.kind
            else {
                continue;
            };
            skus.extend(command.skus().into_iter().cloned());
            if command.moves_all_lines()
                && let Some(cart) = self.cart(loaded, &job.cart)
            {
                skus.extend(cart.lines.iter().map(|l| l.sku.clone()));
            }
        }
        skus
    }

    fn decide(self: Box<Self>, loaded: Loaded, stock: StockLevels) -> Staged {
        let carts = loaded
            .carts
            .keys()
            .filter_map(|id| self.cart(&loaded, id).map(|c| (id.clone(), StagedCart::loaded(c.clone()))))
            .collect();
        let unreadable = loaded.carts.iter().filter(|(_, cart)| matches!(cart, LoadedCart::Unreadable));
        let unreadable = unreadable.map(|(id, _)| id.clone()).collect();
        let mut desk =
            Desk { turn: &self, carts, unreadable, keys: loaded.keys, stock, staged: Staged::default() };
        for job in self.jobs.iter() {
            let answer = desk.answer(job);
            desk.staged.outcome.answers.push(answer);
        }
        desk.close()
    }
}

struct StagedCart {
    cart: Arc<Cart>,
    /// The version in the store, 0 for a cart that is new.
    before: u64,
}

impl StagedCart {
    fn loaded(cart: Arc<Cart>) -> Self {
        Self { before: cart.version, cart }
    }
}

/// Is where a turn is worked on.
struct Desk<'t> {
    turn: &'t Turn,
    carts: BTreeMap<CartId, StagedCart>,
    unreadable: BTreeSet<CartId>,
    keys: BTreeMap<KeyRef, StoredAnswer>,
    stock: StockLevels,
    staged: Staged,
}

impl Desk<'_> {
    fn answer(&mut self, job: &Job) -> Answer {
        if self.unreadable.contains(&job.cart) {
            return Answer::Unreadable;
        }
        match &job.kind {
            JobKind::Open(opening) => self.open(&job.cart, opening),
            JobKind::Read(caller) => match self.carts.get(&job.cart) {
                None => Answer::UnknownCart,
                Some(staged) if staged.cart.owner != *caller => Answer::Rejected(Rejection::NotOwner),
                Some(staged) => self.accepted(staged.cart.clone(), None, None),
            },
            JobKind::Try(request) => self.attempt(&job.cart, request),
            JobKind::Execute(request) => self.execute(job, request),
        }
    }

    fn open(&mut self, id: &CartId, opening: &Opening) -> Answer {
        if let Some(staged) = self.carts.get(id) {
            return match staged.cart.owner == opening.owner {
                true => self.accepted(staged.cart.clone(), None, None),
                false => Answer::Rejected(Rejection::NotOwner),
            };
        }
        let Opening { owner, currency, workflow, assignments } = opening.clone();
        for a in &assignments {
            self.staged.exposures.push(Exposure {
                experiment: a.experiment.clone(),
                variation: a.variation,
                unit: owner.clone(),
                at_ms: self.turn.now_ms,
            });
        }
        let event = cart_core::open(id.clone(), owner, currency, workflow, assignments);
        let cart = Arc::new(Cart::from_opened(&event).expect("the event opens a cart"));
        self.publish(&cart, event);
        self.carts.insert(id.clone(), StagedCart { cart: cart.clone(), before: 0 });
        self.accepted(cart, None, None)
    }

    /// Decides a request and leaves everything as it is.
    fn attempt(&self, id: &CartId, request: &Request) -> Answer {
        let Some(staged) = self.carts.get(id) else { return Answer::UnknownCart };
        match decide(&staged.cart, &self.facts(), request) {
            Ok(_) => self.accepted(staged.cart.clone(), None, None),
            Err(rejection) => Answer::Rejected(rejection),
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            now_ms: self.turn.now_ms,
            products: &*self.turn.catalogue,
            stock: &self.stock,
            hold_ms: self.turn.hold_ms,
            terms: &self.turn.terms,
        }
    }

    fn accepted(&self, cart: Arc<Cart>, item: Option<Line>, order: Option<cart_core::Order>) -> Answer {
        let quote = quote(&cart, &*self.turn.catalogue, &self.turn.terms, self.turn.now_ms);
        Answer::Accepted(Box::new(Accepted { cart, quote, item, order }))
    }

    fn execute(&mut self, job: &Job, request: &Request) -> Answer {
        let Some(staged) = self.carts.get(&job.cart) else { return Answer::UnknownCart };
        // Whose cart it is comes before what was answered: an answer is as private as the cart.
        if request.caller.as_ref().is_some_and(|caller| *caller != staged.cart.owner) {
            return Answer::Rejected(Rejection::NotOwner);
        }
        match job.key.as_ref().zip(key_ref(job)) {
            None => self.decide(&job.cart, request),
            Some((key, at)) => match self.keys.get(&at) {
                Some(stored) if stored.fingerprint == key.fingerprint => stored.answer.clone(),
                Some(_) => Answer::KeyReused,
                None => {
                    let answer = self.decide(&job.cart, request);
                    self.keep(key, at, &answer);
                    answer
                }
            },
        }
    }

    fn keep(&mut self, key: &IdempotencyKey, at: KeyRef, answer: &Answer) {
        let stored = StoredAnswer { fingerprint: key.fingerprint.clone(), answer: answer.clone() };
        self.keys.insert(at.clone(), stored);
        self.staged.keys.push(KeyWrite {
            key: at,
            fingerprint: key.fingerprint.clone(),
            answer: answer.clone(),
            at_ms: self.turn.now_ms,
        });
    }

    fn decide(&mut self, id: &CartId, request: &Request) -> Answer {
        let before = self.carts[id].cart.clone();
        let events = match decide(&before, &self.facts(), request) {
            Ok(events) => events,
            Err(rejection) => return Answer::Rejected(rejection),
        };
        let staged = self.carts.get_mut(id).expect("the caller found the cart");
        let cart = Arc::make_mut(&mut staged.cart);
        for event in &events {
            evolve(cart, event);
        }
        let cart = staged.cart.clone();
        for event in &events {
            self.stock.apply(event);
            for (sku, movement) in stock::movements(event) {
                self.staged.movements.entry(sku.clone()).or_default().add(movement);
            }
        }
        let order = events.iter().find_map(|e| match e {
            CartEvent::OrderPlaced(order) => Some(order.clone()),
            _ => None,
        });
        self.staged.orders.extend(order.clone());
        let item = events.iter().rev().find_map(CartEvent::line).and_then(|line| {
            let gone = || before.line(&line).map(|l| Line { quantity: 0, held: 0, ..l.clone() });
            cart.line(&line).cloned().or_else(gone)
        });
        for event in events {
            self.publish(&cart, event);
        }
        self.accepted(cart, item, order)
    }

    fn publish(&mut self, cart: &Arc<Cart>, event: CartEvent) {
        self.staged.events.push(EventWrite {
            id: Uuid::new_v4(),
            at_ms: self.turn.now_ms,
            kind: event.name(),
            cart: Some(cart.id.clone()),
            unit: cart.owner.clone(),
            data: data_of(&event),
        });
        self.staged.outcome.happened.push((cart.clone(), event));
    }

    fn close(mut self) -> Staged {
        for StagedCart { cart, before } in self.carts.into_values() {
            let is_changed = cart.version != before;
            if is_changed {
                self.staged.carts.push(CartWrite { before, cart: cart.clone() });
            }
            self.staged.outcome.touched.push(Touched { cart, is_changed });
        }
        self.staged.movements.retain(|_, m| !m.is_none());
        self.staged
    }
}
