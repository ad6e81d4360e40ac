//! What a trail of viewed items says of the next one.

pub mod features;
pub mod neighbours;

pub use features::{FEATURES, Fame, Signals};
pub use neighbours::{Nearness, PastSessions};

use crate::{
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

    /// Returns what a thread needs to ask.
    pub fn scratch(&self) -> Scratch {
        Scratch { features: self.signals.scratch(), candidates: Candidates::default() }
    }

    /// Puts the `most` likeliest next items after a trail (oldest first, the last is on screen) into `best`.
    pub fn next(&self, trail: &[u32], most: usize, scratch: &mut Scratch, best: &mut Vec<(u32, f32)>) {
        let Scratch { features, candidates } = scratch;
        self.signals.candidates(trail, CANDIDATES, features, candidates);
        self.ranker.rank(candidates, most, best);
    }
}

/// Asks past sessions alone, each item by how its views have grown lately: quick, and nearly as good.
#[derive(Clone, Debug)]
pub struct Retrieval<'a> {
    signals: &'a Signals,
    repeat: f32,
    scratch: neighbours::Scratch,
    scores: Tally,
}

/// The power of an item's growth in views: ten times as many views of late double its score.
const TREND_POWER: f32 = 0.3;

impl<'a> Retrieval<'a> {
    /// Makes what one thread asks.
    pub fn new(model: &'a SessionModel) -> Self {
        Self::of(&model.signals, model.repeat)
    }

    /// Makes what one thread asks, with what the item on screen counts.
    pub fn of(signals: &'a Signals, repeat: f32) -> Self {
        Self { signals, repeat, scratch: signals.past.scratch(), scores: Tally::new(signals.fame.len()) }
    }

    /// Puts the `most` likeliest next items after a trail into `best`.
    pub fn next(&mut self, trail: &[u32], most: usize, best: &mut Vec<(u32, f32)>) {
        self.signals.past.score(trail, &mut self.scratch, &mut self.scores);
        let on_screen = trail.last().copied();
        let score = |item: u32| {
            let repeat = if Some(item) == on_screen { self.repeat } else { 1.0 };
            self.scores.get(item) * self.signals.fame[item as usize].trend * repeat
        };
        best.clear();
        best.extend(self.scores.touched().iter().map(|&item| (item, score(item))));
        self.scores.clear();
        keep_best(best, most);
    }
}

/// Returns what a session's score of an item is multiplied by, from its views of late and of all time.
pub fn trend(late: f32, all: f32) -> f32 {
    ((late + 1.0) / (all + 5.0)).powf(TREND_POWER)
}
