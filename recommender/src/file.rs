//! Files that are replaced whole: whoever reads meanwhile, or after a crash, sees the old one or the new one.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// The age after which a temporary file is what a killed process left behind: no file takes an hour to write.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(3_600);

/// Replaces a file by what `write` writes, durably: a temporary file beside it, fsync, rename, fsync of the folder.
///
/// The folder is made where it is missing. Where this fails, the old file stands as it was and the temporary one is
/// removed. Temporary files of processes that were killed are removed once they are an hour old.
///
/// # Errors
/// Whatever `write` or the file system says.
pub fn replace<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    sweep(folder, path);
    let temporary = temporary_beside(path);
    let written = write_durably(&temporary, write).and_then(|()| Ok(fs::rename(&temporary, path)?));
    if written.is_err() {
        // The first error is the one to tell; a file that is left over is swept later.
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
    path.with_file_name(format!("{}{}{ENDING}", beginning(path), std::process::id()))
}

const ENDING: &str = ".tmp";

fn beginning(path: &Path) -> String {
    format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy())
}

/// Removes temporary files that killed processes left beside a file. What cannot be removed does no harm but to space.
fn sweep(folder: &Path, path: &Path) {
    let beginning = beginning(path);
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_old = || Some(entry.metadata().ok()?.modified().ok()?.elapsed().ok()? > LEFT_BEHIND_AFTER);
        if name.starts_with(&beginning) && name.ends_with(ENDING) && is_old() == Some(true) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, time::SystemTime};

    use super::*;

    #[test]
    fn what_killed_processes_left_is_swept_and_what_is_being_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.model");
        let long_ago = SystemTime::now() - LEFT_BEHIND_AFTER * 2;
        for (name, modified) in [
            (".a.model.1.tmp", long_ago),
            (".a.model.2.tmp", SystemTime::now()),
            (".b.model.1.tmp", long_ago),
            ("a.model.1.tmp", long_ago),
        ] {
            File::create(folder.path().join(name)).unwrap().set_modified(modified).unwrap();
        }
        replace(&path, |file| file.write_all(b"new")).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".a.model.2.tmp", ".b.model.1.tmp", "a.model", "a.model.1.tmp"]);
        assert_eq!(fs::read(path).unwrap(), b"new");
    }
}
