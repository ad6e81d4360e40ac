//! Webhooks: the endpoints that events are posted to, and what became of each delivery.

use serde::Serialize;

use crate::moment::Moment;
use crate::session::{Notice, Session};

/// Holds an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRow {
    /// Its name in addresses.
    pub id: String,
    /// Where events are posted.
    pub url: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The types of events that it is sent; none for all.
    pub types: Vec<String>,
    /// Whether it is sent anything.
    pub is_enabled: bool,
    /// Why the shop stopped it by itself, where it did.
    pub note: Option<String>,
    /// Since when nothing arrives, Unix milliseconds UTC.
    pub failing_since_ms: Option<i64>,
    /// When the secret that is being replaced no longer signs, Unix milliseconds UTC.
    pub old_secret_ends_at_ms: Option<i64>,
    /// The span of time that is being sent again, Unix milliseconds UTC.
    pub replay: Option<(i64, i64)>,
    /// When it was made, Unix milliseconds UTC.
    pub created_at_ms: i64,
}

#[derive(Serialize)]
struct Pill {
    label: &'static str,
    tone: &'static str,
    icon: &'static str,
}

#[derive(Serialize)]
struct EndpointView<'a> {
    id: &'a str,
    url: &'a str,
    description: &'a str,
    types: String,
    state: Pill,
    is_enabled: bool,
    note: Option<&'a str>,
    failing: Option<Moment>,
    old_secret_ends: Option<Moment>,
    replay: Option<[Moment; 2]>,
    created: Moment,
}

impl EndpointRow {
    fn view(&self) -> EndpointView<'_> {
        let (label, tone, icon) = match self {
            Self { is_enabled: false, .. } => ("Off", "calm", "stop"),
            Self { failing_since_ms: Some(_), .. } => ("Failing", "bad", "warning"),
            _ => ("On", "good", "check"),
        };
        EndpointView {
            id: &self.id,
            url: &self.url,
            description: &self.description,
            types: if self.types.is_empty() { "All events".into() } else { self.types.join(", ") },
            state: Pill { label, tone, icon },
            is_enabled: self.is_enabled,
            note: self.note.as_deref(),
            failing: self.failing_since_ms.map(Moment::of),
            old_secret_ends: self.old_secret_ends_at_ms.map(Moment::of),
            replay: self.replay.map(|(from_ms, to_ms)| [Moment::of(from_ms), Moment::of(to_ms)]),
            created: Moment::of(self.created_at_ms),
        }
    }
}

/// Holds what the form of an endpoint says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EndpointForm {
    /// Where events are posted.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// All types of events.
    pub types: Vec<TypeChoice>,
}

/// Is a type of events that an endpoint may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypeChoice {
    /// Its name.
    pub name: String,
    /// Whether it is one of those that are sent.
    pub is_chosen: bool,
}

#[derive(Serialize)]
struct FormView<'a> {
    url: &'a str,
    description: &'a str,
    types: &'a [TypeChoice],
    /// Whether only some types are sent, so that the list of them stands open.
    is_choosy: bool,
}

impl EndpointForm {
    fn view(&self) -> FormView<'_> {
        FormView {
            url: &self.url,
            description: &self.description,
            types: &self.types,
            is_choosy: self.types.iter().any(|choice| choice.is_chosen),
        }
    }
}

/// Holds what the list of endpoints shows.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhooksPage {
    /// Who reads it.
    pub session: Session,
    /// Makes that the form makes one endpoint.
    pub key: String,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The endpoints.
    pub endpoints: Vec<EndpointRow>,
    /// The form that makes another.
    pub form: EndpointForm,
}

#[derive(Serialize)]
pub(crate) struct ListView<'a> {
    key: &'a str,
    rows: Vec<EndpointView<'a>>,
    form: FormView<'a>,
}

