//! What happened to a cart, in the past tense; the outbox and every reader speak this.

mod hold;
mod kind;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Abandonment, AssignedVariation, Balances, CartId, ChannelId, Code, Currency, GiftCard, GiftCardId,
    GroupId, LineId, LinePart, Order, OrderId, Parcel, PaymentAttempt, PaymentId, Pick, Posting, PromotionId,
    Properties, Refund, Relocation, ReopenedLine, SavedLine, Sku, StepDetails, StockPolicy, Tracking,
    VisitorId, Workflow,
};
pub use hold::{HoldMove, LineHold, LineRelease};

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
        /// The group of customers that its owner belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupId>,
        /// The channel that it was opened through.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelId>,
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
        /// What is to be done to the pieces of the line, also to those that it had.
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
    /// Its owner belongs to another group of customers from now on, or to none.
    GroupSet {
        /// The group.
        group: Option<GroupId>,
        /// What one piece costs from now on in minor units, line by line.
        prices: Vec<(LineId, i64)>,
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
    /// Another location sends something of the order than the one that sold it.
    OrderRelocated {
        /// The order.
        order_id: OrderId,
        /// What was moved.
        relocation: Relocation,
    },
    /// A location sent something of the order.
    ParcelSent {
        /// The order.
        order_id: OrderId,
        /// What it sent.
        parcel: Parcel,
    },
    /// How a parcel of the order can be followed was said anew.
    ParcelCorrected {
        /// The order.
        order_id: OrderId,
        /// The parcel's place among those of the order, from 1.
        number: u32,
        /// How it can be followed.
        tracking: Option<Tracking>,
        /// What was said of that before.
        before: Option<Tracking>,
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
