//! Wish lists as clients see and write them.

use std::collections::BTreeMap;

use cart_core::{LineId, Properties, Sku, limits::LINE_QUANTITY_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::{
    catalogue::Catalogue,
    lists::{ITEM_NOTE_BYTES_MAX, LIST_ITEMS_MAX, LIST_NAME_BYTES_MAX, LISTS_MAX, WishItem, WishList},
};

/// Is the lists of an owner.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WishLists")]
pub struct ListsView<'a> {
    /// In the order in which they were opened.
    pub lists: Vec<ListView<'a>>,
}

/// Is a list, for its owner.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WishList")]
pub struct ListView<'a> {
    id: &'a str,
    name: &'a str,
    version: u64,
    /// Whether somebody can read it by a link.
    shared: bool,
    #[schemars(length(max = LIST_ITEMS_MAX))]
    items: Vec<ItemView<'a>>,
}

/// Is a list, for whoever has its link.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SharedWishList")]
pub struct SharedView<'a> {
    name: &'a str,
    #[schemars(length(max = LIST_ITEMS_MAX))]
    items: Vec<ItemView<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WishItem")]
struct ItemView<'a> {
    #[schemars(with = "LineId")]
    id: String,
    #[schemars(with = "Sku")]
    sku: &'a str,
    #[schemars(with = "Properties")]
    properties: &'a BTreeMap<String, String>,
    /// The product's name; its SKU where the shop no longer has it.
    name: String,
    for_sale: bool,
    #[schemars(range(min = 1, max = LINE_QUANTITY_MAX))]
    quantity: u32,
    note: &'a str,
    added_at_ms: i64,
}

fn items<'a>(list: &'a WishList, catalogue: &Catalogue) -> Vec<ItemView<'a>> {
    let view = |item: &'a WishItem| ItemView {
        id: item.id().to_string(),
        sku: item.sku.as_str(),
        properties: item.properties.texts(),
        name: item.wanted(catalogue).name,
        for_sale: catalogue.visible(&item.sku).is_some(),
        quantity: item.quantity,
        note: &item.note,
        added_at_ms: item.added_at_ms,
    };
    list.items.iter().map(view).collect()
}

impl<'a> ListView<'a> {
    /// Shapes a list with the names of today.
    pub fn of(list: &'a WishList, catalogue: &Catalogue) -> Self {
        Self {
            id: &list.id,
            name: &list.name,
            version: list.version,
            shared: list.share.is_some(),
            items: items(list, catalogue),
        }
    }
}

impl<'a> SharedView<'a> {
    /// Shapes a list for whoever has its link: whose it is is not told.
    pub fn of(list: &'a WishList, catalogue: &Catalogue) -> Self {
        Self { name: &list.name, items: items(list, catalogue) }
    }
}

/// Is the name of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "WishListName", extend("description" = format!("A list; a visitor has at most {LISTS_MAX}.")))]
#[serde(deny_unknown_fields)]
pub struct NameForm {
    /// What to call it.
    #[schemars(length(min = 1, max = LIST_NAME_BYTES_MAX))]
    pub name: String,
}

/// Is something to put on a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "NewWishItem")]
#[serde(deny_unknown_fields)]
pub struct ItemForm {
    /// The product.
    #[schemars(with = "Sku")]
    pub sku: String,
    /// What is to be done to it.
    #[serde(default, deserialize_with = "plain")]
    pub properties: Properties,
    /// Pieces wanted.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = LINE_QUANTITY_MAX))]
    pub quantity: u32,
    /// What to say about it.
    #[serde(default)]
    #[schemars(length(max = ITEM_NOTE_BYTES_MAX))]
    pub note: String,
}

fn one() -> u32 {
    1
}

/// Reads properties as clients write them: which of them keep lines apart is for the shop to say.
fn plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Properties, D::Error> {
    Properties::parse(BTreeMap::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// Says what of a list goes into which cart.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "ListIntoCart")]
#[serde(default, deny_unknown_fields)]
pub struct ToCartForm {
    /// The cart, as `cart` of a reorder.
    #[schemars(with = "Option<cart_core::CartId>")]
    pub cart: Option<String>,
    /// The items; all of them where none are named.
    #[schemars(with = "Option<Vec<LineId>>", length(max = LIST_ITEMS_MAX))]
    pub items: Option<Vec<String>>,
    /// Whether they stay on the list as well. Those of a list that somebody else shared always do.
    pub keep: bool,
}

/// Names a line of a cart that goes onto a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "CartLineOntoList")]
#[serde(deny_unknown_fields)]
pub struct FromCartForm {
    /// The cart.
    #[schemars(with = "cart_core::CartId")]
    pub cart: String,
    /// The line.
    #[schemars(with = "LineId")]
    pub line: String,
}
