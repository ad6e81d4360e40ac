//! One running server process.

use std::{
    fs::{self, File},
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::{program::built, reaper::Will};

/// How long a server may take until it is ready, or until it has stopped.
const PATIENCE: Duration = Duration::from_secs(30);

/// Is a `cartwright serve` that is killed when dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    log: PathBuf,
    _will: Will,
}

impl Node {
    /// Starts the server and waits until it says that it is ready.
    ///
    /// # Panics
    /// Where it ends or is not ready in time; its log is part of the message.
    pub async fn start(config: &Path, address: SocketAddr, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).expect("the log opens");
        let child = Command::new(built("cartwright"))
            .args(["serve", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file handle"))
            .stderr(file)
            .spawn()
            .expect("cartwright starts");
        let will = Will::register(&format!("kill -9 {}", child.id()));
        let mut node = Self { child, log: log.to_path_buf(), _will: will };
        node.wait_until_ready(address).await;
        node
    }

    async fn wait_until_ready(&mut self, address: SocketAddr) {
        let client = reqwest::Client::new();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                panic!("the server ended with {status} instead of becoming ready:\n{}", self.log_tail());
            }
            let answer = client.get(format!("http://{address}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server was not ready within {PATIENCE:?}:\n{}", self.log_tail());
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills the process without warning (SIGKILL) and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks the process to stop (SIGTERM) and returns how it ended.
    ///
    /// # Panics
    /// Where it does not stop in time.
    pub async fn stop(mut self) -> ExitStatus {
        self.ask_to_stop();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the server did not stop within {PATIENCE:?}:\n{}", self.log_tail());
    }

    /// Sends SIGTERM and returns at once.
    pub fn ask_to_stop(&self) {
        let status = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Returns the last lines of the server's log.
    pub fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let status = self.child.wait().expect("the child is ours");
        debug_assert!(status.signal().is_some() || status.code().is_some());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            eprintln!("--- the server's log ---\n{}", self.log_tail());
        }
    }
}
