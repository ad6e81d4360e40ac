//! What of an order was sent in which parcel, and what each location of the shop still has to send.

use cart_core::{LineId, LocationId, Locations, Order, OrderLine, OrderStatus, Sku, Waiting};
use serde::Serialize;

use super::day::day;

/// Is a parcel that was sent, or what one location still has to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parcel {
    /// Which one it is: `From Leeds`, `Sent on 3 May 2026 from Leeds`.
    pub title: String,
    /// What is in it, such as `2 × Mug`.
    pub contents: Vec<String>,
    /// Who carries it, and what they call it; may be empty.
    pub tracking: String,
    /// Where it is followed; may be empty.
    pub url: String,
}

/// Is what one location still has to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The location; none where any may send it.
    pub location: Option<LocationId>,
    /// The pieces.
    pub waiting: Vec<Waiting>,
}

/// Lists the parcels of an order, and then what is still to be sent where that is more than one parcel. Of an order that was
/// cancelled, and of one that leaves a single location in one parcel, it is nothing until that is sent.
pub fn parcels(order: &Order, locations: &Locations) -> Vec<Parcel> {
    let mut parcels = sent(order, locations);
    if order.state.is_sent_in_part() {
        let title = |place: Option<String>| match place {
            Some(place) => format!("Still to come from {place}"),
            None => "Still to come".into(),
        };
        parcels.extend(
            shares(order.waiting(), locations).iter().map(|share| shown(order, locations, share, title)),
        );
    } else if order.state.status == OrderStatus::Placed {
        parcels.extend(by_location(order, locations));
    }
    parcels
}

/// Lists what was sent of an order: its parcels or, of one that was sent off before parcels were noted, what each location sent.
pub fn sent(order: &Order, locations: &Locations) -> Vec<Parcel> {
    let is_fulfilled = matches!(order.state.status, OrderStatus::Fulfilled { .. });
    if order.state.parcels.is_empty() && is_fulfilled {
        return by_location(order, locations);
    }
    order.state.parcels.iter().map(|parcel| sent_parcel(order, locations, parcel)).collect()
}

/// Shows a parcel that was sent.
pub fn sent_parcel(order: &Order, locations: &Locations, parcel: &cart_core::Parcel) -> Parcel {
    let pieces = parcel.contents.iter().map(|packed| (&packed.line, &packed.sku, packed.pieces));
    let place = place(locations, Some(&parcel.location));
    let from = place.map_or_else(String::new, |place| format!(" from {place}"));
    let tracking = parcel.tracking.as_ref();
    Parcel {
        title: format!("Sent on {}{from}", day(parcel.sent_at_ms)),
        contents: in_words(order, pieces),
        tracking: tracking.map(|tracking| tracking.name()).unwrap_or_default(),
        url: tracking.map(|tracking| tracking.url().to_owned()).unwrap_or_default(),
    }
}

/// Lists what each location sends of an order of which nothing was noted as sent, where the shop has several.
fn by_location(order: &Order, locations: &Locations) -> Vec<Parcel> {
    let shares = shares(order.unsent(&order.state), locations);
    let shares = shares.iter().filter(|share| share.location.is_some() && locations.are_several());
    let title = |place: Option<String>| place.map_or_else(String::new, |place| format!("From {place}"));
    shares.map(|share| shown(order, locations, share, title)).collect()
}

fn shown(
    order: &Order,
    locations: &Locations,
    share: &Share,
    title: impl Fn(Option<String>) -> String,
) -> Parcel {
    let pieces = share.waiting.iter().map(|waiting| (&waiting.line, &waiting.sku, waiting.pieces));
    Parcel {
        title: title(place(locations, share.location.as_ref())),
        contents: in_words(order, pieces),
        tracking: String::new(),
        url: String::new(),
    }
}

/// Says of each location what it has to send, in their order. What nobody counts goes along with the first of them.
pub fn shares(waiting: Vec<Waiting>, locations: &Locations) -> Vec<Share> {
    let rank = |id: &LocationId| locations.ids().iter().position(|known| known == id);
    let mut shares: Vec<Share> = vec![];
    let (counted, anywhere): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|w| w.location.is_some());
    for waiting in counted {
        match shares.iter_mut().find(|share| share.location == waiting.location) {
            Some(share) => share.waiting.push(waiting),
            None => shares.push(Share { location: waiting.location.clone(), waiting: vec![waiting] }),
        }
    }
    shares.sort_by_key(|share| share.location.as_ref().and_then(rank).unwrap_or(usize::MAX));
    if !anywhere.is_empty() {
        let known = |share: &&mut Share| share.location.as_ref().is_some_and(|id| rank(id).is_some());
        match shares.iter_mut().find(known) {
            Some(share) => share.waiting.extend(anywhere),
            None => shares.push(Share { location: None, waiting: anywhere }),
        }
    }
    shares
}

/// Returns what people call a location, where the shop has several.
pub fn place(locations: &Locations, id: Option<&LocationId>) -> Option<String> {
    id.filter(|_| locations.are_several()).map(|id| location_name(locations, id))
}

/// Returns what people call a location; one that sends nothing has no other name than its own.
pub fn location_name(locations: &Locations, id: &LocationId) -> String {
    let known = locations.all().iter().find(|location| location.id == *id);
    known.map_or_else(|| id.to_string(), |location| location.name.clone())
}

/// Writes pieces of an order, those of one name together.
fn in_words<'o>(order: &'o Order, pieces: impl Iterator<Item = (&'o LineId, &'o Sku, u32)>) -> Vec<String> {
    let mut named: Vec<(&str, u32)> = vec![];
    for (line, sku, pieces) in pieces {
        let name = name(order, line, sku);
        match named.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += pieces,
            None => named.push((name, pieces)),
        }
    }
    named.into_iter().map(|(name, pieces)| format!("{pieces} × {name}")).collect()
}

/// Returns the name of what is sent for a line: of its product, or of a part of it.
pub fn name<'o>(order: &'o Order, line: &LineId, sku: &'o Sku) -> &'o str {
    let line = order.lines.iter().find(|known| known.id() == *line);
    let of_part =
        |line: &'o OrderLine| line.parts.iter().find(|part| part.sku == *sku).map(|part| part.name.as_str());
    let own = |line: &'o OrderLine| (line.sku == *sku).then_some(line.name.as_str());
    line.and_then(|line| of_part(line).or_else(|| own(line))).unwrap_or(sku.as_str())
}
