//! What every page shows around its own matter.

use cart_core::{CartId, CartLayout, Currency, VisitorId};
use serde::Serialize;

use super::{Price, link, price};
use crate::config::SessionMode;

/// Is the frame of every page.
///
/// With a [`cart_id`](Self::cart_id) the page opens a channel, which knows the visitor by the cookie, and stays live;
/// without one every form is a plain one, and the first that is sent opens a cart.
#[derive(Clone, Debug, Serialize)]
pub struct Shell {
    /// The shop's name.
    pub shop_name: String,
    /// The currency of the page's prices: the shop's, or that of the cart.
    pub currency: Currency,
    /// The sign before amounts, for scripts; empty where the code stands behind them.
    sign: &'static str,
    /// Pieces in the cart.
    pub cart_count: u64,
    /// Where a shopper meets the cart.
    pub cart_layout: CartLayout,
    /// What to call the user, where somebody is logged in.
    pub account: Option<String>,
    /// The credit that the user has with the shop, where there is any.
    pub credit: Option<Price>,
    /// Where one logs in, to come back here.
    pub login: String,
    /// The open cart, where there is one.
    pub cart_id: Option<CartId>,
    /// The version of that cart, where the page shows it.
    pub cart_version: Option<u64>,
    /// Whether a price that changed under a cart is to be accepted before the order.
    pub asks_prices: bool,
    /// What the page keeps in the browser, where it may keep anything.
    pub keeps: Option<Keeps>,
    /// The categories of the navigation.
    categories: Vec<Category>,
    /// A message about what just happened.
    pub notice: Option<Notice>,
    /// Whether the message tells of changes of the cart, so that scripts need not.
    pub is_told: bool,
    /// Whether it tells the shop how long it took: while an experiment runs.
    pub measures: bool,
    /// The heading of the shelf beside a cart, as its flag says.
    pub shelf_heading: String,
    /// What stands in the search field.
    pub query: String,
    /// Whether the document may be kept by search engines.
    pub index: bool,
}

/// Is what a page needs to know to keep a cart in the browser.
#[derive(Clone, Debug, Serialize)]
pub struct Keeps {
    /// Where carts live.
    pub mode: SessionMode,
    /// Whom they belong to; `None` on the page that stands in for others.
    pub visitor: Option<VisitorId>,
    /// For how many hours the shop remembers an idempotency key.
    pub key_hours: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Category {
    name: String,
    href: String,
}

/// Is a message about what the shopper just did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "text", rename_all = "snake_case")]
pub enum Notice {
    /// It worked.
    Done(String),
    /// It did not, and this is why.
    Refused(String),
    /// A link was made, which is shown this once.
    Link {
        /// What it is good for.
        says: String,
        /// Its address.
        url: String,
    },
}

impl Shell {
    /// Says in which currency the prices of the page are.
    #[must_use]
    pub fn in_currency(self, currency: Currency) -> Self {
        Self { currency, sign: price::sign(currency), ..self }
    }

    /// Returns the frame of a shop for a visitor without a cart.
    pub fn new(shop_name: impl Into<String>, currency: Currency) -> Self {
        Self {
            shop_name: shop_name.into(),
            currency,
            sign: price::sign(currency),
            cart_count: 0,
            cart_layout: CartLayout::Page,
            account: None,
            credit: None,
            login: "/login".into(),
            cart_id: None,
            cart_version: None,
            asks_prices: false,
            keeps: None,
            categories: vec![],
            notice: None,
            is_told: false,
            measures: false,
            shelf_heading: "Goes with your cart".into(),
            query: String::new(),
            index: true,
        }
    }

    /// Sets the categories of the navigation, in the order in which they are shown.
    #[must_use]
    pub fn with_categories<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        let category =
            |name: S| Category { href: link::category(name.as_ref()), name: name.as_ref().to_owned() };
        self.categories = names.into_iter().map(category).collect();
        self
    }
}
