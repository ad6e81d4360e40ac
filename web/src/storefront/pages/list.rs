//! Wish lists as shoppers see them.

use cart_core::{OnOffer, PriceQuestion, Product, Sku};
use serde::Serialize;

use super::{
    Availability, Card, Picture, Price,
    cart::{labelled, unlisted},
    link,
};
use crate::lists::{WishItem, WishList};

/// Is a list in a row.
#[derive(Clone, Debug, Serialize)]
pub struct ListRow {
    /// Its name in forms.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    items: usize,
    is_shared: bool,
}

impl From<&WishList> for ListRow {
    fn from(list: &WishList) -> Self {
        Self {
            id: list.id.clone(),
            name: list.name.clone(),
            items: list.items.len(),
            is_shared: list.share.is_some(),
        }
    }
}

/// Is the page of all lists of a visitor.
#[derive(Clone, Debug, Serialize)]
pub struct ListsPage {
    /// In the order in which they were opened.
    pub lists: Vec<ListRow>,
}

/// Is the page of one list.
#[derive(Clone, Debug, Serialize)]
pub struct ListPage {
    name: String,
    action: String,
    is_own: bool,
    is_shared: bool,
    items: Vec<Item>,
    /// Whether something of it can be bought.
    can_buy: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Item {
    id: String,
    name: String,
    href: String,
    picture: Picture,
    properties: Vec<(String, String)>,
    price: Option<Price>,
    availability: Option<Availability>,
    can_buy: bool,
    quantity: u32,
    note: String,
}

impl ListPage {
    /// Puts the page together; products that are no longer for sale are not found.
    pub fn new<'p>(
        list: &WishList,
        action: String,
        is_own: bool,
        product: impl Fn(&Sku) -> Option<(&'p Product, Option<OnOffer>)>,
        now: &PriceQuestion<'_>,
    ) -> Self {
        let item = |item: &WishItem| Item::new(item, product(&item.sku), now);
        let items: Vec<Item> = list.items.iter().map(item).collect();
        Self {
            name: list.name.clone(),
            action,
            is_own,
            is_shared: list.share.is_some(),
            can_buy: items.iter().any(|item| item.can_buy),
            items,
        }
    }
}

impl Item {
    fn new(item: &WishItem, product: Option<(&Product, Option<OnOffer>)>, now: &PriceQuestion<'_>) -> Self {
        let availability = product.map(|(product, offer)| Card::of(product, offer, now.now_ms).availability);
        let sku = item.sku.as_str();
        Self {
            id: item.id().to_string(),
            name: product.map_or_else(|| sku.to_owned(), |(product, _)| product.name.clone()),
            href: link::product(sku),
            picture: product.map_or_else(|| unlisted(sku), |(product, _)| Picture::of(product)),
            properties: labelled(&item.properties, product.map(|(product, _)| product)),
            price: product
                .and_then(|(product, _)| product.price_for(now))
                .map(|price| Price::new(price.minor, now.currency)),
            can_buy: availability.as_ref().is_some_and(|a| a.most() > 0),
            availability,
            quantity: item.quantity,
            note: item.note.clone(),
        }
    }
}
