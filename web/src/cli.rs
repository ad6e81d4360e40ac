//! The command line: one file a subcommand.

mod check;
mod demo;
mod export;
mod features;
mod import;
mod mapping;
mod migrate;
mod model;
mod report;
mod serve;
mod simulate;
mod train;

use std::{io::IsTerminal, path::PathBuf};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// Shopping carts, honest experiments on them, and recommendations learnt from them.
#[derive(Parser)]
#[command(name = "cartwright", version, arg_required_else_help = true)]
struct Cli {
    /// The configuration file; without one the defaults of cartwright.example.toml hold.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the shop.
    Serve,
    /// Open a shop with a catalogue and two running experiments, and send simulated shoppers through it.
    Demo(demo::DemoArgs),
    /// Bring the store's schema up to date, and end.
    Migrate,
    /// Check the configuration and every invariant of the stored data; say what is broken.
    Check,
    /// Import products or orders from a table, or flags from GrowthBook.
    Import(import::ImportArgs),
    /// Write the flags for GrowthBook, or for another shop.
    Export(export::ExportArgs),
    /// Write what an experiment has shown so far: a page to read, or its numbers.
    Report(report::ReportArgs),
    /// Send simulated shoppers, or the orders of a past day, through a shop that serves.
    Simulate(simulate::SimulateArgs),
    /// Learn recommendations from the event files, and put them into service where they are not worse.
    Train(train::BatchArgs),
    /// Try settings on the shop's own events, and keep those that do best for the next training.
    Tune(train::BatchArgs),
    /// List, show and compare the models that were learnt, and say which is in service.
    Model(model::ModelArgs),
    /// Measure recommendations on the newest part of the events, or on files, beside simpler methods.
    Evaluate(train::BatchArgs),
}

/// Runs the program.
///
/// # Errors
/// What the subcommand says.
pub fn run() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // What these print is the point of them; the log is for what goes wrong.
    let level = if matches!(cli.command, Command::Demo(_) | Command::Simulate(_)) { "warn" } else { "info" };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level)))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let config = Config::read(cli.config.as_deref())?;
    // One runtime of several threads for everything beside the HTTP workers and the cart actors, which bring their own.
    let system = actix_web::rt::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("the system gives threads")
    });
    system.block_on(async {
        match cli.command {
            Command::Serve => serve::run(config).await,
            Command::Demo(args) => demo::run(config, args).await,
            Command::Migrate => migrate::run(config).await,
            Command::Check => check::run(config).await,
            Command::Import(args) => import::run(config, args).await,
            Command::Export(args) => export::run(config, args).await,
            Command::Report(args) => report::run(config, args).await,
            Command::Simulate(args) => simulate::run(args).await,
            Command::Train(args) => train::train(config, args).await,
            Command::Evaluate(args) => train::evaluate(config, args).await,
            Command::Tune(args) => train::tune(config, args).await,
            Command::Model(args) => model::run(&config, &args),
        }
    })
}
