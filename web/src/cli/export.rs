//! `cartwright export`.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::Args;
use experiments::json::{Json, Object};

use crate::{config::Config, definitions::Definitions, store};

#[derive(Args)]
pub(super) struct ExportArgs {
    /// Writes the imported flags and the shop's running experiments as a GrowthBook payload, to standard output where no file
    /// is named.
    #[arg(long, value_name = "FILE", num_args = 0..=1, required = true)]
    features: Option<Option<PathBuf>>,
    /// Leaves the shop's own experiments out, so that `cartwright import --features` takes the file.
    #[arg(long)]
    imported_only: bool,
}

pub(super) async fn run(config: Config, args: ExportArgs) -> anyhow::Result<()> {
    let store = store::connect(&config.store.url, config.store.connections).await?;
    let definitions = Definitions::read(&*store).await?;
    let text = match (args.imported_only, definitions.imported()) {
        (true, Some(text)) => text.to_owned(),
        (true, None) => Json::from(Object::default().with("features", Object::default())).to_string(),
        (false, _) => Json::from(definitions.exported()?).to_string(),
    };
    match args.features.flatten() {
        Some(file) => {
            fs::write(&file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
        }
        None => {
            println!("{text}");
            Ok(())
        }
    }
}
