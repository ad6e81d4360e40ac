//! Users, the sessions of their devices and the attempts to log in.

use cart_core::GroupId;
use web::store::{Heard, User, UserSession, users::USER_SESSIONS_MAX};

use super::subject::{NOW_MS, Subject, visitor};

fn user(name: &str) -> User {
    User {
        id: visitor(&format!("u-{name}")),
        unit: visitor(&format!("v-{name}")),
        email: format!("{name}@example.org"),
        name: name.into(),
        group: None,
        password_hash: "$argon2id$first".into(),
        created_at_ms: NOW_MS,
    }
}

fn session(user: &str, token: &str, seen_at_ms: i64) -> UserSession {
    UserSession {
        token_hash: token.into(),
        id: format!("s-{token}"),
        user: visitor(&format!("u-{user}")),
        device: "Firefox on Linux".into(),
        since_ms: seen_at_ms,
        seen_at_ms,
        ends_at_ms: seen_at_ms + 1_000,
    }
}

pub async fn an_address_is_one_account(subject: Subject) {
    let store = &subject.store;
    assert_eq!(store.user_by_email("ann@example.org").await.unwrap(), None);
    assert!(store.add_user(&user("ann")).await.unwrap());
    let impostor = User { id: visitor("u-other"), ..user("ann") };
    assert!(!store.add_user(&impostor).await.unwrap(), "the address has an account");
    assert_eq!(store.user_by_email("ann@example.org").await.unwrap(), Some(user("ann")));
}

pub async fn a_user_belongs_to_a_group_or_to_none(subject: Subject) {
    let store = &subject.store;
    let (ann, trade) = (visitor("u-ann"), GroupId::parse("trade").unwrap());
    assert!(!store.put_group(&ann, Some(&trade)).await.unwrap(), "nobody yet");
    store.add_user(&user("ann")).await.unwrap();
    store.open_session(&session("ann", "t", NOW_MS), NOW_MS).await.unwrap();
    for group in [Some(trade), None] {
        assert!(store.put_group(&ann, group.as_ref()).await.unwrap());
        let grouped = User { group, ..user("ann") };
        assert_eq!(store.user(&ann).await.unwrap().as_ref(), Some(&grouped));
        assert_eq!(store.user_by_email("ann@example.org").await.unwrap().as_ref(), Some(&grouped));
        assert_eq!(store.session("t", NOW_MS).await.unwrap().map(|(_, user)| user), Some(grouped));
    }
    assert_eq!(store.user(&visitor("u-bob")).await.unwrap(), None);
}

pub async fn accounts_of_one_address_at_once_are_one(subject: Subject) {
    let adding = (0..8).map(|n| {
        let store = subject.store.clone();
        async move { store.add_user(&User { id: visitor(&format!("u-{n}")), ..user("ann") }).await.unwrap() }
    });
    let added = futures_util::future::join_all(adding).await;
    assert_eq!(added.into_iter().filter(|was_free| *was_free).count(), 1);
}

pub async fn a_user_session_lives_until_it_ends(subject: Subject) {
    let store = &subject.store;
    store.add_user(&user("ann")).await.unwrap();
    store.add_user(&user("bob")).await.unwrap();
    store.open_session(&session("ann", "t", NOW_MS), NOW_MS).await.unwrap();
    let is_open = async |token, now_ms| store.session(token, now_ms).await.unwrap();
    assert_eq!(is_open("t", NOW_MS + 999).await, Some((session("ann", "t", NOW_MS), user("ann"))));
    assert_eq!(is_open("t", NOW_MS + 1_000).await, None, "its time is over");
    store.touch_session("t", NOW_MS + 500, NOW_MS + 1_500).await.unwrap();
    store.touch_session("t", NOW_MS + 400, NOW_MS + 1_400).await.unwrap();
    let (touched, _) = is_open("t", NOW_MS + 1_499).await.unwrap();
    assert_eq!((touched.seen_at_ms, touched.ends_at_ms), (NOW_MS + 500, NOW_MS + 1_500), "time goes on");
    assert_eq!(store.end_session(&visitor("u-bob"), "s-t").await.unwrap(), None, "it is not Bob's");
    assert_eq!(store.end_session(&visitor("u-ann"), "s-t").await.unwrap(), Some("t".into()));
    assert_eq!(is_open("t", NOW_MS).await, None);
    assert_eq!(store.end_session(&visitor("u-ann"), "s-t").await.unwrap(), None, "it ends once");
}

