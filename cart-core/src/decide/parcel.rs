//! The rules of sending orders off, parcel by parcel.

use super::Facts;
use crate::{
    CartEvent, FieldError, LineId, LocationId, Order, OrderState, OrderStatus, PackWish, Packed, Parcel,
    ParcelWish, Rejection, Sku, Tracking, TrackingChange, Waiting, limits::ORDER_PARCELS_MAX,
};

/// Sends what is asked for, a parcel a location. With the last of what waits, the order is sent off.
pub(super) fn fulfil(
    state: &OrderState,
    facts: &Facts<'_>,
    order: &Order,
    wish: &ParcelWish,
) -> Result<Vec<CartEvent>, Rejection> {
    match state.status {
        OrderStatus::Placed => {}
        OrderStatus::Fulfilled { .. } if wish.is_for_all() => return Ok(vec![]),
        status => return Err(Rejection::OrderState { status: status.name().into() }),
    }
    let waiting = order.unsent(state);
    let packed = packed(wish.location.as_ref(), facts, order, &wish.contents, waiting)?;
    if let Some(location) = wish.location.as_ref().filter(|_| packed.is_empty()) {
        return Err(invalid("location", format!("is {location}, where nothing of the order waits")));
    }
    let parcels = parcels(state, facts, wish, packed);
    if parcels.len() > 1 && wish.tracking.is_some() {
        let names = parcels.iter().map(|parcel| parcel.location.as_str()).collect::<Vec<_>>().join(", ");
        return Err(invalid(
            "location",
            format!("must name one of {names}: a tracking number is of one parcel"),
        ));
    }
    if state.parcels.len() + parcels.len() > ORDER_PARCELS_MAX {
        return Err(invalid("lines", format!("makes more than {ORDER_PARCELS_MAX} parcels of the order")));
    }
    let mut after = state.clone();
    after.parcels.extend(parcels.iter().cloned());
    let sent = |parcel| CartEvent::ParcelSent { order_id: order.order_id.clone(), parcel };
    Ok(parcels.into_iter().map(sent).chain(sent_off(&after, facts, order)).collect())
}

/// Says anew how a parcel can be followed, whatever became of its order since.
pub(super) fn correct(
    order: &Order,
    number: u32,
    change: &TrackingChange,
) -> Result<Vec<CartEvent>, Rejection> {
    let parcel = order.state.parcels.iter().find(|parcel| parcel.number == number);
    let before = parcel.ok_or(Rejection::ParcelNotFound { number })?.tracking.clone();
    let tracking =
        Tracking::changed(before.as_ref(), change).map_err(|fields| Rejection::InvalidDetails { fields })?;
    let is_new = tracking != before;
    let order_id = order.order_id.clone();
    Ok(is_new
        .then_some(CartEvent::ParcelCorrected { order_id, number, tracking, before })
        .into_iter()
        .collect())
}

/// Returns that an order is sent off, where nothing of it waits.
pub(super) fn sent_off(after: &OrderState, facts: &Facts<'_>, order: &Order) -> Option<CartEvent> {
    let is_sent = after.status == OrderStatus::Placed && order.unsent(after).is_empty();
    is_sent.then(|| CartEvent::OrderFulfilled { order_id: order.order_id.clone(), at_ms: facts.now_ms })
}

pub(super) fn invalid(field: &str, message: String) -> Rejection {
    Rejection::InvalidDetails { fields: vec![FieldError { field: field.into(), message }] }
}

/// Is pieces with the location that sends them; none where any may.
type At = (Option<LocationId>, Packed);

/// Reports whether a location may send pieces that wait: those that lie there and, if it sends orders at all, those that
/// nobody counts.
fn may_send(from: Option<&LocationId>, facts: &Facts<'_>, waiting: &Waiting) -> bool {
    match (from, &waiting.location) {
        (None, _) => true,
        (Some(wanted), Some(at)) => wanted == at,
        (Some(wanted), None) => facts.terms.locations.ids().contains(wanted),
    }
}

