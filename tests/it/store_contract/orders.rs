//! Orders of this shop and of others.

use cart_core::{Command, Order, OrderId, OrderLine, OrderState, RefundWish};
use web::store::{ImportedOrder, OrderQuery};

use super::subject::{NOW_MS, PRICE_MINOR, Subject, accepted, cart_id, currency, level, sku, visitor};
use super::till::command;

pub async fn an_order_reads_back_as_it_was_placed(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    subject.sell("c", "ann", "MUG", 2).await;
    let order = subject.store.order(&id("order-c")).await.unwrap().unwrap();
    assert_eq!((order.cart.as_str(), order.owner.as_str(), order.total_minor), ("c", "ann", 2_500));
    assert_eq!((order.lines[0].from_held, order.lines[0].from_available), (2, 0));
    assert_eq!(subject.store.orders_of(&visitor("ann"), 9).await.unwrap(), [order]);
    assert_eq!(subject.cart("c").await.order_id(), Some(&id("order-c")));
    assert_eq!(subject.level("MUG").await, level(10, 8, 0, 2));
    assert!(subject.store.order(&id("none")).await.unwrap().is_none());
}

pub async fn an_import_is_idempotent_and_touches_no_stock(subject: Subject) {
    subject.stock_up(&[("MUG", 1)]).await;
    let orders = [imported("1", "ann", NOW_MS - 9), imported("2", "bob", NOW_MS - 8)];
    assert_eq!(subject.store.import_orders(&orders).await.unwrap(), 2);
    let more = [orders[1].clone(), imported("3", "bob", NOW_MS - 7), imported("3", "bob", NOW_MS - 7)];
    assert_eq!(subject.store.import_orders(&more).await.unwrap(), 1);
    assert_eq!(subject.store.import_orders(&more).await.unwrap(), 0);
    assert_eq!(subject.store.import_orders(&[]).await.unwrap(), 0);

    assert_eq!(subject.store.order(&id("1")).await.unwrap().unwrap(), orders[0].0);
    let events = subject.events().await;
    let told: Vec<_> = events.iter().map(|e| (e.kind.as_str(), e.unit.as_str(), e.at_ms)).collect();
    let placed = |unit, at_ms| ("order_placed", unit, at_ms);
    assert_eq!(told, [placed("ann", NOW_MS - 9), placed("bob", NOW_MS - 8), placed("bob", NOW_MS - 7)]);
    let data: serde_json::Value = serde_json::from_str(events[0].data.get()).unwrap();
    let expected = serde_json::json!({
        "order_id": "1", "currency": "GBP", "total_minor": 700, "source": "import",
        "lines": [{"sku": "MUG", "quantity": 7, "unit_price_minor": 100}],
    });
    assert_eq!(data, expected);
    assert_eq!(subject.level("MUG").await, level(1, 1, 0, 0));
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}

