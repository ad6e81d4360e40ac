//! The words of a turn: what is wanted, loaded, staged and answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::Arc,
};

use cart_core::{
    AccountId, Balances, Cart, CartEvent, CartId, GiftCards, LeftLine, Line, Movement, Order, OrderId, Quote,
    Rejection, ReopenedLine, Sku, Slot, StockLevels, VisitorId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountWants, BalanceWrite, Exposure, PostingWrite};

/// Names an idempotency key within its cart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRef {
    /// The cart that the keyed command went to.
    pub cart: CartId,
    /// The key, as the client chose it.
    pub key: String,
}

/// Lists what a turn must load.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    /// The carts of the turn, with the version that is in memory, where one is.
    pub carts: BTreeMap<CartId, Option<u64>>,
    /// The idempotency keys of the turn.
    pub keys: BTreeSet<KeyRef>,
}

/// Is a wanted cart that exists.
#[derive(Clone, Debug)]
pub enum LoadedCart {
    /// The version in memory is the newest.
    Current,
    /// Memory had none or an older one.
    Fresh(Arc<Cart>),
    /// The row is there and makes no sense: a defect, or a hand in the tables. Its neighbours go on.
    Unreadable,
}

impl LoadedCart {
    /// Returns what was read of a cart's row.
    pub(super) fn read(id: &CartId, state: Result<Cart, impl Display>) -> Self {
        state.map(Arc::new).map_or_else(
            |error| {
                tracing::error!(cart = %id, %error, "the store holds a cart that cannot be read");
                Self::Unreadable
            },
            Self::Fresh,
        )
    }
}

/// Is the answer that a key was given before.
#[derive(Clone, Debug)]
pub struct StoredAnswer {
    /// Tells whether the request is the same.
    pub fingerprint: String,
    /// What was answered.
    pub answer: Answer,
}

impl StoredAnswer {
    /// Returns what was read of a key's row.
    pub(super) fn read(fingerprint: String, answer: Result<Answer, impl Display>) -> Self {
        let answer = answer.unwrap_or_else(|error| {
            tracing::error!(%error, "the store holds an answer that cannot be read");
            Answer::Unreadable
        });
        Self { fingerprint, answer }
    }
}

/// Is what a turn's transaction found.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The wanted carts that exist.
    pub carts: BTreeMap<CartId, LoadedCart>,
    /// The wanted keys that were used before.
    pub keys: BTreeMap<KeyRef, StoredAnswer>,
    /// The balances of the accounts that the decision named; none before it did.
    pub balances: Balances,
    /// The terms of the gift cards that the decision named; none before it did.
    pub cards: GiftCards,
}

/// Decides a turn on what the store has loaded. Quick and pure: rows may be locked meanwhile, and a store that was
/// overtaken asks again.
pub trait Decision: Send + Sync {
    /// Names every product whose stock the decision reads or moves.
    fn skus(&self, loaded: &Loaded) -> BTreeSet<Sku>;

    /// Names every account whose balance the decision reads or moves.
    fn accounts(&self, loaded: &Loaded) -> AccountWants;

    /// Decides.
    fn decide(&self, loaded: Loaded, stock: StockLevels) -> Staged;
}

/// Is a cart to write.
#[derive(Clone, Debug)]
pub struct CartWrite {
    /// The version that the row must have; 0 where the cart must be new.
    pub before: u64,
    /// The cart to be.
    pub cart: Arc<Cart>,
    /// Whether it has another owner than before.
    pub is_claimed: bool,
    /// When it is to be looked at where nobody touches it.
    pub idle: IdleDue,
}

/// Says when a cart that nobody touches is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleDue {
    /// When its row says: what happened was not its shopper's doing.
    AsBefore,
    /// At this time, in Unix milliseconds; never, where there is none.
    At(Option<i64>),
}

impl CartWrite {
    /// Returns when the sweeps are to look at the cart by what the turn wrote.
    pub(super) fn due_ms(&self) -> Option<i64> {
        let (_, idle_ms) = self.idle.columns();
        self.cart.holds_expire_at_ms.into_iter().chain(idle_ms).min()
    }

