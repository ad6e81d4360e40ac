//! What is sent off of an order, moved before that and put right after it, as clients write it.

use cart_core::{
    LineId, LocationId, PackWish, ParcelWish, RelocationWish, Sku, Tracking, TrackingChange,
    limits::{TRACKING_BYTES_MAX, TRACKING_URL_BYTES_MAX},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::{
    problem::{Kind, Problem},
    wire::{line_of, sku_of},
};

/// Is what is sent off.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "NewParcel")]
#[serde(deny_unknown_fields)]
pub(super) struct ParcelForm {
    /// Where it is sent from; where none is named, each location sends its own in a parcel.
    #[serde(default)]
    #[schemars(with = "Option<LocationId>")]
    location: Option<String>,
    /// What is in it; without, all that waits.
    #[serde(default)]
    #[schemars(length(max = 500))]
    lines: Vec<PackForm>,
    /// How it can be followed; of one parcel only.
    #[serde(default)]
    tracking: Option<TrackingForm>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewParcelLine")]
#[serde(deny_unknown_fields)]
struct PackForm {
    /// The line, by the `id` that the order names.
    #[schemars(with = "LineId")]
    line: String,
    /// The part, where the line is a bundle whose parts are sent apart; without, whole bundles are sent.
    #[serde(default)]
    #[schemars(with = "Option<Sku>")]
    sku: Option<String>,
    /// The pieces.
    #[schemars(range(min = 1, max = 9_999_000))]
    pieces: u32,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewTracking")]
#[serde(deny_unknown_fields)]
struct TrackingForm {
    /// Who carries it.
    #[serde(default)]
    #[schemars(length(max = TRACKING_BYTES_MAX))]
    carrier: String,
    /// What the carrier calls it.
    #[serde(default)]
    #[schemars(length(max = TRACKING_BYTES_MAX))]
    number: String,
    /// Where it is followed.
    #[serde(default)]
    #[schemars(length(max = TRACKING_URL_BYTES_MAX))]
    url: String,
}

/// Is what another location is to send.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "NewRelocation")]
#[serde(deny_unknown_fields)]
pub(super) struct RelocationForm {
    /// Where it waits, as the order's `to_send` says.
    #[schemars(with = "LocationId")]
    from: String,
    /// Where it is sent from instead.
    #[schemars(with = "LocationId")]
    to: String,
    /// What is moved; without, all that waits there.
    #[serde(default)]
    #[schemars(length(max = 500))]
    lines: Vec<PackForm>,
}

/// Is what is put right of a parcel that was sent.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ParcelChange")]
#[serde(deny_unknown_fields)]
pub(super) struct ParcelChangeForm {
    /// What is said anew of how it can be followed.
    pub tracking: TrackingChangeForm,
}

/// What is left out stays as it was, and `null` takes away what was said (RFC 7396).
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "TrackingChange")]
#[serde(deny_unknown_fields)]
pub(super) struct TrackingChangeForm {
    /// Who carries it.
    #[serde(default, deserialize_with = "said")]
    #[schemars(length(max = TRACKING_BYTES_MAX))]
    carrier: Option<String>,
    /// What the carrier calls it.
    #[serde(default, deserialize_with = "said")]
    #[schemars(length(max = TRACKING_BYTES_MAX))]
    number: Option<String>,
    /// Where it is followed.
    #[serde(default, deserialize_with = "said")]
    #[schemars(length(max = TRACKING_URL_BYTES_MAX))]
    url: Option<String>,
}

/// Reads a text that is there; null says as much as no text.
fn said<'de, D: Deserializer<'de>>(member: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(member).map(|text| Some(text.unwrap_or_default()))
}

impl From<TrackingChangeForm> for TrackingChange {
    fn from(TrackingChangeForm { carrier, number, url }: TrackingChangeForm) -> Self {
        Self { carrier, number, url }
    }
}

impl ParcelForm {
    pub fn parse(self) -> Result<ParcelWish, Problem> {
        let tracking = self.tracking.map(|t| tracking_of(&t.carrier, &t.number, &t.url)).transpose()?;
        Ok(ParcelWish {
            location: location_of(self.location.as_deref())?,
            contents: contents(&self.lines)?,
            tracking: tracking.flatten(),
        })
    }
}

impl RelocationForm {
    pub fn parse(self) -> Result<RelocationWish, Problem> {
        let location =
            |text: &str| LocationId::parse(text).map_err(|e| Problem::invalid_request(e.to_string()));
        let (from, to) = (location(&self.from)?, location(&self.to)?);
        Ok(RelocationWish { from, to, contents: contents(&self.lines)? })
    }
}

fn contents(lines: &[PackForm]) -> Result<Vec<PackWish>, Problem> {
    let packed = |form: &PackForm| {
        let part = form.sku.as_deref().map(sku_of).transpose()?;
        Ok(PackWish { line: line_of(&form.line)?, part, pieces: form.pieces })
    };
    lines.iter().map(packed).collect()
}

/// Reads the name of a location, where one is said.
///
/// # Errors
/// The problem `invalid_request`.
pub(crate) fn location_of(text: Option<&str>) -> Result<Option<LocationId>, Problem> {
    let parsed = text.map(LocationId::parse).transpose();
    parsed.map_err(|error| Problem::invalid_request(error.to_string()))
}

/// Reads the number of a parcel.
///
/// # Errors
/// The problem `parcel_not_found`.
pub(crate) fn number_of(text: &str) -> Result<u32, Problem> {
    let unknown = |_| Problem::new(Kind::ParcelNotFound, format!("{text:?} is no number of a parcel"));
    text.parse().map_err(unknown)
}

/// Reads how a parcel can be followed.
///
/// # Errors
/// The problem `invalid_details`.
pub(crate) fn tracking_of(carrier: &str, number: &str, url: &str) -> Result<Option<Tracking>, Problem> {
    Tracking::parse(carrier, number, url).map_err(Problem::invalid_details)
}
