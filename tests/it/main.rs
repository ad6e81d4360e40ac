//! Black-box tests of the `cartwright` binary: each starts a shop of its own and speaks to it as its users do.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

/// Makes each async function of the list a test on the embedded store and one on PostgreSQL.
macro_rules! on_each_store {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(harness::Store::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(harness::Store::Postgres).await;
            })+
        }
    };
}

mod bad_input;
mod carts;
mod checkout;
mod idempotency;
mod kill;
mod lines;
mod terms;
mod two_nodes;

mod broken_frames;
mod channel;
mod official_client;
mod slow_peers;

mod browser;
mod demo;
mod experiments;
mod failing_disk;
mod import;
mod metrics;
mod replay;
mod whole_loop;

mod store_contract;

mod tidy;
