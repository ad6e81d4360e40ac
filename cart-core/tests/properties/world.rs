//! The shop at work: several carts share one stock, and every event happens as it would in the server.

use std::{collections::BTreeMap, sync::Arc};

use cart_core::{
    AssignedVariation, Balances, CardTerms, Cart, CartEvent, CartId, Command, Currency, Facts, GiftCardId,
    GiftCards, LeftLine, LineId, Lines, LocationId, Locations, MethodId, OrderId, Payment, PaymentId,
    PaymentTask, PricePolicy, Product, Products, Promotions, Quote, Rejection, Request, Shipping, Sku, Slot,
    Stage, Step, StepDetails, StockLevel, StockLevels, Terms, VisitorId, catch_up, decide, evolve, merge,
    open, quote,
};
use proptest::test_runner::TestCaseError;

use crate::drafts::{Act, Ask, CARTS, Caller, DAY_MS, Draft, Heard, Shop, Version, address};

/// How long holds last here: short beside the steps of the clock, so that many of them expire.
pub const HOLD_MS: i64 = 400;

/// Is what a property reports.
pub type Check = Result<(), TestCaseError>;

/// Is the shop with its carts.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    pub products: BTreeMap<Sku, Product>,
    pub stock: StockLevels,
    pub balances: Balances,
    pub carts: Vec<Cart>,
    /// All events of each cart.
    pub histories: Vec<Vec<CartEvent>>,
    pub now_ms: i64,
    pub terms: Terms,
}

/// Is the catalogue of the world.
struct Shelf<'a>(&'a BTreeMap<Sku, Product>);

impl Products for Shelf<'_> {
    fn product(&self, sku: &Sku) -> Option<&Product> {
        self.0.get(sku)
    }
}

/// Is one request with what came of it.
#[derive(Clone, Debug)]
pub struct Turn {
    pub cart: usize,
    /// The cart before.
    pub before: Cart,
    pub request: Request,
    pub outcome: Result<Vec<CartEvent>, Rejection>,
}

impl World {
    pub fn open(shop: &Shop) -> Self {
        let openings = shop.workflows.iter().enumerate().map(|(n, workflow)| {
            open(
                CartId::parse(&format!("c{n}")).expect("a cart id"),
                owner(n),
                Currency::parse("GBP").expect("a listed code"),
                Arc::new(workflow.clone()),
                vec![AssignedVariation { experiment: "checkout-express".into(), variation: n as u32 }],
            )
        });
        let histories: Vec<_> = openings.map(|opened| vec![opened]).collect();
        let skus = shop.products.iter().map(|p| p.sku.clone());
        Self {
            products: skus.zip(shop.products.iter().cloned()).collect(),
            stock: supplies(shop),
            balances: issued(),
            carts: histories.iter().map(|h| Cart::from_opened(&h[0]).expect("an opening")).collect(),
            histories,
            now_ms: DAY_MS,
            terms: Terms {
                locations: locations(shop.spread),
                promotions: promotions(shop.gives),
                ..terms(shop.express_shipping_minor, shop.prices)
            },
        }
    }

    /// Lets one thing happen; a request returns what came of it.
    pub fn play(&mut self, act: &Act) -> Option<Turn> {
        match act {
            Act::Ask(ask) => return Some(self.ask(ask)),
            Act::Relist(product) => {
                self.products.insert(product.sku.clone(), product.clone());
                let all: Vec<_> =
                    self.stock.of(&product.sku).map(|(at, _)| Slot::new(&product.sku, at)).collect();
                all.iter().for_each(|slot| self.put(slot, 0, None));
            }
            Act::Supply(sku, pieces, safety) => self.put(&self.arrives(sku, *pieces), *pieces, Some(*safety)),
            Act::PriceExpress(minor) => {
                let Terms { locations, promotions, .. } = self.terms.clone();
                self.terms = Terms { locations, promotions, ..terms(*minor, self.terms.prices) };
            }
        }
        None
    }

