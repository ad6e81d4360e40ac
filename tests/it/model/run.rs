//! A run: asks the store what was drawn, and holds each answer against the books.

mod act;
mod compare;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use cart_core::{Cart, CartId, Command, Lines, Order, Rejection, Request, Terms, Workflow};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use web::{
    carts::{Entering, IdempotencyKey, Job, JobKind, Opening, idle::Patience, turn::Turn},
    catalogue::CatalogueCell,
    store::{Answer, Outcome, Store, StoreError, memory::Fault},
};

use super::{
    bill::Day,
    book::{Book, Told},
    cart_book::CartBook,
    draw,
    season::Season,
    shop::{self, CHANNELS, CURRENCIES, HOLD_MS, card},
};
use crate::store_contract::subject::{NOW_MS, Subject, visitor};

/// Carts that shoppers fill at the same time, and orders that things still become of.
const OPEN_MAX: usize = 6;
const ORDERS_MAX: usize = 6;
/// Keyed requests that may be asked again.
const KEYED_MAX: usize = 200;

struct Life {
    cart: Arc<Cart>,
    book: CartBook,
    /// What it was told of promotions.
    told: Told,
    /// As it was placed.
    order: Option<Order>,
    /// An order was refused because of news, by which its gifts may be others.
    is_told: bool,
}

/// Is one job with what is expected of its answer.
struct Ask {
    job: Job,
    /// What the same request was answered before; empty where its key came with another request.
    before: Option<String>,
}

/// Is a run with its books.
pub struct Run {
    subject: Subject,
    stores: Vec<Arc<dyn Store>>,
    rng: StdRng,
    catalogue: CatalogueCell,
    terms: Arc<Terms>,
    now_ms: i64,
    day: Day,
    book: Book,
    lives: BTreeMap<CartId, Life>,
    memory: BTreeMap<CartId, Arc<Cart>>,
    keyed: VecDeque<(Job, String)>,
    names: u64,
    counts: BTreeMap<String, u64>,
}

impl Run {
    pub async fn begin(subject: Subject, seed: u64) -> Self {
        let mut stores = vec![subject.store.clone()];
        if subject.is_shared() {
            stores.extend(subject.another().await);
        }
        let mut rng = StdRng::seed_from_u64(seed);
        let prices = shop::stock_up(&*subject.store, &mut rng, NOW_MS).await;
        let catalogue = CatalogueCell::default();
        catalogue.refresh(&*subject.store).await.unwrap();
        let cards = shop::CARDS.iter().map(|(id, _)| (card(id).id, 5_000)).collect();
        let season = Season::draw(&mut rng, 0, NOW_MS);
        Self {
            stores,
            rng,
            catalogue,
            terms: Arc::new(season.terms()),
            now_ms: NOW_MS,
            day: Day { season, prices, lamps_from_ms: NOW_MS, now_ms: NOW_MS },
            book: Book { cards, ..Book::default() },
            lives: BTreeMap::new(),
            memory: BTreeMap::new(),
            keyed: VecDeque::new(),
            names: 0,
            counts: BTreeMap::new(),
            subject,
        }
    }

    /// Counts the commands that were answered.
    pub fn commands(&self) -> u64 {
        self.counts.iter().filter(|(name, _)| name.starts_with("command ")).map(|(_, n)| n).sum()
    }

    /// Lets time pass, the shop's people act and some shoppers ask at once.
    pub async fn step(&mut self) {
        self.now_ms += match self.rng.random_range(0..100) {
            0 => self.rng.random_range(0..2 * HOLD_MS),
            _ => self.rng.random_range(0..500),
        };
        self.day.now_ms = self.now_ms;
        if self.rng.random_bool(0.06) {
            self.act().await;
        }
        let asks = self.draw();
        self.ask(asks).await;
        if self.rng.random_bool(0.03) {
            self.look().await;
        }
        if self.rng.random_bool(0.01) {
            self.count("a process forgets");
            self.memory.clear();
        }
        self.retire().await;
    }

