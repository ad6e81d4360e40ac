//! A metric that was forgotten: added after the start, counted from the beginning.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use dashboards::Pages;
use experiments::definition::{LateError, METRICS_MAX};

use super::{super::login::Sent, Said, done, find, moves::reason_of, show};
use crate::{clock, problem::Problem, revisions::Saved, shop::Shop, storefront::cart::sentence};

/// `POST /admin/experiments/{key}/metrics`: adds a metric to an experiment that has started.
pub(in crate::admin) async fn add(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let again =
        async |status, why: String| show(&shop, &pages, &session, &key, Said::refused(status, why)).await;
    let reason = match reason_of(form.text("reason"), true) {
        Ok(reason) => reason,
        Err(why) => return again(StatusCode::UNPROCESSABLE_ENTITY, why).await,
    };
    let (experiment, stored) = find(&shop, &key).await?;
    shop.experiment_metrics.refresh(&*shop.store).await?;
    let metric = form.text("metric");
    let Some(named) = shop.experiment_metrics.get(metric) else {
        let why = format!("There is no metric “{metric}”: choose one of the list, or define it first.");
        return again(StatusCode::UNPROCESSABLE_ENTITY, why).await;
    };
    if let Err(unfit) = experiment.check_fits(&named) {
        return again(StatusCode::CONFLICT, sentence(&unfit.to_string())).await;
    }
    // Where no metrics are named, the usual ones are counted.
    let counted = shop.experiment_metrics.of(&experiment);
    if counted.iter().any(|counted| counted.key() == metric) {
        return again(StatusCode::CONFLICT, format!("The metric “{metric}” is counted already.")).await;
    }
    let is_full = counted.len() + experiment.late_metrics().len() >= METRICS_MAX;
    let added = experiment.adding(metric, clock::now_ms());
    let next = match added.and_then(|next| if is_full { Err(LateError::TooMany) } else { Ok(next) }) {
        Ok(next) => next,
        Err(error) => return again(StatusCode::CONFLICT, sentence(&error.to_string())).await,
    };
    let next = next.keeping(named);
    let revision = form.text("revision").parse().unwrap_or(stored.revision);
    done(&shop, &next, revision, Saved { by: &session.user, reason: &reason }, "metric").await
}
