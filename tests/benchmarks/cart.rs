//! The cart's whole table of speed, each figure beside its yardstick in the same run.

pub mod bare;
mod memory;
mod pricing;
mod redis;
mod rush;
mod sell_out;
mod shopper;

use harness::{
    Store, TestApp,
    app::Setup,
    catalogue::many,
    cluster::{Cluster, Durability},
    tables,
};

use crate::{
    figure::{Figure, Format, Target},
    load::{Measured, Pace, Script, drive},
    pgbench,
};
pub use bare::serve as serve_bare;
pub use shopper::spread;
use shopper::{Shopper, add, filled, shoppers};

/// Connections of every figure that does not say otherwise.
const CONNECTIONS: usize = 64;
/// Carts that are open beside each other.
const CARTS: usize = 50_000;
/// Products of the catalogue.
const VARIANTS: usize = 1_000;
/// Lines of a well-filled cart.
const LINES_FILLED: usize = 20;
/// Lines of a cart that many connections fill at once.
const LINES_SHARED: usize = 32;
/// Lines of a cart that is read.
const LINES_READ: usize = 5;
/// Carts stored beside the ones in use, where their number must not matter.
const STORED: usize = 1_000_000;
/// How often the two stores of that comparison take turns.
const STORED_ROUNDS: u32 = 4;
/// How often SQLite and PostgreSQL take turns where they are compared.
const TURNS: u32 = 3;

/// Is one run of the benchmark on one store.
struct Run {
    store: Store,
    format: Format,
    seconds: u32,
}

/// Says what is measured.
pub struct Plan {
    /// On which stores.
    pub stores: Vec<Store>,
    /// Only these parts; all where it is empty.
    pub only: Vec<String>,
}

impl Plan {
    /// Reports whether a part is to be measured.
    pub fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == part)
    }
}

/// Measures what is planned and prints it as it comes.
pub async fn measure(plan: &Plan, seconds: u32, format: Format) {
    if plan.wants("pricing") {
        pricing::measure(format);
    }
    let cluster = Cluster::shared(Durability::Disk);
    let database = pgbench::prepare(cluster);
    let redis = if plan.wants("add") { redis::measure(seconds) } else { None };
    for &store in &plan.stores {
        let run = Run { store, format, seconds };
        let app = TestApp::start_with(store, setup()).await;
        if plan.wants("add") {
            let before = pgbench::measure(cluster, &database, seconds);
            let spread = run.adding(&app).await;
            let tps = (before + pgbench::measure(cluster, &database, seconds)) / 2.0;
            run.yardsticks(spread, tps, redis);
            run.print(
                "add.half.pgbench_p99",
                pgbench::p99_ms(cluster, &database, tps / 2.0, seconds),
                "ms",
                Target::None,
                "pgbench itself, at half of its most",
            );
        }
        if plan.wants("read") {
            run.reading(&app).await;
        }
        if plan.wants("page") {
            run.page(&app).await;
        }
        if plan.wants("hot") {
            run.hot(&app).await;
        }
        if plan.wants("crowd") {
            run.crowd(&app).await;
        }
        if plan.wants("memory") {
            memory::measure(&run, &app).await;
        }
        if plan.wants("stored") {
            run.stored().await;
        }
        drop(app);
        if plan.wants("add") && store == Store::Sqlite {
            run.beside_postgres().await;
        }
        if plan.wants("rush") {
            rush::measure(&run).await;
        }
    }
}

fn setup() -> Setup {
    let mut goods = many("B", VARIANTS, 1_000_000_000);
    goods.extend(many("HOT", 1, sell_out::STOCK));
    Setup { goods, durability: Durability::Disk, config: String::new(), ..Setup::default() }
}

impl Run {
    fn print(&self, name: &str, value: f64, unit: &'static str, target: Target, yardstick: &str) {
        let name = format!("cart.{}.{name}", self.store);
        Figure { name, value, unit, target, yardstick: yardstick.to_owned() }.print(self.format);
    }

    async fn drive(&self, app: &TestApp, scripts: Vec<Script>, pace: Pace) -> Measured {
        drive(app.address(), scripts, pace, self.seconds).await
    }

