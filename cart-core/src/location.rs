//! Where the shop keeps its pieces, and which of its locations send an order.
//!
//! A shop that says nothing of it has one location, `main`, that serves everywhere. Otherwise a definition lists the
//! locations that send orders, in the order in which they are asked for pieces. Of those that serve a destination, the
//! ones whose place is more special for it come first (see [`crate::zone`]): a warehouse in a country before one that
//! serves the continent. The rule says what a line does that the first of them cannot serve whole.

mod parcels;

use std::{borrow::Cow, collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{
    Address, DefinitionError, Destination, IdError, Place, Sku,
    definition::Faults,
    ids::{self, ID_BYTES_MAX},
    limits::LOCATIONS_MAX,
    zone::{check_places, most_special_place},
};
pub(crate) use parcels::fewest_parcels;

/// Names a location; one that is not said is `main`, which takes no room in what is stored.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocationId(Option<Arc<str>>);

/// The location of a shop that has no others.
static MAIN: LocationId = LocationId(None);

impl LocationId {
    /// The name of the location that is not said.
    pub const MAIN: &'static str = "main";

    /// Parses the name of a location.
    ///
    /// # Errors
    /// [`IdError`] where the text is empty, too long or outside the alphabet.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        ids::check_strict("location", text)?;
        Ok(Self((text != Self::MAIN).then(|| Arc::from(text))))
    }

    /// Returns the name of the location that is not said.
    pub fn main() -> &'static Self {
        &MAIN
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::MAIN)
    }

    /// Reports whether it is the location that is not said.
    pub fn is_main(&self) -> bool {
        self.0.is_none()
    }
}

impl FromStr for LocationId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for LocationId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<LocationId> for String {
    fn from(id: LocationId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for LocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl JsonSchema for LocationId {
    fn schema_name() -> Cow<'static, str> {
        "LocationId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Names a location of the shop; one that is not said is `main`.",
            "type": "string",
            "minLength": 1,
            "maxLength": ID_BYTES_MAX,
            "pattern": ids::STRICT_PATTERN,
        })
    }
}

/// Is where the pieces of one product lie in one location: a row of the stock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The product.
    pub sku: Sku,
    /// The location.
    pub location: LocationId,
}

impl Slot {
    /// Returns where a location keeps a product.
    pub fn new(sku: &Sku, location: &LocationId) -> Self {
        Self { sku: sku.clone(), location: location.clone() }
    }
}

impl From<Sku> for Slot {
    fn from(sku: Sku) -> Self {
        Self { sku, location: LocationId::default() }
    }
}

impl fmt::Display for Slot {
    /// Writes the product, and the location where it is not the one that is not said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location.is_main() {
            true => write!(f, "{}", self.sku),
            false => write!(f, "{} at {}", self.sku, self.location),
        }
    }
}

/// Says what a line does that the first location cannot serve whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllocationRule {
    /// Each piece comes from the first location that still has it.
    #[default]
    Priority,
    /// As few locations as possible send something; of equals, those that come first.
    FewestParcels,
}

/// Is one location that sends orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Its name in the stock and in orders.
    pub id: LocationId,
    /// Its name for people.
    pub name: String,
    /// Whom it serves; by itself, everybody.
    #[serde(default = "everywhere", skip_serializing_if = "is_everywhere")]
    pub places: Vec<Place>,
}

fn everywhere() -> Vec<Place> {
    vec![Place::everywhere()]
}

fn is_everywhere(places: &[Place]) -> bool {
    *places == [Place::everywhere()]
}

/// Is the locations of a shop, as they are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocationsDefinition {
    /// What a line does that the first location cannot serve whole.
    #[serde(default)]
    pub rule: AllocationRule,
    /// The locations, in the order in which they are asked.
    pub locations: Vec<Location>,
}

impl Default for LocationsDefinition {
    fn default() -> Self {
        let main = Location { id: LocationId::default(), name: "Main".into(), places: everywhere() };
        Self { rule: AllocationRule::default(), locations: vec![main] }
    }
}

/// Says which locations send what, by a definition that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LocationsDefinition", into = "LocationsDefinition")]
pub struct Locations {
    definition: LocationsDefinition,
    ids: Vec<LocationId>,
    /// Some location does not serve everybody alike.
    is_placed: bool,
}

impl Default for Locations {
    fn default() -> Self {
        Self::new(LocationsDefinition::default()).expect("one location everywhere makes sense")
    }
}

impl TryFrom<LocationsDefinition> for Locations {
    type Error = DefinitionError;
    fn try_from(definition: LocationsDefinition) -> Result<Self, DefinitionError> {
        Self::new(definition)
    }
}

impl From<Locations> for LocationsDefinition {
    fn from(locations: Locations) -> Self {
        locations.definition
    }
}

