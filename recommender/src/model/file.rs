//! The file of a model: read whole, replaced whole.

use std::{fs, io::Write, path::Path};

use super::{Model, ModelError};
use crate::file;

impl Model {
    /// Reads the model in a file.
    ///
    /// # Errors
    /// [`ModelError::Io`] where the file cannot be read (its kind `NotFound` where there is none), else as [`Model::parse`].
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        Self::parse(&fs::read(path)?)
    }

    /// Replaces the file by this model: whoever reads meanwhile sees the old file or the new one, also after a crash.
    ///
    /// # Errors
    /// [`ModelError::Io`]; the old file then stands as it was.
    pub fn write_atomically(&self, path: &Path) -> Result<(), ModelError> {
        file::replace(path, |file| Ok(file.write_all(&self.to_bytes())?))
    }
}
