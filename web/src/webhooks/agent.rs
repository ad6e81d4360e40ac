//! The agent: in the one process that holds the lease, a courier for each enabled endpoint, each in a task of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use super::{
    Endpoint, endpoint,
    hook::{self, Hook},
    post::{Answer, Poster},
};
use crate::{
    clock,
    config::WebhooksConfig,
    deliveries::{
        courier::{Courier, Manner},
        schedule::Schedule,
    },
    metrics,
    store::{DeliveryCounts, Result, Store, readers, webhooks::replay_cursor},
};

/// Names the lease, and the readers of all endpoints together in the metrics.
pub const LEASE: &str = "webhooks";
/// How often the agent looks whether endpoints have changed.
const LOOK: Duration = Duration::from_millis(500);
/// How long an idle courier waits.
const IDLE: Duration = Duration::from_millis(250);
/// How long a courier waits whose store failed.
const PAUSE: Duration = Duration::from_secs(2);
/// After so many failures in a row an endpoint is said to fail.
const FAILING: u32 = 3;
const DAY_MS: i64 = 86_400_000;

/// Is what the couriers of all endpoints tell.
#[derive(Debug, Default)]
pub struct Board {
    counts: Mutex<BTreeMap<String, (DeliveryCounts, u64)>>,
    gone: Mutex<BTreeSet<String>>,
}

impl Board {
    /// Notes what of an endpoint is open.
    pub fn counted(&self, id: &str, open: DeliveryCounts, lag: u64) {
        let mut all = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.to_owned(), (open, lag));
        let sum = |of: fn(&DeliveryCounts) -> u64| all.values().map(|(counts, _)| of(counts)).sum();
        metrics::deliveries_open(metrics::SINKS[1], sum(|c| c.waiting), sum(|c| c.dead));
        metrics::outbox_lag(readers::WEBHOOKS, all.values().map(|(_, lag)| *lag).max().unwrap_or(0));
    }

    /// Notes that an endpoint says that it is gone.
    pub fn gone(&self, id: &str) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    }

    fn take_gone(&self, id: &str) -> bool {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).remove(id)
    }
}

/// Delivers to all endpoints of a shop.
#[derive(Clone)]
pub struct Agent {
    store: Arc<dyn Store>,
    poster: Poster,
    manner: Manner,
    give_up_ms: i64,
    board: Arc<Board>,
}

struct Worker {
    endpoint: watch::Sender<Arc<Endpoint>>,
    task: AbortHandle,
}

impl Agent {
    /// Returns the agent of a shop.
    ///
    /// # Errors
    /// Where the system's certificates cannot be used.
    pub fn new(config: &WebhooksConfig, store: Arc<dyn Store>) -> anyhow::Result<Self> {
        let schedule = Schedule::of_seconds(&config.retry_seconds);
        Ok(Self {
            store,
            poster: Poster::new(config.allow_private, Duration::from_millis(config.timeout_ms))?,
            manner: Manner { schedule, at_once: 8, batch: 64 },
            give_up_ms: i64::from(config.give_up_days).saturating_mul(DAY_MS),
            board: Arc::new(Board::default()),
        })
    }

    /// Posts a message that is no event, so that people see whether an endpoint works.
    ///
    /// # Errors
    /// Says why there is no answer.
    pub async fn ping(&self, endpoint: &Endpoint) -> std::result::Result<Answer, String> {
        let now_ms = clock::now_ms();
        let body =
            serde_json::json!({"type": "webhook_ping", "timestamp": hook::timestamp(now_ms), "data": {}});
        let id = format!("ping_{}", uuid::Uuid::new_v4().simple());
        hook::post(&self.poster, endpoint, &id, body.to_string()).await
    }

    /// Works for ever. Dropped, it stops all couriers.
    pub async fn work(self) {
        let mut tasks = JoinSet::new();
        let mut workers: BTreeMap<String, Worker> = BTreeMap::new();
        loop {
            match endpoint::all(&*self.store).await {
                Ok(all) => {
                    self.adopt(all.into_iter().map(|(_, endpoint)| endpoint), &mut workers, &mut tasks)
                }
                Err(error) => tracing::warn!(%error, "the endpoints of webhooks could not be read"),
            }
            // One that has ended, which only a defect can do, is begun again.
            while tasks.try_join_next().is_some() {}
            workers.retain(|_, worker| !worker.task.is_finished());
            sleep(LOOK).await;
        }
    }

