//! Which locations send what, by both rules: tables worked out by hand.

#![expect(clippy::unwrap_used, reason = "a test says so by failing")]

use std::{collections::BTreeMap, sync::Arc};

use cart_core::{
    Balances, Cart, CartEvent, CartId, Command, Currency, Facts, GiftCards, LocationId, Money, PricePolicy,
    Product, Properties, Rejection, Request, Shipping, Sku, Slot, StepDetails, StockLevel, StockLevels,
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
        ["main", "north", "south"].map(|location| {
            let slot = Slot::new(&sku(name), &LocationId::parse(location).unwrap());
            self.stock.at(&slot).unwrap().held
        })
    }
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