    /// Ends all payments and compares everything a last time.
    pub async fn end(&mut self) {
        for id in self.lives.keys().cloned().collect::<Vec<_>>() {
            self.settle(&id).await;
        }
        self.look().await;
        self.book.audit_provider();
        assert_eq!(self.subject.store.audit().await.unwrap(), Vec::<String>::new());
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn draw(&mut self) -> Vec<Ask> {
        let open: Vec<CartId> =
            self.lives.iter().filter(|(_, l)| l.order.is_none()).map(|(id, _)| id.clone()).collect();
        if !open.is_empty() && self.rng.random_bool(0.02) {
            return vec![self.log_in(&open)];
        }
        let (mut asks, mut paying) = (vec![], BTreeSet::new());
        if open.len() < OPEN_MAX {
            asks.push(self.opening());
        }
        for _ in 0..self.rng.random_range(1..13) {
            let ids: Vec<&CartId> = self.lives.keys().filter(|id| !paying.contains(*id)).collect();
            let Some(id) = ids.choose(&mut self.rng).map(|id| (*id).clone()) else { break };
            if let Some((job, before)) = self.keyed.get(self.rng.random_range(0..KEYED_MAX)).cloned()
                && self.rng.random_bool(0.1)
                && !paying.contains(&job.cart)
                && self.lives.contains_key(&job.cart)
            {
                asks.push(self.again(job, before));
                continue;
            }
            let life = &self.lives[&id];
            let season = self.day.season.number;
            let command = draw::command(&mut self.rng, &life.cart, life.order.as_ref(), season);
            // Nothing is asked of a cart behind an attempt to pay: whether that was begun may have to be asked again.
            if matches!(command, Command::BeginPayment { .. }) {
                paying.insert(id.clone());
            }
            let caller = match self.rng.random_range(0..50) {
                0 => Some(visitor("nobody")),
                1..=25 => Some(life.cart.owner.clone()),
                _ => None,
            };
            let away = self.rng.random_range(1..4);
            let expected_version = match self.rng.random_range(0..30) {
                0 => Some(life.cart.version.saturating_sub(away)),
                1 => Some(life.cart.version),
                _ => None,
            };
            let kind = JobKind::Execute(Request { caller, expected_version, command });
            let key = self.key();
            asks.push(Ask { job: Job { cart: id, kind, key }, before: None });
        }
        asks
    }

    fn key(&mut self) -> Option<IdempotencyKey> {
        Some(IdempotencyKey { key: self.name("k"), fingerprint: "once".into() })
    }

    fn again(&mut self, mut job: Job, before: String) -> Ask {
        let is_other = self.rng.random_bool(0.2);
        if let (true, Some(key)) = (is_other, &mut job.key) {
            key.fingerprint = "another".into();
        }
        Ask { job, before: Some(if is_other { String::new() } else { before }) }
    }

    fn opening(&mut self) -> Ask {
        let owner = shop::customer(&mut self.rng, self.day.season.number);
        let workflow = if self.rng.random_bool(0.5) { Workflow::classic() } else { Workflow::express() };
        let opening = Opening {
            unit: owner.clone(),
            owner,
            group: shop::some_group(&mut self.rng),
            channel: CHANNELS
                .choose(&mut self.rng)
                .filter(|_| self.rng.random_bool(0.6))
                .map(|c| shop::channel(c)),
            currency: shop::currency(CURRENCIES.choose(&mut self.rng).expect("some")),
            workflow: Arc::new(workflow),
            met: vec![],
        };
        let cart = CartId::parse(&self.name("c")).unwrap();
        Ask { job: Job { cart, kind: JobKind::Open(opening), key: None }, before: None }
    }

    /// Lets a guest say who they are: their cart becomes the user's, or takes in the one that the user has, or goes into
    /// that one.
    fn log_in(&mut self, open: &[CartId]) -> Ask {
        let into = open.choose(&mut self.rng).expect("some").clone();
        let from = open.choose(&mut self.rng).filter(|id| **id != into).cloned();
        let guest = self.lives[&into].cart.owner.clone();
        let user = match &from {
            Some(from) => self.lives[from].cart.owner.clone(),
            None => shop::customer(&mut self.rng, self.day.season.number),
        };
        let (user, guest) =
            if from.is_some() && self.rng.random_bool(0.5) { (guest, user) } else { (user, guest) };
        let lines = if self.rng.random_bool(0.5) { Lines::Added } else { Lines::LaidAside };
        let group = shop::some_group(&mut self.rng);
        let entering = Entering { user, group, guest, from: from.map(|from| (from, lines)) };
        Ask { job: Job { cart: into, kind: JobKind::Enter(entering), key: None }, before: None }
    }

    async fn ask(&mut self, asks: Vec<Ask>) {
        if asks.is_empty() {
            return;
        }
        let jobs: Arc<[Job]> = asks.iter().map(|ask| ask.job.clone()).collect();
        let is_cut = can_be_cut(&jobs) && self.rng.random_bool(0.05);
        let outcome = self.turn(jobs, is_cut).await;
        let mut seen = BTreeSet::new();
        for (ask, answer) in asks.iter().zip(&outcome.answers) {
            let is_first = seen.insert(ask.job.cart.clone());
            self.hold_against_the_books(ask, answer, is_first);
        }
        for touched in &outcome.touched {
            let Some(life) = self.lives.get_mut(&touched.cart.id) else { continue };
            life.cart = touched.cart.clone();
            if std::mem::take(&mut life.is_told) {
                life.book.gifts = CartBook::of(&life.cart).gifts;
            }
            if life.order.is_none() {
                assert_eq!(CartBook::of(&life.cart), life.book);
            }
            self.memory.insert(touched.cart.id.clone(), touched.cart.clone());
        }
    }

    /// Runs a turn to its end, whatever comes between: a lost race, a store that is away, a commit of unknown fate.
    pub async fn turn(&mut self, jobs: Arc<[Job]>, is_cut: bool) -> Outcome {
        let known = jobs.iter().flat_map(Job::carts).filter_map(|id| self.memory.get_key_value(id));
        let mut memory: BTreeMap<_, _> = known.map(|(id, cart)| (id.clone(), cart.clone())).collect();
        let mut cut = None;
        if is_cut {
            let fault = self.rng.random_range(0..4);
            match self.subject.double() {
                Some(double) => double.faults().line_up(
                    [Fault::Fail, Fault::Conflict, Fault::CrashBeforeCommit, Fault::CrashAfterCommit][fault]
                        .clone(),
                    1,
                ),
                None => cut = Some(Duration::from_micros(self.rng.random_range(0..4_000))),
            }
            self.count("a turn is cut");
        }
        for _ in 0..50 {
            let turn = Turn {
                jobs: jobs.clone(),
                memory: std::mem::take(&mut memory),
                catalogue: self.catalogue.get(),
                terms: self.terms.clone(),
                now_ms: self.now_ms,
                hold_ms: HOLD_MS,
                patience: Patience { abandon_ms: Some(600_000), expire_ms: Some(6_000_000) },
            };
            let store = self.stores.choose(&mut self.rng).expect("a store").clone();
            let work = store.turn(turn.wants(), Box::new(turn));
            let done = match cut.take() {
                // Whoever asked goes away: what became of it, the next try finds out by its keys.
                Some(after) => tokio::time::timeout(after, work).await.ok(),
                None => Some(work.await),
            };
            match done {
                Some(Ok(outcome)) => return outcome,
                None | Some(Err(StoreError::Conflict(_))) => {}
                Some(Err(_)) if is_cut => {}
                Some(Err(error)) => panic!("{error}"),
            }
        }
        panic!("fifty tries of a turn failed")
    }

    fn hold_against_the_books(&mut self, ask: &Ask, answer: &Answer, is_first: bool) {
        let Ask { job, before } = ask;
        if let Some(before) = before {
            let is_reused = matches!(answer, Answer::KeyReused);
            let is_same = || serde_json::to_string(answer).unwrap() == *before;
            assert!(
                if before.is_empty() { is_reused } else { is_same() },
                "{job:?} was answered {before}, now {answer:?}"
            );
            return self.count("a request is repeated");
        }
        match (&job.kind, answer) {
            (JobKind::Open(opening), Answer::Accepted(accepted)) => {
                let book = CartBook::new(opening.currency, opening.group.clone(), opening.channel.clone());
                let (cart, told) = (accepted.cart.clone(), Told::default());
                let life = Life { cart, book, told, order: None, is_told: false };
                self.lives.insert(job.cart.clone(), life);
            }
            (JobKind::Enter(entering), Answer::Accepted(accepted)) => {
                self.merged(&job.cart, entering, accepted)
            }
            (JobKind::Enter(_), Answer::Rejected(_)) => {}
            (JobKind::Execute(request), Answer::Accepted(accepted)) => {
                self.forbid(request, &job.cart, is_first, "accepted");
                self.accepted(&job.cart, &request.command, accepted);
                self.count(format!("command {} accepted", request.command.name()));
            }
            (JobKind::Execute(request), Answer::Rejected(rejection)) => {
                if !["not_owner", "stale_version"].contains(&rejection.name()) {
                    self.forbid(request, &job.cart, is_first, rejection.name());
                    self.refused(&job.cart, &request.command, rejection);
                }
                self.count(format!("command {} {}", request.command.name(), rejection.name()));
            }
            (_, other) => panic!("{job:?} is answered {other:?}"),
        }
        let begins =
            matches!(&job.kind, JobKind::Execute(Request { command: Command::BeginPayment { .. }, .. }));
        let is_kept = matches!(job.kind, JobKind::Execute(_)) && !begins;
        let is_private = matches!(answer, Answer::Rejected(Rejection::NotOwner));
        if is_kept && !is_private {
            self.keyed.push_back((job.clone(), serde_json::to_string(answer).unwrap()));
            if self.keyed.len() > KEYED_MAX {
                self.keyed.pop_front();
            }
        }
    }

    /// Lets the oldest orders go, once their payments have come to an end.
    async fn retire(&mut self) {
        let orders: Vec<CartId> =
            self.lives.iter().filter(|(_, l)| l.order.is_some()).map(|(id, _)| id.clone()).collect();
        if orders.len() > ORDERS_MAX
            && let Some(id) = orders.choose(&mut self.rng)
        {
            self.settle(id).await;
            self.lives.remove(id);
            self.memory.remove(id);
            self.keyed.retain(|(job, _)| job.cart != *id);
        }
    }

    async fn settle(&mut self, id: &CartId) {
        while let Some(task) = self.lives[id].cart.payment_tasks.first().cloned() {
            let request =
                Request { caller: None, expected_version: None, command: Command::SettlePayment(task) };
            let kind = JobKind::Execute(request);
            let key = self.key();
            self.ask(vec![Ask { job: Job { cart: id.clone(), kind, key }, before: None }]).await;
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} commands, {} orders", self.commands(), self.book.orders.len())?;
        self.counts.iter().try_for_each(|(what, n)| writeln!(f, "{n:>9}  {what}"))
    }
}

/// Reports whether a turn may be tried again: an attempt to pay is not kept under its key, so it may be decided anew behind
/// what comes after it, which is then not to change what it is decided on.
fn can_be_cut(jobs: &[Job]) -> bool {
    let command = |job: &Job| match &job.kind {
        JobKind::Execute(request) => Some(request.command.clone()),
        _ => None,
    };
    let commands = || jobs.iter().filter_map(command);
    let begins = |command: &Command| matches!(command, Command::BeginPayment { .. });
    let changes_accounts =
        |command: &Command| matches!(command, Command::PlaceOrder { .. }) || command.order().is_some();
    jobs.iter().all(|job| !matches!(job.kind, JobKind::Enter(_)))
        && !(commands().any(|c| begins(&c)) && commands().any(|c| changes_accounts(&c)))
}
