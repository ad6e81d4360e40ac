//! Gifts come, go, are held and ordered as their promotions say: cases worked out by hand.

#![expect(clippy::unwrap_used, reason = "a test says so by failing")]

use std::{collections::BTreeMap, sync::Arc};

use cart_core::{
    Balances, Cart, CartEvent, CartId, Command, Currency, Facts, GiftCards, LineId, Lines, LocationId, Money,
    Order, OrderId, Payment, PaymentId, PricePolicy, Product, PromotionId, Properties, Quote, RefundWish,
    Rejection, Request, Shipping, Sku, Slot, StepDetails, StockLevel, StockLevels, StockPolicy, Terms,
    VisitorId, Workflow, catch_up, decide, evolve, merge, open, quote,
};
use serde_json::json;

const NOW_MS: i64 = 1_000_000;

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn promotion(id: &str) -> PromotionId {
    PromotionId::parse(id).unwrap()
}

fn gbp() -> Currency {
    Currency::parse("GBP").unwrap()
}

/// Is a shop that gives a tin of tea away with orders of 50 pounds, and a pot with the code POT.
struct Shop {
    stock: StockLevels,
    products: BTreeMap<Sku, Arc<Product>>,
    terms: Terms,
    now_ms: i64,
}

impl Shop {
    fn new() -> Self {
        let product = |name: &str, minor| Product::new(sku(name), name, Money::new(minor, gbp()));
        let products = [
            product("MUG", 1_000),
            // Made to be given: nobody can buy it.
            Product { hidden: true, ..product("TEA", 300) },
            Product { stock_policy: StockPolicy::TakeAtOrder, ..product("POT", 2_000) },
        ];
        let promotions = json!([
            {"id": "tea", "name": "Tea over 50", "conditions": {"needs": [{"min_minor": {"GBP": 5_000}}]},
             "benefit": {"kind": "gift", "sku": "TEA", "pieces": 2}},
            {"id": "pot", "name": "A pot", "codes": ["POT"], "conditions": {"until_ms": NOW_MS + 5_000},
             "benefit": {"kind": "gift", "sku": "POT"}},
        ]);
        let shipping = Shipping::standard_and_express(500).unwrap();
        Self {
            stock: ["MUG", "TEA", "POT"]
                .map(|name| (sku(name), StockLevel::of_supply(10)))
                .into_iter()
                .collect(),
            products: products.into_iter().map(|p| (p.sku.clone(), Arc::new(p))).collect(),
            terms: Terms {
                promotions: serde_json::from_value(promotions).unwrap(),
                ..Terms::plain(PricePolicy::Hold, shipping)
            },
            now_ms: NOW_MS,
        }
    }

    fn with_stock(mut self, name: &str, pieces: i64) -> Self {
        self.stock.insert(sku(name), StockLevel::of_supply(pieces));
        self
    }

    fn open(&self, id: &str) -> Cart {
        let workflow = Arc::new(Workflow::classic());
        let (id, owner) = (CartId::parse(id).unwrap(), VisitorId::parse("ada").unwrap());
        Cart::from_opened(&open(id, owner, gbp(), workflow, vec![])).unwrap()
    }

