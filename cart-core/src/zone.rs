//! Where orders go: destinations, and the zones that taxes and shipping are laid down for.
//!
//! A zone is a list of places. Of the zones that hold a destination, the most special one counts, as far as this
//! list decides; the first of equals counts, as the definition lists them:
//!
//! 1. the one that fixes more characters of the postcode: a prefix fixes all of its own, a district one more than its
//!    own (what follows is fixed to be the end), a range those that its bounds begin with in common; of equals, a
//!    district or range before a prefix; any of them before none;
//! 2. the one that names the region before one that does not;
//! 3. the one that names the country before one that is everywhere.

mod postcode;

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{definition::Faults, limits::PLACES_MAX};
pub use postcode::{Postcode, PostcodeRule};

/// Says why a text names no country, region or postcode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {wanted}")]
pub struct ZoneError {
    /// The text.
    pub text: String,
    /// What it should have been, with an example.
    pub wanted: &'static str,
}

impl ZoneError {
    fn new(text: &str, wanted: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), wanted }
    }
}

/// Is a country, by its ISO 3166-1 code of two letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

impl Country {
    /// Parses a code of two letters; the case does not matter.
    ///
    /// # Errors
    /// [`ZoneError`] where the text is anything else.
    pub fn parse(code: &str) -> Result<Self, ZoneError> {
        match *code.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err(ZoneError::new(code, "a country's code of two letters, such as GB")),
        }
    }

    /// Returns the code in capital letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a parsed code is ASCII")
    }
}

/// Is a region of a country, by the part of its ISO 3166-2 code after the hyphen: `CA` of `US-CA`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region([u8; 3]);

impl Region {
    /// Parses one to three letters or digits; the case does not matter, and the country's part may stand before.
    ///
    /// # Errors
    /// [`ZoneError`] where the text is anything else.
    pub fn parse(code: &str) -> Result<Self, ZoneError> {
        let own = match code.split_once('-') {
            Some((country, own)) if Country::parse(country).is_ok() => own,
            _ => code,
        };
        let mut bytes = [0; 3];
        if own.is_empty() || own.len() > bytes.len() || !own.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(ZoneError::new(code, "a region's code of ISO 3166-2, such as CA or US-CA"));
        }
        bytes[..own.len()].copy_from_slice(own.to_ascii_uppercase().as_bytes());
        Ok(Self(bytes))
    }

    /// Returns the code in capital letters, without the country's part.
    pub fn code(&self) -> &str {
        let len = self.0.iter().position(|b| *b == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..len]).expect("a parsed code is ASCII")
    }
}

macro_rules! code {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = ZoneError;
            fn from_str(text: &str) -> Result<Self, ZoneError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ZoneError;
            fn try_from(text: String) -> Result<Self, ZoneError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.code().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

code!(Country);
code!(Region);
code!(Postcode);

/// Is where an order goes, as far as taxes and shipping care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// The country.
    pub country: Country,
    /// The region, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The postcode, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<Postcode>,
}

impl Destination {
    /// Reads a destination from the fields of an address; nothing where the country is none.
    ///
    /// A region or postcode that cannot be read is left out, so that the country's own zone holds the destination: what
    /// an address must look like is not decided here.
    ///
    /// ```
    /// use cart_core::Destination;
    /// assert_eq!(Destination::read("us", "ca", "90210").unwrap().to_string(), "US-CA 90210");
    /// assert_eq!(Destination::read("GB", "Somerset", "").unwrap().to_string(), "GB");
    /// assert_eq!(Destination::read("England", "", ""), None);
    /// ```
    pub fn read(country: &str, region: &str, postcode: &str) -> Option<Self> {
        let country = Country::parse(country.trim()).ok()?;
        let region = Region::parse(region.trim()).ok();
        Some(Self { country, region, postcode: Postcode::parse(postcode).ok() })
    }

