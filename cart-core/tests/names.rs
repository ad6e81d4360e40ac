//! The names that metrics, problems and files spell are complete, unique and in the order of the enums.

use std::collections::BTreeSet;

use cart_core::{
    Asked, CartEvent, CartId, Code, Command, Currency, Destination, GiftCard, GiftCardId, LimitBroken,
    LineId, LocationId, Order, OrderId, ParcelWish, Payment, PaymentId, PaymentTask, PromotionId, Properties,
    PropertyFault, RefundWish, Rejection, RelocationWish, Sku, Step, StepDetails, StockPolicy,
    TrackingChange, Typed,
};
use serde::de::DeserializeOwned;

/// Returns the names of all variants in the order of their declaration: serde lists them when it meets another.
fn variants<T: DeserializeOwned>() -> Vec<String> {
    let refusal = match serde_json::from_str::<T>(r#""no such variant""#) {
        Ok(_) => panic!("a name that no variant has was accepted"),
        Err(error) => error.to_string(),
    };
    let (_, list) = refusal.split_once("expected").expect("the refusal names what was expected");
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sku() -> Sku {
    Sku::parse("MUG").expect("a SKU")
}

fn code() -> Code {
    Code::parse("SUMMER").expect("a code")
}

fn card() -> GiftCard {
    GiftCard { id: GiftCardId::parse("0a1b").expect("an id"), last4: "6789".into() }
}

fn promotion() -> PromotionId {
    PromotionId::parse("tea").expect("a promotion id")
}

fn order_id() -> OrderId {
    OrderId::parse("o1").expect("an order id")
}

fn payment_id() -> PaymentId {
    PaymentId::of(&order_id(), 1)
}

fn order() -> Box<Order> {
    let order = r#"{"order_id": "o1", "cart": "c1", "owner": "ada", "placed_at_ms": 1, "currency": "GBP", "lines": [],
        "shipping_minor": 0, "total_minor": 1, "payment_reference": "p1"}"#;
    Box::new(serde_json::from_str(order).expect("an order as it was stored before it had a state"))
}