    /// Adds to many carts: as fast as answers come, then at half of that; then to carts that are filled.
    ///
    /// Returns the adds a second of the first.
    async fn adding(&self, app: &TestApp) -> f64 {
        let scripts = spread(app, CARTS).await;
        let most = self.drive(app, scripts.clone(), Pace::Unbound).await;
        let load = format!("{CONNECTIONS} connections, {CARTS} carts, {VARIANTS} variants");
        self.print("add", most.per_second, "adds/s", Target::None, &load);
        self.print("add.p99", most.quantile_ms(0.99), "ms", Target::None, &load);
        let half = self.drive(app, scripts, Pace::PerSecond(most.per_second / 2.0)).await;
        let load = format!("at {:.0} adds/s, half of the most", half.per_second);
        self.print("add.half.p50", half.quantile_ms(0.5), "ms", Target::None, &load);
        self.print("add.half.p99", half.quantile_ms(0.99), "ms", Target::AtMost(10.0), &load);
        let filled = shoppers(app, CONNECTIONS, 60).await;
        let variants: Vec<_> = (0..LINES_FILLED).map(|n| add(&format!("B{n}"))).collect();
        let scripts = filled.iter().map(|s| Script::commands(&s.token, &s.carts, &variants, 100));
        let filled = self.drive(app, scripts.collect(), Pace::Unbound).await;
        let load = format!("carts of up to {LINES_FILLED} lines, filled one after the other");
        self.print("add.filled", filled.per_second, "adds/s", Target::None, &load);
        most.per_second
    }

    fn yardsticks(&self, per_second: f64, tps: f64, redis: Option<f64>) {
        // SQLite's target is PostgreSQL: `add.per_postgres`.
        let (of_pgbench, of_redis) = match self.store {
            Store::Postgres => (Target::Aiming(3.0, 5.0), Target::None),
            Store::Sqlite => (Target::None, Target::Aim(0.4)),
        };
        let beside = format!("{} at {tps:.0} tx/s", pgbench::COMMAND);
        self.print("add.per_pgbench", per_second / tps, "times", of_pgbench, &beside);
        if let Some(redis) = redis {
            let beside = format!("{} at {redis:.0}/s", redis::COMMAND);
            self.print("add.per_redis", per_second / redis, "times", of_redis, &beside);
        }
    }

    /// Adds to SQLite and to PostgreSQL by turns, whichever else is measured: so a machine that is now slower, now faster
    /// weighs on both alike.
    async fn beside_postgres(&self) {
        let apps = [
            TestApp::start_with(Store::Sqlite, setup()).await,
            TestApp::start_with(Store::Postgres, setup()).await,
        ];
        let scripts = [spread(&apps[0], 100 * CONNECTIONS).await, spread(&apps[1], 100 * CONNECTIONS).await];
        let [sqlite, postgres] = self.by_turns(&apps, &scripts, TURNS).await;
        let beside = format!("SQLite {sqlite:.0} adds/s, PostgreSQL {postgres:.0} adds/s, by turns");
        self.print("add.per_postgres", sqlite / postgres, "times", Target::AtLeast(1.0), &beside);
    }

    /// Returns the adds a second of two servers that take turns.
    async fn by_turns(&self, apps: &[TestApp; 2], scripts: &[Vec<Script>; 2], turns: u32) -> [f64; 2] {
        let mut adds = [0.0; 2];
        for _ in 0..turns {
            for ((app, scripts), adds) in apps.iter().zip(scripts).zip(&mut adds) {
                shopper::settle(app, app.store()).await;
                *adds += self.drive(app, scripts.clone(), Pace::Unbound).await.per_second;
            }
        }
        adds.map(|adds| adds / f64::from(turns))
    }

    /// Reads live carts, beside a bare handler that returns the same bytes.
    async fn reading(&self, app: &TestApp) {
        let shoppers = filled(app, LINES_READ).await;
        let path = |cart: &String| format!("/api/v1/carts/{cart}");
        let script = |s: &Shopper| Script::gets(&s.token, &s.carts.iter().map(path).collect::<Vec<_>>());
        let scripts: Vec<_> = shoppers.iter().map(script).collect();
        let bare = bare::start(&shoppers[0].read(app).await);
        let yardstick = drive(bare.address(), scripts.clone(), Pace::Unbound, self.seconds).await.per_second;
        drop(bare);
        let found = self.drive(app, scripts, Pace::Unbound).await.per_second;
        let beside =
            format!("carts {found:.0}/s; a bare actix-web handler of the same bytes {yardstick:.0}/s");
        self.print("read.per_bare", found / yardstick, "times", Target::AtLeast(0.6), &beside);
    }

