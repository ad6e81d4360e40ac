//! Promotions as they are drawn.

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};

use super::{Benefit, Beside, CLASSES, Choice, Deal, Limits, Need, Off, When};
use crate::model::shop::{self, CATEGORIES, CHANNELS, CODES, CURRENCIES, GROUPS, METHODS, SKUS};

impl Deal {
    /// Draws a promotion, of which there is one of a name in all seasons.
    pub fn draw(rng: &mut StdRng, id: String, now_ms: i64) -> Self {
        Self::of(rng, id, benefit, now_ms)
    }

    /// Draws one that gives something away.
    pub fn gift(rng: &mut StdRng, id: String, now_ms: i64) -> Self {
        let gift = |rng: &mut StdRng| Benefit::Gift {
            sku: ["TIN", "MUG", "BOX"].choose(rng).expect("some"),
            pieces: rng.random_range(1..3),
        };
        Self::of(rng, id, gift, now_ms)
    }

    fn of(rng: &mut StdRng, id: String, benefit: impl Fn(&mut StdRng) -> Benefit, now_ms: i64) -> Self {
        let benefit = benefit(rng);
        let codes: Vec<_> = match rng.random_range(0..5) {
            0..=2 => vec![],
            3 => CODES.sample(rng, 1).copied().collect(),
            _ => CODES.sample(rng, 2).copied().collect(),
        };
        let limits = match rng.random_bool(0.4) {
            true => Limits {
                total: rng.random_bool(0.5).then(|| rng.random_range(1..9)),
                per_customer: rng.random_bool(0.5).then(|| rng.random_range(1..4)),
                per_code: (!codes.is_empty() && rng.random_bool(0.5)).then(|| rng.random_range(1..5)),
            },
            false => Limits::default(),
        };
        let compares = ["items", "order"].contains(&benefit.class());
        let some_classes =
            |rng: &mut StdRng| CLASSES.into_iter().filter(|_| rng.random_bool(0.4)).collect::<Vec<_>>();
        let beside = match rng.random_range(0..10) {
            0 => Beside::Last(some_classes(rng)),
            1 => Beside::Exclusive(some_classes(rng)),
            2..=3 if compares => Beside::BestOf,
            _ => Beside::All,
        };
        Self {
            id,
            priority: rng.random_range(-1..2),
            codes,
            beside,
            is_for_untouched: rng.random_bool(0.2),
            when: When::draw(rng, now_ms),
            limits,
            benefit,
        }
    }
}

impl When {
    fn draw(rng: &mut StdRng, now_ms: i64) -> Self {
        let count = if rng.random_bool(0.2) { CURRENCIES.len() - 1 } else { CURRENCIES.len() };
        let from = now_ms + rng.random_range(-30_000..30_000);
        let most_orders = rng.random_range(0..3);
        Self {
            currencies: CURRENCIES.sample(rng, count).map(|code| shop::currency(code)).collect(),
            window: rng.random_bool(0.2).then(|| (from, from + rng.random_range(1..120_000))),
            group: GROUPS.choose(rng).filter(|_| rng.random_bool(0.15)).map(|group| shop::group(group)),
            channel: CHANNELS.choose(rng).filter(|_| rng.random_bool(0.15)).map(|c| shop::channel(c)),
            orders: match rng.random_range(0..8) {
                0 => Some((0, most_orders)),
                1 => Some((1, most_orders + 1)),
                _ => None,
            },
            need: rng.random_bool(0.3).then(|| Need::draw(rng)),
        }
    }
}

impl Need {
    fn draw(rng: &mut StdRng) -> Self {
        let least = rng.random_range(1..9_000);
        let by_pieces = rng.random_bool(0.3);
        Self {
            of: Choice::draw(rng),
            pieces: by_pieces.then(|| rng.random_range(1..6)),
            minor: (!by_pieces).then(|| (least, least + rng.random_range(5_000..100_000))),
            is_full: rng.random_bool(0.3),
        }
    }
}

impl Choice {
    fn draw(rng: &mut StdRng) -> Self {
        match rng.random_range(0..6) {
            0..=1 => Self::All,
            2 => Self::AllBut(SKUS.choose(rng).expect("some")),
            3 => Self::Category(CATEGORIES.choose(rng).expect("some")),
            _ => Self::Skus(SKUS.sample(rng, 3).copied().collect()),
        }
    }
}

fn benefit(rng: &mut StdRng) -> Benefit {
    let on = Choice::draw(rng);
    let off_bp = [1_000, 3_333, rng.random_range(1..10_000), 10_000][rng.random_range(0..4)];
    let times_max = rng.random_bool(0.3).then(|| rng.random_range(1..4));
    match rng.random_range(0..14) {
        0..=2 => {
            let most = rng.random_bool(0.3).then(|| rng.random_range(1..2_000));
            Benefit::Percentage { on, off_bp, most }
        }
        3..=4 => Benefit::Fixed { on, minor: rng.random_range(1..3_000), is_per_piece: rng.random_bool(0.5) },
        5..=6 => {
            let by_pieces = rng.random_bool(0.5);
            let step = if by_pieces { rng.random_range(1..4) } else { rng.random_range(1_000..9_000) };
            let off = |rng: &mut StdRng, n: i64| match rng.random_bool(0.5) {
                true => Off::Bp(n * rng.random_range(1..3_000)),
                false => Off::Minor(n * rng.random_range(1..999)),
            };
            let tiers = (1..=rng.random_range(1..4)).map(|n| (n * step, off(rng, n))).collect();
            Benefit::Tiered { on, by_pieces, tiers }
        }
        7..=8 => Benefit::BuyGet {
            buy: (on, rng.random_range(1..4)),
            get: (Choice::draw(rng), rng.random_range(1..3)),
            off_bp,
            is_dearest: rng.random_bool(0.3),
            times_max,
        },
        9..=10 => {
            let of = rng.random_range(2..5);
            Benefit::CheapestFree { on, of, free: rng.random_range(1..of), times_max }
        }
        11..=12 => {
            let parts = rng.random_range(1..3);
            let parts = (0..parts).map(|_| (Choice::draw(rng), rng.random_range(1..4))).collect();
            Benefit::BundlePrice { parts, minor: rng.random_range(0..9_000), times_max }
        }
        _ => Benefit::FreeShipping {
            method: METHODS.choose(rng).filter(|_| rng.random_bool(0.5)).copied(),
            off_bp,
            most: rng.random_bool(0.3).then(|| rng.random_range(1..400)),
        },
    }
}
