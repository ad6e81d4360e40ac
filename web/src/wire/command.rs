//! Commands as clients write them.

mod field;
mod item;
mod value;

use std::collections::BTreeMap;

use cart_core::{
    Code, Command, GiftCardId, LineId, PromotionId, Properties, Sku, Step,
    limits::{BATCH_COMMANDS_MAX, GIFT_CARD_CODE_MIN, LINE_QUANTITY_MAX, NOTE_BYTES_MAX},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Number, json};

use self::{
    field::{DetailField, details_schema, unique},
    value::{details_of, line_named, quantity_of, token_of},
};
pub use self::{
    item::{ItemForm, UpdateForm},
    value::{code_of, gift_card_of, line_of, note_of, promotion_of, properties_of, sku_of, typed_of},
};
use super::Object;
use crate::problem::{Kind, Problem};

/// The longest payment token in bytes: what a payment page gives is an id or a sealed card.
pub const PAYMENT_TOKEN_BYTES_MAX: usize = 4_096;

/// Is a command as clients write it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Command")]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum CommandForm {
    /// Adds pieces.
    AddLine {
        /// The product.
        #[schemars(with = "Sku")]
        sku: String,
        /// Pieces.
        #[serde(default = "one")]
        #[schemars(schema_with = "quantity_schema")]
        quantity: Number,
        /// What is to be done to them; `properties` of the product says which it takes, where it does not take any.
        #[serde(default, deserialize_with = "unique")]
        #[schemars(with = "Properties")]
        properties: BTreeMap<String, String>,
    },
    /// Sets the pieces of a line.
    #[schemars(extend("oneOf" = [
        {"required": ["line"], "properties": {"line": {"type": "string"}}},
        {"required": ["sku"], "properties": {"sku": {"type": "string"}}},
    ]))]
    SetQuantity {
        /// The line.
        #[serde(default)]
        #[schemars(with = "Option<LineId>")]
        line: Option<String>,
        /// The product, where its line has no properties.
        #[serde(default)]
        #[schemars(with = "Option<Sku>")]
        sku: Option<String>,
        /// Pieces.
        #[schemars(schema_with = "quantity_schema")]
        quantity: Number,
    },
    /// Takes a line out.
    #[schemars(extend("oneOf" = [
        {"required": ["line"], "properties": {"line": {"type": "string"}}},
        {"required": ["sku"], "properties": {"sku": {"type": "string"}}},
    ]))]
    RemoveLine {
        /// The line.
        #[serde(default)]
        #[schemars(with = "Option<LineId>")]
        line: Option<String>,
        /// The product, where its line has no properties.
        #[serde(default)]
        #[schemars(with = "Option<Sku>")]
        sku: Option<String>,
    },
    /// Lays a line aside for later.
    SaveLine {
        /// The line.
        #[schemars(with = "LineId")]
        line: String,
    },
    /// Takes a saved line into the cart again.
    RestoreLine {
        /// The line.
        #[schemars(with = "LineId")]
        line: String,
    },
    /// Takes a saved line away.
    DropSavedLine {
        /// The line.
        #[schemars(with = "LineId")]
        line: String,
    },
    /// Types a code.
    ApplyCode {
        /// The code.
        #[schemars(with = "Code")]
        code: String,
    },
    /// Takes a code back.
    RemoveCode {
        /// The code.
        #[schemars(with = "Code")]
        code: String,
    },
    /// Does without the gift of a promotion.
    DeclineGift {
        /// The promotion, as `gift_of` of the gift's line names it.
        #[schemars(with = "PromotionId")]
        promotion: String,
    },
    /// Takes the gift of a promotion after all.
    AcceptGift {
        /// The promotion.
        #[schemars(with = "PromotionId")]
        promotion: String,
    },
    /// Pays with a gift card, as far as it goes.
    ApplyGiftCard {
        /// The code on the card; case, spaces and dashes do not matter.
        #[schemars(length(min = GIFT_CARD_CODE_MIN))]
        code: String,
    },
    /// Types what may be a promotion's code or a gift card's: the shop finds out which.
    RedeemCode {
        /// What was typed; case does not matter.
        #[schemars(length(min = 1))]
        code: String,
    },
    /// Does not pay with a gift card.
    RemoveGiftCard {
        /// The `id` that the cart shows of it.
        #[schemars(with = "GiftCardId")]
        id: String,
    },
    /// Pays with the customer's credit, as far as it goes, or does not.
    UseStoreCredit {
        /// Whether it pays.
        on: bool,
    },
    /// Sets the note to the shop.
    SetNote {
        /// The text.
        #[schemars(length(max = NOTE_BYTES_MAX))]
        text: String,
    },
    /// Takes the prices of today.
    AcceptPrices {},
    /// Runs commands, all or none.
    Batch {
        /// The commands in order.
        #[schemars(schema_with = "batch_schema")]
        commands: Vec<Object<CommandForm>>,
    },
    /// Takes all lines out.
    Clear {},
    /// Begins the checkout.
    StartCheckout {},
    /// Completes a step.
    CompleteStep {
        /// The step's name.
        #[schemars(with = "Step")]
        step: String,
        /// Its fields.
        #[serde(default, deserialize_with = "unique")]
        #[schemars(schema_with = "details_schema")]
        details: BTreeMap<DetailField, String>,
    },
    /// Opens a cart again that has expired, as far as its lines are still to be had.
    Reopen {},
    /// Gives the payment under way up.
    CancelPayment {},
    /// Places the order.
    PlaceOrder {
        /// What the payment page gave.
        #[schemars(length(max = PAYMENT_TOKEN_BYTES_MAX))]
        payment_token: String,
    },
}