    fn facts<'a>(&'a self, balances: &'a Balances, cards: &'a GiftCards) -> Facts<'a> {
        let Self { stock, products, terms, now_ms } = self;
        Facts { now_ms: *now_ms, products, stock, balances, cards, hold_ms: 1_000, terms }
    }

    fn ask(&mut self, cart: &mut Cart, command: Command) -> Result<Vec<CartEvent>, Rejection> {
        let request = Request { caller: None, expected_version: None, command };
        let events = decide(cart, &self.facts(&Balances::default(), &GiftCards::default()), &request)?;
        self.happen(cart, &events);
        Ok(events)
    }

    fn happen(&mut self, cart: &mut Cart, events: &[CartEvent]) {
        for event in events {
            evolve(cart, event);
            self.stock.apply(event);
        }
        assert!(self.stock.iter().all(|(_, level)| level.is_conserved()), "{:?}", self.stock);
    }

    fn catch_up(&mut self, cart: &mut Cart) {
        let events = catch_up(cart, &self.facts(&Balances::default(), &GiftCards::default()));
        self.happen(cart, &events);
    }

    fn quote(&self, cart: &Cart) -> Quote {
        quote(cart, &self.products, &self.terms, self.now_ms)
    }

    /// Returns what the cart is told of the promotions with gifts.
    fn told(&self, cart: &Cart) -> Vec<String> {
        self.quote(cart).promotions.outcomes.iter().map(ToString::to_string).collect()
    }

    /// What is available, held and sold of a product.
    fn pieces(&self, name: &str) -> (i64, i64, i64) {
        let level = self.stock.get(&sku(name)).unwrap();
        (level.available, level.held, level.sold)
    }

    fn check_out(&mut self, cart: &mut Cart) {
        self.ask(cart, Command::StartCheckout).unwrap();
        while let Some(step) = cart.next_step() {
            let details = StepDetails::parse(step, cart_core::Asked::default(), |field| {
                let given =
                    [("email", "ada@example.org"), ("country", "GB"), ("method", "standard"), ("region", "")];
                Some(
                    given.iter().find(|(name, _)| *name == field).map_or("Bath", |(_, text)| text).to_owned(),
                )
            });
            self.ask(cart, Command::CompleteStep(details.unwrap())).unwrap();
        }
    }

    fn begin(&mut self, cart: &mut Cart) -> Result<Vec<CartEvent>, Rejection> {
        self.ask(cart, Command::BeginPayment { order_id: order_id(), request: None })
    }

    fn place(&mut self, cart: &mut Cart) -> Result<Order, Rejection> {
        let amount_minor = self.quote(cart).totals.due();
        let payment =
            Payment { id: PaymentId::of(&order_id(), cart.payments), reference: "p".into(), amount_minor };
        let events = self.ask(cart, Command::PlaceOrder { order_id: order_id(), payment })?;
        let order = events.into_iter().find_map(|event| match event {
            CartEvent::OrderPlaced(order) => Some(order),
            _ => None,
        });
        Ok(order.unwrap())
    }
}

fn order_id() -> OrderId {
    OrderId::parse("o1").unwrap()
}

fn add(name: &str, quantity: u32) -> Command {
    Command::AddLine { sku: sku(name), quantity, properties: Properties::default() }
}

fn set(name: &str, quantity: u32) -> Command {
    Command::SetQuantity { line: sku(name).into(), quantity }
}

/// Lists the gifts of a cart: product, pieces, and how many of them are held.
fn gifts(cart: &Cart) -> Vec<(&str, u32, u32)> {
    cart.gifts().map(|line| (line.sku.as_str(), line.quantity, line.held)).collect()
}

fn names(events: &[CartEvent]) -> Vec<&str> {
    events.iter().map(CartEvent::name).collect()
}

#[test]
fn a_gift_comes_and_goes_with_its_promotion() {
    let mut shop = Shop::new();
    let mut cart = shop.open("c");
    shop.ask(&mut cart, add("MUG", 4)).unwrap();
    assert_eq!(
        (gifts(&cart), shop.told(&cart)),
        (vec![], vec!["Tea over 50: spend 10.00 GBP more".to_owned()])
    );
    let events = shop.ask(&mut cart, set("MUG", 5)).unwrap();
    assert_eq!(names(&events), ["quantity_set", "gift_added"]);
    assert_eq!((gifts(&cart), shop.pieces("TEA")), (vec![("TEA", 2, 2)], (8, 2, 0)));
    let quote = shop.quote(&cart);
    assert_eq!((quote.lines[1].total_minor, quote.totals.total_minor, quote.totals.items), (0, 5_000, 7));
    assert_eq!(shop.told(&cart), ["Tea over 50: 2 × TEA as a gift"]);
    // What is bought later stands before it.
    shop.ask(&mut cart, add("POT", 1)).unwrap();
    assert_eq!(cart.lines.iter().map(|l| l.sku.as_str()).collect::<Vec<_>>(), ["MUG", "POT", "TEA"]);
    let events = shop.ask(&mut cart, Command::RemoveLine { line: sku("MUG").into() }).unwrap();
    assert_eq!(names(&events), ["line_removed", "gift_withdrawn"]);
    assert_eq!((gifts(&cart), shop.pieces("TEA")), (vec![], (10, 0, 0)));
    assert_eq!(cart.holds_expire_at_ms, None, "nothing is held any more");
}

