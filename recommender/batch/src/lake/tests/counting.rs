//! Counts of a lake's days: piecemeal beside at once, broken off, gone, and of something else.

use learning::{
    counts::{self, ShrunkCosine, Weighing},
    pairs,
    together::Together,
};
use recommender::{lists::Entry, pairs::Pair};

use super::*;
use crate::lake::counting::Counting;

const COUNTING: counts::Settings = counts::Settings {
    weighing: Weighing { half_life_days: 2.0, length_power: 1.0 },
    order_items_max: 3,
    partners: 2,
    orders_min: 1,
    memory_bytes: 1 << 20,
};

impl Place {
    fn counts(&self) -> PathBuf {
        self.lake().join("_counts")
    }

    fn try_count(&self, settings: counts::Settings) -> anyhow::Result<(Vec<String>, Counting)> {
        let lake = Lake::open(&self.lake()).unwrap();
        let (together, counting) = lake.count(settings, ShrunkCosine { shrink: 1.0 })?;
        Ok((told(&together), counting))
    }

    fn count(&self) -> (Vec<String>, Counting) {
        self.compact();
        self.try_count(COUNTING).unwrap()
    }
}

/// What counts say, an item a line: its name, popularity, orders, and its partners with their common orders and scores.
fn told(together: &Together) -> Vec<String> {
    let mut items: Vec<Box<str>> = together.items().map(Box::from).collect();
    items.sort();
    let (mut popular, pairs) = (together.popular(&items), together.pairs(&items));
    popular.sort_by_key(|entry| entry.item);
    let line = |entry: &Entry| {
        let partner = |pair: &Pair| format!("{}:{}:{}", items[pair.item as usize], pair.entries, pair.score);
        let partners: Vec<String> = pairs.partners(entry.item).iter().map(partner).collect();
        let name = &items[entry.item as usize];
        format!("{name} {} {} {}", entry.score, pairs.entries(entry.item), partners.join(" "))
    };
    popular.iter().map(line).collect()
}

/// Of each line its name, orders, and partners with their common orders.
fn plain(lines: &[String]) -> Vec<String> {
    let partner = |partner: &str| partner.rsplit_once(':').unwrap().0.to_owned();
    let plain = |line: &String| {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let partners = words[3..].iter().map(|word| partner(word));
        [words[0].to_owned(), words[2].to_owned()].into_iter().chain(partners).collect::<Vec<_>>().join(" ")
    };
    lines.iter().map(plain).collect()
}

