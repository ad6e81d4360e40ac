//! Products and their supply.

use cart_core::{LocationId, Slot, StockLevel};
use web::store::{ProductSupply, StockAct, StockChange, StockOutcome, SupplyOutcome};

use super::{
    subject::{NOW_MS, Subject, level, product, rejected, sku, skus, supply, turn},
    till::{add, open},
};

pub async fn products_are_put_with_one_outcome_each(subject: Subject) {
    let put = async |goods: &[ProductSupply]| subject.store.put_products(goods).await.unwrap();
    use SupplyOutcome::{Inserted, Unchanged, Updated};
    assert_eq!(put(&[supply("MUG", Some(5)), supply("TEE", None)]).await, [Inserted, Inserted]);
    assert_eq!(subject.level("MUG").await, level(5, 5, 0, 0));
    assert_eq!(subject.level("TEE").await, level(0, 0, 0, 0));
    assert_eq!(put(&[supply("MUG", Some(5)), supply("MUG", None)]).await, [Unchanged, Unchanged]);

    let mut dear = supply("MUG", None);
    dear.product.price.minor = 9_900;
    assert_eq!(put(&[dear.clone(), dear, supply("TEE", Some(2))]).await, [Updated, Unchanged, Updated]);
    assert_eq!(subject.level("MUG").await, level(5, 5, 0, 0));
    assert_eq!(subject.level("TEE").await, level(2, 2, 0, 0));
    assert_eq!(put(&[]).await, []);
}

pub async fn a_supply_below_what_is_taken_is_refused_alone(subject: Subject) {
    subject.stock_up(&[("MUG", 10), ("TEE", 1)]).await;
    subject.turn(vec![open("a", "ann"), add("a", "MUG", 2)]).await;
    subject.sell("b", "bob", "MUG", 3).await;
    subject.stock_up(&[("MUG", 12)]).await;
    assert_eq!(subject.level("MUG").await, level(12, 7, 2, 3));
    subject.stock_up(&[("MUG", 5)]).await;
    assert_eq!(subject.level("MUG").await, level(5, 0, 2, 3));

    let mut low = supply("MUG", Some(4));
    low.product.name = "Refused".into();
    let outcomes =
        subject.store.put_products(&[supply("PDF", None), low, supply("TEE", Some(7))]).await.unwrap();
    let refused = SupplyOutcome::SupplyTooLow { taken: 5 };
    assert_eq!(outcomes, [SupplyOutcome::Inserted, refused, SupplyOutcome::Updated]);
    assert_eq!(subject.level("MUG").await, level(5, 0, 2, 3));
    assert_eq!(subject.level("TEE").await, level(7, 7, 0, 0));
    let products = subject.store.catalogue(0).await.unwrap().unwrap().products;
    assert_eq!(products, [product("MUG"), product("PDF"), product("TEE")]);
}

pub async fn a_catalogue_is_sent_where_its_revision_is_new(subject: Subject) {
    assert!(subject.store.catalogue(0).await.unwrap().is_none(), "an empty shop is at revision 0");
    let mut odd = supply("tee 25%'\"é", Some(1));
    odd.product.description = "A “tee”; it's <b>soft</b>\n — 100 % \u{1F455}".into();
    odd.product.image = Some("tee.svg".into());
    odd.product.hidden = true;
    let goods = [odd.clone(), supply("VASE", None), supply("MUG", None), supply("Mug", None)];
    subject.store.put_products(&goods).await.unwrap();
    let first = subject.store.catalogue(0).await.unwrap().unwrap();
    assert_eq!(first.products, [product("MUG"), product("Mug"), product("VASE"), odd.product]);
    assert!(subject.store.catalogue(first.revision).await.unwrap().is_none());

    subject.store.put_products(&goods).await.unwrap();
    assert!(subject.store.catalogue(first.revision).await.unwrap().is_none(), "nothing changed");
    let mut renamed = supply("MUG", None);
    renamed.product.name = "Another".into();
    subject.store.put_products(&[renamed]).await.unwrap();
    let second = subject.store.catalogue(first.revision).await.unwrap().unwrap();
    assert!(second.revision > first.revision);
    assert_eq!(second.products[0].name, "Another");
    assert!(subject.store.catalogue(u64::MAX).await.unwrap().is_some());
}

