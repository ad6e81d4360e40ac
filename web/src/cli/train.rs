//! `cartwright train`, `tune` and `evaluate`: the batch program, with the folders of the configuration.

use clap::Args;

use crate::{
    catalogue::Catalogue,
    config::Config,
    shelves::{
        batch::{self, Trained},
        training::Line,
    },
    store,
};

#[derive(Args)]
pub(super) struct BatchArgs {
    /// Further arguments for the batch program; see `cartwright-batch help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    further: Vec<String>,
}

pub(super) async fn train(config: Config, args: BatchArgs) -> anyhow::Result<()> {
    let store = store::connect(&config.store.url, config.store.connections).await?;
    let catalogue = store.catalogue(0).await?.map(Catalogue::of);
    let (program, names) = (batch::program(&config)?, catalogue.as_ref());
    let mut print = |line: Line<'_>| match line {
        Line::Said(line) => println!("{line}"),
        Line::Warned(line) => eprintln!("{line}"),
    };
    let trained = batch::train(&program, &config, names, &args.further, &mut print);
    match trained.await? {
        Trained::InService => Ok(()),
        Trained::NotPromoted => {
            anyhow::bail!("what is in service stays; `cartwright model compare` says more")
        }
        Trained::Nothing => anyhow::bail!("there is nothing to learn from yet"),
    }
}

pub(super) async fn tune(config: Config, args: BatchArgs) -> anyhow::Result<()> {
    batch::pass_on(&config, "tune", &args.further).await
}

pub(super) async fn evaluate(config: Config, args: BatchArgs) -> anyhow::Result<()> {
    batch::pass_on(&config, "evaluate", &args.further).await
}
