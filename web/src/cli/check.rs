//! `cartwright check`.

use crate::{
    clock,
    config::Config,
    definitions,
    store::{self, PendingPayment},
};

/// Beyond this age a payment under way, or one to be let go, needs a person; shoppers have half of it to confirm.
const OVERDUE_MS: i64 = 3_600_000;

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let store = store::connect(&config.store.url, config.store.connections).await?;
    let mut faults = store.audit().await?;
    let stored = store.definitions(0).await?.unwrap_or_default();
    for row in &stored.experiments {
        if let Err(error) = definitions::parse(&row.definition) {
            faults.push(format!("experiment {}: {error}", row.key));
        }
    }
    if let Some(Err(error)) = stored.features.map(|features| definitions::Imported::read(&features.text)) {
        faults.push(format!("the imported features: {error}"));
    }
    let overdue_ms = clock::now_ms() - OVERDUE_MS;
    let overdue = store.pending_payments(i64::MAX, 1_000).await?;
    faults.extend(overdue.iter().filter(|pending| pending.since_ms < overdue_ms).map(|pending| {
        let PendingPayment { cart, since_ms, tries } = pending;
        let minutes = (clock::now_ms() - since_ms) / 60_000;
        format!("a payment of cart {cart} has not come to its end for {minutes} minutes, after {tries} tries")
    }));
    for fault in &faults {
        println!("{fault}");
    }
    anyhow::ensure!(faults.is_empty(), "{} faults found", faults.len());
    println!("the configuration is right and every invariant of {} holds", config.store.url);
    Ok(())
}
