mod checkout;
mod customer;
mod lapse;
mod lines;
mod orders;
mod payments;
mod pieces;
mod promotions;
mod purses;
mod rejections;
mod stock;

use super::*;
use crate::{
    AccountId, Address, AttemptState, CardTerms, Code, FieldError, GiftCard, GiftCardId, Line, LineId,
    MethodId, Money, Order, OrderId, OrderLine, OrderState, OrderStatus, Payment, PaymentAttempt,
    PaymentTask, Posting, PricePolicy, Properties, PropertyRule, RefundWish, RequestKey, SpecialPrice, Stage,
    Step, StepDetails, StockLevel, StockPolicy,
    limits::{CART_LINES_MAX, LINE_QUANTITY_MAX, PRICE_MINOR_MAX},
    quote,
};

const HOLD_MS: i64 = 600_000;

/// Is one cart in a small shop: what a decision needs, ready to be bent out of shape.
#[derive(Clone)]
struct Case {
    cart: Cart,
    /// What the catalogue says of the product that the next command names.
    product: Option<Product>,
    stock: StockLevels,
    balances: Balances,
    cards: GiftCards,
    now_ms: i64,
    terms: Terms,
}

impl Case {
    /// Ada's open cart in pounds; the shop has five mugs, which are held when added.
    fn new() -> Self {
        Self::with(Workflow::classic())
    }

    fn with(workflow: Workflow) -> Self {
        let ada = VisitorId::parse("ada").unwrap();
        let opened = open(CartId::parse("c1").unwrap(), ada, currency("GBP"), Arc::new(workflow), vec![]);
        Self {
            cart: Cart::from_opened(&opened).unwrap(),
            product: Some(mug()),
            stock: StockLevels::from_iter([(sku("MUG"), StockLevel::of_supply(5))]),
            balances: Balances::default(),
            cards: cards(),
            now_ms: 1_000,
            terms: express(495),
        }
    }

    /// The cart with two mugs in it.
    fn with_mugs() -> Self {
        let mut case = Self::new();
        case.grant(add("MUG", 2));
        case
    }

    /// The cart with two mugs in it and all steps done.
    fn checked_out(workflow: Workflow) -> Self {
        let mut case = Self::with(workflow);
        case.grant(add("MUG", 2));
        case.grant(Command::StartCheckout);
        while let Some(step) = case.cart.next_step() {
            case.grant(Command::CompleteStep(details(step)));
        }
        case
    }

    fn decide(&self, request: &Request) -> Result<Vec<CartEvent>, Rejection> {
        let facts = Facts {
            now_ms: self.now_ms,
            products: &One(self.product.as_ref()),
            stock: &self.stock,
            balances: &self.balances,
            cards: &self.cards,
            hold_ms: HOLD_MS,
            terms: &self.terms,
        };
        let mut cart = self.cart.clone();
        if let (Stage::Checkout { payment: payment @ None, .. }, Command::PlaceOrder { payment: paid, .. }) =
            (&mut cart.stage, &request.command)
        {
            *payment = Some(attempt(paid));
        }
        decide(&cart, &facts, request)
    }

    /// Asks for the owner of the cart as it is: no attempt to pay is made up.
    fn decide_as_it_is(&self, command: Command) -> Result<Vec<CartEvent>, Rejection> {
        let facts = Facts {
            now_ms: self.now_ms,
            products: &One(self.product.as_ref()),
            stock: &self.stock,
            balances: &self.balances,
            cards: &self.cards,
            hold_ms: HOLD_MS,
            terms: &self.terms,
        };
        decide(&self.cart, &facts, &by_owner(command))
    }

    /// Asks for the owner, demands the grant and lets its events happen.
    fn grant(&mut self, command: Command) -> Vec<CartEvent> {
        let events = self.decide(&by_owner(command.clone()));
        let events = events.unwrap_or_else(|rejection| panic!("{command:?}: {rejection}"));
        for event in &events {
            self.stock.apply(event);
            self.balances.apply(event);
            evolve(&mut self.cart, event);
        }
        events
    }

    fn refuse(&self, command: Command) -> Rejection {
        self.decide(&by_owner(command)).unwrap_err()
    }

    fn quote(&self) -> crate::Quote {
        quote(&self.cart, &One(self.product.as_ref()), &self.terms, self.now_ms)
    }

    fn due_minor(&self) -> i64 {
        self.quote().totals.total_minor
    }

    fn mugs(&self) -> (u32, u32) {
        self.cart.line(&id("MUG")).map_or((0, 0), |line| (line.quantity, line.held))
    }

    fn fill(&mut self, lines: usize) {
        self.cart.lines = (0..lines)
            .map(|n| {
                let (sku, name) = (sku(&format!("P{n}")), format!("Product {n}"));
                Line::new(sku, name, 1, 100, StockPolicy::Untracked)
            })
            .collect();
    }
}

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn id(text: &str) -> LineId {
    text.parse().unwrap()
}

/// Is a catalogue of one product, or none.
struct One<'a>(Option<&'a Product>);

impl Products for One<'_> {
    fn product(&self, sku: &Sku) -> Option<&Product> {
        self.0.filter(|p| p.sku == *sku)
    }
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn mug() -> Product {
    Product::new(sku("MUG"), "Mug", Money::new(1_250, currency("GBP")))
}

