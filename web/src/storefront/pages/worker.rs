//! The service worker's program: the file, with what it must keep.

use std::sync::LazyLock;

use serde_json::json;

use super::asset::{Versions, asset, fnv1a, versions};

/// Ends a worker of earlier days, with everything that it kept. Its files go first: a page that it is about to keep it then
/// deletes itself.
const FAREWELL: &str = "self.addEventListener(\"install\", () => self.skipWaiting());
self.addEventListener(\"activate\", (event) => {
  const empty = async (beginning) => {
    const names = (await caches.keys()).filter((name) => name.startsWith(beginning));
    await Promise.all(names.map((name) => caches.delete(name)));
  };
  const leave = async () => {
    await empty(\"static-\");
    await empty(\"\");
    await self.registration.unregister();
  };
  event.waitUntil(leave());
});
";

/// Returns the worker that keeps pages, or the one that gives them up.
pub fn worker(is_kept: bool) -> String {
    static WORKER: LazyLock<String> = LazyLock::new(|| keeper(versions()));
    if is_kept { WORKER.clone() } else { FAREWELL.to_owned() }
}

/// Another version of any file makes another worker, which the browser notices.
fn keeper(versions: &Versions) -> String {
    let files = versions.all();
    let program = asset("sw.js").map_or(&[][..], |a| a.bytes);
    let version = fnv1a(&[files.concat().as_bytes(), program].concat());
    let kept = json!({"version": format!("{version:016x}"), "files": files});
    format!("const KEPT = {kept};\n{}", String::from_utf8_lossy(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_what_pages_need() {
        let program = worker(true);
        let first = program.lines().next().unwrap();
        for file in versions().all() {
            assert!(first.contains(file), "{first}");
        }
        assert!(program.contains("addEventListener(\"fetch\""));
        assert!(!worker(false).contains("fetch"));
    }
}