/// Takes what is named of what waits or, where nothing is, all that one location may send.
pub(super) fn packed(
    from: Option<&LocationId>,
    facts: &Facts<'_>,
    order: &Order,
    contents: &[PackWish],
    mut waiting: Vec<Waiting>,
) -> Result<Vec<At>, Rejection> {
    if contents.is_empty() {
        let at = |w: Waiting| (w.location, Packed { line: w.line, sku: w.sku, pieces: w.pieces });
        return Ok(waiting.into_iter().filter(|w| may_send(from, facts, w)).map(at).collect());
    }
    let mut packed: Vec<At> = vec![];
    for PackWish { line: id, part, pieces } in contents {
        let line = order.lines.iter().find(|line| line.id() == *id);
        let line = line.ok_or_else(|| Rejection::LineNotFound { line: id.clone() })?;
        let is_wanted = |sku: &Sku| part.as_ref().is_none_or(|part| part == sku);
        let made_of: Vec<_> = line.made_of().into_iter().filter(|(sku, _)| is_wanted(sku)).collect();
        if made_of.is_empty() || *pieces == 0 {
            let part = part.as_ref().map_or_else(String::new, |part| format!(" of the part {part}"));
            return Err(invalid(
                "lines",
                format!("names {pieces} pieces{part} of {id}, which sends no such thing"),
            ));
        }
        for (sku, each) in made_of {
            let wanted = u64::from(*pieces) * u64::from(if part.is_some() { 1 } else { each });
            packed.extend(pack(from, facts, &mut waiting, (id, sku), wanted)?);
        }
    }
    Ok(packed)
}

/// Packs pieces of a product for a line, from the first location that has them.
fn pack(
    from: Option<&LocationId>,
    facts: &Facts<'_>,
    waiting: &mut [Waiting],
    (line, sku): (&LineId, &Sku),
    wanted: u64,
) -> Result<Vec<At>, Rejection> {
    let here = |w: &&mut Waiting| w.line == *line && w.sku == *sku && may_send(from, facts, w);
    let mut here: Vec<_> = waiting.iter_mut().filter(here).collect();
    let there: u64 = here.iter().map(|w| u64::from(w.pieces)).sum();
    if there < wanted {
        let place = from.map_or_else(String::new, |location| format!(" in {location}"));
        return Err(invalid(
            "lines",
            format!("names {wanted} × {sku} of line {line}; what waits of it{place} is {there}"),
        ));
    }
    let mut left = u32::try_from(wanted).unwrap_or(u32::MAX);
    let packed = here.iter_mut().map(|w| {
        let pieces = left.min(w.pieces);
        left -= pieces;
        w.pieces -= pieces;
        (w.location.clone(), Packed { line: line.clone(), sku: sku.clone(), pieces })
    });
    Ok(packed.filter(|(_, packed)| packed.pieces > 0).collect())
}

/// Makes a parcel a location. What nobody counts goes along with the first that sends something else, or else from the first
/// location of the shop.
fn parcels(state: &OrderState, facts: &Facts<'_>, wish: &ParcelWish, packed: Vec<At>) -> Vec<Parcel> {
    let first = packed.iter().find_map(|(at, _)| at.as_ref()).or_else(|| facts.terms.locations.ids().first());
    let anywhere = wish.location.as_ref().or(first).cloned().unwrap_or_default();
    let number = state.parcels.last().map_or(1, |parcel| parcel.number + 1);
    let mut parcels: Vec<Parcel> = vec![];
    for (at, packed) in packed {
        let location = at.unwrap_or_else(|| anywhere.clone());
        match parcels.iter_mut().find(|parcel| parcel.location == location) {
            Some(parcel) => add(&mut parcel.contents, packed),
            None => parcels.push(Parcel {
                number: number + u32::try_from(parcels.len()).unwrap_or(u32::MAX),
                sent_at_ms: facts.now_ms,
                location,
                contents: vec![packed],
                tracking: wish.tracking.clone(),
            }),
        }
    }
    parcels
}

/// Adds pieces to those of the same product of the same line.
pub(super) fn add(contents: &mut Vec<Packed>, packed: Packed) {
    match contents.iter_mut().find(|known| known.line == packed.line && known.sku == packed.sku) {
        Some(known) => known.pieces += packed.pieces,
        None => contents.push(packed),
    }
}