pub async fn tracked_products_without_pieces_are_sold_out(subject: Subject) {
    subject.stock_up(&[("MUG", 1), ("TEE", 0), ("VASE", 2), ("PDF", 0)]).await;
    assert_eq!(subject.store.sold_out(&[LocationId::default()]).await.unwrap(), skus(&["TEE"]));
    subject.turn(vec![open("c", "ann"), add("c", "MUG", 1)]).await;
    assert_eq!(subject.store.sold_out(&[LocationId::default()]).await.unwrap(), skus(&["MUG", "TEE"]));
    let levels = subject.store.stock(&skus(&["MUG", "NONE"])).await.unwrap();
    assert_eq!(levels.iter().map(|(slot, _)| slot.sku.as_str()).collect::<Vec<_>>(), ["MUG"]);
}

pub async fn pieces_are_owed_up_to_a_limit_and_filled_by_a_supply(subject: Subject) {
    let mut sofa = supply("SOFA", Some(2));
    sofa.safety = Some(1);
    subject.store.put_products(&[sofa.clone()]).await.unwrap();
    let full = |level: StockLevel| StockLevel { safety: 1, owed_max: 3, ..level };
    assert_eq!(subject.level("SOFA").await, full(level(2, 2, 0, 0)));
    subject.turn(vec![open("a", "ann"), add("a", "SOFA", 4)]).await;
    assert_eq!(subject.level("SOFA").await, full(level(2, -2, 4, 0)), "one stays, three are owed");
    assert_eq!(subject.store.sold_out(&[LocationId::default()]).await.unwrap(), skus(&["SOFA"]));
    assert_eq!(subject.cart("a").await.lines[0].backordered, 3);
    assert_eq!(rejected(&subject.ask(add("a", "SOFA", 1)).await), "out_of_stock");
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);

    // What is owed may not grow by a smaller supply; a lower limit leaves it as it is.
    let put = async |supplied, safety, limit| {
        let mut less = sofa.clone();
        (less.supplied, less.safety, less.product.backorder_limit) = (supplied, safety, limit);
        subject.store.put_products(&[less]).await.unwrap()[0].clone()
    };
    assert_eq!(put(Some(0), None, 1).await, SupplyOutcome::SupplyTooLow { taken: 4 });
    assert_eq!(put(None, None, 0).await, SupplyOutcome::Updated);
    assert_eq!(subject.level("SOFA").await, StockLevel { owed_max: 2, ..full(level(2, -2, 4, 0)) });
    assert_eq!(put(Some(10), Some(0), 0).await, SupplyOutcome::Updated);
    assert_eq!(subject.level("SOFA").await, level(10, 6, 4, 0));
    assert_eq!(put(None, None, 0).await, SupplyOutcome::Unchanged);
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}

pub async fn supplies_that_change_under_buying_lose_no_piece(subject: Subject) {
    subject.stock_up(&[("MUG", 40), ("TEE", 40)]).await;
    let goods = [["MUG", "TEE"], ["TEE", "MUG"]];
    let shoppers = (0..8).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            let cart = format!("c{n}");
            turn(&*store, vec![open(&cart, "ann")]).await.unwrap();
            for _ in 0..8 {
                turn(&*store, goods[n % 2].map(|sku| add(&cart, sku, 1)).into()).await.unwrap();
            }
        })
    });
    let suppliers = (0..4).map(|n| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            for round in 0..8 {
                let pieces = 20 + (n as i64 * 7 + round * 3) % 60;
                store.put_products(&goods[n % 2].map(|sku| supply(sku, Some(pieces)))).await.unwrap();
            }
        })
    });
    for task in shoppers.chain(suppliers).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
    assert!(subject.level("MUG").await.is_conserved());
}