/// Three days of orders of up to five products, a late one, one that is told twice, and returns in parts.
fn days() -> [String; 4] {
    let names = ["A", "B", "C", "D", "E", "F", "G"];
    let order = |position: i64| {
        let skus: Vec<&str> = (0..1 + position % 5).map(|n| names[(position * n % 7) as usize]).collect();
        event(position, position / 10 * DAY + position, &skus)
    };
    let orders = |range: std::ops::Range<i64>| range.map(order).collect::<String>();
    let pieces = event(40, 2 * DAY, &["A", "B"]).replace(r#""quantity":1"#, r#""quantity":3"#);
    let twice = event(12, DAY + 99, &["E", "F"]).replace(r#""id":"e12""#, r#""id":"again""#);
    [
        orders(0..10),
        orders(10..20) + &refund(50, DAY + 50, 4, "D", 1),
        orders(20..30)
            + &pieces
            + &twice
            + &refund(51, 2 * DAY + 51, 40, "A", 2)
            + &refund(52, DAY, 13, "F", 1),
        orders(30..40) + &event(41, 5, &["G", "A", "H"]) + &refund(53, 3 * DAY, 40, "A", 1),
    ]
}

#[test]
fn days_that_come_one_by_one_are_counted_as_if_all_had_come_at_once() {
    let (piecemeal, at_once) = (Place::new(), Place::new());
    let mut last = None;
    for (number, day) in (1..).zip(days()) {
        piecemeal.write(number * 100, &day);
        at_once.write(number * 100, &day);
        last = Some(piecemeal.count());
    }
    let (all, counting) = at_once.count();
    assert!(counting.is_first && counting.days == 4, "{counting:?}");
    let (lines, counting) = last.unwrap();
    assert_eq!(lines, all);
    // The last day, the first for the late order, and the third for the order of which the last piece came back.
    assert_eq!((counting.days, counting.added.orders, counting.added.orders_changed), (3, 11, 1));
    assert_eq!((counting.is_first, counting.anew_because), (false, None));
    let (again, counting) = piecemeal.count();
    assert_eq!((again, counting.days, counting.added.rows_counted), (all, 0, 0));
    // What is counted in memory from all orders is the same, where no order is so long that products are drawn.
    let settings = counts::Settings { order_items_max: 9, partners: 9, ..COUNTING };
    let lines = at_once.try_count(settings).unwrap().0;
    let logs = Lake::look_at(Some(&at_once.lake())).unwrap().logs([]).unwrap();
    let pairs = pairs::count(
        logs.orders.all(),
        &pairs::Settings { min_support: 1, partners: 9, ..pairs::Settings::default() },
    );
    for (number, line) in (0..).zip(plain(&lines)) {
        let mut expected: Vec<String> = pairs
            .partners(number)
            .iter()
            .map(|pair| format!("{}:{}", logs.items()[pair.item as usize], pair.entries))
            .collect();
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some(&*logs.items()[number as usize]));
        assert_eq!(words.next(), Some(pairs.entries(number).to_string().as_str()));
        let mut found: Vec<String> = words.map(str::to_owned).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_line_is_taken_out_once_all_its_pieces_are_back_however_many_days_it_takes() {
    let place = Place::new();
    place.write(1, &event(1, 5, &["A", "B"]).replace(r#""quantity":1"#, r#""quantity":3"#));
    let plain_count = || plain(&place.count().0);
    assert_eq!(plain_count(), ["A 1 B:1", "B 1 A:1"]);
    place.write(2, &refund(2, DAY, 1, "A", 2));
    assert_eq!(plain_count(), ["A 1 B:1", "B 1 A:1"]);
    place.write(3, &refund(3, 2 * DAY, 1, "A", 1));
    assert_eq!(plain_count(), ["B 1"]);
    place.write(4, &refund(4, 3 * DAY, 1, "B", 3));
    assert!(plain_count().is_empty());
}

#[test]
fn days_that_did_not_change_are_not_read() {
    let place = Place::new();
    place.write(1, &event(1, 5, &["A", "B"]));
    place.count();
    fs::write(place.lake().join("day=1970-01-01/orders.parquet"), "not read").unwrap();
    place.write(2, &event(2, DAY, &["A", "B"]));
    assert_eq!(plain(&place.count().0), ["A 2 B:2", "B 2 A:2"]);
}

#[test]
fn what_breaks_off_between_lake_counts_and_note_is_made_good_by_the_next_run() {
    let [first, second, third, _] = days();
    let whole = Place::new();
    whole.write(1, &(first.clone() + &second + &third));
    let expected = whole.count().0;
    let noted = |place: &Place| place.counts().join("counted-v1.json");
    // The counts end before the note of the second day, or the names before the counts.
    for names_alone in [false, true] {
        let place = Place::new();
        place.write(1, &first);
        place.count();
        let kept = tempfile::tempdir().unwrap();
        for file in fs::read_dir(place.counts()).unwrap().map(|file| file.unwrap()) {
            fs::copy(file.path(), kept.path().join(file.file_name())).unwrap();
        }
        place.write(2, &second);
        place.count();
        if names_alone {
            fs::copy(place.counts().join("names"), kept.path().join("names")).unwrap();
            fs::remove_dir_all(place.counts()).unwrap();
            fs::create_dir(place.counts()).unwrap();
            for file in fs::read_dir(kept.path()).unwrap().map(|file| file.unwrap()) {
                fs::copy(file.path(), place.counts().join(file.file_name())).unwrap();
            }
        } else {
            fs::copy(kept.path().join("counted-v1.json"), noted(&place)).unwrap();
        }
        place.write(3, &third);
        let (lines, counting) = place.count();
        assert_eq!(lines, expected);
        assert_eq!((counting.is_first, counting.anew_because), (false, None));
        // Nor is anything counted twice where nobody knows what was counted.
        fs::remove_file(noted(&place)).unwrap();
        let (lines, counting) = place.count();
        assert_eq!((lines, counting.added.orders), (expected.clone(), 0));
    }
}

#[test]
fn counts_that_are_gone_torn_or_of_something_else_are_begun_anew() {
    let place = Place::new();
    place.write(1, &days().concat());
    let expected = place.count().0;
    let begun_anew = |what: &str| {
        let (lines, counting) = place.count();
        assert_eq!(lines, expected);
        assert!(counting.is_first && counting.days == 4);
        let said = counting.anew_because.unwrap_or_default();
        assert!(said.ends_with(what), "{said}");
    };
    fs::remove_dir_all(place.counts()).unwrap();
    begun_anew("");
    for file in ["manifest", "names", "heads-2", "segment-1"] {
        let path = place.counts().join(file);
        fs::write(&path, &fs::read(&path).unwrap()[..40]).unwrap();
        if file == "segment-1" {
            // Segments are read where there is something to add, or where settings change.
            place.write(9, &event(90, 3 * DAY, &["A"]));
            place.compact();
            let (_, counting) = place.try_count(COUNTING).unwrap();
            assert!(counting.anew_because.unwrap().ends_with("segment-1 is torn"));
        } else {
            begun_anew(&format!("{file} is torn"));
        }
    }
    let heads = place.counts().join("heads-2");
    fs::remove_file(heads).unwrap();
    let (_, counting) = place.count();
    assert!(counting.anew_because.unwrap().contains("heads-2 cannot be read"));
    let settings = counts::Settings { order_items_max: 4, ..COUNTING };
    let (_, counting) = place.try_count(settings).unwrap();
    assert!(counting.anew_because.unwrap().ends_with("pairs 3 items of an order, not 4"));
    let older = Place::new();
    older.write(1, &days()[0]);
    older.compact();
    fs::rename(place.counts(), older.counts()).unwrap();
    let (_, counting) = older.count();
    assert!(counting.anew_because.unwrap().ends_with("has more of 1970-01-01 than the lake"));
    let error = older.try_count(counts::Settings { partners: 0, ..COUNTING }).unwrap_err().to_string();
    assert_eq!(error, "partners of an item are not between 1 and 10,000");
}
