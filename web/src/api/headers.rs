//! The headers of the API, described.

use schemars::json_schema;

use super::{operation::Header, request::KEY_BYTES_MAX};

/// The version of a cart that a command holds for.
pub(super) const IF_MATCH: Header = Header {
    name: "If-Match",
    about: "The ETag of the cart as it was seen, or `*`. Where the cart has changed since, nothing is done and the answer \
        is `stale_version`.",
    shape: |_| json_schema!({ "type": "string" }),
    example: "\"7\"",
};

/// The client's own name for a request.
pub(super) const IDEMPOTENCY_KEY: Header = Header {
    name: "Idempotency-Key",
    about: "A name of the client's choice for this request. For 24 hours the same request with the same key is not done \
        again and gets the same answer; another request with the same key is refused as `idempotency_mismatch`.",
    shape: |_| {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": KEY_BYTES_MAX, "pattern": "^[!-~]([ -~]*[!-~])?$",
        })
    },
    example: "5f0c8a52-8f4e-4d7b-9d0f-5f3f6a1c7e21",
};

/// What a browser forgets when its own device is logged out.
pub(super) const CLEAR_SITE_DATA: Header = Header {
    name: "Clear-Site-Data",
    about: "Lets a browser whose own device was logged out forget what it kept.",
    shape: |_| json_schema!({ "type": "string", "const": "\"storage\"" }),
    example: "\"storage\"",
};

/// Whose word the client takes.
pub(super) const CACHE_CONTROL: Header = Header {
    name: "Cache-Control",
    about: "`no-cache` asks for what the store itself says, not what memory does.",
    shape: |_| json_schema!({ "type": "string" }),
    example: "no-cache",
};

/// The version of what was answered.
pub(super) const ETAG: Header = Header {
    name: "ETag",
    about: "The version, for `If-Match`.",
    shape: |_| json_schema!({ "type": "string", "pattern": r#"^"[^"]+"$"# }),
    example: "\"7\"",
};

/// Where what was made is found.
pub(super) const LOCATION: Header = Header {
    name: "Location",
    about: "The address of what was made.",
    shape: |_| json_schema!({ "type": "string", "format": "uri-reference" }),
    example: "/api/v1/carts/0199a1b2c3d47e5f8a9b0c1d2e3f4a5b",
};

/// How much the client wants to be told.
pub(super) const PREFER: Header = Header {
    name: "Prefer",
    about: "`return=minimal` answers 204 without a body; `return=representation`, as without the header, the whole answer \
        (RFC 7240).",
    shape: |_| json_schema!({ "type": "string" }),
    example: "return=minimal",
};

/// Which preference was followed.
pub(super) const PREFERENCE_APPLIED: Header = Header {
    name: "Preference-Applied",
    about: "The preference that the answer follows.",
    shape: |_| json_schema!({ "type": "string", "enum": ["return=minimal", "return=representation"] }),
    example: "return=minimal",
};

/// What is left of an allowance.
pub(super) const RATE_LIMIT: Header = Header {
    name: "RateLimit",
    about: "What is left of the allowance that is nearest to its end: `r` requests, and `t` seconds until it is full again. \
        Absent where nothing limits the caller.",
    shape: |_| json_schema!({ "type": "string", "pattern": r#"^"(visitor|address)";r=[0-9]+;t=[0-9]+$"# }),
    example: "\"visitor\";r=599;t=1",
};

/// What everybody is allowed.
pub(super) const RATE_LIMIT_POLICY: Header = Header {
    name: "RateLimit-Policy",
    about: "What a visitor and an address are allowed: `q` requests within `w` seconds.",
    shape: |_| json_schema!({ "type": "string" }),
    example: "\"visitor\";q=600;w=60, \"address\";q=6000;w=60",
};

/// How long to wait.
pub(super) const RETRY_AFTER: Header = Header {
    name: "Retry-After",
    about: "The seconds after which to ask again.",
    shape: |_| json_schema!({ "type": "string", "pattern": "^[0-9]{1,9}$" }),
    example: "1",
};

/// The name of a webhook.
pub(super) const WEBHOOK_ID: Header = Header {
    name: "webhook-id",
    about: "The sender's name for this message.",
    shape: |_| json_schema!({ "type": "string", "minLength": 1, "maxLength": KEY_BYTES_MAX, "pattern": "^[!-~]+$" }),
    example: "msg_loFOjxBNrRLzqYUf",
};

/// When a webhook was sent.
pub(super) const WEBHOOK_TIMESTAMP: Header = Header {
    name: "webhook-timestamp",
    about: "The time of sending in Unix seconds; more than five minutes from now, the message is not believed.",
    shape: |_| json_schema!({ "type": "string", "pattern": "^[0-9]{1,15}$" }),
    example: "1731705121",
};

/// What a webhook is signed with.
pub(super) const WEBHOOK_SIGNATURE: Header = Header {
    name: "webhook-signature",
    about: "`v1,` and the base64 of the HMAC-SHA-256 of `id.timestamp.body` under the shared secret; several, between spaces.",
    shape: |_| json_schema!({ "type": "string", "minLength": 1, "maxLength": 1000, "pattern": "^[!-~]([ -~]*[!-~])?$" }),
    example: "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
};
