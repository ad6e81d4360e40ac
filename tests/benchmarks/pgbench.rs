//! PostgreSQL's own benchmark, as the yardstick of durable writes on this machine.

use std::fs;

use harness::{cluster::Cluster, program::succeeded};

/// What is run, for the figures' yardstick.
pub const COMMAND: &str = "pgbench -N -c 64 -j 2 -s 10";

/// Fills the yardstick's tables, on a cluster as it is when it has run for some time: a new one creates and syncs its log's
/// files while it writes them, 16 MB at a time, where a used one writes over old ones.
pub fn prepare(cluster: &Cluster) -> String {
    const LOG: &str = "SELECT count(pg_logical_emit_message(true, 'fill', repeat('x', 1000000))) FROM generate_series(1, 900)";
    succeeded("filling the log", &cluster.run("psql", &["-qc", LOG, "-c", "CHECKPOINT", "postgres"]));
    let url = cluster.new_database();
    let database = url.rsplit('/').next().expect("an address names a database").to_owned();
    succeeded("pgbench -i", &cluster.run("pgbench", &["-i", "-q", "-s", "10", &database]));
    settle(cluster);
    database
}

/// Brings what was written to the disk: half a minute later the system would do so at one go, in the middle of another figure.
fn settle(cluster: &Cluster) {
    succeeded("CHECKPOINT", &cluster.run("psql", &["-qc", "CHECKPOINT", "postgres"]));
}

/// Measures transactions per second over so many seconds.
pub fn measure(cluster: &Cluster, database: &str, seconds: u32) -> f64 {
    let seconds = seconds.to_string();
    let arguments = ["-N", "-c", "64", "-j", "2", "-s", "10", "-T", &seconds, database];
    let said = succeeded("pgbench", &cluster.run("pgbench", &arguments));
    settle(cluster);
    let line = said.lines().find(|line| line.starts_with("tps = ")).expect("pgbench prints its tps");
    let number = line.trim_start_matches("tps = ").split(' ').next().unwrap_or_default();
    number.parse().expect("tps is a number")
}

/// Measures the 99th percentile of its latency at so many transactions a second, in milliseconds: what of a tail is the
/// disk's and the machine's.
pub fn p99_ms(cluster: &Cluster, database: &str, per_second: f64, seconds: u32) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let prefix = folder.path().join("log").display().to_string();
    let (seconds, rate, log) =
        (seconds.to_string(), per_second.to_string(), format!("--log-prefix={prefix}"));
    let arguments = ["-N", "-c", "64", "-j", "2", "-l", &log, "-R", &rate, "-T", &seconds, database];
    succeeded("pgbench", &cluster.run("pgbench", &arguments));
    let files = fs::read_dir(folder.path()).expect("its logs").map(|file| file.expect("a log").path());
    let lines = files.flat_map(|file| {
        let log = fs::read_to_string(file).expect("its log is text");
        log.lines().map(latency_us).collect::<Vec<u64>>()
    });
    let mut latencies: Vec<u64> = lines.collect();
    latencies.sort_unstable();
    let rank = (latencies.len() * 99).div_ceil(100);
    latencies[rank.clamp(1, latencies.len()) - 1] as f64 / 1_000.0
}

/// Reads the third column of a line of its log: how long the transaction took, from when it was due, in microseconds.
fn latency_us(line: &str) -> u64 {
    line.split(' ').nth(2).and_then(|column| column.parse().ok()).expect("pgbench logs latencies")
}
