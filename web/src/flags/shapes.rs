//! The shapes of the doors of flags, for the API's document. They are the standards', so no type of ours holds them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{ofrep::TARGETING_KEY_BYTES_MAX, tracking::TRACK_ITEMS_MAX};

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
            "stickyBucketAssignmentDocs": {
                "description": "Sticky buckets, as SDKs keep them; where they are sent, the answer has them with what is new.",
                "type": ["object", "null"],
                "additionalProperties": {
                    "type": "object",
                    "required": ["attributeName", "attributeValue"],
                    "properties": {
                        "attributeName": { "type": "string" },
                        "attributeValue": { "type": "string" },
                        "assignments": { "type": "object", "additionalProperties": { "type": "string" } },
                    },
                },
            },
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
            "reason": { "enum": ["SPLIT", "STATIC", "TARGETING_MATCH", "DEFAULT", "DISABLED"] },
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
            "eventStreams": {
                "description": "Where to hear of changes, as server-sent events.",
                "type": "array",
                "items": { "type": "object", "required": ["type", "endpoint"] },
            },
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
    /// Is what a program reports. What is wrong with a part of an item leaves the other items, so any value is let in there.
    TrackBatch = {
        "description": "What a program has seen of experiments and measured. Each item is taken or refused by itself.",
        "type": "object",
        "properties": {
            "sent_at": {
                "description": "When the batch is sent by the clock that its times are told by, in ISO 8601: that clock's fault is taken out.",
                "type": ["string", "null"],
            },
            "exposures": {
                "description": "Units that met a variation, each counted once for an experiment.",
                "type": ["array", "null"], "maxItems": TRACK_ITEMS_MAX,
                "items": {
                    "type": "object",
                    "properties": {
                        "experiment": { "description": "The key of the experiment, of the shop or of an imported flag: a text." },
                        "variation": { "description": "Its key, or its number from 0." },
                        "unit": { "description": "Who met it, as it was hashed: a text or a number." },
                        "at": {
                            "description": "When, in ISO 8601 with its zone; now if it is left out. Without `sent_at` it is at most ten minutes ago.",
                        },
                        "attributes": { "description": "An object of up to 20 short values, such as the device and the country." },
                        "forced": { "description": "Whether the variation was chosen by hand, so that it is not counted." },
                    },
                },
            },
            "events": {
                "description": "What was measured.",
                "type": ["array", "null"], "maxItems": TRACK_ITEMS_MAX,
                "items": {
                    "type": "object",
                    "properties": {
                        "name": { "description": "A text of up to 80 bytes." },
                        "unit": { "description": "Whom it is about: a text or a number." },
                        "value": { "description": "A number, or left out." },
                        "at": { "description": "When, in ISO 8601 with its zone; now if it is left out." },
                        "properties": { "description": "An object of up to 20 short values." },
                        "id": { "description": "A UUID, so that it is logged once however often it is sent." },
                    },
                },
            },
        },
    };
    /// Is the key of a client.
    ClientKey = { "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" };
    /// Is the key of a flag.
    FlagKey = { "type": "string", "minLength": 1 };
}
