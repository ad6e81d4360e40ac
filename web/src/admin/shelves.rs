//! The page of what came of shelves.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse, web,
    web::{Data, Query},
};
use dashboards::{
    Currency, LastTraining, ModelInService, OfflineFigure, Pages, ShelfDuel, ShelfFunnel, ShelvesPage,
    TrainingOutcome, shelves::PERIODS,
};
use recommender::{About, Measured, RANKED, Task, archive::Archive};
use serde::Deserialize;
use serde_json::Value;

use super::{html, login::SignedIn};
use crate::{
    clock,
    events::shelf_counts::{ADDS, CLICKS, DUELS, LOSSES, ORDERS, REVENUE, SEEN, SHOWINGS, TIES, WINS},
    problem::Problem,
    search::sellers::DAY_MS,
    shelves::{
        Algorithm, Filling, ShelfName,
        in_service::{Instead, LeftOut},
        training::{Ended, Training},
    },
    shop::Shop,
    store::{ShelfCount, ShelfCounts},
};

#[derive(Deserialize)]
pub(super) struct Wanted {
    days: Option<u32>,
}

/// `GET /admin/shelves`.
pub(super) async fn read(
    shop: Data<Shop>,
    pages: Data<Pages>,
    wanted: Query<Wanted>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let days = wanted.days.filter(|days| PERIODS.contains(days)).unwrap_or(PERIODS[1]);
    let today = clock::now_ms().div_euclid(DAY_MS);
    let counts = shop.store.shelf_counts(today + 1 - i64::from(days), today).await?;
    let (catalogue, currency) = (shop.catalogue.get(), shop.currency());
    let sales = shop.sellers.get();
    let sold = sales.values().sum::<u64>() as f64 + catalogue.visible_count() as f64;
    // A product that nobody bought is as one that was bought once more than never.
    let surprise = |sku: &str| {
        let sku = cart_core::Sku::parse(sku).ok()?;
        let pieces = sales.get(&sku).copied().unwrap_or(0) as f64 + 1.0;
        Some(-(pieces / sold).log2())
    };
    let Known { held_back, training, faults } = known(&shop).await;
    html(pages.shelves(&ShelvesPage {
        session,
        days,
        funnels: funnels(&counts, currency.code(), surprise),
        duels: duels(&counts),
        catalogue: catalogue.visible_count() as u64,
        currency: Currency::new(currency.code(), currency.exponent()),
        model: shop.shelves.model().map(|about| in_service(&about, |shelf| shop.config.shelves.of(shelf))),
        held_back,
        training: came_of_training(training),
        faults,
    }))
}

fn in_service(about: &About, fills: impl Fn(ShelfName) -> Filling) -> ModelInService {
    let figure = |measured: &Measured| OfflineFigure {
        task: asked_for(measured.task).into(),
        method: measured.method.clone(),
        meaning: meaning(&measured.method).into(),
        serves: serves(measured, fills(shelf_of(measured.task)), about),
        cases: measured.cases,
        hit_rate: measured.hit_rate_20,
        reciprocal_rank: measured.mrr_20,
        coverage: measured.coverage,
    };
    ModelInService {
        trained_at_ms: about.trained_at_ms,
        from_ms: about.from_ms,
        through_ms: about.through_at_ms,
        orders: about.orders,
        sessions: about.sessions,
        items: about.items,
        figures: about.measured.iter().map(figure).collect(),
    }
}

fn asked_for(task: Task) -> &'static str {
    match task {
        Task::Session => "The next product of a session",
        Task::Loo => "The product taken out of a basket",
        Task::Fbt => "What one product was bought with",
        Task::After => "What a customer who came back bought for the first time",
    }
}

/// Names the shelf that asks what a task does.
fn shelf_of(task: Task) -> ShelfName {
    match task {
        Task::Session => ShelfName::AlsoViewed,
        Task::Loo => ShelfName::GoesWithCart,
        Task::Fbt => ShelfName::BoughtTogether,
        Task::After => ShelfName::Recommended,
    }
}

