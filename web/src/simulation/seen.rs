//! What the shop answers, as far as shoppers look at it.

use cart_core::{CartId, Currency, OrderId, Sku};
use serde::Deserialize;

/// Is a product on offer.
#[derive(Clone, Debug, Deserialize)]
pub struct Offer {
    /// Its SKU.
    pub sku: Sku,
    /// Its category; may be empty.
    pub category: String,
    /// Pieces that may be bought; `None` where the shop never runs out.
    pub available: Option<i64>,
}

/// Is what a search hits: a product with all of its family, where it has one.
#[derive(Debug, Deserialize)]
pub struct Hit {
    #[serde(flatten)]
    offer: Offer,
    #[serde(default)]
    variants: Vec<Variant>,
}

#[derive(Debug, Deserialize)]
struct Variant {
    sku: Sku,
    available: Option<i64>,
}

impl Hit {
    /// Returns everything of the hit that may be bought.
    pub fn offers(self) -> Vec<Offer> {
        let Self { offer, variants } = self;
        if variants.is_empty() {
            return vec![offer];
        }
        let of_family =
            |Variant { sku, available }| Offer { sku, available, category: offer.category.clone() };
        variants.into_iter().map(of_family).collect()
    }
}

/// Is a page of offers.
#[derive(Debug, Deserialize)]
pub struct Offers {
    /// How many there are on all pages.
    pub total: usize,
    /// Those of this page.
    pub products: Vec<Hit>,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
}

/// Is a shelf of recommendations.
#[derive(Debug, Deserialize)]
pub struct Shelf {
    /// The products on it.
    pub recommendations: Vec<Suggestion>,
}

/// Is a product on a shelf.
#[derive(Debug, Deserialize)]
pub struct Suggestion {
    /// The product.
    pub sku: Sku,
    /// Why it stands there.
    pub reason: String,
}

/// Is a cart.
#[derive(Clone, Debug, Deserialize)]
pub struct SeenCart {
    /// Its id.
    pub id: CartId,
    /// Its version.
    pub version: u64,
    /// Its currency.
    pub currency: Currency,
    /// How it is checked out.
    pub workflow: SeenWorkflow,
    /// What is in it.
    pub lines: Vec<SeenLine>,
    /// The checkout step that comes next; `None` outside a checkout, and where all are done.
    pub next_step: Option<String>,
}

/// Is a workflow.
#[derive(Clone, Debug, Deserialize)]
pub struct SeenWorkflow {
    /// Its name.
    pub name: String,
    /// `stepwise` or `single_page`.
    pub checkout: String,
}

/// Is a line of a cart.
#[derive(Clone, Debug, Deserialize)]
pub struct SeenLine {
    /// The product.
    pub sku: Sku,
    /// Pieces.
    pub quantity: u32,
    /// Pieces that the shop holds for this cart.
    pub held: u32,
}

/// Is the answer to the opening of a cart.
#[derive(Debug, Deserialize)]
pub struct Opened {
    /// The cart.
    pub cart: SeenCart,
}

/// Is the answer to a command.
#[derive(Debug, Deserialize)]
pub struct Answered {
    /// The cart after it.
    pub cart: SeenCart,
    /// The order that came of it.
    pub order: Option<SeenOrder>,
}

/// Is an order.
#[derive(Debug, Deserialize)]
pub struct SeenOrder {
    /// Its id.
    pub id: OrderId,
    /// What it cost, in minor units.
    pub total_minor: i64,
}

/// Is a problem document (RFC 9457), as far as it is read.
#[derive(Debug, Deserialize)]
pub struct SeenProblem {
    /// A stable address that ends in the problem's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// A sentence for people.
    #[serde(default)]
    pub detail: String,
}
