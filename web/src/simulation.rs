//! Simulated shoppers: they browse, fill carts and buy through the shop's public doors, as people do.
//!
//! What they want is drawn from a seed before they set out ([`plan`], [`market`]); what they do then follows from what
//! the shop shows them ([`shopper`]). One effect is planted: a cart whose workflow is called `express` is bought more
//! often ([`plan::Effect`]). Shoppers know nothing of experiments, so whatever a dashboard finds, it has found.

pub mod crowd;
pub mod live;
pub mod market;
pub mod plan;
pub mod replay;
pub mod seen;
pub mod shopper;
pub mod site;
pub mod summary;
