//! Orders of the past as shoppers of today.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};
use cart_core::{Sku, limits::LINE_QUANTITY_MAX};
use time::{Date, OffsetDateTime};

use super::{crowd::Arrival, plan::Plan};
use crate::import::{
    orders::FIELDS,
    row::{Fields, Mapping, Row},
    table::Table,
};

/// Less than an import needs: prices are the shop's own.
const NEEDED: [&str; 3] = ["order", "sku", "quantity"];
const DAY_MS: i64 = 86_400_000;

/// Holds the orders of a day in the order of their times.
#[derive(Debug, Default)]
pub struct Day {
    /// Rows read from the file, those of other days included.
    pub rows: u64,
    /// Rows passed over because their SKU is on the list of those to skip.
    pub skipped: u64,
    /// Lines of the day that are no purchase, by the reason.
    pub refused: BTreeMap<String, u64>,
    /// Lines whose quantity was cut to the most a cart takes.
    pub capped: u64,
    /// The orders.
    pub orders: Vec<PastOrder>,
}

/// Is one order of the past.
#[derive(Debug, PartialEq, Eq)]
pub struct PastOrder {
    /// When it was placed, in Unix milliseconds; 0 where the file does not say.
    pub at_ms: i64,
    /// What was bought, each product once.
    pub lines: Vec<(Sku, u32)>,
}

/// Reads the orders of one day. A file without times is one long day.
///
/// # Errors
/// Where the columns do not fit, or the day is not in the file; then it says which days are.
pub fn read(table: Table, mapping: &Mapping, day: Option<Date>, tick: impl Fn()) -> anyhow::Result<Day> {
    let fields = Fields::place(mapping, &table.columns, &FIELDS, &NEEDED)?;
    let has_times = fields.has("at");
    ensure!(has_times || day.is_none(), "the file has no times: leave --day out, or add --map at=COLUMN");
    let wanted = day.map(|d| d.midnight().assume_utc().unix_timestamp() * 1_000);
    let (mut read, mut days) = (Day::default(), None);
    let mut orders: BTreeMap<String, PastOrder> = BTreeMap::new();
    for cells in table.cells {
        read.rows += 1;
        tick();
        let cells = match cells {
            Ok(cells) => cells,
            Err(_) => {
                *read.refused.entry("unreadable row".into()).or_default() += 1;
                continue;
            }
        };
        let row = fields.row(&cells);
        let at_ms = match has_times.then(|| row.time_ms("at")) {
            None => 0,
            Some(Ok(at_ms)) => at_ms,
            Some(Err(_)) => {
                *read.refused.entry("no time".into()).or_default() += 1;
                continue;
            }
        };
        let (first, last) = *days.get_or_insert((at_ms, at_ms));
        days = Some((first.min(at_ms), last.max(at_ms)));
        if wanted.is_some_and(|from| !(from..from + DAY_MS).contains(&at_ms)) {
            continue;
        }
        match line_of(&row) {
            Ok(Some(line)) => gather(&mut read, &mut orders, at_ms, line),
            Ok(None) => read.skipped += 1,
            Err(reason) => *read.refused.entry(reason.into()).or_default() += 1,
        }
    }
    if has_times && (day.is_none() || orders.is_empty()) {
        let Some((first, last)) = days else { bail!("the file holds no orders") };
        let (first, last) = (date_of(first), date_of(last));
        match day {
            Some(day) => bail!("no order of {day} can be replayed; the file's days are {first} to {last}"),
            None => bail!("name the day to replay, --day YYYY-MM-DD; the file's days are {first} to {last}"),
        }
    }
    read.orders = orders.into_values().collect();
    read.orders.sort_by_key(|order| order.at_ms);
    Ok(read)
}

struct Line {
    order: String,
    sku: Sku,
    quantity: i64,
}

/// Returns a line, and `None` where its SKU is to be passed over.
fn line_of(row: &Row<'_>) -> Result<Option<Line>, &'static str> {
    let Some(sku) = row.sku().map_err(|_| "no SKU")? else { return Ok(None) };
    let order = row.needed("order").map_err(|_| "no order")?.to_owned();
    match row.number("quantity").map_err(|_| "no quantity")? {
        // A cancellation or a correction.
        ..=0 => Err("quantity not above 0"),
        quantity => Ok(Some(Line { order, sku, quantity })),
    }
}

fn gather(read: &mut Day, orders: &mut BTreeMap<String, PastOrder>, at_ms: i64, line: Line) {
    let order = orders.entry(line.order).or_insert(PastOrder { at_ms, lines: vec![] });
    order.at_ms = order.at_ms.min(at_ms);
    let wanted = u32::try_from(line.quantity).unwrap_or(u32::MAX);
    let total = match order.lines.iter_mut().find(|(sku, _)| *sku == line.sku) {
        Some((_, quantity)) => {
            *quantity = quantity.saturating_add(wanted);
            quantity
        }
        None => {
            order.lines.push((line.sku, wanted));
            &mut order.lines.last_mut().expect("a line was just pushed").1
        }
    };
    if *total > LINE_QUANTITY_MAX {
        *total = LINE_QUANTITY_MAX;
        read.capped += 1;
    }
}

fn date_of(at_ms: i64) -> Date {
    OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1_000)).map_or(Date::MIN, OffsetDateTime::date)
}

