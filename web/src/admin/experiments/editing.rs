//! The form of an experiment: a new one, a copy, a change.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Json, Path, Query, block},
};
use dashboards::{Calculator, DefinitionForm, EditPage, FormError, MetricChoice, Pages, Session, Subject};
use experiments::{Experiment, Status};
use serde::Serialize;

use super::{
    super::{
        html, html_with,
        login::{Sent, SignedIn},
        see_other,
    },
    Said, done, find,
    moves::reason_of,
    show,
};
use crate::{
    definitions::{self, DefinitionFault, WORKFLOW_FLAG},
    problem::{Kind, Problem},
    revisions::{Saved, write},
    shop::Shop,
    store::{StoreError, StoredExperiment},
    storefront::cart::sentence,
};

/// Said of a key that stands for another experiment.
const TAKEN: &str = "There is an experiment of this key. Choose another one.";

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
    let (form, errors) = match asked.iter().find(|(name, _)| name == "copy") {
        Some((_, key)) => {
            let (experiment, _) = find(&shop, key).await?;
            shop.experiment_metrics.refresh(&*shop.store).await?;
            let copy = DefinitionForm::copy_of(&experiment, &shop.experiment_metrics.of(&experiment));
            let errors = copy.wrong_metrics();
            (copy, errors)
        }
        None => (DefinitionForm { flag: WORKFLOW_FLAG.into(), ..DefinitionForm::default() }, vec![]),
    };
    let page = EditPage { errors, ..page(&shop, session, Subject::New, form) };
    html(pages.edit(&page.calculated(calculated(asked).await?)))
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
    let calculator = calculated(asked).await?;
    html(pages.edit(&page(&shop, session, subject(&experiment, &stored), form).calculated(calculator)))
}

/// The form with what stands in its fields.
fn page(shop: &Shop, session: Session, subject: Subject, form: DefinitionForm) -> EditPage {
    EditPage {
        session,
        warnings: form.warnings(&shop.definitions.get().running()),
        subject,
        form,
        metrics: choices(shop),
        calculator: Calculator::default(),
        errors: vec![],
    }
}

/// Is what a form's check answers while it is filled in.
#[derive(Serialize)]
pub(in crate::admin) struct Checked {
    pub errors: Vec<FormError>,
    pub warnings: Vec<FormError>,
    /// What is defined so, in words, where the form is right.
    pub says: Option<String>,
}

/// `POST /admin/experiments/new`: says what is wrong with the form of a new experiment, and saves nothing.
pub(in crate::admin) async fn check_new(shop: Data<Shop>, Sent { form, .. }: Sent) -> Json<Checked> {
    let form = DefinitionForm::read(form.pairs());
    let errors = drafted(&shop, &form).err().unwrap_or_default();
    Json(answered(&shop, &form, errors))
}

/// `POST /admin/experiments/{key}/edit`: says what is wrong with changes, and saves nothing.
pub(in crate::admin) async fn check(
    shop: Data<Shop>,
    key: Path<String>,
    Sent { form, .. }: Sent,
) -> Result<Json<Checked>, Problem> {
    let (experiment, _) = find(&shop, &key).await?;
    let form = DefinitionForm { key: key.into_inner(), ..DefinitionForm::read(form.pairs()) };
    let errors = changed(&shop, &experiment, &form).err().unwrap_or_default();
    Ok(Json(answered(&shop, &form, errors)))
}

/// Says beside what is wrong what is to know, and whom the experiment would reach.
fn answered(shop: &Shop, form: &DefinitionForm, errors: Vec<FormError>) -> Checked {
    let running = shop.definitions.get().running();
    let says = if errors.is_empty() { form.reach(&running) } else { None };
    Checked { errors, warnings: form.warnings(&running), says }
}

/// Reads a new draft, or says what is wrong with it.
fn drafted(shop: &Shop, form: &DefinitionForm) -> Result<Experiment, Vec<FormError>> {
    let experiment = form.experiment()?;
    checked(shop, &experiment).map_err(|error| vec![error])?;
    let definitions = shop.definitions.get();
    let taken = match experiment.key() {
        key if definitions.is_imported(key) => {
            "An imported flag has an experiment of this key. Choose another one."
        }
        key if definitions.stored(key).is_some() => TAKEN,
        _ => return Ok(experiment),
    };
    Err(vec![FormError::at("key", taken)])
}

