//! The suite's own decision: jobs in order, on staged copies, by the rules of the domain.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use cart_core::{
    AccountId, Address, Balances, Bundle, Cart, CartEvent, CartId, Code, Command, Facts, GiftCards, OrderId,
    Part, Payment, PaymentId, PricePolicy, Product, Products, Properties, Quote, Rejection, Request,
    Shipping, Sku, Stage, StepDetails, StockLevels, Terms, VisitorId, Workflow, account, decide, evolve,
    stock,
};
use uuid::Uuid;
use web::store::{
    Accepted, AccountWants, Answer, CartWrite, Decision, EventWrite, Exposure, IdleDue, KeyRef, KeyWrite,
    Loaded, LoadedCart, PostingWrite, Staged, StoredAnswer, Touched, Wants, balances_after,
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
    let address = Address::parse(cart_core::Asked::default(), |field| {
        Some(match field {
            "email" => "ann@example.org".into(),
            "country" => "GB".into(),
            "region" => String::new(),
            other => other.to_owned(),
        })
    });
    let order_id = OrderId::parse(&format!("order-{cart}")).unwrap();
    let payment =
        Payment { id: PaymentId::of(&order_id, 1), reference: format!("paid-{cart}"), amount_minor };
    [
        Command::StartCheckout,
        Command::CompleteStep(StepDetails::Address(address.unwrap())),
        Command::CompleteStep(StepDetails::Shipping { method: "standard".parse().ok() }),
        Command::CompleteStep(StepDetails::Payment),
        Command::BeginPayment { order_id: order_id.clone(), request: None },
        Command::PlaceOrder { order_id, payment },
    ]
    .map(|c| command(cart, c))
    .into()
}

/// Opens a promotion of the suite's terms that may be used ten times, and twice by a customer.
pub const CODE: &str = "TEN";

/// Opens a promotion that gives a sofa away.
pub const GIFT_CODE: &str = "SOFA-SO-GOOD";

fn terms() -> Terms {
    let promotions = r#"[{"id": "ten", "name": "Ten", "codes": ["TEN"], "limits": {"total": 10, "per_customer": 2},
        "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}},
        {"id": "sofa", "name": "Sofa", "codes": ["SOFA-SO-GOOD"], "benefit": {"kind": "gift", "sku": "SOFA"}}]"#;
    let promotions = serde_json::from_str(promotions).unwrap();
    let shipping = Shipping::standard_and_express(0).unwrap();
    Terms { promotions, ..Terms::plain(PricePolicy::Hold, shipping) }
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

impl Till {
    fn commands(&self) -> impl Iterator<Item = &Command> {
        self.jobs.iter().filter_map(|j| match &j.ask {
            Ask::Do(_, command) => Some(command),
            _ => None,
        })
    }

    fn named(&self) -> BTreeSet<Sku> {
        let codes: Vec<_> = self.commands().filter_map(typed).cloned().collect();
        let terms = terms();
        let gifts = terms.promotions.gifts(NOW_MS, &codes);
        with_parts(self.commands().flat_map(Command::skus).chain(gifts).cloned().collect())
    }

    fn moves_all_lines(&self) -> bool {
        self.commands().any(Command::moves_all_lines)
    }
}

fn typed(command: &Command) -> Option<&Code> {
    match command {
        Command::ApplyCode { code } => Some(code),
        _ => None,
    }
}

fn with_parts(mut skus: BTreeSet<Sku>) -> BTreeSet<Sku> {
    if skus.contains(&sku(BOX)) {
        skus.extend(parts_of_box().parts.into_iter().map(|part| part.sku));
    }
    skus
}

impl Decision for Till {
    fn skus(&self, loaded: &Loaded) -> BTreeSet<Sku> {
        let mut skus = self.named();
        if self.moves_all_lines() {
            skus.extend(loaded.carts.values().flat_map(|c| fresh(c).lines.iter().map(|l| l.sku.clone())));
        }
        with_parts(skus)
    }

    fn accounts(&self, loaded: &Loaded) -> AccountWants {
        let terms = terms();
        let carts = loaded.carts.values().map(fresh).map(|c| c.owner.clone());
        let opening = self.jobs.iter().filter_map(|j| match &j.ask {
            Ask::Open(owner) => Some(owner.clone()),
            _ => None,
        });
        let customers: BTreeSet<_> = carts.chain(opening).collect();
        let codes = [Code::parse(CODE).unwrap()];
        let bearing = customers.iter().flat_map(|c| account::bearing(c, &codes, &terms)).map(|(a, _)| a);
        // An order counts for its customer.
        let orders = customers.iter().map(|c| AccountId::CustomerOrders { customer: c.clone() });
        let all: BTreeSet<_> = bearing.chain(orders).collect();
        // Half of the turns only read what they move: the guard alone must do.
        match self.jobs.len() % 2 {
            0 => AccountWants { moved: all, ..AccountWants::default() },
            _ => AccountWants { read: all, ..AccountWants::default() },
        }
    }

