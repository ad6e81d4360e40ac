//! Counting: what is new in the days of a lake is told to the counts that lie beside them.
//!
//! What the counts were told of is noted last, in a file of its own: what breaks off before is told again, which counts
//! nothing twice. Orders of a history that was deleted since are taken out again. Counts that are missing, torn, of another version or of more than the lake has are begun anew.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs, io,
    io::Write,
    path::Path,
    time::Instant,
};

use anyhow::Context;
use learning::{
    counts::{Added, Counts, CountsError, Score, Settings},
    draw::hash,
    together::Together,
};
use polars::prelude::col;
use recommender::file;
use serde::{Deserialize, Serialize};

use super::{
    Lake, days,
    lines::DAY_MS,
    manifest::Manifest,
    orders::{Returned, each_order},
    table::Table,
    units::Units,
};
use crate::progress::Bar;

/// The folder of the counts in the lake.
const FOLDER_NAME: &str = "_counts";

/// The file of what was counted, in the folder of the counts.
const FILE_NAME: &str = "counted-v1.json";

/// Says what was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counting {
    /// Days that were read, as they or orders of theirs are new or had returns.
    pub days: usize,
    /// What the counts made of it.
    pub added: Added,
    /// How many items there are.
    pub items: usize,
    /// How long it took.
    pub seconds: f64,
    /// Whether nothing had been counted before.
    pub is_first: bool,
    /// Why what had been counted before is not used.
    pub anew_because: Option<String>,
}

/// Holds how many rows the counts were told of, by table and day.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Counted {
    orders: BTreeMap<String, u64>,
    returns: BTreeMap<String, u64>,
    /// What units said; nothing of it in notes of before it was asked.
    #[serde(default)]
    units: BTreeMap<String, u64>,
}

impl Lake {
    /// Tells the counts of what is new, and returns what is bought together, of all orders.
    ///
    /// # Errors
    /// Where a setting is out of range, or files cannot be read or written; the counts are then as they were.
    pub fn count<S: Score + Copy>(
        &self,
        settings: Settings,
        score: S,
    ) -> anyhow::Result<(Together, Counting)> {
        let folder = self.days.folder().join(FOLDER_NAME);
        let anew_because = match Counted::read(&folder)?.ahead_of(&self.manifest) {
            Some(day) => format!("{} has more of {day} than the lake", folder.display()),
            None => match self.count_in(&folder, settings, score) {
                Err(error) => because(error)?,
                Ok(done) => return Ok(done),
            },
        };
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let (together, counting) = self.count_in(&folder, settings, score)?;
        Ok((together, Counting { anew_because: Some(anew_because), ..counting }))
    }

    fn count_in<S: Score>(
        &self,
        folder: &Path,
        settings: Settings,
        score: S,
    ) -> anyhow::Result<(Together, Counting)> {
        let begun = Instant::now();
        let mut counts = Counts::open(folder, settings, score)?;
        let is_first = counts.is_empty();
        let counted = if is_first { Counted::default() } else { Counted::read(folder)? };
        let (days, added) = self.tell(&mut counts, &counted)?;
        let all = Counted::of(&self.manifest);
        if !counts.is_empty() && counted != all {
            all.save(folder)?;
        }
        let together = Together::of(&counts)?;
        let (items, seconds) = (together.items().count(), begun.elapsed().as_secs_f64());
        Ok((together, Counting { days, added, items, seconds, is_first, anew_because: None }))
    }

