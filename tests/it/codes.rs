//! One field for discount codes, gift cards and credit: in the API, in the cart and in the checkout, without scripts.

use harness::{
    Answer, Store, TestApp, admin,
    shopper::{Shopper, complete_step},
};
use reqwest::{Client, Method, Response, redirect::Policy};
use serde_json::{Value, json};

use crate::ledger;

on_each_store!(
    one_command_takes_whatever_was_typed,
    the_cart_takes_codes_and_says_at_the_field_what_is_wrong,
    a_checkout_keeps_what_was_filled_in_and_asks_nobody_for_nothing,
    a_user_pays_with_their_credit,
    a_code_whose_promotion_is_gone_is_shown_as_such,
);

in_other_workflows!(
    one_command_takes_whatever_was_typed,
    the_cart_takes_codes_and_says_at_the_field_what_is_wrong,
    a_user_pays_with_their_credit,
);

const CARD: &str = "abcd-efgh-2345-6789";

fn redeem(code: &str) -> Value {
    json!({"type": "redeem_code", "code": code})
}

async fn one_command_takes_whatever_was_typed(store: Store) {
    let app = ledger::shop(store).await;
    let shopper = app.open_cart().await;
    shopper.add("SONG", 1).await.accepted();
    let cart = shopper.command(&redeem(" first10 ")).await.accepted();
    assert_eq!((&cart["codes"], cart.get("gift_cards")), (&json!(["FIRST10"]), None));
    let cart = shopper.command(&redeem(CARD)).await.accepted();
    assert_eq!((&cart["gift_cards"][0]["last4"], &cart["totals"]["due_minor"]), (&json!("6789"), &json!(0)));
    assert_eq!(shopper.command(&redeem(CARD)).await.accepted()["version"], cart["version"], "once is enough");
    for (code, problem) in [
        ("WINTER", "unknown-code"),
        ("50 % off!", "unknown-code"),
        ("", "unknown-code"),
        ("ABCD-EFGH-2345-6788", "unknown-gift-card"),
        ("ABCD EFGH 2345 6788", "unknown-gift-card"),
        ("EUROEUROEUROEURO", "gift-card-currency"),
    ] {
        shopper.command(&redeem(code)).await.assert_problem(422, problem);
    }
    // Each way to travel says what it would leave to pay.
    shopper.add("MUG", 9).await.accepted();
    let cart = shopper.cart().await;
    let offers = cart["shipping"]["offered"].as_array().unwrap();
    let express = offers.iter().find(|offer| offer["method"] == "express").unwrap();
    let number = |name: &str| express[name].as_i64().unwrap();
    assert_eq!(number("gift_cards_minor"), 10_500, "{express}");
    assert_eq!(number("due_minor"), number("total_minor") - 10_500);
    assert_eq!(number("total_minor"), cart["totals"]["total_minor"].as_i64().unwrap() + 495);
}

async fn post(app: &TestApp, token: &str, path: &str, form: &[(&str, &str)]) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let request = client.post(app.url(path)).header("cookie", format!("cartwright_visitor={token}"));
    request.form(form).send().await.unwrap()
}

