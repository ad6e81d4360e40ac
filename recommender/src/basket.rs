//! What is in a basket says of what else belongs in it.

pub mod features;
pub mod neighbours;

pub use features::{FEATURES, Fame, Signals};
pub use neighbours::PastBaskets;

use crate::{
    codec::stored,
    invalid::Invalid,
    ranker::{Candidates, Ranker},
};

/// The candidates that are ranked.
pub const CANDIDATES: usize = 150;

/// Holds what was learnt from baskets.
#[derive(Clone, Debug)]
pub struct BasketModel {
    /// What candidates are found and judged by.
    pub signals: Signals,
    /// Puts into order what goes with a whole basket.
    pub completion: Ranker,
    /// Puts into order what goes with one item.
    pub together: Ranker,
}

/// What a thread needs to ask, to be used again.
#[derive(Clone, Debug)]
pub struct Scratch {
    features: features::Scratch,
    candidates: Candidates,
}

stored!(BasketModel { signals, completion, together });

impl BasketModel {
    /// Refuses what is not of so many items.
    pub(crate) fn check(&self, items: usize) -> Result<(), Invalid> {
        self.signals.check(items)?;
        self.completion.check(features::WIDTH)?;
        self.together.check(features::WIDTH)
    }

    /// Returns what a thread needs to ask.
    pub fn scratch(&self) -> Scratch {
        Scratch { features: self.signals.scratch(), candidates: Candidates::default() }
    }

    /// Puts the `most` items that go best with a basket of distinct items into `best`; none of the basket's own.
    pub fn goes_with(&self, basket: &[u32], most: usize, scratch: &mut Scratch, best: &mut Vec<(u32, f32)>) {
        let Scratch { features, candidates } = scratch;
        self.signals.candidates(basket, CANDIDATES, features, candidates);
        let ranker = if basket.len() == 1 { &self.together } else { &self.completion };
        ranker.rank(candidates, most, best);
    }
}
