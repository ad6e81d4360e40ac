//! Identifiers: short texts of a safe alphabet, parsed once at the edge and trusted from there on.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The longest identifier in bytes: long enough for two UUIDs and a separator, short enough to index.
pub const ID_BYTES_MAX: usize = 80;

/// Says why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("{kind} is empty")]
    Empty {
        /// What was being parsed.
        kind: &'static str,
    },
    /// The text is longer than [`ID_BYTES_MAX`].
    #[error("{kind} has {len} bytes, the most allowed is {ID_BYTES_MAX}")]
    TooLong {
        /// What was being parsed.
        kind: &'static str,
        /// Its length in bytes.
        len: usize,
    },
    /// The text holds a character outside the identifier's alphabet.
    #[error("{kind} holds {character:?}; allowed are {allowed}")]
    Character {
        /// What was being parsed.
        kind: &'static str,
        /// The first character that is not allowed.
        character: char,
        /// The alphabet, in words.
        allowed: &'static str,
    },
}

const STRICT: &str = "letters, digits, '-' and '_'";
const LOOSE: &str = "printable characters without spaces at the ends";

// The same alphabets as the patterns of JSON Schema.
pub(crate) const STRICT_PATTERN: &str = "^[A-Za-z0-9_-]+$";
const LOOSE_PATTERN: &str = r"^[^\s\x00-\x1F\x7F-\x9F]([^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F])?$";

fn is_strict(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn is_loose(c: char) -> bool {
    !c.is_control()
}

fn check(kind: &'static str, text: &str, allowed: &'static str, ok: fn(char) -> bool) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { kind });
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong { kind, len: text.len() });
    }
    if text.trim() != text {
        return Err(IdError::Character { kind, character: ' ', allowed });
    }
    match text.chars().find(|c| !ok(*c)) {
        Some(character) => Err(IdError::Character { kind, character, allowed }),
        None => Ok(()),
    }
}

/// Checks an identifier of the strict alphabet.
pub(crate) fn check_strict(kind: &'static str, text: &str) -> Result<(), IdError> {
    check(kind, text, STRICT, is_strict)
}

macro_rules! identifier {
    ($(#[doc = $doc:literal])+ $name:ident, $kind:literal, $allowed:ident, $ok:ident, $pattern:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the identifier.
            ///
            /// # Errors
            /// [`IdError`] where the text is empty, too long or outside the alphabet.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check($kind, text, $allowed, $ok)?;
                Ok(Self(Arc::from(text)))
            }

            /// Returns the identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!($($doc),+).trim(),
                    "type": "string",
                    "minLength": 1,
                    "maxLength": ID_BYTES_MAX,
                    "pattern": $pattern,
                })
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.to_string()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &self.0)
            }
        }
    };
}

identifier!(
    /// Names a stock-keeping unit, as the shop's own systems spell it.
    Sku, "SKU", LOOSE, is_loose, LOOSE_PATTERN
);
identifier!(
    /// Names a cart.
    CartId, "cart id", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names a visitor, the anonymous owner of carts and the unit that experiments randomise.
    VisitorId, "visitor id", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names an order.
    OrderId, "order id", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names an attempt to pay an order, and what came of it.
    PaymentId, "payment id", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names a customer group that prices and promotions may be for, such as `trade`.
    GroupId, "customer group", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names a way of selling, such as `web` or `app`.
    ChannelId, "channel", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names what the variants of one product have in common.
    FamilyId, "product family", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names the rates of tax that a product falls under, such as `standard` or `books`.
    TaxCategory, "tax category", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names a promotion.
    PromotionId, "promotion id", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names a gift card: a digest of its code, which is kept nowhere.
    GiftCardId, "gift card", STRICT, is_strict, STRICT_PATTERN
);
identifier!(
    /// Names a way for an order to travel.
    MethodId, "shipping method", STRICT, is_strict, STRICT_PATTERN
);

impl PaymentId {
    /// Names the attempt of that number, counted from 1, to pay an order.
    ///
    /// ```
    /// use cart_core::{OrderId, PaymentId};
    /// let order = OrderId::parse("o7f3a").unwrap();
    /// assert_eq!(PaymentId::of(&order, 2).as_str(), "o7f3a-2");
    /// ```
    pub fn of(order: &OrderId, number: u32) -> Self {
        Self(Arc::from(format!("{order}-{number}")))
    }
}

impl Default for TaxCategory {
    fn default() -> Self {
        Self(Arc::from("standard"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_refused_with_the_reason() {
        assert_eq!(CartId::parse("").unwrap_err().to_string(), "cart id is empty");
        assert_eq!(
            CartId::parse("a b").unwrap_err().to_string(),
            "cart id holds ' '; allowed are letters, digits, '-' and '_'"
        );
        assert!(Sku::parse("85123A").is_ok());
        assert!(Sku::parse("other vegetables").is_ok());
        assert!(Sku::parse(" padded").is_err());
        assert!(Sku::parse(&"x".repeat(81)).is_err());
    }
}
