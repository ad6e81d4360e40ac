//! Pieces of products that lines hold or took, by location, and parts of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LocationId, Sku};

/// Is pieces of one product that a line holds, or gives back: parts of a bundle, or pieces of a plain line that do not
/// all lie in the main location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pick {
    /// The product.
    pub sku: Sku,
    /// Where they lie.
    #[serde(default, skip_serializing_if = "LocationId::is_main")]
    pub location: LocationId,
    /// The pieces, at least 1.
    pub pieces: u32,
}

/// Is pieces of one product that a line of an order took from the stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The product.
    pub sku: Sku,
    /// Where they were.
    #[serde(default, skip_serializing_if = "LocationId::is_main")]
    pub location: LocationId,
    /// Pieces that came out of the line's hold.
    pub from_held: u32,
    /// Pieces that came out of the free stock.
    pub from_available: u32,
    /// Pieces that were moved here since, less those that were moved away to wait elsewhere.
    #[serde(default, skip_serializing_if = "crate::quote::is_zero")]
    pub moved: i64,
    /// Pieces that went back to the stock.
    #[serde(default, skip_serializing_if = "crate::line::is_zero")]
    pub restocked: u32,
}

impl Taken {
    /// Returns nothing of a product in a location.
    pub fn nothing(sku: &Sku, location: &LocationId) -> Self {
        Self {
            sku: sku.clone(),
            location: location.clone(),
            from_held: 0,
            from_available: 0,
            moved: 0,
            restocked: 0,
        }
    }

    /// Returns the pieces that the location has sold, those that came back among them.
    pub fn pieces(&self) -> u32 {
        let pieces = i64::from(self.from_held) + i64::from(self.from_available) + self.moved;
        u32::try_from(pieces).expect("no more is moved away than was there")
    }
}

impl Pick {
    /// Returns pieces of a product in the main location.
    pub fn new(sku: Sku, pieces: u32) -> Self {
        Self { sku, location: LocationId::default(), pieces }
    }

    /// Reports whether it is pieces of that product in that location.
    pub fn is_of(&self, sku: &Sku, location: &LocationId) -> bool {
        self.sku == *sku && self.location == *location
    }
}

/// Returns the part of what lies in several places that goes with `of` of `all`, place by place. Of each product goes what
/// would go if it lay in one place; what was put there last goes first.
///
/// ```
/// use cart_core::{LocationId, Sku, stock::parts};
/// let (mug, north) = (Sku::parse("MUG").unwrap(), LocationId::parse("north").unwrap());
/// let held = [(&mug, LocationId::main(), 3), (&mug, &north, 2)];
/// assert_eq!(parts(&held, 4, 5), [2, 2]);
/// ```
pub fn parts(held: &[(&Sku, &LocationId, u32)], of: u32, all: u32) -> Vec<u32> {
    let mut gone = vec![0; held.len()];
    for (at, (sku, ..)) in held.iter().enumerate().rev() {
        let of_sku = |n: &usize| held[*n].0 == *sku;
        let pieces = (0..held.len()).filter(of_sku).map(|n| held[n].2).sum();
        let gone_before: u32 = (at + 1..held.len()).filter(of_sku).map(|n| gone[n]).sum();
        gone[at] = held[at].2.min(part(pieces, of, all) - gone_before);
    }
    gone
}

/// Returns the part of some pieces that goes with `of` of `all`: rounded up, and with the last of them all that is left.
///
/// ```
/// use cart_core::stock::part;
/// assert_eq!((part(6, 1, 3), part(4, 2, 2), part(0, 1, 1), part(3, 0, 0)), (2, 4, 0, 0));
/// ```
pub fn part(pieces: u32, of: u32, all: u32) -> u32 {
    let stays = u64::from(pieces) * u64::from(all.saturating_sub(of)) / u64::from(all.max(1));
    let stays = u32::try_from(stays).unwrap_or(pieces);
    if of == 0 { 0 } else { pieces - stays }
}
