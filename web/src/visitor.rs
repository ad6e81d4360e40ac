//! Who asks: a visitor is known by a token that only they hold.
//!
//! The visitor's id is a digest of the token, so an id may be logged and hashed into experiments, and nobody can speak
//! for a visitor whose id they have seen. Programs send the token itself. A browser keeps it in a cookie that is sealed
//! with the shop's keys and that scripts cannot read: it says nothing to who finds it, and it ends when its key does.
//! A device that is logged in has a token of another form, which stands for its user as long as the session lives.

use std::sync::Arc;

use actix_web::{
    HttpMessage, HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
    http::header,
    web::Data,
};
use cart_core::{GroupId, VisitorId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    circumstances::Circumstances,
    clock,
    keyring::Keyring,
    users::principals::{Login, SESSION_PREFIX},
};

/// The cookie that carries the sealed token in a browser.
pub const COOKIE: &str = "cartwright_session";
/// The cookie that carried it openly; still known, and replaced when it is met.
const OPEN_COOKIE: &str = "cartwright_visitor";
/// The longest token in bytes: what fits a cookie beside others.
pub const TOKEN_BYTES_MAX: usize = 1_024;
/// What the cookie is sealed for, with the version of its content: seconds since 1970, eight bytes, and the token.
const PURPOSE: &str = "session 1";
const VERSION: &str = "1.";
/// A browser that does not come back for so long is forgotten.
const DAYS_MAX: i64 = 365;
/// A cookie of this age is sealed anew, so that it ends only for those who stay away.
const DAYS_FRESH: i64 = 7;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Is a token as a request shows it.
#[derive(Clone, Debug)]
pub struct Token {
    text: String,
    carrier: Carrier,
}

/// Says how the token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carrier {
    /// The client keeps it by itself.
    Client,
    /// In a cookie as it should be.
    Cookie,
    /// In a cookie that should be replaced: an open one, an old one, or one of an old key.
    OldCookie,
    /// Not at all: it was made for this answer.
    Nobody,
}

impl Token {
    /// Returns a token that a client sent; `None` where it is empty or too long.
    pub fn of(text: &str) -> Option<Self> {
        Self::carried(text, Carrier::Client)
    }

    fn carried(text: &str, carrier: Carrier) -> Option<Self> {
        let is_token = !text.is_empty() && text.len() <= TOKEN_BYTES_MAX;
        is_token.then(|| Self { text: text.to_owned(), carrier })
    }

    /// Finds the token of a request: the bearer token, else the cookie.
    pub fn of_request(request: &HttpRequest) -> Option<Self> {
        let bearer = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|h| h.to_str().ok())
            .and_then(|h| h.strip_prefix("Bearer "))
            .and_then(|token| Self::of(token.trim()));
        bearer.or_else(|| Self::of_cookie(request)).or_else(|| {
            request.cookie(OPEN_COOKIE).and_then(|c| Self::carried(c.value(), Carrier::OldCookie))
        })
    }

    fn of_cookie(request: &HttpRequest) -> Option<Self> {
        let cookie = request.cookie(COOKIE)?;
        let (token, is_fresh) = open(keys(request)?, cookie.value(), clock::now_ms() / 1_000)?;
        Self::carried(&token, if is_fresh { Carrier::Cookie } else { Carrier::OldCookie })
    }

    /// Reports whether it is a session's, which says nothing before it is looked up.
    pub fn is_sessions(&self) -> bool {
        self.text.starts_with(SESSION_PREFIX)
    }

    /// Reports whether a program sent it, rather than a browser by its cookie.
    pub fn is_bearer(&self) -> bool {
        self.carrier == Carrier::Client
    }

    /// Returns the secret itself.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Is a token with the visitor it stands for.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The owner of carts and orders: the visitor, or the user that the device is logged in as.
    pub id: VisitorId,
    token: Token,
    login: Option<Arc<Login>>,
    /// What the request tells of them that brought the token.
    pub circumstances: Circumstances,
}

impl Visitor {
    /// Returns the visitor of a token of their own; `None` where it is a session's.
    pub fn of(token: Token) -> Option<Self> {
        (!token.is_sessions()).then(|| Self {
            id: id_of(&token.text),
            token,
            login: None,
            circumstances: Circumstances::default(),
        })
    }

    /// Returns the user of a session that lives.
    pub fn of_login(token: Token, login: Arc<Login>) -> Self {
        Self { id: login.user.clone(), token, login: Some(login), circumstances: Circumstances::default() }
    }

    /// Returns the user of a session that was made for this answer.
    pub fn entered(token: &str, login: Arc<Login>) -> Self {
        Self::of_login(Token { text: token.to_owned(), carrier: Carrier::Nobody }, login)
    }

    /// Returns a visitor nobody has seen before, with a token of 244 random bits.
    pub fn fresh() -> Self {
        let text = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self {
            id: id_of(&text),
            token: Token { text, carrier: Carrier::Nobody },
            login: None,
            circumstances: Circumstances::default(),
        }
    }

    /// Returns a visitor nobody has seen before, who came with this request.
    pub fn fresh_at(request: &HttpRequest) -> Self {
        Self { circumstances: Circumstances::of(request), ..Self::fresh() }
    }

    /// Returns an owner of orders who is not here, such as who a letter goes to, as experiments know them.
    pub fn absent(owner: VisitorId, unit: VisitorId) -> Self {
        let token = Token { text: String::new(), carrier: Carrier::Client };
        let nothing = String::new;
        let login = Login {
            user: owner,
            unit,
            email: nothing(),
            name: nothing(),
            group: None,
            session: nothing(),
            token_hash: nothing(),
        };
        Self::of_login(token, Arc::new(login))
    }

