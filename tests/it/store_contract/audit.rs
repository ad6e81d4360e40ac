//! The auditor of a store: silent where all is well, and not deaf.

use cart_core::Command;

use super::{
    orders::imported,
    subject::{HOLD_MS, NOW_MS, Subject, level, sku},
    till::{add, command, open},
};

/// Lives a little: carts that hold, carts that let go, orders, an import, a new supply.
async fn live(subject: &Subject) {
    subject.stock_up(&[("MUG", 20), ("TEE", 5), ("VASE", 9), ("PDF", 0)]).await;
    subject.turn(vec![open("a", "ann"), add("a", "MUG", 3), add("a", "TEE", 1), add("a", "VASE", 1)]).await;
    subject.turn(vec![open("b", "bob"), add("b", "MUG", 2)]).await;
    subject.turn(vec![command("b", Command::ExpireHolds).at(NOW_MS + HOLD_MS)]).await;
    subject.turn(vec![command("a", Command::RemoveLine { line: sku("TEE").into() })]).await;
    for goods in ["MUG", "VASE", "PDF"] {
        subject.sell(&format!("buys-{goods}"), "eve", goods, 2).await;
    }
    subject.store.import_orders(&[imported("1", "eve", NOW_MS)]).await.unwrap();
    subject.stock_up(&[("MUG", 30)]).await;
    assert_eq!(subject.level("MUG").await, level(30, 25, 3, 2));
    assert_eq!(subject.level("VASE").await, level(9, 7, 0, 2));
}

pub async fn a_shop_that_lived_is_clean(subject: Subject) {
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
    live(&subject).await;
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
    subject.store.ping().await.unwrap();
}

pub async fn pieces_held_by_nobody_are_found(subject: Subject) {
    live(&subject).await;
    match subject.double() {
        Some(double) => double.overwrite_stock(&sku("MUG"), level(30, 24, 4, 2)).await,
        None => {
            let damage = "UPDATE stock SET available = available - 1, held = held + 1 WHERE sku = 'MUG'";
            subject.sql(damage).await.unwrap().unwrap();
        }
    }
    let found = subject.store.audit().await.unwrap();
    assert!(found.len() == 1 && found[0].contains("MUG") && found[0].contains("held"), "{found:?}");
}

/// Damages the tables and returns what the auditor found.
async fn found(subject: &Subject, damage: &str) -> String {
    live(subject).await;
    subject.sql(damage).await.unwrap().unwrap();
    subject.store.audit().await.unwrap().join("\n")
}

async fn an_order_that_was_lost_is_found(subject: Subject) {
    let found = found(&subject, "DELETE FROM orders WHERE cart = 'buys-VASE'").await;
    assert!(found.contains("VASE") && found.contains("sold") && found.contains("buys-VASE"), "{found}");
}

async fn a_sale_that_never_was_is_found(subject: Subject) {
    let found = found(&subject, "UPDATE orders SET source = 'shop' WHERE source = 'import'").await;
    assert!(found.contains("import-1"), "{found}");
}

async fn a_cart_that_was_lost_is_found(subject: Subject) {
    let found = found(&subject, "DELETE FROM idempotency_keys; DELETE FROM carts WHERE id = 'a'").await;
    assert!(found.contains("MUG") && found.contains("held"), "{found}");
}

async fn the_tables_themselves_refuse_pieces_from_nowhere(subject: Subject) {
    live(&subject).await;
    for damage in [
        "UPDATE stock SET available = available + 1 WHERE sku = 'MUG'",
        "UPDATE stock SET available = -1, held = supplied + 1 - sold WHERE sku = 'MUG'",
        "UPDATE orders SET cart = 'buys-MUG' WHERE cart = 'buys-VASE'",
    ] {
        assert!(subject.sql(damage).await.unwrap().is_err(), "{damage}");
    }
}

on_tables! {
    an_order_that_was_lost_is_found,
    a_sale_that_never_was_is_found,
    a_cart_that_was_lost_is_found,
    the_tables_themselves_refuse_pieces_from_nowhere,
}
