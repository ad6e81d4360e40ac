//! Assignment: answers of GrowthBook's model in process, beside its official SDKs on the same payload and users.

use std::{hint::black_box, path::Path, process::Command, time::Instant};

use experiments::growthbook::{Evaluator, Payload, User};
use experiments::json::Json;
use harness::program::repository;
use serde_json::{Value, json};

use crate::figure::{Figure, Format, Target};

/// Users that are asked for in turn.
const USERS: usize = 1_000;
/// Features of the payload beside those that are asked for.
const FEATURES: usize = 1_000;
/// Answers of a round, and rounds. The fastest counts, here and for the other SDKs: the work is always the same, so what
/// is more is the machine's other work.
const ANSWERS: usize = 5_000;
const ROUNDS: usize = 101;
/// The features that are asked for, what they are, and the most that one answer may take.
const KEYS: [(&str, &str, f64); 2] = [
    ("simple", "an experiment of two variations", 100.0),
    ("three_conditions", "the same for a country of a list, an age and a version", 1_000.0),
];

/// Measures answers and reloading, and prints each with its yardsticks.
pub fn measure(format: Format) {
    let (payload, users) = (payload(), users());
    let text = payload.to_string();
    let compiled = Payload::parse(&text).expect("the payload makes sense");
    assert_eq!(compiled.problems(), [], "the payload makes sense");
    let attributes: Vec<Json> = users.iter().map(|user| Json::try_from(user).expect("shallow")).collect();
    let others = others(&json!({"payload": payload, "users": users, "keys": KEYS.map(|(key, ..)| key)}));
    for (key, what, most_ns) in KEYS {
        let answer = |attributes| Evaluator::new(&compiled, User::new(attributes)).evaluate(black_box(key));
        let ours: Vec<Value> = attributes.iter().map(|one| answer(one).value.to_value()).collect();
        let round = |_| {
            let began = Instant::now();
            for i in 0..ANSWERS {
                black_box(answer(&attributes[i % USERS]));
            }
            began.elapsed().as_nanos() as f64 / ANSWERS as f64
        };
        let ns = fastest((0..ROUNDS).map(round).collect());
        let yardstick =
            format!("{what}; {FEATURES} features, fastest of {ROUNDS} rounds of {ANSWERS}, one thread");
        print(format, &format!("assignment.{key}"), ns, "ns", Target::AtMost(most_ns), yardstick);
        for (name, measured) in &others {
            assert_eq!(json!(ours), measured[key]["values"], "{name} gives the same values");
            let theirs_ns = measured[key]["ns"].as_f64().expect("a number");
            let yardstick = format!("{name}: {theirs_ns:.0} ns for the same {USERS} values");
            print(
                format,
                &format!("assignment.{key}.times"),
                theirs_ns / ns,
                "times",
                Target::AtLeast(10.0),
                yardstick,
            );
        }
    }
    let reload = |_| {
        let began = Instant::now();
        black_box(Payload::parse(black_box(&text)).expect("the payload makes sense"));
        began.elapsed().as_secs_f64() * 1_000.0
    };
    let yardstick = format!("{FEATURES} features of {} kB, read, compiled and checked", text.len() / 1_000);
    print(
        format,
        "assignment.reload",
        fastest((0..ROUNDS).map(reload).collect()),
        "ms",
        Target::None,
        yardstick,
    );
}

fn print(format: Format, name: &str, value: f64, unit: &'static str, target: Target, yardstick: String) {
    Figure { name: name.into(), value, unit, target, yardstick }.print(format);
}

fn fastest(values: Vec<f64>) -> f64 {
    values.into_iter().fold(f64::INFINITY, f64::min)
}

fn payload() -> Value {
    let experiment = |key: &str| {
        json!({
            "key": key, "hashVersion": 2, "coverage": 1, "weights": [0.5, 0.5], "variations": ["a", "b"],
            "meta": [{"key": "0"}, {"key": "1"}],
        })
    };
    let feature = |rule: Value| json!({"defaultValue": "a", "rules": [rule]});
    let flag = |n: usize| (format!("flag-{n}"), feature(experiment(&format!("experiment-{n}"))));
    let mut features: serde_json::Map<String, Value> = (0..FEATURES).map(flag).collect();
    features.insert(KEYS[0].0.into(), feature(experiment("checkout")));
    let mut targeted = experiment("checkout-targeted");
    targeted["condition"] =
        json!({"country": {"$in": ["DE", "AT", "CH"]}, "age": {"$gte": 18}, "version": {"$vgte": "2.1.0"}});
    features.insert(KEYS[1].0.into(), feature(targeted));
    json!({"features": features})
}

fn users() -> Vec<Value> {
    let user = |n: usize| {
        let country = ["AT", "DE", "CH", "FR"][n % 4];
        json!({
            "id": format!("visitor-{n}"), "country": country, "age": 16 + n % 60,
            "version": format!("{}.{}.3", 1 + n % 3, n % 20), "browser": "firefox", "loggedIn": n.is_multiple_of(2),
        })
    };
    (0..USERS).map(user).collect()
}

/// Lets the official SDKs answer the same; one that cannot be run is left out, and said so.
fn others(input: &Value) -> Vec<(&'static str, Value)> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), input.to_string()).expect("the file can be written");
    let clients = repository().join("tests/clients");
    let mut node = Command::new("node");
    node.current_dir(&clients).args(["growthbook.js", "speed"]).arg(file.path());
    let manifest = clients.join("growthbook-rust/Cargo.toml");
    let target = Path::new("target/clients");
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--release", "--locked", "--quiet", "--manifest-path"]).arg(manifest);
    cargo.arg("--target-dir").arg(repository().join(target)).arg("--").arg(file.path());
    let run = |name, mut command: Command| {
        let output = command.output().ok().filter(|output| output.status.success());
        let measured = output.and_then(|output| serde_json::from_slice(&output.stdout).ok());
        if measured.is_none() {
            eprintln!("{name} cannot be run: `npm ci` in tests/clients, or a network for its first build");
        }
        Some((name, measured?))
    };
    [run("npm @growthbook/growthbook 1.8.0", node), run("growthbook-rust 0.4.0", cargo)]
        .into_iter()
        .flatten()
        .collect()
}
