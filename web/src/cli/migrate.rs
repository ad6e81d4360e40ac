//! `cartwright migrate`.

use crate::{config::Config, store};

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    store::connect(&config.store.url, config.store.connections).await?;
    println!("the schema of {} is up to date", config.store.url);
    Ok(())
}
