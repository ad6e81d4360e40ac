//! What happened to a cart, in the past tense; the outbox and every reader speak this.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Abandonment, AssignedVariation, Balances, CartId, Code, Currency, GiftCard, GiftCardId, LineId, LinePart,
    MethodId, OrderId, OrderState, Parcel, PaymentAttempt, PaymentId, Pick, Posting, PromotionId, Properties,
    Quote, Refund, ReopenedLine, SavedLine, Sku, StepDetails, StockPolicy, Taken, VisitorId, Workflow,
};

/// Is one fact in the life of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartEvent {
    /// The cart came to be.
    CartOpened {
        /// Its name.
        id: CartId,
        /// Its owner.
        owner: VisitorId,
        /// How experiments know the owner, where that is another id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<VisitorId>,
        /// Its currency.
        currency: Currency,
        /// The workflow it keeps.
        workflow: Arc<Workflow>,
        /// The experiments that shaped it.
        assignments: Vec<AssignedVariation>,
    },
    /// Pieces were added.
    LineAdded {
        /// The product.
        sku: Sku,
        /// What is to be done to the pieces.
        properties: Properties,
        /// Its name.
        name: String,
        /// Its stock policy.
        policy: StockPolicy,
        /// What one piece is made of, where the line is new and its product a bundle.
        parts: Vec<LinePart>,
        /// It does not travel.
        digital: bool,
        /// Pieces added.
        quantity: u32,
        /// The price of one piece in minor units.
        unit_price_minor: i64,
        /// Pieces newly held.
        hold: u32,
        /// What that holds of the parts of a bundle.
        picks: Vec<Pick>,
        /// Pieces of the line that ship later.
        backordered: u32,
        /// When the first pieces ship, where the product is still to come.
        ships_from_ms: Option<i64>,
        /// When the cart's holds now end.
        holds_expire_at_ms: Option<i64>,
    },
    /// A line's pieces were set.
    QuantitySet {
        /// The line.
        line: LineId,
        /// Pieces wanted from now on.
        quantity: u32,
        /// The price of one piece in minor units.
        unit_price_minor: i64,
        /// Pieces newly held.
        hold: u32,
        /// Pieces given back.
        release: u32,
        /// What that holds, or gives back, of the parts of a bundle: no event does both.
        picks: Vec<Pick>,
        /// Pieces of the line that ship later.
        backordered: u32,
        /// When the cart's holds now end.
        holds_expire_at_ms: Option<i64>,
    },
    /// A line was taken out.
    LineRemoved {
        /// The line.
        line: LineId,
        /// Pieces given back.
        release: u32,
        /// What that gives back of the parts of a bundle.
        picks: Vec<Pick>,
    },
    /// A line was laid aside for later.
    LineSaved {
        /// The line.
        line: LineId,
        /// Pieces given back.
        release: u32,
        /// What that gives back of the parts of a bundle.
        picks: Vec<Pick>,
    },
    /// A saved line was taken away: a [`CartEvent::LineAdded`] follows where it came back into the cart.
    SavedLineDropped {
        /// The line.
        line: LineId,
    },
    /// A code was typed.
    CodeApplied {
        /// The code.
        code: Code,
    },
    /// A code was taken back.
    CodeRemoved {
        /// The code.
        code: Code,
    },
    /// A promotion has put its gift into the cart.
    GiftAdded {
        /// The promotion.
        promotion: PromotionId,
        /// The product.
        sku: Sku,
        /// Its name.
        name: String,
        /// Its stock policy.
        policy: StockPolicy,
        /// What one piece is made of, where it is a bundle.
        parts: Vec<LinePart>,
        /// It does not travel.
        digital: bool,
        /// Pieces given.
        quantity: u32,
        /// Pieces newly held.
        hold: u32,
        /// What that holds of the parts of a bundle.
        picks: Vec<Pick>,
        /// Pieces of the line that ship later.
        backordered: u32,
        /// When the first pieces ship, where the product is still to come.
        ships_from_ms: Option<i64>,
        /// When the cart's holds now end.
        holds_expire_at_ms: Option<i64>,
    },
    /// A gift was taken out again, because its promotion does not give it any more.
    GiftWithdrawn {
        /// The line.
        line: LineId,
        /// Pieces given back.
        release: u32,
        /// What that gives back of the parts of a bundle.
        picks: Vec<Pick>,
    },
    /// The shopper does not want the gift of a promotion.
    GiftDeclined {
        /// The promotion.
        promotion: PromotionId,
    },
    /// The shopper wants the gift of a promotion after all.
    GiftAccepted {
        /// The promotion.
        promotion: PromotionId,
    },
    /// The gifts that cannot be had are others than before.
    GiftsOutOfStock {
        /// All promotions whose gift cannot be had.
        promotions: Vec<PromotionId>,
    },
    /// A gift card is to pay.
    GiftCardApplied {
        /// The card.
        card: GiftCard,
    },
    /// A gift card is not to pay after all.
    GiftCardRemoved {
        /// The card.
        card: GiftCardId,
    },
    /// The customer's credit is to pay, or not.
    StoreCreditSet {
        /// Whether it is.
        on: bool,
    },
    /// The accounts that bear on the price were looked at, and say something new.
    BalancesNoted {
        /// What they say.
        balances: Balances,
    },
    /// The shopper's note to the shop was set.
    NoteSet {
        /// The text.
        text: String,
    },
    /// The shopper accepted the prices of today.
    PricesAccepted {
        /// The price of one piece in minor units, line by line.
        prices: Vec<(LineId, i64)>,
    },
    /// All lines were taken out.
    CartCleared {
        /// Pieces given back, line by line.
        releases: Vec<LineRelease>,
    },
    /// The checkout began.
    CheckoutStarted,
    /// Lines that held too few pieces hold all of theirs.
    LinesHeld {
        /// What is newly held, line by line.
        holds: Vec<LineHold>,
        /// When the cart's holds now end.
        holds_expire_at_ms: Option<i64>,
    },
    /// Pieces are held in other locations from now on: those that serve where the cart goes to, or fewer of them.
    HoldsMoved {
        /// What moves, line by line.
        moves: Vec<HoldMove>,
    },
    /// A step was completed or corrected.
    StepCompleted {
        /// What it established.
        details: StepDetails,
    },
    /// The holds' time was over.
    HoldsExpired {
        /// Pieces given back, line by line.
        releases: Vec<LineRelease>,
    },
    /// An attempt to pay began; the provider is asked after this is written down.
    PaymentBegun {
        /// The attempt.
        attempt: PaymentAttempt,
    },
    /// The provider wants the shopper to confirm the payment.
    PaymentChallenged {
        /// The attempt.
        payment: PaymentId,
        /// Where they do so.
        url: String,
    },
    /// The provider will not pay.
    PaymentFailed {
        /// The attempt.
        payment: PaymentId,
        /// Why: a stable name.
        reason: String,
    },
    /// An attempt was given up; whatever was authorised is owed back.
    PaymentCancelled {
        /// The attempt.
        payment: PaymentId,
    },
    /// The provider has let all of a payment go.
    PaymentVoided {
        /// The payment.
        payment: PaymentId,
    },
    /// The provider has taken the money.
    PaymentCaptured {
        /// The payment.
        payment: PaymentId,
        /// Minor units of the cart's currency.
        amount_minor: i64,
    },
    /// The provider has given part of the money back.
    PaymentRefunded {
        /// The payment.
        payment: PaymentId,
        /// The refund's place among those of the order.
        number: u32,
        /// Minor units of the cart's currency.
        amount_minor: i64,
    },
    /// The cart became a user's own.
    CartClaimed {
        /// The user.
        owner: VisitorId,
    },
    /// Pieces came from another cart.
    LineMerged {
        /// That cart.
        from: CartId,
        /// The product.
        sku: Sku,
        /// What is to be done to the pieces.
        properties: Properties,
        /// Its name.
        name: String,
        /// Its stock policy.
        policy: StockPolicy,
        /// What one piece is made of, where the line is new and its product a bundle.
        parts: Vec<LinePart>,
        /// It does not travel.
        digital: bool,
        /// Pieces that came.
        quantity: u32,
        /// The price of one piece in minor units.
        unit_price_minor: i64,
        /// Pieces that came with their hold.
        carried: u32,
        /// What that brings along of the parts of a bundle.
        carried_picks: Vec<Pick>,
        /// Pieces newly held.
        hold: u32,
        /// What that holds of the parts of a bundle.
        picks: Vec<Pick>,
        /// Pieces of the line that ship later.
        backordered: u32,
        /// When the first pieces ship, where the product is still to come.
        ships_from_ms: Option<i64>,
        /// When the cart's holds now end.
        holds_expire_at_ms: Option<i64>,
    },
    /// A line of another cart was laid aside for later.
    LineLaidAside {
        /// The line.
        line: SavedLine,
    },
    /// The cart's lines went into another cart.
    CartMerged {
        /// That cart.
        into: CartId,
        /// Pieces given back, line by line; the other cart holds the rest.
        releases: Vec<LineRelease>,
    },
    /// The cart became an order.
    OrderPlaced(Order),
    /// A location sent something of the order.
    ParcelSent {
        /// The order.
        order_id: OrderId,
        /// What it sent.
        parcel: Parcel,
    },
    /// All of the order was sent off.
    OrderFulfilled {
        /// The order.
        order_id: OrderId,
        /// When, in Unix milliseconds.
        at_ms: i64,
    },
    /// The order was cancelled.
    OrderCancelled {
        /// The order.
        order_id: OrderId,
        /// What is given back: all that was not before.
        refund: Refund,
        /// What is posted to the accounts: the opposite of what the order did.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        postings: Vec<Posting>,
    },
    /// Part of the order was given back.
    OrderRefunded {
        /// The order.
        order_id: OrderId,
        /// What is given back.
        refund: Refund,
        /// What is posted to the accounts: what goes back to gift cards and credit, and pieces that count no more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        postings: Vec<Posting>,
    },
    /// Nobody touched the cart for so long that its shopper seems to have gone away.
    CartAbandoned(Box<Abandonment>),
    /// Nobody touched the cart for so long that it is closed.
    CartExpired {
        /// Pieces given back, line by line.
        releases: Vec<LineRelease>,
    },
    /// The cart was opened again, without its lines: a [`CartEvent::LineAdded`] follows for each that came back.
    CartReopened {
        /// What became of each line.
        lines: Vec<ReopenedLine>,
    },
}

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
            Self::ParcelSent { .. } => "parcel_sent",
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
            | Self::ParcelSent { .. }
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
            | Self::ParcelSent { .. }
            | Self::OrderFulfilled { .. }
            | Self::OrderCancelled { .. }
            | Self::OrderRefunded { .. }
            | Self::CartClaimed { .. }
            | Self::CartMerged { .. }
            | Self::CartAbandoned(_)
            | Self::CartExpired { .. } => false,
        }
    }

    /// Reports whether the event is about an order that was placed before.
    pub fn changes_its_order(&self) -> bool {
        matches!(
            self,
            Self::ParcelSent { .. }
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

/// Is pieces that a line newly holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineHold {
    /// The line.
    pub line: LineId,
    /// The pieces.
    pub hold: u32,
    /// What that holds of the parts of a bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub picks: Vec<Pick>,
    /// Pieces of the line that ship later.
    pub backordered: u32,
}

/// Is pieces that are held for a line in other locations than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldMove {
    /// The line.
    pub line: LineId,
    /// Where all that the line holds lay.
    pub from: Vec<Pick>,
    /// Where all of it lies now.
    pub to: Vec<Pick>,
    /// Pieces of the line that ship later.
    pub backordered: u32,
}

