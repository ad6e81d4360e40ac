//! Opening, migrating and opening again.

use std::time::Duration;

use cart_core::OrderId;
use web::store::{StoreError, connect};

use super::{
    carts::is_unavailable,
    subject::{Subject, accepted, cart_id, turn},
    till::{add, open},
};

async fn a_store_opened_again_has_kept_everything(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    subject.turn(vec![open("c", "ann"), add("c", "MUG", 2).keyed("k", "f")]).await;
    subject.sell("d", "bob", "MUG", 1).await;
    let (cart, events) = (subject.cart("c").await, subject.events().await);
    let url = subject.url().unwrap();
    drop(subject);

    let store = connect(&url, 2).await.unwrap();
    assert_eq!(store.cart(&cart_id("c")).await.unwrap(), Some(cart));
    assert!(store.order(&OrderId::parse("order-d").unwrap()).await.unwrap().is_some());
    assert_eq!(store.catalogue(0).await.unwrap().unwrap().products.len(), 1);
    let again = store.outbox_after(0, 1_000).await.unwrap();
    assert_eq!(
        again.iter().map(|e| e.id).collect::<Vec<_>>(),
        events.iter().map(|e| e.id).collect::<Vec<_>>()
    );
    let replay = turn(&*store, vec![add("c", "MUG", 2).keyed("k", "f")]).await.unwrap();
    assert_eq!(accepted(&replay.answers[0]).version, 2);
    turn(&*store, vec![open("e", "eve")]).await.unwrap();
    let newest = events.last().unwrap().position;
    let is_told = async || store.outbox_after(newest, 9).await.unwrap().len() == 1;
    tokio::time::timeout(Duration::from_secs(30), async { while !is_told().await {} }).await.unwrap();
    assert_eq!(store.audit().await.unwrap(), [""; 0]);
}

async fn processes_that_start_at_once_migrate_once(subject: Subject) {
    let url = subject.url().unwrap();
    let starts = (0..4).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { connect(&url, 2).await.map(drop) })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap().unwrap();
    }
    subject.ask(open("c", "ann")).await;
    assert_eq!(subject.another().await.unwrap().cart(&cart_id("c")).await.unwrap().unwrap().version, 1);
}

on_tables! {
    a_store_opened_again_has_kept_everything,
    processes_that_start_at_once_migrate_once,
}

#[tokio::test]
async fn an_address_of_neither_kind_is_refused() {
    for url in ["", "mysql://localhost/shop", "shop.db"] {
        assert!(connect(url, 1).await.is_err_and(|e| is_unavailable(&e)), "{url}");
    }
    assert!(connect("postgres://nobody@127.0.0.1:1/shop", 1).await.is_err_and(|e| is_unavailable(&e)));
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    std::fs::write(folder.path().join("text"), "This is no database. ".repeat(99)).unwrap();
    let error = connect(&url("text"), 1).await.err().unwrap();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    let error = connect(&url("text/shop.db"), 1).await.err().unwrap();
    assert!(is_unavailable(&error) && error.to_string().contains("text"), "{error}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let subject = Subject::sqlite().await;
    subject.sql("PRAGMA user_version = 999").await.unwrap().unwrap();
    let error = connect(&subject.url().unwrap(), 1).await.err().unwrap();
    assert!(error.to_string().contains("999"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_is_unavailable_until_it_is_free() {
    let subject = Subject::sqlite().await;
    subject.ask(open("c", "ann")).await;
    let path = subject.url().unwrap().replace("sqlite:", "");
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = turn(&*subject.store, vec![open("d", "bob")]).await;
    assert!(refused.is_err_and(|e| is_unavailable(&e)));
    assert_eq!(subject.cart("c").await.version, 1, "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    let next = tokio::time::timeout(Duration::from_secs(10), subject.ask(open("d", "bob")));
    accepted(&next.await.unwrap());
}
