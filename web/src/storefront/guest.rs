//! Who is looking at a page: the visitor, their open cart and what a tester has forced.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponseBuilder,
    cookie::{Cookie, SameSite},
};
use cart_core::Cart;

use crate::{
    api::request::forced,
    carts::CartsError,
    definitions::{Definitions, Forced},
    problem::{Problem, accepted},
    shop::Shop,
    visitor::Visitor,
};

/// Keeps what a tester forces by a page's address for the pages after it, until the browser closes.
const FORCED_COOKIE: &str = "cartwright_forced";

/// Is who is looking.
pub struct Guest {
    /// The visitor.
    pub visitor: Visitor,
    /// Their newest cart that is not an order.
    pub cart: Option<Arc<Cart>>,
    /// Variations that a tester has forced.
    pub forced: Forced,
    has_forced_now: bool,
}

impl Guest {
    /// Finds out who is looking; somebody nobody has seen before is welcome too.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn meet(shop: &Shop, request: &HttpRequest) -> Result<Self, CartsError> {
        let known = Visitor::of_request(request);
        let cart = match &known {
            Some(visitor) => shop.current_cart(&visitor.id).await?,
            None => None,
        };
        let definitions = shop.definitions.get();
        let now = forced(request, &definitions);
        let has_forced_now = !now.is_empty();
        let mut forced = kept(request, &definitions);
        forced.extend(now);
        Ok(Self { visitor: known.unwrap_or_else(Visitor::fresh), cart, forced, has_forced_now })
    }

    /// Returns the guest's cart; opens one where there is none.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn cart_or_open(&mut self, shop: &Shop) -> Result<Arc<Cart>, Problem> {
        if let Some(cart) = &self.cart {
            return Ok(cart.clone());
        }
        let answer = shop.open_cart(None, &self.visitor.id, None, &self.forced).await?;
        let cart = accepted(answer)?.cart;
        self.cart = Some(cart.clone());
        Ok(cart)
    }

    /// Sets the cookies by which the guest will be known again.
    pub fn remember(&self, response: &mut HttpResponseBuilder) {
        if self.visitor.new_token().is_some() {
            response.cookie(self.visitor.cookie());
        }
        if self.has_forced_now {
            let value: Vec<String> = self.forced.iter().map(|(key, v)| format!("{key}={v}")).collect();
            let cookie = Cookie::build(FORCED_COOKIE, value.join("&"));
            response.cookie(cookie.path("/").http_only(true).same_site(SameSite::Lax).finish());
        }
    }
}

fn kept(request: &HttpRequest, definitions: &Definitions) -> Forced {
    let Some(cookie) = request.cookie(FORCED_COOKIE) else { return Forced::new() };
    let pairs = cookie.value().split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter_map(|(key, v)| Some((key.to_owned(), v.parse().ok()?)))
        .filter(|(key, _)| definitions.experiment(key).is_some())
        .collect()
}
