//! Where a turn is worked on: each job on what those before it left.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cart_core::{
    Balances, Cart, CartEvent, CartId, Command, Facts, GiftCards, Line, Merged, Rejection, Request, Stage,
    StockLevels, account, catch_up, claim, decide, evolve, merge, quote, set_group, stock,
};
use uuid::Uuid;

use super::{Turn, key_ref, read};
use crate::{
    carts::{Entering, IdempotencyKey, Job, JobKind, Opening},
    events::data::data_of,
    store::{
        Accepted, Answer, CartWrite, EventWrite, Exposure, IdleDue, KeyRef, KeyWrite, PostingWrite, Staged,
        StoredAnswer, Touched, balances_after,
    },
};

/// Returns an order with what its cart says became of it.
fn became(order: &cart_core::Order, cart: &Cart) -> Option<cart_core::Order> {
    match &cart.stage {
        Stage::Ordered { state, .. } => Some(order.clone().with_state(state.clone())),
        _ => None,
    }
}

/// Is a cart as the turn leaves it so far.
pub(super) struct StagedCart {
    cart: Arc<Cart>,
    /// The version in the store, 0 for a cart that is new.
    before: u64,
    is_claimed: bool,
    /// Its shopper did something, or it has lapsed.
    is_timed: bool,
}

impl StagedCart {
    pub fn loaded(cart: Arc<Cart>) -> Self {
        Self { before: cart.version, cart, is_claimed: false, is_timed: false }
    }
}

/// Is where a turn is worked on.
pub(super) struct Desk<'t> {
    pub turn: &'t Turn,
    pub carts: BTreeMap<CartId, StagedCart>,
    pub unreadable: BTreeSet<CartId>,
    pub keys: BTreeMap<KeyRef, StoredAnswer>,
    pub stock: StockLevels,
    pub balances: Balances,
    pub cards: GiftCards,
    pub staged: Staged,
}

