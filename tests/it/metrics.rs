//! `/metrics` as Prometheus reads it.

use std::process::Stdio;

use harness::{Metrics, Store, TestApp};
use tokio::io::AsyncWriteExt;

on_each_store!(series_start_at_zero_and_move, promtool_finds_nothing_to_mend);

/// Series that a scrape before the first shopper must already have, so that rates begin where the shop does.
const AT_ZERO: &[(&str, &[(&str, &str)])] = &[
    ("cartwright_commands_total", &[("command", "add_line"), ("outcome", "accepted")]),
    ("cartwright_commands_total", &[("command", "add_line"), ("outcome", "out_of_stock")]),
    ("cartwright_commands_total", &[("command", "place_order"), ("outcome", "payment_declined")]),
    ("cartwright_holds_expired_total", &[]),
    ("cartwright_model_swaps_total", &[]),
    ("cartwright_http_requests_total", &[("door", "api"), ("status", "5xx")]),
    ("cartwright_live_connections", &[]),
    ("cartwright_live_channels", &[]),
];

async fn series_start_at_zero_and_move(store: Store) {
    let app = TestApp::start(store).await;
    let metrics = app.metrics().await;
    let missing: Vec<_> =
        AT_ZERO.iter().filter(|(name, labels)| metrics.value(name, labels) != Some(0.0)).collect();
    assert_eq!(metrics.value("cartwright_store_up", &[]), Some(1.0));

    let shopper = app.open_cart().await;
    let device = app.join(&shopper).await;
    for _ in 0..3 {
        shopper.add("MUG", 1).await.accepted();
    }
    shopper.add("GONE", 1).await.assert_problem(409, "out-of-stock");
    shopper.check_out("tok_success").await.accepted();
    let metrics = app.metrics().await;
    let commands = |command, outcome| {
        metrics.value("cartwright_commands_total", &[("command", command), ("outcome", outcome)])
    };
    assert_eq!(commands("add_line", "accepted"), Some(3.0));
    assert_eq!(commands("add_line", "out_of_stock"), Some(1.0));
    assert_eq!(commands("place_order", "accepted"), Some(1.0));
    assert_eq!(metrics.value("cartwright_live_connections", &[]), Some(1.0));
    assert_eq!(metrics.value("cartwright_live_channels", &[]), Some(1.0));
    assert!(metrics.value("cartwright_carts_in_memory", &[]) >= Some(1.0));
    assert!(metrics.sum("cartwright_http_requests_total", &[("door", "api"), ("status", "2xx")]) >= 5.0);
    assert!(metrics.sum("cartwright_commit_batch_commands_count", &[]) > 0.0);
    for histogram in [
        "cartwright_command_duration_seconds",
        "cartwright_commit_duration_seconds",
        "cartwright_http_request_duration_seconds",
    ] {
        assert_is_a_histogram(&metrics, histogram);
    }
    drop(device);
    assert!(missing.is_empty(), "these series do not begin at 0: {missing:?}");
}

fn assert_is_a_histogram(metrics: &Metrics, name: &str) {
    let count = metrics.sum(&format!("{name}_count"), &[]);
    assert!(count > 0.0, "{name} counted nothing");
    assert_eq!(metrics.sum(&format!("{name}_bucket"), &[("le", "+Inf")]), count, "{name}");
    assert!(metrics.sum(&format!("{name}_sum"), &[]) > 0.0, "{name}");
}

async fn promtool_finds_nothing_to_mend(store: Store) {
    let app = TestApp::start(store).await;
    app.open_cart().await.add("MUG", 1).await.accepted();
    let mut promtool = tokio::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts: apt-get install prometheus");
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(app.metrics().await.text().as_bytes()).await.unwrap();
    drop(stdin);
    let output = promtool.wait_with_output().await.unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}
