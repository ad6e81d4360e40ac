//! Which locations send what, by both rules: tables worked out by hand.

#![expect(clippy::unwrap_used, reason = "a test says so by failing")]

use std::{collections::BTreeMap, sync::Arc};

use cart_core::{
    Balances, Cart, CartEvent, CartId, Command, Currency, Facts, GiftCards, LocationId, MethodId, Money,
    Order, OrderId, PackWish, ParcelWish, Payment, PaymentId, PricePolicy, Product, Properties, RefundWish,
    Rejection, RelocationWish, Request, Shipping, Sku, Slot, Stage, StepDetails, StockLevel, StockLevels,
    StockPolicy, Terms, VisitorId, Workflow, decide, evolve, open,
};

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

/// Is a shop with a cart.
struct Shop {
    cart: Cart,
    stock: StockLevels,
    products: BTreeMap<Sku, Arc<Product>>,
    terms: Terms,
}

impl Shop {
    /// Opens a shop whose locations have so many cups, and so many mugs. The second location serves Britain only.
    fn new(rule: &str, cups: [i64; 3], mugs: [i64; 3]) -> Self {
        let gbp = Currency::parse("GBP").unwrap();
        let locations = serde_json::json!({"rule": rule, "locations": [
            {"id": "main", "name": "Main"},
            {"id": "north", "name": "North", "places": [{"countries": ["GB"]}]},
            {"id": "south", "name": "South"}]});
        let terms = Terms {
            locations: serde_json::from_value(locations).unwrap(),
            ..Terms::plain(PricePolicy::Hold, Shipping::standard_and_express(500).unwrap())
        };
        let mut stock = StockLevels::default();
        for (name, pieces) in [("CUP", cups), ("MUG", mugs)] {
            for (location, pieces) in terms.locations.ids().iter().zip(pieces) {
                let level = StockLevel { owed_max: 2, ..StockLevel::of_supply(pieces) };
                stock.insert(Slot::new(&sku(name), location), level);
            }
        }
        let product = |name: &str| Product::new(sku(name), name, Money::new(100, gbp));
        let owed = Product { backorder_limit: 2, ..product("MUG") };
        let opened = open(
            CartId::parse("c").unwrap(),
            VisitorId::parse("ada").unwrap(),
            gbp,
            Arc::new(Workflow::classic()),
            vec![],
        );
        let products = [product("CUP"), owed].map(|p| (p.sku.clone(), Arc::new(p)));
        Self { cart: Cart::from_opened(&opened).unwrap(), stock, products: products.into(), terms }
    }

    fn ask(&mut self, command: Command) -> Result<Vec<CartEvent>, Rejection> {
        let facts = Facts {
            now_ms: 1,
            products: &self.products,
            stock: &self.stock,
            balances: &Balances::default(),
            cards: &GiftCards::default(),
            hold_ms: 1_000,
            terms: &self.terms,
        };
        let events = decide(&self.cart, &facts, &Request { caller: None, expected_version: None, command })?;
        for event in &events {
            evolve(&mut self.cart, event);
            self.stock.apply(event);
        }
        assert!(self.stock.iter().all(|(_, level)| level.is_conserved()), "{:?}", self.stock);
        Ok(events)
    }

    fn add(&mut self, name: &str, quantity: u32) -> Result<Vec<CartEvent>, Rejection> {
        self.ask(Command::AddLine { sku: sku(name), quantity, properties: Properties::default() })
    }

    fn go_to(&mut self, country: &str) -> Result<Vec<CartEvent>, Rejection> {
        let address = serde_json::json!({"email": "ada@example.org", "name": "Ada", "street": "1 High Street",
            "city": "Town", "postcode": "1000", "country": country, "region": ""});
        self.ask(Command::CompleteStep(StepDetails::Address(serde_json::from_value(address).unwrap())))
    }

    /// Returns the pieces of a product that each location holds.
    fn held(&self, name: &str) -> [i64; 3] {
        self.levels(name).map(|level| level.held)
    }

