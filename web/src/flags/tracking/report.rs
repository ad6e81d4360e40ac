//! One exposure and one event, as other programs report them.

use cart_core::AssignedVariation;
use experiments::json::{Json, Object};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{
    place::variation,
    unit::{UNIT_BYTES_MAX, unit_of},
};
use crate::{
    definitions::{CHANCE, Definitions, EPOCH},
    flags::question::field,
    store::{Exposure, TRACKED, TrackedEvent},
};

/// What happened longer ago is refused, in milliseconds, a day: a phone that was without a network overnight reports in time,
/// and roll-ups are not changed behind the back of who has read them.
pub const TRACK_AGE_MAX_MS: i64 = 24 * 60 * 60 * 1_000;
/// How much earlier an exposure may have been than its report where nothing says how wrong the clock is, in milliseconds: SDKs gather
/// exposures for seconds. It claims what happened after it, so a clock that is behind would give it what led to nothing.
pub const EXPOSURE_LATE_MAX_MS: i64 = 10 * 60 * 1_000;
/// Most attributes of an exposure, and most properties of an event: device, country, page and the like.
const PROPERTIES_MAX: usize = 20;
/// The longest name of an event, an attribute or a property, in bytes.
const NAME_BYTES_MAX: usize = 80;
/// The longest value of an attribute or a property, in bytes.
const TEXT_BYTES_MAX: usize = 200;

/// Says why an item is not taken, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TrackError")]
pub(super) enum FaultKind {
    /// A part is missing or of another kind.
    Invalid,
    /// There is no such experiment.
    UnknownExperiment,
    /// The experiment is paused or over.
    NotRunning,
    /// The experiment has no such variation.
    UnknownVariation,
    /// The unit was given the variation by hand.
    Forced,
    /// It happened too long ago.
    TooOld,
}

/// Says why an item is not taken.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

/// Knows what items are read against.
pub(super) struct Reader<'r> {
    pub(super) definitions: &'r Definitions,
    pub(super) now_ms: i64,
    /// How far the clock that times are told by is ahead of the shop's, where the batch says when it was sent.
    pub(super) ahead_ms: Option<i64>,
}

/// Reads how far the clock of whoever sends a batch is ahead of the shop's; below 0 where it is behind.
pub(super) fn ahead_ms(batch: &Object, now_ms: i64) -> Result<Option<i64>, Fault> {
    let Some(sent_at) = field(batch, "sent_at") else { return Ok(None) };
    let sent_at_ms = instant(sent_at)
        .ok_or_else(|| invalid("`sent_at` must be a time in ISO 8601 with its zone, or left out"))?;
    Ok(Some(sent_at_ms.saturating_sub(now_ms)))
}

fn instant(at: &Json) -> Option<i64> {
    let at = OffsetDateTime::parse(at.as_str()?, &Rfc3339).ok()?;
    Some(i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MIN))
}

impl Reader<'_> {
    /// Reads `{"experiment", "variation", "unit", "at"?, "attributes"?, "forced"?, "epoch"?}`.
    pub(super) fn exposure(&self, item: &Object) -> Result<Exposure, Fault> {
        let (experiment, unit) = (text(item, "experiment")?, unit(item)?);
        let named = field(item, "variation")
            .ok_or_else(|| invalid("`variation` is missing: its key, or its number from 0"))?;
        match field(item, "forced") {
            None | Some(Json::Bool(false)) => {}
            Some(Json::Bool(true)) => {
                return Err(Fault::new(FaultKind::Forced, "what was forced is not counted"));
            }
            Some(_) => return Err(invalid("`forced` must be true or false")),
        }
        let epoch = epoch(item)?;
        let met = AssignedVariation {
            variation: variation(self.definitions, experiment, named, &unit, epoch)?,
            experiment: experiment.to_owned(),
        };
        let mut attributes = plain(item, "attributes")?;
        // By which draw a bandit assigned a unit is ours to say.
        attributes.retain(|name, _| name != EPOCH && name != CHANCE);
        attributes.extend(self.definitions.draw(&unit, &met, epoch));
        let AssignedVariation { experiment, variation } = met;
        // Of a clock that nobody can check no more is believed than that exposures are gathered for a while.
        let latest_ms = self.ahead_ms.map_or(self.now_ms - EXPOSURE_LATE_MAX_MS, |_| i64::MIN);
        let at_ms = self.at_ms(item)?;
        let at_ms = if at_ms < latest_ms { self.now_ms } else { at_ms };
        Ok(Exposure { experiment, variation, unit: unit_of(&unit), at_ms, attributes })
    }

    /// Reads `{"name", "unit", "value"?, "at"?, "properties"?, "id"?}`.
    pub(super) fn event(&self, item: &Object) -> Result<TrackedEvent, Fault> {
        let (name, unit) = (text(item, "name")?, unit(item)?);
        if name.len() > NAME_BYTES_MAX {
            return Err(invalid(format!("`name` has {} bytes, the most is {NAME_BYTES_MAX}", name.len())));
        }
        let value = match field(item, "value") {
            None => Value::Null,
            Some(number @ Json::Number(_)) => number.to_value(),
            Some(_) => return Err(invalid("`value` must be a number, or left out")),
        };
        let id = match field(item, "id") {
            None => None,
            Some(id) => {
                let id = id.as_str().and_then(|id| Uuid::try_parse(id).ok());
                Some(id.ok_or_else(|| invalid("`id` must be a UUID, or left out"))?)
            }
        };
        let properties = plain(item, "properties")?;
        let data = json!({"name": name, "value": value, "properties": properties}).to_string();
        Ok(TrackedEvent { kind: TRACKED, id, unit: unit_of(&unit), at_ms: self.at_ms(item)?, data })
    }

    /// Reads when something happened. A clock that is ahead is taken to be at the shop's time: an order that follows at
    /// once must not come before what led to it.
    fn at_ms(&self, item: &Object) -> Result<i64, Fault> {
        let Some(at) = field(item, "at") else { return Ok(self.now_ms) };
        let at_ms = instant(at).ok_or_else(|| {
            invalid(
                "`at` must be a time in ISO 8601 with its zone, such as 2026-11-29T08:00:00Z, or left out",
            )
        })?;
        let at_ms = at_ms.saturating_sub(self.ahead_ms.unwrap_or(0));
        if at_ms < self.now_ms - TRACK_AGE_MAX_MS {
            let message = "`at` is more than 24 hours ago: report within a day, or mend the device's clock";
            return Err(Fault::new(FaultKind::TooOld, message));
        }
        Ok(at_ms.min(self.now_ms))
    }
}

