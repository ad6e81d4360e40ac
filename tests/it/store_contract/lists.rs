//! Wish lists.

use cart_core::{Properties, Sku};
use web::{
    lists::{ListChange, WishItem, WishList},
    store::StoreError,
};

use super::subject::{Subject, visitor};

fn list(owner: &str, name: &str) -> WishList {
    WishList::new(visitor(owner), name).unwrap()
}

async fn names(subject: &Subject, owner: &str) -> Vec<String> {
    let lists = subject.store.lists_of(&visitor(owner)).await.unwrap();
    lists.into_iter().map(|list| list.name).collect()
}

pub async fn a_list_is_written_over_its_version_before_only(subject: Subject) {
    let mut list = list("ann", "Birthday");
    assert!(subject.store.put_list(&list, 2).await.unwrap());
    assert_eq!(subject.store.list(&list.id).await.unwrap().as_ref(), Some(&list));
    let again = subject.store.put_list(&list, 2).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "a new list is new: {again:?}");
    let item = WishItem::new(Sku::parse("MUG").unwrap(), Properties::default(), 2, "blue").unwrap();
    list.change(ListChange::Put(item)).unwrap();
    list.change(ListChange::Share(Some("digest".into()))).unwrap();
    let skipped = subject.store.put_list(&list, 2).await;
    assert!(matches!(skipped, Err(StoreError::Conflict(_))), "two versions at once: {skipped:?}");
    list.version = 2;
    assert!(subject.store.put_list(&list, 2).await.unwrap());
    assert_eq!(subject.store.shared_list("digest").await.unwrap(), Some(list.clone()));
    assert_eq!(subject.store.shared_list("other").await.unwrap(), None);
    let foreign = WishList { owner: visitor("eve"), version: 3, ..list.clone() };
    assert!(subject.store.put_list(&foreign, 2).await.is_err(), "nobody writes another's list");
    list.change(ListChange::Share(None)).unwrap();
    assert!(subject.store.put_list(&list, 2).await.unwrap());
    assert_eq!(subject.store.shared_list("digest").await.unwrap(), None);
}

pub async fn lists_are_limited_listed_and_deleted_by_owner(subject: Subject) {
    let (first, second) = (list("ann", "Z"), list("ann", "A"));
    for list in [&first, &second, &list("bob", "B")] {
        assert!(subject.store.put_list(list, 2).await.unwrap());
    }
    assert!(!subject.store.put_list(&list("ann", "C"), 2).await.unwrap());
    assert_eq!(names(&subject, "ann").await, ["Z", "A"], "in the order in which they were opened");
    assert!(!subject.store.delete_list(&visitor("bob"), &first.id).await.unwrap());
    assert!(subject.store.delete_list(&visitor("ann"), &first.id).await.unwrap());
    assert!(!subject.store.delete_list(&visitor("ann"), &first.id).await.unwrap());
    assert_eq!(
        (names(&subject, "ann").await, names(&subject, "bob").await),
        (vec!["A".into()], vec!["B".into()])
    );
}

pub async fn lists_of_two_devices_at_once_stay_within_the_limit(subject: Subject) {
    let tasks = (0..8).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move { store.put_list(&list("ann", &n.to_string()), 3).await.unwrap() })
    });
    let mut written = 0;
    for task in tasks.collect::<Vec<_>>() {
        written += usize::from(task.await.unwrap());
    }
    assert_eq!((written, names(&subject, "ann").await.len()), (3, 3));
}

pub async fn all_lists_of_an_owner_become_anothers(subject: Subject) {
    let mut kept = list("ann", "Guest's");
    subject.store.put_list(&kept, 1).await.unwrap();
    subject.store.put_list(&list("user", "User's"), 1).await.unwrap();
    assert_eq!(subject.store.move_lists(&visitor("ann"), &visitor("user")).await.unwrap(), 1);
    assert_eq!(subject.store.move_lists(&visitor("ann"), &visitor("user")).await.unwrap(), 0);
    assert_eq!(
        names(&subject, "user").await,
        ["Guest's", "User's"],
        "more than may be opened, and none lost"
    );
    assert_eq!(names(&subject, "ann").await, [""; 0]);
    // Whoever read it before writes over nothing.
    kept.change(ListChange::Rename("Mine".into())).unwrap();
    assert!(subject.store.put_list(&kept, 9).await.is_err());
    let moved = subject.store.list(&kept.id).await.unwrap().unwrap();
    assert_eq!((moved.owner, moved.version), (visitor("user"), 2));
}
