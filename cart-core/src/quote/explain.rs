//! Why each promotion did or did not apply to a cart.

use super::{destination, name_gifts, price, promote};
use crate::{
    Cart, NotApplied, Products, PromotionDefinition, PromotionOutcome, Stage, Terms, promotion::Verdict,
};

/// Says who is told of promotions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The shop's own people: of all.
    Shop,
    /// Whoever owns the cart: of none that only a code opens, before that was typed, nor of what the shop has only planned
    /// or means for others.
    Shopper,
}

/// Says of every promotion what it did to a cart, or the first reason why it did nothing, in the order of application.
/// A cart that became an order tells of those that it was placed with.
pub fn explain(
    cart: &Cart,
    products: &dyn Products,
    terms: &Terms,
    now_ms: i64,
    told: Told,
) -> Vec<PromotionOutcome> {
    if let Stage::Ordered { quote: Some(quote), .. } = &cart.stage {
        return quote.promotions.outcomes.clone();
    }
    let priced: Vec<_> = cart.lines.iter().map(|line| price(cart, line, products, terms, now_ms)).collect();
    let to = destination(cart);
    let out_of_stock = &cart.gifts_out_of_stock;
    let mut promoted = promote(cart, &cart.known, &priced, terms, to.as_ref(), now_ms, out_of_stock);
    name_gifts(&mut promoted, products);
    promoted.outcomes.retain(|outcome| {
        let definition = terms.promotions.definition(&outcome.promotion);
        told == Told::Shop || definition.is_some_and(|d| is_public(cart, d, &outcome.verdict))
    });
    promoted.outcomes
}

/// Whoever typed a code is told what became of it, whatever that is.
fn is_public(cart: &Cart, definition: &PromotionDefinition, verdict: &Verdict) -> bool {
    if !definition.codes.is_empty() {
        return definition.codes.iter().any(|code| cart.codes.contains(code));
    }
    let is_of_others = |why: &NotApplied| {
        use NotApplied::{Channel, Customer, Group, NotBegun, Paused};
        matches!(why, Paused | NotBegun { .. } | Channel | Group | Customer)
    };
    match verdict {
        Verdict::Applied(_) => true,
        Verdict::NotApplied(why) => !is_of_others(why),
    }
}
