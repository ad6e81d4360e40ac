mod counting;

use polars::prelude::{ParquetReader, SerReader};

use super::*;

const DAY: i64 = 86_400_000;

fn event(position: i64, at_ms: i64, skus: &[&str]) -> String {
    let line = |sku: &&str| format!(r#"{{"sku":"{sku}","quantity":1,"unit_price_minor":5}}"#);
    let lines = skus.iter().map(line).collect::<Vec<_>>().join(",");
    format!(
        r#"{{"position":{position},"id":"e{position}","at_ms":{at_ms},"type":"order_placed","cart":null,"unit":"v","data":{{"order_id":"o{position}","currency":"GBP","total_minor":5,"source":"shop","lines":[{lines}]}}}}"#
    ) + "\n"
}

/// A folder of event files beside a lake.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("events")).unwrap();
        Self(folder)
    }

    fn events(&self) -> PathBuf {
        self.0.path().join("events")
    }

    /// The lake's folder has characters that must not be read as a pattern.
    fn lake(&self) -> PathBuf {
        self.0.path().join("lake [*] day=x")
    }

    fn write(&self, first: u64, content: &str) {
        fs::write(self.events().join(format!("events-v1-{first:020}.jsonl")), content).unwrap();
    }

    fn compact(&self) -> (Tally, Vec<String>) {
        let mut told = Vec::new();
        let tally =
            Lake::open(&self.lake()).unwrap().compact(&self.events(), &mut |line| told.push(line.reason));
        (tally.unwrap(), told)
    }

    fn orders(&self) -> Vec<(i64, String)> {
        described(&Lake::look_at(Some(&self.lake())).unwrap().logs([]).unwrap())
    }

    /// Every file of the lake with its bytes, but for the lock.
    fn bytes(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = vec![self.lake().join(manifest::FILE_NAME)];
        for entry in fs::read_dir(self.lake()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files.extend(fs::read_dir(path).unwrap().map(|file| file.unwrap().path()));
            }
        }
        files.sort();
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }
}

fn described(logs: &Logs) -> Vec<(i64, String)> {
    let skus = |entry: &[u32]| entry.iter().map(|&item| &*logs.items()[item as usize]).collect::<Vec<&str>>();
    logs.orders.all().entries().map(|(at_ms, entry)| (at_ms, skus(entry).join(" "))).collect()
}

#[test]
fn orders_land_in_the_folder_of_their_day_and_come_back_by_time() {
    let place = Place::new();
    place.write(1, &(event(1, DAY + 5, &["B", "A"]) + &event(2, 3, &["C"])));
    place.write(3, &event(3, DAY + 1, &["D", "D"]));
    let (tally, told) = place.compact();
    assert_eq!(tally, Tally { files: 2, lines: 3, orders: 3, ..Tally::default() });
    assert!(told.is_empty());
    assert!(place.lake().join("day=1970-01-01/orders.parquet").exists());
    let expected = [(3, "C"), (DAY + 1, "D"), (DAY + 5, "A B")].map(|(at, skus)| (at, skus.to_owned()));
    assert_eq!(place.orders(), expected);
}

#[test]
fn compacting_twice_gives_the_same_lake() {
    let place = Place::new();
    place.write(1, &(event(1, 5, &["A"]) + &event(2, DAY, &["B"])));
    place.compact();
    let before = place.bytes();
    assert_eq!(place.compact().0, Tally { files: 1, ..Tally::default() });
    assert_eq!(place.bytes(), before);
    // Also where the manifest is lost and everything is read again.
    fs::remove_file(place.lake().join(manifest::FILE_NAME)).unwrap();
    assert_eq!(place.compact().0, Tally { files: 1, lines: 2, orders: 2, duplicates: 2, ..Tally::default() });
    assert_eq!(place.bytes(), before);
}

#[test]
fn an_event_that_stands_twice_counts_once() {
    let place = Place::new();
    place.write(1, &(event(1, 5, &["A"]) + &event(1, 5, &["A"])));
    place.write(2, &event(1, 5, &["A"]));
    assert_eq!(place.compact().0.duplicates, 2);
    place.write(3, &(event(1, 5, &["A"]) + &event(4, 6, &["B"])));
    let (tally, _) = place.compact();
    assert_eq!((tally.orders, tally.duplicates), (2, 1));
    assert_eq!(place.orders(), [(5, "A".to_owned()), (6, "B".to_owned())]);
}

#[test]
fn a_file_that_grows_is_read_from_where_it_was_left() {
    let place = Place::new();
    let (first, second) = (event(1, 5, &["A"]), event(2, 6, &["B"]));
    place.write(1, &(first.clone() + &second[..30]));
    let (tally, told) = place.compact();
    assert_eq!((tally.orders, tally.unfinished, tally.broken, told.len()), (1, 1, 0, 0));
    place.write(1, &(first + &second));
    let (tally, _) = place.compact();
    assert_eq!((tally.lines, tally.orders, tally.duplicates, tally.unfinished), (1, 1, 0, 0));
    assert_eq!(place.orders().len(), 2);
}