fn quantity_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "description": "Pieces.", "type": "integer", "minimum": 1, "maximum": LINE_QUANTITY_MAX })
}

fn batch_schema(generator: &mut SchemaGenerator) -> Schema {
    let mut command = generator.subschema_for::<CommandForm>();
    command.insert("not".into(), json!({ "properties": { "type": { "enum": ["batch", "place_order"] } } }));
    json_schema!({
        "description": "The commands in order; none of them a batch or an order.",
        "type": "array",
        "maxItems": BATCH_COMMANDS_MAX,
        "items": command,
    })
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
            Self::PlaceOrder { payment_token } => {
                Parsed::PlaceOrder { payment_token: token_of(payment_token)? }
            }
            Self::Batch { commands } => Parsed::Command(batch_of(commands)?),
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
            Self::DeclineGift { promotion } => Command::DeclineGift { promotion: promotion_of(&promotion)? },
            Self::AcceptGift { promotion } => Command::AcceptGift { promotion: promotion_of(&promotion)? },
            Self::ApplyGiftCard { code } => Command::ApplyGiftCard { card: gift_card_of(&code)? },
            Self::RedeemCode { code } => Command::RedeemCode(typed_of(&code)?),
            Self::RemoveGiftCard { id } => Command::RemoveGiftCard {
                card: GiftCardId::parse(&id)
                    .map_err(|e| Problem::new(Kind::UnknownGiftCard, e.to_string()))?,
            },
            Self::UseStoreCredit { on } => Command::UseStoreCredit { on },
            Self::SetNote { text } => Command::SetNote { text: note_of(text)? },
            Self::AcceptPrices {} => Command::AcceptPrices,
            Self::Clear {} => Command::Clear,
            Self::StartCheckout {} => Command::StartCheckout,
            Self::Reopen {} => Command::Reopen,
            Self::CancelPayment {} => Command::CancelPayment { payment: None },
            Self::CompleteStep { step, details } => Command::CompleteStep(details_of(&step, &details)?),
            Self::Batch { .. } => return Err(Problem::invalid_request("a batch holds no batch")),
            Self::PlaceOrder { .. } => {
                return Err(Problem::invalid_request("a batch places no order; send place_order by itself"));
            }
        })
    }
}

