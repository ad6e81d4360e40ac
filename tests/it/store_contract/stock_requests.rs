//! Requests to be told that a product is back.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use web::store::{
    DemandQuery, OutboxEvent, StockRequest, StockWave,
    stock_requests::{STOCK_REQUESTS_MAX, TOLD_KEPT_MS},
};

use super::subject::{NOW_MS, Subject, currency, sku};

const KEPT_MS: i64 = 1_000_000;

fn request(email: &str, of: &str, asked_at_ms: i64) -> StockRequest {
    StockRequest::new(email.into(), sku(of), currency(), asked_at_ms, asked_at_ms + KEPT_MS)
}

fn wave(of: &str, most: u64, at_ms: i64) -> StockWave {
    StockWave { sku: sku(of), most, since_ms: at_ms - 100, at_ms }
}

async fn ask(subject: &Subject, email: &str, of: &str, asked_at_ms: i64) -> StockRequest {
    let request = request(email, of, asked_at_ms);
    assert!(subject.store.ask_for_stock(&request).await.unwrap(), "{email} {of}");
    request
}

/// Returns the requests that events of a kind name, in order.
async fn told(subject: &Subject, kind: &str) -> Vec<String> {
    subject.settle().await;
    let name = |event: &OutboxEvent| {
        let data: Value = serde_json::from_str(event.data.get()).unwrap();
        data["request"].as_str().unwrap().to_owned()
    };
    subject.events().await.iter().filter(|event| event.kind == kind).map(name).collect()
}

pub async fn an_address_waits_for_a_product_once(subject: Subject) {
    let store = &subject.store;
    let first = ask(&subject, "ada@example.org", "MUG", NOW_MS).await;
    let again = request("ada@example.org", "MUG", NOW_MS + 10);
    assert!(!store.ask_for_stock(&again).await.unwrap());
    let kept = StockRequest { ends_at_ms: again.ends_at_ms, ..first.clone() };
    assert_eq!(store.stock_request(&first.id).await.unwrap(), Some(kept.clone()), "it keeps its place");
    assert_eq!(store.stock_request(&again.id).await.unwrap(), None);
    let tin = ask(&subject, "ada@example.org", "TIN", NOW_MS + 20).await;
    assert_eq!(store.stock_requests_of("ada@example.org", NOW_MS + 20).await.unwrap(), [kept, tin.clone()]);
    // One whose time is over is another's by the same name.
    let late = again.ends_at_ms;
    let anew = ask(&subject, "ada@example.org", "MUG", late).await;
    assert_eq!(store.stock_requests_of("ada@example.org", late).await.unwrap(), [tin.clone(), anew.clone()]);
    assert_eq!(told(&subject, "stock_request_made").await, [first.id, tin.id, anew.id]);
    let events = subject.events().await;
    assert_eq!(
        events[0].unit.as_str(),
        serde_json::from_str::<Value>(events[0].data.get()).unwrap()["request"]
    );
    assert!(events.iter().all(|event| !event.data.get().contains('@')), "an event names no address");
}

pub async fn the_oldest_requests_are_told_first_and_once(subject: Subject) {
    let store = &subject.store;
    let mut asked = vec![];
    for (n, name) in ["eve", "ben", "ada", "dan"].iter().enumerate() {
        asked.push(ask(&subject, &format!("{name}@example.org"), "MUG", NOW_MS + n as i64).await);
    }
    let other = ask(&subject, "ada@example.org", "TIN", NOW_MS).await;
    let at_ms = NOW_MS + 50;
    assert_eq!(store.tell_back_in_stock(&wave("MUG", 3, at_ms)).await.unwrap(), 3);
    let ids = |some: &[StockRequest]| some.iter().map(|r| r.id.clone()).collect::<Vec<_>>();
    assert_eq!(told(&subject, "back_in_stock").await, ids(&asked[..3]));
    let event = subject.events().await.pop().unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(event.data.get()).unwrap(),
        json!({"request": asked[2].id, "sku": "MUG"})
    );
    let mark = StockRequest { told_at_ms: Some(at_ms), ends_at_ms: at_ms + TOLD_KEPT_MS, ..asked[0].clone() };
    assert_eq!(store.stock_request(&asked[0].id).await.unwrap(), Some(mark));
    assert_eq!(store.stock_requests_of("eve@example.org", at_ms).await.unwrap(), []);
    assert_eq!(store.tell_back_in_stock(&wave("MUG", 9, at_ms + 1)).await.unwrap(), 1);
    assert_eq!(store.tell_back_in_stock(&wave("MUG", 9, at_ms + 2)).await.unwrap(), 0);
    assert_eq!(told(&subject, "back_in_stock").await, ids(&asked));
    assert_eq!(store.stock_requests_of("ada@example.org", at_ms).await.unwrap(), [other]);
    // Who was told may wait again.
    ask(&subject, "eve@example.org", "MUG", at_ms + 3).await;
    assert_eq!(store.tell_back_in_stock(&wave("MUG", 9, at_ms + 3)).await.unwrap(), 1);
}

