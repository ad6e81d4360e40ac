//! What keeps the house in order: who may import whom, and what files may be called.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use harness::program::{repository, succeeded};
use serde_json::Value;

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output =
        Command::new(cargo).args(arguments).arg("--offline").current_dir(repository()).output().unwrap();
    succeeded(&format!("cargo {}", arguments.join(" ")), &output)
}

#[test]
fn arrows_between_crates_point_inwards() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version=1"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: Vec<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let mut arrows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let mut inside: Vec<&str> = dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap())
            .filter(|name| names.contains(name))
            .collect();
        inside.sort_unstable();
        arrows.insert(package["name"].as_str().unwrap(), inside);
    }
    let allowed = BTreeMap::from([
        ("cart-core", vec![]),
        ("experiments", vec![]),
        ("recommender", vec!["cart-core"]),
        ("learning", vec!["recommender"]),
        ("cartwright-batch", vec!["cart-core", "learning", "recommender"]),
        ("dashboards", vec!["experiments"]),
        ("cartwright", vec!["cart-core", "dashboards", "experiments", "recommender"]),
        ("harness", vec![]),
        // The benchmark of prices runs the pure core in process, that of statistics the pure statistics, that of the
        // batch its counts, and that of recommendations loads a model.
        ("benchmarks", vec!["cart-core", "experiments", "harness", "learning", "recommender"]),
        ("tests", vec![]),
    ]);
    assert_eq!(arrows.keys().collect::<Vec<_>>(), allowed.keys().collect::<Vec<_>>());
    for (package, inside) in &arrows {
        for dependency in inside {
            assert!(allowed[package].contains(dependency), "{package} must not import {dependency}");
        }
    }
}

#[test]
fn the_server_never_links_polars() {
    let tree = cargo(&[
        "tree",
        "--package",
        "cartwright",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--locked",
    ]);
    assert!(tree.contains("actix-web "), "the tree was read");
    let polars: Vec<&str> = tree.lines().filter(|line| line.starts_with("polars")).collect();
    assert_eq!(polars, Vec::<&str>::new());
}

/// Returns all files that git would see, without those it ignores.
fn tracked_files() -> Vec<PathBuf> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(repository()).output().unwrap();
    succeeded("git ls-files", &output).lines().map(PathBuf::from).collect()
}

#[test]
fn modules_are_nouns_beside_their_folders() {
    const FORBIDDEN: [&str; 6] = ["mod", "utils", "helpers", "common", "types", "misc"];
    let files = tracked_files();
    assert!(files.iter().any(|file| file == Path::new("cart-core/src/lib.rs")), "the files were listed");
    let offenders: Vec<_> = files
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter(|file| FORBIDDEN.contains(&file.file_stem().unwrap().to_str().unwrap()))
        .collect();
    assert_eq!(offenders, Vec::<&PathBuf>::new());
}

#[test]
fn left_overs_are_not_committed() {
    // Split, so that this file is no offender.
    let marks =
        [concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("FIX", "ME"), concat!("dbg", "!(")];
    for file in
        tracked_files().iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
    {
        let Ok(text) = fs::read_to_string(repository().join(file)) else { continue };
        for mark in marks {
            assert!(!text.contains(mark), "{} holds {mark}", file.display());
        }
    }
}
