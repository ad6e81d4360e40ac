//! The workflow of all carts of a test: what is said of shoppers is to hold in whichever their shop gives them.

use serde_json::{Value, json};

use crate::tables;

tokio::task_local! {
    static WORKFLOW: Value;
}

/// Runs a test in whose shops every cart is opened in a workflow: the name of a built-in one, or one that is written out.
///
/// The shops that the test prepares run an experiment that shows it to everybody; carts, exposures and counts are those of
/// any other experiment.
pub async fn in_workflow<T>(workflow: Value, test: impl Future<Output = T>) -> T {
    WORKFLOW.scope(workflow, test).await
}

/// Writes the experiment of a test's workflow into a store whose server does not run yet.
pub(crate) async fn give_everybody(store_url: &str) {
    let Ok(workflow) = WORKFLOW.try_with(Clone::clone) else { return };
    let variation = |key: &str| json!({"key": key, "weight_bp": 5_000, "value": workflow});
    let definition = json!({
        "schema_version": 1, "key": "everybody", "name": "Everybody", "flag": "checkout_workflow",
        "status": "running", "is_aa": true, "coverage_bp": 10_000,
        "variations": [variation("one"), variation("other")],
    });
    // A quotation mark would end the literal; no workflow has one.
    let sql = format!(
        "INSERT INTO experiments (key, revision, definition, saved_at_ms, saved_by)
            VALUES ('everybody', 1, '{definition}', 1, 'test');
        UPDATE revisions SET revision = revision + 1 WHERE name = 'definitions';"
    );
    tables::run(store_url, &sql).await.expect("the experiment is written");
}
