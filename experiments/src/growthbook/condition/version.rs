//! Versions as texts that compare in their order.

use std::borrow::Cow;

use crate::json::Json;

/// Writes a version so that texts compare as versions do: numbers padded to five places, a release behind its
/// pre-releases.
///
/// Source: `paddedVersionString` of the JavaScript SDK. `1.2.3` gives `    1-    2-    3-~`.
pub(super) fn padded(version: &Json) -> String {
    let text = match version {
        Json::Number(_) => version.to_text(),
        Json::String(text) if !text.is_empty() => Cow::Borrowed(text.as_str()),
        _ => Cow::Borrowed("0"),
    };
    let text = text.strip_prefix('v').unwrap_or(&text);
    let mut parts: Vec<&str> = without_build(text).split(['-', '.']).collect();
    if parts.len() == 3 {
        parts.push("~");
    }
    let pad = |part: &&str| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { format!("{part:>5}") } else { (*part).to_owned() }
    };
    parts.iter().map(pad).collect::<Vec<_>>().join("-")
}

/// Leaves out what follows the first `+` that no line end follows.
fn without_build(text: &str) -> &str {
    let last_line = text.rfind(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(0);
    text[last_line..].find('+').map_or(text, |plus| &text[..last_line + plus])
}
