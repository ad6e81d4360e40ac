//! Redis's own benchmark with every write brought to disk, as a yardstick that keeps all in memory.

use std::{
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use harness::{
    program::free_address,
    reaper::{Will, folder},
};

/// What is run, for the figures' yardstick.
pub const COMMAND: &str = "redis-benchmark -t hset -c 64, appendfsync always";

/// Measures HSETs per second, for about so many seconds; `None` where Redis is not installed.
pub fn measure(seconds: u32) -> Option<f64> {
    let home = folder("redis");
    let port = free_address().port().to_string();
    let server = Command::new("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"])
        .args(["--appendfsync", "always", "--dir", home.to_str().expect("a plain path")])
        .stdout(Stdio::null())
        .spawn();
    let Ok(mut server) = server else {
        eprintln!(
            "redis-server is not installed, so nothing is measured beside it: apt-get install redis-server"
        );
        return None;
    };
    let _will = Will::register(&format!("kill -9 {}", server.id()));
    sleep(Duration::from_secs(1));
    let run = |requests: u32| {
        let output = Command::new("redis-benchmark")
            .args(["-p", &port, "-t", "hset", "-c", "64", "--csv", "-n", &requests.to_string()])
            .output()
            .expect("redis-benchmark runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let row = text.lines().find(|line| line.starts_with("\"HSET\"")).expect("it prints a row");
        let rate = row.split(',').nth(1).expect("the row has a rate");
        rate.trim_matches('"').parse::<f64>().expect("a number")
    };
    // A first, short run says how many requests fill the time.
    let rate = run(10_000);
    let rate = run((rate * f64::from(seconds)) as u32);
    server.kill().and_then(|()| server.wait()).expect("redis-server stops");
    Some(rate)
}
