//! The workflow that begins with an e-mail address and asks nobody for an account.

use harness::{Answer, shopper::complete_step};
use reqwest::{Client, redirect::Policy};

use super::*;

on_each_store!(
    the_address_of_a_guest_comes_first_and_is_asked_for_once,
    a_guest_buys_without_scripts_and_is_offered_an_account,
);

async fn the_address_of_a_guest_comes_first_and_is_asked_for_once(store: Store) {
    let (app, _admin) = start_all(store).await;
    let shopper = open_cart_in(&app, "guest-first").await;
    shopper.add("MUG", 1).await.accepted();
    let cart = shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    assert_eq!(cart["next_step"], "contact");
    let step =
        |step: &str, details: Value| json!({"type": "complete_step", "step": step, "details": details});
    let mut address = complete_step("address");
    address["details"].as_object_mut().unwrap().remove("email");
    shopper.command(&address).await.assert_problem(409, "step-out-of-order");
    for details in [json!({}), json!({"email": "ada"})] {
        let refused = shopper.command(&step("contact", details)).await;
        assert_eq!((refused.status, refused.problem()), (422, "invalid-details"));
        assert_eq!(refused.body["fields"][0]["field"], "email", "{}", refused.body);
    }
    shopper.command(&step("contact", json!({"email": "ada@example.org"}))).await.accepted();
    let cart = shopper.command(&address).await.accepted();
    assert_eq!(cart["next_step"], "shipping", "who is known is not asked again");
    let cart = shopper.command(&step("contact", json!({"email": "eve@example.org"}))).await.accepted();
    assert_eq!(cart["next_step"], "shipping", "a correction goes no step back");
    shopper.command(&complete_step("shipping")).await.accepted();
    shopper.command(&complete_step("payment")).await.accepted();
    let answer = shopper.place_order("tok_success").await;
    let order = answer.accepted()["order_id"].as_str().unwrap().to_owned();
    let page = shown(&app, &shopper, &format!("/orders/{order}")).await;
    assert!(page.contains("eve@example.org") && !page.contains("ada@example.org"), "{page}");

    // Where no step before the address asks for it, the address does.
    let classic = open_cart_in(&app, "classic").await;
    classic.add("MUG", 1).await.accepted();
    classic.command(&json!({"type": "start_checkout"})).await.accepted();
    let refused = classic.command(&address).await;
    assert_eq!((refused.status, refused.problem()), (422, "invalid-details"));
    assert_eq!(refused.body["fields"], json!([{"field": "email", "message": "is needed"}]));
    classic
        .command(&step("contact", json!({"email": "ada@example.org"})))
        .await
        .assert_problem(409, "step-out-of-order");
}

/// Sends the form of a page as a browser without scripts does; returns the status, where it leads and the page.
async fn send(
    app: &TestApp,
    shopper: &Shopper,
    path: &str,
    fields: &[(&str, &str)],
) -> (u16, String, String) {
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let answer = http.post(app.url(path)).bearer_auth(shopper.token()).form(fields).send().await.unwrap();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (answer.status().as_u16(), to.unwrap_or_default(), answer.text().await.unwrap())
}

async fn shown(app: &TestApp, shopper: &Shopper, path: &str) -> String {
    let answer = Client::new().get(app.url(path)).bearer_auth(shopper.token()).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

async fn a_guest_buys_without_scripts_and_is_offered_an_account(store: Store) {
    let (app, _admin) = start_all(store).await;
    let shopper = open_cart_in(&app, "guest-first").await;
    shopper.add("MUG", 1).await.accepted();
    let (status, to, _) = send(&app, &shopper, "/checkout/start", &[]).await;
    assert_eq!((status, &*to), (303, "/checkout/contact"));
    let page = shown(&app, &shopper, &to).await;
    assert!(page.contains("Continue as a guest") && page.contains("name=\"email\""), "{page}");
    assert!(
        page.contains("<a href=\"/login?next=/checkout\">") && !page.contains("name=\"street\""),
        "{page}"
    );
    // What comes later is not reached past it.
    assert!(shown(&app, &shopper, "/checkout/payment").await.contains("Continue as a guest"));
    let (status, _, page) = send(&app, &shopper, "/checkout/contact", &[("email", "ada")]).await;
    assert_eq!(status, 422);
    assert!(
        page.contains("Email must look like name@example.org") && page.contains("value=\"ada\""),
        "{page}"
    );

    let ada = ("email", "ada@example.org");
    let (status, to, _) = send(&app, &shopper, "/checkout/contact", &[ada]).await;
    assert_eq!((status, &*to), (303, "/checkout/address"));
    let page = shown(&app, &shopper, &to).await;
    assert!(page.contains("name=\"street\"") && !page.contains("name=\"email\""), "{page}");
    let address = [
        ("name", "Ada Byron"),
        ("street", "12 St James's Square"),
        ("city", "London"),
        ("postcode", "SW1Y 4JH"),
        ("country", "GB"),
    ];
    let (status, to, _) = send(&app, &shopper, "/checkout/address", &address).await;
    assert_eq!((status, &*to), (303, "/checkout/shipping"));
    let (status, to, _) = send(&app, &shopper, "/checkout/shipping", &[("method", "standard")]).await;
    assert_eq!((status, &*to), (303, "/checkout/payment"));
    let page = shown(&app, &shopper, &to).await;
    assert!(page.contains("action=\"/checkout/order\"") && page.contains("Pay £12.50"), "{page}");
    let (status, to, _) = send(&app, &shopper, "/checkout/order", &[("payment_token", "tok_success")]).await;
    assert!(status == 303 && to.starts_with("/orders/"), "{status} {to}");

    let page = shown(&app, &shopper, &to).await;
    let offer = format!("/register?order={}", to.trim_start_matches("/orders/"));
    assert!(page.contains("Thank you") && page.contains(&format!("<a href=\"{offer}\">")), "{page}");
    assert!(page.contains("Make an account with ada@example.org"), "{page}");
    assert!(shown(&app, &shopper, &offer).await.contains("value=\"ada@example.org\""));
    let stranger = app.open_cart().await;
    assert!(
        !shown(&app, &stranger, &offer).await.contains("ada@example.org"),
        "an order's number tells no address"
    );

    // Who bought in another workflow is offered none.
    let classic = open_cart_in(&app, "classic").await;
    classic.add("MUG", 1).await.accepted();
    let answer: Answer = classic.check_out("tok_success").await;
    let order = answer.accepted()["order_id"].as_str().unwrap().to_owned();
    assert!(!shown(&app, &classic, &format!("/orders/{order}")).await.contains("/register?order="));
}
