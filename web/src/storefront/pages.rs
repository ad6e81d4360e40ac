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
//! | `POST /cart/lines/{line}` | `quantity`: sets, 0 removes; `remove=1`, `save=1`, `restore=1` and `drop=1` do so whatever the quantity says |
//! | `POST /checkout/start` | none |
//! | `POST /checkout/{step}` | the fields of the step; the payment step adds `payment_token` |
//! | `POST /checkout/order` | `payment_token` and the fields of the last step of a stepwise workflow |
//! | `POST /checkout/express` | the fields of all steps and `payment_token` |

use include_dir::{Dir, include_dir};
use serde::Serialize;
use tera::{Context, Tera};

mod asset;
mod cart;
mod checkout;
mod country;
mod fault;
mod field;
mod link;
mod placeholder;
mod price;
mod product;
mod shell;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use asset::{Asset, asset};
pub use cart::{CartLine, CartPage, CartView, Confirmation};
pub use checkout::{CheckoutPage, Entered, Progress, ShippingChoice};
pub use fault::FaultPage;
pub use field::{Field, Summary, TestCard};
pub use link::product as product_path;
pub use placeholder::placeholder;
pub use price::Price;
pub use product::{Availability, Card, Hero, Home, Listing, Picture, ProductPage, Shelf};
pub use shell::{Notice, Shell};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/storefront");

/// Says why a page could not be made: a fault of the program, never of the shopper.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A template is not UTF-8.
    #[error("template {0} is not UTF-8")]
    Encoding(String),
    /// A template does not parse, or asks for what its model lacks.
    #[error("a storefront page could not be rendered: {}", with_causes(.0))]
    Template(#[from] tera::Error),
}

/// Tera puts the useful half of its messages into the causes.
fn with_causes(error: &tera::Error) -> String {
    let first: &dyn std::error::Error = error;
    let chain = std::iter::successors(Some(first), |e| e.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
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

    /// Renders the confirmation of an order.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn confirmation(&self, shell: &Shell, page: &Confirmation) -> Result<String, PageError> {
        self.render("confirmation.html", shell, page)
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
        context.insert("assets", asset::versions());
        Ok(self.tera.render(template, &context)?)
    }
}
