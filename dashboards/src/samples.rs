//! One of each page in each of its states, for tests and for looking at.
//!
//! The analyses are computed, not written down: totals of made-up looks go through [`experiments::analyze`], so that a
//! sample shows what a shop would.

mod demand;
mod edit;
mod measures;
mod orders;
mod overview;
mod page;
mod purses;
mod sample;
mod shelf_rules;
mod shelves;
mod states;
mod stock;
mod webhooks;

use experiments::{Status, Verdict};

use crate::demand::DemandPage;
use crate::login::Login;
use crate::measures::{MetricForm, MetricPage, MetricsPage};
use crate::orders::OrdersPage;
use crate::pages::{PageError, Pages};
use crate::purses::{CreditPage, CustomersPage, GiftCardsPage};
use crate::session::{Notice, Session};
use crate::shelf_rules::{ShelfRuleForm, ShelfRulesPage};
use crate::shelves::ShelvesPage;
use crate::stock::{ProductStockPage, StockPage};
use crate::webhooks::WebhooksPage;

use demand::demand;
use edit::{calculated, new_experiment, running_form, warned_form};
use measures::{measures, metric_form};
use orders::{order, order_sent_in_part, orders};
use overview::{empty_overview, searches};
use purses::{credit, gift_card, gift_cards};
use sample::metrics;
use shelf_rules::shelf_rules;
use shelves::{shelves, shelves_without_model};
use states::experiments;
use stock::{product_stock, stock};
use webhooks::{letters, sink, webhooks};

pub use edit::mistaken_form;
pub use overview::overview;
pub use page::{render, render_reports};
pub use sample::Sample;

/// When the samples were read: 24 November 2026, 06:24 UTC.
pub const AS_OF_MS: i64 = 1_795_501_440_000;
const DAY_MS: i64 = 86_400_000;
/// A name that would break a page that forgot to escape it.
pub const HOSTILE: &str = r#"<script>alert("x")</script> & '"><img src=x onerror=alert(1)>"#;

/// Returns who reads the samples.
pub fn session() -> Session {
    Session { user: "mara".into(), csrf: "csrf-token".into() }
}

