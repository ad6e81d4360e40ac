//! The roll-ups' rows.

use web::store::{
    ArmRow, LateStep, LookRow, PastRow, PersonRow, RollUp, RolledExperiment, StoreError, UnitRow, late_key,
};

use super::{
    subject::{Subject, visitor},
    till::open,
};

fn unit(experiment: &str, unit: &str, did: &str) -> UnitRow {
    UnitRow {
        experiment: experiment.into(),
        unit: visitor(unit),
        variation: 1,
        exposed_at_ms: 5,
        is_crossed: did.is_empty(),
        did: did.into(),
    }
}

fn arm(experiment: &str, segment: &str, variation: u32, sums: &str) -> ArmRow {
    ArmRow { experiment: experiment.into(), segment: segment.into(), variation, sums: sums.into() }
}

fn rolled(experiment: &str) -> RolledExperiment {
    RolledExperiment { experiment: experiment.into(), metrics: "[]".into(), since_ms: 5, position: None }
}

fn person(visitor_name: &str, unit: &str, position: u64) -> PersonRow {
    PersonRow { visitor: visitor(visitor_name), unit: visitor(unit), position }
}

/// After everything that is known.
const NOW: u64 = i64::MAX as u64;

fn past(unit: &str, position: u64) -> PastRow {
    PastRow { unit: visitor(unit), position, at_ms: 7, data: format!("{position}") }
}

fn look(units: u64, arms: &str) -> LookRow {
    LookRow { experiment: "blue".into(), units, at_ms: 9, arms: arms.into() }
}

fn step(from: u64, to: u64) -> RollUp {
    RollUp {
        from,
        to,
        experiments: vec![rolled("blue"), rolled("red")],
        units: vec![unit("blue", "ann", "[0]"), unit("blue", "bob", "[0]"), unit("red", "ann", "[1]")],
        arms: vec![
            arm("blue", "", 1, "4"),
            arm("blue", "device=phone", 0, "2"),
            arm("blue", "", 0, "3"),
            arm("blue", "&red=1", 0, "1"),
            arm("red", "", 0, "5"),
        ],
        pasts: vec![past("ann", 9), past("ann", 4), past("bob", 5)],
        people: vec![person("bob", "ann", 6)],
        looks: vec![look(100, "[[2]]"), look(50, "[[1]]")],
        ..RollUp::default()
    }
}

/// Opens carts, so that there are events to roll up, and returns their positions.
async fn positions(subject: &Subject) -> [u64; 2] {
    for cart in ["a", "b"] {
        subject.ask(open(cart, "ann")).await;
    }
    let events = subject.events().await;
    [events[0].position, events[1].position]
}

pub async fn roll_ups_read_back_and_looks_stay(subject: Subject) {
    let store = &subject.store;
    let [first, second] = positions(&subject).await;
    store.save_roll_up(&step(0, first)).await.unwrap();
    assert_eq!(store.cursor("rollups").await.unwrap(), first);
    let next = RollUp {
        from: first,
        to: second,
        experiments: vec![RolledExperiment { since_ms: 99, ..rolled("red") }],
        units: vec![unit("blue", "bob", "")],
        arms: vec![arm("blue", "", 0, "30")],
        pasts: vec![past("ann", 11)],
        people: vec![person("bob", "eve", 8)],
        looks: vec![look(100, "[[9]]"), look(150, "[[3]]")],
        ..RollUp::default()
    };
    store.save_roll_up(&next).await.unwrap();
    assert_eq!(store.cursor("rollups").await.unwrap(), second);

    let units = async |names: &[&str]| {
        let mut units = store.units(&names.iter().map(|n| visitor(n)).collect()).await.unwrap();
        units.sort_by(|a, b| (&a.unit, &a.experiment).cmp(&(&b.unit, &b.experiment)));
        units
    };
    let [ann, ann_red, bob] =
        [unit("blue", "ann", "[0]"), unit("red", "ann", "[1]"), unit("blue", "bob", "")];
    assert_eq!(units(&["ann", "nobody"]).await, [ann.clone(), ann_red.clone()]);
    assert_eq!(units(&["ann", "bob"]).await, [ann, ann_red, bob]);
    assert_eq!(units(&[]).await, []);
    let all = store.rolled_up().await.unwrap();
    assert_eq!(all.experiments, [rolled("blue"), rolled("red")], "what came first stays");
    let (whole, phones) = (arm("blue", "", 0, "30"), arm("blue", "device=phone", 0, "2"));
    let (treatment, red) = (arm("blue", "", 1, "4"), arm("red", "", 0, "5"));
    let shared = arm("blue", "&red=1", 0, "1");
    assert_eq!(all.arms, [whole.clone(), treatment.clone(), shared.clone(), phones.clone(), red.clone()]);
    let blue = [whole.clone(), treatment.clone(), shared.clone(), phones];
    assert_eq!(store.arms("blue").await.unwrap().arms, blue);
    assert_eq!(store.shared_arms().await.unwrap().arms, [shared]);
    assert_eq!(store.whole_arms().await.unwrap().arms, [whole, treatment, red]);
    let pasts = async |until| store.pasts(&[visitor("ann"), visitor("eve")].into(), until).await.unwrap();
    assert_eq!(pasts(NOW).await, [past("ann", 4), past("ann", 9), past("ann", 11)]);
    assert_eq!(pasts(9).await, [past("ann", 4), past("ann", 9)], "what was known then");
    let people = async |until| store.people(&[visitor("ann"), visitor("bob")].into(), until).await.unwrap();
    assert_eq!(people(NOW).await, [(visitor("bob"), visitor("ann"))].into());
    assert!(people(5).await.is_empty() && people(6).await.len() == 1);
    assert_eq!(
        store.looks("blue").await.unwrap(),
        [look(50, "[[1]]"), look(100, "[[2]]"), look(150, "[[3]]")]
    );
    assert_eq!(store.looks("red").await.unwrap(), []);
    let of = async |keys: &[&str]| store.looks_of(keys).await.unwrap();
    assert_eq!(of(&["red", "blue", "none"]).await, store.looks("blue").await.unwrap());
    assert!(of(&["red"]).await.is_empty() && of(&[]).await.is_empty());
}

