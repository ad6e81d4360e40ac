//! The shop at work: several carts share one stock, and every event happens as it would in the server.

use std::{collections::BTreeMap, sync::Arc};

use cart_core::{
    AssignedVariation, Cart, CartEvent, CartId, Command, Currency, Facts, LineId, MethodId, OrderId, Payment,
    PricePolicy, Product, Products, Quote, Rejection, Request, Shipping, Sku, Stage, Step, StepDetails,
    StockLevel, StockLevels, Terms, VisitorId, decide, evolve, open, quote,
};
use proptest::test_runner::TestCaseError;

use crate::drafts::{Act, Ask, CARTS, Caller, Draft, Shop, Version, address};

/// How long holds last here: short beside the steps of the clock, so that many of them expire.
pub const HOLD_MS: i64 = 400;

/// Is what a property reports.
pub type Check = Result<(), TestCaseError>;

/// Is the shop with its carts.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    pub products: BTreeMap<Sku, Product>,
    pub stock: StockLevels,
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
            products: skus.clone().zip(shop.products.iter().cloned()).collect(),
            stock: skus.zip(shop.supplies.iter().map(|n| StockLevel::of_supply(*n))).collect(),
            carts: histories.iter().map(|h| Cart::from_opened(&h[0]).expect("an opening")).collect(),
            histories,
            now_ms: 1_764_000_000_000,
            terms: terms(shop.express_shipping_minor, shop.prices),
        }
    }

    /// Lets one thing happen; a request returns what came of it.
    pub fn play(&mut self, act: &Act) -> Option<Turn> {
        match act {
            Act::Ask(ask) => return Some(self.ask(ask)),
            Act::Relist(product) => {
                self.products.insert(product.sku.clone(), product.clone());
            }
            Act::Supply(sku, pieces) => {
                let mut level = self.stock.get(sku).unwrap_or_default();
                level.supplied += pieces;
                level.available += pieces;
                self.stock.insert(sku.clone(), level);
            }
            Act::PriceExpress(minor) => self.terms = terms(*minor, self.terms.prices),
        }
        None
    }

    fn ask(&mut self, ask: &Ask) -> Turn {
        self.now_ms += ask.later_ms;
        let before = self.carts[ask.cart].clone();
        let request = self.fill_in(ask, &before);
        let outcome = self.decide(ask.cart, &request);
        for event in outcome.iter().flatten() {
            self.stock.apply(event);
            evolve(&mut self.carts[ask.cart], event);
            self.histories[ask.cart].push(event.clone());
        }
        Turn { cart: ask.cart, before, request, outcome }
    }

    /// Says what a cart costs now.
    pub fn quote(&self, cart: &Cart) -> Quote {
        quote(cart, &Shelf(&self.products), &self.terms, self.now_ms)
    }

    /// Decides a request without letting it happen.
    pub fn decide(&self, cart: usize, request: &Request) -> Result<Vec<CartEvent>, Rejection> {
        let facts = Facts {
            now_ms: self.now_ms,
            products: &Shelf(&self.products),
            stock: &self.stock,
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
        Draft::Note(text) => Command::SetNote { text },
        Draft::Batch(drafts) => Command::Batch(drafts.into_iter().map(|d| fill_in(world, d, cart)).collect()),
        Draft::Clear => Command::Clear,
        Draft::Start => Command::StartCheckout,
        Draft::Step(details) => Command::CompleteStep(details),
        Draft::GoOn(details) => match (&cart.stage, cart.next_step()) {
            (Stage::Open, _) => Command::StartCheckout,
            (_, Some(step)) if step != details.step() => Command::CompleteStep(plain(step)),
            (_, Some(_)) => Command::CompleteStep(details),
            (_, None) => place(world, cart, 0),
        },
        Draft::Place(surplus) => place(world, cart, surplus),
        Draft::Expire => Command::ExpireHolds,
    }
}

/// Returns the first line that waits for later, where there is one.
fn saved_or(cart: &Cart, line: LineId) -> LineId {
    cart.saved.first().map_or(line, cart_core::SavedLine::id)
}

fn place(world: &World, cart: &Cart, surplus_minor: i64) -> Command {
    let amount_minor = world.quote(cart).totals.total_minor + surplus_minor;
    Command::PlaceOrder {
        order_id: OrderId::parse(&format!("o-{}-{}", cart.id, cart.version)).expect("an order id"),
        payment: Payment { reference: "pay-1".into(), amount_minor },
    }
}

fn terms(express_minor: i64, prices: PricePolicy) -> Terms {
    // Code A opens a promotion that no cart here reaches: what promotions do has tests of its own.
    let promotions = r#"[{"id": "far", "name": "Far", "codes": ["A"],
        "conditions": {"needs": [{"min_minor": {"JPY": 1}}]},
        "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}]"#;
    let shipping = Shipping::standard_and_express(express_minor).expect("a price");
    Terms {
        promotions: serde_json::from_str(promotions).expect("a promotion"),
        ..Terms::plain(prices, shipping)
    }
}

fn owner(cart: usize) -> VisitorId {
    VisitorId::parse(&format!("visitor-{cart}")).expect("a visitor id")
}

fn plain(step: Step) -> StepDetails {
    match step {
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
