//! `evaluate --protocol`: models learnt from one file, asked about another.

use std::io::{self, Write};

use anyhow::{Context, bail};
use learning::{
    baskets, evaluate,
    evaluate::{Interval, Row},
    log::Kind,
    sessions,
};
use serde::Serialize;

use crate::{
    arguments::{Evaluate, Protocol},
    files::{self, Rules},
};

/// What an evaluation was of.
struct Evaluation {
    protocol: Protocol,
    entries: usize,
    items: usize,
    seconds: f64,
    rows: Vec<Row>,
}

/// Evaluates and prints.
///
/// # Errors
/// Where files cannot be read, or hold nothing to ask.
pub fn run(protocol: Protocol, arguments: &Evaluate) -> anyhow::Result<()> {
    let train = arguments.train.as_deref().context("--protocol needs --train FILE")?;
    let before_ms = arguments.before.as_deref().map(millis).transpose()?;
    let only = arguments.orders.as_deref().map(files::ids).transpose()?;
    let rules = Rules { before_ms, without: arguments.without.clone(), only };
    let kind = if protocol == Protocol::Session { Kind::Sessions } else { Kind::Baskets };
    let log = files::log(train, kind, &rules)?;
    if log.is_empty() {
        bail!("{} holds no entry to learn from", train.display());
    }
    let began = std::time::Instant::now();
    let (seconds, rows) = if protocol == Protocol::Session {
        let test = arguments.test.as_deref().context("--protocol session needs --test FILE")?;
        let later = files::log(test, kind, &Rules::default())?;
        let cases = evaluate::session_cases(&log, &later);
        if cases.is_empty() {
            bail!("{} holds no session of two items that the other file knows", test.display());
        }
        let model = sessions::learn(log.all(), sessions::Settings::default());
        (began.elapsed(), evaluate::sessions(&model, log.all(), &cases))
    } else {
        let cases = arguments.cases.as_deref().context("--protocol loo and fbt need --cases FILE")?;
        let cases = files::cases(cases, protocol.name(), &log)?;
        let model = baskets::learn(log.all(), baskets::Settings::default());
        (began.elapsed(), evaluate::baskets(&model, log.all(), &cases))
    };
    let evaluation = Evaluation {
        protocol,
        entries: log.len(),
        items: log.items().len(),
        seconds: seconds.as_secs_f64(),
        rows,
    };
    let mut out = io::stdout().lock();
    if arguments.json {
        evaluation.print_json(&mut out)?
    } else {
        evaluation.print_table(&mut out)?
    }
    Ok(())
}

/// Reads a time, with or without its hours.
fn millis(text: &str) -> anyhow::Result<i64> {
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    let at = OffsetDateTime::parse(&whole, &Rfc3339)
        .with_context(|| format!("{text} is no time as 2011-11-10 or 2011-11-10T00:00:00Z"))?;
    Ok((at.unix_timestamp_nanos() / 1_000_000) as i64)
}

impl Evaluation {
    fn print_table(&self, out: &mut impl Write) -> io::Result<()> {
        let what = if self.protocol == Protocol::Session { "sessions" } else { "orders" };
        writeln!(
            out,
            "{}: learnt from {} {what} of {} items in {:.1} s",
            self.protocol.name(),
            self.entries,
            self.items,
            self.seconds
        )?;
        writeln!(
            out,
            "{:<16} {:<8} {:>7}  {:^22}  {:^22} {:>7} {:>7} {:>7} {:>9}  {:>6} {:>6} {:>6}",
            "method",
            "on page",
            "cases",
            "HR@20",
            "MRR@20",
            "NDCG@20",
            "recall",
            "prec.",
            "coverage",
            "µs p50",
            "p90",
            "p99"
        )?;
        let interval = |i: Interval| format!("{:.4} [{:.4}, {:.4}]", i.mean, i.low, i.high);
        for Row { method, policy, figures, micros: [half, nine, most] } in &self.rows {
            writeln!(
                out,
                "{method:<16} {:<8} {:>7}  {}  {} {:>7.4} {:>7.4} {:>7.4} {:>8.1}%  {half:>6.1} {nine:>6.1} {most:>6.1}",
                policy.map_or("", evaluate::Policy::name),
                figures.cases,
                interval(figures.hit_rate),
                interval(figures.reciprocal_rank),
                figures.gain.mean,
                figures.recall,
                figures.precision,
                figures.coverage * 100.0
            )?;
        }
        Ok(())
    }

    fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        for Row { method, policy, figures, micros: [p50_us, p90_us, p99_us] } in &self.rows {
            let interval = |i: Interval| [i.low, i.high];
            let line = Line {
                protocol: self.protocol.name(),
                method,
                on_screen: policy.map(evaluate::Policy::name),
                train_entries: self.entries,
                items: self.items,
                train_seconds: self.seconds,
                cases: figures.cases,
                hit_rate_20: figures.hit_rate.mean,
                hit_rate_20_interval: interval(figures.hit_rate),
                mrr_20: figures.reciprocal_rank.mean,
                mrr_20_interval: interval(figures.reciprocal_rank),
                ndcg_20: figures.gain.mean,
                ndcg_20_interval: interval(figures.gain),
                recall_20: figures.recall,
                precision_20: figures.precision,
                coverage: figures.coverage,
                p50_us: *p50_us,
                p90_us: *p90_us,
                p99_us: *p99_us,
            };
            writeln!(out, "{}", serde_json::to_string(&line)?)?;
        }
        Ok(())
    }
}

/// One row, as programs read it.
#[derive(Serialize)]
struct Line<'a> {
    protocol: &'static str,
    method: &'a str,
    on_screen: Option<&'static str>,
    train_entries: usize,
    items: usize,
    train_seconds: f64,
    cases: u64,
    hit_rate_20: f64,
    hit_rate_20_interval: [f64; 2],
    mrr_20: f64,
    mrr_20_interval: [f64; 2],
    ndcg_20: f64,
    ndcg_20_interval: [f64; 2],
    recall_20: f64,
    precision_20: f64,
    coverage: f64,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
}
