//! What shoppers saw of shelves and clicked on: reports become events, each once.
//!
//! A showing counts as seen once, when its page says so; a click once for each product of a showing. What robots and the shop's own
//! people do is no event, nor what somebody does of whom no history is to be kept. Neither is what is told of somebody else's
//! showing, or more than a day after it.

use std::collections::BTreeMap;

use cart_core::Sku;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    ShelfName,
    showing::{LETTER_MS, SHOWING_MS, Showing, Spot},
};
use crate::{catalogue::Catalogue, circumstances::EXCLUDED, store::TrackedEvent, visitor::Visitor};

/// The type of what says that a shelf was seen.
pub const SHOWN: &str = "shelf_shown";
/// The type of what says that something on a shelf was clicked on.
pub const CLICKED: &str = "shelf_clicked";
/// Most products that one report tells of: a page has a few shelves.
pub const REPORT_MAX: usize = 100;

/// Is what a page or a program tells.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "ShelfReport")]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// What was seen; all that was seen of one answer belongs into one report.
    #[serde(default)]
    #[schemars(length(max = REPORT_MAX))]
    pub shown: Vec<Told>,
    /// What was clicked on.
    #[serde(default)]
    #[schemars(length(max = REPORT_MAX))]
    pub clicked: Vec<Told>,
}

/// Is a product at a place.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "ShelfPlace")]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The product. One that there is not is told so, and does not spoil the others.
    pub sku: String,
    /// `from` of the recommendation, as it came.
    pub from: String,
}

/// Says why something that was told does not count.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// What stood in `from`.
    pub from: String,
    /// Why.
    pub why: String,
}

/// Reads reports of one visitor at one time.
pub struct Reader<'a> {
    /// What can be on shelves.
    pub catalogue: &'a Catalogue,
    /// Who tells.
    pub who: &'a Visitor,
    /// The time, in Unix milliseconds.
    pub now_ms: i64,
}

impl Reader<'_> {
    /// Makes the events of a report, and says what of it does not count.
    pub fn read(&self, report: &Report) -> (Vec<TrackedEvent>, Vec<Refused>) {
        let mut refused = vec![];
        let mut sift = |told: &Told| {
            let found = self.find(told);
            found.map_err(|why| refused.push(Refused { from: told.from.clone(), why })).ok()
        };
        let mut showings: BTreeMap<Showing, BTreeMap<usize, (Sku, Spot)>> = BTreeMap::new();
        for (sku, spot) in report.shown.iter().filter_map(&mut sift) {
            showings.entry(spot.showing.clone()).or_default().insert(spot.place, (sku, spot));
        }
        let clicked: Vec<_> = report.clicked.iter().filter_map(&mut sift).collect();
        let circumstances = &self.who.circumstances;
        if circumstances.declined.is_some() || circumstances.attributes().contains_key(EXCLUDED) {
            return (vec![], refused);
        }
        let shown = showings.into_values().filter_map(|places| self.shown(&places));
        let clicked = clicked.iter().map(|(sku, spot)| self.clicked(sku, spot));
        (shown.chain(clicked).collect(), refused)
    }

    fn find(&self, told: &Told) -> Result<(Sku, Spot), String> {
        let spot: Spot = told.from.parse().map_err(|error: super::showing::NoSpot| error.to_string())?;
        let sku = Sku::parse(&told.sku).ok().filter(|sku| self.catalogue.product(sku).is_some());
        let sku = sku.ok_or_else(|| format!("there is no product {:?}", told.sku))?;
        // A letter is nobody's page: whoever opens its links, on whatever device, clicks on them.
        let is_letter = spot.shelf == ShelfName::Mail;
        if !is_letter && !spot.showing.is_of(self.who.unit()) {
            return Err("it was shown to somebody else".into());
        }
        let (most_ms, most) = if is_letter { (LETTER_MS, "week") } else { (SHOWING_MS, "day") };
        // A clock of another node may be a little ahead.
        if (self.now_ms - spot.showing.at_ms()).abs() > most_ms {
            return Err(format!("it was shown more than a {most} ago"));
        }
        Ok((sku, spot))
    }

    fn shown(&self, places: &BTreeMap<usize, (Sku, Spot)>) -> Option<TrackedEvent> {
        let (_, first) = places.values().next()?;
        let items: Vec<_> = (places.iter())
            .map(|(place, (sku, spot))| json!({"sku": sku, "place": place, "algorithm": spot.algorithm}))
            .collect();
        // Of two that share a shelf, the event is one of the pair, whoever got the first place.
        let pair = [Some(first.algorithm), first.against].into_iter().flatten();
        let (algorithm, against) = (pair.clone().min(), pair.max().filter(|_| first.against.is_some()));
        let mut data = json!({"shelf": first.shelf, "showing": first.showing.as_str(), "algorithm": algorithm, "items": items});
        if let Some(against) = against {
            data["against"] = json!(against);
        }
        Some(self.event(SHOWN, first.showing.event_id(SHOWN), data.to_string()))
    }

    fn clicked(&self, sku: &Sku, spot: &Spot) -> TrackedEvent {
        let Spot { shelf, place, algorithm, against, showing } = spot;
        let mut data = json!({"shelf": shelf, "showing": showing.as_str(), "algorithm": algorithm, "sku": sku,
            "place": place});
        if let Some(against) = against {
            data["against"] = json!(against);
        }
        self.event(CLICKED, showing.event_id(&format!("{CLICKED} {sku}")), data.to_string())
    }

    fn event(&self, kind: &'static str, id: uuid::Uuid, data: String) -> TrackedEvent {
        TrackedEvent { kind, id: Some(id), unit: self.who.unit().clone(), at_ms: self.now_ms, data }
    }
}
