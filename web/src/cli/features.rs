//! `cartwright import --features`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use experiments::{
    growthbook::{PAYLOAD_BYTES_MAX, PayloadError, Problem, Severity},
    json::Json,
};

use crate::{
    clock,
    config::Config,
    definitions::{Definitions, Imported},
    store::{self, StoredFeatures},
};

#[derive(Args)]
pub(super) struct FeaturesArgs {
    /// Takes the flags of a GrowthBook payload, the answer of its `GET /api/features/{clientKey}`, in place of those imported
    /// before; `{"features": {}}` takes them away. A running server takes them up within a second.
    #[arg(long, value_name = "FILE")]
    pub features: Option<PathBuf>,
    /// Takes the saved groups of a JSON object by their ids, in place of the shop's own before, so that experiments' conditions may
    /// name them; `{}` takes them away. Groups that a running experiment asks for stay as they are.
    #[arg(long, value_name = "FILE", conflicts_with = "features")]
    pub groups: Option<PathBuf>,
    /// Takes the flags although some part of them does nothing, such as an operator that does not exist; SDKs pass over it.
    #[arg(long, requires = "features")]
    pub lenient: bool,
}

/// Checks saved groups and puts them in the place of those before.
pub(super) async fn import_groups(config: &Config, file: &Path) -> anyhow::Result<()> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let store = store::connect(&config.store.url, config.store.connections).await?;
    let definitions = Definitions::read(&*store).await?;
    let saving = definitions.groups().save(
        &*store,
        definitions.experiments(),
        &text,
        "cartwright import",
        clock::now_ms(),
    );
    saving.await.with_context(|| format!("{shown} is not right, nothing was changed"))?;
    println!("the saved groups are those of {shown} from now on");
    Ok(())
}

/// Checks a payload and puts it in the place of the one before.
pub(super) async fn import(config: &Config, file: &Path, is_lenient: bool) -> anyhow::Result<()> {
    let shown = file.display();
    let unread = || format!("cannot read {shown}");
    let wrong = || format!("{shown} is not right, nothing was changed");
    let bytes = usize::try_from(fs::metadata(file).with_context(unread)?.len()).unwrap_or(usize::MAX);
    if bytes > PAYLOAD_BYTES_MAX {
        return Err(PayloadError::TooLarge { bytes }).with_context(wrong);
    }
    let text = fs::read_to_string(file).with_context(unread)?;
    let imported = Imported::read(&text).with_context(wrong)?;
    let store = store::connect(&config.store.url, config.store.connections).await?;
    let definitions = Definitions::read(&*store).await?;
    let is_error = |problem: &Problem| problem.severity == Severity::Error && !is_lenient;
    let problems = imported.problems(&definitions).with_context(wrong)?;
    let (mut errors, warnings): (Vec<_>, Vec<_>) = problems.into_iter().partition(is_error);
    errors.extend(imported.collisions(&definitions).with_context(wrong)?);
    for warning in &warnings {
        println!("warning: {warning}");
    }
    let errors: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
    anyhow::ensure!(errors.is_empty(), "{}:{}", wrong(), errors.concat());
    let text = Json::from(imported.payload().clone()).to_string();
    store.put_features(&StoredFeatures { text, saved_at_ms: clock::now_ms() }).await?;
    let count = |part| imported.count(part);
    println!(
        "{} features, {} experiments of pages and {} saved groups are those of {shown} from now on",
        count("features"),
        count("experiments"),
        count("savedGroups")
    );
    Ok(())
}
