//! The list of experiments, and the search over past ones.

use std::collections::BTreeSet;

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use dashboards::{ExperimentRow, Overview, Pages, Search, ShopFigures};
use experiments::{Experiment, Status};

use super::{
    super::{Did, html, login::SignedIn},
    DONE, REFUSED, currency, shipped_on,
};
use crate::{
    clock,
    problem::Problem,
    results,
    revisions::{self, first},
    shop::Shop,
};

/// `GET /admin`.
pub(in crate::admin) async fn list(
    shop: Data<Shop>,
    pages: Data<Pages>,
    did: Query<Did>,
    search: Query<Search>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    search.check().map_err(Problem::invalid_request)?;
    shop.definitions.refresh(&*shop.store).await?;
    let totals = shop.store.totals().await?;
    let definitions = shop.definitions.get();
    let found: Vec<Experiment> =
        definitions.experiments().iter().filter(|experiment| search.finds(experiment)).cloned().collect();
    let analyses = results::at_a_glance(&shop, &found).await?;
    let mut experiments = vec![];
    for (experiment, analysis) in found.iter().zip(analyses) {
        let key = experiment.key();
        let started_at_ms = first(&revisions::of(&shop, key).await?, |status| status == Status::Running);
        experiments.push(ExperimentRow {
            key: key.to_owned(),
            name: experiment.name().to_owned(),
            status: experiment.status(),
            shipped: shipped_on(experiment, &definitions).map(|shipped| shipped.name().to_owned()),
            units: analysis.arms.iter().map(|a| a.units).sum(),
            verdict: experiment.status().has_started().then_some(analysis.verdict),
            sentence: analysis.sentence,
            started_at_ms,
            learned: experiment.learned().to_owned(),
        });
    }
    let all = definitions.experiments();
    let archived = all.iter().filter(|experiment| experiment.status() == Status::Archived).count();
    html(pages.overview(&Overview {
        session,
        search: search.into_inner(),
        owners: distinct(all.iter().map(Experiment::owner)),
        flags: distinct(all.iter().map(Experiment::flag)),
        archived: archived as u64,
        notice: did.notice(DONE, REFUSED),
        shop: ShopFigures {
            orders: totals.orders,
            revenue_minor: totals.revenue_minor,
            carts: totals.carts,
            currency: currency(&shop),
        },
        experiments,
        running: definitions.running(),
        interactions: results::shared::of(&*shop.store, &shop.experiment_metrics, &definitions, None).await?,
        as_of_ms: clock::now_ms(),
    }))
}

/// Lists what a filter offers.
fn distinct<'e>(values: impl Iterator<Item = &'e str>) -> Vec<String> {
    let values: BTreeSet<&str> = values.filter(|value| !value.is_empty()).collect();
    values.into_iter().map(str::to_owned).collect()
}
