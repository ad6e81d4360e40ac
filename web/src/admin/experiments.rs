//! The pages of experiments: overview, verdict, create, edit, start, stop.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use dashboards::{
    Currency, DefinitionForm, EditPage, ExperimentPage, ExperimentRow, FormError, Overview, Pages,
    ShopFigures, Subject,
};
use experiments::{Experiment, Status, lifecycle::Move};
use serde::Deserialize;

use super::{
    Did, html, html_with,
    login::{Sent, SignedIn},
    results, see_other,
};
use crate::{
    clock,
    definitions::{self, WORKFLOW_FLAG},
    problem::{Kind, Problem},
    shop::Shop,
    store::{StoreError, StoredExperiment},
};

const DONE: &[(&str, &str)] = &[
    ("saved", "Saved."),
    ("started", "The experiment runs. Its first units arrive with the next shoppers."),
    ("stopped", "The experiment has stopped. Carts that are open keep their workflow."),
];
const REFUSED: &[(&str, &str)] = &[
    ("changed", "Somebody else changed the experiment meanwhile. Look at it again."),
    ("move", "The experiment is not in a state that allows this."),
];

/// `GET /admin`.
pub(super) async fn overview(
    shop: Data<Shop>,
    pages: Data<Pages>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    shop.definitions.refresh(&*shop.store).await?;
    let (totals, mut arms) = (shop.store.totals().await?, shop.store.arms().await?);
    let mut experiments = vec![];
    for experiment in shop.definitions.get().experiments() {
        let key = experiment.key();
        let results = results::at_a_glance(experiment, &arms.remove(key).unwrap_or_default())?;
        let (started_at_ms, _) = life(&shop, key).await?;
        experiments.push(ExperimentRow {
            key: key.to_owned(),
            name: experiment.name().to_owned(),
            status: experiment.status(),
            units: results.analysis.arms.iter().map(|a| a.units).sum(),
            verdict: (experiment.status() != Status::Draft).then_some(results.analysis.verdict),
            sentence: results.analysis.sentence,
            started_at_ms,
        });
    }
    html(pages.overview(&Overview {
        session,
        notice: did.notice(DONE, REFUSED),
        shop: ShopFigures {
            orders: totals.orders,
            revenue_minor: totals.revenue_minor,
            carts: totals.carts,
            currency: currency(&shop),
        },
        experiments,
        as_of_ms: clock::now_ms(),
    }))
}

fn currency(shop: &Shop) -> Currency {
    let currency = shop.currency();
    Currency::new(currency.code(), currency.exponent())
}

/// Returns when an experiment started and stopped, as its history tells.
async fn life(shop: &Shop, key: &str) -> Result<(Option<i64>, Option<i64>), Problem> {
    let history = shop.store.history(key).await?;
    let first = |status: Status| {
        history
            .iter()
            .find(|row| Experiment::parse(&row.definition).is_ok_and(|e| e.status() == status))
            .map(|row| row.saved_at_ms)
    };
    Ok((first(Status::Running), first(Status::Stopped)))
}

/// `GET /admin/experiments/{key}`.
pub(super) async fn read(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let (experiment, stored) = find(&shop, &key).await?;
    let results = results::of(&*shop.store, &experiment).await?;
    let (started_at_ms, stopped_at_ms) = life(&shop, &key).await?;
    let place = if experiment.flag() == WORKFLOW_FLAG { "/products" } else { "/cart" };
    let previews: Vec<String> =
        (0..experiment.variations().len()).map(|v| format!("{place}?{}={v}", experiment.key())).collect();
    html(pages.experiment(&ExperimentPage {
        session: &session,
        notice: did.notice(DONE, REFUSED),
        experiment: &experiment,
        revision: stored.revision,
        saved_at_ms: Some(stored.saved_at_ms),
        started_at_ms,
        stopped_at_ms,
        analysis: &results.analysis,
        orders: &results.orders,
        looks: results.looks,
        previews: &previews,
        currency: &currency(&shop),
        as_of_ms: clock::now_ms(),
    }))
}

async fn find(shop: &Shop, key: &str) -> Result<(Experiment, StoredExperiment), Problem> {
    shop.definitions.refresh(&*shop.store).await?;
    let definitions = shop.definitions.get();
    let found = definitions.experiment(key).cloned().zip(definitions.stored(key).cloned());
    found.ok_or_else(|| Problem::new(Kind::UnknownExperiment, format!("there is no experiment {key}")))
}

/// Names the experiment that a new one shall be like.
#[derive(Deserialize)]
pub(super) struct Wanted {
    copy: Option<String>,
}

/// `GET /admin/experiments/new`.
pub(super) async fn new(
    shop: Data<Shop>,
    pages: Data<Pages>,
    wanted: Query<Wanted>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let form = match &wanted.copy {
        Some(key) => DefinitionForm::copy_of(&find(&shop, key).await?.0),
        None => DefinitionForm { flag: WORKFLOW_FLAG.into(), ..DefinitionForm::default() },
    };
    html(pages.edit(&EditPage { session, subject: Subject::New, form, errors: vec![] }))
}

