//! The batch program: found beside the server's own, started and waited for.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use anyhow::{Context, ensure};
use recommender::file;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use super::training::{Ended, Heard, Line};
use crate::{catalogue::Catalogue, clock, config::Config};

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

/// Trains with the batch program, the folders of the configuration, the catalogue's names and further arguments; `heard` is
/// told each line that the batch program prints. What came of it is kept beside the models, whatever it is.
///
/// # Errors
/// Where the program is not there, cannot be started or says that it failed, with what it said.
pub async fn train(
    program: &Path,
    config: &Config,
    catalogue: Option<&Catalogue>,
    further: &[String],
    heard: &mut (dyn FnMut(Line<'_>) + Send),
) -> anyhow::Result<Trained> {
    let mut kept = Heard::default();
    let mut hear = |line: Line<'_>| {
        kept.take(line);
        heard(line);
    };
    let ran = run(program, config, catalogue, further, &mut hear).await;
    let (ended, failure) = match &ran {
        Ok(status) => match status.code() {
            Some(0) => (Ended::InService, None),
            Some(4) => (Ended::NotPromoted, None),
            Some(3) => (Ended::Nothing, None),
            _ => (Ended::Failed, Some(format!("the batch program ended with {status}"))),
        },
        Err(error) => (Ended::Failed, Some(format!("{error:#}"))),
    };
    let training = kept.ended(ended, failure, clock::now_ms());
    if let Err(error) = training.save(&config.training_file()) {
        tracing::warn!(%error, "what came of a training could not be kept");
    }
    ran?;
    match ended {
        Ended::InService => Ok(Trained::InService),
        Ended::NotPromoted => Ok(Trained::NotPromoted),
        Ended::Nothing => Ok(Trained::Nothing),
        Ended::Failed => anyhow::bail!("training failed: {}", training.why.unwrap_or_default()),
    }
}

/// Runs a training to its end.
async fn run(
    program: &Path,
    config: &Config,
    catalogue: Option<&Catalogue>,
    further: &[String],
    hear: &mut (dyn FnMut(Line<'_>) + Send),
) -> anyhow::Result<ExitStatus> {
    if let Some(catalogue) = catalogue {
        write_names(&config.catalogue_file(), catalogue).context("cannot write the catalogue's names")?;
    }
    let mut command = command(program, config, "train")?;
    command.arg("--model").arg(config.model_file());
    command.arg("--memory-bytes").arg(config.recommender.memory_bytes.to_string()).args(further);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot start the batch program")?;
    let said = child.stdout.take().context("the batch program has no output")?;
    let warned = child.stderr.take().context("the batch program has no error output")?;
    let (mut said, mut warned) = (BufReader::new(said).lines(), BufReader::new(warned).lines());
    let (mut says, mut warns) = (true, true);
    while says || warns {
        tokio::select! {
            line = said.next_line(), if says => match line.context("cannot read what the batch program says")? {
                Some(line) => hear(Line::Said(&line)),
                None => says = false,
            },
            line = warned.next_line(), if warns => match line.context("cannot read what the batch program says")? {
                Some(line) => hear(Line::Warned(&line)),
                None => warns = false,
            },
        }
    }
    child.wait().await.context("cannot wait for the batch program")
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
