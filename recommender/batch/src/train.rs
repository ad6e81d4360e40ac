//! `train`: from event files to a model in service.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, bail};
use cart_core::Sku;
use learning::{
    counts::{Lift, ShrunkCosine},
    pairs::Score,
    together::{self, Together},
    train::{self, Logs, Settings},
};
use recommender::{
    About, Model,
    archive::{Archive, Deleted, Gate, Kept},
};

use crate::{
    NOT_PROMOTED,
    arguments::Train,
    clock,
    lake::{Lake, counting::Counting},
    memory, nothing,
    progress::Bar,
    tell,
};

/// Reads what is new, learns from all, keeps the model, and puts it into service unless it is plainly worse.
///
/// # Errors
/// Where files cannot be read or written; the model in service then stays.
pub fn run(arguments: &Train) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let settings = arguments.facts.settings()?.within(arguments.memory_bytes);
    let catalogue = arguments.facts.catalogue()?;
    let now_ms = arguments.now_ms.map_or_else(clock, Ok)?;
    let mut lake = Lake::open(&arguments.lake)?.up_to(now_ms).within(arguments.memory_bytes, &settings);
    let tally = lake.compact(&arguments.events, &mut |line| eprintln!("{line}"))?;
    let mut out = io::stdout().lock();
    tell(&tally, &mut out)?;
    let (together, counting) = count(&lake, &settings, arguments.memory_bytes)?;
    if together.orders() > 0 {
        tell_counting(&counting, &mut out)?;
    }
    let logs = lake.logs(together.items().map(|sku| (sku, "")).chain(catalogue.named()))?;
    if logs.is_empty() {
        return Ok(nothing(arguments.events.display()));
    }
    let model = learn(&lake, &logs, &together, &settings, now_ms)?;
    let archive = Archive::of(&arguments.model);
    let running = running(&archive)?;
    let id = archive.keep(&model)?;
    writeln!(
        out,
        "learnt from {} orders and {} sessions of {} items in {:.1} s: model {id}",
        together.orders(),
        logs.sessions.len(),
        logs.items().len(),
        begun.elapsed().as_secs_f64()
    )?;
    if let Some(peak_bytes) = memory::peak_bytes() {
        writeln!(out, "held at most {} MB of memory", peak_bytes / 1_000_000)?;
    }
    let is_same = running.as_ref().is_some_and(|running| running.id == id);
    if !arguments.promote_anyway
        && !is_same
        && let Err(refused) = Gate::default().admit(model.about(), running.as_ref())
    {
        writeln!(out, "model {id} was not put into service: {refused}")?;
        return Ok(ExitCode::from(NOT_PROMOTED));
    }
    archive.promote(&id, Deleted::StayAway, now_ms)?;
    writeln!(out, "model {id} is in service as {}", arguments.model.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the model that a new one is compared with: the one in service, or what stands in for it where its file is not right.
fn running(archive: &Archive) -> anyhow::Result<Option<Kept>> {
    match archive.current() {
        Ok(current) => Ok(current),
        Err(error) => {
            let stand_in = archive.stand_in()?.map(|(kept, _)| kept);
            match &stand_in {
                Some(kept) => eprintln!("{error}; the new model is compared with model {}", kept.id),
                None => eprintln!("{error}; there is no other that the new model could be compared with"),
            }
            Ok(stand_in)
        }
    }
}

/// Counts what is bought together.
fn count(lake: &Lake, settings: &Settings, memory_bytes: usize) -> anyhow::Result<(Together, Counting)> {
    let counting = together::counting(&settings.pairs, memory_bytes);
    match settings.pairs.score {
        Score::Cosine => lake.count(counting, ShrunkCosine { shrink: settings.pairs.shrink }),
        Score::Lift => lake.count(counting, Lift),
        Score::Llr => bail!(
            "score llr is only evaluated, as it would have all pairs counted anew every day; set cosine or lift"
        ),
    }
}

fn tell_counting(counting: &Counting, out: &mut impl Write) -> io::Result<()> {
    let Counting { days, added, items, seconds, is_first, anew_because } = counting;
    if let Some(why) = anew_because {
        eprintln!("what was counted before is not used: {why}");
    }
    match is_first {
        true => write!(out, "counted all {} orders", added.orders)?,
        false => write!(out, "counted {} new orders", added.orders)?,
    }
    if added.orders_changed > 0 {
        write!(out, " and what came back of {}", added.orders_changed)?;
    }
    writeln!(out, ": {} rows of {items} items, from {days} days, in {seconds:.1} s", added.rows_counted)
}

/// Learns a model; the same lake, settings and time give the same model.
fn learn(
    lake: &Lake,
    logs: &Logs,
    together: &Together,
    settings: &Settings,
    now_ms: i64,
) -> anyhow::Result<Model> {
    let bar = Bar::count("learning", 2);
    let measured = train::measure(logs, settings).iter().filter_map(|row| row.measured()).collect();
    bar.advance(1);
    let learnt = train::learn(logs, together, settings);
    bar.finish();
    let items: Result<Vec<Sku>, _> = logs.items().iter().map(|item| Sku::parse(item)).collect();
    let about = About {
        trained_at_ms: now_ms,
        from_ms: lake.first_ms()?,
        through_at_ms: lake.manifest().through_at_ms,
        through_position: lake.manifest().through_position,
        orders: together.orders(),
        sessions: logs.sessions.len() as u64,
        items: logs.items().len() as u64,
        settings: serde_json::to_value(settings)?,
        free_of: lake.latest_deletion()?,
        measured,
    };
    Ok(Model::new(about, items.context("a catalogue of SKUs")?, learnt)?)
}
