//! The links by which carts are shared.

use cart_core::CartId;
use web::store::{CartShare, shares::CART_SHARES_MAX};

use super::subject::{NOW_MS, Subject};

fn cart(name: &str) -> CartId {
    CartId::parse(name).unwrap()
}

fn share(cart_name: &str, token: &str, ends_at_ms: Option<i64>) -> CartShare {
    CartShare {
        token_hash: token.into(),
        id: format!("s-{token}"),
        cart: cart(cart_name),
        is_editable: token.ends_with('e'),
        name: "for Ben".into(),
        created_at_ms: NOW_MS,
        ends_at_ms,
    }
}

pub async fn a_share_lives_until_it_ends(subject: Subject) {
    let store = &subject.store;
    let (short, long) = (share("c1", "a-e", Some(NOW_MS + 10)), share("c1", "b", None));
    for share in [&short, &long] {
        assert!(store.add_share(share, NOW_MS).await.unwrap());
    }
    assert_eq!(store.share("a-e", NOW_MS + 9).await.unwrap(), Some(short.clone()));
    assert_eq!(store.share("a-e", NOW_MS + 10).await.unwrap(), None, "its time is over");
    assert_eq!(store.share("b", NOW_MS + 1_000_000).await.unwrap(), Some(long.clone()));
    assert_eq!(store.share("c", NOW_MS).await.unwrap(), None);
    assert_eq!(store.shares_of(&cart("c1"), NOW_MS).await.unwrap(), [short, long.clone()]);
    assert_eq!(store.shares_of(&cart("c1"), NOW_MS + 10).await.unwrap(), [long]);
    assert_eq!(store.shares_of(&cart("c2"), NOW_MS).await.unwrap(), []);
}

pub async fn a_share_is_ended_by_its_cart_once(subject: Subject) {
    let store = &subject.store;
    store.add_share(&share("c1", "a", None), NOW_MS).await.unwrap();
    assert_eq!(store.end_share(&cart("c2"), "s-a").await.unwrap(), None, "another cart's");
    assert_eq!(store.end_share(&cart("c1"), "s-a").await.unwrap(), Some("a".into()));
    assert_eq!(store.end_share(&cart("c1"), "s-a").await.unwrap(), None);
    assert_eq!(store.share("a", NOW_MS).await.unwrap(), None);
}

pub async fn a_cart_has_so_many_shares_and_no_more(subject: Subject) {
    let store = &subject.store;
    let ends = |n: usize| (n == 0).then_some(NOW_MS + 10);
    let adding = (0..CART_SHARES_MAX + 5).map(|n| {
        let (store, share) = (store.clone(), share("c1", &format!("t{n}"), ends(n)));
        async move { store.add_share(&share, NOW_MS).await.unwrap() }
    });
    let added = futures_util::future::join_all(adding).await;
    assert_eq!(added.into_iter().filter(|is_added| *is_added).count(), CART_SHARES_MAX);
    assert!(store.add_share(&share("c2", "other", None), NOW_MS).await.unwrap(), "another cart has its own");
}

pub async fn what_has_ended_makes_room(subject: Subject) {
    let store = &subject.store;
    for n in 0..CART_SHARES_MAX {
        assert!(store.add_share(&share("c1", &format!("t{n}"), Some(NOW_MS + 10)), NOW_MS).await.unwrap());
    }
    assert!(!store.add_share(&share("c1", "late", None), NOW_MS + 9).await.unwrap());
    assert!(store.add_share(&share("c1", "late", None), NOW_MS + 10).await.unwrap());
}
