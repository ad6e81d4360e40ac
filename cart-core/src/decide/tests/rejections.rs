//! Which command is refused, with which words, and which of several faults is told.

use super::*;

#[test]
fn each_rejection_has_its_case_and_its_words() {
    type Bend = fn(&mut Case);
    let as_it_is: Bend = |_| {};
    let stale = Request { expected_version: Some(7), ..by_owner(Command::Clear) };
    let rows: [(Bend, Request, &str, &str); 44] = [
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
            |case| case.product.as_mut().unwrap().properties = vec![rule("initials", true)],
            by_owner(add_engraved(1, "Ada")),
            "property_refused",
            "MUG: it takes no property \"engraving\"; leave it out, it takes initials",
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
            |case| case.cart.stage = ordered(),
            by_owner(Command::CorrectParcel {
                order: Box::new(bought()),
                number: 2,
                change: crate::TrackingChange::default(),
            }),
            "parcel_not_found",
            "the order has no parcel 2; its parcels say their numbers",
        ),
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
            |case| {
                case.grant(Command::StartCheckout);
                case.terms.locations = serde_json::from_str(
                    r#"{"locations": [{"id": "main", "name": "Leeds", "places": [{"countries": ["IE"]}]}]}"#,
                )
                .unwrap();
            },
            by_owner(step(address("Bath"))),
            "address_not_served",
            "the shop does not send to GB BA1 2LR; give an address elsewhere",
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
