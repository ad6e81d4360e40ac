//! The provider for trying things: what it does is in the token, and it does what real ones do to shops at night.

use std::time::Duration;

use async_trait::async_trait;
use cart_core::{CartId, PaymentId};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{
    Authorisation, PaymentError, PaymentProvider, PaymentRequest, PaymentStatus,
    book::{Book, BookError},
};
use crate::clock;

/// The tokens that the sandbox knows: it pays; it declines; it pays and its answer is lost; it wants the shopper to
/// confirm; it pays and tells so twice; it pays late, or declines late, and tells so by webhook; its request is lost.
pub const TOKENS: [&str; 8] = [
    "tok_success",
    "tok_decline",
    "tok_timeout",
    "tok_challenge",
    "tok_twice",
    "tok_late",
    "tok_late_decline",
    "tok_lost",
];

/// Is the provider for trying things.
#[derive(Clone, Debug)]
pub struct Sandbox {
    book: Book,
    timeout: Duration,
    late_ms: i64,
}

/// Is a payment as the sandbox knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The cart that it pays.
    pub cart: CartId,
    /// Where it stands.
    pub state: String,
    /// What was asked for, in minor units.
    pub amount_minor: i64,
    /// What was taken.
    pub captured_minor: i64,
    /// What was given back.
    pub refunded_minor: i64,
}

impl Sandbox {
    /// Returns a sandbox that makes callers wait so long where it does not answer, and answers so late.
    pub fn new(book: Book, timeout: Duration, late: Duration) -> Self {
        Self { book, timeout, late_ms: i64::try_from(late.as_millis()).unwrap_or(i64::MAX) }
    }

    /// Returns the secret that its webhooks are signed with, the same for everybody who shares its book.
    ///
    /// # Errors
    /// Where the book cannot be written.
    pub async fn secret(&self) -> Result<String, BookError> {
        let fresh = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.book
            .enter(move |db| {
                db.execute("INSERT OR IGNORE INTO settings VALUES ('webhook_secret', ?1)", [fresh])?;
                db.query_row("SELECT value FROM settings WHERE name = 'webhook_secret'", [], |row| row.get(0))
            })
            .await
    }

    /// Reads a payment.
    ///
    /// # Errors
    /// Where the book cannot be read.
    pub async fn payment(&self, id: &PaymentId) -> Result<Option<Row>, BookError> {
        let (id, now_ms) = (id.clone(), clock::now_ms());
        self.book.enter(move |db| read(db, &id, now_ms)).await
    }

    /// Takes the shopper's word on a payment that is to be confirmed; answers its cart, where there is such a payment.
    ///
    /// # Errors
    /// Where the book cannot be written.
    pub async fn decide(&self, id: &PaymentId, confirmed: bool) -> Result<Option<CartId>, BookError> {
        let (id, now_ms) = (id.clone(), clock::now_ms());
        let state = if confirmed { "authorised" } else { "declined" };
        self.book
            .enter(move |db| {
                db.execute(
                    "UPDATE payments SET state = ?2, webhooks = webhooks + 1, webhook_at_ms = ?3
                     WHERE id = ?1 AND state = 'challenged'",
                    params![id.as_str(), state, now_ms],
                )?;
                Ok(read(db, &id, now_ms)?.map(|row| row.cart))
            })
            .await
    }

    /// Settles what is due late, and returns the payments that a webhook is to tell of.
    ///
    /// # Errors
    /// Where the book cannot be written.
    pub async fn to_tell(&self, limit: u32) -> Result<Vec<(PaymentId, Row)>, BookError> {
        let now_ms = clock::now_ms();
        self.book
            .enter(move |db| {
                db.execute(SETTLE, [now_ms])?;
                let mut due = db.prepare_cached(
                    "SELECT id FROM payments WHERE webhooks > 0 AND webhook_at_ms <= ?1 ORDER BY webhook_at_ms LIMIT ?2",
                )?;
                let ids = due.query_map(params![now_ms, limit], |row| row.get::<_, String>(0))?;
                let ids = ids.collect::<rusqlite::Result<Vec<_>>>()?;
                let read = |id: String| {
                    let id = PaymentId::parse(&id).ok()?;
                    read(db, &id, now_ms).transpose().map(|row| row.map(|row| (id, row)))
                };
                ids.into_iter().filter_map(read).collect()
            })
            .await
    }

