//! The cart actor: it owns a shard of the carts and changes them turn by turn.
//!
//! A turn takes every job that waits, loads what is not in memory, decides, commits all as one transaction and only
//! then answers. While one turn is under way the next one's jobs gather behind it: batches grow with the load.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use cart_core::{Cart, CartId, VisitorId};
use tokio::sync::oneshot;

use super::{
    CartsError, Job, JobKind,
    idle::Patience,
    live::LiveCarts,
    turn::{Turn, read},
};
use crate::{
    catalogue::CatalogueCell,
    clock, metrics,
    store::{Answer, Heard, Outcome, Store, StoreError},
    terms::TermsCell,
};

/// The most jobs that wait for a shard; at some 10,000 a second that is less than half a second of work.
pub const SHARD_WAITING_MAX: usize = 4_096;
/// The most jobs of one turn: enough to amortise a commit, few enough to keep its locks short.
pub const TURN_JOBS_MAX: usize = 512;
/// How often a turn that lost a race is tried.
const TURN_TRIES_MAX: u32 = 5;

/// Is everything a shard may be told.
#[derive(Message)]
#[rtype(result = "()")]
pub enum ShardMessage {
    /// Do a job and answer.
    Do(Box<Job>, oneshot::Sender<Result<Answer, CartsError>>),
    /// Something was heard of other processes.
    Heard(Heard),
}

struct Waiting {
    job: Job,
    since: Instant,
    reply: oneshot::Sender<Result<Answer, CartsError>>,
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
    /// How long carts may be left alone.
    pub patience: Patience,
}

impl ShopFacts {
    /// Answers a read of a cart, as of now.
    pub(super) fn read(&self, cart: Arc<Cart>, caller: Option<&VisitorId>) -> Answer {
        read(cart, caller, &self.catalogue.get(), &self.terms.get(), clock::now_ms())
    }
}

/// Is the actor.
pub struct Shard {
    facts: ShopFacts,
    idle: Duration,
    live: Arc<LiveCarts>,
    waiting: VecDeque<Waiting>,
    is_turning: bool,
    /// Carts that others have changed during the turn: what the turn adopts of them may be older than that.
    overtaken: Vec<CartId>,
}

impl Shard {
    /// Returns a shard that keeps its carts there.
    pub fn new(facts: ShopFacts, idle: Duration, live: Arc<LiveCarts>) -> Self {
        Self { facts, idle, live, waiting: VecDeque::new(), is_turning: false, overtaken: vec![] }
    }

    /// Begins a turn with every job that waits, unless one is under way.
    fn turn(&mut self, ctx: &mut Context<Self>) {
        if self.is_turning || self.waiting.is_empty() {
            return;
        }
        self.is_turning = true;
        let batch: Vec<Waiting> = self.waiting.drain(..self.waiting.len().min(TURN_JOBS_MAX)).collect();
        let jobs: Arc<[Job]> = batch.iter().map(|w| w.job.clone()).collect();
        let memory = self.live.known(jobs.iter().flat_map(Job::carts));
        let began = Instant::now();
        commit(self.facts.clone(), jobs, memory)
            .into_actor(self)
            .map(move |outcome, shard, ctx| {
                metrics::turn(batch.len(), began.elapsed());
                shard.is_turning = false;
                let live = shard.live.clone();
                match outcome {
                    Ok(outcome) => {
                        shard.adopt(&batch, &outcome);
                        // A task of its own, so that the next turn is on its way before this one's callers are woken.
                        actix::spawn(async move { answer(batch, outcome, &live) });
                    }
                    Err(error) => shard.forget_and_excuse(batch, &error),
                }
                for id in std::mem::take(&mut shard.overtaken) {
                    shard.forget_and_reload(id, ctx);
                }
                shard.turn(ctx);
            })
            .spawn(ctx);
    }

    fn adopt(&self, batch: &[Waiting], outcome: &Outcome) {
        // A cart that went into another may be another shard's, which is told to look at it.
        let others: Vec<&CartId> = batch.iter().filter_map(|waiting| waiting.job.carts().nth(1)).collect();
        let own = outcome.touched.iter().map(|touched| &touched.cart);
        self.live.adopt(own.filter(|cart| !others.contains(&&cart.id)));
    }

    /// What a failed turn leaves in memory may be out of date, so the next turn loads it again.
    fn forget_and_excuse(&mut self, batch: Vec<Waiting>, error: &StoreError) {
        tracing::warn!(%error, jobs = batch.len(), "a turn failed");
        for Waiting { job, since, reply } in batch {
            for id in job.carts() {
                self.live.forget(id);
            }
            if let JobKind::Execute(request) = &job.kind {
                metrics::command(request.command.name(), "unavailable", &[], since.elapsed());
            }
            let _ = reply.send(Err(CartsError::Unavailable));
        }
    }

    /// Lets go of a state that another process has made old, and loads the new one where somebody watches the cart.
    fn forget_and_reload(&mut self, id: CartId, ctx: &mut Context<Self>) {
        if self.live.forget(&id) {
            self.reload(id, ctx);
        }
    }

    fn reload(&mut self, id: CartId, ctx: &mut Context<Self>) {
        let store = self.facts.store.clone();
        let wanted = id.clone();
        async move { store.cart(&wanted).await }
            .into_actor(self)
            .map(move |cart, shard, _| match cart {
                Ok(Some(cart)) => shard.live.adopt([&Arc::new(cart)].into_iter()),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(cart = %id, %error, "a cart changed elsewhere could not be read");
                    if matches!(error, StoreError::Corrupt(_)) {
                        shard.live.give_up(&id);
                    }
                }
            })
            .spawn(ctx);
    }
}

/// Counts what a turn did and gives its answers.
fn answer(batch: Vec<Waiting>, outcome: Outcome, live: &LiveCarts) {
    for exposure in outcome.exposed.iter().filter(|exposure| exposure.counts()) {
        metrics::exposure(&exposure.experiment, exposure.variation);
    }
    for (cart, event) in &outcome.happened {
        metrics::happened(&cart.assignments, event);
    }
    for (Waiting { job, since, reply }, answer) in batch.into_iter().zip(outcome.answers) {
        let cart = outcome.touched.binary_search_by(|touched| touched.cart.id.cmp(&job.cart));
        count(&job, &answer, since.elapsed(), cart.ok().map(|at| &*outcome.touched[at].cart));
        if matches!(answer, Answer::Unreadable) {
            live.give_up(&job.cart);
        }
        // A caller that has gone away no longer wants to know.
        let _ = reply.send(Ok(answer));
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
        patience: facts.patience,
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
        ctx.run_interval(Duration::from_secs(15), |shard, _| shard.live.evict(shard.idle));
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
            ShardMessage::Heard(Heard::Cart(id)) => {
                if self.is_turning {
                    self.overtaken.push(id.clone());
                }
                self.forget_and_reload(id, ctx);
            }
            ShardMessage::Heard(Heard::Everything) => {
                for id in self.live.forget_all() {
                    self.reload(id, ctx);
                }
                self.live.set_newest(true);
            }
            // Tokens are no carts' concern.
            ShardMessage::Heard(Heard::TokenEnded(_)) => {}
        }
    }
}
