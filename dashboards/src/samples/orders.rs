//! The pages of orders.

use super::{AS_OF_MS, HOSTILE, session};
use crate::money::Currency;
use crate::orders::{
    Elsewhere, OrderLine, OrderPage, OrderRow, OrdersPage, ParcelTracking, PieceToSend, SentParcel, ToSend,
};
use crate::session::Notice;

/// Returns the list of orders.
pub fn orders() -> OrdersPage {
    OrdersPage {
        session: session(),
        query: HOSTILE.into(),
        status: "placed".into(),
        orders: vec![order("placed", 0).order, order("cancelled", 2_995).order],
        next: Some("/admin/orders?cursor=abc".into()),
    }
}

/// One order of two mugs in a state, with so much paid back.
pub fn order(status: &'static str, refunded_minor: i64) -> OrderPage {
    OrderPage {
        session: session(),
        key: "0199a1b2".into(),
        notice: (refunded_minor > 0).then(|| Notice::Done("It was paid back.".into())),
        order: OrderRow {
            id: "o5f2c9e".into(),
            placed_at_ms: AS_OF_MS,
            email: HOSTILE.into(),
            status,
            is_sent_in_part: false,
            payment_status: if refunded_minor > 0 { "partially_refunded" } else { "paid" },
            total_minor: 2_995,
            currency: Currency::new("GBP", 2),
        },
        lines: vec![OrderLine {
            id: "MUG".into(),
            name: HOSTILE.into(),
            quantity: 2,
            refunded: u32::from(refunded_minor > 0),
            restocked: 0,
            cost_minor: 2_500,
        }],
        shipping_minor: 495,
        refunded_minor,
        note: HOSTILE.into(),
        sent: if status == "fulfilled" {
            vec![sent_parcel(1, "Leeds", "AB123456785GB"), sent_parcel(2, HOSTILE, HOSTILE)]
        } else {
            vec![]
        },
        to_send: if status == "placed" { vec![to_send("Leeds"), to_send(HOSTILE)] } else { vec![] },
    }
}

/// The order of which Leeds has sent its mug.
pub fn order_sent_in_part() -> OrderPage {
    let placed = order("placed", 0);
    OrderPage {
        order: OrderRow { is_sent_in_part: true, ..placed.order },
        sent: vec![sent_parcel(1, "Leeds", "AB123456785GB")],
        to_send: vec![to_send(HOSTILE)],
        ..placed
    }
}

fn sent_parcel(number: u32, place: &str, tracking: &str) -> SentParcel {
    SentParcel {
        title: format!("Sent on 24 November 2026 from {place}"),
        contents: vec!["1 × Mug".into(), "2 × Tin".into()],
        number: Some(number),
        tracking: ParcelTracking {
            carrier: "Royal Mail".into(),
            number: tracking.into(),
            url: "https://post.example/AB123456785GB".into(),
        },
    }
}

fn to_send(place: &str) -> ToSend {
    let piece =
        |at: usize, name: &str| PieceToSend { field: format!("piece:{at}.0"), name: name.into(), pieces: 1 };
    let elsewhere =
        ["Carlisle", HOSTILE].map(|place| Elsewhere { location: "west".into(), place: place.into() });
    ToSend {
        location: "north".into(),
        place: place.into(),
        pieces: vec![piece(0, "Mug"), piece(1, HOSTILE)],
        elsewhere: elsewhere.into(),
    }
}
