//! The page of the shelves.

use super::{HOSTILE, session};
use crate::money::Currency;
use crate::shelves::{ShelfDuel, ShelfFunnel, ShelvesPage};

/// Returns the page with shelves of many numbers and of few, and a duel that is decided and one that is not.
pub fn shelves() -> ShelvesPage {
    let funnel = |shelf: &str, algorithm: &str, seen: u64, clicks, adds, orders| ShelfFunnel {
        shelf: shelf.into(),
        algorithm: algorithm.into(),
        showings: seen / 6,
        seen,
        clicks,
        adds,
        orders,
        revenue_minor: i64::try_from(orders).unwrap_or(0) * 2_450,
        products: seen.min(312),
        novelty_bits: (seen > 10).then_some(8.37),
    };
    let duel = |shelf: &str, wins, losses| ShelfDuel {
        shelf: shelf.into(),
        algorithm: "learnt".into(),
        against: "pairs".into(),
        showings: 4_210,
        wins,
        losses,
        ties: 61,
    };
    ShelvesPage {
        session: session(),
        days: 28,
        funnels: vec![
            funnel("Bought together", "learnt", 182_340, 6_811, 1_204, 611),
            funnel("Bought together", "pairs", 180_102, 5_930, 1_011, 540),
            funnel("Popular", HOSTILE, 12, 0, 0, 0),
        ],
        duels: vec![duel("Goes with the cart", 402, 288), duel("Popular", 31, 28)],
        catalogue: 1_480,
        currency: Currency::new("GBP", 2),
    }
}
