//! What is in a basket says of what else belongs in it.

pub mod features;
pub mod neighbours;

pub use features::{FEATURES, Fame, Signals};
pub use neighbours::PastBaskets;

use crate::{
    ask::{Ask, Ranked},
    codec::stored,
    invalid::Invalid,
    pairs::BoughtWith,
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
}

/// Ranks what goes with a basket of distinct items; none of the basket's own.
impl Ask for BasketModel {
    type Scratch = Scratch;

    fn scratch(&self) -> Scratch {
        Scratch { features: self.signals.scratch(), candidates: Candidates::default() }
    }

    fn ask(&self, basket: &[u32], most: usize, scratch: &mut Scratch, best: &mut Ranked) {
        if basket.is_empty() {
            return best.clear();
        }
        let Scratch { features, candidates } = scratch;
        self.signals.candidates(basket, CANDIDATES, features, candidates);
        let ranker = if basket.len() == 1 { &self.together } else { &self.completion };
        ranker.rank(candidates, most, best);
    }
}

/// Ranks what goes with a basket by what was learnt, or by pairs where nothing was.
#[derive(Clone, Copy, Debug)]
pub struct Completion<'a> {
    /// What was learnt.
    pub model: Option<&'a BasketModel>,
    /// What answers where nothing was.
    pub pairs: BoughtWith<'a>,
}

impl Ask for Completion<'_> {
    type Scratch = Option<Scratch>;

    fn scratch(&self) -> Option<Scratch> {
        self.model.map(BasketModel::scratch)
    }

    fn ask(&self, basket: &[u32], most: usize, scratch: &mut Option<Scratch>, best: &mut Ranked) {
        match (self.model, scratch) {
            (Some(model), Some(scratch)) => model.ask(basket, most, scratch, best),
            _ => self.pairs.ask(basket, most, &mut (), best),
        }
    }
}