#[test]
fn a_late_order_joins_its_day_and_what_came_piecemeal_equals_what_came_at_once() {
    let place = Place::new();
    place.write(1, &event(1, 50, &["A"]));
    place.compact();
    place.write(2, &event(2, 2 * DAY, &["B"]));
    place.compact();
    place.write(3, &event(3, 40, &["C"]));
    place.compact();
    assert_eq!(place.orders(), [(40, "C".to_owned()), (50, "A".to_owned()), (2 * DAY, "B".to_owned())]);
    let at_once = Place::new();
    at_once.write(1, &event(1, 50, &["A"]));
    at_once.write(2, &event(2, 2 * DAY, &["B"]));
    at_once.write(3, &event(3, 40, &["C"]));
    at_once.compact();
    let contents = |place: &Place| place.bytes().into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    assert_eq!(contents(&place), contents(&at_once));
}

#[test]
fn broken_lines_are_told_and_nothing_else_is_lost() {
    let place = Place::new();
    place.write(1, &format!("{}not json\n{}", event(1, 5, &["A"]), event(2, 6, &["B"])));
    let (tally, told) = place.compact();
    assert_eq!((tally.orders, tally.broken), (2, 1));
    assert_eq!(told, ["expected ident at column 2"]);
}

#[test]
fn looking_at_a_lake_reads_what_is_new_and_writes_nothing() {
    let place = Place::new();
    place.write(1, &(event(1, 50, &["A"]) + &event(2, 2 * DAY, &["B"])));
    place.compact();
    let before = place.bytes();
    place.write(3, &(event(3, 60, &["C"]) + &event(1, 50, &["A"])));
    let mut lake = Lake::look_at(Some(&place.lake())).unwrap();
    lake.add(&place.events(), &mut |_| ()).unwrap();
    let expected = [(50, "A"), (60, "C"), (2 * DAY, "B")].map(|(at, skus)| (at, skus.to_owned()));
    assert_eq!(described(&lake.logs([]).unwrap()), expected);
    assert_eq!(place.bytes(), before);
    let mut none = Lake::look_at(None).unwrap();
    none.add(&place.events(), &mut |_| ()).unwrap();
    assert_eq!(described(&none.logs([]).unwrap()), expected);
}

#[test]
fn a_lake_that_lost_a_day_or_is_being_written_is_refused() {
    let place = Place::new();
    place.write(1, &event(1, 50, &["A"]));
    place.compact();
    let held = Lake::open(&place.lake()).unwrap();
    let said = Lake::open(&place.lake()).err().unwrap().to_string();
    assert!(said.ends_with("is being written by another process"), "{said}");
    drop(held);
    fs::remove_dir_all(place.lake().join("day=1970-01-01")).unwrap();
    let said = Lake::open(&place.lake()).err().unwrap().to_string();
    assert!(said.contains("lacks orders.parquet of day 1970-01-01"), "{said}");
}

#[test]
fn no_events_are_no_orders() {
    let place = Place::new();
    assert_eq!(place.compact().0, Tally::default());
    assert!(place.orders().is_empty());
    let mut lake = Lake::open(&place.lake()).unwrap();
    assert_eq!(lake.compact(&place.0.path().join("none"), &mut |_| ()).unwrap(), Tally::default());
}

fn line(position: i64, at_ms: i64, kind: &str, unit: &str, data: &str) -> String {
    format!(
        r#"{{"position":{position},"id":"e{position}","at_ms":{at_ms},"type":"{kind}","cart":null,"unit":"{unit}","data":{data}}}"#
    ) + "\n"
}

