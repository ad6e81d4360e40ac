use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::{
    Balances, CartId, Currency, GiftCard, GiftCardId, GiftCards, Money, PricePolicy, Product, Properties,
    QuantityLimits, Shipping, Sku, StockLevel, StockLevels, Terms, Workflow, open, stock::movements,
};

const NOW_MS: i64 = 1_764_000_000_000;
const HOLD_MS: i64 = 60_000;
static NO_CARDS: GiftCards = GiftCards::new();

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn visitor(text: &str) -> VisitorId {
    VisitorId::parse(text).unwrap()
}

fn engraved(text: &str) -> Properties {
    Properties::parse([("engraving".to_owned(), text.to_owned())].into()).unwrap()
}

fn cart(id: &str, owner: &str) -> Cart {
    let gbp = Currency::parse("GBP").unwrap();
    let opened = open(CartId::parse(id).unwrap(), visitor(owner), gbp, Arc::new(Workflow::classic()), vec![]);
    Cart::from_opened(&opened).unwrap()
}

/// Is a shop with two carts on one shelf.
struct Shop {
    products: BTreeMap<Sku, Arc<Product>>,
    stock: StockLevels,
    balances: Balances,
    terms: Terms,
    users: Cart,
    guests: Cart,
}

impl Shop {
    fn new(goods: &[(&str, StockPolicy, i64)]) -> Self {
        let gbp = Currency::parse("GBP").unwrap();
        let product = |(name, policy, _): &(&str, StockPolicy, i64)| Product {
            stock_policy: *policy,
            ..Product::new(sku(name), *name, Money::new(1_000, gbp))
        };
        let shipping = Shipping::standard_and_express(0).unwrap();
        Self {
            products: goods.iter().map(|g| (sku(g.0), Arc::new(product(g)))).collect(),
            stock: goods.iter().map(|g| (sku(g.0), StockLevel::of_supply(g.2))).collect(),
            balances: Balances::default(),
            terms: Terms::plain(PricePolicy::Hold, shipping),
            users: cart("users", "u-ada"),
            guests: cart("guests", "v-ada"),
        }
    }

    fn limit(&mut self, name: &str, limits: QuantityLimits) {
        Arc::make_mut(self.products.get_mut(&sku(name)).unwrap()).limits = limits;
    }

    fn price(&mut self, name: &str, minor: i64) {
        Arc::make_mut(self.products.get_mut(&sku(name)).unwrap()).price.minor = minor;
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            now_ms: NOW_MS,
            products: &self.products,
            stock: &self.stock,
            balances: &self.balances,
            cards: &NO_CARDS,
            hold_ms: HOLD_MS,
            terms: &self.terms,
        }
    }

    fn add(&mut self, is_users: bool, name: &str, quantity: u32, properties: &Properties) {
        let cart = if is_users { &self.users } else { &self.guests };
        let events = add_line(cart, &self.facts(), &sku(name), quantity, properties).unwrap();
        let cart = if is_users { &mut self.users } else { &mut self.guests };
        for event in events {
            self.stock.apply(&event);
            evolve(cart, &event);
        }
    }

    fn guest_adds(&mut self, name: &str, quantity: u32) {
        self.add(false, name, quantity, &Properties::default());
    }

    fn user_adds(&mut self, name: &str, quantity: u32) {
        self.add(true, name, quantity, &Properties::default());
    }

    /// Merges and checks that pieces on shelf and lines are as many as before.
    fn merge(&mut self, lines: Lines) -> Vec<LeftLine> {
        let merged = merge(&self.users, &self.guests, &self.facts(), lines).unwrap();
        for event in merged.into.iter().chain(&merged.from) {
            self.stock.apply(event);
        }
        merged.into.iter().for_each(|event| evolve(&mut self.users, event));
        merged.from.iter().for_each(|event| evolve(&mut self.guests, event));
        for (crate::Slot { sku, .. }, level) in self.stock.iter() {
            assert!(level.is_conserved(), "{sku}: {level:?}");
            let held: i64 = self.users.lines.iter().map(|l| i64::from(l.holds_of(sku))).sum();
            assert_eq!(level.held, held, "the shelf of {sku} holds what the one cart holds");
        }
        merged.left
    }

    /// Returns name, pieces and held pieces of the lines of the user's cart.
    fn lines(&self) -> Vec<(String, u32, u32)> {
        self.users.lines.iter().map(|l| (l.id().to_string(), l.quantity, l.held)).collect()
    }
}