    fn adopt(
        &self,
        all: impl Iterator<Item = Endpoint>,
        workers: &mut BTreeMap<String, Worker>,
        tasks: &mut JoinSet<()>,
    ) {
        let (mut enabled, mut disabled, mut failing) = (BTreeSet::new(), 0, 0);
        for endpoint in all {
            if !endpoint.enabled {
                disabled += 1;
                continue;
            }
            failing += u64::from(endpoint.failing_since_ms.is_some());
            let (id, endpoint) = (endpoint.id.clone(), Arc::new(endpoint));
            enabled.insert(id.clone());
            match workers.get(&id) {
                Some(worker) => {
                    worker.endpoint.send_if_modified(|known| {
                        let is_new = **known != *endpoint;
                        *known = endpoint;
                        is_new
                    });
                }
                None => {
                    let (sender, receiver) = watch::channel(endpoint);
                    let task = tasks.spawn(self.clone().serve(receiver));
                    workers.insert(id, Worker { endpoint: sender, task });
                }
            }
        }
        workers.retain(|id, worker| {
            let stays = enabled.contains(id);
            if !stays {
                worker.task.abort();
            }
            stays
        });
        metrics::webhook_endpoints(enabled.len() as u64 - failing, failing, disabled);
    }

    /// Delivers to one endpoint.
    async fn serve(self, endpoint: watch::Receiver<Arc<Endpoint>>) {
        let hook =
            Hook { endpoint: endpoint.clone(), poster: self.poster.clone(), board: self.board.clone() };
        let id = endpoint.borrow().id.clone();
        let mut courier = Courier::new(self.store.clone(), &id, hook, self.manner.clone());
        loop {
            let pause = match self.round(&endpoint, &mut courier).await {
                Ok(0) => IDLE,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(id, %error, "the courier of a webhook pauses");
                    PAUSE
                }
            };
            sleep(pause).await;
        }
    }

    async fn round(
        &self,
        endpoint: &watch::Receiver<Arc<Endpoint>>,
        courier: &mut Courier<Hook>,
    ) -> Result<usize> {
        let now = || endpoint.borrow().clone();
        let mut seen = courier.round().await?;
        let at = now();
        if let Some(replay) = at.replay {
            let reader = replay_cursor(&at.id);
            seen += courier.replay(&reader, |event| replay.means(event)).await?;
            if self.store.cursor(&reader).await? >= replay.end {
                endpoint::change(&*self.store, &at.id, |e| {
                    e.replay = e.replay.filter(|other| *other != replay);
                })
                .await?;
            }
        }
        self.note_health(&at, courier).await?;
        Ok(seen)
    }

    /// Writes down when an endpoint begins or ceases to fail, and gives up one that fails for too long.
    async fn note_health(&self, at: &Endpoint, courier: &Courier<Hook>) -> Result<()> {
        let now_ms = clock::now_ms();
        let is_failing = courier.failures() >= FAILING;
        let is_given_up = at.failing_since_ms.is_some_and(|since| now_ms - since >= self.give_up_ms);
        if self.board.take_gone(&at.id) {
            self.disable(at, "Disabled: the endpoint answered 410 Gone.".into()).await
        } else if courier.failures() > 0 && is_given_up {
            let days = self.give_up_ms / DAY_MS;
            self.disable(at, format!("Disabled: nothing arrived for {days} days.")).await
        } else if is_failing && at.failing_since_ms.is_none() {
            endpoint::change(&*self.store, &at.id, |e| {
                e.failing_since_ms = e.failing_since_ms.or(Some(now_ms))
            })
            .await
            .map(drop)
        } else if courier.has_delivered() && at.failing_since_ms.is_some() {
            endpoint::change(&*self.store, &at.id, |e| e.failing_since_ms = None).await.map(drop)
        } else {
            Ok(())
        }
    }

    async fn disable(&self, at: &Endpoint, note: String) -> Result<()> {
        tracing::warn!(id = at.id, note, "the endpoint of a webhook was disabled");
        endpoint::change(&*self.store, &at.id, |e| e.disable(Some(note.clone()))).await.map(drop)
    }
}
