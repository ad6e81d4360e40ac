//! Why a request is refused: a closed list, in order of precedence.

use serde::{Deserialize, Serialize};

use crate::{
    CartId, Code, Currency, Destination, FieldError, LimitBroken, LineId, OrderId, PromotionId,
    PropertyFault, Sku, Step,
    limits::{CART_LINES_MAX, CART_PROPERTIES_BYTES_MAX, LINE_QUANTITY_MAX},
};

/// Says why a cart refuses a request. Where several reasons hold, the one that stands first here is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// The cart belongs to somebody else.
    #[error("the cart belongs to another visitor")]
    NotOwner,
    /// The caller's picture of the cart is out of date.
    #[error("the cart is at version {actual}, the request expects {expected}; read the cart and try again")]
    StaleVersion {
        /// The version that the request expects.
        expected: u64,
        /// The version that the cart has.
        actual: u64,
    },
    /// The cart has become an order.
    #[error("the cart became order {order_id} and can no longer change; open a new one")]
    CartClosed {
        /// That order.
        order_id: OrderId,
    },
    /// The cart's lines went into another cart.
    #[error("the cart was merged into cart {into}; go on with that one")]
    CartMerged {
        /// That cart.
        into: CartId,
    },
    /// The cart was left alone for too long.
    #[error("the cart was left alone for so long that it expired; send reopen to have it back")]
    CartExpired,
    /// The quantity is zero or above the limit.
    #[error("quantity {quantity} is outside 1 to {LINE_QUANTITY_MAX}; use remove_line to take a line out")]
    InvalidQuantity {
        /// The pieces that the line would have.
        quantity: u64,
    },
    /// The catalogue lists no such product, or hides it.
    #[error("no product {sku} is for sale")]
    UnknownSku {
        /// The product.
        sku: Sku,
    },
    /// The product is priced in another currency.
    #[error("the product is priced in {product}, the cart in {cart}; open a cart in {product}")]
    CurrencyMismatch {
        /// The product's currency.
        product: Currency,
        /// The cart's currency.
        cart: Currency,
    },
    /// The shop sells other numbers of pieces.
    #[error("{sku}: {broken}")]
    QuantityLimit {
        /// The product.
        sku: Sku,
        /// The limit.
        broken: LimitBroken,
    },
    /// The product does not take such properties.
    #[error("{sku}: {fault}")]
    PropertyRefused {
        /// The product.
        sku: Sku,
        /// What is wrong with them.
        fault: PropertyFault,
    },
    /// The shop has no such code.
    #[error("{code} is no code of this shop")]
    UnknownCode {
        /// The code.
        code: Code,
    },
    /// The shop has no such gift card.
    #[error("there is no gift card with the code that ends in {last4}; compare it with the card")]
    UnknownGiftCard {
        /// The end of the code.
        last4: String,
    },
    /// The gift card is good for another currency.
    #[error("the gift card ending in {last4} pays {card}, the cart is in {cart}; use it in a cart in {card}")]
    GiftCardCurrency {
        /// The end of the code.
        last4: String,
        /// The card's currency.
        card: Currency,
        /// The cart's currency.
        cart: Currency,
    },
    /// The shop has stopped the gift card.
    #[error("the gift card ending in {last4} was stopped by the shop; write to it, or pay by other means")]
    GiftCardDisabled {
        /// The end of the code.
        last4: String,
    },
    /// The gift card's time is over.
    #[error("the gift card ending in {last4} has expired; pay by other means")]
    GiftCardExpired {
        /// The end of the code.
        last4: String,
    },
    /// Nothing is left on the gift card.
    #[error("nothing is left on the gift card ending in {last4}; use another")]
    GiftCardEmpty {
        /// The end of the code.
        last4: String,
    },
    /// The cart has no such line.
    #[error("the cart has no line {line}")]
    LineNotFound {
        /// The line.
        line: LineId,
    },
    /// The order has no such parcel.
    #[error("the order has no parcel {number}; its parcels say their numbers")]
    ParcelNotFound {
        /// The number that was asked for.
        number: u32,
    },
    /// The line is a gift, about which its promotion decides.
    #[error("{line} is a gift of promotion {promotion}, which decides about it; decline_gift takes it out")]
    GiftLine {
        /// The line.
        line: LineId,
        /// The promotion.
        promotion: PromotionId,
    },
    /// The promotion gives the cart nothing.
    #[error("promotion {promotion} gives this cart nothing; the lines of gifts say which promotions do")]
    GiftNotFound {
        /// The promotion.
        promotion: PromotionId,
    },
    /// The cart has as many lines, or as much text on them, as it may have.
    #[error(
        "a cart holds at most {CART_LINES_MAX} lines with {CART_PROPERTIES_BYTES_MAX} bytes of properties; take something out"
    )]
    CartFull,
    /// There is nothing to buy.
    #[error("the cart is empty; add a line first")]
    CartEmpty,
    /// The step is not part of the workflow, or its turn has not come.
    #[error("step {step} cannot be completed now; {}", turn_in_words(.next))]
    StepOutOfOrder {
        /// The step that was asked for.
        step: Step,
        /// The step whose turn it is; `None` before the checkout and once all steps are done.
        next: Option<Step>,
    },
    /// The details of a step are not complete.
    #[error("{}", fields_in_words(.fields))]
    InvalidDetails {
        /// What is wrong, field by field.
        fields: Vec<FieldError>,
    },
    /// The shop sends nothing there.
    #[error("the shop does not send to {destination}; give an address elsewhere")]
    AddressNotServed {
        /// Where the order would go.
        destination: Destination,
    },
    /// Some step is still to be done.
    #[error("the checkout is not complete; {}", next_in_words(.next))]
    CheckoutIncomplete {
        /// The step whose turn it is.
        next: Option<Step>,
    },
    /// Prices are others than the shopper was told.
    #[error("the price of {} has changed; accept the new prices, then order", lines_in_words(.lines))]
    PriceChanged {
        /// The lines.
        lines: Vec<LineId>,
    },
    /// A promotion that the shopper was shown was used as often as it may be before the order came.
    #[error(
        "{name}{} was used up before this order; the cart shows what it comes to without, look it over, then order",
        code_in_words(.code)
    )]
    PromotionUsedUp {
        /// The promotion's name for people.
        name: String,
        /// The code that it was got by.
        code: Option<Code>,
    },
    /// Gifts are others than the shopper was shown.
    #[error("{}; look the cart over, then order", gifts_in_words(.gone, .new))]
    GiftsChanged {
        /// The names of what was shown and is not given any more.
        gone: Vec<String>,
        /// The names of what is given and was not shown.
        new: Vec<String>,
    },
    /// The attempt to pay was given up before its answer came.
    #[error(
        "the cart was changed while it was being paid; nothing was charged, look it over and order again"
    )]
    PaymentCancelled,
    /// The authorised amount is not what the cart costs.
    #[error(
        "{authorised_minor} minor units were authorised, {due_minor} are due; the cart has changed, look it over"
    )]
    PaymentMismatch {
        /// What was authorised.
        authorised_minor: i64,
        /// What is due.
        due_minor: i64,
    },
    /// The cart has not become the order.
    #[error("order {order_id} was not placed")]
    NotOrdered {
        /// The order.
        order_id: OrderId,
    },
    /// The order is in a state that does not allow it.
    #[error("the order is {status} already; {}", instead(.status))]
    OrderState {
        /// Its state.
        status: String,
    },
    /// The time in which shoppers cancel is over.
    #[error("an order can be cancelled for {minutes} minutes; write to the shop, which may still cancel it")]
    CancelTooLate {
        /// How long they may.
        minutes: i64,
    },
    /// More would be given back than was paid.
    #[error("{asked_minor} minor units are more than the {left_minor} that were paid and not given back")]
    RefundTooLarge {
        /// What was asked for.
        asked_minor: i64,
        /// What is left.
        left_minor: i64,
    },
    /// There are fewer pieces than wanted.
    #[error("{sku} has {available} left, {wanted} more are wanted")]
    OutOfStock {
        /// The product.
        sku: Sku,
        /// Pieces that are left.
        available: i64,
        /// Further pieces that are wanted.
        wanted: u32,
    },
    /// A command of a batch was refused, and with it all of them; its name is that of the reason.
    #[error("command {position} of the batch: {because}; nothing of the batch was done")]
    InBatch {
        /// The command's place in the batch, from 0.
        position: usize,
        /// Why it was refused.
        because: Box<Rejection>,
    },
}

