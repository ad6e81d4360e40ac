//! Metrics read, refused and counted.

use super::*;
use serde_json::json;

const HOUR_MS: i64 = 3_600_000;

fn metric(measure: Value, more: Value) -> Result<Metric, MetricError> {
    let mut written = json!({"key": "m", "name": "A metric", "measure": measure});
    written.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    Metric::parse(&written.to_string())
}

fn count(metric: &Metric, events: &[(&str, i64, Value)]) -> Tally {
    events.iter().fold(metric.nothing(), |tally, (kind, at_ms, data)| {
        metric.after(&tally, 1_000, Occurrence { kind, at_ms: *at_ms, data }).unwrap_or(tally)
    })
}

#[test]
fn every_measure_counts_what_it_says() {
    let order = json!({"type": "order", "where": [{"property": "from.shop", "is": true}]});
    let amount = |minor: Value| json!({"total": minor, "from": {"shop": true}});
    let events = [
        ("order", 999, amount(json!(5))),
        ("order", 1_000, amount(json!(100))),
        ("order", 4_000, amount(json!(2.6))),
        ("order", 3_000, json!({"total": 9, "from": {"shop": false}})),
        ("order", 2_000, amount(json!("many"))),
        ("page", 5_000, json!({"n": 4})),
    ];
    let table = [
        (json!({"kind": "proportion", "event": order}), [1, 0]),
        (json!({"kind": "count", "event": order}), [3, 0]),
        (json!({"kind": "mean", "event": order, "property": "total"}), [103, 0]),
        (
            json!({"kind": "ratio", "numerator": {"event": order, "property": "total"},
                "denominator": {"event": {"type": "page"}, "property": "n"}}),
            [103, 4],
        ),
        (json!({"kind": "time_to", "event": {"type": "page"}}), [4_000, 1]),
        (json!({"kind": "retention", "event": order, "from_days": 1, "to_days": 2}), [0, 0]),
    ];
    for (measure, expected) in table {
        let metric = metric(measure, json!({})).unwrap();
        assert_eq!(count(&metric, &events), Tally::Number(expected), "{metric:?}");
    }
    let latency = metric(
        json!({"kind": "quantile", "event": {"type": "page"}, "property": "n", "level_bp": 9000}),
        json!({}),
    );
    let Tally::Events(found) = count(&latency.unwrap(), &events) else { panic!("events") };
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(4, 1)]);
}

#[test]
fn fractions_are_kept_to_the_decimals_that_a_metric_says() {
    let scores = [json!(0.4), json!(0.4), json!(1), json!(2.0006), json!(9e15), json!(i64::MAX)];
    let events: Vec<(&str, i64, Value)> =
        scores.iter().map(|score| ("rated", 2_000, json!({"score": score, "of": 5}))).collect();
    let event = json!({"type": "rated"});
    let mean = json!({"kind": "mean", "event": event, "property": "score"});
    let kept = metric(mean.clone(), json!({"decimals": 3, "cap": 2})).unwrap();
    // What 64 bits do not hold in thousandths counts nothing.
    assert_eq!(count(&kept, &events[..4]), Tally::Number([3_801, 0]));
    assert_eq!(count(&kept, &events[4..]), Tally::Number([9_000_000_000_000_000_000, 0]));
    assert_eq!(count(&kept, &events[5..]), Tally::Number([0, 0]));
    assert_eq!(kept.counted(&Tally::Number([3_801, 0])), [2_000, 0], "the cap is told in whole numbers");
    assert_eq!((kept.decimals(), kept.cap(), kept.cap_in_parts()), (3, Some(2), Some(2_000)));
    assert_eq!(Metric::parse(&kept.to_value().to_string()).unwrap(), kept);
    let rounded = metric(mean, json!({})).unwrap();
    assert_eq!(count(&rounded, &events[..2]), Tally::Number([0, 0]));
    assert!(rounded.to_value().get("decimals").is_none(), "old definitions stay as they were");
    let ratio = json!({"kind": "ratio", "numerator": {"event": event, "property": "score"}, "denominator": {"event": event}});
    let ratio = metric(ratio, json!({"decimals": 1})).unwrap();
    assert_eq!(count(&ratio, &events[..3]), Tally::Number([18, 30]), "0.6 each");
    assert_eq!(ratio.decimals_of_value(), 0);
    let quantile = json!({"kind": "quantile", "event": event, "property": "score", "level_bp": 5000});
    let quantile = metric(quantile, json!({"decimals": 1})).unwrap();
    assert_eq!(count(&quantile, &events[..2]), Tally::Events([(4, 2)].into_iter().collect()));
}

