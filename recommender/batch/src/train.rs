//! `train`: from event files to a model in service.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use cart_core::Sku;
use learning::train::{self, Logs, Settings};
use recommender::{
    About, Model,
    archive::{Archive, Gate},
};

use crate::{
    NOT_PROMOTED,
    arguments::Train,
    lake::{Lake, manifest::Manifest},
    nothing,
    progress::Bar,
    tell,
};

/// Reads what is new, learns from all, keeps the model, and puts it into service unless it is plainly worse.
///
/// # Errors
/// Where files cannot be read or written; the model in service then stays.
pub fn run(arguments: &Train) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let settings = arguments.facts.settings()?;
    let catalogue = arguments.facts.catalogue()?;
    let mut lake = Lake::open(&arguments.lake)?;
    let tally = lake.compact(&arguments.events, &mut |line| eprintln!("{line}"))?;
    let mut out = io::stdout().lock();
    tell(&tally, &mut out)?;
    let logs = lake.logs(&catalogue)?;
    if logs.is_empty() {
        return Ok(nothing(arguments.events.display()));
    }
    let now_ms = arguments.now_ms.map_or_else(clock, Ok)?;
    let model = learn(&logs, &settings, now_ms, lake.manifest())?;
    let archive = Archive::of(&arguments.model);
    let running = archive.current().ok().flatten();
    let id = archive.keep(&model)?;
    writeln!(
        out,
        "learnt from {} orders and {} sessions of {} items in {:.1} s: model {id}",
        logs.orders.len(),
        logs.sessions.len(),
        logs.items().len(),
        begun.elapsed().as_secs_f64()
    )?;
    if let Some(running) = running.filter(|running| !arguments.promote_anyway && running.id != id)
        && let Err(refused) = Gate::default().pass(model.about(), &running)
    {
        writeln!(out, "model {id} was not put into service: {refused}")?;
        return Ok(ExitCode::from(NOT_PROMOTED));
    }
    archive.promote(&id, now_ms)?;
    writeln!(out, "model {id} is in service as {}", arguments.model.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Learns a model; the same logs, settings and time give the same model.
fn learn(logs: &Logs, settings: &Settings, now_ms: i64, manifest: &Manifest) -> anyhow::Result<Model> {
    let bar = Bar::count("learning", 2);
    let measured = train::measure(logs, settings).iter().filter_map(|row| row.measured()).collect();
    bar.advance(1);
    let learnt = train::learn(logs, settings);
    bar.finish();
    let items: Result<Vec<Sku>, _> = logs.items().iter().map(|item| Sku::parse(item)).collect();
    let about = About {
        trained_at_ms: now_ms,
        from_ms: logs.from_ms(),
        through_at_ms: manifest.through_at_ms,
        through_position: manifest.through_position,
        orders: logs.orders.len() as u64,
        sessions: logs.sessions.len() as u64,
        items: logs.items().len() as u64,
        settings: serde_json::to_value(settings)?,
        measured,
    };
    Ok(Model::new(about, items.context("a catalogue of SKUs")?, learnt)?)
}

fn clock() -> anyhow::Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(i64::try_from(since.as_millis())?)
}
