//! Bundles: what they take from the stock, what they cost and how they are taxed, worked out by hand.

use std::{collections::BTreeMap, sync::Arc};

use cart_core::{
    Address, Balances, Bundle, Cart, CartEvent, CartId, Command, Currency, Facts, GiftCards, LineId, Money,
    Order, OrderId, Part, Payment, PaymentId, Pick, PricePolicy, PriceQuestion, Product, Properties,
    RefundWish, Rejection, Request, Shipping, Sku, Stage, StepDetails, StockLevel, StockLevels, StockPolicy,
    TaxCategory, Taxes, Terms, VisitorId, Workflow, decide, evolve, open, quote,
};

fn sku(text: &str) -> Sku {
    Sku::parse(text).expect("a SKU")
}

fn gbp() -> Currency {
    Currency::parse("GBP").expect("a currency")
}

fn product(text: &str, minor: i64) -> Product {
    Product::new(sku(text), text.to_lowercase(), Money::new(minor, gbp()))
}

fn bundle(text: &str, minor: i64, parts: &[(&str, u32)], off_bp: Option<u32>) -> Product {
    let parts = parts.iter().map(|(part, pieces)| Part::new(sku(part), *pieces)).collect();
    Product { bundle: Some(Bundle { parts, off_bp }), ..product(text, minor) }
}

/// Is a small shop with one cart: BOOK at 20.00 is free of tax, MUG at 12.50 and TEA at 5.00 are not. GIFT is a book and
/// two mugs for 40.00; SET is two mugs and a tea, less a tenth.
struct Shop {
    products: BTreeMap<Sku, Arc<Product>>,
    stock: StockLevels,
    terms: Terms,
    cart: Cart,
}

