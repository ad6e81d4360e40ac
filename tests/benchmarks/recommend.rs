//! Recommendations: how quickly sessions are answered in process, and shelves over HTTP beside a bare handler and, where its
//! program is there, beside Serenade; how much a model weighs and how quickly it is loaded.

mod serenade;

use std::{
    fmt::Write,
    fs,
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

use harness::{Store, TestApp, app::Setup, catalogue::many, cluster::Durability, program::built};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use recommender::Model;
use serde_json::Value;

use crate::{
    cart::{Plan, bare},
    figure::{Figure, Format, Target},
    load::{Connection, Pace, Script, drive, get},
};

/// Connections over HTTP.
const CONNECTIONS: usize = 64;
/// Products of the generated shop, and how many belong together.
const PRODUCTS: usize = 5_000;
const GROUP: usize = 25;
/// Orders and sessions of the generated shop, and how many lines and views each has.
const ORDERS: usize = 40_000;
const LINES: usize = 5;
const SESSIONS: usize = 200_000;
const VIEWS: usize = 5;
/// Products that are asked for.
const ANSWERS: usize = 10;
/// Trails that are asked about.
const TRAILS: usize = 100_000;
/// How often the server and its yardstick are measured by turns.
const TURNS: u32 = 3;

/// Sessions to learn from and to be asked about, as Parquet files.
pub struct Files {
    /// What is learnt from.
    pub train: String,
    /// What is asked about.
    pub test: String,
}

/// Measures what is planned and prints it as it comes.
pub async fn measure(
    plan: &Plan,
    files: Option<&Files>,
    serenade: Option<&str>,
    seconds: u32,
    format: Format,
) {
    if plan.wants("session") {
        match files {
            Some(files) => sessions(files, format),
            None => {
                eprintln!("session: left out, for it asks about files of one's own: --train FILE --test FILE")
            }
        }
    }
    if plan.wants("http") || plan.wants("memory") {
        for &store in &plan.stores {
            let app = shop(store).await;
            if plan.wants("memory") {
                memory(&app, format);
            }
            if plan.wants("http") {
                over_http(&app, store, seconds, format).await;
                match serenade {
                    Some(program) => beside_serenade(&app, store, program, seconds, format).await,
                    None => eprintln!("Serenade: left out, for it is a program of its own: --serenade FILE"),
                }
            }
        }
    }
}

fn print(name: &str, value: f64, unit: &'static str, target: Target, yardstick: &str, format: Format) {
    let name = format!("recommend.{name}");
    Figure { name, value, unit, target, yardstick: yardstick.to_owned() }.print(format);
}

/// Asks every prefix of the later sessions on one core, as `cartwright evaluate` does.
fn sessions(files: &Files, format: Format) {
    let output = Command::new(built("cartwright-batch"))
        .args(["evaluate", "--protocol", "session", "--json", "--train", &files.train, "--test", &files.test])
        .output()
        .expect("the batch program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect();
    for (method, quantile, target) in [
        ("past sessions", "p50_us", Target::None),
        ("past sessions", "p90_us", Target::AtMost(60.0)),
        ("past sessions", "p99_us", Target::AtMost(150.0)),
        ("ranked", "p50_us", Target::None),
        ("ranked", "p90_us", Target::AtMost(300.0)),
        ("ranked", "p99_us", Target::None),
    ] {
        let row = rows.iter().find(|row| row["method"] == method).expect("the method is measured");
        let asked = format!(
            "{} questions, one core; HR@20 {:.4}",
            row["cases"],
            row["hit_rate_20"].as_f64().unwrap_or(0.0)
        );
        let name = format!("session.{}.{}", method.replace(' ', "_"), &quantile[..3]);
        print(&name, row[quantile].as_f64().unwrap_or(f64::NAN), "µs", target, &asked, format);
    }
}

/// Opens a shop and teaches it with generated events: products are bought and viewed in groups, a few of them much more
/// than others.
async fn shop(store: Store) -> TestApp {
    let goods = many("B", PRODUCTS, 1_000_000);
    let app = TestApp::start_with(
        store,
        Setup { goods, durability: Durability::Disk, config: String::new(), ..Setup::default() },
    )
    .await;
    let folder = app.data("events");
    fs::create_dir_all(&folder).expect("the folder of events");
    fs::write(folder.join("events-v1-00001000000000000000.jsonl"), events()).expect("events are written");
    let begun = Instant::now();
    app.run(&["train"]).await;
    eprintln!("trained in {:.0} s", begun.elapsed().as_secs_f64());
    while app.metrics().await.sum("cartwright_model_swaps_total", &[]) < 1.0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    app
}

fn events() -> String {
    let mut random = StdRng::seed_from_u64(1);
    let mut text = String::new();
    let mut position = 1_000_000_000_000_000_i64;
    let mut member = move |group: usize| {
        // The square of a uniform number: the first of a group are met several times as often as its last.
        let skew = random.random::<f64>().powi(2);
        (group * GROUP + (skew * GROUP as f64) as usize, random.random_range(0..PRODUCTS / GROUP))
    };
    let mut event = |kind: &str, unit: usize, at_ms: i64, data: &str| {
        position += 1;
        let _ = writeln!(
            text,
            r#"{{"position":{position},"id":"g{position}","at_ms":{at_ms},"type":"{kind}","cart":null,"unit":"u{unit}","data":{data}}}"#
        );
    };
    let begins_ms = 1_764_000_000_000_i64;
    let mut group = 0;
    for session in 0..SESSIONS {
        let at_ms = begins_ms + session as i64 * 40_000;
        for view in 0..VIEWS {
            let (product, next) = member(group);
            event(
                "product_viewed",
                session,
                at_ms + view as i64 * 1_000,
                &format!(r#"{{"sku":"B{product}"}}"#),
            );
            if view == VIEWS - 1 {
                group = next;
            }
        }
        if session % (SESSIONS / ORDERS) == 0 {
            let lines: Vec<String> = (0..LINES)
                .map(|_| format!(r#"{{"sku":"B{}","quantity":1,"unit_price_minor":5}}"#, member(group).0))
                .collect();
            let data = format!(
                r#"{{"order_id":"g{session}","currency":"GBP","total_minor":25,"source":"import","lines":[{}]}}"#,
                lines.join(",")
            );
            event("order_placed", session, at_ms + 10_000, &data);
        }
    }
    text
}

/// Says what the model of the generated shop weighs, and how quickly it is loaded.
fn memory(app: &TestApp, format: Format) {
    let path = app.data("model/current.model");
    let bytes = fs::metadata(&path).expect("the model is there").len() as f64;
    let events = (SESSIONS * VIEWS + ORDERS * LINES) as f64;
    let of = format!("{events:.0} views and order lines of {PRODUCTS} products; in memory as in the file");
    print("memory", bytes / 1e6 / (events / 1e6), "MB per million events", Target::None, &of, format);
    let load = || {
        let begun = Instant::now();
        Model::read(&path).expect("the model is right");
        begun.elapsed().as_secs_f64()
    };
    let least = (0..5).map(|_| load()).fold(f64::INFINITY, f64::min);
    let of = format!("the quickest of five, of {:.0} MB", bytes / 1e6);
    print("load", least / (bytes / f64::from(1 << 30)), "s per GiB", Target::AtMost(1.0), &of, format);
}

/// Asks for shelves on many connections, beside a bare handler that returns the same bytes.
async fn over_http(app: &TestApp, store: Store, seconds: u32, format: Format) {
    let product = |n: usize| format!("/api/v1/recommendations?limit={ANSWERS}&sku=B{}", n % PRODUCTS);
    let products: Vec<String> = (0..PRODUCTS).map(product).collect();
    let trails = trails();
    for (name, token, paths) in [
        ("product", "", &products),
        ("product_for_visitor", "a-visitor", &products),
        ("session", "", &trails),
    ] {
        let answer = {
            let mut connection = Connection::open(app.address()).await;
            let (status, body) = connection.send(&get(&paths[0], token, "")).await;
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
            body.to_vec()
        };
        let scripts = vec![Script::gets(token, paths); CONNECTIONS];
        let bare = bare::start(&answer);
        let yardstick = (bare.pid(), bare.address(), &scripts[..]);
        let turns = by_turns(app, yardstick, &scripts, seconds).await;
        let [yardstick, found] = &turns[turns.len() / 2];
        let beside = format!(
            "{store}: {:.0}/s, {:.1} µs of the server's CPU an answer, p90 {:.2} ms; a bare actix-web handler of the same {} \
             bytes {:.0}/s, {:.1} µs; the middle of {TURNS} turns, from {:.2} to {:.2}",
            found.per_second,
            found.cpu_us,
            found.p90_ms,
            answer.len(),
            yardstick.per_second,
            yardstick.cpu_us,
            ratio(&turns[0]),
            ratio(&turns[turns.len() - 1]),
        );
        let name = format!("http.{name}.per_bare");
        print(&name, ratio(&turns[turns.len() / 2]), "times", Target::AtLeast(0.6), &beside, format);
    }
}

/// Asks for trails that nobody asked for before.
fn trails() -> Vec<String> {
    let mut random = StdRng::seed_from_u64(2);
    let mut trail = |n: usize| {
        let viewed: Vec<String> = (0..VIEWS).map(|_| format!("B{}", viewed(n, &mut random))).collect();
        format!("/api/v1/recommendations?limit={ANSWERS}&viewed={}", viewed.join(","))
    };
    (0..TRAILS).map(&mut trail).collect()
}

/// Draws a product of those that a trail is about.
fn viewed(trail: usize, random: &mut StdRng) -> usize {
    trail % (PRODUCTS / GROUP) * GROUP + random.random_range(0..GROUP)
}

/// Asks for what follows on trails, by turns with Serenade, which learnt from the same sessions, follows as many and answers with
/// the bare numbers of as many products.
async fn beside_serenade(app: &TestApp, store: Store, program: &str, seconds: u32, format: Format) {
    let serenade = serenade::start(program, &events(), VIEWS, ANSWERS);
    let mut random = StdRng::seed_from_u64(2);
    let mut view = |n: usize| serenade::path(n / VIEWS, viewed(n / VIEWS, &mut random));
    let views: Vec<String> = (0..TRAILS).map(&mut view).collect();
    let [views, trails] = [views, trails()].map(|paths| vec![Script::gets("", &paths); CONNECTIONS]);
    let turns = by_turns(app, (serenade.pid(), serenade.address(), &views), &trails, seconds).await;
    let [yardstick, found] = &turns[turns.len() / 2];
    let beside = format!(
        "{store}: {:.0}/s, {:.1} µs of the server's CPU an answer, p90 {:.2} ms; Serenade {:.0}/s, {:.1} µs, p90 {:.2} ms; \
         the middle of {TURNS} turns, from {:.2} to {:.2}",
        found.per_second,
        found.cpu_us,
        found.p90_ms,
        yardstick.per_second,
        yardstick.cpu_us,
        yardstick.p90_ms,
        ratio(&turns[0]),
        ratio(&turns[turns.len() - 1]),
    );
    let value = ratio(&turns[turns.len() / 2]);
    print("http.session.per_serenade", value, "times", Target::AtLeast(2.0), &beside, format);
}

/// Measures a yardstick and the shop by turns, so that both meet the same machine; the least ratio comes first.
async fn by_turns(
    app: &TestApp,
    (pid, address, asked): (u32, SocketAddr, &[Script]),
    scripts: &[Script],
    seconds: u32,
) -> Vec<[Answered; 2]> {
    let seconds = seconds.div_ceil(TURNS);
    let mut turns = vec![];
    for _ in 0..TURNS {
        let yardstick = Answered::by(pid, address, asked, seconds).await;
        turns.push([yardstick, Answered::by(app.node().pid(), app.address(), scripts, seconds).await]);
    }
    turns.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    turns
}

/// Is how quickly a server answered, and what that cost it.
struct Answered {
    per_second: f64,
    p90_ms: f64,
    cpu_us: f64,
}

impl Answered {
    async fn by(pid: u32, address: SocketAddr, scripts: &[Script], seconds: u32) -> Self {
        let before = cpu_us(pid);
        let found = drive(address, scripts.to_vec(), Pace::Unbound, seconds).await;
        Self {
            per_second: found.per_second,
            p90_ms: found.quantile_ms(0.9),
            cpu_us: (cpu_us(pid) - before) / found.accepted as f64,
        }
    }
}

fn ratio([yardstick, found]: &[Answered; 2]) -> f64 {
    found.per_second / yardstick.per_second
}

/// Returns what a process has used of processors, in microseconds: the kernel counts in hundredths of a second.
fn cpu_us(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the server runs");
    let (_, fields) = stat.rsplit_once(')').expect("the name of the program stands between brackets");
    let ticks =
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() * 10_000.0
}