pub async fn a_wave_counts_what_was_told_in_its_span(subject: Subject) {
    let store = &subject.store;
    for n in 0..6 {
        ask(&subject, &format!("{n}@example.org"), "MUG", NOW_MS + n).await;
    }
    let tell = async |most, at_ms| store.tell_back_in_stock(&wave("MUG", most, at_ms)).await.unwrap();
    let at_ms = NOW_MS + 1_000;
    assert_eq!(tell(2, at_ms).await, 2);
    assert_eq!(tell(2, at_ms + 99).await, 0, "those who were told have time");
    assert_eq!(tell(3, at_ms + 99).await, 1, "another piece came");
    assert_eq!(tell(2, at_ms + 100).await, 1, "the first two had their time");
    assert_eq!(tell(2, at_ms + 199).await, 1);
}

pub async fn processes_that_tell_at_once_tell_each_request_once(subject: Subject) {
    for n in 0..20 {
        ask(&subject, &format!("{n}@example.org"), "MUG", NOW_MS + n).await;
    }
    let mut stores = vec![subject.store.clone()];
    if subject.is_shared() {
        stores.push(subject.another().await.unwrap());
    }
    let telling = (0..8).map(|n| {
        let store = stores[n % stores.len()].clone();
        async move { store.tell_back_in_stock(&wave("MUG", 5, NOW_MS + 100)).await.unwrap() }
    });
    assert_eq!(join_all(telling).await.into_iter().sum::<u64>(), 5);
    let told = told(&subject, "back_in_stock").await;
    assert_eq!((told.len(), told.iter().collect::<BTreeSet<_>>().len()), (5, 5));
}

pub async fn requests_are_withdrawn_by_address_and_end_by_themselves(subject: Subject) {
    let store = &subject.store;
    for of in ["MUG", "TIN", "JUG"] {
        ask(&subject, "ada@example.org", of, NOW_MS).await;
    }
    let bens = ask(&subject, "ben@example.org", "MUG", NOW_MS + 5).await;
    let withdraw = async |email, of: Option<&str>| {
        store.withdraw_stock_requests(email, of.map(sku).as_ref()).await.unwrap()
    };
    assert_eq!(withdraw("ada@example.org", Some("TIN")).await, 1);
    assert_eq!(withdraw("ada@example.org", Some("TIN")).await, 0);
    assert_eq!(withdraw("ada@example.org", None).await, 2);
    assert_eq!(withdraw("ada@example.org", None).await, 0);
    assert_eq!(
        store.stock_requests_of("ben@example.org", NOW_MS).await.unwrap(),
        std::slice::from_ref(&bens)
    );

    let end = bens.ends_at_ms;
    assert_eq!(store.tell_back_in_stock(&wave("MUG", 9, end)).await.unwrap(), 0, "its time is over");
    assert_eq!(store.forget_stock_requests(end - 1).await.unwrap(), 0);
    assert_eq!(store.forget_stock_requests(end).await.unwrap(), 1);
    assert_eq!(store.stock_request(&bens.id).await.unwrap(), None);
    // One that was told is kept until its letter is surely written.
    let told = ask(&subject, "ben@example.org", "MUG", end).await;
    assert_eq!(store.tell_back_in_stock(&wave("MUG", 1, end + 1)).await.unwrap(), 1);
    assert_eq!(store.forget_stock_requests(end + TOLD_KEPT_MS).await.unwrap(), 0);
    assert_eq!(store.forget_stock_requests(end + 1 + TOLD_KEPT_MS).await.unwrap(), 1);
    assert_eq!(store.stock_request(&told.id).await.unwrap(), None);
}

pub async fn demand_is_paged_from_the_most_wanted(subject: Subject) {
    let store = &subject.store;
    for (of, count) in [("B", 2), ("A", 2), ("C", 3), ("D", 1)] {
        for n in 0..count {
            ask(&subject, &format!("{n}@example.org"), of, NOW_MS + n).await;
        }
    }
    store.tell_back_in_stock(&wave("D", 1, NOW_MS + 10)).await.unwrap();
    let read = async |after: Option<(u64, &str)>, limit, now_ms| {
        let after = after.map(|(n, of)| (n, sku(of)));
        let demand = store.stock_demand(&DemandQuery { after, limit, now_ms }).await.unwrap();
        demand
            .into_iter()
            .map(|d| (d.sku.to_string(), d.waiting, d.oldest_at_ms - NOW_MS))
            .collect::<Vec<_>>()
    };
    let row = |of: &str, waiting, oldest| (of.to_owned(), waiting, oldest);
    assert_eq!(read(None, 2, NOW_MS).await, [row("C", 3, 0), row("A", 2, 0)]);
    assert_eq!(read(Some((2, "A")), 2, NOW_MS).await, [row("B", 2, 0)]);
    assert_eq!(read(Some((2, "B")), 2, NOW_MS).await, []);
    // The first of each has ended.
    let late = read(None, 9, NOW_MS + KEPT_MS).await;
    assert_eq!(late, [row("C", 2, 1), row("A", 1, 1), row("B", 1, 1)]);
}

pub async fn what_waits_longest_gives_way(subject: Subject) {
    let store = &subject.store;
    for n in 0..STOCK_REQUESTS_MAX as i64 {
        ask(&subject, "ada@example.org", &format!("P{n}"), NOW_MS + n).await;
    }
    let newest = ask(&subject, "ada@example.org", "MORE", NOW_MS + 1_000).await;
    let waiting = store.stock_requests_of("ada@example.org", NOW_MS).await.unwrap();
    assert_eq!(waiting.len(), STOCK_REQUESTS_MAX);
    assert_eq!((waiting[0].sku.as_str(), waiting.last()), ("P1", Some(&newest)));
}
