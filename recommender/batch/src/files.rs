//! Logs and cases in Parquet files: what shops export, and what others evaluate with.
//!
//! A log has `order_id` or `session_id`, `item_id` and, where the source has them, `user_id`, `name`, `quantity`,
//! `unit_price_minor`, `ts` (a time) and `seq` (the position within an order or session). Cases have `task`, `context` (a
//! list of items) and `target`.

mod returns;

use std::{collections::HashMap, fs::File, path::Path};

use anyhow::{Context, bail, ensure};
use learning::{
    evaluate::{Case, UNKNOWN},
    log::{Gather, Kind, Log},
};
use polars::prelude::{Column, DataFrame, DataType, Int64Chunked, ParquetReader, SerReader, TimeUnit};

use returns::Return;

/// Says which lines of a log count.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Only entries before this, Unix milliseconds.
    pub before_ms: Option<i64>,
    /// Items that are no products, as postage: codes, or beginnings of codes with a star behind.
    pub without: Vec<String>,
    /// Only entries of these ids.
    pub only: Option<std::collections::HashSet<String>>,
    /// Whether lines of negative quantity take pieces from the orders before them; else they are passed over.
    pub takes_back: bool,
}

impl Rules {
    fn is_product(&self, item: &str) -> bool {
        !self.without.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => item.starts_with(beginning),
            None => item == pattern,
        })
    }
}

/// One entry while its lines are gathered.
#[derive(Default)]
struct Entry {
    at_ms: i64,
    /// Who bought, where that is known.
    buyer: Option<String>,
    lines: Vec<Line>,
}

/// Is one line of an entry.
struct Line {
    position: i64,
    item: String,
    name: Option<String>,
    pieces: i64,
}

/// Reads a log. Lines of no positive quantity or price, as those of cancellations, do not count, but for what they take back where
/// the rules say so; items are trimmed, and
/// those of orders in capitals, since exports of tills write one code in several ways.
///
/// # Errors
/// Where the file cannot be read, or lacks a column.
pub fn log(path: &Path, kind: Kind, rules: &Rules) -> anyhow::Result<Log> {
    let frame = read(path)?;
    let id = match kind {
        Kind::Baskets => "order_id",
        Kind::Sessions => "session_id",
    };
    let (ids, items) = (text(&frame, id, path)?, text(&frame, "item_id", path)?);
    let (names, buyers) =
        (optional(&frame, "name", &DataType::String)?, optional(&frame, "user_id", &DataType::String)?);
    let quantities = optional(&frame, "quantity", &DataType::Int64)?;
    let prices = optional(&frame, "unit_price_minor", &DataType::Int64)?;
    let positions = optional(&frame, "seq", &DataType::Int64)?;
    let times = times(&frame)?;
    let texts = |column: &Option<Column>| anyhow::Ok(column.as_ref().map(|c| c.str().cloned()).transpose()?);
    let (names, buyers, quantities) = (texts(&names)?, texts(&buyers)?, numbers(quantities.as_ref())?);
    let (prices, positions, times) =
        (numbers(prices.as_ref())?, numbers(positions.as_ref())?, numbers(times.as_ref())?);
    let (ids, items) = (ids.str()?, items.str()?);
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut entries: Vec<(String, Entry)> = Vec::new();
    let mut came_back = Vec::new();
    for row in 0..frame.height() {
        let (Some(id), Some(item)) = (ids.get(row), items.get(row)) else { continue };
        let at_ms = times.and_then(|times| times.get(row));
        let number = |column: Option<&Int64Chunked>| column.and_then(|column| column.get(row));
        let is_sold = |column| number(column).is_none_or(|number| number > 0);
        let is_late = rules.before_ms.zip(at_ms).is_some_and(|(before, at)| at >= before);
        let is_wanted = rules.only.as_ref().is_none_or(|only| only.contains(id));
        let item = code(item, kind);
        if is_late || !is_wanted || item.is_empty() || (kind == Kind::Baskets && !rules.is_product(&item)) {
            continue;
        }
        let buyer = || buyers.as_ref().and_then(|buyers| buyers.get(row)).map(str::to_owned);
        let pieces = number(quantities).unwrap_or(1);
        if rules.takes_back && pieces < 0 {
            let (id, at_ms) = (id.to_owned(), at_ms.unwrap_or(0));
            came_back.push(Return { id, buyer: buyer(), at_ms, item, pieces: pieces.saturating_neg() });
            continue;
        }
        if !is_sold(quantities) || !is_sold(prices) {
            continue;
        }
        let place = *places.entry(id.to_owned()).or_insert_with(|| {
            entries.push((id.to_owned(), Entry::default()));
            entries.len() - 1
        });
        let entry = &mut entries[place].1;
        entry.at_ms = entry.at_ms.max(at_ms.unwrap_or(0));
        entry.buyer = entry.buyer.take().or_else(buyer);
        let position = number(positions).unwrap_or(row as i64);
        let name = names.as_ref().and_then(|names| names.get(row)).map(str::to_owned);
        entry.lines.push(Line { position, item, name, pieces });
    }
    if !came_back.is_empty() {
        returns::take_back(&mut entries, came_back);
    }
    let mut gather = Gather::new(kind);
    for (id, mut entry) in entries {
        entry.lines.sort_by_key(|line| line.position);
        let lines = entry.lines.iter().map(|line| (line.item.as_str(), line.name.as_deref()));
        gather.entry_of(entry.buyer.as_deref(), &id, entry.at_ms, lines);
    }
    Ok(gather.finish())
}

