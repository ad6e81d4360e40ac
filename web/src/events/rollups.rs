//! The roll-ups: exposures and orders fold into units, arms and looks, from which the statistics are computed.
//!
//! An order counts when it is placed, and goes on counting where it is cancelled or refunded later: an experiment measures
//! what shoppers decided at the till, and its figures must not fall while they are looked at.
//!
//! The fold depends on nothing but the events in their order, so a rebuild from position 0 gives the same rows.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};
use serde::Deserialize;
use serde_json::json;

use super::reader::{ReadError, Reader};
use crate::{
    search::sellers::DAY_MS,
    store::{ArmRow, LookRow, OutboxEvent, RollUp, Store, UnitRow},
};

/// The first look at an experiment, in units over all arms.
const FIRST_LOOK_UNITS: u64 = 50;

/// Reports whether an experiment is looked at when it has this many units: every 50 at first, every 2 % later, so
/// that a chart of any length has some hundreds of points.
///
/// ```
/// # use web::events::rollups::is_look;
/// assert_eq!((1..=200).filter(|n| is_look(*n)).collect::<Vec<_>>(), [50, 100, 150, 200]);
/// assert!((1..=1_000_000).filter(|n| is_look(*n)).count() < 400);
/// ```
pub fn is_look(units: u64) -> bool {
    let mut look = FIRST_LOOK_UNITS;
    while look < units {
        look += (look / 50).max(FIRST_LOOK_UNITS);
    }
    look == units
}

#[derive(Deserialize)]
struct ExposureData {
    experiment: String,
    variation: u32,
}

#[derive(Deserialize)]
struct OrderData {
    total_minor: i64,
    source: String,
    #[serde(default)]
    lines: Vec<OrderLineData>,
}

#[derive(Deserialize)]
struct OrderLineData {
    sku: Sku,
    quantity: u64,
}

/// Folds events into rows: what they were before goes in, what has changed comes out.
#[derive(Default)]
pub struct Fold {
    units: BTreeMap<(String, VisitorId), UnitRow>,
    arms: BTreeMap<(String, u32), ArmRow>,
    changed_units: BTreeSet<(String, VisitorId)>,
    changed_arms: BTreeSet<(String, u32)>,
    looks: Vec<LookRow>,
    sales: BTreeMap<(i64, Sku), u64>,
}

impl Fold {
    /// Begins with the rows of the units that the events speak of and of all arms.
    pub fn new(units: Vec<UnitRow>, arms: impl IntoIterator<Item = ArmRow>) -> Self {
        Self {
            units: units.into_iter().map(|u| ((u.experiment.clone(), u.unit.clone()), u)).collect(),
            arms: arms.into_iter().map(|a| ((a.experiment.clone(), a.variation), a)).collect(),
            ..Self::default()
        }
    }

    /// Folds one event. Data that cannot be read is somebody else's event type: it changes nothing.
    pub fn add(&mut self, event: &OutboxEvent) {
        match event.kind.as_str() {
            "exposure_logged" => {
                if let Ok(data) = serde_json::from_str::<ExposureData>(event.data.get()) {
                    self.expose(event, data);
                }
            }
            "order_placed" => {
                if let Ok(data) = serde_json::from_str::<OrderData>(event.data.get()) {
                    // What sold elsewhere, such as in the shop's earlier system, sold.
                    self.sell(event.at_ms, &data.lines);
                    if data.source == "shop" {
                        self.order(event, &data);
                    }
                }
            }
            _ => {}
        }
    }

    fn expose(&mut self, event: &OutboxEvent, data: ExposureData) {
        let key = (data.experiment.clone(), event.unit.clone());
        if self.units.contains_key(&key) {
            return;
        }
        self.units.insert(
            key.clone(),
            UnitRow {
                experiment: data.experiment.clone(),
                unit: event.unit.clone(),
                variation: data.variation,
                exposed_at_ms: event.at_ms,
                orders: 0,
                revenue_minor: 0,
            },
        );
        self.changed_units.insert(key);
        self.arm(&data.experiment, data.variation).units += 1;
        self.look(&data.experiment, event.at_ms);
    }

