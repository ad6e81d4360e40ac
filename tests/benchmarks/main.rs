//! Measures the figures that the project stands by: `tests/bench NAME [--json]`.
//!
//! Each figure is printed with its target and the yardstick that was measured beside it, in the same run on the same
//! machine: a ratio travels, an absolute figure does not.

mod add_to_cart;
mod figure;
mod load;
mod pgbench;
mod survive_kills;

use std::process::ExitCode;

use figure::Format;

const USAGE: &str = "usage: tests/bench cart [--json] [--seconds N]
       tests/bench kill [--json] [--rounds N]

cart   durable add-to-cart per second over HTTP at 64 connections, each store, beside pgbench
kill   kill -9 under load for each store: acknowledged commands lost or doubled, stock conserved";

struct Options {
    name: String,
    format: Format,
    seconds: u32,
    rounds: u32,
}

fn parse(arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options { name: String::new(), format: Format::Text, seconds: 20, rounds: 200 };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.format = Format::Json,
            "--seconds" => options.seconds = arguments.next()?.parse().ok().filter(|n| *n > 0)?,
            "--rounds" => options.rounds = arguments.next()?.parse().ok().filter(|n| *n > 0)?,
            name @ ("cart" | "kill") if options.name.is_empty() => options.name = name.to_owned(),
            _ => return None,
        }
    }
    (!options.name.is_empty()).then_some(options)
}

fn main() -> ExitCode {
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    // One thread drives the load: server, PostgreSQL and client share the machine.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        match options.name.as_str() {
            "cart" => add_to_cart::measure(options.seconds, options.format).await,
            _ => survive_kills::measure(options.rounds, options.format).await,
        }
    });
    ExitCode::SUCCESS
}
