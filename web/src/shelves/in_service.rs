//! The model in service: watched, swapped in whole, and stood in for where its file is not right.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use arc_swap::ArcSwapOption;
use recommender::{Index, Model, archive::Archive};

use super::Shelves;
use crate::{clock, metrics};

/// Remembers what became of the model file.
#[derive(Default)]
pub struct InService {
    /// When it was changed, and its length, as it was last looked at.
    seen: Mutex<Option<(SystemTime, u64)>>,
    left_out: ArcSwapOption<LeftOut>,
}

/// Says why the model file is left out, and what answers in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What is wrong with it.
    pub why: String,
    /// What answers.
    pub instead: Instead,
}

/// Is what answers in place of a model file that is not right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// The model that was in service before.
    Before,
    /// A model of the archive, by its id.
    Kept(String),
    /// None.
    Nothing,
}

impl Shelves {
    /// Returns what the model in service was learnt from, and what it attained.
    pub fn model(&self) -> Option<recommender::About> {
        self.index.load().as_deref().map(|index| index.about().clone())
    }

    /// Returns why the model file is left out, where it is.
    pub fn left_out(&self) -> Option<Arc<LeftOut>> {
        self.in_service.left_out.load_full()
    }

    /// Reads the model file where it has changed and swaps it in. A file that is not right is logged and left out: the model in
    /// service stays, and where there is none yet, the newest good one of the archive stands in.
    pub fn refresh_model(&self, path: &Path) {
        let stamp = std::fs::metadata(path).and_then(|m| Ok((m.modified()?, m.len()))).ok();
        let mut seen = self.in_service.seen.lock().expect("no thread panics with the lock held");
        if stamp.is_some() && stamp != *seen {
            *seen = stamp;
            match Model::read(path) {
                Ok(model) => {
                    self.serve(model);
                    self.in_service.left_out.store(None);
                    tracing::info!(path = %path.display(), "a recommendation model went into service");
                }
                Err(error) => {
                    let left_out = LeftOut { why: error.to_string(), instead: self.instead(path) };
                    tracing::error!(
                        path = %path.display(), %error, instead = ?left_out.instead,
                        "the model file is left out, and what is good goes on"
                    );
                    self.in_service.left_out.store(Some(Arc::new(left_out)));
                }
            }
        }
        if let Some(index) = self.index.load().as_deref() {
            metrics::model_age((clock::now_ms() - index.about().trained_at_ms) as f64 / 1_000.0);
        }
    }

    fn serve(&self, model: Model) {
        self.index.store(Some(Arc::new(Index::new(model))));
        metrics::model_swapped();
    }

    /// Finds what answers in place of the model file.
    fn instead(&self, path: &Path) -> Instead {
        if self.index.load().is_some() {
            // Who stands in goes on doing so.
            let kept = self.left_out().map(|before| before.instead.clone());
            return kept.filter(|before| *before != Instead::Nothing).unwrap_or(Instead::Before);
        }
        match Archive::of(path).stand_in() {
            Ok(Some((kept, model))) => {
                self.serve(model);
                Instead::Kept(kept.id)
            }
            Ok(None) => Instead::Nothing,
            Err(error) => {
                tracing::error!(%error, "the archive of models could not be looked through");
                Instead::Nothing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use recommender::{About, Learnt, archive::Deleted};

    use super::*;

    fn model(trained_at_ms: i64) -> Model {
        Model::new(About { trained_at_ms, ..About::default() }, vec![], Learnt::default()).unwrap()
    }

    #[test]
    fn a_torn_file_is_stood_in_for_by_the_newest_good_model_until_there_is_a_right_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("current.model");
        let trained = |shelves: &Shelves| shelves.model().map(|about| about.trained_at_ms);
        let instead = |shelves: &Shelves| shelves.left_out().map(|left_out| left_out.instead.clone());
        let shelves = Shelves::beside(8);
        shelves.refresh_model(&path);
        assert_eq!((trained(&shelves), instead(&shelves)), (None, None), "there is no file");
        fs::write(&path, "torn").unwrap();
        shelves.refresh_model(&path);
        assert_eq!((trained(&shelves), instead(&shelves)), (None, Some(Instead::Nothing)));

        let archive = Archive::of(&path);
        let ids: Vec<String> = [5, 6].map(|at_ms| archive.keep(&model(at_ms)).unwrap()).into();
        archive.promote(&ids[0], Deleted::StayAway, 1).unwrap();
        shelves.refresh_model(&path);
        assert_eq!((trained(&shelves), instead(&shelves)), (Some(5), None));
        fs::write(&path, "torn").unwrap();
        shelves.refresh_model(&path);
        assert_eq!((trained(&shelves), instead(&shelves)), (Some(5), Some(Instead::Before)));

        let started = Shelves::beside(8);
        started.refresh_model(&path);
        let kept = Some(Instead::Kept(ids[0].clone()));
        assert_eq!((trained(&started), instead(&started)), (Some(5), kept.clone()), "as it was in service");
        fs::write(&path, "torn again").unwrap();
        started.refresh_model(&path);
        assert_eq!((trained(&started), instead(&started)), (Some(5), kept));
        archive.promote(&ids[1], Deleted::StayAway, 2).unwrap();
        started.refresh_model(&path);
        assert_eq!((trained(&started), instead(&started)), (Some(6), None));
    }
}
