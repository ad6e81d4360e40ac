//! What a trail of viewed items says of the next one.

pub mod features;
pub mod neighbours;

pub use features::{FEATURES, Fame, Signals};
pub use neighbours::{Nearness, PastSessions};

use crate::{
    ask::{Ask, Ranked},
    codec::stored,
    invalid::Invalid,
    ranker::{Candidates, Ranker},
    tally::{Tally, keep_best},
};

/// The candidates that are ranked: more cost time in proportion, and of diginetica's next items 79 % are among these.
pub const CANDIDATES: usize = 100;

/// Holds what was learnt from sessions.
#[derive(Clone, Debug)]
pub struct SessionModel {
    /// What candidates are found and judged by.
    pub signals: Signals,
    /// What puts them into order.
    pub ranker: Ranker,
    /// What the score of the item on screen counts where past sessions alone are asked: in some shops people come back
    /// to it at once, in others never.
    pub repeat: f32,
}

/// What a thread needs to ask, to be used again.
#[derive(Clone, Debug)]
pub struct Scratch {
    features: features::Scratch,
    candidates: Candidates,
}

stored!(SessionModel { signals, ranker, repeat });

impl SessionModel {
    /// Refuses what is not of so many items.
    pub(crate) fn check(&self, items: usize) -> Result<(), Invalid> {
        self.signals.check(items)?;
        self.ranker.check(features::WIDTH)
    }
}

/// Ranks what is likely viewed next after a trail (oldest first, the last is on screen).
impl Ask for SessionModel {
    type Scratch = Scratch;

    fn scratch(&self) -> Scratch {
        Scratch { features: self.signals.scratch(), candidates: Candidates::default() }
    }

    fn ask(&self, trail: &[u32], most: usize, scratch: &mut Scratch, best: &mut Ranked) {
        if trail.is_empty() {
            return best.clear();
        }
        let Scratch { features, candidates } = scratch;
        self.signals.candidates(trail, CANDIDATES, features, candidates);
        self.ranker.rank(candidates, most, best);
    }
}

/// Asks past sessions alone, each item by how its views have grown lately: quick, and nearly as good.
#[derive(Clone, Copy, Debug)]
pub struct Retrieval<'a> {
    signals: &'a Signals,
    repeat: f32,
}

/// The power of an item's growth in views: ten times as many views of late double its score.
const TREND_POWER: f32 = 0.3;

impl<'a> Retrieval<'a> {
    /// Asks the past sessions of a model.
    pub fn new(model: &'a SessionModel) -> Self {
        Self::of(&model.signals, model.repeat)
    }

    /// Asks past sessions, with what the item on screen counts.
    pub fn of(signals: &'a Signals, repeat: f32) -> Self {
        Self { signals, repeat }
    }
}

impl Ask for Retrieval<'_> {
    type Scratch = (neighbours::Scratch, Tally);

    fn scratch(&self) -> Self::Scratch {
        (self.signals.past.scratch(), Tally::new(self.signals.fame.len()))
    }

    fn ask(&self, trail: &[u32], most: usize, (past, scores): &mut Self::Scratch, best: &mut Ranked) {
        self.signals.past.score(trail, past, scores);
        let on_screen = trail.last().copied();
        let score = |item: u32| {
            let repeat = if Some(item) == on_screen { self.repeat } else { 1.0 };
            scores.get(item) * self.signals.fame[item as usize].trend * repeat
        };
        best.clear();
        best.extend(scores.touched().iter().map(|&item| (item, score(item))));
        scores.clear();
        keep_best(best, most);
    }
}

/// Returns what a session's score of an item is multiplied by, from its views of late and of all time.
pub fn trend(late: f32, all: f32) -> f32 {
    ((late + 1.0) / (all + 5.0)).powf(TREND_POWER)
}
