//! The suite's own decision: jobs in order, on staged copies, by the rules of the domain.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use cart_core::{
    Address, Cart, CartEvent, CartId, Command, Facts, OrderId, Payment, PricePolicy, Product, Products,
    Properties, Quote, Rejection, Request, Shipping, Sku, StepDetails, StockLevels, Terms, VisitorId,
    Workflow, decide, evolve, stock,
};
use uuid::Uuid;
use web::store::{
    Accepted, Answer, CartWrite, Decision, EventWrite, Exposure, KeyRef, KeyWrite, Loaded, LoadedCart,
    Staged, StoredAnswer, Touched, Wants,
};

use super::subject::{HOLD_MS, NOW_MS, SHELF, cart_id, currency, product, sku, visitor};

/// Is one thing to do with one cart.
#[derive(Clone)]
pub struct Job {
    pub cart: CartId,
    pub ask: Ask,
    /// The idempotency key and the request's fingerprint.
    pub key: Option<(String, String)>,
    pub now_ms: i64,
}

#[derive(Clone)]
pub enum Ask {
    Open(VisitorId),
    Read,
    Do(Option<u64>, Command),
}

fn job(cart: &str, ask: Ask) -> Job {
    Job { cart: cart_id(cart), ask, key: None, now_ms: NOW_MS }
}

pub fn open(cart: &str, owner: &str) -> Job {
    job(cart, Ask::Open(visitor(owner)))
}

pub fn read(cart: &str) -> Job {
    job(cart, Ask::Read)
}

pub fn command(cart: &str, command: Command) -> Job {
    job(cart, Ask::Do(None, command))
}

pub fn add(cart: &str, text: &str, quantity: u32) -> Job {
    command(cart, Command::AddLine { sku: sku(text), quantity, properties: Properties::default() })
}

/// Returns the whole checkout of a cart that costs so much; its order is named after it.
pub fn buy(cart: &str, amount_minor: i64) -> Vec<Job> {
    let address = Address::parse(|field| {
        Some(match field {
            "email" => "ann@example.org".into(),
            "country" => "GB".into(),
            "region" => String::new(),
            other => other.to_owned(),
        })
    });
    let payment = Payment { reference: format!("paid-{cart}"), amount_minor };
    [
        Command::StartCheckout,
        Command::CompleteStep(StepDetails::Address(address.unwrap())),
        Command::CompleteStep(StepDetails::Shipping { method: "standard".parse().ok() }),
        Command::CompleteStep(StepDetails::Payment),
        Command::PlaceOrder { order_id: OrderId::parse(&format!("order-{cart}")).unwrap(), payment },
    ]
    .map(|c| command(cart, c))
    .into()
}

impl Job {
    pub fn keyed(mut self, key: &str, fingerprint: &str) -> Self {
        self.key = Some((key.into(), fingerprint.into()));
        self
    }

    pub fn at(mut self, now_ms: i64) -> Self {
        self.now_ms = now_ms;
        self
    }

    pub fn expecting(mut self, version: u64) -> Self {
        if let Ask::Do(expected, _) = &mut self.ask {
            *expected = Some(version);
        }
        self
    }

    fn key_ref(&self) -> Option<KeyRef> {
        self.key.as_ref().map(|(key, _)| KeyRef { cart: self.cart.clone(), key: key.clone() })
    }
}

/// Decides jobs; it remembers no carts.
pub struct Till {
    jobs: Vec<Job>,
    exposures: Vec<Exposure>,
}

impl Till {
    pub fn new(jobs: Vec<Job>) -> Self {
        Self { jobs, exposures: vec![] }
    }

    pub fn exposing(jobs: Vec<Job>, exposures: Vec<Exposure>) -> Self {
        Self { jobs, exposures }
    }

    pub fn wants(&self) -> Wants {
        Wants {
            carts: self.jobs.iter().map(|j| (j.cart.clone(), None)).collect(),
            keys: self.jobs.iter().filter_map(Job::key_ref).collect(),
        }
    }
}

impl Decision for Till {
    fn skus(&self, loaded: &Loaded) -> BTreeSet<Sku> {
        let mut skus: BTreeSet<Sku> = self
            .jobs
            .iter()
            .filter_map(|j| match &j.ask {
                Ask::Do(_, command) => Some(command.skus().into_iter().cloned()),
                _ => None,
            })
            .flatten()
            .collect();
        skus.extend(loaded.carts.values().flat_map(|c| fresh(c).lines.iter().map(|l| l.sku.clone())));
        skus
    }

    fn decide(self: Box<Self>, loaded: Loaded, stock: StockLevels) -> Staged {
        let mut counter = Counter {
            carts: loaded
                .carts
                .iter()
                .map(|(id, c)| (id.clone(), (fresh(c).version, fresh(c).clone())))
                .collect(),
            keys: loaded.keys,
            stock,
            staged: Staged { exposures: self.exposures, ..Staged::default() },
        };
        for job in &self.jobs {
            let answer = counter.answer(job);
            counter.staged.outcome.answers.push(answer);
        }
        counter.close()
    }
}

fn fresh(loaded: &LoadedCart) -> &Arc<Cart> {
    match loaded {
        LoadedCart::Fresh(cart) => cart,
        LoadedCart::Current => panic!("a till has no memory that could be current"),
        LoadedCart::Unreadable => panic!("a till meets no broken rows"),
    }
}