impl Locations {
    /// Checks a definition.
    ///
    /// # Errors
    /// [`DefinitionError`] with each name that is bad or stands twice, and each place that makes no sense.
    pub fn new(definition: LocationsDefinition) -> Result<Self, DefinitionError> {
        let mut faults = Faults::default();
        let listed = definition.locations.len();
        faults.need((1..=LOCATIONS_MAX).contains(&listed), "locations", || {
            format!("holds {listed} locations; name 1 to {LOCATIONS_MAX}")
        });
        let mut seen = BTreeSet::new();
        faults.each("locations", &definition.locations, |faults, location| {
            faults.need(seen.insert(&location.id), "id", || {
                format!("is {}, as another location's is; each needs its own", location.id)
            });
            faults.name("name", &location.name);
            check_places(faults, &location.places);
        });
        faults.verdict()?;
        let ids = definition.locations.iter().map(|location| location.id.clone()).collect();
        let is_placed = definition.locations.iter().any(|location| !is_everywhere(&location.places));
        Ok(Self { definition, ids, is_placed })
    }

    /// Returns the locations that send orders, in their order.
    pub fn all(&self) -> &[Location] {
        &self.definition.locations
    }

    /// Returns the names of the locations that send orders, in their order.
    pub fn ids(&self) -> &[LocationId] {
        &self.ids
    }

    /// Returns what a line does that the first location cannot serve whole.
    pub fn rule(&self) -> AllocationRule {
        self.definition.rule
    }

    /// Reports whether pieces may come from more than one location, or from another one later.
    pub fn are_several(&self) -> bool {
        self.ids.len() > 1 || self.is_placed
    }

    /// Returns the locations that serve a destination, in the order in which they are asked; where none is known,
    /// all of them.
    pub fn serving(&self, destination: Option<&Destination>) -> Cow<'_, [LocationId]> {
        let Some(destination) = destination.filter(|_| self.is_placed) else {
            return Cow::Borrowed(&self.ids);
        };
        let special = |location: &Location| most_special_place(&location.places, destination);
        let mut serving: Vec<_> =
            self.all().iter().filter_map(|location| Some((special(location)?, &location.id))).collect();
        serving.sort_by(|(a, _), (b, _)| b.cmp(a));
        serving.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// Returns the locations that serve an address, as [`Locations::serving`] does; where it cannot be read, all of them.
    pub fn serving_address(&self, address: Option<&Address>) -> Cow<'_, [LocationId]> {
        let address = address.filter(|_| self.are_several());
        self.serving(address.and_then(|a| Destination::read(&a.country, &a.region, &a.postcode)).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locations(json: &str) -> Result<Locations, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    fn serving(locations: &Locations, country: &str) -> String {
        let ids = locations.serving(Destination::read(country, "", "").as_ref());
        ids.iter().map(LocationId::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_location_that_is_not_said_is_main() {
        let main = LocationId::parse("main").unwrap();
        assert_eq!((&main, main.is_main(), main.as_str()), (LocationId::main(), true, "main"));
        assert_eq!(serde_json::to_string(&main).unwrap(), r#""main""#);
        assert!(main < LocationId::parse("aachen").unwrap(), "it is asked and locked first");
        let error = LocationId::parse("a b").unwrap_err().to_string();
        assert_eq!(error, "location holds ' '; allowed are letters, digits, '-' and '_'");
    }

    #[test]
    fn those_near_the_destination_are_asked_first_and_those_that_do_not_serve_it_never() {
        let three = locations(
            r#"{"locations": [
                {"id": "leeds", "name": "Leeds", "places": [{"countries": ["GB"]}, {}]},
                {"id": "berlin", "name": "Berlin", "places": [{"countries": ["DE", "AT"]}, {}]},
                {"id": "outlet", "name": "Outlet", "places": [{"countries": ["AT"]}]}]}"#,
        )
        .unwrap();
        for (country, order) in [
            ("GB", "leeds berlin"),
            ("DE", "berlin leeds"),
            ("AT", "berlin outlet leeds"),
            ("US", "leeds berlin"),
            ("nowhere", "leeds berlin outlet"),
        ] {
            assert_eq!(serving(&three, country), order, "{country}");
        }
        assert!(three.are_several() && !Locations::default().are_several());
        assert_eq!(serving(&Locations::default(), "GB"), "main");
    }

    #[test]
    fn a_definition_that_makes_no_sense_is_refused_with_every_fault() {
        for (json, message) in [
            (r#"{"locations": []}"#, "locations holds 0 locations; name 1 to 20"),
            (
                r#"{"locations": [{"id": "a", "name": "A"}, {"id": "a", "name": ""}]}"#,
                "locations[1].id is a, as another location's is; each needs its own; locations[1].name is \"\"",
            ),
            (r#"{"rule": "nearest", "locations": []}"#, "unknown variant `nearest`"),
            (r#"{"locations": [{"id": "a", "name": "A", "places": []}]}"#, "locations[0].places is empty"),
        ] {
            let error = locations(json).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
        let plain = r#"{"rule":"fewest_parcels","locations":[{"id":"main","name":"Leeds"}]}"#;
        assert_eq!(serde_json::to_string(&locations(plain).unwrap()).unwrap(), plain);
    }
}
