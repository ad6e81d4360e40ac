//! The batch's counts: beside self-joins of the same lines in DuckDB and Polars, at full size, and with a little more.
//!
//! Every count is a process of its own that reads Parquet, so that its memory can be read off, and ours is timed from its
//! beginning to the last partner; the others from the opening of the file to the table of pairs.

mod lines;
mod parquet_file;

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use harness::program::repository;
use learning::counts::{Counts, Settings, ShrunkCosine, Weighing};
use serde_json::{Value, json};

use crate::figure::{Figure, Format, Target};

/// Asks the program to count, in the place of a benchmark's name.
pub const COUNT: &str = "batch-count";

/// The lines that a self-join of this machine survives in the time.
const JOINED_LINES_MAX: u64 = 4_000_000;
/// The time after which a self-join is given up.
const JOIN_TIMEOUT: Duration = Duration::from_secs(240);
/// The products at full size; fewer lines are of fewer products.
const PRODUCTS: u64 = 100_000;
/// The additions of one per cent. Whole counts take longer, but are done twice, and additions vary more.
const ADDITIONS: i32 = 5;

const SETTINGS: Settings = Settings {
    weighing: Weighing { half_life_days: 180.0, length_power: 1.0 },
    // The longest order that is generated: a self-join draws no items.
    order_items_max: 1_200,
    partners: 50,
    orders_min: 2,
    memory_bytes: 1 << 30,
};

/// Measures the parts, and prints each with its yardstick.
pub fn measure(lines: u64, seed: u64, only: &[String], format: Format) {
    let folder = tempfile::tempdir().expect("a folder");
    let wanted = |part: &str| only.is_empty() || only.iter().any(|one| one == part);
    if wanted("join") {
        join(folder.path(), lines.min(JOINED_LINES_MAX), seed, format);
    }
    if wanted("full") || wanted("more") {
        full(folder.path(), lines, seed, wanted("more"), format);
    }
}

/// Compares with self-joins, which give the same pairs.
fn join(folder: &Path, lines: u64, seed: u64, format: Format) {
    let file = folder.join("join.parquet");
    let written = lines::write(&file, PRODUCTS, lines, 0..365, seed);
    let ours = ours(&folder.join("join"), &[&file], true);
    let seconds = number(&ours, "seconds");
    let what = format!(
        "{written} lines, {} pairs, {} distinct; ours takes {} MB",
        ours["shared"],
        ours["pairs"],
        mb(&ours)
    );
    print(format, "batch.join.lines", written as f64 / seconds, "lines/s", Target::None, what);
    let Some(python) = python() else {
        eprintln!("python3 with venv and a network is needed for DuckDB and Polars: they are left out");
        return;
    };
    let mut fastest = f64::INFINITY;
    for name in ["duckdb", "polars"] {
        let Some(theirs) = joined(&python, name, &file) else {
            print(format, &format!("batch.join.{name}"), 0.0, "lines/s", Target::None, "gave up".into());
            continue;
        };
        for key in ["pairs", "shared", "digest"] {
            assert_eq!(ours[key], theirs[key], "{name} finds the same pairs with the same counts: {key}");
        }
        let theirs_seconds = number(&theirs, "seconds");
        fastest = fastest.min(theirs_seconds);
        let what =
            format!("{}, the same pairs, {} MB", theirs["version"].as_str().unwrap_or_default(), mb(&theirs));
        print(
            format,
            &format!("batch.join.{name}"),
            written as f64 / theirs_seconds,
            "lines/s",
            Target::None,
            what,
        );
    }
    if fastest.is_finite() {
        let what = format!("as fast as the faster of both: {seconds:.2} s, {fastest:.2} s");
        print(format, "batch.join.times", fastest / seconds, "times", Target::AtLeast(5.0), what);
    }
}

/// Counts all, and then one per cent more, which must be what counting all of it from scratch gives.
fn full(folder: &Path, lines: u64, seed: u64, with_more: bool, format: Format) {
    let products = PRODUCTS.min(lines / 10).max(10);
    let base = folder.join("base.parquet");
    let written = lines::write(&base, products, lines, 0..365, seed);
    let scratch = ours(&folder.join("counts"), &[&base], false);
    let seconds = number(&scratch, "seconds");
    let what = format!(
        "{written} lines of {products} products from Parquet in {seconds:.1} s, two orders at least for a pair; {} MB on disk",
        scratch["disk_mb"]
    );
    print(format, "batch.full.lines", written as f64 / seconds, "lines/s", Target::None, what);
    let what = format!("peak, with {} MB as the setting", SETTINGS.memory_bytes >> 20);
    print(format, "batch.full.memory", mb(&scratch), "MB", Target::AtMost(2_048.0), what);
    if !with_more {
        return;
    }
    let mut files = vec![base];
    let mut times = Vec::new();
    let mut last = Value::Null;
    for day in 0..ADDITIONS {
        let file = folder.join(format!("more-{day}.parquet"));
        lines::write(&file, products, lines / 100, 365 + day..366 + day, seed + 1 + day as u64);
        last = ours(&folder.join("counts"), &[&file], false);
        times.push(number(&last, "seconds"));
        files.push(file);
    }
    let files: Vec<&Path> = files.iter().map(|file| file.as_path()).collect();
    let again = ours(&folder.join("again"), &files, false);
    for key in ["best", "orders"] {
        assert_eq!(last[key], again[key], "bit for bit what counting from scratch gives: {key}");
    }
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let what = format!(
        "{ADDITIONS} days of 1 % in {times:.2?} s, {} of the rows counted anew in the last; all from scratch in {:.1} s, bit for bit the same; {} MB",
        last["rows"],
        number(&again, "seconds"),
        mb(&last)
    );
    print(format, "batch.more.times", number(&again, "seconds") / mean, "times", Target::AtLeast(20.0), what);
}

