//! The shapes of the doors of flags, for the API's document. They are the standards', so no type of ours holds them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::ofrep::TARGETING_KEY_BYTES_MAX;

/// Makes types that are nothing but a name and a schema.
macro_rules! shapes {
    ($($(#[$doc:meta])+ $name:ident = $schema:tt;)+) => {$(
        $(#[$doc])+
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

shapes! {
    /// Is what GrowthBook's SDKs evaluate.
    FlagsPayload = {
        "description": "A payload as GrowthBook's SDKs take it. Where it is encrypted, `features` is empty and `encryptedFeatures` holds them.",
        "type": "object",
        "required": ["status", "features", "dateUpdated"],
        "properties": {
            "status": { "const": 200 },
            "features": { "type": "object", "additionalProperties": { "type": "object" } },
            "experiments": { "type": "array", "items": { "type": "object" } },
            "encryptedFeatures": { "type": "string" },
            "dateUpdated": { "type": "string", "description": "The version: another one after every change." },
        },
    };
    /// Is whom to evaluate for.
    FlagsQuestion = {
        "description": "Whom to evaluate for, as GrowthBook's SDKs ask; each part has at most 1,000 keys.",
        "type": "object",
        "properties": {
            "attributes": { "type": ["object", "null"] },
            "forcedVariations": {
                "type": ["object", "null"],
                "additionalProperties": { "type": "integer", "minimum": -999_999_999, "maximum": 999_999_999 },
            },
            "forcedFeatures": {
                "type": ["array", "null"],
                "items": { "type": "array", "prefixItems": [{ "type": "string" }, {}], "minItems": 2, "maxItems": 2 },
            },
            "url": { "type": ["string", "null"] },
        },
    };
    /// Is whom to evaluate for.
    OfrepQuestion = {
        "description": "Whom to evaluate for, as OFREP has it; the context has at most 1,000 keys.",
        "type": "object",
        "required": ["context"],
        "properties": {
            "context": {
                "type": "object",
                "required": ["targetingKey"],
                "properties": {
                    "targetingKey": {
                        "description": "The visitor or user: the unit.",
                        "type": "string", "minLength": 1, "maxLength": TARGETING_KEY_BYTES_MAX,
                    },
                },
            },
        },
    };
    /// Is what a flag is worth.
    OfrepFlag = {
        "description": "What a flag is worth to the unit; without a `value`, the caller's default holds.",
        "type": "object",
        "required": ["key", "reason"],
        "properties": {
            "key": { "type": "string" },
            "reason": { "enum": ["SPLIT", "TARGETING_MATCH", "DEFAULT", "DISABLED"] },
            "value": {},
            "variant": { "type": "string" },
            "metadata": { "type": "object" },
        },
    };
    /// Is what all flags are worth.
    OfrepFlags = {
        "description": "What each flag is worth to the unit, or why it is worth nothing.",
        "type": "object",
        "required": ["flags"],
        "properties": {
            "flags": { "type": "array", "items": { "type": "object", "required": ["key"] } },
            "metadata": { "type": "object" },
        },
    };
    /// Is why a flag is worth nothing.
    OfrepFailure = {
        "description": "Why there is no answer.",
        "type": "object",
        "required": ["errorCode", "errorDetails"],
        "properties": {
            "key": { "type": "string" },
            "errorCode": {
                "enum": ["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "FLAG_NOT_FOUND", "GENERAL"],
            },
            "errorDetails": { "type": "string" },
        },
    };
    /// Is the key of a client.
    ClientKey = { "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" };
    /// Is the key of a flag.
    FlagKey = { "type": "string", "minLength": 1 };
}
