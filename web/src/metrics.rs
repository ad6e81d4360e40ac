//! The one catalogue of metrics: a name, its kind, its help text and its closed set of labels.

use std::{sync::LazyLock, time::Duration};

use cart_core::{AssignedVariation, CartEvent, Command, Rejection, Step};
use metrics::{
    Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::store::readers;

/// Is the kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Sorts observations into buckets.
    Histogram,
}

/// Lists every metric with its help text.
pub const CATALOGUE: &[(&str, Kind, &str)] = &[
    (
        "cartwright_commands_total",
        Kind::Counter,
        "Commands to carts that were answered, by command and outcome.",
    ),
    (
        "cartwright_experiment_commands_total",
        Kind::Counter,
        "Commands to carts of a variation that were answered, by command and outcome.",
    ),
    (
        "cartwright_experiment_exposures_total",
        Kind::Counter,
        "Units that met a variation for the first time.",
    ),
    ("cartwright_experiment_carts_total", Kind::Counter, "Carts opened in a variation."),
    (
        "cartwright_experiment_checkout_steps_total",
        Kind::Counter,
        "Checkout steps completed in a variation, by step; corrections count again.",
    ),
    ("cartwright_experiment_orders_total", Kind::Counter, "Orders placed in a variation."),
    (
        "cartwright_experiment_revenue_minor_total",
        Kind::Counter,
        "Revenue of a variation in minor units of the order's currency.",
    ),
    ("cartwright_http_requests_total", Kind::Counter, "HTTP requests answered, by door and class of status."),
    ("cartwright_model_swaps_total", Kind::Counter, "Recommendation models taken into service."),
    (
        "cartwright_holds_expired_total",
        Kind::Counter,
        "Carts whose holds ran out and went back to the stock.",
    ),
    (
        "cartwright_command_duration_seconds",
        Kind::Histogram,
        "Time from a command's arrival at its cart to its answer after the commit.",
    ),
    ("cartwright_http_request_duration_seconds", Kind::Histogram, "Time to answer an HTTP request, by door."),
    ("cartwright_commit_duration_seconds", Kind::Histogram, "Time of one turn: load, decide, write, commit."),
    ("cartwright_commit_batch_commands", Kind::Histogram, "Commands that shared one turn."),
    ("cartwright_live_connections", Kind::Gauge, "Open websocket connections."),
    ("cartwright_flag_streams", Kind::Gauge, "Open streams of server-sent events that tell SDKs of flags."),
    (
        "cartwright_flag_streams_refused_total",
        Kind::Counter,
        "Streams of flags that could not be opened, by whose places were all taken.",
    ),
    ("cartwright_live_channels", Kind::Gauge, "Channels joined over all connections."),
    ("cartwright_carts_in_memory", Kind::Gauge, "Carts that the cart actors hold in memory."),
    (
        "cartwright_outbox_lag_events",
        Kind::Gauge,
        "Events that a reader of the outbox has yet to read; counting stops at 10000.",
    ),
    (
        "cartwright_model_age_seconds",
        Kind::Gauge,
        "Age of the recommendation model in service; -1 without one.",
    ),
    (
        "cartwright_deliveries_total",
        Kind::Counter,
        "Tries to deliver an event to a sink outside, by kind of sink and outcome.",
    ),
    (
        "cartwright_delivery_duration_seconds",
        Kind::Histogram,
        "Time of one try to deliver an event, by kind of sink.",
    ),
    (
        "cartwright_deliveries_open",
        Kind::Gauge,
        "Deliveries that wait for another try, and dead letters, by kind of sink.",
    ),
    (
        "cartwright_webhook_endpoints",
        Kind::Gauge,
        "Endpoints of webhooks, by state; the process that delivers counts them.",
    ),
    (
        "cartwright_stock_requests_waiting",
        Kind::Gauge,
        "Requests to be told that a product is back which wait; the process that tells them counts them.",
    ),
    (
        "cartwright_stock_requests_told_total",
        Kind::Counter,
        "Requests to be told that a product is back which were told.",
    ),
    (
        "cartwright_views_total",
        Kind::Counter,
        "Looks at products, by whether they were noted, and why they were not.",
    ),
    (
        "cartwright_trails_in_memory",
        Kind::Gauge,
        "Visitors and users whose latest steps this process holds in memory.",
    ),
    (
        "cartwright_shelf_fallbacks_total",
        Kind::Counter,
        "Times a shelf did without what the store was slow to tell or did not, or without an algorithm that was late or broke.",
    ),
    (
        "cartwright_shelf_events_total",
        Kind::Counter,
        "Events of shelves that were seen or clicked on: written, or dropped because the queue was full or the store away.",
    ),
    ("cartwright_store_up", Kind::Gauge, "1 while the store answers, 0 while it does not."),
];

