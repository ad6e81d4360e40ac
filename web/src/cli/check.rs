//! `cartwright check`.

use crate::{config::Config, definitions, store};

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let store = store::connect(&config.store.url, config.store.connections).await?;
    let mut faults = store.audit().await?;
    for row in store.definitions(0).await?.unwrap_or_default().experiments {
        if let Err(error) = definitions::parse(&row.definition) {
            faults.push(format!("experiment {}: {error}", row.key));
        }
    }
    for fault in &faults {
        println!("{fault}");
    }
    anyhow::ensure!(faults.is_empty(), "{} faults found", faults.len());
    println!("the configuration is right and every invariant of {} holds", config.store.url);
    Ok(())
}