fn instead(status: &str) -> &'static str {
    match status {
        "fulfilled" => "it can be refunded once it is back",
        "sent in part" => {
            "what is left of it completes sets of which parts were sent: send it off, or refund the sets"
        }
        _ => "nothing more can be done with it",
    }
}

fn next_in_words(next: &Option<Step>) -> String {
    match next {
        Some(step) => format!("the next step is {step}"),
        None => "start the checkout first".into(),
    }
}

fn turn_in_words(next: &Option<Step>) -> String {
    match next {
        Some(step) => format!("the next step is {step}"),
        None => "no step is waiting: start the checkout, or place the order if it has begun".into(),
    }
}

fn code_in_words(code: &Option<Code>) -> String {
    code.as_ref().map_or_else(String::new, |code| format!(" (code {code})"))
}

fn gifts_in_words(gone: &[String], new: &[String]) -> String {
    let gone = (!gone.is_empty()).then(|| format!("{} is no longer a gift of this cart", gone.join(", ")));
    let new = (!new.is_empty()).then(|| format!("{} is a gift of it now", new.join(", ")));
    gone.into_iter().chain(new).collect::<Vec<_>>().join("; ")
}

fn lines_in_words(lines: &[LineId]) -> String {
    lines.iter().map(LineId::to_string).collect::<Vec<_>>().join(", ")
}

fn fields_in_words(fields: &[FieldError]) -> String {
    fields.iter().map(|f| format!("{} {}", f.field, f.message)).collect::<Vec<_>>().join("; ")
}

