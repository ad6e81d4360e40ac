//! The pages of webhooks and of what is on its way to sinks.

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use dashboards::{
    DeliveryRow, EndpointForm, EndpointRow, Notice, Pages, Session, SinkPage, TypeChoice, WebhooksPage,
};
use serde::Deserialize;
use time::{PrimitiveDateTime, macros::format_description};
use uuid::Uuid;

use super::{
    Did, html, html_with,
    login::{Sent, SignedIn},
    orders::next_link,
    refusal, see_other,
};
use crate::{
    api::{
        deliveries::{page_of, redeliver},
        page::{CursorText, PAGE_DEFAULT},
        webhooks::{
            EndpointChange, NewEndpoint, Ping, amend, begin_replay, find, make, new_secret, pinged, remove,
        },
    },
    events::data::KINDS,
    mail,
    problem::Problem,
    shop::Shop,
    store::{Delivery, DeliveryState},
    storefront::{cart::sentence, form::Form},
    webhooks::{Endpoint, endpoint, endpoint::Replay},
};

/// Begins the name of the field that chooses a type of events.
const TYPE: &str = "type:";

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    state: String,
    cursor: Option<CursorText>,
}

const DONE: &[(&str, &str)] = &[
    ("disable", "The endpoint is off: it is sent nothing until you switch it on."),
    ("enable", "The endpoint is on again."),
    ("settings", "The settings are saved."),
    ("replay", "The past is being sent again."),
    ("dead", "The dead letters are sent again."),
    ("delivery", "It is sent again."),
    ("delete", "The endpoint is deleted."),
];

fn row(endpoint: &Endpoint) -> EndpointRow {
    EndpointRow {
        id: endpoint.id.clone(),
        url: endpoint.url.clone(),
        description: endpoint.description.clone(),
        types: endpoint.types.iter().cloned().collect(),
        is_enabled: endpoint.enabled,
        note: endpoint.note.clone(),
        failing_since_ms: endpoint.failing_since_ms,
        old_secret_ends_at_ms: endpoint.secrets.iter().find_map(|secret| secret.ends_at_ms),
        replay: endpoint.replay.map(|Replay { from_ms, to_ms, .. }| (from_ms, to_ms)),
        created_at_ms: endpoint.created_at_ms,
    }
}

fn form_of(url: &str, description: &str, chosen: &BTreeSet<String>) -> EndpointForm {
    let choice = |name: &str| TypeChoice { name: name.to_owned(), is_chosen: chosen.contains(name) };
    EndpointForm {
        url: url.to_owned(),
        description: description.to_owned(),
        types: KINDS.into_iter().map(choice).collect(),
    }
}

fn delivery(delivery: &Delivery) -> DeliveryRow {
    let last = delivery.tries.last();
    DeliveryRow {
        position: delivery.position,
        event: delivery.event.to_string(),
        kind: delivery.kind.clone(),
        state: delivery.state.name(),
        attempts: delivery.attempts,
        due_at_ms: delivery.due_at_ms,
        changed_at_ms: delivery.changed_at_ms,
        status: last.and_then(|last| last.status),
        error: last.and_then(|last| last.error.clone()),
    }
}

async fn listed(
    shop: &Shop,
    session: Session,
    notice: Option<Notice>,
    form: EndpointForm,
) -> Result<WebhooksPage, Problem> {
    let endpoints = endpoint::all(&*shop.store).await?;
    let endpoints = endpoints.iter().map(|(_, endpoint)| row(endpoint)).collect();
    let key = Uuid::new_v4().to_string();
    Ok(WebhooksPage { session, key, notice, endpoints, form })
}

/// `GET /admin/webhooks`.
pub(super) async fn list(
    shop: Data<Shop>,
    pages: Data<Pages>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let form = form_of("", "", &BTreeSet::new());
    html(pages.webhooks(&listed(&shop, session, did.notice(DONE, &[]), form).await?))
}

/// Returns what is typed of an endpoint.
fn typed(fields: &Form) -> (String, String, BTreeSet<String>) {
    let chosen = fields.pairs().filter(|(_, value)| *value == "1");
    let types = chosen.filter_map(|(name, _)| name.strip_prefix(TYPE)).map(str::to_owned).collect();
    let text = |name: &str| fields.text(name).trim().to_owned();
    (text("url"), text("description"), types)
}

