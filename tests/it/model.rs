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

use std::env;

use self::run::Run;
use crate::store_contract::subject::Subject;

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
