//! The archive: the models of a shop, which of them is in service, and how it came to be.
//!
//! ```text
//! <folder>/current.model      the model in service, which servers watch
//! <folder>/9c5a01f2.model     every model that was kept, by its id: the beginning of its checksum
//! <folder>/promotions.json    what was put into service and taken back, oldest first
//! ```

mod gate;

use std::{
    fs, io,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

pub use gate::{Gate, Refused};

use crate::{
    file,
    model::{About, Deletion, Model, ModelError},
};

/// The models that are kept beside the one in service and the one before it, the latest.
pub const KEPT_MAX: usize = 10;

/// The most promotions that are remembered.
const PROMOTIONS_MAX: usize = 1_000;

const ENDING: &str = ".model";

/// Is the folder of a shop's models.
#[derive(Clone, Debug)]
pub struct Archive {
    current: PathBuf,
    folder: PathBuf,
}

/// Is a model of the archive.
#[derive(Clone, Debug, Serialize)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Whether it is in service.
    pub is_current: bool,
    /// What it was learnt from, how, and how good it is.
    pub about: About,
}

/// Is what happened to the model in service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// The model that is in service from then on.
    pub id: String,
    /// Whether it came back: the one after it was taken out of service.
    pub is_rollback: bool,
}

/// Says what becomes of histories that were deleted since a model was trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// A model that knows them does not go into service.
    StayAway,
    /// It may.
    MayComeBack,
}

/// Says why the archive could not do something.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: String,
        /// What the file system says.
        error: io::Error,
    },
    /// A model's file is not right.
    #[error("{path}: {error}")]
    Model {
        /// Which file.
        path: String,
        /// What is wrong with it.
        error: ModelError,
    },
    /// There is no such model.
    #[error("no model {0}; `cartwright model list` names those there are")]
    Unknown(String),
    /// A model knows histories that were deleted since it was trained.
    #[error(
        "model {id} was learnt before a shopper's history was deleted (event {} of the outbox), and would bring back what it says; train anew, or say --even-with-deleted-histories",
        deleted.position
    )]
    BringsBack {
        /// Which model.
        id: String,
        /// The latest deletion that another model is free of.
        deleted: Deletion,
    },
    /// There is no model that could come back.
    #[error("no model was in service before this one that is still kept")]
    NothingBefore,
}

type Result<T> = std::result::Result<T, ArchiveError>;

impl Archive {
    /// Names the archive of a model file in service.
    pub fn of(current: &Path) -> Self {
        let folder =
            current.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self { current: current.to_owned(), folder: folder.to_owned() }
    }

    /// Keeps a model and returns its id; the oldest beyond [`KEPT_MAX`] go.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] where its file cannot be written; [`ArchiveError::Model`] is never returned.
    pub fn keep(&self, model: &Model) -> Result<String> {
        let bytes = model.to_bytes();
        let id = id_of(&bytes).expect("a model's bytes end with its checksum");
        let path = self.path(&id);
        file::replace(&path, |file| file.write_all(&bytes)).map_err(io_error(&path))?;
        self.prune(&id)?;
        Ok(id)
    }

