//! The static files, built into the program.

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::Serialize;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/static");

/// Is a static file, ready to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its bytes.
    pub bytes: &'static [u8],
    /// What the `Content-Type` header says.
    pub content_type: &'static str,
}

/// Returns the file of a path below `/static/`.
pub fn asset(path: &str) -> Option<Asset> {
    let file = FILES.get_file(path)?;
    let content_type = match path.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "md" => "text/markdown; charset=utf-8",
        _ => "application/octet-stream",
    };
    Some(Asset { bytes: file.contents(), content_type })
}

/// Holds the addresses of the files that pages link to. Each carries a digest of the file, so that a browser may keep
/// it for ever and still never pairs a new page with an old style.
#[derive(Debug, Serialize)]
pub(super) struct Versions {
    style: String,
    script: String,
    phoenix: String,
    icon: String,
    queue: String,
    session: String,
    shared: String,
}

impl Versions {
    /// Returns all addresses.
    pub(super) fn all(&self) -> [&str; 7] {
        [&self.style, &self.script, &self.phoenix, &self.icon, &self.queue, &self.session, &self.shared]
    }
}

pub(super) fn versions() -> &'static Versions {
    static VERSIONS: LazyLock<Versions> = LazyLock::new(|| Versions {
        style: versioned("shop.css"),
        script: versioned("shop.js"),
        phoenix: versioned("vendor/phoenix-1.8.16/phoenix.min.js"),
        icon: versioned("icon.svg"),
        queue: versioned("queue.js"),
        session: versioned("session.js"),
        shared: versioned("shared.js"),
    });
    &VERSIONS
}

fn versioned(path: &str) -> String {
    let bytes = asset(path).map_or(&[][..], |a| a.bytes);
    format!("/static/{path}?v={:016x}", fnv1a(bytes))
}

/// FNV-1a, 64 bits: it tells versions of a file apart and guards nothing.
/// <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_a_page_links_to_exists() {
        let v = versions();
        for link in v.all() {
            let path = link.strip_prefix("/static/").and_then(|l| l.split_once("?v=")).unwrap().0;
            assert!(asset(path).is_some_and(|a| !a.bytes.is_empty()), "{link}");
        }
        assert_eq!(asset("shop.css").map(|a| a.content_type), Some("text/css; charset=utf-8"));
        assert_eq!(asset("../Cargo.toml"), None);
        assert_eq!(asset("products"), None);
    }

    #[test]
    fn the_digest_is_fnv1a() {
        // Vectors of the draft's appendix C.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
