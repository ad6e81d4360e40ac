//! `cartwright serve`.

use crate::{application::Application, config::Config};

pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let listen = config.listen;
    let application = Application::build(config).await?;
    tracing::info!("the shop is open at http://{listen}/");
    application.run().await
}
