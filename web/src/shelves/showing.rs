//! One showing of a shelf to somebody, and the places on it: what events and links name.

use std::{fmt, str::FromStr};

use cart_core::VisitorId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Recipe, ShelfName, rules::PLACES_MAX};

/// How long a showing may be told of and clicked on, in milliseconds: a day, as a page may stay open. Events' ids are kept
/// longer, so that each counts once.
pub const SHOWING_MS: i64 = 24 * 3_600_000;
/// How long a letter's links may be clicked on, in milliseconds: a week, as letters are read when there is time for them.
pub const LETTER_MS: i64 = 7 * SHOWING_MS;
/// The last place of a showing, beyond those of rules: the API answers longer lists.
const PLACE_MAX: usize = 100;
const _: () = assert!(PLACE_MAX >= PLACES_MAX);

/// Names a showing. It says when it was made, and whoever has it can tell whether it was made for a unit: a link that is passed on
/// counts for nobody else.
///
/// 11 hexadecimal digits of the time in Unix milliseconds, 8 at random, and 8 of SHA-256 over these and the unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Showing(String);

impl Showing {
    /// Makes a name for a showing to a unit, which differs from all others by 32 bits at random.
    pub fn new(unit: &VisitorId, at_ms: i64, random: u32) -> Self {
        let head = format!("{:011x}{random:08x}", at_ms.max(0));
        let seal = seal(unit, &head);
        Self(head + &seal)
    }

    /// As [`Showing::new`], with the random bits of a new UUID.
    pub fn fresh(unit: &VisitorId, at_ms: i64) -> Self {
        Self::new(unit, at_ms, Uuid::new_v4().as_fields().0)
    }

    /// Returns when it was made, in Unix milliseconds.
    pub fn at_ms(&self) -> i64 {
        i64::from_str_radix(&self.0[..11], 16).expect("a showing begins with its time")
    }

    /// Reports whether it was made for a unit.
    pub fn is_of(&self, unit: &VisitorId) -> bool {
        self.0[19..] == seal(unit, &self.0[..19])
    }

    /// Returns the id of an event about it, the same each time it is told.
    pub fn event_id(&self, what: &str) -> Uuid {
        let digest = Sha256::new().chain_update(&self.0).chain_update([0]).chain_update(what).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// Returns its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn seal(unit: &VisitorId, head: &str) -> String {
    let digest = Sha256::new().chain_update(head).chain_update([0]).chain_update(unit.as_str()).finalize();
    hex::encode(&digest[..4])
}

/// Is a place of a showing, as links and reports carry it: `bought_together.2.pairs.` and the showing.
///
/// An algorithm is told with its parameters (`pairs:min_support=5`). Where two share the shelf, the one that is credited comes first: `pairs~popular`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The shelf.
    pub shelf: ShelfName,
    /// The place, from 1.
    pub place: usize,
    /// The algorithm that put something there.
    pub algorithm: Recipe,
    /// The other one that shares the shelf.
    pub against: Option<Recipe>,
    /// The showing.
    pub showing: Showing,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shelf, place, algorithm, against, showing } = self;
        write!(f, "{}.{place}.{algorithm}", shelf.name())?;
        if let Some(against) = against {
            write!(f, "~{against}")?;
        }
        write!(f, ".{}", showing.0)
    }
}

/// Says that a text names no place of a showing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("it names no place of a shelf; pass on `from` as it came")]
pub struct NoSpot;

impl FromStr for Spot {
    type Err = NoSpot;

    fn from_str(text: &str) -> Result<Self, NoSpot> {
        let read = || {
            let mut parts = text.split('.');
            let shelf = ShelfName::from_name(parts.next()?)?;
            let place = parts.next()?.parse().ok().filter(|place| (1..=PLACE_MAX).contains(place))?;
            let algorithms = parts.next()?;
            let (algorithm, against) = match algorithms.split_once('~') {
                Some((algorithm, against)) => (algorithm, Some(against.parse().ok()?)),
                None => (algorithms, None),
            };
            let algorithm = algorithm.parse().ok()?;
            let is_hex = |text: &&str| {
                text.len() == 27 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            };
            let showing = Showing(parts.next().filter(is_hex)?.to_owned());
            parts.next().is_none().then_some(Self { shelf, place, algorithm, against, showing })
        };
        read().ok_or(NoSpot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> VisitorId {
        VisitorId::parse(text).unwrap()
    }

    #[test]
    fn a_showing_knows_its_time_and_its_unit() {
        let showing = Showing::new(&unit("ann"), 1_796_083_200_000, 7);
        assert_eq!(showing.as_str(), format!("1a22ee6b000{:08x}{}", 7, &showing.as_str()[19..]));
        assert_eq!(showing.at_ms(), 1_796_083_200_000);
        assert!(showing.is_of(&unit("ann")) && !showing.is_of(&unit("bob")));
        assert_eq!(showing.event_id("shown"), showing.event_id("shown"));
        assert_ne!(showing.event_id("shown"), showing.event_id("clicked MUG"));
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let showing = Showing::new(&unit("ann"), 1_796_083_200_000, 7);
        let spot = |against| Spot {
            shelf: ShelfName::GoesWithCart,
            place: 3,
            algorithm: "pairs:min_support=5,spread=2".parse().unwrap(),
            against,
            showing: showing.clone(),
        };
        for spot in [spot(None), spot(Some("popular".parse().unwrap()))] {
            assert_eq!(spot.to_string().parse(), Ok(spot));
        }
        let text = spot(None).to_string();
        for bad in [
            text.replace("goes", "went"),
            text.replace(".3.", ".0."),
            text.replace(".3.", ".101."),
            text.replace("pairs", "magic"),
            text.replace("pairs", "pairs~magic"),
            format!("{text}0"),
            format!("{text}.1"),
            text.replace("1a22", "1A22"),
            String::new(),
        ] {
            assert_eq!(bad.parse::<Spot>(), Err(NoSpot), "{bad}");
        }
    }
}