#[test]
fn a_cart_of_nothing_is_given_nothing() {
    let mut shop = Shop::new();
    let mut cart = shop.open("c");
    shop.ask(&mut cart, Command::ApplyCode { code: "POT".parse().unwrap() }).unwrap();
    assert_eq!(
        (gifts(&cart), shop.told(&cart)),
        (vec![], vec!["A pot: add 1 more piece".to_owned(), "Tea over 50: spend 50.00 GBP more".to_owned(),])
    );
    shop.ask(&mut cart, add("MUG", 1)).unwrap();
    assert_eq!(gifts(&cart), [("POT", 1, 0)], "its policy takes it with the order");
    shop.ask(&mut cart, Command::Clear).unwrap();
    assert_eq!((cart.lines.len(), shop.pieces("POT")), (0, (10, 0, 0)));
    // In a batch too, a gift alone is nothing to buy.
    shop.ask(&mut cart, add("MUG", 1)).unwrap();
    let batch = vec![Command::RemoveLine { line: sku("MUG").into() }, Command::StartCheckout];
    let because = Box::new(Rejection::CartEmpty);
    let refused = shop.ask(&mut cart, Command::Batch(batch));
    assert_eq!(refused, Err(Rejection::InBatch { position: 1, because }));
}

#[test]
fn only_its_promotion_and_a_refusal_decide_about_a_gift() {
    let mut shop = Shop::new();
    let mut cart = shop.open("c");
    shop.ask(&mut cart, add("MUG", 5)).unwrap();
    let line = LineId::of_gift(sku("TEA"), &promotion("tea"));
    assert_eq!(line.to_string().parse::<LineId>().unwrap(), cart.lines[1].id());
    for command in [
        Command::SetQuantity { line: line.clone(), quantity: 1 },
        Command::RemoveLine { line: line.clone() },
        Command::SaveLine { line: line.clone() },
    ] {
        let refused = Rejection::GiftLine { line: line.clone(), promotion: promotion("tea") };
        assert_eq!(shop.ask(&mut cart, command), Err(refused));
    }
    let decline = |id: &str| Command::DeclineGift { promotion: promotion(id) };
    let refused = Rejection::GiftNotFound { promotion: promotion("pot") };
    assert_eq!(shop.ask(&mut cart, decline("pot")), Err(refused));
    let events = shop.ask(&mut cart, decline("tea")).unwrap();
    assert_eq!(names(&events), ["gift_declined", "gift_withdrawn"]);
    assert_eq!(shop.told(&cart), ["Tea over 50: gives TEA away, which you declined"]);
    assert_eq!(shop.ask(&mut cart, decline("tea")), Ok(vec![]));
    // It stays declined while the cart changes.
    shop.ask(&mut cart, set("MUG", 4)).unwrap();
    shop.ask(&mut cart, set("MUG", 6)).unwrap();
    assert_eq!((gifts(&cart), shop.pieces("TEA")), (vec![], (10, 0, 0)));
    shop.ask(&mut cart, Command::AcceptGift { promotion: promotion("tea") }).unwrap();
    assert_eq!(gifts(&cart), [("TEA", 2, 2)]);
}

#[test]
fn what_is_out_of_stock_is_not_given_and_said() {
    let mut shop = Shop::new().with_stock("TEA", 1);
    let mut cart = shop.open("c");
    let events = shop.ask(&mut cart, add("MUG", 5)).unwrap();
    assert_eq!(names(&events), ["line_added", "gifts_out_of_stock"]);
    assert_eq!((gifts(&cart), shop.pieces("TEA")), (vec![], (1, 0, 0)));
    assert_eq!(shop.told(&cart), ["Tea over 50: gives TEA away, which is out of stock"]);
    // Nobody is kept from paying because it has come meanwhile; the next change of the cart brings it.
    shop.check_out(&mut cart);
    shop.stock.insert(sku("TEA"), StockLevel::of_supply(2));
    assert_eq!(names(&shop.begin(&mut cart).unwrap()), ["payment_begun"]);
    shop.ask(&mut cart, Command::CancelPayment { payment: None }).unwrap();
    let events = shop.ask(&mut cart, Command::SetNote { text: "Ring twice".into() }).unwrap();
    assert_eq!(names(&events), ["note_set", "gift_added", "gifts_out_of_stock"]);
    assert_eq!((gifts(&cart), cart.gifts_out_of_stock.len()), (vec![("TEA", 2, 2)], 0));
}