    /// Returns the pieces of a product that each location has sold.
    fn sold(&self, name: &str) -> [i64; 3] {
        self.levels(name).map(|level| level.sold)
    }

    fn levels(&self, name: &str) -> [StockLevel; 3] {
        ["main", "north", "south"].map(|at| self.stock.at(&Slot::new(&sku(name), &location(at))).unwrap())
    }

    /// Orders what is in the cart for a country.
    fn order(&mut self, country: &str) -> Box<Order> {
        self.ask(Command::StartCheckout).unwrap();
        self.go_to(country).unwrap();
        let method = MethodId::parse("standard").ok();
        for step in [StepDetails::Shipping { method }, StepDetails::Payment, StepDetails::Review] {
            self.ask(Command::CompleteStep(step)).unwrap();
        }
        let order_id = OrderId::parse("o").unwrap();
        self.ask(Command::BeginPayment { order_id: order_id.clone(), request: None }).unwrap();
        let id = PaymentId::of(&order_id, 1);
        let amount_minor = self.cart.payment().unwrap().amount_minor;
        let payment = Payment { id, reference: "p".into(), amount_minor };
        let mut events = self.ask(Command::PlaceOrder { order_id, payment }).unwrap();
        let CartEvent::OrderPlaced(order) = events.remove(0) else { panic!("{events:?}") };
        Box::new(order)
    }

    /// Lets a location send pieces of a product that wait in another one: all of them, where no number is said.
    fn relocate(
        &mut self,
        order: &Order,
        [from, to]: [&str; 2],
        name: &str,
        pieces: Option<u32>,
    ) -> Result<(), Rejection> {
        let wish = |pieces| PackWish { line: sku(name).into(), part: None, pieces };
        let contents = pieces.map(wish).into_iter().collect();
        let wish = RelocationWish { from: location(from), to: location(to), contents };
        self.ask(Command::RelocateOrder { order: Box::new(order.clone()), wish }).map(|_| ())
    }

    /// Returns an order with what became of it.
    fn after(&self, order: &Order) -> Order {
        let Stage::Ordered { state, .. } = &self.cart.stage else { panic!("{:?}", self.cart.stage) };
        order.clone().with_state(state.clone())
    }
}

fn location(name: &str) -> LocationId {
    LocationId::parse(name).unwrap()
}

#[test]
fn a_line_is_served_by_the_first_location_or_by_the_fewest() {
    for (rule, cups, wanted, held) in [
        ("priority", [2, 3, 9], 1, [1, 0, 0]),
        ("priority", [2, 3, 9], 3, [2, 1, 0]),
        ("priority", [2, 3, 9], 10, [2, 3, 5]),
        ("fewest_parcels", [2, 3, 9], 2, [2, 0, 0]),
        ("fewest_parcels", [2, 3, 9], 3, [0, 3, 0]),
        ("fewest_parcels", [2, 3, 9], 9, [0, 0, 9]),
        ("fewest_parcels", [2, 3, 9], 11, [2, 0, 9]),
        ("fewest_parcels", [2, 3, 9], 14, [2, 3, 9]),
    ] {
        let mut shop = Shop::new(rule, cups, [0; 3]);
        shop.add("CUP", wanted).unwrap();
        assert_eq!(shop.held("CUP"), held, "{rule}: {wanted} of {cups:?}");
        // Back again: what was taken last goes back first, and the last piece is the first location's.
        let line = shop.cart.lines[0].id();
        shop.ask(Command::RemoveLine { line }).unwrap();
        assert_eq!(shop.held("CUP"), [0; 3]);
        let refused = shop.add("CUP", 15).unwrap_err();
        assert_eq!(refused, Rejection::OutOfStock { sku: sku("CUP"), available: 14, wanted: 15 });
    }
}

