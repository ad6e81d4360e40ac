//! The batch program: found beside this one, or built from the source that this one was built from.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use tokio::{process::Command, task::JoinHandle};

use crate::{config::Config, shelves::batch};

/// The source of this program, as of its build.
const SOURCE: &str = env!("CARGO_MANIFEST_DIR");
const PACKAGE: &str = batch::PROGRAM;
/// How many lines of a failed build are worth showing.
const LOG_LINES: usize = 20;

/// Is the batch program, or the way to it.
pub(super) enum Program {
    /// It is there, or it is known why not.
    Known(anyhow::Result<PathBuf>),
    /// It is being built.
    Building(JoinHandle<anyhow::Result<PathBuf>>),
}

impl Program {
    /// Looks for the program; begins to build it where it is missing and can be built.
    pub(super) fn find(config: &Config) -> Self {
        match batch::program(config) {
            Err(error) => Self::Known(Err(error)),
            Ok(path) if path.exists() => Self::Known(Ok(path)),
            Ok(path) => match workspace() {
                Some(root) => Self::Building(tokio::spawn(build(root))),
                None => Self::Known(Err(anyhow::anyhow!(
                    "{} is not there, nor is the source that it could be built from",
                    path.display()
                ))),
            },
        }
    }

    /// Reports whether nothing has to be waited for.
    pub(super) fn is_there(&self) -> bool {
        match self {
            Self::Known(_) => true,
            Self::Building(building) => building.is_finished(),
        }
    }

    /// Waits for the program.
    pub(super) async fn path(self) -> anyhow::Result<PathBuf> {
        match self {
            Self::Known(path) => path,
            Self::Building(building) => building.await?,
        }
    }
}

/// Returns the folder of the workspace where this program is still beside its source.
fn workspace() -> Option<PathBuf> {
    let root = Path::new(SOURCE).parent()?;
    root.join("recommender/batch/Cargo.toml").exists().then(|| root.to_owned())
}

async fn build(root: PathBuf) -> anyhow::Result<PathBuf> {
    // The lowest priority: shoppers come first.
    let output = match cargo(&["nice", "-n", "19", "cargo"], &root).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => cargo(&["cargo"], &root).await,
        output => output,
    };
    let output = output.context("cargo, which would build cartwright-batch, cannot be started")?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = log.lines().collect();
        bail!(
            "cartwright-batch could not be built:\n{}",
            lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
        );
    }
    let path = built(&String::from_utf8_lossy(&output.stdout))
        .context("cargo did not say where it put cartwright-batch")?;
    ensure!(path.exists(), "cargo says that {} is built, but it is not there", path.display());
    Ok(path)
}

async fn cargo(words: &[&str], root: &Path) -> std::io::Result<Output> {
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .args(["build", "--release", "--package", PACKAGE, "--message-format", "json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"));
    if let Some(folder) = build_folder() {
        command.arg("--target-dir").arg(folder);
    }
    command.stdin(Stdio::null()).kill_on_drop(true).output().await
}

/// Returns the build folder that this program lies in, where it lies in one: what is compiled there already need not be
/// compiled again.
fn build_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?;
    folder.join(".rustc_info.json").exists().then(|| folder.to_owned())
}

/// Is a line of cargo's report, as far as it is read.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    executable: Option<PathBuf>,
}

fn built(report: &str) -> Option<PathBuf> {
    let messages = report.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages
        .filter(|m| m.reason == "compiler-artifact")
        .filter_map(|m| m.executable)
        .find(|path| path.file_stem().is_some_and(|name| name == PACKAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_where_cargo_says() {
        let report = r#"{"reason":"compiler-artifact","target":{"name":"polars"},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"other"},"executable":"/t/release/other"}
{"reason":"compiler-artifact","target":{"name":"cartwright-batch"},"executable":"/t/release/cartwright-batch"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(built(report).unwrap(), Path::new("/t/release/cartwright-batch"));
        assert_eq!(built("{}"), None);
    }
}
