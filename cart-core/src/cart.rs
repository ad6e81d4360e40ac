//! The cart: its lines, its stage and the workflow it keeps.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Address, Balances, CartId, ChannelId, Code, Currency, GiftCard, GroupId, Lapse, Line, LineId, MethodId,
    OrderId, OrderState, PaymentAttempt, PaymentId, PaymentTask, PriceQuestion, PromotionId, Quote,
    SavedLine, Sku, Step, VisitorId, Workflow,
};

/// Says how far a cart has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Stage {
    /// The shopper is filling it.
    Open,
    /// The shopper is on the way out; lines may still change.
    Checkout {
        /// The steps done so far, each once.
        completed: Vec<Step>,
        /// The attempt to pay that is under way; there is one at a time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<PaymentAttempt>,
    },
    /// It became an order and never changes again.
    Ordered {
        /// The order it became.
        order_id: OrderId,
        /// What it cost.
        #[serde(default)]
        quote: Option<Box<Quote>>,
        /// What paid for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<PaymentId>,
        /// What became of it since.
        #[serde(default, skip_serializing_if = "OrderState::is_untouched")]
        state: OrderState,
    },
    /// Its lines went into another cart, and it never changes again.
    Merged {
        /// That cart.
        into: CartId,
    },
}

/// Names the variation that an experiment gave the cart when it was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedVariation {
    /// The experiment's key.
    pub experiment: String,
    /// The variation's position in the definition, from 0.
    pub variation: u32,
}

/// Is a shopping cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Its name.
    pub id: CartId,
    /// The visitor it belongs to; nobody else may see or change it.
    pub owner: VisitorId,
    /// How experiments know the owner, where that is another id: a user is the visitor who signed up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<VisitorId>,
    /// The group of customers that its owner belongs to, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// The channel that it was opened through, where that was said: the shop's pages, an app, a till.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The number of events it has seen; the ETag of the API.
    pub version: u64,
    /// The one currency of all its prices.
    pub currency: Currency,
    /// The workflow it was opened with and keeps.
    pub workflow: Arc<Workflow>,
    /// The experiments that shaped it.
    pub assignments: Vec<AssignedVariation>,
    /// How far it has come.
    pub stage: Stage,
    /// Its lines in the order in which they were first added; gifts come last.
    pub lines: Vec<Line>,
    /// Lines that wait for later, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saved: Vec<SavedLine>,
    /// The codes that the shopper typed, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// The promotions whose gift the shopper does not want.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gifts_declined: Vec<PromotionId>,
    /// The promotions whose gift could not be had when the cart last changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gifts_out_of_stock: Vec<PromotionId>,
    /// The gift cards that are to pay, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gift_cards: Vec<GiftCard>,
    /// The customer's credit is to pay what gift cards leave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uses_credit: bool,
    /// What the shopper has been told of the accounts that bear on the price, as of the last command.
    #[serde(default, skip_serializing_if = "Balances::is_empty")]
    pub known: Balances,
    /// What the shopper wants to tell the shop; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The e-mail address, where a step before the address asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Where it goes to, once entered.
    pub address: Option<Address>,
    /// How it travels, once chosen.
    #[serde(default)]
    pub shipping: Option<MethodId>,
    /// The attempts to pay it that were ever begun.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub payments: u32,
    /// What the payment provider is still to be told, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payment_tasks: Vec<PaymentTask>,
    /// Why the last attempt to pay failed, a stable name, until another one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_failure: Option<String>,
    /// How long it was left alone, where that was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lapse: Option<Lapse>,
    /// When its holds end, in Unix milliseconds; `None` where nothing is held.
    pub holds_expire_at_ms: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Cart {
    /// Returns how experiments know whose cart it is.
    pub fn unit(&self) -> &VisitorId {
        self.unit.as_ref().unwrap_or(&self.owner)
    }

    /// Asks what one piece costs its owner now, where so many are bought.
    pub fn price_question(&self, quantity: u32, now_ms: i64) -> PriceQuestion<'_> {
        PriceQuestion { currency: self.currency, group: self.group.as_ref(), quantity, now_ms }
    }

    /// Returns a line by its name.
    pub fn line(&self, id: &LineId) -> Option<&Line> {
        self.lines.iter().find(|l| l.is(id))
    }

    /// Returns a saved line by its name.
    pub fn saved_line(&self, id: &LineId) -> Option<&SavedLine> {
        self.saved.iter().find(|l| l.id() == *id)
    }

    /// Visits the lines that the shopper has put into it: all but gifts.
    pub fn bought(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.is_gift())
    }

    /// Visits the lines that promotions give away.
    pub fn gifts(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.is_gift())
    }

    /// Reports whether there is nothing in it to buy.
    pub fn is_empty(&self) -> bool {
        self.bought().next().is_none()
    }

    /// Counts the pieces of a product over all lines but gifts.
    pub fn pieces_of(&self, sku: &Sku) -> u64 {
        self.bought().filter(|l| l.sku == *sku).map(|l| u64::from(l.quantity)).sum()
    }

    /// Reports whether something of it travels; a cart without lines may yet.
    pub fn travels(&self) -> bool {
        self.lines.is_empty() || self.lines.iter().any(|line| !line.digital)
    }

    /// Returns the steps on the way to the order, in order: where nothing travels, nobody chooses how.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = Step> {
        let travels = self.travels();
        self.workflow.steps().iter().copied().filter(move |step| travels || *step != Step::Shipping)
    }

    /// Returns the steps done so far; empty outside a checkout.
    pub fn completed(&self) -> &[Step] {
        match &self.stage {
            Stage::Open | Stage::Merged { .. } => &[],
            Stage::Checkout { completed, .. } => completed,
            Stage::Ordered { .. } => self.workflow.steps(),
        }
    }

    /// An address that a download was content with is not enough for a parcel.
    fn is_to_be_done_again(&self, step: Step) -> bool {
        let is_postal = || self.address.as_ref().is_none_or(Address::is_postal);
        step == Step::Address && self.travels() && !is_postal()
    }

    /// Returns the first step that is not done, where the cart is in a checkout.
    pub fn next_step(&self) -> Option<Step> {
        match &self.stage {
            Stage::Checkout { completed, .. } => {
                self.steps().find(|step| !completed.contains(step) || self.is_to_be_done_again(*step))
            }
            _ => None,
        }
    }

    /// Returns the cart that this one went into.
    pub fn merged_into(&self) -> Option<&CartId> {
        match &self.stage {
            Stage::Merged { into } => Some(into),
            _ => None,
        }
    }

    /// Returns the attempt to pay that is under way.
    pub fn payment(&self) -> Option<&PaymentAttempt> {
        match &self.stage {
            Stage::Checkout { payment, .. } => payment.as_ref(),
            _ => None,
        }
    }

    /// Reports whether the cart never changes again.
    pub fn is_closed(&self) -> bool {
        matches!(self.stage, Stage::Ordered { .. } | Stage::Merged { .. })
    }

    /// Reports whether the cart was left alone for so long that it is closed until it is reopened.
    pub fn is_expired(&self) -> bool {
        self.lapse == Some(Lapse::Expired)
    }

    /// Reports whether the payment provider is to be asked or told something.
    pub fn is_payment_due(&self) -> bool {
        self.payment().is_some() || !self.payment_tasks.is_empty()
    }

    /// Returns the order that the cart became.
    pub fn order_id(&self) -> Option<&OrderId> {
        match &self.stage {
            Stage::Ordered { order_id, .. } => Some(order_id),
            _ => None,
        }
    }
}