    fn sell(&mut self, at_ms: i64, lines: &[OrderLineData]) {
        for line in lines {
            let pieces = self.sales.entry((at_ms.div_euclid(DAY_MS), line.sku.clone())).or_default();
            *pieces = pieces.saturating_add(line.quantity);
        }
    }

    fn order(&mut self, event: &OutboxEvent, data: &OrderData) {
        let keys: Vec<_> = self
            .units
            .iter()
            .filter(|((_, unit), row)| *unit == event.unit && row.exposed_at_ms <= event.at_ms)
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            let row = self.units.get_mut(&key).expect("the key was just found");
            let before = row.revenue_minor;
            row.orders += 1;
            row.revenue_minor += data.total_minor;
            let (after, is_first, variation) = (row.revenue_minor, row.orders == 1, row.variation);
            let arm = self.arm(&key.0, variation);
            arm.orders += 1;
            arm.conversions += u64::from(is_first);
            arm.revenue_minor += data.total_minor;
            arm.revenue_squares += i128::from(after).pow(2) - i128::from(before).pow(2);
            self.changed_units.insert(key);
        }
    }

    fn arm(&mut self, experiment: &str, variation: u32) -> &mut ArmRow {
        let key = (experiment.to_owned(), variation);
        self.changed_arms.insert(key.clone());
        self.arms.entry(key).or_insert_with(|| ArmRow {
            experiment: experiment.to_owned(),
            variation,
            ..ArmRow::default()
        })
    }

    fn look(&mut self, experiment: &str, at_ms: i64) {
        let arms: Vec<&ArmRow> = self.arms.values().filter(|a| a.experiment == experiment).collect();
        let units = arms.iter().map(|a| a.units).sum();
        if !is_look(units) {
            return;
        }
        let count = arms.iter().map(|a| a.variation as usize + 1).max().unwrap_or(0);
        let mut rows = vec![json!([0, 0, 0, "0"]); count];
        for a in arms {
            rows[a.variation as usize] =
                json!([a.units, a.conversions, a.revenue_minor, a.revenue_squares.to_string()]);
        }
        self.looks.push(LookRow {
            experiment: experiment.to_owned(),
            units,
            at_ms,
            arms: serde_json::Value::from(rows).to_string(),
        });
    }

    /// Ends the fold with a step of the roll-ups.
    pub fn into_step(self, from: u64, to: u64) -> RollUp {
        let Self { units, arms, changed_units, changed_arms, looks, sales } = self;
        RollUp {
            from,
            to,
            units: units.into_iter().filter(|(k, _)| changed_units.contains(k)).map(|(_, u)| u).collect(),
            arms: arms.into_iter().filter(|(k, _)| changed_arms.contains(k)).map(|(_, a)| a).collect(),
            looks,
            sales,
        }
    }
}

/// Names the reader.
pub const READER: &str = "rollups";

/// Keeps the roll-ups of a store up to date.
pub struct RollUps;

