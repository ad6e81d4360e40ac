//! `kill -9` under load, round after round, with an audit after each.
//!
//! Adders fill a cart one piece at a time; buyers buy one piece after the other. Every command has an idempotency
//! key, and each task keeps its own account of what was acknowledged and of the one command whose fate the kill left
//! unknown. After the restart the account is held against the server's: an acknowledged command that is missing was
//! lost, more than was sent was doubled. Then the unknown command is sent again, twice, with its key, and must count once.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rand::RngExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    Answer, Shopper, Store, TestApp,
    app::{Setup, random_token},
    audit,
    catalogue::many,
    cluster::Durability,
    shopper::{complete_step, place_order, quantity},
};

const ADDERS: usize = 12;
const BUYERS: usize = 4;
const VARIANTS: usize = 4;
/// The load is on when this many commands of the round were acknowledged, however slow the machine is.
const LOAD_ACKNOWLEDGED: u64 = 40;
/// From then on the kill comes at any moment, in milliseconds.
const KILL_AFTER_MS: std::ops::Range<u64> = 0..200;

/// Is what all rounds together found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// How often the server was killed.
    pub rounds: u32,
    /// Commands that were acknowledged before a kill.
    pub acknowledged: u64,
    /// Commands whose fate a kill left unknown, all sent again.
    pub unknown: u64,
    /// Acknowledged commands without their effect after the restart.
    pub lost: u64,
    /// Effects beyond what was sent.
    pub doubled: u64,
    /// Orders placed.
    pub orders: u64,
    /// SKUs whose stock was not conserved or not where the carts and orders say, summed over the rounds.
    pub unconserved: u64,
    /// How long each restart took until the server was ready, in milliseconds.
    pub restart_ms: Vec<u64>,
}

/// Is one cart, and what its shopper believes of it.
struct Account {
    shopper: Shopper,
    sku: String,
    acknowledged: u64,
    of_round: Arc<AtomicU64>,
    /// Pieces whose addition was acknowledged.
    added: u64,
    ordered: bool,
    /// The command that was in flight at the kill.
    in_flight: Option<(String, Value)>,
}

/// Kills the server so many times under load and audits it after each restart.
///
/// # Panics
/// Where the server answers what it never should (an error other than 503) or does not come back.
pub async fn rounds(
    store: Store,
    durability: Durability,
    count: u32,
    mut after_each: impl FnMut(u32),
) -> Findings {
    let goods = many("K", VARIANTS, 10_000_000);
    let mut app = TestApp::start_with(store, Setup { goods, durability, ..Setup::default() }).await;
    let mut findings = Findings { rounds: count, ..Findings::default() };
    let mut sold = BTreeMap::new();
    for round in 0..count {
        let accounts = one_round(&mut app, &mut findings).await;
        settle(&app, accounts, &mut findings, &mut sold).await;
        after_each(round + 1);
    }
    findings
}

