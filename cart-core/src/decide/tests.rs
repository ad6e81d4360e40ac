mod lapse;
mod orders;
mod payments;
mod pieces;
mod purses;

use super::*;
use crate::{
    AccountId, Address, AttemptState, CardTerms, Code, FieldError, GiftCard, GiftCardId, Line, LineId,
    MethodId, Money, Order, OrderId, OrderLine, OrderState, OrderStatus, Payment, PaymentAttempt,
    PaymentTask, Posting, PricePolicy, Properties, RefundWish, RequestKey, SpecialPrice, Stage, Step,
    StepDetails, StockLevel, StockPolicy,
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

#[test]
fn each_rejection_has_its_case_and_its_words() {
    type Bend = fn(&mut Case);
    let as_it_is: Bend = |_| {};
    let stale = Request { expected_version: Some(7), ..by_owner(Command::Clear) };
    let rows: [(Bend, Request, &str, &str); 41] = [
        (as_it_is, by_eve(Command::Clear), "not_owner", "the cart belongs to another visitor"),
        (
            as_it_is,
            stale,
            "stale_version",
            "the cart is at version 2, the request expects 7; read the cart and try again",
        ),
        (
            |case| case.cart.stage = ordered(),
            by_owner(Command::Clear),
            "cart_closed",
            "the cart became order o0 and can no longer change; open a new one",
        ),
        (
            |case| case.cart.stage = Stage::Merged { into: CartId::parse("c2").unwrap() },
            by_owner(Command::Clear),
            "cart_merged",
            "the cart was merged into cart c2; go on with that one",
        ),
        (
            |case| case.cart.lapse = Some(crate::Lapse::Expired),
            by_owner(add("MUG", 0)),
            "cart_expired",
            "the cart was left alone for so long that it expired; send reopen to have it back",
        ),
        (
            as_it_is,
            by_owner(add("MUG", 0)),
            "invalid_quantity",
            "quantity 0 is outside 1 to 9999; use remove_line to take a line out",
        ),
        (
            as_it_is,
            by_owner(add("MUG", 9_998)),
            "invalid_quantity",
            "quantity 10000 is outside 1 to 9999; use remove_line to take a line out",
        ),
        (
            as_it_is,
            by_owner(add("MUG", u32::MAX)),
            "invalid_quantity",
            "quantity 4294967297 is outside 1 to 9999; use remove_line to take a line out",
        ),
        (
            as_it_is,
            by_owner(set("MUG", 0)),
            "invalid_quantity",
            "quantity 0 is outside 1 to 9999; use remove_line to take a line out",
        ),
        (
            as_it_is,
            by_owner(set("MUG", 10_000)),
            "invalid_quantity",
            "quantity 10000 is outside 1 to 9999; use remove_line to take a line out",
        ),
        (|case| case.product = None, by_owner(add("CUP", 1)), "unknown_sku", "no product CUP is for sale"),
        (
            |case| case.product = Some(Product { hidden: true, ..mug() }),
            by_owner(set("MUG", 3)),
            "unknown_sku",
            "no product MUG is for sale",
        ),
        // The facts speak of another product than the command: as good as none.
        (as_it_is, by_owner(add("CUP", 1)), "unknown_sku", "no product CUP is for sale"),
        (
            |case| case.product = Some(Product { price: Money::new(1_400, currency("EUR")), ..mug() }),
            by_owner(add("MUG", 1)),
            "currency_mismatch",
            "the product is priced in EUR, the cart in GBP; open a cart in EUR",
        ),
        (
            |case| case.product.as_mut().unwrap().limits.step = 6,
            by_owner(add("MUG", 2)),
            "quantity_limit",
            "MUG: pieces are sold in multiples of 6: 0 or 6, not 4",
        ),
        (
            as_it_is,
            by_owner(Command::ApplyCode { code: Code::parse("winter").unwrap() }),
            "unknown_code",
            "WINTER is no code of this shop",
        ),
        (
            as_it_is,
            by_owner(Command::ApplyGiftCard { card: card("c") }),
            "unknown_gift_card",
            "there is no gift card with the code that ends in 000c; compare it with the card",
        ),
        (
            as_it_is,
            by_owner(Command::ApplyGiftCard { card: card("euro") }),
            "gift_card_currency",
            "the gift card ending in euro pays EUR, the cart is in GBP; use it in a cart in EUR",
        ),
        (
            as_it_is,
            by_owner(Command::ApplyGiftCard { card: card("off") }),
            "gift_card_disabled",
            "the gift card ending in 0off was stopped by the shop; write to it, or pay by other means",
        ),
        (
            as_it_is,
            by_owner(Command::ApplyGiftCard { card: card("old") }),
            "gift_card_expired",
            "the gift card ending in 0old has expired; pay by other means",
        ),
        (
            |case| case.balances.insert("gift-card:GBP:a".parse().unwrap(), 0),
            by_owner(Command::ApplyGiftCard { card: card("a") }),
            "gift_card_empty",
            "nothing is left on the gift card ending in 000a; use another",
        ),
        (as_it_is, by_owner(remove("CUP")), "line_not_found", "the cart has no line CUP"),
        (
            given_a_mug,
            by_owner(remove("MUG~4ffcac55ae81991b")),
            "gift_line",
            "MUG~4ffcac55ae81991b is a gift of promotion mug, which decides about it; decline_gift takes it out",
        ),
        (
            given_a_mug,
            by_owner(Command::DeclineGift { promotion: "tea".parse().unwrap() }),
            "gift_not_found",
            "promotion tea gives this cart nothing; the lines of gifts say which promotions do",
        ),
        (
            |case| case.fill(CART_LINES_MAX),
            by_owner(add("MUG", 1)),
            "cart_full",
            "a cart holds at most 500 lines with 65536 bytes of properties; take something out",
        ),
        (
            |case| case.cart.lines.clear(),
            by_owner(Command::StartCheckout),
            "cart_empty",
            "the cart is empty; add a line first",
        ),
        (
            as_it_is,
            by_owner(step(StepDetails::Payment)),
            "step_out_of_order",
            "step payment cannot be completed now; no step is waiting: start the checkout, or place the order if it has begun",
        ),
        (
            |case| case.cart.stage = Stage::Checkout { completed: vec![], payment: None },
            by_owner(step(StepDetails::Payment)),
            "step_out_of_order",
            "step payment cannot be completed now; the next step is address",
        ),
        (
            as_it_is,
            by_owner(pay(2_500)),
            "checkout_incomplete",
            "the checkout is not complete; start the checkout first",
        ),
        (
            |case| case.cart.stage = Stage::Checkout { completed: vec![Step::Address], payment: None },
            by_owner(pay(2_500)),
            "checkout_incomplete",
            "the checkout is not complete; the next step is shipping",
        ),
        (
            |case| {
                *case = Case::checked_out(Workflow::express());
                case.terms.prices = PricePolicy::Tell;
                case.product.as_mut().unwrap().price.minor = 1;
            },
            by_owner(pay(2)),
            "price_changed",
            "the price of MUG has changed; accept the new prices, then order",
        ),
        (
            |case| {
                *case = limited();
                case.grant(Command::ApplyCode { code: Code::parse("TEN").unwrap() });
                case.balances.insert("promotion:ten".parse().unwrap(), 10);
            },
            by_owner(pay(2_250)),
            "promotion_used_up",
            "Ten (code TEN) was used up before this order; the cart shows what it comes to without, look it over, then order",
        ),
        (
            |case| {
                *case = Case::checked_out(Workflow::express());
                given_a_mug(case);
                case.terms.promotions = crate::Promotions::default();
            },
            by_owner(pay(2_500)),
            "gifts_changed",
            "Mug is no longer a gift of this cart; look the cart over, then order",
        ),
        (
            |case| {
                *case = Case::checked_out(Workflow::express());
                case.grant(Command::BeginPayment { order_id: OrderId::parse("o2").unwrap(), request: None });
            },
            by_owner(pay(2_500)),
            "payment_cancelled",
            "the cart was changed while it was being paid; nothing was charged, look it over and order again",
        ),
        (
            |case| *case = Case::checked_out(Workflow::express()),
            by_owner(pay(2_499)),
            "payment_mismatch",
            "2499 minor units were authorised, 2500 are due; the cart has changed, look it over",
        ),
        (
            as_it_is,
            by_owner(Command::CancelOrder { order: Box::new(bought()) }),
            "not_ordered",
            "order o1 was not placed",
        ),
        (
            |case| case.cart.stage = with_status(OrderStatus::Fulfilled { at_ms: 1 }),
            by_owner(Command::CancelOrder { order: Box::new(bought()) }),
            "order_state",
            "the order is fulfilled already; it can be refunded once it is back",
        ),
        (
            |case| {
                case.cart.stage = ordered();
                case.now_ms += 1_800_001;
            },
            by_owner(Command::CancelOrder { order: Box::new(bought()) }),
            "cancel_too_late",
            "an order can be cancelled for 30 minutes; write to the shop, which may still cancel it",
        ),
        (
            |case| case.cart.stage = ordered(),
            by_owner(Command::RefundOrder {
                order: Box::new(bought()),
                wish: RefundWish { amount_minor: 2_501, ..RefundWish::default() },
            }),
            "refund_too_large",
            "2501 minor units are more than the 2500 that were paid and not given back",
        ),
        (as_it_is, by_owner(add("MUG", 4)), "out_of_stock", "MUG has 3 left, 4 more are wanted"),
        (
            |case| case.stock = StockLevels::default(),
            by_owner(set("MUG", 3)),
            "out_of_stock",
            "MUG has 0 left, 1 more are wanted",
        ),
    ];
    let mut seen: Vec<&str> = vec![];
    for (bend, request, name, words) in rows {
        let mut case = Case::with_mugs();
        bend(&mut case);
        let rejection = case.decide(&request).unwrap_err();
        assert_eq!((rejection.name(), rejection.to_string().as_str()), (name, words), "{request:?}");
        seen.push(name);
    }
    seen.dedup();
    // The details of a step are parsed at the edge, which alone finds them invalid.
    let decided: Vec<_> = Rejection::NAMES.into_iter().filter(|name| *name != "invalid_details").collect();
    assert_eq!(seen, decided, "every rejection has a row, in order of precedence");
    let field = |field: &str, message: &str| FieldError { field: field.into(), message: message.into() };
    let invalid =
        Rejection::InvalidDetails { fields: vec![field("email", "is needed"), field("city", "is too long")] };
    assert_eq!(invalid.to_string(), "email is needed; city is too long");
}

/// Is the name of a fault and how to mend it.
type Fault = (&'static str, fn(&mut Case, &mut Request));

/// Mends one fault after the other; before each, the request must be refused for the fault that is named.
fn mend(mut case: Case, mut request: Request, faults: &[Fault]) {
    let mut last = None;
    for (name, mend) in faults {
        let rejection = case.decide(&request).unwrap_err();
        assert_eq!(rejection.name(), *name, "{request:?}");
        let rank = Rejection::NAMES.iter().position(|n| n == name);
        assert!(rank >= last, "{name} stands after the fault before it in the order of precedence");
        last = rank;
        mend(&mut case, &mut request);
    }
    let events = case.decide(&request).unwrap();
    assert!(!events.is_empty(), "with every fault mended the request has an effect");
}

/// The faults that any command can have.
const OF_ANY: [Fault; 3] = [
    ("not_owner", |_, request| request.caller = None),
    ("stale_version", |case, request| request.expected_version = Some(case.cart.version)),
    ("cart_closed", |case, _| case.cart.stage = Stage::Open),
];

#[test]
fn of_several_faults_in_an_added_line_the_first_is_told() {
    let mut case = Case::new();
    case.fill(CART_LINES_MAX);
    case.cart.stage = ordered();
    case.stock = StockLevels::default();
    case.product = Some(Product { hidden: true, price: Money::new(1, currency("EUR")), ..mug() });
    let mut faults = OF_ANY.to_vec();
    faults.extend_from_slice(&[
        ("invalid_quantity", |_, request| request.command = add("MUG", 3)),
        ("unknown_sku", |case, _| case.product.as_mut().unwrap().hidden = false),
        ("currency_mismatch", |case, _| case.product = Some(mug())),
        ("cart_full", |case, _| case.cart.lines.truncate(CART_LINES_MAX - 1)),
        ("out_of_stock", |case, _| case.stock.insert(sku("MUG"), StockLevel::of_supply(3))),
    ]);
    for command in [add("MUG", 0), set("MUG", 0)] {
        mend(case.clone(), Request { expected_version: Some(9), ..by_eve(command) }, &faults);
    }
}

#[test]
fn of_several_faults_in_a_raised_line_the_first_is_told() {
    let mut case = Case::with_mugs();
    case.cart.stage = ordered();
    case.stock = StockLevels::default();
    case.product = Some(Product { hidden: true, price: Money::new(1, currency("EUR")), ..mug() });
    let mut faults = OF_ANY.to_vec();
    faults.extend_from_slice(&[
        ("invalid_quantity", |_, request| request.command = set("MUG", 3)),
        ("unknown_sku", |case, _| case.product.as_mut().unwrap().hidden = false),
        ("currency_mismatch", |case, _| case.product = Some(mug())),
        ("out_of_stock", |case, _| case.stock.insert(sku("MUG"), StockLevel::of_supply(1))),
    ]);
    mend(case, Request { expected_version: Some(9), ..by_eve(set("MUG", 10_000)) }, &faults);
}

#[test]
fn of_several_faults_in_a_step_the_first_is_told() {
    let mut case = Case::new();
    case.cart.stage = ordered();
    let mut faults = OF_ANY.to_vec();
    faults.extend_from_slice(&[
        ("cart_empty", |case, _| case.fill(1)),
        ("step_out_of_order", |case, _| {
            case.cart.stage = Stage::Checkout { completed: vec![], payment: None }
        }),
    ]);
    mend(case, Request { expected_version: Some(9), ..by_eve(step(address("Bath"))) }, &faults);
}

#[test]
fn of_several_faults_in_an_order_the_first_is_told() {
    let mut case = Case::new();
    case.cart.stage = ordered();
    case.stock = StockLevels::default();
    case.terms.prices = PricePolicy::Tell;
    case.product = Some(Product { sku: sku("P0"), ..mug() });
    let mut faults = OF_ANY.to_vec();
    faults.extend_from_slice(&[
        ("cart_empty", |case, _| {
            case.fill(1);
            case.cart.lines[0].policy = StockPolicy::TakeAtOrder;
        }),
        ("checkout_incomplete", |case, _| {
            case.cart.stage = Stage::Checkout { completed: Step::ALL.to_vec(), payment: None };
        }),
        ("checkout_incomplete", |case, _| case.cart.shipping = MethodId::parse("standard").ok()),
        ("price_changed", |case, _| case.terms.prices = PricePolicy::Hold),
        ("payment_mismatch", |_, request| request.command = pay(100)),
        ("out_of_stock", |case, _| case.stock.insert(sku("P0"), StockLevel::of_supply(1))),
    ]);
    mend(case, Request { expected_version: Some(9), ..by_eve(pay(1)) }, &faults);
}

#[test]
fn of_several_faults_in_the_other_commands_the_first_is_told() {
    let mut case = Case::new();
    case.cart.stage = ordered();
    let with = |fault: Fault| [&OF_ANY[..], &[fault]].concat();
    let stale = |command| Request { expected_version: Some(9), ..by_eve(command) };
    mend(case.clone(), stale(remove("P0")), &with(("line_not_found", |case, _| case.fill(1))));
    mend(case.clone(), stale(Command::StartCheckout), &with(("cart_empty", |case, _| case.fill(1))));
    case.fill(1);
    mend(case, stale(Command::Clear), &OF_ANY);
}

#[test]
fn what_changes_nothing_gives_no_events() {
    let same_step = |method| step(shipping(method));
    let cases: [(Case, Command); 11] = [
        (Case::new(), Command::Clear),
        (Case::new(), Command::ExpireHolds),
        (Case::with_mugs(), Command::ExpireHolds),
        (Case::with_mugs(), set("MUG", 2)),
        (Case::checked_out(Workflow::classic()), Command::StartCheckout),
        (Case::checked_out(Workflow::classic()), step(address("Bath"))),
        (Case::checked_out(Workflow::classic()), same_step("standard")),
        (Case::checked_out(Workflow::classic()), step(StepDetails::Payment)),
        (Case::checked_out(Workflow::classic()), step(StepDetails::Review)),
        (
            {
                let mut case = Case::with_mugs();
                case.cart.stage = ordered();
                case.now_ms += HOLD_MS;
                case
            },
            Command::ExpireHolds,
        ),
        (
            {
                // Set to what it is, a line stays even if the product has gone.
                let mut case = Case::with_mugs();
                case.product = None;
                case.stock = StockLevels::default();
                case
            },
            set("MUG", 2),
        ),
    ];
    for (mut case, command) in cases {
        let before = case.cart.clone();
        assert_eq!(case.grant(command.clone()), vec![], "{command:?}");
        assert_eq!(case.cart, before, "{command:?}");
    }
}

#[test]
fn the_server_itself_may_ask_for_anything() {
    let case = Case::with_mugs();
    let by_server = Request { caller: None, ..by_owner(Command::Clear) };
    let current = Request { expected_version: Some(case.cart.version), ..by_server.clone() };
    let cleared = vec![CartEvent::CartCleared { releases: release(2) }];
    assert_eq!(case.decide(&by_server), Ok(cleared.clone()));
    assert_eq!(case.decide(&current), Ok(cleared));
}

#[test]
fn a_quantity_set_opens_the_line_that_is_not_there() {
    let mut set_case = Case::new();
    let mut add_case = Case::new();
    assert_eq!(set_case.grant(set("MUG", 3)), add_case.grant(add("MUG", 3)));
    assert_eq!((set_case.mugs(), set_case.cart.version), ((3, 3), 2));
    assert_eq!(set_case.cart, add_case.cart);
}

#[test]
fn a_second_add_joins_the_line_and_renews_its_name_price_and_policy() {
    let mut case = Case::with_mugs();
    let price = Money::new(1_100, currency("GBP"));
    case.product =
        Some(Product { name: "Big mug".into(), price, stock_policy: StockPolicy::TakeAtOrder, ..mug() });
    case.grant(add("MUG", 1));
    let line = &case.cart.lines[0];
    assert_eq!(case.cart.lines.len(), 1);
    assert_eq!(
        (line.name.as_str(), line.unit_price_minor, line.policy),
        ("Big mug", 1_100, StockPolicy::TakeAtOrder)
    );
    // The two mugs that were held stay held; the third one is taken when the order is placed.
    assert_eq!((line.quantity, line.held), (3, 2));
}

#[test]
fn fewer_pieces_are_always_granted() {
    let gone: [fn(&mut Case); 4] = [
        |case| case.product = None,
        |case| case.product.as_mut().unwrap().hidden = true,
        |case| case.product.as_mut().unwrap().price = Money::new(1, currency("EUR")),
        |case| case.product.as_mut().unwrap().price = Money::new(PRICE_MINOR_MAX, currency("GBP")),
    ];
    for bend in gone {
        let mut case = Case::new();
        case.grant(add("MUG", 5));
        bend(&mut case);
        case.grant(set("MUG", 2));
        assert_eq!((case.mugs(), case.stock.available(&sku("MUG"))), ((2, 2), 3));
        assert_eq!(case.due_minor(), 2_500, "the price stays the one of the last add");
    }
    // Holds that have expired are not taken anew by wanting less.
    let mut case = Case::new();
    case.grant(add("MUG", 5));
    case.now_ms += HOLD_MS;
    case.grant(Command::ExpireHolds);
    case.stock = StockLevels::default();
    case.grant(set("MUG", 3));
    assert_eq!((case.mugs(), case.cart.holds_expire_at_ms), ((3, 0), None));
}

#[test]
fn stock_is_taken_when_the_policy_says() {
    for (policy, too_many, held) in [
        (StockPolicy::HoldOnAdd, Some(6), 5),
        (StockPolicy::HoldAtCheckout, Some(6), 0),
        (StockPolicy::TakeAtOrder, Some(6), 0),
        (StockPolicy::Untracked, None, 0),
    ] {
        let mut case = Case::new();
        case.product = Some(Product { stock_policy: policy, ..mug() });
        match too_many {
            Some(quantity) => {
                assert_eq!(case.refuse(add("MUG", quantity)).name(), "out_of_stock", "{policy:?}")
            }
            None => assert_eq!(case.clone().grant(add("MUG", LINE_QUANTITY_MAX)).len(), 1),
        }
        case.grant(add("MUG", 5));
        assert_eq!((case.mugs(), case.stock.available(&sku("MUG"))), ((5, held), 5 - i64::from(held)));
    }
}

#[test]
fn a_change_that_holds_pieces_renews_the_time_of_all_holds() {
    let mut case = Case::with_mugs();
    assert_eq!(case.cart.holds_expire_at_ms, Some(1_000 + HOLD_MS));
    case.now_ms = 2_000;
    case.grant(set("MUG", 1));
    assert_eq!(case.cart.holds_expire_at_ms, Some(1_000 + HOLD_MS), "less wanted, nothing newly held");
    case.now_ms = 3_000;
    case.grant(set("MUG", 2));
    assert_eq!(case.cart.holds_expire_at_ms, Some(3_000 + HOLD_MS));
    case.now_ms = 4_000;
    case.grant(add("MUG", 1));
    assert_eq!(case.cart.holds_expire_at_ms, Some(4_000 + HOLD_MS));
    case.now_ms = 5_000;
    case.product = Some(Product { sku: sku("PDF"), stock_policy: StockPolicy::Untracked, ..mug() });
    case.grant(add("PDF", 1));
    assert_eq!(case.cart.holds_expire_at_ms, Some(4_000 + HOLD_MS), "a download holds nothing");
    case.grant(remove("MUG"));
    assert_eq!(case.cart.holds_expire_at_ms, None, "with the last hold goes its end");
}

#[test]
fn holds_end_at_their_time_and_the_lines_stay() {
    let mut case = Case::with_mugs();
    case.now_ms = 1_000 + HOLD_MS - 1;
    assert_eq!(case.grant(Command::ExpireHolds), vec![]);
    case.now_ms += 1;
    let expired = case.grant(Command::ExpireHolds);
    assert_eq!(expired, vec![CartEvent::HoldsExpired { releases: release(2) }]);
    assert_eq!((case.mugs(), case.stock.available(&sku("MUG"))), ((2, 0), 5));
    assert_eq!(case.grant(Command::ExpireHolds), vec![], "once is enough");
    case.grant(add("MUG", 1));
    assert_eq!(case.mugs(), (3, 3), "another add holds the whole line again");
}

#[test]
fn an_order_whose_holds_expired_is_served_from_the_shelf_or_refused() {
    let mut case = Case::checked_out(Workflow::express());
    case.now_ms += HOLD_MS;
    case.grant(Command::ExpireHolds);
    let mut late = case.clone();
    late.stock.insert(sku("MUG"), StockLevel::of_supply(1));
    let refused = Rejection::OutOfStock { sku: sku("MUG"), available: 1, wanted: 2 };
    assert_eq!(late.refuse(pay(2_500)), refused);
    case.grant(pay(2_500));
    let mugs = case.stock.get(&sku("MUG")).unwrap();
    assert_eq!((mugs.available, mugs.held, mugs.sold), (3, 0, 2));
}

#[test]
fn both_workflows_lead_to_an_order() {
    use Step::{Address, Payment, Review, Shipping};
    for (workflow, steps) in [
        (Workflow::classic(), vec![Address, Shipping, Payment, Review]),
        (Workflow::express(), vec![Address, Shipping, Payment]),
    ] {
        let mut case = Case::with(workflow);
        case.grant(add("MUG", 2));
        case.grant(Command::StartCheckout);
        for (done, next) in steps.iter().enumerate() {
            assert_eq!((case.cart.completed(), case.cart.next_step()), (&steps[..done], Some(*next)));
            case.grant(step(details(*next)));
        }
        assert_eq!(case.cart.next_step(), None);
        case.now_ms = 5_000;
        let quote = case.quote();
        let events = case.grant(pay(2_500));
        let order = Order {
            order_id: OrderId::parse("o1").unwrap(),
            cart: CartId::parse("c1").unwrap(),
            owner: VisitorId::parse("ada").unwrap(),
            placed_at_ms: 5_000,
            currency: currency("GBP"),
            note: String::new(),
            lines: vec![OrderLine { from_held: 2, ..OrderLine::new(sku("MUG"), "Mug", 2, 1_250) }],
            shipping: MethodId::parse("standard").ok(),
            shipping_minor: 0,
            total_minor: 2_500,
            payment_reference: "pay-1".into(),
            postings: vec![],
            payment: PaymentId::parse("o1-1").ok(),
            email: "ada@example.org".into(),
            state: OrderState::default(),
            quote: Some(Box::new(quote)),
        };
        assert_eq!(events, vec![CartEvent::OrderPlaced(order)]);
        assert_eq!(case.cart.order_id().map(OrderId::as_str), Some("o1"));
        assert_eq!((case.cart.completed(), case.cart.holds_expire_at_ms), (&steps[..], None));
        assert_eq!(case.refuse(add("MUG", 1)).name(), "cart_closed");
    }
}

#[test]
fn a_way_to_travel_is_one_of_those_offered_at_the_price_of_the_day() {
    let mut case = Case::with_mugs();
    case.grant(Command::StartCheckout);
    case.grant(step(address("Bath")));
    for (method, message) in [
        (shipping("balloon"), "method must be one of standard, express"),
        (StepDetails::Shipping { method: None }, "method must be one of standard, express"),
    ] {
        let refused = case.refuse(step(method));
        assert_eq!((refused.name(), refused.to_string().as_str()), ("invalid_details", message));
    }
    case.grant(step(shipping("express")));
    case.grant(step(StepDetails::Payment));
    case.grant(step(StepDetails::Review));
    assert_eq!(case.due_minor(), 2_995);
    case.terms = express(795);
    assert_eq!(case.due_minor(), 3_295);
    let refused = case.refuse(pay(2_995));
    assert_eq!(refused.name(), "payment_mismatch", "nobody pays a price that was not shown");

    // A method that the shop gives up is chosen no longer.
    let mut definition = case.terms.shipping.definition().clone();
    definition.methods.truncate(1);
    case.terms.shipping = crate::Shipping::new(definition).unwrap();
    assert_eq!(
        case.refuse(pay(2_500)).to_string(),
        "the checkout is not complete; the next step is shipping"
    );
    case.grant(step(shipping("standard")));
    case.grant(pay(2_500));
    // What the order cost is settled, whatever the shop asks later.
    case.terms = express(1);
    assert_eq!((case.due_minor(), case.quote().lines.len()), (2_500, 1));
}

#[test]
fn nothing_travels_where_all_is_sent_by_wire() {
    let mut case = Case::new();
    case.product = Some(Product { digital: true, ..mug() });
    case.grant(add("MUG", 1));
    case.grant(Command::StartCheckout);
    case.grant(step(address("Bath")));
    assert_eq!(case.cart.next_step(), Some(Step::Payment), "there is no parcel to choose a way for");
    assert_eq!(
        case.grant(step(StepDetails::Shipping { method: None })),
        [],
        "who goes through all steps may"
    );
    case.grant(step(StepDetails::Payment));
    case.grant(step(StepDetails::Review));
    let placed = case.grant(pay(1_250));
    let Some(CartEvent::OrderPlaced(order)) = placed.first() else { panic!("{placed:?}") };
    assert_eq!(order.shipping, None);
}

/// What is sent by wire needs an e-mail address, and of the rest what tax depends on.
fn bill(country: &str, region: &str) -> Command {
    let given = |name: &str| match name {
        "email" => Some("ada@example.org".to_owned()),
        "country" => Some(country.to_owned()),
        "region" => Some(region.to_owned()),
        _ => None,
    };
    step(StepDetails::parse(Step::Address, crate::Asked::default(), given).unwrap())
}

#[test]
fn a_download_asks_for_what_tax_depends_on_and_is_taxed_where_the_bill_goes() {
    let mut case = Case::with(Workflow::express());
    let taxes = r#"{"prices_include_tax":false,"home":{"country":"GB"},"zones":[
        {"name":"UK","places":[{"countries":["GB"]}],"rates":{"standard":[{"name":"VAT","rate_ppm":200000}]}},
        {"name":"California","places":[{"countries":["US"],"regions":["CA"]}],
         "rates":{"standard":[{"name":"Sales tax","rate_ppm":72500}]}}]}"#;
    case.terms.taxes = crate::Taxes::new(serde_json::from_str(taxes).unwrap()).unwrap();
    let told = "Download it at https://example.org/mug".to_owned();
    case.product = Some(Product {
        digital: true,
        stock_policy: StockPolicy::Untracked,
        delivery_note: told.clone(),
        ..mug()
    });
    case.stock = StockLevels::default();
    case.grant(add("MUG", 2));
    case.grant(Command::StartCheckout);
    let lacking = |field: &str| Rejection::InvalidDetails {
        fields: vec![FieldError { field: field.into(), message: "is needed".into() }],
    };
    assert_eq!(case.refuse(bill("US", "")), lacking("region"), "the rate depends on the state");
    case.grant(bill("GB", ""));
    assert_eq!(case.due_minor(), 3_000, "25.00 and 20 % of it");
    case.grant(bill("US", "CA"));
    assert_eq!(case.due_minor(), 2_681, "25.00 and 7.25 % of it: 1.8125");
    case.grant(bill("FR", ""));
    assert_eq!(case.due_minor(), 2_500, "no zone, no tax");
    case.grant(step(StepDetails::Payment));

    // A parcel joins it: now the address is to be completed, and a way chosen.
    let mut posted = case.clone();
    posted.product = Some(Product { sku: sku("CUP"), stock_policy: StockPolicy::Untracked, ..mug() });
    posted.grant(Command::AddLine { sku: sku("CUP"), quantity: 1, properties: Properties::default() });
    assert_eq!(posted.cart.next_step(), Some(Step::Address));
    let Rejection::InvalidDetails { fields } = posted.refuse(bill("FR", "")) else { panic!() };
    let names: Vec<_> = fields.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(names, ["name", "street", "city", "postcode"]);
    posted.grant(step(address("Bath")));
    assert_eq!(posted.cart.next_step(), Some(Step::Shipping));

    let placed = case.grant(pay(2_500));
    let Some(CartEvent::OrderPlaced(order)) = placed.first() else { panic!("{placed:?}") };
    assert_eq!(order.notes().collect::<Vec<_>>(), [("The MUG", told.as_str())].map(|(_, n)| ("Mug", n)));
}

