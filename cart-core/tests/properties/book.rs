//! An account of one cart, kept from its accepted commands alone.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{
    Cart, Command, LineId, Order, PricePolicy, ReopenedLine, Sku, StepDetails, limits::LINE_QUANTITY_MAX,
};
use proptest::prelude::*;

use crate::world::{Check, Turn, World};

/// Is an account of one cart, kept from its accepted commands alone, in numbers too wide to overflow.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Pieces of each line, and the unit price that the shopper was told.
    lines: BTreeMap<LineId, (i128, i128)>,
    /// Pieces that wait for later.
    saved: BTreeMap<LineId, i128>,
    is_express: bool,
    /// What the order came to, once there is one.
    settled: Option<i128>,
}

impl Book {
    pub fn enter(&mut self, world: &World, command: &Command) {
        let price = |sku: &Sku| i128::from(world.products[sku].price.minor);
        match command {
            Command::AddLine { sku, quantity, properties } => {
                let line = self.lines.entry(LineId::new(sku.clone(), properties)).or_default();
                *line = (line.0 + i128::from(*quantity), price(sku));
            }
            Command::SetQuantity { line, quantity } => {
                let entry = self.lines.entry(line.clone()).or_default();
                let told = if i128::from(*quantity) > entry.0 { price(line.sku()) } else { entry.1 };
                *entry = (i128::from(*quantity), told);
            }
            Command::RemoveLine { line } => drop(self.lines.remove(line)),
            Command::SaveLine { line } => {
                let (pieces, _) = self.lines.remove(line).expect("a line that was there");
                let saved = self.saved.entry(line.clone()).or_default();
                *saved = (*saved + pieces).min(i128::from(LINE_QUANTITY_MAX));
            }
            Command::RestoreLine { line } => {
                let pieces = self.saved.remove(line).expect("a saved line that was there");
                let entry = self.lines.entry(line.clone()).or_default();
                *entry = (entry.0 + pieces, price(line.sku()));
            }
            Command::DropSavedLine { line } => drop(self.saved.remove(line)),
            Command::AcceptPrices => {
                for (line, entry) in &mut self.lines {
                    entry.1 = due_price(world, line, entry.1);
                }
            }
            Command::Batch(commands) => commands.iter().for_each(|command| self.enter(world, command)),
            Command::Clear => self.lines.clear(),
            Command::CompleteStep(StepDetails::Shipping { method }) => {
                self.is_express = method.as_ref().is_some_and(|m| m.as_str() == "express");
            }
            // Asked for twice, an order was placed at the first time.
            Command::PlaceOrder { .. } if self.settled.is_some() => {}
            Command::PlaceOrder { .. } => self.settled = Some(self.total(world)),
            Command::CompleteStep(_)
            | Command::ApplyCode { .. }
            | Command::RemoveCode { .. }
            | Command::DeclineGift { .. }
            | Command::AcceptGift { .. }
            | Command::ApplyGiftCard { .. }
            | Command::RedeemCode(_)
            | Command::RemoveGiftCard { .. }
            | Command::UseStoreCredit { .. }
            | Command::SetNote { .. }
            | Command::SetGroup { .. }
            | Command::StartCheckout
            | Command::BeginPayment { .. }
            | Command::ChallengePayment { .. }
            | Command::FailPayment { .. }
            | Command::CancelPayment { .. }
            | Command::SettlePayment(_)
            | Command::FulfilOrder { .. }
            | Command::RelocateOrder { .. }
            | Command::CorrectParcel { .. }
            | Command::CancelOrder { .. }
            | Command::RefundOrder { .. }
            | Command::ExpireHolds
            | Command::Lapse { .. }
            | Command::Reopen => {}
        }
    }