/// Renders every page in every state, by name.
///
/// # Errors
/// [`PageError`], when a template does not fit its model.
pub fn render_all(pages: &Pages) -> Result<Vec<(String, String)>, PageError> {
    let wrong = Login {
        error: Some("Name and password do not belong together.".into()),
        user: "mara".into(),
        ..Login::default()
    };
    let mut rendered = vec![
        ("login".to_owned(), pages.login(&Login { next: "/admin".into(), ..Login::default() })?),
        ("login-refused".to_owned(), pages.login(&wrong)?),
        ("overview".to_owned(), pages.overview(&overview())?),
        ("overview-empty".to_owned(), pages.overview(&empty_overview())?),
        ("overview-found".to_owned(), pages.overview(&searches()[0])?),
        ("overview-nothing".to_owned(), pages.overview(&searches()[1])?),
        ("orders".to_owned(), pages.orders(&orders())?),
        ("orders-none".to_owned(), pages.orders(&OrdersPage { orders: vec![], next: None, ..orders() })?),
        ("order".to_owned(), pages.order(&order("placed", 0))?),
        ("order-sent-in-part".to_owned(), pages.order(&order_sent_in_part())?),
        ("order-refunded".to_owned(), pages.order(&order("fulfilled", 1_250))?),
        ("order-cancelled".to_owned(), pages.order(&order("cancelled", 2_995))?),
        ("gift-cards".to_owned(), pages.gift_cards(&gift_cards(None))?),
        ("gift-cards-issued".to_owned(), pages.gift_cards(&gift_cards(Some("ABCD-EFGH-2345-6789")))?),
        (
            "gift-cards-none".to_owned(),
            pages.gift_cards(&GiftCardsPage { cards: vec![], next: None, ..gift_cards(None) })?,
        ),
        ("gift-card".to_owned(), pages.gift_card(&gift_card(false))?),
        ("gift-card-stopped".to_owned(), pages.gift_card(&gift_card(true))?),
        ("credit".to_owned(), pages.credit(&credit())?),
        (
            "credit-none".to_owned(),
            pages.credit(&CreditPage { movements: vec![], account: None, ..credit() })?,
        ),
        (
            "customers".to_owned(),
            pages.customers(&CustomersPage { session: session(), query: String::new() })?,
        ),
        (
            "customers-nobody".to_owned(),
            pages.customers(&CustomersPage { session: session(), query: HOSTILE.into() })?,
        ),
        ("metrics".to_owned(), pages.metrics(&measures())?),
        ("metrics-refused".to_owned(), {
            let refused = Some(("[{}]".to_owned(), HOSTILE.to_owned()));
            pages.metrics(&MetricsPage { refused, own: vec![], ..measures() })?
        }),
        ("metric-new".to_owned(), pages.metric(&metric_form())?),
        ("metric-mistaken".to_owned(), {
            let form = MetricForm {
                conditions: HOSTILE.into(),
                property: String::new(),
                ..MetricForm::from(&metrics()[2])
            };
            let errors = form.metric().expect_err("the form has mistakes");
            pages.metric(&MetricPage {
                key: Some("revenue_per_unit".into()),
                form,
                errors,
                ..metric_form()
            })?
        }),
        ("demand".to_owned(), pages.demand(&demand())?),
        ("demand-none".to_owned(), {
            let none = DemandPage { are_letters_sent: false, rows: vec![], next: None, ..demand() };
            pages.demand(&none)?
        }),
        ("shelves".to_owned(), pages.shelves(&shelves())?),
        ("shelves-none".to_owned(), {
            pages.shelves(&ShelvesPage {
                funnels: vec![],
                duels: vec![],
                model: None,
                held_back: None,
                training: None,
                ..shelves()
            })?
        }),
        ("shelves-torn".to_owned(), pages.shelves(&shelves_without_model())?),
        ("shelf-rules".to_owned(), pages.shelf_rules(&shelf_rules())?),
        ("shelf-rules-none".to_owned(), {
            let none = ShelfRulesPage {
                notice: None,
                rows: vec![],
                form: ShelfRuleForm::default(),
                changes: vec![],
                ..shelf_rules()
            };
            pages.shelf_rules(&none)?
        }),
        ("stock".to_owned(), pages.stock(&stock())?),
        ("stock-none".to_owned(), pages.stock(&StockPage { rows: vec![], next: None, ..stock() })?),
        ("product-stock".to_owned(), pages.product_stock(&product_stock())?),
        (
            "product-stock-fresh".to_owned(),
            pages.product_stock(&ProductStockPage {
                notice: None,
                changes: vec![],
                locations: vec![],
                ..product_stock()
            })?,
        ),
        ("webhooks".to_owned(), pages.webhooks(&webhooks())?),
        (
            "webhooks-none".to_owned(),
            pages.webhooks(&WebhooksPage { endpoints: vec![], notice: None, ..webhooks() })?,
        ),
        ("sink".to_owned(), pages.sink(&sink())?),
        ("sink-letters".to_owned(), pages.sink(&letters())?),
        ("edit-new".to_owned(), pages.edit(&new_experiment())?),
        ("edit-mistaken".to_owned(), pages.edit(&mistaken_form())?),
        ("edit-warned".to_owned(), pages.edit(&warned_form())?),
        ("edit-running".to_owned(), pages.edit(&running_form())?),
        ("edit-calculated".to_owned(), pages.edit(&calculated("3.4", "any"))?),
        ("edit-calculated-looks".to_owned(), pages.edit(&calculated("3.4", "some"))?),
        ("edit-calculated-wrong".to_owned(), pages.edit(&calculated("", "any"))?),
    ];
    for (name, sample) in experiments() {
        let notice = match sample.analysis.verdict {
            Verdict::TooFew { .. } if sample.experiment.status() == Status::Running => {
                Some(Notice::Done("The experiment is running.".into()))
            }
            _ => None,
        };
        rendered.push((format!("experiment-{name}"), render(pages, &sample, notice)?));
    }
    Ok(rendered)
}
