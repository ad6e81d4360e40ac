//! Lines of event files, checked one by one: what is learnt from is kept in one plain form, what is broken is told with its
//! reason.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{BufRead, BufReader, Seek, SeekFrom},
};

use anyhow::Context;
use cart_core::{OrderId, Sku};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{events::EventFile, table::Table};

/// The longest line in bytes. An order of a full cart has some 50,000; a line longer than this is a file that lost its line ends.
pub const LINE_BYTES_MAX: u64 = 16 << 20;

/// The length of a day, which is always that: Unix time has no leap seconds.
pub const DAY_MS: i64 = 86_400_000;

/// The latest time in Unix milliseconds: the end of the year 9999, the last that a day's folder can name.
pub const AT_MS_MAX: i64 = 253_402_300_799_999;

/// How much later than now an event may be, in milliseconds: clocks differ, by the hours of a zone at most. One order of a
/// far year would make all others count as old as they then are.
pub const AHEAD_MAX_MS: i64 = DAY_MS;

/// Says how far a file has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The bytes of the whole lines that were read.
    pub bytes: u64,
    /// Their number.
    pub lines: u64,
}

/// Is a line that is no event, or an order that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The path of the file.
    pub file: String,
    /// The line's number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.file, self.line, self.reason)
    }
}

/// Gathers the rows of event files as JSON lines of one form a table, with what all lines said of position and time.
#[derive(Debug, Default)]
pub struct Batch {
    /// The rows of each table, one line each.
    pub rows: BTreeMap<Table, Vec<u8>>,
    /// How many of them are orders.
    pub orders: u64,
    /// How many of them are views.
    pub views: u64,
    /// The highest position of any event.
    pub through_position: i64,
    /// The latest time of any event.
    pub through_at_ms: i64,
}

/// Says how a reading of one file ended.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// Up to where the file has been read now.
    pub mark: Mark,
    /// How many lines were broken.
    pub broken: u64,
    /// Whether a line without its end follows: torn by a crash, or being written.
    pub unfinished: bool,
}

/// An event as the files carry it.
#[derive(Deserialize)]
struct Event<'a> {
    position: i64,
    #[serde(borrow)]
    id: Cow<'a, str>,
    at_ms: i64,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    cart: Option<String>,
    unit: Option<String>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
struct OrderPlaced {
    order_id: OrderId,
    currency: String,
    source: String,
    total_minor: i64,
    lines: Vec<OrderLine>,
}

/// A line of an order that was cancelled or sent back, in part or whole.
#[derive(Deserialize)]
struct Refund {
    order_id: OrderId,
    lines: Vec<ReturnedLine>,
}

#[derive(Serialize, Deserialize)]
struct ReturnedLine {
    sku: Sku,
    quantity: i64,
}

/// What a unit said of its history.
#[derive(Deserialize)]
struct Saying {
    /// Whom a visitor is known as.
    unit: Option<String>,
    /// Until when a history is deleted.
    through_ms: Option<i64>,
}

/// What was looked at.
#[derive(Deserialize)]
struct Viewed {
    sku: Sku,
}

#[derive(Serialize, Deserialize)]
struct OrderLine {
    sku: Sku,
    quantity: i64,
    unit_price_minor: i64,
}

/// The form in which events go on: a row of the lake, with the day it belongs to.
#[derive(Serialize)]
struct Row<'a, T> {
    /// Days since 1970 in UTC.
    day: i64,
    id: &'a str,
    position: i64,
    at_ms: i64,
    #[serde(flatten)]
    own: T,
}

#[derive(Serialize)]
struct Order<'a> {
    unit: Option<&'a str>,
    cart: Option<&'a str>,
    #[serde(flatten)]
    placed: OrderPlaced,
}

#[derive(Serialize)]
struct Return {
    order_id: OrderId,
    lines: Vec<ReturnedLine>,
}

#[derive(Serialize)]
struct Unit<'a> {
    unit: &'a str,
    said: &'a str,
    known_as: Option<String>,
    through_ms: Option<i64>,
}

#[derive(Serialize)]
struct View<'a> {
    unit: &'a str,
    sku: Sku,
    source: &'a str,
}

