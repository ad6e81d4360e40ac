//! A real mail server (the `smtp-server` package) that refuses when it is told to.

use std::net::SocketAddr;

use serde_json::Value;

use crate::{letters::LetterFile, server::ScriptServer};

/// Is a running mail server; it stops when dropped.
#[derive(Debug)]
pub struct Mailbox(ScriptServer);

impl Mailbox {
    /// Starts a server that answers the first letters with 451, letters to `nobody@…` with 550, and takes the others.
    pub async fn start(refusals: usize) -> Self {
        Self(ScriptServer::start("smtp.js", &[refusals.to_string()]).await)
    }

    /// Returns the server's address.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Waits for the next thing that happened: `refused`, `rejected` or `letter`.
    pub async fn next(&mut self) -> Value {
        self.0.next().await
    }

    /// Waits for the next letter that was taken, passing over refusals.
    ///
    /// # Panics
    /// Where it is no letter.
    pub async fn letter(&mut self) -> LetterFile {
        loop {
            let event = self.next().await;
            if event["event"] == "letter" {
                return LetterFile::parse(event["eml"].as_str().expect("a letter"));
            }
        }
    }
}
