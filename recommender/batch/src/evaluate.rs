//! `evaluate`: models learnt from what came first, asked about what came later.

use std::{io, path::Path, process::ExitCode};

use anyhow::{Context, bail};
use learning::{
    evaluate,
    log::{Kind, Log},
    train,
};
use recommender::Task;

use crate::{
    arguments::{Evaluate, Protocol},
    files::{self, Rules},
    lake::Lake,
    nothing,
    report::Report,
    tell,
};

/// Evaluates on the files that are named, or on the shop's own events, and prints.
///
/// # Errors
/// Where files cannot be read, or hold nothing to ask.
pub fn run(arguments: &Evaluate) -> anyhow::Result<ExitCode> {
    let report = match arguments.protocol {
        Some(protocol) => of_files(protocol, arguments)?,
        None => match of_events(arguments)? {
            Ok(report) => report,
            Err(status) => return Ok(status),
        },
    };
    report.print(arguments.json, &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

fn of_events(arguments: &Evaluate) -> anyhow::Result<Result<Report, ExitCode>> {
    let events = arguments.events.as_deref().context("--events DIR is missing")?;
    let settings = arguments.facts.settings()?;
    let mut lake = Lake::look_at(arguments.lake.as_deref())?;
    let tally = lake.add(events, &mut |line| eprintln!("{line}"))?;
    tell(&tally, &mut io::stderr())?;
    let logs = lake.logs(arguments.facts.catalogue()?.named())?;
    if logs.is_empty() {
        return Ok(Err(nothing(events.display())));
    }
    let began = std::time::Instant::now();
    let rows = train::measure(&logs, &settings);
    if rows.is_empty() {
        bail!("fewer than {} orders or sessions are too few to be asked about", train::ENTRIES_MIN);
    }
    let (orders, sessions) = (logs.orders.len(), logs.sessions.len());
    Ok(Ok(Report {
        orders,
        sessions,
        items: logs.items().len(),
        seconds: began.elapsed().as_secs_f64(),
        rows,
    }))
}

fn of_files(protocol: Protocol, arguments: &Evaluate) -> anyhow::Result<Report> {
    let train = arguments.train.as_deref().context("--protocol needs --train FILE")?;
    let settings = arguments.facts.settings()?;
    let before_ms = arguments.before.as_deref().map(millis).transpose()?;
    let only = arguments.orders.as_deref().map(files::ids).transpose()?;
    let rules = Rules { before_ms, without: arguments.without.clone(), only };
    let kind = if protocol == Protocol::Session { Kind::Sessions } else { Kind::Baskets };
    let log = files::log(train, kind, &rules)?;
    if log.is_empty() {
        bail!("{} holds no entry to learn from", train.display());
    }
    let began = std::time::Instant::now();
    let rows = match protocol.task() {
        Task::Session => {
            let test = arguments.test.as_deref().context("--protocol session needs --test FILE")?;
            let cases = session_cases(&log, test)?;
            let model = learning::sessions::learn(log.all(), settings.sessions);
            evaluate::sessions(&model, log.all(), &settings.pairs, &cases)
        }
        task => {
            let cases = arguments.cases.as_deref().context("--protocol loo and fbt need --cases FILE")?;
            let cases = files::cases(cases, task.name(), &log)?;
            let model = learning::baskets::learn(log.all(), settings.baskets);
            evaluate::baskets(&model, log.all(), &settings.pairs, task, &cases)
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    let (orders, sessions) = if kind == Kind::Sessions { (0, log.len()) } else { (log.len(), 0) };
    Ok(Report { orders, sessions, items: log.items().len(), seconds, rows })
}

fn session_cases(log: &Log, test: &Path) -> anyhow::Result<Vec<evaluate::Case>> {
    let later = files::log(test, Kind::Sessions, &Rules::default())?;
    let cases = evaluate::session_cases(log, &later);
    if cases.is_empty() {
        bail!("{} holds no session of two items that the other file knows", test.display());
    }
    Ok(cases)
}

/// Reads a time, with or without its hours.
fn millis(text: &str) -> anyhow::Result<i64> {
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let at = OffsetDateTime::parse(&whole, &Rfc3339)
        .with_context(|| format!("{text} is no time as 2011-11-10 or 2011-11-10T00:00:00Z"))?;
    Ok((at.unix_timestamp_nanos() / 1_000_000) as i64)
}
