//! PostgreSQL's own benchmark, as the yardstick of durable writes on this machine.

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
    database
}

/// Measures transactions per second over so many seconds.
pub fn measure(cluster: &Cluster, database: &str, seconds: u32) -> f64 {
    let seconds = seconds.to_string();
    let arguments = ["-N", "-c", "64", "-j", "2", "-s", "10", "-T", &seconds, database];
    let said = succeeded("pgbench", &cluster.run("pgbench", &arguments));
    let line = said.lines().find(|line| line.starts_with("tps = ")).expect("pgbench prints its tps");
    let number = line.trim_start_matches("tps = ").split(' ').next().unwrap_or_default();
    number.parse().expect("tps is a number")
}