impl Rejection {
    /// Names of all rejections, in order of precedence, as metrics label them.
    pub const NAMES: [&'static str; 36] = [
        "not_owner",
        "stale_version",
        "cart_closed",
        "cart_merged",
        "cart_expired",
        "invalid_quantity",
        "unknown_sku",
        "currency_mismatch",
        "quantity_limit",
        "property_refused",
        "unknown_code",
        "unknown_gift_card",
        "gift_card_currency",
        "gift_card_disabled",
        "gift_card_expired",
        "gift_card_empty",
        "line_not_found",
        "parcel_not_found",
        "gift_line",
        "gift_not_found",
        "cart_full",
        "cart_empty",
        "step_out_of_order",
        "invalid_details",
        "address_not_served",
        "checkout_incomplete",
        "price_changed",
        "promotion_used_up",
        "gifts_changed",
        "payment_cancelled",
        "payment_mismatch",
        "not_ordered",
        "order_state",
        "cancel_too_late",
        "refund_too_large",
        "out_of_stock",
    ];

    /// Returns the stable name that clients branch on.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotOwner => "not_owner",
            Self::StaleVersion { .. } => "stale_version",
            Self::CartClosed { .. } => "cart_closed",
            Self::CartMerged { .. } => "cart_merged",
            Self::CartExpired => "cart_expired",
            Self::InvalidQuantity { .. } => "invalid_quantity",
            Self::UnknownSku { .. } => "unknown_sku",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
            Self::QuantityLimit { .. } => "quantity_limit",
            Self::PropertyRefused { .. } => "property_refused",
            Self::UnknownCode { .. } => "unknown_code",
            Self::UnknownGiftCard { .. } => "unknown_gift_card",
            Self::GiftCardCurrency { .. } => "gift_card_currency",
            Self::GiftCardDisabled { .. } => "gift_card_disabled",
            Self::GiftCardExpired { .. } => "gift_card_expired",
            Self::GiftCardEmpty { .. } => "gift_card_empty",
            Self::LineNotFound { .. } => "line_not_found",
            Self::ParcelNotFound { .. } => "parcel_not_found",
            Self::GiftLine { .. } => "gift_line",
            Self::GiftNotFound { .. } => "gift_not_found",
            Self::CartFull => "cart_full",
            Self::CartEmpty => "cart_empty",
            Self::StepOutOfOrder { .. } => "step_out_of_order",
            Self::InvalidDetails { .. } => "invalid_details",
            Self::AddressNotServed { .. } => "address_not_served",
            Self::CheckoutIncomplete { .. } => "checkout_incomplete",
            Self::PriceChanged { .. } => "price_changed",
            Self::PromotionUsedUp { .. } => "promotion_used_up",
            Self::GiftsChanged { .. } => "gifts_changed",
            Self::PaymentCancelled => "payment_cancelled",
            Self::PaymentMismatch { .. } => "payment_mismatch",
            Self::NotOrdered { .. } => "not_ordered",
            Self::OrderState { .. } => "order_state",
            Self::CancelTooLate { .. } => "cancel_too_late",
            Self::RefundTooLarge { .. } => "refund_too_large",
            Self::OutOfStock { .. } => "out_of_stock",
            Self::InBatch { because, .. } => because.name(),
        }
    }

    /// Returns how many of the pieces that were to be added the rule would have let pass: none where it is not a matter of
    /// how many.
    ///
    /// ```
    /// use cart_core::{Rejection, Sku};
    /// let sku = Sku::parse("MUG").unwrap();
    /// // The line lacks two pieces already, so that the three further ones make five, of which four are there.
    /// assert_eq!(Rejection::OutOfStock { sku: sku.clone(), available: 4, wanted: 5 }.lets_pass(3), 2);
    /// assert_eq!(Rejection::UnknownSku { sku }.lets_pass(3), 0);
    /// ```
    pub fn lets_pass(&self, added: u32) -> u32 {
        let (sum, most) = match self.reason() {
            Self::OutOfStock { available, wanted, .. } => {
                (u64::from(*wanted), u32::try_from(*available).unwrap_or(0))
            }
            Self::InvalidQuantity { quantity } => (*quantity, LINE_QUANTITY_MAX),
            Self::QuantityLimit { broken, .. } => match broken {
                LimitBroken::Min { .. } => return 0,
                LimitBroken::Step { lower, wanted, .. } => (u64::from(*wanted), *lower),
                LimitBroken::MaxPerLine { max, wanted } => (u64::from(*wanted), *max),
                LimitBroken::Max { max, wanted } => (*wanted, *max),
                LimitBroken::PerCustomer { max, before, wanted } => (wanted.saturating_add(*before), *max),
            },
            _ => return 0,
        };
        let excess = u32::try_from(sum.saturating_sub(u64::from(most))).unwrap_or(u32::MAX);
        added.saturating_sub(excess)
    }

    /// Returns the reason itself, where the refusal is that of a batch.
    pub fn reason(&self) -> &Self {
        match self {
            Self::InBatch { because, .. } => because.reason(),
            other => other,
        }
    }
}
