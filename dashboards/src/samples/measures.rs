//! The pages of metrics.

use super::sample::metrics;
use super::session;
use crate::measures::{MetricForm, MetricPage, MetricsPage};

pub(super) fn measures() -> MetricsPage {
    let (mut usual, own) = (metrics(), metrics().split_off(2));
    usual.truncate(2);
    let event_types = ["line_added", "order_placed"].map(str::to_owned).into();
    MetricsPage { session: session(), revision: 0, notice: None, usual, own, refused: None, event_types }
}

pub(super) fn metric_form() -> MetricPage {
    MetricPage {
        session: session(),
        key: None,
        form: MetricForm::new(),
        revision: 0,
        errors: vec![],
        event_types: measures().event_types,
    }
}
