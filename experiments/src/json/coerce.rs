//! How JavaScript turns values into truths, numbers and texts, and compares them.
//!
//! Source: ECMA-262, 15th edition, 2024, sections 7.1 (type conversion) and 7.2 (comparison):
//! <https://262.ecma-international.org/15.0/>.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Json;
use super::number::number_text;

impl Json {
    /// Returns whether JavaScript counts the value as true: all but `null`, `false`, 0 and the empty text.
    #[inline]
    pub fn is_truthy(&self) -> bool {
        match self {
            Json::Null | Json::Bool(false) => false,
            Json::Number(number) => number.as_f64() != Some(0.0),
            Json::String(text) => !text.is_empty(),
            _ => true,
        }
    }

    /// Returns what `String(value)` gives.
    ///
    /// ```
    /// use experiments::json::Json;
    /// assert_eq!(Json::parse(r#"[1.0, null, [true, "a"]]"#)?.to_text(), "1,,true,a");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Json::Null => "null".into(),
            Json::Bool(truth) => if *truth { "true" } else { "false" }.into(),
            Json::Number(number) => number_text(number).into(),
            Json::String(text) => text.as_str().into(),
            Json::Array(items) => {
                let text =
                    |item: &Json| if item.is_null() { String::new() } else { item.to_text().into_owned() };
                items.iter().map(text).collect::<Vec<_>>().join(",").into()
            }
            Json::Object(_) => "[object Object]".into(),
        }
    }

    /// Returns what `Number(value)` gives, which may be NaN.
    pub fn to_number(&self) -> f64 {
        match self {
            Json::Null => 0.0,
            Json::Bool(truth) => f64::from(u8::from(*truth)),
            Json::Number(number) => number.as_f64().unwrap_or(f64::NAN),
            Json::String(text) => number_of_text(text),
            Json::Array(_) => number_of_text(&self.to_text()),
            Json::Object(_) => f64::NAN,
        }
    }

    /// Returns whether `===` holds between the values; never between arrays or objects, which are equal only to
    /// themselves.
    pub fn is_strictly(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Bool(one), Json::Bool(other)) => one == other,
            (Json::Number(one), Json::Number(other)) => one.as_f64() == other.as_f64(),
            (Json::String(one), Json::String(other)) => one == other,
            _ => false,
        }
    }

    /// Returns whether `JSON.stringify` writes the same text of both: the order of keys counts.
    pub fn is_written_as(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Array(one), Json::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_written_as(other))
            }
            (Json::Object(one), Json::Object(other)) => {
                let is_same = |((key, value), (name, other)): ((&str, &Json), (&str, &Json))| {
                    key == name && value.is_written_as(other)
                };
                one.len() == other.len() && one.iter().zip(other.iter()).all(is_same)
            }
            _ => self.is_strictly(other),
        }
    }

    /// Compares as `<` and `>` do: two texts by their UTF-16 code units, everything else as numbers; `None` where
    /// one is no number.
    pub fn compare(&self, other: &Json) -> Option<Ordering> {
        if let (Json::Number(one), Json::Number(other)) = (self, other) {
            return one.as_f64()?.partial_cmp(&other.as_f64()?);
        }
        match (self.primitive_text(), other.primitive_text()) {
            (Some(one), Some(other)) => Some(compare_utf16(&one, &other)),
            (Some(text), None) => number_of_text(&text).partial_cmp(&other.to_number()),
            (None, Some(text)) => self.to_number().partial_cmp(&number_of_text(&text)),
            (None, None) => self.to_number().partial_cmp(&other.to_number()),
        }
    }

    /// Returns the text of a value whose primitive is a text: texts, arrays and objects.
    fn primitive_text(&self) -> Option<Cow<'_, str>> {
        matches!(self, Json::String(_) | Json::Array(_) | Json::Object(_)).then(|| self.to_text())
    }
}

/// Compares texts by their UTF-16 code units, which places U+E000 … U+FFFF behind all that needs two units.
pub(crate) fn compare_utf16(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() {
        return one.cmp(other);
    }
    one.encode_utf16().cmp(other.encode_utf16())
}

/// Reads a number as `Number(text)` does: the empty text is 0, what is no number is NaN.
fn number_of_text(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    if text.is_empty() {
        return 0.0;
    }
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return whole_of_radix(digits, radix);
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned {
        "Infinity" if text.starts_with('-') => f64::NEG_INFINITY,
        "Infinity" => f64::INFINITY,
        // Rust reads words such as `nan` and `inf`, too; JavaScript reads only these characters.
        _ if unsigned.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) => {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

fn whole_of_radix(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    digits.chars().fold(0.0, |sum, digit| match digit.to_digit(radix) {
        Some(digit) => sum * f64::from(radix) + f64::from(digit),
        None => f64::NAN,
    })
}

/// Returns whether JavaScript trims the character: white space and line ends, the byte order mark included.
pub(crate) fn is_space(c: char) -> bool {
    c == '\u{FEFF}' || (c.is_whitespace() && c != '\u{85}')
}
