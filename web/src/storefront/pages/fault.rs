//! Failures in words for people.

use serde::Serialize;

/// Is a page about something that went wrong.
#[derive(Clone, Debug, Serialize)]
pub struct FaultPage {
    status: u16,
    heading: &'static str,
    text: &'static str,
    /// What happened, where there is more to say than the status does.
    detail: Option<String>,
    retry: bool,
}

impl FaultPage {
    /// Returns the page of an HTTP status.
    pub fn of(status: u16) -> Self {
        let (heading, text) = match status {
            404 => (
                "We looked on every shelf",
                "There is nothing at this address. It may have been sold for the last time, or the link has a slip of the pen.",
            ),
            403 => (
                "That is somebody else’s cart",
                "A cart belongs to the visitor who opened it. Yours is safe where you left it.",
            ),
            409 => (
                "The cart has moved on",
                "It changed while you were looking, on another device perhaps. Have a look at it as it is now, then go on.",
            ),
            503 | 504 => (
                "Back in a moment",
                "The shop could not write that down just now. Nothing was changed and nothing was charged; try again shortly.",
            ),
            400..=499 => (
                "That did not make sense to us",
                "The request was not one we can follow. Go back, have another look, and try again.",
            ),
            _ => (
                "Something broke in the workshop",
                "That was our fault. Nothing was charged; try again in a minute.",
            ),
        };
        Self { status, heading, text, detail: None, retry: status >= 500 }
    }

    /// Says what happened.
    #[must_use]
    pub fn because(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Returns the page of a link to a cart that leads nowhere, whyever that is: who asks need not know.
    pub fn ended_link() -> Self {
        Self {
            heading: "This link has ended",
            text: "It was taken back, its time was over, or it was copied with a slip. Ask whoever shared the cart for a new one; your own cart is safe where you left it.",
            ..Self::of(404)
        }
    }

    /// Returns the page of a link of a letter that is not as the shop wrote it.
    pub fn broken_letter_link() -> Self {
        Self {
            heading: "This link is not whole",
            text: "It was copied with a slip, or comes from a letter that is years old. Follow the one in our newest letter.",
            ..Self::of(404)
        }
    }
}
