//! An algorithm with the parameters it is asked with, as the configuration, flags, links and events spell it: `pairs`, or
//! `pairs:min_support=5,spread=2`. Another value is another algorithm to whoever counts what came of shelves.

use std::{cmp::Ordering, fmt, str::FromStr};

use recommender::Tuning;
use serde::{Serialize, Serializer};

use super::{Algorithm, ShelfName};

/// The most orders, sessions or customers that may be asked for: beyond it hardly any pair of any shop is left.
pub const MIN_SUPPORT_MAX: u16 = 1_000;
/// The most products of one category in a row: a shelf has a few dozen places.
pub const SPREAD_MAX: u16 = 20;
/// The least and the most part of a shelf, in percent, that new products get: fewer would have no place on a page's shelf, and more would leave the algorithm
/// the smaller part of its own shelf.
pub const EXPLORE_MIN: u16 = 5;
/// See [`EXPLORE_MIN`].
pub const EXPLORE_MAX: u16 = 50;

/// Names a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parameter {
    MinSupport,
    Session,
    Spread,
    Explore,
}

impl Parameter {
    /// All parameters, in the order in which a recipe spells them.
    const ALL: [Self; 4] = [Self::MinSupport, Self::Session, Self::Spread, Self::Explore];

    fn name(self) -> &'static str {
        match self {
            Self::MinSupport => "min_support",
            Self::Session => "session",
            Self::Spread => "spread",
            Self::Explore => "explore",
        }
    }

    fn range(self) -> (u16, u16) {
        match self {
            Self::MinSupport => (1, MIN_SUPPORT_MAX),
            Self::Session => (0, 100),
            Self::Spread => (1, SPREAD_MAX),
            Self::Explore => (EXPLORE_MIN, EXPLORE_MAX),
        }
    }

    fn place(self) -> usize {
        self as usize
    }
}

/// Is an algorithm with its parameters; those that are not named are as ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recipe {
    /// The algorithm.
    pub algorithm: Algorithm,
    parameters: [Option<u16>; 4],
}

impl From<Algorithm> for Recipe {
    fn from(algorithm: Algorithm) -> Self {
        Self { algorithm, parameters: [None; 4] }
    }
}

impl Recipe {
    fn get(&self, parameter: Parameter) -> Option<u16> {
        self.parameters[parameter.place()]
    }

    /// Returns what the index is told of it.
    pub fn tuning(&self) -> Tuning {
        let usual = Tuning::default();
        Tuning {
            min_support: self.get(Parameter::MinSupport).map_or(usual.min_support, u32::from),
            // At most a hundred, as it was read.
            session_percent: self.get(Parameter::Session).map_or(usual.session_percent, |p| p as u8),
        }
    }

    /// Returns how many products of one category may come before all of the others.
    pub fn spread(&self) -> Option<usize> {
        self.get(Parameter::Spread).map(usize::from)
    }

    /// Returns the part of the places that new products get, in percent.
    pub fn explore_percent(&self) -> Option<usize> {
        self.get(Parameter::Explore).map(usize::from)
    }

    /// Refuses what does nothing on a shelf: an experiment on it would compare a shelf with itself.
    ///
    /// # Errors
    /// What does nothing, and where it does something.
    pub fn fits(&self, shelf: ShelfName) -> Result<(), String> {
        match self.get(Parameter::Session) {
            Some(_) if shelf != ShelfName::Recommended => Err(format!(
                "{self}: session weighs a session against orders, which only the shelf recommended asks, not {}",
                shelf.name()
            )),
            _ => Ok(()),
        }
    }

