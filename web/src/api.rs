//! The JSON API: parse, call, shape.

pub mod admin_orders;
pub mod carts;
pub mod catalogue;
pub mod customers;
pub mod deliveries;
pub mod gift_cards;
pub mod history;
pub mod lists;
pub mod orders;
pub mod page;
pub mod payments;
pub mod recommendations;
pub mod request;
pub mod shelf_events;
pub mod shelf_rules;
pub mod snapshots;
pub mod stock;
pub mod stock_requests;
pub mod users;
pub mod webhooks;

mod admin;
pub(crate) mod cart_text;
mod explanations;
mod gate;
mod headers;
mod openapi;
pub(crate) mod operation;
mod problems;
mod shares;

use actix_web::{
    middleware::{Compat, Compress},
    web::{ServiceConfig, get, resource as at, scope, to},
};

use self::operation::{Operation, by_path, serve};

/// Where the API's addresses begin.
pub const BASE: &str = "/api/v1";

/// Lists all operations: what stands here is routed and documented, and nothing else is.
pub(crate) fn operations() -> Vec<Operation> {
    [
        carts::operations(),
        orders::operations(),
        lists::operations(),
        explanations::operations(),
        history::operations(),
        shares::operations(),
        stock_requests::operations(),
        snapshots::operations(),
        payments::operations(),
        admin_orders::operations(),
        gift_cards::operations(),
        customers::operations(),
        stock::operations(),
        catalogue::operations(),
        recommendations::operations(),
        shelf_events::operations(),
        shelf_rules::operations(),
        users::operations(),
        webhooks::operations(),
        deliveries::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Lists what the document tells of: the API, and the doors of flags, which are routed elsewhere by the same descriptions.
fn documented() -> Vec<Operation> {
    operations().into_iter().chain(crate::flags::operations()).collect()
}

/// Routes the API.
pub fn routes(config: &mut ServiceConfig) {
    let mut paths = by_path(operations());
    // An address without parameters is compared, one with them is matched by a pattern: what is found sooner stands first.
    paths.sort_by_key(|(path, _)| path.contains('{'));
    let api = paths.into_iter().fold(scope(BASE), |api, (path, operations)| serve(api, path, &operations));
    config
        .service(
            at("/api/openapi.json").wrap(Compat::new(Compress::default())).route(get().to(openapi::serve)),
        )
        .route("/problems", get().to(problems::index))
        .route("/problems/{name}", get().to(problems::page))
        .service(api.default_service(to(request::no_such_route)).wrap_fn(gate::pass));
}
