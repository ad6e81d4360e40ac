//! The Cartwright server: carts, experiments and recommendations behind HTTP, websockets and a command line.

pub mod config;
pub mod application;
pub mod shop;
pub mod visitor;

pub mod api;
pub mod channel;
pub mod storefront;
pub mod admin;
pub mod wire;
pub mod problem;

pub mod carts;
pub mod checkout;
pub mod payment;
pub mod catalogue;
pub mod import;

pub mod store;

pub mod definitions;
pub mod events;
pub mod shelves;

pub mod simulation;

pub mod metrics;
pub mod clock;
pub mod cli;