#[test]
fn the_price_of_a_tier_goes_with_the_quantity() {
    let mut case = Case::new();
    let tier = SpecialPrice {
        minor: 1_000,
        currency: currency("GBP"),
        group: None,
        min_quantity: 3,
        from_ms: None,
        until_ms: None,
    };
    case.product = Some(Product { prices: vec![tier], ..mug() });
    for (command, unit_minor) in
        [(add("MUG", 2), 1_250), (add("MUG", 1), 1_000), (set("MUG", 2), 1_250), (set("MUG", 5), 1_000)]
    {
        case.grant(command);
        assert_eq!(case.cart.lines[0].unit_price_minor, unit_minor);
    }
}

#[test]
fn a_changed_price_waits_to_be_accepted_where_the_shop_tells() {
    let mut case = Case::checked_out(Workflow::express());
    case.terms.prices = PricePolicy::Tell;
    case.product.as_mut().unwrap().price = Money::new(1_400, currency("GBP"));
    assert_eq!((case.quote().lines[0].was_minor, case.due_minor()), (Some(1_250), 2_800));
    let refused = case.refuse(pay(2_800));
    assert_eq!(refused.to_string(), "the price of MUG has changed; accept the new prices, then order");
    case.grant(Command::AcceptPrices);
    assert_eq!((case.quote().lines[0].was_minor, case.due_minor()), (None, 2_800));
    assert_eq!(case.grant(Command::AcceptPrices), []);
    case.grant(pay(2_800));
}

