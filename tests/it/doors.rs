//! The pages on which one logs in and out: what a form is answered.

use harness::{Admin, Store, TestApp, admin};
use reqwest::{Client, Response, redirect::Policy};

use crate::users::{PASSWORD, sign_up};

on_each_store!(
    a_wrong_password_is_said_and_not_repeated,
    one_is_led_on_within_the_shop_only,
    a_browser_that_logs_out_forgets,
    forms_of_other_sites_are_refused,
    the_shops_people_are_not_guessed,
    pages_say_how_they_would_answer,
);

async fn send(app: &TestApp, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    client.post(app.url(path)).header("Cookie", cookie).form(fields).send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn session(answer: &Response) -> String {
    let mut cookies = answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let session = cookies.rfind(|cookie| cookie.starts_with("cartwright_session="));
    session.expect("the browser is told who it is").split(';').next().unwrap().to_owned()
}

async fn log_in(app: &TestApp, next: &str, password: &str) -> Response {
    let fields = [("email", "ada@example.org"), ("password", password), ("next", next)];
    send(app, "/login", "", &fields).await
}

async fn a_wrong_password_is_said_and_not_repeated(store: Store) {
    let app = TestApp::start(store).await;
    sign_up(&app).await;
    let answer = log_in(&app, "/cart", "seven swans over Bath").await;
    assert_eq!(answer.status(), 401);
    let page = answer.text().await.unwrap();
    assert!(page.contains("The e-mail address or the password is not right"), "{page}");
    assert!(page.contains("value=\"ada@example.org\"") && page.contains("value=\"/cart\""), "{page}");
    assert!(!page.contains("seven swans"), "a password is typed anew");
    let long = log_in(&app, "/cart", &"x".repeat(5_000)).await;
    assert_eq!(long.status(), 401, "however long it is");
    let fields = [("email", "eve@example"), ("password", "short")];
    let refused = send(&app, "/register", "", &fields).await;
    assert_eq!(refused.status(), 422);
    let page = refused.text().await.unwrap();
    assert_eq!(page.matches("aria-invalid").count(), 2, "{page}");
}

async fn one_is_led_on_within_the_shop_only(store: Store) {
    let app = TestApp::start(store).await;
    sign_up(&app).await;
    for (next, leads_to) in
        [("/cart", "/cart"), ("//evil.example", "/account"), ("https://evil.example", "/account")]
    {
        let answer = log_in(&app, next, PASSWORD).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, leads_to));
    }
    let stranger = Client::builder().redirect(Policy::none()).build().unwrap();
    let answer = stranger.get(app.url("/account")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, "/login?next=/account"));
}

async fn a_browser_that_logs_out_forgets(store: Store) {
    let app = TestApp::start(store).await;
    sign_up(&app).await;
    let user = session(&log_in(&app, "/account", PASSWORD).await);
    let account = async |cookie: &str| {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        client.get(app.url("/account")).header("Cookie", cookie).send().await.unwrap()
    };
    let page = account(&user).await;
    assert_eq!(page.status(), 200);
    assert!(header(&page, "cache-control").contains("no-store"));
    assert!(page.text().await.unwrap().contains("this device"));
    let out = send(&app, "/logout", &user, &[]).await;
    assert_eq!((out.status().as_u16(), header(&out, "location")), (303, "/"));
    assert_eq!(header(&out, "clear-site-data"), "\"storage\"");
    let stranger = session(&out);
    assert_ne!(stranger, user);
    assert_eq!(account(&stranger).await.status(), 303);
    assert_eq!(account(&user).await.status(), 303, "the session itself has ended");
}

async fn forms_of_other_sites_are_refused(store: Store) {
    let app = TestApp::start(store).await;
    sign_up(&app).await;
    let fields = [("email", "ada@example.org"), ("password", PASSWORD)];
    let request =
        Client::new().post(app.url("/login")).header("Origin", "https://evil.example").form(&fields);
    assert_eq!(request.send().await.unwrap().status(), 403);
}

/// Tries of one address at one account in a quarter of an hour (`users/throttle.rs`).
const TRIES: usize = 10;

async fn the_shops_people_are_not_guessed(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let many = (0..2 * TRIES).map(|_| admin::api(&app, "GET", "/stock", None));
    for answer in futures_util::future::join_all(many).await {
        assert_eq!(answer.status, 200, "a busy program does not guess");
    }
    let person = Admin::sign_in(&app).await;
    for _ in 0..TRIES {
        assert_eq!(Admin::stranger(&app).sign_in_with("wrong horse battery").await.status, 401);
    }
    let refused = Admin::stranger(&app).sign_in_with("another horse battery").await;
    assert_eq!(refused.status, 429, "{}", refused.html);
    assert!(refused.text().contains("There were too many attempts to log in; try again later."));
    let guess = Client::new().get(app.url("/api/v1/admin/stock")).basic_auth(admin::USER, Some("guess"));
    let answer = guess.send().await.unwrap();
    assert_eq!(answer.status(), 429, "both doors count together");
    let wait: u32 = header(&answer, "retry-after").parse().unwrap();
    assert!((1..=901).contains(&wait), "{wait}");
    assert_eq!(person.get("/admin").await.path, "/admin", "who is in stays in");
    sign_up(&app).await;
    assert_eq!(log_in(&app, "/account", PASSWORD).await.status(), 303, "customers are others");
}

async fn pages_say_how_they_would_answer(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let client = Client::new();
    for path in
        ["/", "/products/MUG", "/cart", "/static/shop.css", "/healthz", "/metrics", "/admin/login", "/none"]
    {
        let whole = client.get(app.url(path)).send().await.unwrap();
        let peek = client.head(app.url(path)).send().await.unwrap();
        assert_eq!(peek.status(), whole.status(), "{path}");
        assert_eq!(header(&peek, "content-type"), header(&whole, "content-type"), "{path}");
        assert_eq!(peek.bytes().await.unwrap().len(), 0, "{path}");
    }
}