/// Counts in a process of its own.
fn ours(folder: &Path, files: &[&Path], with_pairs: bool) -> Value {
    let mut command = Command::new(std::env::current_exe().expect("the program knows where it is"));
    command.arg(COUNT).arg(if with_pairs { "pairs" } else { "best" }).arg(folder).args(files);
    let output = command.stderr(Stdio::inherit()).output().expect("the program starts");
    assert!(output.status.success(), "the count ends well: {}", output.status);
    serde_json::from_slice(&output.stdout).expect("it prints what it counted")
}

/// Is such a process: counts files into a folder and prints what it found and what it took.
pub fn count(arguments: &[String]) {
    let began = Instant::now();
    let [what, folder, files @ ..] = arguments else { panic!("pairs or best, a folder, files") };
    let folder = Path::new(folder);
    let mut counts = Counts::open(folder, SETTINGS, ShrunkCosine { shrink: 1.0 }).expect("the counts open");
    let mut addition = counts.add();
    for file in files {
        parquet_file::orders(Path::new(file), |order, day, items| {
            addition.order(order, day, items).expect("the order is added");
        });
    }
    let read = began.elapsed().as_secs_f64();
    let added = addition.finish().expect("the addition is finished");
    let finished = began.elapsed().as_secs_f64();
    let mut report =
        json!({"read_s": read, "finished_s": finished, "rows": added.rows_counted, "orders": added.orders});
    if what == "pairs" {
        let sums = counts.rows(|item, row| {
            row.iter().filter(|(other, _)| *other > item.number).fold(
                [0_u64; 3],
                |[pairs, shared, digest], one| {
                    let orders = u64::from(one.1.orders());
                    [pairs + 1, shared + orders, digest + digest_of(item.number, one.0) * orders]
                },
            )
        });
        let sums = sums.expect("rows are counted");
        for (place, key) in ["pairs", "shared", "digest"].into_iter().enumerate() {
            report[key] = json!(sums.iter().map(|one| one[place]).sum::<u64>());
        }
    } else {
        let rows = counts.best(|item, partners| {
            partners.iter().fold(mixed(u64::from(item.orders), item.weight.to_bits()), |sum, one| {
                let plain = u64::from(one.item) << 32 | u64::from(one.orders);
                mixed(mixed(mixed(sum, plain), one.weight.to_bits()), one.score.to_bits())
            })
        });
        report["best"] = json!(format!("{:016x}", rows.into_iter().fold(0, mixed)));
        report["orders"] = json!(format!("{:?}", counts.all()));
    }
    report["seconds"] = json!(began.elapsed().as_secs_f64());
    report["peak_kb"] = json!(peak_kb());
    let disk: u64 = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|f| f.expect("a file").metadata().expect("data").len())
        .sum();
    report["disk_mb"] = json!(disk >> 20);
    println!("{report}");
}

/// Returns what a pair adds to the digest for each order; the others say it in their own words.
fn digest_of(a: u32, b: u32) -> u64 {
    (u64::from(a) * 7_919 + u64::from(b) * 104_729) % 1_000_003
}

fn mixed(sum: u64, number: u64) -> u64 {
    (sum ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Returns a Python with both packages, made where it is missing.
fn python() -> Option<std::path::PathBuf> {
    let folder = repository().join("target/batch-python");
    let python = folder.join("bin/python");
    let runs = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    let has = || runs(Command::new(&python).args(["-c", "import duckdb, polars"]));
    if !has() {
        runs(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        runs(Command::new(&python).args(["-m", "pip", "install", "duckdb", "polars"]));
    }
    has().then_some(python)
}

/// Runs a self-join, or `None` where it takes too long or is killed.
fn joined(python: &Path, name: &str, file: &Path) -> Option<Value> {
    let script = repository().join("tests/benchmarks/batch/selfjoin.py");
    let mut child = Command::new(python)
        .arg(script)
        .arg(name)
        .arg(file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let began = Instant::now();
    let status = loop {
        match child.try_wait().expect("the child is ours") {
            Some(status) => break status,
            None if began.elapsed() > JOIN_TIMEOUT => {
                eprintln!("{name} is not done after {JOIN_TIMEOUT:?}");
                child.kill().expect("the child is ours");
                child.wait().expect("the child is ours");
                return None;
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    if !status.success() {
        eprintln!("{name} ended with {status}");
        return None;
    }
    serde_json::from_reader(child.stdout.take().expect("it is piped")).ok()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} is a number of {value}"))
}

fn mb(value: &Value) -> f64 {
    (number(value, "peak_kb") / 1_024.0).round()
}

fn print(format: Format, name: &str, value: f64, unit: &'static str, target: Target, yardstick: String) {
    Figure { name: name.into(), value, unit, target, yardstick }.print(format);
}
