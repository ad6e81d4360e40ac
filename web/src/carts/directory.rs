//! The way from a cart's id to the actor that owns it.

use std::{sync::Arc, time::Duration};

use actix::{Actor, Addr, Arbiter};
use cart_core::{CartId, Request, VisitorId};
use tokio::sync::{oneshot, watch};

use super::{
    CartsError, Entering, IdempotencyKey, Job, JobKind, Opening,
    idle::Patience,
    live::{LiveCarts, Newest},
    shard::{Shard, ShardMessage, ShopFacts},
};
use crate::{
    catalogue::CatalogueCell,
    config::CartsConfig,
    metrics,
    store::{Answer, Heard, Store},
    terms::TermsCell,
};

/// Is a handle to all carts; cheap to clone.
#[derive(Clone)]
pub struct Carts {
    shards: Arc<[ShardHandle]>,
    facts: ShopFacts,
}

/// Is one shard: its actor, and the carts that it keeps.
struct ShardHandle {
    actor: Addr<Shard>,
    live: Arc<LiveCarts>,
}

impl Carts {
    /// Starts the shards, each on a thread of its own. One that dies takes the process with it: better dead than
    /// silently wrong.
    pub fn start(
        config: &CartsConfig,
        store: &Arc<dyn Store>,
        catalogue: &Arc<CatalogueCell>,
        terms: &Arc<TermsCell>,
    ) -> Self {
        let facts = ShopFacts {
            store: store.clone(),
            catalogue: catalogue.clone(),
            terms: terms.clone(),
            hold_ms: i64::try_from(config.hold_seconds * 1_000).unwrap_or(i64::MAX),
            patience: Patience::of(config),
        };
        let idle = Duration::from_secs(config.idle_seconds);
        let shards = (0..config.shards).map(|_| {
            let live = Arc::<LiveCarts>::default();
            let (facts, its) = (facts.clone(), live.clone());
            let actor =
                Shard::start_in_arbiter(&Arbiter::new().handle(), move |_| Shard::new(facts, idle, its));
            ShardHandle { actor, live }
        });
        Self { shards: shards.collect(), facts }
    }

    /// Opens a cart, or answers the owner's own where it exists.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered.
    pub async fn open(
        &self,
        id: CartId,
        opening: Opening,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer, CartsError> {
        self.run(Job { cart: id, kind: JobKind::Open(opening), key }).await
    }

    /// Returns a cart as memory knows it, where that is as of now: see [`Self::read`].
    pub fn newest(&self, id: &CartId) -> Newest {
        self.shard(id).live.newest(id)
    }

    /// Reads a cart, for its owner where a caller is named: from memory where it is there, without a turn. What another
    /// process has committed is missed for no longer than its notification travels.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered.
    pub async fn read(&self, id: CartId, caller: impl Into<Option<VisitorId>>) -> Result<Answer, CartsError> {
        let caller = caller.into();
        match self.newest(&id) {
            Some(cart) => Ok(self.facts.read(cart, caller.as_ref())),
            None => self.read_newest(id, caller).await,
        }
    }

    /// As [`Self::read`], from the store itself where other processes may have changed it.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered.
    pub async fn read_newest(
        &self,
        id: CartId,
        caller: impl Into<Option<VisitorId>>,
    ) -> Result<Answer, CartsError> {
        self.run(Job { cart: id, kind: JobKind::Read(caller.into()), key: None }).await
    }

    /// Runs a command.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered.
    pub async fn execute(
        &self,
        id: CartId,
        request: Request,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer, CartsError> {
        let name = request.command.name();
        let answer = self.run(Job { cart: id, kind: JobKind::Execute(request), key }).await;
        if matches!(answer, Err(CartsError::Busy)) {
            metrics::command(name, "busy", &[], Duration::ZERO);
        }
        answer
    }

    /// Brings a cart to a user who has logged in, with what another of their carts holds.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered; asked again, it goes on from where it stands.
    pub async fn enter(&self, id: CartId, entering: Entering) -> Result<Answer, CartsError> {
        let from = entering.from.as_ref().map(|(from, _)| from.clone());
        let answer = self.run(Job { cart: id, kind: JobKind::Enter(entering), key: None }).await;
        // Whatever came of it: the shard of the other cart did not do it, so it is told as of another process's change.
        if let Some(from) = from {
            self.shard(&from).live.forget(&from);
            self.heard(Heard::Cart(from));
        }
        answer
    }

    async fn run(&self, job: Job) -> Result<Answer, CartsError> {
        let (reply, answer) = oneshot::channel();
        let shard = self.shard(&job.cart);
        shard.actor.try_send(ShardMessage::Do(Box::new(job), reply)).map_err(|_| CartsError::Busy)?;
        answer.await.map_err(|_| CartsError::Unavailable)?
    }

    /// Watches a cart: the receiver always shows the newest committed state that this process knows.
    pub fn watch(&self, id: &CartId) -> watch::Receiver<Newest> {
        self.shard(id).live.watch(id)
    }

    /// Passes on what was heard of other processes. It finds room in a full shard too: reads rely on it.
    pub fn heard(&self, heard: Heard) {
        match &heard {
            Heard::Cart(id) => self.shard(id).actor.do_send(ShardMessage::Heard(heard)),
            Heard::Everything => {
                self.shards.iter().for_each(|shard| shard.actor.do_send(ShardMessage::Heard(heard.clone())));
            }
            Heard::TokenEnded(_) => {}
        }
    }

    /// Notes that other processes are no longer heard: until they are, carts are read from the store.
    pub fn deaf(&self) {
        self.shards.iter().for_each(|shard| shard.live.set_newest(false));
    }

    fn shard(&self, id: &CartId) -> &ShardHandle {
        &self.shards[shard_of(id, self.shards.len())]
    }
}

/// Returns a cart's shard: FNV-1a (Fowler, Noll, Vo 1991) of the id, modulo the shards.
fn shard_of(id: &CartId, shards: usize) -> usize {
    let hash = id
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash % shards as u64) as usize
}
