//! Signing up, logging in, changing the password, logging out.

use std::net::IpAddr;

use cart_core::{FieldError, VisitorId};
use uuid::Uuid;

use super::{
    carts::{Settled, settle},
    email,
    password::{self, NOBODY},
    principals::{Login, SESSION_PREFIX, token_hash},
    throttle,
};
use crate::{
    carts::CartsError,
    clock,
    problem::{Kind, Problem},
    shop::Shop,
    store::{StoreError, TrackedEvent, User, UserSession},
    visitor::Visitor,
};

/// The longest name of a user in bytes.
pub const NAME_BYTES_MAX: usize = 200;

/// Says why nobody entered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EntryError {
    /// Which of the two is wrong is nobody's business.
    #[error("the e-mail address or the password is not right")]
    Wrong,
    /// Somebody has signed up with that address.
    #[error("that e-mail address has an account with another password; log in, or use another address")]
    Taken,
    /// Fields are missing or not good enough.
    #[error("some fields cannot be taken as they are")]
    Invalid(Vec<FieldError>),
    /// There were too many attempts.
    #[error("there were too many attempts to log in; try again later")]
    TooMany {
        /// When another may be made, in seconds.
        retry_after_s: u32,
    },
    /// The shop does not get round to it.
    #[error(transparent)]
    Carts(#[from] CartsError),
}

impl From<EntryError> for Problem {
    fn from(error: EntryError) -> Self {
        let kind = match &error {
            EntryError::Wrong => Kind::WrongCredentials,
            EntryError::Taken => Kind::AccountExists,
            EntryError::TooMany { .. } => Kind::TooManyAttempts,
            EntryError::Invalid(fields) => return Self::invalid_details(fields.clone()),
            EntryError::Carts(error) => return (*error).into(),
        };
        let problem = Self::new(kind, error.to_string());
        match error {
            EntryError::TooMany { retry_after_s } => problem.with_retry_after_s(retry_after_s),
            _ => problem,
        }
    }
}

impl From<StoreError> for EntryError {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the store did not answer somebody who wants to enter");
        CartsError::Unavailable.into()
    }
}

/// Is somebody at the door.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The e-mail address, as it was typed.
    pub email: String,
    /// The password.
    pub password: String,
    /// What the device is called.
    pub device: String,
    /// The address that the request came from, where it is known.
    pub address: Option<IpAddr>,
    /// Who the device was until now, where it was somebody.
    pub before: Option<Visitor>,
}

impl Entry {
    /// Returns the visitor that the device was without an account.
    fn guest(&self) -> Option<&Visitor> {
        self.before.as_ref().filter(|visitor| visitor.login().is_none())
    }
}

/// Is somebody who is in.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The user.
    pub user: User,
    /// The session of this device.
    pub session: UserSession,
    /// Who the device is from now on; the token is new.
    pub visitor: Visitor,
    /// What became of the carts.
    pub carts: Settled,
}

/// Makes an account and logs in. Where the account exists and the password is its own, the request was sent twice, and
/// logs in once more.
///
/// # Errors
/// [`EntryError`].
pub async fn sign_up(shop: &Shop, entry: &Entry, name: &str) -> Result<Entered, EntryError> {
    let (email, name) = admit(shop, entry, name)?;
    throttle::admit(&*shop.store, &email, entry.address, clock::now_ms()).await?;
    // One hash, whether the account exists or not.
    let user = match shop.store.user_by_email(&email).await? {
        Some(user) => known(shop, entry, user).await?.ok_or(EntryError::Taken)?,
        None => {
            let password_hash = shop.hasher.hash(&entry.password).await.ok_or(CartsError::Busy)?;
            let id = VisitorId::parse(&format!("u{}", Uuid::new_v4().simple())).expect("digits are an id");
            let unit = entry.guest().map_or_else(|| id.clone(), |guest| guest.id.clone());
            let user =
                User { id, unit, email, name, group: None, password_hash, created_at_ms: clock::now_ms() };
            match shop.store.add_user(&user).await? {
                true => user,
                // Somebody was quicker: the same request sent twice, or a coincidence that ends in another try.
                false => return Err(EntryError::Taken),
            }
        }
    };
    open(shop, entry, user).await
}

/// Logs in.
///
/// # Errors
/// [`EntryError`].
pub async fn log_in(shop: &Shop, entry: &Entry) -> Result<Entered, EntryError> {
    let email = email::parse(&entry.email).map_err(|_| EntryError::Wrong)?;
    throttle::admit(&*shop.store, &email, entry.address, clock::now_ms()).await?;
    let user = match shop.store.user_by_email(&email).await? {
        Some(user) => known(shop, entry, user).await?,
        None => {
            shop.hasher.is_password(&entry.password, NOBODY).await.ok_or(CartsError::Busy)?;
            None
        }
    };
    open(shop, entry, user.ok_or(EntryError::Wrong)?).await
}