#[test]
fn windows_and_days_begin_at_exposure() {
    let within =
        metric(json!({"kind": "count", "event": {"type": "e"}}), json!({"window_hours": 1})).unwrap();
    let at = |after_ms: i64| ("e", 1_000 + after_ms, json!({}));
    assert_eq!(count(&within, &[at(0), at(HOUR_MS - 1), at(HOUR_MS), at(-1)]), Tally::Number([2, 0]));
    let second_day =
        metric(json!({"kind": "retention", "event": {"type": "e"}, "from_days": 1, "to_days": 2}), json!({}));
    let second_day = second_day.unwrap();
    assert_eq!(count(&second_day, &[at(23 * HOUR_MS), at(48 * HOUR_MS)]), Tally::Number([0, 0]));
    assert_eq!(count(&second_day, &[at(24 * HOUR_MS)]), Tally::Number([1, 0]));
    // The first is the earliest, whenever it arrives.
    let until = metric(json!({"kind": "time_to", "event": {"type": "e"}}), json!({})).unwrap();
    assert_eq!(count(&until, &[at(500), at(200), at(900)]), Tally::Number([200, 1]));
}

#[test]
fn conditions_compare_what_stands_in_the_data() {
    let data = json!({"a": {"b": 3}, "c": "x", "d": null});
    let table = [
        (json!({"property": "a.b", "is": 3.0}), true),
        (json!({"property": "a.b", "at_least": 3}), true),
        (json!({"property": "a.b", "at_most": 2.5}), false),
        (json!({"property": "c", "one_of": ["y", "x"]}), true),
        (json!({"property": "c", "is_not": "x"}), false),
        (json!({"property": "missing", "is_not": "x"}), true),
        (json!({"property": "c.b", "at_least": 0}), false),
    ];
    for (condition, holds) in table {
        let selector: Selector = serde_json::from_value(json!({"type": "e", "where": [condition]})).unwrap();
        assert_eq!(selector.takes("e", &data), holds, "{condition}");
    }
}

#[test]
fn a_person_on_two_devices_is_one_unit() {
    let of = |kind: &str| metric(json!({"kind": kind, "event": {"type": "e"}}), json!({})).unwrap();
    let both = |kind: &str, one, other| of(kind).together(&Tally::Number(one), &Tally::Number(other));
    assert_eq!(both("proportion", [1, 0], [1, 0]), Tally::Number([1, 0]));
    assert_eq!(both("count", [2, 0], [3, 0]), Tally::Number([5, 0]));
    assert_eq!(both("time_to", [70, 1], [0, 0]), Tally::Number([70, 1]));
    assert_eq!(both("time_to", [70, 1], [50, 1]), Tally::Number([50, 1]));
}

#[test]
fn a_past_ends_before_exposure() {
    let data = json!({"v": 10});
    let at = |at_ms| Occurrence { kind: "e", at_ms, data: &data };
    let day = 24 * HOUR_MS;
    let mean = metric(
        json!({"kind": "mean", "event": {"type": "e"}, "property": "v"}),
        json!({"cap": 15, "lookback_days": 2}),
    )
    .unwrap();
    assert_eq!(mean.past([at(0), at(2 * day), at(3 * day), at(4 * day)], 3 * day), 10);
    assert_eq!(mean.past([at(day), at(2 * day)], 3 * day), 15);
    let time = metric(json!({"kind": "time_to", "event": {"type": "e"}}), json!({})).unwrap();
    assert_eq!(time.past([at(2 * day)], 3 * day), 0);
}