fn assert_unique(names: &[&str]) {
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

/// Returns a command of each kind. The match stops compiling when a kind is new: add it to both.
fn commands() -> Vec<Command> {
    let successor = |command: &Command| match command {
        Command::AddLine { .. } => Some(Command::SetQuantity { line: sku().into(), quantity: 1 }),
        Command::SetQuantity { .. } => Some(Command::RemoveLine { line: sku().into() }),
        Command::RemoveLine { .. } => Some(Command::SaveLine { line: sku().into() }),
        Command::SaveLine { .. } => Some(Command::RestoreLine { line: sku().into() }),
        Command::RestoreLine { .. } => Some(Command::DropSavedLine { line: sku().into() }),
        Command::DropSavedLine { .. } => Some(Command::ApplyCode { code: code() }),
        Command::ApplyCode { .. } => Some(Command::RemoveCode { code: code() }),
        Command::RemoveCode { .. } => Some(Command::DeclineGift { promotion: promotion() }),
        Command::DeclineGift { .. } => Some(Command::AcceptGift { promotion: promotion() }),
        Command::AcceptGift { .. } => Some(Command::ApplyGiftCard { card: card() }),
        Command::ApplyGiftCard { .. } => Some(Command::RedeemCode(Typed::Either(code(), card()))),
        Command::RedeemCode(_) => Some(Command::RemoveGiftCard { card: card().id }),
        Command::RemoveGiftCard { .. } => Some(Command::UseStoreCredit { on: true }),
        Command::UseStoreCredit { .. } => Some(Command::SetNote { text: String::new() }),
        Command::SetNote { .. } => Some(Command::AcceptPrices),
        Command::AcceptPrices => Some(Command::SetGroup { group: None }),
        Command::SetGroup { .. } => Some(Command::Batch(vec![])),
        Command::Batch(_) => Some(Command::Clear),
        Command::Clear => Some(Command::StartCheckout),
        Command::StartCheckout => Some(Command::CompleteStep(StepDetails::Review)),
        Command::CompleteStep(_) => Some(Command::BeginPayment { order_id: order_id(), request: None }),
        Command::BeginPayment { .. } => {
            Some(Command::ChallengePayment { payment: payment_id(), url: "/confirm".into() })
        }
        Command::ChallengePayment { .. } => {
            Some(Command::FailPayment { payment: payment_id(), reason: "payment_declined".into() })
        }
        Command::FailPayment { .. } => Some(Command::CancelPayment { payment: None }),
        Command::CancelPayment { .. } => {
            Some(Command::SettlePayment(PaymentTask::Void { payment: payment_id() }))
        }
        Command::SettlePayment(_) => Some(Command::PlaceOrder {
            order_id: order_id(),
            payment: Payment { id: payment_id(), reference: "p1".into(), amount_minor: 1 },
        }),
        Command::PlaceOrder { .. } => {
            Some(Command::FulfilOrder { order: order(), wish: ParcelWish::default() })
        }
        Command::FulfilOrder { .. } => {
            let (from, to) = (LocationId::default(), LocationId::parse("north").expect("a location"));
            Some(Command::RelocateOrder {
                order: order(),
                wish: RelocationWish { from, to, contents: vec![] },
            })
        }
        Command::RelocateOrder { .. } => {
            Some(Command::CorrectParcel { order: order(), number: 1, change: TrackingChange::default() })
        }
        Command::CorrectParcel { .. } => Some(Command::CancelOrder { order: order() }),
        Command::CancelOrder { .. } => {
            Some(Command::RefundOrder { order: order(), wish: RefundWish::default() })
        }
        Command::RefundOrder { .. } => Some(Command::ExpireHolds),
        Command::ExpireHolds => Some(Command::Lapse { abandons: true }),
        Command::Lapse { .. } => Some(Command::Reopen),
        Command::Reopen => None,
    };
    let first = Command::AddLine { sku: sku(), quantity: 1, properties: Properties::default() };
    std::iter::successors(Some(first), successor).collect()
}

/// Returns a rejection of each kind. The match stops compiling when a kind is new: add it to both.
fn rejections() -> Vec<Rejection> {
    let gbp = Currency::parse("GBP").expect("a currency");
    let successor = |rejection: &Rejection| match rejection {
        Rejection::NotOwner => Some(Rejection::StaleVersion { expected: 1, actual: 2 }),
        Rejection::StaleVersion { .. } => Some(Rejection::CartClosed { order_id: order_id() }),
        Rejection::CartClosed { .. } => {
            Some(Rejection::CartMerged { into: CartId::parse("c1").expect("a cart id") })
        }
        Rejection::CartMerged { .. } => Some(Rejection::CartExpired),
        Rejection::CartExpired => Some(Rejection::InvalidQuantity { quantity: 0 }),
        Rejection::InvalidQuantity { .. } => Some(Rejection::UnknownSku { sku: sku() }),
        Rejection::UnknownSku { .. } => Some(Rejection::CurrencyMismatch { product: gbp, cart: gbp }),
        Rejection::CurrencyMismatch { .. } => {
            Some(Rejection::QuantityLimit { sku: sku(), broken: LimitBroken::Min { min: 2, wanted: 1 } })
        }
        Rejection::QuantityLimit { .. } => {
            let fault = PropertyFault::Missing { name: "engraving".into(), label: "Engraving".into() };
            Some(Rejection::PropertyRefused { sku: sku(), fault })
        }
        Rejection::PropertyRefused { .. } => Some(Rejection::UnknownCode { code: code() }),
        Rejection::UnknownCode { .. } => Some(Rejection::UnknownGiftCard { last4: "6789".into() }),
        Rejection::UnknownGiftCard { .. } => {
            Some(Rejection::GiftCardCurrency { last4: "6789".into(), card: gbp, cart: gbp })
        }
        Rejection::GiftCardCurrency { .. } => Some(Rejection::GiftCardDisabled { last4: "6789".into() }),
        Rejection::GiftCardDisabled { .. } => Some(Rejection::GiftCardExpired { last4: "6789".into() }),
        Rejection::GiftCardExpired { .. } => Some(Rejection::GiftCardEmpty { last4: "6789".into() }),
        Rejection::GiftCardEmpty { .. } => Some(Rejection::LineNotFound { line: sku().into() }),
        Rejection::LineNotFound { .. } => Some(Rejection::ParcelNotFound { number: 2 }),
        Rejection::ParcelNotFound { .. } => {
            Some(Rejection::GiftLine { line: LineId::of_gift(sku(), &promotion()), promotion: promotion() })
        }
        Rejection::GiftLine { .. } => Some(Rejection::GiftNotFound { promotion: promotion() }),
        Rejection::GiftNotFound { .. } => Some(Rejection::CartFull),
        Rejection::CartFull => Some(Rejection::CartEmpty),
        Rejection::CartEmpty => Some(Rejection::StepOutOfOrder { step: Step::Review, next: None }),
        Rejection::StepOutOfOrder { .. } => Some(Rejection::InvalidDetails { fields: vec![] }),
        Rejection::InvalidDetails { .. } => Some(Rejection::AddressNotServed {
            destination: Destination::read("FR", "", "75001").expect("Paris"),
        }),
        Rejection::AddressNotServed { .. } => Some(Rejection::CheckoutIncomplete { next: None }),
        Rejection::CheckoutIncomplete { .. } => Some(Rejection::PriceChanged { lines: vec![sku().into()] }),
        Rejection::PriceChanged { .. } => {
            Some(Rejection::PromotionUsedUp { name: "Ten".into(), code: Some(code()) })
        }
        Rejection::PromotionUsedUp { .. } => {
            Some(Rejection::GiftsChanged { gone: vec!["Mug".into()], new: vec!["Tea".into()] })
        }
        Rejection::GiftsChanged { .. } => Some(Rejection::PaymentCancelled),
        Rejection::PaymentCancelled => Some(Rejection::PaymentMismatch { authorised_minor: 1, due_minor: 2 }),
        Rejection::PaymentMismatch { .. } => Some(Rejection::NotOrdered { order_id: order_id() }),
        Rejection::NotOrdered { .. } => Some(Rejection::OrderState { status: "cancelled".into() }),
        Rejection::OrderState { .. } => Some(Rejection::CancelTooLate { minutes: 30 }),
        Rejection::CancelTooLate { .. } => Some(Rejection::RefundTooLarge { asked_minor: 2, left_minor: 1 }),
        Rejection::RefundTooLarge { .. } => {
            Some(Rejection::OutOfStock { sku: sku(), available: 0, wanted: 1 })
        }
        Rejection::OutOfStock { .. } | Rejection::InBatch { .. } => None,
    };
    std::iter::successors(Some(Rejection::NotOwner), successor).collect()
}

#[test]
fn every_command_is_named_once_and_in_order() {
    let names: Vec<_> = commands().iter().map(Command::name).collect();
    assert_eq!(names, Command::NAMES);
    assert_unique(&Command::NAMES);
}

#[test]
fn every_rejection_is_named_once_and_in_order() {
    let names: Vec<_> = rejections().iter().map(Rejection::name).collect();
    assert_eq!(names, Rejection::NAMES);
    // A batch is refused under the name of its reason.
    assert_eq!(variants::<Rejection>(), [&Rejection::NAMES[..], &["in_batch"]].concat());
    let because = Box::new(Rejection::CartFull);
    assert_eq!(Rejection::InBatch { position: 3, because }.name(), "cart_full");
    assert_unique(&Rejection::NAMES);
}

#[test]
fn every_rejection_survives_storage_and_speaks_as_the_house_does() {
    for rejection in rejections() {
        let json = serde_json::to_string(&rejection).expect("a rejection is JSON");
        assert!(json.contains(&format!("\"{}\"", rejection.name())), "{json}");
        assert_eq!(serde_json::from_str::<Rejection>(&json).expect("it comes back"), rejection);
        assert!(!rejection.to_string().ends_with('.'), "{rejection}");
    }
}

#[test]
fn every_step_is_listed_and_found_by_its_name() {
    let names: Vec<_> = Step::ALL.into_iter().map(Step::name).collect();
    assert_eq!(variants::<Step>(), names);
    for step in Step::ALL {
        assert_eq!(Step::from_name(step.name()), Some(step));
        assert_eq!(serde_json::to_string(&step).expect("a step is JSON"), format!("\"{step}\""));
        let details = StepDetails::parse(step, Asked::default(), |name| {
            Some(match name {
                "email" => "ada@example.org".into(),
                "country" => "GB".into(),
                "method" => "express".into(),
                "region" => String::new(),
                other => other.into(),
            })
        });
        assert_eq!(details.map(|d| d.step()), Ok(step));
    }
    assert_eq!(Step::from_name("teleport"), None);
}

#[test]
fn every_stock_policy_is_found_by_its_name() {
    let names = variants::<StockPolicy>();
    assert_eq!(names.len(), StockPolicy::ALL.len());
    for name in names {
        assert_eq!(StockPolicy::from_name(&name).map(StockPolicy::name), Some(name.as_str()));
    }
}

#[test]
fn events_are_stored_under_the_names_that_files_spell() {
    assert_eq!(
        variants::<CartEvent>(),
        [
            "cart_opened",
            "line_added",
            "quantity_set",
            "line_removed",
            "line_saved",
            "saved_line_dropped",
            "code_applied",
            "code_removed",
            "gift_added",
            "gift_withdrawn",
            "gift_declined",
            "gift_accepted",
            "gifts_out_of_stock",
            "gift_card_applied",
            "gift_card_removed",
            "store_credit_set",
            "balances_noted",
            "note_set",
            "prices_accepted",
            "cart_cleared",
            "checkout_started",
            "lines_held",
            "holds_moved",
            "step_completed",
            "holds_expired",
            "payment_begun",
            "payment_challenged",
            "payment_failed",
            "payment_cancelled",
            "payment_voided",
            "payment_captured",
            "payment_refunded",
            "cart_claimed",
            "group_set",
            "line_merged",
            "line_laid_aside",
            "cart_merged",
            "order_placed",
            "order_relocated",
            "parcel_sent",
            "parcel_corrected",
            "order_fulfilled",
            "order_cancelled",
            "order_refunded",
            "cart_abandoned",
            "cart_expired",
            "cart_reopened"
        ]
    );
}
