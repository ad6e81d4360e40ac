//! Logs of a lake's rows: orders without what was sent back, and views cut into sessions.
//!
//! Who wants no history kept has ordered as nobody, and has looked at nothing; who had it deleted has not ordered either.

use std::collections::HashMap;

use anyhow::Context;
use learning::log::{Gather, Kind, Log};
use polars::prelude::{LazyFrame, col};

use super::{
    lines::DAY_MS,
    orders::{Returned, each_order},
    units::Units,
};

/// A session ends after half an hour of silence, as web analytics count it.
const SILENCE_MS: i64 = 30 * 60_000;

/// The most views of a session that count: who looks at more in one go is no shopper.
const VIEWS_MAX: usize = 200;

/// The most views and additions to the cart of one unit and day that count: a robot may make pauses, a shopper does not look at a
/// thousand things a day.
pub const DAY_VIEWS_MAX: usize = 1_000;

/// Gathers orders, each of its unit where that may be learnt from: a line counts where not all of its pieces came back.
pub struct Orders<'a> {
    returned: Returned,
    units: &'a Units,
    gather: Gather,
}

impl<'a> Orders<'a> {
    /// Begins without orders.
    pub fn new(returned: Returned, units: &'a Units) -> Self {
        Self { returned, units, gather: Gather::new(Kind::Baskets) }
    }

    /// Adds rows of orders, oldest first.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn take(&mut self, rows: LazyFrame) -> anyhow::Result<()> {
        let Self { returned, units, gather } = self;
        let of = rows.clone().select([col("unit")]).collect()?;
        let of = of.column("unit")?.str()?;
        each_order(rows, |order| {
            let unit = of.get(order.row as usize);
            if unit.is_some_and(|unit| units.is_deleted(unit, order.at_ms)) {
                return Ok(());
            }
            let (left, _) = order.parted(returned);
            if !left.is_empty() {
                let unit = unit.filter(|unit| !units.leave_out(unit, order.at_ms));
                let unit = unit.map(|unit| units.known_as(unit));
                gather.entry_of(unit, order.id, order.at_ms, left.into_iter().map(|sku| (sku, None)));
            }
            Ok(())
        })
    }

    /// Returns the orders.
    pub fn finish(self) -> Log {
        self.gather.finish()
    }
}

/// Gathers sessions: what one unit looked at without half an hour of silence, where it may be learnt from.
pub struct Sessions<'a> {
    units: &'a Units,
    open: HashMap<Box<str>, Unit>,
    ended: Vec<(Box<str>, Session)>,
}

/// Is one unit: its session, and what it did on a day.
#[derive(Default)]
struct Unit {
    session: Session,
    day: i64,
    views_of_day: usize,
}

#[derive(Default)]
struct Session {
    from_ms: i64,
    latest_ms: i64,
    items: Vec<Box<str>>,
}

impl<'a> Sessions<'a> {
    /// Begins without sessions.
    pub fn new(units: &'a Units) -> Self {
        Self { units, open: HashMap::new(), ended: Vec::new() }
    }

    /// Adds rows of views, oldest first.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn take(&mut self, rows: LazyFrame) -> anyhow::Result<()> {
        let rows = rows.select([col("unit"), col("at_ms"), col("sku")]).collect()?;
        let (units, skus) = (rows.column("unit")?.str()?, rows.column("sku")?.str()?);
        for ((unit, at_ms), sku) in units.iter().zip(rows.column("at_ms")?.i64()?.iter()).zip(skus.iter()) {
            let (unit, at_ms) = (unit.context("a view without unit")?, at_ms.context("a view without time")?);
            self.view(unit, at_ms, sku.context("a view without SKU")?);
        }
        Ok(())
    }

    fn view(&mut self, unit: &str, at_ms: i64, sku: &str) {
        if self.units.leave_out(unit, at_ms) {
            return;
        }
        let unit = self.units.known_as(unit);
        let open = self.open.entry(unit.into()).or_default();
        let day = at_ms.div_euclid(DAY_MS);
        if open.day != day {
            (open.day, open.views_of_day) = (day, 0);
        }
        if open.views_of_day == DAY_VIEWS_MAX {
            return;
        }
        open.views_of_day += 1;
        let session = &mut open.session;
        if at_ms - session.latest_ms > SILENCE_MS || session.items.is_empty() {
            let ended = std::mem::replace(session, Session { from_ms: at_ms, ..Session::default() });
            self.ended.push((unit.into(), ended));
        }
        session.latest_ms = at_ms;
        // Whoever loads a page again, or puts into the cart what is on screen, has not gone on to anything.
        if session.items.last().is_none_or(|last| **last != *sku) && session.items.len() < VIEWS_MAX {
            session.items.push(sku.into());
        }
    }

    /// Returns the sessions of two or more products.
    pub fn finish(mut self) -> Log {
        self.ended.extend(self.open.drain().map(|(unit, open)| (unit, open.session)));
        self.ended.retain(|(_, session)| session.items.len() > 1);
        // What was open stood in no order.
        self.ended.sort_by(|a, b| (a.1.latest_ms, &a.0).cmp(&(b.1.latest_ms, &b.0)));
        let mut gather = Gather::new(Kind::Sessions);
        for (unit, session) in &self.ended {
            let items = session.items.iter().map(|item| (&**item, None));
            gather.entry(&format!("{unit} {}", session.from_ms), session.latest_ms, items);
        }
        gather.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_hour_of_silence_ends_a_session() {
        let units = Units::default();
        let mut sessions = Sessions::new(&units);
        let minute = 60_000;
        for (at, unit, sku) in [
            (0, "v", "A"),
            (1, "w", "A"),
            (1, "v", "A"),
            (29, "v", "B"),
            (59, "v", "A"),
            (90, "v", "C"),
            (91, "v", "D"),
            (92, "x", "A"),
        ] {
            sessions.view(unit, at * minute, sku);
        }
        let log = sessions.finish();
        let told: Vec<(i64, String)> = log
            .all()
            .entries()
            .map(|(at, entry)| {
                (at / minute, entry.iter().map(|&item| &*log.items()[item as usize]).collect())
            })
            .collect();
        assert_eq!(told, [(59, "ABA".to_owned()), (91, "CD".to_owned())]);
    }

    #[test]
    fn of_a_robot_the_first_views_count() {
        let units = Units::default();
        let mut sessions = Sessions::new(&units);
        (0..1_000_000).for_each(|n| sessions.view("robot", n, if n % 2 == 0 { "A" } else { "B" }));
        assert_eq!(sessions.finish().line_count(), VIEWS_MAX);
    }

    #[test]
    fn pauses_do_not_help_a_robot_beyond_its_day() {
        let units = Units::default();
        let mut sessions = Sessions::new(&units);
        // Every forty minutes a session of a hundred views: 36 of them a day.
        for n in 0..7_200_i64 {
            let (session, step) = (n / 100, n % 100);
            sessions.view("robot", session * 40 * 60_000 + step, if n % 2 == 0 { "A" } else { "B" });
        }
        sessions.view("shopper", 3, "A");
        sessions.view("shopper", 4, "B");
        let log = sessions.finish();
        assert_eq!((log.line_count(), log.len()), (2 * DAY_VIEWS_MAX + 2, 21), "of two days, and a shopper");
    }
}
