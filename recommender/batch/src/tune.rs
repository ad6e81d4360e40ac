//! `tune`: settings that suit the shop, and why.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use learning::tune::{self, Tried};
use recommender::file;

use crate::{arguments::Tune, clock, lake::Lake, nothing, progress::Bar, tell};

/// Tries settings until the time is over, writes those that did best, and prints what was tried.
///
/// # Errors
/// Where files cannot be read or written.
pub fn run(arguments: &Tune) -> anyhow::Result<ExitCode> {
    let settings = arguments.facts.settings()?;
    let mut lake = Lake::look_at(arguments.lake.as_deref())?.up_to(clock()?);
    let tally = lake.add(&arguments.events, &mut |line| eprintln!("{line}"))?;
    tell(&tally, &mut io::stderr())?;
    let logs = lake.logs(arguments.facts.catalogue()?.named())?;
    if logs.is_empty() {
        return Ok(nothing(arguments.events.display()));
    }
    let bar = Bar::count("trying settings", tune::parameters() as u64);
    let budget = Duration::from_secs(60 * u64::from(arguments.minutes));
    let tuned = tune::tune(&logs, &settings, budget, &mut || bar.advance(1));
    bar.finish();
    let text = serde_json::to_vec_pretty(&tuned)?;
    let written = file::replace(&arguments.out, |file| file.write_all(&text));
    written.with_context(|| arguments.out.display().to_string())?;
    let mut out = io::stdout().lock();
    for Tried { parameter, values, kept } in &tuned.tried {
        let values: Vec<String> = values.iter().map(|(value, gain)| format!("{value} {gain:.4}")).collect();
        writeln!(out, "{parameter} = {kept}, of NDCG@20 by value: {}", values.join(", "))?;
    }
    if !tuned.is_complete {
        let minutes = arguments.minutes;
        writeln!(out, "the {minutes} minutes were over before all was tried; --minutes gives it more")?;
    }
    writeln!(out, "wrote {}", arguments.out.display())?;
    Ok(ExitCode::SUCCESS)
}
