//! The pages of carts that are shared by a link, without scripts, and what the API lets a link do.

use std::{sync::Mutex, time::Duration};

use harness::{Answer, Store, TestApp, app::Setup, app::random_token};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

on_each_store!(
    a_friend_without_scripts_fills_the_cart_until_the_owner_stops,
    a_reader_learns_no_code_and_changes_nothing,
    an_expired_cart_is_opened_again_by_its_link,
    a_link_lets_so_many_commands_through,
    so_little_is_answered_as_is_preferred,
);

/// Is a browser without scripts: who it is, and the message that its last form left.
struct Browser<'a> {
    app: &'a TestApp,
    token: String,
    notice: Mutex<String>,
}

impl<'a> Browser<'a> {
    fn new(app: &'a TestApp, token: &str) -> Self {
        Self { app, token: token.to_owned(), notice: Mutex::default() }
    }

    fn cookies(&self) -> String {
        let notice = std::mem::take(&mut *self.notice.lock().unwrap());
        format!("cartwright_visitor={}; {notice}", self.token)
    }

    async fn read(&self, path: &str) -> (u16, String) {
        let request = Client::new().get(self.app.url(path)).header("cookie", self.cookies());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Reads the part of a page that is not about the shop as such.
    async fn page(&self, path: &str) -> String {
        let (status, page) = self.read(path).await;
        assert_eq!(status, 200, "{path}: {page}");
        page.split("<main").nth(1).unwrap().split("</main>").next().unwrap().to_owned()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        client.post(self.app.url(path)).header("cookie", self.cookies()).form(form).send().await.unwrap()
    }

    /// Sends a form and returns the page that it leads to.
    async fn send(&self, path: &str, form: &[(&str, &str)]) -> String {
        let answer = self.post(path, form).await;
        let status = answer.status().as_u16();
        let header =
            |name: &str| answer.headers().get_all(name).iter().map(|v| v.to_str().unwrap().to_owned());
        let notice = header("set-cookie").find(|cookie| cookie.starts_with("cartwright_notice="));
        *self.notice.lock().unwrap() = notice.unwrap_or_default().split(';').next().unwrap().to_owned();
        let Some(to) = header("location").next() else {
            panic!("{path} {form:?} leads nowhere: {status} {}", answer.text().await.unwrap())
        };
        assert_eq!(status, 303);
        self.page(&to).await
    }
}

/// Finds the path of the page of a link that was just made.
fn link_on(page: &str) -> String {
    let at = page.find("/cart/shared/").expect("the new link is shown");
    page[at..].split('"').next().unwrap().to_owned()
}

async fn a_friend_without_scripts_fills_the_cart_until_the_owner_stops(store: Store) {
    let app = TestApp::start(store).await;
    let ann = app.open_cart().await;
    ann.add("MUG", 2).await.accepted();
    ann.add("RARE", 2).await.accepted();
    ann.command(&json!({"type": "set_note", "text": "the key is under the mat"})).await.accepted();
    let owner = Browser::new(&app, ann.token());
    assert!(owner.page("/cart").await.contains("Share this cart"));
    let wish = [("name", "The <party>"), ("editable", "1"), ("expires_in_s", "86400")];
    let shown = owner.send("/cart/shares", &wish).await;
    let link = link_on(&shown);
    assert!(shown.contains("The &lt;party&gt;") && shown.contains("Ends in 23 hours"), "{shown}");
    assert!(!owner.page("/cart").await.contains(&link["/cart/shared/".len()..]), "it is shown once");
    let own = owner.page(&link).await;
    assert!(own.contains("It is your own cart") && !own.contains("name=\"all\""), "{own}");

    let ben = Browser::new(&app, &random_token());
    let page = ben.page(&link).await;
    for part in ["The MUG", "£25.00", "£525.00", "This link ends in 23 hours", "Add all of it to my cart"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("under the mat"), "{page}");
    let page = ben.send(&link, &[("line", "MUG"), ("quantity", "5")]).await;
    assert!(page.contains("£62.50"), "{page}");
    assert_eq!(ann.quantity("MUG").await, 5);
    let page = ben.send(&link, &[("line", "RARE"), ("quantity", "9")]).await;
    assert!(page.contains("notice-refused") && page.contains("RARE"), "{page}");
    let found = ben.page(&format!("{link}?q=teapot")).await;
    assert!(found.contains("name=\"sku\" value=\"TEAPOT\"") && found.contains("£34.00"), "{found}");
    let page = ben.send(&link, &[("sku", "TEAPOT"), ("quantity", "1"), ("q", "teapot")]).await;
    assert!(
        page.contains("The TEAPOT is in the shared cart.") && page.contains("value=\"teapot\""),
        "{page}"
    );
    assert!(ben.page(&format!("{link}?q=zeppelin")).await.contains("Nothing was found for <b>zeppelin</b>"));
    assert!(ben.send(&link, &[("code", "WINTER")]).await.contains("notice-refused"));
    ben.send(&link, &[("line", "TEAPOT"), ("remove", "1")]).await;
    assert_eq!((ann.quantity("TEAPOT").await, ann.quantity("RARE").await), (0, 2));

    let page = ben.send(&link, &[("all", "1")]).await;
    assert!(page.contains("Not all of it could be had. The RARE: only 1 of 2."), "{page}");
    let taken = ben.page("/cart").await;
    assert!(taken.contains("value=\"5\"") && taken.contains("The RARE"), "{taken}");
    assert_eq!(ann.quantity("MUG").await, 5, "what is copied stays");
    let refused = owner.send(&link, &[("all", "1")]).await;
    assert!(refused.contains("all of it is there already"), "{refused}");
    assert_eq!(ann.quantity("MUG").await, 5);

    let foreign = Client::new().post(app.url(&link)).header("origin", "https://evil.example");
    let answer = foreign.form(&[("line", "MUG"), ("remove", "1")]).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), ann.quantity("MUG").await), (403, 5));
    for broken in [("quantity", "many"), ("line", "NOTHING"), ("sku", ""), ("code", "\u{0}"), ("none", "")] {
        assert_eq!(ben.post(&link, &[broken]).await.status(), 303, "{broken:?} is refused on the page");
    }

    let shares = ann.request("GET", "/shares", None).await.body;
    let stop = format!("/cart/shares/{}", shares["shares"][0]["id"].as_str().unwrap());
    assert_eq!(ben.post(&stop, &[]).await.status(), 303, "one's own cart has no such link");
    assert_eq!(ben.read(&link).await.0, 200);
    assert!(!owner.send(&stop, &[]).await.contains("Stop sharing"));
    owner.send(&stop, &[]).await;
    let (status, page) = ben.read(&link).await;
    assert!(status == 404 && page.contains("This link has ended"), "{status} {page}");
    assert_eq!(ben.post(&link, &[("line", "MUG"), ("remove", "1")]).await.status(), 404);
    assert_eq!(ben.read("/cart/shared/nothing").await.0, 404);
    assert_eq!(ann.quantity("MUG").await, 5);
}

