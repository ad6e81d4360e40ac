//! Small disks that fill up.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    program::is_root,
    reaper::{Will, quote},
};

/// Is a file system of its own in memory, mounted on a folder until it is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
    _will: Will,
}

impl SmallDisk {
    /// Mounts an empty disk on a folder; none where this process may not: only root may, and not in every container.
    pub fn mount(folder: &Path, kilobytes: u32) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let will = Will::register(&format!("umount -l {}", quote(folder)));
        let size = format!("size={kilobytes}k");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], folder)
            .then(|| Self { folder: folder.to_path_buf(), _will: will })
    }

    /// Makes it larger, with everything on it.
    ///
    /// # Panics
    /// Where the kernel refuses.
    pub fn grow(&self, kilobytes: u32) {
        assert!(
            mount(&["-o", &format!("remount,size={kilobytes}k")], &self.folder),
            "the disk does not grow"
        );
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that still writes keeps its file, and nobody else sees it.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(arguments).arg(folder).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}