#[test]
fn purchase_limits_hold_over_all_lines_of_a_product() {
    let limits = crate::QuantityLimits { min: 2, max: Some(5), step: 1, per_customer: None };
    let mut case = Case::new();
    case.product = Some(Product { limits, ..mug() });
    let said = |case: &Case, command| case.refuse(command).to_string();
    assert_eq!(said(&case, add("MUG", 1)), "MUG: at least 2 pieces are sold at once, not 1");
    case.grant(add("MUG", 2));
    assert_eq!(said(&case, add_engraved(4, "Ada")), "MUG: an order may hold 5 pieces, not 6");
    case.grant(add_engraved(3, "Ada"));
    assert_eq!(said(&case, set("MUG", 3)), "MUG: an order may hold 5 pieces, not 6");
    assert_eq!(said(&case, set("MUG", 1)), "MUG: at least 2 pieces are sold at once, not 1");
    case.product.as_mut().unwrap().limits.max = Some(3);
    let ada = LineId::new(sku("MUG"), &engraved("Ada"));
    case.grant(Command::SetQuantity { line: ada, quantity: 2 });
}

#[test]
fn a_step_that_is_done_may_be_corrected() {
    let mut case = Case::checked_out(Workflow::classic());
    let done = case.cart.completed().to_vec();
    case.grant(step(address("Wells")));
    case.grant(step(shipping("express")));
    assert_eq!(case.cart.address.as_ref().map(|a| a.city.as_str()), Some("Wells"));
    assert_eq!((case.cart.completed(), case.cart.next_step()), (&done[..], None));
    assert_eq!(case.refuse(pay(2_500)).name(), "payment_mismatch");
    case.grant(pay(2_995));
}

