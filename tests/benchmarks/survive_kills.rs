//! `kill -9` under load, many times, for each store.

use std::io::{IsTerminal, Write};

use harness::{Store, cluster::Durability, kill};

use crate::figure::{Figure, Format, Target};

/// Kills each store's server so many times and prints what was lost, doubled and unconserved.
pub async fn measure(rounds: u32, format: Format) {
    for store in [Store::Sqlite, Store::Postgres] {
        let found =
            kill::rounds(store, Durability::Disk, rounds, |round| progress(store, round, rounds)).await;
        let beside = format!("{} acknowledged commands over {rounds} kills", found.acknowledged);
        let zero = Target::Exactly(0.0);
        let print = |what: &str, value: f64, unit, target| {
            let name = format!("kill.{store}.{what}");
            Figure { name, value, unit, target, yardstick: beside.clone() }.print(format);
        };
        print("acknowledged", found.acknowledged as f64, "commands", Target::None);
        print("sent_again", found.unknown as f64, "commands", Target::None);
        print("orders", found.orders as f64, "orders", Target::None);
        print("lost", found.lost as f64, "commands", zero);
        print("doubled", found.doubled as f64, "commands", zero);
        print("unconserved", found.unconserved as f64, "SKUs", zero);
        let mut restarts = found.restart_ms;
        restarts.sort_unstable();
        print("restart_p50", restarts[restarts.len() / 2] as f64, "ms", Target::None);
    }
}

fn progress(store: Store, round: u32, rounds: u32) {
    let mut err = std::io::stderr();
    if err.is_terminal() {
        let _ =
            write!(err, "\r{store}: round {round} of {rounds}{}", if round == rounds { "\n" } else { "" });
    }
}
