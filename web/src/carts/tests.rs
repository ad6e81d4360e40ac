//! Carts over the strict double, which can be told to stall, conflict and crash.

use std::{sync::Arc, time::Duration};

use actix_web::{ResponseError, http::header};
use cart_core::{CartId, Command, Currency, Money, Product, Properties, Request, Sku, VisitorId, Workflow};
use futures_util::future::join_all;

use super::{
    Carts, CartsError, IdempotencyKey, Opening,
    shard::{SHARD_WAITING_MAX, TURN_JOBS_MAX},
};
use crate::{
    catalogue::CatalogueCell,
    config::Config,
    problem::Problem,
    store::{
        Answer, ProductSupply, Store,
        memory::{Fault, Faults, MemoryStore},
    },
    terms::TermsCell,
};

struct Shop {
    carts: Carts,
    store: Arc<dyn Store>,
    faults: Faults,
}

fn cart(n: usize) -> CartId {
    CartId::parse(&format!("c{n}")).unwrap()
}

fn owner() -> VisitorId {
    VisitorId::parse("ada").unwrap()
}

async fn shop() -> Shop {
    let double = MemoryStore::new();
    let faults = double.faults();
    let store: Arc<dyn Store> = Arc::new(double);
    let currency = Currency::parse("GBP").unwrap();
    let product = Product::new(Sku::parse("MUG").unwrap(), "Mug", Money::new(1_250, currency));
    store.put_products(&[ProductSupply { product, supplied: Some(100), safety: None }]).await.unwrap();
    let catalogue = Arc::new(CatalogueCell::default());
    catalogue.refresh(&*store).await.unwrap();
    let config = Config::default();
    let terms = Arc::new(TermsCell::new(&config.shop).unwrap_or_else(|e| panic!("{e}")));
    let carts = Carts::start(&config.carts, &store, &catalogue, &terms);
    Shop { carts, store, faults }
}

impl Shop {
    async fn open(&self) {
        let opening = Opening {
            owner: owner(),
            unit: owner(),
            group: None,
            channel: None,
            currency: Currency::parse("GBP").unwrap(),
            workflow: Arc::new(Workflow::classic()),
            met: vec![],
        };
        assert!(matches!(self.carts.open(cart(0), opening, None).await, Ok(Answer::Accepted(_))));
    }

    async fn add(&self, key: &str) -> Result<Answer, CartsError> {
        let command = Command::AddLine {
            sku: Sku::parse("MUG").unwrap(),
            quantity: 1,
            properties: Properties::default(),
        };
        let request = Request { caller: Some(owner()), expected_version: None, command };
        let key = IdempotencyKey { key: key.into(), fingerprint: "add one".into() };
        self.carts.execute(cart(0), request, Some(key)).await
    }
}

#[track_caller]
fn quantity(answer: Result<Answer, CartsError>) -> u32 {
    match answer {
        Ok(Answer::Accepted(accepted)) => accepted.cart.lines[0].quantity,
        other => panic!("not accepted: {other:?}"),
    }
}

#[actix_web::test]
async fn a_full_actor_says_so_at_once_and_goes_on() {
    let Shop { carts, faults, .. } = shop().await;
    let stalled = faults.stall();
    // The mailbox, the queue and one turn hold so many; the rest is too much.
    let asked = 2 * SHARD_WAITING_MAX + TURN_JOBS_MAX + 1_000;
    let asking = carts.clone();
    let asks = tokio::spawn(async move { join_all((0..asked).map(|n| asking.read(cart(n), owner()))).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    stalled.notify_one();
    let answers = asks.await.unwrap();
    let busy = answers.iter().filter(|a| matches!(a, Err(CartsError::Busy))).count();
    let answered = answers.iter().filter(|a| matches!(a, Ok(Answer::UnknownCart))).count();
    assert!(busy > 0 && answered >= SHARD_WAITING_MAX, "{busy} busy, {answered} answered");
    assert_eq!(busy + answered, asked);
    assert!(matches!(carts.read(cart(0), owner()).await, Ok(Answer::UnknownCart)));
    let response = Problem::from(CartsError::Busy).error_response();
    assert_eq!(
        (response.status().as_u16(), response.headers().contains_key(header::RETRY_AFTER)),
        (503, true)
    );
}

#[actix_web::test]
async fn a_turn_that_lost_a_race_is_tried_again_unseen() {
    let shop = shop().await;
    shop.open().await;
    shop.faults.line_up(Fault::Conflict, 3);
    assert_eq!(quantity(shop.add("k").await), 1);
}

#[actix_web::test]
async fn a_commit_of_unknown_outcome_heals_by_its_key() {
    for (fault, happened) in [(Fault::CrashAfterCommit, true), (Fault::CrashBeforeCommit, false)] {
        let shop = shop().await;
        shop.open().await;
        shop.faults.line_up(fault, 1);
        assert!(matches!(shop.add("k").await, Err(CartsError::Unavailable)));
        let stored = shop.store.cart(&cart(0)).await.unwrap().unwrap();
        assert_eq!(!stored.lines.is_empty(), happened);
        assert_eq!(quantity(shop.add("k").await), 1, "the retry has the one effect");
        assert_eq!(quantity(shop.add("k").await), 1, "and its answer stays");
        assert_eq!(quantity(shop.add("another").await), 2);
        assert_eq!(shop.store.audit().await.unwrap(), Vec::<String>::new());
    }
}

#[actix_web::test]
async fn a_store_that_fails_is_excused_and_asked_again() {
    let shop = shop().await;
    shop.open().await;
    shop.faults.line_up(Fault::Fail, 1);
    assert!(matches!(shop.add("k").await, Err(CartsError::Unavailable)));
    assert_eq!(quantity(shop.add("k").await), 1);
}