    /// A line comes back with no more pieces than it had, at the price of today; and with fewer only where it is said why.
    pub fn reopen(&mut self, world: &World, told: &[ReopenedLine]) -> Check {
        prop_assert!(
            told.iter().map(|line| &line.line).collect::<BTreeSet<_>>().into_iter().eq(self.lines.keys())
        );
        for line in told {
            let (pieces, was) = self.lines[&line.line];
            prop_assert_eq!((i128::from(line.wanted), i128::from(line.was_minor)), (pieces, was));
            prop_assert_eq!(line.quantity < line.wanted, line.because.is_some(), "{:?}", line);
            let today = (line.quantity > 0).then(|| world.products[line.line.sku()].price.minor);
            prop_assert_eq!(line.unit_price_minor, today);
            match today {
                Some(minor) => self.lines.insert(line.line.clone(), (line.quantity.into(), minor.into())),
                None => self.lines.remove(&line.line),
            };
        }
        Ok(())
    }

    fn shipping(&self, world: &World) -> i128 {
        // A cart of nothing goes nowhere.
        if !self.is_express || self.lines.is_empty() {
            return 0;
        }
        let express = &world.terms.shipping.definition().methods[1].zones[0];
        match &express.any_currency.as_ref().expect("a charge in any currency").charge {
            cart_core::shipping::Charge::Flat(minor) => i128::from(*minor),
            other => panic!("the shop's express charge is flat, not {other:?}"),
        }
    }

    fn total(&self, world: &World) -> i128 {
        let lines = self.lines.iter().map(|(line, (pieces, told))| pieces * due_price(world, line, *told));
        lines.sum::<i128>() + self.shipping(world)
    }

    pub fn audit(&self, world: &World, cart: &Cart) -> Check {
        let lines: BTreeMap<_, _> = cart
            .bought()
            .map(|l| (l.id(), (i128::from(l.quantity), i128::from(l.unit_price_minor))))
            .collect();
        prop_assert_eq!(&lines, &self.lines);
        let saved: BTreeMap<_, _> = cart.saved.iter().map(|l| (l.id(), i128::from(l.quantity))).collect();
        prop_assert_eq!(&saved, &self.saved);
        let gifts: i128 = cart.gifts().map(|l| i128::from(l.quantity)).sum();
        let (quote, totals) = (world.quote(cart), world.quote(cart).totals);
        prop_assert_eq!(
            i128::from(totals.items),
            self.lines.values().map(|(pieces, _)| pieces).sum::<i128>() + gifts
        );
        prop_assert_eq!(i128::from(totals.total_minor), self.settled.unwrap_or_else(|| self.total(world)));
        prop_assert_eq!(totals.subtotal_minor + totals.shipping_minor, totals.total_minor);
        prop_assert_eq!(quote.lines.iter().map(|l| l.total_minor).sum::<i64>(), totals.subtotal_minor);
        Ok(())
    }

    pub fn audit_order(&self, order: &Order, turn: &Turn) -> Check {
        let lines = order.lines.iter().map(|l| i128::from(l.quantity) * i128::from(l.unit_price_minor));
        prop_assert_eq!(Some(i128::from(order.total_minor)), self.settled);
        prop_assert_eq!(
            lines.sum::<i128>() + i128::from(order.shipping_minor),
            i128::from(order.total_minor)
        );
        let Command::PlaceOrder { payment, .. } = &turn.request.command else {
            return Err(TestCaseError::fail("an order that nobody placed"));
        };
        prop_assert_eq!(
            payment.amount_minor,
            order.quote.as_ref().expect("a quote").totals.due(),
            "what is paid is what is due"
        );
        Ok(())
    }
}

/// Returns what a piece costs now: what the shopper was told, or what the shop asks where its policy says so and it
/// still sells the product in the carts' currency.
pub fn due_price(world: &World, line: &LineId, told: i128) -> i128 {
    let is_sold = |p: &&cart_core::Product| !p.hidden && p.price.currency.code() == "GBP";
    match world.products.get(line.sku()).filter(is_sold) {
        Some(product) if world.terms.prices != PricePolicy::Hold => i128::from(product.price.minor),
        _ => told,
    }
}