/// Names the doors that requests come through.
pub const DOORS: [&str; 6] = ["api", "channel", "flags", "storefront", "admin", "other"];
/// Names the kinds of sinks that deliveries go to.
pub const SINKS: [&str; 2] = ["mail", "webhook"];
/// What comes of a try to deliver.
const FATES: [&str; 4] = ["delivered", "nothing", "failed", "dead"];
/// What comes of a look at a product.
const VIEWS: [&str; 5] = ["noted", "declined", "no_shopper", "too_many", "full"];
const STATUSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// Outcomes of a command beside the domain's rejections.
const OUTCOMES: [&str; 9] = [
    "accepted",
    "unknown_cart",
    "key_reused",
    "unreadable",
    "busy",
    "unavailable",
    "payment_declined",
    "payment_timeout",
    "unknown_payment_token",
];

const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 2.0, 5.0];
const COMMANDS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Starts recording and returns what renders the page of `/metrics`. Once a process.
///
/// # Errors
/// Where a recorder is already installed.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full("cartwright_commit_batch_commands".into()), &COMMANDS)?
        .install_recorder()?;
    for (name, kind, help) in CATALOGUE {
        match kind {
            Kind::Counter => describe_counter!(*name, *help),
            Kind::Gauge => describe_gauge!(*name, *help),
            Kind::Histogram => describe_histogram!(*name, *help),
        }
    }
    start_series();
    Ok(handle)
}

/// Creates every series whose labels are known from the start, so that the first event is an increase from 0.
fn start_series() {
    for command in Command::NAMES {
        for outcome in OUTCOMES.iter().chain(&Rejection::NAMES) {
            counter!("cartwright_commands_total", "command" => command, "outcome" => *outcome).increment(0);
        }
    }
    for door in DOORS {
        let _ = histogram!("cartwright_http_request_duration_seconds", "door" => door);
        for status in STATUSES {
            counter!("cartwright_http_requests_total", "door" => door, "status" => status).increment(0);
        }
    }
    for reader in readers::ALL {
        outbox_lag(reader, 0);
    }
    for sink in SINKS {
        for fate in FATES {
            counter!("cartwright_deliveries_total", "sink" => sink, "outcome" => fate).increment(0);
        }
        let _ = histogram!("cartwright_delivery_duration_seconds", "sink" => sink);
        deliveries_open(sink, 0, 0);
    }
    webhook_endpoints(0, 0, 0);
    for outcome in VIEWS {
        counter!("cartwright_views_total", "outcome" => outcome).increment(0);
    }
    trails_in_memory(0);
    for full in ["process", "address"] {
        counter!("cartwright_flag_streams_refused_total", "full" => full).increment(0);
    }
    let _ = histogram!("cartwright_command_duration_seconds");
    let _ = histogram!("cartwright_commit_duration_seconds");
    let _ = histogram!("cartwright_commit_batch_commands");
    counter!("cartwright_model_swaps_total").increment(0);
    for outcome in ["written", "dropped"] {
        shelf_events(outcome, 0);
    }
    for why in ["slow", "store", "late", "broken"] {
        counter!("cartwright_shelf_fallbacks_total", "why" => why).increment(0);
    }
    counter!("cartwright_holds_expired_total").increment(0);
    stock_requests_told(0);
    stock_requests_waiting(0);
    for name in [
        "cartwright_live_connections",
        "cartwright_live_channels",
        "cartwright_flag_streams",
        "cartwright_carts_in_memory",
    ] {
        gauge!(name).set(0.0);
    }
    gauge!("cartwright_model_age_seconds").set(-1.0);
    store_up(true);
}

