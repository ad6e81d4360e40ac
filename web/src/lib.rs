//! The Cartwright server: carts, experiments and recommendations behind HTTP, websockets and a command line.

pub mod answers;
pub mod application;
pub mod circumstances;
pub mod config;
pub mod keyring;
pub mod shop;
pub mod signature;
pub mod terms;
pub mod throttle;
pub mod users;
pub mod visitor;

pub mod admin;
pub mod api;
pub mod channel;
pub mod flags;
pub mod peek;
pub mod problem;
pub mod storefront;
pub mod wire;

pub mod back_in_stock;
pub mod carts;
pub mod catalogue;
pub mod checkout;
pub mod filling;
pub mod gift_card;
pub mod import;
pub mod lists;
pub mod payment;
pub mod restore;
pub mod search;
pub mod share_link;
pub mod shares;
pub mod snapshot;

pub mod store;

pub mod bandits;
pub mod definitions;
pub mod events;
pub mod experiment_metrics;
pub mod ramps;
pub mod results;
pub mod revisions;

pub mod deliveries;
pub mod mail;
pub mod webhooks;

pub mod history;
pub mod trails;
pub mod views;

pub mod shelves;

pub mod simulation;

pub mod cli;
pub mod clock;
pub mod metrics;
