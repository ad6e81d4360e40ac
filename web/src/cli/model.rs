//! `cartwright model`: the models that were learnt, and which of them is in service.

use std::io::{self, Write};

use anyhow::Context;
use clap::{Args, Subcommand};
use recommender::{
    About, Measured,
    archive::{Archive, Deleted, Gate, Kept},
};

use crate::{clock, config::Config};

#[derive(Args)]
pub(super) struct ModelArgs {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// List the models, the oldest first; a star marks the one in service.
    List,
    /// Show what a model was learnt from, how, and how good it is; by default the one in service.
    Show {
        /// The model's id, or its beginning.
        id: Option<String>,
    },
    /// Compare two models by what each attained on the latest part of its own data.
    Compare {
        /// The one, by its id.
        first: String,
        /// The other; by default the one in service.
        second: Option<String>,
    },
    /// Put a model into service; servers swap it in within seconds.
    Promote {
        /// The model's id, or its beginning.
        id: String,
        #[command(flatten)]
        back: Back,
    },
    /// Put the model into service again that was before the present one.
    Rollback {
        #[command(flatten)]
        back: Back,
    },
}

#[derive(Args)]
struct Back {
    /// Do it even where the model was learnt before a shopper's history was deleted, and brings back what it says.
    #[arg(long)]
    even_with_deleted_histories: bool,
}

impl Back {
    fn deleted(&self) -> Deleted {
        if self.even_with_deleted_histories { Deleted::MayComeBack } else { Deleted::StayAway }
    }
}

pub(super) fn run(config: &Config, args: &ModelArgs) -> anyhow::Result<()> {
    let done = answer(config, args, &mut io::stdout().lock());
    // Who reads only the beginning, as `head` does, has what they wanted.
    let is_enough = |error: &anyhow::Error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    done.or_else(|error| if is_enough(&error) { Ok(()) } else { Err(error) })
}

fn answer(config: &Config, args: &ModelArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let archive = Archive::of(&config.model_file());
    match &args.verb {
        Verb::List => list(&archive.list()?, args.json, out),
        Verb::Show { id } => show(&named(&archive, id.as_deref())?, args.json, out),
        Verb::Compare { first, second } => {
            compare(&archive.find(first)?, &named(&archive, second.as_deref())?, args.json, out)
        }
        Verb::Promote { id, back } => {
            let kept = archive.find(id)?;
            archive.promote(&kept.id, back.deleted(), clock::now_ms())?;
            writeln!(out, "model {} is in service", kept.id)?;
            Ok(())
        }
        Verb::Rollback { back } => {
            let id = archive.rollback(back.deleted(), clock::now_ms())?;
            writeln!(out, "model {id} is in service again")?;
            Ok(())
        }
    }
}

fn named(archive: &Archive, id: Option<&str>) -> anyhow::Result<Kept> {
    match id {
        Some(id) => Ok(archive.find(id)?),
        None => archive.current()?.context("no model is in service; `cartwright train` makes one"),
    }
}

fn list(kept: &[Kept], json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if json {
        writeln!(out, "{}", serde_json::to_string(kept)?)?;
        return Ok(());
    }
    writeln!(
        out,
        "  {:<8}  {:<20} {:>9} {:>9} {:>8} {:>8}  HR@20 of each task",
        "id", "trained", "orders", "sessions", "items", "MB"
    )?;
    for Kept { id, bytes, is_current, about } in kept {
        let attained = of_itself(about).map(|m| format!("{} {:.4}", m.task.name(), m.hit_rate_20[0]));
        writeln!(
            out,
            "{} {id:<8}  {:<20} {:>9} {:>9} {:>8} {:>8.1}  {}",
            if *is_current { '*' } else { ' ' },
            instant(about.trained_at_ms),
            about.orders,
            about.sessions,
            about.items,
            *bytes as f64 / 1e6,
            attained.collect::<Vec<_>>().join(", ")
        )?;
    }
    Ok(())
}

fn show(kept: &Kept, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if json {
        writeln!(out, "{}", serde_json::to_string(kept)?)?;
        return Ok(());
    }
    let about = &kept.about;
    writeln!(out, "model {}{}", kept.id, if kept.is_current { ", in service" } else { "" })?;
    writeln!(out, "trained    {}", instant(about.trained_at_ms))?;
    writeln!(
        out,
        "data       {} to {}, through event {}",
        instant(about.from_ms),
        instant(about.through_at_ms),
        about.through_position
    )?;
    if let Some(deletion) = about.free_of {
        writeln!(out, "free of    histories deleted until {}", instant(deletion.at_ms))?;
    }
    writeln!(out, "learnt of  {} orders, {} sessions, {} items", about.orders, about.sessions, about.items)?;
    writeln!(out, "file       {:.1} MB", kept.bytes as f64 / 1e6)?;
    writeln!(out, "settings   {}", about.settings)?;
    writeln!(out)?;
    writeln!(
        out,
        "{:<8} {:<16} {:>7}  {:<24}  {:<24} coverage",
        "task", "method", "asked", "HR@20", "MRR@20"
    )?;
    for Measured { task, method, cases, hit_rate_20, mrr_20, coverage } in &about.measured {
        writeln!(
            out,
            "{:<8} {method:<16} {cases:>7}  {:<24}  {:<24} {:>7.1}%",
            task.name(),
            interval(*hit_rate_20),
            interval(*mrr_20),
            coverage * 100.0
        )?;
    }
    Ok(())
}

fn compare(first: &Kept, second: &Kept, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let verdict = Gate::default().pass(&first.about, second);
    if json {
        let refused = verdict.err().map(|refused| refused.0);
        writeln!(out, "{}", serde_json::json!({"first": first, "second": second, "refused": refused}))?;
        return Ok(());
    }
    writeln!(out, "{:<18} {:>24} {:>24}", "", first.id, second.id)?;
    for (what, of) in [
        ("orders", (|about| about.orders) as fn(&About) -> u64),
        ("sessions", |about| about.sessions),
        ("items", |about| about.items),
    ] {
        writeln!(out, "{what:<18} {:>24} {:>24}", of(&first.about), of(&second.about))?;
    }
    for measured in of_itself(&first.about) {
        let Some(other) = second.about.attained(measured.task) else { continue };
        for (figure, of) in
            [("HR@20", (|m| m.hit_rate_20) as fn(&Measured) -> [f64; 3]), ("MRR@20", |m| m.mrr_20)]
        {
            let (one, two) = (interval(of(measured)), interval(of(other)));
            writeln!(out, "{:<18} {one:>24} {two:>24}", format!("{} {figure}", measured.task.name()))?;
        }
    }
    match verdict {
        Ok(()) => writeln!(out, "{} would go into service in place of {}", first.id, second.id)?,
        Err(refused) => writeln!(out, "{} would not go into service by itself: {refused}", first.id)?,
    }
    Ok(())
}

/// Returns what a model itself attained, a row a task.
fn of_itself(about: &About) -> impl Iterator<Item = &Measured> {
    recommender::Task::ALL.into_iter().filter_map(|task| about.attained(task))
}

fn interval([mean, low, high]: [f64; 3]) -> String {
    format!("{mean:.4} [{low:.4}, {high:.4}]")
}

fn instant(at_ms: i64) -> String {
    clock::rfc3339(at_ms)
}