fn batch_of(commands: Vec<Object<CommandForm>>) -> Result<Command, Problem> {
    if commands.len() > BATCH_COMMANDS_MAX {
        let count = commands.len();
        return Err(Problem::invalid_request(format!(
            "the batch holds {count} commands, the most allowed is {BATCH_COMMANDS_MAX}"
        )));
    }
    commands
        .into_iter()
        .map(|Object(command)| command.parse_single())
        .collect::<Result<_, _>>()
        .map(Command::Batch)
}

#[cfg(test)]
mod tests {
    use cart_core::CartId;

    use super::*;

    fn schema<T: JsonSchema>() -> Schema {
        T::json_schema(&mut SchemaGenerator::default())
    }

    /// Tries the longest text that a schema allows, and one that is a byte longer.
    fn at_its_most(schema: &Schema, prefix: &str, parses: impl Fn(&str) -> bool) {
        let most = usize::try_from(schema.get("maxLength").and_then(|most| most.as_u64()).unwrap()).unwrap();
        let text = |len: usize| format!("{prefix}{}", "x".repeat(len - prefix.len()));
        assert!(parses(&text(most)), "{schema:?} allows {most} bytes");
        assert!(!parses(&text(most + 1)), "{schema:?} ends at {most} bytes");
    }

    #[test]
    fn the_limits_of_the_schema_are_those_of_the_parsers() {
        at_its_most(&schema::<Sku>(), "", |text| sku_of(text).is_ok());
        at_its_most(&schema::<CartId>(), "", |text| CartId::parse(text).is_ok());
        at_its_most(&schema::<Code>(), "", |text| code_of(text).is_ok());

        let forms = schema::<CommandForm>();
        let variant = |name: &str| {
            let variants = forms.get("oneOf").unwrap().as_array().unwrap();
            variants.iter().find(|v| v["properties"]["type"]["const"] == name).unwrap()["properties"].clone()
        };
        let property =
            |name: &str, property: &str| Schema::try_from(variant(name)[property].clone()).unwrap();
        at_its_most(&property("set_note", "text"), "", |text| note_of(text.into()).is_ok());
        at_its_most(&property("place_order", "payment_token"), "", |text| token_of(text.into()).is_ok());

        let fields = variant("complete_step")["details"]["properties"].clone();
        let names: Vec<_> = DetailField::ALL.iter().map(|(_, name)| *name).collect();
        assert!(fields.as_object().unwrap().keys().all(|name| names.contains(&name.as_str())));
        let city = Schema::try_from(fields["city"].clone()).unwrap();
        for rule in cart_core::details::ADDRESS {
            let field = &fields[rule.name];
            assert_eq!(field["maxLength"], rule.units_max);
            assert_eq!(field["pattern"], format!("^(?:{})$", rule.pattern(false)));
        }
        at_its_most(&city, "", |text| {
            let details = |name: &str| match name {
                "email" => "ada@example.org".into(),
                "country" => "GB".into(),
                _ => text.to_owned(),
            };
            let all = DetailField::ALL.iter().filter(|(_, name)| !matches!(*name, "region" | "method"));
            details_of("address", &all.map(|(field, name)| (*field, details(name))).collect()).is_ok()
        });

        let properties = schema::<Properties>();
        let most = properties.get("maxProperties").and_then(|most| most.as_u64()).unwrap();
        let many = |count: u64| properties_of((0..count).map(|n| (n.to_string(), "x".to_owned())).collect());
        assert!(many(most).is_ok() && many(most + 1).is_err());
        let name = Schema::try_from(properties.get("propertyNames").unwrap().clone()).unwrap();
        at_its_most(&name, "", |text| properties_of([(text.to_owned(), "x".to_owned())].into()).is_ok());
        let value = Schema::try_from(properties.get("additionalProperties").unwrap().clone()).unwrap();
        at_its_most(&value, "", |text| properties_of([("a".to_owned(), text.to_owned())].into()).is_ok());

        let batch = property("batch", "commands");
        let most = usize::try_from(batch.get("maxItems").and_then(|most| most.as_u64()).unwrap()).unwrap();
        let clear = |_| Object(CommandForm::Clear {});
        let commands = |count| batch_of((0..count).map(clear).collect());
        assert!(commands(most).is_ok() && commands(most + 1).is_err());
    }
}