impl Shop {
    fn new() -> Self {
        let book = Product {
            tax_category: TaxCategory::parse("books").expect("a category"),
            ..product("BOOK", 2_000)
        };
        let pdf = Product {
            digital: true,
            stock_policy: StockPolicy::Untracked,
            delivery_note: "At example.org/pdf".into(),
            ..product("PDF", 900)
        };
        let plain = [book, Product { weight_g: 300, ..product("MUG", 1_250) }, product("TEA", 500), pdf];
        let plain: BTreeMap<_, _> = plain.into_iter().map(|p| (p.sku.clone(), Arc::new(p))).collect();
        let mut products = plain.clone();
        for mut made in [
            bundle("GIFT", 4_000, &[("BOOK", 1), ("MUG", 2)], None),
            bundle("SET", 0, &[("MUG", 2), ("TEA", 1)], Some(1_000)),
            bundle("READER", 2_500, &[("BOOK", 1), ("PDF", 1)], None),
            bundle("WIRED", 1_500, &[("PDF", 2)], None),
        ] {
            made.resolve(|sku| plain.get(sku).cloned());
            products.insert(made.sku.clone(), Arc::new(made));
        }
        let level = |pieces| StockLevel::of_supply(pieces);
        let taxes = r#"{"prices_include_tax":false,"home":{"country":"GB"},"zones":[
            {"name":"UK","places":[{"countries":["GB"]}],
             "rates":{"standard":[{"name":"VAT","rate_ppm":200000}],"books":[{"name":"VAT","rate_ppm":0}]}}]}"#;
        let taxes = Taxes::new(serde_json::from_str(taxes).expect("JSON")).expect("taxes");
        let shipping = r#"{"methods":[{"id":"post","name":"Post","zones":[{"name":"All","places":[{}],
            "any_currency":{"charge":{"flat":0}}}]}]}"#;
        let shipping = Shipping::new(serde_json::from_str(shipping).expect("JSON")).expect("shipping");
        let opened = open(
            CartId::parse("c").expect("an id"),
            VisitorId::parse("ada").expect("an id"),
            gbp(),
            Arc::new(Workflow::express()),
            vec![],
        );
        Self {
            products,
            stock: [(sku("BOOK"), level(10)), (sku("MUG"), level(5)), (sku("TEA"), level(9))]
                .into_iter()
                .collect(),
            terms: Terms { taxes, ..Terms::plain(PricePolicy::Follow, shipping) },
            cart: Cart::from_opened(&opened).expect("it opens a cart"),
        }
    }

    fn decide(&self, command: Command) -> Result<Vec<CartEvent>, Rejection> {
        let facts = Facts {
            now_ms: 1_000,
            products: &self.products,
            stock: &self.stock,
            balances: &Balances::default(),
            cards: &GiftCards::default(),
            hold_ms: 60_000,
            terms: &self.terms,
        };
        decide(&self.cart, &facts, &Request { caller: None, expected_version: None, command })
    }

    fn grant(&mut self, command: Command) -> Vec<CartEvent> {
        let events = self.decide(command).expect("it is granted");
        for event in &events {
            self.stock.apply(event);
            evolve(&mut self.cart, event);
        }
        for sku in ["BOOK", "MUG", "TEA"] {
            assert!(self.level(sku).is_conserved(), "{sku} after {events:?}");
        }
        events
    }

    fn level(&self, text: &str) -> StockLevel {
        self.stock.get(&sku(text)).expect("it is there")
    }

    /// What is available, held and sold of a product.
    fn pieces(&self, text: &str) -> (i64, i64, i64) {
        let StockLevel { available, held, sold, .. } = self.level(text);
        (available, held, sold)
    }

    fn check_out(&mut self) -> Order {
        self.grant(Command::StartCheckout);
        let address = Address {
            email: "ada@example.org".into(),
            name: "Ada".into(),
            street: "1 Royal Crescent".into(),
            city: "Bath".into(),
            postcode: "BA1 2LR".into(),
            country: "GB".into(),
            region: String::new(),
        };
        self.grant(Command::CompleteStep(StepDetails::Address(address)));
        let method = self.quote().offers.offered.first().map(|offer| offer.method.clone());
        self.grant(Command::CompleteStep(StepDetails::Shipping { method }));
        self.grant(Command::CompleteStep(StepDetails::Payment));
        let order_id = OrderId::parse("o").expect("an id");
        self.grant(Command::BeginPayment { order_id: order_id.clone(), request: None });
        let id: PaymentId = self.cart.payment().expect("it is under way").id.clone();
        let amount_minor = self.quote().totals.total_minor;
        let payment = Payment { id, reference: "p".into(), amount_minor };
        let events = self.grant(Command::PlaceOrder { order_id, payment });
        let placed = events.into_iter().find_map(|event| match event {
            CartEvent::OrderPlaced(order) => Some(order),
            _ => None,
        });
        placed.expect("an order")
    }

    fn quote(&self) -> cart_core::Quote {
        quote(&self.cart, &self.products, &self.terms, 1_000)
    }

    fn state(&self) -> cart_core::OrderState {
        match &self.cart.stage {
            Stage::Ordered { state, .. } => state.clone(),
            _ => panic!("it is an order"),
        }
    }
}

fn add(text: &str, quantity: u32) -> Command {
    Command::AddLine { sku: sku(text), quantity, properties: Properties::default() }
}

fn set(text: &str, quantity: u32) -> Command {
    Command::SetQuantity { line: sku(text).into(), quantity }
}

fn pick(text: &str, pieces: u32) -> Pick {
    Pick::new(sku(text), pieces)
}

