//! The pages of orders: search, and what is done with one.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Query},
};
use cart_core::{
    FieldError, LocationId, Locations, Order, PackWish, ParcelWish, RefundWish, RelocationWish,
    TrackingChange, Waiting,
};
use dashboards::{
    Currency, Elsewhere, OrderLine, OrderPage, OrderRow, OrdersPage, Pages, ParcelTracking, PieceToSend,
    SentParcel, ToSend,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Did, html,
    login::{Sent, SignedIn},
    see_other,
};
use crate::{
    api::{
        admin_orders::{
            any,
            parcel::{location_of, number_of, tracking_of},
            status_of,
        },
        orders::{AfterOrder, page_of},
        page::{CursorText, PAGE_DEFAULT, Page},
        request::keyed,
    },
    checkout::orders::OrderChange,
    import::row::minor_of,
    problem::{Problem, accepted},
    shop::Shop,
    store::OrderQuery,
    storefront::{
        form::Form,
        pages::{
            Parcel,
            parcel::{location_name, name, place, sent, shares},
            parts,
        },
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
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
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
        is_sent_in_part: order.state.is_sent_in_part(),
        payment_status: order.payment_status(),
        total_minor: order.total_minor,
        currency: Currency::new(order.currency.code(), order.currency.exponent()),
    }
}

const DONE: &[(&str, &str)] = &[
    ("fulfil", "Noted: it was sent off, and told to whoever ordered it."),
    ("relocate", "The pieces wait there from now on."),
    ("correct", "It is followed as you say from now on."),
    ("cancel", "Cancelled; what was not sent is paid back."),
    ("refund", "It is paid back."),
];
const REFUSED: &[(&str, &str)] = &[
    ("order_state", "The order is not in a state that allows this."),
    ("refund_too_large", "That is more than was paid and not given back."),
    (
        "idempotency_mismatch",
        "This form was sent before with something else in it; look at what was done, and send it anew.",
    ),
    (
        TRACKING,
        "Carrier and number take up to 100 bytes each; the web address begins with https:// and has no spaces.",
    ),
    ("out_of_stock", "The other location has too few of the pieces: move fewer, or bring some there first."),
    (RELOCATION, "The other location does not send where the order goes: choose another one."),
    (
        "invalid_details",
        "Name pieces that are there, each in a whole number; or shipping or an amount to pay back.",
    ),
    ("", "Name pieces, shipping or an amount to pay back."),
];

/// Begins the fields that say how a parcel is followed, and names their refusal.
const TRACKING: &str = "tracking";
/// Is the field that says which other location sends something, and names its refusal.
const RELOCATION: &str = "to";

/// `GET /admin/orders/{id}`.
pub(super) async fn read(
    shop: Data<Shop>,
    pages: Data<Pages>,
    id: Path<String>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let order = any(&shop, &id).await?;
    // Orders of another system have no cart that says where they go.
    let cart = shop.store.cart(&order.cart).await?;
    let terms = shop.terms.get();
    let serving = terms.locations.serving_address(cart.and_then(|cart| cart.address).as_ref());
    let line = |at: usize| {
        let line = &order.lines[at];
        OrderLine {
            id: line.id().to_string(),
            name: in_words(&order, at),
            quantity: line.quantity,
            refunded: order.state.refunded_of(&line.id()),
            restocked: line.restocked,
            cost_minor: order.line_cost_minor(at),
        }
    };
    html(pages.order(&OrderPage {
        session,
        key: Uuid::new_v4().to_string(),
        notice: did.notice(DONE, REFUSED),
        order: row(&order),
        lines: (0..order.lines.len()).map(line).collect(),
        shipping_minor: order.shipping_cost_minor(),
        refunded_minor: order.state.refunded_minor(),
        note: order.note.clone(),
        sent: sent_parcels(&order, &terms.locations),
        to_send: to_send(&order, &terms.locations, &serving),
    }))
}