    /// Tells of orders of days that changed, of orders that had returns on days that changed, and of those that are to be
    /// forgotten.
    fn tell<S: Score>(&self, counts: &mut Counts<S>, counted: &Counted) -> anyhow::Result<(usize, Added)> {
        let new = changed(&self.manifest.days, &counted.orders);
        let mut touched = Returned::default();
        if !counts.is_empty() {
            let days = changed(&self.manifest.returns, &counted.returns);
            self.scan(Table::Returns, days.into_iter(), |rows| touched.take(rows))?;
        }
        let touched: HashSet<u64> = touched.orders().collect();
        let mut days = new.clone();
        for day in counts.days_of(&touched)? {
            let name = days::name(i64::from(day))?;
            days.extend(self.manifest.days.get_key_value(&name).map(|(day, _)| day));
        }
        let units = self.units()?;
        let forgotten = if counts.is_empty() { vec![] } else { self.forgotten(&units, counted)? };
        if days.is_empty() && forgotten.is_empty() {
            return Ok((0, counts.add().finish()?));
        }
        let returned = self.returned(days.first().copied())?;
        let bar = Bar::count("counting", days.len() as u64);
        let mut addition = counts.add();
        let mut items = Vec::new();
        for day in &days {
            let is_new = new.contains(day);
            self.scan(Table::Orders, std::iter::once(*day), |rows| {
                let of = rows.clone().select([col("unit")]).collect()?;
                let of = of.column("unit")?.str()?;
                each_order(rows, |order| {
                    let id = hash(order.id);
                    if of.get(order.row as usize).is_some_and(|unit| units.is_deleted(unit, order.at_ms)) {
                        return Ok(());
                    }
                    if !is_new && !touched.contains(&id) {
                        return Ok(());
                    }
                    if is_new {
                        items.clear();
                        items.extend(order.lines.iter().map(|(sku, _)| addition.number(sku)));
                        let day = order.at_ms.div_euclid(DAY_MS);
                        addition.order(id, i32::try_from(day).context("the day of an order")?, &items)?;
                    }
                    let (_, gone) = order.parted(&returned);
                    if !gone.is_empty() {
                        let gone: Vec<u32> = gone.into_iter().map(|sku| addition.number(sku)).collect();
                        addition.give_back(id, Some(&gone))?;
                    }
                    Ok(())
                })
            })?;
            bar.advance(1);
        }
        forgotten.into_iter().try_for_each(|id| addition.give_back(id, None))?;
        bar.finish();
        Ok((days.len(), addition.finish()?))
    }

    /// Returns the hashes of all orders of deleted histories, where more may have been deleted than when counts were told last: all
    /// days are looked at then.
    fn forgotten(&self, units: &Units, counted: &Counted) -> anyhow::Result<Vec<u64>> {
        let mut later = Units::default();
        let days = changed(&self.manifest.units, &counted.units);
        self.scan(Table::Units, days.into_iter(), |rows| later.take(rows))?;
        let mut forgotten = Vec::new();
        if !units.are_deleted_by(&later) {
            return Ok(forgotten);
        }
        self.scan(Table::Orders, self.manifest.days.keys(), |rows| {
            let rows = rows.select([col("unit"), col("at_ms"), col("order_id")]).collect()?;
            let (of, ids) = (rows.column("unit")?.str()?, rows.column("order_id")?.str()?);
            for ((unit, at_ms), id) in of.iter().zip(rows.column("at_ms")?.i64()?.iter()).zip(ids.iter()) {
                let (at_ms, id) =
                    (at_ms.context("an order without time")?, id.context("an order without id")?);
                if unit.is_some_and(|unit| units.is_deleted(unit, at_ms)) {
                    forgotten.push(hash(id));
                }
            }
            Ok(())
        })?;
        Ok(forgotten)
    }
}

/// Returns why counts are to be begun anew, or the error where that would not help.
fn because(error: anyhow::Error) -> anyhow::Result<String> {
    match error.downcast_ref::<CountsError>().is_some_and(CountsError::is_of_no_use) {
        true => Ok(error.to_string()),
        false => Err(error),
    }
}

/// Returns the days that have other rows than those that were counted.
fn changed<'a>(days: &'a BTreeMap<String, u64>, counted: &BTreeMap<String, u64>) -> BTreeSet<&'a String> {
    days.iter().filter(|(day, rows)| counted.get(*day) != Some(rows)).map(|(day, _)| day).collect()
}

impl Counted {
    fn of(manifest: &Manifest) -> Self {
        Self {
            orders: manifest.days.clone(),
            returns: manifest.returns.clone(),
            units: manifest.units.clone(),
        }
    }

    /// Reads what was counted, nothing where that is not known.
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE_NAME);
        match fs::read(&path) {
            Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let (path, text) = (folder.join(FILE_NAME), serde_json::to_vec_pretty(self)?);
        file::replace(&path, |file| file.write_all(&text)).with_context(|| path.display().to_string())
    }

    /// Returns a day of which more was counted than the lake has: it is another lake, or an older one.
    fn ahead_of(&self, manifest: &Manifest) -> Option<&str> {
        let tables = [(&self.orders, &manifest.days), (&self.returns, &manifest.returns)];
        tables.into_iter().find_map(|(counted, days)| {
            let is_ahead = |(day, rows): &(&String, &u64)| days.get(*day).is_none_or(|has| has < *rows);
            counted.iter().find(is_ahead).map(|(day, _)| day.as_str())
        })
    }
}