#[test]
fn a_gift_takes_no_piece_that_the_cart_itself_wants() {
    let mut shop = Shop::new().with_stock("POT", 2);
    let mut cart = shop.open("c");
    shop.ask(&mut cart, Command::ApplyCode { code: "POT".parse().unwrap() }).unwrap();
    shop.ask(&mut cart, add("POT", 1)).unwrap();
    assert_eq!(gifts(&cart), [("POT", 1, 0)]);
    shop.ask(&mut cart, set("POT", 2)).unwrap();
    assert_eq!((gifts(&cart), cart.gifts_out_of_stock.clone()), (vec![], vec![promotion("pot")]));

    // One that is held already gives its pieces back; more than these are still refused.
    let mut shop = Shop::new().with_stock("TEA", 3);
    let tea = shop.products.get_mut(&sku("TEA")).unwrap();
    *tea = Arc::new(Product { hidden: false, ..Product::clone(tea) });
    let mut cart = shop.open("c");
    shop.ask(&mut cart, add("MUG", 5)).unwrap();
    assert_eq!(gifts(&cart), [("TEA", 2, 2)]);
    let events = shop.ask(&mut cart, add("TEA", 2)).unwrap();
    assert_eq!(names(&events), ["gift_withdrawn", "line_added", "gifts_out_of_stock"]);
    assert_eq!((gifts(&cart), shop.pieces("TEA")), (vec![], (1, 2, 0)));
    let refused = shop.ask(&mut cart, add("TEA", 2)).unwrap_err();
    assert_eq!(refused, Rejection::OutOfStock { sku: sku("TEA"), available: 1, wanted: 2 });
}

#[test]
fn what_was_shown_is_ordered_or_the_shopper_is_told() {
    let mut shop = Shop::new();
    let mut cart = shop.open("c");
    shop.ask(&mut cart, Command::ApplyCode { code: "POT".parse().unwrap() }).unwrap();
    shop.ask(&mut cart, add("MUG", 5)).unwrap();
    shop.check_out(&mut cart);
    shop.begin(&mut cart).unwrap();
    // Somebody else buys the last pot, and the promotion ends: each is told, and then the cart is right again.
    let pots = shop.stock.get(&sku("POT")).unwrap();
    for then in ["sold out", "ended"] {
        match then {
            "ended" => shop.now_ms = NOW_MS + 5_000,
            _ => shop.stock.insert(sku("POT"), StockLevel { available: 0, sold: 10, ..pots }),
        }
        let told = Rejection::GiftsChanged { gone: vec!["POT".into()], new: vec![] };
        assert_eq!(shop.place(&mut cart).unwrap_err(), told, "{then}");
        assert_eq!(shop.begin(&mut cart).unwrap_err(), told, "{then}");
        let mut caught_up = cart.clone();
        shop.catch_up(&mut caught_up);
        assert_eq!((gifts(&caught_up), caught_up.payment()), (vec![("TEA", 2, 2)], None), "{then}");
        shop.stock.insert(sku("POT"), pots);
    }
    shop.catch_up(&mut cart);
    shop.begin(&mut cart).unwrap();
    let order = shop.place(&mut cart).unwrap();
    let ordered: Vec<_> =
        order.lines.iter().map(|l| (l.sku.as_str(), l.gift_of.clone(), l.unit_price_minor)).collect();
    assert_eq!(ordered, [("MUG", None, 1_000), ("TEA", Some(promotion("tea")), 0)]);
    assert_eq!((order.total_minor, shop.pieces("TEA")), (5_000, (8, 0, 2)));
}

#[test]
fn a_gift_whose_hold_has_ended_is_held_again_or_gone() {
    let mut shop = Shop::new();
    let mut cart = shop.open("c");
    shop.ask(&mut cart, add("MUG", 5)).unwrap();
    shop.now_ms += 1_000;
    shop.ask(&mut cart, Command::ExpireHolds).unwrap();
    assert_eq!((gifts(&cart), shop.pieces("TEA")), (vec![("TEA", 2, 0)], (10, 0, 0)));
    shop.ask(&mut cart, Command::SetNote { text: "a".into() }).unwrap();
    assert_eq!((gifts(&cart), shop.pieces("TEA")), (vec![("TEA", 2, 2)], (8, 2, 0)));
    shop.now_ms += 1_000;
    shop.ask(&mut cart, Command::ExpireHolds).unwrap();
    shop.stock.insert(sku("TEA"), StockLevel { available: 1, sold: 9, ..StockLevel::of_supply(10) });
    // The checkout goes on without it.
    shop.ask(&mut cart, Command::StartCheckout).unwrap();
    assert_eq!(gifts(&cart), []);
}