#[test]
fn what_no_location_has_the_first_one_owes_and_all_together_no_more_than_may_be_owed() {
    let mut shop = Shop::new("priority", [0; 3], [1, 1, 0]);
    shop.add("MUG", 3).unwrap();
    assert_eq!((shop.held("MUG"), shop.cart.lines[0].backordered), ([2, 1, 0], 1));
    let refused = shop.add("MUG", 2).unwrap_err();
    assert_eq!(refused, Rejection::OutOfStock { sku: sku("MUG"), available: 1, wanted: 2 });
    shop.add("MUG", 1).unwrap();
    assert_eq!((shop.held("MUG"), shop.cart.lines[0].backordered), ([3, 1, 0], 2));
}

#[test]
fn what_a_location_owes_that_does_not_serve_the_address_may_not_be_owed_again() {
    for (owed, expected) in [(1, Ok(())), (2, Err(0))] {
        let mut shop = Shop::new("priority", [1, 0, 0], [0, 0, 0]);
        let north = StockLevel { available: -owed, sold: owed, owed_max: 2, ..StockLevel::default() };
        shop.stock.insert(Slot::new(&sku("MUG"), &location("north")), north);
        shop.add("CUP", 1).unwrap();
        shop.ask(Command::StartCheckout).unwrap();
        shop.go_to("FR").unwrap();
        let added = shop.add("MUG", 1).map(|_| ()).map_err(|rejection| match rejection {
            Rejection::OutOfStock { available, .. } => available,
            other => panic!("{other:?}"),
        });
        assert_eq!(added, expected, "north owes {owed} of two mugs");
    }
}

#[test]
fn the_checkout_gathers_the_cart_in_the_fewest_parcels() {
    for (rule, cups, mugs) in [("priority", [1, 0, 0], [0, 0, 1]), ("fewest_parcels", [0, 0, 1], [0, 0, 1])] {
        // The cup comes from the main location, as nobody knew of the mug, which only the south has.
        let mut shop = Shop::new(rule, [1, 0, 1], [0, 0, 1]);
        shop.add("CUP", 1).unwrap();
        shop.add("MUG", 1).unwrap();
        assert_eq!((shop.held("CUP"), shop.held("MUG")), ([1, 0, 0], [0, 0, 1]));
        shop.ask(Command::StartCheckout).unwrap();
        assert_eq!((shop.held("CUP"), shop.held("MUG")), (cups, mugs), "{rule}");
    }
}

#[test]
fn pieces_of_a_product_that_is_no_longer_counted_stay_where_they_are() {
    for (rule, country) in [("fewest_parcels", "GB"), ("priority", "FR")] {
        let mut shop = Shop::new(rule, [1, 0, 0], [0, 1, 0]);
        shop.add("CUP", 1).unwrap();
        shop.add("MUG", 1).unwrap();
        let mug = shop.products.get_mut(&sku("MUG")).unwrap();
        Arc::make_mut(mug).stock_policy = StockPolicy::Untracked;
        shop.add("MUG", 1).unwrap();
        shop.ask(Command::StartCheckout).unwrap();
        shop.go_to(country).unwrap();
        assert_eq!((shop.held("CUP"), shop.held("MUG")), ([1, 0, 0], [0, 1, 0]), "{rule}");
    }
}

#[test]
fn pieces_come_from_locations_that_serve_the_address_or_it_is_refused() {
    let mut shop = Shop::new("priority", [1, 4, 2], [0; 3]);
    shop.add("CUP", 3).unwrap();
    assert_eq!(shop.held("CUP"), [1, 2, 0]);
    shop.ask(Command::StartCheckout).unwrap();
    let events = shop.go_to("FR").unwrap();
    assert!(
        matches!(events[..], [CartEvent::StepCompleted { .. }, CartEvent::HoldsMoved { .. }]),
        "{events:?}"
    );
    assert_eq!((shop.held("CUP"), shop.cart.lines[0].held), ([1, 0, 2], 3));
    assert_eq!(shop.go_to("FR").unwrap(), [], "said again, it moves nothing");
    let refused = shop.add("CUP", 1).unwrap_err();
    assert_eq!(refused, Rejection::OutOfStock { sku: sku("CUP"), available: 0, wanted: 1 });
    // In Britain there are more, of which France gets none.
    shop.go_to("GB").unwrap();
    shop.add("CUP", 4).unwrap();
    let refused = shop.go_to("FR").unwrap_err();
    assert_eq!(refused, Rejection::OutOfStock { sku: sku("CUP"), available: 3, wanted: 7 });
    assert_eq!(shop.held("CUP"), [1, 4, 2]);
}

