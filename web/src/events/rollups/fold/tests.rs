//! Folding in one, in pieces, across devices.

use experiments::Metric;

use super::*;

fn metrics() -> Vec<Metric> {
    let of = |text: &str| Metric::parse(text).unwrap();
    vec![
        of(r#"{"key": "conversion", "measure": {"kind": "proportion", "event": {"type": "order_placed"}}}"#),
        of(r#"{"key": "revenue", "measure":
            {"kind": "mean", "event": {"type": "order_placed"}, "property": "total_minor"}}"#),
        of(r#"{"key": "latency", "measure":
            {"kind": "quantile", "event": {"type": "page"}, "property": "ms", "level_bp": 5000}}"#),
    ]
}

fn fresh() -> BTreeMap<String, Vec<Metric>> {
    [("e".to_owned(), metrics())].into()
}

fn event(position: u64, kind: &str, unit: &str, data: &str) -> OutboxEvent {
    serde_json::from_str(&format!(
        r#"{{"position":{position},"id":"{}","at_ms":{position},"type":"{kind}","cart":null,"unit":"{unit}","data":{data}}}"#,
        uuid::Uuid::new_v4()
    ))
    .unwrap()
}

fn exposed(position: u64, unit: &str, variation: u32) -> OutboxEvent {
    let device = ["phone", "desktop"][position as usize % 2];
    let data =
        format!(r#"{{"experiment":"e","variation":{variation},"attributes":{{"device":"{device}"}}}}"#);
    event(position, "exposure_logged", unit, &data)
}

fn ordered(position: u64, unit: &str, total_minor: i64) -> OutboxEvent {
    event(
        position,
        "order_placed",
        unit,
        &format!(r#"{{"total_minor":{total_minor},"source":"shop","lines":[]}}"#),
    )
}

fn known(position: u64, visitor: &str, unit: &str) -> OutboxEvent {
    event(position, "visitor_known", visitor, &format!(r#"{{"unit":"{unit}"}}"#))
}

/// What a store would hold after some steps.
#[derive(Default)]
struct Shelf {
    sums: Sums,
    units: BTreeMap<(VisitorId, String), UnitRow>,
    pasts: Vec<PastRow>,
    people: BTreeMap<VisitorId, VisitorId>,
    looks: Vec<LookRow>,
    sales: BTreeMap<(i64, Sku), u64>,
}

impl Shelf {
    fn take(&mut self, events: &[OutboxEvent]) {
        let (fresh, known) = (
            fresh(),
            Known {
                units: self.units.values().cloned().collect(),
                pasts: self.pasts.clone(),
                people: self.people.clone(),
            },
        );
        let mut fold = Fold::new(&mut self.sums, &fresh, known);
        events.iter().for_each(|event| fold.add(event));
        let step = fold.into_step(0, 0);
        self.units
            .extend(step.units.into_iter().map(|row| ((row.unit.clone(), row.experiment.clone()), row)));
        self.pasts.extend(step.pasts);
        self.people.extend(step.people);
        self.looks.extend(step.looks);
        for (sold, pieces) in step.sales {
            *self.sales.entry(sold).or_default() += pieces;
        }
    }

    fn of(events: &[OutboxEvent]) -> Self {
        let mut shelf = Self::default();
        shelf.take(events);
        shelf
    }

    fn arm(&self, segment: &str, variation: u32) -> ArmSums {
        self.sums.arms.get(&("e".to_owned(), segment.to_owned(), variation)).cloned().unwrap_or_default()
    }
}

#[test]
fn a_unit_counts_once_and_with_what_it_does_afterwards() {
    let shelf = Shelf::of(&[
        ordered(1, "ann", 500),
        exposed(2, "ann", 1),
        exposed(3, "ann", 1),
        exposed(4, "bob", 0),
        ordered(5, "ann", 700),
        ordered(6, "ann", 300),
        ordered(7, "eve", 900),
        event(8, "page", "bob", r#"{"ms": 40}"#),
        event(9, "page", "bob", r#"{"ms": "slow"}"#),
    ]);
    let (control, treatment) = (shelf.arm("", 0), shelf.arm("", 1));
    assert_eq!((control.units(), treatment.units()), (1, 1));
    assert_eq!((treatment.metric(0).total(), treatment.metric(1).total()), (1, 1_000));
    assert_eq!((control.metric(1).active(), control.metric(2).active()), (0, 1));
    assert_eq!(shelf.arm("device=phone", 1), treatment);
    assert_eq!(shelf.arm("day=0", 0), control);
    assert!(shelf.looks.is_empty());
}

#[test]
fn a_fold_in_pieces_gives_the_rows_of_a_fold_in_one() {
    let events: Vec<_> = (1..600_u64)
        .map(|p| match p % 5 {
            0 => ordered(p, &format!("u{}", p / 6), (p as i64) * 10),
            1 => event(p, "page", &format!("u{}", p / 4), &format!(r#"{{"ms": {}}}"#, p * 7 % 900)),
            2 if p % 4 == 0 => known(p, &format!("u{}", p / 2), &format!("u{}", p / 3)),
            _ => exposed(p, &format!("u{}", p / 2), u32::try_from(p % 2).unwrap()),
        })
        .collect();
    let whole = Shelf::of(&events);
    assert!(!whole.people.is_empty() && whole.arm(CROSSED, 0).units() > 0);
    let mut pieces = Shelf::default();
    for piece in events.chunks(7) {
        // Each step begins with what was written.
        let arms = |(key, arm): (&ArmKey, &ArmSums)| (key.clone(), ArmSums::parse(&arm.to_text()).unwrap());
        pieces.sums.arms = pieces.sums.arms.iter().map(arms).collect();
        pieces.take(piece);
    }
    for (key, arm) in &whole.sums.arms {
        assert_eq!(pieces.sums.arms.get(key), Some(arm), "{key:?}");
    }
    assert_eq!(pieces.units, whole.units);
    assert_eq!(pieces.looks, whole.looks);
    assert_eq!(pieces.pasts, whole.pasts);
}

#[test]
fn one_person_on_two_devices_is_one_unit() {
    // The visitor "v" signs up, and logs in on a device that was "w" before.
    let shelf = Shelf::of(&[
        exposed(1, "v", 1),
        exposed(2, "w", 1),
        ordered(3, "w", 400),
        known(4, "w", "v"),
        ordered(5, "v", 600),
        ordered(6, "w", 100),
        exposed(7, "w", 0),
        exposed(9, "x", 0),
    ]);
    // What the device met later is a second variation for the person.
    assert_eq!((shelf.arm("", 1).units(), shelf.arm(CROSSED, 1).units()), (0, 1));
    assert_eq!(shelf.arm("", 0).units(), 1);
    let shelf = Shelf::of(&[
        exposed(1, "v", 1),
        exposed(2, "w", 1),
        ordered(3, "w", 400),
        known(4, "w", "v"),
        ordered(5, "w", 100),
    ]);
    let arm = shelf.arm("", 1);
    assert_eq!((arm.units(), arm.metric(0).total(), arm.metric(1).total()), (1, 1, 500));
    let segments = shelf.arm("device=phone", 1).units() + shelf.arm("device=desktop", 1).units();
    assert_eq!(segments, 1);
}

#[test]
fn who_met_two_variations_counts_in_none() {
    let shelf =
        Shelf::of(&[exposed(1, "v", 1), exposed(2, "w", 0), known(3, "w", "v"), ordered(4, "v", 100)]);
    assert_eq!((shelf.arm("", 0).units(), shelf.arm("", 1).units()), (0, 0));
    assert_eq!((shelf.arm(CROSSED, 0).units(), shelf.arm(CROSSED, 1).units()), (1, 1));
    assert!(shelf.units.values().all(|row| row.is_crossed));
    // Exposed as another before the log-in is known: the person carries the device's variation on.
    let shelf = Shelf::of(&[exposed(1, "w", 0), known(2, "w", "v"), exposed(3, "v", 1)]);
    assert_eq!((shelf.arm("", 0).units(), shelf.arm(CROSSED, 0).units()), (0, 1));
}

#[test]
fn what_a_unit_did_before_is_kept_for_the_adjustment() {
    let shelf = Shelf::of(&[ordered(1, "ann", 500), ordered(2, "ann", 250), exposed(3, "ann", 0)]);
    let row = shelf.units.values().next().unwrap();
    let did: Value = serde_json::from_str(&row.did).unwrap();
    assert_eq!(did["p"], serde_json::json!([1, 750, 0]));
    assert_eq!(shelf.arm("", 0).metric(0).active(), 0);
}

#[test]
fn an_exposure_that_is_reported_late_claims_the_orders_since() {
    let exposure = OutboxEvent { at_ms: 2, ..exposed(9, "ann", 0) };
    let shelf = Shelf::of(&[ordered(1, "ann", 500), ordered(3, "ann", 70), exposure]);
    let arm = shelf.arm("", 0);
    assert_eq!((arm.metric(0).total(), arm.metric(1).total()), (1, 70));
}

#[test]
fn robots_are_counted_apart() {
    let robot = r#"{"experiment":"e","variation":1,"attributes":{"device":"desktop","excluded":"robot"}}"#;
    let shelf = Shelf::of(&[
        event(1, "exposure_logged", "r2d2", robot),
        exposed(2, "ann", 1),
        ordered(3, "r2d2", 500),
    ]);
    assert_eq!((shelf.arm("", 1).units(), shelf.arm("", 1).metric(1).total()), (1, 0));
    assert_eq!(shelf.arm("(robot)", 1).units(), 1);
}

#[test]
fn pieces_count_on_the_day_of_the_order_wherever_it_was_placed() {
    let sold = |at_ms: i64, source: &str, lines: &str| {
        let data = format!(r#"{{"total_minor":5,"source":"{source}","lines":{lines}}}"#);
        OutboxEvent { at_ms, ..event(1, "order_placed", "ann", &data) }
    };
    let shelf = Shelf::of(&[
        sold(DAY_MS, "shop", r#"[{"sku":"MUG","quantity":2},{"sku":"TEE","quantity":1}]"#),
        sold(DAY_MS * 2 - 1, "import", r#"[{"sku":"MUG","quantity":3}]"#),
        sold(DAY_MS * 2, "shop", r#"[{"sku":"MUG","quantity":1}]"#),
    ]);
    let sold = |day, sku, pieces| ((day, Sku::parse(sku).unwrap()), pieces);
    let expected = [sold(1, "MUG", 5), sold(1, "TEE", 1), sold(2, "MUG", 1)];
    assert_eq!(shelf.sales.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(shelf.pasts.len(), 2);
}

#[test]
fn countries_without_end_become_one_segment() {
    let events: Vec<_> = (1..=60_u64)
        .map(|p| {
            let data = format!(r#"{{"experiment":"e","variation":0,"attributes":{{"country":"c{p}"}}}}"#);
            event(p, "exposure_logged", &format!("u{p}"), &data)
        })
        .collect();
    let shelf = Shelf::of(&events);
    let segments = shelf.sums.arms.keys().filter(|(_, segment, _)| segment.starts_with("country=")).count();
    assert_eq!(segments, SEGMENTS_MAX + 1);
    assert_eq!(shelf.arm("country=(other)", 0).units(), 60 - SEGMENTS_MAX as u64);
    assert_eq!(shelf.looks.len(), 1);
}
