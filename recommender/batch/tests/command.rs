//! The program as a server or an operator meets it: its arguments, files, output and exit status.

#![expect(clippy::unwrap_used, reason = "what surrounds a test fails with it")]

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use cart_core::Sku;
use recommender::{
    Algorithm, Deletion, Evidence, Index, Model, Reason, Tuning, Wanted,
    archive::{Archive, ArchiveError, Deleted},
};

const FIRST: &str = "events-v1-00000000000000000001.jsonl";

/// A data folder, and the program run in it.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("events")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn events(&self, name: &str, content: &str) {
        fs::write(self.path("events").join(name), content).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartwright-batch"));
        let Output { status, stdout, stderr } =
            command.current_dir(self.0.path()).args(arguments).output().unwrap();
        (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn train(&self, more: &[&str]) -> (i32, String, String) {
        let always = ["train", "--events", "events", "--lake", "lake", "--model", "model/current.model"];
        self.run(&[&always[..], more].concat())
    }
}

fn order(number: i64, skus: &[&str]) -> String {
    let line = |sku: &&str| format!(r#"{{"sku":"{sku}","quantity":1,"unit_price_minor":5}}"#);
    let lines = skus.iter().map(line).collect::<Vec<_>>().join(",");
    let at_ms = 1_764_000_000_000 + number * 3_600_000;
    format!(
        r#"{{"position":{number},"id":"e{number}","at_ms":{at_ms},"type":"order_placed","cart":"c{number}","unit":"v","data":{{"order_id":"o{number}","currency":"GBP","total_minor":5,"source":"shop","lines":[{lines}]}}}}"#
    ) + "\n"
}

fn orders() -> String {
    (0..40).map(|n| if n % 2 == 0 { order(n, &["CUP", "TEA"]) } else { order(n, &["JUG", "MILK"]) }).collect()
}

/// Views of two walks through the shop, each by a visitor of their own.
fn views() -> String {
    let walks = [["CUP", "TEA", "POT"], ["JUG", "MILK", "CREAM"]];
    let view = |number: i64, step: i64| {
        let (position, at_ms) =
            (1_000 + number * 3 + step, 1_764_000_000_000 + number * 3_600_000 + step * 1_000);
        let sku = walks[(number % 2) as usize][step as usize];
        format!(
            r#"{{"position":{position},"id":"w{position}","at_ms":{at_ms},"type":"product_viewed","cart":null,"unit":"v{number}","data":{{"sku":"{sku}"}}}}"#
        ) + "\n"
    };
    (0..60).flat_map(|number| (0..3).map(move |step| view(number, step))).collect()
}

const SECOND: &str = "events-v1-00000000000000001000.jsonl";

#[test]
fn training_writes_a_model_that_the_index_answers_from() {
    let shop = Shop::new();
    shop.events(FIRST, &(orders() + &(40..80).map(|n| order(n, &["CUP", "TEA"])).collect::<String>()));
    shop.events(SECOND, &views());
    fs::write(shop.path("catalogue.jsonl"), "{\"sku\":\"POT\",\"name\":\"A tea pot\",\"category\":\"Tea\"}\n{\"sku\":\"NEW\",\"name\":\"A new pot\"}\n").unwrap();
    let (status, out, err) = shop.train(&["--now-ms", "1765000000000", "--catalogue", "catalogue.jsonl"]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(
        out.starts_with(
            "read 260 new lines of 2 event files: 80 orders, 180 views\ncounted all 80 orders: 4 rows of 4 items, from 4 days, in 0."
        ) && out.contains(" s\nlearnt from 80 orders and 60 sessions of 7 items"),
        "{out}"
    );
    let index = Index::new(Model::read(&shop.path("model/current.model")).unwrap());
    let about = index.about();
    assert_eq!(
        (about.trained_at_ms, about.orders, about.sessions, about.items),
        (1_765_000_000_000, 80, 60, 7)
    );
    assert_eq!((about.through_position, about.from_ms), (1_179, 1_764_000_000_000));
    let methods: Vec<&str> = about.measured.iter().map(|measured| measured.method.as_str()).collect();
    assert!(methods.contains(&"popularity") && methods.contains(&"cosine") && methods.contains(&"ranked"));
    for algorithm in [Algorithm::Learnt, Algorithm::Pairs] {
        let wanted = Wanted { algorithm, most: 3, allow: &|_| true, alike: None, tuning: Tuning::default() };
        let sku = |text: &str| Sku::parse(text).unwrap();
        let first = &index.bought_together(&sku("CUP"), wanted)[0];
        let counted = Reason::BoughtTogether(Evidence { with: sku("CUP"), both: 60, of: 60 });
        assert_eq!((first.sku.as_str(), &first.reason), ("TEA", &counted));
        let next = &index.next(&[sku("JUG"), sku("MILK")], wanted)[0];
        assert_eq!(next.sku.as_str(), "CREAM");
    }
}

#[test]
fn a_model_that_is_plainly_worse_is_kept_but_does_not_go_into_service() {
    let shop = Shop::new();
    shop.events(
        FIRST,
        &(0..100)
            .map(|n| if n % 2 == 0 { order(n, &["CUP", "TEA"]) } else { order(n, &["JUG", "MILK"]) })
            .collect::<String>(),
    );
    assert_eq!(shop.train(&["--now-ms", "1765000000001"]).0, 0);
    let before = fs::read(shop.path("model/current.model")).unwrap();
    fs::remove_dir_all(shop.path("lake")).unwrap();
    shop.events(FIRST, &orders());
    let (status, out, _) = shop.train(&["--now-ms", "1765000000002"]);
    assert_eq!(status, 4);
    assert!(out.contains("was not put into service: it was learnt from 40 orders where model"), "{out}");
    assert_eq!(fs::read(shop.path("model/current.model")).unwrap(), before);
    let (status, out, _) = shop.train(&["--now-ms", "1765000000002", "--promote-anyway"]);
    assert!(status == 0 && out.contains("is in service as model/current.model"), "{out}");
    assert_ne!(fs::read(shop.path("model/current.model")).unwrap(), before);
}

#[test]
fn training_again_reads_only_what_is_new_and_writes_the_same_bytes() {
    let shop = Shop::new();
    shop.events(FIRST, &orders());
    shop.train(&["--now-ms", "1765000000005"]);
    let before = fs::read(shop.path("model/current.model")).unwrap();
    let (status, out, _) = shop.train(&["--now-ms", "1765000000005"]);
    assert!(
        status == 0 && out.starts_with("read 0 new lines of 1 event files: 0 orders, 0 views\n"),
        "{out}"
    );
    assert_eq!(fs::read(shop.path("model/current.model")).unwrap(), before);
}

#[test]
fn days_that_come_one_by_one_give_the_bytes_that_all_at_once_give() {
    let (piecemeal, at_once) = (Shop::new(), Shop::new());
    let skus = ["CUP", "JUG", "MILK", "POT", "TEA", "URN"];
    let basket =
        |n: i64| order(n, &[skus[(n * n % 6) as usize], skus[(n % 5) as usize], skus[(n % 4) as usize]]);
    let back = |n: i64, at: i64| {
        let data =
            format!(r#"{{"order_id":"o{n}","lines":[{{"sku":"{}","quantity":2}}]}}"#, skus[(n % 5) as usize]);
        let at_ms = 1_764_000_000_000 + at * 3_600_000;
        format!(
            r#"{{"position":{},"id":"b{n}","at_ms":{at_ms},"type":"order_refunded","cart":null,"unit":"v","data":{data}}}"#,
            500 + n
        ) + "\n"
    };
    let days = [
        (0..60).map(basket).collect::<String>(),
        (60..100).map(basket).collect::<String>() + &back(30, 99),
        views(),
        (100..110).map(basket).collect::<String>() + &back(31, 109) + &back(62, 109),
    ];
    let mut out = String::new();
    for (number, day) in days.iter().enumerate() {
        let name = format!("events-v1-{:020}.jsonl", 100 + number);
        piecemeal.events(&name, day);
        at_once.events(&name, day);
        out =
            piecemeal.train(&["--now-ms", "1765000000007", "--promote-anyway", "--memory-bytes", "65536"]).1;
    }
    assert!(out.contains("\ncounted 10 new orders and what came back of 2: "), "{out}");
    at_once.train(&["--now-ms", "1765000000007", "--memory-bytes", "4096"]);
    let model = |shop: &Shop| fs::read(shop.path("model/current.model")).unwrap();
    assert!(model(&piecemeal) == model(&at_once));
    fs::remove_file(piecemeal.path("lake/_counts/names")).unwrap();
    let (_, out, err) =
        piecemeal.train(&["--now-ms", "1765000000007", "--promote-anyway", "--memory-bytes", "8192"]);
    assert!(out.contains("\ncounted all 110 orders: "), "{out}");
    assert_eq!(err, "what was counted before is not used: lake/_counts/names is torn\n");
    assert!(model(&piecemeal) == model(&at_once));
}

#[test]
fn broken_lines_are_named_and_the_others_are_learnt_from() {
    let shop = Shop::new();
    shop.events(FIRST, &format!("{}{{\"position\":\n{}", orders(), &order(99, &["A"])[..40]));
    let (status, out, err) = shop.train(&[]);
    assert_eq!(status, 0);
    assert_eq!(err, format!("events/{FIRST}:41 EOF while parsing a value at column 12\n"));
    assert!(
        out.contains(
            "40 orders, 0 views, 1 broken lines passed over, 1 files with an unfinished last line, left for later\n"
        ),
        "{out}"
    );
}

#[test]
fn what_is_in_the_future_is_not_believed() {
    let shop = Shop::new();
    let now = ["--now-ms", "1765000000000"];
    let at = |number: i64, at_ms: i64| {
        let before = format!("\"at_ms\":{}", 1_764_000_000_000 + number * 3_600_000);
        order(number, &["JUG", "MILK"]).replace(&before, &format!("\"at_ms\":{at_ms}"))
    };
    let soon = at(90, 1_765_086_400_000);
    let far = at(91, 4_070_908_800_000) + &at(92, 1_765_086_400_001);
    shop.events(FIRST, &(orders() + &soon + &far));
    let (status, out, err) = shop.train(&now);
    assert!(status == 0 && out.contains("41 orders, 0 views, 2 broken lines passed over\n"), "{out}");
    let said: Vec<&str> = err.lines().collect();
    assert_eq!(said.len(), 2, "{err}");
    assert!(
        said[0].ends_with(
            ":42 at_ms 4070908800000 is in the future: the latest that is believed is 1765086400000"
        ),
        "{err}"
    );
    // What is left out is as if it had never been written.
    let without = Shop::new();
    without.events(FIRST, &(orders() + &soon));
    assert_eq!(without.train(&now).0, 0);
    let model = |shop: &Shop| fs::read(shop.path("model/current.model")).unwrap();
    let popular = |shop: &Shop| {
        let index = Index::new(Model::read(&shop.path("model/current.model")).unwrap());
        let all = Wanted {
            algorithm: Algorithm::Popular,
            most: 9,
            allow: &|_| true,
            alike: None,
            tuning: Tuning::default(),
        };
        index.popular(all).into_iter().map(|s| (s.sku, s.score.to_bits())).collect::<Vec<_>>()
    };
    assert_eq!(popular(&shop), popular(&without));
    assert_eq!(model(&shop).len(), model(&without).len());
}

#[test]
fn a_torn_model_in_service_does_not_open_the_gate() {
    let shop = Shop::new();
    let many = |n| if n % 2 == 0 { order(n, &["CUP", "TEA"]) } else { order(n, &["JUG", "MILK"]) };
    shop.events(FIRST, &(0..100).map(many).collect::<String>());
    assert_eq!(shop.train(&["--now-ms", "1765000000001"]).0, 0);
    fs::write(shop.path("model/current.model"), "torn").unwrap();
    fs::remove_dir_all(shop.path("lake")).unwrap();
    shop.events(FIRST, &orders());
    let (status, out, err) = shop.train(&["--now-ms", "1765000000002"]);
    assert!(status == 4 && out.contains("it was learnt from 40 orders where model"), "{out}");
    assert!(
        err.starts_with("model/current.model: ") && err.contains("; the new model is compared with model "),
        "{err}"
    );
}

#[test]
fn a_model_is_free_of_what_was_deleted_after_the_next_training() {
    let shop = Shop::new();
    let of = |unit: &str, order: String| order.replace("\"unit\":\"v\"", &format!("\"unit\":\"{unit}\""));
    let private: String = (50..56).map(|n| of("shy", order(n, &["CUP", "SECRET"]))).collect();
    shop.events(FIRST, &(orders() + &private + &of("guest", order(57, &["CUP", "HIDDEN"]))));
    assert_eq!(shop.train(&["--now-ms", "1765000000001"]).0, 0);
    let told = || {
        let index = Index::new(Model::read(&shop.path("model/current.model")).unwrap());
        let all = Wanted {
            algorithm: Algorithm::Pairs,
            most: 9,
            allow: &|_| true,
            alike: None,
            tuning: Tuning::default(),
        };
        let beside = index.bought_together(&Sku::parse("CUP").unwrap(), all);
        let items: Vec<String> = beside.iter().map(|one| one.sku.to_string()).collect();
        (index.about().orders, items, index.item_count())
    };
    let (orders, items, count) = told();
    assert_eq!((orders, count), (47, 6));
    assert!(items.contains(&"SECRET".to_owned()) && items.contains(&"HIDDEN".to_owned()), "{items:?}");

    let said = |number: i64, unit: &str, kind: &str, data: &str| {
        let at_ms = 1_764_000_000_000 + number * 3_600_000;
        format!(
            r#"{{"position":{number},"id":"s{number}","at_ms":{at_ms},"type":"{kind}","cart":null,"unit":"{unit}","data":{data}}}"#
        ) + "\n"
    };
    let through = 1_764_000_000_000_i64 + 70 * 3_600_000;
    let deleted = said(70, "shy", "history_deleted", &format!("{{\"through_ms\":{through}}}"));
    // Who logs in later is one with who has deleted; what is ordered after is learnt from.
    let known = said(71, "guest", "visitor_known", r#"{"unit":"shy"}"#);
    shop.events(SECOND, &(deleted + &known + &of("shy", order(80, &["JUG", "MILK"]))));
    assert_eq!(shop.train(&["--now-ms", "1765000000002"]).0, 0);
    let (orders, items, count) = told();
    assert_eq!((orders, count), (41, 4), "{items:?}");
    assert!(!items.contains(&"SECRET".to_owned()) && !items.contains(&"HIDDEN".to_owned()), "{items:?}");

    // The models say what they are free of, and the one of before does not come back unasked.
    let archive = Archive::of(&shop.path("model/current.model"));
    let kept = archive.list().unwrap();
    let latest = Deletion { position: 71, at_ms: 1_764_000_000_000 + 71 * 3_600_000 };
    assert_eq!(kept.iter().map(|kept| kept.about.free_of).collect::<Vec<_>>(), [None, Some(latest)]);
    let refused = archive.rollback(Deleted::StayAway, 9).unwrap_err();
    assert!(matches!(&refused, ArchiveError::BringsBack { deleted, .. } if *deleted == latest), "{refused}");
    assert_eq!(archive.rollback(Deleted::MayComeBack, 9).unwrap(), kept[0].id);
    // The next training is free of it again, and goes into service.
    assert_eq!(shop.train(&["--now-ms", "1765000000003"]).0, 0);
    assert!(!told().1.contains(&"SECRET".to_owned()));
}

#[test]
fn a_robot_of_a_million_events_changes_hardly_anything() {
    use std::io::Write;
    let (shop, without) = (Shop::new(), Shop::new());
    [&shop, &without].into_iter().for_each(|shop| {
        shop.events(FIRST, &orders());
        shop.events(SECOND, &views());
    });
    // Half of it looks, half puts into its cart, a hundred sessions a day with pauses between them, for ten days.
    let file = fs::File::create(shop.path("events/events-v1-00000000000000100000.jsonl")).unwrap();
    let mut out = std::io::BufWriter::new(file);
    for n in 0..1_000_000_i64 {
        let (kind, sku) = if n % 2 == 0 { ("product_viewed", "CUP") } else { ("line_added", "CREAM") };
        let at_ms = 1_764_000_000_000 + n / 1_000 * 864_000 + n % 1_000;
        writeln!(
            out,
            r#"{{"position":{},"id":"b{n}","at_ms":{at_ms},"type":"{kind}","cart":null,"unit":"robot","data":{{"sku":"{sku}"}}}}"#,
            100_000 + n
        )
        .unwrap();
    }
    out.flush().unwrap();
    drop(out);
    let now = ["--now-ms", "1765000000000"];
    let (status, out, _) = shop.train(&now);
    assert!(status == 0 && out.contains("1000180 views"), "{out}");
    assert_eq!(without.train(&now).0, 0);
    let index = |shop: &Shop| Index::new(Model::read(&shop.path("model/current.model")).unwrap());
    let (with, without) = (index(&shop), index(&without));
    // A thousand views of each of eleven or twelve days, two hundred of a session.
    let more = with.about().sessions - without.about().sessions;
    assert!((1..=60).contains(&more), "{more} more sessions");
    let wanted = Wanted {
        algorithm: Algorithm::Pairs,
        most: 2,
        allow: &|_| true,
        alike: None,
        tuning: Tuning::default(),
    };
    // What goes with what the robot did not touch is what it was.
    let next = |index: &Index, sku: &str| -> BTreeSet<String> {
        let next = index.next(&[Sku::parse(sku).unwrap()], wanted);
        next.into_iter().map(|suggestion| suggestion.sku.to_string()).collect()
    };
    for sku in ["TEA", "JUG", "MILK"] {
        assert_eq!(next(&with, sku), next(&without, sku), "{sku}");
    }
}

#[test]
fn a_training_holds_about_as_much_memory_as_it_is_given() {
    let shop = Shop::new();
    // A month of a shop of two thousand products: 120,000 lines of orders and 45,000 views. Trees take time and no more memory.
    fs::write(shop.path("settings.json"), r#"{"baskets": {"growth": null}, "sessions": {"growth": null}}"#)
        .unwrap();
    let mut at = 0;
    let mut position = 0;
    let mut draw = |most: u64| {
        at += 1;
        (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) % most
    };
    let mut text = String::new();
    for n in 0..30_000_i64 {
        let skus: Vec<String> = (0..4).map(|_| format!("P{}", draw(40) * draw(50))).collect();
        let skus: Vec<&str> = skus.iter().map(String::as_str).collect();
        let at_ms = 1_764_000_000_000 + n * 86_400;
        let usual = format!("\"at_ms\":{}", 1_764_000_000_000 + n * 3_600_000);
        text += &order(n, &skus).replace(&usual, &format!("\"at_ms\":{at_ms}"));
        for step in 0..n % 4 {
            position += 1;
            let sku = skus[step as usize];
            text += &format!(
                "{{\"position\":{},\"id\":\"w{position}\",\"at_ms\":{},\"type\":\"product_viewed\",\"cart\":null,\"unit\":\"v{n}\",\"data\":{{\"sku\":\"{sku}\"}}}}\n",
                100_000 + position,
                at_ms + step
            );
        }
    }
    shop.events(FIRST, &text);
    let peak = |memory_bytes: &str| {
        let _ = fs::remove_dir_all(shop.path("lake"));
        let (status, out, err) = shop.train(&[
            "--now-ms",
            "1775000000000",
            "--promote-anyway",
            "--settings",
            "settings.json",
            "--memory-bytes",
            memory_bytes,
        ]);
        assert_eq!((status, err.as_str()), (0, ""));
        let index = Index::new(Model::read(&shop.path("model/current.model")).unwrap());
        let said =
            out.lines().find_map(|line| line.strip_prefix("held at most ")?.strip_suffix(" MB of memory"));
        (said.unwrap_or_else(|| panic!("{out}")).parse::<u64>().unwrap(), index.about().settings.clone())
    };
    let (little, settings) = peak("16777216");
    assert_eq!((&settings["lines"], &settings["sessions"]["questions"]), (&65_536.into(), &2_048.into()));
    let (usual, settings) = peak("1073741824");
    assert!(settings["lines"].is_null(), "nothing is left out: {settings}");
    println!("{little} MB with 16 MiB, {usual} MB with 1 GiB");
    assert!(little < 320 && little * 3 < usual * 2, "{little} MB with 16 MiB, {usual} MB with 1 GiB");
}

#[test]
fn a_torn_day_of_the_lake_stops_the_training_by_its_name_and_so_does_one_of_other_columns() {
    let shop = Shop::new();
    shop.events(FIRST, &orders());
    shop.events(SECOND, &views());
    assert_eq!(shop.train(&["--now-ms", "1765000000001"]).0, 0);
    let before = fs::read(shop.path("model/current.model")).unwrap();
    let day = fs::read_dir(shop.path("lake")).unwrap().map(|entry| entry.unwrap().path());
    let day = day.filter(|path| path.join("views.parquet").exists()).min().unwrap();
    for table in ["views.parquet", "orders.parquet"] {
        let path = day.join(table);
        let whole = fs::read(&path).unwrap();
        let name = format!("lake/{}/{table}", day.file_name().unwrap().to_str().unwrap());
        let refused = || {
            let _ = fs::remove_dir_all(shop.path("lake/_counts"));
            let (status, _, err) = shop.train(&["--now-ms", "1765000000002"]);
            assert!(
                status == 1
                    && err
                        .contains(&format!("{name} cannot be read; remove the lake, and it is built again")),
                "{err}"
            );
            assert_eq!(fs::read(shop.path("model/current.model")).unwrap(), before, "the old model stands");
            err
        };
        for torn in [&whole[..whole.len() / 2], b"PAR1", b""] {
            fs::write(&path, torn).unwrap();
            refused();
        }
        let mut other = polars::prelude::df!("id" => ["e"], "colour" => ["red"]).unwrap();
        polars::prelude::ParquetWriter::new(fs::File::create(&path).unwrap()).finish(&mut other).unwrap();
        let said = refused();
        assert!(said.contains("unable to find column"), "{said}");
        fs::write(&path, &whole).unwrap();
    }
    fs::remove_dir_all(shop.path("lake")).unwrap();
    assert_eq!(shop.train(&["--now-ms", "1765000000001"]).0, 0);
    assert!(fs::read(shop.path("model/current.model")).unwrap() == before, "built again, it says the same");
}

#[test]
fn times_out_of_range_and_a_clock_that_goes_back_are_survived() {
    let (shop, sorted) = (Shop::new(), Shop::new());
    let at = |number: i64, at_ms: &str| {
        let before = format!("\"at_ms\":{}", 1_764_000_000_000 + number * 3_600_000);
        order(number, &["JUG", "MILK"]).replace(&before, &format!("\"at_ms\":{at_ms}"))
    };
    let odd =
        at(90, "-1") + &at(91, "9223372036854775807") + &at(92, "99999999999999999999") + &at(93, "1e300");
    // The same views, told as by a node whose clock is an hour behind every other moment.
    let told: Vec<String> = views().lines().map(|line| format!("{line}\n")).collect();
    let (first, second): (Vec<_>, Vec<_>) = told.iter().cloned().enumerate().partition(|(n, _)| n % 2 == 0);
    let turned: String = second.into_iter().chain(first).map(|(_, line)| line).collect();
    shop.events(FIRST, &(orders() + &odd));
    shop.events(SECOND, &turned);
    sorted.events(FIRST, &orders());
    sorted.events(SECOND, &views());
    let now = ["--now-ms", "1765000000000"];
    let (status, out, err) = shop.train(&now);
    assert!(status == 0 && out.contains("4 broken lines passed over"), "{out}");
    assert_eq!(err.lines().count(), 4, "{err}");
    assert_eq!(sorted.train(&now).0, 0);
    let model = |shop: &Shop| fs::read(shop.path("model/current.model")).unwrap();
    assert!(model(&shop) == model(&sorted), "what was told in another order is learnt alike");
}

#[test]
fn one_event_alone_makes_a_model_that_answers() {
    for (event, popular) in [(order(1, &["CUP"]), 1), (order(1, &["CUP", "TEA"]), 2)] {
        let shop = Shop::new();
        shop.events(FIRST, &event);
        let (status, out, err) = shop.train(&["--now-ms", "1765000000000"]);
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        let index = Index::new(Model::read(&shop.path("model/current.model")).unwrap());
        for algorithm in [Algorithm::Learnt, Algorithm::Pairs, Algorithm::After, Algorithm::Popular] {
            let wanted =
                Wanted { algorithm, most: 9, allow: &|_| true, alike: None, tuning: Tuning::default() };
            let cup = [Sku::parse("CUP").unwrap()];
            assert_eq!(index.popular(wanted).len(), popular);
            assert_eq!(index.bought_together(&cup[0], wanted).len(), popular - 1);
            assert_eq!(index.next(&cup, wanted).len(), popular - 1);
            assert_eq!(index.recommended(&cup, &cup, wanted).len(), popular - 1);
        }
    }
    let shop = Shop::new();
    shop.events(SECOND, &(views().lines().next().unwrap().to_owned() + "\n"));
    let (status, _, err) = shop.train(&[]);
    assert!(status == 3 && err.contains("nothing to learn from"), "one look is no session: {err}");
}

#[test]
fn without_orders_no_model_is_written_and_the_status_says_so() {
    let shop = Shop::new();
    let opened = r#"{"position":1,"id":"e","at_ms":5,"type":"cart_opened","cart":"c","unit":"v","data":{}}"#;
    for content in ["", &format!("{opened}\n")] {
        shop.events(FIRST, content);
        let (status, _, err) = shop.train(&[]);
        assert_eq!(status, 3);
        assert_eq!(
            err,
            "cartwright-batch: no orders and no views in events; nothing to learn from, no model written\n"
        );
        assert!(!shop.path("model").exists());
    }
    assert_eq!(shop.run(&["evaluate", "--events", "nowhere"]).0, 3);
}

#[test]
fn event_files_of_another_version_are_refused_and_the_old_model_stands() {
    let shop = Shop::new();
    shop.events(FIRST, &orders());
    shop.train(&[]);
    let before = fs::read(shop.path("model/current.model")).unwrap();
    shop.events("events-v2-00000000000000000041.jsonl", &orders());
    let (status, _, err) = shop.train(&[]);
    assert_eq!(status, 1);
    assert!(err.ends_with("event file of version \"v2\", this program reads v1\n"), "{err}");
    assert_eq!(fs::read(shop.path("model/current.model")).unwrap(), before);
}

#[test]
fn an_evaluation_writes_nothing_and_beats_popularity_where_pairs_are_plain() {
    let shop = Shop::new();
    shop.events(FIRST, &orders());
    let (status, _, err) = shop.run(&["evaluate", "--events", "events"]);
    assert!(
        status == 1 && err.ends_with("fewer than 50 orders or sessions are too few to be asked about\n"),
        "{err}"
    );
    shop.events(SECOND, &views());
    let (status, out, err) = shop.run(&["evaluate", "--events", "events", "--json"]);
    assert_eq!((status, err.as_str()), (0, "read 220 new lines of 2 event files: 40 orders, 180 views\n"));
    let rows = json_lines(&out);
    let of = |method: &str| {
        let is_it = |row: &&serde_json::Value| row["method"] == method && row["on_screen"] == "removed";
        rows.iter().find(is_it).unwrap()["mrr_20"].as_f64().unwrap()
    };
    assert!(of("pairs") > 0.5 && of("ranked") > 0.9 && of("popularity") < 0.5, "{out}");
    assert_eq!(fs::read_dir(shop.0.path()).unwrap().count(), 1);
    let (_, table, _) = shop.run(&["evaluate", "--events", "events"]);
    assert!(table.starts_with("learnt from 40 orders and 60 sessions of 6 items and asked in "), "{table}");
}

#[test]
fn arguments_and_settings_that_make_no_sense_are_refused() {
    let shop = Shop::new();
    assert_eq!(shop.train(&["--score", "best"]).0, 2);
    fs::write(shop.path("settings.json"), r#"{"pairs": {"score": "llr"}}"#).unwrap();
    let (status, _, err) = shop.train(&["--settings", "settings.json"]);
    assert!(status == 1 && err.contains("score llr is only evaluated"), "{err}");
    fs::write(shop.path("settings.json"), r#"{"pairs": {"half_life": 3}}"#).unwrap();
    let (status, _, err) = shop.train(&["--settings", "settings.json"]);
    assert_eq!(status, 1);
    assert!(
        err.contains("settings in settings.json: unknown field `half_life`, expected one of `score`"),
        "{err}"
    );
}

/// A line of a log: its entry, item, name and time in days. What its name calls a cancellation is one piece less.
type Line<'a> = (String, &'a str, &'a str, i64);

/// Writes a log as Parquet.
fn parquet(path: &std::path::Path, id: &str, lines: &[Line<'_>]) {
    use polars::prelude::{Column, DataFrame, DataType, ParquetWriter, TimeUnit};
    let entries: Vec<&str> = lines.iter().map(|line| line.0.as_str()).collect();
    let items: Vec<&str> = lines.iter().map(|line| line.1).collect();
    let names: Vec<&str> = lines.iter().map(|line| line.2).collect();
    let at: Vec<i64> = lines.iter().map(|line| line.3 * 86_400_000).collect();
    let at = Column::new("ts".into(), at).cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
    let pieces: Vec<i32> = names.iter().map(|name| if *name == "a cancellation" { -1 } else { 1 }).collect();
    let pieces = Column::new("quantity".into(), pieces);
    let texts = [(id, entries), ("item_id", items), ("name", names)];
    let columns = texts
        .into_iter()
        .map(|(name, values)| Column::new(name.into(), values))
        .chain([pieces, at])
        .collect();
    let mut frame = DataFrame::new(lines.len(), columns).unwrap();
    ParquetWriter::new(fs::File::create(path).unwrap()).finish(&mut frame).unwrap();
}

fn json_lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn sessions_of_files_are_learnt_and_asked_under_both_policies() {
    let shop = Shop::new();
    let walks = [["a", "b", "c"], ["A", "q", "r"]];
    let session = |from: i64, to: i64| -> Vec<_> {
        let walk = |n: i64| walks[(n % 2) as usize].into_iter().map(move |item| (n.to_string(), item, "", n));
        (from..to).flat_map(walk).collect()
    };
    parquet(&shop.path("train.parquet"), "session_id", &session(0, 400));
    parquet(&shop.path("test.parquet"), "session_id", &session(400, 420));
    let ask = ["evaluate", "--protocol", "session", "--train", "train.parquet", "--test", "test.parquet"];
    let (status, out, err) = shop.run(&[&ask[..], &["--json", "--ablate"]].concat());
    assert_eq!((status, err.as_str()), (0, ""));
    let rows = json_lines(&out);
    let ablated = rows.iter().filter(|row| row["method"].as_str().unwrap().starts_with("without "));
    assert_eq!(ablated.filter(|row| row["cases"] == 40).count(), 14, "seven parts under two policies: {out}");
    let row = |method: &str, policy: &str| {
        rows.iter().find(|row| row["method"] == method && row["on_screen"] == policy).unwrap().clone()
    };
    for policy in ["allowed", "removed"] {
        let ranked = row("ranked", policy);
        assert_eq!(
            (&ranked["cases"], &ranked["train_sessions"], &ranked["items"]),
            (&40.into(), &400.into(), &6.into())
        );
        assert!(ranked["mrr_20"].as_f64().unwrap() > 0.95, "{ranked}");
        assert!(ranked["mrr_20"].as_f64() >= row("popularity", policy)["mrr_20"].as_f64());
    }
    let (status, out, _) = shop.run(&ask);
    assert!(status == 0 && out.contains("learnt from 400 sessions of 6 items"), "{out}");
}

#[test]
fn baskets_of_files_are_cleaned_learnt_and_asked() {
    let shop = Shop::new();
    let mut lines = Vec::new();
    for n in 0..600 {
        let pair = if n % 2 == 0 { ["10a", "10B"] } else { ["77", "78 "] };
        lines.extend(pair.map(|item| (format!("C{n}"), item, "", n / 4)));
        lines.push((format!("C{n}"), ["91", "92", "93"][n as usize % 3], "", n / 4));
        lines.push((format!("C{n}"), "POST", "postage", n / 4));
        lines.push((format!("back {n}"), "10A", "a cancellation", n / 4));
    }
    parquet(&shop.path("orders.parquet"), "order_id", &lines);
    let cases = polars::prelude::df!(
        "task" => ["loo", "fbt", "fbt", "fbt", "fbt"],
        "context" => [vec!["10A", "91"], vec!["10A"], vec!["77"], vec!["77"], vec!["NEW"]].map(|items| items.into_iter().collect::<polars::prelude::Series>()),
        "target" => ["10b", "10B", "78", "NEW", "77"],
    );
    polars::prelude::ParquetWriter::new(fs::File::create(shop.path("cases.parquet")).unwrap())
        .finish(&mut cases.unwrap())
        .unwrap();
    let ask = |task: &str, more: &[&str]| {
        let files = ["evaluate", "--protocol", task, "--train", "orders.parquet", "--cases", "cases.parquet"];
        shop.run(&[&files[..], &["--json", "--without", "POST,M*"], more].concat())
    };
    for (task, count, unknown, hits) in [("loo", 1, 0, 1.0), ("fbt", 4, 1, 0.5)] {
        let (status, out, err) = ask(task, &["--before", "1970-05-01", "--ablate"]);
        assert_eq!((status, err.as_str()), (0, ""));
        let rows = json_lines(&out);
        let ablated = rows.iter().filter(|row| row["method"].as_str().unwrap().starts_with("without "));
        assert_eq!(ablated.count(), 7, "{out}");
        let ranked = rows.iter().find(|row| row["method"] == "ranked").unwrap();
        assert_eq!(
            (&ranked["cases"], &ranked["hit_rate_20"], &ranked["items"]),
            (&count.into(), &hits.into(), &7.into())
        );
        assert_eq!(ranked["unknown_targets"], unknown, "they count as missed, and are told");
        // Four orders a day, of the 120 days before the first of May.
        assert_eq!(ranked["train_orders"], 480);
    }
    let (status, _, err) = ask("loo", &["--before", "May"]);
    assert_eq!(status, 1);
    assert!(err.contains("May is no time as 2011-11-10"), "{err}");
}

#[test]
fn later_orders_of_a_file_are_asked_what_customers_who_came_back_buy() {
    let shop = Shop::new();
    // Each day somebody buys one of five printers with paper, which says nothing; ten days later its ink.
    let printers = (0..200).map(|n| (n, n, ["PRINTER", "PAPER"][..].to_vec()));
    let orders: Vec<_> = printers.chain((0..200).map(|n| (n, n + 10, vec!["INK"]))).collect();
    let lines = orders.iter().flat_map(|(who, day, items)| {
        let name = move |item: &&str| {
            if *item == "PAPER" { "PAPER".to_owned() } else { format!("{item}-{}", who % 5) }
        };
        items.iter().map(move |item| (format!("{who} on {day}"), format!("u{who}"), name(item), *day))
    });
    let lines: Vec<(String, String, String, i64)> = lines.collect();
    let column =
        |of: fn(&(String, String, String, i64)) -> &str| -> Vec<&str> { lines.iter().map(of).collect() };
    let mut frame = polars::prelude::df!(
        "order_id" => column(|line| &line.0), "user_id" => column(|line| &line.1), "item_id" => column(|line| &line.2),
        "ts" => lines.iter().map(|line| line.3 * 86_400_000).collect::<Vec<i64>>(),
    )
    .unwrap();
    let write = |frame: &mut polars::prelude::DataFrame| {
        polars::prelude::ParquetWriter::new(fs::File::create(shop.path("orders.parquet")).unwrap())
            .finish(frame)
            .unwrap();
    };
    write(&mut frame);
    let ask = ["evaluate", "--protocol", "after", "--train", "orders.parquet", "--json"];
    let (status, out, err) = shop.run(&[&ask[..], &["--before", "1970-05-01"]].concat());
    assert_eq!((status, err.as_str()), (0, ""));
    let rows = json_lines(&out);
    let figure = |method: &str| {
        let row = rows.iter().find(|row| row["method"] == method).unwrap();
        assert_eq!(
            (&row["protocol"], &row["cases"], &row["train_orders"]),
            (&"after".into(), &90.into(), &230.into())
        );
        row["mrr_20"].as_f64().unwrap()
    };
    assert!(figure("after") > 0.95 && figure("ranked") > 0.45, "{out}");
    assert!(figure("pairs") == 0.0 && figure("popularity") < 0.4, "no order holds both");
    let (status, _, err) = shop.run(&[&ask[..], &["--ablate"]].concat());
    assert!(status == 1 && err.contains("has nothing to ablate"), "{err}");
    let mut nobody = frame.drop("user_id").unwrap();
    write(&mut nobody);
    let (status, _, err) = shop.run(&ask);
    assert!(status == 1 && err.contains("no later order of somebody who had ordered before"), "{err}");
    let (status, _, err) = shop.run(&[&ask[..], &["--before", "1969-01-01"]].concat());
    assert!(status == 1 && err.contains("holds no orders to learn from"), "{err}");
}

#[test]
fn what_came_back_is_taken_from_the_orders_of_a_file_where_that_is_asked() {
    let shop = Shop::new();
    // Sixty customers bought a cup and a tea. One sent both back, one the cup alone, and one more cups than were bought.
    let mut rows: Vec<(String, String, &str, i64, i64)> = (0..60)
        .flat_map(|n| ["CUP", "TEA"].map(|item| (format!("o{n}"), format!("u{n}"), item, 2, n)))
        .collect();
    for (who, item, pieces, day) in [
        (3, "CUP", 2, 9),
        (3, "TEA", 2, 9),
        (4, "CUP", 2, 9),
        (5, "CUP", 3, 9),
        (50, "CUP", 2, 9),
        (6, "CUP", 1, 9),
    ] {
        rows.push((format!("C{who}{item}"), format!("u{who}"), item, -pieces, day));
    }
    let text =
        |of: fn(&(String, String, &'static str, i64, i64)) -> String| rows.iter().map(of).collect::<Vec<_>>();
    let mut frame = polars::prelude::df!(
        "order_id" => text(|row| row.0.clone()), "user_id" => text(|row| row.1.clone()),
        "item_id" => text(|row| row.2.to_owned()), "quantity" => rows.iter().map(|row| row.3).collect::<Vec<i64>>(),
        "ts" => rows.iter().map(|row| row.4 * 86_400_000).collect::<Vec<i64>>(),
    )
    .unwrap();
    let mut cases = polars::prelude::df!(
        "task" => ["fbt"], "context" => [["CUP"].into_iter().collect::<polars::prelude::Series>()], "target" => ["TEA"],
    )
    .unwrap();
    for (name, frame) in [("orders.parquet", &mut frame), ("cases.parquet", &mut cases)] {
        let file = fs::File::create(shop.path(name)).unwrap();
        polars::prelude::ParquetWriter::new(file).finish(frame).unwrap();
    }
    let learnt_from = |more: &[&str]| {
        let files =
            ["evaluate", "--protocol", "fbt", "--train", "orders.parquet", "--cases", "cases.parquet"];
        let (status, out, err) = shop.run(&[&files[..], &["--json"], more].concat());
        assert_eq!((status, err.as_str()), (0, ""));
        json_lines(&out)[0]["train_orders"].as_i64().unwrap()
    };
    // Of customer 3 nothing is left; what customer 50 sent back was before they bought it.
    assert_eq!((learnt_from(&[]), learnt_from(&["--returns"])), (60, 59));
}

#[test]
fn files_that_are_not_right_are_refused_with_what_is_wrong() {
    let shop = Shop::new();
    parquet(&shop.path("orders.parquet"), "order_id", &[("1".into(), "A", "", 1), ("1".into(), "B", "", 1)]);
    fs::write(shop.path("torn.parquet"), &fs::read(shop.path("orders.parquet")).unwrap()[..200]).unwrap();
    let refused = |arguments: &[&str]| {
        let (status, _, err) = shop.run(&[&["evaluate", "--protocol"], arguments].concat());
        assert_ne!(status, 0);
        err
    };
    let session = |train: &str, test: &str| refused(&["session", "--train", train, "--test", test]);
    assert!(
        session("orders.parquet", "orders.parquet")
            .contains("orders.parquet lacks column session_id; it has order_id")
    );
    assert!(session("torn.parquet", "orders.parquet").contains("torn.parquet cannot be read as Parquet"));
    assert!(session("none.parquet", "orders.parquet").contains("none.parquet"));
    assert!(refused(&["loo", "--train", "orders.parquet"]).contains("need --cases FILE"));
    assert!(refused(&["session"]).contains("needs --train FILE"));
    let nothing = refused(&["loo", "--train", "orders.parquet", "--cases", "orders.parquet"]);
    assert!(nothing.contains("orders.parquet lacks column task"), "{nothing}");
}
