//! The batch program: found beside the server's own, started and waited for.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, ensure};
use recommender::file;
use serde_json::json;
use tokio::process::Command;

use crate::{catalogue::Catalogue, config::Config};

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

/// Says how a training ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trained {
    /// A model was learnt and put into service.
    InService,
    /// A model was learnt, but it is plainly worse than the one in service, which stays.
    NotPromoted,
    /// There is nothing to learn from.
    Nothing,
}

/// Trains with the batch program, the folders of the configuration, the catalogue's names and further arguments; `said` is
/// told each line that the batch program prints.
///
/// # Errors
/// Where the program is not there, cannot be started or says that it failed, with what it said.
pub async fn train(
    program: &Path,
    config: &Config,
    catalogue: Option<&Catalogue>,
    further: &[String],
    said: &mut (dyn FnMut(&str) + Send),
) -> anyhow::Result<Trained> {
    if let Some(catalogue) = catalogue {
        write_names(&config.catalogue_file(), catalogue).context("cannot write the catalogue's names")?;
    }
    let mut command = command(program, config, "train")?;
    command.arg("--model").arg(config.model_file());
    let output = command.args(further).output().await.context("cannot start the batch program")?;
    String::from_utf8_lossy(&output.stdout).lines().for_each(said);
    match output.status.code() {
        Some(0) => Ok(Trained::InService),
        Some(4) => Ok(Trained::NotPromoted),
        Some(3) => Ok(Trained::Nothing),
        _ => anyhow::bail!("training failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
    }
}

/// Lets the batch program tune or evaluate, and print what it prints.
///
/// # Errors
/// As [`train`].
pub async fn pass_on(config: &Config, verb: &str, further: &[String]) -> anyhow::Result<()> {
    let mut command = command(&program(config)?, config, verb)?;
    if verb == "tune" {
        command.arg("--out").arg(config.tuned_file());
    }
    let status = command.args(further).status().await?;
    ensure!(status.success(), "cartwright-batch {verb} failed: {status}");
    Ok(())
}

/// Returns the command that runs the batch program with the folders of the configuration; it ends with its handle.
fn command(program: &Path, config: &Config, verb: &str) -> anyhow::Result<Command> {
    ensure!(
        program.exists(),
        "{} is not there; build it with `cargo build --release -p cartwright-batch`, or set recommender.batch",
        program.display()
    );
    let mut command = Command::new(program);
    command.arg(verb).arg("--events").arg(config.events_dir()).arg("--lake").arg(config.lake_dir());
    if config.catalogue_file().exists() {
        command.arg("--catalogue").arg(config.catalogue_file());
    }
    if config.tuned_file().exists() {
        command.arg("--settings").arg(config.tuned_file());
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

/// Writes the products' names for the batch program, one JSON object a line.
fn write_names(path: &Path, catalogue: &Catalogue) -> io::Result<()> {
    file::replace(path, |file| {
        let mut out = io::BufWriter::new(file);
        for product in catalogue.all() {
            let line = json!({"sku": product.sku, "name": product.name, "category": product.category});
            writeln!(out, "{line}")?;
        }
        out.flush()
    })
}
