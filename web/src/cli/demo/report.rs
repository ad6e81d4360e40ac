//! What was planted beside what was found.

use std::{path::Path, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    config::Config,
    definitions::WORKFLOW_FLAG,
    results,
    shelves::{
        batch::{self, Trained},
        training::Line,
    },
    shop::Shop,
    simulation::{
        market::Market,
        plan::Effect,
        site::{Site, Trouble},
        summary::Summary,
    },
};

/// How long the server may take to put a new model into service.
const SWAP_MAX: Duration = Duration::from_secs(15);
/// What marks a suggestion that comes from the model.
const LEARNT: [&str; 2] = ["bought_together", "similar_baskets"];

/// Is an experiment's planted truth beside what its dashboard says; lifts are relative, 0.25 is a quarter more.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    experiment: String,
    truth: f64,
    estimate: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    /// Whether the interval holds the truth.
    holds: Option<bool>,
    units: u64,
    verdict: serde_json::Value,
    sentence: String,
}

/// Is everything that `--json` prints.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    pub(super) url: &'a str,
    pub(super) seed: u64,
    pub(super) conversion: f64,
    pub(super) lift: f64,
    pub(super) experiments: &'a [Judged],
    pub(super) recommendations: &'a Recommendations,
    pub(super) shoppers: &'a Summary,
}

/// Reads every experiment's results as its dashboard does.
pub(super) async fn judge(shop: &Shop, effect: &Effect) -> anyhow::Result<Vec<Judged>> {
    let mut judged = vec![];
    for experiment in shop.definitions.get().experiments() {
        let analysis = results::of(shop, experiment).await?.analysis;
        let truth = if experiment.flag() == WORKFLOW_FLAG { effect.lift() } else { 0.0 };
        let lift = analysis.comparison(1, analysis.place_of("conversion").unwrap_or(0)).and_then(|c| c.lift);
        judged.push(Judged {
            experiment: experiment.key().to_owned(),
            truth,
            estimate: lift.map(|l| l.value),
            lower: lift.map(|l| l.lower),
            upper: lift.map(|l| l.upper),
            holds: lift.map(|l| (l.lower..=l.upper).contains(&truth)),
            units: analysis.arms.iter().map(|a| a.units).sum(),
            verdict: serde_json::to_value(&analysis.verdict)?["kind"].take(),
            sentence: analysis.sentence,
        });
    }
    // What was planted comes first.
    judged.sort_by(|a, b| b.truth.abs().total_cmp(&a.truth.abs()));
    Ok(judged)
}

/// Says it to people.
pub(super) fn text(judged: &[Judged], url: &str) -> String {
    let mut text = "\nWhat was planted, and what the dashboards found:".to_owned();
    for j in judged {
        let found = match (j.estimate, j.lower, j.upper, j.holds) {
            (Some(estimate), Some(lower), Some(upper), Some(holds)) => format!(
                "found {} (between {} and {}): the interval {} the truth",
                signed_percent(estimate),
                signed_percent(lower),
                signed_percent(upper),
                if holds { "holds" } else { "misses" }
            ),
            _ => "nothing can be estimated yet".to_owned(),
        };
        text += &format!(
            "\n\n  {}   {url}/admin/experiments/{}\n  conversion: planted {}, {found}\n  verdict: {}",
            j.experiment,
            j.experiment,
            signed_percent(j.truth),
            j.sentence
        );
    }
    text
}

/// Writes a share as a signed percentage.
pub(super) fn signed_percent(share: f64) -> String {
    format!("{:+.1} %", 100.0 * share)
}

/// Is what became of the recommendations.
#[derive(Debug, Default, Serialize)]
pub(super) struct Recommendations {
    is_trained: bool,
    /// What the batch said, or why there is nothing.
    said: String,
    /// Products that have hidden companions.
    products: usize,
    /// Those whose first suggestion is one of them.
    found: usize,
    /// How many a blind guess would find.
    by_chance: f64,
}

impl Recommendations {
    /// Says why there are none.
    pub(super) fn not_trained(why: impl Into<String>) -> Self {
        Self { said: why.into(), ..Self::default() }
    }

    /// Says it to people.
    pub(super) fn text(&self) -> String {
        if !self.is_trained {
            return format!("\nNo recommendations were trained: {}", self.said);
        }
        format!(
            "\nRecommendations: {}\n  planted: every product has hidden companions; found: the first suggestion is one of \
             them for {} of {} products (a blind guess finds {:.1})",
            self.said, self.found, self.products, self.by_chance
        )
    }
}

/// Trains, waits for the model to serve, and asks the shop what it has learnt.
pub(super) async fn train(program: &Path, config: &Config, site: &Site, market: &Market) -> Recommendations {
    match learn(program, config).await {
        Err(error) => Recommendations::not_trained(format!("{error:#}")),
        Ok(said) => match find_companions(site, market).await {
            Err(error) => Recommendations::not_trained(format!("{said}; but {error:#}")),
            Ok(found) => Recommendations { is_trained: true, said, ..found },
        },
    }
}

async fn learn(program: &Path, config: &Config) -> anyhow::Result<String> {
    let mut said = String::new();
    let mut keep = |line: Line<'_>| {
        if let Line::Said(line) = line
            && line.starts_with("learnt")
        {
            line.clone_into(&mut said);
        }
    };
    let trained = batch::train(program, config, None, &[], &mut keep).await?;
    anyhow::ensure!(trained == Trained::InService, "there was too little to learn from");
    Ok(said)
}

async fn find_companions(site: &Site, market: &Market) -> anyhow::Result<Recommendations> {
    let mut caller = site.caller(String::new());
    let companions: Vec<_> = market.companions().iter().filter(|(_, with)| !with.is_empty()).collect();
    let asked = Instant::now();
    loop {
        let mut result = Recommendations::default();
        let mut learnt = 0;
        for (sku, with) in &companions {
            let shelf = caller.bought_together(sku, 1).await.map_err(|e: Trouble| anyhow::anyhow!(e))?;
            let first = shelf.first().filter(|s| LEARNT.contains(&s.reason.as_str()));
            learnt += usize::from(first.is_some());
            result.products += 1;
            result.found += usize::from(first.is_some_and(|s| with.contains(&s.sku)));
            result.by_chance += with.len() as f64 / (market.companions().len() - 1) as f64;
        }
        if learnt > 0 {
            return Ok(result);
        }
        anyhow::ensure!(asked.elapsed() < SWAP_MAX, "the model did not go into service; the log says why");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
