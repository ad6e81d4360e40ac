//! What lines newly hold, move or give back, as events tell it.

use serde::{Deserialize, Serialize};

use crate::{LineId, Pick};

/// Is pieces that a line newly holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineHold {
    /// The line.
    pub line: LineId,
    /// The pieces.
    pub hold: u32,
    /// What that holds of the parts of a bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub picks: Vec<Pick>,
    /// Pieces of the line that ship later.
    pub backordered: u32,
}

/// Is pieces that are held for a line in other locations than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldMove {
    /// The line.
    pub line: LineId,
    /// Where all that the line holds lay.
    pub from: Vec<Pick>,
    /// Where all of it lies now.
    pub to: Vec<Pick>,
    /// Pieces of the line that ship later.
    pub backordered: u32,
}

/// Is pieces that a line gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRelease {
    /// The line.
    pub line: LineId,
    /// The pieces.
    pub pieces: u32,
    /// What that gives back of the parts of a bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub picks: Vec<Pick>,
}
