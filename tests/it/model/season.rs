//! What the shop decides anew now and then: how its prices bind, what it taxes and gives away, and whose code takes a tenth
//! off.

use std::collections::BTreeMap;

use cart_core::{Code, Locations, PricePolicy, PromotionId, Taxes, Terms, shipping::Shipping};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use super::shop::{CODE, CODE_PER_CUSTOMER, CODE_TOTAL, CURRENCIES, EXPRESS_MINOR, GIFT_CODE};

/// Is what holds for some time.
#[derive(Clone, Debug)]
pub struct Season {
    pub number: u64,
    pub prices: PricePolicy,
    /// None where the shop collects no tax.
    pub tax: Option<TaxRule>,
    pub gift: Option<GiftRule>,
}

/// Says what is given to whoever buys for so much.
#[derive(Clone, Copy, Debug)]
pub struct GiftRule {
    pub sku: &'static str,
    pub pieces: i64,
    pub min_minor: i64,
    pub needs_code: bool,
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
        let gift = GiftRule {
            sku: ["TIN", "MUG", "BOX"].choose(rng).expect("some"),
            pieces: rng.random_range(1..3),
            min_minor: rng.random_range(0..20) * 1_000 + 1,
            needs_code: rng.random_bool(0.3),
        };
        Self {
            number,
            prices: *policies.choose(rng).expect("some"),
            tax: rng.random_bool(0.8).then_some(tax),
            gift: rng.random_bool(0.7).then_some(gift),
        }
    }

    pub fn knows(&self, code: &Code) -> bool {
        let opens_gift = || self.gift.is_some_and(|gift| gift.needs_code);
        code.as_str() == CODE || code.as_str() == GIFT_CODE && opens_gift()
    }

    /// Writes the season down as the shop's people do.
    pub fn terms(&self) -> Terms {
        let mut promotions = vec![json!({"id": format!("tenth-{}", self.number), "name": "A tenth",
            "codes": [CODE], "limits": {"total": CODE_TOTAL, "per_customer": CODE_PER_CUSTOMER},
            "benefit": {"kind": "percentage", "on": {"all": true}, "off_bp": 1000}})];
        promotions.extend(self.gift.map(|gift| {
            json!({"id": gift_id(self.number), "name": "A gift",
                "codes": if gift.needs_code { vec![GIFT_CODE] } else { vec![] },
                "conditions": {"needs": [{"min_minor": CURRENCIES.map(|c| (c, gift.min_minor)).into_iter()
                    .collect::<BTreeMap<_, _>>()}]},
                "benefit": {"kind": "gift", "sku": gift.sku, "pieces": gift.pieces}})
        }));
        let locations = json!({"rule": "fewest_parcels", "locations": [
            {"id": "main", "name": "Leeds"}, {"id": "north", "name": "Wick"}]});
        let taxes = self.tax.map(TaxRule::definition);
        Terms {
            promotions: serde_json::from_value(promotions.into()).unwrap(),
            locations: serde_json::from_value::<Locations>(locations).unwrap(),
            taxes: taxes.map_or_else(Taxes::default, |taxes| serde_json::from_value(taxes).unwrap()),
            ..Terms::plain(self.prices, Shipping::standard_and_express(EXPRESS_MINOR).unwrap())
        }
    }
}

/// Names the promotion that gives something in a season.
pub fn gift_id(number: u64) -> PromotionId {
    PromotionId::parse(&format!("gift-{number}")).expect("an id")
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
