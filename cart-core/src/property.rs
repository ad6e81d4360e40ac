//! What a shopper wants done to the pieces of a line, and which of it keeps lines apart.

pub mod rule;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::limits::{PROPERTIES_MAX, PROPERTY_NAME_BYTES_MAX, PROPERTY_VALUE_BYTES_MAX};

/// Is what a shopper wants done to the pieces of a line, such as `engraving` to `Ada`: few short texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Properties {
    texts: BTreeMap<String, String>,
    /// Names of those that keep no lines apart, by the rules that the product had.
    beside: BTreeSet<String>,
    digest: Option<u64>,
}

/// Is how properties are stored: as they always were where all of them keep lines apart.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Plain(BTreeMap<String, String>),
    Marked { texts: BTreeMap<String, String>, beside: BTreeSet<String> },
}

/// Says why texts are no properties of a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertiesError {
    /// There are too many.
    #[error("a line has at most {PROPERTIES_MAX} properties, not {0}")]
    TooMany(usize),
    /// A name is empty, too long or not printable.
    #[error("property name {0:?} must be 1 to {PROPERTY_NAME_BYTES_MAX} bytes of printable text")]
    Name(String),
    /// A value is too long or not printable.
    #[error("property {0:?} must hold at most {PROPERTY_VALUE_BYTES_MAX} bytes of printable text")]
    Value(String),
}

impl Properties {
    /// Checks the texts; those without a value are left out.
    ///
    /// # Errors
    /// [`PropertiesError`] where there are too many, or one is too long or not printable.
    pub fn parse(mut texts: BTreeMap<String, String>) -> Result<Self, PropertiesError> {
        if texts.len() > PROPERTIES_MAX {
            return Err(PropertiesError::TooMany(texts.len()));
        }
        for (name, value) in &texts {
            let is_name = (1..=PROPERTY_NAME_BYTES_MAX).contains(&name.len());
            if !is_name || name.trim() != name || name.chars().any(char::is_control) {
                return Err(PropertiesError::Name(name.chars().take(PROPERTY_NAME_BYTES_MAX).collect()));
            }
            let is_odd = |c: char| c.is_control() && c != '\n';
            if value.len() > PROPERTY_VALUE_BYTES_MAX || value.chars().any(is_odd) {
                return Err(PropertiesError::Value(name.clone()));
            }
        }
        texts.retain(|_, value| !value.trim().is_empty());
        Ok(Self { digest: digest(&texts, &BTreeSet::new()), texts, beside: BTreeSet::new() })
    }

    /// Returns the texts, of which those with such names keep no lines apart.
    fn marked(&self, is_beside: impl Fn(&str) -> bool) -> Self {
        let beside: BTreeSet<_> = self.texts.keys().filter(|name| is_beside(name)).cloned().collect();
        Self { digest: digest(&self.texts, &beside), texts: self.texts.clone(), beside }
    }

    /// Returns what tells lines of one product apart; `None` where there is nothing that does.
    pub(crate) fn digest(&self) -> Option<u64> {
        self.digest
    }

    /// Returns names and values in the order of the names.
    pub fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }

    /// Reports whether there are none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Counts the bytes of names and values.
    pub fn bytes(&self) -> usize {
        self.texts.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// Visits names and values in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Names and values of what keeps lines apart, each with its end marked. The digest tells the lines of one cart apart;
/// whoever makes two meet on purpose merges two lines of their own.
fn digest(texts: &BTreeMap<String, String>, beside: &BTreeSet<String>) -> Option<u64> {
    let mut apart = texts.iter().filter(|(name, _)| !beside.contains(*name)).peekable();
    apart.peek()?;
    Some(fnv(apart.flat_map(|(name, value)| name.bytes().chain([0xff]).chain(value.bytes()).chain([0xfe]))))
}

/// FNV-1a (Fowler, Noll, Vo 1991).
pub(crate) fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.fold(0xcbf2_9ce4_8422_2325, hash)
}

impl TryFrom<Stored> for Properties {
    type Error = PropertiesError;
    fn try_from(stored: Stored) -> Result<Self, PropertiesError> {
        Ok(match stored {
            Stored::Plain(texts) => Self::parse(texts)?,
            Stored::Marked { texts, beside } => Self::parse(texts)?.marked(|name| beside.contains(name)),
        })
    }
}

impl From<Properties> for Stored {
    fn from(Properties { texts, beside, .. }: Properties) -> Self {
        if beside.is_empty() { Self::Plain(texts) } else { Self::Marked { texts, beside } }
    }
}

impl JsonSchema for Properties {
    fn schema_name() -> Cow<'static, str> {
        "Properties".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What a shopper wants done to the pieces of a line, such as `engraving` to `Ada`. Texts without a \
                value are left out.",
            "type": "object",
            "maxProperties": PROPERTIES_MAX,
            "propertyNames": { "minLength": 1, "maxLength": PROPERTY_NAME_BYTES_MAX },
            "additionalProperties": { "type": "string", "maxLength": PROPERTY_VALUE_BYTES_MAX },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(texts: &[(&str, &str)]) -> Result<Properties, PropertiesError> {
        Properties::parse(texts.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect())
    }

    #[test]
    fn properties_are_few_short_texts() {
        assert!(properties(&[("gift note", "Happy birthday,\nAda")]).is_ok());
        assert_eq!(properties(&[("engraving", " ")]).unwrap(), Properties::default(), "no text, no property");
        let long = "x".repeat(501);
        for (bad, message) in [
            (vec![("", "x")], "property name \"\" must be 1 to 40 bytes"),
            (vec![(" a", "x")], "property name \" a\""),
            (vec![("a\u{0}", "x")], "property name"),
            (vec![("a", long.as_str())], "property \"a\" must hold at most 500 bytes"),
            (vec![("a", "\u{7}")], "property \"a\""),
        ] {
            let error = properties(&bad).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let many = (0..21).map(|n| (n.to_string(), "x".to_owned())).collect();
        assert_eq!(Properties::parse(many), Err(PropertiesError::TooMany(21)));
    }

    #[test]
    fn what_keeps_no_lines_apart_is_remembered_as_such() {
        let both = properties(&[("engraving", "Ada"), ("gift_note", "Happy birthday")]).unwrap();
        let marked = both.marked(|name| name == "gift_note");
        assert_eq!(marked.digest(), properties(&[("engraving", "Ada")]).unwrap().digest());
        assert_ne!(marked.digest(), both.digest());
        assert_eq!(marked.texts(), both.texts());
        let beside = both.marked(|_| true);
        assert_eq!(beside.digest(), None, "such a line is the plain one");
        for kept in [both, marked, beside, Properties::default()] {
            let json = serde_json::to_string(&kept).unwrap();
            assert_eq!(serde_json::from_str::<Properties>(&json).unwrap(), kept, "{json}");
        }
        let old = r#"{"texts":"of old","beside":"of old"}"#;
        assert_eq!(
            serde_json::from_str::<Properties>(old).unwrap().texts().len(),
            2,
            "names like any others"
        );
    }
}