fn line(name: &str, quantity: u32, held: u32) -> (String, u32, u32) {
    (name.to_owned(), quantity, held)
}

#[test]
fn equal_lines_add_up_and_their_holds_go_along() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 5), ("TEE", StockPolicy::HoldOnAdd, 5)]);
    shop.user_adds("MUG", 2);
    shop.guest_adds("MUG", 3);
    shop.guest_adds("TEE", 1);
    // Not one mug is on the shelf: the guest's are held and stay held.
    assert_eq!(shop.stock.available(&sku("MUG")), 0);
    assert_eq!(shop.merge(Lines::Added), []);
    assert_eq!(shop.lines(), [line("MUG", 5, 5), line("TEE", 1, 1)]);
    assert_eq!(shop.guests.stage, Stage::Merged { into: shop.users.id.clone() });
    assert!(shop.guests.lines.is_empty());
    assert_eq!(shop.users.holds_expire_at_ms, Some(NOW_MS + HOLD_MS));
}

#[test]
fn lines_meet_by_the_rules_that_their_product_has_today() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 5)]);
    let note = |text: &str| Properties::parse([("gift_note".to_owned(), text.to_owned())].into()).unwrap();
    // What the guest said kept the line apart when it was added; since then it does not.
    shop.add(false, "MUG", 3, &note("Theirs"));
    let rule = serde_json::from_str(r#"{"name": "gift_note", "splits": false}"#).unwrap();
    Arc::make_mut(shop.products.get_mut(&sku("MUG")).unwrap()).properties = vec![rule];
    shop.add(true, "MUG", 2, &note("Mine"));
    // All five are held, and stay held.
    assert_eq!(shop.merge(Lines::Added), []);
    assert_eq!(shop.lines(), [line("MUG", 5, 5)]);
    assert_eq!(shop.users.lines[0].properties.texts(), note("Theirs").texts(), "the newer text holds");

    // A line that lacks by now what its product needs waits for later, and its pieces go back.
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 5)]);
    shop.guest_adds("MUG", 2);
    let rule = serde_json::from_str(r#"{"name": "ink", "required": true}"#).unwrap();
    Arc::make_mut(shop.products.get_mut(&sku("MUG")).unwrap()).properties = vec![rule];
    let left = shop.merge(Lines::Added);
    assert_eq!((left[0].quantity, left[0].is_saved, left[0].because.name()), (2, true, "property_refused"));
    assert_eq!((shop.lines(), shop.users.saved[0].quantity), (vec![], 2));
}

#[test]
fn properties_keep_lines_apart() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 9)]);
    shop.user_adds("MUG", 1);
    shop.add(false, "MUG", 1, &engraved("Ada"));
    shop.add(false, "MUG", 1, &engraved("Eve"));
    shop.merge(Lines::Added);
    assert_eq!(shop.users.lines.len(), 3);
}

#[test]
fn what_the_limits_refuse_waits_for_later_and_is_said() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 9), ("EGG", StockPolicy::Untracked, 0)]);
    shop.user_adds("MUG", 2);
    shop.guest_adds("MUG", 3);
    shop.guest_adds("EGG", 9);
    shop.limit("MUG", QuantityLimits { max: Some(4), ..QuantityLimits::default() });
    shop.limit("EGG", QuantityLimits { min: 6, step: 6, ..QuantityLimits::default() });
    let left = shop.merge(Lines::Added);
    assert_eq!(shop.lines(), [line("MUG", 4, 4), line("EGG", 6, 0)]);
    assert_eq!(shop.stock.available(&sku("MUG")), 5, "the piece that was not taken is for sale again");
    let said: Vec<_> = left.iter().map(|l| (l.quantity, l.is_saved, l.because.to_string())).collect();
    assert_eq!(
        said,
        [
            (1, true, "MUG: an order may hold 4 pieces, not 5".into()),
            (3, true, "EGG: pieces are sold in multiples of 6: 6 or 12, not 9".into())
        ]
    );
    let saved: Vec<_> = shop.users.saved.iter().map(|s| (s.sku.to_string(), s.quantity)).collect();
    assert_eq!(saved, [("MUG".into(), 1), ("EGG".into(), 3)]);
}