    fn with(mut self, text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?} names no parameter and value, as min_support=5"))?;
        let parameter = Parameter::ALL.into_iter().find(|parameter| parameter.name() == name);
        let parameter = parameter.ok_or_else(|| {
            let known = Parameter::ALL.map(Parameter::name).join(", ");
            format!("there is no parameter {name:?}; the parameters are {known}")
        })?;
        let (least, most) = parameter.range();
        let number = value.parse().ok().filter(|number| (least..=most).contains(number));
        let number =
            number.ok_or_else(|| format!("{name}={value} is no whole number from {least} to {most}"))?;
        let does_nothing = match parameter {
            Parameter::MinSupport => matches!(self.algorithm, Algorithm::Learnt | Algorithm::Popular),
            Parameter::Session => self.algorithm == Algorithm::Popular,
            Parameter::Spread | Parameter::Explore => false,
        };
        if does_nothing {
            return Err(format!("{name} changes nothing of {}; leave it out", self.algorithm.name()));
        }
        if self.parameters[parameter.place()].replace(number).is_some() {
            return Err(format!("{name} is named twice"));
        }
        Ok(self)
    }
}

impl FromStr for Recipe {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, parameters) = match text.split_once(':') {
            Some((name, parameters)) => (name, Some(parameters)),
            None => (text, None),
        };
        let algorithm = Algorithm::from_name(name).ok_or_else(|| {
            let known = Algorithm::ALL.map(Algorithm::name).join(", ");
            format!("there is no algorithm {name:?}; the algorithms are {known}")
        })?;
        let parameters = parameters.into_iter().flat_map(|parameters| parameters.split(','));
        parameters.into_iter().try_fold(Self::from(algorithm), Self::with)
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.name())?;
        let named = Parameter::ALL.into_iter().filter_map(|one| Some((one.name(), self.get(one)?)));
        for (number, (name, value)) in named.enumerate() {
            write!(f, "{}{name}={value}", if number == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

impl Serialize for Recipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Recipes stand in the order of their texts, as those do who count what came of them.
impl Ord for Recipe {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_string().cmp(&other.to_string())
    }
}

impl PartialOrd for Recipe {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_read_as_it_is_written_whatever_the_order_of_its_parameters() {
        for text in
            ["learnt", "pairs:min_support=5", "popular:spread=2,explore=25", "after:min_support=3,session=80"]
        {
            assert_eq!(text.parse::<Recipe>().unwrap().to_string(), text);
        }
        let turned: Recipe = "pairs:spread=2,min_support=5".parse().unwrap();
        assert_eq!(turned.to_string(), "pairs:min_support=5,spread=2");
        assert_eq!(turned, "pairs:min_support=5,spread=2".parse().unwrap());
        assert_eq!(
            (turned.tuning().min_support, turned.spread(), turned.explore_percent()),
            (5, Some(2), None)
        );
        assert_eq!("learnt:session=0".parse::<Recipe>().unwrap().tuning().session_percent, 0);
        assert_eq!("learnt".parse::<Recipe>().unwrap().tuning(), Tuning::default());
        assert_eq!(serde_json::to_value(turned).unwrap(), "pairs:min_support=5,spread=2");
        assert!(Recipe::from(Algorithm::After) < Recipe::from(Algorithm::Learnt), "as their names sort");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        for (text, words) in [
            ("magic", "there is no algorithm \"magic\"; the algorithms are learnt, pairs, after, popular"),
            ("pairs:", "\"\" names no parameter and value, as min_support=5"),
            (
                "pairs:depth=3",
                "there is no parameter \"depth\"; the parameters are min_support, session, spread, explore",
            ),
            ("pairs:min_support=0", "min_support=0 is no whole number from 1 to 1000"),
            ("pairs:min_support=2.5", "min_support=2.5 is no whole number from 1 to 1000"),
            ("learnt:min_support=5", "min_support changes nothing of learnt; leave it out"),
            ("popular:session=90", "session changes nothing of popular; leave it out"),
            ("pairs:session=101", "session=101 is no whole number from 0 to 100"),
            ("pairs:explore=51", "explore=51 is no whole number from 5 to 50"),
            ("pairs:spread=2,spread=3", "spread is named twice"),
        ] {
            assert_eq!(text.parse::<Recipe>().unwrap_err(), words);
        }
        let recipe: Recipe = "learnt:session=80".parse().unwrap();
        assert_eq!(recipe.fits(ShelfName::Recommended), Ok(()));
        let refused = recipe.fits(ShelfName::Popular).unwrap_err();
        assert!(refused.ends_with("which only the shelf recommended asks, not popular"), "{refused}");
    }
}
