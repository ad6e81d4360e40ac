//! What each location of the shop sends of an order.

use std::collections::BTreeMap;

use cart_core::{LocationId, Locations, Order, OrderLine, OrderStatus, Sku};
use serde::Serialize;

/// Is what one location sends of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parcel {
    /// The location's name for people.
    pub from: String,
    /// What it sends, such as `2 × Mug`.
    pub contents: Vec<String>,
}

/// Lists what each location sends of an order, less what came back; nothing where the shop has one location, and of an order
/// that was cancelled.
pub fn parcels(order: &Order, locations: &Locations) -> Vec<Parcel> {
    if !locations.are_several() || matches!(order.state.status, OrderStatus::Cancelled { .. }) {
        return vec![];
    }
    let place = |id: &LocationId| locations.ids().iter().position(|known| known == id).unwrap_or(usize::MAX);
    let mut sent: BTreeMap<(usize, &LocationId), Vec<(&str, u32)>> = BTreeMap::new();
    for line in &order.lines {
        let taken = line.all_taken().zip(line.all_restocked());
        for ((sku, location, held, available), (.., restocked)) in taken {
            let pieces = (held + available).saturating_sub(restocked);
            if pieces > 0 {
                let contents = sent.entry((place(location), location)).or_default();
                let name = name(line, sku);
                match contents.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, sum)) => *sum += pieces,
                    None => contents.push((name, pieces)),
                }
            }
        }
    }
    let words = |(name, pieces): (&str, u32)| format!("{pieces} × {name}");
    let parcel = |((_, id), contents): (_, Vec<_>)| Parcel {
        from: location_name(locations, id),
        contents: contents.into_iter().map(words).collect(),
    };
    sent.into_iter().map(parcel).collect()
}

/// Returns what people call a location; one that sends nothing has no other name than its own.
pub fn location_name(locations: &Locations, id: &LocationId) -> String {
    let known = locations.all().iter().find(|location| location.id == *id);
    known.map_or_else(|| id.to_string(), |location| location.name.clone())
}

/// Returns the name of what was taken from the stock: of the line's product, or of a part of it.
fn name<'l>(line: &'l OrderLine, sku: &'l Sku) -> &'l str {
    let part = line.parts.iter().find(|part| part.sku == *sku).map(|part| part.name.as_str());
    part.unwrap_or(if line.sku == *sku { &line.name } else { sku.as_str() })
}