#[test]
fn a_step_waits_for_its_turn() {
    use Step::{Address, Payment, Review, Shipping};
    let out_of_order = |step, next| Rejection::StepOutOfOrder { step, next };
    let mut case = Case::with_mugs();
    assert_eq!(case.refuse(step(details(Address))), out_of_order(Address, None));
    case.grant(Command::StartCheckout);
    for early in [Shipping, Payment, Review] {
        assert_eq!(case.refuse(step(details(early))), out_of_order(early, Some(Address)));
    }
    case.grant(step(details(Address)));
    assert_eq!(case.refuse(step(details(Payment))), out_of_order(Payment, Some(Shipping)));
    // The express workflow has no review at all.
    let express = Case::checked_out(Workflow::express());
    assert_eq!(express.refuse(step(details(Review))), out_of_order(Review, None));
}

#[test]
fn lines_may_change_during_the_checkout_and_the_steps_stay_done() {
    let mut case = Case::checked_out(Workflow::classic());
    case.grant(add("MUG", 1));
    assert_eq!(case.refuse(pay(2_500)).name(), "payment_mismatch");
    case.grant(Command::Clear);
    assert_eq!(case.refuse(pay(2_500)), Rejection::CartEmpty);
    assert_eq!(case.refuse(Command::StartCheckout), Rejection::CartEmpty);
    case.grant(add("MUG", 1));
    assert_eq!(case.grant(pay(1_250)).len(), 1);
}

