//! Carts that are shared by a link: the page of whoever has it, and the links as their owner sees them.

use cart_core::{Cart, Quote, Stage};
use serde::Serialize;

use super::{Card, CartView, Price, day::day};
use crate::store::CartShare;

const HOUR_MS: i64 = 3_600_000;

/// Is a link to a cart, as its owner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct ShareRow {
    id: String,
    name: String,
    is_editable: bool,
    ends: Option<String>,
}

impl ShareRow {
    /// Shows a link at a time.
    pub fn of(share: &CartShare, now_ms: i64) -> Self {
        Self {
            id: share.id.clone(),
            name: share.name.clone(),
            is_editable: share.is_editable,
            ends: ends(share, now_ms),
        }
    }
}

/// Says until when a link leads to its cart, where it ends by itself: hours while one counts in them, then the day.
fn ends(share: &CartShare, now_ms: i64) -> Option<String> {
    let left_ms = share.ends_at_ms? - now_ms;
    Some(match left_ms / HOUR_MS {
        ..1 => "within the hour".into(),
        1 => "in an hour".into(),
        hours @ 2..48 => format!("in {hours} hours"),
        _ => format!("on {}", day(share.ends_at_ms?)),
    })
}

/// Says what can be done with a cart that is seen by a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    Expired,
    Ordered,
}

/// Is the page of a cart for whoever has a link to it.
#[derive(Clone, Debug, Serialize)]
pub struct SharedPage {
    cart_id: String,
    action: String,
    cart: CartView,
    state: State,
    /// Whether the link lets this cart be changed as it stands.
    can_change: bool,
    is_editable: bool,
    /// Whether the cart is the one of whoever looks.
    is_own: bool,
    ends: Option<String>,
    /// Says where the cart stands, for those who do not see it.
    says: String,
    /// What was looked for, to be added.
    query: String,
    /// What was found; nothing where nothing was looked for.
    found: Option<Vec<Card>>,
}

impl SharedPage {
    /// Shows the cart of a link at a time, without what is between its owner and the shop; forms post to `action`.
    pub fn new(
        (share, action): (&CartShare, String),
        (cart, quote): (&Cart, &Quote),
        view: CartView,
        is_own: bool,
        now_ms: i64,
    ) -> Self {
        let state = match &cart.stage {
            _ if cart.is_expired() => State::Expired,
            Stage::Ordered { .. } => State::Ordered,
            _ => State::Open,
        };
        Self {
            cart_id: cart.id.to_string(),
            action,
            cart: view.shared(cart, quote, share.is_editable),
            state,
            can_change: share.is_editable && state == State::Open,
            is_editable: share.is_editable,
            is_own,
            ends: ends(share, now_ms),
            says: says(cart, quote),
            query: String::new(),
            found: None,
        }
    }

    /// Adds what was looked for, and what was found.
    #[must_use]
    pub fn with_found(self, query: &str, found: Vec<Card>) -> Self {
        Self { query: query.to_owned(), found: Some(found), ..self }
    }
}

fn says(cart: &Cart, quote: &Quote) -> String {
    let total = Price::new(quote.totals.total_minor, cart.currency).text;
    match quote.totals.items {
        0 => "The shared cart is empty.".into(),
        1 => format!("The shared cart holds 1 piece, {total}."),
        pieces => format!("The shared cart holds {pieces} pieces, {total}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storefront::pages::samples::{NOW_MS, share};

    #[test]
    fn a_link_says_when_it_ends_as_one_counts() {
        let said = |ends_at_ms| ends(&CartShare { ends_at_ms, ..share(true) }, NOW_MS);
        assert_eq!(said(None), None);
        for (left_ms, words) in [
            (-1, "within the hour"),
            (HOUR_MS - 1, "within the hour"),
            (HOUR_MS, "in an hour"),
            (2 * HOUR_MS, "in 2 hours"),
            (48 * HOUR_MS - 1, "in 47 hours"),
            (48 * HOUR_MS, "on 26 November 2025"),
        ] {
            assert_eq!(said(Some(NOW_MS + left_ms)).as_deref(), Some(words));
        }
    }
}
