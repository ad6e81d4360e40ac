//! Admin users and their sessions.

use web::store::{AdminSession, AdminUser};

use super::subject::{NOW_MS, Subject};

fn user(password_hash: &str) -> AdminUser {
    AdminUser { name: "ann".into(), password_hash: password_hash.into() }
}

pub async fn a_user_is_kept_and_changed(subject: Subject) {
    assert_eq!(subject.store.admin_user("ann").await.unwrap(), None);
    for hash in ["$argon2id$first", "$argon2id$second"] {
        subject.store.put_admin_user(&user(hash)).await.unwrap();
        assert_eq!(subject.store.admin_user("ann").await.unwrap(), Some(user(hash)));
    }
    assert_eq!(subject.store.admin_user("Ann").await.unwrap(), None);
}

pub async fn a_session_ends(subject: Subject) {
    let store = &subject.store;
    store.put_admin_user(&user("$argon2id$")).await.unwrap();
    let session = |token: &str, ends_at_ms| AdminSession {
        token_hash: token.into(),
        user: "ann".into(),
        csrf: format!("csrf-{token}"),
        ends_at_ms,
    };
    store.put_admin_session(&session("t", NOW_MS + 10), NOW_MS).await.unwrap();
    store.put_admin_session(&session("u", NOW_MS + 20), NOW_MS).await.unwrap();
    let is_open = async |token, now_ms| store.admin_session(token, now_ms).await.unwrap();
    assert_eq!(is_open("t", NOW_MS + 9).await, Some(session("t", NOW_MS + 10)));
    assert_eq!(is_open("t", NOW_MS + 10).await, None, "its time is over");
    assert_eq!(is_open("none", NOW_MS).await, None);
    store.delete_admin_session("u").await.unwrap();
    assert_eq!(is_open("u", NOW_MS).await, None, "it was ended");
    assert_eq!(is_open("t", NOW_MS).await, Some(session("t", NOW_MS + 10)));
    let forgotten = store.put_admin_session(&session("v", NOW_MS + 30), NOW_MS + 10).await.unwrap();
    assert_eq!(forgotten, 1, "the next login sweeps those that have ended");
    assert_eq!(is_open("t", NOW_MS).await, None);
    assert_eq!(is_open("v", NOW_MS).await, Some(session("v", NOW_MS + 30)));
    store.put_admin_user(&AdminUser { name: "bob".into(), ..user("$argon2id$") }).await.unwrap();
    assert_eq!(
        is_open("v", NOW_MS).await,
        Some(session("v", NOW_MS + 30)),
        "another's password is another's"
    );
    store.put_admin_user(&user("$argon2id$changed")).await.unwrap();
    assert_eq!(is_open("v", NOW_MS).await, None, "a password that changes ends the sessions");
}
