//! What experiments cost: a page over many exposures, roll-ups beside the cart's writes, adds beside running experiments.

use std::time::{Duration, Instant};

use ::experiments::ArmSums;
use harness::{Admin, Store, TestApp, admin, app::Setup, catalogue::many, cluster::Durability, tables};
use serde_json::json;

use crate::{
    cart::{Plan, spread},
    figure::{Figure, Format, Target},
    load::{Pace, Script, drive},
};

/// Exposures of the experiment whose page is opened.
const EXPOSURES: u64 = 10_000_000;
/// Units that really meet it; their sums are what the others' are multiples of.
const REPORTED: usize = 1_000;
/// How often the page is opened.
const OPENED: usize = 40;
/// Carts that pieces are added to.
const CARTS: usize = 6_400;
/// Rounds of adds, so that all arms of the comparison see the same minutes of a busy machine.
const ROUNDS: u32 = 3;
/// The running experiments that are compared.
const RUNNING: [usize; 3] = [0, 1, 10];

/// Measures what is planned and prints it as it comes.
pub async fn measure(plan: &Plan, seconds: u32, format: Format) {
    for &store in &plan.stores {
        let run = Run { store, format, seconds };
        if plan.wants("page") {
            run.page().await;
        }
        if plan.wants("fold") {
            run.fold().await;
        }
        if plan.wants("running") {
            run.running().await;
        }
    }
}

struct Run {
    store: Store,
    format: Format,
    seconds: u32,
}

impl Run {
    fn print(&self, name: &str, value: f64, unit: &'static str, target: Target, yardstick: &str) {
        let name = format!("experiments.{}.{name}", self.store);
        Figure { name, value, unit, target, yardstick: yardstick.to_owned() }.print(self.format);
    }

    async fn open(&self, experiments: usize) -> (TestApp, Admin) {
        let Setup { config, .. } = admin::setup();
        let goods = many("B", 1_000, 1_000_000_000);
        let app = TestApp::start_with(
            self.store,
            Setup { goods, durability: Durability::Disk, config, ..Setup::default() },
        )
        .await;
        let admin = Admin::sign_in(&app).await;
        for n in 0..experiments {
            start(&admin, &format!("e{n}"), ["checkout_workflow", "shelf_heading"][n % 2]).await;
        }
        (app, admin)
    }

    /// Opens the page of an experiment that so many units met.
    async fn page(&self) {
        let (app, _admin) = self.open(1).await;
        report(&app).await;
        let path = "/admin/experiments/e0";
        let began = Instant::now();
        grow(&app).await;
        eprintln!("{EXPOSURES} exposures stand in {:.0} s", began.elapsed().as_secs_f64());
        // The earlier connection was closed meanwhile.
        let admin = Admin::sign_in(&app).await;
        let mut took = vec![];
        for _ in 0..OPENED {
            let began = Instant::now();
            let page = admin.get(path).await;
            took.push(began.elapsed().as_secs_f64() * 1_000.0);
            assert!(page.status == 200 && page.text().contains("10,000,"), "{}", page.text());
        }
        took.sort_by(f64::total_cmp);
        let load = format!("{EXPOSURES} exposures, 11 metrics, {} looks", looks().count());
        self.print("page.p50", took[OPENED / 2], "ms", Target::AtMost(100.0), &load);
        self.print("page.most", took[OPENED - 1], "ms", Target::None, &load);
    }

