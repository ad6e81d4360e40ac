//! The cart actor: it owns a shard of the carts and changes them turn by turn.
//!
//! A turn takes every job that waits, loads what is not in memory, decides, commits all as one transaction and only
//! then answers. While one turn is under way the next one's jobs gather behind it: batches grow with the load.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use cart_core::{Cart, CartId};
use tokio::sync::{oneshot, watch};

use super::{CartsError, Job, JobKind, turn::Turn};
use crate::{
    catalogue::CatalogueCell,
    clock, metrics,
    store::{Answer, Outcome, Store, StoreError},
    terms::TermsCell,
};

/// The most jobs that wait for a shard; at some 10,000 a second that is less than half a second of work.
pub const SHARD_WAITING_MAX: usize = 4_096;
/// The most jobs of one turn: enough to amortise a commit, few enough to keep its locks short.
pub const TURN_JOBS_MAX: usize = 512;
/// The most carts a shard holds in memory without anybody watching them; some 2 KB each.
pub const SHARD_CARTS_MAX: usize = 200_000;
/// How often a turn that lost a race is tried.
const TURN_TRIES_MAX: u32 = 5;

/// Is the newest state of a cart, as its watchers see it; `None` until it is known.
pub type Newest = Option<Arc<Cart>>;

/// Is everything a shard may be told.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ShardMessage {
    /// Do a job and answer.
    Do(Box<Job>, oneshot::Sender<Result<Answer, CartsError>>),
    /// Let somebody watch a cart.
    Watch(CartId, oneshot::Sender<watch::Receiver<Newest>>),
    /// Another process has changed a cart.
    Changed(CartId),
    /// Other processes may have changed any cart, unheard.
    ChangedUnheard,
}

struct Waiting {
    job: Job,
    since: Instant,
    reply: oneshot::Sender<Result<Answer, CartsError>>,
}

struct Entry {
    cart: Newest,
    watch: Option<watch::Sender<Newest>>,
    used: Instant,
}

/// Is what every turn of a server knows beside its jobs; cheap to clone.
#[derive(Clone)]
pub struct ShopFacts {
    /// Where carts are kept.
    pub store: Arc<dyn Store>,
    /// What is for sale.
    pub catalogue: Arc<CatalogueCell>,
    /// On which terms.
    pub terms: Arc<TermsCell>,
    /// How long a hold lasts, in milliseconds.
    pub hold_ms: i64,
}

/// Is the actor.
pub struct Shard {
    facts: ShopFacts,
    idle: Duration,
    carts: HashMap<CartId, Entry>,
    waiting: VecDeque<Waiting>,
    is_turning: bool,
}

impl Shard {
    /// Returns a shard without carts.
    pub fn new(facts: ShopFacts, idle: Duration) -> Self {
        Self { facts, idle, carts: HashMap::new(), waiting: VecDeque::new(), is_turning: false }
    }

    /// Begins a turn with every job that waits, unless one is under way.
    fn turn(&mut self, ctx: &mut Context<Self>) {
        if self.is_turning || self.waiting.is_empty() {
            return;
        }
        self.is_turning = true;
        let batch: Vec<Waiting> = self.waiting.drain(..self.waiting.len().min(TURN_JOBS_MAX)).collect();
        let jobs: Arc<[Job]> = batch.iter().map(|w| w.job.clone()).collect();
        let memory: BTreeMap<CartId, Arc<Cart>> = jobs
            .iter()
            .filter_map(|j| Some((j.cart.clone(), self.carts.get(&j.cart)?.cart.clone()?)))
            .collect();
        let began = Instant::now();
        commit(self.facts.clone(), jobs, memory)
            .into_actor(self)
            .map(move |outcome, shard, ctx| {
                metrics::turn(batch.len(), began.elapsed());
                shard.is_turning = false;
                match outcome {
                    Ok(outcome) => shard.adopt_and_answer(batch, outcome),
                    Err(error) => shard.forget_and_excuse(batch, &error),
                }
                shard.turn(ctx);
            })
            .spawn(ctx);
    }

    fn adopt_and_answer(&mut self, batch: Vec<Waiting>, outcome: Outcome) {
        for exposure in &outcome.exposed {
            metrics::exposure(&exposure.experiment, exposure.variation);
        }
        for (cart, event) in &outcome.happened {
            metrics::happened(&cart.assignments, event);
        }
        for touched in &outcome.touched {
            self.adopt(&touched.cart);
        }
        for (Waiting { job, since, reply }, answer) in batch.into_iter().zip(outcome.answers) {
            count(&job, &answer, since.elapsed(), self.carts.get(&job.cart).and_then(|e| e.cart.as_deref()));
            if matches!(answer, Answer::Unreadable) {
                self.give_up(&job.cart);
            }
            // A caller that has gone away no longer wants to know.
            let _ = reply.send(Ok(answer));
        }
    }

    /// Lets go of a cart that the store can no longer give: its watches end, and so do the channels that live on them.
    fn give_up(&mut self, id: &CartId) {
        if self.carts.remove(id).is_some() {
            metrics::carts_in_memory(-1);
        }
    }

