//! The pages of webhooks.

use super::{AS_OF_MS, DAY_MS, HOSTILE, session};
use crate::session::Notice;
use crate::webhooks::{DeliveryRow, EndpointForm, EndpointRow, SinkPage, TypeChoice, WebhooksPage};

fn endpoint() -> EndpointRow {
    EndpointRow {
        id: "wh_1a2b3c".into(),
        url: "erp.example/hooks".into(),
        description: "orders for the warehouse".into(),
        types: vec!["order_placed".into(), "order_cancelled".into()],
        is_enabled: true,
        note: None,
        failing_since_ms: None,
        old_secret_ends_at_ms: Some(AS_OF_MS + DAY_MS),
        replay: Some((AS_OF_MS - 2 * DAY_MS, AS_OF_MS - DAY_MS)),
        created_at_ms: AS_OF_MS - 9 * DAY_MS,
    }
}

fn form(chosen: &str) -> EndpointForm {
    let choice = |name: &str| TypeChoice { name: name.into(), is_chosen: name == chosen };
    EndpointForm {
        types: ["cart_abandoned", "order_cancelled", "order_placed", "stock_changed"].map(choice).into(),
        url: "erp.example/hooks".into(),
        description: "orders for the warehouse".into(),
    }
}

/// Returns the list of endpoints, after one was refused.
pub fn webhooks() -> WebhooksPage {
    let stopped = EndpointRow {
        id: "wh_4d5e6f".into(),
        is_enabled: false,
        types: vec![],
        note: Some("it answered 410 Gone".into()),
        ..endpoint()
    };
    let failing = EndpointRow { description: HOSTILE.into(), failing_since_ms: Some(AS_OF_MS), ..endpoint() };
    WebhooksPage {
        session: session(),
        key: "0199a1b2".into(),
        notice: Some(Notice::Refused("The address is no https address.".into())),
        endpoints: vec![endpoint(), failing, stopped],
        form: form("stock_changed"),
    }
}

/// Returns an endpoint with its deliveries, when its secret was made.
pub fn sink() -> SinkPage {
    let delivery = |position: u64, state, attempts, status, error: Option<&str>| DeliveryRow {
        position,
        event: format!("0199a1b2-{position:04}"),
        kind: "order_placed".into(),
        state,
        attempts,
        due_at_ms: (state == "waiting").then_some(AS_OF_MS + 60_000),
        changed_at_ms: AS_OF_MS,
        status,
        error: error.map(str::to_owned),
    };
    SinkPage {
        session: session(),
        notice: None,
        sink: "wh_1a2b3c".into(),
        endpoint: Some((endpoint(), form("order_placed"))),
        secret: Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()),
        span: ("2026-11-23T00:00".into(), "2026-11-24T00:00".into()),
        state: String::new(),
        deliveries: vec![
            delivery(17, "delivered", 1, Some(200), None),
            delivery(16, "waiting", 3, Some(503), Some("it answered 503 Service Unavailable")),
            delivery(15, "dead", 9, None, Some(HOSTILE)),
        ],
        next: Some("/admin/webhooks/wh_1a2b3c?cursor=next".into()),
    }
}

/// Returns the letters, of which none is on its way.
pub fn letters() -> SinkPage {
    SinkPage {
        sink: "mail".into(),
        endpoint: None,
        secret: None,
        deliveries: vec![],
        next: None,
        state: "dead".into(),
        ..sink()
    }
}