    /// Adds as fast as answers come, and lets the roll-ups read all of it again from the beginning.
    async fn fold(&self) {
        let (app, _admin) = self.open(1).await;
        let adds = drive(app.address(), spread(&app, CARTS).await, Pace::Unbound, self.seconds).await;
        let behind = app.metrics().await.value("cartwright_outbox_lag_events", &[("reader", "rollups")]);
        settle(&app).await;
        let count = tables::texts(app.store_url(), "SELECT count(*) FROM outbox").await;
        let events: f64 = count[0][0].parse().expect("a number");
        let tables = ["experiments", "units", "arms", "looks", "past", "people", "sales"];
        let empty: String = tables.iter().map(|table| format!("DELETE FROM rollup_{table};")).collect();
        let again = "UPDATE cursors SET position = 0 WHERE reader = 'rollups';";
        tables::run(app.store_url(), &(empty + again)).await.expect("the roll-ups are emptied");
        let began = Instant::now();
        settle(&app).await;
        let folded = events / began.elapsed().as_secs_f64();
        let beside = format!(
            "{folded:.0} events/s folded; {:.0} adds/s written, {:.0} events behind at their end",
            adds.per_second,
            behind.unwrap_or(0.0)
        );
        self.print("fold.per_add", folded / adds.per_second, "times", Target::AtLeast(1.0), &beside);
    }

    /// Adds to carts that were opened beside no, one and ten running experiments.
    async fn running(&self) {
        let mut shops: Vec<(TestApp, Vec<Script>, f64)> = vec![];
        for experiments in RUNNING {
            let (app, _admin) = self.open(experiments).await;
            let scripts = spread(&app, CARTS).await;
            shops.push((app, scripts, 0.0));
        }
        for _ in 0..ROUNDS {
            for (app, scripts, sum) in &mut shops {
                let round = self.seconds.div_ceil(ROUNDS);
                *sum += drive(app.address(), scripts.clone(), Pace::Unbound, round).await.per_second;
            }
        }
        let rates: Vec<f64> = shops.iter().map(|(_, _, sum)| sum / f64::from(ROUNDS)).collect();
        for (experiments, rate) in RUNNING.iter().zip(&rates).skip(1) {
            let beside = format!("{rate:.0} adds/s, {:.0} without any", rates[0]);
            let name = format!("adds.beside_{experiments}");
            self.print(&name, rate / rates[0], "times", Target::AtLeast(0.95), &beside);
        }
    }
}

/// Starts an experiment.
async fn start(admin: &Admin, key: &str, flag: &str) {
    let values = match flag {
        "checkout_workflow" => ["\"classic\"", "\"express\""],
        _ => ["\"Goes with your cart\"", "\"You may also like\""],
    };
    let fields = [
        ("name", key),
        ("key", key),
        ("hypothesis", "It costs nothing."),
        ("owner", "ada"),
        ("planned_days", "14"),
        ("flag", flag),
        ("variation_1_key", "a"),
        ("variation_1_value", values[0]),
        ("variation_2_key", "b"),
        ("variation_2_value", values[1]),
    ];
    let form = admin.get("/admin/experiments/new").await;
    let page = admin.submit(&form, "/admin/experiments", &fields).await;
    let started = admin.submit(&page, &format!("/admin/experiments/{key}/start"), &[]).await;
    assert_eq!(started.status, 200, "{}", started.html);
}

/// Reports units that meet the experiment, on several devices, and what they did.
async fn report(app: &TestApp) {
    let definition = json!({
        "schema_version": 1, "key": "e0", "name": "e0", "flag": "checkout_workflow", "status": "running",
        "variations": [{"key": "a", "weight_bp": 5_000, "value": 0}, {"key": "b", "weight_bp": 5_000, "value": 1}],
    });
    let definition = ::experiments::Experiment::parse(&definition.to_string()).expect("a definition");
    for from in (0..REPORTED).step_by(500) {
        let units = from..from + 500;
        let exposure = |n: usize| {
            let unit = format!("unit-{n}");
            let variation = ::experiments::assign(&definition, &unit).variation;
            let device = ["phone", "desktop", "tablet"][n % 3];
            json!({"experiment": "e0", "variation": variation, "unit": unit, "attributes": {"device": device}})
        };
        let event =
            |n: usize| json!({"name": "page_timed", "unit": format!("unit-{n}"), "value": 100 + n % 700});
        let batch = json!({
            "exposures": units.clone().map(exposure).collect::<Vec<_>>(),
            "events": units.map(event).collect::<Vec<_>>(),
        });
        let request = reqwest::Client::new().post(app.url("/api/track/sdk-cartwright")).json(&batch);
        let answer = request.send().await.expect("the shop answers");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
    }
    settle(app).await;
}

