//! The doors of flags, described for the router and for the API's document.

use schemars::json_schema;
use serde_json::json;

use super::{
    evaluation, features, ofrep,
    refusal::Document,
    shapes::{
        ClientKey, FlagKey, FlagsPayload, FlagsQuestion, OfrepFailure, OfrepFlag, OfrepFlags, OfrepQuestion,
        TrackBatch,
    },
    tracking,
};
use crate::api::operation::{Header, Operation};

/// What the client has.
const IF_NONE_MATCH: Header = Header {
    name: "If-None-Match",
    about: "The ETag of what the client has. Where that is still the answer, it is 304 without a body.",
    shape: |_| json_schema!({ "type": "string" }),
    example: "W/\"0123456789abcdef01234567\"",
};

/// The version of what was answered.
const ETAG: Header = Header {
    name: "ETag",
    about: "The version, for `If-None-Match`.",
    shape: |_| json_schema!({ "type": "string", "pattern": r#"^(W/)?"[0-9a-f]+"$"# }),
    example: "W/\"0123456789abcdef01234567\"",
};

/// What there is to know of reports.
const TRACK: &str = "For the tracking callback of GrowthBook's SDKs and for hooks of OpenFeature's. A unit is counted once for an experiment, \
and an event with an `id` once, so a batch may be sent again. An exposure counts for a running experiment of the shop, where the hash gives the unit that \
variation, and for an experiment of an imported flag; what was forced is not counted. Of a bandit, whose weights move, \
`epoch` is the experiment's `phase`, which SDKs hand to the callback; without it the newest weights count that give the unit that variation. A time ahead of the shop's clock is taken as now, one more than 24 hours ago \
is refused. A unit that is no id of 80 letters, digits, `-` and `_` is kept as `sha256-` and the first 32 hexadecimal digits of its SHA-256. The body may be \
`text/plain`, as `navigator.sendBeacon` sends it.";

/// Describes the doors. The stream of changes, `GET /sub/{client_key}`, is not among them: it is no JSON, and does not end.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/features/{client_key}", features::get)
            .named("getFeatures", "Reads the running experiments as a GrowthBook payload")
            .about("For any GrowthBook SDK. `GET /sub/{client_key}` streams the same at every change, as server-sent events.")
            .path::<ClientKey>("client_key", "A key of `[flags]` in the configuration.")
            .takes(IF_NONE_MATCH)
            .compressed()
            .answers::<FlagsPayload>(200, "The payload.")
            .with(ETAG)
            .answers_nothing(304, "The client has it already.")
            .with(ETAG)
            .refuses::<Document>(400, "The key is unknown, or its clients are evaluated remotely only.")
            .refuses::<Document>(429, "The address has asked more often than it may."),
        Operation::post("/api/eval/{client_key}", evaluation::evaluate)
            .named("evaluateFeatures", "Evaluates the running experiments for one user")
            .about("GrowthBook's remote evaluation: a payload of values, without rules.")
            .path::<ClientKey>("client_key", "A key of `[flags]` in the configuration.")
            .body::<FlagsQuestion>()
            .example("visitor", json!({ "attributes": { "id": "user-1" }, "forcedVariations": {}, "forcedFeatures": [], "url": "" }))
            .answers::<FlagsPayload>(200, "The payload.")
            .refuses::<Document>(400, "The key is unknown, or the question makes no sense.")
            .refuses::<Document>(413, "The question is too long.")
            .refuses::<Document>(415, "The question is no JSON.")
            .refuses::<Document>(429, "The address has asked more often than it may."),
        Operation::post("/api/track/{client_key}", tracking::track)
            .named("track", "Reports exposures and events, in batches")
            .about(TRACK)
            .path::<ClientKey>("client_key", "A key of `[flags]` in the configuration.")
            .body::<TrackBatch>()
            .example("both", json!({
                "exposures": [{ "experiment": "checkout", "variation": "express", "unit": "user-1", "attributes": { "device": "phone" } }],
                "events": [{ "name": "page_timed", "unit": "user-1", "value": 412, "properties": { "page": "/cart" } }],
            }))
            .answers::<tracking::Answer>(200, "What became of it.")
            .refuses::<Document>(400, "The key is unknown, or the batch makes no sense.")
            .refuses::<Document>(413, "The batch is too long.")
            .refuses::<Document>(415, "The batch is neither JSON nor text.")
            .refuses::<Document>(429, "The address has asked more often than it may.")
            .refuses::<Document>(503, "The store does not answer; send the batch again."),
        Operation::post("/ofrep/v1/evaluate/flags", ofrep::all)
            .named("evaluateFlags", "Evaluates all flags for one unit")
            .about("OFREP's bulk evaluation, for pages. `eventStreams` says where they hear of changes.")
            .query::<ofrep::Told>()
            .takes(IF_NONE_MATCH)
            .body::<OfrepQuestion>()
            .example("visitor", json!({ "context": { "targetingKey": "user-1" } }))
            .answers::<OfrepFlags>(200, "The flags.")
            .with(ETAG)
            .answers_nothing(304, "The client has them already.")
            .with(ETAG)
            .refuses::<OfrepFailure>(400, "The question makes no sense.")
            .refuses::<OfrepFailure>(429, "The address has asked more often than it may."),
        Operation::post("/ofrep/v1/evaluate/flags/{key}", ofrep::one)
            .named("evaluateFlag", "Evaluates one flag for one unit")
            .about("OFREP's single evaluation, for servers.")
            .path::<FlagKey>("key", "The flag, such as `checkout_workflow`.")
            .body::<OfrepQuestion>()
            .example("visitor", json!({ "context": { "targetingKey": "user-1" } }))
            .answers::<OfrepFlag>(200, "The flag.")
            .refuses::<OfrepFailure>(400, "The question makes no sense.")
            .refuses::<OfrepFailure>(404, "No experiment on the flag has begun, and none was imported.")
            .refuses::<OfrepFailure>(429, "The address has asked more often than it may."),
    ]
}