impl Day {
    /// Turns the orders into arrivals, as far apart as they were; evenly where no times are known.
    pub fn arrivals(self, seed: u64, limit: usize) -> Vec<Arrival> {
        let orders: Vec<PastOrder> = self.orders.into_iter().take(limit).collect();
        let (first, last) = (orders.first().map_or(0, |o| o.at_ms), orders.last().map_or(0, |o| o.at_ms));
        let count = orders.len();
        let at = |number: usize, at_ms: i64| match last - first {
            0 => number as f64 / count as f64,
            whole => (at_ms - first) as f64 / whole as f64,
        };
        let arrival = |(number, order): (usize, PastOrder)| Arrival {
            at: at(number, order.at_ms),
            plan: Plan::replay(seed, number as u64, order.lines),
        };
        orders.into_iter().enumerate().map(arrival).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(with_times: bool, rows: &[&str]) -> Table {
        let columns = ["order", "sku", "quantity", "at"];
        let columns = columns.iter().take(if with_times { 4 } else { 3 }).map(|c| (*c).to_owned()).collect();
        let cells: Vec<_> = rows
            .iter()
            .map(|row| Ok(row.split(',').map(|c| Some(c.to_owned()).filter(|c| !c.is_empty())).collect()))
            .collect();
        Table { columns, rows: None, cells: Box::new(cells.into_iter()) }
    }

    fn day(text: &str) -> Option<Date> {
        Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()
    }

    const ROWS: [&str; 9] = [
        "2,MUG,1,2011-12-09 12:00",
        "1,MUG,2,2011-12-09 08:00",
        "1,TEA,1,2011-12-09 08:00",
        "1,MUG,9998,2011-12-09 08:00",
        "C3,MUG,-1,2011-12-09 09:00",
        "3,,1,2011-12-09 10:00",
        "4,POST,1,2011-12-09 16:00",
        "5,TEA,3,2011-12-09 16:00",
        "6,TEA,1,2011-12-10 00:00",
    ];

    #[test]
    fn a_day_is_replayed_in_the_order_of_its_times() {
        let mapping = Mapping { skipped: vec!["POST".into()], ..Mapping::default() };
        let read = read(table(true, &ROWS), &mapping, day("2011-12-09"), || ()).unwrap();
        assert_eq!((read.rows, read.skipped, read.capped), (9, 1, 1));
        let refused: Vec<_> = read.refused.iter().map(|(why, n)| (why.as_str(), *n)).collect();
        assert_eq!(refused, [("no SKU", 1), ("quantity not above 0", 1)]);
        let bought = |at_ms, lines: &[(&str, u32)]| PastOrder {
            at_ms,
            lines: lines.iter().map(|(sku, n)| (Sku::parse(sku).unwrap(), *n)).collect(),
        };
        let hour = |h: i64| 1_323_388_800_000 + h * 3_600_000;
        assert_eq!(
            read.orders,
            [
                bought(hour(8), &[("MUG", 9_999), ("TEA", 1)]),
                bought(hour(12), &[("MUG", 1)]),
                bought(hour(16), &[("TEA", 3)]),
            ]
        );
        let arrivals = read.arrivals(1, 10);
        assert_eq!(arrivals.iter().map(|a| a.at).collect::<Vec<_>>(), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn a_day_that_is_not_there_is_answered_with_those_that_are() {
        let mapping = Mapping::default();
        for (day, message) in [
            (
                day("2012-01-01"),
                "no order of 2012-01-01 can be replayed; the file's days are 2011-12-09 to 2011-12-10",
            ),
            (None, "name the day to replay, --day YYYY-MM-DD; the file's days are 2011-12-09 to 2011-12-10"),
        ] {
            assert_eq!(read(table(true, &ROWS), &mapping, day, || ()).unwrap_err().to_string(), message);
        }
        let error = read(table(false, &["1,MUG,1"]), &mapping, day("2011-12-09"), || ()).unwrap_err();
        assert!(error.to_string().contains("no times"), "{error}");
    }

    #[test]
    fn a_file_without_times_is_one_even_day() {
        let rows = ["1,MUG,1", "2,MUG,1", "3,TEA,1", "4,TEA,1"];
        let read = read(table(false, &rows), &Mapping::default(), None, || ()).unwrap();
        let arrivals = read.arrivals(1, 2);
        assert_eq!(arrivals.iter().map(|a| a.at).collect::<Vec<_>>(), [0.0, 0.5]);
    }
}
