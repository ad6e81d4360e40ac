//! `kill -9` under load; `tests/bench kill` does it many more times.

use harness::{Store, cluster::Durability, kill::rounds};

on_each_store!(an_acknowledged_command_survives_a_kill);

async fn an_acknowledged_command_survives_a_kill(store: Store) {
    let found = rounds(store, Durability::Process, 5, |_| {}).await;
    println!("{store}: {found:?}");
    assert!(found.acknowledged >= 200 && found.unknown > 0, "there was no load: {found:?}");
    assert_eq!((found.lost, found.doubled, found.unconserved), (0, 0, 0), "{found:?}");
}
