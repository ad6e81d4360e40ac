//! The links by which others read the report of an experiment.

use web::store::{ReportLink, report_links::REPORT_LINKS_MAX};

use super::subject::{NOW_MS, Subject};

fn link(experiment: &str, token: &str, ends_at_ms: i64) -> ReportLink {
    ReportLink {
        token_hash: token.into(),
        id: format!("l-{token}"),
        experiment: experiment.into(),
        note: "the board".into(),
        made_by: "ada".into(),
        created_at_ms: NOW_MS,
        ends_at_ms,
    }
}

pub async fn a_link_lives_until_it_ends_or_is_taken_back(subject: Subject) {
    let store = &subject.store;
    let (short, long) = (link("e1", "a", NOW_MS + 10), link("e1", "b", NOW_MS + 1_000));
    for link in [&short, &long] {
        assert!(store.add_report_link(link).await.unwrap());
    }
    assert_eq!(store.report_link("a", NOW_MS + 9).await.unwrap(), Some(short.clone()));
    assert_eq!(store.report_link("a", NOW_MS + 10).await.unwrap(), None, "its time is over");
    assert_eq!(store.report_link("c", NOW_MS).await.unwrap(), None);
    assert_eq!(store.report_links("e1", NOW_MS).await.unwrap(), [short, long.clone()]);
    assert_eq!(store.report_links("e1", NOW_MS + 10).await.unwrap(), [long]);
    assert_eq!(store.report_links("e2", NOW_MS).await.unwrap(), []);
    assert!(!store.end_report_link("e2", "l-b").await.unwrap(), "another experiment's");
    assert!(store.end_report_link("e1", "l-b").await.unwrap());
    assert!(!store.end_report_link("e1", "l-b").await.unwrap());
    assert_eq!(store.report_link("b", NOW_MS).await.unwrap(), None);
}

pub async fn an_experiment_has_so_many_links_and_no_more(subject: Subject) {
    let store = &subject.store;
    let ends = |n: usize| if n == 0 { NOW_MS + 10 } else { NOW_MS + 1_000 };
    let adding = (0..REPORT_LINKS_MAX + 5).map(|n| {
        let (store, link) = (store.clone(), link("e1", &format!("t{n}"), ends(n)));
        async move { store.add_report_link(&link).await.unwrap() }
    });
    let added = futures_util::future::join_all(adding).await;
    assert_eq!(added.into_iter().filter(|is_added| *is_added).count(), REPORT_LINKS_MAX);
    assert!(store.add_report_link(&link("e2", "other", NOW_MS + 10)).await.unwrap());
    let later = ReportLink { created_at_ms: NOW_MS + 1_000, ..link("e1", "later", NOW_MS + 2_000) };
    assert!(store.add_report_link(&later).await.unwrap(), "what has ended makes room");
}
