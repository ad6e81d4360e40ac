//! Which methods a parcel is offered, and why not the others.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Carriage, CarriageZone, Conditions, DeliveryDays, Shipping, Tariff};
use crate::{
    Currency, Destination, GroupId, MethodId, Money, TaxCategory,
    zone::{Place, most_special_zone},
};

/// Is an order as far as its carriage cares; only what travels counts, but for the subtotal.
#[derive(Clone, Copy, Debug)]
pub struct Freight<'a> {
    /// All lines after promotions, in minor units.
    pub subtotal_minor: i64,
    /// The cart's currency.
    pub currency: Currency,
    /// The weight in grams.
    pub weight_g: u64,
    /// The pieces; 0 where nothing travels.
    pub pieces: u64,
    /// The catalogue's categories of the pieces.
    pub categories: &'a [&'a str],
    /// The customer's group, where there is one.
    pub group: Option<&'a GroupId>,
}

/// Is what may be chosen from, in the order of the definition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offers {
    /// Something travels, so that a method is needed.
    pub needed: bool,
    /// The destination is not known yet, and the shop's home stood in for it.
    pub estimated: bool,
    /// What may be chosen.
    pub offered: Vec<Offer>,
    /// What may not, and why.
    pub refused: Vec<RefusedMethod>,
}

/// Is a method that may be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Offer {
    /// The method.
    pub method: MethodId,
    /// Its name for people.
    pub name: String,
    /// The charge in minor units.
    pub minor: i64,
    /// How long it takes, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<DeliveryDays>,
    /// What the subtotal lacks for the charge to fall away, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_free_minor: Option<i64>,
    /// The tax category of the charge; `None` is taxed as the goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_category: Option<TaxCategory>,
}

/// Is a method that may not be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedMethod {
    /// The method.
    pub method: MethodId,
    /// Its name for people.
    pub name: String,
    /// Why it may not.
    pub why: NotOffered,
}

/// Says why a method is not offered; its `Display` is a fragment for the shopper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NotOffered {
    /// It does not go there.
    Destination {
        /// Where the order goes, where that is known.
        destination: Option<Destination>,
    },
    /// It has no amount in the cart's currency.
    Currency {
        /// The cart's currency.
        currency: Currency,
    },
    /// It is for customers of other groups.
    Group,
    /// Something in the parcel does not travel so.
    Category {
        /// The category.
        category: String,
    },
    /// There are too many pieces.
    Pieces {
        /// The most pieces.
        max: u64,
        /// The parcel's.
        pieces: u64,
    },
    /// The parcel is too heavy.
    Weight {
        /// The greatest weight, in grams.
        max_g: u64,
        /// The parcel's, in grams.
        weight_g: u64,
    },
    /// The subtotal is too small.
    SubtotalBelow {
        /// The least subtotal.
        min: Money,
        /// What the subtotal lacks.
        lacking: Money,
    },
    /// The subtotal is too great.
    SubtotalAbove {
        /// The greatest subtotal.
        max: Money,
    },
}

impl NotOffered {
    /// Returns the stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Destination { .. } => "destination",
            Self::Currency { .. } => "currency",
            Self::Group => "group",
            Self::Category { .. } => "category",
            Self::Pieces { .. } => "pieces",
            Self::Weight { .. } => "weight",
            Self::SubtotalBelow { .. } => "subtotal_below",
            Self::SubtotalAbove { .. } => "subtotal_above",
        }
    }
}

impl fmt::Display for NotOffered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination { destination: Some(destination) } => write!(f, "does not go to {destination}"),
            Self::Destination { destination: None } => f.write_str("needs to know where the order goes"),
            Self::Currency { currency } => write!(f, "has no rate in {currency}"),
            Self::Group => f.write_str("is for other customer groups"),
            Self::Category { category } => write!(f, "does not carry {category}"),
            Self::Pieces { max, pieces } => write!(f, "carries {max} pieces, not {pieces}"),
            Self::Weight { max_g, weight_g } => write!(f, "carries {max_g} g, not {weight_g} g"),
            Self::SubtotalBelow { min, lacking } => {
                write!(f, "is for orders from {min} on; {lacking} are lacking")
            }
            Self::SubtotalAbove { max } => write!(f, "is for orders up to {max}"),
        }
    }
}

