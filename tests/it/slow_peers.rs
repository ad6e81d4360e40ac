//! Peers that read slowly, or no more: they slow nobody, nothing is queued for them, and they are ended in the end.

use std::{
    net::Ipv4Addr,
    process::Stdio,
    time::{Duration, Instant},
};

use harness::{
    Device, Shopper, Store, TestApp, app::Setup, catalogue::many, faraway::FarAway, program::repository,
};
use tokio::io::{AsyncBufReadExt, BufReader};

on_each_store!(a_socket_that_does_not_read_slows_nobody_and_skips_states);

const SKU: &str = "AN-ARTICLE-WITH-A-LONG-NUMBER-";
/// So many lines make each state of the cart some 60 kB.
const LINES: usize = 400;
/// So many states are several times what the buffers between server and client can take.
const CHANGES: u64 = 300;
/// What a client that does not read takes before its window is shut, in bytes.
const ROOM_BYTES: u32 = 64 * 1_024;

async fn heavy_cart(host: Ipv4Addr, store: Store) -> (TestApp, Shopper) {
    let setup = Setup { goods: many(SKU, LINES, 100_000), ..Setup::default() };
    let app = TestApp::start_at(host, store, setup).await;
    let shopper = app.open_cart().await;
    for n in 0..LINES {
        shopper.add(&format!("{SKU}{n}"), 1).await.accepted();
    }
    (app, shopper)
}

/// Changes the cart on one device while another looks on; returns the last version.
async fn change_many_times(phone: &mut Device, laptop: &mut Device, topic: &str) -> u64 {
    let mut newest = 0;
    for n in 1..=CHANGES {
        let reply = phone.update_cart(topic, &format!("{SKU}0"), n as i64 + 1).await;
        assert_eq!(reply.status(), "ok", "{reply:?}");
        newest = reply.response()["version"].as_u64().unwrap();
        let seen = laptop.cart_at(newest).await;
        assert_eq!(seen.payload["cart"], reply.response()["cart"], "the others see the newest state at once");
        phone.forget_waiting();
        laptop.forget_waiting();
    }
    newest
}

async fn a_socket_that_does_not_read_slows_nobody_and_skips_states(store: Store) {
    let (app, shopper) = heavy_cart(Ipv4Addr::LOCALHOST, store).await;
    let mut slow = app.join_with_room(&shopper, ROOM_BYTES).await;
    let (mut phone, mut laptop) = (app.join(&shopper).await, app.join(&shopper).await);
    let newest = change_many_times(&mut phone, &mut laptop, &shopper.topic()).await;

    let told = slow.versions_until(newest).await;
    assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
    assert_eq!(told.last(), Some(&newest));
    assert!(
        told.len() < CHANGES as usize / 2,
        "nothing is queued for who does not read: {} states",
        told.len()
    );
    assert_eq!(slow.frames_until_heartbeat().await, [], "the newest state is the last");
    // From here on it is a device like the others.
    let version = shopper.add(&format!("{SKU}1"), 1).await.accepted()["version"].as_u64().unwrap();
    slow.cart_at(version).await;
}

/// How long a peer may neither read nor answer, and some time to notice.
const GONE_MAX: Duration = Duration::from_secs(120);

/// Waits until the device is the last one connected.
async fn is_alone(app: &TestApp, device: &mut Device) {
    let begun = Instant::now();
    loop {
        // Its heartbeats keep it: it must outlive the peer that is gone.
        device.frames_until_heartbeat().await;
        let metrics = app.metrics().await;
        let open =
            ["connections", "channels"].map(|what| metrics.value(&format!("cartwright_live_{what}"), &[]));
        if open == [Some(1.0); 2] {
            break;
        }
        assert!(begun.elapsed() < GONE_MAX, "after {GONE_MAX:?} these are open: {open:?}");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    device.frames_until_heartbeat().await;
}

/// One test of both: each waits for a minute, and a test that waits keeps another from running.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_read_no_more_or_vanish_without_a_word_are_ended() {
    tokio::join!(a_peer_reads_no_more(), a_peer_vanishes());
}

async fn a_peer_reads_no_more() {
    let (app, shopper) = heavy_cart(Ipv4Addr::LOCALHOST, Store::Sqlite).await;
    let mut stalled = app.join_with_room(&shopper, ROOM_BYTES).await;
    let (mut phone, mut laptop) = (app.join(&shopper).await, app.join(&shopper).await);
    change_many_times(&mut phone, &mut laptop, &shopper.topic()).await;
    drop(laptop);
    is_alone(&app, &mut phone).await;
    stalled.ended_within(Duration::from_secs(30)).await;
}

async fn a_peer_vanishes() {
    let Some(far_away) = FarAway::reach() else {
        eprintln!("!!! SKIPPED: no peer vanished, because that takes root and iproute2");
        return;
    };
    let (app, shopper) = heavy_cart(far_away.near(), Store::Sqlite).await;
    let (mut phone, mut laptop) = (app.join(&shopper).await, app.join(&shopper).await);
    let mut vanishing = far_away
        .command("node")
        .arg(repository().join("tests/clients/faraway.js"))
        .args([&app.address().to_string(), shopper.token(), &shopper.topic()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(vanishing.stdout.take().unwrap()).lines();
    assert_eq!(said.next_line().await.unwrap().as_deref(), Some("joined"));
    assert_eq!(app.metrics().await.value("cartwright_live_connections", &[]), Some(3.0));

    far_away.cut();
    change_many_times(&mut phone, &mut laptop, &shopper.topic()).await;
    drop(laptop);
    is_alone(&app, &mut phone).await;
    assert!(vanishing.try_wait().unwrap().is_none(), "the peer itself knows nothing and lives on");
}
