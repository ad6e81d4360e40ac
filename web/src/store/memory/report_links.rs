//! The links by which others read the report of an experiment.

use async_trait::async_trait;

use super::{
    super::{ReportLink, ReportLinkStore, Result, report_links::REPORT_LINKS_MAX},
    MemoryStore,
};

#[async_trait]
impl ReportLinkStore for MemoryStore {
    async fn add_report_link(&self, link: &ReportLink) -> Result<bool> {
        let links = &mut self.state.lock().await.report_links;
        links.retain(|other| other.experiment != link.experiment || other.ends_at_ms > link.created_at_ms);
        let has_room =
            links.iter().filter(|other| other.experiment == link.experiment).count() < REPORT_LINKS_MAX;
        if has_room {
            assert!(links.iter().all(|other| other.token_hash != link.token_hash), "a token is drawn twice");
            links.push(link.clone());
        }
        Ok(has_room)
    }

    async fn report_link(&self, token_hash: &str, now_ms: i64) -> Result<Option<ReportLink>> {
        let links = &self.state.lock().await.report_links;
        Ok(links.iter().find(|link| link.token_hash == token_hash && link.ends_at_ms > now_ms).cloned())
    }

    async fn report_links(&self, experiment: &str, now_ms: i64) -> Result<Vec<ReportLink>> {
        let links = &self.state.lock().await.report_links;
        let living = links.iter().filter(|link| link.experiment == experiment && link.ends_at_ms > now_ms);
        let mut living: Vec<_> = living.cloned().collect();
        living.sort_by(|a, b| (a.created_at_ms, &a.id).cmp(&(b.created_at_ms, &b.id)));
        Ok(living)
    }

    async fn end_report_link(&self, experiment: &str, id: &str) -> Result<bool> {
        let links = &mut self.state.lock().await.report_links;
        let at = links.iter().position(|link| link.experiment == experiment && link.id == id);
        Ok(at.map(|at| links.remove(at)).is_some())
    }
}