    /// Notes that a webhook was taken, or that it is to be sent again later.
    ///
    /// # Errors
    /// Where the book cannot be written.
    pub async fn told(&self, id: &PaymentId, was_taken: bool) -> Result<(), BookError> {
        let (id, now_ms) = (id.clone(), clock::now_ms());
        self.book
            .enter(move |db| {
                db.execute(
                    "UPDATE payments SET webhooks = webhooks - ?2, webhook_at_ms = ?3 WHERE id = ?1",
                    params![id.as_str(), i64::from(was_taken), now_ms + if was_taken { 0 } else { 2_000 }],
                )
            })
            .await
            .map(drop)
    }
}

const SETTLE: &str = "UPDATE payments
    SET state = settles_as, settles_as = NULL, settles_at_ms = NULL, webhooks = webhooks + 1
    WHERE state = 'pending' AND settles_at_ms <= ?1";

fn read(db: &Connection, id: &PaymentId, now_ms: i64) -> rusqlite::Result<Option<Row>> {
    db.prepare_cached(SETTLE)?.execute([now_ms])?;
    db.prepare_cached(
        "SELECT cart, state, amount_minor, captured_minor, refunded_minor FROM payments WHERE id = ?1",
    )?
    .query_row([id.as_str()], |row| {
        let cart: String = row.get(0)?;
        Ok(Row {
            cart: CartId::parse(&cart).map_err(|e| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e))
            })?,
            state: row.get(1)?,
            amount_minor: row.get(2)?,
            captured_minor: row.get(3)?,
            refunded_minor: row.get(4)?,
        })
    })
    .optional()
}

/// Is a new payment's state, whether its caller hears nothing, and what it settles as later.
struct Manner {
    state: &'static str,
    is_silent: bool,
    settles_as: Option<&'static str>,
    webhooks: u32,
}

fn manner(token: &str) -> Option<Manner> {
    let plain = |state| Manner { state, is_silent: false, settles_as: None, webhooks: 0 };
    let silent = |state, settles_as| Manner { is_silent: true, settles_as, ..plain(state) };
    Some(match token {
        "tok_success" => plain("authorised"),
        "tok_decline" => plain("declined"),
        // As real ones do: the money is reserved, only the answer is lost.
        "tok_timeout" => silent("authorised", None),
        "tok_challenge" => plain("challenged"),
        "tok_twice" => Manner { webhooks: 2, ..plain("authorised") },
        "tok_late" => silent("pending", Some("authorised")),
        "tok_late_decline" => silent("pending", Some("declined")),
        _ => return None,
    })
}

fn challenge_url(payment: &PaymentId) -> String {
    format!("/sandbox/payments/{payment}")
}

fn reference(payment: &PaymentId) -> String {
    format!("sandbox-{payment}")
}

/// Whatever is wrong with the book, the caller does not know what became of the payment.
fn unknown(error: BookError) -> PaymentError {
    tracing::warn!(%error, "the sandbox does not answer");
    PaymentError::TimedOut
}

