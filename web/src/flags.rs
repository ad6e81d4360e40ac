//! Flags for any SDK of the standards: GrowthBook's wire and OFREP.
//!
//! All doors answer from one compiled payload, [`Definitions::payload`](crate::definitions::Definitions::payload), which is
//! swapped with the definitions. So any door gives any unit the variation that the shop's own workflow has for it.

pub mod clients;
pub mod publication;
pub mod streams;

mod evaluation;
mod features;
mod gate;
mod ofrep;
mod question;
mod refusal;
mod subscription;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use actix_web::{
    Resource,
    middleware::{Compat, Compress, from_fn},
    web::{ServiceConfig, get, head, post, resource, to},
};

use self::{clients::Clients, publication::Publication, refusal::Refusal, streams::Streams};
use crate::{config::FlagsConfig, definitions::DefinitionsCell};

/// Routes the doors of flags.
pub fn routes(config: &mut ServiceConfig) {
    let features = at("/api/features/{client_key}", "GET, HEAD, OPTIONS");
    let features = features.route(get().to(features::get)).route(head().to(features::get));
    let features = features.wrap(Compat::new(Compress::default()));
    let subscription = at("/sub/{client_key}", "GET, OPTIONS").route(get().to(subscription::subscribe));
    let evaluation = at("/api/eval/{client_key}", "OPTIONS, POST").route(post().to(evaluation::evaluate));
    let all = at("/ofrep/v1/evaluate/flags", "OPTIONS, POST").route(post().to(ofrep::all));
    // Some clients leave the slashes of a key as they are.
    let one = at("/ofrep/v1/evaluate/flags/{key:.*}", "OPTIONS, POST").route(post().to(ofrep::one));
    config
        .service(features.wrap(from_fn(gate::pass)))
        .service(subscription.wrap(from_fn(gate::pass)))
        .service(evaluation.wrap(from_fn(gate::pass)))
        .service(all.wrap(from_fn(gate::pass)))
        .service(one.wrap(from_fn(gate::pass)));
}

/// Begins a path; methods that it has not are answered in the words of its protocol.
fn at(path: &str, allow: &'static str) -> Resource {
    resource(path).default_service(to(move |request| gate::other_method(request, allow)))
}

/// Is what the doors of flags share.
pub struct Flags {
    clients: Clients,
    definitions: Arc<DefinitionsCell>,
    /// What was made last for each client key; there are no more than the configuration has.
    published: Mutex<BTreeMap<String, Arc<Publication>>>,
    /// The open streams.
    pub streams: Arc<Streams>,
}

impl Flags {
    /// Opens the doors to the configured clients.
    pub fn new(config: &FlagsConfig, definitions: Arc<DefinitionsCell>) -> Self {
        Self {
            clients: Clients::of(config),
            definitions,
            published: Mutex::default(),
            streams: Arc::default(),
        }
    }

    /// Returns what the clients of a key get now.
    ///
    /// # Errors
    /// [`Refusal`] where nobody is known by the key.
    fn publication(&self, client_key: &str) -> Result<Arc<Publication>, Refusal> {
        let client = self.clients.find(client_key)?;
        let definitions = self.definitions.get();
        let mut published = self.published.lock().expect("no thread panics with the lock held");
        if let Some(known) = published.get(client_key).filter(|known| known.version == definitions.version())
        {
            return Ok(known.clone());
        }
        let made = Arc::new(Publication::of(&definitions, client));
        published.insert(client_key.to_owned(), made.clone());
        Ok(made)
    }
}