    /// Says where pieces arrive.
    pub fn arrives(&self, sku: &Sku, pieces: i64) -> Slot {
        let ids = self.terms.locations.ids();
        Slot::new(sku, &ids[usize::try_from(pieces).expect("pieces arrive") % ids.len()])
    }

    fn put(&mut self, slot: &Slot, more: i64, safety: Option<i64>) {
        let level = self.stock.at(slot).expect("every listed product has its stock");
        let owed_max = self.products[&slot.sku].owed_max_ever();
        let put = level.put(Some(level.supplied + more), safety, owed_max);
        self.stock.insert(slot.clone(), put.expect("more is never too little"));
    }

    fn ask(&mut self, ask: &Ask) -> Turn {
        self.now_ms += ask.later_ms;
        let before = self.carts[ask.cart].clone();
        let request = self.fill_in(ask, &before);
        let outcome = self.decide(ask.cart, &request);
        for event in outcome.iter().flatten() {
            self.stock.apply(event);
            self.balances.apply(event);
            evolve(&mut self.carts[ask.cart], event);
            self.histories[ask.cart].push(event.clone());
        }
        Turn { cart: ask.cart, before, request, outcome }
    }

    /// Says what a cart costs now.
    pub fn quote(&self, cart: &Cart) -> Quote {
        quote(cart, &Shelf(&self.products), &self.terms, self.now_ms)
    }

    /// Moves one cart into another; returns what could not be taken, or nothing where one of them is closed.
    pub fn merge(&mut self, into: usize, from: usize, lines: Lines) -> Option<Vec<LeftLine>> {
        let facts = Facts {
            now_ms: self.now_ms,
            products: &Shelf(&self.products),
            stock: &self.stock,
            balances: &self.balances,
            cards: &cards(),
            hold_ms: HOLD_MS,
            terms: &self.terms,
        };
        let merged = merge(&self.carts[into], &self.carts[from], &facts, lines).ok()?;
        for (cart, events) in [(into, merged.into), (from, merged.from)] {
            for event in events {
                self.stock.apply(&event);
                evolve(&mut self.carts[cart], &event);
                self.histories[cart].push(event);
            }
        }
        let facts = Facts {
            now_ms: self.now_ms,
            products: &Shelf(&self.products),
            stock: &self.stock,
            balances: &self.balances,
            cards: &cards(),
            hold_ms: HOLD_MS,
            terms: &self.terms,
        };
        for event in catch_up(&self.carts[into], &facts) {
            self.stock.apply(&event);
            evolve(&mut self.carts[into], &event);
            self.histories[into].push(event);
        }
        Some(merged.left)
    }

    /// Decides a request without letting it happen.
    pub fn decide(&self, cart: usize, request: &Request) -> Result<Vec<CartEvent>, Rejection> {
        let facts = Facts {
            now_ms: self.now_ms,
            products: &Shelf(&self.products),
            stock: &self.stock,
            balances: &self.balances,
            cards: &cards(),
            hold_ms: HOLD_MS,
            terms: &self.terms,
        };
        decide(&self.carts[cart], &facts, request)
    }

    fn fill_in(&self, ask: &Ask, cart: &Cart) -> Request {
        let command = fill_in(self, ask.draft.clone(), cart);
        Request {
            caller: match ask.caller {
                Caller::Owner => Some(owner(ask.cart)),
                Caller::Stranger => Some(owner((ask.cart + 1) % CARTS)),
                Caller::Server => None,
            },
            expected_version: match ask.version {
                Version::Any => None,
                Version::Current => Some(cart.version),
                Version::Other(away) => Some(cart.version.wrapping_add(away)),
            },
            command,
        }
    }
}