impl Desk<'_> {
    pub fn answer(&mut self, job: &Job) -> Answer {
        if job.carts().any(|id| self.unreadable.contains(id)) {
            return Answer::Unreadable;
        }
        match &job.kind {
            JobKind::Open(opening) => self.open(job, opening),
            JobKind::Read(caller) => match self.carts.get(&job.cart) {
                None => Answer::UnknownCart,
                Some(staged) => {
                    let Turn { catalogue, terms, now_ms, .. } = self.turn;
                    read(staged.cart.clone(), caller.as_ref(), catalogue, terms, *now_ms)
                }
            },
            JobKind::Execute(request) => self.execute(job, request),
            JobKind::Enter(entering) => self.enter(&job.cart, entering),
        }
    }

    fn open(&mut self, job: &Job, opening: &Opening) -> Answer {
        // Whose cart it is comes before what was answered: an answer is as private as the cart.
        if self.carts.get(&job.cart).is_some_and(|staged| staged.cart.owner != opening.owner) {
            return Answer::Rejected(Rejection::NotOwner);
        }
        self.once(job, |desk| desk.open_or_find(&job.cart, opening))
    }

    fn open_or_find(&mut self, id: &CartId, opening: &Opening) -> Answer {
        if let Some(staged) = self.carts.get(id) {
            return self.accepted(staged.cart.clone(), None, None);
        }
        let Opening { owner, unit, group, channel, currency, workflow, met } = opening.clone();
        let mut assignments = Vec::with_capacity(met.len());
        for (assigned, attributes) in met {
            self.staged.exposures.push(Exposure {
                experiment: assigned.experiment.clone(),
                variation: assigned.variation,
                unit: unit.clone(),
                at_ms: self.turn.now_ms,
                attributes,
            });
            assignments.push(assigned);
        }
        let (id, unit) = (id.clone(), Some(unit).filter(|unit| *unit != owner));
        let event = CartEvent::CartOpened {
            id: id.clone(),
            owner,
            unit,
            group,
            channel,
            currency,
            workflow,
            assignments,
        };
        let cart = Arc::new(Cart::from_opened(&event).expect("the event opens a cart"));
        self.publish(&cart, event);
        self.carts
            .insert(id, StagedCart { cart: cart.clone(), before: 0, is_claimed: false, is_timed: true });
        self.accepted(cart, None, None)
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            now_ms: self.turn.now_ms,
            products: &*self.turn.catalogue,
            stock: &self.stock,
            balances: &self.balances,
            cards: &self.cards,
            hold_ms: self.turn.hold_ms,
            terms: &self.turn.terms,
        }
    }

    fn accepted(&self, cart: Arc<Cart>, item: Option<Line>, order: Option<cart_core::Order>) -> Answer {
        let quote = quote(&cart, &*self.turn.catalogue, &self.turn.terms, self.turn.now_ms);
        Answer::Accepted(Box::new(Accepted { cart, quote, item, order, left: vec![], reopened: vec![] }))
    }

    fn execute(&mut self, job: &Job, request: &Request) -> Answer {
        let Some(staged) = self.carts.get(&job.cart) else { return Answer::UnknownCart };
        // Whose cart it is comes before what was answered: an answer is as private as the cart.
        if request.caller.as_ref().is_some_and(|caller| *caller != staged.cart.owner) {
            return Answer::Rejected(Rejection::NotOwner);
        }
        self.once(job, |desk| desk.decide(&job.cart, request))
    }

    /// Does a job unless its key was used before: then the answer is the same as then.
    fn once(&mut self, job: &Job, work: impl FnOnce(&mut Self) -> Answer) -> Answer {
        let Some((key, at)) = job.key.as_ref().zip(key_ref(job)) else { return work(self) };
        match self.keys.get(&at) {
            Some(stored) if stored.fingerprint == key.fingerprint => stored.answer.clone(),
            Some(_) => Answer::KeyReused,
            None => {
                let answer = work(self);
                // That an attempt to pay was begun is no answer yet; the order's will be.
                let begins_payment = matches!(
                    &job.kind,
                    JobKind::Execute(Request { command: Command::BeginPayment { .. }, .. })
                );
                if !begins_payment || !matches!(answer, Answer::Accepted(_)) {
                    self.keep(key, at, &answer);
                }
                answer
            }
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
            Err(rejection) => {
                let is_news = matches!(
                    rejection,
                    Rejection::PromotionUsedUp { .. }
                        | Rejection::PaymentMismatch { .. }
                        | Rejection::GiftsChanged { .. }
                        | Rejection::GiftCardExpired { .. }
                        | Rejection::GiftCardDisabled { .. }
                );
                // The shopper is shown what the refusal is about.
                if is_news {
                    let news = catch_up(&before, &self.facts());
                    self.happen(id, news);
                }
                return Answer::Rejected(rejection);
            }
        };
        let placed = events.iter().find_map(|e| match e {
            CartEvent::OrderPlaced(order) => Some(order.clone()),
            _ => None,
        });
        self.staged.orders.extend(placed.clone());
        let reopened = events.iter().find_map(|e| match e {
            CartEvent::CartReopened { lines } => Some(lines.clone()),
            _ => None,
        });
        let changed = events.iter().rev().find_map(CartEvent::line);
        let changes_its_order = events.iter().any(CartEvent::changes_its_order);
        let cart = self.happen(id, events);
        let order = placed.or_else(|| became(request.command.order()?, &cart));
        if let Some(order) = order.as_ref().filter(|_| changes_its_order) {
            self.staged.order_updates.insert(order.order_id.clone(), order.clone());
        }
        let item = changed.and_then(|line| {
            let gone = || before.line(&line).map(|l| Line { quantity: 0, held: 0, ..l.clone() });
            cart.line(&line).cloned().or_else(gone)
        });
        match (self.accepted(cart, item, order), reopened) {
            (Answer::Accepted(accepted), Some(reopened)) => {
                Answer::Accepted(Box::new(Accepted { reopened, ..*accepted }))
            }
            (answer, _) => answer,
        }
    }

    /// Makes a cart a user's and takes in what another one holds, both in this transaction or neither.
    fn enter(&mut self, id: &CartId, entering: &Entering) -> Answer {
        match self.merged(id, entering) {
            Ok(answer) => answer,
            Err(rejection) => Answer::Rejected(rejection),
        }
    }

    fn merged(&mut self, id: &CartId, entering: &Entering) -> Result<Answer, Rejection> {
        let is_theirs = |cart: &Cart| cart.owner == entering.user || cart.owner == entering.guest;
        let Some(into) = self.carts.get(id).map(|staged| staged.cart.clone()) else {
            return Ok(Answer::UnknownCart);
        };
        let mut merged = Merged { into: claim(&into, &entering.user)?, ..Merged::default() };
        // What they have bought before limits what it takes in, not what the guest has.
        let mut theirs = into.clone();
        merged.into.iter().for_each(|event| evolve(Arc::make_mut(&mut theirs), event));
        let from = match &entering.from {
            None => None,
            Some((from, lines)) => {
                let Some(cart) = self.carts.get(from).map(|staged| staged.cart.clone()) else {
                    return Ok(Answer::UnknownCart);
                };
                let Merged { into: moved, from, left } = merge(&theirs, &cart, &self.facts(), *lines)?;
                merged.into.extend(moved);
                merged = Merged { from, left, ..merged };
                Some(cart)
            }
        };
        if !is_theirs(&into) || from.as_ref().is_some_and(|cart| !is_theirs(cart)) {
            return Err(Rejection::NotOwner);
        }
        let cart = self.happen(id, merged.into);
        if let Some(from) = from {
            self.happen(&from.id, merged.from);
        }
        let regrouped = set_group(&cart, &self.facts(), entering.group.as_ref());
        let cart = self.happen(id, regrouped);
        let news = catch_up(&cart, &self.facts());
        let cart = self.happen(id, news);
        let quote = quote(&cart, &*self.turn.catalogue, &self.turn.terms, self.turn.now_ms);
        let (item, order, left) = (None, None, merged.left);
        Ok(Answer::Accepted(Box::new(Accepted { cart, quote, item, order, left, reopened: vec![] })))
    }

    /// Lets events happen: to the cart, the stock, the accounts and the outbox.
    fn happen(&mut self, id: &CartId, events: Vec<CartEvent>) -> Arc<Cart> {
        let staged = self.carts.get_mut(id).expect("the caller found the cart");
        let lapse = staged.cart.lapse;
        let cart = Arc::make_mut(&mut staged.cart);
        for event in &events {
            evolve(cart, event);
            staged.is_claimed |= matches!(event, CartEvent::CartClaimed { .. });
        }
        staged.is_timed |= events.iter().any(CartEvent::is_activity) || staged.cart.lapse != lapse;
        let cart = staged.cart.clone();
        for event in &events {
            self.stock.apply(event);
            for (slot, movement) in stock::movements(event) {
                self.staged.movements.entry(slot).or_default().add(movement);
            }
            self.balances.apply(event);
            if let Some((cause, postings)) = account::postings(event) {
                self.staged.postings.extend(postings.iter().map(|posting| PostingWrite {
                    posting: posting.clone(),
                    cause: cause.clone(),
                    at_ms: self.turn.now_ms,
                }));
            }
        }
        for event in events {
            self.publish(&cart, event);
        }
        cart
    }

    fn publish(&mut self, cart: &Arc<Cart>, event: CartEvent) {
        self.staged.events.push(EventWrite {
            id: Uuid::new_v4(),
            at_ms: self.turn.now_ms,
            kind: event.name(),
            cart: Some(cart.id.clone()),
            unit: cart.unit().clone(),
            data: data_of(&event),
        });
        self.staged.outcome.happened.push((cart.clone(), event));
    }

    pub fn close(mut self, before: &Balances) -> Staged {
        self.staged.balances = balances_after(before, &self.staged.postings);
        for StagedCart { cart, before, is_claimed, is_timed } in self.carts.into_values() {
            let is_changed = cart.version != before;
            if is_changed {
                if cart.payments > 0 {
                    let since_ms = cart.is_payment_due().then_some(self.turn.now_ms);
                    self.staged.payments.insert(cart.id.clone(), since_ms);
                }
                let idle = match is_timed {
                    true => IdleDue::At(self.turn.patience.due_ms(&cart, self.turn.now_ms)),
                    false => IdleDue::AsBefore,
                };
                self.staged.carts.push(CartWrite { before, cart: cart.clone(), is_claimed, idle });
            }
            self.staged.outcome.touched.push(Touched { cart, is_changed });
        }
        self.staged.movements.retain(|_, m| !m.is_none());
        self.staged
    }
}
