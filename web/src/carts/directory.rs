//! The way from a cart's id to the actor that owns it.

use std::{sync::Arc, time::Duration};

use actix::{Actor, Addr, Arbiter};
use cart_core::{CartId, Request, VisitorId};
use tokio::sync::{oneshot, watch};

use super::{
    CartsError, IdempotencyKey, Job, JobKind, Opening,
    shard::{Newest, Shard, ShardMessage, ShopFacts},
};
use crate::{
    catalogue::CatalogueCell,
    config::CartsConfig,
    metrics,
    store::{Answer, Store},
    terms::TermsCell,
};

/// Is a handle to all carts; cheap to clone.
#[derive(Clone)]
pub struct Carts {
    shards: Arc<[Addr<Shard>]>,
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
        };
        let idle = Duration::from_secs(config.idle_seconds);
        let shards = (0..config.shards).map(|_| {
            let facts = facts.clone();
            Shard::start_in_arbiter(&Arbiter::new().handle(), move |_| Shard::new(facts, idle))
        });
        Self { shards: shards.collect() }
    }

    /// Opens a cart, or answers the owner's own where it exists.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered.
    pub async fn open(&self, id: CartId, opening: Opening) -> Result<Answer, CartsError> {
        self.run(Job { cart: id, kind: JobKind::Open(opening), key: None }).await
    }

    /// Reads a cart for its owner, as of now.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered.
    pub async fn read(&self, id: CartId, caller: VisitorId) -> Result<Answer, CartsError> {
        self.run(Job { cart: id, kind: JobKind::Read(caller), key: None }).await
    }

    /// Says what a command would come to, and does not run it.
    ///
    /// # Errors
    /// [`CartsError`] where no rule answered.
    pub async fn attempt(&self, id: CartId, request: Request) -> Result<Answer, CartsError> {
        self.run(Job { cart: id, kind: JobKind::Try(request), key: None }).await
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

    async fn run(&self, job: Job) -> Result<Answer, CartsError> {
        let (reply, answer) = oneshot::channel();
        let shard = self.shard(&job.cart);
        shard.try_send(ShardMessage::Do(Box::new(job), reply)).map_err(|_| CartsError::Busy)?;
        answer.await.map_err(|_| CartsError::Unavailable)?
    }

    /// Watches a cart: the receiver always shows the newest committed state that this process knows.
    ///
    /// # Errors
    /// [`CartsError::Busy`] where the shard has as much to do as it may have.
    pub async fn watch(&self, id: CartId) -> Result<watch::Receiver<Newest>, CartsError> {
        let (reply, receiver) = oneshot::channel();
        let shard = self.shard(&id);
        shard.try_send(ShardMessage::Watch(id, reply)).map_err(|_| CartsError::Busy)?;
        receiver.await.map_err(|_| CartsError::Unavailable)
    }

    /// Passes on that another process has changed a cart. A full shard drops it: its next turn finds out anyway.
    pub fn changed_elsewhere(&self, id: CartId) {
        let _ = self.shard(&id).try_send(ShardMessage::Changed(id));
    }

    /// Passes on that changes of other processes may have gone unheard, so that no watcher is left behind.
    pub fn changed_unheard(&self) {
        for shard in self.shards.iter() {
            let _ = shard.try_send(ShardMessage::ChangedUnheard);
        }
    }

    fn shard(&self, id: &CartId) -> &Addr<Shard> {
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