fn sent_parcels(order: &Order, locations: &Locations) -> Vec<SentParcel> {
    let noted = order.state.parcels.iter().map(Some).chain(std::iter::repeat(None));
    let shown = |(Parcel { title, contents, .. }, noted): (Parcel, Option<&cart_core::Parcel>)| {
        let tracking = noted.and_then(|parcel| parcel.tracking.as_ref());
        SentParcel {
            title,
            contents,
            number: noted.map(|parcel| parcel.number),
            tracking: tracking.map_or_else(ParcelTracking::default, |tracking| ParcelTracking {
                carrier: tracking.carrier().to_owned(),
                number: tracking.number().to_owned(),
                url: tracking.url().to_owned(),
            }),
        }
    };
    sent(order, locations).into_iter().zip(noted).map(shown).collect()
}

/// Lists what each location still has to send. A piece's field names it by its place among the order's lines and their parts,
/// which never change.
fn to_send(order: &Order, locations: &Locations, serving: &[LocationId]) -> Vec<ToSend> {
    let field = |waiting: &Waiting| {
        let at = order.lines.iter().position(|line| line.id() == waiting.line)?;
        let part = order.lines[at].made_of().iter().position(|(sku, _)| **sku == waiting.sku)?;
        Some(format!("{PIECE}{at}.{part}"))
    };
    let piece = |waiting: &Waiting| {
        let name = name(order, &waiting.line, &waiting.sku).to_owned();
        Some(PieceToSend { field: field(waiting)?, name, pieces: waiting.pieces })
    };
    let shares = shares(order.waiting(), locations);
    let to_send = shares.iter().map(|share| ToSend {
        location: share.location.as_ref().map(ToString::to_string).unwrap_or_default(),
        place: place(locations, share.location.as_ref()).unwrap_or_default(),
        pieces: share.waiting.iter().filter_map(piece).collect(),
        elsewhere: elsewhere(locations, serving, share.location.as_ref()),
    });
    to_send.collect()
}

/// Lists the locations that may send what waits in one, of those that serve where the order goes; none where any may.
fn elsewhere(locations: &Locations, serving: &[LocationId], from: Option<&LocationId>) -> Vec<Elsewhere> {
    let others = serving.iter().filter(|id| from.is_some_and(|from| from != *id));
    let shown = |id: &LocationId| Elsewhere { location: id.to_string(), place: location_name(locations, id) };
    others.map(shown).collect()
}

/// Begins the name of a field with pieces to send.
const PIECE: &str = "piece:";

/// Reads the pieces that are named; none where the form has none to name.
fn contents(form: &Form, order: &Order) -> Result<Vec<PackWish>, Problem> {
    let wanted = |name: &str, value: &str| {
        let (at, part) = name.strip_prefix(PIECE)?.split_once('.')?;
        let line = order.lines.get(at.parse::<usize>().ok()?)?;
        let (sku, _) = *line.made_of().get(part.parse::<usize>().ok()?)?;
        let part = (!line.parts.is_empty()).then(|| sku.clone());
        Some(PackWish { line: line.id(), part, pieces: value.trim().parse().ok()? })
    };
    let mut contents = vec![];
    for (name, value) in
        form.pairs().filter(|(name, value)| name.starts_with(PIECE) && !value.trim().is_empty())
    {
        contents.push(
            wanted(name, value).ok_or_else(|| {
                no_pieces(name, format!("is {value:?}, which names no pieces of the order"))
            })?,
        );
    }
    let has_pieces = !contents.is_empty();
    contents.retain(|wish| wish.pieces > 0);
    if has_pieces && contents.is_empty() {
        return Err(no_pieces("pieces", "must be at least one".into()));
    }
    Ok(contents)
}

/// Reads what is sent off: the pieces that are named, or else all that waits.
fn parcel(form: &Form, order: &Order) -> Result<ParcelWish, Problem> {
    let contents = contents(form, order)?;
    let location = Some(form.text("location")).filter(|location| !location.is_empty());
    let tracking = tracking_of(form.text("carrier"), form.text("number"), form.text("url"))?;
    Ok(ParcelWish { location: location_of(location)?, contents, tracking })
}

