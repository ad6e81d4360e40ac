//! What an evaluation found, as a table for people or a JSON object a line for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::{Evaluation, Row, Split};

/// Writes a table.
///
/// # Errors
/// Where the output cannot be written.
pub fn print_table(evaluation: &Evaluation, out: &mut impl Write) -> io::Result<()> {
    let Evaluation { train_orders, test_orders, unusable_orders, items, .. } = evaluation;
    let split = match evaluation.split {
        Split::Time { from_ms } => format!("split by time at {}", instant(from_ms)),
        Split::Position => "split by position, for time does not tell these orders apart".to_owned(),
    };
    writeln!(
        out,
        "{split}: learnt from {train_orders} orders of {items} items, asked about {test_orders} later ones"
    )?;
    if *unusable_orders > 0 {
        writeln!(out, "{unusable_orders} of those hold fewer than two known items and ask nothing")?;
    }
    for rows in evaluation.rows.chunk_by(|a, b| a.task == b.task) {
        writeln!(out)?;
        print_task(rows, out)?;
    }
    Ok(())
}

fn print_task(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let task = rows.first().map_or("", |row| row.task.name());
    writeln!(
        out,
        "{task:<16} {:>7} {:>7} {:>15} {:>7} {:>7} {:>9}",
        "cases", "HR@10", "HR@20", "MRR@20", "NDCG@20", "coverage"
    )?;
    for row in rows {
        let m = &row.measure;
        let hit_rate_20 = format!("{:.4} ± {:.4}", m.hit_rate_20(), m.hit_rate_20_error());
        writeln!(
            out,
            "{:<16} {:>7} {:>7.4} {hit_rate_20:>15} {:>7.4} {:>7.4} {:>8.1}%",
            name(row),
            m.cases(),
            m.hit_rate_10(),
            m.reciprocal_rank_20(),
            m.gain_20(),
            m.coverage() * 100.0
        )?;
    }
    Ok(())
}

/// One row, as programs read it.
#[derive(Serialize)]
struct Line {
    task: &'static str,
    method: &'static str,
    split: &'static str,
    split_from_ms: Option<i64>,
    train_orders: usize,
    test_orders: usize,
    items: usize,
    cases: u64,
    hit_rate_10: f64,
    hit_rate_20: f64,
    hit_rate_20_error: f64,
    mrr_20: f64,
    ndcg_20: f64,
    coverage: f64,
}

/// Writes one JSON object a line, one for each row.
///
/// # Errors
/// Where the output cannot be written.
pub fn print_json(evaluation: &Evaluation, out: &mut impl Write) -> io::Result<()> {
    let (split, split_from_ms) = match evaluation.split {
        Split::Time { from_ms } => ("time", Some(from_ms)),
        Split::Position => ("position", None),
    };
    for row in &evaluation.rows {
        let m = &row.measure;
        let line = Line {
            task: row.task.name(),
            method: name(row),
            split,
            split_from_ms,
            train_orders: evaluation.train_orders,
            test_orders: evaluation.test_orders,
            items: evaluation.items,
            cases: m.cases(),
            hit_rate_10: m.hit_rate_10(),
            hit_rate_20: m.hit_rate_20(),
            hit_rate_20_error: m.hit_rate_20_error(),
            mrr_20: m.reciprocal_rank_20(),
            ndcg_20: m.gain_20(),
            coverage: m.coverage(),
        };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    Ok(())
}

fn name(row: &Row) -> &'static str {
    row.score.map_or("popularity", |score| score.name())
}

/// Returns a time in UTC, to the minute.
fn instant(at_ms: i64) -> String {
    match time::OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1_000)) {
        Ok(at) => format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute()),
        Err(_) => format!("{at_ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use recommender::Score;

    use super::*;
    use crate::evaluate::{Task, measure::Measure};

    fn evaluation(split: Split) -> Evaluation {
        let mut measure = Measure::new(2);
        measure.add(Some(1), [cart_core::Sku::parse("A").unwrap()].into_iter());
        let row = |score| Row { task: Task::LeaveOneOut, score, measure: measure.clone() };
        let rows = vec![row(None), row(Some(Score::Llr))];
        Evaluation { split, train_orders: 8, test_orders: 2, unusable_orders: 1, items: 2, rows }
    }

    #[test]
    fn people_get_a_table() {
        let mut out = Vec::new();
        print_table(&evaluation(Split::Time { from_ms: 1_320_883_200_000 }), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "split by time at 2011-11-10 00:00 UTC: learnt from 8 orders of 2 items, asked about 2 later ones\n\
             1 of those hold fewer than two known items and ask nothing\n\
             \n\
             leave_one_out      cases   HR@10           HR@20  MRR@20 NDCG@20  coverage\n\
             popularity             1  1.0000 1.0000 ± 0.0000  1.0000  1.0000     50.0%\n\
             llr                    1  1.0000 1.0000 ± 0.0000  1.0000  1.0000     50.0%\n"
        );
        let mut out = Vec::new();
        print_table(&evaluation(Split::Position), &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().starts_with("split by position, for time does not tell"));
    }

    #[test]
    fn programs_get_an_object_a_line() {
        let mut out = Vec::new();
        print_json(&evaluation(Split::Position), &mut out).unwrap();
        let lines: Vec<serde_json::Value> =
            String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[1]["method"], &lines[1]["split"]), (&"llr".into(), &"position".into()));
        assert_eq!((&lines[0]["hit_rate_20"], &lines[0]["train_orders"]), (&1.0.into(), &8.into()));
    }
}
