//! The terms a shop sells on, beside its catalogue: how prices bind, what shipping costs, what is taxed.

use serde::{Deserialize, Serialize};

use crate::{Promotions, Shipping, TaxDefinition, Taxes};

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
}

impl Terms {
    /// Returns the terms of a shop that has said nothing of promotions and taxes.
    pub fn plain(prices: PricePolicy, shipping: Shipping) -> Self {
        let taxes = Taxes::new(TaxDefinition::default()).expect("no zones, no mistakes");
        Self { prices, promotions: Promotions::default(), shipping, taxes }
    }
}
