//! The storefront in a real browser: live on two devices, and without JavaScript.

use crate::{experiments, ledger, page_forms};

use harness::{
    Store, TestApp,
    app::Setup,
    program::{node_script, succeeded},
};

on_each_store!(
    two_browsers_share_a_cart_live,
    a_shopper_without_javascript_buys,
    the_drawer_and_the_single_page_lead_to_an_order,
    the_drawer_workflow_needs_no_javascript,
    the_snippet_works_as_written,
    two_carts_become_one_under_everybodys_eyes,
    an_account_needs_no_javascript,
    a_shared_cart_is_live_for_its_owner_and_a_friend,
    a_shared_cart_needs_no_javascript,
    codes_are_typed_into_one_field,
    the_time_of_a_hold_is_counted_down,
    properties_are_typed_beside_the_button_that_adds,
);

async fn in_browser(store: Store, scenario: &str) {
    visit(&TestApp::start(store).await, scenario).await;
}

/// Plays a scenario of `tests/clients/browser.js` in a shop.
pub async fn visit(app: &TestApp, scenario: &str) {
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

async fn the_drawer_and_the_single_page_lead_to_an_order(store: Store) {
    let (app, _admin) = experiments::start(store).await;
    visit(&app, "drawer").await;
}

async fn the_drawer_workflow_needs_no_javascript(store: Store) {
    let (app, _admin) = experiments::start(store).await;
    visit(&app, "drawer-without-javascript").await;
}

async fn the_snippet_works_as_written(store: Store) {
    in_browser(store, "snippet").await;
}

async fn two_carts_become_one_under_everybodys_eyes(store: Store) {
    in_browser(store, "log-in").await;
}

async fn an_account_needs_no_javascript(store: Store) {
    in_browser(store, "account-without-javascript").await;
}

async fn a_shared_cart_is_live_for_its_owner_and_a_friend(store: Store) {
    in_browser(store, "shared").await;
}

async fn a_shared_cart_needs_no_javascript(store: Store) {
    in_browser(store, "shared-without-javascript").await;
}

async fn codes_are_typed_into_one_field(store: Store) {
    visit(&ledger::shop(store).await, "codes").await;
}

async fn the_time_of_a_hold_is_counted_down(store: Store) {
    let config = "[carts]\nhold_seconds = 20\nhold_sweep_seconds = 1\n".to_owned();
    let app = TestApp::start_with(store, Setup { config, ..Setup::default() }).await;
    visit(&app, "hold").await;
}

async fn properties_are_typed_beside_the_button_that_adds(store: Store) {
    visit(&page_forms::stationer(store).await.0, "properties").await;
}
