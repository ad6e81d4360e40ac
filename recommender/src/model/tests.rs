use super::*;

fn about() -> About {
    About {
        trained_at_ms: 1_764_000_000_000,
        orders: 3,
        through_position: 17,
        through_at_ms: 1_763_999_999_000,
        settings: Settings {
            score: Score::Cosine,
            half_life_days: 180.0,
            neighbours: 50,
            min_support: 2,
            shrink: 10.0,
            length_power: 0.5,
            order_items_max: 500,
        },
    }
}

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn n(item: u32, score: f32) -> Neighbour {
    Neighbour { item, score }
}

fn model() -> Model {
    let items = vec![sku("CUP"), sku("JUG"), sku("TEA – Ö")];
    let neighbours = vec![vec![n(2, 0.5), n(1, 0.25)], vec![n(0, 0.25)], vec![]];
    Model::new(about(), items, neighbours, vec![n(1, 2.0), n(0, 1.5), n(2, 1.0)]).unwrap()
}

#[test]
fn a_model_survives_its_file_and_equal_models_are_equal_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model/current.model");
    model().write_atomically(&path).unwrap();
    let read = Model::read(&path).unwrap();
    assert_eq!(read, model());
    assert_eq!(read.to_bytes(), model().to_bytes());
    assert_eq!(read.neighbours(0), [n(2, 0.5), n(1, 0.25)]);
    assert_eq!(read.item(&sku("JUG")), Some(1));
    assert_eq!(read.item(&sku("JUGS")), None);
}

#[test]
fn a_new_model_replaces_the_old_and_leaves_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("current.model");
    model().write_atomically(&path).unwrap();
    let mut later = model();
    later.about.trained_at_ms += 1;
    later.write_atomically(&path).unwrap();
    assert_eq!(Model::read(&path).unwrap(), later);
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
    for place in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[place] ^= 1;
        let error = Model::parse(&bad).unwrap_err();
        match (place, error) {
            (0..8, ModelError::WrongMagic) => {}
            (8..12, ModelError::UnknownVersion { known: 1, .. }) => {}
            (12..20, ModelError::Torn { .. } | ModelError::Corrupt(_)) => {}
            (20.., ModelError::Corrupt(_)) => {}
            (_, other) => panic!("{place}: {other:?}"),
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
        format!("corrupt model file: {} bytes where the header says {}", bytes.len(), bytes.len() - 1)
    );
    let said = Model::parse(b"PAR1 and more").unwrap_err().to_string();
    assert_eq!(said, "not a model file: it does not begin with the model's magic bytes");
}

#[test]
fn a_sound_file_that_holds_nonsense_is_refused() {
    let mut bad = model();
    bad.neighbours[0].item = 7;
    assert_eq!(
        Model::parse(&bad.to_bytes()).unwrap_err().to_string(),
        "invalid model: neighbours of item 0 name item 7"
    );
    let mut bad = model();
    bad.neighbours[0].item = 0;
    assert!(matches!(Model::parse(&bad.to_bytes()), Err(ModelError::Invalid(Invalid::BadItem { .. }))));
    let mut bad = model();
    bad.neighbours[1].score = f32::NAN;
    assert!(matches!(
        Model::parse(&bad.to_bytes()),
        Err(ModelError::Invalid(Invalid::Order { item: 0, .. }))
    ));
    let mut bad = model();
    bad.items.swap(0, 1);
    assert!(matches!(Model::parse(&bad.to_bytes()), Err(ModelError::Invalid(Invalid::Unsorted(1)))));
}

#[test]
fn parts_that_do_not_fit_are_not_a_model() {
    let items = || vec![sku("CUP"), sku("JUG")];
    let popular = || vec![n(0, 1.0), n(1, 1.0)];
    let short = Model::new(about(), items(), vec![vec![]], popular());
    assert_eq!(short, Err(Invalid::Uneven { what: "lists of neighbours", count: 1, items: 2 }));
    let unpopular = Model::new(about(), items(), vec![vec![], vec![]], vec![]);
    assert_eq!(unpopular, Err(Invalid::Uneven { what: "popular items", count: 0, items: 2 }));
    let twice = Model::new(about(), items(), vec![vec![n(1, 2.0), n(1, 1.0)], vec![]], popular());
    assert_eq!(twice, Err(Invalid::Repeated { what: "neighbours", item: 0, other: 1 }));
    let ascending = Model::new(about(), items(), vec![vec![], vec![]], vec![n(0, 1.0), n(1, 2.0)]);
    assert_eq!(ascending, Err(Invalid::Order { what: "popular items", item: 0 }));
}
