//! A store under test, and the verbs of the suite.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use cart_core::{Cart, CartId, Currency, Money, Product, Sku, StockLevel, StockPolicy, VisitorId};
use harness::{
    cluster::{Cluster, Durability},
    reaper, tables,
};
use web::store::{
    Answer, Decision, OutboxEvent, Outcome, ProductSupply, Store, StoreError, Wants, connect,
    memory::MemoryStore,
};

use super::till::{Job, Till, add, buy, open};

/// The clock's reading in all tests.
pub const NOW_MS: i64 = 1_764_000_000_000;
/// How long holds last in all tests.
pub const HOLD_MS: i64 = 60_000;

/// Is a store under test.
pub struct Subject {
    pub store: Arc<dyn Store>,
    place: Place,
}

enum Place {
    Memory(Arc<MemoryStore>),
    Sqlite(PathBuf),
    Postgres(String),
}

impl Subject {
    pub fn memory() -> Self {
        let store = Arc::new(MemoryStore::new());
        Self { store: store.clone(), place: Place::Memory(store) }
    }

    pub async fn sqlite() -> Self {
        Self::at(Place::Sqlite(reaper::folder("contract").join("shop.db"))).await
    }

    pub async fn postgres() -> Self {
        let database = tokio::task::spawn_blocking(|| Cluster::shared(Durability::Process).new_database());
        Self::at(Place::Postgres(database.await.unwrap())).await
    }

    async fn at(place: Place) -> Self {
        let store = connect(&place.url().unwrap(), 4).await.unwrap();
        Self { store, place }
    }

    /// Returns the strict double, where the store is that.
    pub fn double(&self) -> Option<&MemoryStore> {
        match &self.place {
            Place::Memory(store) => Some(store),
            _ => None,
        }
    }

    /// Reports whether several processes may share the store.
    pub fn is_shared(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }

    /// Returns the store's address, where it has one.
    pub fn url(&self) -> Option<String> {
        self.place.url()
    }

    /// Opens the store once more, as another process would.
    pub async fn another(&self) -> Option<Arc<dyn Store>> {
        Some(connect(&self.url()?, 4).await.unwrap())
    }

    /// Runs a statement on the tables, past the store; `None` where there are no tables.
    pub async fn sql(&self, statement: &str) -> Option<Result<(), String>> {
        Some(tables::run(&self.url()?, statement).await)
    }

    /// Puts products of the suite's shelf, with their supply.
    pub async fn stock_up(&self, goods: &[(&str, i64)]) {
        let goods: Vec<_> = goods.iter().map(|(sku, pieces)| supply(sku, Some(*pieces))).collect();
        self.store.put_products(&goods).await.unwrap();
    }

    /// Runs a turn and tries it again where it lost a race, as the cart actor does.
    pub async fn turn(&self, jobs: Vec<Job>) -> Outcome {
        turn(&*self.store, jobs).await.unwrap()
    }

    /// Runs a turn of one job.
    pub async fn ask(&self, job: Job) -> Answer {
        self.turn(vec![job]).await.answers.remove(0)
    }

    /// Lets a visitor buy a product in one turn and a cart of that name.
    pub async fn sell(&self, cart: &str, owner: &str, sku: &str, quantity: u32) {
        let mut jobs = vec![open(cart, owner), add(cart, sku, quantity)];
        jobs.extend(buy(cart, i64::from(quantity) * PRICE_MINOR));
        for answer in self.turn(jobs).await.answers {
            accepted(&answer);
        }
    }

    /// Runs a turn that breaks a rule: a database refuses it, the double panics. Neither writes anything.
    pub async fn refuses(&self, wants: Wants, decision: Box<dyn Decision>) {
        let before = self.picture().await;
        let store = self.store.clone();
        let refused = tokio::spawn(async move { store.turn(wants, decision).await }).await;
        match (&self.place, refused) {
            (Place::Memory(_), Err(error)) if error.is_panic() => {}
            (Place::Sqlite(_) | Place::Postgres(_), Ok(Err(StoreError::Conflict(_)))) => {}
            (_, other) => panic!("{other:?}"),
        }
        assert_eq!(self.picture().await, before);
    }

