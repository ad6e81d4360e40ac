//! A shop under test: the real binary, a private store, and verbs.

use std::{
    collections::BTreeMap,
    fmt, fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Output,
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::Value;

use crate::{
    catalogue::{self, Goods},
    cluster::{Cluster, Durability},
    device::Device,
    metrics::Metrics,
    node::Node,
    program::{built, free_address, succeeded},
    reaper,
    shopper::{Answer, Shopper},
    workflow,
};

/// Names the store that a shop runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// The embedded store.
    Sqlite,
    /// A database of the private PostgreSQL cluster.
    Postgres,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// Says how a shop is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What it sells.
    pub goods: Vec<Goods>,
    /// What its commits survive.
    pub durability: Durability,
    /// Whether its PostgreSQL is its own: a transaction that is left open holds up the events of every shop on a server.
    pub is_alone: bool,
    /// Lines that follow the configuration's `[store]` table.
    pub config: String,
}

impl Default for Setup {
    fn default() -> Self {
        // A machine that runs other tests meanwhile is slow, and what shelves do without it is tested where it is meant.
        let config = "[shelves]\ndeadline_ms = 2000\n\n[payment]\ntimeout_ms = 300\n".to_owned();
        Self { goods: catalogue::standard(), durability: Durability::Process, is_alone: false, config }
    }
}

impl Setup {
    async fn new_database(&self) -> String {
        let Self { durability, is_alone, .. } = *self;
        let make = move || match is_alone {
            true => Cluster::alone(durability).new_database(),
            false => Cluster::shared(durability).new_database(),
        };
        tokio::task::spawn_blocking(make).await.expect("a database is made")
    }
}

/// Is a running shop; it stops when dropped.
#[derive(Debug)]
pub struct TestApp {
    store: Store,
    store_url: String,
    folder: PathBuf,
    address: SocketAddr,
    setup: Setup,
    node: Option<Node>,
}

impl TestApp {
    /// Starts a standard shop on the store.
    pub async fn start(store: Store) -> Self {
        Self::start_with(store, Setup::default()).await
    }

    /// Starts a shop that is set up otherwise.
    pub async fn start_with(store: Store, setup: Setup) -> Self {
        let mut app = Self::prepare(store, setup).await;
        app.restart().await;
        app
    }

    /// Starts a shop that listens on another of this machine's addresses.
    pub async fn start_at(host: Ipv4Addr, store: Store, setup: Setup) -> Self {
        let mut app = Self::prepare_at(host, store, setup).await;
        app.restart().await;
        app
    }

    /// Prepares a shop, its goods imported, without starting the server.
    pub async fn prepare(store: Store, setup: Setup) -> Self {
        Self::prepare_at(Ipv4Addr::LOCALHOST, store, setup).await
    }

    async fn prepare_at(host: Ipv4Addr, store: Store, setup: Setup) -> Self {
        let folder = reaper::folder("shop");
        let store_url = match store {
            Store::Sqlite => format!("sqlite:{}", folder.join("shop.db").display()),
            Store::Postgres => setup.new_database().await,
        };
        let address = SocketAddr::from((host, free_address().port()));
        let app = Self { store, store_url, folder, address, setup, node: None };
        fs::write(app.folder.join("products.csv"), catalogue::csv(&app.setup.goods))
            .expect("the product file is written");
        app.fill().await;
        app
    }

    /// Fills a new store with the shop's goods, and with the workflow of the test.
    async fn fill(&self) {
        self.write_config();
        self.run(&["import", "products", &self.folder.join("products.csv").display().to_string()]).await;
        workflow::give_everybody(&self.store_url).await;
    }

    /// Starts another server process on the same store, with a data folder of its own.
    pub async fn twin(&self) -> Self {
        let mut twin = Self {
            store: self.store,
            store_url: self.store_url.clone(),
            folder: reaper::folder("twin"),
            address: free_address(),
            setup: self.setup.clone(),
            node: None,
        };
        twin.write_config();
        twin.restart().await;
        twin
    }

    fn write_config(&self) {
        let data = self.folder.join("data");
        fs::create_dir_all(&data).expect("the data folder is made");
        let text = format!(
            "listen = \"{}\"\ndata_dir = \"{}\"\n\n[store]\nurl = \"{}\"\n{}\n",
            self.address,
            data.display(),
            self.store_url,
            self.setup.config
        );
        fs::write(self.config_file(), text).expect("the configuration is written");
    }

    /// Sets the lines that follow the configuration's `[store]` table; they hold from the next start.
    pub fn configure(&mut self, config: String) {
        self.setup.config = config;
        self.write_config();
    }

    /// Returns the path of the configuration file.
    pub fn config_file(&self) -> PathBuf {
        self.folder.join("cartwright.toml")
    }

    /// Returns a file of the shop's data folder.
    pub fn data(&self, path: &str) -> PathBuf {
        self.folder.join("data").join(path)
    }

    /// Writes a file beside the shop's own, for the command line to read, and returns its path.
    pub fn write_file(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        fs::write(&path, text).expect("the file is written");
        path.display().to_string()
    }

    /// Returns the store's kind.
    pub fn store(&self) -> Store {
        self.store
    }