/// Waits until the roll-ups have read all events.
async fn settle(app: &TestApp) {
    let end = Instant::now() + Duration::from_secs(600);
    let sql = "SELECT (SELECT max(position) FROM outbox) <= (SELECT position FROM cursors WHERE reader = 'rollups')";
    while !matches!(tables::texts(app.store_url(), sql).await[0][0].as_str(), "t" | "1") {
        assert!(Instant::now() < end, "the roll-ups never come to the end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Returns how many units there are at the looks, as the roll-ups take them.
fn looks() -> impl Iterator<Item = u64> {
    let next = |look: &u64| Some(look + (look / 50).max(50));
    std::iter::successors(Some(50), next).take_while(|look| *look <= EXPOSURES)
}

/// Returns the sums of so many times as many units.
fn times(sums: &str, mut count: u64) -> String {
    let mut doubled = ArmSums::parse(sums).expect("the roll-ups hold sums");
    let mut whole: Option<ArmSums> = None;
    while count > 0 {
        if count % 2 == 1 {
            match &mut whole {
                Some(whole) => whole.merge(&doubled),
                None => whole = Some(doubled.clone()),
            }
        }
        let half = doubled.clone();
        doubled.merge(&half);
        count /= 2;
    }
    whole.unwrap_or_default().to_text()
}

/// Puts the other exposures into the tables, and what the roll-ups make of them.
async fn grow(app: &TestApp) {
    let run = async |sql: &str| tables::run(app.store_url(), sql).await.expect("rows are written");
    let numbers = match app.store_url().starts_with("sqlite:") {
        true => format!(
            "WITH RECURSIVE s (n) AS (SELECT {REPORTED} UNION ALL SELECT n + 1 FROM s WHERE n < {EXPOSURES})"
        ),
        false => format!("WITH s AS (SELECT n FROM generate_series({REPORTED}, {EXPOSURES}) AS n)"),
    };
    // What is inserted from a query with a WITH clause of its own reads it behind the target.
    run(&format!(
        "INSERT INTO exposures (experiment, unit, variation, at_ms)
        {numbers} SELECT 'e0', 'more-' || n, n % 2, 1764403200000 + n FROM s"
    ))
    .await;
    run(&format!(
        "INSERT INTO rollup_units (unit, experiment, variation, exposed_at_ms, is_crossed, did)
        {numbers} SELECT 'more-' || n, 'e0', n % 2, 1764403200000 + n, 0, '{{}}' FROM s"
    ))
    .await;
    let copies = EXPOSURES / REPORTED as u64;
    let arms = "SELECT segment, variation, sums FROM rollup_arms WHERE experiment = 'e0'";
    let arms = tables::texts(app.store_url(), arms).await;
    let mut sql = String::from("BEGIN;");
    for row in &arms {
        let [segment, variation, sums] = &row[..] else { panic!("three columns") };
        sql += &format!(
            "UPDATE rollup_arms SET sums = '{}' WHERE experiment = 'e0' AND segment = '{segment}' AND variation = {variation};",
            times(sums, copies)
        );
    }
    let whole: Vec<&str> = arms.iter().filter(|row| row[0].is_empty()).map(|row| row[2].as_str()).collect();
    let scaled = |units: u64| {
        let lines: Vec<String> = whole.iter().map(|sums| times(sums, units / REPORTED as u64)).collect();
        lines.join("\n")
    };
    for units in looks().filter(|units| *units >= 2 * REPORTED as u64) {
        sql += &format!(
            "INSERT INTO rollup_looks (experiment, units, at_ms, arms) VALUES ('e0', {units}, {}, '{}');",
            1_764_403_200_000 + units,
            scaled(units)
        );
    }
    run(&(sql + "COMMIT;")).await;
}
