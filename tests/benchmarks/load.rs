//! A light load client: HTTP/1.1 by hand on kept-alive connections, so that most of the machine is the server's.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::RngExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Is one kept-alive connection with a request at a time.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream, buffer: Vec::with_capacity(64 * 1024) }
    }

    /// Sends a whole request and returns the answer's status and body.
    pub async fn send(&mut self, request: &[u8]) -> (u16, &[u8]) {
        self.stream.write_all(request).await.expect("the connection is open");
        self.buffer.clear();
        let head = loop {
            self.read_more().await;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let (status, length) = parse_head(&self.buffer[..head]);
        while self.buffer.len() < head + length {
            self.read_more().await;
        }
        (status, &self.buffer[head..])
    }

    async fn read_more(&mut self) {
        let read = self.stream.read_buf(&mut self.buffer).await.expect("the connection is open");
        assert!(read > 0, "the server closed a kept-alive connection");
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn parse_head(head: &[u8]) -> (u16, usize) {
    let head = std::str::from_utf8(head).expect("an HTTP head is text");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
    let length = head.lines().filter_map(|line| line.split_once(':'));
    let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.filter_map(|(_, value)| value.trim().parse().ok()).next();
    (status, length.expect("the answer has a content-length"))
}

/// Builds a POST with a JSON body.
pub fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Builds a GET, with further headers, as the visitor of a token: by header for the API, by cookie for the pages.
pub fn get(path: &str, token: &str, headers: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {token}\r\n\
         Cookie: cartwright_visitor={token}\r\n{headers}\r\n"
    )
    .into_bytes()
}

/// Is what one connection sends: a head and a tail by chance, joined; it stays with a head for so many requests.
#[derive(Clone, Debug)]
pub struct Script {
    heads: Arc<[Vec<u8>]>,
    tails: Arc<[Vec<u8>]>,
    stay: usize,
}

impl Script {
    /// Sends commands to carts.
    pub fn commands(token: &str, carts: &[String], commands: &[String], stay: usize) -> Self {
        let head = |cart: &String| {
            format!(
                "POST /api/v1/carts/{cart}/commands HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: application/json\r\n"
            )
            .into_bytes()
        };
        let tail = |body: &String| format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
        Self { heads: carts.iter().map(head).collect(), tails: commands.iter().map(tail).collect(), stay }
    }

    /// Gets paths, as the visitor of a token.
    pub fn gets(token: &str, paths: &[String]) -> Self {
        Self {
            heads: paths.iter().map(|path| get(path, token, "")).collect(),
            tails: [vec![]].into(),
            stay: 1,
        }
    }
}

/// Says how fast requests follow each other.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// As answers come.
    Unbound,
    /// So many a second, over all connections, at regular times. What waits because an earlier answer is late counts
    /// as waiting (no coordinated omission).
    PerSecond(f64),
}

/// How long the load runs before it counts.
const WARM_UP: Duration = Duration::from_secs(2);

/// Is what a load led to.
#[derive(Debug)]
pub struct Measured {
    /// Answers a second, after the warm-up.
    pub per_second: f64,
    /// Requests that were answered 200, the warm-up's included.
    pub accepted: usize,
    /// Sorted, in microseconds.
    latencies: Vec<u32>,
}

impl Measured {
    /// Returns a quantile of the latencies by nearest rank, in milliseconds.
    pub fn quantile_ms(&self, q: f64) -> f64 {
        let rank = (q * self.latencies.len() as f64).ceil() as usize;
        f64::from(self.latencies[rank.clamp(1, self.latencies.len()) - 1]) / 1_000.0
    }
}

/// Sends each script over a connection of its own; anything but 200 is a panic.
pub async fn drive(address: SocketAddr, scripts: Vec<Script>, pace: Pace, seconds: u32) -> Measured {
    let counts_from = Instant::now() + WARM_UP;
    let until = counts_from + Duration::from_secs(seconds.into());
    let interval = match pace {
        Pace::Unbound => Duration::ZERO,
        Pace::PerSecond(rate) => Duration::from_secs_f64(scripts.len() as f64 / rate),
    };
    let count = scripts.len() as u32;
    let tasks: Vec<_> = scripts
        .into_iter()
        .enumerate()
        .map(|(n, script)| {
            let first = Instant::now() + interval * n as u32 / count;
            tokio::task::spawn_local(follow(address, script, first, interval, counts_from, until))
        })
        .collect();
    let (mut latencies, mut accepted) = (vec![], 0);
    for task in tasks {
        let (all, its) = task.await.expect("every request is answered");
        accepted += all;
        latencies.extend(its);
    }
    latencies.sort_unstable();
    Measured { per_second: latencies.len() as f64 / f64::from(seconds), accepted, latencies }
}

async fn follow(
    address: SocketAddr,
    script: Script,
    first: Instant,
    interval: Duration,
    counts_from: Instant,
    until: Instant,
) -> (usize, Vec<u32>) {
    let mut connection = Connection::open(address).await;
    let (mut accepted, mut latencies, mut request) = (0, vec![], vec![]);
    let (mut due, mut head) = (first, 0);
    loop {
        // Who is early waits for the time, and the timer's own lateness is not the server's.
        let now = Instant::now();
        let begun = if now < due && !interval.is_zero() {
            tokio::time::sleep_until(due.into()).await;
            Instant::now()
        } else if interval.is_zero() {
            now
        } else {
            due
        };
        if begun >= until {
            return (accepted, latencies);
        }
        if accepted % script.stay == 0 {
            head = rand::rng().random_range(0..script.heads.len());
        }
        request.clear();
        request.extend_from_slice(&script.heads[head]);
        request.extend_from_slice(&script.tails[rand::rng().random_range(0..script.tails.len())]);
        let (status, body) = connection.send(&request).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
        accepted += 1;
        let ended = Instant::now();
        if begun >= counts_from && ended < until {
            latencies.push((ended - begun).as_micros() as u32);
        }
        due += interval;
    }
}
