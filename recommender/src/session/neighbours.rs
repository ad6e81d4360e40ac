//! Past sessions that resemble the present one, and what they went on to: VSTAN.
//!
//! Source: Ludewig, Mauro, Latifi and Jannach, "Empirical analysis of session-based recommendation algorithms" (2021),
//! section 3.1, VSTAN; found by an index of the most recent sessions per item, as VMIS-kNN does (Kersbergen, Sprangers
//! and Schelter, "Serenade", 2022).

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{
    ask::{Ask, Ranked},
    codec::stored,
    invalid::Invalid,
    ragged::{self, Ragged},
    tally::{Tally, keep_best},
};

/// How a past session is compared, and what of it counts. Steps and positions are counted in items.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nearness {
    /// Past sessions that are asked: the nearest.
    pub neighbours: usize,
    /// Sessions of each item that are looked at: the most recent.
    pub recent: usize,
    /// Steps back in the present session after which an item says 1/e of what the last one says about nearness.
    pub fade: f32,
    /// The part of the log's span after which a past session is worth 1/e.
    pub age: f32,
    /// As `fade`, of the most recent item that a past session shares.
    pub shared_fade: f32,
    /// Positions after the shared item, in the past session, after which an item is worth 1/e.
    pub after: f32,
    /// Positions before it.
    pub before: f32,
    /// How much more a rare item is worth: one plus this times the logarithm of its rarity.
    pub rarity: f32,
}

stored!(Nearness { neighbours, recent, fade, age, shared_fade, after, before, rarity });

impl Default for Nearness {
    /// What did best on the last twelfth of the training parts of two shops' logs.
    fn default() -> Self {
        Self {
            neighbours: 200,
            recent: 500,
            fade: 4.0,
            age: 2.0,
            shared_fade: 2.5,
            after: 3.0,
            before: 3.0,
            rarity: 5.0,
        }
    }
}

/// Holds past sessions, oldest first, and per item where it is found.
#[derive(Clone, Debug)]
pub struct PastSessions {
    nearness: Nearness,
    sessions: Ragged<u32>,
    /// What a session is worth by its age.
    worth: Vec<f32>,
    /// The sessions of each item, the most recent first.
    holders: Ragged<u32>,
    /// What an item is worth by its rarity.
    rarity: Vec<f32>,
    /// What an item is worth by its position: `SPAN_MAX` places before the shared item, itself, as many after.
    fading: Vec<f32>,
}

stored!(PastSessions { nearness, sessions, worth, holders, rarity, fading });

/// The positions from the shared item beyond which an item is worth as much as at this one: nearly nothing.
const SPAN_MAX: usize = 40;

/// What one thread needs to ask, to be used again.
#[derive(Clone, Debug)]
pub struct Scratch {
    nearness: Tally,
    /// The step of the most recent shared item, per session.
    latest: Vec<u8>,
    nearest: Vec<(u32, f32)>,
    /// Where the nearest sessions stand, and what they hold, one behind the other.
    spans: Vec<Range<usize>>,
    items: Vec<u32>,
}

/// The most items of a past session: its last.
const SESSION_MAX: usize = 100;

/// The most items of a present session that are compared, from the last backwards: what came before says e⁻⁵ and less.
pub const COMPARED_MAX: usize = 20;

impl PastSessions {
    /// Makes the index of sessions, oldest first with their times, over the items below `item_count`.
    pub fn new<'a>(
        nearness: Nearness,
        item_count: usize,
        sessions: impl Iterator<Item = (i64, &'a [u32])> + Clone,
    ) -> Self {
        let latest = sessions.clone().map(|(at, _)| at).max().unwrap_or(0);
        let oldest = sessions.clone().map(|(at, _)| at).min().unwrap_or(0);
        let span = ((latest - oldest) as f32 * nearness.age).max(1.0);
        let (mut past, mut worth) = (Ragged::default(), Vec::new());
        for (at, session) in sessions {
            // A robot's session of a million views is asked as often as it is long.
            past.push(session[session.len().saturating_sub(SESSION_MAX)..].iter().copied());
            worth.push((-((latest - at) as f32) / span).exp());
        }
        let mut holders = ragged::holders(&past, item_count);
        let rarity = |held: &Vec<u32>| (worth.len().max(1) as f32 / held.len().max(1) as f32).ln();
        let rarity = holders.iter().map(|held| 1.0 + nearness.rarity * rarity(held)).collect();
        holders.iter_mut().for_each(|held| held.truncate(nearness.recent));
        let before = (1..=SPAN_MAX).rev().map(|steps| (-(steps as f32) / nearness.before).exp());
        let after = (0..=SPAN_MAX).map(|steps| (-(steps as f32) / nearness.after).exp());
        let fading = before.chain(after).collect();
        Self { nearness, sessions: past, worth, holders: holders.into_iter().collect(), rarity, fading }
    }

