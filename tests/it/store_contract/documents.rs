//! Documents and their history.

use web::store::{DocumentRevision, StoreError};

use super::subject::{NOW_MS, Subject};

fn revision(number: u64, text: &str) -> DocumentRevision {
    DocumentRevision {
        name: "shelf_rules".into(),
        revision: number,
        text: text.into(),
        saved_at_ms: NOW_MS + i64::try_from(number).unwrap(),
        saved_by: "ann".into(),
        reason: "winter".into(),
    }
}

pub async fn a_document_is_revised_over_its_last_revision_only(subject: Subject) {
    let store = &subject.store;
    let known = store.documents(u64::MAX).await.unwrap().unwrap().revision;
    assert_eq!(store.document_history("shelf_rules").await.unwrap(), []);
    store.revise_document(&revision(1, "[]")).await.unwrap();
    let stored = store.documents(known).await.unwrap().expect("the common revision has moved");
    assert_eq!(stored.documents["shelf_rules"], "[]");
    for stale in [1, 3] {
        let refused = store.revise_document(&revision(stale, "[1]")).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    assert!(store.documents(stored.revision).await.unwrap().is_none(), "what is refused changes nothing");
    // Of those who save at once, one is first.
    let saving = (0..5).map(|n| {
        let (store, revision) = (store.clone(), revision(2, &format!("[{n}]")));
        async move { store.revise_document(&revision).await.is_ok() }
    });
    let saved = futures_util::future::join_all(saving).await;
    assert_eq!(saved.into_iter().filter(|is_saved| *is_saved).count(), 1);
    let history = store.document_history("shelf_rules").await.unwrap();
    assert_eq!(history.iter().map(|kept| kept.revision).collect::<Vec<_>>(), [2, 1], "the newest first");
    assert_eq!(history[1], revision(1, "[]"));
    assert_eq!(store.documents(known).await.unwrap().unwrap().documents["shelf_rules"], history[0].text);
}
