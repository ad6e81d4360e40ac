//! Gifts: they come and go with their promotions, and each piece is given once.

use harness::{Admin, Shopper, Store, TestApp, admin, app::Setup, audit, letters, shopper::complete_step};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    browser::visit,
    users::{PASSWORD, credentials, sign_up, token_of},
};

on_each_store!(
    a_gift_comes_goes_and_is_ordered,
    a_gift_that_ran_out_is_told_before_the_order,
    the_last_gifts_are_given_once,
    gifts_follow_carts_wherever_they_go,
    two_gifts_too_many_are_refused_at_the_import,
    a_browser_shows_declines_and_takes_a_gift,
    the_shops_people_and_letters_know_a_gift,
);

in_other_workflows!(
    a_gift_comes_goes_and_is_ordered,
    the_last_gifts_are_given_once,
    gifts_follow_carts_wherever_they_go,
    the_shops_people_and_letters_know_a_gift,
);

const PRODUCTS: &str = "\
sku,name,price_minor,currency,stock,policy,hidden
LAMP,Lamp,3000,GBP,200,,
TIN,Tin of tea,300,GBP,5,,yes
CARD,Card,100,GBP,5,take_at_order,
";

const PROMOTIONS: &str = r#"[
    {"id": "tea", "name": "Tea over 50", "conditions": {"needs": [{"min_minor": {"GBP": 5000}}]},
     "benefit": {"kind": "gift", "sku": "TIN"}},
    {"id": "card", "name": "A card", "codes": ["CARD"], "benefit": {"kind": "gift", "sku": "CARD"}}
]"#;

async fn stock_up(app: &TestApp) {
    for (what, name, text) in
        [("products", "gifts.csv", PRODUCTS), ("promotions", "promotions.json", PROMOTIONS)]
    {
        let file = app.write_file(name, text);
        app.run(&["import", what, &file]).await;
    }
}

async fn shop(store: Store) -> TestApp {
    let mut app = TestApp::prepare(store, Setup::default()).await;
    stock_up(&app).await;
    app.restart().await;
    app
}

/// What is available, held and sold of a product.
async fn pieces(app: &TestApp, sku: &str) -> (i64, i64, i64) {
    let level = audit::stock(app).await[sku];
    (level.available, level.held, level.sold)
}

/// Lists the products that are given with a cart or an order.
fn gifts(body: &Value) -> Vec<&str> {
    let lines = body["lines"].as_array().unwrap().iter();
    lines.filter(|line| line.get("gift_of").is_some()).map(|line| line["sku"].as_str().unwrap()).collect()
}

fn code(code: &str) -> Value {
    json!({"type": "apply_code", "code": code})
}

fn about_gift(command: &str, promotion: &str) -> Value {
    json!({"type": command, "promotion": promotion})
}

async fn a_gift_comes_goes_and_is_ordered(store: Store) {
    let app = shop(store).await;
    let shopper = app.open_cart().await;
    let mut device = app.join(&shopper).await;
    let cart = shopper.add("LAMP", 1).await.accepted();
    assert_eq!((gifts(&cart), &cart["promotions"][0]["reason"]), (vec![], &json!("sum_lacking")));
    let answer = shopper.add("LAMP", 1).await;
    assert_eq!(answer.body["item"]["sku"], "LAMP", "the line that the shopper changed");
    let cart = answer.accepted();
    let line = &cart["lines"][1];
    assert_eq!(
        (&line["gift_of"], &line["name"], &line["total_minor"], &line["held"]),
        (&json!("tea"), &json!("Tin of tea"), &json!(0), &json!(1))
    );
    assert_eq!(cart["totals"]["total_minor"], 6_000);
    let seen = device.cart_at(cart["version"].as_u64().unwrap()).await;
    assert_eq!(seen.payload["cart"], cart, "other devices see the gift too");
    assert_eq!(pieces(&app, "TIN").await, (4, 1, 0));

    for kind in ["set_quantity", "remove_line", "save_line"] {
        let mut command = json!({"type": kind, "line": line["id"]});
        if kind == "set_quantity" {
            command["quantity"] = json!(3);
        }
        shopper.command(&command).await.assert_problem(422, "gift-line");
    }
    shopper.command(&about_gift("decline_gift", "card")).await.assert_problem(422, "gift-not-found");
    shopper.command(&about_gift("decline_gift", "?")).await.assert_problem(422, "gift-not-found");
    let cart = shopper.command(&about_gift("decline_gift", "tea")).await.accepted();
    assert_eq!((gifts(&cart), &cart["promotions"][0]["reason"]), (vec![], &json!("declined")));
    assert_eq!(pieces(&app, "TIN").await, (5, 0, 0));
    let cart = shopper.command(&about_gift("accept_gift", "tea")).await.accepted();
    assert_eq!(gifts(&cart), ["TIN"]);

    let order = shopper.check_out("tok_success").await.body["order"].clone();
    assert_eq!((gifts(&order), &order["lines"][1]["unit_price_minor"]), (vec!["TIN"], &json!(0)));
    assert_eq!(pieces(&app, "TIN").await, (4, 0, 1));
    app.run(&["check"]).await;
    let placed = app.events("order_placed", 1).await;
    assert_eq!(placed[0]["data"]["lines"].as_array().unwrap().len(), 1, "nobody learns from gifts");
    assert_eq!(placed[0]["data"]["gifts"], json!([{"sku": "TIN", "quantity": 1, "promotion": "tea"}]));
    let id = order["id"].as_str().unwrap();
    let cancel = Client::new().post(app.url(&format!("/api/v1/orders/{id}/cancel")));
    let cancel = cancel.bearer_auth(shopper.token()).header("Idempotency-Key", "once");
    assert_eq!(cancel.send().await.unwrap().status(), 200);
    assert_eq!(pieces(&app, "TIN").await, (5, 0, 0));
    app.run(&["check"]).await;
}