/// Says whether a method is that of the (first) algorithm that fills a shelf. Pairs of orders are named after their score.
fn serves(measured: &Measured, filling: Filling, about: &About) -> bool {
    let (Filling::One(lead) | Filling::Shared(lead, _)) = filling;
    let score = || about.settings.pointer("/pairs/score").and_then(Value::as_str).unwrap_or("cosine");
    let method = match (lead.algorithm, measured.task) {
        (Algorithm::Learnt, _) => RANKED,
        (Algorithm::Popular, _) => "popularity",
        (Algorithm::After, Task::After) => "after",
        (Algorithm::Pairs | Algorithm::After, Task::Session) | (Algorithm::Pairs, Task::After) => "pairs",
        (Algorithm::Pairs, Task::Loo | Task::Fbt) => score(),
        (Algorithm::After, Task::Loo | Task::Fbt) => return false,
    };
    measured.method == method
}

fn meaning(method: &str) -> &'static str {
    match method {
        RANKED => "what learnt asks: candidates of many lists, put in order by what later questions taught",
        "weighted" => "the same candidates, in the order of a weighted sum",
        "popularity" => "what many buy, whoever asks",
        "pairs" => "what is viewed or bought together, by pairs",
        "cosine" => "pairs, by shrunk cosine",
        "lift" => "pairs, by lift",
        "llr" => "pairs, by log-likelihood ratio",
        "after the last" => "what is viewed after the product on screen",
        "past sessions" => "what followed in sessions like this one",
        "VMIS-kNN" => "what followed in sessions like this one, as Serenade has it",
        "past baskets" => "what baskets like this one held",
        "linear" => "what a linear model of baskets holds likely",
        "EASE" => "what Steck’s linear model holds likely",
        "P3alpha" => "where walks over baskets end",
        "RP3beta" => "the same, and less often at what all buy",
        "baskets" => "what goes with the latest purchases",
        "after" => "what is bought later, by pairs of orders",
        _ => "",
    }
}

/// Is what the files beside the model in service say.
#[derive(Default)]
struct Known {
    /// The later model that does not go into service by itself, and why.
    held_back: Option<String>,
    training: Option<Training>,
    /// What is wrong, a sentence each.
    faults: Vec<String>,
}

async fn known(shop: &Shop) -> Known {
    let (archive, training) = (Archive::of(&shop.config.model_file()), shop.config.training_file());
    let (left_out, has_model) = (shop.shelves.left_out(), shop.shelves.model().is_some());
    let known = web::block(move || {
        let mut known = Known::default();
        known.faults.extend(left_out.as_deref().map(in_words));
        match archive.held_back() {
            Ok(held) => {
                known.held_back = held.map(|(kept, refused)| {
                    format!("model {} of {}: {refused}", kept.id, clock::rfc3339(kept.about.trained_at_ms))
                });
            }
            // A file that is left out has been told of.
            Err(error) if left_out.is_none() => {
                let instead = if has_model { "The model in service stays" } else { "No model is in service" };
                known.faults.push(format!("The models could not be looked through: {error}. {instead}."));
            }
            Err(_) => {}
        }
        match Training::read(&training) {
            Ok(training) => known.training = training,
            Err(error) => {
                known.faults.push(format!("What came of the last training cannot be read: {error:#}."));
            }
        }
        known
    });
    known.await.unwrap_or_else(|error| Known { faults: vec![format!("{error}.")], ..Known::default() })
}

fn in_words(left_out: &LeftOut) -> String {
    let instead = match &left_out.instead {
        Instead::Before => "The model that was in service before answers still.".to_owned(),
        Instead::Kept(id) => format!("Model {id}, the newest good one that is kept, answers in its place."),
        Instead::Nothing => "No other model is kept that could answer in its place.".to_owned(),
    };
    format!("The model file is left out: {}. {instead}", left_out.why)
}

