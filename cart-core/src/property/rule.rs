//! Which properties a product takes, which of them it needs, and which keep lines apart.
//!
//! A product without rules takes whatever it is given, and all of it keeps lines apart. One with rules takes what they name
//! alone. What does not keep lines apart is said of the whole line: added again, the newer text holds for all of its pieces, and
//! a text that is not given again stays.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Properties;
use crate::{
    DefinitionError, LineId, Product,
    definition::Faults,
    limits::{PROPERTIES_MAX, PROPERTY_LABEL_BYTES_MAX, PROPERTY_NAME_BYTES_MAX, PROPERTY_VALUE_BYTES_MAX},
};

/// Is a property that a product takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropertyRule {
    /// Its name in commands.
    pub name: String,
    /// What shoppers read; its name where it has no label.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// A line needs it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The most characters of its text, where it has fewer than any property may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<u32>,
    /// Lines with different texts stay apart; else the newer text holds for the one line.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub splits: bool,
}

fn yes() -> bool {
    true
}

impl PropertyRule {
    /// Returns what shoppers read.
    pub fn label(&self) -> &str {
        if self.label.is_empty() { &self.name } else { &self.label }
    }

    /// Returns the most characters of its text.
    pub fn chars_max(&self) -> u32 {
        self.max_chars.unwrap_or(PROPERTY_VALUE_BYTES_MAX as u32)
    }

    fn check(&self, faults: &mut Faults) {
        let (name, most) = (&self.name, PROPERTY_NAME_BYTES_MAX);
        let is_name = (1..=most).contains(&name.len()) && name.trim() == name;
        faults.need(is_name && !name.chars().any(char::is_control), "name", || {
            format!("is {name:?}; write 1 to {most} bytes of printable text")
        });
        let (label, most) = (&self.label, PROPERTY_LABEL_BYTES_MAX);
        faults.need(label.len() <= most && !label.chars().any(char::is_control), "label", || {
            format!("is {label:?}; write at most {most} bytes of printable text")
        });
        let (chars, most) = (self.chars_max(), PROPERTY_VALUE_BYTES_MAX);
        faults.need((1..=most as u32).contains(&chars), "max_chars", || {
            format!("is {chars}; write 1 to {most} characters")
        });
    }
}

/// Says why a product does not take properties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum PropertyFault {
    /// The product takes no such property.
    #[error("it takes no property {name:?}; leave it out, it takes {}", takes.join(", "))]
    Unknown {
        /// The property.
        name: String,
        /// Those that it takes.
        takes: Vec<String>,
    },
    /// The product needs a property that is not there.
    #[error("{label} is needed; give it as the property {name:?}")]
    Missing {
        /// The property.
        name: String,
        /// What shoppers read.
        label: String,
    },
    /// A text is too long.
    #[error("{label} has {chars} characters, the most allowed is {max_chars}; shorten the property {name:?}")]
    TooLong {
        /// The property.
        name: String,
        /// What shoppers read.
        label: String,
        /// The characters that it may have.
        max_chars: u32,
        /// The characters that it has.
        chars: usize,
    },
}

impl Product {
    /// Checks the properties that it takes.
    ///
    /// # Errors
    /// [`DefinitionError`] with each that is out of range or stands there twice.
    pub fn check_properties(&self) -> Result<(), DefinitionError> {
        let mut faults = Faults::default();
        faults.need(self.properties.len() <= PROPERTIES_MAX, "properties", || {
            format!("holds {} properties, the most allowed is {PROPERTIES_MAX}", self.properties.len())
        });
        let mut n = 0;
        faults.each("properties", &self.properties, |faults, rule| {
            rule.check(faults);
            if let Some(twin) = self.properties[..n].iter().position(|earlier| earlier.name == rule.name) {
                faults.push("name", format!("is that of properties[{twin}]; remove one of the two"));
            }
            n += 1;
        });
        faults.verdict()
    }

    /// Returns properties by the rules of today: which of them keep lines apart.
    pub fn marked<'p>(&self, properties: &'p Properties) -> Cow<'p, Properties> {
        if properties.is_empty() || self.properties.is_empty() && properties.beside.is_empty() {
            return Cow::Borrowed(properties);
        }
        Cow::Owned(properties.marked(|name| self.rule(name).is_some_and(|rule| !rule.splits)))
    }

    /// Returns the name of its line with these properties, by the rules of today.
    pub fn line_id(&self, properties: &Properties) -> LineId {
        LineId::new(self.sku.clone(), &self.marked(properties))
    }

    /// Returns what a line says once pieces with marked properties come to it; `own` is what it said before.
    pub(crate) fn takes(
        &self,
        wanted: &Properties,
        own: Option<&Properties>,
    ) -> Result<Properties, PropertyFault> {
        if self.properties.is_empty() {
            return Ok(own.unwrap_or(wanted).clone());
        }
        for (name, text) in wanted.iter() {
            let Some(rule) = self.rule(name) else {
                let takes = self.properties.iter().map(|rule| rule.name.clone()).collect();
                return Err(PropertyFault::Unknown { name: name.to_owned(), takes });
            };
            let (chars, max_chars) = (text.chars().count(), rule.chars_max());
            if chars > max_chars as usize {
                let (name, label) = (rule.name.clone(), rule.label().to_owned());
                return Err(PropertyFault::TooLong { name, label, max_chars, chars });
            }
        }
        let mut said = wanted.clone();
        for (name, text) in own.into_iter().flat_map(Properties::iter) {
            // What it takes no longer is forgotten.
            if self.rule(name).is_some_and(|rule| !rule.splits) && !said.texts.contains_key(name) {
                said.texts.insert(name.to_owned(), text.to_owned());
                said.beside.insert(name.to_owned());
            }
        }
        let missing = |rule: &&PropertyRule| rule.required && !said.texts.contains_key(&rule.name);
        match self.properties.iter().find(missing) {
            Some(rule) => {
                Err(PropertyFault::Missing { name: rule.name.clone(), label: rule.label().to_owned() })
            }
            None => Ok(said),
        }
    }

    fn rule(&self, name: &str) -> Option<&PropertyRule> {
        self.properties.iter().find(|rule| rule.name == name)
    }
}