/// Makes a command of a draft, its blanks filled in by the state of the cart.
fn fill_in(world: &World, draft: Draft, cart: &Cart) -> Command {
    match draft {
        Draft::Add(sku, quantity, properties) => Command::AddLine { sku, quantity, properties },
        Draft::Set(line, quantity) => Command::SetQuantity { line, quantity },
        Draft::Remove(line) => Command::RemoveLine { line },
        Draft::Save(line) => Command::SaveLine { line },
        Draft::Accept => Command::AcceptPrices,
        Draft::Restore(line) => Command::RestoreLine { line: saved_or(cart, line) },
        Draft::Drop(line) => Command::DropSavedLine { line: saved_or(cart, line) },
        Draft::Type(code) => Command::ApplyCode { code },
        Draft::Untype(code) => Command::RemoveCode { code },
        Draft::Card(card) => Command::ApplyGiftCard { card },
        Draft::Uncard(card) => Command::RemoveGiftCard { card: card.id },
        Draft::RemoveGift => match cart.gifts().next() {
            Some(line) => Command::RemoveLine { line: line.id() },
            None => Command::AcceptPrices,
        },
        Draft::Decline(promotion) => Command::DeclineGift {
            promotion: cart.gifts().next().and_then(|line| line.gift_of.clone()).unwrap_or(promotion),
        },
        Draft::Undecline(promotion) => {
            Command::AcceptGift { promotion: cart.gifts_declined.first().cloned().unwrap_or(promotion) }
        }
        Draft::Credit(on) => Command::UseStoreCredit { on },
        Draft::Note(text) => Command::SetNote { text },
        Draft::Batch(drafts) => Command::Batch(drafts.into_iter().map(|d| fill_in(world, d, cart)).collect()),
        Draft::Clear => Command::Clear,
        Draft::Start => Command::StartCheckout,
        Draft::Step(details) => Command::CompleteStep(details),
        Draft::GoOn(details) => match (&cart.stage, cart.next_step()) {
            (Stage::Open, _) => Command::StartCheckout,
            (_, Some(step)) if step != details.step() => Command::CompleteStep(plain(step)),
            (_, Some(_)) => Command::CompleteStep(details),
            (_, None) if cart.payment().is_none() => begin(cart),
            (_, None) => place(world, cart, 0),
        },
        Draft::Pay => begin(cart),
        Draft::Hear(heard) => hear(heard, cart),
        Draft::Place(surplus) => place(world, cart, surplus),
        Draft::Expire => Command::ExpireHolds,
        Draft::Lapse(abandons) => Command::Lapse { abandons },
        Draft::Reopen => Command::Reopen,
    }
}

/// Returns the first line that waits for later, where there is one.
fn saved_or(cart: &Cart, line: LineId) -> LineId {
    cart.saved.first().map_or(line, cart_core::SavedLine::id)
}

fn begin(cart: &Cart) -> Command {
    Command::BeginPayment { order_id: order_id(cart), request: None }
}

fn order_id(cart: &Cart) -> OrderId {
    OrderId::parse(&format!("o-{}", cart.id)).expect("an order id")
}

/// Returns the attempt to pay that is under way, or the first one, which may have been given up.
fn attempt(cart: &Cart) -> PaymentId {
    cart.payment().map_or_else(|| PaymentId::of(&order_id(cart), 1), |attempt| attempt.id.clone())
}

fn hear(heard: Heard, cart: &Cart) -> Command {
    let payment = attempt(cart);
    match heard {
        Heard::Challenge => Command::ChallengePayment { payment, url: "/confirm".into() },
        Heard::Refusal => Command::FailPayment { payment, reason: "payment_declined".into() },
        Heard::Cancel => Command::CancelPayment { payment: cart.payment().map(|attempt| attempt.id.clone()) },
        Heard::Settled => Command::SettlePayment(match cart.payment_tasks.first() {
            Some(task) => task.clone(),
            None => PaymentTask::Void { payment },
        }),
    }
}

fn place(world: &World, cart: &Cart, surplus_minor: i64) -> Command {
    let amount_minor = world.quote(cart).totals.due() + surplus_minor;
    Command::PlaceOrder {
        order_id: order_id(cart),
        payment: Payment { id: attempt(cart), reference: "pay-1".into(), amount_minor },
    }
}

/// What stands in the accounts before anybody pays.
pub fn issued() -> Balances {
    let issued = [("gift-card:GBP:full", 700), ("gift-card:GBP:spent", 0), ("credit:GBP:visitor-0", 300)];
    issued.into_iter().map(|(id, minor)| (id.parse().expect("an account"), minor)).collect()
}

