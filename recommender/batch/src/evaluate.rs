//! `evaluate`: models learnt from what came first, asked about what came later.

use std::{io, path::Path, process::ExitCode};

use anyhow::{Context, bail, ensure};
use learning::{
    evaluate,
    log::{Kind, Log},
    train,
};
use recommender::Task;

use crate::{
    arguments::{Evaluate, Protocol},
    clock,
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
        Some(Protocol::After) => of_returns(arguments)?,
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
    let mut lake = Lake::look_at(arguments.lake.as_deref())?.up_to(clock()?);
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
        unknown: 0,
        seconds: began.elapsed().as_secs_f64(),
        rows,
    }))
}

fn of_files(protocol: Protocol, arguments: &Evaluate) -> anyhow::Result<Report> {
    let (train, settings) = (file_to_learn_from(arguments)?, arguments.facts.settings()?);
    let rules = Rules { before_ms: before_ms(arguments)?, ..rules(arguments)? };
    let kind = if protocol == Protocol::Session { Kind::Sessions } else { Kind::Baskets };
    let log = files::log(train, kind, &rules)?;
    if log.is_empty() {
        bail!("{} holds no entry to learn from", train.display());
    }
    let began = std::time::Instant::now();
    let (rows, unknown) = match protocol.task() {
        Task::Session => {
            let test = arguments.test.as_deref().context("--protocol session needs --test FILE")?;
            let cases = session_cases(&log, test)?;
            let model = learning::sessions::learn(log.all(), settings.sessions);
            let mut rows = evaluate::sessions(&model, log.all(), &settings.pairs, &cases);
            if arguments.ablate {
                let without = learning::sessions::ablated(log.all(), settings.sessions);
                rows.extend(evaluate::ablated_sessions(&model, without, &cases));
            }
            // The protocol asks prefixes of known items.
            (rows, 0)
        }
        task => {
            let cases = arguments.cases.as_deref().context("--protocol loo and fbt need --cases FILE")?;
            let cases = files::cases(cases, task.name(), &log)?;
            let model = learning::baskets::learn(log.all(), settings.baskets);
            let mut rows = evaluate::baskets(&model, log.all(), &settings, task, &cases);
            if arguments.ablate {
                let without = learning::baskets::ablated(log.all(), settings.baskets);
                rows.extend(evaluate::ablated_baskets(&model, without, task, &cases));
            }
            (rows, cases.iter().filter(|case| case.came[0] == evaluate::UNKNOWN).count())
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    let (orders, sessions) = if kind == Kind::Sessions { (0, log.len()) } else { (log.len(), 0) };
    Ok(Report { orders, sessions, items: log.items().len(), unknown, seconds, rows })
}

/// Asks the later orders of a file, from a time on or the latest tenth, what customers buy who had ordered before.
fn of_returns(arguments: &Evaluate) -> anyhow::Result<Report> {
    ensure!(
        !arguments.ablate,
        "the protocol after has nothing to ablate: its two lists are told by themselves"
    );
    let (path, settings) = (file_to_learn_from(arguments)?, arguments.facts.settings()?);
    let log = files::log(path, Kind::Baskets, &rules(arguments)?)?;
    let all = log.all();
    let (early, late) = match before_ms(arguments)? {
        Some(before_ms) => all.split_before(before_ms),
        None => all.split_by_time(1.0 - train::LATER),
    };
    if early.is_empty() || late.is_empty() {
        bail!("{} holds no orders to learn from, or none to ask about; see --before", path.display());
    }
    let began = std::time::Instant::now();
    let rows = train::measure_returns(all, early, &settings);
    if rows.is_empty() {
        bail!(
            "{} holds no later order of somebody who had ordered before; the column user_id says whose an order is",
            path.display()
        );
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(Report { orders: early.len(), sessions: 0, items: log.items().len(), unknown: 0, seconds, rows })
}

fn file_to_learn_from(arguments: &Evaluate) -> anyhow::Result<&Path> {
    arguments.train.as_deref().context("--protocol needs --train FILE")
}

/// Returns which lines count, whenever they were.
fn rules(arguments: &Evaluate) -> anyhow::Result<Rules> {
    let only = arguments.orders.as_deref().map(files::ids).transpose()?;
    let takes_back = arguments.returns;
    Ok(Rules { before_ms: None, without: arguments.without.clone(), only, takes_back })
}

fn before_ms(arguments: &Evaluate) -> anyhow::Result<Option<i64>> {
    arguments.before.as_deref().map(millis).transpose()
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
