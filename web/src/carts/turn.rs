//! What a turn decides: jobs in order of arrival, on staged copies, so that two jobs for one cart see each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cart_core::{
    AccountId, Balances, Cart, CartEvent, CartId, Code, Command, Currency, Facts, GiftCard, GiftCards, Line,
    Merged, Rejection, Request, Sku, Stage, StockLevels, Terms, VisitorId, account, catch_up, claim, decide,
    evolve, gift_card, merge, quote, stock,
};
use uuid::Uuid;

use super::{Entering, IdempotencyKey, Job, JobKind, Opening, idle::Patience};
use crate::{
    catalogue::Catalogue,
    events::data::data_of,
    store::{
        Accepted, AccountWants, Answer, CartWrite, Decision, EventWrite, Exposure, IdleDue, KeyRef, KeyWrite,
        Loaded, LoadedCart, PostingWrite, Staged, StoredAnswer, Touched, Wants, balances_after,
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

impl Turn {
    /// Returns who opens a cart in this turn, and in which currency.
    fn opener(&self, id: &CartId) -> Option<(&VisitorId, Currency)> {
        self.jobs.iter().filter(|job| job.cart == *id).find_map(|job| match &job.kind {
            JobKind::Open(opening) => Some((&opening.owner, opening.currency)),
            _ => None,
        })
    }

    /// Returns the account of what a customer has bought of a product, where the shop sells a customer only so many.
    fn pieces(&self, customer: &VisitorId, sku: &Sku) -> Option<AccountId> {
        self.catalogue.product(sku)?.limits.per_customer?;
        Some(AccountId::CustomerPieces { customer: customer.clone(), sku: sku.clone() })
    }

    /// Lists the products that may be given to a cart where these codes were typed, with the parts of bundles.
    fn gifts(&self, codes: Vec<Code>) -> BTreeSet<Sku> {
        let gifts = self.terms.promotions.gifts(self.now_ms, &codes);
        let parts = |sku: &Sku| self.catalogue.product(sku).map_or(&[][..], |product| product.parts());
        gifts
            .flat_map(|sku| {
                [sku].into_iter().chain(parts(sku).iter().map(|p| &p.sku)).cloned().collect::<Vec<_>>()
            })
            .collect()
    }

    /// Lists the accounts that the order of a cart is likely to move: those of what it was shown.
    fn counted(&self, cart: &Cart) -> Vec<AccountId> {
        if !self.terms.promotions.is_counting() {
            return vec![];
        }
        let quote = quote(cart, &*self.catalogue, &self.terms, self.now_ms);
        let applied = quote.promotions.applied().filter_map(|(outcome, applied)| {
            let definition = self.terms.promotions.definition(&outcome.promotion)?;
            Some(account::counters(definition, applied.code.as_ref(), &cart.owner))
        });
        applied.flatten().map(|(account, _)| account).collect()
    }
}

/// Returns the products of a bundle's parts, of which some may be held that are counted no more.
fn parts_of(line: &Line) -> impl Iterator<Item = Sku> {
    line.parts.iter().map(|part| part.sku.clone())
}

/// Is what commands name that has an account.
#[derive(Default)]
struct Named {
    codes: Vec<Code>,
    cards: Vec<GiftCard>,
    credit: bool,
}

impl Named {
    fn add(&mut self, command: &Command) {
        match command {
            Command::ApplyCode { code } => self.codes.push(code.clone()),
            Command::ApplyGiftCard { card } => self.cards.push(card.clone()),
            Command::RedeemCode(typed) => {
                self.codes.extend(typed.code().cloned());
                self.cards.extend(typed.card().cloned());
            }
            Command::UseStoreCredit { on } => self.credit |= on,
            Command::Batch(commands) => commands.iter().for_each(|command| self.add(command)),
            _ => {}
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
            if let JobKind::Enter(_) = &job.kind {
                let carts = || job.carts().filter_map(|id| self.cart(loaded, id));
                skus.extend(carts().flat_map(|cart| &cart.lines).map(|l| l.sku.clone()));
                skus.extend(carts().flat_map(|cart| &cart.lines).flat_map(parts_of));
                skus.extend(self.gifts(carts().flat_map(|cart| cart.codes.iter().cloned()).collect()));
            }
            let JobKind::Execute(Request { command, .. }) = &job.kind else { continue };
            let cart = self.cart(loaded, &job.cart);
            let lines = cart.map_or(&[][..], |cart| &cart.lines);
            if self.terms.promotions.is_giving() || lines.iter().any(Line::is_gift) {
                let codes = cart.map_or_else(Vec::new, |cart| cart.codes.clone());
                let mut named = Named { codes, ..Named::default() };
                named.add(command);
                skus.extend(self.gifts(named.codes));
                let gifts = lines.iter().filter(|line| line.is_gift());
                skus.extend(gifts.flat_map(|line| [line.sku.clone()].into_iter().chain(parts_of(line))));
            }
            // Where the cart goes to may decide where its pieces come from.
            let may_move = self.terms.locations.are_several() && command.may_move_holds();
            let moves_all = may_move || command.moves_all_lines();
            for sku in command.skus() {
                skus.insert(sku.clone());
                let parts = self.catalogue.product(sku).map_or(&[][..], |product| product.parts());
                skus.extend(parts.iter().map(|part| part.sku.clone()));
                // A line keeps the parts that it was added with.
                let lines = lines.iter().filter(|line| !moves_all && line.sku == *sku);
                skus.extend(lines.flat_map(parts_of));
            }
            if moves_all {
                for line in lines {
                    skus.insert(line.sku.clone());
                    skus.extend(parts_of(line));
                    // A line that is added again, because its cart had expired, takes the parts of today.
                    let parts = self.catalogue.product(&line.sku).map_or(&[][..], |product| product.parts());
                    skus.extend(parts.iter().map(|part| part.sku.clone()));
                }
            }
        }
        skus
    }

    /// In most shops nothing is counted, and then no account is looked up.
    fn accounts(&self, loaded: &Loaded) -> AccountWants {
        let mut wants = AccountWants::default();
        for job in self.jobs.iter() {
            if let JobKind::Enter(entering) = &job.kind {
                let carts: Vec<_> = job.carts().filter_map(|id| self.cart(loaded, id)).collect();
                let codes: Vec<_> = carts.iter().flat_map(|cart| cart.codes.iter().cloned()).collect();
                let bearing = account::bearing(&entering.user, &codes, &self.terms);
                wants.read.extend(bearing.into_iter().map(|(account, _)| account));
                let lines = carts.iter().flat_map(|cart| &cart.lines);
                wants.read.extend(lines.filter_map(|line| self.pieces(&entering.user, &line.sku)));
                // What was to pay for one cart may be to pay for the other.
                let currencies: BTreeSet<Currency> = carts.iter().map(|cart| cart.currency).collect();
                for (cart, currency) in carts.iter().flat_map(|c| currencies.iter().map(move |of| (c, *of))) {
                    wants.read.extend(cart.gift_cards.iter().map(|card| card.account(currency)));
                    wants.read.extend(cart.uses_credit.then(|| gift_card::credit(currency, &entering.user)));
                    wants.cards.extend(cart.gift_cards.iter().map(|card| card.id.clone()));
                }
            }
            let JobKind::Execute(request) = &job.kind else { continue };
            let cart = self.cart(loaded, &job.cart);
            let owned = cart.map(|cart| (&cart.owner, cart.currency));
            let Some((customer, currency)) = owned.or_else(|| self.opener(&job.cart)) else { continue };
            let mut named =
                Named { codes: cart.map_or_else(Vec::new, |c| c.codes.clone()), ..Named::default() };
            named.add(&request.command);
            let bearing = account::bearing(customer, &named.codes, &self.terms);
            wants.read.extend(bearing.into_iter().map(|(account, _)| account));
            if let Some(order) = request.command.order() {
                wants.moved.extend(order.postings.iter().map(|posting| posting.account.clone()));
            }
            wants.read.extend(named.cards.iter().map(|card| card.account(currency)));
            wants.cards.extend(named.cards.into_iter().map(|card| card.id));
            if named.credit {
                wants.read.insert(gift_card::credit(currency, customer));
            }
            let pieces = request.command.skus().into_iter().filter_map(|sku| self.pieces(customer, sku));
            wants.read.extend(pieces);
            let Some(cart) = cart else { continue };
            wants.read.extend(gift_card::purses(cart));
            wants.cards.extend(cart.gift_cards.iter().map(|card| card.id.clone()));
            let moved = match request.command {
                Command::PlaceOrder { .. } => &mut wants.moved,
                Command::BeginPayment { .. } | Command::Reopen => &mut wants.read,
                _ => continue,
            };
            moved.extend(cart.lines.iter().filter_map(|line| self.pieces(customer, &line.sku)));
            moved.extend(gift_card::purses(cart));
            moved.extend(self.counted(cart));
        }
        wants
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

/// Returns an order with what its cart says became of it.
fn became(order: &cart_core::Order, cart: &Cart) -> Option<cart_core::Order> {
    match &cart.stage {
        Stage::Ordered { state, .. } => Some(order.clone().with_state(state.clone())),
        _ => None,
    }
}

struct StagedCart {
    cart: Arc<Cart>,
    /// The version in the store, 0 for a cart that is new.
    before: u64,
    is_claimed: bool,
    /// Its shopper did something, or it has lapsed.
    is_timed: bool,
}

impl StagedCart {
    fn loaded(cart: Arc<Cart>) -> Self {
        Self { before: cart.version, cart, is_claimed: false, is_timed: false }
    }
}

/// Is where a turn is worked on.
struct Desk<'t> {
    turn: &'t Turn,
    carts: BTreeMap<CartId, StagedCart>,
    unreadable: BTreeSet<CartId>,
    keys: BTreeMap<KeyRef, StoredAnswer>,
    stock: StockLevels,
    balances: Balances,
    cards: GiftCards,
    staged: Staged,
}

impl Desk<'_> {
    fn answer(&mut self, job: &Job) -> Answer {
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
        let Opening { owner, unit, currency, workflow, assignments, attributes } = opening.clone();
        for a in &assignments {
            self.staged.exposures.push(Exposure {
                experiment: a.experiment.clone(),
                variation: a.variation,
                unit: unit.clone(),
                at_ms: self.turn.now_ms,
                attributes: attributes.clone(),
            });
        }
        let (id, unit) = (id.clone(), Some(unit).filter(|unit| *unit != owner));
        let event = CartEvent::CartOpened { id: id.clone(), owner, unit, currency, workflow, assignments };
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
        let from = match &entering.from {
            None => None,
            Some((from, lines)) => {
                let Some(cart) = self.carts.get(from).map(|staged| staged.cart.clone()) else {
                    return Ok(Answer::UnknownCart);
                };
                let Merged { into: moved, from, left } = merge(&into, &cart, &self.facts(), *lines)?;
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

    fn close(mut self, before: &Balances) -> Staged {
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
