use super::*;
use crate::model::{Learnt, Measured, Task};

fn about(trained_at_ms: i64, hit_rate: f64) -> About {
    let around = |mean: f64| [mean, mean - 0.01, mean + 0.01];
    let measured = Measured {
        task: Task::Loo,
        method: "ranked".to_owned(),
        cases: 900,
        hit_rate_20: around(hit_rate),
        mrr_20: around(hit_rate / 2.0),
        coverage: 0.5,
    };
    About { trained_at_ms, orders: 1_000, items: 100, measured: vec![measured], ..About::default() }
}

fn model(about: About) -> Model {
    Model::new(about, Vec::new(), Learnt::default()).unwrap()
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> (Self, Archive) {
        let place = Self(tempfile::tempdir().unwrap());
        let archive = Archive::of(&place.0.path().join("model/current.model"));
        (place, archive)
    }
}

#[test]
fn models_are_kept_put_into_service_and_taken_back() {
    let (_place, archive) = Place::new();
    assert!(archive.list().unwrap().is_empty() && archive.current().unwrap().is_none());
    let ids: Vec<String> = (1..=3).map(|at| archive.keep(&model(about(at, 0.5))).unwrap()).collect();
    for (at_ms, id) in ids.iter().enumerate() {
        archive.promote(&id[..4], Deleted::StayAway, at_ms as i64).unwrap();
        assert_eq!(archive.current().unwrap().unwrap().id, *id);
    }
    assert_eq!(archive.rollback(Deleted::StayAway, 8).unwrap(), ids[1]);
    assert_eq!(archive.rollback(Deleted::StayAway, 9).unwrap(), ids[0]);
    assert!(matches!(archive.rollback(Deleted::StayAway, 9), Err(ArchiveError::NothingBefore)));
    archive.promote(&ids[2], Deleted::StayAway, 10).unwrap();
    assert_eq!(
        archive.rollback(Deleted::StayAway, 11).unwrap(),
        ids[0],
        "what was taken back does not come again"
    );
    let listed = archive.list().unwrap();
    let told: Vec<(&str, i64, bool)> =
        listed.iter().map(|kept| (&*kept.id, kept.about.trained_at_ms, kept.is_current)).collect();
    assert_eq!(told, [(&*ids[0], 1, true), (&*ids[1], 2, false), (&*ids[2], 3, false)]);
    assert_eq!(archive.promotions().unwrap().len(), 7);
}

#[test]
fn what_is_damaged_or_unknown_never_goes_into_service() {
    let (place, archive) = Place::new();
    let good = archive.keep(&model(about(1, 0.5))).unwrap();
    archive.promote(&good, Deleted::StayAway, 1).unwrap();
    let bad = archive.keep(&model(about(2, 0.5))).unwrap();
    let path = place.0.path().join(format!("model/{bad}.model"));
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(archive.promote(&bad, Deleted::StayAway, 2), Err(ArchiveError::Model { .. })));
    assert!(matches!(archive.promote("ffff", Deleted::StayAway, 2), Err(ArchiveError::Unknown(_))));
    assert!(matches!(archive.promote("", Deleted::StayAway, 2), Err(ArchiveError::Unknown(_))));
    assert_eq!(archive.current().unwrap().unwrap().id, good);
}

#[test]
fn the_newest_good_model_that_was_in_service_stands_in() {
    let (place, archive) = Place::new();
    let stand_in = || archive.stand_in().unwrap().map(|(kept, model)| (kept.id, model.about().trained_at_ms));
    assert_eq!(stand_in(), None);
    let ids: Vec<String> = (1..=4).map(|at| archive.keep(&model(about(at, 0.5))).unwrap()).collect();
    assert_eq!(stand_in(), Some((ids[3].clone(), 4)), "none was in service");
    for id in &ids[..3] {
        archive.promote(id, Deleted::StayAway, 1).unwrap();
    }
    let current = place.0.path().join("model/current.model");
    for torn in [&b""[..], b"torn"] {
        fs::write(&current, torn).unwrap();
        assert!(matches!(archive.current(), Err(ArchiveError::Model { .. })), "a torn file is not none");
        assert!(archive.held_back().is_err());
        assert_eq!(stand_in(), Some((ids[2].clone(), 3)));
    }
    let path = place.0.path().join(format!("model/{}.model", ids[2]));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(stand_in(), Some((ids[1].clone(), 2)), "what is damaged does not");
    fs::write(place.0.path().join("model/promotions.json"), "torn").unwrap();
    assert_eq!(stand_in(), Some((ids[3].clone(), 4)));
}