    /// Returns the store's address, as the configuration has it.
    pub fn store_url(&self) -> &str {
        &self.store_url
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of a page or resource.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Runs a subcommand with the shop's configuration, and returns what it printed.
    ///
    /// # Panics
    /// Where it fails.
    pub async fn run(&self, arguments: &[&str]) -> String {
        succeeded(&arguments.join(" "), &self.try_run(arguments).await)
    }

    /// Runs a subcommand with the shop's configuration, whatever comes of it.
    pub async fn try_run(&self, arguments: &[&str]) -> Output {
        tokio::process::Command::new(built("cartwright"))
            .arg("--config")
            .arg(self.config_file())
            .args(arguments)
            .output()
            .await
            .expect("cartwright runs")
    }

    /// Starts the server on the shop's data; where it runs, it is killed first.
    pub async fn restart(&mut self) {
        self.kill();
        self.node = Some(Node::start(&self.config_file(), self.address, &self.folder.join("log")).await);
    }

    /// Starts the server on the same data with another configuration; where it runs, it is killed first.
    pub async fn restart_with(&mut self, setup: Setup) {
        self.setup = setup;
        self.write_config();
        self.restart().await;
    }

    /// Starts the server at the same address on an empty store, its goods imported: it has lost whatever it knew.
    pub async fn restart_empty(&mut self) {
        self.kill();
        self.store_url = match self.store {
            Store::Sqlite => format!("sqlite:{}", self.folder.join("other.db").display()),
            Store::Postgres => self.setup.new_database().await,
        };
        self.fill().await;
        self.restart().await;
    }

    /// Kills the server without warning.
    pub fn kill(&mut self) {
        if let Some(node) = self.node.take() {
            node.kill();
        }
    }

    /// Stops the server as an operator would.
    ///
    /// # Panics
    /// Where it does not end well.
    pub async fn stop(&mut self) {
        let node = self.node.take().expect("the server runs");
        let status = node.stop().await;
        assert!(status.success(), "the server ended with {status}");
    }

    /// Returns the running server process.
    pub fn node(&self) -> &Node {
        self.node.as_ref().expect("the server runs")
    }

    /// Reads a page as the shopper's browser would, without scripts.
    ///
    /// # Panics
    /// Where there is no such page.
    pub async fn page(&self, shopper: &Shopper, path: &str) -> String {
        let cookie = format!("cartwright_visitor={}", shopper.token());
        let answer = Client::new().get(self.url(path)).header("Cookie", cookie).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status).expect("the page is there");
        answer.text().await.expect("a page is text")
    }

    /// Calls the API as whoever the token stands for.
    ///
    /// # Panics
    /// Where the server goes away meanwhile.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Client::new().request(method, self.url(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::to(request).await.expect("the server answers")
    }

    /// Opens a cart for a new visitor.
    pub async fn open_cart(&self) -> Shopper {
        self.open_cart_as(&random_token()).await
    }

    /// Opens a cart for the visitor with the token.
    pub async fn open_cart_as(&self, token: &str) -> Shopper {
        Shopper::open_cart(self.address, token).await
    }

    /// Connects a device of the visitor, which may join carts.
    pub async fn device(&self, token: &str) -> Device {
        Device::connect(self.address, token).await
    }

    /// Connects a device with little room for what it does not read, and joins the shopper's cart.
    pub async fn join_with_room(&self, shopper: &Shopper, receive_bytes: u32) -> Device {
        let mut device = Device::connect_with_room(self.address, shopper.token(), receive_bytes).await;
        let reply = device.join(&shopper.topic()).await;
        assert_eq!(reply.status(), "ok", "{reply:?}");
        device
    }

    /// Connects a device of the shopper and joins the cart.
    pub async fn join(&self, shopper: &Shopper) -> Device {
        let mut device = self.device(shopper.token()).await;
        let reply = device.join(&shopper.topic()).await;
        assert_eq!(reply.status(), "ok", "{reply:?}");
        device
    }

    /// Reads the events of a type from the event files, once there are as many as wanted.
    ///
    /// On PostgreSQL that may take as long as any transaction of the cluster, also of another test.
    ///
    /// # Panics
    /// Where they do not come in time.
    pub async fn events(&self, kind: &str, wanted: usize) -> Vec<Value> {
        let mut found = Vec::new();
        for _ in 0..300 {
            found = self.events_now(kind);
            if found.len() >= wanted {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} of {wanted} events {kind} are in the files", found.len())
    }

    /// Reads the events of a type that the event files hold now, each once.
    pub fn events_now(&self, kind: &str) -> Vec<Value> {
        let files = fs::read_dir(self.data("events")).into_iter().flatten().flatten();
        let texts = files.map(|file| fs::read_to_string(file.path()).expect("an event file is text"));
        let mut by_id = BTreeMap::new();
        for text in texts {
            // A line without its end is still being written.
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let event: Value = serde_json::from_str(line).expect("a whole line is JSON");
                if event["type"] == kind {
                    by_id.insert(event["id"].as_str().expect("an event has an id").to_owned(), event);
                }
            }
        }
        by_id.into_values().collect()
    }

    /// Reads the metrics.
    pub async fn metrics(&self) -> Metrics {
        let answer = reqwest::get(self.url("/metrics")).await.expect("/metrics answers");
        assert_eq!(answer.status(), 200);
        Metrics::parse(&answer.text().await.expect("metrics are text"))
    }
}

/// Returns a visitor's token that nobody has had before.
pub fn random_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}
