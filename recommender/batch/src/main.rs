//! `cartwright-batch`: learns from event files what sells together, and measures how well.
//!
//! In the order of the data: [`lake`] reads event files and keeps their orders by day, [`orders`] turns them into
//! numbers, [`pairs`] counts, [`score`] judges, [`train`] puts the model together and [`evaluate`] asks it.
//! [`protocol`] evaluates on [`files`] that others evaluate on, too.

mod arguments;
mod evaluate;
mod files;
mod lake;
mod orders;
mod pairs;
mod progress;
mod protocol;
mod score;
mod train;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use clap::Parser;

use arguments::{Arguments, Command, Evaluate, Train};
use lake::{Lake, Tally};

/// The exit status where there is nothing to learn from: not a failure, and nothing has been written.
const NO_ORDERS: u8 = 3;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Train(arguments) => train_and_write(&arguments),
        Command::Evaluate(arguments) => evaluate_and_print(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("cartwright-batch: {error:#}");
        ExitCode::FAILURE
    })
}

fn train_and_write(arguments: &Train) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let mut lake = Lake::open(&arguments.lake)?;
    let tally = lake.compact(&arguments.events, &mut |line| eprintln!("{line}"))?;
    let mut out = io::stdout().lock();
    tell(&tally, &mut out)?;
    let orders = lake.orders()?;
    if orders.is_empty() {
        return Ok(no_orders(arguments.events.display()));
    }
    let manifest = lake.manifest();
    let origin = train::Origin {
        now_ms: arguments.now_ms.map_or_else(clock, Ok)?,
        through_position: manifest.through_position,
        through_at_ms: manifest.through_at_ms,
    };
    let model = train::train(&orders, &arguments.learning.settings(), origin)?;
    let path = &arguments.model;
    model.write_atomically(path).with_context(|| path.display().to_string())?;
    let neighbours: usize = (0..orders.items().len()).map(|item| model.neighbours(item as u32).len()).sum();
    writeln!(
        out,
        "learnt from {} orders of {} items in {} lines; wrote {neighbours} neighbours by {} to {} in {:.1} s",
        orders.len(),
        orders.items().len(),
        orders.line_count(),
        model.about().settings.score.name(),
        path.display(),
        begun.elapsed().as_secs_f64()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn evaluate_and_print(arguments: &Evaluate) -> anyhow::Result<ExitCode> {
    if let Some(protocol) = arguments.protocol {
        protocol::run(protocol, arguments)?;
        return Ok(ExitCode::SUCCESS);
    }
    let events = arguments.events.as_deref().context("--events DIR is missing")?;
    let mut lake = Lake::look_at(arguments.lake.as_deref())?;
    let tally = lake.add(events, &mut |line| eprintln!("{line}"))?;
    tell(&tally, &mut io::stderr())?;
    let orders = lake.orders()?;
    if orders.is_empty() {
        return Ok(no_orders(events.display()));
    }
    let evaluation = evaluate::evaluate(&orders, &arguments.learning.settings(), arguments.test_percent)?;
    let mut out = io::stdout().lock();
    if arguments.json {
        evaluate::print_json(&evaluation, &mut out)?;
    } else {
        evaluate::print_table(&evaluation, &mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(tally: &Tally, out: &mut impl Write) -> io::Result<()> {
    let Tally { files, lines, orders, duplicates, broken, unfinished } = tally;
    write!(out, "read {lines} new lines of {files} event files: {orders} orders")?;
    for (count, what) in [
        (duplicates, "had been read before"),
        (broken, "broken lines passed over"),
        (unfinished, "files with an unfinished last line, left for later"),
    ] {
        if *count > 0 {
            write!(out, ", {count} {what}")?;
        }
    }
    writeln!(out)
}

fn no_orders(events: impl std::fmt::Display) -> ExitCode {
    eprintln!("cartwright-batch: no orders in {events}; nothing to learn from, no model written");
    ExitCode::from(NO_ORDERS)
}

fn clock() -> anyhow::Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(i64::try_from(since.as_millis())?)
}
