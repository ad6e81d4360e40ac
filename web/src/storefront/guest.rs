//! Who is looking at a page: the visitor, their open cart and what a tester has forced.

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponseBuilder,
    cookie::{Cookie, SameSite},
};
use cart_core::{Cart, Money, PriceQuestion, ReopenedLine, Sku, gift_card};

use crate::{
    api::request::forced,
    carts::CartWish,
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
    /// The credit that a user has with the shop, in the currency of their cart, where there is any.
    pub credit: Option<Money>,
    /// What became of the lines of their cart, where it had expired and was opened again just now.
    pub reopened: Vec<ReopenedLine>,
    /// Variations that a tester has forced.
    pub forced: Forced,
    has_forced_now: bool,
    cookies: Vec<Cookie<'static>>,
}

impl Guest {
    /// Finds out who is looking; somebody nobody has seen before is welcome too, and who comes back after long has their
    /// cart opened again.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn meet(shop: &Shop, request: &HttpRequest) -> Result<Self, Problem> {
        let known = Visitor::of_request(request);
        let (mut cart, mut reopened) = (None, vec![]);
        if let Some(visitor) = &known
            && let Some(found) = shop.current_cart(&visitor.id).await?
        {
            let (again, lines) = shop.reopened(found, &visitor.id).await?;
            (cart, reopened) = (Some(again), lines);
        }
        let credit = match (&known, &cart) {
            (Some(visitor), Some(cart)) if visitor.login().is_some() => credit(shop, cart).await,
            _ => None,
        };
        let definitions = shop.definitions.get();
        let now = forced(request, &definitions);
        let has_forced_now = !now.is_empty();
        let mut forced = kept(request, &definitions);
        forced.extend(now);
        let visitor = known.unwrap_or_else(|| Visitor::fresh_at(request));
        let cookies = visitor.cookies(request);
        Ok(Self { visitor, cart, credit, reopened, forced, has_forced_now, cookies })
    }

    /// Returns the guest's cart; opens one where there is none.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn cart_or_open(&mut self, shop: &Shop) -> Result<Arc<Cart>, Problem> {
        if let Some(cart) = &self.cart {
            return Ok(cart.clone());
        }
        let answer = shop.open_cart(None, &self.visitor, CartWish::of_pages(None), &self.forced).await?;
        let cart = accepted(answer)?.cart;
        self.cart = Some(cart.clone());
        Ok(cart)
    }

    /// Returns what lies in their cart.
    pub fn in_cart(&self) -> BTreeSet<Sku> {
        self.cart.iter().flat_map(|cart| &cart.lines).map(|line| line.sku.clone()).collect()
    }

    /// Asks what one piece costs the guest now: in the currency of their cart, or in the shop's where they have none.
    pub fn price_question(&self, shop: &Shop) -> PriceQuestion<'_> {
        shop.price_question(self.cart.as_ref().map(|cart| cart.currency), self.visitor.group())
    }

    /// Makes the guest somebody else: the user who just logged in, or nobody in particular.
    pub fn become_visitor(&mut self, visitor: Visitor, request: &HttpRequest) {
        self.cookies = visitor.cookies(request);
        self.visitor = visitor;
        (self.cart, self.credit) = (None, None);
    }

    /// Sets the cookies by which the guest will be known again.
    pub fn remember(&self, response: &mut HttpResponseBuilder) {
        for cookie in &self.cookies {
            response.cookie(cookie.clone());
        }
        if self.has_forced_now {
            let value: Vec<String> = self.forced.iter().map(|(key, v)| format!("{key}={v}")).collect();
            let cookie = Cookie::build(FORCED_COOKIE, value.join("&"));
            response.cookie(cookie.path("/").http_only(true).same_site(SameSite::Lax).finish());
        }
    }
}

/// What cannot be found out is not offered; the cart is shown all the same.
async fn credit(shop: &Shop, cart: &Cart) -> Option<Money> {
    let account = gift_card::credit(cart.currency, &cart.owner);
    let balances = shop.store.balances(&[account.clone()].into()).await.ok()?;
    let minor = balances.get(&account).filter(|minor| *minor > 0)?;
    Some(Money::new(minor, cart.currency))
}

fn kept(request: &HttpRequest, definitions: &Definitions) -> Forced {
    let Some(cookie) = request.cookie(FORCED_COOKIE) else { return Forced::new() };
    let pairs = cookie.value().split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter_map(|(key, v)| Some((key.to_owned(), v.parse().ok()?)))
        .filter(|(key, _)| definitions.experiment(key).is_some())
        .collect()
}