#[test]
fn a_bundle_holds_pieces_of_its_parts_and_competes_with_them() {
    let mut shop = Shop::new();
    let on_offer =
        |shop: &Shop, text: &str| shop.stock.on_offer(&shop.products[&sku(text)], 1_000).map(|o| o.all);
    assert_eq!(
        (on_offer(&shop, "GIFT"), on_offer(&shop, "SET"), on_offer(&shop, "WIRED")),
        (Some(2), Some(2), None)
    );
    let refused = shop.decide(add("GIFT", 3)).unwrap_err();
    assert_eq!(refused, Rejection::OutOfStock { sku: sku("GIFT"), available: 2, wanted: 3 });
    shop.grant(add("GIFT", 1));
    shop.grant(add("MUG", 1));
    assert_eq!((shop.pieces("BOOK"), shop.pieces("MUG")), ((9, 1, 0), (2, 3, 0)));
    assert_eq!(on_offer(&shop, "SET"), Some(1), "two mugs are left");
    shop.grant(set("GIFT", 2));
    assert_eq!(shop.pieces("MUG"), (0, 5, 0));
    assert_eq!(shop.cart.lines[0].picks, [pick("BOOK", 2), pick("MUG", 4)]);
    assert_eq!(shop.decide(add("MUG", 1)).unwrap_err().name(), "out_of_stock");
    assert_eq!(shop.decide(add("SET", 1)).unwrap_err().name(), "out_of_stock");
    shop.grant(set("GIFT", 1));
    assert_eq!((shop.pieces("BOOK"), shop.pieces("MUG")), ((9, 1, 0), (2, 3, 0)));
    shop.grant(add("SET", 1));
    assert_eq!((shop.pieces("MUG"), shop.pieces("TEA")), ((0, 5, 0), (8, 1, 0)));
    shop.grant(Command::SaveLine { line: sku("SET").into() });
    shop.grant(Command::RestoreLine { line: sku("SET").into() });
    shop.grant(Command::RemoveLine { line: sku("GIFT").into() });
    assert_eq!((shop.pieces("BOOK"), shop.pieces("MUG")), ((10, 0, 0), (2, 3, 0)));
    shop.grant(Command::Clear);
    for (text, all) in [("BOOK", 10), ("MUG", 5), ("TEA", 9)] {
        assert_eq!(shop.pieces(text), (all, 0, 0), "{text}");
    }
}

#[test]
fn an_order_of_bundles_sells_their_parts_and_gives_each_back_once() {
    let mut shop = Shop::new();
    shop.grant(add("GIFT", 2));
    let order = shop.check_out();
    assert_eq!((shop.pieces("BOOK"), shop.pieces("MUG")), ((8, 0, 2), (1, 0, 4)));
    let line = &order.lines[0];
    assert_eq!((line.from_held, line.from_available, line.taken.len()), (2, 0, 2));
    let id: LineId = sku("GIFT").into();
    let wish = RefundWish { lines: vec![(id, 1)], restock: true, ..RefundWish::default() };
    shop.grant(Command::RefundOrder { order: Box::new(order.clone()), wish });
    assert_eq!((shop.pieces("BOOK"), shop.pieces("MUG")), ((9, 0, 1), (3, 0, 2)));
    let known = order.with_state(shop.state());
    let back: Vec<_> = known.lines[0].taken.iter().map(|t| (t.sku.as_str(), t.restocked)).collect();
    assert_eq!((known.lines[0].restocked, back), (1, vec![("BOOK", 1), ("MUG", 2)]));
    shop.grant(Command::CancelOrder { order: Box::new(known.clone()) });
    assert_eq!((shop.pieces("BOOK"), shop.pieces("MUG")), ((10, 0, 0), (5, 0, 0)));
    assert_eq!(shop.grant(Command::CancelOrder { order: Box::new(known) }), [], "once is enough");
}

#[test]
fn a_bundle_costs_its_own_price_or_that_of_its_parts_less_a_share() {
    let mut shop = Shop::new();
    let ask = |shop: &Shop, text: &str| {
        let question = PriceQuestion { currency: gbp(), group: None, quantity: 1, now_ms: 0 };
        let price = shop.products[&sku(text)].price_for(&question).expect("it has one");
        (price.minor, price.why.to_string())
    };
    assert_eq!(ask(&shop, "GIFT"), (4_000, "the product's own price".into()));
    // 2 × 12.50 and 5.00 are 30.00; a tenth of it is 3.00.
    assert_eq!(ask(&shop, "SET"), (2_700, "all its parts, less 10 %".into()));
    assert_eq!(shop.products[&sku("SET")].price.minor, 2_700);
    shop.grant(add("SET", 1));
    // The price of a part changes, and the bundle's with it: 2 × 10.01 and 5.00 less 2.502.
    let mug = Arc::new(product("MUG", 1_001));
    let tea = shop.products[&sku("TEA")].clone();
    let find = |part: &Sku| Some(if *part == mug.sku { mug.clone() } else { tea.clone() });
    Arc::make_mut(shop.products.get_mut(&sku("SET")).expect("it is there")).resolve(find);
    assert_eq!(shop.quote().lines[0].unit_price_minor, 2_252);
}

