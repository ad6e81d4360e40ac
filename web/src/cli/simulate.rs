//! `cartwright simulate`.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use clap::{Args, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use time::{Date, macros::format_description};

use super::mapping::MappingArgs;
use crate::{
    import::{row::Mapping, table::Table},
    simulation::{
        crowd::{self, AT_ONCE_MAX, Arrival, Pace, SECONDS_MAX, SHOPPERS_MAX},
        market::Market,
        plan::{Effect, Plan},
        replay::{self, Day},
        site::Site,
        summary::Summary,
    },
};

#[derive(Args)]
pub(super) struct SimulateArgs {
    /// Where the shop is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// How many shoppers come.
    #[arg(long, default_value_t = 2_000, value_parser = value_parser!(u64).range(1..=SHOPPERS_MAX), conflicts_with = "replay")]
    shoppers: u64,
    /// Draws the shoppers and what they want. The same seed sends the same visitors again; without one, new ones come.
    #[arg(long)]
    seed: Option<u64>,
    /// How many are in the shop at once.
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u16).range(1..=i64::from(AT_ONCE_MAX)))]
    concurrency: u16,
    /// How likely a shopper buys what is in the cart.
    #[arg(long, default_value_t = 0.4, value_name = "PROBABILITY")]
    conversion: f64,
    /// How much likelier they do where the cart's workflow is called express: 0.25 is a quarter more.
    #[arg(long, default_value_t = 0.25, allow_negative_numbers = true)]
    lift: f64,
    /// Spreads the arrivals over so many seconds; without it, one comes as soon as another has left.
    #[arg(long, value_parser = value_parser!(u64).range(..=SECONDS_MAX))]
    seconds: Option<u64>,
    /// Replays the orders of a .csv or .parquet file instead: each is a shopper who buys just that.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// The day to replay.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date, requires = "replay")]
    day: Option<Date>,
    /// The most orders to replay.
    #[arg(long, requires = "replay")]
    limit: Option<usize>,
    #[command(flatten)]
    mapping: MappingArgs,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| "write it as 2011-12-09".into())
}

/// Is what is printed.
#[derive(Serialize)]
struct Report {
    seed: u64,
    #[serde(flatten)]
    summary: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<ReplayReport>,
}

/// Is what is said of a replayed file.
#[derive(Serialize)]
struct ReplayReport {
    rows: u64,
    skipped: u64,
    capped: u64,
    orders: usize,
    /// Rows that are no purchase, by the reason.
    no_purchase: BTreeMap<String, u64>,
}

pub(super) async fn run(args: SimulateArgs) -> anyhow::Result<()> {
    let effect = Effect::new(args.conversion, args.lift)?;
    let site = Site::new(&args.url)?;
    let seed = args.seed.unwrap_or_else(rand::random);
    let pace =
        Pace { at_once: args.concurrency, spread: Duration::from_secs(args.seconds.unwrap_or_default()) };
    let report = match &args.replay {
        None => {
            let summary = draw(&site, args.shoppers, seed, effect, pace).await?;
            Report { seed, summary, replay: None }
        }
        Some(file) => {
            // Before a long file is read: is anybody there?
            site.offers().await?;
            let day = read(file, &args.mapping.into(), args.day)?;
            replay(&site, day, seed, args.limit, pace).await?
        }
    };
    match args.json {
        true => println!("{}", serde_json::to_string(&report)?),
        false => print(&report),
    }
    ensure!(report.summary.carts > 0, "no shopper could open a cart at {}", args.url);
    Ok(())
}

/// Sends drawn shoppers, with a progress bar; shared with the demo.
pub(super) async fn draw(
    site: &Site,
    shoppers: u64,
    seed: u64,
    effect: Effect,
    pace: Pace,
) -> anyhow::Result<Summary> {
    let market = market(site).await?;
    let arrivals = (0..shoppers).map(|number| Arrival {
        at: number as f64 / shoppers as f64,
        plan: Plan::draw(&market, seed, number),
    });
    let bar = bar(shoppers, "shoppers");
    let summary = crowd::send(site, arrivals, effect, pace, || bar.inc(1)).await;
    bar.finish_and_clear();
    Ok(summary)
}

/// Looks at what a shop sells.
pub(super) async fn market(site: &Site) -> anyhow::Result<Market> {
    let offers = site.offers().await?;
    Market::new(&offers).context("everything is nearly sold out; raise the stock")
}

fn read(file: &std::path::Path, mapping: &Mapping, day: Option<Date>) -> anyhow::Result<Day> {
    let table = Table::open(file)?;
    let bar = table.rows.map_or_else(ProgressBar::new_spinner, |rows| bar(rows, "rows"));
    let day = replay::read(table, mapping, day, || bar.inc(1));
    bar.finish_and_clear();
    day.with_context(|| format!("cannot replay {}", file.display()))
}

async fn replay(
    site: &Site,
    mut day: Day,
    seed: u64,
    limit: Option<usize>,
    pace: Pace,
) -> anyhow::Result<Report> {
    let (rows, skipped, capped) = (day.rows, day.skipped, day.capped);
    let no_purchase = std::mem::take(&mut day.refused);
    let arrivals = day.arrivals(seed, limit.unwrap_or(usize::MAX));
    let orders = arrivals.len();
    ensure!(orders > 0, "the file holds no order that can be replayed");
    let bar = bar(orders as u64, "orders");
    // These shoppers know what they want; no workflow changes their mind.
    let effect = Effect::new(1.0, 0.0)?;
    let summary = crowd::send(site, arrivals.into_iter(), effect, pace, || bar.inc(1)).await;
    bar.finish_and_clear();
    let replay = ReplayReport { rows, skipped, capped, orders, no_purchase };
    Ok(Report { seed, summary, replay: Some(replay) })
}

fn print(report: &Report) {
    if let Some(replay) = &report.replay {
        println!(
            "{} rows read, {} skipped, {} orders replayed, {} quantities cut to the most a line takes",
            replay.rows, replay.skipped, replay.orders, replay.capped
        );
        for (reason, count) in &replay.no_purchase {
            println!("{count} rows are no purchase: {reason}");
        }
    }
    println!("{}\nseed {}", report.summary.text(), report.seed);
}

/// Shows how far long work has come, where somebody looks on.
pub(super) fn bar(count: u64, what: &'static str) -> ProgressBar {
    let template = format!("{{pos}} of {{len}} {what} {{wide_bar}} {{eta}}");
    ProgressBar::new(count).with_style(ProgressStyle::with_template(&template).expect("a fixed template"))
}
