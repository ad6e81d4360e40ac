//! The pages product managers read, and what operators load into Grafana and Prometheus.
//!
//! The crate is given numbers and returns pages: it knows no database, reads no clock and touches no files at run
//! time. Templates, style sheet, Grafana dashboards and Prometheus rules are embedded when it is built.
//!
//! Read it in this order: [`pages`] holds the templates, [`session`] whom all pages speak to; a page is a typed model in [`login`], [`overview`], [`orders`], [`purses`], [`stock`], [`webhooks`],
//! [`demand`], [`experiment`] or [`edit`], each of which turns its numbers into words with [`money`], `figure`, `moment` and
//! [`chart`] before a template sees them, so that templates neither count nor decide. [`monitoring`] holds the files
//! for operators, [`samples`] one of each page for tests and for looking at.

pub mod pages;

pub mod session;

pub mod demand;
pub mod login;
pub mod measures;
pub mod model;
pub mod orders;
pub mod overview;
pub mod purses;
pub mod shelf_rules;
pub mod shelves;
pub mod stock;
pub mod training;
pub mod webhooks;

pub mod experiment;

pub mod edit;

mod interplay;
mod judgement;
mod rivalry;

pub mod chart;
mod field;
mod figure;
mod moment;
pub mod money;

pub mod assets;
pub mod monitoring;

pub mod samples;

pub use assets::ADMIN_CSS;
pub use demand::{DemandPage, DemandRow, DemandState};
pub use edit::{
    Calculator, ConditionRow, DefinitionForm, EditPage, FormError, MetricChoice, Subject, basis_points,
};
pub use experiment::{
    Change as HistoryChange, Dimension, Entry as HistoryEntry, ExperimentPage, FreshLink, LeftOut, Link,
    Links, Revision, SegmentSplit, Uncounted, entries as history_entries,
};
pub use figure::count;
pub use login::Login;
pub use measures::{MetricForm, MetricPage, MetricsPage};
pub use model::{ModelInService, OfflineFigure};
pub use money::Currency;
pub use monitoring::metrics_named;
pub use orders::{
    Elsewhere, OrderLine, OrderPage, OrderRow, OrdersPage, ParcelTracking, PieceToSend, SentParcel, ToSend,
};
pub use overview::{ExperimentRow, Overview, Search, ShopFigures};
pub use pages::{PageError, Pages};
pub use purses::{
    CreditPage, CustomerAccount, CustomersPage, GiftCardPage, GiftCardRow, GiftCardsPage, Movement,
    NewGiftCard,
};
pub use session::{Notice, Session};
pub use shelf_rules::{RuleState, ShelfRuleChange, ShelfRuleForm, ShelfRuleRow, ShelfRulesPage};
pub use shelves::{ShelfDuel, ShelfFunnel, ShelvesPage};
pub use stock::{
    ProductStockPage, StockChangeRow, StockDeed, StockForm, StockLevelRow, StockLocation, StockPage, StockRow,
};
pub use training::{LastTraining, TrainingOutcome};
pub use webhooks::{DeliveryRow, EndpointForm, EndpointRow, SinkPage, TypeChoice, WebhooksPage};
