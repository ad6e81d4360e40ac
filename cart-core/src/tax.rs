//! What of an order is tax: zones, rates and rounding as data.
//!
//! # Which rate
//! The most special zone of the destination counts ([`crate::zone`] states the order); a destination in no zone is
//! not taxed. In its zone, a line falls under the rate of its tax category, and under `standard` where the zone does
//! not list that category. A rate is a list of components, such as state, county and city; a compound one is charged on
//! the net amount and the tax of all components before it. An empty list exempts the category, a rate of 0 is zero-rated
//! and stands in the breakdown. A cart without a destination is taxed as the shop's home and marked as estimated.
//!
//! # Included or not
//! Prices include tax or not, as the shop says or the zone overrides. Where they do and the destination's rate is not
//! the home's, they keep their gross: everybody pays the printed price and the shop bears the difference. This is
//! what commercetools does with `includedInPrice` and Shopify with "include sales tax in product price"
//! (<https://help.shopify.com/en/manual/taxes/include-exclude-taxes>). With `"inclusive_prices": "keep_net"` the home's
//! tax is taken out and the destination's added, as Shopify's dynamic tax-inclusive pricing does
//! (<https://help.shopify.com/en/manual/markets/pricing/dynamic-tax-inclusive-pricing>); a zone that says itself
//! that prices include tax keeps their gross. A customer of an exempt group pays the net amount.
//!
//! # Rounding
//! The tax is rounded, never the net amount, so net and tax add up to gross. Per line, each line's tax is rounded;
//! per order, the tax of each rate over all lines and shipping is, as EN 16931-1 rule BR-CO-17 has it for invoices, and
//! is handed down to the lines by largest remainder. The components of a rate share its tax by largest remainder, so
//! that the parts of a breakdown always sum to the whole.

mod assess;
mod rate;
mod rounding;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Country, DefinitionError, Destination, GroupId, Place, TaxCategory,
    definition::Faults,
    limits::{TAX_CATEGORIES_MAX, ZONES_MAX},
    zone::{check_places, most_special_zone},
};
pub use assess::{Assessment, ComponentShare, RateShare, TaxQuestion, TaxableLine, Taxed};
pub use rate::TaxComponent;
use rate::{Rate, check_rate};
pub use rounding::{Rounding, RoundingMode, RoundingScope};

/// Is how a shop is taxed, as it is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxDefinition {
    /// Prices and charges for shipping include tax, where a zone does not say otherwise.
    pub prices_include_tax: bool,
    /// What becomes of prices that include tax where the destination's rate is another.
    #[serde(default)]
    pub inclusive_prices: InclusivePrices,
    /// How tax is rounded.
    #[serde(default)]
    pub rounding: Rounding,
    /// Where the shop is: the tax of carts without a destination, and the tax that inclusive prices hold.
    #[serde(default)]
    pub home: Option<Destination>,
    /// The zones in which the shop collects tax.
    pub zones: Vec<TaxZone>,
}

/// Says what becomes of a price that includes tax where the destination's rate is not the home's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InclusivePrices {
    /// The gross stays; the net is what the destination's tax leaves.
    #[default]
    KeepGross,
    /// The net stays: the home's tax is taken out and the destination's added.
    KeepNet,
}

/// Is a zone with its rates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxZone {
    /// Its name for people.
    pub name: String,
    /// Where it is.
    pub places: Vec<Place>,
    /// Whether prices include tax here; `None` is as the shop says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_include_tax: Option<bool>,
    /// The components of each category's rate; `standard` is for all that are not listed. None at all is a zone
    /// without tax.
    pub rates: BTreeMap<TaxCategory, Vec<TaxComponent>>,
    /// The customer groups that pay no tax here.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub exempt_groups: BTreeSet<GroupId>,
}

/// Assesses the tax of orders, by a definition that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TaxDefinition", into = "TaxDefinition")]
pub struct Taxes {
    definition: TaxDefinition,
    /// In the order of the definition's zones.
    schedules: Vec<Schedule>,
    home: Option<usize>,
}

/// Is a zone's rates, ready to be applied: equal rates of several categories are one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Schedule {
    rates: Vec<Rate>,
    of: BTreeMap<TaxCategory, usize>,
    standard: usize,
}

impl Schedule {
    /// Returns the rates of a place without tax.
    fn untaxed() -> Self {
        Self { rates: vec![Rate::of(&[])], of: BTreeMap::new(), standard: 0 }
    }