async fn a_gift_that_ran_out_is_told_before_the_order(store: Store) {
    let app = shop(store).await;
    let shopper = app.open_cart().await;
    shopper.command(&code("CARD")).await.accepted();
    shopper.add("LAMP", 1).await.accepted();
    shopper.command(&json!({"type": "start_checkout"})).await.accepted();
    for step in ["address", "shipping", "payment", "review"] {
        shopper.command(&complete_step(step)).await.accepted();
    }
    assert_eq!(gifts(&shopper.cart().await), ["CARD"]);
    let other = app.open_cart().await;
    other.add("CARD", 5).await.accepted();
    assert_eq!(other.check_out("tok_success").await.status, 200);

    // Nothing is charged for what was not shown; the cart then says why.
    let told = shopper.place_order("tok_success").await;
    told.assert_problem(409, "gifts-changed");
    assert_eq!(told.body["detail"], "Card is no longer a gift of this cart; look the cart over, then order");
    let cart = shopper.cart().await;
    assert_eq!((gifts(&cart), cart.get("payment")), (vec![], None));
    assert_eq!(cart["promotions"][0]["reason"], "gift_out_of_stock");
    assert_eq!(cart["promotions"][0]["detail"], "A card: gives Card away, which is out of stock");
    let order = shopper.place_order("tok_success").await.body["order"].clone();
    assert_eq!(gifts(&order), [""; 0]);
    app.run(&["check"]).await;
}

/// Orders a lamp, as often as it takes to be told that its gift is gone; returns whether a gift came along.
async fn buy(shopper: Shopper) -> bool {
    shopper.command(&code("CARD")).await.accepted();
    shopper.add("LAMP", 1).await.accepted();
    let mut answer = shopper.check_out("tok_success").await;
    if answer.status != 200 {
        answer.assert_problem(409, "gifts-changed");
        answer = shopper.place_order("tok_success").await;
    }
    assert_eq!(answer.status, 200, "{}", answer.body);
    !gifts(&answer.body["order"]).is_empty()
}

async fn rush(app: &TestApp, addresses: &[std::net::SocketAddr]) {
    let mut buying = JoinSet::new();
    for n in 0..60_usize {
        buying.spawn(buy(app.open_cart().await.on(addresses[n % addresses.len()])));
    }
    let given = buying.join_all().await.into_iter().filter(|is_given| *is_given).count();
    assert_eq!((given, pieces(app, "CARD").await), (5, (0, 0, 5)));
    assert_eq!(pieces(app, "LAMP").await, (140, 0, 60));
    app.run(&["check"]).await;
}

