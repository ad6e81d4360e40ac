//! `cartwright train` and `cartwright evaluate`: the batch program, with the folders of the configuration.

use clap::Args;

use crate::{config::Config, shelves::batch};

#[derive(Args)]
pub(super) struct BatchArgs {
    /// Further arguments for the batch program; see `cartwright-batch help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    further: Vec<String>,
}

pub(super) async fn run(config: Config, verb: &str, args: BatchArgs) -> anyhow::Result<()> {
    batch::run(&config, verb, &args.further).await
}