/// Reads a change of an experiment and its reason, or says what is wrong with them.
fn changed(
    shop: &Shop,
    experiment: &Experiment,
    form: &DefinitionForm,
) -> Result<(Experiment, String), Vec<FormError>> {
    let revised = form
        .experiment()
        .and_then(|next| experiment.clone().revised(next).map_err(|e| vec![FormError::from(&e)]));
    let checked = revised.and_then(|next| {
        checked(shop, &next).and_then(|()| widened(shop, experiment, &next)).map_err(|error| vec![error])?;
        Ok(next)
    });
    let reason = reason_of(&form.reason, experiment.status().has_started());
    match (checked, reason) {
        (Ok(next), Ok(reason)) => Ok((next, reason)),
        (checked, reason) => {
            let mut errors = checked.err().unwrap_or_default();
            errors.extend(reason.err().map(|why| FormError::at("reason", why)));
            Err(errors)
        }
    }
}

/// Returns the metrics that may decide or guard.
pub(super) fn choices(shop: &Shop) -> Vec<MetricChoice> {
    let metrics = shop.experiment_metrics.usual().into_iter().chain(shop.experiment_metrics.own());
    metrics.map(|metric| MetricChoice { key: metric.key().into(), name: metric.name().into() }).collect()
}

/// Checks that the shop can show a definition and count what decides it.
fn checked(shop: &Shop, experiment: &Experiment) -> Result<(), FormError> {
    definitions::parse(&experiment.to_value().to_string()).map_err(|fault| placed(&fault))?;
    let definitions = shop.definitions.get();
    definitions.check_beside(experiment, false).map_err(|fault| placed(&fault))?;
    let room = experiment.check_room(definitions.experiments());
    room.map_err(|taken| {
        let field = if experiment.is_holdout() { "flag" } else { "layer" };
        FormError::at(field, sentence(&taken.to_string()))
    })?;
    match shop.experiment_metrics.missing(experiment) {
        Some(key) => Err(FormError::at(
            if key == experiment.primary_metric() { "primary_metric" } else { "metrics" },
            format!("There is no metric “{key}”: choose one of the list, or define it first."),
        )),
        None => judged(shop, experiment),
    }
}

/// Says a fault at the field that it is in.
fn placed(fault: &DefinitionFault) -> FormError {
    let message = sentence(&fault.to_string());
    match fault {
        DefinitionFault::UnknownAttribute { .. } => FormError::at("condition", message),
        DefinitionFault::Beside(why) if why.contains(".parentConditions") || why.contains("waits for") => {
            FormError::at("prerequisites", message)
        }
        DefinitionFault::Beside(_) => FormError::at("condition", message),
        DefinitionFault::Definition(error) => FormError::from(error),
        DefinitionFault::UnknownFlag(_) => FormError::at("flag", message),
        DefinitionFault::Value { .. } => FormError::general(message),
    }
}

/// Checks that a definition can be judged by the metrics it names; what runs already is told on its page, and stays editable.
fn judged(shop: &Shop, experiment: &Experiment) -> Result<(), FormError> {
    if experiment.status().has_started() {
        return Ok(());
    }
    let fit = experiment.check_fit(&shop.experiment_metrics.of(experiment));
    fit.map_err(|unfit| FormError::at(unfit.field(), sentence(&unfit.to_string())))
}

/// Checks that an experiment takes no visitors from another one by a wider coverage.
fn widened(shop: &Shop, before: &Experiment, next: &Experiment) -> Result<(), FormError> {
    if next.status() != Status::Running || next.coverage_bp() <= before.coverage_bp() {
        return Ok(());
    }
    let checked = next.check_rivals(shop.definitions.get().experiments());
    checked.map_err(|error| FormError::at("coverage_percent", sentence(&error.to_string())))
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
        let page = page(&shop, session.clone(), Subject::New, form);
        refused(&pages, EditPage { errors, ..page })
    };
    let experiment = match drafted(&shop, &form) {
        Ok(experiment) => experiment,
        Err(errors) => return again(form, errors),
    };
    let saved = Saved { by: &session.user, reason: &form.reason };
    match write(&shop, &experiment, None, saved).await {
        Ok(()) => Ok(see_other(&format!("/admin/experiments/{}?did=saved", experiment.key()))),
        Err(StoreError::Conflict(_)) => again(form, vec![FormError::at("key", TAKEN)]),
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
    let (next, reason) = match changed(&shop, &experiment, &form) {
        Ok(changed) => changed,
        Err(errors) => {
            let page = page(&shop, session, subject(&experiment, &stored), form);
            return refused(&pages, EditPage { errors, ..page });
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
            let said = Said::refused(StatusCode::UNPROCESSABLE_ENTITY, sentence(&error.to_string()));
            show(&shop, &pages, &session, &key, said).await
        }
    }
}
