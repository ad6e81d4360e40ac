//! The model: random commands, clocks, prices, supplies, answers of the provider and crashes against the real turn on a
//! real store, compared with books that know nothing of either.
//!
//! `MODEL_COMMANDS` and `MODEL_SEED` make a run longer, or another one; `tests/model` sets them.

mod bill;
mod book;
mod cart_book;
mod deal;
mod draw;
mod pencil;
mod price;
mod rebate;
mod run;
mod season;
mod shop;

use std::{env, sync::Arc};

use cart_core::{AccountId, Command, Lines, Posting, Properties, Request, Workflow};
use web::{
    carts::{Entering, Job, JobKind, Opening},
    store::{Answer, PostingWrite},
};

use self::{
    run::Run,
    shop::{currency, sku},
};
use crate::store_contract::subject::{NOW_MS, Subject, cart_id, visitor};

/// Commands of a run where nothing else is asked for: some seconds' worth.
const COMMANDS: u64 = 3_000;
const SEED: u64 = 20_240_229;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|e| panic!("{name}={text}: {e}")))
}

async fn books_and_store_agree(subject: Subject, name: &str) {
    let (commands, seed) = (setting("MODEL_COMMANDS", COMMANDS), setting("MODEL_SEED", SEED));
    println!("{name}: {commands} commands, seed {seed}");
    let mut run = Run::begin(subject, seed).await;
    while run.commands() < commands {
        run.step().await;
    }
    run.end().await;
    println!("{name}: {run}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_agrees_with_the_books() {
    books_and_store_agree(Subject::memory(), "memory").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_agrees_with_the_books() {
    books_and_store_agree(Subject::sqlite().await, "sqlite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_agrees_with_the_books() {
    books_and_store_agree(Subject::postgres().await, "postgres").await;
}

/// The model found this: whoever filled it, a cart takes in what its new owner may still buy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_has_bought_limits_what_the_guests_cart_takes_in() {
    let subject = Subject::memory();
    let store = subject.store.clone();
    let mut run = Run::begin(subject, SEED).await;
    // Of seven that a customer may buy.
    let account = AccountId::CustomerPieces { customer: visitor("ada"), sku: sku("PDF") };
    let posting = Posting { account, delta: 5 };
    store.post(&[PostingWrite { posting, cause: "earlier".into(), at_ms: NOW_MS }]).await.unwrap();
    let job = |cart: &str, kind| Job { cart: cart_id(cart), kind, key: None };
    let open = |cart: &str, owner: &str| {
        let opening = Opening {
            owner: visitor(owner),
            unit: visitor(owner),
            group: None,
            channel: None,
            currency: currency("GBP"),
            workflow: Arc::new(Workflow::classic()),
            met: vec![],
        };
        job(cart, JobKind::Open(opening))
    };
    let add = |cart: &str, quantity| {
        let command = Command::AddLine { sku: sku("PDF"), quantity, properties: Properties::default() };
        job(cart, JobKind::Execute(Request { caller: None, expected_version: None, command }))
    };
    let entering = Entering {
        user: visitor("ada"),
        group: None,
        guest: visitor("guest"),
        from: Some((cart_id("own"), Lines::Added)),
    };
    run.turn([open("own", "ada"), open("theirs", "guest")].into(), false).await;
    run.turn([add("own", 2), add("theirs", 4)].into(), false).await;
    let outcome = run.turn([job("theirs", JobKind::Enter(entering))].into(), false).await;
    let Answer::Accepted(accepted) = &outcome.answers[0] else { panic!("{:?}", outcome.answers) };
    let pieces: Vec<u32> = accepted.cart.bought().map(|line| line.quantity).collect();
    let left: Vec<u32> = accepted.left.iter().map(|left| left.quantity).collect();
    assert_eq!((pieces, left), (vec![4], vec![2]));
}
