use serde_json::{Value, json, value::RawValue};
use uuid::Uuid;

use super::*;

const MINUTE_MS: i64 = 60_000;

fn unit(name: &str) -> VisitorId {
    VisitorId::parse(name).unwrap()
}

fn event(at_ms: i64, who: &str, kind: &str, data: &Value) -> OutboxEvent {
    OutboxEvent {
        position: 1,
        id: Uuid::nil(),
        at_ms,
        kind: kind.into(),
        cart: None,
        unit: unit(who),
        data: RawValue::from_string(data.to_string()).unwrap(),
    }
}

fn clicked(at_ms: i64, who: &str, sku: &str, shelf: &str) -> OutboxEvent {
    event(
        at_ms,
        who,
        CLICKED,
        &json!({"shelf": shelf, "showing": "s", "algorithm": "pairs", "sku": sku, "place": 1}),
    )
}

fn added(at_ms: i64, who: &str, sku: &str) -> OutboxEvent {
    event(at_ms, who, "line_added", &json!({"sku": sku, "quantity": 1, "unit_price_minor": 500}))
}

fn ordered(at_ms: i64, who: &str, sku: &str) -> OutboxEvent {
    let lines = json!([{"sku": sku, "quantity": 2, "unit_price_minor": 500}]);
    event(
        at_ms,
        who,
        "order_placed",
        &json!({"source": "shop", "currency": "GBP", "total_minor": 1_000, "lines": lines}),
    )
}

/// Folds events one step at a time, as a store would keep them, and writes the counts.
fn counted(events: &[OutboxEvent]) -> Vec<String> {
    let (mut clicks, mut duels, mut counts) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::<ShelfCount, i64>::new());
    for event in events {
        let mut fold = Fold::new(clicks.values().cloned().collect(), duels.values().cloned().collect());
        fold.add(event);
        let step = fold.into_step(0, 1);
        clicks.retain(|(unit, _), _| !step.gone.contains(unit));
        clicks.extend(step.clicks.into_iter().map(|click| ((click.unit.clone(), click.sku.clone()), click)));
        duels.extend(step.duels.into_iter().map(|duel| (duel.showing.clone(), duel)));
        for ((_, of), more) in step.counts {
            *counts.entry(of).or_default() += more;
        }
    }
    let mut whole = Fold::default();
    events.iter().for_each(|event| whole.add(event));
    let mut at_once = BTreeMap::<ShelfCount, i64>::new();
    for ((_, of), more) in whole.into_step(0, 1).counts {
        *at_once.entry(of).or_default() += more;
    }
    counts.retain(|_, count| *count != 0);
    at_once.retain(|_, count| *count != 0);
    assert_eq!(counts, at_once, "steps of any length come to the same");
    counts.iter().map(|(c, n)| format!("{} {} {} {n}", c.shelf, c.what, c.of)).collect()
}

#[test]
fn what_follows_counts_for_the_last_click_in_time() {
    let table: [(&str, Vec<OutboxEvent>, &[&str]); 7] = [
        (
            "a whole way",
            vec![clicked(0, "a", "X", "popular"), added(1, "a", "X"), ordered(2, "a", "X")],
            &["popular adds X 1", "popular clicks X 1", "popular orders X 1", "popular revenue GBP 1000"],
        ),
        (
            "too late for the cart, in time for the order",
            vec![
                clicked(0, "a", "X", "popular"),
                added(ADD_MS + 1, "a", "X"),
                ordered(ORDER_MS, "a", "X"),
                clicked(0, "b", "X", "popular"),
                ordered(ORDER_MS + 1, "b", "X"),
            ],
            &["popular clicks X 2", "popular orders X 1", "popular revenue GBP 1000"],
        ),
        (
            "the last click counts",
            vec![clicked(0, "a", "X", "popular"), clicked(5, "a", "X", "continue"), added(6, "a", "X")],
            &["continue adds X 1", "continue clicks X 1", "popular clicks X 1"],
        ),
        (
            "once a click",
            vec![clicked(0, "a", "X", "popular"), added(1, "a", "X"), added(2, "a", "X")],
            &["popular adds X 1", "popular clicks X 1"],
        ),
        (
            "nobody else's, nothing else, nothing before",
            vec![
                added(0, "a", "X"),
                clicked(MINUTE_MS, "a", "X", "popular"),
                added(2 * MINUTE_MS, "b", "X"),
                added(2 * MINUTE_MS, "a", "Y"),
                added(MINUTE_MS - 1, "a", "X"),
            ],
            &["popular clicks X 1"],
        ),
        (
            "who logs in keeps what they clicked on",
            vec![
                clicked(0, "a", "X", "popular"),
                event(1, "a", KNOWN, &json!({"unit": "u"})),
                added(2, "a", "X"),
                added(3, "u", "X"),
            ],
            &["popular adds X 1", "popular clicks X 1"],
        ),
        (
            "what was imported was ordered elsewhere",
            vec![
                clicked(0, "a", "X", "popular"),
                event(
                    1,
                    "a",
                    "order_placed",
                    &json!({"source": "import", "currency": "GBP",
                    "lines": [{"sku": "X", "quantity": 1, "unit_price_minor": 5}]}),
                ),
            ],
            &["popular clicks X 1"],
        ),
    ];
    for (what, events, counts) in table {
        assert_eq!(counted(&events), counts, "{what}");
    }
}

#[test]
fn of_two_that_share_a_shelf_the_one_wins_that_is_clicked_on_more() {
    let shared = |showing: &str, algorithm: &str, against: &str, sku: &str| {
        let data = json!({"shelf": "popular", "showing": showing, "algorithm": algorithm, "against": against, "sku": sku,
            "place": 1});
        event(0, "a", CLICKED, &data)
    };
    let ours = |showing: &str, sku: &str| shared(showing, "pairs", "popular", sku);
    let theirs = |showing: &str, sku: &str| shared(showing, "popular", "pairs", sku);
    let shown = json!({"shelf": "popular", "algorithm": "pairs", "against": "popular",
        "items": [{"sku": "X", "algorithm": "pairs"}, {"sku": "Y", "algorithm": "popular"}]});
    let events = [
        event(0, "a", SHOWN, &shown),
        ours("won", "X"),
        theirs("lost", "Y"),
        ours("tied", "X"),
        theirs("tied", "Y"),
        theirs("turned", "Y"),
        ours("turned", "X"),
        ours("turned", "Z"),
    ];
    let counts = counted(&events);
    for count in
        ["duels popular 1", "wins popular 2", "losses popular 1", "ties popular 1", "showings  1", "seen X 1"]
    {
        assert!(counts.contains(&format!("popular {count}")), "{count}: {counts:?}");
    }
}
