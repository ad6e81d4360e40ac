//! The rush: more buyers than pieces, all at once, from the empty cart to the paid order.

use std::{net::SocketAddr, time::Instant};

use harness::{
    Shopper, TestApp,
    app::Setup,
    audit,
    catalogue::{LAMP_STOCK, standard},
    cluster::Durability,
};
use tokio::task::spawn_local;

use super::Run;
use crate::figure::Target;

const BUYERS: usize = 200;

/// Runs the rush on one node, and on two where the store can be shared.
pub async fn measure(run: &Run) {
    rush(run, 1).await;
    if run.store == harness::Store::Postgres {
        rush(run, 2).await;
    }
}

async fn rush(run: &Run, nodes: usize) {
    let setup =
        Setup { goods: standard(), durability: Durability::Disk, config: String::new(), ..Setup::default() };
    let app = TestApp::start_with(run.store, setup).await;
    let twin = if nodes == 2 { Some(app.twin().await) } else { None };
    let addresses: Vec<SocketAddr> =
        [Some(app.address()), twin.as_ref().map(TestApp::address)].into_iter().flatten().collect();
    let mut buyers = vec![];
    for n in 0..BUYERS {
        let buyer = app.open_cart().await.on(addresses[n % addresses.len()]);
        // Its connection is open before the rush.
        buyer.cart().await;
        buyers.push(buyer);
    }
    let began = Instant::now();
    let buying: Vec<_> = buyers.into_iter().map(|buyer| spawn_local(buy(buyer))).collect();
    let (mut ordered, mut refused, mut other) = (0, 0, 0);
    for bought in buying {
        match bought.await.expect("a buyer is answered") {
            (200, _) => ordered += 1,
            (409, problem) if problem == "out-of-stock" => refused += 1,
            _ => other += 1,
        }
    }
    let took = began.elapsed().as_secs_f64();
    let sold = audit::stock(&app).await["LAMP"].sold;
    let name = |what: &str| format!("rush_{nodes}.{what}");
    let load = format!("{BUYERS} buyers, {LAMP_STOCK} pieces, {nodes} node(s)");
    run.print(&name("orders"), f64::from(ordered), "orders", Target::Exactly(LAMP_STOCK as f64), &load);
    let left_over = Target::Exactly(BUYERS as f64 - LAMP_STOCK as f64);
    run.print(&name("refused"), f64::from(refused), "refusals", left_over, "409 out-of-stock");
    run.print(&name("other"), f64::from(other), "answers", Target::Exactly(0.0), "anything else");
    run.print(&name("sold"), sold as f64, "pieces", Target::Exactly(LAMP_STOCK as f64), "in the stock table");
    run.print(&name("took"), took, "s", Target::AtMost(1.0), "cart to paid order, all of them");
}

async fn buy(buyer: Shopper) -> (u16, String) {
    let added = buyer.add("LAMP", 1).await;
    let last = if added.status == 200 { buyer.check_out("tok_success").await } else { added };
    (last.status, last.problem().to_owned())
}
