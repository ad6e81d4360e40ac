//! Event files: `events-v1-<20-digit first position>.jsonl`, in the order of their positions.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// The version of event files that is read.
pub const VERSION: u32 = 1;

/// Is one event file in its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the folder.
    pub name: String,
    /// Its length when the folder was listed.
    pub bytes: u64,
}

/// Lists the event files of a folder, oldest first; a folder that does not exist has none.
///
/// Other files are passed over.
///
/// # Errors
/// Where a file is an event file of another version, or its name is not whole.
pub fn list(folder: &Path) -> anyhow::Result<Vec<EventFile>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("event folder {}", folder.display()))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("event folder {}", folder.display()))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with("events-") && name.ends_with(".jsonl") {
            check_name(&name).with_context(|| entry.path().display().to_string())?;
            let bytes = entry.metadata().with_context(|| entry.path().display().to_string())?.len();
            files.push(EventFile { path: entry.path(), name, bytes });
        }
    }
    // Positions have a fixed width, so that names sort as their positions do.
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let middle = name.trim_start_matches("events-").trim_end_matches(".jsonl");
    let Some((version, position)) = middle.split_once('-') else {
        bail!("the name of an event file is events-v{VERSION}-<20 digits>.jsonl");
    };
    if version != format!("v{VERSION}") {
        bail!("event file of version {version:?}, this program reads v{VERSION}");
    }
    if position.len() != 20 || !position.bytes().all(|b| b.is_ascii_digit()) {
        bail!("the name of an event file is events-v{VERSION}-<20 digits>.jsonl");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        assert!(check_name("events-v1-00000000000000000001.jsonl").is_ok());
        let said = check_name("events-v2-00000000000000000001.jsonl").unwrap_err().to_string();
        assert_eq!(said, "event file of version \"v2\", this program reads v1");
        assert!(check_name("events-v1-1.jsonl").is_err());
        assert!(check_name("events-1.jsonl").is_err());
    }

    #[test]
    fn files_come_in_the_order_of_positions_and_others_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["events-v1-00000000000000000100.jsonl", "events-v1-00000000000000000009.jsonl", "notes.txt"]
        {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let files = list(folder.path()).unwrap();
        assert_eq!(
            files.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
            ["events-v1-00000000000000000009.jsonl", "events-v1-00000000000000000100.jsonl"]
        );
        assert_eq!(list(&folder.path().join("none")).unwrap(), []);
        fs::write(folder.path().join("events-v9-00000000000000000100.jsonl"), "").unwrap();
        assert!(list(folder.path()).is_err());
    }
}