    /// Finds the visitor of a request: the bearer token, else the cookie. The door has looked sessions up before.
    pub fn of_request(request: &HttpRequest) -> Option<Self> {
        Some(Self { circumstances: Circumstances::of(request), ..Self::shown(request)? })
    }

    /// Finds only whose carts and orders a request may reach: the id of [`Self::of_request`].
    pub fn owner_of_request(request: &HttpRequest) -> Option<VisitorId> {
        Some(Self::shown(request)?.id)
    }

    fn shown(request: &HttpRequest) -> Option<Self> {
        let token = Token::of_request(request)?;
        match token.is_sessions() {
            true => request.extensions().get::<Self>().cloned(),
            false => Self::of(token),
        }
    }

    /// Returns how experiments know the visitor: one unit, logged in or not.
    pub fn unit(&self) -> &VisitorId {
        self.login.as_ref().map_or(&self.id, |login| &login.unit)
    }

    /// Returns the group of customers that the visitor belongs to, where they are logged in and have one.
    pub fn group(&self) -> Option<&GroupId> {
        self.login.as_ref().and_then(|login| login.group.as_ref())
    }

    /// Returns whether the device is logged in, rather than that somebody absent is written to.
    pub fn is_logged_in(&self) -> bool {
        self.login.as_ref().is_some_and(|login| !login.session.is_empty())
    }

    /// Returns the log-in, where the device is logged in.
    pub fn login(&self) -> Option<&Arc<Login>> {
        self.login.as_ref()
    }

    /// Returns the token where it was made for this answer and so must travel with it.
    pub fn new_token(&self) -> Option<&str> {
        (self.token.carrier == Carrier::Nobody).then_some(self.token.text())
    }

    /// Returns the cookies to set with the answer to a request, so that the browser is known again: none, where it
    /// holds a good one.
    pub fn cookies(&self, request: &HttpRequest) -> Vec<Cookie<'static>> {
        if matches!(self.token.carrier, Carrier::Client | Carrier::Cookie) {
            return vec![];
        }
        let Some(keys) = keys(request) else { return vec![] };
        let mut cookies =
            vec![cookie(request, COOKIE, seal(keys, self.token.text(), clock::now_ms() / 1_000))];
        if request.cookie(OPEN_COOKIE).is_some() {
            let mut gone = cookie(request, OPEN_COOKIE, String::new());
            gone.make_removal();
            cookies.push(gone);
        }
        cookies
    }
}

fn keys(request: &HttpRequest) -> Option<&Keyring> {
    request.app_data::<Data<Keyring>>().map(|keys| &***keys)
}

/// Reports whether a browser speaks TLS. Behind a proxy that ends it, the proxy says so: `Forwarded` or `X-Forwarded-Proto`.
pub fn is_secure(request: &HttpRequest) -> bool {
    request.connection_info().scheme() == "https"
}

fn cookie(request: &HttpRequest, name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure(request))
        .max_age(Duration::days(DAYS_MAX))
        .finish()
}

fn seal(keys: &Keyring, token: &str, now_seconds: i64) -> String {
    let content = [&now_seconds.to_be_bytes()[..], token.as_bytes()].concat();
    format!("{VERSION}{}", keys.seal(PURPOSE, &content))
}

/// Returns the token, and whether the cookie may stay as it is; `None` where it is not the shop's or too old.
fn open(keys: &Keyring, text: &str, now_seconds: i64) -> Option<(String, bool)> {
    let opened = keys.open(PURPOSE, text.strip_prefix(VERSION)?).ok()?;
    let (issued, token) = opened.content.split_first_chunk::<8>()?;
    let age = now_seconds.saturating_sub(i64::from_be_bytes(*issued));
    if age > DAYS_MAX * DAY_SECONDS {
        return None;
    }
    let token = String::from_utf8(token.to_vec()).ok()?;
    Some((token, opened.is_newest && age < DAYS_FRESH * DAY_SECONDS))
}

fn id_of(token: &str) -> VisitorId {
    let digest = Sha256::new().chain_update(b"cartwright visitor 1:").chain_update(token).finalize();
    VisitorId::parse(&format!("v{}", hex::encode(&digest[..16]))).expect("hexadecimal digits are an id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_one_visitor_and_does_not_show_in_its_id() {
        let visitor = |token: &str| Token::of(token).and_then(Visitor::of).map(|v| v.id.to_string());
        assert_eq!(visitor("123"), visitor("123"));
        assert_ne!(visitor("123"), visitor("124"));
        assert_eq!(visitor(""), None);
        assert_eq!(visitor(&"x".repeat(1_025)), None);
        assert_eq!(visitor("cws_0123"), None, "a session's token is no visitor by itself");
        assert_ne!(Visitor::fresh().id, Visitor::fresh().id);
    }

    #[test]
    fn a_cookie_is_fresh_for_a_week_and_good_for_a_year() {
        let keys = Keyring::parse(&["a:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="]).unwrap();
        let text = seal(&keys, "token", 1_000);
        let at = |days: i64| open(&keys, &text, 1_000 + days * DAY_SECONDS);
        assert_eq!(at(0), Some(("token".into(), true)));
        assert_eq!(at(7), Some(("token".into(), false)));
        assert_eq!(at(365), Some(("token".into(), false)));
        assert_eq!(at(366), None);
        assert_eq!(open(&keys, &text.replacen("1.", "2.", 1), 1_000), None);
        assert!(!text.contains("token"));
    }
}
