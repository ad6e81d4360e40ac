//! The Cartwright server: carts, experiments and recommendations behind HTTP, websockets and a command line.

pub mod store;
