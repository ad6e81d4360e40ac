//! An order in parcels: what each location sent, and what still waits to be sent.
//!
//! Pieces are told apart by line, product and location: a bundle's parts may travel from several places. What is given back
//! before it was sent waits no more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrderState, OrderStatus, RefundedLine, Tracking};
use crate::{LineId, LocationId, Order, OrderLine, Pick, Sku};

/// Is what one location sent of an order at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parcel {
    /// Its place among the order's parcels, from 1.
    pub number: u32,
    /// When it was sent off, in Unix milliseconds.
    pub sent_at_ms: i64,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "LocationId::is_main")]
    pub location: LocationId,
    /// What is in it.
    pub contents: Vec<Packed>,
    /// How it can be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
}

/// Is pieces of one product in a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Packed {
    /// The line that they are of.
    pub line: LineId,
    /// The product: the line's, or a part of it where that is a bundle.
    pub sku: Sku,
    /// The pieces, at least 1.
    pub pieces: u32,
}

/// Is pieces of an order that wait to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waiting {
    /// The line that they are of.
    pub line: LineId,
    /// The product: the line's, or a part of it where that is a bundle.
    pub sku: Sku,
    /// The location that sends them; none where nobody counts them, so that any may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    /// The pieces, at least 1.
    pub pieces: u32,
}

/// Is a wish to send something off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParcelWish {
    /// Where it is sent from; where none is said, each location sends its own.
    pub location: Option<LocationId>,
    /// What is sent; all that waits, where nothing is said.
    pub contents: Vec<PackWish>,
    /// How it can be followed.
    pub tracking: Option<Tracking>,
}

/// Is a wish to send pieces of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackWish {
    /// The line.
    pub line: LineId,
    /// The part of a bundle; where none is said, pieces are whole ones of the line.
    pub part: Option<Sku>,
    /// The pieces.
    pub pieces: u32,
}

impl ParcelWish {
    /// Reports whether it asks for all that waits, wherever it is.
    pub fn is_for_all(&self) -> bool {
        self.location.is_none() && self.contents.is_empty()
    }
}

impl OrderLine {
    /// Returns the products that one piece is made of, how many pieces of each, and whether they do not travel.
    pub(crate) fn products(&self) -> impl Iterator<Item = (&Sku, u32, bool)> {
        let own = self.parts.is_empty().then_some((&self.sku, 1, self.digital));
        let wired = |part: &crate::LinePart| self.digital || part.digital;
        own.into_iter().chain(self.parts.iter().map(move |part| (&part.sku, part.quantity, wired(part))))
    }

    /// Returns those of the products that one piece is made of that travel, and how many pieces of each.
    pub fn made_of(&self) -> Vec<(&Sku, u32)> {
        let travel = self.products().filter(|(.., is_digital)| !is_digital);
        travel.map(|(sku, each, _)| (sku, each)).collect()
    }

    /// Returns all pieces of a product that the line has, by location; last those that no location counts.
    pub(crate) fn places_of(&self, sku: &Sku, each: u32) -> Vec<(Option<&LocationId>, u32)> {
        let sold = self.all_sold().filter(|(of, ..)| *of == sku);
        let mut places: Vec<_> = sold.map(|(_, at, pieces, _)| (Some(at), pieces)).collect();
        let counted: u32 = places.iter().map(|(_, pieces)| pieces).sum();
        places.push((None, (each * self.quantity).saturating_sub(counted)));
        places.retain(|(_, pieces)| *pieces > 0);
        places
    }

    fn all_waiting(&self) -> impl Iterator<Item = Waiting> {
        let of = |(sku, each): (&Sku, u32)| {
            let waiting = |(location, pieces): (Option<&LocationId>, u32)| Waiting {
                line: self.id(),
                sku: sku.clone(),
                location: location.cloned(),
                pieces,
            };
            self.places_of(sku, each).into_iter().map(waiting).collect::<Vec<_>>()
        };
        self.made_of().into_iter().flat_map(of)
    }
}

/// Takes so many pieces of what lies in several places, from the last place first; returns how many of each.
///
/// ```text
/// 3 and 2 lie there, 4 are wanted: takes 2 and 2
/// ```
pub(crate) fn from_last(places: &[u32], mut wanted: u32) -> Vec<u32> {
    let mut taken: Vec<_> = places
        .iter()
        .rev()
        .map(|pieces| {
            let of_it = wanted.min(*pieces);
            wanted -= of_it;
            of_it
        })
        .collect();
    taken.reverse();
    taken
}

/// Takes pieces away that wait in a location or, where nobody counts them, anywhere.
fn strike(waiting: &mut [Waiting], line: &LineId, sku: &Sku, at: &LocationId, mut pieces: u32) {
    for is_counted in [true, false] {
        let here = |w: &&mut Waiting| {
            w.line == *line
                && w.sku == *sku
                && if is_counted { w.location.as_ref() == Some(at) } else { w.location.is_none() }
        };
        for waiting in waiting.iter_mut().filter(here) {
            let gone = pieces.min(waiting.pieces);
            waiting.pieces -= gone;
            pieces -= gone;
        }
    }
}

impl RefundedLine {
    /// Strikes what was not sent yet. Of what was paid back before parcels were noted, nothing had been sent.
    fn strike(&self, waiting: &mut [Waiting], line: &OrderLine) {
        if let Some(unsent) = &self.unsent {
            unsent
                .iter()
                .for_each(|pick| strike(waiting, &self.line, &pick.sku, &pick.location, pick.pieces));
            return;
        }
        for (sku, each) in line.made_of() {
            let back: Vec<&Pick> = self.picks.iter().filter(|pick| pick.sku == *sku).collect();
            back.iter().for_each(|pick| strike(waiting, &self.line, sku, &pick.location, pick.pieces));
            let known: u32 = back.iter().map(|pick| pick.pieces).sum();
            let mut rest = (each * self.quantity).saturating_sub(known);
            for w in waiting.iter_mut().rev().filter(|w| w.line == self.line && w.sku == *sku) {
                let gone = rest.min(w.pieces);
                w.pieces -= gone;
                rest -= gone;
            }
        }
    }
}

impl Order {
    /// Returns what waits to be sent, in the order of the lines: nothing once the order is sent off or cancelled, and
    /// nothing of an order of another system.
    pub fn waiting(&self) -> Vec<Waiting> {
        let is_open = self.state.status == OrderStatus::Placed && self.payment.is_some();
        if is_open { self.unsent(&self.state) } else { vec![] }
    }

    /// Returns what neither parcels nor refunds account for.
    pub fn unsent(&self, state: &OrderState) -> Vec<Waiting> {
        let mut waiting: Vec<_> = self.lines.iter().flat_map(OrderLine::all_waiting).collect();
        for refunded in state.refunds.iter().flat_map(|refund| &refund.lines) {
            let line = self.lines.iter().find(|line| line.id() == refunded.line);
            line.into_iter().for_each(|line| refunded.strike(&mut waiting, line));
        }
        for parcel in &state.parcels {
            for packed in &parcel.contents {
                strike(&mut waiting, &packed.line, &packed.sku, &parcel.location, packed.pieces);
            }
        }
        waiting.retain(|waiting| waiting.pieces > 0);
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_gives_first() {
        assert_eq!(from_last(&[3, 2], 4), [2, 2]);
        assert_eq!(from_last(&[3, 2], 9), [3, 2]);
        assert_eq!(from_last(&[], 1), [0; 0]);
    }
}
