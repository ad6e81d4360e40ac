//! What an evaluation found, as a table for people or a JSON object a line for programs.

use std::io::{self, Write};

use learning::evaluate::{Interval, Policy, Row};
use serde::Serialize;

/// Holds what an evaluation found.
pub struct Report {
    /// How many orders there were to learn from.
    pub orders: usize,
    /// How many sessions.
    pub sessions: usize,
    /// How many items they hold.
    pub items: usize,
    /// How many cases ask for an item that was not learnt from, and count as missed.
    pub unknown: usize,
    /// How long learning and asking took.
    pub seconds: f64,
    /// What each method attained.
    pub rows: Vec<Row>,
}

impl Report {
    /// Writes a table, or a JSON object a line.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn print(&self, json: bool, out: &mut impl Write) -> io::Result<()> {
        if json { self.print_json(out) } else { self.print_table(out) }
    }

    fn print_table(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { orders, sessions, items, seconds, .. } = self;
        let counts =
            [(orders, "orders"), (sessions, "sessions")].into_iter().filter(|(count, _)| **count > 0);
        let entries: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        writeln!(out, "learnt from {} of {items} items and asked in {seconds:.1} s", entries.join(" and "))?;
        if self.unknown > 0 {
            writeln!(
                out,
                "{} cases ask for items that are not in what was learnt from: missed by all",
                self.unknown
            )?;
        }
        writeln!(
            out,
            "{:<8} {:<16} {:<8} {:>7}  {:^22}  {:^22} {:>7} {:>7} {:>7} {:>9}  {:>6} {:>6} {:>6}",
            "task",
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
        for Row { task, method, policy, figures, micros: [half, nine, most] } in &self.rows {
            writeln!(
                out,
                "{:<8} {method:<16} {:<8} {:>7}  {}  {} {:>7.4} {:>7.4} {:>7.4} {:>8.1}%  {half:>6.1} {nine:>6.1} {most:>6.1}",
                task.name(),
                policy.map_or("", Policy::name),
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
        for Row { task, method, policy, figures, micros: [p50_us, p90_us, p99_us] } in &self.rows {
            let interval = |i: Interval| [i.low, i.high];
            let line = Line {
                protocol: task.name(),
                method,
                on_screen: policy.map(Policy::name),
                train_orders: self.orders,
                train_sessions: self.sessions,
                items: self.items,
                seconds: self.seconds,
                cases: figures.cases,
                unknown_targets: self.unknown,
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
    train_orders: usize,
    train_sessions: usize,
    items: usize,
    seconds: f64,
    cases: u64,
    unknown_targets: usize,
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
