//! A cart in its owner's keeping: what a browser stores, and gives back where the shop no longer has the cart.
//!
//! The text is `version.visitor.key.sealed`. Only the shop can read or make one, and it opens for its visitor alone: the
//! visitor stands in it readably, so that a foreign one is told from a forged one, and is authenticated with it.
//! Nothing in it is believed but that the shop once said so: [`restore`](crate::restore) asks today's catalogue.

use cart_core::{Cart, CartId, ChannelId, Code, Currency, LineId, Properties, Quote, Sku, VisitorId};
use serde::{Deserialize, Serialize};

use crate::keyring::{Keyring, OpenError};

/// The longest snapshot in bytes: a full cart of plain lines fits three times over, and local storage holds 5 MB.
pub const SNAPSHOT_BYTES_MAX: usize = 256 * 1_024;
/// The version of the content, which is part of what it is sealed for.
const VERSION: &str = "1";
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Is what the shop knew of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The cart.
    pub cart: CartId,
    /// Its version then.
    pub version: u64,
    /// Its currency.
    pub currency: Currency,
    /// The channel that it was opened through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// When it was taken, in Unix milliseconds.
    pub taken_at_ms: i64,
    /// Its lines.
    pub lines: Vec<KeptLine>,
    /// The codes that the shopper typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// What the shopper wanted to tell the shop.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Is a line as the shopper saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLine {
    /// The product.
    pub sku: Sku,
    /// What was to be done to the pieces.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// Pieces.
    pub quantity: u32,
    /// The price of one piece that the shopper was told.
    pub unit_price_minor: i64,
}

impl KeptLine {
    /// Returns the line's name in its cart.
    pub fn id(&self) -> LineId {
        LineId::new(self.sku.clone(), &self.properties)
    }
}

/// Says why the shop does not take a snapshot back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It is no snapshot.
    #[error("this is no snapshot; send the text as GET /api/v1/carts/{{id}}/snapshot gave it")]
    Malformed,
    /// Another version of the shop made it.
    #[error("the snapshot has a form that this shop does not know; take a new one")]
    UnknownVersion,
    /// It belongs to another visitor.
    #[error("the snapshot belongs to another visitor; ask with the token that it was taken with")]
    Foreign,
    /// The key is gone.
    #[error("the snapshot was sealed with a key that the shop no longer has; take a new one")]
    UnknownKey,
    /// Somebody changed it.
    #[error("the snapshot was changed since the shop sealed it; take a new one")]
    Forged,
    /// It is too old.
    #[error("the snapshot is older than the {days} days for which the shop takes one back; take a new one")]
    Expired {
        /// The most days.
        days: u32,
    },
}

impl Snapshot {
    /// Takes a snapshot of a cart, with the prices that its owner is told now.
    pub fn of(cart: &Cart, quote: &Quote, now_ms: i64) -> Self {
        // Gifts follow from the others.
        let lines = cart.lines.iter().enumerate().filter(|(_, line)| !line.is_gift());
        let lines = lines.map(|(at, line)| KeptLine {
            sku: line.sku.clone(),
            properties: line.properties.clone(),
            quantity: line.quantity,
            unit_price_minor: quote.lines.get(at).map_or(line.unit_price_minor, |q| q.unit_price_minor),
        });
        Self {
            cart: cart.id.clone(),
            version: cart.version,
            currency: cart.currency,
            channel: cart.channel.clone(),
            taken_at_ms: now_ms,
            lines: lines.collect(),
            codes: cart.codes.clone(),
            note: cart.note.clone(),
        }
    }

    /// Seals the snapshot for a visitor; `None` where it is longer than [`SNAPSHOT_BYTES_MAX`].
    pub fn seal(&self, keys: &Keyring, visitor: &VisitorId) -> Option<String> {
        let content = serde_json::to_vec(self).expect("snapshots serialise");
        let sealed = keys.seal(&purpose(visitor), &content);
        let text = format!("{VERSION}.{visitor}.{sealed}");
        (text.len() <= SNAPSHOT_BYTES_MAX).then_some(text)
    }