#[test]
fn what_does_not_travel_comes_from_any_location() {
    for rule in ["priority", "fewest_parcels"] {
        // Licences lie in the north only, which sends nothing to France; the mug comes from the south.
        let mut shop = Shop::new(rule, [0, 3, 0], [0, 0, 1]);
        Arc::make_mut(shop.products.get_mut(&sku("CUP")).unwrap()).digital = true;
        shop.add("CUP", 1).unwrap();
        shop.ask(Command::StartCheckout).unwrap();
        shop.go_to("FR").unwrap();
        shop.add("MUG", 1).unwrap();
        shop.add("CUP", 1).unwrap();
        shop.ask(Command::StartCheckout).unwrap();
        shop.go_to("FR").unwrap();
        assert_eq!((shop.held("CUP"), shop.held("MUG")), ([0, 2, 0], [0, 0, 1]), "{rule}");
        let refused = shop.add("CUP", 2).unwrap_err();
        assert_eq!(refused, Rejection::OutOfStock { sku: sku("CUP"), available: 1, wanted: 2 });
    }
}

#[test]
fn what_waits_of_an_order_is_sold_by_another_location_that_has_it() {
    let mut shop = Shop::new("priority", [2, 3, 9], [0; 3]);
    shop.add("CUP", 3).unwrap();
    let order = shop.order("GB");
    assert_eq!(shop.sold("CUP"), [2, 1, 0]);
    shop.relocate(&order, ["main", "south"], "CUP", None).unwrap();
    assert_eq!(shop.sold("CUP"), [0, 1, 2]);
    let waits = |order: &Order| {
        let waits = order.waiting().into_iter().map(|w| (w.location.unwrap().to_string(), w.pieces));
        waits.collect::<Vec<_>>()
    };
    let after = shop.after(&order);
    assert_eq!(waits(&after), [("north".into(), 1), ("south".into(), 2)]);
    assert_eq!(after.clone().with_state(after.state.clone()), after, "what is moved is moved once");

    // One goes back, one is sent, and what waits still can be moved, but nothing that was sent.
    shop.relocate(&after, ["south", "main"], "CUP", Some(1)).unwrap();
    let location_south = Some(location("south"));
    let wish = ParcelWish { location: location_south, ..ParcelWish::default() };
    shop.ask(Command::FulfilOrder { order: order.clone(), wish }).unwrap();
    assert_eq!(waits(&shop.after(&order)), [("main".into(), 1), ("north".into(), 1)]);
    let refused = shop.relocate(&order, ["south", "north"], "CUP", None).unwrap_err();
    assert!(refused.to_string().starts_with("from is south, where no counted pieces"), "{refused}");
    shop.relocate(&order, ["north", "main"], "CUP", None).unwrap();
    assert_eq!(shop.sold("CUP"), [2, 0, 1]);

    // What comes back goes to the shelves that sold it last.
    shop.ask(Command::CancelOrder { order: order.clone() }).unwrap();
    assert_eq!(shop.sold("CUP"), [0, 0, 1]);
    let wish = RefundWish { lines: vec![(sku("CUP").into(), 1)], restock: true, ..RefundWish::default() };
    shop.ask(Command::RefundOrder { order: order.clone(), wish }).unwrap();
    assert_eq!(shop.levels("CUP").map(|level| level.available), [2, 3, 9]);
    assert_eq!(shop.relocate(&order, ["main", "south"], "CUP", None).unwrap_err().name(), "order_state");
}

