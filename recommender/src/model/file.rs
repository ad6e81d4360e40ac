//! The file of a model: read whole, replaced whole.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use super::{Model, ModelError};

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
        let folder = folder_of(path);
        fs::create_dir_all(folder)?;
        let temporary = temporary_beside(path);
        let written = write_durably(&temporary, &self.to_bytes()).and_then(|()| fs::rename(&temporary, path));
        if let Err(error) = written {
            // The first error is the one to tell; a file that is left over is overwritten next time.
            let _ = fs::remove_file(&temporary);
            return Err(error.into());
        }
        // The rename itself lasts once the folder does.
        File::open(folder)?.sync_all()?;
        Ok(())
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Names a file in the same folder, so that a rename replaces; the process's id keeps two writers apart.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