fn came_of_training(training: Option<Training>) -> Option<LastTraining> {
    let Training { ended_at_ms, ended, said, warned, warned_lines, why } = training?;
    let outcome = match ended {
        Ended::InService => TrainingOutcome::InService,
        Ended::NotPromoted => TrainingOutcome::NotPromoted,
        Ended::Nothing => TrainingOutcome::Nothing,
        Ended::Failed => TrainingOutcome::Failed,
    };
    Some(LastTraining { ended_at_ms, outcome, said, warned, warned_lines, why })
}

fn title(shelf: &str) -> String {
    ShelfName::from_name(shelf).map_or_else(|| shelf.to_owned(), |shelf| shelf.title().to_owned())
}

fn pieces(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn funnels(counts: &ShelfCounts, currency: &str, surprise: impl Fn(&str) -> Option<f64>) -> Vec<ShelfFunnel> {
    let mut funnels: BTreeMap<(&str, &str), ShelfFunnel> = BTreeMap::new();
    let mut surprises: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for (ShelfCount { shelf, algorithm, what, of }, count) in counts {
        let key = (shelf.as_str(), algorithm.as_str());
        let fresh = || ShelfFunnel {
            shelf: title(shelf),
            algorithm: algorithm.clone(),
            showings: 0,
            seen: 0,
            clicks: 0,
            adds: 0,
            orders: 0,
            revenue_minor: 0,
            products: 0,
            novelty_bits: None,
        };
        let funnel = funnels.entry(key).or_insert_with(fresh);
        match what.as_str() {
            SHOWINGS => funnel.showings += pieces(*count),
            SEEN => {
                funnel.seen += pieces(*count);
                funnel.products += 1;
                *surprises.entry(key).or_default() += surprise(of).unwrap_or(0.0) * *count as f64;
            }
            CLICKS => funnel.clicks += pieces(*count),
            ADDS => funnel.adds += pieces(*count),
            ORDERS => funnel.orders += pieces(*count),
            REVENUE if of == currency => funnel.revenue_minor += count,
            _ => {}
        }
    }
    for (key, sum) in surprises {
        if let Some(funnel) = funnels.get_mut(&key).filter(|funnel| funnel.seen > 0) {
            funnel.novelty_bits = Some(sum / funnel.seen as f64);
        }
    }
    funnels.into_values().collect()
}

fn duels(counts: &ShelfCounts) -> Vec<ShelfDuel> {
    let of = |duel: &ShelfCount, what: &str| {
        counts.get(&ShelfCount { what: what.to_owned(), ..duel.clone() }).copied().map_or(0, pieces)
    };
    let duel = |(duel, showings): (&ShelfCount, &i64)| ShelfDuel {
        shelf: title(&duel.shelf),
        algorithm: duel.algorithm.clone(),
        against: duel.of.clone(),
        showings: pieces(*showings),
        wins: of(duel, WINS),
        losses: of(duel, LOSSES),
        ties: of(duel, TIES),
    };
    counts.iter().filter(|(count, _)| count.what == DUELS).map(duel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_method_in_the_open_is_the_one_that_fills_the_shelf() {
        let about = About { settings: serde_json::json!({"pairs": {"score": "llr"}}), ..About::default() };
        let all = [RANKED, "popularity", "pairs", "cosine", "llr", "after"];
        for (filling, task, method) in [
            ("learnt", Task::Loo, RANKED),
            ("learnt~pairs", Task::Session, RANKED),
            ("popular", Task::Session, "popularity"),
            ("pairs", Task::Session, "pairs"),
            ("pairs~learnt", Task::Fbt, "llr"),
            ("after", Task::After, "after"),
            ("after", Task::Session, "pairs"),
        ] {
            let measured = |method: &str| Measured {
                task,
                method: method.to_owned(),
                cases: 1,
                hit_rate_20: [0.0; 3],
                mrr_20: [0.0; 3],
                coverage: 0.0,
            };
            let serves = |method: &&str| serves(&measured(method), filling.parse().unwrap(), &about);
            let found: Vec<&str> = all.into_iter().filter(|method| serves(method)).collect();
            assert_eq!(found, [method], "{filling} for {}", task.name());
        }
    }
}