    fn of(zone: &TaxZone) -> Self {
        let mut rates: Vec<Rate> = vec![];
        let mut of = BTreeMap::new();
        for (category, components) in &zone.rates {
            let n = rates.iter().position(|r| r.components() == components).unwrap_or_else(|| {
                rates.push(Rate::of(components));
                rates.len() - 1
            });
            of.insert(category.clone(), n);
        }
        match of.get(&TaxCategory::default()) {
            Some(&standard) => Self { rates, of, standard },
            None => Self::untaxed(),
        }
    }

    /// Returns the number of a category's rate.
    fn rate_of(&self, category: &TaxCategory) -> usize {
        self.of.get(category).copied().unwrap_or(self.standard)
    }
}

impl Default for Taxes {
    /// Returns a shop that collects no tax.
    fn default() -> Self {
        Self { definition: TaxDefinition::default(), schedules: vec![], home: None }
    }
}

impl TryFrom<TaxDefinition> for Taxes {
    type Error = DefinitionError;
    fn try_from(definition: TaxDefinition) -> Result<Self, DefinitionError> {
        Self::new(definition)
    }
}

impl From<Taxes> for TaxDefinition {
    fn from(taxes: Taxes) -> Self {
        taxes.definition
    }
}

impl Taxes {
    /// Checks a definition.
    ///
    /// # Errors
    /// [`DefinitionError`] with all that makes no sense in it.
    pub fn new(definition: TaxDefinition) -> Result<Self, DefinitionError> {
        definition.check()?;
        let schedules = definition.zones.iter().map(Schedule::of).collect();
        let home = definition.home.as_ref().and_then(|home| definition.zone_of(home));
        Ok(Self { definition, schedules, home })
    }

    /// Returns the definition.
    pub fn definition(&self) -> &TaxDefinition {
        &self.definition
    }

    /// Returns the zone of a destination, or of the home where there is no destination.
    pub fn zone_of(&self, destination: Option<&Destination>) -> Option<&TaxZone> {
        self.number_of(destination).map(|n| &self.definition.zones[n])
    }

    /// Reports whether some rate depends on the region, and on the postcode, within a country; within any where none is
    /// named.
    pub fn depends_on(&self, country: Option<Country>) -> (bool, bool) {
        let within = |place: &&Place| country.is_none_or(|c| place.countries.contains(&c));
        let places = || self.definition.zones.iter().flat_map(|zone| &zone.places).filter(within);
        (places().any(|place| !place.regions.is_empty()), places().any(|place| !place.postcodes.is_empty()))
    }

    fn number_of(&self, destination: Option<&Destination>) -> Option<usize> {
        match destination {
            Some(destination) => self.definition.zone_of(destination),
            None => self.home,
        }
    }
}

impl TaxDefinition {
    fn zone_of(&self, destination: &Destination) -> Option<usize> {
        most_special_zone(self.zones.iter().map(|zone| &zone.places[..]), destination)
    }

    fn check(&self) -> Result<(), DefinitionError> {
        let mut faults = Faults::default();
        let needs_home = self.prices_include_tax && self.inclusive_prices == InclusivePrices::KeepNet;
        let has_home = self.home.as_ref().and_then(|home| self.zone_of(home)).is_some();
        faults.need(has_home || !needs_home, "home", || {
            "lies in no zone, so that the tax in the prices is unknown; name a place of a zone, or keep_gross"
        });
        faults.need(
            self.prices_include_tax || !has_keep_net(self),
            "inclusive_prices",
            || "is keep_net, but prices do not include tax; leave it out",
        );
        faults.need(self.zones.len() <= ZONES_MAX, "zones", || {
            format!("holds {} zones, the most allowed is {ZONES_MAX}", self.zones.len())
        });
        let mut names = BTreeSet::new();
        faults.each("zones", &self.zones, |faults, zone| {
            faults.need(names.insert(&zone.name), "name", || {
                format!("is {:?}, as another zone's is; give each its own", zone.name)
            });
            zone.check(faults);
        });
        faults.verdict()
    }
}

fn has_keep_net(definition: &TaxDefinition) -> bool {
    definition.inclusive_prices == InclusivePrices::KeepNet
}

impl TaxZone {
    fn check(&self, faults: &mut Faults) {
        faults.name("name", &self.name);
        check_places(faults, &self.places);
        faults.need(self.rates.len() <= TAX_CATEGORIES_MAX, "rates", || {
            format!("holds {} categories, the most allowed is {TAX_CATEGORIES_MAX}", self.rates.len())
        });
        let standard = TaxCategory::default();
        faults.need(self.rates.is_empty() || self.rates.contains_key(&standard), "rates", || {
            format!("lacks {standard}, under which all other categories fall; write [] to exempt these")
        });
        for (category, components) in &self.rates {
            faults.within(format_args!("rates.{category}"), |faults| check_rate(faults, components));
        }
    }
}

#[cfg(test)]
mod tests;
