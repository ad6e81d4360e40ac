//! A request to be told that a product is back, as its letters show it.

use cart_core::{Money, PriceQuestion};
use serde::Serialize;

use crate::{
    back_in_stock::{name_of, path_of, token_of},
    catalogue::Catalogue,
    keyring::Keyring,
    mail::letter::Letters,
    store::StockRequest,
    storefront::pages::{Price, day, product_path},
};

/// Is a request in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restock {
    product: String,
    price: String,
    /// The address of the product's page.
    product_url: String,
    /// The day on which the request is forgotten.
    ends_on: String,
    /// Where the address's requests are ended.
    pub unsubscribe: String,
}

impl Restock {
    /// Shows a request; none where shoppers do not see its product any more.
    pub fn of(
        request: &StockRequest,
        catalogue: &Catalogue,
        keys: &Keyring,
        letters: &Letters,
        now_ms: i64,
    ) -> Option<Self> {
        let product = catalogue.visible(&request.sku)?;
        let question = PriceQuestion { currency: request.currency, group: None, quantity: 1, now_ms };
        let price = product.price_for(&question).map(|price| Money::new(price.minor, request.currency));
        Some(Self {
            product: name_of(product),
            price: Price::from(price.unwrap_or(product.price)).text,
            product_url: letters.url(&product_path(request.sku.as_str())),
            ends_on: day(request.ends_at_ms),
            unsubscribe: letters.url(&path_of(&token_of(keys, &request.email))),
        })
    }
}