/// Gives a mug away with whatever is bought.
fn given_a_mug(case: &mut Case) {
    let gift = r#"[{"id": "mug", "name": "Mug", "benefit": {"kind": "gift", "sku": "MUG"}}]"#;
    case.terms.promotions = serde_json::from_str(gift).unwrap();
    case.grant(Command::SetNote { text: "Thank you".into() });
}

fn release(pieces: u32) -> Vec<crate::LineRelease> {
    vec![crate::LineRelease { line: id("MUG"), pieces, picks: vec![] }]
}

fn add(text: &str, quantity: u32) -> Command {
    Command::AddLine { sku: sku(text), quantity, properties: Properties::default() }
}

fn set(text: &str, quantity: u32) -> Command {
    Command::SetQuantity { line: id(text), quantity }
}

fn remove(text: &str) -> Command {
    Command::RemoveLine { line: id(text) }
}

fn pay(amount_minor: i64) -> Command {
    Command::PlaceOrder {
        order_id: OrderId::parse("o1").unwrap(),
        payment: Payment { id: PaymentId::parse("o1-1").unwrap(), reference: "pay-1".into(), amount_minor },
    }
}

/// Returns the attempt that was begun for a payment.
fn attempt(paid: &Payment) -> PaymentAttempt {
    PaymentAttempt {
        id: paid.id.clone(),
        amount_minor: paid.amount_minor,
        begun_at_ms: 0,
        request: None,
        state: AttemptState::Begun,
    }
}

fn card(id: &str) -> GiftCard {
    GiftCard { id: GiftCardId::parse(id).unwrap(), last4: format!("{id:0>4}") }
}

/// Cards a and b pay pounds; the others pay nothing here.
fn cards() -> GiftCards {
    let good = CardTerms { currency: currency("GBP"), expires_at_ms: Some(900_000_000), is_disabled: false };
    let cards = [
        ("a", good),
        ("b", CardTerms { expires_at_ms: None, ..good }),
        ("euro", CardTerms { currency: currency("EUR"), ..good }),
        ("off", CardTerms { is_disabled: true, ..good }),
        ("old", CardTerms { expires_at_ms: Some(1_000), ..good }),
    ];
    cards.into_iter().map(|(id, terms)| (GiftCardId::parse(id).unwrap(), terms)).collect()
}

fn address(city: &str) -> StepDetails {
    StepDetails::Address(Address {
        email: "ada@example.org".into(),
        name: "Ada".into(),
        street: "1 Royal Crescent".into(),
        city: city.into(),
        postcode: "BA1 2LR".into(),
        country: "GB".into(),
        region: String::new(),
    })
}

fn details(step: Step) -> StepDetails {
    match step {
        Step::Contact => StepDetails::Contact { email: "ada@example.org".into() },
        Step::Address => address("Bath"),
        Step::Shipping => shipping("standard"),
        Step::Payment => StepDetails::Payment,
        Step::Review => StepDetails::Review,
    }
}

fn shipping(method: &str) -> StepDetails {
    StepDetails::Shipping { method: MethodId::parse(method).ok() }
}

/// Returns the terms of a shop that asks so much for express shipping.
fn express(minor: i64) -> Terms {
    Terms::plain(PricePolicy::Hold, crate::Shipping::standard_and_express(minor).unwrap())
}

fn step(details: StepDetails) -> Command {
    Command::CompleteStep(details)
}

fn by_owner(command: Command) -> Request {
    Request { caller: Some(VisitorId::parse("ada").unwrap()), expected_version: None, command }
}

fn by_eve(command: Command) -> Request {
    Request { caller: Some(VisitorId::parse("eve").unwrap()), ..by_owner(command) }
}

fn ordered() -> Stage {
    Stage::Ordered {
        order_id: OrderId::parse("o0").unwrap(),
        quote: None,
        payment: None,
        state: OrderState::default(),
    }
}

fn with_status(status: OrderStatus) -> Stage {
    let state = OrderState { status, ..OrderState::default() };
    Stage::Ordered { order_id: OrderId::parse("o1").unwrap(), quote: None, payment: None, state }
}

/// Returns the order that two mugs become.
fn bought() -> Order {
    let mut case = Case::checked_out(Workflow::classic());
    match case.grant(pay(2_500)).remove(0) {
        CartEvent::OrderPlaced(order) => order,
        other => panic!("{other:?}"),
    }
}

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn place(amount_minor: i64) -> Request {
    let payment = Payment { id: PaymentId::parse("o1-1").unwrap(), reference: "p1".into(), amount_minor };
    by_owner(Command::PlaceOrder { order_id: OrderId::parse("o1").unwrap(), payment })
}

/// A tenth off by code TEN, for ten orders in all and two of each customer.
fn limited() -> Case {
    let mut case = Case::checked_out(Workflow::express());
    let promotions = r#"[{"id": "ten", "name": "Ten", "codes": ["TEN"], "limits": {"total": 10, "per_customer": 2},
        "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}]"#;
    case.terms.promotions = serde_json::from_str(promotions).unwrap();
    case
}

fn engraved(text: &str) -> Properties {
    Properties::parse([("engraving".to_owned(), text.to_owned())].into()).unwrap()
}

/// A property that a product takes, and whether it keeps lines apart.
fn rule(name: &str, splits: bool) -> PropertyRule {
    let json = format!(r#"{{"name": "{name}", "splits": {splits}}}"#);
    serde_json::from_str(&json).unwrap()
}

fn add_engraved(quantity: u32, text: &str) -> Command {
    Command::AddLine { sku: sku("MUG"), quantity, properties: engraved(text) }
}