impl WebhooksPage {
    pub(crate) fn view(&self) -> ListView<'_> {
        ListView {
            key: &self.key,
            rows: self.endpoints.iter().map(EndpointRow::view).collect(),
            form: self.form.view(),
        }
    }
}

/// Holds an event on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The event's place in the outbox.
    pub position: u64,
    /// The event's id.
    pub event: String,
    /// The event's type.
    pub kind: String,
    /// `waiting`, `delivered` or `dead`.
    pub state: &'static str,
    /// Tries since it was sent first, or last sent again by hand.
    pub attempts: u32,
    /// When it is tried next, Unix milliseconds UTC.
    pub due_at_ms: Option<i64>,
    /// When it changed last, Unix milliseconds UTC.
    pub changed_at_ms: i64,
    /// What the newest try was answered, where it was.
    pub status: Option<u16>,
    /// What went wrong at the newest try, where something did.
    pub error: Option<String>,
}

#[derive(Serialize)]
struct DeliveryView<'a> {
    position: u64,
    event: &'a str,
    kind: &'a str,
    state: Pill,
    attempts: u32,
    due: Option<Moment>,
    changed: Moment,
    status: Option<u16>,
    error: Option<&'a str>,
}

impl DeliveryRow {
    fn view(&self) -> DeliveryView<'_> {
        let (label, tone, icon) = match self.state {
            "delivered" => ("Arrived", "good", "check"),
            "dead" => ("Dead letter", "bad", "warning"),
            _ => ("Waiting", "calm", "wait"),
        };
        DeliveryView {
            position: self.position,
            event: &self.event,
            kind: &self.kind,
            state: Pill { label, tone, icon },
            attempts: self.attempts,
            due: self.due_at_ms.map(Moment::of),
            changed: Moment::of(self.changed_at_ms),
            status: self.status,
            error: self.error.as_deref(),
        }
    }
}

/// Holds a sink with its deliveries: an endpoint, or the letters, which have no settings here.
#[derive(Debug, Clone, PartialEq)]
pub struct SinkPage {
    /// Who reads it.
    pub session: Session,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The sink's name in addresses.
    pub sink: String,
    /// The endpoint with the form that changes it; none of letters.
    pub endpoint: Option<(EndpointRow, EndpointForm)>,
    /// The secret that was made just now: it is shown once.
    pub secret: Option<String>,
    /// The span of time that was typed to be sent again.
    pub span: (String, String),
    /// The state that was asked for; empty for all.
    pub state: String,
    /// The deliveries, the one that changed last first.
    pub deliveries: Vec<DeliveryRow>,
    /// Where the list goes on.
    pub next: Option<String>,
}

#[derive(Serialize)]
struct Choice<'a> {
    value: &'a str,
    label: &'a str,
    is_chosen: bool,
}

#[derive(Serialize)]
pub(crate) struct SinkView<'a> {
    sink: &'a str,
    endpoint: Option<EndpointView<'a>>,
    form: Option<FormView<'a>>,
    secret: Option<&'a str>,
    from: &'a str,
    to: &'a str,
    states: Vec<Choice<'a>>,
    rows: Vec<DeliveryView<'a>>,
    next: Option<&'a str>,
}

impl SinkPage {
    pub(crate) fn view(&self) -> SinkView<'_> {
        let choices =
            [("", "All"), ("waiting", "Waiting"), ("dead", "Dead letters"), ("delivered", "Arrived")];
        let choice = |(value, label)| Choice { value, label, is_chosen: value == self.state };
        SinkView {
            sink: &self.sink,
            endpoint: self.endpoint.as_ref().map(|(row, _)| row.view()),
            form: self.endpoint.as_ref().map(|(_, form)| form.view()),
            secret: self.secret.as_deref(),
            from: &self.span.0,
            to: &self.span.1,
            states: choices.into_iter().map(choice).collect(),
            rows: self.deliveries.iter().map(DeliveryRow::view).collect(),
            next: self.next.as_deref(),
        }
    }
}