    fn decide(&self, mut loaded: Loaded, stock: StockLevels) -> Staged {
        let balances = std::mem::take(&mut loaded.balances);
        let mut counter = Counter {
            carts: loaded
                .carts
                .iter()
                .map(|(id, c)| (id.clone(), (fresh(c).version, fresh(c).clone())))
                .collect(),
            keys: loaded.keys,
            stock,
            loaded_balances: balances.clone(),
            balances,
            staged: Staged { exposures: self.exposures.clone(), ..Staged::default() },
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

/// Names a bundle of two mugs and a vase.
pub const BOX: &str = "BOX";

fn parts_of_box() -> Bundle {
    Bundle { parts: vec![Part::new(sku("MUG"), 2), Part::new(sku("VASE"), 1)], off_bp: None }
}

/// Is the suite's whole catalogue.
struct Shelf(Vec<Product>);

impl Shelf {
    fn new() -> Self {
        let plain: Vec<Product> = SHELF.iter().map(|text| product(text)).collect();
        let find = |sku: &Sku| plain.iter().find(|p| p.sku == *sku).cloned().map(Arc::new);
        let mut bundle = Product { bundle: Some(parts_of_box()), ..product(BOX) };
        bundle.resolve(find);
        Self(plain.into_iter().chain([bundle]).collect())
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
    loaded_balances: Balances,
    balances: Balances,
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
        let terms = terms();
        let facts = Facts {
            now_ms: job.now_ms,
            products: &Shelf::new(),
            stock: &self.stock,
            balances: &self.balances,
            cards: &GiftCards::new(),
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
            for (slot, movement) in stock::movements(event) {
                self.staged.movements.entry(slot).or_default().add(movement);
            }
            self.balances.apply(event);
            if let Some((cause, postings)) = account::postings(event) {
                self.staged.postings.extend(postings.iter().map(|posting| PostingWrite {
                    posting: posting.clone(),
                    cause: cause.clone(),
                    at_ms: job.now_ms,
                }));
            }
            if let CartEvent::OrderPlaced(placed) = event {
                self.staged.orders.push(placed.clone());
                order = Some(placed.clone());
            }
            self.publish(job, &cart, event);
        }
        if let (Some(placed), Stage::Ordered { state, .. }) = (command.order(), &cart.stage)
            && !events.is_empty()
        {
            let changed = placed.clone().with_state(state.clone());
            self.staged.order_updates.insert(changed.order_id.clone(), changed.clone());
            order = Some(changed);
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
                if cart.payments > 0 {
                    self.staged.payments.insert(cart.id.clone(), cart.is_payment_due().then_some(NOW_MS));
                }
                self.staged.carts.push(CartWrite {
                    before,
                    cart: cart.clone(),
                    is_claimed: false,
                    idle: IdleDue::AsBefore,
                });
            }
            self.staged.outcome.touched.push(Touched { cart, is_changed });
        }
        self.staged.balances = balances_after(&self.loaded_balances, &self.staged.postings);
        self.staged.movements.retain(|_, m| !m.is_none());
        self.staged
    }
}

fn answer(cart: Arc<Cart>, order: Option<cart_core::Order>) -> Answer {
    Answer::Accepted(Box::new(Accepted {
        cart,
        quote: Quote::default(),
        item: None,
        order,
        left: vec![],
        reopened: vec![],
    }))
}

/// Is a decision that was made before; it shows what was loaded.
pub struct Fixed {
    pub skus: BTreeSet<Sku>,
    pub staged: Staged,
    pub seen: Arc<Mutex<Option<Loaded>>>,
}

impl Fixed {
    pub fn new(staged: Staged) -> Self {
        Self {
            skus: staged.movements.keys().map(|slot| slot.sku.clone()).collect(),
            staged,
            seen: Arc::default(),
        }
    }
}

impl Decision for Fixed {
    fn skus(&self, _: &Loaded) -> BTreeSet<Sku> {
        self.skus.clone()
    }

    fn accounts(&self, _: &Loaded) -> AccountWants {
        AccountWants { read: self.staged.balances.keys().cloned().collect(), ..AccountWants::default() }
    }

    fn decide(&self, loaded: Loaded, _: StockLevels) -> Staged {
        *self.seen.lock().unwrap() = Some(loaded);
        self.staged.clone()
    }
}

/// Is a decision that cannot be made.
pub struct Panicking;

impl Decision for Panicking {
    fn skus(&self, _: &Loaded) -> BTreeSet<Sku> {
        BTreeSet::new()
    }

    fn accounts(&self, _: &Loaded) -> AccountWants {
        AccountWants::default()
    }

    fn decide(&self, _: Loaded, _: StockLevels) -> Staged {
        panic!("a defect of the decision")
    }
}
