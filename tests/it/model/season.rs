//! What the shop decides anew now and then: how its prices bind, what it taxes, and whose code takes a tenth off.

use cart_core::{Locations, PricePolicy, Taxes, Terms, shipping::Shipping};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use super::shop::{CODE, CODE_PER_CUSTOMER, CODE_TOTAL, EXPRESS_MINOR};

/// Is what holds for some time.
#[derive(Clone, Debug)]
pub struct Season {
    pub number: u64,
    pub prices: PricePolicy,
    /// None where the shop collects no tax.
    pub tax: Option<TaxRule>,
}

/// Says how prices are taxed.
#[derive(Clone, Copy, Debug)]
pub struct TaxRule {
    /// Prices hold the tax of the shop's country.
    pub is_included: bool,
    /// Elsewhere that tax is taken out of them and the one of the place added.
    pub keeps_net: bool,
    /// The tax of all lines together is rounded.
    pub is_per_order: bool,
    pub is_half_even: bool,
}

impl Season {
    /// Draws a season; in each the code belongs to a promotion of its own.
    pub fn draw(rng: &mut StdRng, number: u64) -> Self {
        let policies = [PricePolicy::Hold, PricePolicy::Follow, PricePolicy::Tell];
        let is_included = rng.random_bool(0.6);
        let tax = TaxRule {
            is_included,
            keeps_net: is_included && rng.random_bool(0.5),
            is_per_order: rng.random_bool(0.5),
            is_half_even: rng.random_bool(0.5),
        };
        let prices = *policies.choose(rng).expect("some");
        Self { number, prices, tax: rng.random_bool(0.8).then_some(tax) }
    }

    /// Writes the season down as the shop's people do.
    pub fn terms(&self) -> Terms {
        let promotions = json!([{"id": format!("tenth-{}", self.number), "name": "A tenth", "codes": [CODE],
            "limits": {"total": CODE_TOTAL, "per_customer": CODE_PER_CUSTOMER},
            "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}}]);
        let locations = json!({"rule": "fewest_parcels", "locations": [
            {"id": "main", "name": "Leeds"}, {"id": "north", "name": "Wick"}]});
        let taxes = self.tax.map(TaxRule::definition);
        Terms {
            promotions: serde_json::from_value(promotions).unwrap(),
            locations: serde_json::from_value::<Locations>(locations).unwrap(),
            taxes: taxes.map_or_else(Taxes::default, |taxes| serde_json::from_value(taxes).unwrap()),
            ..Terms::plain(self.prices, Shipping::standard_and_express(EXPRESS_MINOR).unwrap())
        }
    }
}

impl TaxRule {
    /// At home things fall under one of two rates; in Canada one is made of two taxes, and the other is none.
    fn definition(self) -> Value {
        json!({
            "prices_include_tax": self.is_included,
            "inclusive_prices": if self.keeps_net { "keep_net" } else { "keep_gross" },
            "rounding": {
                "per": if self.is_per_order { "order" } else { "line" },
                "mode": if self.is_half_even { "half_even" } else { "half_up" }
            },
            "home": {"country": "GB"},
            "zones": [
                {"name": "Home", "places": [{"countries": ["GB"]}], "rates": {
                    "standard": [{"name": "VAT", "rate_ppm": 200_000}],
                    "reduced": [{"name": "VAT", "rate_ppm": 50_000}]}},
                {"name": "Canada", "places": [{"countries": ["CA"]}], "rates": {
                    "standard": [{"name": "GST", "rate_ppm": 50_000},
                        {"name": "QST", "rate_ppm": 99_750, "compound": true}],
                    "reduced": []}}
            ]
        })
    }
}