#[async_trait]
impl PaymentProvider for Sandbox {
    async fn authorise(&self, request: &PaymentRequest) -> Result<Authorisation, PaymentError> {
        if request.token == "tok_lost" && self.payment(&request.payment).await.map_err(unknown)?.is_none() {
            tokio::time::sleep(self.timeout).await;
            return Err(PaymentError::TimedOut);
        }
        let (asked, now_ms) = (request.clone(), clock::now_ms());
        let late_ms = self.late_ms;
        let (row, is_silent) = self
            .book
            .enter(move |db| {
                let known = read(db, &asked.payment, now_ms)?;
                let (None, Some(manner)) = (&known, manner(&asked.token)) else { return Ok((known, false)) };
                db.prepare_cached(
                    "INSERT INTO payments (id, cart, state, amount_minor, settles_as, settles_at_ms, webhooks, webhook_at_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    asked.payment.as_str(),
                    asked.cart.as_str(),
                    manner.state,
                    asked.amount_minor,
                    manner.settles_as,
                    manner.settles_as.map(|_| now_ms + late_ms),
                    manner.webhooks,
                    now_ms,
                ])?;
                Ok((read(db, &asked.payment, now_ms)?, manner.is_silent))
            })
            .await
            .map_err(unknown)?;
        let Some(row) = row else {
            return Err(PaymentError::UnknownToken(request.token.chars().take(40).collect()));
        };
        if is_silent {
            tokio::time::sleep(self.timeout).await;
            return Err(PaymentError::TimedOut);
        }
        match row.state.as_str() {
            "authorised" | "captured" => {
                Ok(Authorisation::Authorised { reference: reference(&request.payment) })
            }
            "challenged" => Ok(Authorisation::Challenged { url: challenge_url(&request.payment) }),
            "declined" => Err(PaymentError::Declined),
            "voided" => Err(PaymentError::Cancelled),
            _ => Err(PaymentError::TimedOut),
        }
    }

    async fn status(&self, payment: &PaymentId) -> Result<PaymentStatus, PaymentError> {
        let Some(row) = self.payment(payment).await.map_err(unknown)? else {
            return Ok(PaymentStatus::Unknown);
        };
        Ok(match row.state.as_str() {
            "authorised" | "captured" => PaymentStatus::Authorised { reference: reference(payment) },
            "challenged" => PaymentStatus::Challenged { url: challenge_url(payment) },
            "declined" => PaymentStatus::Declined,
            "voided" => PaymentStatus::Voided,
            _ => PaymentStatus::Pending,
        })
    }

    async fn void(&self, payment: &PaymentId) -> Result<(), PaymentError> {
        let (id, now_ms) = (payment.clone(), clock::now_ms());
        let voided = self.book.enter(move |db| {
            read(db, &id, now_ms)?;
            // A payment that is not known yet is let go all the same: its request may still arrive.
            db.execute(
                "INSERT INTO payments (id, cart, state, amount_minor) VALUES (?1, 'none', 'voided', 0)
                 ON CONFLICT (id) DO UPDATE SET state = 'voided', refunded_minor = captured_minor, webhooks = 0
                 WHERE state <> 'declined'",
                [id.as_str()],
            )
        });
        voided.await.map(drop).map_err(unknown)
    }

    async fn capture(&self, payment: &PaymentId, amount_minor: i64) -> Result<(), PaymentError> {
        let (id, now_ms) = (payment.clone(), clock::now_ms());
        let captured = self.book.enter(move |db| {
            db.execute(
                "UPDATE payments SET state = 'captured', captured_minor = ?2
                 WHERE id = ?1 AND state = 'authorised' AND ?2 <= amount_minor",
                params![id.as_str(), amount_minor],
            )?;
            Ok(read(db, &id, now_ms)?.is_some_and(|row| row.state == "captured"))
        });
        match captured.await.map_err(unknown)? {
            true => Ok(()),
            false => Err(PaymentError::Cancelled),
        }
    }

    async fn refund(&self, payment: &PaymentId, number: u32, amount_minor: i64) -> Result<(), PaymentError> {
        let id = payment.clone();
        let refunded = self.book.enter(move |db| {
            let is_new = db.execute(
                "INSERT INTO refunds (payment, number, amount_minor)
                 SELECT id, ?2, ?3 FROM payments
                 WHERE id = ?1 AND state = 'captured' AND refunded_minor + ?3 <= captured_minor
                 ON CONFLICT DO NOTHING",
                params![id.as_str(), number, amount_minor],
            )?;
            if is_new == 1 {
                db.execute(
                    "UPDATE payments SET refunded_minor = refunded_minor + ?2 WHERE id = ?1",
                    params![id.as_str(), amount_minor],
                )?;
            }
            db.query_row(
                "SELECT count(*) FROM refunds WHERE payment = ?1 AND number = ?2 AND amount_minor = ?3",
                params![id.as_str(), number, amount_minor],
                |row| row.get::<_, bool>(0),
            )
        });
        match refunded.await.map_err(unknown)? {
            true => Ok(()),
            false => Err(PaymentError::Cancelled),
        }
    }
}