/// Is the suite's whole catalogue.
struct Shelf(Vec<Product>);

impl Shelf {
    fn new() -> Self {
        Self(SHELF.iter().map(|text| product(text)).collect())
    }
}

impl Products for Shelf {
    fn product(&self, sku: &Sku) -> Option<&Product> {
        self.0.iter().find(|p| p.sku == *sku)
    }
}

struct Counter {
    /// Each cart with the version that it was loaded at.
    carts: BTreeMap<CartId, (u64, Arc<Cart>)>,
    keys: BTreeMap<KeyRef, StoredAnswer>,
    stock: StockLevels,
    staged: Staged,
}

impl Counter {
    fn answer(&mut self, job: &Job) -> Answer {
        let Some(((_, fingerprint), key)) = job.key.clone().zip(job.key_ref()) else { return self.work(job) };
        match self.keys.get(&key) {
            Some(stored) if stored.fingerprint == fingerprint => stored.answer.clone(),
            Some(_) => Answer::KeyReused,
            None => {
                let answer = self.work(job);
                let stored = StoredAnswer { fingerprint: fingerprint.clone(), answer: answer.clone() };
                self.keys.insert(key.clone(), stored);
                self.staged.keys.push(KeyWrite {
                    key,
                    fingerprint,
                    answer: answer.clone(),
                    at_ms: job.now_ms,
                });
                answer
            }
        }
    }

    fn work(&mut self, job: &Job) -> Answer {
        match (&job.ask, self.carts.get(&job.cart).cloned()) {
            (Ask::Open(owner), None) => {
                let workflow = Arc::new(Workflow::express());
                let event = cart_core::open(job.cart.clone(), owner.clone(), currency(), workflow, vec![]);
                let cart = Arc::new(Cart::from_opened(&event).unwrap());
                self.carts.insert(job.cart.clone(), (0, cart.clone()));
                self.publish(job, &cart, &event);
                answer(cart, None)
            }
            (Ask::Open(owner), Some((_, cart))) if cart.owner != *owner => {
                Answer::Rejected(Rejection::NotOwner)
            }
            (Ask::Open(_) | Ask::Read, Some((_, cart))) => answer(cart, None),
            (_, None) => Answer::UnknownCart,
            (Ask::Do(expected, command), Some((before, cart))) => {
                self.execute(job, *expected, command, before, cart)
            }
        }
    }

    fn execute(
        &mut self,
        job: &Job,
        expected_version: Option<u64>,
        command: &Command,
        before: u64,
        mut cart: Arc<Cart>,
    ) -> Answer {
        let terms = Terms::plain(PricePolicy::Hold, Shipping::standard_and_express(0).unwrap());
        let facts = Facts {
            now_ms: job.now_ms,
            products: &Shelf::new(),
            stock: &self.stock,
            hold_ms: HOLD_MS,
            terms: &terms,
        };
        let request = Request { caller: None, expected_version, command: command.clone() };
        let events = match decide(&cart, &facts, &request) {
            Ok(events) => events,
            Err(rejection) => return Answer::Rejected(rejection),
        };
        let mut order = None;
        for event in &events {
            evolve(Arc::make_mut(&mut cart), event);
            self.stock.apply(event);
            for (sku, movement) in stock::movements(event) {
                self.staged.movements.entry(sku.clone()).or_default().add(movement);
            }
            if let CartEvent::OrderPlaced(placed) = event {
                self.staged.orders.push(placed.clone());
                order = Some(placed.clone());
            }
            self.publish(job, &cart, event);
        }
        self.carts.insert(cart.id.clone(), (before, cart.clone()));
        answer(cart, order)
    }

    fn publish(&mut self, job: &Job, cart: &Cart, event: &CartEvent) {
        self.staged.events.push(EventWrite {
            id: Uuid::new_v4(),
            at_ms: job.now_ms,
            kind: event.name(),
            cart: Some(cart.id.clone()),
            unit: cart.owner.clone(),
            data: serde_json::json!({"version": cart.version}).to_string(),
        });
    }

    fn close(mut self) -> Staged {
        for (before, cart) in self.carts.into_values() {
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

fn answer(cart: Arc<Cart>, order: Option<cart_core::Order>) -> Answer {
    Answer::Accepted(Box::new(Accepted { cart, quote: Quote::default(), item: None, order }))
}

/// Is a decision that was made before; it shows what was loaded.
pub struct Fixed {
    pub skus: BTreeSet<Sku>,
    pub staged: Staged,
    pub seen: Arc<Mutex<Option<Loaded>>>,
}

impl Fixed {
    pub fn new(staged: Staged) -> Self {
        Self { skus: staged.movements.keys().cloned().collect(), staged, seen: Arc::default() }
    }
}

impl Decision for Fixed {
    fn skus(&self, _: &Loaded) -> BTreeSet<Sku> {
        self.skus.clone()
    }

    fn decide(self: Box<Self>, loaded: Loaded, _: StockLevels) -> Staged {
        *self.seen.lock().unwrap() = Some(loaded);
        self.staged
    }
}

/// Is a decision that cannot be made.
pub struct Panicking;

impl Decision for Panicking {
    fn skus(&self, _: &Loaded) -> BTreeSet<Sku> {
        BTreeSet::new()
    }

    fn decide(self: Box<Self>, _: Loaded, _: StockLevels) -> Staged {
        panic!("a defect of the decision")
    }
}
