//! What is counted: uses of promotions and codes, however many carts want the last one at once.

use harness::{
    Answer, Store, TestApp, admin,
    shopper::{Shopper, complete_step},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_each_store!(
    a_code_for_ten_orders_reduces_ten_of_a_hundred,
    a_code_of_its_own_is_used_once_and_a_promotion_once_a_customer,
    gift_cards_pay_to_the_last_penny_and_never_more,
    what_paid_last_is_given_back_first,
    codes_are_not_for_guessing,
    credit_pays_what_cards_leave,
    a_customer_buys_no_more_pieces_than_they_may,
    the_shops_people_issue_cards_and_give_credit,
);

in_other_workflows!(
    a_code_of_its_own_is_used_once_and_a_promotion_once_a_customer,
    what_paid_last_is_given_back_first,
    credit_pays_what_cards_leave,
    a_customer_buys_no_more_pieces_than_they_may,
);

const PROMOTIONS: &str = r#"[
    {"id": "ten", "name": "The first ten", "codes": ["FIRST10"], "limits": {"total": 10},
     "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}},
    {"id": "mailing", "name": "Mailing", "codes": ["MAIL-A", "MAIL-B"], "limits": {"per_code": 1},
     "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 500}},
    {"id": "welcome", "name": "Welcome", "codes": ["WELCOME"], "limits": {"per_customer": 1},
     "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 2000}}
]"#;

const PRODUCTS: &str = "sku,name,price_minor,currency,stock,digital,customer_quantity\n\
    SONG,Song,1000,GBP,,yes,\n\
    PASS,Pass,2000,GBP,,yes,2\n";

/// Codes of cards, and what is on them; imported twice, as a careful operator would.
const CARDS: &str = "code,currency,amount,expires_at\nABCD-EFGH-2345-6789,GBP,105.00,\nWXYZWXYZWXYZWXYZ,GBP,4.00,2100-01-01\nEUROEUROEUROEURO,EUR,100,\nOLDOLDOLDOLDOLD1,GBP,10,2001-01-01\n";

/// Starts a shop with songs, promotions and gift cards.
pub async fn shop(store: Store) -> TestApp {
    let app = TestApp::start_with(store, admin::setup()).await;
    for (what, name, text) in [
        ("products", "song.csv", PRODUCTS),
        ("promotions", "promotions.json", PROMOTIONS),
        ("gift-cards", "cards.csv", CARDS),
        ("gift-cards", "cards.csv", CARDS),
    ] {
        let file = app.write_file(name, text);
        app.run(&["import", what, &file]).await;
    }
    let shopper = app.open_cart().await;
    eventually(&shopper, "FIRST10").await;
    app
}

/// Waits until the server has taken up the products and the promotions.
async fn eventually(shopper: &Shopper, code: &str) {
    for _ in 0..200 {
        let typed = shopper.command(&apply(code)).await.status;
        if typed == 200 && shopper.add("SONG", 1).await.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("what was imported is not taken up");
}

fn apply(code: &str) -> Value {
    json!({"type": "apply_code", "code": code})
}

/// A cart with a song and a code, all steps done.
async fn ready(app: &TestApp, code: &str) -> Shopper {
    let shopper = app.open_cart().await;
    fill(&shopper, code).await;
    shopper
}

async fn fill(shopper: &Shopper, code: &str) {
    shopper.add("SONG", 1).await.accepted();
    shopper.command(&apply(code)).await.accepted();
    let mut cart = shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    while let Some(step) = cart["next_step"].as_str() {
        // Songs travel by wire.
        let command = match step {
            "shipping" => json!({"type": "complete_step", "step": "shipping"}),
            other => complete_step(other),
        };
        cart = shopper.command(&command).await.accepted();
    }
}

/// Places the orders of all at once; returns the totals of the orders, and those that were refused.
async fn rush(shoppers: Vec<Shopper>) -> (Vec<i64>, Vec<Shopper>) {
    let mut placing = JoinSet::new();
    for shopper in shoppers {
        placing.spawn(async move { (shopper.place_order("tok_success").await, shopper) });
    }
    let (mut totals, mut refused) = (vec![], vec![]);
    for (answer, shopper) in placing.join_all().await {
        if answer.status == 200 {
            totals.push(answer.body["order"]["total_minor"].as_i64().unwrap());
        } else {
            answer.assert_problem(409, "promotion-used-up");
            refused.push(shopper);
        }
    }
    (totals, refused)
}

async fn a_code_for_ten_orders_reduces_ten_of_a_hundred(store: Store) {
    let app = shop(store).await;
    let twin = match store {
        Store::Postgres => Some(app.twin().await),
        Store::Sqlite => None,
    };
    if let Some(twin) = &twin {
        eventually(&twin.open_cart().await, "FIRST10").await;
    }
    let mut shoppers = vec![];
    for n in 0..100 {
        let shopper = ready(&app, "FIRST10").await;
        let here =
            if n % 2 == 0 { app.address() } else { twin.as_ref().map_or(app.address(), TestApp::address) };
        shoppers.push(shopper.on(here));
    }
    assert_eq!(shoppers[0].cart().await["totals"]["total_minor"], 900);
    let (totals, refused) = rush(shoppers).await;
    assert_eq!((totals, refused.len()), (vec![900; 10], 90));

    // Whoever was refused sees why, and what it comes to without; nobody is charged that unasked.
    let cart = refused[0].cart().await;
    assert_eq!((&cart["totals"]["total_minor"], &cart["status"]), (&json!(1_000), &json!("checkout")));
    assert_eq!(
        (&cart["promotions"][0]["reason"], &cart["promotions"][0]["detail"]),
        (&json!("used_up"), &json!("The first ten: was used as often as it may be")),
    );
    let (totals, refused) = rush(refused).await;
    assert_eq!((totals, refused.len()), (vec![1_000; 90], 0));
    // A cart that comes later is told at once.
    let late = app.open_cart().await;
    late.add("SONG", 1).await.accepted();
    let cart = late.command(&apply("first10")).await.accepted();
    assert_eq!(
        (&cart["totals"]["discount_minor"], &cart["promotions"][0]["reason"]),
        (&json!(0), &json!("used_up"))
    );
    app.run(&["check"]).await;
}

async fn a_code_of_its_own_is_used_once_and_a_promotion_once_a_customer(store: Store) {
    let app = shop(store).await;
    let (totals, refused) = rush(vec![ready(&app, "MAIL-A").await, ready(&app, "MAIL-A").await]).await;
    assert_eq!((totals, refused.len()), (vec![950], 1));
    refused[0].command(&json!({"type": "remove_code", "code": "MAIL-A"})).await.accepted();
    let cart = refused[0].command(&apply("MAIL-B")).await.accepted();
    assert_eq!(cart["totals"]["total_minor"], 950);
    assert_eq!(rush(refused).await.0, [950]);

    let ann = ready(&app, "WELCOME").await;
    let mut carts = vec![ann.clone()];
    for _ in 0..3 {
        let again = Shopper::open_cart(app.address(), ann.token()).await;
        fill(&again, "WELCOME").await;
        carts.push(again);
    }
    let (totals, refused) = rush(carts).await;
    assert_eq!((totals, refused.len()), (vec![800], 3));
    let bob = ready(&app, "WELCOME").await;
    assert_eq!(rush(vec![bob]).await.0, [800]);
    app.run(&["check"]).await;
}

fn apply_card(code: &str) -> Value {
    json!({"type": "apply_gift_card", "code": code})
}

/// A cart with a song and a gift card, all steps done.
async fn with_card(app: &TestApp, code: &str) -> Shopper {
    let shopper = app.open_cart().await;
    shopper.command(&apply_card(code)).await.accepted();
    fill(&shopper, "FIRST10").await;
    shopper.command(&json!({"type": "remove_code", "code": "FIRST10"})).await.accepted();
    shopper
}

async fn gift_cards_pay_to_the_last_penny_and_never_more(store: Store) {
    let app = shop(store).await;
    let twin = match store {
        Store::Postgres => Some(app.twin().await),
        Store::Sqlite => None,
    };
    if let Some(twin) = &twin {
        eventually(&twin.open_cart().await, "FIRST10").await;
    }
    let shopper = app.open_cart().await;
    for (code, problem) in [
        ("short", "unknown-gift-card"),
        ("ABCD-EFGH-2345-6788", "unknown-gift-card"),
        ("EUROEUROEUROEURO", "gift-card-currency"),
        ("OLDOLDOLDOLDOLD1", "gift-card-expired"),
    ] {
        shopper.command(&apply_card(code)).await.assert_problem(422, problem);
    }

    // A hundred carts of 10.00 on one card of 105.00, all at once: ten are paid in full, one in part.
    let mut carts = vec![];
    for n in 0..100 {
        let shopper = with_card(&app, "abcd efgh 2345 6789").await;
        let here =
            if n % 2 == 0 { app.address() } else { twin.as_ref().map_or(app.address(), TestApp::address) };
        carts.push(shopper.on(here));
    }
    let seen = carts[0].cart().await;
    assert_eq!(
        (&seen["totals"]["total_minor"], &seen["totals"]["gift_cards_minor"], &seen["totals"]["due_minor"]),
        (&json!(1_000), &json!(1_000), &json!(0))
    );
    assert_eq!(
        (&seen["gift_cards"][0]["last4"], &seen["gift_cards"][0]["pays_minor"]),
        (&json!("6789"), &json!(1_000))
    );
    assert!(!seen.to_string().contains("EFGH"), "the code is kept nowhere: {seen}");
    let (mut prepaid, mut rounds, mut paid_by_card) = (vec![], 0, vec![]);
    while !carts.is_empty() {
        rounds += 1;
        assert!(rounds <= 6, "{} carts get nowhere", carts.len());
        let mut placing = JoinSet::new();
        for shopper in std::mem::take(&mut carts) {
            placing.spawn(async move { (shopper.place_order("tok_success").await, shopper) });
        }
        for (answer, shopper) in placing.join_all().await {
            if answer.status == 200 {
                assert_eq!(answer.body["order"]["total_minor"], 1_000);
                let minor = answer.body["order"]["prepaid_minor"].as_i64().unwrap_or(0);
                prepaid.push(minor);
                if minor == 1_000 {
                    paid_by_card.push((shopper, answer.body["order"]["id"].as_str().unwrap().to_owned()));
                }
            } else {
                answer.assert_problem(409, "payment-mismatch");
                carts.push(shopper);
            }
        }
    }
    prepaid.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!((&prepaid[..12], prepaid.len()), (&[[1_000; 10].as_slice(), &[500, 0]].concat()[..], 100));
    shopper.command(&apply_card("ABCDEFGH23456789")).await.assert_problem(422, "gift-card-empty");
    settled(&app).await;

    // Cancelled ten times at once, an order gives the card back what it took, once.
    let (shopper, order) = paid_by_card.remove(0);
    let mut cancelling = JoinSet::new();
    for n in 0..10 {
        let here = if n % 2 == 0 { &app } else { twin.as_ref().unwrap_or(&app) };
        let request = Client::new()
            .post(here.url(&format!("/api/v1/orders/{order}/cancel")))
            .bearer_auth(shopper.token());
        cancelling.spawn(Answer::to(request));
    }
    for answer in cancelling.join_all().await {
        let answer = answer.unwrap();
        assert_eq!((answer.status, &answer.body["refunds"][0]["prepaid_minor"]), (200, &json!(1_000)));
    }
    assert_eq!(left_on(&app, "ABCDEFGH23456789").await, 1_000);
    settled(&app).await;
}

/// Returns what is left on a card: what it pays of a cart that costs more.
async fn left_on(app: &TestApp, code: &str) -> i64 {
    let shopper = app.open_cart().await;
    shopper.add("SONG", 20).await.accepted();
    let cart = shopper.command(&apply_card(code)).await.accepted();
    cart["gift_cards"][0]["pays_minor"].as_i64().unwrap()
}

/// Waits until the payments have come to their end, and checks the shop.
async fn settled(app: &TestApp) {
    for _ in 0..200 {
        if app.try_run(&["check"]).await.status.success() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    app.run(&["check"]).await;
}

async fn what_paid_last_is_given_back_first(store: Store) {
    let app = shop(store).await;
    // 10.00: 4.00 by the card, 6.00 by the provider.
    let shopper = with_card(&app, "WXYZWXYZWXYZWXYZ").await;
    let order = shopper.place_order("tok_success").await.body["order"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/admin/orders/{order}/refund");
    let give = async |amount_minor: i64| {
        let request = Client::new().post(app.url(&path)).basic_auth(admin::USER, Some(admin::PASSWORD));
        let answer = Answer::to(request.json(&json!({"amount_minor": amount_minor}))).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["refunds"].as_array().unwrap().last().unwrap()["prepaid_minor"].as_i64()
    };
    assert_eq!((give(550).await, give(200).await), (None, Some(150)));
    assert_eq!(left_on(&app, "WXYZWXYZWXYZWXYZ").await, 150);
    let cancel =
        Client::new().post(app.url(&format!("/api/v1/orders/{order}/cancel"))).bearer_auth(shopper.token());
    let cancelled = Answer::to(cancel).await.unwrap();
    assert_eq!((cancelled.status, &cancelled.body["payment_status"]), (200, &json!("refunded")));
    assert_eq!(left_on(&app, "WXYZWXYZWXYZWXYZ").await, 400);
    settled(&app).await;
    let db = rusqlite::Connection::open(app.data("sandbox-payments.db")).unwrap();
    let sql = "SELECT captured_minor, refunded_minor FROM payments WHERE cart = ?1";
    let money = db.query_row(sql, [shopper.cart_id()], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(money.unwrap(), (600, 600), "the provider gives back what it took");
}

async fn codes_are_not_for_guessing(store: Store) {
    let app = shop(store).await;
    let shopper = app.open_cart().await;
    for n in 0..10 {
        let code = format!("ABCDEFGH2345000{n}");
        shopper.command(&apply_card(&code)).await.assert_problem(422, "unknown-gift-card");
    }
    shopper.command(&apply_card("ABCDEFGH23456789")).await.assert_problem(429, "too-many-tries");
    let batch = |n: usize| json!({"type": "batch", "commands": vec![apply_card("ABCDEFGH23450000"); n]});
    let other = app.open_cart().await;
    other.command(&batch(11)).await.assert_problem(429, "too-many-tries");
}

async fn credit_pays_what_cards_leave(store: Store) {
    let app = shop(store).await;
    let shopper = with_card(&app, "WXYZWXYZWXYZWXYZ").await;
    let owner = web::visitor::Visitor::of(web::visitor::Token::of(shopper.token()).unwrap()).unwrap().id;
    let file = app.write_file(
        "credit.csv",
        &format!("customer,currency,amount,reference\n{owner},GBP,2.50,sorry-17\n"),
    );
    app.run(&["import", "store-credit", &file]).await;
    let said = app.run(&["import", "store-credit", &file]).await;
    assert!(said.contains("1 amounts booked before"), "{said}");
    let credit = |on: bool| json!({"type": "use_store_credit", "on": on});
    let cart = shopper.command(&credit(true)).await.accepted();
    assert_eq!(
        (
            &cart["totals"]["gift_cards_minor"],
            &cart["totals"]["store_credit_minor"],
            &cart["totals"]["due_minor"]
        ),
        (&json!(400), &json!(250), &json!(350))
    );
    assert_eq!(shopper.command(&credit(false)).await.accepted()["totals"]["due_minor"], 600);
    shopper.command(&credit(true)).await.accepted();
    shopper.place_order("tok_decline").await.assert_problem(402, "payment-declined");
    let order = shopper.place_order("tok_success").await.body["order"].clone();
    assert_eq!((&order["total_minor"], &order["prepaid_minor"]), (&json!(1_000), &json!(650)));
    let next = Shopper::open_cart(app.address(), shopper.token()).await;
    next.add("SONG", 1).await.accepted();
    assert_eq!(next.command(&credit(true)).await.accepted()["totals"].get("due_minor"), None, "all is spent");
    app.run(&["check"]).await;
}

async fn a_customer_buys_no_more_pieces_than_they_may(store: Store) {
    let app = shop(store).await;
    let ann = app.open_cart().await;
    ann.add("PASS", 3).await.assert_problem(422, "quantity-limit");
    let mut carts = vec![];
    for _ in 0..4 {
        let cart = Shopper::open_cart(app.address(), ann.token()).await;
        cart.add("PASS", 2).await.accepted();
        fill(&cart, "FIRST10").await;
        carts.push(cart);
    }
    let mut placing = JoinSet::new();
    for cart in carts {
        placing.spawn(async move { cart.place_order("tok_success").await });
    }
    let answers = placing.join_all().await;
    let (bought, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((bought.len(), refused.len()), (1, 3));
    refused.iter().for_each(|answer| answer.assert_problem(422, "quantity-limit"));
    let late = Shopper::open_cart(app.address(), ann.token()).await;
    let refused = late.add("PASS", 1).await;
    refused.assert_problem(422, "quantity-limit");
    assert!(refused.body["detail"].as_str().unwrap().contains("2 were bought before"), "{}", refused.body);
    app.open_cart().await.add("PASS", 2).await.accepted();
    app.run(&["check"]).await;
}

async fn ask(app: &TestApp, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = Client::new()
        .request(method, app.url(&format!("/api/v1/admin/{path}")))
        .basic_auth(admin::USER, Some(admin::PASSWORD));
    let request = body.into_iter().fold(request, |request, body| request.json(&body));
    Answer::to(request).await.unwrap()
}

async fn the_shops_people_issue_cards_and_give_credit(store: Store) {
    let app = shop(store).await;
    let fraction = json!({"amount_minor": 1919.0, "currency": "GBP"});
    let refused = admin::api(&app, "POST", "/gift-cards", Some(&fraction)).await;
    refused.assert_problem(400, "invalid-json");
    let said = refused.body["detail"].as_str().unwrap();
    assert!(said.starts_with("`amount_minor` must be a whole number of minor units"), "{said}");
    let anybody = Client::new().get(app.url("/api/v1/admin/gift-cards"));
    Answer::to(anybody).await.unwrap().assert_problem(401, "not-admin");
    let new = json!({"amount_minor": 1_200, "currency": "GBP", "note": "for ada@example.org"});
    let made = ask(&app, Method::POST, "gift-cards", Some(new)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (code, id) = (made.body["code"].as_str().unwrap(), made.body["id"].as_str().unwrap());
    let path = format!("gift-cards/{id}");
    assert!(code.ends_with(made.body["last4"].as_str().unwrap()), "{}", made.body);
    for (field, wrong) in [
        ("amount_minor", json!({"amount_minor": 0, "currency": "GBP"})),
        ("currency", json!({"amount_minor": 1, "currency": "pounds"})),
        ("code", json!({"amount_minor": 1, "currency": "GBP", "code": "SHORT"})),
        ("currency", json!({"amount_minor": 1, "currency": "EUR", "code": code})),
    ] {
        let refused = ask(&app, Method::POST, "gift-cards", Some(wrong)).await;
        refused.assert_problem(422, "invalid-details");
        assert_eq!(refused.body["fields"][0]["field"], field, "{}", refused.body);
    }
    // A code of one's own is issued once.
    for _ in 0..2 {
        let own = json!({"amount_minor": 700, "currency": "GBP", "code": "mine-mine-mine-mine"});
        let made = ask(&app, Method::POST, "gift-cards", Some(own)).await;
        assert_eq!((made.status, &made.body["balance_minor"]), (201, &json!(700)));
    }

    let shopper = with_card(&app, code).await;
    assert_eq!(shopper.cart().await["totals"]["due_minor"], 0);
    let stopped = ask(&app, Method::PATCH, &path, Some(json!({"enabled": false}))).await;
    assert_eq!((stopped.status, &stopped.body["enabled"]), (200, &json!(false)));
    shopper.place_order("tok_success").await.assert_problem(422, "gift-card-disabled");
    assert_eq!(shopper.cart().await["totals"].get("due_minor"), None, "the cart was told");
    app.open_cart().await.command(&apply_card(code)).await.assert_problem(422, "gift-card-disabled");
    ask(&app, Method::PATCH, &path, Some(json!({"enabled": true}))).await;
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    let order = shopper.place_order("").await;
    assert_eq!(order.body["order"]["prepaid_minor"], 1_000, "no provider, no token: {}", order.body);
    let order = order.body["order"]["id"].as_str().unwrap().to_owned();
    let read = ask(&app, Method::GET, &path, None).await.body;
    let entries: Vec<_> =
        read["entries"].as_array().unwrap().iter().map(|e| (&e["cause"], &e["delta_minor"])).collect();
    assert_eq!(read["balance_minor"], 200);
    assert_eq!(entries.len(), 2);
    assert!(entries.contains(&(&json!("issue"), &json!(1_200))), "{read}");
    assert!(entries.contains(&(&json!(format!("order:{order}")), &json!(-1_000))), "{read}");
    ask(&app, Method::GET, "gift-cards/none", None).await.assert_problem(404, "gift-card-not-found");
    let list = ask(&app, Method::GET, "gift-cards?limit=1", None).await.body;
    assert_eq!(list["gift_cards"][0]["balance_minor"], 700, "the newest first");
    let next = format!("gift-cards?limit=1&cursor={}", list["next_cursor"].as_str().unwrap());
    assert_eq!(ask(&app, Method::GET, &next, None).await.body["gift_cards"][0]["id"], id);

    let owner = web::visitor::Visitor::of(web::visitor::Token::of(shopper.token()).unwrap()).unwrap().id;
    let path = format!("customers/{owner}/credit");
    for _ in 0..2 {
        let credit = json!({"amount_minor": 500, "currency": "GBP", "reference": "ticket-4711"});
        let given = ask(&app, Method::POST, &path, Some(credit)).await;
        assert_eq!((given.status, &given.body["balance_minor"]), (200, &json!(500)), "once a reference");
    }
    assert_eq!(ask(&app, Method::GET, &path, None).await.body["entries"][0]["cause"], "credit:ticket-4711");
    settled(&app).await;
}
