//! `cartwright report`.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context;
use clap::Args;
use dashboards::{Currency, Pages};

use crate::{
    admin::{
        experiments::history,
        report::{Format, Report},
    },
    catalogue::CatalogueCell,
    config::Config,
    definitions::Definitions,
    experiment_metrics::ExperimentMetrics,
    store,
};

#[derive(Args)]
pub(super) struct ReportArgs {
    /// The experiment's key.
    key: String,
    /// A page to read, a row for each treatment and metric, or everything that is known.
    #[arg(long, value_enum, default_value = "html")]
    format: Format,
    /// Who changed what, when and why, in the place of what was found; as csv or json.
    #[arg(long)]
    history: bool,
    /// The file to write; without one it goes to standard output.
    file: Option<PathBuf>,
}

pub(super) async fn run(config: Config, args: ReportArgs) -> anyhow::Result<()> {
    let store = store::connect(&config.store.url, config.store.connections).await?;
    let definitions = Definitions::read(&*store).await?;
    anyhow::ensure!(definitions.experiment(&args.key).is_some(), unknown(&args.key, &definitions));
    let catalogue = Arc::new(CatalogueCell::default());
    catalogue.refresh(&*store).await?;
    let metrics = ExperimentMetrics::new(catalogue.clone());
    metrics.refresh(&*store).await?;
    let currency = catalogue.get().currency();
    let currency = Currency::new(currency.code(), currency.exponent());
    let report = Report::of(&*store, &definitions, &metrics, currency, &args.key).await?;
    let text = match (args.history, args.format) {
        (false, format) => report.written(format, &Pages::new()?)?,
        (true, Format::Csv) => history::as_csv(&args.key, report.history())?,
        (true, Format::Json) => history::as_json(&args.key, report.history())?,
        (true, Format::Html) => {
            anyhow::bail!("a history alone is no page: add --format csv or json; the report holds it, too")
        }
    };
    match args.file {
        Some(file) => fs::write(&file, text).with_context(|| format!("cannot write {}", file.display())),
        None => match io::stdout().write_all(text.as_bytes()) {
            // Who reads has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.context("cannot write to standard output"),
        },
    }
}

fn unknown(key: &str, definitions: &Definitions) -> String {
    let known: Vec<&str> = definitions.experiments().iter().map(|experiment| experiment.key()).collect();
    match known.as_slice() {
        [] => format!("there is no experiment {key}: the shop has none yet"),
        known => format!("there is no experiment {key}: choose one of {}", known.join(", ")),
    }
}
