//! The page of the shelves.

use super::{AS_OF_MS, HOSTILE, session};
use crate::model::{ModelInService, OfflineFigure};
use crate::money::Currency;
use crate::shelves::{ShelfDuel, ShelfFunnel, ShelvesPage};
use crate::training::{LastTraining, TrainingOutcome};

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
        model: Some(model()),
        held_back: Some("model 9c5a01f2 of 2026-11-24T02:00:00Z: it was learnt from 499 orders where model 1b77c0de had 1000: less than 50 %".into()),
        training: Some(training(TrainingOutcome::NotPromoted)),
        faults: vec![],
    }
}

/// Returns the page with no model, as the training failed and the file is torn.
pub fn shelves_without_model() -> ShelvesPage {
    let why = "lake /srv/lake is being written by another process".to_owned();
    ShelvesPage {
        funnels: vec![],
        duels: vec![],
        model: None,
        held_back: None,
        training: Some(LastTraining { why: Some(why), said: vec![], ..training(TrainingOutcome::Failed) }),
        faults: vec![format!(
            "The model file is left out: {HOSTILE}. No other model is kept that could answer in its place."
        )],
        ..shelves()
    }
}

fn training(outcome: TrainingOutcome) -> LastTraining {
    LastTraining {
        ended_at_ms: AS_OF_MS - 7_200_000,
        outcome,
        said: vec![
            "read 4410 new lines of 12 event files: 512 orders, 3811 views, 21 broken lines passed over"
                .into(),
            "counted 512 new orders: 310 rows of 3755 items, from 2 days, in 0.1 s".into(),
        ],
        warned: vec![
            "events/events-v1-00000000000000000001.jsonl:41 at_ms 4070908800000 is in the future".into(),
            HOSTILE.into(),
        ],
        warned_lines: 21,
        why: None,
    }
}

fn model() -> ModelInService {
    let figure = |task: &str, (method, meaning): (&str, &str), rate: f64, coverage| OfflineFigure {
        task: task.into(),
        method: method.into(),
        meaning: meaning.into(),
        serves: method == "ranked",
        cases: 9_412,
        hit_rate: [rate, rate - 0.011, rate + 0.011],
        reciprocal_rank: [rate / 2.6, rate / 2.6 - 0.006, rate / 2.6 + 0.006],
        coverage,
    };
    let popularity = ("popularity", "what many buy, whoever asks");
    let weighted = ("weighted", "the same candidates in the order of a weighted sum");
    let ranked = ("ranked", "candidates of many lists, put in order by what later questions taught");
    ModelInService {
        trained_at_ms: AS_OF_MS - 7_200_000,
        from_ms: AS_OF_MS - 300 * 86_400_000,
        through_ms: AS_OF_MS - 7_260_000,
        orders: 16_982,
        sessions: 186_670,
        items: 3_755,
        figures: vec![
            figure("The next product of a session", popularity, 0.008, 0.01),
            figure("The next product of a session", weighted, 0.471, 0.9),
            figure("The next product of a session", ranked, 0.484, 0.91),
            figure("The product taken out of a basket", popularity, 0.061, 0.01),
            figure("The product taken out of a basket", ("cosine", "pairs, by shrunk cosine"), 0.254, 0.88),
            figure("The product taken out of a basket", weighted, 0.447, 0.85),
            figure("The product taken out of a basket", ranked, 0.44, 0.83),
            figure("What one product was bought with", (HOSTILE, ""), 0.2, 0.5),
        ],
    }
}