/// Sends a form and reads the page that answers it.
pub(crate) async fn shown(app: &TestApp, token: &str, path: &str, form: &[(&str, &str)]) -> (u16, String) {
    let answer = post(app, token, path, form).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn the_cart_takes_codes_and_says_at_the_field_what_is_wrong(store: Store) {
    let app = ledger::shop(store).await;
    let shopper = app.open_cart().await;
    shopper.add("SONG", 1).await.accepted();
    for (code, sentence) in [
        ("WINTER", "WINTER is no code of this shop."),
        ("", "Type the code of your gift card or discount."),
        ("OLDOLDOLDOLDOLD1", "The gift card ending in OLD1 has expired; pay by other means."),
        ("\"><script>", "is not a code;"),
    ] {
        let (status, page) = shown(&app, shopper.token(), "/cart/codes", &[("code", code)]).await;
        assert_eq!(status, 422, "{code}");
        let field = page.split("id=\"cart-code\"").nth(1).unwrap().split('>').next().unwrap();
        assert!(field.contains("aria-invalid=\"true\""), "{field}");
        let error = page.split("id=\"cart-code-error\"").nth(1).unwrap().split("</p>").next().unwrap();
        assert!(error.contains(sentence), "{error}");
        assert!(!page.contains("<script>") && (code.is_empty() || !field.contains("value=\"\"")), "{field}");
    }
    for form in [[("code", "first10")], [("code", CARD)]] {
        assert_eq!(post(&app, shopper.token(), "/cart/codes", &form).await.status(), 303);
    }
    let page = app.page(&shopper, "/cart").await;
    for text in ["Code <b>FIRST10</b>", "Gift card <b>…6789</b>", "The first ten", "−£9.00"] {
        assert!(page.contains(text), "{text}");
    }
    let card = shopper.cart().await["gift_cards"][0]["id"].as_str().unwrap().to_owned();
    for form in [[("remove_code", "FIRST10")], [("remove_card", &card)]] {
        assert_eq!(post(&app, shopper.token(), "/cart/codes", &form).await.status(), 303);
    }
    let cart = shopper.cart().await;
    assert_eq!((&cart["codes"], cart.get("gift_cards")), (&json!([]), None));
}

/// A cart of songs at the last step of its checkout.
async fn at_the_last_step(shopper: &Shopper) -> String {
    let mut cart = shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    loop {
        let step = cart["next_step"].as_str().unwrap().to_owned();
        if ["payment", "review"].contains(&step.as_str()) {
            return step;
        }
        cart = shopper.command(&complete_step(&step)).await.accepted();
    }
}

async fn a_checkout_keeps_what_was_filled_in_and_asks_nobody_for_nothing(store: Store) {
    let app = ledger::shop(store).await;
    let shopper = app.open_cart().await;
    let token = shopper.token();
    shopper.add("SONG", 1).await.accepted();
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    let typed = |code| [("step", "address"), ("email", "half@"), ("country", "GB"), ("code", code)];
    let (status, page) = shown(&app, token, "/checkout/codes", &typed("WINTER")).await;
    assert_eq!(status, 422);
    assert!(page.contains("value=\"half@\"") && page.contains("WINTER is no code of this shop."));
    let (status, page) = shown(&app, token, "/checkout/codes", &typed("FIRST10")).await;
    assert_eq!(status, 200);
    assert!(page.contains("value=\"half@\"") && page.contains("Code <b>FIRST10</b>"));
    assert!(!page.contains("Email must"), "nobody complains of what was not sent yet");

    // A code that was typed and not applied is not lost: on the way it is taken along.
    let going_on = [("email", "ada@example.org"), ("country", "GB"), ("code", CARD)];
    assert_eq!(post(&app, token, "/checkout/address", &going_on).await.status(), 303);
    assert_eq!(shopper.cart().await["totals"]["due_minor"], 0);
    let step = at_the_last_step(&shopper).await;
    let page = app.page(&shopper, &format!("/checkout/{step}")).await;
    assert!(page.contains("<p class=\"nothing-due\" data-nothing-due>"), "no card is asked for");
    assert!(page.contains("<div data-cards hidden>") && page.contains("\"step\" value=\"payment\""));
    shopper.command(&complete_step("payment")).await.accepted();

    // At the end, it is shown before anything is paid.
    let (status, page) = shown(&app, token, "/checkout/order", &[("code", "WELCOME")]).await;
    assert_eq!((status, page.contains("Your code is applied.")), (200, true));
    let (status, page) = shown(&app, token, "/checkout/order", &[("code", "WINTER")]).await;
    assert_eq!((status, page.contains("WINTER is no code of this shop.")), (422, true));
    assert_eq!(shopper.cart().await["status"], "checkout");
    let placed = post(&app, token, "/checkout/order", &[]).await;
    let order = placed.headers()["location"].to_str().unwrap().to_owned();
    assert!(order.starts_with("/orders/"), "{order}");
    let page = app.page(&shopper, &order).await;
    assert!(page.contains("Gift card …6789") && page.contains("−£7.20"), "{page}");
}

async fn a_user_pays_with_their_credit(store: Store) {
    let app = ledger::shop(store).await;
    let guest = app.open_cart().await;
    guest.add("SONG", 1).await.accepted();
    let sign_up = json!({"email": "ada@example.org", "password": "four words nobody knows"});
    let request = Client::new().post(app.url("/api/v1/users")).bearer_auth(guest.token()).json(&sign_up);
    let user = Answer::to(request).await.unwrap();
    assert_eq!(user.status, 201, "{}", user.body);
    let shopper = guest.impostor(user.body["visitor_token"].as_str().unwrap());
    assert!(!app.page(&shopper, "/cart").await.contains("credit with us"), "there is none");
    let now: Value = serde_json::from_str(&app.page(&shopper, "/cart/where").await).unwrap();
    let id = now["visitor"].as_str().unwrap();
    let gift = json!({"amount_minor": 700, "currency": "GBP", "reference": "sorry"});
    let path = format!("/customers/{id}/credit");
    let given = admin::api(&app, Method::POST.as_str(), &path, Some(&gift)).await;
    assert_eq!((given.status, &given.body["balance_minor"]), (200, &json!(700)));
    let page = app.page(&shopper, "/cart").await;
    assert!(page.contains("You have <b>£7.00</b> credit with us."), "{page}");
    let token = shopper.token();
    assert_eq!(post(&app, token, "/cart/codes", &[("credit", "1")]).await.status(), 303);
    let page = app.page(&shopper, "/cart").await;
    assert!(page.contains("−£7.00") && page.contains("£3.00"), "{page}");
    assert_eq!(post(&app, token, "/cart/codes", &[("credit", "0")]).await.status(), 303);
    assert_eq!(shopper.cart().await.get("uses_store_credit"), None);
    // The account says what moved it; what the shop noted of it is the shop's.
    shopper.command(&json!({"type": "use_store_credit", "on": true})).await.accepted();
    at_the_last_step(&shopper).await;
    shopper.command(&complete_step("payment")).await.accepted();
    shopper.command(&complete_step("review")).await;
    let placed = shopper.place_order("tok_success").await;
    assert_eq!(placed.status, 200, "{}", placed.body);
    let page = app.page(&shopper, "/account").await;
    for text in ["<b class=\"price\">£0.00</b> credit", "−£7.00", "+£7.00", "Paid for order"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("sorry"));
}

async fn a_code_whose_promotion_is_gone_is_shown_as_such(store: Store) {
    let app = ledger::shop(store).await;
    let shopper = app.open_cart().await;
    shopper.add("SONG", 1).await.accepted();
    let cart = shopper.command(&redeem("FIRST10")).await.accepted();
    assert_eq!((&cart["totals"]["discount_minor"], cart.get("unknown_codes")), (&json!(100), None));
    assert!(!app.page(&shopper, "/cart").await.contains("No longer valid"));
    let share = async |editable: bool| {
        let made = shopper.request("POST", "/shares", Some(json!({"editable": editable}))).await;
        format!("/api/v1/shared-carts/{}", made.body["token"].as_str().unwrap())
    };
    let (seen, changed) = (share(false).await, share(true).await);

    let file = app.write_file("none.json", "[]");
    app.run(&["import", "promotions", &file]).await;
    let mut cart = shopper.cart().await;
    for _ in 0..200 {
        if cart["totals"]["discount_minor"] == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        cart = shopper.cart().await;
    }
    assert_eq!(
        (&cart["codes"], &cart["unknown_codes"]),
        (&json!(["FIRST10"]), &json!(["FIRST10"])),
        "{cart}"
    );
    let page = app.page(&shopper, "/cart").await;
    assert!(page.contains("No longer valid: code <b>FIRST10</b>"), "{page}");
    // Codes are for those who may change them.
    for (link, unknown) in [(seen, Value::Null), (changed, json!(["FIRST10"]))] {
        let shared = app.call(Method::GET, &link, None, None).await;
        assert_eq!(
            (shared.status, &shared.body["cart"]["unknown_codes"]),
            (200, &unknown),
            "{}",
            shared.body
        );
    }
    let cart = shopper.command(&json!({"type": "remove_code", "code": "FIRST10"})).await.accepted();
    assert_eq!((&cart["codes"], cart.get("unknown_codes")), (&json!([]), None));
}
