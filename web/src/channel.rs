//! The live door: Phoenix Channels V2 over websockets.

pub mod connect;
pub mod frame;
pub mod inside;
pub mod manner;
pub(crate) mod operations;
pub mod session;
pub mod sessions;

use actix_web::web::{ServiceConfig, get, resource, to};

/// Routes the socket. The official client appends `/websocket` to the path it is given.
pub fn routes(config: &mut ServiceConfig) {
    let websocket = resource("/socket/websocket").route(get().to(connect::websocket));
    config.service(websocket.default_service(to(connect::not_a_get)));
}
