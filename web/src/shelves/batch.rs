//! The batch program: found beside the server's own, started and waited for.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::config::Config;

/// The batch program's file name.
pub const PROGRAM: &str = "cartwright-batch";

/// Returns where the batch program is to be found: where the configuration says, else beside the server's own.
///
/// # Errors
/// Where the server's own place cannot be told.
pub fn program(config: &Config) -> anyhow::Result<PathBuf> {
    match &config.recommender.batch {
        Some(path) => Ok(path.clone()),
        None => {
            Ok(std::env::current_exe().context("cannot tell where this program is")?.with_file_name(PROGRAM))
        }
    }
}

/// Runs the batch program to its end, with the folders of the configuration and further arguments.
///
/// # Errors
/// Where it is not there, cannot be started or says that it failed.
pub async fn run(config: &Config, verb: &str, further: &[String]) -> anyhow::Result<()> {
    let program = program(config)?;
    ensure!(
        program.exists(),
        "{} is not there; build it with `cargo build --release -p cartwright-batch`, or set recommender.batch",
        program.display()
    );
    let mut command = command(&program, config, verb);
    let status = command
        .args(further)
        .status()
        .await
        .with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(status.success(), "{} {verb} failed: {status}", program.display());
    Ok(())
}

/// Returns the command that runs the batch program with the folders of the configuration; it ends with its handle.
pub fn command(program: &Path, config: &Config, verb: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(verb).arg("--events").arg(config.events_dir()).arg("--lake").arg(config.lake_dir());
    if verb == "train" {
        command.arg("--model").arg(config.model_file());
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}