const PROMOTIONS: &str = r#"[
    {"id": "friends-10", "name": "Friends 10: for our friends", "codes": ["FRIENDS10"],
     "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}
]"#;

async fn a_reader_learns_no_code_and_changes_nothing(store: Store) {
    let app = TestApp::start(store).await;
    let file = app.write_file("promotions.json", PROMOTIONS);
    app.run(&["import", "promotions", &file]).await;
    let ann = app.open_cart().await;
    ann.add("MUG", 2).await.accepted();
    let code = json!({"type": "apply_code", "code": "friends10"});
    for _ in 0..100 {
        if ann.command(&code).await.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(ann.cart().await["totals"]["discount_minor"], 250);
    let owner = Browser::new(&app, ann.token());
    let reader = link_on(&owner.send("/cart/shares", &[("editable", ""), ("expires_in_s", "")]).await);
    let editor = link_on(&owner.send("/cart/shares", &[("editable", "1"), ("expires_in_s", "")]).await);
    let ben = Browser::new(&app, &random_token());
    let token = reader.rsplit('/').next().unwrap();
    let read = app.call(reqwest::Method::GET, &format!("/api/v1/shared-carts/{token}"), None, None).await;
    let promotion = &read.body["cart"]["promotions"][0];
    assert_eq!(
        (&promotion["name"], &promotion["detail"], &promotion["off_minor"]),
        (&json!("A code"), &json!("A code: 2.50 GBP off"), &json!(250))
    );
    let (_, joined) = crate::shares::watch(&app, &ann.topic(), token).await;
    let page = ben.page(&reader).await;
    assert!(page.contains("A code: £2.50 off") && page.contains("£22.50"), "{page}");
    for text in [read.body.to_string(), joined.response().to_string(), page] {
        let bare: String = text.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        assert!(!bare.contains("friends10"), "{text}");
        assert!(!text.contains("data-by-link"), "{text}");
    }
    for form in
        [[("line", "MUG"), ("remove", "1")], [("code", "X"), ("q", "")], [("sku", "MUG"), ("quantity", "1")]]
    {
        assert_eq!(ben.post(&reader, &form).await.status(), 403, "{form:?}");
    }
    let page = ben.page(&editor).await;
    assert!(page.contains("Code <b>FRIENDS10</b>") && page.contains("Friends 10"), "{page}");
    let page = ben.send(&editor, &[("code", "friends10"), ("remove", "1")]).await;
    assert!(page.contains("£25.00") && !page.contains("FRIENDS10"), "{page}");
    assert!(ben.send(&editor, &[("code", "friends10")]).await.contains("£22.50"));
    assert!(ben.send(&reader, &[("all", "1")]).await.contains("All of it is in your cart."));
}

async fn an_expired_cart_is_opened_again_by_its_link(store: Store) {
    let config = "[payment]\ntimeout_ms = 300\n[carts]\nhold_sweep_seconds = 1\nabandon_seconds = 1\nexpire_seconds = 2\n";
    let app = TestApp::start_with(store, Setup { config: config.into(), ..Setup::default() }).await;
    let ann = app.open_cart().await;
    ann.add("MUG", 1).await.accepted();
    let made = ann.request("POST", "/shares", Some(json!({"editable": true}))).await.body;
    let link = format!("/cart/shared/{}", made["token"].as_str().unwrap());
    let ben = Browser::new(&app, &random_token());
    let mut page = String::new();
    for _ in 0..100 {
        page = ben.page(&link).await;
        if page.contains("Open it again") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(page.contains("The MUG") && !page.contains("find-words"), "{page}");
    let page = ben.send(&link, &[("reopen", "1")]).await;
    assert!(
        page.contains("The cart is open again, as it was left.") && page.contains("find-words"),
        "{page}"
    );
}

async fn command(app: &TestApp, token: &str, header: (&str, &str), command: &Value) -> Answer {
    let url = app.url(&format!("/api/v1/shared-carts/{token}/commands"));
    Answer::to(Client::new().post(url).header(header.0, header.1).json(command)).await.unwrap()
}

async fn a_link_lets_so_many_commands_through(store: Store) {
    let config = "[payment]\ntimeout_ms = 300\n[limits]\nlink_commands = 3\nseconds = 60\n";
    let app = TestApp::start_with(store, Setup { config: config.into(), ..Setup::default() }).await;
    let ann = app.open_cart().await;
    let mut tokens = vec![];
    for _ in 0..2 {
        let made = ann.request("POST", "/shares", Some(json!({"editable": true}))).await.body;
        tokens.push(made["token"].as_str().unwrap().to_owned());
    }
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 1});
    let plain = ("accept", "application/json");
    for _ in 0..3 {
        command(&app, &tokens[0], plain, &add).await.accepted();
    }
    let refused = command(&app, &tokens[0], plain, &add).await;
    refused.assert_problem(429, "too-many-requests");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    let (mut ben, _) = crate::shares::watch(&app, &ann.topic(), &tokens[0]).await;
    assert_eq!(ben.update_cart(&ann.topic(), "MUG", 9).await.reason(), "too_many_requests");
    let page = Browser::new(&app, &random_token());
    let page = page.send(&format!("/cart/shared/{}", tokens[0]), &[("sku", "MUG"), ("quantity", "1")]).await;
    assert!(page.contains("The link has asked more often than it may"), "{page}");
    command(&app, &tokens[1], plain, &add).await.accepted();
    ann.add("MUG", 1).await.accepted();
    assert_eq!(ann.quantity("MUG").await, 5);
}

async fn so_little_is_answered_as_is_preferred(store: Store) {
    let app = TestApp::start(store).await;
    let ann = app.open_cart().await;
    let made = ann.request("POST", "/shares", Some(json!({"editable": true}))).await.body;
    let token = made["token"].as_str().unwrap();
    let add = json!({"type": "add_line", "sku": "MUG", "quantity": 1});
    let least = command(&app, token, ("prefer", "return=minimal"), &add).await;
    assert_eq!((least.status, &least.body), (204, &Value::Null));
    let version = ann.cart().await["version"].to_string();
    assert_eq!(
        (least.header("preference-applied"), least.header("etag")),
        ("return=minimal", &*format!("\"{version}\""))
    );
    let all = command(&app, token, ("prefer", "return=representation"), &add).await;
    assert_eq!((all.status, all.header("preference-applied")), (200, "return=representation"));
    assert_eq!(all.body["cart"]["lines"][0]["quantity"], 2, "{}", all.body);
}
