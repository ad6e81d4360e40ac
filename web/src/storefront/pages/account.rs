//! The pages of a user.

use cart_core::{Currency, FieldError};
use serde::Serialize;

use super::{OrderRow, Price, day::day, link};
use crate::{
    store::{PostingWrite, UserSession},
    users::principals::Login,
};

/// Says what the door is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Somebody has an account.
    LogIn,
    /// Somebody makes one.
    SignUp,
}

/// Is the page on which one logs in or signs up.
#[derive(Clone, Debug, Serialize)]
pub struct Entrance {
    purpose: Purpose,
    password_chars_min: usize,
    next: String,
    /// Where the other door is.
    other: String,
    email: String,
    name: String,
    errors: Errors,
    /// What is wrong with the whole.
    pub problem: Option<String>,
}

/// Is what is wrong with each field, as a sentence.
#[derive(Clone, Debug, Default, Serialize)]
struct Errors {
    email: Option<String>,
    name: Option<String>,
    password: Option<String>,
    new_password: Option<String>,
}

impl Errors {
    fn of(errors: &[FieldError]) -> Self {
        let of = |field: &str, label: &str| {
            errors.iter().find(|e| e.field == field).map(|e| format!("{label} {}.", e.message))
        };
        Self {
            email: of("email", "The address"),
            name: of("name", "The name"),
            password: of("password", "The password"),
            new_password: of("new_password", "The new password"),
        }
    }
}

impl Entrance {
    /// Returns an empty form that leads on to a path of the shop.
    pub fn new(purpose: Purpose, password_chars_min: usize, next: &str) -> Self {
        let other = if purpose == Purpose::LogIn { "/register" } else { "/login" };
        Self {
            purpose,
            password_chars_min,
            next: next.to_owned(),
            other: format!("{other}?next={}", link::encode(next)),
            email: String::new(),
            name: String::new(),
            errors: Errors::default(),
            problem: None,
        }
    }

    /// Keeps what was entered; a password is typed anew.
    #[must_use]
    pub fn filled(mut self, email: &str, name: &str) -> Self {
        email.clone_into(&mut self.email);
        name.clone_into(&mut self.name);
        self
    }

    /// Says what is wrong, field by field.
    pub fn refuse_fields(&mut self, errors: &[FieldError]) {
        self.errors = Errors::of(errors);
    }
}

/// Is the credit that a user has with the shop, and what moved it.
#[derive(Clone, Debug, Serialize)]
pub struct CreditView {
    balance: Price,
    /// The newest first.
    movements: Vec<Movement>,
}

#[derive(Clone, Debug, Serialize)]
struct Movement {
    day: String,
    words: &'static str,
    /// The order that it was about.
    order: Option<String>,
    amount: Price,
}

impl CreditView {
    /// Shows a balance and the entries that made it, the newest first; nothing where there never was any.
    pub fn of(balance_minor: i64, currency: Currency, entries: &[PostingWrite]) -> Option<Self> {
        let movement = |entry: &PostingWrite| {
            let (kind, about) = entry.cause.split_once(':').unwrap_or((&entry.cause, ""));
            let words = match kind {
                "order" => "Paid for order",
                "cancel" => "Given back with the cancelled order",
                "refund" => "Given back of order",
                _ => "From the shop",
            };
            let order = about.split(':').next().filter(|_| matches!(kind, "order" | "cancel" | "refund"));
            Movement {
                day: day(entry.at_ms),
                words,
                order: order.map(str::to_owned),
                amount: Price::new(entry.posting.delta, currency),
            }
        };
        let movements: Vec<_> = entries.iter().map(movement).collect();
        (!movements.is_empty()).then(|| Self { balance: Price::new(balance_minor, currency), movements })
    }
}

/// Is the page of an account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountPage {
    email: String,
    name: String,
    devices: Vec<Device>,
    orders: Vec<OrderRow>,
    /// The credit that the user has, or has had.
    pub credit: Option<CreditView>,
    password_chars_min: usize,
    errors: Errors,
    problem: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Device {
    id: String,
    name: String,
    since: String,
    seen: String,
    is_current: bool,
}

impl AccountPage {
    /// Returns the page of a user with their devices and newest orders.
    pub fn new(
        login: &Login,
        sessions: &[UserSession],
        orders: Vec<OrderRow>,
        password_chars_min: usize,
    ) -> Self {
        let device = |session: &UserSession| Device {
            id: session.id.clone(),
            name: session.device.clone(),
            since: day(session.since_ms),
            seen: day(session.seen_at_ms),
            is_current: session.id == login.session,
        };
        Self {
            email: login.email.clone(),
            name: login.name.clone(),
            devices: sessions.iter().map(device).collect(),
            orders,
            credit: None,
            password_chars_min,
            errors: Errors::default(),
            problem: None,
        }
    }

    /// Says why the password was not changed.
    pub fn refuse(&mut self, errors: &[FieldError], problem: Option<String>) {
        self.errors = Errors::of(errors);
        self.problem = problem;
    }
}
