//! Every experiment of a list, as its page has it.

use std::collections::BTreeMap;

use experiments::{Analysis, Experiment, verdict::PlannedMetric};

use super::{Arms, analyse, analyse_epochs, plan};
use crate::{
    clock,
    experiment_metrics::ExperimentMetrics,
    problem::Problem,
    shop::Shop,
    store::{LookRow, Store},
};

/// Analyses every experiment as its page does, without its late metrics, which decide nothing: enough for a list.
///
/// The looks before matter here, too: methods that are read at planned looks stand as they stood there, and a split that was
/// wrong once stays wrong.
///
/// # Errors
/// As [`super::of`].
pub async fn at_a_glance(shop: &Shop, experiments: &[Experiment]) -> Result<Vec<Analysis>, Problem> {
    glance(&*shop.store, &shop.experiment_metrics, experiments).await
}

async fn glance(
    store: &dyn Store,
    metrics: &ExperimentMetrics,
    experiments: &[Experiment],
) -> Result<Vec<Analysis>, Problem> {
    let rolled = store.whole_arms().await?;
    let keys: Vec<&str> = experiments.iter().map(Experiment::key).collect();
    let mut looks: BTreeMap<String, Vec<LookRow>> = BTreeMap::new();
    for look in store.looks_of(&keys).await? {
        looks.entry(look.experiment.clone()).or_default().push(look);
    }
    let mut found = vec![];
    for experiment in experiments {
        let (plan, now_ms) = (plan(metrics, experiment, &rolled)?, clock::now_ms());
        // Which of its units are complete, their days say; a bandit is read by its epochs, and strata are parts.
        let is_read_by_parts = experiment.draws().is_some() || experiment.strata().is_some();
        let waits = |planned: &PlannedMetric| planned.metric.complete_after_ms().is_some();
        let is_by_parts = plan.metrics().iter().any(waits) || is_read_by_parts;
        let arms = match is_by_parts {
            false => Arms::of(&rolled, experiment, &plan, now_ms)?,
            true => Arms::of(&store.arms(experiment.key()).await?, experiment, &plan, now_ms)?,
        };
        let results = match arms.epochs.is_empty() {
            true => {
                let mut looks = looks.remove(experiment.key()).unwrap_or_default();
                if !plan.method().is_scheduled() {
                    looks.iter_mut().for_each(units_alone);
                }
                analyse(&plan, experiment, &arms, &looks, now_ms)?
            }
            false => analyse_epochs(&plan, experiment, arms, now_ms)?,
        };
        found.push(results.analysis);
    }
    Ok(found)
}

/// Leaves of a look how many units its arms had, which is all that a method needs of it that reads the newest one: the split
/// is checked at each. The chart of a page needs the rest, and most of a list's time would go into reading it.
fn units_alone(look: &mut LookRow) {
    let units = |arm: &str| arm.split(';').next().unwrap_or_default().to_owned();
    look.arms = look.arms.lines().map(units).collect::<Vec<_>>().join("\n");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cart_core::VisitorId;
    use experiments::Verdict;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        results,
        store::{ArmRow, ExperimentStore, RollUp, RollUpStore, TrackedEvent, memory::MemoryStore},
    };

    fn experiment(key: &str, method: &Value) -> Experiment {
        let definition = json!({
            "schema_version": 1, "key": key, "name": key, "flag": "checkout_workflow", "status": "running",
            "primary_metric": "conversion", "metrics": ["orders"], "planned_units": 5_000, "method": method,
            "variations": [
                {"key": "a", "name": "Classic", "weight_bp": 5000, "value": "classic"},
                {"key": "b", "name": "Express", "weight_bp": 5000, "value": "express"},
            ],
        });
        Experiment::parse_value(&definition).unwrap()
    }

    fn sums([units, orders]: [u64; 2]) -> String {
        format!("{units};{units} {orders} {orders} 0 0 {orders} 0 0 0 0 0")
    }

    /// Counts what both arms of an experiment did at some looks and do now.
    fn counted(step: &mut RollUp, key: &str, looks: &[[[u64; 2]; 2]], now: [[u64; 2]; 2]) {
        for (at_ms, arms) in (1_i64..).zip(looks) {
            let units = arms.iter().map(|arm| arm[0]).sum();
            let arms = arms.map(sums).join("\n");
            step.looks.push(LookRow { experiment: key.into(), units, at_ms, arms });
        }
        for (variation, arm) in (0..).zip(now) {
            let (segment, sums) = (String::new(), sums(arm));
            step.arms.push(ArmRow { experiment: key.into(), segment, variation, sums });
        }
    }

    /// At the planned looks nothing differs; afterwards, by chance, much does.
    #[tokio::test]
    async fn the_list_says_what_the_page_says() {
        let (store, metrics) = (MemoryStore::new(), ExperimentMetrics::new(Arc::default()));
        let methods = [
            ("fixed", json!({"kind": "fixed_horizon"})),
            ("groups", json!({"kind": "group_sequential", "looks": 2})),
            ("lost", json!({"kind": "sequential"})),
        ];
        let experiments: Vec<Experiment> =
            methods.iter().map(|(key, method)| experiment(key, method)).collect();
        let alike = [[[1_250, 125], [1_250, 126]], [[2_500, 250], [2_500, 251]]];
        let apart = [[4_500, 450], [4_500, 600]];
        let mut step = RollUp { from: 0, to: 1, ..RollUp::default() };
        for key in ["fixed", "groups"] {
            counted(&mut step, key, &alike, apart);
        }
        // Its split was wrong once, and is evened out by more of what is wrong.
        counted(&mut step, "lost", &[[[1_500, 150], [1_000, 100]]], apart);
        // The cursor goes no further than the outbox.
        let [one, other] = ["a", "b"].map(|id| VisitorId::parse(id).unwrap());
        store.track(&[TrackedEvent::known(&one, &other, 1)]).await.unwrap();
        store.save_roll_up(&step).await.unwrap();

        let listed = glance(&store, &metrics, &experiments).await.unwrap();
        for (experiment, listed) in experiments.iter().zip(&listed) {
            let page = results::from(&store, &metrics, experiment).await.unwrap().analysis;
            assert_eq!((&listed.verdict, &listed.sentence), (&page.verdict, &page.sentence));
        }
        let verdicts: Vec<&Verdict> = listed.iter().map(|analysis| &analysis.verdict).collect();
        assert_eq!(verdicts[..2], [&Verdict::NoDifferenceYet; 2]);
        assert!(matches!(verdicts[2], Verdict::SampleRatioMismatch { .. }), "{verdicts:?}");
    }
}
