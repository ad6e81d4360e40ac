//! What a shopper, or the clock, may ask of a cart.

use crate::{
    Code, GiftCard, GiftCardId, GroupId, LineId, Order, OrderId, OrderLine, ParcelWish, Payment, PaymentId,
    PaymentTask, PromotionId, Properties, RefundWish, RelocationWish, RequestKey, Sku, StepDetails,
    TrackingChange, VisitorId,
};

/// Is one imperative to a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds pieces of a product, to the line of the same properties where there is one.
    AddLine {
        /// The product.
        sku: Sku,
        /// Pieces to add, 1 to the line's limit.
        quantity: u32,
        /// What is to be done to them.
        properties: Properties,
    },
    /// Sets the pieces of a line; a line without properties is opened where there is none.
    SetQuantity {
        /// The line.
        line: LineId,
        /// Pieces wanted, 1 to the line's limit.
        quantity: u32,
    },
    /// Takes a line out.
    RemoveLine {
        /// The line.
        line: LineId,
    },
    /// Lays a line aside for later; its pieces are given back.
    SaveLine {
        /// The line.
        line: LineId,
    },
    /// Takes a saved line into the cart again, at today's price.
    RestoreLine {
        /// The line.
        line: LineId,
    },
    /// Takes a saved line away.
    DropSavedLine {
        /// The line.
        line: LineId,
    },
    /// Types a code that opens a promotion.
    ApplyCode {
        /// The code.
        code: Code,
    },
    /// Takes a code back.
    RemoveCode {
        /// The code.
        code: Code,
    },
    /// Does without the gift of a promotion.
    DeclineGift {
        /// The promotion.
        promotion: PromotionId,
    },
    /// Takes the gift of a promotion after all.
    AcceptGift {
        /// The promotion.
        promotion: PromotionId,
    },
    /// Pays with a gift card, as far as it goes.
    ApplyGiftCard {
        /// The card.
        card: GiftCard,
    },
    /// Types what may be a promotion's code or a gift card's: the shop finds out which.
    RedeemCode(Typed),
    /// Does not pay with a gift card.
    RemoveGiftCard {
        /// The card.
        card: GiftCardId,
    },
    /// Pays with the credit that the customer has with the shop, as far as it goes, or does not.
    UseStoreCredit {
        /// Whether it pays.
        on: bool,
    },
    /// Sets what the shopper wants to tell the shop; an empty text says nothing.
    SetNote {
        /// The text.
        text: String,
    },
    /// Takes the prices of today for those that the shopper was told before.
    AcceptPrices,
    /// Notes that the owner belongs to a group of customers, or to none; the shop says so, never a shopper.
    SetGroup {
        /// The group.
        group: Option<GroupId>,
    },
    /// Runs commands one after the other, all or none. A batch holds no batch and places no order.
    Batch(Vec<Command>),
    /// Takes all lines out.
    Clear,
    /// Begins the checkout; repeated, it changes nothing.
    StartCheckout,
    /// Completes the next step, or corrects one that is done.
    CompleteStep(StepDetails),
    /// Begins to pay; where an attempt is under way already, it is joined.
    BeginPayment {
        /// The name of the order to be.
        order_id: OrderId,
        /// The request that asks, where its client wants to be able to ask again.
        request: Option<RequestKey>,
    },
    /// Notes that the provider wants the shopper to confirm.
    ChallengePayment {
        /// The attempt.
        payment: PaymentId,
        /// Where they do so.
        url: String,
    },
    /// Notes that the provider will not pay.
    FailPayment {
        /// The attempt.
        payment: PaymentId,
        /// Why: a stable name.
        reason: String,
    },
    /// Gives an attempt up, the one under way where none is named; whatever was authorised is owed back.
    CancelPayment {
        /// The attempt.
        payment: Option<PaymentId>,
    },
    /// Notes that the provider has confirmed what it was told.
    SettlePayment(PaymentTask),
    /// Turns the cart into an order that is paid.
    PlaceOrder {
        /// The name of the order to be.
        order_id: OrderId,
        /// What the provider has authorised.
        payment: Payment,
    },
    /// Sends an order off, all that waits of it or a part.
    FulfilOrder {
        /// The order as it was placed.
        order: Box<Order>,
        /// What of it.
        wish: ParcelWish,
    },
    /// Lets another location send what waits of an order.
    RelocateOrder {
        /// The order as it was placed.
        order: Box<Order>,
        /// What of it, and where.
        wish: RelocationWish,
    },
    /// Says anew how a parcel that was sent can be followed.
    CorrectParcel {
        /// The order as it was placed.
        order: Box<Order>,
        /// The parcel's place among those of the order, from 1.
        number: u32,
        /// What is said anew.
        change: TrackingChange,
    },
    /// Cancels what of an order was not sent off, and gives back what was paid.
    CancelOrder {
        /// The order as it was placed.
        order: Box<Order>,
    },
    /// Gives part of an order back.
    RefundOrder {
        /// The order as it was placed.
        order: Box<Order>,
        /// What of it.
        wish: RefundWish,
    },
    /// Gives held pieces back, where the time of the holds is over.
    ExpireHolds,
    /// Notes that nobody has touched the cart for long: that it was abandoned, and the next time that it expires.
    Lapse {
        /// Whether it is to be noted that the cart was abandoned before it expires.
        abandons: bool,
    },
    /// Opens a cart again that has expired, as far as its lines are still to be had; any other stays as it is.
    Reopen,
}