/// Creates the series of an experiment's variation.
pub fn start_variation(experiment: &str, variation: u32) {
    let labels = labels(experiment, variation);
    for command in Command::NAMES {
        for outcome in OUTCOMES.iter().chain(&Rejection::NAMES) {
            let [e, v] = labels.clone();
            counter!("cartwright_experiment_commands_total", "experiment" => e.1, "variation" => v.1,
                "command" => command, "outcome" => *outcome)
            .increment(0);
        }
    }
    for step in Step::ALL {
        checkout_step(experiment, variation, step, 0);
    }
    for name in ["exposures", "carts", "orders", "revenue_minor"] {
        counter!(format!("cartwright_experiment_{name}_total"), &labels).increment(0);
    }
}

fn labels(experiment: &str, variation: u32) -> [(&'static str, String); 2] {
    [("experiment", experiment.to_owned()), ("variation", variation.to_string())]
}

/// Counts an answered command.
pub fn command(name: &'static str, outcome: &'static str, assignments: &[AssignedVariation], took: Duration) {
    counter!("cartwright_commands_total", "command" => name, "outcome" => outcome).increment(1);
    for a in assignments {
        let [e, v] = labels(&a.experiment, a.variation);
        counter!("cartwright_experiment_commands_total", "experiment" => e.1, "variation" => v.1,
            "command" => name, "outcome" => outcome)
        .increment(1);
    }
    histogram!("cartwright_command_duration_seconds").record(took);
}

/// Counts what happened to a cart, in its variations.
pub fn happened(assignments: &[AssignedVariation], event: &CartEvent) {
    if let CartEvent::HoldsExpired { .. } = event {
        counter!("cartwright_holds_expired_total").increment(1);
    }
    for AssignedVariation { experiment, variation } in assignments {
        let labels = labels(experiment, *variation);
        match event {
            CartEvent::CartOpened { .. } => {
                counter!("cartwright_experiment_carts_total", &labels).increment(1);
            }
            CartEvent::StepCompleted { details, .. } => {
                checkout_step(experiment, *variation, details.step(), 1);
            }
            CartEvent::OrderPlaced(order) => {
                counter!("cartwright_experiment_orders_total", &labels).increment(1);
                counter!("cartwright_experiment_revenue_minor_total", &labels)
                    .increment(u64::try_from(order.total_minor).unwrap_or(0));
            }
            _ => {}
        }
    }
}

/// Counts a unit that met a variation.
pub fn exposure(experiment: &str, variation: u32) {
    counter!("cartwright_experiment_exposures_total", &labels(experiment, variation)).increment(1);
}

fn checkout_step(experiment: &str, variation: u32, step: Step, count: u64) {
    let [e, v] = labels(experiment, variation);
    counter!("cartwright_experiment_checkout_steps_total", "experiment" => e.1, "variation" => v.1,
        "step" => step.name())
    .increment(count);
}

/// Notes a turn.
pub fn turn(commands: usize, took: Duration) {
    histogram!("cartwright_commit_batch_commands").record(commands as f64);
    histogram!("cartwright_commit_duration_seconds").record(took);
}

/// Is what one door counts, looked up once rather than by its labels at each request.
struct Door {
    answered: [Counter; STATUSES.len()],
    took: Histogram,
}

impl Door {
    fn of(door: &'static str) -> Self {
        let answered =
            |status| counter!("cartwright_http_requests_total", "door" => door, "status" => status);
        Self {
            answered: STATUSES.map(answered),
            took: histogram!("cartwright_http_request_duration_seconds", "door" => door),
        }
    }
}

/// Counts an answered HTTP request. The first comes after [`install`], as no door is open before.
pub fn http_request(door: &'static str, status: u16, took: Duration) {
    static SERIES: LazyLock<[Door; DOORS.len()]> = LazyLock::new(|| DOORS.map(Door::of));
    let place = DOORS.iter().position(|known| *known == door).expect("doors are a closed set");
    let Door { answered, took: times } = &SERIES[place];
    answered[usize::from(status / 100).clamp(2, 5) - 2].increment(1);
    times.record(took);
}

/// Notes a websocket that opened (+1) or closed (-1).
pub fn live_connections(change: i32) {
    gauge!("cartwright_live_connections").increment(change);
}

/// Notes a stream of flags that opened (+1) or closed (-1).
pub fn flag_streams(change: i32) {
    gauge!("cartwright_flag_streams").increment(change);
}

/// Counts a stream of flags that could not be opened, since all places of the `process` or the `address` were taken.
pub fn flag_stream_refused(full: &'static str) {
    counter!("cartwright_flag_streams_refused_total", "full" => full).increment(1);
}

/// Notes channels that were joined or left.
pub fn live_channels(change: i32) {
    gauge!("cartwright_live_channels").increment(change);
}

/// Notes carts that entered or left memory.
pub fn carts_in_memory(change: i64) {
    gauge!("cartwright_carts_in_memory").increment(change as f64);
}

/// Notes how far behind a reader is.
pub fn outbox_lag(reader: &'static str, events: u64) {
    gauge!("cartwright_outbox_lag_events", "reader" => reader).set(events as f64);
}

/// Counts a try to deliver an event.
pub fn delivery(sink: &'static str, outcome: &'static str, took: Duration) {
    counter!("cartwright_deliveries_total", "sink" => sink, "outcome" => outcome).increment(1);
    histogram!("cartwright_delivery_duration_seconds", "sink" => sink).record(took);
}

/// Notes how many deliveries to a kind of sink wait for another try, and how many are dead.
pub fn deliveries_open(sink: &'static str, waiting: u64, dead: u64) {
    gauge!("cartwright_deliveries_open", "sink" => sink, "state" => "waiting").set(waiting as f64);
    gauge!("cartwright_deliveries_open", "sink" => sink, "state" => "dead").set(dead as f64);
}

/// Notes how many endpoints of webhooks are well, failing and disabled.
pub fn webhook_endpoints(well: u64, failing: u64, disabled: u64) {
    for (state, count) in [("well", well), ("failing", failing), ("disabled", disabled)] {
        gauge!("cartwright_webhook_endpoints", "state" => state).set(count as f64);
    }
}

/// Notes how many requests to be told that a product is back wait.
pub fn stock_requests_waiting(requests: u64) {
    gauge!("cartwright_stock_requests_waiting").set(requests as f64);
}

/// Counts requests that were told that their product is back.
pub fn stock_requests_told(requests: u64) {
    counter!("cartwright_stock_requests_told_total").increment(requests);
}

/// Counts a look at a product.
pub fn view(outcome: &'static str) {
    counter!("cartwright_views_total", "outcome" => outcome).increment(1);
}

/// Notes how many trails are in memory.
pub fn trails_in_memory(trails: usize) {
    gauge!("cartwright_trails_in_memory").set(trails as f64);
}

/// Counts that a shelf did without something.
pub fn shelf_fallback(why: &'static str) {
    counter!("cartwright_shelf_fallbacks_total", "why" => why).increment(1);
}

/// Counts what became of events of shelves.
pub fn shelf_events(outcome: &'static str, events: usize) {
    counter!("cartwright_shelf_events_total", "outcome" => outcome).increment(events as u64);
}

/// Notes that a model went into service.
pub fn model_swapped() {
    counter!("cartwright_model_swaps_total").increment(1);
}

/// Notes the age of the model in service.
pub fn model_age(seconds: f64) {
    gauge!("cartwright_model_age_seconds").set(seconds);
}

/// Notes whether the store answers.
pub fn store_up(is_up: bool) {
    gauge!("cartwright_store_up").set(if is_up { 1.0 } else { 0.0 });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_on_a_dashboard_or_in_a_rule_exists() {
        let known: Vec<&str> = CATALOGUE.iter().map(|(name, _, _)| *name).collect();
        let named = dashboards::metrics_named();
        assert!(named.len() > 10, "the files name metrics");
        for name in named {
            assert!(known.contains(&name.as_str()), "{name} is on a dashboard and not in the catalogue");
        }
    }
}
