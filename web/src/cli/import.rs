//! `cartwright import`.

use std::{io::Write, path::PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::mapping::MappingArgs;
use crate::{
    config::Config,
    import::{Report, orders, products, row::Mapping, table::Table},
    store,
};

/// How many bad rows are printed; all of them go to --report.
const SHOWN: usize = 10;

#[derive(Args)]
pub(super) struct ImportArgs {
    /// What the table holds.
    what: What,
    /// A .csv file with a header, or a .parquet file.
    file: PathBuf,
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
}

pub(super) async fn run(config: Config, args: ImportArgs) -> anyhow::Result<()> {
    let table = Table::open(&args.file)?;
    let mapping = Mapping::from(args.mapping);
    let store = store::connect(&config.store.url, config.store.connections).await?;
    let bar = match table.rows {
        Some(rows) => ProgressBar::new(rows).with_style(
            ProgressStyle::with_template("{pos} of {len} rows {wide_bar} {eta}").expect("a fixed template"),
        ),
        None => ProgressBar::new_spinner()
            .with_style(ProgressStyle::with_template("{pos} rows {spinner}").expect("a fixed template")),
    };
    let report = match args.what {
        What::Products => products::import(&*store, table, &mapping, || bar.inc(1)).await?,
        What::Orders => orders::import(&*store, table, &mapping, || bar.inc(1)).await?,
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
