//! What each text of an address must be: the one definition behind the page's attributes, the API's schema and the
//! parser.
//!
//! Lengths are counted as browsers count for `maxlength`: in units of UTF-16, of the text as it was entered. No text
//! within that limit has more characters than it, so the schema, which counts those, may name the same number. Space
//! at the ends is whatever `\s` means in a `pattern`, and is cut off.

use super::NEEDED;
use crate::{Region, limits::FIELD_UNITS_MAX};

/// Is what is asked of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldRule {
    /// The field's name on the wire and in forms.
    pub name: &'static str,
    /// How it is entered.
    pub input: Input,
    /// The token of HTML's `autocomplete`.
    pub autocomplete: &'static str,
    /// The most units of UTF-16.
    pub units_max: usize,
    /// What it must look like.
    pub format: Format,
}

/// Says how a text is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A line of text.
    Line,
    /// A line of text on a keyboard that has an `@`. Not `type="email"`: its own idea of an address refuses letters
    /// outside ASCII before the `@`, which the shop takes.
    Email,
    /// One of a list.
    List,
}

/// Says what a text must look like. Control characters are in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Anything.
    Text,
    /// One `@` with something before it and a dotted name after it.
    Email,
    /// Two letters, as ISO 3166 has them.
    Country,
    /// One to three letters or digits, as ISO 3166-2 has them behind the dash; the country's part may stand before.
    Region,
}

const fn rule(name: &'static str, input: Input, autocomplete: &'static str, format: Format) -> FieldRule {
    FieldRule { name, input, autocomplete, units_max: FIELD_UNITS_MAX, format }
}

/// The texts of an address, in the order in which they are asked for and their faults told.
pub const ADDRESS: [FieldRule; 7] = [
    rule("email", Input::Email, "email", Format::Email),
    rule("name", Input::Line, "name", Format::Text),
    rule("street", Input::Line, "street-address", Format::Text),
    rule("city", Input::Line, "address-level2", Format::Text),
    rule("postcode", Input::Line, "postal-code", Format::Text),
    rule("country", Input::List, "country", Format::Country),
    rule("region", Input::Line, "address-level1", Format::Region),
];

impl FieldRule {
    /// Returns the rule of a field of an address.
    pub fn named(name: &str) -> Option<&'static Self> {
        ADDRESS.iter().find(|rule| rule.name == name)
    }

    /// Returns the pattern of HTML, which means the whole text: what is needed must be more than space, which
    /// `required` alone would be content with.
    ///
    /// ```
    /// let country = cart_core::FieldRule::named("country").unwrap();
    /// assert_eq!(country.pattern(true), r"\s*[A-Za-z]{2}\s*");
    /// assert_eq!(country.pattern(false), r"(?:\s*[A-Za-z]{2})?\s*");
    /// ```
    pub fn pattern(&self, is_needed: bool) -> String {
        let format = self.format.pattern();
        if is_needed { format!(r"\s*{format}\s*") } else { format!(r"(?:\s*{format})?\s*") }
    }

    /// Checks a text as it was entered, and cuts off the space at its ends.
    ///
    /// # Errors
    /// What is wrong, as a sentence fragment.
    pub fn check<'t>(&self, text: &'t str, is_needed: bool) -> Result<&'t str, String> {
        let trimmed = text.trim_matches(is_space);
        if text.encode_utf16().count() > self.units_max {
            return Err(format!("is too long; {} characters are the most", self.units_max));
        }
        if trimmed.is_empty() {
            return if is_needed { Err(NEEDED.into()) } else { Ok(trimmed) };
        }
        if trimmed.chars().any(char::is_control) {
            return Err("holds a control character".into());
        }
        match self.format.admits(trimmed) {
            true => Ok(trimmed),
            false => Err(self.format.mend().into()),
        }
    }
}

/// Reports whether `\s` of JavaScript means a character: white space of Unicode without the next line, and with the
/// mark of byte order (ECMA-262, 12.2 and 22.2.2.9).
fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

impl Format {
    /// Returns what JavaScript and JSON Schema match a text with that has no space at its ends.
    fn pattern(self) -> &'static str {
        match self {
            Self::Text => r"[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*",
            Self::Email => {
                r"[^@\s\x00-\x1f\x7f-\x9f]+@[^@.\s\x00-\x1f\x7f-\x9f]+(?:\.[^@.\s\x00-\x1f\x7f-\x9f]+)+"
            }
            Self::Country => "[A-Za-z]{2}",
            Self::Region => "(?:[A-Za-z]{2}-)?[A-Za-z0-9]{1,3}",
        }
    }

    fn admits(self, text: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Email => is_email(text).is_ok(),
            Self::Country => text.len() == 2 && text.chars().all(|c| c.is_ascii_alphabetic()),
            Self::Region => Region::parse(text).is_ok(),
        }
    }

    /// Says how to mend a text that does not look like it.
    pub fn mend(self) -> &'static str {
        match self {
            Self::Text => "holds a control character",
            Self::Email => EMAIL,
            Self::Country => "must be a code of two letters, such as GB",
            Self::Region => "must be the short code of the region, such as CA, or left out",
        }
    }
}

const EMAIL: &str = "must look like name@example.org";

/// Accepts what has one `@` with something before it and a dotted name after it; only a letter sent proves more.
///
/// # Errors
/// How an address looks, as a sentence fragment.
pub fn is_email(text: &str) -> Result<(), &'static str> {
    match text.split_once('@') {
        Some((user, host))
            if !user.is_empty()
                && !host.contains('@')
                && host.split('.').count() > 1
                && host.split('.').all(|label| !label.is_empty())
                && !text.contains(|c: char| c.is_whitespace() || is_space(c)) =>
        {
            Ok(())
        }
        _ => Err(EMAIL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_that_a_browser_counts() {
        let city = FieldRule::named("city").unwrap();
        for (text, is_taken) in [
            ("x".repeat(200), true),
            ("x".repeat(201), false),
            ("ü".repeat(200), true),
            ("🏺".repeat(100), true),
            ("🏺".repeat(101), false),
            (format!("{} ", "x".repeat(200)), false),
        ] {
            assert_eq!(city.check(&text, true).is_ok(), is_taken, "{text}");
        }
        assert_eq!(
            city.check(&"x".repeat(201), true).unwrap_err(),
            "is too long; 200 characters are the most"
        );
    }

    #[test]
    fn space_at_the_ends_is_cut_off_and_is_nothing_by_itself() {
        let city = FieldRule::named("city").unwrap();
        assert_eq!(city.check("\t\u{feff} Bath \u{a0}\n", true), Ok("Bath"));
        assert_eq!(city.check(" \u{3000}", true), Err(NEEDED.into()));
        assert_eq!(city.check(" \u{3000}", false), Ok(""));
        assert_eq!(city.check("Bath\u{85}", false), Err("holds a control character".into()));
        assert_eq!(FieldRule::named("method"), None);
    }
}
