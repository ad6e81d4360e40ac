//! The tables of a lake: what a day may have of each, and the columns of its rows.

use polars::prelude::{DataType, Field, Schema};
use serde::{Deserialize, Serialize};

/// Names a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Orders that were placed.
    Orders,
    /// Pieces of orders that were cancelled or sent back.
    Returns,
    /// What units said of their histories.
    Units,
    /// Products that somebody looked at or put into a cart.
    Views,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 4] = [Self::Orders, Self::Returns, Self::Units, Self::Views];

    /// Returns the name of a day's file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Orders => "orders.parquet",
            Self::Returns => "returns.parquet",
            Self::Units => "units.parquet",
            Self::Views => "views.parquet",
        }
    }

    /// Returns the columns of a row: its day, which becomes its folder, then those of the lake.
    pub fn schema(self) -> Schema {
        let text = |name: &str| Field::new(name.into(), DataType::String);
        let number = |name: &str| Field::new(name.into(), DataType::Int64);
        let lines = |fields: Vec<Field>| {
            Field::new("lines".into(), DataType::List(Box::new(DataType::Struct(fields))))
        };
        let every = vec![number("day"), text("id"), number("position"), number("at_ms")];
        let own = match self {
            Self::Orders => vec![
                text("unit"),
                text("cart"),
                text("order_id"),
                text("currency"),
                text("source"),
                number("total_minor"),
                lines(vec![text("sku"), number("quantity"), number("unit_price_minor")]),
            ],
            Self::Returns => vec![text("order_id"), lines(vec![text("sku"), number("quantity")])],
            Self::Units => vec![text("unit"), text("said"), text("known_as"), number("through_ms")],
            Self::Views => vec![text("unit"), text("sku"), text("source")],
        };
        every.into_iter().chain(own).collect()
    }
}
