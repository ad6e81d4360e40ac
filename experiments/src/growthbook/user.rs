//! Whom a payload is evaluated for.

use std::collections::BTreeMap;

use crate::json::{Json, NULL, Object};

/// Describes a user: what is known of them, where they are, and what somebody asked them to see.
///
/// ```
/// use experiments::growthbook::User;
/// use experiments::json::Json;
/// let attributes = Json::parse(r#"{"id": "u1", "country": "AT"}"#)?;
/// let user = User { url: "https://shop.example/cart", ..User::new(&attributes) };
/// assert!(user.is_enabled && !user.is_tested);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct User<'u> {
    /// What is known of them, by name.
    pub attributes: &'u Object,
    /// The address of the page; empty where there is none.
    pub url: &'u str,
    /// Variations that somebody asked for, by the experiment's key; an index that does not exist leaves the user
    /// out.
    pub forced_variations: Option<&'u BTreeMap<String, i64>>,
    /// Values that somebody asked for, by the feature's key.
    pub forced_features: Option<&'u BTreeMap<String, Json>>,
    /// The groups of old experiments that the user is in.
    pub groups: Option<&'u Object>,
    /// Whether experiments run at all.
    pub is_enabled: bool,
    /// Whether someone is testing, so that only forced variations are given.
    pub is_tested: bool,
}

static NO_ATTRIBUTES: std::sync::LazyLock<Object> = std::sync::LazyLock::new(Object::default);
/// What the JavaScript SDK reports for a user who lacks the attribute.
static EMPTY: Json = Json::String(String::new());

impl<'u> User<'u> {
    /// Describes a user by their attributes alone; what is no object has none.
    pub fn new(attributes: &'u Json) -> User<'u> {
        User {
            attributes: attributes.as_object().unwrap_or(&NO_ATTRIBUTES),
            url: "",
            forced_variations: None,
            forced_features: None,
            groups: None,
            is_enabled: true,
            is_tested: false,
        }
    }

    /// Returns an attribute that names the user; `null`, `false`, 0 and the empty text name nobody.
    #[inline]
    pub(super) fn named_by(&self, attribute: &str) -> Option<&'u Json> {
        self.attributes.get(attribute).filter(|value| value.is_truthy())
    }

    /// Returns the attribute that the hash is taken of, and its value, empty where the user has none.
    #[inline]
    pub(super) fn hash_attribute<'n>(
        &self,
        attribute: &'n str,
        fallback: Option<&'n str>,
    ) -> (&'n str, &'u Json) {
        if let Some(value) = self.named_by(attribute) {
            return (attribute, value);
        }
        match fallback.and_then(|fallback| Some((fallback, self.named_by(fallback)?))) {
            Some(found) => found,
            None => (attribute, &EMPTY),
        }
    }

    #[inline]
    pub(super) fn forced_feature(&self, key: &str) -> Option<&'u Json> {
        self.forced_features?.get(key)
    }

    #[inline]
    pub(super) fn forced_variation(&self, key: &str) -> Option<i64> {
        self.forced_variations?.get(key).copied()
    }

    pub(super) fn is_in_group(&self, group: &str) -> bool {
        self.groups.and_then(|groups| groups.get(group)).unwrap_or(&NULL).is_truthy()
    }
}
