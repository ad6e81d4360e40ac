//! The pages of orders: search, and what is done with one.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload, Query},
};
use cart_core::{Order, RefundWish};
use dashboards::{Currency, Notice, OrderLine, OrderPage, OrderRow, OrdersPage, Pages};
use serde::Deserialize;

use super::{
    html,
    login::{guard, guard_form},
    see_other,
};
use crate::{
    api::{
        admin_orders::{any, status_of},
        orders::{AfterOrder, page_of},
        page::{CursorText, PAGE_DEFAULT, Page},
    },
    checkout::orders::OrderChange,
    problem::{Problem, accepted},
    shop::Shop,
    store::OrderQuery,
    storefront::{
        form::Form,
        pages::{parcels, parts},
    },
    wire::line_of,
};

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    status: String,
    cursor: Option<CursorText>,
}

/// `GET /admin/orders`.
pub(super) async fn list(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let session = match guard(&shop, &request).await? {
        Ok(session) => session,
        Err(response) => return Ok(response),
    };
    let after = wanted.cursor.as_ref().map(CursorText::decode::<AfterOrder>).transpose()?;
    let text = wanted.q.trim();
    let query = OrderQuery {
        owner: None,
        status: status_of(Some(&wanted.status))?,
        text: (!text.is_empty()).then(|| text.to_lowercase()),
        before: after.map(|AfterOrder(at_ms, id)| (at_ms, id)),
    };
    let found = page_of(&shop, query, PAGE_DEFAULT).await?;
    let next = next_link(&found, &request);
    html(pages.orders(&OrdersPage {
        session,
        query: text.to_owned(),
        status: wanted.status.clone(),
        orders: found.entries.iter().map(row).collect(),
        next,
    }))
}

/// Returns the address of a list's next page, where there is one.
pub(super) fn next_link<T>(found: &Page<T>, request: &HttpRequest) -> Option<String> {
    let (_, link) = found.link(request)?;
    link.strip_prefix('<')?.split_once('>').map(|(to, _)| to.to_owned())
}

fn row(order: &Order) -> OrderRow {
    OrderRow {
        id: order.order_id.to_string(),
        placed_at_ms: order.placed_at_ms,
        email: order.email.clone(),
        status: order.state.status.name(),
        payment_status: order.payment_status(),
        total_minor: order.total_minor,
        currency: Currency::new(order.currency.code(), order.currency.exponent()),
    }
}

/// Names what the last action did, in the address that it leads to.
#[derive(Deserialize)]
pub(super) struct Did {
    did: Option<String>,
    refused: Option<String>,
}

impl Did {
    /// Only our own sentences are shown, so that nobody puts words on the page by a link.
    fn notice(&self) -> Option<Notice> {
        match (self.did.as_deref(), self.refused.as_deref()) {
            (Some("fulfil"), _) => Some(Notice::Done("Noted: it was sent off.".into())),
            (Some("cancel"), _) => Some(Notice::Done("Cancelled; everything is paid back.".into())),
            (Some("refund"), _) => Some(Notice::Done("It is paid back.".into())),
            (_, Some("order_state")) => {
                Some(Notice::Refused("The order is not in a state that allows this.".into()))
            }
            (_, Some("refund_too_large")) => {
                Some(Notice::Refused("That is more than was paid and not given back.".into()))
            }
            (_, Some(_)) => Some(Notice::Refused("Name pieces, shipping or an amount to pay back.".into())),
            _ => None,
        }
    }
}

/// `GET /admin/orders/{id}`.
pub(super) async fn read(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    id: Path<String>,
    did: Query<Did>,
) -> Result<HttpResponse, Problem> {
    let session = match guard(&shop, &request).await? {
        Ok(session) => session,
        Err(response) => return Ok(response),
    };
    let order = any(&shop, &id).await?;
    let line = |at: usize| {
        let line = &order.lines[at];
        OrderLine {
            id: line.id().to_string(),
            name: in_words(line),
            quantity: line.quantity,
            refunded: order.state.refunded_of(&line.id()),
            restocked: line.restocked,
            cost_minor: order.line_cost_minor(at),
        }
    };
    html(
        pages.order(&OrderPage {
            session,
            notice: did.notice(),
            order: row(&order),
            lines: (0..order.lines.len()).map(line).collect(),
            shipping_minor: order.shipping_cost_minor(),
            refunded_minor: order.state.refunded_minor(),
            note: order.note.clone(),
            parcels: parcels(&order, &shop.terms.get().locations)
                .into_iter()
                .map(|parcel| (parcel.from, parcel.contents))
                .collect(),
        }),
    )
}

/// Writes what is to be packed: the parts of a bundle, and that a gift is one.
fn in_words(line: &cart_core::OrderLine) -> String {
    let gift = line.gift_of.as_ref().map(|promotion| format!("gift of {promotion}"));
    let more: Vec<_> = parts(&line.parts).into_iter().chain(gift).collect();
    match more.is_empty() {
        true => line.name.clone(),
        false => format!("{} ({})", line.name, more.join("; ")),
    }
}

/// `POST /admin/orders/{id}/{change}`: sends off, cancels or pays back.
pub(super) async fn change(
    shop: Data<Shop>,
    request: HttpRequest,
    path: Path<(String, String)>,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    let form = match guard_form(&shop, &request, body).await? {
        Ok((_, form)) => form,
        Err(response) => return Ok(response),
    };
    let (id, asked) = path.into_inner();
    let order = any(&shop, &id).await?;
    let change = match asked.as_str() {
        "fulfil" => OrderChange::Fulfil,
        "cancel" => OrderChange::Cancel,
        "refund" => OrderChange::Refund(wish(&form)?),
        _ => {
            return Err(Problem::invalid_request(format!("{asked:?} is nothing that is done with an order")));
        }
    };
    let to = match accepted(shop.checkout.change_order(order, None, change, None).await?) {
        Ok(_) => format!("/admin/orders/{id}?did={asked}"),
        Err(problem) if problem.status().is_client_error() => {
            format!("/admin/orders/{id}?refused={}", problem.name())
        }
        Err(problem) => return Err(problem),
    };
    Ok(see_other(&to))
}

fn wish(form: &Form) -> Result<RefundWish, Problem> {
    let number = |name: &str, text: &str| {
        text.trim()
            .parse()
            .map_err(|_| Problem::invalid_request(format!("{name} {text:?} is no whole number")))
    };
    let mut wish = RefundWish {
        shipping: form.get("shipping").is_some(),
        restock: form.get("restock").is_some(),
        ..RefundWish::default()
    };
    for (name, value) in form.pairs() {
        if let Some(line) = name.strip_prefix("line:") {
            let quantity: u32 = number(name, value)?;
            if quantity > 0 {
                wish.lines.push((line_of(line)?, quantity));
            }
        }
    }
    if let Some(text) = form.get("amount_minor") {
        wish.amount_minor = text
            .trim()
            .parse()
            .map_err(|_| Problem::invalid_request(format!("amount_minor {text:?} is no whole number")))?;
    }
    Ok(wish)
}
