//! What a log-in does with the cart that the device had as a guest.
//!
//! The two carts change in one transaction, guarded by their versions. Which two they are is found out under a lease of
//! the user, so that two devices that log in at once do it one after the other; a process that dies in between leaves the
//! carts as they were or as they are to be, and the next log-in goes on from there.

use std::{sync::Arc, time::Duration};

use cart_core::{Cart, CartId, Command, LeftLine, Lines, LoginCart, Request, VisitorId};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    carts::{CartsError, Entering},
    clock,
    shop::Shop,
    store::{self, Answer, User},
};

/// How long a lease lives whose process has died, in milliseconds.
const LEASE_MS: i64 = 10_000;
/// Leases that users share by their ids, so that the table of leases stays small.
const LEASES: u32 = 1_024;
/// How often a lease is asked for.
const LEASE_TRIES_MAX: u32 = 250;
/// How often carts are looked for anew that changed meanwhile: an order was placed, another device was quicker.
const TRIES_MAX: u32 = 5;

/// Is what became of the carts at a log-in.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// The user's cart from now on, where there is one.
    pub cart: Option<CartId>,
    /// What did not come along, said to the shopper.
    pub left: Vec<LeftLine>,
}

/// Is a line that did not come along, as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LeftLine")]
pub struct LeftView<'a> {
    line: String,
    name: &'a str,
    quantity: u32,
    /// Whether it waits in the cart for later.
    saved: bool,
    reason: &'static str,
    detail: String,
}

impl<'a> From<&'a LeftLine> for LeftView<'a> {
    fn from(left: &'a LeftLine) -> Self {
        Self {
            line: left.line.to_string(),
            name: &left.name,
            quantity: left.quantity,
            saved: left.is_saved,
            reason: left.because.name(),
            detail: left.because.to_string(),
        }
    }
}

/// Brings a guest's cart to the user by the shop's policy; done twice, it is done once.
///
/// # Errors
/// Where the store does not answer; nothing is half done then.
pub async fn settle(shop: &Shop, guest: &VisitorId, user: &User) -> Result<Settled, CartsError> {
    // Most guests that log in have no cart, and need no lease to find that out.
    if shop.current_cart(guest).await?.is_none() {
        return Ok(Settled { cart: open_cart(shop, &user.id).await?, left: vec![] });
    }
    let lease = Lease::take(shop, &user.id).await?;
    let settled = settle_alone(shop, guest, user).await;
    lease.give_back(shop).await;
    settled
}

async fn settle_alone(shop: &Shop, guest: &VisitorId, user: &User) -> Result<Settled, CartsError> {
    for _ in 0..TRIES_MAX {
        let mut lost = vec![];
        let own = awake(shop, &user.id, &mut lost).await?;
        let Some(guests) = awake(shop, guest, &mut lost).await? else {
            return Ok(Settled { cart: own.map(|cart| cart.id.clone()), left: lost });
        };
        let (into, from) = roles(shop.config.shop.login_cart, &guests, own.as_deref());
        let entering =
            Entering { user: user.id.clone(), group: user.group.clone(), guest: guest.clone(), from };
        if let Answer::Accepted(accepted) = shop.carts.enter(into, entering).await? {
            let left = lost.into_iter().chain(accepted.left).collect();
            return Ok(Settled { cart: Some(accepted.cart.id.clone()), left });
        }
    }
    Err(CartsError::Busy)
}

/// Returns an owner's current cart, opened again where it has expired; adds what of it was not to be had any more.
async fn awake(
    shop: &Shop,
    owner: &VisitorId,
    lost: &mut Vec<LeftLine>,
) -> Result<Option<Arc<Cart>>, CartsError> {
    let cart = match shop.current_cart(owner).await? {
        Some(cart) if cart.is_expired() => cart,
        other => return Ok(other),
    };
    let request = Request { caller: Some(owner.clone()), expected_version: None, command: Command::Reopen };
    let Answer::Accepted(accepted) = shop.carts.execute(cart.id.clone(), request, None).await? else {
        return Ok(Some(cart));
    };
    let short = accepted.reopened.iter().filter_map(|line| {
        let because = line.because.clone()?;
        let (line, name, quantity) = (line.line.clone(), line.name.clone(), line.wanted - line.quantity);
        Some(LeftLine { line, name, quantity, is_saved: false, because })
    });
    lost.extend(short);
    Ok(Some(accepted.cart.clone()))
}

/// Says which cart goes on, which one goes into it, and how.
fn roles(policy: LoginCart, guests: &Cart, own: Option<&Cart>) -> (CartId, Option<(CartId, Lines)>) {
    let is_blank = |cart: &Cart| cart.lines.is_empty() && cart.saved.is_empty();
    match own {
        None => (guests.id.clone(), None),
        // An empty cart is nothing to keep: the guest's goes on, and so does its checkout.
        Some(own) if is_blank(own) && !is_blank(guests) => {
            (guests.id.clone(), Some((own.id.clone(), Lines::Added)))
        }
        Some(own) => match policy {
            LoginCart::Merge => (own.id.clone(), Some((guests.id.clone(), Lines::Added))),
            LoginCart::Keep => (own.id.clone(), Some((guests.id.clone(), Lines::LaidAside))),
            LoginCart::Replace => (guests.id.clone(), Some((own.id.clone(), Lines::LaidAside))),
        },
    }
}

async fn open_cart(shop: &Shop, user: &VisitorId) -> Result<Option<CartId>, CartsError> {
    shop.store.open_cart_of(user).await.map_err(|error| unavailable(&error))
}

fn unavailable(error: &store::StoreError) -> CartsError {
    tracing::warn!(%error, "the carts of a log-in could not be looked up");
    CartsError::Unavailable
}

/// Is the right to settle a user's carts.
struct Lease {
    name: String,
    holder: String,
}

impl Lease {
    async fn take(shop: &Shop, user: &VisitorId) -> Result<Self, CartsError> {
        let bucket =
            user.as_str().bytes().fold(0_u32, |h, byte| h.wrapping_mul(31).wrapping_add(byte.into()));
        let name = format!("login-{}", bucket % LEASES);
        let lease = Self { name, holder: Uuid::new_v4().simple().to_string() };
        for _ in 0..LEASE_TRIES_MAX {
            let now_ms = clock::now_ms();
            let taken = shop.store.lease(&lease.name, &lease.holder, now_ms, now_ms + LEASE_MS).await;
            if taken.map_err(|error| unavailable(&error))? {
                return Ok(lease);
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        Err(CartsError::Busy)
    }

    async fn give_back(self, shop: &Shop) {
        let now_ms = clock::now_ms();
        if let Err(error) = shop.store.lease(&self.name, &self.holder, now_ms, now_ms).await {
            tracing::warn!(%error, "a lease of a log-in was not given back; it ends by itself");
        }
    }
}