    /// Writes down everything that a turn may change.
    async fn picture(&self) -> String {
        let mut picture = String::new();
        for event in self.events().await {
            let cart = match &event.cart {
                Some(id) => self.store.cart(id).await.unwrap(),
                None => None,
            };
            picture += &format!("{event:?} {cart:?}\n");
        }
        picture + &format!("{:?}", self.store.stock(&skus(&SHELF)).await.unwrap())
    }

    pub async fn cart(&self, id: &str) -> Cart {
        self.store.cart(&cart_id(id)).await.unwrap().unwrap()
    }

    pub async fn level(&self, sku: &str) -> StockLevel {
        self.store.stock(&skus(&[sku])).await.unwrap().get(&self::sku(sku)).unwrap()
    }

    /// Reads all events.
    pub async fn events(&self) -> Vec<OutboxEvent> {
        self.settle().await;
        self.store.outbox_after(0, 1_000_000).await.unwrap()
    }

    /// Waits until every committed event may be read. A transaction in any database of a PostgreSQL server keeps
    /// readers of all of them back until it has ended, and tests share a server.
    pub async fn settle(&self) {
        let Place::Postgres(url) = &self.place else { return };
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let row = client.query_one("SELECT count(*) FROM outbox", &[]).await.unwrap();
        let committed = usize::try_from(row.get::<_, i64>(0)).unwrap();
        let began = Instant::now();
        while self.store.outbox_after(0, committed).await.unwrap().len() < committed {
            assert!(began.elapsed() < Duration::from_secs(30), "committed events do not appear");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Counts events of a type.
    pub async fn count(&self, kind: &str) -> usize {
        self.events().await.iter().filter(|e| e.kind == kind).count()
    }
}

impl Place {
    fn url(&self) -> Option<String> {
        match self {
            Self::Memory(_) => None,
            Self::Sqlite(path) => Some(format!("sqlite:{}", path.display())),
            Self::Postgres(url) => Some(url.clone()),
        }
    }
}

/// Runs a turn and tries it again where it lost a race.
pub async fn turn(store: &dyn Store, jobs: Vec<Job>) -> Result<Outcome, StoreError> {
    for _ in 0..50 {
        let till = Till::new(jobs.clone());
        match store.turn(till.wants(), Box::new(till)).await {
            Err(StoreError::Conflict(_)) => {}
            done => return done,
        }
    }
    panic!("a turn lost fifty races")
}

/// The price of every product in minor units.
pub const PRICE_MINOR: i64 = 1_250;
/// The suite's products: a mug and a tee are held when added, a vase is taken at the order, a PDF never ends, and three
/// sofas may be owed.
pub const SHELF: [&str; 5] = ["MUG", "PDF", "SOFA", "TEE", "VASE"];

pub fn product(text: &str) -> Product {
    Product {
        category: "things".into(),
        stock_policy: match text {
            "VASE" => StockPolicy::TakeAtOrder,
            "PDF" => StockPolicy::Untracked,
            _ => StockPolicy::HoldOnAdd,
        },
        backorder_limit: if text == "SOFA" { 3 } else { 0 },
        ..Product::new(sku(text), format!("The “{text}”"), Money::new(PRICE_MINOR, currency()))
    }
}

pub fn supply(sku: &str, supplied: Option<i64>) -> ProductSupply {
    ProductSupply { product: product(sku), supplied, safety: None }
}

pub fn currency() -> Currency {
    Currency::parse("GBP").unwrap()
}

pub fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

pub fn skus(texts: &[&str]) -> BTreeSet<Sku> {
    texts.iter().map(|t| sku(t)).collect()
}

pub fn cart_id(text: &str) -> CartId {
    CartId::parse(text).unwrap()
}

pub fn visitor(text: &str) -> VisitorId {
    VisitorId::parse(text).unwrap()
}

pub fn level(supplied: i64, available: i64, held: i64, sold: i64) -> StockLevel {
    StockLevel { supplied, available, held, sold, ..StockLevel::default() }
}

/// Returns the cart of an answer that must be an acceptance.
pub fn accepted(answer: &Answer) -> &Arc<Cart> {
    match answer {
        Answer::Accepted(accepted) => &accepted.cart,
        other => panic!("not accepted: {other:?}"),
    }
}

/// Returns the name of an answer that must be a rejection.
pub fn rejected(answer: &Answer) -> &'static str {
    match answer {
        Answer::Rejected(rejection) => rejection.name(),
        other => panic!("not rejected: {other:?}"),
    }
}
