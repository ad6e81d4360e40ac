//! The pages of experiments: the list, one with its verdict and its history, the form, the buttons.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use dashboards::{Currency, ExperimentPage, FreshLink, Notice, Pages, Revision, Session};
use experiments::{Experiment, Status, Variation, rollout};

use super::{Did, html_with, login::SignedIn, report::Report, see_other};
use crate::{
    clock,
    definitions::{Definitions, WORKFLOW_FLAG},
    problem::{Kind, Problem},
    shop::Shop,
    store::{Store, StoreError, StoredExperiment},
};

pub mod editing;
pub mod history;
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
    ("raise", "The step is taken: more visitors take part from now on."),
    ("skip", "The step is left out."),
    ("unlinked", "The link is taken back, and leads nowhere from now on."),
    ("ship", "The variation is shipped: its flag answers it to everybody, and nobody is counted any more."),
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

/// Returns the revisions of an experiment, the oldest first.
///
/// # Errors
/// What the store says.
pub async fn history(shop: &Shop, key: &str) -> Result<Vec<Revision>, Problem> {
    revisions(&*shop.store, key).await
}

/// As [`history`], where no shop is open.
///
/// # Errors
/// As [`history`].
pub async fn revisions(store: &dyn Store, key: &str) -> Result<Vec<Revision>, Problem> {
    let revision = |row: StoredExperiment| Revision {
        number: row.revision,
        at_ms: row.saved_at_ms,
        by: row.saved_by,
        reason: row.reason,
        // One that another version of the server saved may be beyond us; the others are told.
        definition: Experiment::parse(&row.definition).ok(),
    };
    Ok(store.history(key).await?.into_iter().map(revision).collect())
}

/// Returns when an experiment first was in a status.
pub(super) fn first(history: &[Revision], is: impl Fn(Status) -> bool) -> Option<i64> {
    let was = |revision: &&Revision| revision.definition.as_ref().is_some_and(|e| is(e.status()));
    history.iter().find(was).map(|revision| revision.at_ms)
}

/// Returns when the next step of an experiment's ramp is due, in Unix milliseconds.
pub fn step_due_at_ms(experiment: &Experiment, history: &[Revision]) -> Option<i64> {
    let started_at_ms = first(history, |status| status == Status::Running)?;
    let mut since_ms = started_at_ms;
    let definitions =
        history.iter().filter_map(|revision| Some((revision.at_ms, revision.definition.as_ref()?)));
    let mut before: Option<(Status, u32)> = None;
    for (at_ms, definition) in definitions {
        let now = (definition.status(), definition.coverage_bp());
        if before != Some(now) {
            since_ms = at_ms;
        }
        before = Some(now);
    }
    experiment.due_at_ms(started_at_ms, since_ms)
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
    let page = ExperimentPage {
        session: Some(session),
        notice,
        reason,
        previews: &previews,
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

/// Says who saves a revision, and why.
#[derive(Debug, Clone, Copy)]
pub struct Saved<'a> {
    /// Who.
    pub by: &'a str,
    /// Why; may be empty.
    pub reason: &'a str,
}

/// Saves the next revision of an experiment, and takes it up at once.
///
/// # Errors
/// [`StoreError::Conflict`] where the revision is not the expected one, and what else the store says.
pub async fn write(
    shop: &Shop,
    experiment: &Experiment,
    expected: Option<u64>,
    saved: Saved<'_>,
) -> Result<(), StoreError> {
    let row = StoredExperiment {
        key: experiment.key().to_owned(),
        revision: expected.unwrap_or(0) + 1,
        definition: experiment.to_value().to_string(),
        saved_at_ms: clock::now_ms(),
        saved_by: saved.by.to_owned(),
        reason: saved.reason.to_owned(),
    };
    shop.store.save_definition(&row, expected).await?;
    shop.definitions.refresh(&*shop.store).await
}