#[test]
fn an_order_is_undone_with_its_gifts() {
    let mut shop = Shop::new();
    let ordered = |shop: &mut Shop| {
        let mut cart = shop.open("c");
        shop.ask(&mut cart, add("MUG", 5)).unwrap();
        shop.check_out(&mut cart);
        shop.begin(&mut cart).unwrap();
        let order = Box::new(shop.place(&mut cart).unwrap());
        (cart, order)
    };
    let (mut cart, order) = ordered(&mut shop);
    shop.ask(&mut cart, Command::CancelOrder { order }).unwrap();
    assert_eq!((shop.pieces("TEA"), shop.pieces("MUG")), ((10, 0, 0), (10, 0, 0)));
    // A gift that comes back alone costs the shop nothing.
    let (mut cart, order) = ordered(&mut shop);
    let gift = LineId::of_gift(sku("TEA"), &promotion("tea"));
    let wish = RefundWish { lines: vec![(gift, 1)], restock: true, ..RefundWish::default() };
    let events = shop.ask(&mut cart, Command::RefundOrder { order, wish }).unwrap();
    let CartEvent::OrderRefunded { refund, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!((refund.amount_minor, shop.pieces("TEA")), (0, (9, 0, 1)));
}

#[test]
fn carts_that_become_one_are_given_once() {
    let mut shop = Shop::new().with_stock("TEA", 2);
    let (mut into, mut from) = (shop.open("into"), shop.open("from"));
    shop.ask(&mut into, add("MUG", 1)).unwrap();
    shop.ask(&mut from, add("MUG", 5)).unwrap();
    for lines in [Lines::LaidAside, Lines::Added] {
        let (mut into, mut from, was) = (into.clone(), from.clone(), shop.stock.clone());
        let (balances, cards) = (Balances::default(), GiftCards::default());
        let merged = merge(&into, &from, &shop.facts(&balances, &cards), lines).unwrap();
        assert_eq!(merged.left, []);
        shop.happen(&mut into, &merged.into);
        shop.happen(&mut from, &merged.from);
        shop.catch_up(&mut into);
        let given = if lines == Lines::Added { vec![("TEA", 2, 2)] } else { vec![] };
        assert_eq!((gifts(&into), into.saved.len()), (given, usize::from(lines == Lines::LaidAside)));
        shop.stock = was;
    }
    // What was declined before the log-in stays so.
    shop.ask(&mut from, Command::DeclineGift { promotion: promotion("tea") }).unwrap();
    let (balances, cards) = (Balances::default(), GiftCards::default());
    let merged = merge(&into, &from, &shop.facts(&balances, &cards), Lines::Added).unwrap();
    shop.happen(&mut into, &merged.into);
    shop.happen(&mut from, &merged.from);
    shop.catch_up(&mut into);
    assert_eq!((gifts(&into), shop.pieces("TEA")), (vec![], (2, 0, 0)));
}

#[test]
fn a_cart_that_comes_back_is_given_what_is_due_today() {
    let mut shop = Shop::new();
    let mut cart = shop.open("c");
    shop.ask(&mut cart, add("MUG", 5)).unwrap();
    shop.ask(&mut cart, Command::Lapse { abandons: false }).unwrap();
    assert_eq!((gifts(&cart), shop.pieces("TEA")), (vec![("TEA", 2, 0)], (10, 0, 0)));
    let events = shop.ask(&mut cart, Command::Reopen).unwrap();
    let CartEvent::CartReopened { lines } = &events[0] else { panic!("{events:?}") };
    assert_eq!((lines.len(), gifts(&cart), shop.pieces("TEA")), (1, vec![("TEA", 2, 2)], (8, 2, 0)));
}

#[test]
fn a_gift_that_cannot_be_sent_where_the_order_goes_is_not_given() {
    let mut shop = Shop::new();
    let locations = json!({"locations": [
        {"id": "main", "name": "Main"}, {"id": "north", "name": "North", "places": [{"countries": ["GB"]}]}]});
    shop.terms.locations = serde_json::from_value(locations).unwrap();
    let north = LocationId::parse("north").unwrap();
    shop.stock.insert(sku("TEA"), StockLevel::of_supply(1));
    shop.stock.insert(Slot::new(&sku("TEA"), &north), StockLevel::of_supply(1));
    let mut cart = shop.open("c");
    shop.ask(&mut cart, add("MUG", 5)).unwrap();
    assert_eq!(gifts(&cart), [("TEA", 2, 2)]);
    shop.ask(&mut cart, Command::StartCheckout).unwrap();
    let mut go_to = |country: &str| {
        let address = json!({"email": "ada@example.org", "name": "Ada", "street": "1 High Street",
            "city": "Town", "postcode": "1000", "country": country, "region": ""});
        let details = StepDetails::Address(serde_json::from_value(address).unwrap());
        shop.ask(&mut cart, Command::CompleteStep(details)).unwrap();
        (gifts(&cart).len(), shop.pieces("TEA"), cart.gifts_out_of_stock.clone())
    };
    assert_eq!(go_to("FR"), (0, (2, 0, 0), vec![promotion("tea")]));
    assert_eq!(go_to("GB"), (1, (0, 2, 0), vec![]));
}
