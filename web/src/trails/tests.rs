use serde_json::{json, value::to_raw_value};

use super::*;

fn unit(name: &str) -> VisitorId {
    VisitorId::parse(name).unwrap()
}

fn step(sku: &str, at_ms: i64) -> Step {
    Step { sku: Sku::parse(sku).unwrap(), at_ms, act: Act::Viewed }
}

fn event(kind: &str, unit_name: &str, at_ms: i64, data: serde_json::Value) -> OutboxEvent {
    OutboxEvent {
        position: 1,
        id: uuid::Uuid::new_v4(),
        at_ms,
        kind: kind.into(),
        cart: None,
        unit: unit(unit_name),
        data: to_raw_value(&data).unwrap(),
    }
}

fn viewed(name: &str, sku: &str, at_ms: i64) -> OutboxEvent {
    event(VIEWED, name, at_ms, json!({"sku": sku, "source": "page"}))
}

fn names(trails: &Trails, name: &str) -> Vec<String> {
    trails.steps(&unit(name)).iter().map(|step| step.sku.to_string()).collect()
}

#[test]
fn a_session_ends_with_half_an_hour_of_silence() {
    let minute = 60_000;
    let steps = [step("A", 0), step("B", minute), step("C", 32 * minute), step("C", 33 * minute)];
    let at = |minutes: i64| Trail::of(&steps, minutes * minute);
    let text = |skus: &[Sku]| skus.iter().map(|sku| sku.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!((text(&at(40).session).as_str(), text(&at(40).recent).as_str()), ("C", "A B C"));
    assert_eq!((text(&at(63).session).as_str(), text(&at(64).session).as_str()), ("C", ""));
    assert_eq!(text(&at(64).recent), "A B C");
    assert_eq!(Trail::of(&[], 0), Trail::default());
}

#[test]
fn what_is_told_twice_or_late_is_one_trail() {
    let now_ms = clock::now_ms();
    let all: Vec<Step> =
        ["A", "B", "B", "A", "C"].iter().zip(now_ms..).map(|(sku, at)| step(sku, at)).collect();
    let (once, twice) = (Trails::default(), Trails::default());
    all.iter().for_each(|step| once.add(&unit("v"), step.clone()));
    all.iter().rev().chain(&all).for_each(|step| twice.add(&unit("v"), step.clone()));
    assert_eq!(names(&once, "v"), ["A", "B", "A", "C"]);
    assert_eq!(once.steps(&unit("v")), twice.steps(&unit("v")));
}

#[test]
fn what_is_looked_at_and_added_in_one_millisecond_was_looked_at_first() {
    let (trails, now_ms) = (Trails::default(), clock::now_ms());
    let added = Step { act: Act::Added, ..step("A", now_ms) };
    for step in [added.clone(), step("B", now_ms), added, step("A", now_ms), step("B", now_ms)] {
        trails.add(&unit("v"), step);
    }
    let told: Vec<_> = trails.steps(&unit("v")).iter().map(|s| (s.sku.to_string(), s.act)).collect();
    let wanted = [("B", Act::Viewed), ("A", Act::Viewed), ("A", Act::Added)];
    assert_eq!(told, wanted.map(|(sku, act)| (sku.to_owned(), act)));
}

#[test]
fn a_trail_is_bounded_in_length_and_age() {
    let (trails, now_ms) = (Trails::default(), clock::now_ms());
    for n in 0..60 {
        trails.add(&unit("v"), step(&format!("S{n}"), now_ms + n));
    }
    let kept = names(&trails, "v");
    assert_eq!((kept.len(), kept.first().unwrap().as_str()), (STEPS_MAX, "S10"));
    trails.add(&unit("w"), step("OLD", now_ms - AGE_MAX_MS - 1_000));
    assert_eq!(names(&trails, "w"), [""; 0]);
}

#[test]
fn the_units_met_longest_ago_are_forgotten_first() {
    let (trails, now_ms) = (Trails::default(), clock::now_ms());
    for n in 0..=UNITS_MAX {
        trails.add(&unit(&format!("v{n}")), step("A", now_ms));
        // Who is looked at stays.
        if n % 1_000 == 0 {
            assert_eq!(names(&trails, "v0"), ["A"]);
        }
    }
    let memory = trails.memory();
    assert!(memory.young.len() + memory.old.len() <= UNITS_MAX);
    drop(memory);
    assert_eq!(names(&trails, "v1"), [""; 0]);
    assert_eq!(names(&trails, "v0"), ["A"]);
}

#[test]
fn what_a_guest_did_is_the_users_from_the_log_in_on() {
    let (trails, now) = (Trails::default(), clock::now_ms() - 1_000);
    trails.take(
        &[
            viewed("guest", "A", now),
            viewed("user", "B", now + 1),
            event(KNOWN, "guest", now + 2, json!({"unit": "user"})),
            // Written late by another node: it was before.
            viewed("guest", "LATE", now + 1),
            event(ADDED, "guest", now + 3, json!({"sku": "C", "quantity": 1})),
        ],
        &BTreeMap::new(),
    );
    assert_eq!(names(&trails, "user"), ["A", "B", "C"]);
    assert_eq!(names(&trails, "guest"), [""; 0], "the device alone says nothing of the user");
}

#[test]
fn what_is_deleted_or_declined_stays_away_however_late_it_is_told() {
    let (trails, now) = (Trails::default(), clock::now_ms() - 1_000);
    trails.take(
        &[
            viewed("v", "A", now),
            event(DELETED, "v", now + 5, json!({"through_ms": now + 5})),
            viewed("v", "LATE", now + 4),
            viewed("v", "B", now + 6),
            viewed("w", "A", now),
            event(DECLINED, "w", now + 1, json!({"because": "choice"})),
        ],
        &BTreeMap::new(),
    );
    assert_eq!((names(&trails, "v"), names(&trails, "w")), (vec!["B".to_owned()], vec![]));
    let declined = History { declined: Some(crate::store::Because::Choice), ..History::default() };
    let events = [viewed("w", "A", now + 2), event(ADDED, "w", now + 3, json!({"sku": "A"}))];
    trails.take(&events, &[(unit("w"), declined)].into());
    assert_eq!(names(&trails, "w"), [""; 0]);
}
