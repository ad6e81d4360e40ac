//! The page of who waits for what.

use super::{AS_OF_MS, DAY_MS, HOSTILE, session};
use crate::demand::{DemandPage, DemandRow, DemandState};

/// Returns the list of demand, with a product in each state.
pub fn demand() -> DemandPage {
    let row = |sku: &str, name: &str, waiting, days, state| DemandRow {
        sku: sku.into(),
        name: name.into(),
        path: (state != DemandState::Hidden).then(|| format!("/admin/stock/{sku}")),
        waiting,
        oldest_at_ms: AS_OF_MS - days * DAY_MS,
        state,
    };
    DemandPage {
        session: session(),
        are_letters_sent: true,
        rows: vec![
            row("LANTERN", "Storm lantern", 128, 31, DemandState::SoldOut),
            row("TEAPOT", HOSTILE, 12, 9, DemandState::Back),
            row("KETTLE", "Kettle", 3, 4, DemandState::Later),
            row("OLD", "OLD", 1, 80, DemandState::Hidden),
        ],
        next: Some("/admin/demand?cursor=next".into()),
    }
}
