//! Experiments.

use async_trait::async_trait;

use super::super::{
    ExperimentStore, Exposure, Reported, Result, StoredDefinitions, StoredExperiment, StoredFeatures,
    TrackedEvent,
};
use super::MemoryStore;

#[async_trait]
impl ExperimentStore for MemoryStore {
    async fn definitions(&self, known: u64) -> Result<Option<StoredDefinitions>> {
        let state = self.state.lock().await;
        let revision = state.definitions_revision;
        let newest = || state.experiments.values().filter_map(|history| history.last().cloned()).collect();
        Ok((revision != known).then(|| StoredDefinitions {
            revision,
            experiments: newest(),
            features: state.features.clone(),
        }))
    }

    async fn save_definition(&self, experiment: &StoredExperiment, expected: Option<u64>) -> Result<u64> {
        self.state.lock().await.save_definition(experiment, expected)
    }

    async fn put_features(&self, features: &StoredFeatures) -> Result<()> {
        let mut state = self.state.lock().await;
        state.features = Some(features.clone());
        state.definitions_revision += 1;
        Ok(())
    }

    async fn history(&self, key: &str) -> Result<Vec<StoredExperiment>> {
        Ok(self.state.lock().await.experiments.get(key).cloned().unwrap_or_default())
    }

    async fn report(&self, exposures: &[Exposure], events: &[TrackedEvent]) -> Result<Reported> {
        let mut state = self.state.lock().await;
        let exposed = state.expose(exposures.to_vec());
        let mut tracked = 0;
        for event in events {
            if event.id.is_some_and(|id| state.tracked.contains_key(&id)) {
                continue;
            }
            state.tracked.extend(event.id.map(|id| (id, event.at_ms)));
            state.append(event.to_write());
            tracked += 1;
        }
        Ok(Reported { exposed, tracked })
    }

    async fn forget_tracked(&self, before_ms: i64) -> Result<u64> {
        let tracked = &mut self.state.lock().await.tracked;
        let before = tracked.len();
        tracked.retain(|_, at_ms| *at_ms >= before_ms);
        Ok((before - tracked.len()) as u64)
    }
}