    /// Opens what a visitor brings back.
    ///
    /// # Errors
    /// [`SnapshotError`] where it is not theirs, not the shop's, or too old.
    pub fn open(
        keys: &Keyring,
        visitor: &VisitorId,
        text: &str,
        now_ms: i64,
        days: u32,
    ) -> Result<Self, SnapshotError> {
        let (version, rest) = text.split_once('.').ok_or(SnapshotError::Malformed)?;
        if version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SnapshotError::Malformed);
        }
        if version != VERSION {
            return Err(SnapshotError::UnknownVersion);
        }
        let (owner, sealed) = rest.split_once('.').ok_or(SnapshotError::Malformed)?;
        if owner != visitor.as_str() {
            return Err(SnapshotError::Foreign);
        }
        let opened = keys.open(&purpose(visitor), sealed).map_err(|error| match error {
            OpenError::Malformed => SnapshotError::Malformed,
            OpenError::UnknownKey => SnapshotError::UnknownKey,
            OpenError::Forged => SnapshotError::Forged,
        })?;
        // What the shop sealed under this version it can read.
        let snapshot: Self =
            serde_json::from_slice(&opened.content).map_err(|_| SnapshotError::UnknownVersion)?;
        match now_ms.saturating_sub(snapshot.taken_at_ms) > i64::from(days) * DAY_MS {
            true => Err(SnapshotError::Expired { days }),
            false => Ok(snapshot),
        }
    }
}

fn purpose(visitor: &VisitorId) -> String {
    format!("snapshot {VERSION} {visitor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const OTHER: &str = "b:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    fn snapshot() -> Snapshot {
        let line = KeptLine {
            sku: Sku::parse("MUG").unwrap(),
            properties: Properties::default(),
            quantity: 2,
            unit_price_minor: 1_250,
        };
        Snapshot {
            cart: CartId::parse("c1").unwrap(),
            version: 7,
            currency: Currency::parse("GBP").unwrap(),
            channel: None,
            taken_at_ms: 1_000,
            lines: vec![line],
            codes: vec![],
            note: String::new(),
        }
    }

    fn visitor(id: &str) -> VisitorId {
        VisitorId::parse(id).unwrap()
    }

    #[test]
    fn it_comes_back_as_it_was_and_to_its_visitor_alone() {
        let keys = Keyring::parse(&[KEY]).unwrap();
        let text = snapshot().seal(&keys, &visitor("v1")).unwrap();
        let open = |visitor: &VisitorId, text: &str, now| Snapshot::open(&keys, visitor, text, now, 30);
        assert_eq!(open(&visitor("v1"), &text, 2_000), Ok(snapshot()));
        assert_eq!(open(&visitor("v2"), &text, 2_000), Err(SnapshotError::Foreign));
        // Another's name on it does not make it another's.
        let renamed = text.replace(".v1.", ".v2.");
        assert_eq!(open(&visitor("v2"), &renamed, 2_000), Err(SnapshotError::Forged));
        let days = |n: i64| open(&visitor("v1"), &text, 1_000 + n * DAY_MS + 1);
        assert_eq!((days(29).is_ok(), days(30)), (true, Err(SnapshotError::Expired { days: 30 })));
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let keys = Keyring::parse(&[KEY]).unwrap();
        let text = snapshot().seal(&keys, &visitor("v1")).unwrap();
        let later = format!("2{}", &text[1..]);
        let gone = Keyring::parse(&[OTHER]).unwrap();
        let open = |keys: &Keyring, text: &str| Snapshot::open(keys, &visitor("v1"), text, 0, 30).err();
        assert_eq!(open(&keys, &later), Some(SnapshotError::UnknownVersion));
        assert_eq!(open(&gone, &text), Some(SnapshotError::UnknownKey));
        for text in ["", ".", "x", "1", "1.v1", "1.v1.a", "1.v1.a.AA", "-1.v1.a.AA", "hello.v1.a.AA"] {
            assert_eq!(open(&keys, text), Some(SnapshotError::Malformed), "{text}");
        }
    }

    #[test]
    fn one_that_no_browser_would_keep_is_not_made() {
        let keys = Keyring::parse(&[KEY]).unwrap();
        let long = Snapshot { note: "x".repeat(SNAPSHOT_BYTES_MAX), ..snapshot() };
        assert_eq!(long.seal(&keys, &visitor("v1")), None);
    }
}
