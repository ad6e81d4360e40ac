//! Maps of texts in commands: the details of a step, and the properties of a line.

use std::{collections::BTreeMap, marker::PhantomData};

use cart_core::{FieldRule, limits::FIELD_UNITS_MAX};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, json};

/// Names what the steps of a checkout ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailField {
    /// Where questions about the order go.
    Email,
    /// The recipient.
    Name,
    /// Street and number.
    Street,
    /// Town.
    City,
    /// Postal code.
    Postcode,
    /// ISO 3166 code of two letters.
    Country,
    /// The part of the country, as ISO 3166-2 has it behind the dash.
    Region,
    /// The way to travel.
    Method,
}

impl DetailField {
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Email, "email"),
        (Self::Name, "name"),
        (Self::Street, "street"),
        (Self::City, "city"),
        (Self::Postcode, "postcode"),
        (Self::Country, "country"),
        (Self::Region, "region"),
        (Self::Method, "method"),
    ];

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, other)| *other == name).map(|(field, _)| field)
    }
}

pub(super) fn details_schema(_: &mut SchemaGenerator) -> Schema {
    let field = |name: &str| match FieldRule::named(name) {
        // Whether the cart needs it, the schema cannot know.
        Some(rule) => json!({
            "type": "string", "maxLength": rule.units_max, "pattern": format!("^(?:{})$", rule.pattern(false)),
        }),
        None => json!({ "type": "string", "maxLength": FIELD_UNITS_MAX }),
    };
    let fields: Map<_, _> = DetailField::ALL.iter().map(|(_, name)| ((*name).into(), field(name))).collect();
    json_schema!({
        "description": "The fields of the step: the `email` of a contact; an address of `email`, `name`, `street`, `city`, \
            `postcode`, `country` and, where it has one, `region`; of these only `email`, `country` and what tax depends on \
            where nothing travels, and no `email` after a contact; the `method` of shipping. Lengths are counted in units of \
            UTF-16, as browsers do, space at the ends included.",
        "type": "object",
        "properties": fields,
        "additionalProperties": false,
    })
}

/// Reads a map whose names are different: of two equal ones nobody can say which was meant.
pub(super) fn unique<'de, K, D>(deserializer: D) -> Result<BTreeMap<K, String>, D::Error>
where
    K: Deserialize<'de> + Ord + std::fmt::Debug,
    D: Deserializer<'de>,
{
    struct Unique<K>(PhantomData<K>);
    impl<'de, K: Deserialize<'de> + Ord + std::fmt::Debug> Visitor<'de> for Unique<K> {
        type Value = BTreeMap<K, String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut texts = BTreeMap::new();
            while let Some((name, text)) = map.next_entry::<K, String>()? {
                if texts.contains_key(&name) {
                    return Err(A::Error::custom(format_args!("duplicate field {name:?}")));
                }
                texts.insert(name, text);
            }
            Ok(texts)
        }
    }
    deserializer.deserialize_map(Unique(PhantomData))
}
