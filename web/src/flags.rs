//! Flags for any SDK of the standards: GrowthBook's wire and OFREP.
//!
//! All doors answer from one compiled payload, [`Definitions::payload`](crate::definitions::Definitions::payload), which is
//! swapped with the definitions. So any door gives any unit the variation that the shop's own workflow has for it.

pub mod clients;
pub mod publication;
pub mod publisher;
pub mod streams;

mod evaluation;
mod features;
mod gate;
mod ofrep;
mod operations;
mod question;
mod refusal;
mod shapes;
mod subscription;
mod tracking;

use actix_web::{
    Resource,
    middleware::{Compat, Compress, from_fn},
    web::{self, ServiceConfig},
};

pub use self::tracking::TRACK_AGE_MAX_MS;
use crate::api::operation::{self, Operation, by_path};

/// Describes the doors for the API's document.
pub(crate) fn operations() -> Vec<Operation> {
    operations::operations()
}

/// Routes the doors of flags.
pub fn routes(config: &mut ServiceConfig) {
    for (path, operations) in by_path(operations()) {
        // Some clients leave the slashes of a flag's key as they are.
        let (resource, allow) = operation::resource(&path.replace("{key}", "{key:.*}"), &operations);
        let resource = answering(resource, allow);
        match operations.iter().any(|operation| operation.is_compressed) {
            true => config.service(resource.wrap(Compat::new(Compress::default())).wrap(from_fn(gate::pass))),
            false => config.service(resource.wrap(from_fn(gate::pass))),
        };
    }
    // A stream never ends and is no JSON, so no description of an operation fits it.
    let streams = [
        web::resource("/sub/{client_key}").route(web::get().to(subscription::features)),
        web::resource(subscription::OFREP_PATH).route(web::get().to(subscription::ofrep)),
    ];
    for stream in streams {
        config.service(answering(stream, "GET, OPTIONS".into()).wrap(from_fn(gate::pass)));
    }
}

/// Answers methods that a path has not, in the words of its protocol.
fn answering(resource: Resource, allow: String) -> Resource {
    resource.default_service(web::to(move |request| gate::other_method(request, allow.clone())))
}
