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

/// Makes each async function of the list, which is a test in the workflow of a plain shop already, one in the others that
/// are built in too: it says nothing of workflows, or walks whatever steps its carts have.
macro_rules! in_other_workflows {
    ($($name:ident),+ $(,)?) => {
        in_other_workflows!(@each express "express" [$($name)+]);
        in_other_workflows!(@each guest_first "guest-first" [$($name)+]);
    };
    (@each $module:ident $workflow:literal [$($name:ident)+]) => {
        mod $module {
            $(async fn $name(store: harness::Store) {
                harness::workflow::in_workflow($workflow.into(), super::$name(store)).await;
            })+
            on_each_store!($($name),+);
        }
    };
}

mod api;
mod back_in_stock;
mod bad_input;
mod bandits;
mod bundles;
mod carts;
mod checkout;
mod codes;
mod counting;
mod currencies;
mod customers;
mod cut_off;
mod desk;
mod digital;
mod gifts;
mod idempotency;
mod idle;
mod kill;
mod ledger;
mod lines;
mod lists;
mod locations;
mod logins;
mod openapi;
mod orders;
mod page_forms;
mod parcels;
mod payments;
mod purses;
mod recommending;
mod reorder;
mod search;
mod session;
mod snapshots;
mod stock;
mod stock_by_hand;
mod stock_of_workflows;
mod strata;
mod terms;
mod two_nodes;
mod users;

mod broken_frames;
mod channel;
mod official_client;
mod shared_pages;
mod shares;
mod slow_peers;

mod browser;
mod demo;
mod doors;
mod every_door;
mod experiments;
mod failing_disk;
mod flags;
mod fuzzing;
mod growthbook;
mod import;
mod imported_flags;
mod imported_returns;
mod interactions;
mod mail;
mod metrics;
mod offline;
mod published_flags;
mod replay;
mod report;
mod rivals;
mod shelves;
mod statistics;
mod story;
mod tracking;
mod views;
mod webhooks;
mod whole_loop;

mod store_contract;

mod model;

mod tidy;
