//! What kind of event one is: its name, and what follows from it.

use crate::{CartEvent, LineId};

impl CartEvent {
    /// Returns the event's name, as the outbox and the event files spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CartOpened { .. } => "cart_opened",
            Self::LineAdded { .. } => "line_added",
            Self::QuantitySet { .. } => "quantity_set",
            Self::LineRemoved { .. } => "line_removed",
            Self::LineSaved { .. } => "line_saved",
            Self::SavedLineDropped { .. } => "saved_line_dropped",
            Self::CodeApplied { .. } => "code_applied",
            Self::CodeRemoved { .. } => "code_removed",
            Self::GiftAdded { .. } => "gift_added",
            Self::GiftWithdrawn { .. } => "gift_withdrawn",
            Self::GiftDeclined { .. } => "gift_declined",
            Self::GiftAccepted { .. } => "gift_accepted",
            Self::GiftsOutOfStock { .. } => "gifts_out_of_stock",
            Self::GiftCardApplied { .. } => "gift_card_applied",
            Self::GiftCardRemoved { .. } => "gift_card_removed",
            Self::StoreCreditSet { .. } => "store_credit_set",
            Self::BalancesNoted { .. } => "balances_noted",
            Self::NoteSet { .. } => "note_set",
            Self::PricesAccepted { .. } => "prices_accepted",
            Self::GroupSet { .. } => "group_set",
            Self::CartCleared { .. } => "cart_cleared",
            Self::CheckoutStarted => "checkout_started",
            Self::LinesHeld { .. } => "lines_held",
            Self::HoldsMoved { .. } => "holds_moved",
            Self::StepCompleted { .. } => "step_completed",
            Self::HoldsExpired { .. } => "holds_expired",
            Self::PaymentBegun { .. } => "payment_begun",
            Self::PaymentChallenged { .. } => "payment_challenged",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::PaymentCancelled { .. } => "payment_cancelled",
            Self::PaymentVoided { .. } => "payment_voided",
            Self::PaymentCaptured { .. } => "payment_captured",
            Self::PaymentRefunded { .. } => "payment_refunded",
            Self::CartClaimed { .. } => "cart_claimed",
            Self::LineMerged { .. } => "line_merged",
            Self::LineLaidAside { .. } => "line_laid_aside",
            Self::CartMerged { .. } => "cart_merged",
            Self::OrderPlaced(_) => "order_placed",
            Self::OrderRelocated { .. } => "order_relocated",
            Self::ParcelSent { .. } => "parcel_sent",
            Self::ParcelCorrected { .. } => "parcel_corrected",
            Self::OrderFulfilled { .. } => "order_fulfilled",
            Self::OrderCancelled { .. } => "order_cancelled",
            Self::OrderRefunded { .. } => "order_refunded",
            Self::CartAbandoned(_) => "cart_abandoned",
            Self::CartExpired { .. } => "cart_expired",
            Self::CartReopened { .. } => "cart_reopened",
        }
    }

    /// Reports whether the event may change what is to be paid, so that no attempt to pay outlives it. The end of holds
    /// is none of these: the pieces may still be there.
    pub fn changes_what_is_due(&self) -> bool {
        match self {
            Self::LineAdded { .. }
            | Self::QuantitySet { .. }
            | Self::LineRemoved { .. }
            | Self::LineSaved { .. }
            | Self::CodeApplied { .. }
            | Self::CodeRemoved { .. }
            | Self::GiftAdded { .. }
            | Self::GiftWithdrawn { .. }
            | Self::GiftCardApplied { .. }
            | Self::GiftCardRemoved { .. }
            | Self::StoreCreditSet { .. }
            | Self::PricesAccepted { .. }
            | Self::GroupSet { .. }
            | Self::CartCleared { .. }
            | Self::LineMerged { .. }
            | Self::StepCompleted { .. }
            | Self::CartExpired { .. } => true,
            // What others used up is found out when the order is placed, and told then.
            Self::BalancesNoted { .. }
            | Self::CartOpened { .. }
            | Self::SavedLineDropped { .. }
            | Self::NoteSet { .. }
            | Self::GiftDeclined { .. }
            | Self::GiftAccepted { .. }
            | Self::GiftsOutOfStock { .. }
            | Self::CheckoutStarted
            | Self::LinesHeld { .. }
            | Self::HoldsMoved { .. }
            | Self::HoldsExpired { .. }
            | Self::LineLaidAside { .. }
            | Self::CartClaimed { .. }
            | Self::CartMerged { .. }
            | Self::PaymentBegun { .. }
            | Self::PaymentChallenged { .. }
            | Self::PaymentFailed { .. }
            | Self::PaymentCancelled { .. }
            | Self::PaymentVoided { .. }
            | Self::PaymentCaptured { .. }
            | Self::PaymentRefunded { .. }
            | Self::OrderPlaced(_)
            | Self::OrderRelocated { .. }
            | Self::ParcelSent { .. }
            | Self::ParcelCorrected { .. }
            | Self::OrderFulfilled { .. }
            | Self::OrderCancelled { .. }
            | Self::OrderRefunded { .. }
            | Self::CartAbandoned(_)
            | Self::CartReopened { .. } => false,
        }
    }

    /// Reports whether the event is the shopper's doing: whoever does something has not left the cart alone.
    pub fn is_activity(&self) -> bool {
        match self {
            Self::CartOpened { .. }
            | Self::LineAdded { .. }
            | Self::QuantitySet { .. }
            | Self::LineRemoved { .. }
            | Self::LineSaved { .. }
            | Self::SavedLineDropped { .. }
            | Self::CodeApplied { .. }
            | Self::CodeRemoved { .. }
            | Self::GiftDeclined { .. }
            | Self::GiftAccepted { .. }
            | Self::GiftCardApplied { .. }
            | Self::GiftCardRemoved { .. }
            | Self::StoreCreditSet { .. }
            | Self::NoteSet { .. }
            | Self::PricesAccepted { .. }
            | Self::CartCleared { .. }
            | Self::CheckoutStarted
            | Self::LinesHeld { .. }
            | Self::HoldsMoved { .. }
            | Self::StepCompleted { .. }
            | Self::PaymentBegun { .. }
            | Self::OrderPlaced(_)
            | Self::LineMerged { .. }
            | Self::LineLaidAside { .. }
            | Self::CartReopened { .. } => true,
            Self::BalancesNoted { .. }
            | Self::GiftAdded { .. }
            | Self::GiftWithdrawn { .. }
            | Self::GiftsOutOfStock { .. }
            | Self::HoldsExpired { .. }
            | Self::PaymentChallenged { .. }
            | Self::PaymentFailed { .. }
            | Self::PaymentCancelled { .. }
            | Self::PaymentVoided { .. }
            | Self::PaymentCaptured { .. }
            | Self::PaymentRefunded { .. }
            | Self::OrderRelocated { .. }
            | Self::ParcelSent { .. }
            | Self::ParcelCorrected { .. }
            | Self::OrderFulfilled { .. }
            | Self::OrderCancelled { .. }
            | Self::OrderRefunded { .. }
            | Self::CartClaimed { .. }
            | Self::GroupSet { .. }
            | Self::CartMerged { .. }
            | Self::CartAbandoned(_)
            | Self::CartExpired { .. } => false,
        }
    }

    /// Reports whether the event is about an order that was placed before.
    pub fn changes_its_order(&self) -> bool {
        matches!(
            self,
            Self::OrderRelocated { .. }
                | Self::ParcelSent { .. }
                | Self::ParcelCorrected { .. }
                | Self::OrderFulfilled { .. }
                | Self::OrderCancelled { .. }
                | Self::OrderRefunded { .. }
        )
    }

    /// Returns the line that changed, where it is one.
    pub fn line(&self) -> Option<LineId> {
        match self {
            Self::LineAdded { sku, properties, .. } | Self::LineMerged { sku, properties, .. } => {
                Some(LineId::new(sku.clone(), properties))
            }
            Self::QuantitySet { line, .. }
            | Self::LineRemoved { line, .. }
            | Self::LineSaved { line, .. } => Some(line.clone()),
            _ => None,
        }
    }
}