pub async fn stock_of_other_locations_is_changed_by_hand_and_kept_apart(subject: Subject) {
    let (mug, north) = (sku("MUG"), LocationId::parse("north").unwrap());
    subject.stock_up(&[("MUG", 5)]).await;
    let change = |name: &str, act| StockChange {
        sku: sku(name),
        act,
        reason: "counted".into(),
        by: "ada".into(),
        at_ms: NOW_MS,
        key: None,
    };
    let set = |pieces| StockAct::Set {
        location: north.clone(),
        supplied: Some(pieces),
        on_hand: None,
        safety: Some(1),
    };
    let go = |pieces| StockAct::Move { from: LocationId::default(), to: north.clone(), pieces };
    let lost = StockAct::Adjust { location: LocationId::default(), pieces: -1 };
    let changes = [set(3), set(3), go(2), go(9), lost]
        .map(|act| change("MUG", act))
        .into_iter()
        .chain([change("GHOST", set(1))]);
    let changes: Vec<StockChange> = changes.collect();
    let outcomes = subject.store.change_stock(&changes).await.unwrap();
    assert_eq!(
        outcomes,
        [
            StockOutcome::Changed,
            StockOutcome::Unchanged,
            StockOutcome::Changed,
            StockOutcome::TooFew { available: 3 },
            StockOutcome::Changed,
            StockOutcome::UnknownProduct,
        ]
    );
    let levels = subject.store.stock(&skus(&["MUG"])).await.unwrap();
    assert_eq!(levels.at(&mug.clone().into()), Some(level(2, 2, 0, 0)));
    let there = levels.at(&Slot::new(&mug, &north)).unwrap();
    assert_eq!(there, StockLevel { safety: 1, ..level(5, 5, 0, 0) });
    let noted = subject.store.stock_changes(&mug, 2).await.unwrap();
    let noted: Vec<_> = noted.into_iter().map(|noted| (noted.change, noted.after)).collect();
    let (at, rest) = (LocationId::default(), StockLevel::of_supply(2));
    let moved = vec![(at.clone(), level(3, 3, 0, 0)), (north.clone(), there)];
    assert_eq!(
        noted,
        [(changes[4].clone(), vec![(at, rest)]), (changes[2].clone(), moved)],
        "the newest first"
    );

    // A turn moves the pieces of the one location; the other sends nothing as long as nobody says that it does.
    subject.turn(vec![open("a", "ann"), add("a", "MUG", 2)]).await;
    assert_eq!(rejected(&subject.ask(add("a", "MUG", 1)).await), "out_of_stock");
    let levels = subject.store.stock(&skus(&["MUG"])).await.unwrap();
    assert_eq!(levels.at(&mug.clone().into()), Some(level(2, 0, 2, 0)));
    assert_eq!(levels.at(&Slot::new(&mug, &north)), Some(there));
    // So it is sold out where the main location alone sends, and not where both do.
    let sold_out =
        async |locations: &[LocationId]| subject.store.sold_out(locations).await.unwrap().contains(&mug);
    assert!(
        sold_out(&[LocationId::default()]).await && !sold_out(&[LocationId::default(), north.clone()]).await
    );
    // A supply of the main location leaves the other as it is.
    subject.stock_up(&[("MUG", 7)]).await;
    let levels = subject.store.stock(&skus(&["MUG"])).await.unwrap();
    assert_eq!(levels.at(&mug.clone().into()), Some(level(7, 5, 2, 0)));
    assert_eq!(levels.at(&Slot::new(&mug, &north)), Some(there));
    assert_eq!(subject.store.audit().await.unwrap(), [""; 0]);
}
