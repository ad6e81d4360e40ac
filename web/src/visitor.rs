//! Who asks: a visitor is known by a bearer token that only they hold.
//!
//! The visitor's id is a digest of the token, so the server keeps no secret to sign with, an id may be logged and
//! hashed into experiments, and nobody can speak for a visitor whose id they have seen.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::header,
};
use cart_core::VisitorId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The cookie that carries the token in a browser.
pub const COOKIE: &str = "cartwright_visitor";
/// The longest token in bytes: what fits a cookie beside others.
pub const TOKEN_BYTES_MAX: usize = 1_024;

/// Is a bearer token with the visitor it stands for.
#[derive(Clone)]
pub struct Visitor {
    /// The visitor.
    pub id: VisitorId,
    token: String,
    is_new: bool,
}

impl Visitor {
    /// Returns the visitor of a token; `None` where the token is empty or too long.
    pub fn of_token(token: &str) -> Option<Self> {
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        Some(Self { id: id_of(token), token: token.to_owned(), is_new: false })
    }

    /// Returns a visitor nobody has seen before, with a token of 244 random bits.
    pub fn fresh() -> Self {
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self { id: id_of(&token), token, is_new: true }
    }

    /// Finds the visitor of a request: the bearer token, else the cookie.
    pub fn of_request(request: &HttpRequest) -> Option<Self> {
        let bearer = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|h| h.to_str().ok())
            .and_then(|h| h.strip_prefix("Bearer "))
            .and_then(|token| Self::of_token(token.trim()));
        bearer.or_else(|| request.cookie(COOKIE).and_then(|c| Self::of_token(c.value())))
    }

    /// Returns the token where it was made for this answer and so must travel with it.
    pub fn new_token(&self) -> Option<&str> {
        self.is_new.then_some(self.token.as_str())
    }

    /// Returns the token, for the page that opens the visitor's socket.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the cookie that makes a browser remember the token for a year.
    pub fn cookie(&self) -> Cookie<'static> {
        Cookie::build(COOKIE, self.token.clone())
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(Duration::days(365))
            .finish()
    }
}

fn id_of(token: &str) -> VisitorId {
    let digest = Sha256::new().chain_update(b"cartwright visitor 1:").chain_update(token).finalize();
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    VisitorId::parse(&format!("v{hex}")).expect("hexadecimal digits are an id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_one_visitor_and_does_not_show_in_its_id() {
        let visitor = |token| Visitor::of_token(token).map(|v| v.id.to_string());
        assert_eq!(visitor("123"), visitor("123"));
        assert_ne!(visitor("123"), visitor("124"));
        assert_eq!(visitor(""), None);
        assert_eq!(visitor(&"x".repeat(1_025)), None);
        assert_ne!(Visitor::fresh().id, Visitor::fresh().id);
    }
}