fn view(position: i64, at_ms: i64, unit: &str, sku: &str) -> String {
    line(position, at_ms, "product_viewed", unit, &format!(r#"{{"sku":"{sku}"}}"#))
}

fn refund(position: i64, at_ms: i64, order: i64, sku: &str, quantity: i64) -> String {
    let data = format!(r#"{{"order_id":"o{order}","lines":[{{"sku":"{sku}","quantity":{quantity}}}]}}"#);
    line(position, at_ms, "order_refunded", "v", &data)
}

fn sessions(logs: &Logs) -> Vec<String> {
    let skus = |entry: &[u32]| entry.iter().map(|&item| &*logs.items()[item as usize]).collect::<Vec<&str>>();
    logs.sessions.all().entries().map(|(_, entry)| skus(entry).join(" ")).collect()
}

#[test]
fn what_was_sent_back_is_not_learnt_from() {
    let place = Place::new();
    let back = |position, lines: &str| {
        line(position, 3 * DAY, "order_refunded", "v", &format!(r#"{{"order_id":"o1","lines":[{lines}]}}"#))
    };
    place.write(1, &(event(1, 5, &["A", "B", "B"]) + &event(2, 6, &["C"])));
    place.write(3, &(back(3, r#"{"sku":"B","quantity":1}"#) + &back(4, r#"{"sku":"A","quantity":1}"#)));
    place.write(
        5,
        &line(5, DAY, "order_cancelled", "v", r#"{"order_id":"o2","lines":[{"sku":"C","quantity":1}]}"#),
    );
    place.compact();
    assert!(place.lake().join("day=1970-01-04/returns.parquet").exists());
    // Of the two lines of B one came back; of order 2 nothing is left.
    assert_eq!(place.orders(), [(5, "B".to_owned())]);
}

#[test]
fn sessions_go_on_over_midnight_and_beside_what_is_not_written() {
    let place = Place::new();
    place.write(1, &(view(1, DAY - 9, "v", "A") + &view(2, DAY + 9, "v", "B")));
    place.compact();
    place.write(3, &(view(3, DAY + 20, "v", "C") + &view(4, 2 * DAY, "v", "D")));
    let mut lake = Lake::look_at(Some(&place.lake())).unwrap();
    lake.add(&place.events(), &mut |_| ()).unwrap();
    assert_eq!(sessions(&lake.logs([]).unwrap()), ["A B C"]);
}

#[test]
fn a_deleted_history_is_in_no_file_of_the_lake_and_what_was_declined_is_not_learnt_from() {
    let place = Place::new();
    let learnt = || sessions(&Lake::look_at(Some(&place.lake())).unwrap().logs([]).unwrap());
    place.write(
        1,
        &(view(1, 1, "v", "A") + &view(2, 2, "v", "B") + &view(3, 1, "w", "A") + &view(4, 2, "w", "C")),
    );
    place.compact();
    assert_eq!(learnt(), ["A B", "A C"]);
    let deleted = line(5, 9, "history_deleted", "u", r#"{"through_ms":9}"#);
    let known = line(6, 3, "visitor_known", "v", r#"{"unit":"u"}"#);
    let declined = line(7, 20, "history_declined", "w", r#"{"because":"choice"}"#);
    place.write(5, &(deleted + &known + &declined));
    // One comes late, one is new.
    place.write(
        8,
        &(view(8, 8, "v", "Z") + &view(9, 10, "v", "D") + &view(10, 11, "u", "A") + &view(11, 21, "w", "B")),
    );
    place.compact();
    assert_eq!(learnt(), ["A C", "D A"]);
    let left = fs::read(place.lake().join("day=1970-01-01/views.parquet")).unwrap();
    let left = ParquetReader::new(std::io::Cursor::new(left)).finish();
    assert_eq!(left.unwrap().height(), 5, "w's three, D and A");
    // Also where everything is read again.
    fs::remove_dir_all(place.lake()).unwrap();
    place.compact();
    assert_eq!(learnt(), ["A C", "D A"]);
}

#[test]
fn orders_are_of_their_units_where_these_may_be_learnt_from() {
    let place = Place::new();
    let order = |position, at_ms, unit: &str| {
        event(position, at_ms, &["A"]).replace("\"unit\":\"v\"", &format!("\"unit\":{unit}"))
    };
    let orders = order(1, 1, "\"u\"") + &order(2, 2, "\"v\"") + &order(3, 3, "null") + &order(4, 4, "\"w\"");
    let later = order(5, 30, "\"w\"") + &order(6, 31, "\"u\"") + &order(7, 32, "\"w\"");
    let said = line(8, 5, "visitor_known", "v", r#"{"unit":"u"}"#)
        + &line(9, 5, "history_deleted", "w", r#"{"through_ms":5}"#)
        + &line(10, 31, "history_declined", "w", r#"{"because":"choice"}"#);
    place.write(1, &(orders + &later + &said));
    place.compact();
    let logs = Lake::look_at(Some(&place.lake())).unwrap().logs([]).unwrap();
    let buyers: Vec<_> = logs.orders.all().buyers().collect();
    assert_eq!(buyers, [Some(0), Some(0), None, Some(1), Some(0), None], "what w deleted was never ordered");
}

#[test]
fn logs_are_of_the_latest_days_that_have_enough_lines() {
    let place = Place::new();
    place.write(1, &(event(1, 5, &["A"]) + &event(2, DAY, &["B", "C"]) + &event(3, 2 * DAY, &["D"])));
    place.write(
        4,
        &(view(4, 1, "v", "A") + &view(5, 2, "v", "B") + &view(6, DAY, "w", "A") + &view(7, DAY, "w", "C")),
    );
    place.write(8, &refund(8, 3 * DAY, 2, "B", 1));
    place.compact();
    let lake = Lake::look_at(Some(&place.lake())).unwrap();
    let lengths = |lines| {
        let (orders, sessions) = lake.latest(lines).unwrap();
        (orders.line_count(), sessions.line_count())
    };
    assert_eq!([1, 2, 3, 4].map(lengths), [(1, 2), (2, 2), (2, 4), (3, 4)]);
    assert_eq!(lake.first_ms().unwrap(), 1);
}