    /// Returns a country of which neither region nor postcode are known.
    pub fn country(country: Country) -> Self {
        Self { country, region: None, postcode: None }
    }
}

impl fmt::Display for Destination {
    /// Writes what is known, such as `US-CA 90210`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.country)?;
        if let Some(region) = self.region {
            write!(f, "-{region}")?;
        }
        match &self.postcode {
            Some(postcode) => write!(f, " {postcode}"),
            None => Ok(()),
        }
    }
}

/// Is a part of the world: some countries, or regions or postcodes of one country.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Place {
    /// The countries; none is everywhere.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: BTreeSet<Country>,
    /// The regions of the one country; none is the whole country.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<Region>,
    /// The postcodes of the one country; none is all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub postcodes: Vec<PostcodeRule>,
}

/// Says how special a match is: the greater counts. The fields are in the order of the module's rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speciality {
    postcode: u8,
    region: bool,
    country: bool,
}

impl Place {
    /// Returns the place that is everywhere.
    pub fn everywhere() -> Self {
        Self::default()
    }

    /// Returns whole countries.
    pub fn countries(countries: impl IntoIterator<Item = Country>) -> Self {
        Self { countries: countries.into_iter().collect(), ..Self::default() }
    }

    /// Returns how special the place is for a destination, or nothing where it lies elsewhere.
    ///
    /// A destination without a region or postcode lies in no place that asks for one.
    pub fn holds(&self, destination: &Destination) -> Option<Speciality> {
        if !self.countries.is_empty() && !self.countries.contains(&destination.country) {
            return None;
        }
        if !self.regions.is_empty() && !destination.region.is_some_and(|r| self.regions.contains(&r)) {
            return None;
        }
        let postcode = match &destination.postcode {
            _ if self.postcodes.is_empty() => 0,
            Some(postcode) => {
                self.postcodes.iter().filter_map(|rule| rule.holds(postcode, destination.country)).max()?
            }
            None => return None,
        };
        Some(Speciality { postcode, region: !self.regions.is_empty(), country: !self.countries.is_empty() })
    }

    pub(crate) fn check(&self, faults: &mut Faults) {
        let is_narrow = !self.regions.is_empty() || !self.postcodes.is_empty();
        faults.need(!is_narrow || self.countries.len() == 1, "countries", || {
            format!(
                "names {} countries beside regions or postcodes; name the one that these belong to",
                self.countries.len()
            )
        });
        faults.need(self.postcodes.len() <= PLACES_MAX, "postcodes", || {
            format!("holds {} postcodes, the most allowed is {PLACES_MAX}", self.postcodes.len())
        });
        faults.each("postcodes", &self.postcodes, |faults, rule| rule.check(faults));
    }
}

/// Returns how special the most special of some places is for a destination.
pub fn most_special_place(places: &[Place], destination: &Destination) -> Option<Speciality> {
    places.iter().filter_map(|place| place.holds(destination)).max()
}

/// Returns the number of the most special of some zones for a destination; the first of equals.
pub(crate) fn most_special_zone<'a>(
    zones: impl Iterator<Item = &'a [Place]>,
    destination: &Destination,
) -> Option<usize> {
    let mut best: Option<(usize, Speciality)> = None;
    for (n, places) in zones.enumerate() {
        if let Some(speciality) = most_special_place(places, destination)
            && best.is_none_or(|(_, so_far)| speciality > so_far)
        {
            best = Some((n, speciality));
        }
    }
    best.map(|(n, _)| n)
}

/// Checks the places of a zone.
pub(crate) fn check_places(faults: &mut Faults, places: &[Place]) {
    faults.need(!places.is_empty(), "places", || "is empty; write [{}] for everywhere");
    faults.need(places.len() <= PLACES_MAX, "places", || {
        format!("holds {} places, the most allowed is {PLACES_MAX}", places.len())
    });
    faults.each("places", places, |faults, place| place.check(faults));
}

#[cfg(test)]
mod tests;