    /// Asks for the cart page, as fast as it comes and then at half of that.
    async fn page(&self, app: &TestApp) {
        let shoppers = filled(app, LINES_READ).await;
        let scripts: Vec<_> = shoppers.iter().map(|s| Script::gets(&s.token, &["/cart".into()])).collect();
        let most = self.drive(app, scripts.clone(), Pace::Unbound).await.per_second;
        let half = self.drive(app, scripts.clone(), Pace::PerSecond(most / 2.0)).await;
        let load = format!("at {:.0} pages/s, half of the most; {LINES_READ} lines", half.per_second);
        self.print("page.half.p99", half.quantile_ms(0.99), "ms", Target::AtMost(5.0), &load);
        let bare = bare::start(&shoppers[0].read(app).await);
        let bare_most = drive(bare.address(), scripts.clone(), Pace::Unbound, self.seconds).await.per_second;
        let half = drive(bare.address(), scripts, Pace::PerSecond(bare_most / 2.0), self.seconds).await;
        let load = format!("a bare handler at {:.0} answers/s, half of its most", half.per_second);
        self.print("page.half.bare_p99", half.quantile_ms(0.99), "ms", Target::None, &load);
        let kilobytes = shoppers[0].compressed_page(app).await as f64 / 1_000.0;
        self.print("page.gzip", kilobytes, "kB", Target::AtMost(14.0), "the HTML, compressed");
    }

    /// Everybody wants the same product, then the same cart, beside everybody in carts of their own.
    async fn hot(&self, app: &TestApp) {
        let scripts = spread(app, 100 * CONNECTIONS).await;
        let spread = self.drive(app, scripts, Pace::Unbound).await.per_second;
        sell_out::measure(self, app, spread).await;
        self.hot_cart(app, spread).await;
    }

    async fn hot_cart(&self, app: &TestApp, spread: f64) {
        let (found, pieces, _) = self.together(app, CONNECTIONS).await;
        let beside = format!("{spread:.0} adds/s spread");
        self.print("hot_cart.per_spread", found.per_second / spread, "times", Target::AtLeast(0.25), &beside);
        let lost = found.accepted as f64 - pieces as f64;
        self.print("hot_cart.lost", lost, "adds", Target::Exactly(0.0), &format!("{pieces} pieces"));
    }

    /// Few and many connections add several variants to one cart.
    async fn crowd(&self, app: &TestApp) {
        for connections in [2, 8, 64] {
            let (found, pieces, lines) = self.together(app, connections).await;
            let lost = found.accepted as f64 - pieces as f64;
            let beside = format!("{} adds acknowledged", found.accepted);
            self.print(&format!("crowd_{connections}.lost"), lost, "adds", Target::Exactly(0.0), &beside);
            let target = Target::Exactly(LINES_SHARED as f64);
            self.print(&format!("crowd_{connections}.lines"), lines as f64, "lines", target, "one a variant");
        }
    }

    /// Returns what connections that share one cart were told, and its pieces and lines then.
    async fn together(&self, app: &TestApp, connections: usize) -> (Measured, u64, usize) {
        let shopper = shoppers(app, 1, 1).await.remove(0);
        let commands: Vec<_> = (0..LINES_SHARED).map(|n| add(&format!("B{n}"))).collect();
        let script = Script::commands(&shopper.token, &shopper.carts, &commands, 1);
        // A line holds 9,999 pieces at most: this ends before the fastest store is there.
        let found = drive(app.address(), vec![script; connections], Pace::Unbound, self.seconds.min(4)).await;
        let (pieces, lines) = shopper.pieces(app).await;
        (found, pieces, lines)
    }

    /// Adds to a store with few carts and to one with a million more, by turns: so carts that grow and a machine that
    /// is now slower, now faster weigh on both alike.
    async fn stored(&self) {
        let apps =
            [TestApp::start_with(self.store, setup()).await, TestApp::start_with(self.store, setup()).await];
        let scripts = [spread(&apps[0], 100 * CONNECTIONS).await, spread(&apps[1], 100 * CONNECTIONS).await];
        let filling = shopper::stored_carts(self.store, STORED);
        tables::run(apps[1].store_url(), &filling).await.expect("carts are inserted");
        let [few, many] = self.by_turns(&apps, &scripts, STORED_ROUNDS).await;
        let beside = format!("{few:.0} adds/s, and {many:.0} with {STORED} more carts, by turns");
        self.print("stored.million", many / few, "times", Target::AtLeast(0.9), &beside);
    }
}
