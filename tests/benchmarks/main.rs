//! Measures the figures that the project stands by: `tests/bench NAME [--json] [--check]`.
//!
//! Each figure is printed with its target and the yardstick that was measured beside it, in the same run on the same
//! machine: a ratio travels, an absolute figure does not.

mod assignment;
mod batch;
mod cart;
mod experiments;
mod figure;
mod load;
mod pgbench;
mod recommend;
mod statistics;
mod survive_kills;

use std::process::ExitCode;

use figure::Format;
use harness::Store;

const USAGE: &str =
    "usage: tests/bench cart [--json] [--seconds N] [--store postgres|sqlite] [--only PART,PART]
       tests/bench kill [--json] [--rounds N]
       tests/bench statistics [--json] [--runs N] [--seed N] [--only PART,PART]
       tests/bench assignment [--json]
       tests/bench experiments [--json] [--seconds N] [--store postgres|sqlite] [--only PART,PART]
       tests/bench recommend [--json] [--seconds N] [--store postgres|sqlite] [--only PART,PART] [--train FILE --test FILE]
                            [--serenade FILE]
       tests/bench batch [--json] [--lines N] [--seed N] [--only PART,PART]
       With --check each of them fails where a figure misses its target.

cart   the cart over real HTTP on each store, beside the other store, pgbench, redis-benchmark and a bare handler;
       its parts: pricing add read page hot crowd memory stored rush
kill   kill -9 under load for each store: acknowledged commands lost or doubled, stock conserved
statistics
       whole experiments with known truths, simulated: false alarms, coverage, power and the price of peeking, CUPED,
       the check of the split, bandits; its parts: alarms page coverage power price adjustment split bandit
assignment
       answers of GrowthBook's model, beside its official SDKs for Node and Rust
experiments
       an experiment's page over 10 million exposures, roll-ups beside the cart's writes, adds beside running
       experiments; its parts: page fold running
recommend
       questions in process on sessions of one's own files, shelves over HTTP beside a bare handler and beside Serenade,
       whose program `serving` comes with `cargo install serenade`, and what a model weighs;
       its parts: session http memory
batch  co-purchase counts: beside self-joins in DuckDB and Polars of the same lines, at full size within its memory,
       and with 1 % more; its parts: join full more";

struct Options {
    name: String,
    format: Format,
    is_checked: bool,
    seconds: u32,
    rounds: u32,
    runs: u64,
    seed: u64,
    lines: u64,
    stores: Vec<Store>,
    only: Vec<String>,
    train: Option<String>,
    test: Option<String>,
    serenade: Option<String>,
}

fn parse(arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        name: String::new(),
        format: Format::Text,
        is_checked: false,
        seconds: 20,
        rounds: 200,
        runs: 10_000,
        seed: 1,
        lines: 100_000_000,
        stores: vec![Store::Postgres, Store::Sqlite],
        only: vec![],
        train: None,
        test: None,
        serenade: None,
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.format = Format::Json,
            "--check" => options.is_checked = true,
            "--seconds" => options.seconds = arguments.next()?.parse().ok().filter(|n| *n > 0)?,
            "--store" => {
                let name = arguments.next()?;
                options.stores.retain(|store| store.to_string() == name);
            }
            "--only" => options.only = arguments.next()?.split(',').map(str::to_owned).collect(),
            "--rounds" => options.rounds = arguments.next()?.parse().ok().filter(|n| *n > 0)?,
            "--runs" => options.runs = arguments.next()?.parse().ok().filter(|n| *n > 0)?,
            "--lines" => options.lines = arguments.next()?.parse().ok().filter(|n| *n >= 1_000)?,
            "--seed" => options.seed = arguments.next()?.parse().ok()?,
            "--train" => options.train = Some(arguments.next()?),
            "--test" => options.test = Some(arguments.next()?),
            "--serenade" => options.serenade = Some(arguments.next()?),
            name
            @ ("cart" | "kill" | "statistics" | "assignment" | "experiments" | "recommend" | "batch")
                if options.name.is_empty() =>
            {
                options.name = name.to_owned()
            }
            _ => return None,
        }
    }
    (!options.name.is_empty() && !options.stores.is_empty()).then_some(options)
}

fn main() -> ExitCode {
    // The yardstick of reads is a process of its own, as the server is.
    if let [_, bare, file] = &std::env::args().collect::<Vec<_>>()[..]
        && bare == "bare"
    {
        cart::serve_bare(file);
        return ExitCode::SUCCESS;
    }
    // So is a count, whose memory is measured.
    if let [_, count, arguments @ ..] = &std::env::args().collect::<Vec<_>>()[..]
        && count == batch::COUNT
    {
        batch::count(arguments);
        return ExitCode::SUCCESS;
    }
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if options.name == "statistics" {
        statistics::measure(options.runs, options.seed, &options.only, options.format);
        return figure::end(options.is_checked);
    }
    if options.name == "batch" {
        batch::measure(options.lines, options.seed, &options.only, options.format);
        return figure::end(options.is_checked);
    }
    if options.name == "assignment" {
        assignment::measure(options.format);
        return figure::end(options.is_checked);
    }
    // One thread drives the load: server, PostgreSQL and client share the machine.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        match options.name.as_str() {
            "cart" => {
                let plan = cart::Plan { stores: options.stores, only: options.only };
                cart::measure(&plan, options.seconds, options.format).await;
            }
            "experiments" => {
                let plan = cart::Plan { stores: options.stores, only: options.only };
                experiments::measure(&plan, options.seconds, options.format).await;
            }
            "recommend" => {
                let plan = cart::Plan { stores: options.stores, only: options.only };
                let files = options.train.zip(options.test);
                let files = files.map(|(train, test)| recommend::Files { train, test });
                let serenade = options.serenade.as_deref();
                recommend::measure(&plan, files.as_ref(), serenade, options.seconds, options.format).await;
            }
            _ => survive_kills::measure(options.rounds, options.format).await,
        }
    });
    figure::end(options.is_checked)
}
