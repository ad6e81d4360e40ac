//! What a shopper types to get a promotion.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::limits::CODE_BYTES_MAX;

/// Is a code that a shopper types; case and spaces around it do not matter.
///
/// ```
/// use cart_core::Code;
/// assert_eq!(Code::parse(" Summer-24 ").unwrap().as_str(), "SUMMER-24");
/// assert!(Code::parse("50% OFF").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(Arc<str>);

/// Says why a text is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a code; write 1 to {CODE_BYTES_MAX} letters A to Z, digits, '-' or '_'")]
pub struct CodeError(pub String);

impl Code {
    /// Parses a code as it was typed.
    ///
    /// # Errors
    /// [`CodeError`] where nothing is left between the spaces, or too much, or other characters.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let code = text.trim();
        let is_code = (1..=CODE_BYTES_MAX).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        match is_code {
            true => Ok(Self(code.to_ascii_uppercase().into())),
            false => Err(CodeError(text.chars().take(CODE_BYTES_MAX + 1).collect())),
        }
    }

    /// Returns the code in capital letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What a shopper types to get a promotion; case does not matter.",
            "type": "string",
            "minLength": 1,
            "maxLength": CODE_BYTES_MAX,
            "pattern": "^[A-Za-z0-9_-]+$",
        })
    }
}

impl FromStr for Code {
    type Err = CodeError;
    fn from_str(text: &str) -> Result<Self, CodeError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Code {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        Self::parse(&text)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0.to_string()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for (text, code) in [("summer", "SUMMER"), ("\tA-1_b ", "A-1_B"), (&"x".repeat(40), &"X".repeat(40))]
        {
            assert_eq!(Code::parse(text).map(String::from), Ok(code.to_owned()));
        }
        for text in ["", "  ", "TWO WORDS", "ÄPFEL", "50%", &"x".repeat(41), "a\u{0}"] {
            assert!(Code::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(
            Code::parse("50%").unwrap_err().to_string(),
            "\"50%\" is not a code; write 1 to 40 letters A to Z, digits, '-' or '_'"
        );
    }
}
