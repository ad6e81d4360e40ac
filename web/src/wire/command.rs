//! Commands as clients write them.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use cart_core::{
    Code, Command, FieldError, LineId, Properties, Sku, Step, StepDetails,
    limits::{BATCH_COMMANDS_MAX, LINE_QUANTITY_MAX, NOTE_BYTES_MAX},
};
use serde::Deserialize;
use serde_json::{Map, Number, Value};

use crate::problem::Problem;

/// Is a command as clients write it.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum CommandForm {
    /// Adds pieces.
    AddLine {
        /// The product.
        sku: String,
        /// Pieces.
        #[serde(default = "one")]
        quantity: Number,
        /// What is to be done to them.
        #[serde(default)]
        properties: BTreeMap<String, String>,
    },
    /// Sets the pieces of a line.
    SetQuantity {
        /// The line.
        #[serde(default)]
        line: Option<String>,
        /// The product, where its line has no properties.
        #[serde(default)]
        sku: Option<String>,
        /// Pieces.
        quantity: Number,
    },
    /// Takes a line out.
    RemoveLine {
        /// The line.
        #[serde(default)]
        line: Option<String>,
        /// The product, where its line has no properties.
        #[serde(default)]
        sku: Option<String>,
    },
    /// Lays a line aside for later.
    SaveLine {
        /// The line.
        line: String,
    },
    /// Takes a saved line into the cart again.
    RestoreLine {
        /// The line.
        line: String,
    },
    /// Takes a saved line away.
    DropSavedLine {
        /// The line.
        line: String,
    },
    /// Types a code.
    ApplyCode {
        /// The code.
        code: String,
    },
    /// Takes a code back.
    RemoveCode {
        /// The code.
        code: String,
    },
    /// Sets the note to the shop.
    SetNote {
        /// The text.
        text: String,
    },
    /// Takes the prices of today.
    AcceptPrices {},
    /// Runs commands, all or none.
    Batch {
        /// The commands in order.
        commands: Vec<CommandForm>,
    },
    /// Takes all lines out.
    Clear {},
    /// Begins the checkout.
    StartCheckout {},
    /// Completes a step.
    CompleteStep {
        /// The step's name.
        step: String,
        /// Its fields.
        #[serde(default)]
        details: Map<String, Value>,
    },
    /// Places the order.
    PlaceOrder {
        /// What the payment page gave.
        payment_token: String,
    },
}

fn one() -> Number {
    Number::from(1)
}

/// Is a parsed command: one that a cart decides, or one that needs a payment first.
#[derive(Debug)]
pub enum Parsed {
    /// For the cart.
    Command(Command),
    /// For the checkout.
    PlaceOrder {
        /// What the payment page gave.
        payment_token: String,
    },
}

impl CommandForm {
    /// Parses the command's values.
    ///
    /// # Errors
    /// The problem with the first value that is not right.
    pub fn parse(self) -> Result<Parsed, Problem> {
        Ok(match self {
            Self::PlaceOrder { payment_token } => Parsed::PlaceOrder { payment_token },
            Self::Batch { commands } => Parsed::Command(batch(commands)?),
            other => Parsed::Command(other.parse_single()?),
        })
    }

    fn parse_single(self) -> Result<Command, Problem> {
        Ok(match self {
            Self::AddLine { sku, quantity, properties } => Command::AddLine {
                sku: sku_of(&sku)?,
                quantity: quantity_of(&quantity)?,
                properties: properties_of(properties)?,
            },
            Self::SetQuantity { line, sku, quantity } => {
                Command::SetQuantity { line: line_named(line, sku)?, quantity: quantity_of(&quantity)? }
            }
            Self::RemoveLine { line, sku } => Command::RemoveLine { line: line_named(line, sku)? },
            Self::SaveLine { line } => Command::SaveLine { line: line_of(&line)? },
            Self::RestoreLine { line } => Command::RestoreLine { line: line_of(&line)? },
            Self::DropSavedLine { line } => Command::DropSavedLine { line: line_of(&line)? },
            Self::ApplyCode { code } => Command::ApplyCode { code: code_of(&code)? },
            Self::RemoveCode { code } => Command::RemoveCode { code: code_of(&code)? },
            Self::SetNote { text } => Command::SetNote { text: note_of(text)? },
            Self::AcceptPrices {} => Command::AcceptPrices,
            Self::Clear {} => Command::Clear,
            Self::StartCheckout {} => Command::StartCheckout,
            Self::CompleteStep { step, details } => Command::CompleteStep(details_of(&step, &details)?),
            Self::Batch { .. } => return Err(Problem::invalid_request("a batch holds no batch")),
            Self::PlaceOrder { .. } => {
                return Err(Problem::invalid_request("a batch places no order; send place_order by itself"));
            }
        })
    }
}

