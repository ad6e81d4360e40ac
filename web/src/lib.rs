//! The Cartwright server: carts, experiments and recommendations behind HTTP, websockets and a command line.

pub mod application;
pub mod config;
pub mod shop;
pub mod terms;
pub mod visitor;

pub mod admin;
pub mod api;
pub mod channel;
pub mod problem;
pub mod storefront;
pub mod wire;

pub mod carts;
pub mod catalogue;
pub mod checkout;
pub mod import;
pub mod payment;

pub mod store;

pub mod definitions;
pub mod events;
pub mod shelves;

pub mod simulation;

pub mod cli;
pub mod clock;
pub mod metrics;
