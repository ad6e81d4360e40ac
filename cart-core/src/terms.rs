//! The terms a shop sells on, beside its catalogue: how prices bind, what shipping costs, what is taxed.

use serde::{Deserialize, Serialize};

use crate::{Locations, Promotions, Shipping, TaxDefinition, Taxes};

/// How long shoppers may cancel an order where the shop says nothing of it, in milliseconds: before it is packed.
const CANCEL_MS: i64 = 1_800_000;

/// Says what a line costs whose price the shop changes after it was put into a cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricePolicy {
    /// What it cost when its quantity was last set.
    #[default]
    Hold,
    /// What it costs today.
    Follow,
    /// What it costs today; the order waits until the shopper has accepted the change.
    Tell,
}

/// Is what a shop's carts are priced by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How prices bind.
    pub prices: PricePolicy,
    /// What is taken off.
    pub promotions: Promotions,
    /// How orders travel.
    pub shipping: Shipping,
    /// What is taxed.
    pub taxes: Taxes,
    /// Where pieces come from.
    pub locations: Locations,
    /// How long shoppers may cancel their orders, in milliseconds.
    pub cancel_ms: i64,
}

impl Terms {
    /// Returns the terms of a shop that has said nothing of promotions and taxes.
    pub fn plain(prices: PricePolicy, shipping: Shipping) -> Self {
        let taxes = Taxes::new(TaxDefinition::default()).expect("no zones, no mistakes");
        let (promotions, locations) = (Promotions::default(), Locations::default());
        Self { prices, promotions, shipping, taxes, locations, cancel_ms: CANCEL_MS }
    }
}
