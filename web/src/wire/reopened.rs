//! What became of the lines of a cart that had expired, as clients see it.

use cart_core::{LineId, ReopenedLine};
use schemars::JsonSchema;
use serde::Serialize;

use super::snapshot::ReasonView;

/// Is a line of a cart that was opened again.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ReopenedLine")]
pub struct ReopenedView<'a> {
    #[schemars(with = "LineId")]
    id: String,
    name: &'a str,
    /// Pieces that it had.
    wanted: u32,
    /// Pieces that it has again; 0 where it is gone.
    quantity: u32,
    /// What one piece cost.
    was_minor: i64,
    /// What one piece costs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price_minor: Option<i64>,
    /// Why it has fewer pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<ReasonView<'a>>,
}

/// Shapes lines of a cart that was opened again.
pub(super) fn views(lines: &[ReopenedLine]) -> Vec<ReopenedView<'_>> {
    lines.iter().map(view).collect()
}

fn view(line: &ReopenedLine) -> ReopenedView<'_> {
    ReopenedView {
        id: line.line.to_string(),
        name: &line.name,
        wanted: line.wanted,
        quantity: line.quantity,
        was_minor: line.was_minor,
        unit_price_minor: line.unit_price_minor,
        because: line.because.as_ref().map(ReasonView::of),
    }
}
