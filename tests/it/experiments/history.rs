//! What stands in the history of an experiment, and what was learned.

use super::*;

on_each_store!(what_was_learned_is_found_again, every_change_stands_in_the_history_with_who_and_why,);

async fn what_was_learned_is_found_again(store: Store) {
    let (_app, admin) = start(store).await;
    let path = format!("/admin/experiments/{KEY}");
    let page = admin.get(&path).await;
    assert!(!page.html.contains("/learned\""), "nothing is learned before the end");
    press(&admin, "stop").await;
    let page = admin.get(&path).await;
    let lesson = "Whoever pays by <i>card</i> minds the zebra.\r\nThe others do not.";
    let page = admin.submit(&page, &format!("{path}/learned"), &[("learned", lesson)]).await;
    assert!(page.html.contains("What was learned is saved"), "{}", page.html);
    let page = admin.submit(&page, &format!("{path}/learned"), &[("learned", &"x".repeat(4_001))]).await;
    assert_eq!(page.status, 422);
    assert!(page.html.contains("Learned has 4001 bytes, the most allowed is 4000"), "{}", page.html);
    press(&admin, "archive").await;
    let found = async |query: &str| {
        let page = admin.get(&format!("/admin{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        page.html.contains("zebra.\nThe others do not.")
    };
    assert!(!found("").await, "it has left the list");
    for query in
        ["?q=ZEBRA+card", "?status=archived", "?owner=ada&status=any", "?flag=checkout_workflow&q=lets+more"]
    {
        assert!(found(query).await, "{query}");
    }
    for query in ["?q=zebra+lion", "?q=zebra&status=running", "?owner=bob", "?q=%00%F0%9F%98%80"] {
        assert!(!found(query).await, "{query}");
    }
    assert_eq!(admin.get("/admin?status=asleep").await.status, 400);
}

async fn every_change_stands_in_the_history_with_who_and_why(store: Store) {
    let (_app, admin) = start(store).await;
    let path = format!("/admin/experiments/{KEY}");
    let form = admin.get(&format!("{path}/edit")).await;
    let changed = [("name", "Express <b>checkout</b>"), ("coverage_percent", "100")];
    let page = admin.submit(&form, &path, &changed).await;
    assert_eq!(page.status, 422, "a started experiment does not change without a reason");
    assert!(page.html.contains("href=\"#reason\""), "{}", page.html);
    let page = admin.submit(&page, &path, &[("reason", "The old name was \"wrong\".")]).await;
    assert_eq!(page.status, 200, "{}", page.html);
    press(&admin, "pause").await;
    let page = admin.get(&path).await;
    let history = page.html.split("id=\"history\"").nth(1).unwrap();
    let entries: Vec<&str> = history.split("<p><strong>").skip(1).collect();
    let heads: Vec<&str> = entries.iter().map(|entry| entry.split('<').next().unwrap()).collect();
    assert_eq!(heads, ["Paused", "Changed", "Started", "Created, draft"]);
    assert!(entries.iter().all(|entry| entry.contains("by ada, <time")), "{history}");
    assert!(entries[0].contains("the test wants it"));
    let change = admin::unescape(entries[1]);
    assert!(change.contains("The old name was \"wrong\".") && change.contains("Name: "), "{change}");
    assert!(
        change.contains(">Express checkout<") && change.contains(">Express <b>checkout</b><"),
        "{change}"
    );
}
