//! The page of metrics, and the form of one.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Json, Path, Query},
};
use dashboards::{FormError, MetricForm, MetricPage, MetricsPage, Pages, Session, measures::counts};
use experiments::Metric;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Did,
    experiments::editing::Checked,
    html, html_with,
    login::{Sent, SignedIn},
    see_other,
};
use crate::{
    events::{data::KINDS, rollups::DERIVED},
    experiment_metrics::{Draft, MetricsError},
    problem::{Kind, Problem},
    shop::Shop,
    storefront::{cart::sentence, form::Form},
};

const DONE: &[(&str, &str)] = &[
    ("saved", "Saved. New experiments can be judged by them."),
    ("removed", "The metric is removed. Experiments that were judged by it keep their numbers."),
];

/// Lists the types of events that can be counted.
fn event_types() -> Vec<String> {
    KINDS.into_iter().chain(DERIVED).map(str::to_owned).collect()
}

/// The page as things stand now. The revision is read first: what is shown is never older.
async fn page(shop: &Shop, session: Session) -> Result<MetricsPage, Problem> {
    let revision = revision(shop).await?;
    Ok(MetricsPage {
        session,
        revision,
        notice: None,
        usual: shop.experiment_metrics.usual(),
        own: shop.experiment_metrics.own(),
        refused: None,
        event_types: event_types(),
    })
}

/// Takes up what others have saved, and returns the number of it.
async fn revision(shop: &Shop) -> Result<u64, Problem> {
    let revision = shop.experiment_metrics.revision(&*shop.store).await?;
    shop.experiment_metrics.refresh(&*shop.store).await?;
    Ok(revision)
}

/// `GET /admin/metrics`.
pub(super) async fn list(
    shop: Data<Shop>,
    pages: Data<Pages>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    html(pages.metrics(&MetricsPage { notice: did.notice(DONE, &[]), ..page(&shop, session).await? }))
}

/// `POST /admin/metrics`: puts the shop's own metrics in the place of those before.
pub(super) async fn save_all(
    shop: Data<Shop>,
    pages: Data<Pages>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let text = form.text("metrics").replace("\r\n", "\n");
    let draft = Draft { text: &text, read_at: read_at(&form), by: &session.user };
    match write(&shop, draft).await {
        Ok(()) => Ok(see_other("/admin/metrics?did=saved")),
        Err(MetricsError::Store(error)) => Err(error.into()),
        Err(error) => {
            let refused = Some((text, format!("Nothing was saved: {error}.")));
            html_with(
                StatusCode::UNPROCESSABLE_ENTITY,
                pages.metrics(&MetricsPage { refused, ..page(&shop, session).await? }),
            )
        }
    }
}

/// The revision that a form was opened with.
fn read_at(form: &Form) -> u64 {
    form.text("revision").parse().unwrap_or(0)
}

async fn write(shop: &Shop, draft: Draft<'_>) -> Result<(), MetricsError> {
    shop.definitions.refresh(&*shop.store).await?;
    let definitions = shop.definitions.get();
    shop.experiment_metrics.save(&*shop.store, definitions.experiments(), draft).await
}

/// The metric that a new one shall be like.
#[derive(Deserialize)]
pub(super) struct Like {
    copy: Option<String>,
}

/// `GET /admin/metrics/new`.
pub(super) async fn new(
    shop: Data<Shop>,
    pages: Data<Pages>,
    like: Query<Like>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let revision = revision(&shop).await?;
    let form = match &like.copy {
        Some(key) => MetricForm::copy_of(&shop.experiment_metrics.get(key).ok_or_else(|| unknown(key))?),
        None => MetricForm::new(),
    };
    html(pages.metric(&form_page(session, None, form, revision)))
}

/// `GET /admin/metrics/own/{key}`.
pub(super) async fn edit(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let revision = revision(&shop).await?;
    let form = MetricForm::from(&found(&shop, &key).await?);
    html(pages.metric(&form_page(session, Some(key.into_inner()), form, revision)))
}

fn form_page(session: Session, key: Option<String>, form: MetricForm, revision: u64) -> MetricPage {
    MetricPage { session, key, form, revision, errors: vec![], event_types: event_types() }
}

async fn found(shop: &Shop, key: &str) -> Result<Metric, Problem> {
    shop.experiment_metrics.refresh(&*shop.store).await?;
    shop.experiment_metrics.own().into_iter().find(|own| own.key() == key).ok_or_else(|| unknown(key))
}

fn unknown(key: &str) -> Problem {
    Problem::new(Kind::UnknownMetric, format!("there is no metric {key}"))
}

/// `POST /admin/metrics/new`: says what is wrong with the form of a new metric, and saves nothing.
pub(super) async fn check_new(shop: Data<Shop>, Sent { form, .. }: Sent) -> Json<Checked> {
    Json(checked(&shop, None, &MetricForm::read(form.pairs())))
}