    /// Returns when the sweeps are to look at the cart, where that is before the wake that stands. One that comes too early
    /// is put off by the sweep, so that a cart that is being filled writes none.
    pub(super) fn earlier_wake(&self, standing_ms: Option<i64>) -> Option<i64> {
        let due_ms = self.due_ms()?;
        standing_ms.is_none_or(|standing| due_ms < standing).then_some(due_ms)
    }
}

impl IdleDue {
    /// Returns whether the row's time changes, and to what.
    pub(super) fn columns(self) -> (bool, Option<i64>) {
        match self {
            Self::AsBefore => (false, None),
            Self::At(due_ms) => (true, due_ms),
        }
    }
}

/// Is an answer to keep under its key.
#[derive(Clone, Debug)]
pub struct KeyWrite {
    /// The key.
    pub key: KeyRef,
    /// Tells whether a later request is the same.
    pub fingerprint: String,
    /// What is answered.
    pub answer: Answer,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}

/// Is an event for the outbox.
#[derive(Clone, Debug)]
pub struct EventWrite {
    /// Its name in the world; readers drop what they have seen.
    pub id: Uuid,
    /// When it happened, in Unix milliseconds.
    pub at_ms: i64,
    /// Its type, past tense.
    pub kind: &'static str,
    /// The cart it is about.
    pub cart: Option<CartId>,
    /// The unit it is about.
    pub unit: VisitorId,
    /// Its data as a JSON object.
    pub data: String,
}

/// Is everything that a turn writes, and what it will say once that is committed.
#[derive(Clone, Debug, Default)]
pub struct Staged {
    /// Carts to insert or update; each id once.
    pub carts: Vec<CartWrite>,
    /// The sum of all movements, by product and location.
    pub movements: BTreeMap<Slot, Movement>,
    /// What moves in accounts, by cause.
    pub postings: Vec<PostingWrite>,
    /// The balances that this leads to.
    pub balances: BTreeMap<AccountId, BalanceWrite>,
    /// Orders to insert.
    pub orders: Vec<Order>,
    /// Orders that something has become of, by name; the row is written over.
    pub order_updates: BTreeMap<OrderId, Order>,
    /// Carts whose payments are due since a time in Unix milliseconds, and those that have none left.
    pub payments: BTreeMap<CartId, Option<i64>>,
    /// Answers to keep.
    pub keys: Vec<KeyWrite>,
    /// Exposures to log where they are new, with their events.
    pub exposures: Vec<Exposure>,
    /// Events for the outbox, in order.
    pub events: Vec<EventWrite>,
    /// What to say.
    pub outcome: Outcome,
}

impl Staged {
    /// Reports whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.carts.is_empty()
            && self.movements.is_empty()
            && self.postings.is_empty()
            && self.orders.is_empty()
            && self.order_updates.is_empty()
            && self.payments.is_empty()
            && self.keys.is_empty()
            && self.exposures.is_empty()
            && self.events.is_empty()
    }
}

/// Is what a turn says once it is committed.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// One answer a job, in the order of the jobs.
    pub answers: Vec<Answer>,
    /// The newest state of each cart that was loaded or changed.
    pub touched: Vec<Touched>,
    /// What happened, in order, each event with its cart as it was then; a repeated answer is no event.
    pub happened: Vec<(Arc<Cart>, CartEvent)>,
    /// The exposures that were new; the store fills this in.
    pub exposed: Vec<Exposure>,
}

/// Is the newest state of a cart after a turn.
#[derive(Clone, Debug)]
pub struct Touched {
    /// The cart.
    pub cart: Arc<Cart>,
    /// Tells whether the turn changed the cart, or only read it.
    pub is_changed: bool,
}

/// Is the answer to one job of a turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It was done.
    Accepted(Box<Accepted>),
    /// A rule forbids it.
    Rejected(Rejection),
    /// There is no such cart.
    UnknownCart,
    /// The key was used before, for another request.
    KeyReused,
    /// What the store holds makes no sense; nothing was done.
    Unreadable,
}

/// Is what an accepted command led to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accepted {
    /// The cart after the command.
    pub cart: Arc<Cart>,
    /// What it cost then.
    #[serde(default)]
    pub quote: Quote,
    /// The line that the command changed, with quantity 0 where it was taken out.
    pub item: Option<Line>,
    /// The order that the command placed.
    pub order: Option<Order>,
    /// What a merge could not take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftLine>,
    /// What became of each line of a cart that had expired and was opened again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reopened: Vec<ReopenedLine>,
}
