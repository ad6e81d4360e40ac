//! Who waits for a product that is sold out is told once when it is back, in waves, and waits no longer when they say so.

use std::{
    collections::BTreeSet,
    fmt::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use harness::{
    Answer, Store, TestApp, admin,
    app::Setup,
    letters::{self, LetterFile},
    tables,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};

on_each_store!(
    who_waits_is_told_once_when_pieces_are_there,
    a_wave_is_no_larger_than_its_pieces_and_the_oldest_come_first,
    a_request_ends_by_the_link_of_its_letters_and_by_itself,
    what_cannot_be_waited_for_is_refused_with_the_way_out,
    who_asks_too_often_is_asked_to_wait,
    a_kill_in_between_forgets_nobody_and_tells_nobody_twice,
    the_shops_people_see_who_waits_for_what,
    the_page_of_a_sold_out_variant_asks_and_tells,
    the_dashboards_show_who_waits_for_what,
);

/// A shop that writes letters into a folder, and the folder.
struct Shop {
    app: TestApp,
    folder: PathBuf,
}

fn setup(folder: &Path, back_in_stock: &str) -> Setup {
    let mut setup = admin::setup();
    write!(
        setup.config,
        "[shop]\nname = \"Tea & Sons\"\npublic_url = \"https://tea.example\"\n\n\
         [mail]\nsink = \"file:{}\"\nfrom = \"Tea & Sons <tea@tea.example>\"\nretry_seconds = [1, 1, 1, 1]\n\n\
         [session]\nkeys = [\"k:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]\n\n\
         [back_in_stock]\nsweep_seconds = 1\n{back_in_stock}\n",
        folder.display()
    )
    .unwrap();
    setup.goods.extend(["GONE-2", "GONE-3"].map(|sku| harness::catalogue::Goods {
        sku: sku.into(),
        ..setup.goods.iter().find(|goods| goods.sku == "GONE").unwrap().clone()
    }));
    setup
}

impl Shop {
    async fn start(store: Store, back_in_stock: &str) -> Self {
        let folder = harness::reaper::folder("mail");
        Self { app: TestApp::start_with(store, setup(&folder, back_in_stock)).await, folder }
    }

    /// Asks for a product. Who asks in the same millisecond is told in any order, so the next one comes after it.
    async fn ask(&self, sku: &str, email: &str) -> Answer {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let body = json!({"sku": sku, "email": email});
        self.app.call(Method::POST, "/api/v1/stock-requests", None, Some(&body)).await
    }

    async fn asked(&self, sku: &str, names: &[&str]) {
        for name in names {
            let answer = self.ask(sku, &format!("{name}@example.org")).await;
            assert_eq!(answer.status, 202, "{}", answer.body);
        }
    }

    /// Says how many pieces of a product the shop ever had.
    async fn supply(&self, sku: &str, pieces: u32) {
        let file = self.app.write_file("stock.csv", &format!("sku,location,stock\n{sku},main,{pieces}\n"));
        self.app.run(&["import", "stock", &file]).await;
    }

    /// Waits for so many letters of a kind, and a little longer, as there might be more; returns those of the kind.
    async fn letters(&self, kind: &str, wanted: usize) -> Vec<LetterFile> {
        let mut found = vec![];
        for _ in 0..300 {
            found = self.letters_now(kind).await;
            if found.len() >= wanted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let later = self.letters_now(kind).await;
        assert_eq!((found.len(), later.len()), (wanted, wanted), "letters of {kind}");
        later
    }

    async fn letters_now(&self, kind: &str) -> Vec<LetterFile> {
        let mark = format!(".{kind}@tea.example>");
        let all = letters::in_folder(&self.folder, 0).await;
        all.into_iter().filter(|letter| letter.header("Message-ID").ends_with(&mark)).collect()
    }
}

fn readers(letters: &[LetterFile]) -> Vec<String> {
    letters
        .iter()
        .map(|l| l.header("To").trim_matches(['<', '>']).split('@').next().unwrap().to_owned())
        .collect()
}

/// Returns the token of the link that ends requests.
fn token(letter: &LetterFile) -> String {
    let link = letter.header("List-Unsubscribe").trim_matches(['<', '>']);
    assert!(letter.text.contains(link), "{link} in {}", letter.text);
    link.strip_prefix("https://tea.example/back-in-stock/").expect("a page of the shop").to_owned()
}

async fn who_waits_is_told_once_when_pieces_are_there(store: Store) {
    let shop = Shop::start(store, "").await;
    let first = shop.ask("GONE", "ada@example.org").await;
    assert_eq!((first.status, &first.body), (202, &json!({"sku": "GONE", "keep_days": 90})));
    let again = shop.ask("GONE", " Ada@Example.ORG").await;
    assert_eq!((again.status, again.body), (202, first.body), "nobody learns that she waits");
    shop.asked("GONE", &["ben"]).await;
    let made = shop.letters("stock_request", 2).await;
    assert_eq!(made[0].header("Subject"), "We will tell you when The GONE is back");
    assert_eq!(shop.app.metrics().await.value("cartwright_stock_requests_waiting", &[]), Some(2.0));

    shop.supply("GONE", 1).await;
    let told = shop.letters("back_in_stock", 2).await;
    assert_eq!(readers(&told), ["ada", "ben"]);
    let letter = &told[0];
    assert_eq!(letter.header("Subject"), "The GONE is back at Tea & Sons");
    assert_eq!(letter.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(letter.header("Auto-Submitted"), "auto-generated");
    for words in ["The GONE is back in stock, at £7.00", "https://tea.example/products/GONE\n"] {
        assert!(letter.text.contains(words), "{words} in {}", letter.text);
    }
    assert!(letter.html.contains("<b>£7.00</b>") && letter.html.contains(&token(letter)), "{}", letter.html);

    let events = shop.app.events("back_in_stock", 2).await;
    assert_eq!((events.len(), &events[0]["data"]["sku"]), (2, &json!("GONE")));
    assert!(!json!(events).to_string().contains('@'), "{events:?}");
    let metrics = shop.app.metrics().await;
    assert_eq!(metrics.value("cartwright_stock_requests_waiting", &[]), Some(0.0));
    assert_eq!(metrics.value("cartwright_stock_requests_told_total", &[]), Some(2.0));
    // More pieces are no news to those who were told.
    shop.supply("GONE", 50).await;
    shop.letters("back_in_stock", 2).await;
}

async fn a_wave_is_no_larger_than_its_pieces_and_the_oldest_come_first(store: Store) {
    let mut shop = Shop::start(store, "letters_per_piece = 2").await;
    shop.asked("GONE", &["eve", "ben", "ada", "dan", "kim", "lou", "max"]).await;
    shop.supply("GONE", 1).await;
    assert_eq!(readers(&shop.letters("back_in_stock", 2).await), ["eve", "ben"]);
    // The piece is bought: there is none to tell of, though those who were told had their time.
    let buyer = shop.app.open_cart().await;
    buyer.add("GONE", 1).await.accepted();
    assert_eq!(buyer.check_out("tok_success").await.status, 200);
    shop.app.restart_with(setup(&shop.folder, "letters_per_piece = 2\nwave_minutes = 0")).await;
    tokio::time::sleep(Duration::from_secs(12)).await;
    shop.letters("back_in_stock", 2).await;
    // It comes back by an order that is cancelled; wave follows wave while it is there.
    let order = buyer.cart().await["order_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/orders/{order}/cancel");
    assert_eq!(shop.app.call(Method::POST, &path, Some(buyer.token()), None).await.status, 200);
    let told = shop.letters("back_in_stock", 7).await;
    assert_eq!(readers(&told), ["eve", "ben", "ada", "dan", "kim", "lou", "max"]);
}

async fn a_request_ends_by_the_link_of_its_letters_and_by_itself(store: Store) {
    let shop = Shop::start(store, "").await;
    for sku in ["GONE", "GONE-2", "GONE-3"] {
        shop.asked(sku, &["ada"]).await;
    }
    shop.asked("GONE", &["ben", "dan"]).await;
    shop.asked("GONE-2", &["ben"]).await;
    let made = shop.letters("stock_request", 6).await;
    let of = |name: &str| made.iter().find(|l| l.header("To").contains(&format!("{name}@"))).unwrap();
    let (adas, bens) = (token(of("ada")), token(of("ben")));
    assert_ne!(adas, bens);

    let path = format!("/api/v1/stock-requests/{adas}");
    let waiting = async || {
        let answer = shop.app.call(Method::GET, &path, None, None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let requests = answer.body["requests"].as_array().unwrap().clone();
        requests.iter().map(|r| r["sku"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // A mail program that looks at the link ends nothing.
    let page = reqwest::get(shop.app.url(&format!("/back-in-stock/{adas}"))).await.unwrap();
    let html = page.text().await.unwrap();
    assert!(html.contains("<b>The GONE-2</b>") && html.contains("ada@example.org"), "{html}");
    assert_eq!(waiting().await, ["GONE", "GONE-2", "GONE-3"]);
    for _ in 0..2 {
        let one = format!("{path}?sku=GONE-3");
        assert_eq!(shop.app.call(Method::DELETE, &one, None, None).await.status, 204);
        assert_eq!(waiting().await, ["GONE", "GONE-2"]);
    }
    let form = Client::new().post(shop.app.url(&format!("/back-in-stock/{adas}"))).form(&[("sku", "GONE-2")]);
    let html = form.send().await.unwrap().text().await.unwrap();
    assert!(html.contains("We will not write to you about that one."), "{html}");
    assert_eq!(waiting().await, ["GONE"]);
    // As RFC 8058 has it: a form of either type, no cookie, no page it came from.
    let one_click =
        "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    for (token, kind, body) in [
        (&adas, "multipart/form-data; boundary=x", one_click),
        (&bens, "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
    ] {
        let post = Client::new().post(shop.app.url(&format!("/back-in-stock/{token}")));
        let answer = post.header("Content-Type", kind).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "without a redirect");
        assert!(answer.text().await.unwrap().contains("You wait for nothing any more."));
    }
    assert_eq!(waiting().await, Vec::<String>::new());
    assert_eq!(
        shop.app.call(Method::DELETE, &path, None, None).await.status,
        204,
        "done again, it is the same"
    );

    // Dan's has ended by itself.
    tables::run(shop.app.store_url(), "UPDATE stock_requests SET ends_at_ms = 1").await.unwrap();
    for sku in ["GONE", "GONE-2", "GONE-3"] {
        shop.supply(sku, 9).await;
    }
    shop.letters("back_in_stock", 0).await;
    for bad in ["", "k.AAAA", &adas[..adas.len() - 2], "%ff"] {
        let path = format!("/api/v1/stock-requests/{bad}x");
        shop.app.call(Method::DELETE, &path, None, None).await.assert_problem(404, "unknown-stock-link");
        let page = reqwest::get(shop.app.url(&format!("/back-in-stock/{bad}x"))).await.unwrap();
        assert_eq!(page.status(), 404);
        assert!(page.text().await.unwrap().contains("This link is not whole"));
    }
}

async fn what_cannot_be_waited_for_is_refused_with_the_way_out(store: Store) {
    let shop = Shop::start(store, "").await;
    shop.ask("MUG", "ada@example.org").await.assert_problem(409, "can-be-bought");
    for sku in ["NONE", "", "a b"] {
        shop.ask(sku, "ada@example.org").await.assert_problem(422, "unknown-sku");
    }
    for email in ["", "ada", "ada@example.org\r\nBcc: eve@example.org"] {
        let refused = shop.ask("GONE", email).await;
        refused.assert_problem(422, "invalid-details");
        assert_eq!(refused.body["fields"][0]["field"], "email");
    }
    let body = json!({"sku": "GONE", "email": "ada@example.org", "currency": "XXX"});
    let refused = shop.app.call(Method::POST, "/api/v1/stock-requests", None, Some(&body)).await;
    refused.assert_problem(422, "invalid-details");
    // What may be bought before it is there is not waited for; and what is only owed is not back.
    let header = "sku,name,description,category,price_minor,currency,stock,image,backorder_limit\n";
    let file = shop.app.write_file("more.csv", &format!("{header}LATER,Later,,home,500,GBP,0,,2\n"));
    shop.app.run(&["import", "products", &file]).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    shop.ask("LATER", "ada@example.org").await.assert_problem(409, "can-be-bought");
    let buyer = shop.app.open_cart().await;
    buyer.add("LATER", 2).await.accepted();
    shop.asked("LATER", &["ada"]).await;
    buyer.command(&json!({"type": "clear"})).await.accepted();
    shop.letters("back_in_stock", 0).await;
    shop.supply("LATER", 1).await;
    shop.letters("back_in_stock", 1).await;

    let silent = TestApp::start(store).await;
    let body = json!({"sku": "GONE", "email": "ada@example.org"});
    let refused = silent.call(Method::POST, "/api/v1/stock-requests", None, Some(&body)).await;
    refused.assert_problem(409, "no-letters");
}

async fn who_asks_too_often_is_asked_to_wait(store: Store) {
    let folder = harness::reaper::folder("mail");
    let mut setup = setup(&folder, "");
    setup.config += "\n[limits]\nloopback = true\n";
    let shop = Shop { app: TestApp::start_with(store, setup).await, folder };
    for _ in 0..20 {
        shop.asked("GONE", &["ada"]).await;
    }
    let refused = shop.ask("GONE-2", "ada@example.org").await;
    refused.assert_problem(429, "too-many-requests");
    let wait: u32 = refused.header("Retry-After").parse().unwrap();
    assert!((1..=180).contains(&wait), "{wait}");
    for n in 0..39 {
        shop.asked("GONE", &[&format!("somebody-{n}")]).await;
    }
    let refused = shop.ask("GONE", "another@example.org").await;
    refused.assert_problem(429, "too-many-requests");
    assert!(refused.body["detail"].as_str().unwrap().starts_with("the client"), "{}", refused.body);
}

async fn a_kill_in_between_forgets_nobody_and_tells_nobody_twice(store: Store) {
    let mut shop = Shop::start(store, "letters_per_piece = 1").await;
    let names: Vec<String> = (0..12).map(|n| format!("n{n:02}")).collect();
    shop.asked("GONE", &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // Each of four moments: before, while and after requests are marked and letters are written.
    for pieces in [3, 6, 9, 12] {
        shop.supply("GONE", pieces).await;
        tokio::time::sleep(Duration::from_millis(u64::from(pieces) * 90)).await;
        shop.app.restart().await;
    }
    let told = shop.letters("back_in_stock", 12).await;
    assert_eq!(readers(&told).into_iter().collect::<BTreeSet<_>>(), names.into_iter().collect());
    assert_eq!(shop.app.events("back_in_stock", 12).await.len(), 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_tell_nobody_twice() {
    let shop = Shop::start(Store::Postgres, "letters_per_piece = 1").await;
    let twin = shop.app.twin().await;
    let names: Vec<String> = (0..20).map(|n| format!("n{n:02}")).collect();
    for (n, name) in names.iter().enumerate() {
        let app = if n % 2 == 0 { &shop.app } else { &twin };
        tokio::time::sleep(Duration::from_millis(2)).await;
        let body = json!({"sku": "GONE", "email": format!("{name}@example.org")});
        assert_eq!(app.call(Method::POST, "/api/v1/stock-requests", None, Some(&body)).await.status, 202);
    }
    shop.supply("GONE", 15).await;
    let told = shop.letters("back_in_stock", 15).await;
    assert_eq!(readers(&told), names[..15]);
    // The links of either node open on the other.
    let made = shop.letters("stock_request", 20).await;
    for app in [&shop.app, &twin] {
        let path = format!("/api/v1/stock-requests/{}", token(&made[19]));
        assert_eq!(app.call(Method::GET, &path, None, None).await.body["requests"][0]["sku"], "GONE");
    }
}

async fn the_shops_people_see_who_waits_for_what(store: Store) {
    let shop = Shop::start(store, "").await;
    shop.asked("GONE-2", &["ada"]).await;
    shop.asked("GONE", &["ada", "ben"]).await;
    let first = admin::api(&shop.app, "GET", "/stock-requests?limit=1", None).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let demand = &first.body["demand"];
    assert_eq!(demand.as_array().map(Vec::len), Some(1));
    assert_eq!(
        [&demand[0]["sku"], &demand[0]["name"], &demand[0]["waiting"], &demand[0]["visible"]],
        [&json!("GONE"), &json!("The GONE"), &json!(2), &json!(true)]
    );
    assert!(demand[0]["oldest_at_ms"].as_i64().is_some_and(|at| at > 1_700_000_000_000));
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let next = admin::api(&shop.app, "GET", &format!("/stock-requests?limit=1&cursor={cursor}"), None).await;
    assert_eq!(next.body["demand"][0]["sku"], "GONE-2");
    assert_eq!(next.body["next_cursor"], Value::Null);
    let broken = admin::api(&shop.app, "GET", "/stock-requests?cursor=x", None).await;
    broken.assert_problem(400, "invalid-cursor");
    let stranger = shop.app.call(Method::GET, "/api/v1/admin/stock-requests", None, None).await;
    stranger.assert_problem(401, "not-admin");
}

async fn the_page_of_a_sold_out_variant_asks_and_tells(store: Store) {
    let shop = Shop::start(store, "").await;
    let header = "sku,name,description,category,price_minor,currency,stock,image,family,options\n";
    let rows = "TEE-S,Tee,,home,500,GBP,0,,TEE,Size=S\nTEE-M,Tee,,home,500,GBP,4,,TEE,Size=M\n";
    let file = shop.app.write_file("tees.csv", &format!("{header}{rows}"));
    shop.app.run(&["import", "products", &file]).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let http = Client::builder().cookie_store(true).build().unwrap();
    let read = async |path: &str| http.get(shop.app.url(path)).send().await.unwrap().text().await.unwrap();
    let small = read("/products/TEE-S").await;
    assert!(small.contains("action=\"/back-in-stock\"") && small.contains("value=\"TEE-S\""), "{small}");
    let medium = read("/products/TEE-M").await;
    assert!(!medium.contains("/back-in-stock") && medium.contains("Add to cart"), "{medium}");

    let send = async |sku: &str, email: &str| {
        let form = http.post(shop.app.url("/back-in-stock")).form(&[("sku", sku), ("email", email)]);
        let answer = form.send().await.unwrap();
        (answer.status().as_u16(), answer.url().path().to_owned(), answer.text().await.unwrap())
    };
    let (status, _, wrong) = send("TEE-S", "ada\"@").await;
    assert_eq!(status, 422, "{wrong}");
    assert!(wrong.contains("aria-invalid=\"true\"") && wrong.contains("value=\"ada&quot;@\""), "{wrong}");
    let (status, path, kept) = send("TEE-S", "ada@example.org").await;
    assert_eq!((status, &*path), (200, "/products/TEE-S"));
    assert!(kept.contains("We will write to ada@example.org when Tee (S) is back."), "{kept}");
    assert!(!read("/products/TEE-S").await.contains("We will write"), "it is said once");
    let (_, path, refused) = send("TEE-M", "ada@example.org").await;
    assert!(path == "/products/TEE-M" && refused.contains("TEE-M is not sold out"), "{refused}");
    let (status, ..) = send("NONE", "ada@example.org").await;
    assert_eq!(status, 404);
    let foreign = http.post(shop.app.url("/back-in-stock")).header("Origin", "https://evil.example");
    let foreign = foreign.form(&[("sku", "TEE-S"), ("email", "eve@example.org")]).send().await.unwrap();
    assert_eq!(foreign.status(), 403);

    let sign_up = [("name", "Ada"), ("email", "ada@example.net"), ("password", "four words nobody knows")];
    http.post(shop.app.url("/register")).form(&sign_up).send().await.unwrap();
    let page = read("/products/TEE-S").await;
    assert!(page.contains("value=\"ada@example.net\""), "who is logged in need not type: {page}");
    assert_eq!(shop.letters("stock_request", 1).await.len(), 1);

    let silent = TestApp::start(store).await;
    let page = reqwest::get(silent.url("/products/GONE")).await.unwrap().text().await.unwrap();
    assert!(page.contains("Sold out") && !page.contains("/back-in-stock"), "{page}");
}

async fn the_dashboards_show_who_waits_for_what(store: Store) {
    let shop = Shop::start(store, "").await;
    let admin = harness::Admin::sign_in(&shop.app).await;
    let empty = admin.get("/admin/demand").await;
    assert!(empty.html.contains("Nobody waits"), "{}", empty.html);
    shop.asked("GONE-2", &["ada"]).await;
    shop.asked("GONE", &["ada", "ben"]).await;
    let page = admin.get("/admin/demand").await;
    let rows: Vec<&str> = page.html.split("<tr role=\"row\">").skip(2).collect();
    assert_eq!(rows.len(), 2, "{}", page.html);
    for (row, words) in rows.iter().zip([["The GONE<", ">2<", "Sold out"], ["The GONE-2", ">1<", "Sold out"]])
    {
        assert!(words.iter().all(|words| row.contains(words)), "{words:?} in {row}");
    }
    assert!(!page.html.contains("example.org"), "nobody's address");
    assert_eq!(admin.get("/admin/demand?cursor=x").await.status, 400);
    assert_eq!(harness::Admin::stranger(&shop.app).get("/admin/demand").await.path, "/admin/login");
}