/// Reads what another location is to send: of the pieces that are named those that are counted, which alone lie somewhere.
fn relocation(form: &Form, order: &Order) -> Result<RelocationWish, Problem> {
    let location = |name: &str| {
        let said = location_of(Some(form.text(name)).filter(|text| !text.is_empty()))?;
        said.ok_or_else(|| no_pieces(name, "must name a location".into()))
    };
    let (from, to) = (location("location")?, location("to")?);
    let waiting = order.waiting();
    let lies_there = |wish: &PackWish| {
        let is_meant = |waiting: &Waiting| {
            let is_part = wish.part.as_ref().is_none_or(|part| *part == waiting.sku);
            waiting.line == wish.line && is_part && waiting.location.as_ref() == Some(&from)
        };
        waiting.iter().any(is_meant)
    };
    let mut contents = contents(form, order)?;
    contents.retain(lies_there);
    match contents.is_empty() {
        true => Err(no_pieces("pieces", format!("must be some that wait in {from}"))),
        false => Ok(RelocationWish { from, to, contents }),
    }
}

fn no_pieces(field: &str, message: String) -> Problem {
    Problem::invalid_details(vec![FieldError { field: field.into(), message }])
}

/// Writes what is to be packed: the parts of a bundle, what is to be done to the pieces, and that a gift is one.
fn in_words(order: &Order, at: usize) -> String {
    let line = &order.lines[at];
    let gift = line.gift_of.as_ref().map(|promotion| format!("gift of {promotion}"));
    let said = order.said_of(at).into_iter().map(|(name, text)| format!("{name}: {text}"));
    let more: Vec<_> = parts(&line.parts).into_iter().chain(said).chain(gift).collect();
    match more.is_empty() {
        true => line.name.clone(),
        false => format!("{} ({})", line.name, more.join("; ")),
    }
}

/// `POST /admin/orders/{id}/{change}`: sends off, moves, puts a parcel right, cancels or pays back, once for each form that was shown.
pub(super) async fn change(
    shop: Data<Shop>,
    request: HttpRequest,
    path: Path<(String, String)>,
    Sent { form, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (id, asked) = path.into_inner();
    let order = any(&shop, &id).await?;
    let changed = async {
        let change = match asked.as_str() {
            "fulfil" => OrderChange::Fulfil(parcel(&form, &order)?),
            "relocate" => OrderChange::Relocate(relocation(&form, &order)?),
            "correct" => {
                let said = |name: &str| Some(form.text(name).to_owned());
                let change =
                    TrackingChange { carrier: said("carrier"), number: said("number"), url: said("url") };
                OrderChange::Correct { number: number_of(form.text("parcel"))?, change }
            }
            "cancel" => OrderChange::Cancel,
            "refund" => OrderChange::Refund(wish(&form, order.currency)?),
            _ => {
                let detail = format!("{asked:?} is nothing that is done with an order");
                return Err(Problem::invalid_request(detail));
            }
        };
        let sent: String = form.pairs().map(|(name, value)| format!("{name}={value}\n")).collect();
        let key = form.get("key").map(|key| keyed(&request, key, sent.as_bytes()));
        accepted(shop.checkout.change_order(order, None, change, key).await?)
    };
    let to = match changed.await {
        Ok(_) => format!("/admin/orders/{id}?did={asked}"),
        Err(problem) if problem.status().is_client_error() => {
            let is_of = |form: &&&str| problem.fields().iter().any(|fault| fault.field.starts_with(**form));
            let name = [TRACKING, RELOCATION].iter().find(is_of).copied().unwrap_or(problem.name());
            format!("/admin/orders/{id}?refused={name}")
        }
        Err(problem) => return Err(problem),
    };
    Ok(see_other(&to))
}

fn wish(form: &Form, currency: cart_core::Currency) -> Result<RefundWish, Problem> {
    let mut wish = RefundWish {
        shipping: form.get("shipping").is_some(),
        restock: form.get("restock").is_some(),
        sent: form.get("sent").is_some(),
        ..RefundWish::default()
    };
    for (name, value) in form.pairs() {
        if let Some(line) = name.strip_prefix("line:") {
            let wrong = |_| Problem::invalid_request(format!("{name} {value:?} is no whole number"));
            let quantity: u32 = value.trim().parse().map_err(wrong)?;
            if quantity > 0 {
                wish.lines.push((line_of(line)?, quantity));
            }
        }
    }
    let amount = form.text("amount").trim();
    if !amount.is_empty() {
        wish.amount_minor = minor_of(amount, currency).map_err(Problem::invalid_request)?;
    }
    Ok(wish)
}