fn batch(commands: Vec<CommandForm>) -> Result<Command, Problem> {
    if commands.len() > BATCH_COMMANDS_MAX {
        let count = commands.len();
        return Err(Problem::invalid_request(format!(
            "the batch holds {count} commands, the most allowed is {BATCH_COMMANDS_MAX}"
        )));
    }
    commands.into_iter().map(CommandForm::parse_single).collect::<Result<_, _>>().map(Command::Batch)
}

/// Is the payload of `update_cart`.
#[derive(Debug, Deserialize)]
pub struct UpdateForm {
    /// The line as it shall be.
    pub item: ItemForm,
}

/// Is a line as it shall be.
#[derive(Debug, Deserialize)]
pub struct ItemForm {
    #[serde(default, alias = "id")]
    line: Option<String>,
    #[serde(default)]
    sku: Option<String>,
    #[serde(default = "one")]
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

/// Parses a SKU; what cannot be one is for sale nowhere.
///
/// # Errors
/// The problem `unknown_sku`.
pub fn sku_of(text: &str) -> Result<Sku, Problem> {
    Sku::parse(text).map_err(|e| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_sku", e.to_string()))
}

/// Parses the name of a line; what cannot be one names no line.
///
/// # Errors
/// The problem `line_not_found`.
pub fn line_of(text: &str) -> Result<LineId, Problem> {
    text.parse().map_err(|e: cart_core::IdError| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "line_not_found", e.to_string())
    })
}

fn line_named(line: Option<String>, sku: Option<String>) -> Result<LineId, Problem> {
    match (line, sku) {
        (Some(line), None) => line_of(&line),
        (None, Some(sku)) => sku_of(&sku).map(LineId::from),
        _ => Err(Problem::invalid_request("name the line by `line`, or by `sku` where it has no properties")),
    }
}

fn properties_of(texts: BTreeMap<String, String>) -> Result<Properties, Problem> {
    Properties::parse(texts).map_err(|e| {
        Problem::invalid_details(vec![FieldError { field: "properties".into(), message: e.to_string() }])
    })
}

/// Parses a code; what cannot be one opens nothing.
///
/// # Errors
/// The problem `unknown_code`.
pub fn code_of(text: &str) -> Result<Code, Problem> {
    Code::parse(text)
        .map_err(|e| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_code", e.to_string()))
}

fn note_of(text: String) -> Result<String, Problem> {
    let text = text.trim();
    if text.len() > NOTE_BYTES_MAX || text.chars().any(|c| c.is_control() && c != '\n') {
        let message = format!("must be at most {NOTE_BYTES_MAX} bytes of printable text");
        return Err(Problem::invalid_details(vec![FieldError { field: "text".into(), message }]));
    }
    Ok(text.to_owned())
}

/// Whether it is too many or too few is a rule of the cart; here it must only be a whole number that fits.
fn quantity_of(number: &Number) -> Result<u32, Problem> {
    number.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
        Problem::invalid_quantity(format!(
            "quantity {number} is not a whole number from 1 to {LINE_QUANTITY_MAX}"
        ))
    })
}

fn details_of(step: &str, details: &Map<String, Value>) -> Result<StepDetails, Problem> {
    let step = Step::from_name(step).ok_or_else(|| {
        let names = Step::ALL.map(Step::name).join(", ");
        Problem::invalid_details(vec![FieldError {
            field: "step".into(),
            message: format!("must be one of {names}"),
        }])
    })?;
    StepDetails::parse(step, |field| details.get(field).and_then(Value::as_str).map(str::to_owned))
        .map_err(Problem::invalid_details)
}