fn engraved(text: &str) -> Properties {
    Properties::parse([("engraving".to_owned(), text.to_owned())].into()).unwrap()
}

fn add_engraved(quantity: u32, text: &str) -> Command {
    Command::AddLine { sku: sku("MUG"), quantity, properties: engraved(text) }
}

#[test]
fn properties_keep_lines_apart_and_equal_ones_meet() {
    let mut case = Case::with_mugs();
    case.grant(add_engraved(1, "Ada"));
    case.grant(add_engraved(1, "Eve"));
    case.grant(add_engraved(1, "Ada"));
    let lines: Vec<_> = case.cart.lines.iter().map(|l| (l.properties.clone(), l.quantity, l.held)).collect();
    assert_eq!(lines, [(Properties::default(), 2, 2), (engraved("Ada"), 2, 2), (engraved("Eve"), 1, 1)]);
    assert_eq!(case.cart.pieces_of(&sku("MUG")), 5);
    // All five mugs are held: the lines of one product share its stock.
    assert_eq!(case.refuse(add("MUG", 1)).name(), "out_of_stock");

    let ada = LineId::new(sku("MUG"), &engraved("Ada"));
    case.grant(Command::SetQuantity { line: ada.clone(), quantity: 1 });
    case.grant(Command::RemoveLine { line: id("MUG") });
    assert_eq!(case.cart.lines.len(), 2);
    case.grant(Command::RemoveLine { line: ada.clone() });
    let gone = case.refuse(Command::SetQuantity { line: ada, quantity: 1 });
    assert_eq!(gone.name(), "line_not_found", "a name alone does not say what to engrave");
}