#[test]
fn pieces_that_nobody_holds_come_as_far_as_the_shelf_goes() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 6), ("VASE", StockPolicy::TakeAtOrder, 5)]);
    shop.user_adds("MUG", 1);
    shop.guest_adds("MUG", 4);
    shop.user_adds("VASE", 3);
    shop.guest_adds("VASE", 4);
    // The guest's holds ran out, and somebody else took all pieces but two.
    let expired = CartEvent::HoldsExpired {
        releases: vec![LineRelease { line: sku("MUG").into(), pieces: 4, picks: vec![] }],
    };
    shop.stock.apply(&expired);
    evolve(&mut shop.guests, &expired);
    let mut level = shop.stock.get(&sku("MUG")).unwrap();
    (level.available, level.supplied) = (2, level.supplied - 3);
    shop.stock.insert(sku("MUG"), level);
    let left = shop.merge(Lines::Added);
    assert_eq!(shop.lines(), [line("MUG", 3, 3), line("VASE", 5, 0)]);
    let rest: Vec<_> = left.iter().map(|l| (l.name.as_str(), l.quantity, l.because.name())).collect();
    assert_eq!(rest, [("MUG", 2, "out_of_stock"), ("VASE", 2, "out_of_stock")]);
}

#[test]
fn a_user_whose_holds_ran_out_still_gets_the_guests_held_pieces() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 3)]);
    shop.user_adds("MUG", 1);
    let expired = CartEvent::HoldsExpired {
        releases: vec![LineRelease { line: sku("MUG").into(), pieces: 1, picks: vec![] }],
    };
    shop.stock.apply(&expired);
    evolve(&mut shop.users, &expired);
    shop.guest_adds("MUG", 3);
    assert_eq!(shop.merge(Lines::Added), []);
    assert_eq!(shop.lines(), [line("MUG", 4, 3)]);
}

#[test]
fn a_line_that_moves_whole_costs_what_its_shopper_was_told() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::Untracked, 0), ("TEE", StockPolicy::Untracked, 0)]);
    shop.guest_adds("MUG", 1);
    shop.guest_adds("TEE", 1);
    shop.user_adds("TEE", 1);
    shop.price("MUG", 1_200);
    shop.price("TEE", 1_200);
    shop.merge(Lines::Added);
    let prices: Vec<_> = shop.users.lines.iter().map(|l| (l.name.as_str(), l.unit_price_minor)).collect();
    assert_eq!(prices, [("TEE", 1_200), ("MUG", 1_000)], "two that meet cost what adding costs today");
}

#[test]
fn lines_laid_aside_give_their_holds_back() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 5)]);
    shop.user_adds("MUG", 1);
    shop.guest_adds("MUG", 3);
    assert_eq!(shop.merge(Lines::LaidAside), []);
    assert_eq!(shop.lines(), [line("MUG", 1, 1)]);
    assert_eq!(shop.users.saved[0].quantity, 3);
    assert_eq!(shop.stock.available(&sku("MUG")), 4);
}

#[test]
fn codes_note_and_what_waits_for_later_come_too() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::Untracked, 0)]);
    let [a, b, c] = ["A", "B", "C"].map(|code| crate::Code::parse(code).unwrap());
    shop.users.codes = vec![a.clone(), b.clone()];
    shop.guests.codes = vec![b.clone(), c.clone()];
    shop.guests.note = "Ring twice.".into();
    let card = |id: &str| GiftCard { id: GiftCardId::parse(id).unwrap(), last4: "6789".into() };
    shop.users.gift_cards = vec![card("a")];
    shop.guests.gift_cards = vec![card("b"), card("a")];
    shop.guests.uses_credit = true;
    let saved = |quantity| SavedLine {
        sku: sku("MUG"),
        properties: Properties::default(),
        name: "MUG".into(),
        quantity,
    };
    shop.users.saved = vec![saved(2)];
    shop.guests.saved = vec![saved(1)];
    shop.merge(Lines::Added);
    assert_eq!(shop.users.codes, [a, b, c]);
    assert_eq!((&shop.users.gift_cards[..], shop.users.uses_credit), (&[card("a"), card("b")][..], true));
    assert_eq!((shop.guests.gift_cards.len(), shop.guests.uses_credit), (0, false));
    assert_eq!(shop.users.note, "Ring twice.");
    assert_eq!(shop.users.saved, [saved(3)]);
}