async fn the_last_gifts_are_given_once(store: Store) {
    let app = shop(store).await;
    rush(&app, &[app.address()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_give_the_last_gifts_once() {
    let app = shop(Store::Postgres).await;
    let twin = app.twin().await;
    rush(&app, &[app.address(), twin.address()]).await;
}

async fn gifts_follow_carts_wherever_they_go(store: Store) {
    let app = shop(store).await;
    // At a log-in the lines come together, and the gift is given once, for both.
    let own = app.open_cart_as(&sign_up(&app).await).await;
    own.add("LAMP", 2).await.accepted();
    let guest = app.open_cart().await;
    guest.add("LAMP", 2).await.accepted();
    assert_eq!(pieces(&app, "TIN").await, (3, 2, 0));
    let answer =
        app.call(Method::POST, "/api/v1/sessions", Some(guest.token()), Some(&credentials(PASSWORD))).await;
    let user = own.impostor(&token_of(&answer));
    let cart = user.cart().await;
    assert_eq!((gifts(&cart), cart["lines"].as_array().unwrap().len()), (vec!["TIN"], 2));
    assert_eq!(pieces(&app, "TIN").await, (4, 1, 0));

    // A gift is no wish, nobody copies it from a shared cart, and a snapshot does not bring it twice.
    let post = async |path: &str, token: &str, body: Value| {
        app.call(Method::POST, &format!("/api/v1{path}"), Some(token), Some(&body)).await
    };
    let list =
        post("/lists", user.token(), json!({"name": "Later"})).await.body["id"].as_str().unwrap().to_owned();
    let wish = json!({"cart": user.cart_id(), "line": cart["lines"][1]["id"]});
    post(&format!("/lists/{list}/from-cart"), user.token(), wish).await.assert_problem(422, "gift-line");
    let share = user.request("POST", "/shares", Some(json!({}))).await.body;
    let link = share["token"].as_str().unwrap();
    let friend = app.open_cart().await;
    let copied = Client::new().post(app.url(&format!("/api/v1/shared-carts/{link}/to-cart")));
    let copied = copied
        .bearer_auth(friend.token())
        .header("Idempotency-Key", "copy")
        .json(&json!({"cart": friend.cart_id()}));
    let copied = harness::Answer::to(copied).await.unwrap();
    assert_eq!((copied.status, copied.body["lines"].as_array().unwrap().len()), (200, 1), "{}", copied.body);
    assert_eq!(gifts(&friend.cart().await), ["TIN"], "the friend's own");
    let sealed = user.request("GET", "/snapshot", None).await.body["snapshot"].clone();
    let elsewhere = app.open_cart_as(user.token()).await;
    let restored = elsewhere.request("POST", "/restore", Some(json!({"snapshot": sealed}))).await;
    assert_eq!(restored.body["lines"].as_array().map(Vec::len), Some(1), "{}", restored.body);

    // What is bought again is what was bought; the gift of today comes along.
    let order = user.check_out("tok_success").await.body["order"].clone();
    assert_eq!(gifts(&order), ["TIN"]);
    let url = app.url(&format!("/api/v1/orders/{}/reorder", order["id"].as_str().unwrap()));
    let again =
        Client::new().post(url).bearer_auth(user.token()).header("Idempotency-Key", "again").json(&json!({}));
    let again = harness::Answer::to(again).await.unwrap();
    assert_eq!(again.body["lines"].as_array().map(Vec::len), Some(1), "{}", again.body);
    app.run(&["check"]).await;
}

async fn a_browser_shows_declines_and_takes_a_gift(store: Store) {
    visit(&shop(store).await, "gifts").await;
}

async fn the_shops_people_and_letters_know_a_gift(store: Store) {
    let mut app = TestApp::prepare(store, admin::setup()).await;
    stock_up(&app).await;
    let folder = app.data("letters");
    let setup = admin::setup();
    let config = format!(
        "{}\n[shop]\nname = \"Tea\"\npublic_url = \"https://tea.example\"\n\n\
         [mail]\nsink = \"file:{}\"\nfrom = \"Tea <tea@tea.example>\"\n",
        setup.config,
        folder.display()
    );
    app.restart_with(Setup { config, ..setup }).await;
    let shopper = app.open_cart().await;
    shopper.add("LAMP", 2).await.accepted();
    let order = shopper.check_out("tok_success").await.body["order"].clone();
    let id = order["id"].as_str().unwrap();
    let page = app.page(&shopper, &format!("/orders/{id}")).await;
    assert!(
        page.contains("Tin of tea") && page.contains("<small class=\"line-gift\" data-gift>A gift"),
        "{page}"
    );
    let staff = Admin::sign_in(&app).await;
    let page = staff.get(&format!("/admin/orders/{id}")).await;
    assert!(page.html.contains("Tin of tea (gift of tea)"), "{}", page.html);
    let letter = &letters::in_folder(&folder, 1).await[0];
    assert!(letter.text.contains("1 × Tin of tea: a gift"), "{}", letter.text);

    // A gift that comes back costs nothing and goes on the shelf again.
    let gift = &order["lines"][1]["id"];
    let wish = json!({"lines": [{"line": gift, "quantity": 1}], "restock": true});
    let refund = admin::api(&app, "POST", &format!("/orders/{id}/refund"), Some(&wish)).await;
    assert_eq!(
        (refund.status, &refund.body["refunds"][0]["amount_minor"]),
        (200, &json!(0)),
        "{}",
        refund.body
    );
    assert_eq!(pieces(&app, "TIN").await, (5, 0, 0));
    app.run(&["check"]).await;
}

async fn two_gifts_too_many_are_refused_at_the_import(store: Store) {
    let app = TestApp::start(store).await;
    let gift =
        |n: usize| json!({"id": format!("g{n}"), "name": "Gift", "benefit": {"kind": "gift", "sku": "MUG"}});
    let many: Vec<_> = (0..22).map(gift).collect();
    let file = app.write_file("many.json", &json!(many).to_string());
    let output = app.try_run(&["import", "promotions", &file]).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("22 promotions with gifts, the most allowed is 20"), "{said}");
}