#[test]
fn lines_of_one_product_are_sold_from_one_shelf() {
    let mut case = Case::new();
    case.product = Some(Product { stock_policy: StockPolicy::TakeAtOrder, ..mug() });
    case.grant(add("MUG", 3));
    case.grant(add_engraved(3, "Ada"));
    case.grant(Command::StartCheckout);
    while let Some(step) = case.cart.next_step() {
        case.grant(Command::CompleteStep(details(step)));
    }
    let refused = case.refuse(pay(case.due_minor()));
    assert_eq!(refused, Rejection::OutOfStock { sku: sku("MUG"), available: 2, wanted: 3 });
}

#[test]
fn a_line_is_laid_aside_and_taken_back_at_the_price_of_the_day() {
    let mut case = Case::with_mugs();
    case.grant(Command::SaveLine { line: id("MUG") });
    assert_eq!((case.cart.lines.len(), case.cart.saved[0].quantity), (0, 2));
    assert_eq!(case.stock.available(&sku("MUG")), 5, "what waits for later holds nothing");
    case.product.as_mut().unwrap().price = Money::new(1_400, currency("GBP"));
    case.grant(Command::RestoreLine { line: id("MUG") });
    assert_eq!((case.cart.lines[0].unit_price_minor, case.mugs(), case.cart.saved.len()), (1_400, (2, 2), 0));
    assert_eq!(case.refuse(Command::RestoreLine { line: id("MUG") }).name(), "line_not_found");
    assert_eq!(case.refuse(Command::DropSavedLine { line: id("MUG") }).name(), "line_not_found");

    // What cannot be had now goes on waiting.
    case.grant(Command::SaveLine { line: id("MUG") });
    case.stock = StockLevels::default();
    assert_eq!(case.refuse(Command::RestoreLine { line: id("MUG") }).name(), "out_of_stock");
    case.grant(Command::DropSavedLine { line: id("MUG") });
    assert_eq!(case.cart.saved, []);
}