/// Loads the server, kills it, restarts it, and returns the accounts of all carts.
async fn one_round(app: &mut TestApp, findings: &mut Findings) -> Vec<Account> {
    let acknowledged = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for n in 0..ADDERS + BUYERS {
        let buyer = Buyer {
            address: app.address(),
            sku: format!("K{}", n % VARIANTS),
            acknowledged: acknowledged.clone(),
        };
        if n < ADDERS {
            tasks.spawn(fill(buyer));
        } else {
            tasks.spawn(buy(buyer));
        }
    }
    let begun = Instant::now();
    while acknowledged.load(Ordering::Relaxed) < LOAD_ACKNOWLEDGED {
        assert!(begun.elapsed() < Duration::from_secs(30), "the server hardly answers");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let moment = rand::rng().random_range(KILL_AFTER_MS);
    tokio::time::sleep(Duration::from_millis(moment)).await;
    app.kill();
    let accounts = tokio::time::timeout(Duration::from_secs(30), tasks.join_all()).await;
    let begun = Instant::now();
    app.restart().await;
    findings.restart_ms.push(begun.elapsed().as_millis() as u64);
    accounts.expect("every task ends when its connection does").into_iter().flatten().collect()
}

async fn fill(buyer: Buyer) -> Vec<Account> {
    let Some(mut account) = buyer.open_cart().await else { return Vec::new() };
    while account.add().await.is_some() {}
    vec![account]
}

async fn buy(buyer: Buyer) -> Vec<Account> {
    let mut accounts = Vec::new();
    while let Some(mut account) = buyer.open_cart().await {
        let done = account.add().await.is_some() && account.check_out().await.is_some();
        accounts.push(account);
        if !done {
            break;
        }
    }
    accounts
}

/// Sends a command until it is answered with anything but "busy", or the connection ends.
async fn send(shopper: &Shopper, command: &Value, key: &str) -> Option<Answer> {
    loop {
        let answer = shopper.try_command(command, Some(key)).await.ok()?;
        if answer.status != 503 {
            assert_eq!(answer.status, 200, "{command} was answered {}", answer.body);
            return Some(answer);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Is one source of load.
struct Buyer {
    address: SocketAddr,
    sku: String,
    /// Counts what all of the round's had acknowledged.
    acknowledged: Arc<AtomicU64>,
}

impl Buyer {
    async fn open_cart(&self) -> Option<Account> {
        let shopper = Shopper::try_open_cart(self.address, &random_token(), "").await.ok()?;
        let (sku, of_round) = (self.sku.clone(), self.acknowledged.clone());
        Some(Account { shopper, sku, acknowledged: 0, of_round, added: 0, ordered: false, in_flight: None })
    }
}

impl Account {
    /// Sends a command with a new key; where the connection ends, the command is noted as in flight.
    async fn send(&mut self, command: Value) -> Option<Answer> {
        let key = random_token();
        let answer = send(&self.shopper, &command, &key).await;
        match &answer {
            Some(_) => {
                self.acknowledged += 1;
                self.of_round.fetch_add(1, Ordering::Relaxed);
            }
            None => self.in_flight = Some((key, command)),
        }
        answer
    }

    async fn add(&mut self) -> Option<()> {
        self.send(json!({"type": "add_line", "sku": self.sku, "quantity": 1})).await?;
        self.added += 1;
        Some(())
    }

    async fn check_out(&mut self) -> Option<()> {
        let answer = self.send(json!({"type": "start_checkout"})).await?;
        self.finish(answer.body["cart"].clone()).await
    }

    /// Completes the steps that are left, and orders.
    async fn finish(&mut self, mut cart: Value) -> Option<()> {
        while let Some(step) = cart["next_step"].as_str() {
            cart = self.send(complete_step(step)).await?.body["cart"].clone();
        }
        self.send(place_order("tok_success")).await?;
        self.ordered = true;
        Some(())
    }
}

/// Holds the accounts against the server, sends what was in flight again, and audits the stock.
async fn settle(
    app: &TestApp,
    mut accounts: Vec<Account>,
    findings: &mut Findings,
    sold: &mut BTreeMap<String, u64>,
) {
    let mut held: BTreeMap<String, u64> = BTreeMap::new();
    for account in &mut accounts {
        findings.acknowledged += account.acknowledged;
        compare(account, findings).await;
        let place = if account.ordered { &mut *sold } else { &mut held };
        *place.entry(account.sku.clone()).or_default() += account.added;
        findings.orders += u64::from(account.ordered);
    }
    for (sku, stock) in audit::stock(app).await {
        let told = (*held.get(&sku).unwrap_or(&0) as i64, *sold.get(&sku).unwrap_or(&0) as i64);
        findings.unconserved += u64::from(!stock.is_conserved() || (stock.held, stock.sold) != told);
    }
    for account in accounts.iter_mut().filter(|account| !account.ordered) {
        leave(account).await;
        if account.ordered {
            *sold.entry(account.sku.clone()).or_default() += account.added;
            findings.orders += 1;
        }
    }
}

/// Compares one cart with its account, sends what was in flight twice more, and compares again.
async fn compare(account: &mut Account, findings: &mut Findings) {
    let Account { shopper, sku, .. } = &*account;
    let cart = shopper.cart().await;
    let found = quantity(&cart, sku);
    let adding = account.in_flight.as_ref().is_some_and(|(_, command)| command["type"] == "add_line");
    findings.lost += account.added.saturating_sub(found);
    findings.lost += u64::from(account.ordered && cart["status"] != "ordered");
    findings.doubled += found.saturating_sub(account.added + u64::from(adding));
    let Some((key, command)) = account.in_flight.take() else { return };
    findings.unknown += 1;
    for _ in 0..2 {
        send(&account.shopper, &command, &key).await.expect("the server is back");
    }
    account.added += u64::from(adding);
    account.ordered = command["type"] == "place_order";
    let found = account.shopper.quantity(&account.sku).await;
    findings.lost += account.added.saturating_sub(found);
    findings.doubled += found.saturating_sub(account.added);
}

/// Empties the cart, or completes its checkout, so that no hold expires during a long run and blurs a later audit.
async fn leave(account: &mut Account) {
    let cart = account.shopper.cart().await;
    if cart["status"] == "checkout" {
        account.finish(cart).await.expect("the server is back");
    } else {
        account.shopper.command(&json!({"type": "clear"})).await.accepted();
    }
}
