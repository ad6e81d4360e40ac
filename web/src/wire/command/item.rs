//! A line as clients of the channel want it to be.

use cart_core::Command;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Number;

use super::{line_named, line_of, one, quantity_of};
use crate::problem::Problem;

/// Is the payload of `update_cart`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UpdateForm {
    /// The line as it shall be.
    pub item: ItemForm,
}

/// Is a line as it shall be.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ItemForm {
    #[serde(default, alias = "id")]
    line: Option<String>,
    #[serde(default)]
    sku: Option<String>,
    #[serde(default = "one")]
    #[schemars(with = "u32")]
    quantity: Number,
}

impl ItemForm {
    /// Parses the command that makes the line so: its quantity is set, and 0 takes it out.
    ///
    /// # Errors
    /// The problem with the first value that is not right.
    pub fn parse(self) -> Result<Command, Problem> {
        // A line that the server told carries both; the line says more.
        let line = match (self.line, self.sku) {
            (Some(line), _) => line_of(&line)?,
            (None, sku) => line_named(None, sku)?,
        };
        Ok(match quantity_of(&self.quantity)? {
            0 => Command::RemoveLine { line },
            quantity => Command::SetQuantity { line, quantity },
        })
    }
}
