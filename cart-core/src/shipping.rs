//! How orders travel: methods, whom they serve and what they charge, as data.
//!
//! A method is offered where one of its zones holds the destination (the most special one counts; [`crate::zone`]
//! states the order), that zone has a charge in the cart's currency, and all conditions hold. What is not offered is
//! listed with the first reason in this order: destination, currency, group, category, pieces, weight, subtotal.
//! A cart of which nothing travels, such as one of downloads, needs no method.

mod charge;
mod offer;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Currency, DefinitionError, Destination, GroupId, MethodId, Place, TaxCategory,
    definition::Faults,
    limits::{DELIVERY_DAYS_MAX, SHIPPING_METHODS_MAX, ZONES_MAX},
    zone::check_places,
};
pub use charge::{Charge, ChargeStep, Tariff};
pub use offer::{Freight, NotOffered, Offer, Offers, RefusedMethod};

/// Is the ways that a shop sends its orders, as they are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippingDefinition {
    /// Where carts without a destination are taken to go, so that an estimate can be given; `None` is anywhere, which
    /// only zones of everywhere hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Destination>,
    /// The methods, in the order in which they are offered.
    pub methods: Vec<Carriage>,
}

/// Is one way for an order to travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carriage {
    /// Its name in commands and orders.
    pub id: MethodId,
    /// Its name for people.
    pub name: String,
    /// Where it goes, and what it charges there.
    pub zones: Vec<CarriageZone>,
    /// What an order must meet.
    #[serde(default)]
    pub conditions: Conditions,
    /// The tax category of its charge; `None` is taxed as the goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_category: Option<TaxCategory>,
}

/// Is where a method goes, and what it charges there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarriageZone {
    /// Its name for people.
    pub name: String,
    /// Where it is.
    pub places: Vec<Place>,
    /// What is charged, by currency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tariffs: BTreeMap<Currency, Tariff>,
    /// What is charged in each currency that is not listed, in its minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any_currency: Option<Tariff>,
    /// How long it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<DeliveryDays>,
}

/// Estimates a journey in working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryDays {
    /// The fewest.
    pub from: u16,
    /// The most.
    pub to: u16,
}

/// Is what an order must meet for a method to be offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// The least subtotal, by currency; where any is given, a cart of another currency is not served.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub min_subtotal_minor: BTreeMap<Currency, i64>,
    /// The greatest subtotal, by currency; where any is given, a cart of another currency is not served.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub max_subtotal_minor: BTreeMap<Currency, i64>,
    /// The greatest weight, in grams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_weight_g: Option<u64>,
    /// The most pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_pieces: Option<u64>,
    /// The categories of the catalogue whose products do not travel so.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub excluded_categories: BTreeSet<String>,
    /// The customer groups that are served; none is everybody.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<GroupId>,
}

/// Offers the ways for an order to travel, by a definition that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ShippingDefinition", into = "ShippingDefinition")]
pub struct Shipping {
    definition: ShippingDefinition,
}

impl TryFrom<ShippingDefinition> for Shipping {
    type Error = DefinitionError;
    fn try_from(definition: ShippingDefinition) -> Result<Self, DefinitionError> {
        Self::new(definition)
    }
}

impl From<Shipping> for ShippingDefinition {
    fn from(shipping: Shipping) -> Self {
        shipping.definition
    }
}

impl Shipping {
    /// Checks a definition.
    ///
    /// # Errors
    /// [`DefinitionError`] with all that makes no sense in it.
    pub fn new(definition: ShippingDefinition) -> Result<Self, DefinitionError> {
        definition.check()?;
        Ok(Self { definition })
    }