/// Reads whole lines from `from` on, until the file ends or the batch has `batch_bytes`; what is later than `latest_ms`, in Unix
/// milliseconds, is broken.
///
/// # Errors
/// Where the file cannot be read.
pub fn read(
    file: &EventFile,
    from: Mark,
    batch_bytes: usize,
    latest_ms: i64,
    batch: &mut Batch,
    broken: &mut dyn FnMut(Broken),
) -> anyhow::Result<Read> {
    let path = file.path.display();
    let open = || -> std::io::Result<_> {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(&file.path)?);
        reader.seek(SeekFrom::Start(from.bytes))?;
        Ok(reader)
    };
    let mut reader = open().with_context(|| path.to_string())?;
    let mut read = Read { mark: from, broken: 0, unfinished: false };
    let mut line = Vec::new();
    while batch.size() < batch_bytes {
        let bytes = next_line(&mut reader, &mut line).with_context(|| path.to_string())?;
        if bytes == 0 {
            break;
        }
        let Some(text) = line.strip_suffix(b"\n") else {
            if (line.len() as u64) < LINE_BYTES_MAX {
                read.unfinished = true;
                break;
            }
            // Only the beginning of a line that is too long is kept; what matters is that it is passed over.
            read.pass(bytes);
            read.tell(&path.to_string(), format!("longer than {LINE_BYTES_MAX} bytes"), broken);
            continue;
        };
        read.pass(bytes);
        if let Err(reason) = batch.take(text, latest_ms) {
            read.tell(&path.to_string(), reason, broken);
        }
    }
    Ok(read)
}

impl Read {
    fn pass(&mut self, bytes: u64) {
        self.mark.bytes += bytes;
        self.mark.lines += 1;
    }

    fn tell(&mut self, file: &str, reason: String, broken: &mut dyn FnMut(Broken)) {
        self.broken += 1;
        broken(Broken { file: file.to_owned(), line: self.mark.lines, reason });
    }
}

/// Reads the next line into `line`, its end included, and returns its bytes in the file. Of a line that is too long,
/// `line` is the beginning, and the rest is passed over.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<u64> {
    line.clear();
    let mut bytes = std::io::Read::take(&mut *reader, LINE_BYTES_MAX).read_until(b'\n', line)? as u64;
    if bytes == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
        bytes += skip_line(reader)?;
    }
    Ok(bytes)
}

fn skip_line(reader: &mut impl BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let end = buffer.iter().position(|&b| b == b'\n');
        let count = end.map_or(buffer.len(), |place| place + 1);
        reader.consume(count);
        skipped += count as u64;
        if end.is_some() {
            return Ok(skipped);
        }
    }
}

impl Batch {
    /// Takes one line, without its end.
    fn take(&mut self, line: &[u8], latest_ms: i64) -> Result<(), String> {
        if line.is_empty() {
            return Err("the line is empty".to_owned());
        }
        let event: Event<'_> = serde_json::from_slice(line).map_err(reason)?;
        if event.id.is_empty() {
            return Err("the event's id is empty".to_owned());
        }
        if event.position < 0 {
            return Err(format!("position {} is negative", event.position));
        }
        if !(0..=AT_MS_MAX).contains(&event.at_ms) {
            return Err(format!("at_ms {} is not between 0 and {AT_MS_MAX}", event.at_ms));
        }
        if event.at_ms > latest_ms {
            return Err(format!(
                "at_ms {} is in the future: the latest that is believed is {latest_ms}",
                event.at_ms
            ));
        }
        match &*event.kind {
            "order_placed" => self.take_order(&event)?,
            "order_cancelled" | "order_refunded" => self.take_return(&event)?,
            "product_viewed" => self.take_view(&event, "view")?,
            "line_added" => self.take_view(&event, "cart")?,
            "visitor_known" | "history_deleted" | "history_declined" | "history_allowed" => {
                self.take_saying(&event)?;
            }
            _ => {}
        }
        self.through_position = self.through_position.max(event.position);
        self.through_at_ms = self.through_at_ms.max(event.at_ms);
        Ok(())
    }

