//! The file of a model: read once from front to back, replaced whole.

use std::{fs::File, io::Write, path::Path};

use super::{Model, ModelError};
use crate::file;

impl Model {
    /// Reads the model in a file.
    ///
    /// # Errors
    /// [`ModelError::Io`] where the file cannot be read (its kind `NotFound` where there is none), else as [`Model::parse`].
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Self::load(file, bytes)
    }

    /// Replaces the file by this model: whoever reads meanwhile sees the old file or the new one, also after a crash.
    ///
    /// # Errors
    /// [`ModelError::Io`]; the old file then stands as it was.
    pub fn write_atomically(&self, path: &Path) -> Result<(), ModelError> {
        file::replace(path, |file| Ok(file.write_all(&self.to_bytes())?))
    }
}
