//! Postcodes as they are written, and rules that some of them meet.

use serde::{Deserialize, Serialize};

use super::{Country, ZoneError};
use crate::definition::Faults;

/// The longest postcode in bytes: twice what any country prints.
const POSTCODE_BYTES_MAX: usize = 20;

/// Is a postcode in capital letters; runs of spaces and hyphens became one space.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Postcode(String);

impl Postcode {
    /// Parses a postcode of letters, digits, spaces and hyphens.
    ///
    /// # Errors
    /// [`ZoneError`] where it is empty, longer than 20 bytes or holds anything else.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let is_gap = |c: char| c == ' ' || c == '-';
        let good =
            text.len() <= POSTCODE_BYTES_MAX && text.chars().all(|c| is_gap(c) || c.is_ascii_alphanumeric());
        let words: Vec<_> = text.split(is_gap).filter(|word| !word.is_empty()).collect();
        match good && !words.is_empty() {
            true => Ok(Self(words.join(" ").to_ascii_uppercase())),
            false => Err(ZoneError::new(text, "a postcode of letters and digits, such as SW1A 1AA")),
        }
    }

    /// Returns the postcode as it was normalised: `SW1A 1AA`.
    pub fn code(&self) -> &str {
        &self.0
    }

    fn characters(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().filter(|b| *b != b' ')
    }

    fn len(&self) -> usize {
        self.characters().count()
    }

    /// Returns how many characters the postcode's district has: those before the last three in the United Kingdom
    /// and its islands, where the space is often left out, and those before the first gap elsewhere.
    fn district_len(&self, country: Country) -> usize {
        match country.code() {
            "GB" | "GG" | "IM" | "JE" => self.len().saturating_sub(3),
            _ => self.0.split(' ').next().map_or(0, str::len),
        }
    }

    fn starts_with(&self, prefix: &Self) -> bool {
        let mut own = self.characters();
        prefix.characters().all(|c| own.next() == Some(c))
    }
}

/// Is what the postcodes of a place have in common; spaces and hyphens do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostcodeRule {
    /// They begin with these characters: `BT` is all of Northern Ireland.
    Prefix(Postcode),
    /// They lie in the district: `BT1` holds `BT1 1AA`, but not `BT11 8BB`, which a prefix would.
    District(Postcode),
    /// They begin with as many characters as the bounds have, and lie between these: `10000` to `14199` is Berlin.
    Range {
        /// The first.
        from: Postcode,
        /// The last; as long as the first.
        to: Postcode,
    },
}

impl PostcodeRule {
    /// Returns how special the rule is for a postcode, or nothing where it does not hold; never 0.
    pub(super) fn holds(&self, postcode: &Postcode, country: Country) -> Option<u8> {
        let (holds, fixed, is_exact) = match self {
            Self::Prefix(prefix) => (postcode.starts_with(prefix), prefix.len(), false),
            Self::District(district) => {
                let ends_here = postcode.district_len(country) == district.len();
                (ends_here && postcode.starts_with(district), district.len() + 1, true)
            }
            Self::Range { from, to } => {
                let fixed = from.characters().zip(to.characters()).take_while(|(a, b)| a == b).count();
                let is_long_enough = postcode.len() >= from.len();
                let lies = |bound: &Postcode| postcode.characters().take(bound.len()).cmp(bound.characters());
                (is_long_enough && lies(from).is_ge() && lies(to).is_le(), fixed, true)
            }
        };
        let speciality = 1 + 2 * fixed + usize::from(is_exact);
        holds.then(|| u8::try_from(speciality).expect("a postcode has at most 20 characters"))
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        if let Self::Range { from, to } = self {
            let is_ordered = from.len() == to.len() && from.characters().le(to.characters());
            faults.need(is_ordered, "range", || {
                format!("goes from {from} to {to}; write two bounds of one length, the lower first")
            });
        }
    }
}
