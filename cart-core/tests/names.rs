//! The names that metrics, problems and files spell are complete, unique and in the order of the enums.

use std::collections::BTreeSet;

use cart_core::{
    CartEvent, Code, Command, Currency, LimitBroken, OrderId, Payment, Properties, Rejection, Sku, Step,
    StepDetails, StockPolicy,
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

fn order_id() -> OrderId {
    OrderId::parse("o1").expect("an order id")
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
        Command::RemoveCode { .. } => Some(Command::SetNote { text: String::new() }),
        Command::SetNote { .. } => Some(Command::AcceptPrices),
        Command::AcceptPrices => Some(Command::Batch(vec![])),
        Command::Batch(_) => Some(Command::Clear),
        Command::Clear => Some(Command::StartCheckout),
        Command::StartCheckout => Some(Command::CompleteStep(StepDetails::Review)),
        Command::CompleteStep(_) => Some(Command::PlaceOrder {
            order_id: order_id(),
            payment: Payment { reference: "p1".into(), amount_minor: 1 },
        }),
        Command::PlaceOrder { .. } => Some(Command::ExpireHolds),
        Command::ExpireHolds => None,
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
        Rejection::CartClosed { .. } => Some(Rejection::InvalidQuantity { quantity: 0 }),
        Rejection::InvalidQuantity { .. } => Some(Rejection::UnknownSku { sku: sku() }),
        Rejection::UnknownSku { .. } => Some(Rejection::CurrencyMismatch { product: gbp, cart: gbp }),
        Rejection::CurrencyMismatch { .. } => {
            Some(Rejection::QuantityLimit { sku: sku(), broken: LimitBroken::Min { min: 2, wanted: 1 } })
        }
        Rejection::QuantityLimit { .. } => Some(Rejection::UnknownCode { code: code() }),
        Rejection::UnknownCode { .. } => Some(Rejection::LineNotFound { line: sku().into() }),
        Rejection::LineNotFound { .. } => Some(Rejection::CartFull),
        Rejection::CartFull => Some(Rejection::CartEmpty),
        Rejection::CartEmpty => Some(Rejection::StepOutOfOrder { step: Step::Review, next: None }),
        Rejection::StepOutOfOrder { .. } => Some(Rejection::InvalidDetails { fields: vec![] }),
        Rejection::InvalidDetails { .. } => Some(Rejection::CheckoutIncomplete { next: None }),
        Rejection::CheckoutIncomplete { .. } => Some(Rejection::PriceChanged { lines: vec![sku().into()] }),
        Rejection::PriceChanged { .. } => {
            Some(Rejection::PaymentMismatch { authorised_minor: 1, due_minor: 2 })
        }
        Rejection::PaymentMismatch { .. } => {
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
        let details = StepDetails::parse(step, |name| {
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
    assert_eq!(names.len(), 3);
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
            "note_set",
            "prices_accepted",
            "cart_cleared",
            "checkout_started",
            "step_completed",
            "holds_expired",
            "order_placed"
        ]
    );
}
