//! The pages of experiments: the list, one with its verdict and its history, the form, the buttons.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use dashboards::{Currency, ExperimentPage, FreshLink, Notice, Pages, Session};
use experiments::{Experiment, Variation, rollout};

use super::{Did, html_with, login::SignedIn, report::Report, see_other};
use crate::{
    definitions::{Definitions, WORKFLOW_FLAG},
    problem::{Kind, Problem},
    revisions::{Saved, write},
    shop::Shop,
    store::{StoreError, StoredExperiment},
};

pub mod editing;
pub mod history;
pub mod late;
pub mod links;
pub mod moves;
pub mod overview;

const DONE: &[(&str, &str)] = &[
    ("saved", "Saved."),
    ("start", "The experiment runs. Its first units arrive with the next shoppers."),
    (
        "pause",
        "The experiment is paused. Nobody new is assigned, and carts that are open keep their workflow.",
    ),
    ("resume", "The experiment runs again. Who was in it meets the same variation."),
    ("stop", "The experiment has stopped, on every node. Carts that are open keep their workflow."),
    ("archive", "The experiment is archived."),
    ("learned", "What was learned is saved, and the search finds it."),
    ("metric", "The metric is added, and is being counted for all visitors from the first one on."),
    ("raise", "The step is taken: more visitors take part from now on."),
    ("skip", "The step is left out."),
    ("unlinked", "The link is taken back, and leads nowhere from now on."),
    ("ship", "The variation is shipped: its flag answers it at every door, and nobody is counted any more."),
];
const REFUSED: &[(&str, &str)] = &[
    ("changed", "Somebody else changed the experiment meanwhile. Look at it again."),
    ("unlinked", "There is no such link: it has ended, or somebody took it back."),
];

/// Returns the variation that everybody gets on the experiment's flag, where the experiment was the last to ship one.
pub(super) fn shipped_on<'e>(experiment: &'e Experiment, definitions: &Definitions) -> Option<&'e Variation> {
    let (by, _) = rollout::on_flag(definitions.experiments(), experiment.flag())?;
    let variation = experiment.rollout().filter(|_| by.key() == experiment.key())?;
    experiment.variations().get(variation)
}

pub(super) fn currency(shop: &Shop) -> Currency {
    let currency = shop.currency();
    Currency::new(currency.code(), currency.exponent())
}

/// `GET /admin/experiments/{key}`.
pub(super) async fn read(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let said = Said { notice: did.notice(DONE, REFUSED), ..Said::default() };
    show(&shop, &pages, &session, &key, said).await
}

/// Is what the page of an experiment says beside what is known of the experiment.
#[derive(Debug, Default)]
struct Said<'a> {
    status: StatusCode,
    /// What the last action did, or why it did nothing.
    notice: Option<Notice>,
    /// The reason that was typed, where a form is shown again.
    reason: &'a str,
    /// A link to its report that was just made.
    fresh: Option<FreshLink>,
}

impl Said<'_> {
    /// Says why something was not done.
    fn refused(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, notice: Some(Notice::Refused(why.into())), ..Self::default() }
    }
}

/// Answers the page of an experiment.
async fn show(
    shop: &Shop,
    pages: &Pages,
    session: &Session,
    key: &str,
    said: Said<'_>,
) -> Result<HttpResponse, Problem> {
    let Said { status, notice, reason, fresh } = said;
    shop.definitions.refresh(&*shop.store).await?;
    let definitions = shop.definitions.get();
    let report =
        Report::of(&*shop.store, &definitions, &shop.experiment_metrics, currency(shop), key).await?;
    let experiment = report.experiment();
    let place = if experiment.flag() == WORKFLOW_FLAG { "/products" } else { "/cart" };
    let previews: Vec<String> =
        (0..experiment.variations().len()).map(|v| format!("{place}?{}={v}", experiment.key())).collect();
    let links = links::of(shop, key, fresh).await?;
    let metrics = editing::choices(shop);
    let page = ExperimentPage {
        session: Some(session),
        notice,
        reason,
        previews: &previews,
        metrics: &metrics,
        links: &links,
        ..report.page()
    };
    html_with(status, pages.experiment(&page))
}

async fn find(shop: &Shop, key: &str) -> Result<(Experiment, StoredExperiment), Problem> {
    shop.definitions.refresh(&*shop.store).await?;
    let definitions = shop.definitions.get();
    found_in(&definitions, key)
}

pub(super) fn found_in(
    definitions: &Definitions,
    key: &str,
) -> Result<(Experiment, StoredExperiment), Problem> {
    let found = definitions.experiment(key).cloned().zip(definitions.stored(key).cloned());
    found.ok_or_else(|| Problem::new(Kind::UnknownExperiment, format!("there is no experiment {key}")))
}

/// Saves the next revision and leads to the experiment's page, which says what was done.
async fn done(
    shop: &Shop,
    next: &Experiment,
    revision: u64,
    saved: Saved<'_>,
    did: &str,
) -> Result<HttpResponse, Problem> {
    let key = next.key();
    match write(shop, next, Some(revision), saved).await {
        Ok(()) => Ok(see_other(&format!("/admin/experiments/{key}?did={did}"))),
        Err(StoreError::Conflict(_)) => Ok(see_other(&format!("/admin/experiments/{key}?refused=changed"))),
        Err(error) => Err(error.into()),
    }
}
