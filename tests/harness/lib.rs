//! The harness of the black-box tests and benchmarks: it runs the real `cartwright` binary on private stores
//! and speaks to it as its users do.
//!
//! Nothing here reaches into the server: what is read besides its public interfaces is the stock table, by SQL,
//! because that is what an auditor of a shop would read.

pub mod admin;
pub mod app;
pub mod audit;
pub mod catalogue;
pub mod cluster;
pub mod device;
pub mod disk;
pub mod faraway;
pub mod kill;
pub mod letters;
pub mod mailbox;
pub mod metrics;
pub mod node;
pub mod patience;
pub mod program;
pub mod reaper;
pub mod server;
pub mod shopper;
pub mod tables;
pub mod workflow;

pub use admin::Admin;
pub use app::{Store, TestApp};
pub use device::{Device, Ended, Frame};
pub use metrics::Metrics;
pub use shopper::{Answer, Shopper};
