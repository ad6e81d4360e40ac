//! The JSON API: parse, call, shape.

pub mod carts;
pub mod catalogue;
pub mod request;

use actix_web::web::{ServiceConfig, get, post, scope, to};

/// Routes the API.
pub fn routes(config: &mut ServiceConfig) {
    config.service(
        scope("/api/v1")
            .route("/carts", post().to(carts::open))
            .route("/carts/{id}", get().to(carts::read))
            .route("/carts/{id}/commands", post().to(carts::command))
            .route("/orders/{id}", get().to(carts::order))
            .route("/products", get().to(catalogue::products))
            .route("/products/{sku}", get().to(catalogue::product))
            .route("/recommendations", get().to(catalogue::recommendations))
            .default_service(to(request::no_such_route)),
    );
}