pub async fn a_user_has_a_list_of_devices(subject: Subject) {
    let store = &subject.store;
    store.add_user(&user("ann")).await.unwrap();
    store.add_user(&user("bob")).await.unwrap();
    store.open_session(&session("bob", "bob", NOW_MS), NOW_MS).await.unwrap();
    for n in 0..USER_SESSIONS_MAX as i64 + 2 {
        let opened = session("ann", &format!("t{n}"), NOW_MS + n);
        store.open_session(&opened, NOW_MS).await.unwrap();
    }
    let sessions = store.sessions_of(&visitor("u-ann"), NOW_MS).await.unwrap();
    assert_eq!(sessions.len(), USER_SESSIONS_MAX, "the ones used longest ago made room");
    assert_eq!(sessions[0].token_hash, format!("t{}", USER_SESSIONS_MAX + 1), "the last used first");
    assert!(sessions.is_sorted_by_key(|s| std::cmp::Reverse(s.seen_at_ms)));
    let now_ms = NOW_MS + 1_010;
    store.open_session(&session("bob", "new", now_ms), now_ms).await.unwrap();
    assert!(store.session("t10", NOW_MS).await.unwrap().is_none(), "what has ended is swept");
    assert_eq!(store.sessions_of(&visitor("u-ann"), now_ms).await.unwrap().len(), USER_SESSIONS_MAX - 9);
}

pub async fn a_new_password_ends_the_other_sessions(subject: Subject) {
    let store = &subject.store;
    store.add_user(&user("ann")).await.unwrap();
    store.add_user(&user("bob")).await.unwrap();
    for (name, token) in [("ann", "here"), ("ann", "there"), ("ann", "lost"), ("bob", "bob")] {
        store.open_session(&session(name, token, NOW_MS), NOW_MS).await.unwrap();
    }
    let mut ended = store.put_password(&visitor("u-ann"), "$argon2id$second", "here").await.unwrap();
    ended.sort();
    assert_eq!(ended, ["lost", "there"]);
    let left = |sessions: Vec<UserSession>| sessions.into_iter().map(|s| s.token_hash).collect::<Vec<_>>();
    assert_eq!(left(store.sessions_of(&visitor("u-ann"), NOW_MS).await.unwrap()), ["here"]);
    assert_eq!(left(store.sessions_of(&visitor("u-bob"), NOW_MS).await.unwrap()), ["bob"]);
    let (_, ann) = store.session("here", NOW_MS).await.unwrap().unwrap();
    assert_eq!(ann.password_hash, "$argon2id$second");
}

pub async fn attempts_are_counted_by_window(subject: Subject) {
    let store = &subject.store;
    let keys = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(store.count_attempt(&keys(&["pair", "account"]), 7).await.unwrap(), [1, 1]);
    assert_eq!(store.count_attempt(&keys(&["other", "account"]), 7).await.unwrap(), [1, 2]);
    store.forgive_attempts(&keys(&["other"])).await.unwrap();
    assert_eq!(store.count_attempt(&keys(&["other", "account"]), 7).await.unwrap(), [1, 3]);
    let counting = (0..8).map(|_| {
        let store = store.clone();
        async move { store.count_attempt(&["b".to_owned(), "a".to_owned()], 7).await.unwrap()[0] }
    });
    let mut counts = futures_util::future::join_all(counting).await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=8).collect::<Vec<_>>(), "no burst gets more");
    assert_eq!(store.count_attempt(&keys(&["account"]), 8).await.unwrap(), [1], "another quarter of an hour");
}

pub async fn other_processes_hear_of_ended_sessions(subject: Subject) {
    let Some(other) = subject.another().await.filter(|_| subject.is_shared()) else { return };
    let (sender, mut heard) = tokio::sync::mpsc::channel(8);
    tokio::spawn(async move { other.listen(sender).await });
    assert_eq!(heard.recv().await, Some(Heard::Everything));
    let store = &subject.store;
    store.add_user(&user("ann")).await.unwrap();
    for token in ["here", "there", "lost"] {
        store.open_session(&session("ann", token, NOW_MS), NOW_MS).await.unwrap();
    }
    store.end_session(&visitor("u-ann"), "s-lost").await.unwrap();
    assert_eq!(heard.recv().await, Some(Heard::TokenEnded("lost".into())));
    store.put_password(&visitor("u-ann"), "$argon2id$second", "here").await.unwrap();
    assert_eq!(heard.recv().await, Some(Heard::TokenEnded("there".into())));
}
