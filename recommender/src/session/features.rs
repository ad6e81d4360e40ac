//! Candidates for the next item, and what is known of each.

use crate::{
    code,
    codec::stored,
    invalid::Invalid,
    lists::Lists,
    ranker::{Candidates, logarithm, share},
    session::neighbours::{self, PastSessions},
    tally::Tally,
    vectors::{Vectors, dot},
};

/// What is known of an item by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fame {
    /// Views of the whole log, of its last fifth and of its last thirtieth, as logarithms of one more.
    pub views: [f32; 3],
    /// How often one who viewed it comes back to it in the same session.
    pub repeats: f32,
    /// How often it is the last of its session.
    pub ends: f32,
    /// How its views have grown lately.
    pub trend: f32,
    /// The number of its code.
    pub code: Option<u32>,
}

stored!(Fame { views, repeats, ends, trend, code });

/// Holds all that candidates are found and judged by.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Past sessions.
    pub past: PastSessions,
    /// What is viewed near an item, before and after.
    pub around: Lists,
    /// What is viewed right after it.
    pub next: Lists,
    /// What is near what is near it.
    pub beyond: Lists,
    /// Items by themselves.
    pub fame: Vec<Fame>,
    /// Items by their company.
    pub vectors: Vectors,
}

stored!(Signals { past, around, next, beyond, fame, vectors });

/// The names of a candidate's features, in their order.
pub const FEATURES: [&str; 38] = [
    "past sessions, to the best",
    "past sessions, rank",
    "past sessions, logarithm",
    "around, to the best",
    "around, rank",
    "around, logarithm",
    "beyond, to the best",
    "beyond, rank",
    "beyond, logarithm",
    "next of the last",
    "next of earlier ones",
    "retrieval, to the best",
    "retrieval, place",
    "views",
    "views late",
    "views latest",
    "views late to all",
    "views latest to late",
    "repeats",
    "ends",
    "steps since viewed",
    "times viewed",
    "trail length",
    "distinct items",
    "cosine to the last",
    "cosine to the last but one",
    "cosine to the last but two",
    "cosine to the trail",
    "views of the last",
    "repeats of the last",
    "ends of the last",
    "past sessions, best",
    "around, best",
    "around back to the last",
    "next back to the last",
    "views to those of the last",
    "past sessions, breadth",
    "code distance to the last",
];

/// How many features a candidate has.
pub const WIDTH: usize = FEATURES.len();

/// The items of a trail that lists are looked up for.
const STEPS_MAX: usize = 10;

/// What an item of the trail says to what the one after it says.
const FADE: f32 = 0.7;

/// How many of each list become candidates, and what a list's best score is worth among them.
const LIST_MAX: usize = 100;
const WORTH: [f32; 3] = [1.0, 0.5, 0.3];

/// Stands for the steps since an item was viewed that is not in the trail.
const NEVER: f32 = 99.0;

/// What a thread needs to find candidates.
#[derive(Clone, Debug)]
pub struct Scratch {
    past: neighbours::Scratch,
    /// Of past sessions, around and beyond.
    lists: [Tally; 3],
    next: Tally,
    earlier: Tally,
    all: Tally,
    ranks: Vec<[u8; 3]>,
    best: Vec<(u32, f32)>,
    trail: Vec<f32>,
}

impl Signals {
    /// Refuses what is not of so many items.
    pub(crate) fn check(&self, items: usize) -> Result<(), Invalid> {
        if self.fame.len() != items {
            return Err(Invalid("what is known of items is not one each"));
        }
        self.past.check(items)?;
        [&self.around, &self.next, &self.beyond].into_iter().try_for_each(|lists| lists.check(items))?;
        self.vectors.check(items)
    }

    /// Returns what a thread needs to find candidates.
    pub fn scratch(&self) -> Scratch {
        let tally = Tally::new(self.fame.len());
        Scratch {
            past: self.past.scratch(),
            lists: [tally.clone(), tally.clone(), tally.clone()],
            next: tally.clone(),
            earlier: tally.clone(),
            all: tally,
            ranks: vec![[0; 3]; self.fame.len()],
            best: Vec::new(),
            trail: Vec::new(),
        }
    }

