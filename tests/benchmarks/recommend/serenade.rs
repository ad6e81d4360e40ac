//! The yardstick of trails: Serenade, bol.com's server of recommendations by sessions (Kersbergen, Sprangers and Schelter,
//! SIGMOD 2022), which `cargo install serenade` brings with its program `serving`.

use std::{
    fmt::Write,
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use harness::reaper::{Will, folder};
use serde_json::Value;

/// How long it may take to learn.
const PATIENCE: Duration = Duration::from_secs(120);

/// Is a running server; it is killed when dropped.
pub struct Serenade {
    child: Child,
    address: SocketAddr,
    _will: Will,
}

/// Starts it with what was viewed in the same sessions: its own settings, but trails as long and answers as short as are asked here.
pub fn start(program: &str, events: &str, views: usize, answers: usize) -> Serenade {
    let place = folder("serenade");
    fs::write(place.join("sessions.tsv"), sessions(events)).expect("the sessions are written");
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let address = free.expect("a free port");
    let config = format!(
        "[server]\nhost = \"{}\"\nport = {}\n[data]\ntraining_data_path = \"sessions.tsv\"\n[model]\n\
         max_items_in_session = {views}\nnum_items_to_recommend = {answers}\n{UNUSED}",
        address.ip(),
        address.port(),
    );
    fs::write(place.join("serenade.toml"), config).expect("the configuration is written");
    // Beside its configuration it keeps the sessions that are under way.
    let child = Command::new(fs::canonicalize(program).expect("Serenade's program is there"))
        .arg("serenade.toml")
        .current_dir(&place)
        .stdout(Stdio::null())
        .spawn()
        .expect("Serenade starts");
    let will = Will::register(&format!("kill -9 {}", child.id()));
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < PATIENCE, "Serenade does not listen");
        thread::sleep(Duration::from_millis(100));
    }
    Serenade { child, address, _will: will }
}

/// What it wants to be told, though its server never looks at it.
const UNUSED: &str = "[logic]\nenable_business_logic = false\n[hyperparam]\ntraining_data_path = \"\"\ntest_data_path = \"\"\n\
     validation_data_path = \"\"\nnum_iterations = 1\nsave_records = false\nout_path = \"\"\n\
     enable_business_logic = false\nn_most_recent_sessions_range = \"\"\nneighborhood_size_k_range = \"\"\n\
     last_items_in_session_range = \"\"\nidf_weighting_range = \"\"\n";

impl Serenade {
    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Serenade {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks what follows on a view. It remembers what the session viewed before.
pub fn path(session: usize, product: usize) -> String {
    format!("/v1/recommend?session_id={session}&user_consent=true&item_id={product}")
}

/// Writes events of views as the table that it learns from.
fn sessions(events: &str) -> String {
    let mut table = String::from("SessionId\tItemId\tTime\n");
    for event in events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let digits = |text: &Value| text.as_str().map(|text| text[1..].to_owned());
        if let (Some(session), Some(product)) = (digits(&event["unit"]), digits(&event["data"]["sku"])) {
            let at_s = event["at_ms"].as_i64().unwrap_or(0) / 1_000;
            let _ = writeln!(table, "{session}\t{product}\t{at_s}");
        }
    }
    table
}