#[test]
fn what_cannot_be_counted_is_refused_in_words() {
    let event = json!({"type": "e"});
    let table = [
        (
            json!({"kind": "mean", "event": event, "property": ""}),
            json!({}),
            "measure.property must be 1 to 128 bytes",
        ),
        (json!({"kind": "mean", "event": event, "property": "a..b"}), json!({}), "measure.property"),
        (
            json!({"kind": "quantile", "event": event, "property": "p", "level_bp": 10_000}),
            json!({}),
            "level_bp must be",
        ),
        (
            json!({"kind": "retention", "event": event, "from_days": 7, "to_days": 7}),
            json!({}),
            "days in order",
        ),
        (json!({"kind": "count", "event": event}), json!({"window_hours": 0}), "window_hours must be"),
        (json!({"kind": "count", "event": event}), json!({"cap": 0}), "cap must be above 0"),
        (json!({"kind": "proportion", "event": event}), json!({"cap": 5}), "cap has a meaning"),
        (
            json!({"kind": "proportion", "event": event}),
            json!({"cap_percentile_bp": 9_900}),
            "counts and means only",
        ),
        (
            json!({"kind": "count", "event": event}),
            json!({"cap_percentile_bp": 10_000}),
            "must be 5000 to 9999",
        ),
        (
            json!({"kind": "count", "event": event}),
            json!({"cap_percentile_bp": 9_900, "cap": 5}),
            "are two caps",
        ),
        (
            json!({"kind": "time_to", "event": event}),
            json!({"lookback_days": 5}),
            "lookback_days has a meaning",
        ),
        (
            json!({"kind": "count", "event": event}),
            json!({"lookback_days": 0}),
            "lookback_days must be 1 to 366",
        ),
        (json!({"kind": "count", "event": event}), json!({"decimals": 1}), "decimals has a meaning"),
        (
            json!({"kind": "mean", "event": event, "property": "p"}),
            json!({"decimals": 7}),
            "decimals must be 0 to 6",
        ),
        (
            json!({"kind": "mean", "event": event, "property": "p"}),
            json!({"decimals": 1, "format": "money"}),
            "smallest unit",
        ),
        (json!({"kind": "count", "event": {"type": ""}}), json!({}), "event.type must be"),
        (json!({"kind": "count", "event": event}), json!({"key": "a b"}), "key is not one"),
        (json!({"kind": "count", "event": event}), json!({"colour": 1}), "unknown field `colour`"),
        (
            json!({"kind": "count", "event": {"type": "e", "where": [{"property": "p", "near": 1}]}}),
            json!({}),
            "near",
        ),
    ];
    for (measure, more, words) in table {
        let error = metric(measure, more).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let long = format!("{}{}", "{", " ".repeat(METRIC_BYTES_MAX));
    assert!(matches!(Metric::parse(&long), Err(MetricError::TooLong { .. })));
}

#[test]
fn tallies_are_written_as_they_were_read() {
    let events = |pairs: &[(u16, u32)]| Tally::Events(pairs.iter().copied().collect());
    for tally in [Tally::Number([-7, i64::MAX]), events(&[]), events(&[(3, 1), (400, 2)])] {
        let text = serde_json::to_string(&tally).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally, "{text}");
    }
}

#[test]
fn a_metric_is_written_as_it_was_read() {
    let read = metric(
        json!({"kind": "mean", "event": {"type": "e", "where": [{"property": "p", "one_of": [1, "x"]}]}, "property": "v"}),
        json!({"better": "lower", "format": "money", "phrase": "cost", "cap": 7, "window_hours": 24}),
    );
    let read = read.unwrap();
    assert_eq!(Metric::parse(&read.to_value().to_string()).unwrap(), read);
    assert!(read.listens_to("e") && !read.listens_to("f"));
    assert_eq!((read.name(), read.phrase()), ("A metric", "cost"));
    assert_eq!(
        metric(json!({"kind": "count", "event": {"type": "e"}}), json!({})).unwrap().phrase(),
        "a metric"
    );
}