/// Sets a new password, which ends every other session of the user.
///
/// # Errors
/// [`EntryError`].
pub async fn change_password(
    shop: &Shop,
    login: &Login,
    address: Option<IpAddr>,
    current: &str,
    new: &str,
) -> Result<(), EntryError> {
    throttle::admit(&*shop.store, &login.email, address, clock::now_ms()).await?;
    let user = shop.store.user_by_email(&login.email).await?.ok_or(EntryError::Wrong)?;
    let is_right = shop.hasher.is_password(current, &user.password_hash).await.ok_or(CartsError::Busy)?;
    if !is_right {
        return Err(EntryError::Wrong);
    }
    throttle::forgive(&*shop.store, &login.email, address).await?;
    password::admit(new, &login.email, shop.config.users.password_chars_min)
        .map_err(|message| EntryError::Invalid(vec![FieldError { field: "new_password".into(), message }]))?;
    let hash = shop.hasher.hash(new).await.ok_or(CartsError::Busy)?;
    for ended in shop.store.put_password(&user.id, &hash, &login.token_hash).await? {
        shop.token_ended(&ended);
    }
    Ok(())
}

/// Ends a session of a user; reports whether there was one of that id.
///
/// # Errors
/// Where the store does not answer.
pub async fn log_out(shop: &Shop, user: &VisitorId, session: &str) -> Result<bool, EntryError> {
    let ended = shop.store.end_session(user, session).await?;
    if let Some(hash) = &ended {
        shop.token_ended(hash);
    }
    Ok(ended.is_some())
}

/// Checks what somebody signs up with.
fn admit(shop: &Shop, entry: &Entry, name: &str) -> Result<(String, String), EntryError> {
    let field = |field: &str, message: String| FieldError { field: field.into(), message };
    let mut wrong = vec![];
    let email = email::parse(&entry.email).unwrap_or_else(|message| {
        wrong.push(field("email", message.into()));
        String::new()
    });
    if let Err(message) = password::admit(&entry.password, &email, shop.config.users.password_chars_min) {
        wrong.push(field("password", message));
    }
    let name = name.trim();
    if name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        wrong.push(field(
            "name",
            format!("must be at most {NAME_BYTES_MAX} bytes without control characters"),
        ));
    }
    if wrong.is_empty() { Ok((email, name.to_owned())) } else { Err(EntryError::Invalid(wrong)) }
}

/// Returns the user where the password is theirs.
async fn known(shop: &Shop, entry: &Entry, user: User) -> Result<Option<User>, EntryError> {
    let is_right = shop.hasher.is_password(&entry.password, &user.password_hash).await;
    Ok(is_right.ok_or(CartsError::Busy)?.then_some(user))
}

/// Tells the experiments that the device's visitor is one person with the user. A failure is logged: who cannot enter because
/// of a statistic would not understand it.
async fn know(shop: &Shop, entry: &Entry, user: &User, now_ms: i64) {
    let Some(guest) = entry.guest() else { return };
    shop.take_no_along(guest, &user.unit).await;
    if guest.id == user.unit {
        return;
    }
    if let Err(error) = shop.store.track(&[TrackedEvent::known(&guest.id, &user.unit, now_ms)]).await {
        tracing::warn!(%error, "a log-in could not be told to the experiments");
    }
}

async fn open(shop: &Shop, entry: &Entry, user: User) -> Result<Entered, EntryError> {
    throttle::forgive(&*shop.store, &user.email, entry.address).await?;
    // The carts first: where this fails nobody has entered, and the next try goes on from here.
    let carts = match entry.guest() {
        Some(guest) => settle(shop, &guest.id, &user).await?,
        None => Settled { cart: shop.store.open_cart_of(&user.id).await?, left: vec![] },
    };
    if let Some(guest) = entry.guest() {
        shop.store.move_lists(&guest.id, &user.id).await?;
    }
    let token = format!("{SESSION_PREFIX}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let now_ms = clock::now_ms();
    let session = UserSession {
        token_hash: token_hash(&token),
        id: Uuid::now_v7().simple().to_string(),
        user: user.id.clone(),
        device: entry.device.clone(),
        since_ms: now_ms,
        seen_at_ms: now_ms,
        ends_at_ms: now_ms.saturating_add(shop.session_ms()),
    };
    shop.store.open_session(&session, now_ms).await?;
    know(shop, entry, &user, now_ms).await;
    let login = Login {
        user: user.id.clone(),
        unit: user.unit.clone(),
        email: user.email.clone(),
        name: user.name.clone(),
        group: user.group.clone(),
        session: session.id.clone(),
        token_hash: session.token_hash.clone(),
    };
    // A device has one session; the one it had before ends with the next.
    if let Some(before) = entry.before.as_ref().and_then(Visitor::login) {
        log_out(shop, &before.user, &before.session).await?;
    }
    let visitor = Visitor::entered(&token, login.into());
    Ok(Entered { user, session, visitor, carts })
}