    /// Refuses sessions of what is no item, and what is not one per session, item or place.
    pub(crate) fn check(&self, items: usize) -> Result<(), Invalid> {
        ragged::check_holders(&self.sessions, &self.holders, items)?;
        let counts = [self.worth.len(), self.rarity.len(), self.fading.len()];
        if counts == [self.sessions.len(), items, 2 * SPAN_MAX + 1] {
            Ok(())
        } else {
            Err(Invalid("the worths of past sessions are not one each"))
        }
    }

    /// Returns what a thread needs to ask.
    pub fn scratch(&self) -> Scratch {
        let count = self.worth.len();
        Scratch {
            nearness: Tally::new(count),
            latest: vec![0; count],
            nearest: Vec::new(),
            spans: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Adds to `scores` what the past sessions nearest to `trail` (item numbers, the last is the present one) went on to.
    pub fn score(&self, trail: &[u32], scratch: &mut Scratch, scores: &mut Tally) {
        let Nearness { neighbours, fade, shared_fade, .. } = self.nearness;
        let compared = &trail[trail.len().saturating_sub(COMPARED_MAX)..];
        for (step, &item) in compared.iter().rev().enumerate() {
            if compared[compared.len() - step..].contains(&item) {
                continue;
            }
            let says = (-(step as f32) / fade).exp();
            for &session in self.holders.row(item) {
                if scratch.nearness.add(session, says) {
                    scratch.latest[session as usize] = step as u8;
                }
            }
        }
        let Scratch { nearness, latest, nearest, spans, items } = scratch;
        nearest.clear();
        nearest.extend(nearness.touched().iter().map(|&s| (s, nearness.get(s) * self.worth[s as usize])));
        nearness.clear();
        keep_best(nearest, neighbours);
        self.sessions.gather(nearest.iter().map(|&(session, _)| session), spans, items);
        let shared_fading: [f32; COMPARED_MAX] =
            std::array::from_fn(|step| (-(step as f32) / shared_fade).exp());
        let mut rest = &items[..];
        for (&(session, near), span) in nearest.iter().zip(spans) {
            let items = rest.split_off(..span.len()).unwrap_or_default();
            let step = latest[session as usize] as usize;
            let shared = compared[compared.len() - 1 - step];
            let says = near * shared_fading[step];
            let Some(place) = items.iter().rposition(|&item| item == shared) else { continue };
            for (position, &item) in items.iter().enumerate() {
                let step = (position + SPAN_MAX).saturating_sub(place).min(2 * SPAN_MAX);
                scores.add(item, says * self.fading[step] * self.rarity[item as usize]);
            }
        }
    }
}

/// Ranks what the past sessions nearest to what is given went on to.
impl Ask for PastSessions {
    type Scratch = (Scratch, Tally);

    fn scratch(&self) -> Self::Scratch {
        (self.scratch(), Tally::new(self.rarity.len()))
    }

    fn ask(&self, given: &[u32], most: usize, (near, scores): &mut Self::Scratch, best: &mut Ranked) {
        self.score(given, near, scores);
        scores.best(most, best);
        scores.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(sessions: &[(i64, &[u32])], trail: &[u32]) -> Vec<f32> {
        let past = PastSessions::new(Nearness::default(), 6, sessions.iter().copied());
        let (mut scratch, mut scores) = (past.scratch(), Tally::new(6));
        past.score(trail, &mut scratch, &mut scores);
        (0..6).map(|item| scores.get(item)).collect()
    }

    #[test]
    fn one_past_session_says_what_the_formula_says() {
        let scores = scores(&[(0, &[3, 0, 1]), (8, &[5, 4])], &[2, 0]);
        // By hand: the session is as old as the span, and of item 0 it is one step to either side. Two sessions, one holder.
        let (near, rarity) = ((-1.0 / 2.0_f32).exp(), 1.0 + 5.0 * 2.0_f32.ln());
        let aside = (-1.0 / 3.0_f32).exp();
        let expected = [near * rarity, near * rarity * aside, 0.0, near * rarity * aside, 0.0, 0.0];
        for (score, expected) in scores.iter().zip(expected) {
            assert!((score - expected).abs() < 1e-6, "{scores:?}");
        }
    }

    #[test]
    fn later_sessions_and_later_items_say_more() {
        let by_age = scores(&[(0, &[0, 1]), (100, &[0, 2])], &[0]);
        assert!(by_age[2] > by_age[1]);
        let by_step = scores(&[(0, &[0, 1]), (0, &[3, 2])], &[0, 3]);
        assert!(by_step[2] > by_step[1]);
        // An item that comes twice counts where it came last.
        assert_eq!(scores(&[(0, &[0, 1])], &[0, 4, 0]), scores(&[(0, &[0, 1])], &[4, 0]));
    }

    #[test]
    fn a_session_that_shares_nothing_says_nothing() {
        assert_eq!(scores(&[(0, &[0, 1])], &[2]), [0.0; 6]);
        assert_eq!(scores(&[], &[2]), [0.0; 6]);
    }
}
