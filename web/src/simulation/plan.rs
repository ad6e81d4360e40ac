//! What a shopper is going to do, drawn before they set out: nothing the network does can change it.

use cart_core::Sku;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Serialize;

use super::market::{Market, Pick};

/// The workflow that is bought more often.
pub const TREATED: &str = "express";
/// How often a shopper is on a second device, too, whose cart is live.
const LIVE_CHANCE: f64 = 0.1;
/// How often a shopper's first card is declined.
const DECLINED_CHANCE: f64 = 0.08;
/// How often a shopper pays for express shipping.
const HURRY_CHANCE: f64 = 0.2;

/// Is the planted truth: how likely a filled cart is bought, by the workflow that the shopper sees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Effect {
    base: f64,
    lift: f64,
}

/// Says why an effect cannot be planted.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "a conversion of {base} with a lift of {lift} must be above 0 and at most 1, with the lift and without"
)]
pub struct EffectError {
    base: f64,
    lift: f64,
}

impl Effect {
    /// Plants a conversion of `base` everywhere, and of `base × (1 + lift)` in [`TREATED`].
    ///
    /// ```
    /// use web::simulation::plan::Effect;
    /// let effect = Effect::new(0.4, 0.25)?;
    /// assert_eq!((effect.conversion("classic"), effect.conversion("express")), (0.4, 0.5));
    /// assert!(Effect::new(0.9, 0.25).is_err());
    /// # Ok::<(), web::simulation::plan::EffectError>(())
    /// ```
    ///
    /// # Errors
    /// [`EffectError`] where one of the two is no probability; a capped one would make the truth another.
    pub fn new(base: f64, lift: f64) -> Result<Self, EffectError> {
        let is_chance = |p: f64| p > 0.0 && p <= 1.0;
        match is_chance(base) && is_chance(base * (1.0 + lift)) {
            true => Ok(Self { base, lift }),
            false => Err(EffectError { base, lift }),
        }
    }

    /// Returns how likely a cart of a workflow is bought.
    pub fn conversion(&self, workflow: &str) -> f64 {
        if workflow == TREATED { self.base * (1.0 + self.lift) } else { self.base }
    }

    /// Returns the true relative lift of [`TREATED`].
    pub fn lift(&self) -> f64 {
        self.lift
    }
}

/// Says whether a shopper who has filled a cart will buy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Intent {
    /// They will, whatever they see.
    Certain,
    /// They will where this draw, from 0 to 1, is below the conversion of the workflow they see.
    Open(f64),
}

impl Intent {
    /// Reports whether the shopper buys a cart of a workflow.
    pub fn buys(self, effect: &Effect, workflow: &str) -> bool {
        match self {
            Self::Certain => true,
            Self::Open(draw) => draw < effect.conversion(workflow),
        }
    }
}

/// Is what one shopper is going to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The visitor's token.
    pub token: String,
    /// A category to look through first.
    pub category: Option<String>,
    /// What goes into the cart.
    pub picks: Vec<Pick>,
    /// Whether a second device follows the cart over a websocket.
    pub is_live: bool,
    /// Whether they buy.
    pub intent: Intent,
    /// Whether their first card is declined.
    pub is_declined: bool,
    /// The shipping method.
    pub shipping: &'static str,
}

impl Plan {
    /// Draws the shopper of a number among those of a seed.
    pub fn draw(market: &Market, seed: u64, number: u64) -> Self {
        let mut rng = rng_of(seed, number);
        let mut plan = Self::by(&mut rng);
        let (category, picks) = market.basket(&mut rng);
        plan.category = Some(category).filter(|c| !c.is_empty());
        plan.picks = picks;
        plan
    }

    /// Draws the shopper who buys what an order of the past holds: product and pieces.
    pub fn replay(seed: u64, number: u64, lines: Vec<(Sku, u32)>) -> Self {
        let pick = |(sku, quantity)| Pick { sku, quantity, suggestion: None };
        let picks = lines.into_iter().map(pick).collect();
        Self { picks, intent: Intent::Certain, ..Self::by(&mut rng_of(seed, number)) }
    }

    fn by(rng: &mut StdRng) -> Self {
        Self {
            token: format!("{:032x}", rng.random::<u128>()),
            category: None,
            picks: vec![],
            is_live: rng.random_bool(LIVE_CHANCE),
            intent: Intent::Open(rng.random()),
            is_declined: rng.random_bool(DECLINED_CHANCE),
            shipping: if rng.random_bool(HURRY_CHANCE) { "express" } else { "standard" },
        }
    }
}

/// Each shopper has randomness of their own, so that who comes first changes nothing.
fn rng_of(seed: u64, number: u64) -> StdRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    StdRng::from_seed(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::simulation::seen::Offer;

    fn market() -> Market {
        let offer = |n| Offer {
            sku: Sku::parse(&format!("SKU-{n}")).unwrap(),
            category: format!("c{}", n % 3),
            available: Some(1_000),
        };
        Market::new(&(0..60).map(offer).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_seed_and_a_number_make_one_shopper() {
        let market = market();
        let draw = |seed, number| Plan::draw(&market, seed, number);
        assert_eq!(draw(1, 5), draw(1, 5));
        let tokens: BTreeSet<String> = (0..10)
            .flat_map(|seed| (0..100).map(move |n| (seed, n)))
            .map(|(s, n)| draw(s, n).token)
            .collect();
        assert_eq!(tokens.len(), 1_000);
    }

    #[test]
    fn shares_and_conversions_are_as_planted() {
        let (market, effect) = (market(), Effect::new(0.4, 0.25).unwrap());
        let plans: Vec<Plan> = (0..10_000).map(|n| Plan::draw(&market, 3, n)).collect();
        let share = |is: &dyn Fn(&Plan) -> bool| plans.iter().filter(|p| is(p)).count() as f64 / 10_000.0;
        for (found, planted) in [
            (share(&|p| p.is_live), LIVE_CHANCE),
            (share(&|p| p.is_declined), DECLINED_CHANCE),
            (share(&|p| p.intent.buys(&effect, "classic")), 0.4),
            (share(&|p| p.intent.buys(&effect, "express")), 0.5),
        ] {
            // Four standard errors of the widest of them.
            assert!((found - planted).abs() < 0.02, "{found} instead of {planted}");
        }
    }

    #[test]
    fn an_effect_that_would_be_capped_is_refused() {
        for (base, lift, is_fit) in [
            (0.4, 0.25, true),
            (0.5, 1.0, true),
            (0.5, 1.01, false),
            (0.4, -0.5, true),
            (0.4, -1.0, false),
            (0.0, 0.25, false),
            (1.5, -0.9, false),
            (f64::NAN, 0.0, false),
            (0.4, f64::INFINITY, false),
        ] {
            assert_eq!(Effect::new(base, lift).is_ok(), is_fit, "{base} {lift}");
        }
    }
}
