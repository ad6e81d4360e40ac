//! How the columns of somebody else's table are named on the command line.

use cart_core::Currency;
use clap::Args;

use crate::import::row::Mapping;

#[derive(Args)]
pub(super) struct MappingArgs {
    /// Takes a field from a column of another name. Fields of products: sku, name, description, category, price or
    /// price_minor, currency, stock (all pieces ever supplied), policy, hidden, image. Fields of orders: order, visitor,
    /// sku, name, quantity, price or price_minor, currency, at.
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = pair)]
    map: Vec<(String, String)>,
    /// Gives a field a value in rows that have none.
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair)]
    default: Vec<(String, String)>,
    /// The currency of prices.
    #[arg(long, value_name = "CODE")]
    currency: Option<Currency>,
    /// Passes over rows of this SKU; a * at its end stands for anything.
    #[arg(long, value_name = "SKU")]
    skip_sku: Vec<String>,
    /// Writes SKUs in capital letters.
    #[arg(long)]
    upper_sku: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("write it as FIELD=VALUE")?;
    Ok((field.trim().to_owned(), value.trim().to_owned()))
}

impl From<MappingArgs> for Mapping {
    fn from(args: MappingArgs) -> Self {
        Self {
            columns: args.map.into_iter().collect(),
            defaults: args.default.into_iter().collect(),
            currency: args.currency,
            skipped: args.skip_sku,
            is_upper: args.upper_sku,
        }
    }
}
