//! Waiting for what comes by itself.

use std::time::Duration;

use tokio::time::sleep;

/// How long anything may take that a test waits for; a busy machine needs some of it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked for.
const GLANCE: Duration = Duration::from_millis(50);

/// Waits until something is so.
///
/// # Panics
/// Where it is not within thirty seconds.
pub async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..PATIENCE.as_millis() / GLANCE.as_millis() {
        if is_so().await {
            return;
        }
        sleep(GLANCE).await;
    }
    panic!("{what}: not within {} seconds", PATIENCE.as_secs());
}