#[async_trait]
impl Reader for RollUps {
    fn name(&self) -> &'static str {
        READER
    }

    async fn take(&mut self, store: &dyn Store, from: u64, events: &[OutboxEvent]) -> Result<(), ReadError> {
        let Some(last) = events.last() else { return Ok(()) };
        let of_interest = |e: &&OutboxEvent| matches!(e.kind.as_str(), "exposure_logged" | "order_placed");
        let units: BTreeSet<VisitorId> = events.iter().filter(of_interest).map(|e| e.unit.clone()).collect();
        let arms = store.arms().await?.into_values().flatten();
        let mut fold = Fold::new(store.units(&units).await?, arms);
        for event in events {
            fold.add(event);
        }
        store.save_roll_up(&fold.into_step(from, last.position)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(position: u64, kind: &str, unit: &str, data: &str) -> OutboxEvent {
        serde_json::from_str(&format!(
            r#"{{"position":{position},"id":"{}","at_ms":{position},"type":"{kind}","cart":null,"unit":"{unit}","data":{data}}}"#,
            uuid::Uuid::new_v4()
        ))
        .unwrap()
    }

    fn exposed(position: u64, unit: &str, variation: u32) -> OutboxEvent {
        event(position, "exposure_logged", unit, &format!(r#"{{"experiment":"e","variation":{variation}}}"#))
    }

    fn ordered(position: u64, unit: &str, total: i64, source: &str) -> OutboxEvent {
        event(position, "order_placed", unit, &format!(r#"{{"total_minor":{total},"source":"{source}"}}"#))
    }

    #[test]
    fn only_orders_of_the_shop_after_the_exposure_count() {
        let events = [
            ordered(1, "early", 700, "shop"),
            exposed(2, "early", 0),
            exposed(3, "buyer", 1),
            exposed(4, "buyer", 0),
            ordered(5, "buyer", 300, "shop"),
            ordered(6, "buyer", 400, "shop"),
            ordered(7, "buyer", 999, "import"),
            ordered(8, "stranger", 50, "shop"),
        ];
        let mut fold = Fold::default();
        events.iter().for_each(|e| fold.add(e));
        let step = fold.into_step(0, 8);
        let arm = |variation, units, conversions, orders, revenue_minor, revenue_squares| ArmRow {
            experiment: "e".into(),
            variation,
            units,
            conversions,
            orders,
            revenue_minor,
            revenue_squares,
        };
        assert_eq!(step.arms, [arm(0, 1, 0, 0, 0, 0), arm(1, 1, 1, 2, 700, 490_000)]);
    }

    #[test]
    fn pieces_are_summed_by_day_and_product() {
        let sold = |at_ms: i64, source: &str, lines: &str| {
            let data = format!(r#"{{"total_minor":1,"source":"{source}","lines":{lines}}}"#);
            OutboxEvent { at_ms, ..event(1, "order_placed", "ann", &data) }
        };
        let mut fold = Fold::default();
        for event in [
            sold(DAY_MS, "shop", r#"[{"sku":"MUG","quantity":2},{"sku":"TEE","quantity":1}]"#),
            sold(DAY_MS * 2 - 1, "import", r#"[{"sku":"MUG","quantity":3}]"#),
            sold(DAY_MS * 2, "shop", r#"[{"sku":"MUG","quantity":1}]"#),
        ] {
            fold.add(&event);
        }
        let sold = |day, sku, pieces| ((day, Sku::parse(sku).unwrap()), pieces);
        let expected = [sold(1, "MUG", 5), sold(1, "TEE", 1), sold(2, "MUG", 1)];
        assert_eq!(fold.into_step(0, 1).sales.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_fold_in_pieces_gives_the_rows_of_a_fold_in_one() {
        let events: Vec<_> = (1..400_u64)
            .map(|p| match p % 3 {
                0 => ordered(p, &format!("u{}", p / 6), (p as i64) * 10, "shop"),
                _ => exposed(p, &format!("u{}", p / 2), u32::try_from(p % 2).unwrap()),
            })
            .collect();
        let mut whole = Fold::default();
        events.iter().for_each(|e| whole.add(e));
        let whole = whole.into_step(0, 400);

        let (mut units, mut arms, mut looks) = (BTreeMap::new(), BTreeMap::new(), vec![]);
        for piece in events.chunks(7) {
            let mut fold =
                Fold::new(units.values().cloned().collect(), arms.values().cloned().collect::<Vec<_>>());
            piece.iter().for_each(|e| fold.add(e));
            let step = fold.into_step(0, 0);
            units
                .extend(step.units.into_iter().map(|u: UnitRow| ((u.experiment.clone(), u.unit.clone()), u)));
            arms.extend(step.arms.into_iter().map(|a: ArmRow| ((a.experiment.clone(), a.variation), a)));
            looks.extend(step.looks);
        }
        assert_eq!(units.into_values().collect::<Vec<_>>(), whole.units);
        assert_eq!(arms.into_values().collect::<Vec<_>>(), whole.arms);
        assert_eq!(looks, whole.looks);
    }
}
