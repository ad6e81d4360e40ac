//! Event files on a disk that fails: shopping goes on, the lag is seen, and what was not written is written later.

use std::{collections::BTreeSet, fs, time::Duration};

use harness::{Answer, Store, TestApp, app::Setup, disk::SmallDisk};

/// One test of both stores, here and below: each waits for a lag to be measured, and a test that waits keeps another
/// from running.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_cannot_be_written_holds_up_nothing_but_its_reader() {
    tokio::join!(a_folder_fails(Store::Sqlite), a_folder_fails(Store::Postgres));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_cannot_be_made_at_the_start_is_made_later() {
    tokio::join!(a_folder_appears_late(Store::Sqlite), a_folder_appears_late(Store::Postgres));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_no_event() {
    tokio::join!(a_disk_is_full(Store::Sqlite), a_disk_is_full(Store::Postgres));
}

/// Places an order and returns its id.
async fn buy(app: &TestApp) -> String {
    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    shopper.add("V0", 2).await.accepted();
    let ordered = shopper.check_out("tok_success").await.accepted();
    ordered["order_id"].as_str().unwrap().to_owned()
}

async fn lag(app: &TestApp, reader: &str) -> f64 {
    let lag = app.metrics().await.value("cartwright_outbox_lag_events", &[("reader", reader)]);
    lag.expect("each reader's lag is measured")
}

/// Waits until the event files' lag is as wanted.
async fn lag_is(app: &TestApp, wanted: impl Fn(f64) -> bool) {
    let mut found = 0.0;
    for _ in 0..240 {
        found = lag(app, "files").await;
        if wanted(found) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("the lag stays at {found}:\n{}", app.node().log_tail())
}

/// Waits until every order stands in the event files, with the events of the cart that led to it.
async fn all_is_written(app: &TestApp, orders: &BTreeSet<String>) {
    let written = app.events("order_placed", orders.len()).await;
    let written: BTreeSet<String> =
        written.iter().map(|event| event["data"]["order_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(written, *orders);
    for (kind, of_each_order) in [("cart_opened", 1), ("line_added", 2), ("step_completed", 4)] {
        assert_eq!(app.events_now(kind).len(), of_each_order * orders.len(), "{kind}");
    }
    lag_is(app, |lag| lag == 0.0).await;
}

async fn a_folder_fails(store: Store) {
    let mut setup = Setup::default();
    // Each batch of events opens a file of its own, so that the fault is met at once.
    setup.config += "\n[recommender]\nfile_bytes = 1\n";
    let app = TestApp::start_with(store, setup).await;
    let mut orders = BTreeSet::from([buy(&app).await]);
    all_is_written(&app, &orders).await;

    let (folder, aside) = (app.data("events"), app.data("events-aside"));
    fs::rename(&folder, &aside).unwrap();
    fs::write(&folder, "this is no folder").unwrap();
    for _ in 0..5 {
        orders.insert(buy(&app).await);
    }
    lag_is(&app, |lag| lag > 0.0).await;
    orders.insert(buy(&app).await);
    assert_eq!(lag(&app, "rollups").await, 0.0, "another reader is not held up");
    let ready = Answer::to(reqwest::Client::new().get(app.url("/readyz"))).await.unwrap();
    assert_eq!(ready.status, 200, "the shop sells on");

    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    all_is_written(&app, &orders).await;
}

async fn a_folder_appears_late(store: Store) {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    let folder = app.data("events");
    fs::write(&folder, "this is no folder").unwrap();
    app.restart().await;
    let orders = BTreeSet::from([buy(&app).await]);
    lag_is(&app, |lag| lag > 0.0).await;
    fs::remove_file(&folder).unwrap();
    all_is_written(&app, &orders).await;
}

async fn a_disk_is_full(store: Store) {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    let folder = app.data("events");
    fs::create_dir_all(&folder).unwrap();
    let Some(disk) = SmallDisk::mount(&folder, 32) else {
        eprintln!("!!! SKIPPED: a full disk was not tested, because only root may mount one");
        return;
    };
    app.restart().await;
    let mut orders = BTreeSet::new();
    for _ in 0..40 {
        orders.insert(buy(&app).await);
    }
    lag_is(&app, |lag| lag > 0.0).await;
    orders.insert(buy(&app).await);
    let written = app.events_now("order_placed").len();
    assert!(written < orders.len(), "{written} orders fit on the disk: it is too large for this test");

    disk.grow(16 * 1_024);
    all_is_written(&app, &orders).await;
}
