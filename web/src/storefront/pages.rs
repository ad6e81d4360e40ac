//! The storefront's pages: typed models in, HTML out.
//!
//! This module alone knows Tera. A handler fills a [`Shell`] and the model of its page and calls the method of
//! [`Pages`] that has the page's name; templates see nothing else. Every text is escaped by the engine, amounts arrive
//! formatted, and links arrive percent-encoded, so a template has no rule to forget.
//!
//! The forms that the pages send:
//!
//! | form | fields |
//! |---|---|
//! | `POST /cart/lines` | `sku`, `quantity`: adds |
//! | `POST /cart/lines/{line}` | `quantity`: sets, 0 removes; `remove=1`, `save=1`, `restore=1`, `drop=1` and `list=1` do so whatever the quantity says |
//! | `POST /cart/codes`, `POST /checkout/codes` | `code`: redeems what was typed; `remove_code`, `remove_card`; `credit=1` or `0`; in the checkout also the fields of the page and its `step` |
//! | `POST /checkout/start` | none |
//! | `POST /checkout/{step}` | the fields of the step; the payment step adds `payment_token`; a `code` that was not applied is redeemed first |
//! | `POST /checkout/order` | `payment_token` and the fields of the last step of a stepwise workflow |
//! | `POST /checkout/express` | the fields of all steps and `payment_token` |
//! | `POST /orders/lookup` | `order` and `email`: finds the order of a guest |
//! | `POST /orders/{id}/cancel` | none: cancels the order |
//! | `POST /orders/{id}/again` | none: puts what the order had into the cart |
//! | `POST /lists` | `name`: opens a wish list |
//! | `POST /lists/items` | `sku` and `list`: puts the product on it, on a new one where it is empty |
//! | `POST /lists/{id}` | `name`; `item`, `quantity` and `note`; `cart=1` or `remove=1` and `item`; `share=1`, `unshare=1` or `delete=1` |
//! | `POST /lists/shared/{token}` | `item`, or none for all: puts it into the cart |
//! | `POST /back-in-stock` | `sku` and `email`: tells the address when the product is back |
//! | `POST /back-in-stock/{token}` | `sku`, or none for all: waits no longer |
//! | `POST /cart/shares` | `name`, `editable` (`1`) and `expires_in_s`, empty for no end: makes a link to the cart |
//! | `POST /cart/shares/{id}` | none: takes the link back |
//! | `POST /cart/shared/{token}` | `line` and `quantity` or `remove=1`; `sku` and `quantity`; `code`, with `remove=1` taken back; `reopen=1`; `all=1` puts all of it into one's own cart; `q` is what was looked for |
//! | `POST /login` | `email`, `password`, `next`: logs in |
//! | `POST /register` | `name`, `email`, `password`, `next`: makes an account |
//! | `POST /logout` | none |
//! | `POST /account/sessions/{id}` | none: logs a device out |
//! | `POST /account/password` | `password`, `new_password` |
//! | `POST /history` | `keep=0` or `keep=1`: remembers nothing, or again; `delete=1`: forgets |
//! | `POST /checkout/cancel` | none: gives the payment under way up |
//! | `POST /sandbox/payments/{id}` | `confirm=1` or `refuse=1` |

use include_dir::{Dir, include_dir};
use serde::Serialize;
use tera::{Context, Tera};

mod account;
mod asset;
mod back_in_stock;
mod cart;
mod challenge;
mod checkout;
mod country;
mod day;
mod detail;
mod fault;
mod field;
mod history;
mod link;
mod list;
mod listing;
mod note;
mod order;
pub mod parcel;
mod placeholder;
mod price;
mod product;
mod shared;
mod shell;
mod worker;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use account::{AccountPage, CreditView, Entrance, Purpose};
pub use asset::{Asset, asset};
pub use back_in_stock::{StockRequestsPage, Tell};
pub use cart::{CartLine, CartPage, CartView, Confirmation, Redeem};
pub(crate) use cart::{address_lines, delivery, delivery_notes, parts};
pub use challenge::ChallengePage;
pub use checkout::{CheckoutPage, Entered, Progress, ShippingChoice};
pub use day::day;
pub use detail::{PROPERTY_PREFIX, ProductPage};
pub use fault::FaultPage;
pub use field::{Field, Summary, TestCard};
pub use history::HistoryPage;
pub use link::{encode, login as login_path, product as product_path};
pub use list::{ListPage, ListRow, ListsPage};
pub use listing::Listing;
pub use note::NoteField;
pub use order::{FoundOrder, LookUpPage, OrderRow, OrdersPage};
pub use parcel::{Parcel, location_name, parcels};
pub use placeholder::placeholder;
pub use price::{Price, with_prices};
pub use product::{Availability, Card, Hero, Home, Picture, SetOffer, Shelf};
pub use shared::{ShareRow, SharedPage};
pub use shell::{Keeps, Notice, Shell};
pub use worker::worker;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/storefront");

