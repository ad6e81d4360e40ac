//! Webhooks: events of the outbox, signed and posted to endpoints of the shop's own choosing.
//!
//! Signatures follow Standard Webhooks (<https://www.standardwebhooks.com/>): `webhook-id` is the event's id and the
//! same at every try, `webhook-timestamp` the time of the try in Unix seconds, `webhook-signature` one or, while a
//! secret is rotated, two signatures.
//!
//! Deliveries happen at least once. First tries begin in the order of the events, several at once, so a receiver that
//! needs the order sorts by `position`. One endpoint never waits for another.

pub mod agent;
pub mod endpoint;
mod hook;
pub mod post;
pub mod target;

pub use endpoint::Endpoint;
