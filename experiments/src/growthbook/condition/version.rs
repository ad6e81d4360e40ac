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
    let text = without_build(text.strip_prefix('v').unwrap_or(&text));
    let mut padded = String::with_capacity(text.len() + 16);
    let mut count = 0;
    for part in text.split(['-', '.']) {
        padded.push_str(if count == 0 { "" } else { "-" });
        count += 1;
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            padded.push_str(&"     "[part.len().min(5)..]);
        }
        padded.push_str(part);
    }
    if count == 3 {
        padded.push_str("-~");
    }
    padded
}

/// Leaves out what follows the first `+` that no line end follows.
fn without_build(text: &str) -> &str {
    if !text.contains('+') {
        return text;
    }
    let last_line = text.rfind(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(0);
    text[last_line..].find('+').map_or(text, |plus| &text[..last_line + plus])
}