/// Says why a page could not be made: a fault of the program, never of the shopper.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A template is not UTF-8.
    #[error("template {0} is not UTF-8")]
    Encoding(String),
    /// A template does not parse, or asks for what its model lacks.
    #[error("a storefront page could not be rendered: {0}")]
    Template(#[from] tera::Error),
}

/// Renders the storefront's pages from the templates that are built into the program.
#[derive(Debug)]
pub struct Pages {
    tera: Tera,
}

impl Pages {
    /// Parses the templates.
    ///
    /// # Errors
    /// [`PageError`] where one of them is broken.
    pub fn new() -> Result<Self, PageError> {
        let mut sources = vec![];
        for file in TEMPLATES.files() {
            let name = file.path().to_string_lossy().into_owned();
            let text = file.contents_utf8().ok_or_else(|| PageError::Encoding(name.clone()))?;
            sources.push((name, text));
        }
        let mut tera = Tera::default();
        tera.autoescape_on(vec![".html"]);
        tera.add_raw_templates(sources)?;
        tera.global_context().insert("assets", asset::versions());
        Ok(Self { tera })
    }

    /// Renders the first page of the shop.
    ///
    /// # Errors
    /// [`PageError`], as every method here.
    pub fn home(&self, shell: &Shell, page: &Home) -> Result<String, PageError> {
        self.render("home.html", shell, page)
    }

    /// Renders a list of products: a category, a search, or everything.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn listing(&self, shell: &Shell, page: &Listing) -> Result<String, PageError> {
        self.render("listing.html", shell, page)
    }

    /// Renders the page of one product.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn product(&self, shell: &Shell, page: &ProductPage) -> Result<String, PageError> {
        self.render("product.html", shell, page)
    }

    /// Renders the cart page, an empty cart included.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn cart(&self, shell: &Shell, page: &CartPage) -> Result<String, PageError> {
        self.render("cart.html", shell, page)
    }

    /// Renders a checkout: one step of a stepwise workflow, or all steps on a single page.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn checkout(&self, shell: &Shell, page: &CheckoutPage) -> Result<String, PageError> {
        self.render("checkout.html", shell, page)
    }

    /// Renders the page on which a payment is confirmed.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn challenge(&self, shell: &Shell, page: &ChallengePage) -> Result<String, PageError> {
        self.render("challenge.html", shell, page)
    }

    /// Renders the confirmation of an order.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn confirmation(&self, shell: &Shell, page: &Confirmation) -> Result<String, PageError> {
        self.render("confirmation.html", shell, page)
    }

    /// Renders the page that stands in for others where there is no network: it belongs to nobody, and scripts fill it.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn offline(&self, shell: &Shell) -> Result<String, PageError> {
        self.render("offline.html", shell, &())
    }

    /// Renders the list of a visitor's orders.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn orders(&self, shell: &Shell, page: &OrdersPage) -> Result<String, PageError> {
        self.render("orders.html", shell, page)
    }

    /// Renders the page on which a guest looks an order up.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn look_up(&self, shell: &Shell, page: &LookUpPage) -> Result<String, PageError> {
        self.render("lookup.html", shell, page)
    }

    /// Renders the wish lists of a visitor.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn lists(&self, shell: &Shell, page: &ListsPage) -> Result<String, PageError> {
        self.render("lists.html", shell, page)
    }

    /// Renders a wish list, for its owner or for whoever has its link.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn list(&self, shell: &Shell, page: &ListPage) -> Result<String, PageError> {
        self.render("list.html", shell, page)
    }

    /// Renders a cart for whoever has a link to it.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn shared(&self, shell: &Shell, page: &SharedPage) -> Result<String, PageError> {
        self.render("shared.html", shell, page)
    }

    /// Renders the page of what an address waits for.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn stock_requests(&self, shell: &Shell, page: &StockRequestsPage) -> Result<String, PageError> {
        self.render("back_in_stock.html", shell, page)
    }

    /// Renders the page of what is remembered of whoever looks.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn history(&self, shell: &Shell, page: &HistoryPage) -> Result<String, PageError> {
        self.render("history.html", shell, page)
    }

    /// Renders the page on which one logs in or signs up.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn entrance(&self, shell: &Shell, page: &Entrance) -> Result<String, PageError> {
        self.render("entrance.html", shell, page)
    }

    /// Renders the page of an account.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn account(&self, shell: &Shell, page: &AccountPage) -> Result<String, PageError> {
        self.render("account.html", shell, page)
    }

    /// Renders a failure in words for people.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn fault(&self, shell: &Shell, page: &FaultPage) -> Result<String, PageError> {
        self.render("fault.html", shell, page)
    }

    fn render(&self, template: &str, shell: &Shell, page: &impl Serialize) -> Result<String, PageError> {
        let mut context = Context::new();
        context.insert("shell", shell);
        context.insert("page", page);
        Ok(self.tera.render(template, &context)?)
    }
}