    /// Takes a committed cart into memory and shows it to its watchers.
    fn adopt(&mut self, cart: &Arc<Cart>) {
        let entry = self.entry(&cart.id);
        if entry.cart.as_ref().is_some_and(|known| known.version >= cart.version) {
            return;
        }
        entry.cart = Some(cart.clone());
        if let Some(watch) = &entry.watch {
            watch.send_replace(Some(cart.clone()));
        }
    }

    fn entry(&mut self, id: &CartId) -> &mut Entry {
        let entry = self.carts.entry(id.clone()).or_insert_with(|| {
            metrics::carts_in_memory(1);
            Entry { cart: None, watch: None, used: Instant::now() }
        });
        entry.used = Instant::now();
        entry
    }

    /// What a failed turn leaves in memory may be out of date, so the next turn loads it again.
    fn forget_and_excuse(&mut self, batch: Vec<Waiting>, error: &StoreError) {
        tracing::warn!(%error, jobs = batch.len(), "a turn failed");
        for Waiting { job, since, reply } in batch {
            if let Some(entry) = self.carts.get_mut(&job.cart) {
                entry.cart = None;
            }
            if let JobKind::Execute(request) = &job.kind {
                metrics::command(request.command.name(), "unavailable", &[], since.elapsed());
            }
            let _ = reply.send(Err(CartsError::Unavailable));
        }
    }

    /// Loads a watched cart that another process has changed; nobody needs to know of the others.
    fn reload(&mut self, id: CartId, ctx: &mut Context<Self>) {
        let is_watched = self.carts.get(&id).is_some_and(Entry::is_watched);
        if !is_watched {
            return;
        }
        let store = self.facts.store.clone();
        let wanted = id.clone();
        async move { store.cart(&wanted).await }
            .into_actor(self)
            .map(move |cart, shard, _| match cart {
                Ok(Some(cart)) => shard.adopt(&Arc::new(cart)),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(cart = %id, %error, "a cart changed elsewhere could not be read");
                    if matches!(error, StoreError::Corrupt(_)) {
                        shard.give_up(&id);
                    }
                }
            })
            .spawn(ctx);
    }

    fn evict(&mut self) {
        let before = self.carts.len();
        let is_crowded = before > SHARD_CARTS_MAX;
        let idle = if is_crowded { self.idle / 10 } else { self.idle };
        self.carts.retain(|_, entry| entry.is_watched() || entry.used.elapsed() < idle);
        metrics::carts_in_memory(self.carts.len() as i64 - before as i64);
    }
}

impl Entry {
    fn is_watched(&self) -> bool {
        self.watch.as_ref().is_some_and(|w| w.receiver_count() > 0)
    }
}

/// Loads, decides and commits; a turn that lost a race is tried again with nothing taken from memory.
async fn commit(
    facts: ShopFacts,
    jobs: Arc<[Job]>,
    mut memory: BTreeMap<CartId, Arc<Cart>>,
) -> Result<Outcome, StoreError> {
    for _ in 1..TURN_TRIES_MAX {
        match commit_once(&facts, &jobs, std::mem::take(&mut memory)).await {
            Err(StoreError::Conflict(why)) => tracing::debug!(why, "a turn lost a race"),
            done => return done,
        }
    }
    commit_once(&facts, &jobs, memory).await
}

async fn commit_once(
    facts: &ShopFacts,
    jobs: &Arc<[Job]>,
    memory: BTreeMap<CartId, Arc<Cart>>,
) -> Result<Outcome, StoreError> {
    let turn = Turn {
        jobs: jobs.clone(),
        memory,
        catalogue: facts.catalogue.get(),
        terms: facts.terms.get(),
        now_ms: clock::now_ms(),
        hold_ms: facts.hold_ms,
    };
    facts.store.turn(turn.wants(), Box::new(turn)).await
}

fn count(job: &Job, answer: &Answer, took: Duration, cart: Option<&Cart>) {
    if let JobKind::Execute(request) = &job.kind {
        let assignments = cart.map_or(&[][..], |c| &c.assignments);
        metrics::command(request.command.name(), answer.outcome(), assignments, took);
    }
}

impl Answer {
    /// Returns the answer's name in metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Rejected(rejection) => rejection.name(),
            Self::UnknownCart => "unknown_cart",
            Self::KeyReused => "key_reused",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Actor for Shard {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(SHARD_WAITING_MAX);
        ctx.run_interval(Duration::from_secs(15), |shard, _| shard.evict());
    }
}

impl Handler<ShardMessage> for Shard {
    type Result = ();

    fn handle(&mut self, message: ShardMessage, ctx: &mut Context<Self>) {
        match message {
            ShardMessage::Do(_, reply) if self.waiting.len() >= SHARD_WAITING_MAX => {
                let _ = reply.send(Err(CartsError::Busy));
            }
            ShardMessage::Do(job, reply) => {
                self.waiting.push_back(Waiting { job: *job, since: Instant::now(), reply });
                self.turn(ctx);
            }
            ShardMessage::Watch(id, reply) => {
                let entry = self.entry(&id);
                let cart = entry.cart.clone();
                let watch = entry.watch.get_or_insert_with(|| watch::Sender::new(cart));
                let _ = reply.send(watch.subscribe());
            }
            ShardMessage::Changed(id) => self.reload(id, ctx),
            ShardMessage::ChangedUnheard => {
                for id in self.carts.keys().cloned().collect::<Vec<_>>() {
                    self.reload(id, ctx);
                }
            }
        }
    }
}
