//! The pages on which the shop's people issue and stop gift cards and give credit.

use harness::{Admin, Answer, Store, TestApp, admin};
use reqwest::Client;
use serde_json::json;

on_each_store!(gift_cards_are_issued_found_and_stopped_on_pages, credit_is_given_on_a_page);

async fn gift_cards_are_issued_found_and_stopped_on_pages(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let admin = Admin::sign_in(&app).await;
    let list = admin.get("/admin/gift-cards").await;
    assert!(list.html.contains("No gift cards"), "{}", list.html);
    for (amount, last_day, words) in [
        ("12,50", "", "is not a decimal number"),
        ("0", "", "The amount must be 1 to"),
        ("5.00", "31.12.2027", "is no day"),
    ] {
        let filled = [("amount", amount), ("last_day", last_day), ("note", "for Ada")];
        let refused = admin.submit(&list, "/admin/gift-cards", &filled).await;
        assert!(refused.status >= 400 && refused.html.contains(words), "{} {}", refused.status, refused.html);
        assert!(refused.html.contains("value=\"for Ada\""), "what was typed stays");
    }
    let filled = [("amount", "25.00"), ("last_day", "2100-12-31"), ("note", "for <b>Ada</b>")];
    let issued = admin.submit(&list, "/admin/gift-cards", &filled).await;
    assert_eq!(issued.status, 201, "{}", issued.html);
    let code = issued.html.split("<pre><code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(issued.html.contains("£25.00") && issued.html.contains("for &lt;b&gt;Ada"), "{}", issued.html);
    // The same form once more issues nothing more.
    let again = admin.submit(&list, "/admin/gift-cards", &filled).await;
    assert_eq!((again.status, again.html.matches("£25.00").count()), (201, 1), "{}", again.html);

    let shopper = app.open_cart().await;
    shopper.add("MUG", 1).await.accepted();
    let redeem = json!({"type": "redeem_code", "code": code});
    shopper.command(&redeem).await.accepted();
    assert_eq!(shopper.check_out("tok_success").await.status, 200);
    let last4 = &code[code.len() - 4..];
    let found = admin.get(&format!("/admin/gift-cards?last4={}", last4.to_lowercase())).await;
    let id =
        found.html.split("href=\"/admin/gift-cards/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let none = admin.get("/admin/gift-cards?last4=0000").await;
    assert!(!none.html.contains(&id), "{}", none.html);
    let path = format!("/admin/gift-cards/{id}");
    let card = admin.get(&path).await;
    for text in ["−£12.50", "+£25.00", "Paid for order", "£12.50"] {
        assert!(card.html.contains(text), "{text}: {}", card.html);
    }
    let stopped = admin.submit(&card, &format!("{path}/disable"), &[]).await;
    assert!(stopped.html.contains("The card is stopped") && stopped.html.contains("Let it pay again"));
    app.open_cart().await.command(&redeem).await.assert_problem(422, "gift-card-disabled");
    let pays = admin.submit(&stopped, &format!("{path}/enable"), &[]).await;
    assert!(pays.html.contains("The card pays again"), "{}", pays.html);
    app.open_cart().await.command(&redeem).await.accepted();
    assert_eq!(admin.get("/admin/gift-cards/none").await.status, 404);
    let stranger = Admin::stranger(&app).get("/admin/gift-cards").await;
    assert_eq!(stranger.path, "/admin/login");
    let forged =
        Client::new().post(app.url(&format!("{path}/disable"))).form(&[("x", "y")]).send().await.unwrap();
    assert!(forged.url().path().starts_with("/admin/login"), "{}", forged.url());
}

async fn credit_is_given_on_a_page(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let sign_up = json!({"email": "ada@example.org", "password": "four words nobody knows"});
    let user = Answer::to(Client::new().post(app.url("/api/v1/users")).json(&sign_up)).await.unwrap();
    assert_eq!(user.status, 201, "{}", user.body);
    let shopper = app.open_cart_as(user.body["visitor_token"].as_str().unwrap()).await;
    shopper.add("MUG", 1).await.accepted();
    let order = shopper.check_out("tok_success").await.body["order"]["id"].as_str().unwrap().to_owned();

    let admin = Admin::sign_in(&app).await;
    let nobody = admin.get("/admin/customers?q=eve%40example.org").await;
    assert!(nobody.html.contains("Nobody found"), "{}", nobody.html);
    let page = admin.get("/admin/customers?q=Ada%40Example.org").await;
    assert!(page.path.starts_with("/admin/customers/") && page.html.contains("£0.00"), "{}", page.html);
    assert_eq!(
        admin.get(&format!("/admin/customers?q={order}")).await.path,
        page.path,
        "by an order of theirs"
    );
    let filled = [("amount", "5.00"), ("reference", "ticket-4711")];
    let refused = admin.submit(&page, &page.path, &[("amount", "lots"), ("reference", "x")]).await;
    assert!(refused.status >= 400 && refused.html.contains("value=\"lots\""), "{}", refused.html);
    for _ in 0..2 {
        let given = admin.submit(&page, &page.path, &filled).await;
        assert_eq!((given.status, given.html.matches("+£5.00").count()), (200, 1), "{}", given.html);
        assert!(given.html.contains("ticket-4711") && given.html.contains("<dd>£5.00</dd>"));
    }
    let cart = app.open_cart_as(shopper.token()).await;
    cart.add("MUG", 1).await.accepted();
    let used = cart.command(&json!({"type": "use_store_credit", "on": true})).await.accepted();
    assert_eq!(used["totals"]["store_credit_minor"], 500);
}