/// `GET /admin/experiments/{key}/edit`.
pub(super) async fn edit(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let (experiment, stored) = find(&shop, &key).await?;
    let form = DefinitionForm { revision: Some(stored.revision), ..DefinitionForm::from(&experiment) };
    html(pages.edit(&EditPage { session, subject: subject(&experiment, &stored), form, errors: vec![] }))
}

fn subject(experiment: &Experiment, stored: &StoredExperiment) -> Subject {
    Subject::Existing {
        key: experiment.key().to_owned(),
        name: experiment.name().to_owned(),
        status: experiment.status(),
        revision: stored.revision,
    }
}

/// Shows a form again that was refused, with what is to mend.
fn refused(pages: &Pages, page: EditPage) -> Result<HttpResponse, Problem> {
    html_with(StatusCode::UNPROCESSABLE_ENTITY, pages.edit(&page))
}

/// `POST /admin/experiments`: saves a new draft.
pub(super) async fn create(
    shop: Data<Shop>,
    pages: Data<Pages>,
    Sent { session, form: fields, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let form = DefinitionForm::read(fields.pairs());
    let again = |form, errors| {
        let session = session.clone();
        refused(&pages, EditPage { session, subject: Subject::New, form, errors })
    };
    let experiment = match form.experiment() {
        Ok(experiment) => experiment,
        Err(errors) => return again(form, errors),
    };
    if let Err(error) = definitions::parse(&experiment.to_value().to_string()) {
        return again(form, vec![FormError::general(error.to_string())]);
    }
    match write(&shop, &experiment, None, &session.user).await {
        Ok(()) => Ok(see_other(&format!("/admin/experiments/{}?did=saved", experiment.key()))),
        Err(StoreError::Conflict(_)) => {
            let error = FormError::at("key", "There is an experiment of this key. Choose another one.");
            again(form, vec![error])
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/experiments/{key}`: saves changes.
pub(super) async fn save(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    Sent { session, form: fields, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (experiment, stored) = find(&shop, &key).await?;
    let form = DefinitionForm { key: key.clone(), ..DefinitionForm::read(fields.pairs()) };
    let revision = form.revision.unwrap_or(stored.revision);
    let revised = form
        .experiment()
        .and_then(|next| experiment.clone().revised(next).map_err(|e| vec![FormError::from(&e)]));
    let checked = revised.and_then(|next| {
        let parsed = definitions::parse(&next.to_value().to_string());
        parsed.map_err(|e| vec![FormError::general(e.to_string())])
    });
    let next = match checked {
        Ok(next) => next,
        Err(errors) => {
            let subject = subject(&experiment, &stored);
            return refused(&pages, EditPage { session, subject, form, errors });
        }
    };
    done(&shop, &next, revision, &session.user, "saved").await
}

/// `POST /admin/experiments/{key}/start`.
pub(super) async fn start(shop: Data<Shop>, key: Path<String>, sent: Sent) -> Result<HttpResponse, Problem> {
    change(&shop, &key, sent, Move::Start, "started").await
}

/// `POST /admin/experiments/{key}/stop`.
pub(super) async fn stop(shop: Data<Shop>, key: Path<String>, sent: Sent) -> Result<HttpResponse, Problem> {
    change(&shop, &key, sent, Move::Stop, "stopped").await
}

async fn change(
    shop: &Shop,
    key: &str,
    Sent { session, form, .. }: Sent,
    asked: Move,
    did: &str,
) -> Result<HttpResponse, Problem> {
    let (experiment, stored) = find(shop, key).await?;
    // Nobody starts a definition that they have not seen: the form brings the revision it was shown with.
    let revision = form.text("revision").parse().unwrap_or(stored.revision);
    match experiment.moved(asked) {
        Ok(moved) => done(shop, &moved, revision, &session.user, did).await,
        Err(_) => Ok(see_other(&format!("/admin/experiments/{key}?refused=move"))),
    }
}

async fn done(
    shop: &Shop,
    next: &Experiment,
    revision: u64,
    by: &str,
    did: &str,
) -> Result<HttpResponse, Problem> {
    let key = next.key();
    match write(shop, next, Some(revision), by).await {
        Ok(()) => Ok(see_other(&format!("/admin/experiments/{key}?did={did}"))),
        Err(StoreError::Conflict(_)) => Ok(see_other(&format!("/admin/experiments/{key}?refused=changed"))),
        Err(error) => Err(error.into()),
    }
}

async fn write(
    shop: &Shop,
    experiment: &Experiment,
    expected: Option<u64>,
    by: &str,
) -> Result<(), StoreError> {
    let row = StoredExperiment {
        key: experiment.key().to_owned(),
        revision: expected.unwrap_or(0) + 1,
        definition: experiment.to_value().to_string(),
        saved_at_ms: clock::now_ms(),
    };
    shop.store.save_definition(&row, expected, by).await?;
    shop.definitions.refresh(&*shop.store).await
}
