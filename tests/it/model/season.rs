//! What the shop decides anew now and then: how its prices bind, what it taxes, what travelling costs, and its promotions.

use cart_core::{
    Code, Locations, MethodId, PricePolicy, PromotionId, Taxes, Terms,
    shipping::{Charge, Shipping, Tariff},
};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use super::{deal::Deal, shop::METHODS};

/// Is what holds for some time.
#[derive(Clone, Debug)]
pub struct Season {
    pub number: u64,
    pub prices: PricePolicy,
    /// None where the shop collects no tax.
    pub tax: Option<TaxRule>,
    pub carriage: CarriageRule,
    pub deals: Vec<Deal>,
}

/// Says what travelling costs, in minor units of each currency.
#[derive(Clone, Copy, Debug)]
pub struct CarriageRule {
    /// Each parcel costs so much by the slow way.
    pub standard: i64,
    /// That is free for whoever pays so much for the things.
    pub free_from: Option<i64>,
    /// The first piece costs so much by the fast way, and each further one so much.
    pub express: (i64, i64),
}

impl CarriageRule {
    fn draw(rng: &mut StdRng) -> Self {
        Self {
            standard: [0, rng.random_range(1..500)][rng.random_range(0..2)],
            free_from: rng.random_bool(0.5).then(|| rng.random_range(1_000..20_000)),
            express: (rng.random_range(1..999), [0, rng.random_range(1..99)][rng.random_range(0..2)]),
        }
    }

    /// Says what a parcel costs that holds so many pieces of so much in all.
    pub fn charge(&self, method: &str, pieces: i64, minor: i64) -> i64 {
        match method {
            "standard" if self.free_from.is_some_and(|from| minor >= from) => 0,
            "standard" => self.standard,
            _ => self.express.0 + self.express.1 * (pieces - 1),
        }
    }

    fn written_down(&self) -> Shipping {
        let mut definition =
            Shipping::standard_and_express(0).expect("a good definition").definition().clone();
        let (first_minor, each_minor) = self.express;
        let tariffs = [
            Tariff { charge: Charge::Flat(self.standard), free_from_minor: self.free_from },
            Tariff { charge: Charge::PerPiece { first_minor, each_minor }, free_from_minor: None },
        ];
        for ((method, name), tariff) in definition.methods.iter_mut().zip(METHODS).zip(tariffs) {
            assert_eq!(Some(&method.id), MethodId::parse(name).ok().as_ref());
            method.zones[0].any_currency = Some(tariff);
        }
        Shipping::new(definition).expect("a good definition")
    }
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
    /// Draws a season; in each the codes belong to promotions of its own.
    pub fn draw(rng: &mut StdRng, number: u64, now_ms: i64) -> Self {
        let policies = [PricePolicy::Hold, PricePolicy::Follow, PricePolicy::Tell];
        let is_included = rng.random_bool(0.6);
        let tax = TaxRule {
            is_included,
            keeps_net: is_included && rng.random_bool(0.5),
            is_per_order: rng.random_bool(0.5),
            is_half_even: rng.random_bool(0.5),
        };
        let names = ["a", "b", "c", "d", "e"];
        let count = rng.random_range(0..=names.len());
        let names = names.sample(rng, count).copied().collect::<Vec<_>>();
        let mut deals: Vec<Deal> =
            names.iter().map(|name| Deal::draw(rng, format!("{name}-{number}"), now_ms)).collect();
        if rng.random_bool(0.7) {
            deals.push(Deal::gift(rng, gift_id(number).to_string(), now_ms));
        }
        Self {
            number,
            prices: *policies.choose(rng).expect("some"),
            tax: rng.random_bool(0.8).then_some(tax),
            carriage: CarriageRule::draw(rng),
            deals,
        }
    }

    pub fn knows(&self, code: &Code) -> bool {
        self.deals.iter().any(|deal| deal.codes.contains(&code.as_str()))
    }

    /// Reports whether anybody asks how many orders a customer has placed.
    pub fn asks_for_orders(&self) -> bool {
        self.deals.iter().any(|deal| deal.when.orders.is_some())
    }

    /// Writes the season down as the shop's people do.
    pub fn terms(&self) -> Terms {
        let promotions: Vec<Value> = self.deals.iter().map(Deal::written_down).collect();
        let locations = json!({"rule": "fewest_parcels", "locations": [
            {"id": "main", "name": "Leeds"}, {"id": "north", "name": "Wick"}]});
        let taxes = self.tax.map(TaxRule::definition);
        Terms {
            promotions: serde_json::from_value(promotions.into()).unwrap(),
            locations: serde_json::from_value::<Locations>(locations).unwrap(),
            taxes: taxes.map_or_else(Taxes::default, |taxes| serde_json::from_value(taxes).unwrap()),
            ..Terms::plain(self.prices, self.carriage.written_down())
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
