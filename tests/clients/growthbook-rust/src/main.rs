//! The official Rust SDK, unchanged, in process: prints nanoseconds an answer (of the fastest round) and the answers for the payload, users
//! and keys of a file.

use std::hint::black_box;
use std::time::Instant;

use growthbook_rust::client::{GrowthBookClientBuilder, GrowthBookClientTrait};
use growthbook_rust::model_public::GrowthBookAttribute;
use serde_json::{Map, Value, json};

/// Few, since each answer takes its time with the number of features.
const ANSWERS: usize = 200;
const ROUNDS: usize = 11;

fn main() {
    let file = std::env::args().nth(1).expect("a file is named");
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let input: Value = serde_json::from_str(&text).expect("the file is JSON");
    let client = GrowthBookClientBuilder::new().features_json(input["payload"]["features"].clone());
    let client = client.expect("the features can be read").build();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let client = runtime.block_on(client).expect("a client");
    let users = input["users"].as_array().expect("a list of users");
    let users: Vec<Vec<GrowthBookAttribute>> =
        users.iter().map(|user| GrowthBookAttribute::from(user.clone()).expect("attributes")).collect();
    let mut measured = Map::new();
    for key in input["keys"].as_array().expect("a list of keys").iter().filter_map(Value::as_str) {
        // The client takes attributes by value; the copies are made outside of what is measured.
        let round = |_| {
            let given: Vec<_> = (0..ANSWERS).map(|i| users[i % users.len()].clone()).collect();
            let began = Instant::now();
            given
                .into_iter()
                .for_each(|attributes| drop(black_box(client.feature_result(key, Some(attributes)))));
            began.elapsed().as_nanos() as f64 / ANSWERS as f64
        };
        let fastest_ns = (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min);
        let values: Vec<Value> =
            users.iter().map(|user| client.feature_result(key, Some(user.clone())).value).collect();
        measured.insert(key.into(), json!({"ns": fastest_ns, "values": values}));
    }
    println!("{}", Value::Object(measured));
}