#[test]
fn a_batch_is_done_whole_or_not_at_all() {
    let mut case = Case::new();
    let all = case.grant(Command::Batch(vec![
        add("MUG", 2),
        add_engraved(1, "Ada"),
        set("MUG", 3),
        Command::StartCheckout,
    ]));
    assert_eq!(
        all.iter().map(CartEvent::name).collect::<Vec<_>>(),
        ["line_added", "line_added", "quantity_set", "checkout_started"]
    );
    assert_eq!((case.mugs(), case.cart.version), ((3, 3), 5));

    // The second command sees the pieces that the first took.
    let refused = case.refuse(Command::Batch(vec![add("MUG", 1), add("MUG", 1)]));
    let reason = Rejection::OutOfStock { sku: sku("MUG"), available: 0, wanted: 1 };
    assert_eq!((refused.name(), refused.reason()), ("out_of_stock", &reason));
    assert_eq!(
        refused.to_string(),
        "command 1 of the batch: MUG has 0 left, 1 more are wanted; nothing of the batch was done"
    );
    assert_eq!(case.grant(Command::Batch(vec![])), []);
}

#[test]
fn a_note_is_kept_and_goes_with_the_order() {
    let mut case = Case::checked_out(Workflow::classic());
    let note = |text: &str| Command::SetNote { text: text.into() };
    case.grant(note("Ring twice"));
    assert_eq!(case.grant(note("Ring twice")), []);
    let events = case.grant(pay(case.due_minor()));
    assert!(matches!(&events[0], CartEvent::OrderPlaced(order) if order.note == "Ring twice"));
}

