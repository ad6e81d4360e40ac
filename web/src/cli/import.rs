//! `cartwright import`.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    features::{self, FeaturesArgs},
    mapping::MappingArgs,
};
use crate::{
    clock,
    config::Config,
    import::{Report, orders, products, purses, row::Mapping, stock, table::Table},
    store,
    terms::Document,
};

/// How many bad rows are printed; all of them go to --report.
const SHOWN: usize = 10;

#[derive(Args)]
pub(super) struct ImportArgs {
    /// What the table holds.
    #[arg(required_unless_present_any = ["features", "groups"], conflicts_with_all = ["features", "groups"])]
    what: Option<What>,
    /// A .csv file with a header, a .parquet file, or a .json document.
    #[arg(required_unless_present_any = ["features", "groups"], conflicts_with_all = ["features", "groups"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    features: FeaturesArgs,
    #[command(flatten)]
    mapping: MappingArgs,
    /// Writes every bad row with its number and reason to a CSV file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// One product a row.
    Products,
    /// One line of an order a row.
    Orders,
    /// One gift card a row: code, currency, amount.
    GiftCards,
    /// One amount of a customer's credit a row: customer, currency, amount, reference.
    StoreCredit,
    /// How orders travel: a JSON document.
    Shipping,
    /// What is taxed: a JSON document.
    Taxes,
    /// What is taken off, and when: a JSON document.
    Promotions,
    /// Where pieces come from, and in which order: a JSON document.
    Locations,
    /// The pieces of one product in one location a row: sku, location, stock, safety_stock.
    Stock,
}

/// Checks a document and puts it in the place of the one before; a running server takes it up within a second.
async fn import_document(config: &Config, document: Document, file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    document
        .check(&text)
        .map_err(|error| anyhow::anyhow!("{} is not right, nothing was changed: {error}", file.display()))?;
    let store = store::connect(&config.store.url, config.store.connections).await?;
    store.put_document(document.name(), &text, clock::now_ms()).await?;
    println!("{} are those of {} from now on", document.name(), file.display());
    Ok(())
}

pub(super) async fn run(config: Config, args: ImportArgs) -> anyhow::Result<()> {
    if let Some(file) = &args.features.features {
        return features::import(&config, file, args.features.lenient).await;
    }
    if let Some(file) = &args.features.groups {
        return features::import_groups(&config, file).await;
    }
    let (what, file) = args.what.zip(args.file).expect("clap asks for both");
    match what {
        What::Shipping => return import_document(&config, Document::Shipping, &file).await,
        What::Promotions => return import_document(&config, Document::Promotions, &file).await,
        What::Taxes => return import_document(&config, Document::Taxes, &file).await,
        What::Locations => return import_document(&config, Document::Locations, &file).await,
        What::Products | What::Stock | What::Orders | What::GiftCards | What::StoreCredit => {}
    }
    let table = Table::open(&file)?;
    let mapping = Mapping::from(args.mapping);
    let store = store::connect(&config.store.url, config.store.connections).await?;
    let bar = match table.rows {
        Some(rows) => ProgressBar::new(rows).with_style(
            ProgressStyle::with_template("{pos} of {len} rows {wide_bar} {eta}").expect("a fixed template"),
        ),
        None => ProgressBar::new_spinner()
            .with_style(ProgressStyle::with_template("{pos} rows {spinner}").expect("a fixed template")),
    };
    let report = match what {
        What::Products => products::import(&*store, table, &mapping, || bar.inc(1)).await?,
        What::Stock => stock::import(&*store, table, &mapping, || bar.inc(1)).await?,
        What::GiftCards => purses::cards(&*store, table, &mapping, || bar.inc(1)).await?,
        What::StoreCredit => purses::credit(&*store, table, &mapping, || bar.inc(1)).await?,
        _ => orders::import(&*store, table, &mapping, || bar.inc(1)).await?,
    };
    bar.finish_and_clear();
    print(&report);
    if let Some(path) = args.report {
        write(&report, &path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn print(report: &Report) {
    println!("{} rows read, {} bad, {} skipped", report.rows, report.bad.len(), report.skipped);
    for (what, count) in &report.counts {
        println!("{count} {what}");
    }
    for (row, reason) in report.bad.iter().take(SHOWN) {
        println!("row {row}: {reason}");
    }
    if report.bad.len() > SHOWN {
        println!("and {} more; --report FILE lists them all", report.bad.len() - SHOWN);
    }
}

fn write(report: &Report, path: &PathBuf) -> anyhow::Result<()> {
    let mut file = csv::Writer::from_path(path)?;
    file.write_record(["row", "reason"])?;
    for (row, reason) in &report.bad {
        file.write_record([&row.to_string(), reason])?;
    }
    file.into_inner()?.flush()?;
    Ok(())
}
