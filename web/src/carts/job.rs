//! What a cart actor is asked to do.

use std::sync::Arc;

use cart_core::{
    AssignedVariation, CartId, ChannelId, Currency, GroupId, Lines, Request, VisitorId, Workflow,
};
use serde_json::{Map, Value};

/// Is one thing to do with one cart, or with one and another that goes into it.
#[derive(Clone, Debug)]
pub struct Job {
    /// The cart.
    pub cart: CartId,
    /// What to do.
    pub kind: JobKind,
    /// The client's key, where it wants to be able to ask again.
    pub key: Option<IdempotencyKey>,
}

impl Job {
    /// Visits the carts that the job reads or changes.
    pub fn carts(&self) -> impl Iterator<Item = &CartId> {
        let other = match &self.kind {
            JobKind::Enter(Entering { from: Some((from, _)), .. }) => Some(from),
            _ => None,
        };
        std::iter::once(&self.cart).chain(other)
    }
}

/// Says what to do with a cart.
#[derive(Clone, Debug)]
pub enum JobKind {
    /// Opens the cart where there is none; the owner's own cart is answered as it is.
    Open(Opening),
    /// Reads the cart, for its owner where a caller is named; otherwise the door has asked by what right.
    Read(Option<VisitorId>),
    /// Runs a command.
    Execute(Request),
    /// Brings a cart to a user who has logged in.
    Enter(Entering),
}

/// Is how a cart, with what another one holds, becomes a user's.
#[derive(Clone, Debug)]
pub struct Entering {
    /// The user; the cart of the job is theirs from now on.
    pub user: VisitorId,
    /// The group of customers that the user belongs to.
    pub group: Option<GroupId>,
    /// The guest they were.
    pub guest: VisitorId,
    /// The cart that gives its lines and is closed, where there is one, and what becomes of its lines.
    pub from: Option<(CartId, Lines)>,
}

/// Says what a visitor wants of a cart that is to be opened for them.
#[derive(Clone, Debug, Default)]
pub struct CartWish {
    /// Its currency; the catalogue's own where none is named.
    pub currency: Option<Currency>,
    /// The channel that it is opened through, where that is said.
    pub channel: Option<ChannelId>,
}

impl CartWish {
    /// Wishes for a cart in a currency.
    pub fn in_currency(currency: Currency) -> Self {
        Self { currency: Some(currency), channel: None }
    }

    /// Wishes for a cart that the shop's own pages fill; their channel is called `web`.
    pub fn of_pages(currency: Option<Currency>) -> Self {
        Self { currency, channel: Some(ChannelId::parse("web").expect("the word is an id")) }
    }
}

/// Is what a new cart begins with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Its owner.
    pub owner: VisitorId,
    /// How experiments know the owner.
    pub unit: VisitorId,
    /// The group of customers that the owner belongs to.
    pub group: Option<GroupId>,
    /// The channel that it is opened through, where that was said.
    pub channel: Option<ChannelId>,
    /// Its currency.
    pub currency: Currency,
    /// The workflow it will keep.
    pub workflow: Arc<Workflow>,
    /// The variations that the unit meets with the workflow, each with what is to be told of its exposure.
    pub met: Vec<(AssignedVariation, Map<String, Value>)>,
}

/// Is a client's key with what tells requests apart.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// The key as the client sent it.
    pub key: String,
    /// A digest of the request.
    pub fingerprint: String,
}

/// Says why a job was not answered by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CartsError {
    /// The actor has as much to do as it may have.
    #[error("the shop has more to do than it can; try again in a moment")]
    Busy,
    /// The store did not do it, or it is not known whether it did.
    #[error("the shop cannot reach its store; try again in a moment")]
    Unavailable,
}