fn cards() -> GiftCards {
    let gbp = Currency::parse("GBP").expect("a currency");
    let good = CardTerms { currency: gbp, expires_at_ms: None, is_disabled: false };
    let all = [
        ("full", good),
        ("spent", good),
        ("euro", CardTerms { currency: Currency::parse("EUR").expect("a currency"), ..good }),
        ("off", CardTerms { is_disabled: true, ..good }),
        ("old", CardTerms { expires_at_ms: Some(DAY_MS), ..good }),
    ];
    all.into_iter().map(|(id, terms)| (GiftCardId::parse(id).expect("an id"), terms)).collect()
}

fn terms(express_minor: i64, prices: PricePolicy) -> Terms {
    let shipping = Shipping::standard_and_express(express_minor).expect("a price");
    Terms::plain(prices, shipping)
}

fn promotions(gives: bool) -> Promotions {
    let gift = |sku: &str, pieces: u32| serde_json::json!({"kind": "gift", "sku": sku, "pieces": pieces});
    // Code A opens a promotion that no cart here reaches: what promotions do has tests of its own.
    let mut all = vec![serde_json::json!({"id": "far", "name": "Far", "codes": ["A"],
        "conditions": {"needs": [{"min_minor": {"JPY": 1}}]},
        "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}})];
    if gives {
        all.extend([
            serde_json::json!({"id": "three", "name": "Three", "benefit": gift("MUG", 2),
                "conditions": {"needs": [{"min_pieces": 3}]}}),
            serde_json::json!({"id": "soon", "name": "Soon", "benefit": gift("pdf_1", 1),
                "conditions": {"until_ms": DAY_MS + 1_000}}),
            serde_json::json!({"id": "code", "name": "Code", "codes": ["A"], "benefit": gift("85123A", 1)}),
        ]);
    }
    serde_json::from_value(all.into()).expect("promotions")
}

/// One location, or three of which the second does not send to France and the third is only asked last there.
fn locations(spread: Option<cart_core::AllocationRule>) -> Locations {
    let Some(rule) = spread else { return Locations::default() };
    let three = serde_json::json!({"rule": rule, "locations": [
        {"id": "main", "name": "Main"},
        {"id": "north", "name": "North", "places": [{"countries": ["GB"]}]},
        {"id": "south", "name": "South"}]});
    serde_json::from_value(three).expect("three locations")
}

/// Deals the supplies out to the locations, unevenly.
fn supplies(shop: &Shop) -> StockLevels {
    let ids: Vec<LocationId> = locations(shop.spread).ids().to_vec();
    let mut stock = StockLevels::default();
    for (product, (pieces, safety)) in shop.products.iter().zip(&shop.supplies) {
        let mut left = *pieces;
        for (n, location) in ids.iter().enumerate() {
            let here = if n + 1 == ids.len() { left } else { left / 2 };
            left -= here;
            let level = StockLevel::default().put(Some(here), Some(*safety), product.owed_max_ever());
            stock.insert(Slot::new(&product.sku, location), level.expect("nothing is taken yet"));
        }
    }
    stock
}

fn owner(cart: usize) -> VisitorId {
    VisitorId::parse(&format!("visitor-{cart}")).expect("a visitor id")
}

fn plain(step: Step) -> StepDetails {
    match step {
        Step::Contact => StepDetails::Contact { email: "ada@example.org".into() },
        Step::Address => address("Bath".into()),
        Step::Shipping => StepDetails::Shipping { method: MethodId::parse("standard").ok() },
        Step::Payment => StepDetails::Payment,
        Step::Review => StepDetails::Review,
    }
}

/// Plays all acts and lets a property look at the world after each request.
pub fn walk(shop: &Shop, acts: &[Act], mut look: impl FnMut(&World, &Turn) -> Check) -> Check {
    let mut world = World::open(shop);
    for act in acts {
        if let Some(turn) = world.play(act) {
            look(&world, &turn)?;
        }
    }
    Ok(())
}
