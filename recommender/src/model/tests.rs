use serde_json::json;

use super::*;
use crate::pairs::Pair;

mod nonsense;

fn about() -> About {
    let measured = Measured {
        task: Task::Loo,
        method: RANKED.to_owned(),
        cases: 9,
        hit_rate_20: [0.5, 0.4, 0.6],
        mrr_20: [0.25, 0.2, 0.3],
        coverage: 0.75,
    };
    About {
        trained_at_ms: 1_764_000_000_000,
        orders: 3,
        through_position: 17,
        settings: json!({"days": 260.0}),
        measured: vec![measured],
        ..About::default()
    }
}

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn entry(item: u32, score: f32) -> Entry {
    Entry { item, score }
}

fn learnt() -> Learnt {
    let mut orders = Pairs::default();
    let pair = |item, score, entries| Pair { item, score, entries };
    orders.push(3, [pair(2, 0.5, 2), pair(1, 0.25, 1)]);
    orders.push(1, [pair(0, 0.25, 1)]);
    orders.push(2, []);
    Learnt { popular: vec![entry(1, 2.0), entry(0, 1.5), entry(2, 1.0)], orders, ..Learnt::default() }
}

fn items() -> Vec<Sku> {
    vec![sku("CUP"), sku("JUG"), sku("TEA – Ö")]
}

fn model() -> Model {
    Model::new(about(), items(), learnt()).unwrap()
}

#[test]
fn a_model_survives_its_file_and_equal_models_are_equal_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model/current.model");
    model().write_atomically(&path).unwrap();
    let read = Model::read(&path).unwrap();
    assert_eq!(read.to_bytes(), model().to_bytes());
    assert_eq!((read.about(), &read.learnt().orders), (&about(), &learnt().orders));
    assert_eq!(read.about().attained(Task::Loo).map(|measured| measured.cases), Some(9));
    assert_eq!((read.item(&sku("JUG")), read.item(&sku("JUGS"))), (Some(1), None));
}

#[test]
fn a_new_model_replaces_the_old_and_leaves_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("current.model");
    model().write_atomically(&path).unwrap();
    let mut later = model();
    later.about.trained_at_ms += 1;
    later.write_atomically(&path).unwrap();
    assert_eq!(Model::read(&path).unwrap().about(), later.about());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_model_that_cannot_be_renamed_into_place_leaves_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("current.model");
    std::fs::create_dir_all(path.join("occupied")).unwrap();
    assert!(matches!(model().write_atomically(&path), Err(ModelError::Io(_))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_missing_file_is_told_from_a_bad_one() {
    let folder = tempfile::tempdir().unwrap();
    match Model::read(&folder.path().join("none")) {
        Err(ModelError::Io(error)) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_cut_off_anywhere_is_torn() {
    let bytes = model().to_bytes();
    for length in 0..bytes.len() {
        match Model::parse(&bytes[..length]) {
            Err(ModelError::Torn { expected, found }) => {
                assert_eq!(found, length as u64);
                assert!(expected <= bytes.len() as u64 && found < expected);
            }
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn a_byte_changed_anywhere_is_noticed() {
    let bytes = model().to_bytes();
    for (place, flip) in (0..bytes.len()).flat_map(|place| [(place, 1), (place, 0x80), (place, 0xff)]) {
        let mut bad = bytes.clone();
        bad[place] ^= flip;
        let error = Model::parse(&bad).unwrap_err();
        match (place, error) {
            (0..8, ModelError::WrongMagic) => {}
            (8..12, ModelError::UnknownVersion { known: 4, .. }) => {}
            (12..20, ModelError::Torn { .. } | ModelError::Corrupt(_)) => {}
            (20.., ModelError::Corrupt(_)) => {}
            (_, other) => panic!("{place}: {other:?}"),
        }
    }
}

#[test]
fn a_file_cut_off_while_it_is_read_is_refused() {
    let bytes = model().to_bytes();
    for length in [20, 21, bytes.len() - 33, bytes.len() - 1] {
        match Model::load(&bytes[..length], bytes.len() as u64) {
            Err(ModelError::Io(error)) => {
                assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{length}")
            }
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn bytes_too_many_and_foreign_files_are_refused() {
    let mut bytes = model().to_bytes();
    bytes.push(0);
    let said = Model::parse(&bytes).unwrap_err().to_string();
    assert_eq!(
        said,
        format!(
            "corrupt model file: {} bytes where the header says {}; train again",
            bytes.len(),
            bytes.len() - 1
        )
    );
    bytes.truncate(30);
    let said = Model::parse(&bytes).unwrap_err().to_string();
    assert_eq!(said, format!("torn model file: 30 bytes of {}; train again", model().to_bytes().len()));
    let said = Model::parse(b"PAR1 and more").unwrap_err().to_string();
    assert_eq!(said, "not a model file: it does not begin with the model's magic bytes");
    let mut older = model().to_bytes();
    older[8] = 2;
    let said = Model::parse(&older).unwrap_err().to_string();
    assert_eq!(said, "model file of version 2, this program reads version 4; train again");
}

#[test]
fn a_sound_file_that_holds_nonsense_is_refused() {
    let mut bad = model();
    bad.learnt.popular[0].item = 7;
    let said = Model::parse(&bad.to_bytes()).unwrap_err().to_string();
    assert_eq!(said, "invalid model: a list names what is no item, or has a score that is no number");
    let mut bad = model();
    bad.items.swap(0, 1);
    let said = Model::parse(&bad.to_bytes()).unwrap_err().to_string();
    assert_eq!(said, "invalid model: items are not strictly ascending");
}

#[test]
fn parts_that_do_not_fit_are_not_a_model() {
    let refused = |change: &dyn Fn(&mut Learnt)| {
        let mut parts = learnt();
        change(&mut parts);
        Model::new(about(), items(), parts).map(drop)
    };
    assert_eq!(refused(&|_| ()), Ok(()));
    let short = refused(&|parts| parts.sessions.push(1, []));
    assert_eq!(short, Err(Invalid("pairs are not one list per item")));
    assert_eq!(refused(&|parts| parts.popular[1].item = 1), Err(Invalid("an item is popular twice")));
    let ascending = refused(&|parts| parts.popular[2].score = 9.0);
    assert_eq!(ascending, Err(Invalid("popular items are not in descending order")));
}