pub async fn a_step_from_another_place_is_refused_whole(subject: Subject) {
    let store = &subject.store;
    let [first, second] = positions(&subject).await;
    let refused = store.save_roll_up(&step(first, second)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(store.rolled_up().await.unwrap(), Default::default());
    assert_eq!(store.cursor("rollups").await.unwrap(), 0);

    // Two processes roll up the same events: one of them is refused.
    let steps = (0..4).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.save_roll_up(&step(0, second)).await })
    });
    let mut saved = 0;
    for step in steps.collect::<Vec<_>>() {
        match step.await.unwrap() {
            Ok(()) => saved += 1,
            Err(StoreError::Conflict(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(saved, 1);
}

pub async fn roll_ups_can_be_rebuilt(subject: Subject) {
    let store = &subject.store;
    let [first, second] = positions(&subject).await;
    store.save_roll_up(&step(0, first)).await.unwrap();
    store.reset_roll_ups().await.unwrap();
    assert_eq!(store.cursor("rollups").await.unwrap(), 0);
    assert_eq!(store.rolled_up().await.unwrap(), Default::default());
    assert!(store.looks("blue").await.unwrap().is_empty());
    let ann = [visitor("ann")].into();
    assert!(store.units(&ann).await.unwrap().is_empty() && store.pasts(&ann, NOW).await.unwrap().is_empty());
    assert!(store.people(&[visitor("bob")].into(), NOW).await.unwrap().is_empty());
    store.save_roll_up(&step(0, second)).await.unwrap();
    assert_eq!(store.arms("red").await.unwrap().arms, [arm("red", "", 0, "5")]);
}

pub async fn what_is_late_is_counted_behind_the_cursor(subject: Subject) {
    let store = &subject.store;
    let [first, second] = positions(&subject).await;
    store.save_roll_up(&step(0, first)).await.unwrap();
    let key = late_key("blue", "orders");
    let moves = |from, to| LateStep { experiment: key.clone(), from, to };
    let begin = RollUp {
        experiments: vec![RolledExperiment { position: Some(0), ..rolled(&key) }],
        arms: vec![arm(&key, "", 0, "7")],
        late: vec![moves(0, Some(4))],
        ..RollUp::at(first)
    };
    store.save_roll_up(&begin).await.unwrap();
    let position = async || {
        let all = store.rolled_up().await.unwrap().experiments;
        all.into_iter().find(|row| row.experiment == key).unwrap().position
    };
    assert_eq!((position().await, store.cursor("rollups").await.unwrap()), (Some(4), first));
    let arms = store.arms("blue").await.unwrap().arms;
    assert_eq!(arms.last(), Some(&arm(&key, "", 0, "7")), "beside those that were planned");
    assert!(!store.arms("red").await.unwrap().arms.iter().any(|arm| arm.experiment == key));

    let overtaken =
        RollUp { arms: vec![arm(&key, "", 0, "8")], late: vec![moves(3, Some(9))], ..RollUp::at(first) };
    let refused = store.save_roll_up(&overtaken).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(store.arms("blue").await.unwrap().arms, arms, "nothing of it is written");
    let joined = RollUp { from: first, to: second, late: vec![moves(4, None)], ..RollUp::default() };
    store.save_roll_up(&joined).await.unwrap();
    assert_eq!((position().await, store.cursor("rollups").await.unwrap()), (None, second));
    let again = RollUp { late: vec![moves(4, None)], ..RollUp::at(second) };
    assert!(matches!(store.save_roll_up(&again).await, Err(StoreError::Conflict(_))), "it goes along");
}
