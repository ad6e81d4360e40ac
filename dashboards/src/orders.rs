//! The orders of the shop: the list, and one with what can be done with it.

use serde::Serialize;

use crate::moment::Moment;
use crate::money::Currency;
use crate::session::{Notice, Session};

/// Holds one order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// Its number.
    pub id: String,
    /// When it was placed, Unix milliseconds UTC.
    pub placed_at_ms: i64,
    /// Where questions about it go; may be empty.
    pub email: String,
    /// `placed`, `fulfilled` or `cancelled`.
    pub status: &'static str,
    /// Something of it was sent, and something was not.
    pub is_sent_in_part: bool,
    /// `paid`, `partially_refunded` or `refunded`.
    pub payment_status: &'static str,
    /// What it cost, in the smallest unit of its currency.
    pub total_minor: i64,
    /// Its currency.
    pub currency: Currency,
}

/// Holds what the list of orders shows.
#[derive(Debug, Clone, PartialEq)]
pub struct OrdersPage {
    /// Who reads it.
    pub session: Session,
    /// What was searched for.
    pub query: String,
    /// The state that was asked for; empty for all.
    pub status: String,
    /// The orders, the newest first.
    pub orders: Vec<OrderRow>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// Holds one line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// Its name in forms.
    pub id: String,
    /// The product's name.
    pub name: String,
    /// Pieces bought.
    pub quantity: u32,
    /// Pieces paid back.
    pub refunded: u32,
    /// Pieces that went back to the shelf.
    pub restocked: u32,
    /// What the line cost with discount and tax, in the smallest unit.
    pub cost_minor: i64,
}

/// Holds one order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderPage {
    /// Who reads it.
    pub session: Session,
    /// Makes that each of its forms does something once.
    pub key: String,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The order.
    pub order: OrderRow,
    /// Its lines.
    pub lines: Vec<OrderLine>,
    /// What shipping cost, in the smallest unit.
    pub shipping_minor: i64,
    /// What was given back, in the smallest unit.
    pub refunded_minor: i64,
    /// The shopper's note; may be empty.
    pub note: String,
    /// What was sent, the oldest first.
    pub sent: Vec<SentParcel>,
    /// What each location still has to send.
    pub to_send: Vec<ToSend>,
}

/// Holds a parcel that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentParcel {
    /// When it was sent, and where from.
    pub title: String,
    /// What is in it.
    pub contents: Vec<String>,
    /// Its place among the order's parcels, from 1; none of what was sent before parcels were noted.
    pub number: Option<u32>,
    /// How it is followed.
    pub tracking: ParcelTracking,
}

/// Holds how a parcel is followed; each may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ParcelTracking {
    /// Who carries it.
    pub carrier: String,
    /// What the carrier calls it.
    pub number: String,
    /// Where it is followed.
    pub url: String,
}

/// Holds what one location still has to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToSend {
    /// Its name in forms; empty where any may send it.
    pub location: String,
    /// Its name for people; empty in a shop of one.
    pub place: String,
    /// What it has to send.
    pub pieces: Vec<PieceToSend>,
    /// The locations that may send it instead; where there are several but none other may, the page says so.
    pub elsewhere: Vec<Elsewhere>,
}

/// Holds a location that may send what another one has to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// Its name in forms.
    pub location: String,
    /// Its name for people.
    pub place: String,
}

/// Holds pieces of one product that wait to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PieceToSend {
    /// Its name in forms.
    pub field: String,
    /// The product's name.
    pub name: String,
    /// The pieces.
    pub pieces: u32,
}

#[derive(Serialize)]
struct RowView<'a> {
    id: &'a str,
    placed: Moment,
    email: &'a str,
    status: Pill,
    payment: &'static str,
    total: String,
}

#[derive(Serialize)]
struct Pill {
    label: &'static str,
    tone: &'static str,
    icon: &'static str,
}

impl OrderRow {
    fn view(&self) -> RowView<'_> {
        let (label, tone, icon) = match self.status {
            "fulfilled" => ("Sent off", "good", "check"),
            "cancelled" => ("Cancelled", "bad", "warning"),
            _ if self.is_sent_in_part => ("Sent in part", "calm", "wait"),
            _ => ("To be sent", "calm", "wait"),
        };
        RowView {
            id: &self.id,
            placed: Moment::of(self.placed_at_ms),
            email: &self.email,
            status: Pill { label, tone, icon },
            payment: match self.payment_status {
                "refunded" => "paid back",
                "partially_refunded" => "paid back in part",
                _ => "paid",
            },
            total: self.currency.amount(self.total_minor),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct ListView<'a> {
    query: &'a str,
    statuses: Vec<Choice<'a>>,
    rows: Vec<RowView<'a>>,
    next: Option<&'a str>,
}

#[derive(Serialize)]
struct Choice<'a> {
    value: &'a str,
    label: &'a str,
    is_chosen: bool,
}

impl OrdersPage {
    pub(crate) fn view(&self) -> ListView<'_> {
        let choices =
            [("", "All"), ("placed", "To be sent"), ("fulfilled", "Sent off"), ("cancelled", "Cancelled")];
        let choice = |(value, label)| Choice { value, label, is_chosen: value == self.status };
        ListView {
            query: &self.query,
            statuses: choices.into_iter().map(choice).collect(),
            rows: self.orders.iter().map(OrderRow::view).collect(),
            next: self.next.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct LineView<'a> {
    id: &'a str,
    name: &'a str,
    quantity: u32,
    refunded: u32,
    restocked: u32,
    left: u32,
    cost: String,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    key: &'a str,
    /// The currency's code.
    code: &'a str,
    order: RowView<'a>,
    lines: Vec<LineView<'a>>,
    shipping: String,
    refunded: Option<String>,
    left: String,
    note: &'a str,
    sent: &'a [SentParcel],
    to_send: &'a [ToSend],
    is_sent_in_part: bool,
    /// Nothing of it travels, or everything was paid back.
    can_fulfil: bool,
    can_cancel: bool,
    can_refund: bool,
}

impl OrderPage {
    pub(crate) fn view(&self) -> View<'_> {
        let amount = |minor| self.order.currency.amount(minor);
        let left_minor = self.order.total_minor - self.refunded_minor;
        let line = |line: &'_ OrderLine| (line.quantity - line.refunded, amount(line.cost_minor));
        let is_placed = self.order.status == "placed";
        View {
            key: &self.key,
            code: self.order.currency.code(),
            order: self.order.view(),
            lines: self
                .lines
                .iter()
                .map(|l| {
                    let (left, cost) = line(l);
                    LineView {
                        id: &l.id,
                        name: &l.name,
                        quantity: l.quantity,
                        refunded: l.refunded,
                        restocked: l.restocked,
                        left,
                        cost,
                    }
                })
                .collect(),
            shipping: amount(self.shipping_minor),
            refunded: (self.refunded_minor > 0).then(|| amount(self.refunded_minor)),
            left: amount(left_minor),
            note: &self.note,
            sent: &self.sent,
            to_send: &self.to_send,
            is_sent_in_part: self.order.is_sent_in_part,
            can_fulfil: is_placed && self.to_send.is_empty(),
            can_cancel: is_placed,
            can_refund: left_minor > 0,
        }
    }
}