#[test]
fn old_models_go_but_never_the_one_in_service_or_the_one_before() {
    let (_place, archive) = Place::new();
    let first: Vec<String> = (0..2).map(|at| archive.keep(&model(about(at, 0.5))).unwrap()).collect();
    first.iter().for_each(|id| archive.promote(id, Deleted::StayAway, 0).unwrap());
    for at in 2..30 {
        archive.keep(&model(about(at, 0.5))).unwrap();
    }
    let kept: Vec<i64> = archive.list().unwrap().iter().map(|kept| kept.about.trained_at_ms).collect();
    assert_eq!(kept, [0, 1, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
}

#[test]
fn a_model_that_is_plainly_worse_or_knows_too_little_does_not_pass() {
    let running = Kept { id: "9c5a01f2".to_owned(), bytes: 1, is_current: true, about: about(1, 0.5) };
    let gate = Gate::default();
    let refused = |about: &About| gate.pass(about, &running).map_err(|refused| refused.to_string());
    assert_eq!(refused(&about(2, 0.47)), Ok(()), "within the margin and its interval");
    assert_eq!(
        refused(&about(2, 0.4)).unwrap_err(),
        "loo: HR@20 0.4000 [0.3900, 0.4100] is more than 5 % below 0.5000 of model 9c5a01f2; \
         loo: MRR@20 0.2000 [0.1900, 0.2100] is more than 5 % below 0.2500 of model 9c5a01f2"
    );
    let (_place, archive) = Place::new();
    let good = archive.keep(&model(about(1, 0.5))).unwrap();
    archive.promote(&good, Deleted::StayAway, 1).unwrap();
    assert!(archive.held_back().unwrap().is_none());
    let worse = archive.keep(&model(about(2, 0.4))).unwrap();
    assert_eq!(archive.held_back().unwrap().map(|(kept, _)| kept.id), Some(worse.clone()));
    archive.promote(&worse, Deleted::StayAway, 2).unwrap();
    assert!(archive.held_back().unwrap().is_none());
    let few = About { orders: 499, ..about(2, 0.5) };
    assert_eq!(
        refused(&few).unwrap_err(),
        "it was learnt from 499 orders where model 9c5a01f2 had 1000: less than 50 %"
    );
    let silent = About { measured: Vec::new(), ..about(2, 0.5) };
    assert_eq!(refused(&silent).unwrap_err(), "it answers nothing of loo, which model 9c5a01f2 does");
}

#[test]
fn a_model_that_suggests_fewer_things_does_not_pass_and_says_so() {
    let running = Kept { id: "9c5a01f2".to_owned(), bytes: 1, is_current: true, about: about(1, 0.5) };
    let refused =
        |about: &About| Gate::default().pass(about, &running).map_err(|refused| refused.to_string());
    let covering = |coverage: f64, cases: u64, items: u64| {
        let mut about = about(2, 0.5);
        about.items = items;
        (about.measured[0].coverage, about.measured[0].cases) = (coverage, cases);
        about
    };
    assert_eq!(refused(&covering(0.38, 900, 100)), Ok(()), "within the margin");
    assert_eq!(
        refused(&covering(0.37, 900, 100)).unwrap_err(),
        "loo: its answers suggest 37 items, more than 25 % fewer than the 50 of model 9c5a01f2"
    );
    assert_eq!(refused(&covering(0.19, 900, 200)), Ok(()), "of a range that grew, as many");
    assert_eq!(refused(&covering(0.19, 450, 100)), Ok(()), "half as many were asked");
}

#[test]
fn the_first_model_passes_where_it_says_more_than_what_sells_best_to_all() {
    let refused = |about: &About| Gate::default().pass_first(about).map_err(|refused| refused.to_string());
    assert_eq!(refused(&About { measured: vec![], ..about(1, 0.0) }), Ok(()), "too little to be measured");
    assert_eq!(refused(&about(1, 0.5)), Ok(()));
    let nothing = About { orders: 0, measured: vec![], ..about(1, 0.0) };
    assert_eq!(refused(&nothing).unwrap_err(), "it was learnt from no order and no session");
    let beside = |popular: f64, coverage: f64| {
        let mut about = about(1, 0.3);
        let others = [popular, popular - 0.01, popular + 0.01];
        about.items = 4_000;
        about.measured[0].coverage = coverage;
        let own = about.measured[0].clone();
        about.measured.push(Measured { method: "popularity".to_owned(), hit_rate_20: others, ..own });
        about
    };
    assert_eq!(refused(&beside(0.335, 0.5)), Ok(()), "within the margin and both intervals");
    assert_eq!(
        refused(&beside(0.4, 0.5)).unwrap_err(),
        "loo: HR@20 0.3000 [0.2900, 0.3100] is more than 5 % below 0.3900 of what sells best"
    );
    assert_eq!(
        refused(&beside(0.3, 0.005)).unwrap_err(),
        "loo: its answers suggest 20 items where they have places for 4000: less than 1 %"
    );
    let (_place, archive) = Place::new();
    let worse = archive.keep(&model(beside(0.4, 0.5))).unwrap();
    let held = archive.held_back().unwrap().map(|(kept, _)| kept.id);
    assert_eq!(held, Some(worse), "none is in service, and this one waits");
}

#[test]
fn a_clock_that_went_back_makes_no_later_model_older() {
    let (_place, archive) = Place::new();
    let at = |through_position: i64, trained_at_ms: i64, hit_rate: f64| {
        archive.keep(&model(About { through_position, ..about(trained_at_ms, hit_rate) })).unwrap()
    };
    let good = at(100, 9_000, 0.5);
    archive.promote(&good, Deleted::StayAway, 1).unwrap();
    let worse = at(200, 4_000, 0.4);
    let listed: Vec<String> = archive.list().unwrap().into_iter().map(|kept| kept.id).collect();
    assert_eq!(listed, [good, worse.clone()]);
    assert_eq!(archive.held_back().unwrap().map(|(kept, _)| kept.id), Some(worse));
    let newest: Vec<String> = (0..20).map(|n| at(300 + n, 3_000 - n, 0.5)).collect();
    let listed: Vec<String> = archive.list().unwrap().into_iter().map(|kept| kept.id).collect();
    assert_eq!(listed[listed.len() - KEPT_MAX..], newest[newest.len() - KEPT_MAX..], "the latest are kept");
}

#[test]
fn a_model_that_knows_deleted_histories_comes_back_only_where_that_is_said() {
    let (place, archive) = Place::new();
    let free_of = |position: Option<i64>, at: i64| {
        let free_of = position.map(|position| Deletion { position, at_ms: 50 });
        archive.keep(&model(About { free_of, ..about(at, 0.5) })).unwrap()
    };
    let before = free_of(None, 1);
    archive.promote(&before, Deleted::StayAway, 1).unwrap();
    let between = free_of(Some(30), 2);
    let refused = archive.promote(&before, Deleted::StayAway, 2).unwrap_err().to_string();
    assert!(
        refused.starts_with(&format!(
            "model {before} was learnt before a shopper's history was deleted (event 30"
        )) && refused.ends_with("train anew, or say --even-with-deleted-histories"),
        "{refused}"
    );
    archive.promote(&between, Deleted::StayAway, 3).unwrap();
    let after = free_of(Some(70), 3);
    archive.promote(&after, Deleted::StayAway, 4).unwrap();
    assert!(matches!(archive.rollback(Deleted::StayAway, 5), Err(ArchiveError::BringsBack { .. })));
    assert_eq!(archive.current().unwrap().unwrap().id, after, "nothing has happened");
    let current = place.0.path().join("model/current.model");
    fs::write(&current, "torn").unwrap();
    let path = place.0.path().join(format!("model/{after}.model"));
    let good = fs::read(&path).unwrap();
    assert_eq!(archive.stand_in().unwrap().map(|(kept, _)| kept.id), Some(after.clone()));
    // Where what is free of it cannot be read, none of the others stands in.
    let mut bad = good.clone();
    let last = bad.len() - 40;
    bad[last] ^= 1;
    fs::write(&path, bad).unwrap();
    assert!(archive.stand_in().unwrap().is_none());
    fs::write(&path, &good).unwrap();
    fs::write(&current, &good).unwrap();
    assert_eq!(archive.rollback(Deleted::MayComeBack, 6).unwrap(), between);
    archive.promote(&before, Deleted::MayComeBack, 7).unwrap();
    assert_eq!(archive.current().unwrap().unwrap().id, before);
}
