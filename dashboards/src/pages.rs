//! The templates, parsed once, and what all pages share.

use include_dir::{Dir, include_dir};
use serde::Serialize;
use tera::{Context, Tera};

use crate::assets;
use crate::demand::DemandPage;
use crate::edit::EditPage;
use crate::experiment::ExperimentPage;
use crate::login::Login;
use crate::measures::{MetricPage, MetricsPage};
use crate::orders::{OrderPage, OrdersPage};
use crate::overview::Overview;
use crate::purses::{CreditPage, CustomersPage, GiftCardPage, GiftCardsPage};
use crate::session::{Notice, NoticeView, Session};
use crate::shelf_rules::ShelfRulesPage;
use crate::shelves::ShelvesPage;
use crate::stock::{ProductStockPage, StockPage};
use crate::webhooks::{SinkPage, WebhooksPage};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// Says why a page cannot be made; each is a mistake in a template, never in what a person typed.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A template cannot be parsed.
    #[error("templates cannot be parsed: {0}")]
    Templates(#[source] tera::Error),
    /// A template asks for what its model does not give.
    #[error("page {page} cannot be rendered: {source}")]
    Render {
        /// The template.
        page: &'static str,
        /// What it met.
        source: tera::Error,
    },
}

/// What the frame around a page needs, beside the page's own view.
#[derive(Serialize)]
struct Framed<'a, View> {
    place: &'static str,
    session: &'a Session,
    notice: Option<NoticeView<'a>>,
    #[serde(flatten)]
    view: View,
}

/// What stands inside a page that is a file of its own.
#[derive(Serialize)]
struct Inlined<View> {
    style: &'static str,
    icon: String,
    #[serde(flatten)]
    view: View,
}

impl<View> Inlined<View> {
    fn around(view: View) -> Self {
        Inlined { style: assets::ADMIN_CSS, icon: assets::icon_address(), view }
    }
}

/// Holds the parsed templates and renders pages as whole HTML documents.
///
/// Everything in a model is escaped. Pages need no script and carry no inline style; forms are checked by one of our own while
/// they are filled in. So a Content-Security-Policy of `default-src 'none'; script-src 'self'; connect-src 'self'; style-src
/// 'self'; img-src 'self'; form-action 'self'` fits them. A report carries its style inside.
#[derive(Debug)]
pub struct Pages {
    tera: Tera,
}

impl Pages {
    /// Parses the embedded templates.
    ///
    /// # Errors
    /// [`PageError::Templates`], when one of them is no template.
    pub fn new() -> Result<Pages, PageError> {
        let mut tera = Tera::default();
        let files = TEMPLATES.files().filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)));
        tera.add_raw_templates(files).map_err(PageError::Templates)?;
        Ok(Pages { tera })
    }

    /// Renders the page to sign in.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn login(&self, page: &Login) -> Result<String, PageError> {
        self.render("login.html", page)
    }

    /// Renders the list of experiments with the shop's figures.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn overview(&self, page: &Overview) -> Result<String, PageError> {
        self.framed("overview.html", "overview", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders the list of orders.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn orders(&self, page: &OrdersPage) -> Result<String, PageError> {
        self.framed("orders.html", "orders", &page.session, None, page.view())
    }

    /// Renders one order with what can be done with it.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn order(&self, page: &OrderPage) -> Result<String, PageError> {
        self.framed("order.html", "orders", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders the list of gift cards, with the form that issues another.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn gift_cards(&self, page: &GiftCardsPage) -> Result<String, PageError> {
        self.framed("gift_cards.html", "gift-cards", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders one gift card with what moved it.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn gift_card(&self, page: &GiftCardPage) -> Result<String, PageError> {
        self.framed("gift_card.html", "gift-cards", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders the page on which a customer is looked up.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn customers(&self, page: &CustomersPage) -> Result<String, PageError> {
        self.framed("customers.html", "customers", &page.session, None, page.view())
    }

    /// Renders the credit of a customer with what moved it.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn credit(&self, page: &CreditPage) -> Result<String, PageError> {
        self.framed("credit.html", "customers", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders the list of the stock.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn stock(&self, page: &StockPage) -> Result<String, PageError> {
        self.framed("stock.html", "stock", &page.session, None, page.view())
    }

    /// Renders the stock of one product with the forms that change it.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn product_stock(&self, page: &ProductStockPage) -> Result<String, PageError> {
        self.framed("product_stock.html", "stock", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders the list of endpoints, with the form that makes another.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn webhooks(&self, page: &WebhooksPage) -> Result<String, PageError> {
        self.framed("webhooks.html", "webhooks", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders a sink with its deliveries.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn sink(&self, page: &SinkPage) -> Result<String, PageError> {
        self.framed("sink.html", "webhooks", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders the list of who waits to be told that a product is back.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn demand(&self, page: &DemandPage) -> Result<String, PageError> {
        self.framed("demand.html", "demand", &page.session, None, page.view())
    }

    /// Renders the list of metrics with the form of the shop's own.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn metrics(&self, page: &MetricsPage) -> Result<String, PageError> {
        self.framed("measures.html", "experiment", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders what came of the shelves.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn shelves(&self, page: &ShelvesPage) -> Result<String, PageError> {
        self.framed("shelves.html", "shelves", &page.session, None, page.view())
    }

    /// Renders the rules of the shelves.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn shelf_rules(&self, page: &ShelfRulesPage) -> Result<String, PageError> {
        self.framed("shelf_rules.html", "shelf-rules", &page.session, page.notice.as_ref(), page.view())
    }

    /// Renders the form of a metric.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn metric(&self, page: &MetricPage) -> Result<String, PageError> {
        self.framed("measure.html", "experiment", &page.session, None, page.view())
    }

    /// Renders one experiment: its verdict first, then what it rests on. Without a session it is a report: one file that holds
    /// its own style and icons, no form, and nothing that leads elsewhere, to be read wherever it is taken.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn experiment(&self, page: &ExperimentPage<'_>) -> Result<String, PageError> {
        match page.session {
            Some(session) => {
                self.framed("experiment.html", "experiment", session, page.notice.as_ref(), page.view())
            }
            None => self.render("report.html", &Inlined::around(page.view())),
        }
    }

    /// Renders the form that creates or edits an experiment.
    ///
    /// # Errors
    /// [`PageError::Render`], as all pages.
    pub fn edit(&self, page: &EditPage) -> Result<String, PageError> {
        self.framed("edit.html", "experiment", &page.session, None, page.view())
    }

    fn framed(
        &self,
        template: &'static str,
        place: &'static str,
        session: &Session,
        notice: Option<&Notice>,
        view: impl Serialize,
    ) -> Result<String, PageError> {
        self.render(template, &Framed { place, session, notice: notice.map(Notice::view), view })
    }

    fn render(&self, page: &'static str, view: &impl Serialize) -> Result<String, PageError> {
        let rendered = Context::from_serialize(view).and_then(|context| self.tera.render(page, &context));
        rendered.map_err(|source| PageError::Render { page, source })
    }
}
