//! What became of what was brought back.

use cart_core::{Code, Rejection};

use crate::{snapshot::KeptLine, store::Accepted};

/// How often one line is tried with fewer pieces before it is left out.
pub(crate) const MENDS_MAX: u32 = 4;
/// Is what became of a snapshot.
pub struct Restoration {
    /// The cart with what it costs.
    pub accepted: Accepted,
    /// What was asked of the cart; `false` where the shop's own is as new as the snapshot.
    pub is_applied: bool,
    /// What became of each line, in the snapshot's order.
    pub lines: Vec<LineOutcome>,
    /// What became of each code.
    pub codes: Vec<CodeOutcome>,
}

/// Is what became of a line.
pub struct LineOutcome {
    /// The line as it was.
    pub line: KeptLine,
    /// The pieces it has now; 0 where it was refused.
    pub quantity: u32,
    /// The price of one piece today, where the line is in the cart.
    pub unit_price_minor: Option<i64>,
    /// In one word.
    pub fate: Fate,
    /// Why it is not as it was.
    pub reasons: Vec<Reason>,
}

/// Says in one word what became of a line or a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The cart has it already.
    Kept,
    /// It is as it was.
    Restored,
    /// It is there, with another quantity or at another price.
    Adjusted,
    /// It is not there.
    Refused,
}

impl Fate {
    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Restored => "restored",
            Self::Adjusted => "adjusted",
            Self::Refused => "refused",
        }
    }
}

/// Says why something is not as it was: a rejection's name, or `price_changed`.
#[derive(Clone, Debug)]
pub struct Reason {
    /// The stable name.
    pub name: &'static str,
    /// The sentence.
    pub detail: String,
}

impl From<&Rejection> for Reason {
    fn from(rejection: &Rejection) -> Self {
        Self { name: rejection.name(), detail: rejection.to_string() }
    }
}

/// Is what became of a code.
pub struct CodeOutcome {
    /// The code.
    pub code: Code,
    /// In one word.
    pub fate: Fate,
    /// Why it was refused.
    pub reason: Option<Reason>,
}