#[test]
fn what_came_back_from_a_plain_line_before_it_was_moved_stays_on_its_shelf() {
    let mut shop = Shop::new("priority", [5, 0, 9], [0; 3]);
    shop.add("CUP", 3).unwrap();
    let order = shop.order("GB");
    assert!(order.lines[0].taken.is_empty(), "all of it is in the main location");
    let wish = RefundWish { lines: vec![(sku("CUP").into(), 1)], restock: true, ..RefundWish::default() };
    shop.ask(Command::RefundOrder { order: order.clone(), wish }).unwrap();
    shop.relocate(&order, ["main", "south"], "CUP", None).unwrap();
    assert_eq!(shop.sold("CUP"), [0, 0, 2]);
    let sold: Vec<_> = shop.after(&order).lines[0].all_sold().map(|(.., sold, back)| (sold, back)).collect();
    assert_eq!(sold, [(1, 1), (2, 0)]);
    shop.ask(Command::CancelOrder { order }).unwrap();
    assert_eq!(shop.levels("CUP").map(|level| level.available), [5, 0, 9]);
}

#[test]
fn a_location_sends_only_what_it_has_or_may_owe_where_it_serves() {
    let mut shop = Shop::new("priority", [5, 1, 0], [1, 0, 0]);
    shop.add("CUP", 2).unwrap();
    shop.add("MUG", 3).unwrap();
    let order = shop.order("GB");
    let short = |name: &str, available, wanted| Rejection::OutOfStock { sku: sku(name), available, wanted };
    for (places, name, pieces, refused) in [
        (["main", "north"], "CUP", 2, short("CUP", 1, 2)),
        (["main", "south"], "CUP", 1, short("CUP", 0, 1)),
        (["main", "south"], "MUG", 3, short("MUG", 2, 3)),
    ] {
        assert_eq!(shop.relocate(&order, places, name, Some(pieces)).unwrap_err(), refused);
    }
    shop.relocate(&order, ["main", "south"], "MUG", Some(2)).unwrap();
    assert_eq!(shop.levels("MUG").map(|level| level.available), [0, 0, -2], "south owes what main owed");
    assert_eq!(
        shop.relocate(&order, ["main", "south"], "MUG", Some(1)).unwrap_err(),
        short("MUG", 0, 1),
        "all together owe no more than may be owed"
    );
    for (places, pieces, said) in [
        (["main", "main"], None, "to is main, where it waits already"),
        (
            ["main", "west"],
            None,
            "to is west, which does not send where the order goes; name one of north, south",
        ),
        (["main", "north"], Some(3), "lines names 3 × CUP of line CUP; what waits of it in main is 2"),
        (["main", "north"], Some(0), "lines names 0 pieces"),
        (["north", "main"], None, "from is north"),
    ] {
        let refused = shop.relocate(&order, places, "CUP", pieces).unwrap_err();
        assert!(refused.name() == "invalid_details" && refused.to_string().starts_with(said), "{refused}");
    }

    let mut abroad = Shop::new("priority", [5, 9, 9], [0; 3]);
    abroad.add("CUP", 1).unwrap();
    let order = abroad.order("DE");
    let refused = abroad.relocate(&order, ["main", "north"], "CUP", None).unwrap_err();
    assert!(refused.to_string().contains("name one of south"), "{refused}");
}

#[test]
fn pieces_that_nobody_counted_go_back_to_no_shelf() {
    let mut shop = Shop::new("priority", [0, 3, 0], [0; 3]);
    shop.add("CUP", 2).unwrap();
    let counted = shop.products[&sku("CUP")].clone();
    let uncounted = Product { stock_policy: StockPolicy::Untracked, ..(*counted).clone() };
    shop.products.insert(sku("CUP"), Arc::new(uncounted));
    shop.add("CUP", 1).unwrap();
    let order = shop.order("GB");
    let wish = RefundWish { lines: vec![(sku("CUP").into(), 1)], restock: true, ..RefundWish::default() };
    shop.ask(Command::RefundOrder { order: order.clone(), wish: wish.clone() }).unwrap();
    assert_eq!(shop.sold("CUP"), [0, 2, 0]);
    shop.ask(Command::RefundOrder { order, wish }).unwrap();
    assert_eq!(shop.sold("CUP"), [0, 1, 0]);
}