/// `POST /admin/metrics/own/{key}`: says what is wrong with changes, and saves nothing.
pub(super) async fn check(
    shop: Data<Shop>,
    key: Path<String>,
    Sent { form, .. }: Sent,
) -> Result<Json<Checked>, Problem> {
    let before = found(&shop, &key).await?;
    let form = MetricForm { key: key.into_inner(), ..MetricForm::read(form.pairs()) };
    Ok(Json(checked(&shop, Some(before.key()), &form)))
}

fn checked(shop: &Shop, before: Option<&str>, form: &MetricForm) -> Checked {
    let read = form.metric().and_then(|metric| {
        with(shop, before, Some(&metric))?;
        Ok(metric)
    });
    match read {
        Ok(metric) => {
            let says = Some(format!("Nothing is wrong. It is the {}.", counts(&metric)));
            Checked { errors: vec![], warnings: vec![], says }
        }
        Err(errors) => Checked { errors, warnings: vec![], says: None },
    }
}

/// Writes the shop's own metrics with one more, with one in another's place, or without one.
fn with(shop: &Shop, before: Option<&str>, after: Option<&Metric>) -> Result<String, Vec<FormError>> {
    let mut own = shop.experiment_metrics.own();
    let place = before.and_then(|key| own.iter().position(|metric| metric.key() == key));
    match (place, after) {
        (Some(place), Some(after)) => own[place] = after.clone(),
        (Some(place), None) => _ = own.remove(place),
        (None, after) => own.extend(after.cloned()),
    }
    let text = Value::from_iter(own.iter().map(Metric::to_value)).to_string();
    match shop.experiment_metrics.parse(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(vec![error_of(&error)]),
    }
}

fn error_of(error: &MetricsError) -> FormError {
    match error {
        MetricsError::Doubled(key) => {
            FormError::at("key", format!("There is a metric of the key “{key}”. Choose another one."))
        }
        other => FormError::general(sentence(&other.to_string())),
    }
}

/// `POST /admin/metrics/added`: adds a metric.
pub(super) async fn add(
    shop: Data<Shop>,
    pages: Data<Pages>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    shop.experiment_metrics.refresh(&*shop.store).await?;
    let page = form_page(session, None, MetricForm::read(form.pairs()), read_at(&form));
    put(&shop, &pages, page).await
}

/// `POST /admin/metrics/own/{key}/{change}`: saves a metric, or removes it.
pub(super) async fn change(
    shop: Data<Shop>,
    pages: Data<Pages>,
    path: Path<(String, String)>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (key, change) = path.into_inner();
    let before = found(&shop, &key).await?;
    let typed = MetricForm { key: key.clone(), ..MetricForm::read(form.pairs()) };
    let page = form_page(session, Some(key), typed, read_at(&form));
    match change.as_str() {
        "save" => put(&shop, &pages, page).await,
        "remove" => match with(&shop, Some(before.key()), None) {
            Ok(text) => written(&shop, &pages, page, &text, "removed").await,
            Err(errors) => refused(&pages, MetricPage { errors, ..page }),
        },
        _ => Err(Problem::new(Kind::NoSuchRoute, format!("a metric cannot {change}"))),
    }
}

/// Puts a metric in the place of the one before, or adds it.
async fn put(shop: &Shop, pages: &Pages, page: MetricPage) -> Result<HttpResponse, Problem> {
    let text = page.form.metric().and_then(|metric| with(shop, page.key.as_deref(), Some(&metric)));
    match text {
        Ok(text) => written(shop, pages, page, &text, "saved").await,
        Err(errors) => refused(pages, MetricPage { errors, ..page }),
    }
}

async fn written(
    shop: &Shop,
    pages: &Pages,
    page: MetricPage,
    text: &str,
    did: &str,
) -> Result<HttpResponse, Problem> {
    let draft = Draft { text, read_at: page.revision, by: &page.session.user };
    match write(shop, draft).await {
        Ok(()) => Ok(see_other(&format!("/admin/metrics?did={did}"))),
        Err(MetricsError::Store(error)) => Err(error.into()),
        // Whoever saves again has been told.
        Err(error @ MetricsError::Overtaken) => {
            let revision = revision(shop).await?;
            refused(pages, MetricPage { errors: vec![error_of(&error)], revision, ..page })
        }
        Err(error) => refused(pages, MetricPage { errors: vec![error_of(&error)], ..page }),
    }
}

/// Shows a form again that was refused, with what is to mend.
fn refused(pages: &Pages, page: MetricPage) -> Result<HttpResponse, Problem> {
    html_with(StatusCode::UNPROCESSABLE_ENTITY, pages.metric(&page))
}
