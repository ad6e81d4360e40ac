//! The API's document: a validator accepts it, and every promise of it is kept.

use std::{fs, path::PathBuf, process::Stdio};

use harness::{
    Answer, Store, TestApp, admin,
    program::{python_tool, repository, succeeded},
};
use reqwest::Method;
use serde_json::Value;

on_each_store!(
    the_document_is_valid,
    what_is_documented_is_routed_and_explained,
    only_the_shops_people_may_do_what_is_theirs,
    the_readme_leads_to_an_order,
);

async fn document(app: &TestApp) -> Value {
    let answer = Answer::to(reqwest::Client::new().get(app.url("/api/openapi.json"))).await.unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    answer.body
}

fn written(app: &TestApp, document: &Value) -> PathBuf {
    app.write_file("openapi.json", &document.to_string()).into()
}

async fn the_document_is_valid(store: Store) {
    let app = TestApp::start(store).await;
    let file = written(&app, &document(&app).await);
    let mut validator = python_tool("openapi-spec-validator");
    let output = validator.arg("--schema").arg("3.1").arg(file).output().await.unwrap();
    succeeded("openapi-spec-validator", &output);
}

async fn what_is_documented_is_routed_and_explained(store: Store) {
    let app = TestApp::start(store).await;
    let document = document(&app).await;
    let client = reqwest::Client::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let mut documented: Vec<_> = methods.as_object().unwrap().keys().map(|m| m.to_uppercase()).collect();
        documented.push("OPTIONS".into());
        if documented.iter().any(|method| method == "GET") {
            documented.push("HEAD".into());
        }
        documented.sort();
        let url = app.url(&path.replace(['{', '}'], "x"));
        let options = Answer::to(client.request(Method::OPTIONS, &url)).await.unwrap();
        assert_eq!(
            (options.status, options.header("allow")),
            (204, documented.join(", ").as_str()),
            "{path}"
        );
        let trace = Answer::to(client.request(Method::TRACE, &url)).await.unwrap();
        match path.starts_with("/api/v1/") {
            true => trace.assert_problem(405, "method-not-allowed"),
            // Other protocols have words of their own for it.
            false => assert_eq!(trace.status, 405, "{path}"),
        };
        assert_eq!(trace.header("allow"), documented.join(", "));
    }
    let problems = document["x-problems"].as_array().unwrap();
    assert!(problems.len() > 30);
    for problem in problems {
        let page = client.get(app.url(problem["type"].as_str().unwrap())).send().await.unwrap();
        assert_eq!(page.status(), 200, "{problem}");
        let page = page.text().await.unwrap();
        assert!(page.contains(problem["title"].as_str().unwrap()), "{page}");
    }
}

async fn only_the_shops_people_may_do_what_is_theirs(store: Store) {
    let app = TestApp::start_with(store, admin::setup()).await;
    let (document, client) = (document(&app).await, reqwest::Client::new());
    let mut theirs = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["security"][0].get("admin_password").is_none() {
                assert!(!path.contains("/admin/"), "{method} {path} is for everybody");
                continue;
            }
            theirs += 1;
            let call = || {
                let method = method.to_uppercase().parse().unwrap();
                client.request(method, app.url(&path.replace(['{', '}'], "x"))).json(&serde_json::json!({}))
            };
            let visitor = call().bearer_auth("a-visitor-of-the-shop-and-nobody-else");
            for request in [call(), visitor, call().basic_auth("", None::<&str>)] {
                let answer = Answer::to(request).await.unwrap();
                // A name is tried ten times in a quarter of an hour, and then no more.
                assert!(
                    [401, 429].contains(&answer.status),
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.body
                );
            }
            let answer = Answer::to(call()).await.unwrap();
            answer.assert_problem(401, "not-admin");
            assert!(answer.header("www-authenticate").starts_with("Basic "), "{method} {path}");
        }
    }
    assert!(theirs > 25, "{theirs}");
}

/// Runs the walk of the README as it is written, with a curl that finds port 8080 at the test's shop.
async fn the_readme_leads_to_an_order(store: Store) {
    let app = TestApp::start(store).await;
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let walk = readme.split("```sh\n").find(|block| block.starts_with("SHOP=")).unwrap();
    let walk = walk.split("```").next().unwrap();
    let home = PathBuf::from(app.write_file(".curlrc", &format!("connect-to = \"::{}\"\n", app.address())));
    let output = tokio::process::Command::new("bash")
        .args(["-euc", walk])
        .env("CURL_HOME", home.parent().unwrap())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = succeeded("the walk of the README", &output);
    let answers: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer["code"].as_str()).collect();
    assert_eq!(refused, ["stale_version"], "{said}");
    assert!(said.contains("204 No Content") && said.contains("preference-applied: return=minimal"), "{said}");
    let order = answers.last().unwrap();
    assert_eq!((&order["note"], &order["lines"][0]["quantity"]), (&"Ring twice".into(), &2.into()), "{said}");
}