/// Is pieces that a line gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRelease {
    /// The line.
    pub line: LineId,
    /// The pieces.
    pub pieces: u32,
    /// What that gives back of the parts of a bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub picks: Vec<Pick>,
}

/// Is an order, with what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its name.
    pub order_id: OrderId,
    /// The cart that became it.
    pub cart: CartId,
    /// Who placed it.
    pub owner: VisitorId,
    /// When, in Unix milliseconds.
    pub placed_at_ms: i64,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// What the shopper told the shop; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// How it travels; none where nothing does.
    #[serde(default)]
    pub shipping: Option<MethodId>,
    /// What it cost; none for orders of another system.
    #[serde(default)]
    pub quote: Option<Box<Quote>>,
    /// Shipping in minor units.
    pub shipping_minor: i64,
    /// What was paid in minor units.
    pub total_minor: i64,
    /// The provider's name for the payment.
    pub payment_reference: String,
    /// What it moved in the accounts; whoever undoes the order posts the opposite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postings: Vec<Posting>,
    /// The payment; none for orders of another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// Where questions about the order go; empty for orders of another system.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// What became of it since.
    #[serde(default, skip_serializing_if = "OrderState::is_untouched")]
    pub state: OrderState,
}

/// Is one line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The product.
    pub sku: Sku,
    /// What is to be done to the pieces.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// The promotion that gave the pieces away, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_of: Option<PromotionId>,
    /// Its name.
    pub name: String,
    /// Pieces bought.
    pub quantity: u32,
    /// The price of one piece in minor units.
    pub unit_price_minor: i64,
    /// What promotions took off all of them, in minor units.
    #[serde(default)]
    pub discount_minor: i64,
    /// Pieces that came out of the line's hold.
    pub from_held: u32,
    /// Pieces that came out of the free stock.
    pub from_available: u32,
    /// Pieces of it that were not there: they ship later.
    #[serde(default, skip_serializing_if = "crate::line::is_zero")]
    pub backordered: u32,
    /// When the first pieces ship, in Unix milliseconds, where the product was still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ships_from_ms: Option<i64>,
    /// Tells whether it does not travel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub digital: bool,
    /// Pieces that went back to the stock.
    #[serde(default, skip_serializing_if = "crate::line::is_zero")]
    pub restocked: u32,
    /// What one piece is made of, where it is a bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<LinePart>,
    /// What bundles took from the stock, or where a plain line took pieces; one that says nothing took pieces of its own
    /// product from the main location.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<Taken>,
    /// What whoever bought it is told, where there is something.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delivery_note: String,
}

impl OrderLine {
    /// Returns a line without properties or discount that took nothing from the stock.
    pub fn new(sku: Sku, name: impl Into<String>, quantity: u32, unit_price_minor: i64) -> Self {
        Self {
            sku,
            properties: Properties::default(),
            gift_of: None,
            name: name.into(),
            quantity,
            unit_price_minor,
            discount_minor: 0,
            from_held: 0,
            from_available: 0,
            backordered: 0,
            ships_from_ms: None,
            digital: false,
            restocked: 0,
            parts: vec![],
            taken: vec![],
            delivery_note: String::new(),
        }
    }
}
