//! Files that are replaced whole: whoever reads meanwhile, or after a crash, sees the old one or the new one.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Replaces a file by what `write` writes, durably: a temporary file beside it, fsync, rename, fsync of the folder.
///
/// The folder is made where it is missing. Where this fails, the old file stands as it was and the temporary one is removed.
///
/// # Errors
/// Whatever `write` or the file system says.
pub fn replace<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let temporary = temporary_beside(path);
    let written = write_durably(&temporary, write).and_then(|()| Ok(fs::rename(&temporary, path)?));
    if written.is_err() {
        // The first error is the one to tell; a file that is left over is overwritten next time.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    // The rename itself lasts once the folder does.
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn write_durably<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let mut file = File::create(path)?;
    write(&mut file)?;
    Ok(file.sync_all()?)
}

/// Names a file in the same folder, so that a rename replaces; the process's id keeps two writers apart.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