impl Shipping {
    /// Offers the methods that serve a parcel, and says why the others do not.
    ///
    /// ```
    /// use cart_core::{Currency, shipping::{Freight, Shipping}};
    /// let shipping = Shipping::standard_and_express(495).unwrap();
    /// let currency = Currency::parse("GBP").unwrap();
    /// let parcel =
    ///     Freight { subtotal_minor: 1_250, currency, weight_g: 300, pieces: 1, categories: &[], group: None };
    /// let charges: Vec<_> = shipping.offers(&parcel, None).offered.iter().map(|o| o.minor).collect();
    /// assert_eq!(charges, [0, 495]);
    /// ```
    pub fn offers(&self, parcel: &Freight<'_>, destination: Option<&Destination>) -> Offers {
        let mut offers = Offers {
            needed: parcel.pieces > 0,
            estimated: destination.is_none(),
            offered: vec![],
            refused: vec![],
        };
        if !offers.needed {
            return offers;
        }
        let destination = destination.or(self.definition.home.as_ref());
        for carriage in &self.definition.methods {
            let (method, name) = (carriage.id.clone(), carriage.name.clone());
            match carriage.serve(parcel, destination) {
                Ok((zone, tariff)) => offers.offered.push(Offer {
                    method,
                    name,
                    minor: tariff.minor(parcel),
                    days: zone.days,
                    to_free_minor: tariff.to_free_minor(parcel),
                    tax_category: carriage.tax_category.clone(),
                }),
                Err(why) => offers.refused.push(RefusedMethod { method, name, why }),
            }
        }
        offers
    }
}

impl Carriage {
    /// Returns the zone and tariff that a parcel falls under.
    fn serve(
        &self,
        parcel: &Freight<'_>,
        destination: Option<&Destination>,
    ) -> Result<(&CarriageZone, &Tariff), NotOffered> {
        let zone = match destination {
            Some(destination) => {
                let places = self.zones.iter().map(|zone| &zone.places[..]);
                most_special_zone(places, destination).map(|n| &self.zones[n])
            }
            None => self.zones.iter().find(|zone| zone.places.contains(&Place::everywhere())),
        };
        let zone = zone.ok_or_else(|| NotOffered::Destination { destination: destination.cloned() })?;
        let tariff = zone.tariffs.get(&parcel.currency).or(zone.any_currency.as_ref());
        let tariff = tariff.ok_or(NotOffered::Currency { currency: parcel.currency })?;
        self.conditions.admit(parcel)?;
        Ok((zone, tariff))
    }
}

impl Conditions {
    fn admit(&self, parcel: &Freight<'_>) -> Result<(), NotOffered> {
        let Freight { currency, pieces, weight_g, subtotal_minor, .. } = *parcel;
        let bound = |amounts: &std::collections::BTreeMap<Currency, i64>| match amounts.get(&currency) {
            None if !amounts.is_empty() => Err(NotOffered::Currency { currency }),
            bound => Ok(bound.copied()),
        };
        let (min, max) = (bound(&self.min_subtotal_minor)?, bound(&self.max_subtotal_minor)?);
        if !self.groups.is_empty() && !parcel.group.is_some_and(|group| self.groups.contains(group)) {
            return Err(NotOffered::Group);
        }
        if let Some(category) = parcel.categories.iter().find(|c| self.excluded_categories.contains(**c)) {
            return Err(NotOffered::Category { category: (*category).to_owned() });
        }
        if let Some(max) = self.max_pieces.filter(|max| pieces > *max) {
            return Err(NotOffered::Pieces { max, pieces });
        }
        if let Some(max_g) = self.max_weight_g.filter(|max| weight_g > *max) {
            return Err(NotOffered::Weight { max_g, weight_g });
        }
        let money = |minor| Money::new(minor, currency);
        if let Some(min) = min.filter(|min| subtotal_minor < *min) {
            return Err(NotOffered::SubtotalBelow { min: money(min), lacking: money(min - subtotal_minor) });
        }
        match max.filter(|max| subtotal_minor > *max) {
            Some(max) => Err(NotOffered::SubtotalAbove { max: money(max) }),
            None => Ok(()),
        }
    }
}
