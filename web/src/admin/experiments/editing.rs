//! The form of an experiment: a new one, a copy, a change.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query, block},
};
use dashboards::{Calculator, DefinitionForm, EditPage, FormError, MetricChoice, Notice, Pages, Subject};
use experiments::Experiment;

use super::{
    super::{
        html, html_with,
        login::{Sent, SignedIn},
        see_other,
    },
    Saved, done, find,
    moves::reason_of,
    show, write,
};
use crate::{
    definitions::{self, WORKFLOW_FLAG},
    problem::{Kind, Problem},
    shop::Shop,
    store::{StoreError, StoredExperiment},
    storefront::cart::sentence,
};

/// What the address of a form asks: `copy`, the experiment that a new one shall be like, and the calculator's fields.
type Asked = Query<Vec<(String, String)>>;

/// Lets the calculator answer, beside the other requests: it integrates.
async fn calculated(Query(asked): Asked) -> Result<Calculator, Problem> {
    let answered = block(move || Calculator::read(asked)).await;
    answered.map_err(|_| Problem::new(Kind::Busy, "the calculator was cut off"))
}

/// `GET /admin/experiments/new`.
pub(in crate::admin) async fn new(
    shop: Data<Shop>,
    pages: Data<Pages>,
    asked: Asked,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let form = match asked.iter().find(|(name, _)| name == "copy") {
        Some((_, key)) => DefinitionForm::copy_of(&find(&shop, key).await?.0),
        None => DefinitionForm { flag: WORKFLOW_FLAG.into(), ..DefinitionForm::default() },
    };
    html(pages.edit(&EditPage {
        session,
        subject: Subject::New,
        form,
        metrics: choices(&shop),
        calculator: calculated(asked).await?,
        errors: vec![],
    }))
}

/// `GET /admin/experiments/{key}/edit`.
pub(in crate::admin) async fn edit(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    asked: Asked,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let (experiment, stored) = find(&shop, &key).await?;
    let form = DefinitionForm { revision: Some(stored.revision), ..DefinitionForm::from(&experiment) };
    html(pages.edit(&EditPage {
        session,
        subject: subject(&experiment, &stored),
        form,
        metrics: choices(&shop),
        calculator: calculated(asked).await?,
        errors: vec![],
    }))
}

/// Returns the metrics that may decide or guard.
fn choices(shop: &Shop) -> Vec<MetricChoice> {
    let metrics = shop.experiment_metrics.usual().into_iter().chain(shop.experiment_metrics.own());
    metrics.map(|metric| MetricChoice { key: metric.key().into(), name: metric.name().into() }).collect()
}

/// Checks that the shop can show a definition and count what decides it.
fn checked(shop: &Shop, experiment: &Experiment) -> Result<(), FormError> {
    definitions::parse(&experiment.to_value().to_string()).map_err(|e| FormError::general(e.to_string()))?;
    match shop.experiment_metrics.missing(experiment) {
        Some(key) => Err(FormError::at(
            if key == experiment.primary_metric() { "primary_metric" } else { "metrics" },
            format!("There is no metric “{key}”: choose one of the list, or define it first."),
        )),
        None => Ok(()),
    }
}

fn subject(experiment: &Experiment, stored: &StoredExperiment) -> Subject {
    Subject::Existing {
        key: experiment.key().to_owned(),
        name: experiment.name().to_owned(),
        status: experiment.status(),
        missing: experiment.missing(),
        revision: stored.revision,
    }
}

/// Shows a form again that was refused, with what is to mend.
fn refused(pages: &Pages, page: EditPage) -> Result<HttpResponse, Problem> {
    html_with(StatusCode::UNPROCESSABLE_ENTITY, pages.edit(&page))
}

/// `POST /admin/experiments`: saves a new draft.
pub(in crate::admin) async fn create(
    shop: Data<Shop>,
    pages: Data<Pages>,
    Sent { session, form: fields, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let form = DefinitionForm::read(fields.pairs());
    let again = |form, errors| {
        let session = session.clone();
        refused(
            &pages,
            EditPage {
                session,
                subject: Subject::New,
                form,
                metrics: choices(&shop),
                calculator: Calculator::default(),
                errors,
            },
        )
    };
    let experiment = match form.experiment() {
        Ok(experiment) => experiment,
        Err(errors) => return again(form, errors),
    };
    if let Err(error) = checked(&shop, &experiment) {
        return again(form, vec![error]);
    }
    if shop.definitions.get().is_imported(experiment.key()) {
        let error =
            FormError::at("key", "An imported flag has an experiment of this key. Choose another one.");
        return again(form, vec![error]);
    }
    let saved = Saved { by: &session.user, reason: &form.reason };
    match write(&shop, &experiment, None, saved).await {
        Ok(()) => Ok(see_other(&format!("/admin/experiments/{}?did=saved", experiment.key()))),
        Err(StoreError::Conflict(_)) => {
            let error = FormError::at("key", "There is an experiment of this key. Choose another one.");
            again(form, vec![error])
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/experiments/{key}`: saves changes.
pub(in crate::admin) async fn save(
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
    let checked = revised.and_then(|next| match checked(&shop, &next) {
        Ok(()) => Ok(next),
        Err(error) => Err(vec![error]),
    });
    let reason = reason_of(&form.reason, experiment.status().has_started());
    let (next, reason) = match (checked, reason) {
        (Ok(next), Ok(reason)) => (next, reason),
        (checked, reason) => {
            let mut errors = checked.err().unwrap_or_default();
            errors.extend(reason.err().map(|why| FormError::at("reason", why)));
            let subject = subject(&experiment, &stored);
            return refused(
                &pages,
                EditPage {
                    session,
                    subject,
                    form,
                    metrics: choices(&shop),
                    calculator: Calculator::default(),
                    errors,
                },
            );
        }
    };
    done(&shop, &next, revision, Saved { by: &session.user, reason: &reason }, "saved").await
}

/// `POST /admin/experiments/{key}/learned`: says what was learned.
pub(in crate::admin) async fn learn(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (experiment, stored) = find(&shop, &key).await?;
    // Browsers send line ends as CR LF; a definition keeps LF.
    let learned = form.text("learned").trim().replace("\r\n", "\n");
    match experiment.teaching(&learned) {
        Ok(next) => {
            let revision = form.text("revision").parse().unwrap_or(stored.revision);
            done(&shop, &next, revision, Saved { by: &session.user, reason: "" }, "learned").await
        }
        Err(error) => {
            let notice = Some(Notice::Refused(sentence(&error.to_string())));
            show(&shop, &pages, &session, &key, StatusCode::UNPROCESSABLE_ENTITY, notice, "").await
        }
    }
}
