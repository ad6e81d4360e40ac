//! Cleans up after a test process, however it ended.
//!
//! A shell waits at the far end of a pipe that only this process holds. When the process is gone (returned, panicked or
//! killed) the pipe closes, and the shell runs what is still registered and removes the folder of temporary files.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

struct Reaper {
    root: PathBuf,
    /// Holds the writing end of the pipe; dropping it is the signal, so it never is.
    _shell: Child,
}

const SCRIPT: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
for last_will in "$1"/wills/*; do
    [ -f "$last_will" ] && sh "$last_will" >/dev/null 2>&1
done
rm -rf "$1"
"#;

fn reaper() -> &'static Reaper {
    static REAPER: OnceLock<Reaper> = OnceLock::new();
    REAPER.get_or_init(|| {
        let root =
            tempfile::Builder::new().prefix("cartwright-").tempdir().expect("a temporary folder").keep();
        // PostgreSQL may run as another user, who must be able to walk through.
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).expect("permissions");
        fs::create_dir(root.join("wills")).expect("the folder of wills");
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "reaper"])
            .arg(&root)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh starts");
        Reaper { root, _shell: shell }
    })
}

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Makes a new folder that is removed when the process ends.
pub fn folder(name: &str) -> PathBuf {
    let path = reaper().root.join(format!("{name}-{}", next()));
    fs::create_dir(&path).expect("a new folder");
    path
}

/// Is a shell script that runs when this process ends, unless it is dropped before.
#[derive(Debug)]
pub struct Will(PathBuf);

impl Will {
    /// Registers the script.
    pub fn register(script: &str) -> Self {
        let path = reaper().root.join("wills").join(next().to_string());
        fs::write(&path, script).expect("a will is written");
        Self(path)
    }
}

impl Drop for Will {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Quotes a path for a will.
pub fn quote(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
