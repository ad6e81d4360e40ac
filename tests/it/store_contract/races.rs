//! Races of processes that remember: what one of them knows may be out of date at any time.

use std::sync::Arc;

use cart_core::LocationId;
use web::store::{Answer, StockAct, StockChange, StockOutcome, Store};

use super::{
    subject::{NOW_MS, Subject, accepted, level, rejected, sku, turn},
    till::{Job, add, open, read},
};

/// Asks two processes by turns, the first one at even numbers.
struct Two {
    one: Subject,
    other: Arc<dyn Store>,
}

impl Two {
    async fn over(subject: Subject) -> Self {
        let other = subject.another().await.expect("a store with tables");
        Self { one: subject, other }
    }

    async fn ask(&self, process: usize, job: Job) -> Answer {
        let store = if process.is_multiple_of(2) { &self.one.store } else { &self.other };
        turn(&**store, vec![job]).await.unwrap().answers.remove(0)
    }
}

async fn pieces_that_went_elsewhere_are_not_sold_from_memory(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    let two = Two::over(subject).await;
    for process in [0, 1] {
        accepted(&two.ask(process, open(&format!("c{process}"), "ann")).await);
    }
    for n in 0..10 {
        accepted(&two.ask(n, add(&format!("c{}", n % 2), "MUG", 1)).await);
    }
    for process in [0, 1] {
        let refused = two.ask(process, add(&format!("c{process}"), "MUG", 1)).await;
        assert_eq!(rejected(&refused), "out_of_stock");
    }
    assert_eq!(two.one.level("MUG").await, level(10, 0, 10, 0));
}

async fn pieces_that_arrived_elsewhere_are_found_though_none_were_remembered(subject: Subject) {
    subject.stock_up(&[("MUG", 0)]).await;
    let two = Two::over(subject).await;
    accepted(&two.ask(0, open("c", "ann")).await);
    assert_eq!(rejected(&two.ask(0, add("c", "MUG", 1)).await), "out_of_stock");
    // TEE had no row at all.
    assert_eq!(rejected(&two.ask(0, add("c", "TEE", 1)).await), "out_of_stock");
    two.one.stock_up(&[("TEE", 1)]).await;
    let arrived = StockChange {
        sku: sku("MUG"),
        act: StockAct::Set {
            location: LocationId::default(),
            supplied: Some(1),
            on_hand: None,
            safety: None,
        },
        reason: String::new(),
        by: "ann".into(),
        at_ms: NOW_MS,
        key: None,
    };
    assert_eq!(two.other.change_stock(&[arrived]).await.unwrap(), [StockOutcome::Changed]);
    for text in ["MUG", "TEE"] {
        accepted(&two.ask(0, add("c", text, 1)).await);
        assert_eq!(two.one.level(text).await, level(1, 0, 1, 0));
    }
}

async fn a_keys_answer_is_found_wherever_it_was_given(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    let two = Two::over(subject).await;
    accepted(&two.ask(0, open("c", "ann")).await);
    let first = two.ask(0, add("c", "MUG", 1).keyed("k", "a mug")).await;
    let again = two.ask(1, add("c", "MUG", 1).keyed("k", "a mug")).await;
    assert_eq!(accepted(&first).version, accepted(&again).version);
    // A read under a key writes none, and yet must not be answered anew.
    let looked = two.ask(1, read("c").keyed("k", "a mug")).await;
    assert_eq!(accepted(&looked).version, accepted(&first).version);
    assert_eq!(two.one.level("MUG").await, level(10, 9, 1, 0));
}

async fn processes_that_race_for_everything_lose_nothing(subject: Subject) {
    subject.stock_up(&[("MUG", 40), ("TEE", 40)]).await;
    let two = Arc::new(Two::over(subject).await);
    for n in 0..8 {
        accepted(&two.ask(n, open(&format!("c{n}"), "ann")).await);
    }
    let racers: Vec<_> = (0..8)
        .map(|racer| {
            let two = two.clone();
            tokio::spawn(async move {
                let mut taken = 0;
                for n in 0..12 {
                    // Two racers a cart, in different processes.
                    let cart = format!("c{}", racer / 2);
                    let wanted = if n % 2 == 0 { "MUG" } else { "TEE" };
                    let answer = two.ask(racer, add(&cart, wanted, 1)).await;
                    taken += usize::from(matches!(answer, Answer::Accepted(_)));
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for racer in racers {
        taken += racer.await.unwrap();
    }
    let (mugs, tees) = (two.one.level("MUG").await, two.one.level("TEE").await);
    assert_eq!((taken, mugs, tees), (80, level(40, 0, 40, 0), level(40, 0, 40, 0)));
    let mut pieces = 0;
    for n in 0..4 {
        pieces += two.one.cart(&format!("c{n}")).await.lines.iter().map(|line| line.quantity).sum::<u32>();
    }
    assert_eq!(pieces, 80);
    assert_eq!(two.one.store.audit().await.unwrap(), [""; 0]);
}

on_tables! {
    pieces_that_went_elsewhere_are_not_sold_from_memory,
    pieces_that_arrived_elsewhere_are_found_though_none_were_remembered,
    a_keys_answer_is_found_wherever_it_was_given,
    processes_that_race_for_everything_lose_nothing,
}
