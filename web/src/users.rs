//! The shop's users: who they are, how they enter, and the devices that are logged in.
//!
//! A device that logs in gets a new token of a form of its own. Plain visitors' tokens never need a look-up; a
//! session's token is looked up once and remembered for a few seconds, or until it ends.

pub mod carts;
pub mod device;
pub mod door;
pub mod email;
pub mod entry;
pub mod password;
pub mod principals;
pub mod throttle;

pub use entry::{Entered, Entry, EntryError};
pub use principals::Principals;