/// Reads the cases of one task. What is asked for that the log does not know is asked for all the same, and missed: how many are missed so depends on
/// what was learnt from, how many are asked on the file alone.
///
/// # Errors
/// Where the file cannot be read, lacks a column, or holds no case that the log could answer.
pub fn cases(path: &Path, task: &str, log: &Log) -> anyhow::Result<Vec<Case>> {
    let frame = read(path)?;
    let (tasks, targets) = (text(&frame, "task", path)?, text(&frame, "target", path)?);
    let contexts = frame.column("context").with_context(|| path.display().to_string())?;
    let contexts = contexts.list().with_context(|| format!("{}: context is no list", path.display()))?;
    let mut cases: Vec<Case> = Vec::new();
    for row in 0..frame.height() {
        if tasks.str()?.get(row) != Some(task) {
            continue;
        }
        let context = contexts.get_as_series(row).unwrap_or_default().cast(&DataType::String)?;
        let mut given: Vec<u32> =
            context.str()?.iter().flatten().filter_map(|item| log.item(&code(item, Kind::Baskets))).collect();
        given.sort_unstable();
        given.dedup();
        let right = targets.str()?.get(row).and_then(|item| log.item(&code(item, Kind::Baskets)));
        cases.push(Case { given, came: vec![right.unwrap_or(UNKNOWN)], group: row as u32 });
    }
    ensure!(
        cases.iter().any(|case| !case.given.is_empty() && case.came[0] != UNKNOWN),
        "{} holds no case of task {task} whose items the log knows",
        path.display()
    );
    Ok(cases)
}

/// Reads the ids of entries.
///
/// # Errors
/// Where the file cannot be read, or lacks the column.
pub fn ids(path: &Path) -> anyhow::Result<std::collections::HashSet<String>> {
    let frame = read(path)?;
    let ids = text(&frame, "order_id", path)?;
    Ok(ids.str()?.iter().flatten().map(str::to_owned).collect())
}

/// Returns an item's code as it is compared. What a browser reports is one program's: capitals may tell items apart.
fn code(item: &str, kind: Kind) -> String {
    match kind {
        Kind::Baskets => item.trim().to_uppercase(),
        Kind::Sessions => item.trim().to_owned(),
    }
}

fn read(path: &Path) -> anyhow::Result<DataFrame> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    ParquetReader::new(file).finish().with_context(|| format!("{} cannot be read as Parquet", path.display()))
}

fn text(frame: &DataFrame, name: &str, path: &Path) -> anyhow::Result<Column> {
    let Ok(column) = frame.column(name) else {
        let has: Vec<String> = frame.get_column_names().iter().map(ToString::to_string).collect();
        bail!("{} lacks column {name}; it has {}", path.display(), has.join(", "));
    };
    Ok(column.cast(&DataType::String)?)
}

fn optional(frame: &DataFrame, name: &str, kind: &DataType) -> anyhow::Result<Option<Column>> {
    frame.column(name).ok().map(|column| Ok(column.cast(kind)?)).transpose()
}

fn times(frame: &DataFrame) -> anyhow::Result<Option<Column>> {
    let Ok(column) = frame.column("ts") else { return Ok(None) };
    let millis = DataType::Datetime(TimeUnit::Milliseconds, None);
    let column = match column.dtype() {
        DataType::Datetime(..) => column.cast(&millis)?,
        _ => column.clone(),
    };
    Ok(Some(column.cast(&DataType::Int64)?))
}

fn numbers(column: Option<&Column>) -> anyhow::Result<Option<&Int64Chunked>> {
    Ok(column.map(|column| column.i64()).transpose()?)
}
