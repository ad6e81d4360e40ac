//! Past sessions that resemble the present one, and what they went on to: VSTAN.
//!
//! Source: Ludewig, Mauro, Latifi and Jannach, "Empirical analysis of session-based recommendation algorithms" (2021),
//! section 3.1, VSTAN; found by an index of the most recent sessions per item, as VMIS-kNN does (Kersbergen, Sprangers
//! and Schelter, "Serenade", 2022).

use serde::{Deserialize, Serialize};

use crate::tally::{Tally, keep_best};

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

impl Default for Nearness {
    fn default() -> Self {
        Self {
            neighbours: 200,
            recent: 500,
            fade: 4.0,
            age: 0.8,
            shared_fade: 3.0,
            after: 4.0,
            before: 2.0,
            rarity: 5.0,
        }
    }
}

/// Holds past sessions, oldest first, and per item where it is found.
#[derive(Clone, Debug)]
pub struct PastSessions {
    nearness: Nearness,
    /// `starts[s]..starts[s + 1]` are the items of session `s`.
    starts: Vec<u32>,
    items: Vec<u32>,
    /// What a session is worth by its age.
    worth: Vec<f32>,
    /// `posting_starts[i]..posting_starts[i + 1]` are the sessions of item `i`, the most recent first.
    posting_starts: Vec<u32>,
    postings: Vec<u32>,
    /// What an item is worth by its rarity.
    rarity: Vec<f32>,
    /// What an item is worth by its position: `SPAN_MAX` places before the shared item, itself, as many after.
    fading: Vec<f32>,
}

/// The positions from the shared item beyond which an item is worth as much as at this one: nearly nothing.
const SPAN_MAX: usize = 40;

/// What one thread needs to ask, to be used again.
#[derive(Clone, Debug)]
pub struct Scratch {
    nearness: Tally,
    /// The step of the most recent shared item, per session.
    latest: Vec<u8>,
    nearest: Vec<(u32, f32)>,
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
        let (mut starts, mut items, mut worth) = (vec![0], Vec::new(), Vec::new());
        let mut holders: Vec<u32> = vec![0; item_count];
        let mut last_holder = vec![u32::MAX; item_count];
        for (number, (at, session)) in sessions.enumerate() {
            // A robot's session of a million views is asked as often as it is long.
            let session = &session[session.len().saturating_sub(SESSION_MAX)..];
            items.extend_from_slice(session);
            starts.push(items.len() as u32);
            worth.push((-((latest - at) as f32) / span).exp());
            for &item in session {
                if std::mem::replace(&mut last_holder[item as usize], number as u32) != number as u32 {
                    holders[item as usize] += 1;
                }
            }
        }
        let count = worth.len();
        let rarity = holders
            .iter()
            .map(|&held| 1.0 + nearness.rarity * ((count.max(1) as f32) / (held.max(1) as f32)).ln())
            .collect();
        let mut posting_starts = vec![0_u32];
        for &held in &holders {
            posting_starts
                .push(posting_starts.last().expect("one at least") + held.min(nearness.recent as u32));
        }
        let mut postings = vec![0; *posting_starts.last().expect("one at least") as usize];
        let mut ends: Vec<u32> = posting_starts[..item_count].to_vec();
        last_holder.fill(u32::MAX);
        for number in (0..count).rev() {
            for &item in &items[starts[number] as usize..starts[number + 1] as usize] {
                let seen = std::mem::replace(&mut last_holder[item as usize], number as u32);
                let end = &mut ends[item as usize];
                if seen != number as u32 && *end < posting_starts[item as usize + 1] {
                    postings[*end as usize] = number as u32;
                    *end += 1;
                }
            }
        }
        let before = (1..=SPAN_MAX).rev().map(|steps| (-(steps as f32) / nearness.before).exp());
        let after = (0..=SPAN_MAX).map(|steps| (-(steps as f32) / nearness.after).exp());
        let fading = before.chain(after).collect();
        Self { nearness, starts, items, worth, posting_starts, postings, rarity, fading }
    }

    /// Returns what a thread needs to ask.
    pub fn scratch(&self) -> Scratch {
        let count = self.worth.len();
        Scratch { nearness: Tally::new(count), latest: vec![0; count], nearest: Vec::new() }
    }

    fn session(&self, number: u32) -> &[u32] {
        &self.items[self.starts[number as usize] as usize..self.starts[number as usize + 1] as usize]
    }

    fn holders(&self, item: u32) -> &[u32] {
        let place = item as usize;
        &self.postings[self.posting_starts[place] as usize..self.posting_starts[place + 1] as usize]
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
            for &session in self.holders(item) {
                if scratch.nearness.add(session, says) {
                    scratch.latest[session as usize] = step as u8;
                }
            }
        }
        let Scratch { nearness, latest, nearest } = scratch;
        nearest.clear();
        nearest.extend(nearness.touched().iter().map(|&s| (s, nearness.get(s) * self.worth[s as usize])));
        nearness.clear();
        keep_best(nearest, neighbours);
        for &(session, near) in nearest.iter() {
            let step = latest[session as usize] as usize;
            let shared = compared[compared.len() - 1 - step];
            let says = near * (-(step as f32) / shared_fade).exp();
            let items = self.session(session);
            let place = items.iter().rposition(|&item| item == shared).expect("a holder of the item");
            for (position, &item) in items.iter().enumerate() {
                let step = (position + SPAN_MAX).saturating_sub(place).min(2 * SPAN_MAX);
                scores.add(item, says * self.fading[step] * self.rarity[item as usize]);
            }
        }
    }
}