impl Command {
    /// Counts the gift cards that it names by their codes.
    pub fn typed_cards(&self) -> usize {
        match self {
            Self::ApplyGiftCard { .. } => 1,
            Self::RedeemCode(typed) => usize::from(typed.card().is_some()),
            Self::Batch(commands) => commands.iter().map(Self::typed_cards).sum(),
            _ => 0,
        }
    }

    /// Names of all commands, as metrics label them.
    pub const NAMES: [&'static str; 35] = [
        "add_line",
        "set_quantity",
        "remove_line",
        "save_line",
        "restore_line",
        "drop_saved_line",
        "apply_code",
        "remove_code",
        "decline_gift",
        "accept_gift",
        "apply_gift_card",
        "redeem_code",
        "remove_gift_card",
        "use_store_credit",
        "set_note",
        "accept_prices",
        "set_group",
        "batch",
        "clear",
        "start_checkout",
        "complete_step",
        "begin_payment",
        "challenge_payment",
        "fail_payment",
        "cancel_payment",
        "settle_payment",
        "place_order",
        "fulfil_order",
        "relocate_order",
        "correct_parcel",
        "cancel_order",
        "refund_order",
        "expire_holds",
        "lapse",
        "reopen",
    ];

    /// Returns the name on the wire and in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AddLine { .. } => "add_line",
            Self::SetQuantity { .. } => "set_quantity",
            Self::RemoveLine { .. } => "remove_line",
            Self::SaveLine { .. } => "save_line",
            Self::RestoreLine { .. } => "restore_line",
            Self::DropSavedLine { .. } => "drop_saved_line",
            Self::ApplyCode { .. } => "apply_code",
            Self::RemoveCode { .. } => "remove_code",
            Self::DeclineGift { .. } => "decline_gift",
            Self::AcceptGift { .. } => "accept_gift",
            Self::ApplyGiftCard { .. } => "apply_gift_card",
            Self::RedeemCode(_) => "redeem_code",
            Self::RemoveGiftCard { .. } => "remove_gift_card",
            Self::UseStoreCredit { .. } => "use_store_credit",
            Self::SetNote { .. } => "set_note",
            Self::AcceptPrices => "accept_prices",
            Self::SetGroup { .. } => "set_group",
            Self::Batch(_) => "batch",
            Self::Clear => "clear",
            Self::StartCheckout => "start_checkout",
            Self::CompleteStep(_) => "complete_step",
            Self::BeginPayment { .. } => "begin_payment",
            Self::ChallengePayment { .. } => "challenge_payment",
            Self::FailPayment { .. } => "fail_payment",
            Self::CancelPayment { .. } => "cancel_payment",
            Self::SettlePayment(_) => "settle_payment",
            Self::PlaceOrder { .. } => "place_order",
            Self::FulfilOrder { .. } => "fulfil_order",
            Self::RelocateOrder { .. } => "relocate_order",
            Self::CorrectParcel { .. } => "correct_parcel",
            Self::CancelOrder { .. } => "cancel_order",
            Self::RefundOrder { .. } => "refund_order",
            Self::ExpireHolds => "expire_holds",
            Self::Lapse { .. } => "lapse",
            Self::Reopen => "reopen",
        }
    }

    /// Returns the order that the command is about, as it was placed.
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::FulfilOrder { order, .. }
            | Self::RelocateOrder { order, .. }
            | Self::CorrectParcel { order, .. }
            | Self::CancelOrder { order }
            | Self::RefundOrder { order, .. } => Some(order),
            _ => None,
        }
    }

    /// Returns the products that the command itself names.
    pub fn skus(&self) -> Vec<&Sku> {
        match self {
            Self::AddLine { sku, .. } => vec![sku],
            Self::SetQuantity { line, .. }
            | Self::RemoveLine { line }
            | Self::SaveLine { line }
            | Self::RestoreLine { line }
            | Self::DropSavedLine { line } => vec![line.sku()],
            Self::RelocateOrder { order, .. }
            | Self::CancelOrder { order }
            | Self::RefundOrder { order, .. } => {
                order.lines.iter().flat_map(OrderLine::all_taken).map(|(sku, ..)| sku).collect()
            }
            Self::Batch(commands) => commands.iter().flat_map(Self::skus).collect(),
            _ => vec![],
        }
    }

    /// Reports whether gifts follow from the cart as the command leaves it: all that is the shopper's doing, but for what is
    /// between them and the payment provider.
    pub fn settles_gifts(&self) -> bool {
        !matches!(
            self,
            Self::BeginPayment { .. }
                | Self::ChallengePayment { .. }
                | Self::FailPayment { .. }
                | Self::CancelPayment { .. }
                | Self::SettlePayment(_)
                | Self::PlaceOrder { .. }
                | Self::FulfilOrder { .. }
                | Self::RelocateOrder { .. }
                | Self::CorrectParcel { .. }
                | Self::CancelOrder { .. }
                | Self::RefundOrder { .. }
                | Self::ExpireHolds
                | Self::Lapse { .. }
        )
    }

    /// Reports whether the command may move held pieces to other locations: it says where its cart goes to.
    pub fn may_move_holds(&self) -> bool {
        matches!(self, Self::CompleteStep(StepDetails::Address(_)))
    }

    /// Reports whether the command may move the pieces of every line of its cart.
    pub fn moves_all_lines(&self) -> bool {
        match self {
            Self::Clear
            | Self::StartCheckout
            | Self::BeginPayment { .. }
            | Self::PlaceOrder { .. }
            | Self::ExpireHolds
            | Self::Lapse { .. }
            | Self::Reopen => true,
            Self::Batch(commands) => commands.iter().any(Self::moves_all_lines),
            _ => false,
        }
    }
}

/// Is what a shopper typed who need not know what it is, read as whatever it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It can only be a promotion's.
    Code(Code),
    /// It can only be a gift card's.
    Card(GiftCard),
    /// It can be either.
    Either(Code, GiftCard),
}

impl Typed {
    /// Returns the code of a promotion that it may be.
    pub fn code(&self) -> Option<&Code> {
        match self {
            Self::Code(code) | Self::Either(code, _) => Some(code),
            Self::Card(_) => None,
        }
    }

    /// Returns the gift card that it may be.
    pub fn card(&self) -> Option<&GiftCard> {
        match self {
            Self::Card(card) | Self::Either(_, card) => Some(card),
            Self::Code(_) => None,
        }
    }
}

/// Is a command with who asks and what they believe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks; `None` for the server itself.
    pub caller: Option<VisitorId>,
    /// The version the caller last saw, where the command is to hold only for that one.
    pub expected_version: Option<u64>,
    /// What is asked.
    pub command: Command,
}