    /// Returns the bytes of all rows.
    pub fn size(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    fn take_order(&mut self, event: &Event<'_>) -> Result<(), String> {
        let placed: OrderPlaced = data(event)?;
        if placed.lines.is_empty() {
            return Err(format!("order {} has no lines", placed.order_id));
        }
        for line in &placed.lines {
            if line.quantity <= 0 {
                return Err(format!("order {} has {} of {}", placed.order_id, line.quantity, line.sku));
            }
            if line.unit_price_minor < 0 {
                return Err(format!(
                    "order {} has {} at {}",
                    placed.order_id, line.sku, line.unit_price_minor
                ));
            }
        }
        let own = Order { unit: event.unit.as_deref(), cart: event.cart.as_deref(), placed };
        self.put(Table::Orders, event, own)?;
        self.orders += 1;
        Ok(())
    }

    fn take_return(&mut self, event: &Event<'_>) -> Result<(), String> {
        let Refund { order_id, lines } = data(event)?;
        // A part of the money alone, as for a scratch, gives nothing back.
        if lines.is_empty() {
            return Ok(());
        }
        if let Some(line) = lines.iter().find(|line| line.quantity < 0) {
            return Err(format!("order {order_id} gets back {} of {}", line.quantity, line.sku));
        }
        self.put(Table::Returns, event, Return { order_id, lines })
    }

    fn take_view(&mut self, event: &Event<'_>, source: &str) -> Result<(), String> {
        let Viewed { sku } = data(event)?;
        // Without a unit there is no session that it belongs to.
        let Some(unit) = &event.unit else { return Ok(()) };
        self.put(Table::Views, event, View { unit, sku, source })?;
        self.views += 1;
        Ok(())
    }

    fn take_saying(&mut self, event: &Event<'_>) -> Result<(), String> {
        let Saying { unit: known_as, through_ms } = data(event)?;
        let unit = event.unit.as_deref().ok_or_else(|| format!("{} is of no unit", event.kind))?;
        self.put(Table::Units, event, Unit { unit, said: &event.kind, known_as, through_ms })
    }

    fn put(&mut self, table: Table, event: &Event<'_>, own: impl Serialize) -> Result<(), String> {
        let Event { position, at_ms, .. } = *event;
        let row = Row { day: at_ms / DAY_MS, id: &event.id, position, at_ms, own };
        let rows = self.rows.entry(table).or_default();
        serde_json::to_writer(&mut *rows, &row).map_err(reason)?;
        rows.push(b'\n');
        Ok(())
    }
}

fn data<'a, T: Deserialize<'a>>(event: &Event<'a>) -> Result<T, String> {
    serde_json::from_str(event.data.get()).map_err(|e| format!("data: {}", reason(e)))
}

/// Says what JSON says, without its line number, which is always 1.
fn reason(error: serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATEST_MS: i64 = AT_MS_MAX - 1;

    fn reading(content: &[u8], from: Mark) -> (Read, Batch, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.jsonl");
        std::fs::write(&path, content).unwrap();
        let file = EventFile { path, name: "e.jsonl".to_owned(), bytes: content.len() as u64 };
        let mut batch = Batch::default();
        let mut told = Vec::new();
        let mut tell = |line: Broken| told.push(format!("{} {}", line.line, line.reason));
        let read = read(&file, from, usize::MAX, LATEST_MS, &mut batch, &mut tell).unwrap();
        (read, batch, told)
    }

    fn order(data: &str) -> String {
        format!(
            r#"{{"position":7,"id":"e7","at_ms":9,"type":"order_placed","cart":null,"unit":"v","data":{data}}}"#
        )
    }

    const GOOD: &str = r#"{"order_id":"o1","currency":"GBP","total_minor":4,"source":"shop","lines":[{"sku":"A","quantity":2,"unit_price_minor":2}],"new":[1]}"#;

    #[test]
    fn orders_are_kept_and_other_events_only_move_the_position() {
        let other =
            r#"{"position":9,"id":"e9","at_ms":11,"type":"cart_cleared","cart":"c","unit":"v","data":{}}"#;
        let (read, batch, told) = reading(format!("{}\n{other}\n", order(GOOD)).as_bytes(), Mark::default());
        assert_eq!((batch.orders, batch.through_position, batch.through_at_ms), (1, 9, 11));
        assert_eq!((read.mark.lines, read.unfinished, told.len()), (2, false, 0));
        assert_eq!(
            String::from_utf8(batch.rows[&Table::Orders].clone()).unwrap(),
            r#"{"day":0,"id":"e7","position":7,"at_ms":9,"unit":"v","cart":null,"order_id":"o1","currency":"GBP","source":"shop","total_minor":4,"lines":[{"sku":"A","quantity":2,"unit_price_minor":2}]}"#
                .to_owned()
                + "\n"
        );
    }

    #[test]
    fn views_returns_and_who_asks_to_be_forgotten_are_kept() {
        let event = |kind: &str, unit: &str, data: &str| {
            format!(
                r#"{{"position":7,"id":"e7","at_ms":9,"type":"{kind}","cart":null,"unit":{unit},"data":{data}}}"#
            ) + "\n"
        };
        let content = event("product_viewed", r#""v""#, r#"{"sku":"A","source":"page"}"#)
            + &event("line_added", r#""v""#, r#"{"sku":"B","quantity":1,"unit_price_minor":3}"#)
            + &event("product_viewed", "null", r#"{"sku":"A"}"#)
            + &event("order_refunded", r#""v""#, r#"{"order_id":"o1","amount_minor":5,"lines":[]}"#)
            + &event(
                "order_cancelled",
                r#""v""#,
                r#"{"order_id":"o1","lines":[{"sku":"A","quantity":1,"restocked":1}]}"#,
            )
            + &event("history_deleted", r#""v""#, r#"{"through_ms":8}"#)
            + &event("visitor_known", r#""v""#, r#"{"unit":"u"}"#);
        let (read, batch, told) = reading(content.as_bytes(), Mark::default());
        assert_eq!((read.mark.lines, told.len(), batch.views, batch.orders), (7, 0, 2, 0));
        let rows = |table| String::from_utf8(batch.rows[&table].clone()).unwrap();
        let head = r#"{"day":0,"id":"e7","position":7,"at_ms":9,"#;
        assert_eq!(
            rows(Table::Views),
            format!(
                "{head}\"unit\":\"v\",\"sku\":\"A\",\"source\":\"view\"}}\n{head}\"unit\":\"v\",\"sku\":\"B\",\"source\":\"cart\"}}\n"
            )
        );
        let lines = r#""order_id":"o1","lines":[{"sku":"A","quantity":1}]}"#;
        assert_eq!(rows(Table::Returns), format!("{head}{lines}\n"));
        let said = r#""unit":"v","said":"history_deleted","known_as":null,"through_ms":8}"#;
        let known = r#""unit":"v","said":"visitor_known","known_as":"u","through_ms":null}"#;
        assert_eq!(rows(Table::Units), format!("{head}{said}\n{head}{known}\n"));
    }

    #[test]
    fn every_broken_line_is_told_with_its_number_and_the_rest_is_kept() {
        let bad = [
            "{".to_owned(),
            String::new(),
            order(&GOOD.replace("\"sku\":\"A\"", "\"sku\":\"\"")),
            order(&GOOD.replace("\"quantity\":2", "\"quantity\":0")),
            order(&GOOD.replace("\"quantity\":2", "\"quantity\":2.5")),
            order(&GOOD.replace("\"unit_price_minor\":2", "\"unit_price_minor\":-2")),
            order(r#"{"order_id":"o1","currency":"GBP","total_minor":4,"source":"shop","lines":[]}"#),
            order(GOOD).replace("\"at_ms\":9", "\"at_ms\":-9"),
            order(GOOD).replace("\"at_ms\":9", &format!("\"at_ms\":{AT_MS_MAX}")),
            order(GOOD).replace("\"e7\"", "\"\""),
        ];
        let content = format!("{}\n{}\n{}\n", order(GOOD), bad.join("\n"), order(GOOD));
        let (read, batch, told) = reading(content.as_bytes(), Mark::default());
        assert_eq!(
            told,
            [
                "2 EOF while parsing an object at column 1",
                "3 the line is empty",
                "4 data: SKU is empty at column 84",
                "5 order o1 has 0 of A",
                "6 data: invalid type: floating point `2.5`, expected i64 at column 100",
                "7 order o1 has A at -2",
                "8 order o1 has no lines",
                "9 at_ms -9 is not between 0 and 253402300799999",
                "10 at_ms 253402300799999 is in the future: the latest that is believed is 253402300799998",
                "11 the event's id is empty",
            ]
        );
        assert_eq!((batch.orders, read.broken, read.mark.lines), (2, 10, 12));
    }

    #[test]
    fn bytes_that_are_no_text_break_one_line_only() {
        let mut content = b"\xff\xfe\n".to_vec();
        content.extend(order(GOOD).as_bytes());
        content.push(b'\n');
        let (_, batch, told) = reading(&content, Mark::default());
        assert_eq!((batch.orders, told.len()), (1, 1));
    }

    #[test]
    fn a_torn_last_line_waits_and_is_read_once_it_is_whole() {
        let whole = format!("{}\n", order(GOOD));
        let torn = format!("{whole}{}", &whole[..50]);
        let (read, batch, told) = reading(torn.as_bytes(), Mark::default());
        assert_eq!((batch.orders, read.unfinished, told.len()), (1, true, 0));
        assert_eq!(read.mark, Mark { bytes: whole.len() as u64, lines: 1 });
        let (later, batch, _) = reading(format!("{whole}{whole}").as_bytes(), read.mark);
        assert_eq!((batch.orders, later.unfinished, later.mark.lines), (1, false, 2));
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let mut content = vec![b'x'; LINE_BYTES_MAX as usize + 10];
        content.push(b'\n');
        content.extend(order(GOOD).as_bytes());
        content.push(b'\n');
        let (read, batch, told) = reading(&content, Mark::default());
        assert_eq!((batch.orders, read.mark.lines, read.mark.bytes), (1, 2, content.len() as u64));
        assert_eq!(told, ["1 longer than 16777216 bytes"]);
    }
}
