//! The demo, as a newcomer starts it: simulated shoppers, a planted effect, and what the dashboards made of it.

use std::{fs, process::Command};

use harness::{program, reaper};
use serde_json::Value;

#[test]
fn the_demo_finds_what_it_planted() {
    let folder = reaper::folder("demo");
    let output = Command::new(program::built("cartwright"))
        .args([
            "demo",
            "--port",
            "0",
            "--shoppers",
            "1200",
            "--seed",
            "3",
            "--skip-training",
            "--exit",
            "--json",
            "--dir",
        ])
        .arg(&folder)
        .output()
        .unwrap();
    let told: Value = serde_json::from_str(&program::succeeded("the demo", &output)).unwrap();
    let letter = fs::read_dir(folder.join("letters")).unwrap().next().unwrap().unwrap();
    let letter = fs::read_to_string(letter.path()).unwrap().replace("=\r\n", "");
    assert!(letter.contains(&format!("{}/orders/o", told["url"].as_str().unwrap())), "{letter}");
    let experiments = told["experiments"].as_array().unwrap();
    let named: Vec<_> = experiments.iter().map(|e| e["experiment"].as_str().unwrap()).collect();
    assert_eq!(named, ["checkout-express", "aa-shelf-heading"]);
    for (experiment, truth) in experiments.iter().zip([0.25, 0.0]) {
        assert_eq!((experiment["units"].as_u64(), experiment["truth"].as_f64()), (Some(1_200), Some(truth)));
        let end = |name: &str| experiment[name].as_f64().unwrap();
        assert!(
            end("lower") <= truth && truth <= end("upper"),
            "the interval misses the truth: {experiment}"
        );
    }
    assert_ne!(experiments[1]["verdict"], "better", "nothing was planted there");
}
