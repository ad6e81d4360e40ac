//! A server of `tests/clients` that says what happens to it, a line of JSON each.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::program::{free_address, repository};

/// Is a running script; it stops when dropped.
#[derive(Debug)]
pub struct ScriptServer {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl ScriptServer {
    /// Starts a script with a port and further arguments, and waits until it listens.
    ///
    /// # Panics
    /// Where Node or the pinned packages are missing.
    pub async fn start(script: &str, arguments: &[String]) -> Self {
        let folder = repository().join("tests/clients");
        assert!(folder.join("node_modules").is_dir(), "run `npm ci` in tests/clients (tests/run does)");
        let address = free_address();
        let mut child = Command::new("node")
            .arg(folder.join(script))
            .arg(address.port().to_string())
            .args(arguments)
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts: install nodejs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut server = Self { _child: child, lines, address };
        assert_eq!(server.next().await["event"], "listening");
        server
    }

    /// Returns the server's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the next thing that happens.
    ///
    /// # Panics
    /// Where nothing happens within half a minute.
    pub async fn next(&mut self) -> Value {
        self.next_within(Duration::from_secs(30)).await.expect("something happens")
    }

    /// Waits for the next thing that happens, for so long.
    ///
    /// # Panics
    /// Where the server ends.
    pub async fn next_within(&mut self, patience: Duration) -> Option<Value> {
        let line = timeout(patience, self.lines.next_line()).await.ok()?;
        let line = line.expect("a line").expect("the server runs");
        Some(serde_json::from_str(&line).expect("a line is JSON"))
    }
}
