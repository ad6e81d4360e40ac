//! Snapshots of carts: taken away, and brought back.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use cart_core::{Cart, CartId, Quote, VisitorId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    headers::ETAG,
    operation::Operation,
    request::{cart_id, etag, forced, json_within, visitor},
};
use crate::{
    clock,
    problem::{Kind, Problem, accepted},
    restore::restore,
    shop::Shop,
    snapshot::{SNAPSHOT_BYTES_MAX, Snapshot, SnapshotError},
    store::Accepted,
    wire::{
        CartView,
        snapshot::{RestorationView, RestoreForm, SnapshotView},
    },
};

/// The largest body that brings a snapshot back, in bytes: a snapshot and a few names around it.
const BODY_BYTES_MAX: usize = SNAPSHOT_BYTES_MAX + 1_024;

/// Describes the operations on snapshots.
pub(super) fn operations() -> Vec<Operation> {
    const REFUSALS: &[Kind] = &[Kind::UnknownCart, Kind::NotOwner, Kind::UnreadableCart];
    vec![
        Operation::get("/carts/{id}/snapshot", take)
            .named("takeSnapshot", "Seals a cart for its owner to keep")
            .about(
                "Nobody but the shop can read or make a snapshot, and it opens for its visitor alone. Keep it, and bring it \
                 back where the shop no longer has the cart.",
            )
            .for_visitors()
            .path::<CartId>("id", "The cart.")
            .answers::<SnapshotView<'_>>(200, "The snapshot, and the cart to show meanwhile.")
            .problems(REFUSALS)
            .problems(&[Kind::SnapshotTooLarge]),
        Operation::post("/carts/{id}/restore", bring_back)
            .named("restoreCart", "Brings a snapshot back into a cart, line by line")
            .about(
                "The cart is opened where it is gone. Where the shop's own is as new as the snapshot, nothing is done; else each \
                 line is added by today's rules as far as the cart lacks it, so that a repeated request adds nothing twice.",
            )
            .for_visitors()
            .path::<CartId>("id", "The cart.")
            .body::<RestoreForm>()
            .answers::<RestorationView<'_>>(200, "What became of each line and code.")
            .with(ETAG)
            .problems(REFUSALS)
            .problems(&Kind::rejections())
            .problems(&[
                Kind::SnapshotMalformed,
                Kind::SnapshotUnknownVersion,
                Kind::SnapshotForeign,
                Kind::SnapshotUnknownKey,
                Kind::SnapshotForged,
                Kind::SnapshotExpired,
            ]),
    ]
}

/// `GET /api/v1/carts/{id}/snapshot`: the cart, sealed for its owner to keep.
pub(super) async fn take(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    let id = cart_id(&path)?;
    let Accepted { cart, quote, .. } = accepted(shop.carts.read(id, caller.id.clone()).await?)?;
    let taken = Snapshot::of(&cart, &quote, clock::now_ms());
    let sealed = taken.seal(&shop.keys, &caller.id).ok_or_else(|| {
        let detail = format!(
            "a snapshot of this cart is longer than the {SNAPSHOT_BYTES_MAX} bytes that the shop takes back; \
             shorten the properties of its lines"
        );
        Problem::new(Kind::SnapshotTooLarge, detail)
    })?;
    let days = i64::from(shop.config.session.snapshot_days);
    let view = SnapshotView {
        snapshot: sealed,
        taken_at_ms: taken.taken_at_ms,
        expires_at_ms: taken.taken_at_ms + days * 24 * 60 * 60 * 1_000,
        cart: CartView::of(&cart, &quote),
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "private, no-store")).json(view))
}

/// `POST /api/v1/carts/{id}/restore`: a snapshot becomes a cart again.
pub(super) async fn bring_back(
    shop: web::Data<Shop>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Problem> {
    let caller = visitor(&request)?;
    let id = cart_id(&path)?;
    let (form, _) = json_within::<RestoreForm>(&request, body, BODY_BYTES_MAX).await?;
    let days = shop.config.session.snapshot_days;
    let snapshot = Snapshot::open(&shop.keys, &caller.id, &form.snapshot, clock::now_ms(), days)?;
    let forced = forced(&request, &shop.definitions.get());
    let restoration = restore(&shop, &caller, id, snapshot, &forced).await?;
    let Accepted { cart, quote, .. } = &restoration.accepted;
    let again = sealed(&shop, &caller.id, cart, quote);
    Ok(HttpResponse::Ok().insert_header(etag(cart.version)).json(RestorationView::of(&restoration, again)))
}

/// Seals a cart for a visitor to keep; `None` where it is too long to be kept.
pub fn sealed(shop: &Shop, visitor: &VisitorId, cart: &Cart, quote: &Quote) -> Option<String> {
    Snapshot::of(cart, quote, clock::now_ms()).seal(&shop.keys, visitor)
}

/// Says whether a cart is told with its snapshot.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Keeping {
    /// The answer carries the cart sealed, too, for the client to keep.
    snapshot: bool,
}

/// Reports whether a client wants a snapshot beside the answer: `?snapshot=true`.
///
/// # Errors
/// Where it says neither `true` nor `false`.
pub(super) fn is_wanted(request: &HttpRequest) -> Result<bool, Problem> {
    if request.query_string().is_empty() {
        return Ok(false);
    }
    let query = web::Query::<Keeping>::from_query(request.query_string());
    query.map(|keeping| keeping.snapshot).map_err(|e| Problem::invalid_request(e.to_string()))
}

impl From<SnapshotError> for Problem {
    fn from(error: SnapshotError) -> Self {
        let kind = match error {
            SnapshotError::Malformed => Kind::SnapshotMalformed,
            SnapshotError::UnknownVersion => Kind::SnapshotUnknownVersion,
            SnapshotError::Foreign => Kind::SnapshotForeign,
            SnapshotError::UnknownKey => Kind::SnapshotUnknownKey,
            SnapshotError::Forged => Kind::SnapshotForged,
            SnapshotError::Expired { .. } => Kind::SnapshotExpired,
        };
        Self::new(kind, error.to_string())
    }
}
