//! The page of metrics.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use dashboards::{MetricsPage, Pages, Session};

use super::{
    Did, html, html_with,
    login::{Sent, SignedIn},
    see_other,
};
use crate::{events::data::KINDS, experiment_metrics::MetricsError, problem::Problem, shop::Shop};

const DONE: &[(&str, &str)] = &[("saved", "Saved. New experiments can be judged by them.")];

fn page(shop: &Shop, session: Session) -> MetricsPage {
    MetricsPage {
        session,
        notice: None,
        usual: shop.experiment_metrics.usual(),
        own: shop.experiment_metrics.own(),
        refused: None,
        event_types: KINDS.map(str::to_owned).into(),
    }
}

/// `GET /admin/metrics`.
pub(super) async fn list(
    shop: Data<Shop>,
    pages: Data<Pages>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    shop.experiment_metrics.refresh(&*shop.store).await?;
    html(pages.metrics(&MetricsPage { notice: did.notice(DONE, &[]), ..page(&shop, session) }))
}

/// `POST /admin/metrics`: puts the shop's own metrics in the place of those before.
pub(super) async fn save(
    shop: Data<Shop>,
    pages: Data<Pages>,
    Sent { session, form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let text = form.text("metrics").replace("\r\n", "\n");
    shop.definitions.refresh(&*shop.store).await?;
    let definitions = shop.definitions.get();
    match shop.experiment_metrics.save(&*shop.store, definitions.experiments(), &text).await {
        Ok(()) => Ok(see_other("/admin/metrics?did=saved")),
        Err(MetricsError::Store(error)) => Err(error.into()),
        Err(error) => {
            let refused = Some((text, format!("Nothing was saved: {error}.")));
            html_with(
                StatusCode::UNPROCESSABLE_ENTITY,
                pages.metrics(&MetricsPage { refused, ..page(&shop, session) }),
            )
        }
    }
}
