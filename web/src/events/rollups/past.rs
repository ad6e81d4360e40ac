//! What a unit did before it was exposed: events that were kept, written and read.
//!
//! Orders of the shop are always kept. Of other events those are kept that a metric of an experiment with units looks back at, from
//! its first unit on: that is told by the events alone, so that whoever counts again from the beginning keeps the same.

use serde::Deserialize;
use serde_json::Value;

use crate::store::PastRow;

/// The event that is always kept, with its data alone.
pub(super) const ORDER: &str = "order_placed";

/// Is an event that was kept.
#[derive(Debug, PartialEq)]
pub(super) struct Recalled {
    pub kind: String,
    pub at_ms: i64,
    pub data: Value,
}

/// How events other than orders are kept.
#[derive(Deserialize)]
struct Kept {
    past: String,
    data: Value,
}

impl Recalled {
    /// Opens a row; `None` of one that cannot be read.
    pub fn of(row: &PastRow) -> Option<Self> {
        let data: Value = serde_json::from_str(&row.data).ok()?;
        let is_kept = data.get("past").is_some_and(Value::is_string);
        let (kind, data) = match is_kept.then(|| serde_json::from_value::<Kept>(data.clone())) {
            Some(Ok(kept)) => (kept.past, kept.data),
            _ => (ORDER.to_owned(), data),
        };
        Some(Self { kind, at_ms: row.at_ms, data })
    }

    /// Writes the data of an event as a row keeps it.
    pub fn written(kind: &str, data: &str) -> String {
        if kind == ORDER {
            data.to_owned()
        } else {
            format!("{{\"past\":{},\"data\":{data}}}", Value::from(kind))
        }
    }

    pub fn is_order(&self) -> bool {
        self.kind == ORDER
    }
}

#[cfg(test)]
mod tests {
    use cart_core::VisitorId;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let row = |kind: &str, data: &str| PastRow {
            unit: VisitorId::parse("ann").unwrap(),
            position: 1,
            at_ms: 7,
            data: Recalled::written(kind, data),
        };
        for (kind, data) in [(ORDER, r#"{"total_minor":5}"#), ("line_added", r#"{"sku":"MUG"}"#)] {
            let recalled = Recalled::of(&row(kind, data)).unwrap();
            assert_eq!(
                (recalled.kind.as_str(), recalled.at_ms, recalled.is_order()),
                (kind, 7, kind == ORDER)
            );
            assert_eq!(recalled.data, serde_json::from_str::<Value>(data).unwrap());
        }
        // Orders were kept so before other events were.
        assert_eq!(Recalled::of(&row(ORDER, r#"{"past":5}"#)).unwrap().data, json!({"past": 5}));
        assert_eq!(Recalled::of(&row(ORDER, "no JSON")), None);
    }
}
