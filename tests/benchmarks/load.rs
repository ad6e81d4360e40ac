//! A light load client: HTTP/1.1 by hand on kept-alive connections, so that most of the machine is the server's.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

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

/// Is when samples count: after the warm-up, until the end.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    counts_from: Instant,
    until: Instant,
}

impl Window {
    /// Begins now.
    pub fn begin(warm_up: Duration, length: Duration) -> Self {
        let counts_from = Instant::now() + warm_up;
        Self { counts_from, until: counts_from + length }
    }

    /// Says whether a request may still begin.
    pub fn is_open(&self) -> bool {
        Instant::now() < self.until
    }

    /// Returns the latency of a request that began then and ends now, in microseconds, where it counts.
    pub fn latency_us(&self, begun: Instant) -> Option<u32> {
        let now = Instant::now();
        (begun >= self.counts_from && now < self.until).then(|| (now - begun).as_micros() as u32)
    }
}

/// Returns the quantile of sorted samples by nearest rank.
pub fn quantile(sorted: &[u32], q: f64) -> u32 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}
