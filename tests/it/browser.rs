//! The storefront in a real browser: live on two devices, and without JavaScript.

use harness::{
    Store, TestApp,
    program::{node_script, succeeded},
};

on_each_store!(
    two_browsers_share_a_cart_live,
    a_shopper_without_javascript_buys,
    the_snippet_works_as_written
);

async fn in_browser(store: Store, scenario: &str) {
    let app = TestApp::start(store).await;
    let output = node_script("browser.js", &[scenario.to_owned(), app.url("")]).await;
    let said = succeeded(&format!("tests/clients/browser.js {scenario}"), &output);
    assert!(said.trim_end().ends_with("all well"), "{said}");
}

async fn two_browsers_share_a_cart_live(store: Store) {
    in_browser(store, "live").await;
}

async fn a_shopper_without_javascript_buys(store: Store) {
    in_browser(store, "without-javascript").await;
}

async fn the_snippet_works_as_written(store: Store) {
    in_browser(store, "snippet").await;
}