pub async fn the_orders_of_a_visitor_come_newest_first(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    let orders = [
        imported("old", "ann", NOW_MS - 5),
        imported("new", "ann", NOW_MS + 5),
        imported("other", "bob", NOW_MS),
    ];
    subject.store.import_orders(&orders).await.unwrap();
    subject.sell("c", "ann", "MUG", 1).await;
    let of = async |limit| {
        let orders = subject.store.orders_of(&visitor("ann"), limit).await.unwrap();
        orders.iter().map(|o| o.order_id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(of(9).await, ["new", "order-c", "old"]);
    assert_eq!(of(2).await, ["new", "order-c"]);
    let totals = subject.store.totals().await.unwrap();
    assert_eq!(
        (totals.carts, totals.orders, totals.revenue_minor),
        (1, 1, PRICE_MINOR),
        "others' orders are not ours"
    );
}

pub async fn what_a_visitor_bought_is_known_of_many_orders(subject: Subject) {
    let order = |n: i64, owner: &str, skus: &[&str]| {
        let ImportedOrder(mut order) = imported(&format!("{owner}-{n}"), owner, NOW_MS + n);
        order.lines = skus.iter().map(|text| OrderLine::new(sku(text), "Thing", 1, 100)).collect();
        ImportedOrder(order)
    };
    let mut orders = vec![order(0, "ann", &["KETTLE", "MUG"]), order(0, "bob", &["LAMP"])];
    orders.extend((1..=40).map(|n| order(n, "ann", &["TEA", "MUG"])));
    subject.store.import_orders(&orders).await.unwrap();
    let bought = async |who: &str, orders| {
        let bought = subject.store.bought_by(&visitor(who), orders).await.unwrap();
        bought.iter().map(|sku| sku.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(bought("ann", 1_000).await, ["KETTLE", "MUG", "TEA"]);
    assert_eq!(bought("ann", 40).await, ["MUG", "TEA"], "the newest orders alone");
    assert_eq!(bought("bob", 1_000).await, ["LAMP"]);
    assert!(bought("cid", 1_000).await.is_empty());
}

pub async fn what_becomes_of_an_order_is_kept_and_found(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    for (cart, owner) in [("a", "ann"), ("b", "ann"), ("c", "bob")] {
        subject.sell(cart, owner, "MUG", 2).await;
    }
    let placed = async |name| Box::new(subject.store.order(&id(name)).await.unwrap().unwrap());
    let wish = RefundWish { lines: vec![(sku("MUG").into(), 1)], restock: true, ..RefundWish::default() };
    let order = placed("order-a").await;
    accepted(&subject.ask(command("a", Command::RefundOrder { order, wish })).await);
    let order = placed("order-b").await;
    accepted(&subject.ask(command("b", Command::CancelOrder { order })).await);
    assert_eq!(subject.level("MUG").await, level(10, 7, 0, 3));
    let (a, b) = (placed("order-a").await, placed("order-b").await);
    assert_eq!((a.payment_status(), a.lines[0].restocked), ("partially_refunded", 1));
    assert_eq!(
        (b.payment_status(), b.state.status.name(), b.lines[0].restocked),
        ("refunded", "cancelled", 2)
    );
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);

    let found = async |query: OrderQuery, limit| {
        let orders = subject.store.find_orders(&query, limit).await.unwrap();
        orders.iter().map(|o| o.order_id.to_string()).collect::<Vec<_>>()
    };
    let all = OrderQuery::default();
    assert_eq!(found(all.clone(), 9).await, ["order-c", "order-b", "order-a"]);
    assert_eq!(found(all.clone(), 2).await, ["order-c", "order-b"]);
    let before = Some((NOW_MS, id("order-b")));
    assert_eq!(found(OrderQuery { before, ..all.clone() }, 9).await, ["order-a"]);
    let of_ann = OrderQuery { owner: Some(visitor("ann")), ..all.clone() };
    assert_eq!(found(of_ann.clone(), 9).await, ["order-b", "order-a"]);
    assert_eq!(found(OrderQuery { status: Some("cancelled"), ..of_ann }, 9).await, ["order-b"]);
    for (text, names) in [
        ("order-c", &["order-c"][..]),
        ("ann@example.org", &["order-c", "order-b", "order-a"]),
        ("eve@example.org", &[]),
        ("", &[]),
    ] {
        assert_eq!(found(OrderQuery { text: Some(text.into()), ..all.clone() }, 9).await, names, "{text}");
    }
}

pub async fn payments_are_listed_until_they_end(subject: Subject) {
    subject.stock_up(&[("MUG", 10)]).await;
    for cart in ["a", "b"] {
        subject.sell(cart, "ann", "MUG", 1).await;
    }
    let pending = async |before_ms| {
        let pending = subject.store.pending_payments(before_ms, 9).await.unwrap();
        pending.iter().map(|p| (p.cart.to_string(), p.since_ms, p.tries)).collect::<Vec<_>>()
    };
    let listed = |cart: &str, tries| (cart.to_owned(), NOW_MS, tries);
    assert_eq!(pending(NOW_MS).await, []);
    assert_eq!(pending(NOW_MS + 1).await, [listed("a", 0), listed("b", 0)]);
    subject.store.put_off_payment(&cart_id("a"), NOW_MS + 60_000).await.unwrap();
    subject.store.put_off_payment(&cart_id("nobodys"), NOW_MS).await.unwrap();
    assert_eq!(pending(NOW_MS + 60_000).await, [listed("b", 0)]);
    assert_eq!(pending(NOW_MS + 60_001).await, [listed("b", 0), listed("a", 1)]);
    let task = subject.cart("b").await.payment_tasks.remove(0);
    accepted(&subject.ask(command("b", Command::SettlePayment(task))).await);
    assert_eq!(pending(i64::MAX).await, [listed("a", 1)]);
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}

fn id(text: &str) -> OrderId {
    OrderId::parse(text).unwrap()
}

pub fn imported(name: &str, owner: &str, placed_at_ms: i64) -> ImportedOrder {
    ImportedOrder(Order {
        order_id: id(name),
        cart: cart_id(&format!("import-{name}")),
        owner: visitor(owner),
        placed_at_ms,
        currency: currency(),
        note: String::new(),
        lines: vec![OrderLine::new(sku("MUG"), "Mug", 7, 100)],
        shipping: None,
        quote: None,
        shipping_minor: 0,
        total_minor: 700,
        payment_reference: name.into(),
        postings: vec![],
        payment: None,
        email: String::new(),
        state: OrderState::default(),
    })
}