#[test]
fn a_bundle_is_taxed_as_its_parts_are_and_travels_as_they_do() {
    let mut shop = Shop::new();
    shop.grant(add("GIFT", 1));
    // 40.00 over 20.00 (book) and 25.00 (mugs) is 17.777… and 22.222…: the unit left goes to the book. A fifth of 22.22
    // is 4.444.
    let tax = shop.quote().lines[0].tax;
    assert_eq!((tax.net_minor, tax.tax_minor, tax.gross_minor), (4_000, 444, 4_444));
    shop.grant(add("TEA", 1));
    let totals = shop.quote().totals;
    assert_eq!((totals.tax_minor, totals.subtotal_minor), (544, 4_500));
    assert_eq!(shop.quote().tax.lines.len(), 2, "a line is a line, however many rates it has");
    assert_eq!(shop.products[&sku("GIFT")].parcel_weight_g(), 600);
    let is_digital = |text: &str| shop.products[&sku(text)].is_digital();
    assert_eq!([is_digital("GIFT"), is_digital("READER"), is_digital("WIRED")], [false, false, true]);
}

#[test]
fn downloads_within_a_bundle_take_nothing_and_bring_their_notes() {
    let mut shop = Shop::new();
    shop.grant(add("READER", 2));
    assert_eq!(shop.cart.lines[0].picks, [pick("BOOK", 2)]);
    shop.grant(add("WIRED", 3));
    let wired = &shop.cart.lines[1];
    assert_eq!((wired.held, wired.digital, wired.picks.len()), (0, true, 0));
    let order = shop.check_out();
    let notes: Vec<_> = order.notes().collect();
    assert_eq!(notes, [("reader", "pdf: At example.org/pdf"), ("wired", "pdf: At example.org/pdf")]);
    shop.grant(Command::CancelOrder { order: Box::new(order) });
    assert_eq!(shop.pieces("BOOK"), (10, 0, 0));
    assert_eq!(shop.state().refunds[0].lines[1].restocked, 0, "there was nothing to put back");
}

#[test]
fn a_line_keeps_the_parts_that_it_was_added_with() {
    let mut shop = Shop::new();
    shop.grant(add("GIFT", 1));
    let mut changed = bundle("GIFT", 3_000, &[("TEA", 1)], None);
    let plain = shop.products.clone();
    changed.resolve(|sku| plain.get(sku).cloned());
    shop.products.insert(changed.sku.clone(), Arc::new(changed));
    shop.grant(add("GIFT", 1));
    assert_eq!((shop.pieces("MUG"), shop.pieces("TEA")), ((1, 4, 0), (9, 0, 0)));
    shop.grant(Command::RemoveLine { line: sku("GIFT").into() });
    shop.grant(add("GIFT", 1));
    assert_eq!((shop.pieces("MUG"), shop.pieces("TEA")), ((5, 0, 0), (8, 1, 0)));
    // A bundle of which a part has left the catalogue is not for sale.
    let mut broken = bundle("GIFT", 3_000, &[("GONE", 1)], None);
    broken.resolve(|_| None);
    shop.products.insert(broken.sku.clone(), Arc::new(broken));
    assert_eq!(shop.decide(add("GIFT", 1)).unwrap_err().name(), "unknown_sku");
}

#[test]
fn a_bundle_that_makes_no_sense_is_refused_with_a_sentence() {
    let check = |parts: &[(&str, u32)], off_bp| {
        let parts = parts.iter().map(|(part, pieces)| Part::new(sku(part), *pieces)).collect();
        Bundle { parts, off_bp }.check().map_err(|e| e.to_string())
    };
    assert_eq!(check(&[("A", 1), ("B", 1_000)], Some(0)), Ok(()));
    for (parts, off_bp, fault) in [
        (&[][..], None, "parts holds 0 parts; name 1 to 50"),
        (&[("A", 0)], None, "parts[0].quantity is 0; write 1 to 1000 pieces"),
        (&[("A", 1), ("A", 1)], None, "parts[1].sku is A, as another part's is; add their pieces up"),
        (&[("A", 1)], Some(10_000), "off_bp is 10000; write 0 to 9999 basis points"),
    ] {
        assert_eq!(check(parts, off_bp), Err(fault.into()));
    }
}