/// Reads the epoch of a bandit, which SDKs know as the text `phase`.
fn epoch(item: &Object) -> Result<Option<usize>, Fault> {
    let read = |epoch: &Json| match epoch {
        Json::String(text) => text.parse().ok(),
        other => other.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0).map(|n| n as usize),
    };
    let named = field(item, EPOCH).map(|epoch| {
        read(epoch).ok_or_else(|| {
            invalid("`epoch` must be the `phase` of the experiment, such as \"3\", or left out")
        })
    });
    named.transpose()
}

fn text<'i>(item: &'i Object, name: &str) -> Result<&'i str, Fault> {
    let text = field(item, name).ok_or_else(|| invalid(format!("`{name}` is missing")))?.as_str();
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(format!("`{name}` must be a text that is not empty")))
}

/// Reads a unit as SDKs hash it: a number by its text.
fn unit(item: &Object) -> Result<String, Fault> {
    let unit = match field(item, "unit") {
        None => return Err(invalid("`unit` is missing: the visitor or user")),
        Some(unit @ (Json::String(_) | Json::Number(_))) => unit.to_text().into_owned(),
        Some(_) => return Err(invalid("`unit` must be a text")),
    };
    match unit.len() {
        0 => Err(invalid("`unit` is empty: the visitor or user")),
        1..=UNIT_BYTES_MAX => Ok(unit),
        len => Err(invalid(format!("`unit` has {len} bytes, the most is {UNIT_BYTES_MAX}"))),
    }
}

