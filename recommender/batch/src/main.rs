//! `cartwright-batch`: learns from event files what sells together and what is viewed next, and measures how well.
//!
//! In the order of the data: [`lake`] reads event files and keeps their orders and views by day, [`facts`] reads what is
//! known beside them, the crate `learning` learns, and [`train`] puts the model into service. [`tune`] finds settings that
//! suit the shop. [`evaluate`] measures, on
//! the lake or on [`files`] that others evaluate on, too; [`report`] prints what it found, and [`memory`] tells what a training held.

mod arguments;
mod evaluate;
mod facts;
mod files;
mod lake;
mod memory;
mod progress;
mod report;
mod train;
mod tune;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use clap::Parser;

use arguments::{Arguments, Command};
use lake::Tally;

/// The exit status where there is nothing to learn from: not a failure, and nothing has been written.
const NOTHING: u8 = 3;

/// The exit status where a model was learnt but is plainly worse than the one in service.
const NOT_PROMOTED: u8 = 4;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Train(arguments) => train::run(&arguments),
        Command::Tune(arguments) => tune::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        eprintln!("cartwright-batch: {error:#}");
        ExitCode::FAILURE
    })
}

fn tell(tally: &Tally, out: &mut impl Write) -> io::Result<()> {
    let Tally { files, lines, orders, views, duplicates, broken, unfinished } = tally;
    write!(out, "read {lines} new lines of {files} event files: {orders} orders, {views} views")?;
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

/// Returns the clock's reading, Unix milliseconds.
fn clock() -> anyhow::Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(i64::try_from(since.as_millis())?)
}

fn nothing(events: impl std::fmt::Display) -> ExitCode {
    eprintln!(
        "cartwright-batch: no orders and no views in {events}; nothing to learn from, no model written"
    );
    ExitCode::from(NOTHING)
}
