//! A shopper's say over what is remembered of them: whether anything is, and that it is forgotten.
//!
//! A history is what a shopper looked at and put into carts, kept as a trail ([`crate::trails`]) and learned from. A no is heard
//! wherever it is said: by the shopper, for their unit on every device; by a browser's cookie, for whoever uses it; by
//! `Sec-GPC` or `DNT` of a request. Carts and orders are what the shopper and the shop need them for, and stay.

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use cart_core::VisitorId;

use crate::{
    circumstances::HISTORY_COOKIE,
    clock,
    problem::Problem,
    shop::Shop,
    store::{self, Because, History, HistoryWish},
    trails::{Step, Trail},
    visitor::Visitor,
};

/// How long a browser remembers a no.
const COOKIE_DAYS: i64 = 365;

/// Is what is remembered of a visitor.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// Why nothing is, where nothing is.
    pub declined: Option<Because>,
    /// Whether their browser asks that nothing is, with this very request.
    pub is_asked: bool,
    /// Each thing that they did, the oldest first.
    pub steps: Vec<Step>,
}

impl Shop {
    /// Returns what a visitor did lately; nothing, where they do not want it kept.
    pub fn trail(&self, visitor: &Visitor) -> Trail {
        match visitor.circumstances.declined {
            Some(_) => Trail::default(),
            None => self.trails.of(visitor.unit()),
        }
    }

    /// Returns what a visitor did lately, step by step; nothing, where they do not want it kept.
    pub fn steps(&self, visitor: &Visitor) -> Vec<Step> {
        match visitor.circumstances.declined {
            Some(_) => vec![],
            None => self.trails.steps(visitor.unit()),
        }
    }

    /// Says what is remembered of a visitor.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn remembered(&self, visitor: &Visitor) -> Result<Remembered, Problem> {
        let said = said(self, visitor.unit()).await?.declined;
        let declined = visitor.circumstances.declined.or(said);
        let steps = if declined.is_none() { self.trails.steps(visitor.unit()) } else { vec![] };
        let is_asked = visitor.circumstances.declined == Some(Because::Signal);
        Ok(Remembered { declined, is_asked, steps })
    }

    /// Keeps no history of a visitor from now on, or keeps one again.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn keep_history(&self, visitor: &Visitor, is_kept: bool) -> Result<(), Problem> {
        let (unit, now_ms) = (visitor.unit(), clock::now_ms());
        let wish = if is_kept { HistoryWish::Allow } else { HistoryWish::Decline(Because::Choice) };
        self.store.say_of_history(unit, wish, now_ms).await?;
        if !is_kept {
            self.trails.forget(unit, now_ms);
        }
        Ok(())
    }

    /// Forgets what a visitor did; returns what was remembered. Other nodes follow within a second, what is recommended with the
    /// next model.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn delete_history(&self, visitor: &Visitor) -> Result<Vec<Step>, Problem> {
        let (unit, now_ms) = (visitor.unit(), clock::now_ms());
        let steps = self.trails.steps(unit);
        self.store.say_of_history(unit, HistoryWish::Delete, now_ms).await?;
        self.trails.forget(unit, now_ms);
        Ok(steps)
    }

    /// Takes a guest's no along to the user that they log in as. A failure is logged: who cannot enter because of it would not
    /// understand it, and their browser's cookie says no again.
    pub(crate) async fn take_no_along(&self, guest: &Visitor, user: &VisitorId) {
        let carried = async {
            let Some(because) = guest.circumstances.declined.or(said(self, &guest.id).await?.declined) else {
                return Ok(());
            };
            let now_ms = clock::now_ms();
            self.store.say_of_history(user, HistoryWish::Decline(because), now_ms).await?;
            self.trails.forget(user, now_ms);
            Ok::<_, store::StoreError>(())
        };
        if let Err(error) = carried.await {
            tracing::warn!(%error, "that a guest wants no history kept could not be noted for their account");
        }
    }
}

async fn said(shop: &Shop, unit: &VisitorId) -> store::Result<History> {
    let said = shop.store.histories(&[unit.clone()].into()).await?;
    Ok(said.get(unit).copied().unwrap_or_default())
}

/// Returns the cookie by which a browser says no, or no longer does.
pub fn cookie(is_kept: bool) -> Cookie<'static> {
    let mut cookie = Cookie::build(HISTORY_COOKIE, "off")
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(Duration::days(COOKIE_DAYS))
        .finish();
    if is_kept {
        cookie.make_removal();
    }
    cookie
}