#[test]
fn a_full_cart_lays_aside_what_it_has_no_line_for_and_says_what_had_no_room_at_all() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::Untracked, 0), ("TEE", StockPolicy::Untracked, 0)]);
    for n in 0..CART_LINES_MAX {
        shop.add(true, "MUG", 1, &engraved(&n.to_string()));
    }
    for n in 0..SAVED_LINES_MAX + 1 {
        shop.add(false, "TEE", 1, &engraved(&n.to_string()));
    }
    shop.add(false, "MUG", 2, &engraved("7"));
    let left = shop.merge(Lines::Added);
    assert_eq!(left.len(), SAVED_LINES_MAX + 1);
    assert!(left.iter().all(|l| l.because == Rejection::CartFull));
    assert_eq!(left.iter().filter(|l| !l.is_saved).count(), 1);
    assert_eq!((shop.users.lines.len(), shop.users.lines[7].quantity), (CART_LINES_MAX, 3));
}

#[test]
fn a_closed_cart_neither_takes_nor_gives() {
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 5)]);
    shop.guest_adds("MUG", 1);
    shop.merge(Lines::Added);
    let again = merge(&shop.users, &shop.guests, &shop.facts(), Lines::Added).unwrap_err();
    assert_eq!(again, Rejection::CartMerged { into: shop.users.id.clone() });
    assert!(merge(&shop.guests, &shop.users, &shop.facts(), Lines::Added).is_err());
    assert!(claim(&shop.guests, &visitor("u-ada")).is_err());
}

#[test]
fn a_claimed_cart_changes_hands_once_and_keeps_its_unit() {
    let mut cart = cart("guests", "v-ada");
    for owner in ["u-ada", "u-ada", "u-eve"] {
        for event in claim(&cart, &visitor(owner)).unwrap() {
            assert!(movements(&event).is_empty());
            evolve(&mut cart, &event);
        }
    }
    assert_eq!((cart.owner.as_str(), cart.unit().as_str(), cart.version), ("u-eve", "v-ada", 3));
}

/// A shop of nine mugs, and of boxes that are made of some.
fn boxes(mugs: u32) -> Shop {
    let mut shop = Shop::new(&[("MUG", StockPolicy::HoldOnAdd, 9), ("BOX", StockPolicy::HoldOnAdd, 0)]);
    make_box_of(&mut shop, mugs);
    shop
}

fn make_box_of(shop: &mut Shop, mugs: u32) {
    let mug = shop.products[&sku("MUG")].clone();
    let product = Arc::make_mut(shop.products.get_mut(&sku("BOX")).unwrap());
    let parts = vec![crate::Part::new(sku("MUG"), mugs)];
    product.bundle = Some(crate::Bundle { parts, off_bp: None });
    product.resolve(|_| Some(mug.clone()));
}

#[test]
fn bundles_take_the_holds_of_their_parts_along() {
    // Nine mugs, of which eight are held: the shelf alone has not another box.
    let mut shop = boxes(2);
    shop.guest_adds("BOX", 3);
    shop.user_adds("BOX", 1);
    assert_eq!(shop.merge(Lines::Added), []);
    assert_eq!((shop.lines(), shop.users.lines[0].picks[0].pieces), (vec![line("BOX", 4, 4)], 8));

    // A new line takes over the parts.
    let mut shop = boxes(2);
    shop.guest_adds("BOX", 4);
    shop.merge(Lines::Added);
    assert_eq!((shop.lines(), shop.users.lines[0].picks[0].pieces), (vec![line("BOX", 4, 4)], 8));
    assert_eq!(shop.users.lines[0].parts[0].quantity, 2);

    // One of other parts gives its pieces back, and holds those of its own.
    let mut shop = boxes(2);
    shop.guest_adds("BOX", 2);
    make_box_of(&mut shop, 1);
    shop.user_adds("BOX", 1);
    shop.merge(Lines::Added);
    assert_eq!((shop.lines(), shop.users.lines[0].picks[0].pieces), (vec![line("BOX", 3, 3)], 3));
}