/// Reads an object of short values.
fn plain(item: &Object, name: &str) -> Result<Map<String, Value>, Fault> {
    let object = match field(item, name) {
        None => return Ok(Map::new()),
        Some(Json::Object(object)) => object,
        Some(_) => return Err(invalid(format!("`{name}` must be an object"))),
    };
    if object.len() > PROPERTIES_MAX {
        return Err(invalid(format!("`{name}` has {} keys, the most is {PROPERTIES_MAX}", object.len())));
    }
    let entry = |(key, value): (&str, &Json)| {
        if key.len() > NAME_BYTES_MAX {
            return Err(invalid(format!(
                "`{name}` has a key of {} bytes, the most is {NAME_BYTES_MAX}",
                key.len()
            )));
        }
        match value {
            Json::String(text) if text.len() > TEXT_BYTES_MAX => {
                Err(invalid(format!("`{name}.{key}` has {} bytes, the most is {TEXT_BYTES_MAX}", text.len())))
            }
            Json::Array(_) | Json::Object(_) => {
                Err(invalid(format!("`{name}.{key}` must be a text, a number, true, false or null")))
            }
            short => Ok((key.to_owned(), short.to_value())),
        }
    };
    object.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_764_403_200_123;

    fn read(event: &str) -> Result<TrackedEvent, (FaultKind, String)> {
        let reader = Reader { definitions: &Definitions::default(), now_ms: NOW_MS, ahead_ms: None };
        reader
            .event(Json::parse(event).unwrap().as_object().unwrap())
            .map_err(|fault| (fault.kind, fault.message))
    }

    #[test]
    fn an_event_is_read_or_refused_by_its_part() {
        let event = read(
            r#"{"name": "page_timed", "unit": 7, "value": 4.5, "at": "2025-11-29T09:00:00+01:00", "properties": {"page": "/", "n": 1},
                "id": "67e55044-10b1-426f-9247-bb680e5fe0c8"}"#,
        )
        .unwrap();
        assert_eq!((event.unit.as_str(), event.at_ms), ("7", 1_764_403_200_000));
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(data, json!({"name": "page_timed", "value": 4.5, "properties": {"page": "/", "n": 1}}));
        let bare = read(r#"{"name": "seen", "unit": "u", "value": null}"#).unwrap();
        assert_eq!((bare.at_ms, bare.id), (NOW_MS, None));
        for (event, why) in [
            ("{}", "`name` is missing"),
            (r#"{"name": ""}"#, "`name` must be a text that is not empty"),
            (r#"{"name": "n"}"#, "`unit` is missing"),
            (r#"{"name": "n", "unit": []}"#, "`unit` must be a text"),
            (r#"{"name": "n", "unit": ""}"#, "`unit` is empty"),
            (r#"{"name": "n", "unit": "u", "value": "7"}"#, "`value` must be a number"),
            (r#"{"name": "n", "unit": "u", "id": "7"}"#, "`id` must be a UUID"),
            (r#"{"name": "n", "unit": "u", "at": 7}"#, "`at` must be a time in ISO 8601"),
            (r#"{"name": "n", "unit": "u", "at": "2025-11-29"}"#, "`at` must be a time in ISO 8601"),
            (r#"{"name": "n", "unit": "u", "properties": []}"#, "`properties` must be an object"),
            (
                r#"{"name": "n", "unit": "u", "properties": {"p": {}}}"#,
                "`properties.p` must be a text, a number",
            ),
            (
                &format!(r#"{{"name": "n", "unit": "{}"}}"#, "x".repeat(1_025)),
                "`unit` has 1025 bytes, the most is 1024",
            ),
            (
                &format!(r#"{{"name": "{}", "unit": "u"}}"#, "x".repeat(81)),
                "`name` has 81 bytes, the most is 80",
            ),
            (
                &format!(r#"{{"name": "n", "unit": "u", "properties": {{"p": "{}"}}}}"#, "x".repeat(201)),
                "`properties.p` has 201 bytes, the most is 200",
            ),
        ] {
            let (kind, message) = read(event).unwrap_err();
            assert!(kind == FaultKind::Invalid && message.contains(why), "{event}: {message}");
        }
    }

    #[test]
    fn a_clock_that_says_when_it_sent_is_set_right() {
        let batch = |text: &str| ahead_ms(Json::parse(text).unwrap().as_object().unwrap(), NOW_MS);
        assert_eq!(batch("{}").unwrap(), None);
        let ahead_ms = batch(r#"{"sent_at": "2025-11-29T06:00:00.123Z"}"#).unwrap();
        assert_eq!(ahead_ms, Some(-2 * 60 * 60 * 1_000), "it is two hours behind");
        assert!(batch(r#"{"sent_at": 7}"#).is_err());
        let definition = r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "checkout_workflow", "status": "running", "variations": [
            {"key": "a", "weight_bp": 5000, "value": "classic"}, {"key": "b", "weight_bp": 5000, "value": "express"}]}"#;
        let row = crate::store::StoredExperiment {
            key: "e".into(),
            revision: 1,
            definition: definition.into(),
            saved_at_ms: 0,
            saved_by: "ann".into(),
            reason: String::new(),
        };
        let definitions = Definitions::of(crate::store::StoredDefinitions {
            revision: 1,
            experiments: vec![row],
            features: None,
        });
        let placed = experiments::assign(definitions.experiment("e").unwrap(), "u").variation;
        let at = |ahead_ms, at: &str| {
            let reader = Reader { definitions: &definitions, now_ms: NOW_MS, ahead_ms };
            let item = format!(r#"{{"experiment": "e", "variation": {placed}, "unit": "u", "at": "{at}"}}"#);
            reader.exposure(Json::parse(&item).unwrap().as_object().unwrap()).unwrap().at_ms - NOW_MS
        };
        // A minute before it was sent, by a clock that is two hours behind.
        assert_eq!(at(ahead_ms, "2025-11-29T05:59:00.123Z"), -60_000);
        assert_eq!(
            at(None, "2025-11-29T05:59:00.123Z"),
            0,
            "nobody knows, so it claims nothing from before its report"
        );
        assert_eq!(at(None, "2025-11-29T07:50:00.123Z"), -EXPOSURE_LATE_MAX_MS, "SDKs gather for a while");
        assert_eq!(
            at(ahead_ms, "2025-11-29T00:00:00.123Z"),
            -6 * 60 * 60 * 1_000,
            "a day without a network is believed"
        );
    }

    #[test]
    fn a_clock_ahead_is_now_and_what_is_a_day_old_is_refused() {
        let at = |at: &str| {
            read(&format!(r#"{{"name": "n", "unit": "u", "at": "{at}"}}"#)).map(|event| event.at_ms - NOW_MS)
        };
        assert_eq!(at("2025-11-29T08:00:00.122Z"), Ok(-1));
        assert_eq!(at("2025-11-29T08:00:01Z"), Ok(0));
        assert_eq!(at("9999-12-31T23:59:59Z"), Ok(0));
        assert_eq!(at("2025-11-28T08:00:00.123Z"), Ok(-TRACK_AGE_MAX_MS));
        for old in ["2025-11-28T08:00:00.122Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(at(old).unwrap_err().0, FaultKind::TooOld, "{old}");
        }
    }
}
