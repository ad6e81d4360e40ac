//! What events move in the stock.

use super::{Movement, Pick};
use crate::{CartEvent, HoldMove, OrderLine, Packed, Relocation, Sku, location::Slot};

/// Returns what an event moves in the stock, line by line; movements of nothing are left out.
pub fn movements(event: &CartEvent) -> Vec<(Slot, Movement)> {
    let all: Vec<(Slot, Movement)> = match event {
        CartEvent::LineAdded { sku, hold, picks, .. } | CartEvent::GiftAdded { sku, hold, picks, .. } => {
            moved(sku, *hold, picks, Movement::hold)
        }
        CartEvent::QuantitySet { line, hold, release: 0, picks, .. } => {
            moved(line.sku(), *hold, picks, Movement::hold)
        }
        CartEvent::QuantitySet { line, release, picks, .. }
        | CartEvent::LineRemoved { line, release, picks }
        | CartEvent::GiftWithdrawn { line, release, picks }
        | CartEvent::LineSaved { line, release, picks } => {
            moved(line.sku(), *release, picks, Movement::release)
        }
        CartEvent::LinesHeld { holds, .. } => {
            holds.iter().flat_map(|h| moved(h.line.sku(), h.hold, &h.picks, Movement::hold)).collect()
        }
        CartEvent::HoldsMoved { moves } => {
            let moved = |m: &HoldMove| {
                let gone = m.from.iter().map(|pick| moved_pick(pick, Movement::release));
                gone.chain(m.to.iter().map(|pick| moved_pick(pick, Movement::hold))).collect::<Vec<_>>()
            };
            moves.iter().flat_map(moved).collect()
        }
        // What a merged line brought along is held as before, only by another cart.
        CartEvent::LineMerged { sku, hold, picks, .. } => moved(sku, *hold, picks, Movement::hold),
        CartEvent::CartMerged { releases, .. }
        | CartEvent::CartCleared { releases }
        | CartEvent::HoldsExpired { releases }
        | CartEvent::CartExpired { releases } => {
            releases.iter().flat_map(|r| moved(r.line.sku(), r.pieces, &r.picks, Movement::release)).collect()
        }
        CartEvent::OrderPlaced(order) => order
            .lines
            .iter()
            .flat_map(OrderLine::all_taken)
            .map(|(sku, location, held, available)| {
                (Slot::new(sku, location), Movement::sell(i64::from(held), i64::from(available)))
            })
            .collect(),
        CartEvent::OrderCancelled { refund, .. } | CartEvent::OrderRefunded { refund, .. } => refund
            .lines
            .iter()
            .flat_map(|l| moved(l.line.sku(), l.restocked, &l.picks, Movement::restock))
            .collect(),
        CartEvent::OrderRelocated { relocation, .. } => {
            let Relocation { from, to, contents, .. } = relocation;
            let moved = |packed: &Packed| {
                let pieces = i64::from(packed.pieces);
                let goes = (Slot::new(&packed.sku, from), Movement::restock(pieces));
                [goes, (Slot::new(&packed.sku, to), Movement::sell(0, pieces))]
            };
            contents.iter().flat_map(moved).collect()
        }
        CartEvent::CartOpened { .. }
        | CartEvent::CartClaimed { .. }
        | CartEvent::LineLaidAside { .. }
        | CartEvent::SavedLineDropped { .. }
        | CartEvent::CodeApplied { .. }
        | CartEvent::CodeRemoved { .. }
        | CartEvent::GiftDeclined { .. }
        | CartEvent::GiftAccepted { .. }
        | CartEvent::GiftsOutOfStock { .. }
        | CartEvent::GiftCardApplied { .. }
        | CartEvent::GiftCardRemoved { .. }
        | CartEvent::StoreCreditSet { .. }
        | CartEvent::BalancesNoted { .. }
        | CartEvent::NoteSet { .. }
        | CartEvent::PricesAccepted { .. }
        | CartEvent::GroupSet { .. }
        | CartEvent::CheckoutStarted
        | CartEvent::StepCompleted { .. }
        | CartEvent::PaymentBegun { .. }
        | CartEvent::PaymentChallenged { .. }
        | CartEvent::PaymentFailed { .. }
        | CartEvent::PaymentCancelled { .. }
        | CartEvent::PaymentVoided { .. }
        | CartEvent::PaymentCaptured { .. }
        | CartEvent::PaymentRefunded { .. }
        | CartEvent::ParcelSent { .. }
        | CartEvent::ParcelCorrected { .. }
        | CartEvent::OrderFulfilled { .. }
        | CartEvent::CartAbandoned(_)
        | CartEvent::CartReopened { .. } => vec![],
    };
    all.into_iter().filter(|(_, m)| !m.is_none()).collect()
}

fn moved(sku: &Sku, pieces: u32, picks: &[Pick], movement: fn(i64) -> Movement) -> Vec<(Slot, Movement)> {
    match picks {
        [] => vec![(sku.clone().into(), movement(i64::from(pieces)))],
        picks => picks.iter().map(|pick| moved_pick(pick, movement)).collect(),
    }
}

fn moved_pick(pick: &Pick, movement: fn(i64) -> Movement) -> (Slot, Movement) {
    (Slot::new(&pick.sku, &pick.location), movement(i64::from(pick.pieces)))
}