    /// Finds up to `most` candidates for what follows a trail (oldest first, not empty), with their features.
    pub fn candidates(&self, trail: &[u32], most: usize, scratch: &mut Scratch, found: &mut Candidates) {
        found.clear();
        let recent = &trail[trail.len().saturating_sub(STEPS_MAX)..];
        self.look_up(trail, recent, scratch);
        let tops = self.retrieve(recent, most, scratch);
        let from = |back: usize| trail.len().checked_sub(back + 1).map(|place| trail[place]);
        let last = trail[trail.len() - 1];
        let distinct = recent.iter().enumerate().filter(|(at, item)| !recent[..*at].contains(item)).count();
        let faded = recent.iter().rev().enumerate().map(|(step, &item)| (item, FADE.powi(step as i32)));
        self.vectors.direction(faded, &mut scratch.trail);
        let on_screen = &self.fame[last as usize];
        let top = scratch.best.first().map_or(1.0, |best| best.1);
        let best = tops.map(logarithm);
        for (place, &(item, score)) in scratch.best.iter().enumerate() {
            let fame = &self.fame[item as usize];
            let ranks = scratch.ranks[item as usize];
            let list = |list: usize| scratch.lists[list].get(item);
            let near = |back: usize| from(back).map_or(0.0, |other| self.vectors.cosine(item, other));
            let since = trail.iter().rev().position(|&viewed| viewed == item);
            let row: [f32; WIDTH] = [
                list(0) / tops[0],
                share(ranks[0]),
                logarithm(list(0)),
                list(1) / tops[1],
                share(ranks[1]),
                logarithm(list(1)),
                list(2) / tops[2],
                share(ranks[2]),
                logarithm(list(2)),
                scratch.next.get(item),
                scratch.earlier.get(item),
                score / top,
                place as f32,
                fame.views[0],
                fame.views[1],
                fame.views[2],
                fame.views[1] - fame.views[0],
                fame.views[2] - fame.views[1],
                fame.repeats,
                fame.ends,
                since.map_or(NEVER, |steps| steps as f32),
                since.map_or(0.0, |_| trail.iter().filter(|&&viewed| viewed == item).count() as f32),
                trail.len() as f32,
                distinct as f32,
                near(0),
                near(1),
                near(2),
                dot(self.vectors.of(item), &scratch.trail),
                on_screen.views[0],
                on_screen.repeats,
                on_screen.ends,
                best[0],
                best[1],
                self.around.score(item, last),
                self.next.score(item, last),
                fame.views[0] - on_screen.views[0],
                scratch.lists[0].touched().len() as f32,
                code::distance(fame.code, on_screen.code),
            ];
            found.items.push(item);
            found.rows.extend_from_slice(&row);
        }
        scratch.clear();
    }

    fn look_up(&self, trail: &[u32], recent: &[u32], scratch: &mut Scratch) {
        let Scratch { past, lists: [sessions, around, beyond], next, earlier, .. } = scratch;
        self.past.score(trail, past, sessions);
        for (step, &item) in recent.iter().rev().enumerate() {
            if recent[recent.len() - step..].contains(&item) {
                continue;
            }
            let says = FADE.powi(step as i32);
            around.add_all(self.around.of(item), says);
            beyond.add_all(self.beyond.of(item), says);
            if step == 0 {
                next.add_all(self.next.of(item), 1.0);
            } else {
                earlier.add_all(self.next.of(item), says);
            }
        }
    }

    /// Puts the candidates into `scratch.best`, the likeliest first, and returns the best score of each list.
    fn retrieve(&self, recent: &[u32], most: usize, scratch: &mut Scratch) -> [f32; 3] {
        let Scratch { lists, all, ranks, best, .. } = scratch;
        let mut tops = [f32::MIN_POSITIVE; 3];
        for (list, tally) in lists.iter().enumerate() {
            tally.best(LIST_MAX, best);
            tops[list] = best.first().map_or(f32::MIN_POSITIVE, |best| best.1);
            for (place, &(item, score)) in best.iter().enumerate() {
                ranks[item as usize][list] = place as u8 + 1;
                all.add(item, WORTH[list] * (score / tops[list] + 0.1 / (place as f32 + 1.0)));
            }
        }
        // Whoever looks at something again often finds it in no list.
        for &item in recent {
            all.add(item, 1e-3);
        }
        all.best(most, best);
        tops
    }
}

impl Scratch {
    fn clear(&mut self) {
        for tally in &mut self.lists {
            for &item in tally.touched() {
                self.ranks[item as usize] = [0; 3];
            }
            tally.clear();
        }
        for tally in [&mut self.next, &mut self.earlier, &mut self.all] {
            tally.clear();
        }
    }
}
