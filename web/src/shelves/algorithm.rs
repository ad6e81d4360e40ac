//! The closed list of what can fill a shelf.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Recipe, ShelfName};

/// Names an algorithm. The names are stable: the configuration, flags and events carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Candidates of many lists, put in order by what later questions taught.
    Learnt,
    /// What is bought or viewed together, by pairs.
    Pairs,
    /// What is bought later, by pairs of earlier and later orders; on shelves of what is viewed, as `pairs`.
    After,
    /// What many buy, whoever asks.
    Popular,
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 4] = [Self::Learnt, Self::Pairs, Self::After, Self::Popular];

    /// Returns what the index is asked for.
    pub fn asked(self) -> recommender::Algorithm {
        match self {
            Self::Learnt => recommender::Algorithm::Learnt,
            Self::Pairs => recommender::Algorithm::Pairs,
            Self::After => recommender::Algorithm::After,
            Self::Popular => recommender::Algorithm::Popular,
        }
    }

    /// Returns the stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Learnt => "learnt",
            Self::Pairs => "pairs",
            Self::After => "after",
            Self::Popular => "popular",
        }
    }

    /// Returns the algorithm of a stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// Says who fills a shelf: one algorithm, such as `pairs`, or two by turns, such as `pairs~popular`, each with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Filling {
    /// One alone.
    One(Recipe),
    /// Two, by team-draft interleaving.
    Shared(Recipe, Recipe),
}

impl Filling {
    /// Refuses what does nothing on a shelf, as [`Recipe::fits`] does.
    ///
    /// # Errors
    /// What does nothing, and where it does something.
    pub fn fits(&self, shelf: ShelfName) -> Result<(), String> {
        match self {
            Self::One(recipe) => recipe.fits(shelf),
            Self::Shared(first, second) => first.fits(shelf).and(second.fits(shelf)),
        }
    }
}

impl FromStr for Filling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('~') {
            None => Ok(Self::One(text.parse()?)),
            Some((first, second)) => match (first.parse()?, second.parse()?) {
                (first, second) if first == second => {
                    Err(format!("{text:?} shares a shelf between one and the same algorithm; name two"))
                }
                (first, second) => Ok(Self::Shared(first, second)),
            },
        }
    }
}

impl TryFrom<String> for Filling {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Filling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(recipe) => recipe.fmt(f),
            Self::Shared(first, second) => write!(f, "{first}~{second}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_is_filled_by_one_or_by_two() {
        for text in
            ["learnt", "pairs", "popular", "learnt~popular", "after~pairs", "pairs~pairs:min_support=5"]
        {
            assert_eq!(text.parse::<Filling>().unwrap().to_string(), text);
        }
        for (text, words) in [
            ("magic", "there is no algorithm \"magic\"; the algorithms are learnt, pairs, after, popular"),
            ("pairs~", "there is no algorithm \"\""),
            ("pairs~pairs", "name two"),
            ("pairs:spread=2,min_support=5~pairs:min_support=5,spread=2", "name two"),
            ("learnt~pairs:min_support=0", "is no whole number from 1 to 1000"),
        ] {
            let error = text.parse::<Filling>().unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
