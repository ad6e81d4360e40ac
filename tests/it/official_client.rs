//! The official `phoenix` package, unchanged, and the snippet that the product grew from.

use harness::{
    Store, TestApp,
    program::{node_script, succeeded},
};

on_each_store!(the_official_client_works_as_its_readme_says);

async fn the_official_client_works_as_its_readme_says(store: Store) {
    let app = TestApp::start(store).await;
    let output = node_script("phoenix.js", &[app.address().to_string()]).await;
    let said = succeeded("tests/clients/phoenix.js", &output);
    assert!(said.trim_end().ends_with("all well"), "{said}");
}