/// `POST /admin/webhooks`: makes an endpoint, once for each form that was shown, and shows its secret.
pub(super) async fn create(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    Sent { session, form: fields, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (url, description, types) = typed(&fields);
    let form = form_of(&url, &description, &types);
    let new = NewEndpoint { url, description, types };
    match make(&shop, new, &session.user, fields.get("key")).await {
        Ok((endpoint, secret)) => {
            let mut page = sink_page(&shop, &request, session, &endpoint.id, &Wanted::default()).await?;
            page.secret = Some(secret);
            page.notice = Some(Notice::Done("The endpoint is made.".into()));
            html_with(StatusCode::CREATED, pages.sink(&page))
        }
        Err(problem) => {
            let (status, notice) = refusal(problem)?;
            html_with(status, pages.webhooks(&listed(&shop, session, Some(notice), form).await?))
        }
    }
}

async fn sink_page(
    shop: &Shop,
    request: &HttpRequest,
    session: Session,
    sink: &str,
    wanted: &Wanted,
) -> Result<SinkPage, Problem> {
    let endpoint = match sink {
        mail::SINK => None,
        id => Some(find(shop, id).await?),
    };
    let state = DeliveryState::from_name(&wanted.state);
    let found = page_of(shop, sink, state, wanted.cursor.as_ref(), PAGE_DEFAULT).await?;
    Ok(SinkPage {
        session,
        notice: None,
        sink: sink.to_owned(),
        endpoint: endpoint.map(|e| (row(&e), form_of(&e.url, &e.description, &e.types))),
        secret: None,
        span: (String::new(), String::new()),
        state: state.map_or_else(String::new, |state| state.name().to_owned()),
        deliveries: found.entries.iter().map(delivery).collect(),
        next: next_link(&found, request),
    })
}

/// `GET /admin/webhooks/{sink}`.
pub(super) async fn read(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    sink: Path<String>,
    wanted: Query<Wanted>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    let mut page = sink_page(&shop, &request, session, &sink, &wanted).await?;
    page.notice = did.notice(DONE, &[]);
    html(pages.sink(&page))
}

/// Says what a change of a sink leads to.
enum Done {
    /// Another page, or this one without what was sent to it.
    See(String),
    /// The same page, with what is shown this once.
    Secret(String),
    /// The same page, with what came of it.
    Said(Notice),
}

/// `POST /admin/webhooks/{sink}/{change}`.
pub(super) async fn change(
    shop: Data<Shop>,
    pages: Data<Pages>,
    request: HttpRequest,
    path: Path<(String, String)>,
    Sent { session, form: fields, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let (sink, asked) = path.into_inner();
    let (done, status) = match make_change(&shop, &sink, &asked, &fields).await {
        Ok(done) => (done, StatusCode::OK),
        Err(problem) => {
            let (status, notice) = refusal(problem)?;
            (Done::Said(notice), status)
        }
    };
    if let Done::See(to) = done {
        return Ok(see_other(&to));
    }
    let mut page = sink_page(&shop, &request, session, &sink, &Wanted::default()).await?;
    page.span = (fields.text("from").to_owned(), fields.text("to").to_owned());
    if let (Some((_, form)), "settings") = (&mut page.endpoint, asked.as_str()) {
        let (url, description, types) = typed(&fields);
        *form = form_of(&url, &description, &types);
    }
    match done {
        Done::Secret(secret) => page.secret = Some(secret),
        Done::Said(notice) => page.notice = Some(notice),
        Done::See(_) => {}
    }
    html_with(status, pages.sink(&page))
}

async fn make_change(shop: &Shop, sink: &str, asked: &str, fields: &Form) -> Result<Done, Problem> {
    let switched = |enabled| EndpointChange { enabled: Some(enabled), ..EndpointChange::default() };
    match asked {
        "disable" => drop(amend(shop, sink, &switched(false)).await?),
        "enable" => drop(amend(shop, sink, &switched(true)).await?),
        "settings" => {
            let (url, description, types) = typed(fields);
            let change = EndpointChange {
                url: Some(url),
                description: Some(description),
                types: Some(types),
                enabled: None,
            };
            amend(shop, sink, &change).await?;
        }
        "replay" => {
            let (from_ms, to_ms) = (moment(fields.text("from"))?, moment(fields.text("to"))?);
            begin_replay(shop, sink, from_ms, to_ms).await?;
        }
        "dead" => drop(redeliver(shop, sink, None).await?),
        "delete" => {
            remove(shop, sink).await?;
            return Ok(Done::See("/admin/webhooks?did=delete".into()));
        }
        "secret" => return Ok(Done::Secret(new_secret(shop, sink).await?.1)),
        "ping" => return Ok(Done::Said(in_words(&pinged(shop, sink).await?))),
        _ => {
            let detail = format!("{asked:?} is nothing that is done with an endpoint");
            return Err(Problem::invalid_request(detail));
        }
    }
    Ok(Done::See(format!("/admin/webhooks/{sink}?did={asked}")))
}

fn in_words(ping: &Ping) -> Notice {
    let took_ms = ping.took_ms;
    match (ping.status, &ping.error) {
        (Some(status @ 200..300), _) => Notice::Done(format!("It answered {status} after {took_ms} ms.")),
        (Some(status), _) => Notice::Refused(format!("It answered {status} after {took_ms} ms.")),
        (None, why) => Notice::Refused(sentence(why.as_deref().unwrap_or("it did not answer"))),
    }
}

/// Reads a moment as browsers write it, in UTC, in Unix milliseconds.
fn moment(text: &str) -> Result<i64, Problem> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    // Some browsers tell the seconds, too.
    let minutes = text.trim().get(..16).unwrap_or_default();
    let read = PrimitiveDateTime::parse(minutes, format);
    let wrong = |_| Problem::invalid_request(format!("{text:?} is no moment; write it as 2027-12-31T08:00"));
    Ok(read.map_err(wrong)?.assume_utc().unix_timestamp() * 1_000)
}

/// `POST /admin/webhooks/{sink}/deliveries/{position}`: sends a delivery again.
pub(super) async fn again(
    shop: Data<Shop>,
    path: Path<(String, String)>,
    _: Sent,
) -> Result<HttpResponse, Problem> {
    let (sink, position) = path.into_inner();
    redeliver(&shop, &sink, Some(&position)).await?;
    Ok(see_other(&format!("/admin/webhooks/{sink}?did=delivery")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_browsers_write_them() {
        assert_eq!(moment("2027-12-31T08:00").unwrap(), 1_830_240_000_000);
        assert_eq!(moment("2027-12-31T08:00:59").unwrap(), 1_830_240_000_000);
        for bad in ["", "2027-12-31", "2027-12-31T25:00", "31.12.2027 08:00:0", "ééééééééé"] {
            assert!(moment(bad).is_err(), "{bad:?}");
        }
    }
}
