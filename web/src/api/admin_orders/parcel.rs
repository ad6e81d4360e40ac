//! What is sent off of an order, as clients write it.

use cart_core::{
    LineId, LocationId, PackWish, ParcelWish, Sku, Tracking,
    limits::{TRACKING_BYTES_MAX, TRACKING_URL_BYTES_MAX},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    problem::Problem,
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

impl ParcelForm {
    pub fn parse(self) -> Result<ParcelWish, Problem> {
        let packed = |form: &PackForm| {
            let part = form.sku.as_deref().map(sku_of).transpose()?;
            Ok(PackWish { line: line_of(&form.line)?, part, pieces: form.pieces })
        };
        let tracking = self.tracking.map(|t| tracking_of(&t.carrier, &t.number, &t.url)).transpose()?;
        Ok(ParcelWish {
            location: location_of(self.location.as_deref())?,
            contents: self.lines.iter().map(packed).collect::<Result<_, Problem>>()?,
            tracking: tracking.flatten(),
        })
    }
}

/// Reads the name of a location, where one is said.
///
/// # Errors
/// The problem `invalid_request`.
pub(crate) fn location_of(text: Option<&str>) -> Result<Option<LocationId>, Problem> {
    let parsed = text.map(LocationId::parse).transpose();
    parsed.map_err(|error| Problem::invalid_request(error.to_string()))
}

/// Reads how a parcel can be followed.
///
/// # Errors
/// The problem `invalid_details`.
pub(crate) fn tracking_of(carrier: &str, number: &str, url: &str) -> Result<Option<Tracking>, Problem> {
    Tracking::parse(carrier, number, url).map_err(Problem::invalid_details)
}