    /// Returns the models, the oldest first: by what was read for them, then by their clock, which may have gone back. A file that is no model is left out.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Kept>> {
        let current = self.current_id()?;
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io_error(&self.folder))?,
        };
        let mut kept = Vec::new();
        for entry in entries {
            let path = entry.map_err(io_error(&self.folder))?.path();
            let Some(id) = self.id_of_path(&path) else { continue };
            let Ok((about, bytes)) = Model::read_about(&path) else { continue };
            kept.push(Kept { is_current: current.as_ref() == Some(&id), id, bytes, about });
        }
        kept.sort_by(|a, b| (a.about.order(), &a.id).cmp(&(b.about.order(), &b.id)));
        Ok(kept)
    }

    /// Returns a model by its id, or by as much of it as tells it apart.
    ///
    /// # Errors
    /// [`ArchiveError::Unknown`] where none or more than one begins so.
    pub fn find(&self, id: &str) -> Result<Kept> {
        let mut found = self.list()?.into_iter().filter(|kept| !id.is_empty() && kept.id.starts_with(id));
        match (found.next(), found.next()) {
            (Some(kept), None) => Ok(kept),
            _ => Err(ArchiveError::Unknown(id.to_owned())),
        }
    }

    /// Returns what is said of the model in service, `None` where there is none.
    ///
    /// # Errors
    /// Where its file is not right.
    pub fn current(&self) -> Result<Option<Kept>> {
        if !self.current.exists() {
            return Ok(None);
        }
        let (about, bytes) = Model::read_about(&self.current).map_err(model_error(&self.current))?;
        // What says all that is longer than a checksum.
        let id = self.current_id()?.unwrap_or_default();
        Ok(Some(Kept { id, bytes, is_current: true, about }))
    }

    /// Returns the model that stands in where the file in service is not right: of those whose files are, the one that was put
    /// into service last and not taken back, else the one that was trained last; none that would bring back what was deleted.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn stand_in(&self) -> Result<Option<(Kept, Model)>> {
        // Who cannot read what was put into service still has the models.
        let served = self.stack().unwrap_or_default();
        let mut kept = self.list()?;
        kept.sort_by_key(|kept| served.iter().rposition(|id| *id == kept.id));
        let all = kept.clone();
        kept.retain(|kept| self.brings_back(kept, &all).is_none());
        let read = |kept: Kept| Some((Model::read(&self.path(&kept.id)).ok()?, kept));
        Ok(kept.into_iter().rev().find_map(read).map(|(model, kept)| (kept, model)))
    }

    /// Puts a model into service, whole or not at all.
    ///
    /// # Errors
    /// Where there is no such model, its file is not right, it would bring back what was deleted, or files cannot be written: the one in
    /// service then stays.
    pub fn promote(&self, id: &str, deleted: Deleted, now_ms: i64) -> Result<()> {
        let id = self.find(id)?.id;
        self.check_deleted(&id, deleted)?;
        self.put_into_service(&id)?;
        self.note(Promotion { at_ms: now_ms, id, is_rollback: false })
    }

    /// Puts the model into service that was before the present one, and returns its id; again, and it is the one before
    /// that.
    ///
    /// # Errors
    /// As [`Archive::promote`], or where there is none.
    pub fn rollback(&self, deleted: Deleted, now_ms: i64) -> Result<String> {
        let mut stack = self.stack()?;
        stack.pop();
        let id = loop {
            let id = stack.pop().ok_or(ArchiveError::NothingBefore)?;
            if self.path(&id).exists() {
                break id;
            }
        };
        self.check_deleted(&id, deleted)?;
        self.put_into_service(&id)?;
        self.note(Promotion { at_ms: now_ms, id: id.clone(), is_rollback: true })?;
        Ok(id)
    }

    /// Returns the latest deletion that any model is free of, where a model that is free of so little is not.
    fn brings_back(&self, of: &Kept, all: &[Kept]) -> Option<Deletion> {
        let latest = all.iter().filter_map(|kept| kept.about.free_of).max();
        latest.filter(|latest| of.about.free_of.is_none_or(|free_of| free_of < *latest))
    }

    fn check_deleted(&self, id: &str, deleted: Deleted) -> Result<()> {
        let all = self.list()?;
        let found = all.iter().find(|kept| kept.id == id);
        match found.and_then(|kept| self.brings_back(kept, &all)) {
            Some(latest) if deleted == Deleted::StayAway => {
                Err(ArchiveError::BringsBack { id: id.to_owned(), deleted: latest })
            }
            _ => Ok(()),
        }
    }

    /// Returns what keeps the latest model out of service, `None` where it is in service or nothing keeps it.
    ///
    /// # Errors
    /// Where files cannot be read.
    pub fn held_back(&self) -> Result<Option<(Kept, Refused)>> {
        let running = self.current()?;
        let is_later = |latest: &Kept| {
            running.as_ref().is_none_or(|running| latest.about.order() > running.about.order())
        };
        let latest = self.list()?.pop().filter(is_later);
        let refused = |latest: Kept| {
            let refused = Gate::default().admit(&latest.about, running.as_ref()).err()?;
            Some((latest, refused))
        };
        Ok(latest.and_then(refused))
    }

    /// Returns what was put into service and taken back, oldest first.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn promotions(&self) -> Result<Vec<Promotion>> {
        let path = self.promotions_path();
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            text => serde_json::from_slice(&text.map_err(io_error(&path))?)
                .map_err(|error| io_error(&path)(io::Error::other(error))),
        }
    }

    /// The models that were in service and not taken back, the present one last.
    fn stack(&self) -> Result<Vec<String>> {
        let mut stack: Vec<String> = Vec::new();
        for promotion in self.promotions()? {
            if promotion.is_rollback {
                while stack.last().is_some_and(|id| *id != promotion.id) {
                    stack.pop();
                }
            } else if stack.last() != Some(&promotion.id) {
                stack.push(promotion.id);
            }
        }
        Ok(stack)
    }

    fn put_into_service(&self, id: &str) -> Result<()> {
        let path = self.path(id);
        // Read whole, so that what is damaged never goes into service.
        Model::read(&path).map_err(model_error(&path))?;
        let bytes = fs::read(&path).map_err(io_error(&path))?;
        file::replace(&self.current, |file| file.write_all(&bytes)).map_err(io_error(&self.current))
    }

    fn note(&self, promotion: Promotion) -> Result<()> {
        let mut promotions = self.promotions()?;
        promotions.push(promotion);
        promotions.drain(..promotions.len().saturating_sub(PROMOTIONS_MAX));
        let text = serde_json::to_vec_pretty(&promotions).expect("ids and times always make JSON");
        let path = self.promotions_path();
        file::replace(&path, |file| file.write_all(&text)).map_err(io_error(&path))
    }

    fn prune(&self, newest: &str) -> Result<()> {
        let stack = self.stack()?;
        let is_needed = |id: &String| id == newest || stack.iter().rev().take(2).any(|other| other == id);
        let kept = self.list()?;
        let others: Vec<&Kept> = kept.iter().filter(|kept| !is_needed(&kept.id)).collect();
        for kept in &others[..others.len().saturating_sub(KEPT_MAX)] {
            let path = self.path(&kept.id);
            fs::remove_file(&path).map_err(io_error(&path))?;
        }
        Ok(())
    }

    fn current_id(&self) -> Result<Option<String>> {
        let mut file = match fs::File::open(&self.current) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(io_error(&self.current))?,
        };
        let mut checksum = Vec::new();
        let read = file.seek(SeekFrom::End(-32)).and_then(|_| file.read_to_end(&mut checksum));
        // What is shorter than a checksum is no model, and has no id.
        Ok(read.ok().and_then(|_| id_of(&checksum)))
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}{ENDING}"))
    }

    fn promotions_path(&self) -> PathBuf {
        self.folder.join("promotions.json")
    }

    fn id_of_path(&self, path: &Path) -> Option<String> {
        let id = path.file_name()?.to_str()?.strip_suffix(ENDING)?;
        let is_id = id.len() == ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_id && *path != self.current).then(|| id.to_owned())
    }
}

const ID_DIGITS: usize = 8;

/// Names a model by the beginning of its checksum, which its last 32 bytes are.
fn id_of(bytes: &[u8]) -> Option<String> {
    let checksum = bytes.last_chunk::<32>()?;
    Some(checksum[..ID_DIGITS / 2].iter().map(|byte| format!("{byte:02x}")).collect())
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> ArchiveError + use<> {
    let path = path.display().to_string();
    move |error| ArchiveError::Io { path: path.clone(), error }
}

fn model_error(path: &Path) -> impl Fn(ModelError) -> ArchiveError + use<> {
    let path = path.display().to_string();
    move |error| ArchiveError::Model { path: path.clone(), error }
}

#[cfg(test)]
mod tests;