#[test]
fn a_promotion_goes_with_the_order_and_what_it_took_off_each_line() {
    let promotions = r#"[
        {"id": "summer", "name": "Summer", "codes": ["SUMMER"],
         "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}},
        {"id": "freight", "name": "Free delivery", "conditions": {"needs": [{"min_minor": {"GBP": 2000}}]},
         "benefit": {"kind": "free_shipping"}}
    ]"#;
    let mut case = Case::checked_out(Workflow::express());
    case.terms.promotions = serde_json::from_str(promotions).unwrap();
    case.grant(step(shipping("express")));
    assert_eq!(case.due_minor(), 2_500, "free delivery from 20 pounds on");
    let code = Code::parse("summer").unwrap();
    case.grant(Command::ApplyCode { code: code.clone() });
    assert_eq!(case.grant(Command::ApplyCode { code: code.clone() }), [], "typed once is typed");
    let totals = case.quote().totals;
    assert_eq!((totals.subtotal_minor, totals.discount_minor, totals.total_minor), (2_500, 250, 2_250));
    case.grant(Command::RemoveCode { code: code.clone() });
    assert_eq!((case.due_minor(), case.grant(Command::RemoveCode { code: code.clone() })), (2_500, vec![]));
    case.grant(Command::ApplyCode { code });
    let events = case.grant(pay(2_250));
    let [CartEvent::OrderPlaced(order)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((order.lines[0].discount_minor, order.shipping_minor, order.total_minor), (250, 0, 2_250));
    let quote = order.quote.as_ref().unwrap();
    let applied: Vec<_> = quote.promotions.outcomes.iter().map(ToString::to_string).collect();
    assert_eq!(applied, ["Summer: 2.50 GBP off", "Free delivery: free shipping"]);
}

/// A tenth off by code TEN, for ten orders in all and two of each customer.
fn limited() -> Case {
    let mut case = Case::checked_out(Workflow::express());
    let promotions = r#"[{"id": "ten", "name": "Ten", "codes": ["TEN"], "limits": {"total": 10, "per_customer": 2},
        "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}]"#;
    case.terms.promotions = serde_json::from_str(promotions).unwrap();
    case
}

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn place(amount_minor: i64) -> Request {
    let payment = Payment { id: PaymentId::parse("o1-1").unwrap(), reference: "p1".into(), amount_minor };
    by_owner(Command::PlaceOrder { order_id: OrderId::parse("o1").unwrap(), payment })
}

#[test]
fn an_order_posts_a_use_of_what_is_counted() {
    let mut case = limited();
    case.grant(Command::ApplyCode { code: "TEN".parse().unwrap() });
    let total_minor = quote(&case.cart, &One(case.product.as_ref()), &case.terms, 0).totals.total_minor;
    let events = case.decide(&place(total_minor)).unwrap();
    let [CartEvent::OrderPlaced(order)] = &events[..] else { panic!("{events:?}") };
    let posted = |id: &str| Posting { account: account(id), delta: 1 };
    assert_eq!(order.postings, [posted("promotion:ten"), posted("customer:ten:ada")]);
    case.balances.apply(&events[0]);
    assert_eq!(case.balances.get(&account("promotion:ten")), Some(1));
    let (cause, postings) = account::postings(&events[0]).unwrap();
    assert_eq!((cause.as_str(), postings), ("order:o1", &order.postings[..]));
    let back: Vec<_> = order.postings.iter().map(Posting::reversed).collect();
    assert_eq!(back.iter().map(|p| p.delta).collect::<Vec<_>>(), [-1, -1]);
}

#[test]
fn what_others_used_up_is_refused_told_and_then_left_out() {
    for (id, uses) in [("promotion:ten", 10), ("customer:ten:ada", 2)] {
        let mut case = limited();
        case.grant(Command::ApplyCode { code: "TEN".parse().unwrap() });
        let totals = |case: &Case| quote(&case.cart, &One(case.product.as_ref()), &case.terms, 0).totals;
        let shown = totals(&case);
        assert_eq!(shown.discount_minor, 250, "a tenth of two mugs");
        case.balances.insert(account(id), uses - 1);
        assert!(case.decide(&place(shown.total_minor)).is_ok(), "the last use is one");

        case.balances.insert(account(id), uses);
        let used_up = Rejection::PromotionUsedUp { name: "Ten".into(), code: "TEN".parse().ok() };
        assert_eq!(case.decide(&place(shown.total_minor)), Err(used_up.clone()));
        assert_eq!(
            case.decide(&place(shown.total_minor + 250)),
            Err(used_up),
            "not yet shown is not yet agreed to"
        );

        let facts_say = Balances::from_iter([(account(id), uses)]);
        let noted = case.grant(Command::StartCheckout);
        assert_eq!(noted, [CartEvent::BalancesNoted { balances: facts_say }]);
        assert_eq!(case.grant(Command::StartCheckout), [], "told once");
        let quote = quote(&case.cart, &One(case.product.as_ref()), &case.terms, 0);
        assert_eq!(quote.totals.discount_minor, 0);
        assert!(
            quote.promotions.outcomes[0].to_string().starts_with("Ten: "),
            "{:?}",
            quote.promotions.outcomes
        );
        let events = case.decide(&place(quote.totals.total_minor)).unwrap();
        let [CartEvent::OrderPlaced(order)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(order.postings, []);

        // An order that is given back makes room again, and the cart is told of that too.
        case.balances.insert(account(id), uses - 1);
        assert_eq!(
            case.grant(Command::StartCheckout),
            [CartEvent::BalancesNoted { balances: Balances::default() }]
        );
        assert_eq!(totals(&case), shown);
    }
}

#[test]
fn what_is_used_up_and_took_nothing_off_is_no_news_to_an_order() {
    let mut case = limited();
    case.terms.promotions = serde_json::from_str(
        r#"[{"id": "ten", "name": "Ten", "limits": {"total": 1}, "conditions": {"needs": [{"min_minor": {"GBP": 999999}}]},
            "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}]"#,
    )
    .unwrap();
    let total_minor = quote(&case.cart, &One(case.product.as_ref()), &case.terms, 0).totals.total_minor;
    case.balances.insert(account("promotion:ten"), 1);
    assert!(case.decide(&place(total_minor)).is_ok());
}

#[test]
fn the_properties_of_a_cart_are_bounded_altogether() {
    let engraved = |n: usize| {
        let texts =
            (0..20).map(|text| (format!("{text:02}"), "x".repeat(496))).chain([("n".into(), n.to_string())]);
        Properties::parse(texts.skip(1).collect()).unwrap()
    };
    let add = |n| Command::AddLine { sku: sku("MUG"), quantity: 1, properties: engraved(n) };
    let mut case = Case::new();
    case.stock = StockLevels::from_iter([(sku("MUG"), StockLevel::of_supply(100))]);
    // Six of these lines have 9,464 bytes each; the seventh is too much.
    for n in 0..6 {
        case.grant(add(n));
    }
    assert_eq!(case.refuse(add(6)).name(), "cart_full");
    // More of a line that is there brings no text; nor does one that comes back from the saved ones.
    case.grant(add(5));
    let saved = LineId::new(sku("MUG"), &engraved(5));
    case.grant(Command::SaveLine { line: saved.clone() });
    assert_eq!(case.refuse(add(6)).name(), "cart_full");
    case.grant(Command::RestoreLine { line: saved });
    case.grant(Command::RemoveLine { line: LineId::new(sku("MUG"), &engraved(0)) });
    case.grant(add(6));
}