    /// Returns the shop's first two methods, both everywhere and in any currency: `standard` without charge in three
    /// to five days, and `express` on the next working day at a rate in minor units.
    ///
    /// # Errors
    /// [`DefinitionError`] where the rate is negative or above the highest price.
    pub fn standard_and_express(express_minor: i64) -> Result<Self, DefinitionError> {
        let method = |id: &str, name: &str, minor, from, to| Carriage {
            id: MethodId::parse(id).expect("the name is an identifier"),
            name: name.into(),
            zones: vec![CarriageZone {
                name: "Everywhere".into(),
                places: vec![Place::everywhere()],
                tariffs: BTreeMap::new(),
                any_currency: Some(Tariff::flat(minor)),
                days: Some(DeliveryDays { from, to }),
            }],
            conditions: Conditions::default(),
            tax_category: None,
        };
        let methods =
            vec![method("standard", "Standard", 0, 3, 5), method("express", "Express", express_minor, 1, 1)];
        Self::new(ShippingDefinition { home: None, methods })
    }

    /// Returns the definition.
    pub fn definition(&self) -> &ShippingDefinition {
        &self.definition
    }

    /// Returns a method by its id.
    pub fn method(&self, id: &MethodId) -> Option<&Carriage> {
        self.definition.methods.iter().find(|method| method.id == *id)
    }
}

impl ShippingDefinition {
    fn check(&self) -> Result<(), DefinitionError> {
        let mut faults = Faults::default();
        faults.need(self.methods.len() <= SHIPPING_METHODS_MAX, "methods", || {
            format!("holds {} methods, the most allowed is {SHIPPING_METHODS_MAX}", self.methods.len())
        });
        let mut ids = BTreeSet::new();
        faults.each("methods", &self.methods, |faults, method| {
            faults.need(ids.insert(&method.id), "id", || {
                format!("is {}, as another method's is; give each its own", method.id)
            });
            method.check(faults);
        });
        faults.verdict()
    }
}

impl Carriage {
    fn check(&self, faults: &mut Faults) {
        faults.name("name", &self.name);
        faults.need(!self.zones.is_empty(), "zones", || "is empty, so that it goes nowhere; add a zone");
        faults.need(self.zones.len() <= ZONES_MAX, "zones", || {
            format!("holds {} zones, the most allowed is {ZONES_MAX}", self.zones.len())
        });
        faults.each("zones", &self.zones, |faults, zone| zone.check(faults));
        faults.within("conditions", |faults| self.conditions.check(faults));
    }
}

impl CarriageZone {
    fn check(&self, faults: &mut Faults) {
        faults.name("name", &self.name);
        check_places(faults, &self.places);
        faults.need(
            !self.tariffs.is_empty() || self.any_currency.is_some(),
            "tariffs",
            || "is empty, so that nothing travels here; add a tariff for a currency, or any_currency",
        );
        for (currency, tariff) in &self.tariffs {
            faults.within(format_args!("tariffs.{currency}"), |faults| tariff.check(faults));
        }
        if let Some(tariff) = &self.any_currency {
            faults.within("any_currency", |faults| tariff.check(faults));
        }
        if let Some(days) = self.days {
            let is_sane = days.from <= days.to && days.to <= DELIVERY_DAYS_MAX;
            faults.need(is_sane, "days", || {
                let DeliveryDays { from, to } = days;
                format!("goes from {from} to {to}; write the fewest days first, {DELIVERY_DAYS_MAX} at most")
            });
        }
    }
}

impl Conditions {
    fn check(&self, faults: &mut Faults) {
        let bounds = [
            ("min_subtotal_minor", &self.min_subtotal_minor),
            ("max_subtotal_minor", &self.max_subtotal_minor),
        ];
        for (field, amounts) in bounds {
            for (currency, minor) in amounts {
                faults.need(*minor >= 0, field, || {
                    format!("is {minor} {currency}; write 0 or more minor units")
                });
            }
        }
        for (currency, min) in &self.min_subtotal_minor {
            let max = self.max_subtotal_minor.get(currency);
            faults.need(max.is_none_or(|max| min <= max), "max_subtotal_minor", || {
                format!("is {} {currency}, below the min {min}, so that no order fits", max.unwrap_or(&0))
            });
        }
        faults.need(self.max_weight_g != Some(0), "max_weight_g", || "is 0; leave it out for any weight");
        faults.need(self.max_pieces != Some(0), "max_pieces", || "is 0; leave it out for any number");
        for category in &self.excluded_categories {
            faults.name("excluded_categories", category);
        }
    }
}

#[cfg(test)]
mod tests;
