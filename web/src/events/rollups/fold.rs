//! The fold: what was rolled up goes in with events, what has changed comes out.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{Sku, VisitorId};
use experiments::{
    ArmSums, Metric,
    arm::{UnitTallies, caps},
    metric::{Occurrence, Tally},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    CROSSED, DAILY, EPOCH,
    clicks::{Clicks, DERIVED},
    is_look,
    past::{ORDER, Recalled},
    sums::{ArmKey, Sums},
    unit::Unit,
};
use crate::{
    circumstances::EXCLUDED,
    definitions,
    search::sellers::DAY_MS,
    store::{
        ArmRow, KNOWN, LATE, LookRow, OutboxEvent, PastRow, PersonRow, RollUp, RolledExperiment, SHARED,
        UnitRow, late_key,
    },
};

/// Most segments of one dimension of an experiment, such as countries; what comes later is told as one.
const SEGMENTS_MAX: usize = 40;
/// Most other experiments that one is looked at together with: those whose units it meets first. Each costs an event of a
/// unit in both the change of another sum.
const SHARED_MAX: usize = 10;

#[derive(Clone, Deserialize)]
struct ExposureData {
    experiment: String,
    variation: u32,
    #[serde(default)]
    attributes: Map<String, Value>,
}

#[derive(Deserialize)]
struct OrderData {
    source: String,
    #[serde(default)]
    lines: Vec<OrderLineData>,
}

#[derive(Deserialize)]
struct OrderLineData {
    sku: Sku,
    quantity: u64,
}

#[derive(Deserialize)]
struct KnownData {
    unit: VisitorId,
}

/// Holds what the store knows of the units that a fold's events speak of.
#[derive(Debug, Default)]
pub struct Known {
    /// Their rows.
    pub units: Vec<UnitRow>,
    /// Their orders.
    pub pasts: Vec<PastRow>,
    /// As which units visitors are known.
    pub people: BTreeMap<VisitorId, VisitorId>,
}

/// Returns the unit that a visitor is known as: who logged in on a device may have been known by another name before.
pub(super) fn person(people: &BTreeMap<VisitorId, VisitorId>, visitor: &VisitorId) -> VisitorId {
    let mut unit = visitor;
    while let Some(known) = people.get(unit) {
        unit = known;
    }
    unit.clone()
}

/// Folds events into rows.
pub struct Fold<'a> {
    sums: &'a mut Sums,
    /// The metrics of experiments whose first unit may be among the events.
    fresh: &'a BTreeMap<String, Vec<Metric>>,
    units: BTreeMap<(VisitorId, String), Unit>,
    pasts: BTreeMap<VisitorId, Vec<PastRow>>,
    people: BTreeMap<VisitorId, VisitorId>,
    changed_units: BTreeSet<(VisitorId, String)>,
    changed_arms: BTreeSet<ArmKey>,
    step: RollUp,
}

impl<'a> Fold<'a> {
    /// Begins with what is rolled up.
    pub fn new(sums: &'a mut Sums, fresh: &'a BTreeMap<String, Vec<Metric>>, known: Known) -> Self {
        let none = vec![];
        let open = |row: &UnitRow| {
            let metrics = sums.experiments.get(&row.experiment).unwrap_or(&none);
            ((row.unit.clone(), row.experiment.clone()), Unit::open(row, metrics))
        };
        let units = known.units.iter().map(open).collect();
        let mut pasts: BTreeMap<VisitorId, Vec<PastRow>> = BTreeMap::new();
        for past in known.pasts {
            pasts.entry(past.unit.clone()).or_default().push(past);
        }
        Self {
            sums,
            fresh,
            units,
            pasts,
            people: known.people,
            changed_units: BTreeSet::new(),
            changed_arms: BTreeSet::new(),
            step: RollUp::default(),
        }
    }

    /// Folds one event. Data that cannot be read is somebody else's event type: it changes nothing.
    pub fn add(&mut self, event: &OutboxEvent) {
        let data = event.data.get();
        match event.kind.as_str() {
            "exposure_logged" => {
                if let Ok(data) = serde_json::from_str::<ExposureData>(data) {
                    for experiment in self.counting(&data.experiment) {
                        self.expose(event, ExposureData { experiment, ..data.clone() });
                    }
                }
            }
            KNOWN => {
                if let Ok(KnownData { unit }) = serde_json::from_str(data) {
                    self.know(&event.unit, unit, event.position);
                }
            }
            ORDER => {
                if let Ok(order) = serde_json::from_str::<OrderData>(data) {
                    // What sold elsewhere, such as in the shop's earlier system, sold.
                    self.sell(event.at_ms, &order.lines);
                    if order.source == "shop" {
                        self.remember(event);
                    }
                }
                self.happen(event);
            }
            _ => self.happen(event),
        }
    }

    fn person(&self, unit: &VisitorId) -> VisitorId {
        person(&self.people, unit)
    }

    fn metrics(&self, experiment: &str) -> &[Metric] {
        self.sums.experiments.get(experiment).map_or(&[], Vec::as_slice)
    }

    /// The keys under which an exposure to an experiment counts: its own, and those of its late metrics.
    fn counting(&self, experiment: &str) -> BTreeSet<String> {
        let of_late = late_key(experiment, "");
        let known = self.sums.experiments.range(of_late.clone()..).map(|(key, _)| key);
        let fresh = self.fresh.range(of_late.clone()..).map(|(key, _)| key);
        let is_late = |key: &&String| key.starts_with(&of_late);
        let late = known.take_while(is_late).chain(fresh.take_while(is_late)).cloned();
        late.chain([experiment.to_owned()]).collect()
    }

    fn expose(&mut self, event: &OutboxEvent, data: ExposureData) {
        let ExposureData { experiment, variation, mut attributes } = data;
        let excluded = attributes.remove(EXCLUDED).and_then(|why| Some(why.as_str()?.to_owned()));
        let epoch = attributes.get(definitions::EPOCH).and_then(Value::as_u64);
        let person = self.person(&event.unit);
        let key = (person.clone(), experiment.clone());
        if let Some(unit) = self.units.get(&key) {
            if unit.variation != variation && unit.counts() {
                self.cross(&key);
                self.share(&person);
            }
            return;
        }
        if !self.sums.knows(&experiment) {
            let Some(metrics) = self.fresh.get(&experiment) else { return };
            self.sums.experiments.insert(experiment.clone(), metrics.clone());
            let metrics = Value::from_iter(metrics.iter().map(Metric::to_value)).to_string();
            let row = RolledExperiment {
                experiment: experiment.clone(),
                metrics,
                since_ms: event.at_ms,
                position: None,
            };
            self.step.experiments.push(row);
        }
        let pasts = self.pasts_of(&person, &experiment, event.at_ms);
        let mut segments = self.segments(&experiment, &attributes, event.at_ms);
        if let Some(epoch) = epoch {
            let is_counted = |segment: &&String| !segment.starts_with(DAILY) && !experiment.contains(LATE);
            let within =
                segments.iter().filter(is_counted).map(|segment| format!("{EPOCH}{epoch} {segment}"));
            let within: Vec<String> = within.collect();
            segments.push(format!("{EPOCH}{epoch}"));
            segments.extend(within);
        }
        let did = UnitTallies::of(self.metrics(&experiment), pasts);
        let unit = Unit {
            variation,
            exposed_at_ms: event.at_ms,
            is_crossed: excluded.is_some(),
            is_merged: false,
            did,
            segments,
            clicks: Clicks::default(),
        };
        match excluded {
            Some(why) => self.leave_out(&experiment, &format!("({why})"), variation),
            None => self.enter(&experiment, &unit),
        }
        self.units.insert(key.clone(), unit);
        self.changed_units.insert(key.clone());
        self.catch_up(&key, event.at_ms);
        self.share(&person);
        self.look(&experiment, event.at_ms);
    }

    /// Counts the orders that came before the news of their unit's exposure, which programs report late.
    fn catch_up(&mut self, key: &(VisitorId, String), exposed_at_ms: i64) {
        let rows = self.pasts.get(&key.0).map_or(&[][..], Vec::as_slice);
        let since = rows.iter().filter(|row| row.at_ms >= exposed_at_ms).filter_map(Recalled::of);
        let orders: Vec<Recalled> = since.filter(Recalled::is_order).collect();
        for Recalled { kind, at_ms, data } in orders {
            self.count(key, Occurrence { kind: &kind, at_ms, data: &data });
        }
    }

    fn pasts_of(&self, person: &VisitorId, experiment: &str, exposed_at_ms: i64) -> Vec<i64> {
        let rows = self.pasts.get(person).map_or(&[][..], Vec::as_slice);
        // What is counted behind the cursor knows the orders alone: which other events were kept depends on what stood at it.
        let is_late = experiment.contains(LATE);
        let known: Vec<Recalled> =
            (rows.iter().filter_map(Recalled::of)).filter(|event| event.is_order() || !is_late).collect();
        let events = || {
            known.iter().map(|event| Occurrence { kind: &event.kind, at_ms: event.at_ms, data: &event.data })
        };
        self.metrics(experiment).iter().map(|metric| metric.past(events(), exposed_at_ms)).collect()
    }

    /// Names the segments of a unit: the day of its exposure, each of its attributes, and of a metric that waits for later days
    /// each attribute on that day.
    fn segments(&self, experiment: &str, attributes: &Map<String, Value>, at_ms: i64) -> Vec<String> {
        let day = format!("day={}", at_ms.div_euclid(DAY_MS));
        // What programs report must not be taken for segments of ours.
        let is_plain = |name: &str| name.starts_with(char::is_alphanumeric) && name != "day";
        let attribute = |(name, value): (&String, &Value)| {
            let value = value.as_str().filter(|value| is_plain(name) && !value.is_empty())?;
            let segment = format!("{name}={value}");
            let of_name = format!("{name}=");
            let from = (experiment.to_owned(), of_name.clone(), 0);
            let named = self.sums.arms.range(from..).map(|((key, segment, _), _)| (key, segment));
            let known: BTreeSet<&String> = named
                .take_while(|(key, segment)| *key == experiment && segment.starts_with(&of_name))
                .map(|(_, segment)| segment)
                .collect();
            let is_new = !known.contains(&segment);
            Some(if is_new && known.len() >= SEGMENTS_MAX { format!("{name}=(other)") } else { segment })
        };
        let attributes: Vec<String> = attributes.iter().filter_map(attribute).collect();
        let deciding = self.metrics(experiment).first().filter(|_| !experiment.contains(LATE));
        let waits = deciding.is_some_and(|metric| metric.complete_after_ms().is_some());
        let daily = |segment: &String| format!("{DAILY}{} {segment}", at_ms.div_euclid(DAY_MS));
        let daily: Vec<String> = attributes.iter().filter(|_| waits).map(daily).collect();
        std::iter::once(day).chain(attributes).chain(daily).collect()
    }

    /// Does something to the sums of a unit's arm and of its segments.
    fn each_arm(
        &mut self,
        experiment: &str,
        variation: u32,
        segments: &[String],
        act: impl Fn(&mut ArmSums, &[Metric]),
    ) {
        let whole = std::iter::once("");
        self.each_of(experiment, variation, whole.chain(segments.iter().map(String::as_str)), act);
    }

    /// Does something to the sums of some segments.
    fn each_of<'s>(
        &mut self,
        experiment: &str,
        variation: u32,
        segments: impl Iterator<Item = &'s str>,
        act: impl Fn(&mut ArmSums, &[Metric]),
    ) {
        let Sums { experiments, arms } = &mut *self.sums;
        let Some(metrics) = experiments.get(experiment) else { return };
        for segment in segments {
            let key = (experiment.to_owned(), segment.to_owned(), variation);
            let is_of_one =
                segment.starts_with([SHARED, DAILY]) || segment.starts_with(EPOCH) && segment.contains(' ');
            let metrics = if is_of_one { &metrics[..metrics.len().min(1)] } else { metrics };
            act(arms.entry(key.clone()).or_insert_with(|| ArmSums::new(metrics.len())), metrics);
            self.changed_arms.insert(key);
        }
    }

    /// Lets a person's units count beside those of the other experiments in which the person counts.
    fn share(&mut self, person: &VisitorId) {
        let of_person = (person.clone(), String::new())..;
        let met: Vec<(String, u32)> = (self.units.range(of_person))
            .take_while(|((unit, _), _)| unit == person)
            .filter(|((_, experiment), unit)| unit.counts() && !experiment.contains(LATE))
            .map(|((_, experiment), unit)| (experiment.clone(), unit.variation))
            .collect();
        for (experiment, _) in &met {
            let others = met.iter().filter(|(other, _)| other != experiment);
            let wanted: Vec<String> =
                others.filter_map(|(other, variation)| self.shared(experiment, other, *variation)).collect();
            let key = (person.clone(), experiment.clone());
            let Some(unit) = self.units.get(&key).cloned() else { continue };
            let is_shared = |segment: &&String| segment.starts_with(SHARED);
            let (variation, did) = (unit.variation, &unit.did);
            let before: Vec<String> = unit.segments.iter().filter(is_shared).cloned().collect();
            if before == wanted {
                continue;
            }
            self.each_of(experiment, variation, before.iter().map(String::as_str), |arm, metrics| {
                arm.remove(metrics, did)
            });
            self.each_of(experiment, variation, wanted.iter().map(String::as_str), |arm, metrics| {
                arm.add(metrics, did)
            });
            let own = unit.segments.iter().filter(|segment| !is_shared(segment)).cloned();
            let segments = own.chain(wanted).collect();
            self.units.insert(key.clone(), Unit { segments, ..unit });
            self.changed_units.insert(key);
        }
    }

    /// Names the segment of an experiment's units that met a variation of another one, unless there are too many others.
    fn shared(&self, experiment: &str, other: &str, variation: u32) -> Option<String> {
        let from = (experiment.to_owned(), SHARED.to_string(), 0);
        let others: BTreeSet<&str> = (self.sums.arms.range(from..))
            .take_while(|((key, segment, _), _)| key == experiment && segment.starts_with(SHARED))
            .filter_map(|((_, segment, _), _)| Some(segment[SHARED.len_utf8()..].rsplit_once('=')?.0))
            .collect();
        let is_looked_at = others.contains(other) || others.len() < SHARED_MAX;
        is_looked_at.then(|| format!("{SHARED}{other}={variation}"))
    }

    fn enter(&mut self, experiment: &str, unit: &Unit) {
        self.each_arm(experiment, unit.variation, &unit.segments, |arm, metrics| arm.add(metrics, &unit.did));
    }

    fn leave(&mut self, experiment: &str, unit: &Unit) {
        self.each_arm(experiment, unit.variation, &unit.segments, |arm, metrics| {
            arm.remove(metrics, &unit.did)
        });
    }

    /// Takes a unit that met two variations out of its arm and counts it apart.
    fn cross(&mut self, key: &(VisitorId, String)) {
        let Some(unit) = self.units.get_mut(key) else { return };
        unit.is_crossed = true;
        let unit = unit.clone();
        self.leave(&key.1, &unit);
        self.leave_out(&key.1, CROSSED, unit.variation);
        self.changed_units.insert(key.clone());
    }

    /// Counts a unit apart from the arms, under the reason for it.
    fn leave_out(&mut self, experiment: &str, reason: &str, variation: u32) {
        let key = (experiment.to_owned(), reason.to_owned(), variation);
        self.sums.arms.entry(key.clone()).or_default().add(&[], &UnitTallies::default());
        self.changed_arms.insert(key);
    }

    /// Notes that a visitor is known as another unit: one person, who counts once where both met the same variation, and
    /// nowhere where they met two.
    fn know(&mut self, visitor: &VisitorId, unit: VisitorId, position: u64) {
        // Nobody is known as who is known as them.
        let unit = self.person(&unit);
        if *visitor == unit || self.people.contains_key(visitor) {
            return;
        }
        self.people.insert(visitor.clone(), unit.clone());
        self.step.people.push(PersonRow { visitor: visitor.clone(), unit: unit.clone(), position });
        let of_visitor = (visitor.clone(), String::new())..;
        let met: Vec<String> = (self.units.range(of_visitor))
            .take_while(|((owner, _), _)| owner == visitor)
            .filter(|(_, unit)| !unit.is_merged)
            .map(|((_, experiment), _)| experiment.clone())
            .collect();
        for experiment in met {
            self.join((visitor.clone(), experiment.clone()), (unit.clone(), experiment));
        }
        self.share(&unit);
    }

    fn join(&mut self, from: (VisitorId, String), into: (VisitorId, String)) {
        let Some(given) = self.units.get(&from).cloned() else { return };
        match self.units.get(&into).cloned() {
            Some(taken) if taken.variation != given.variation || taken.is_crossed || given.is_crossed => {
                for key in [&from, &into] {
                    if self.units.get(key).is_some_and(Unit::counts) {
                        self.cross(key);
                    }
                }
                return;
            }
            Some(taken) => {
                self.leave(&from.1, &given);
                self.leave(&into.1, &taken);
                let tallies = self.together(&from.1, &taken.did.tallies, &given.did.tallies);
                let did = UnitTallies { tallies, ..taken.did };
                let exposed_at_ms = taken.exposed_at_ms.min(given.exposed_at_ms);
                let clicks = taken.clicks.together(given.clicks.clone());
                let one = Unit { did, exposed_at_ms, clicks, ..taken };
                self.enter(&into.1, &one);
                self.units.insert(into.clone(), one);
            }
            None => _ = self.units.insert(into.clone(), given.clone()),
        }
        self.units.insert(
            from.clone(),
            Unit {
                is_merged: true,
                did: UnitTallies::default(),
                segments: vec![],
                clicks: Clicks::default(),
                ..given
            },
        );
        self.changed_units.extend([from, into]);
    }

    fn together(&self, experiment: &str, one: &[Tally], other: &[Tally]) -> Vec<Tally> {
        let both = one.iter().zip(other);
        self.metrics(experiment)
            .iter()
            .zip(both)
            .map(|(metric, (one, other))| metric.together(one, other))
            .collect()
    }

    fn sell(&mut self, at_ms: i64, lines: &[OrderLineData]) {
        for line in lines {
            let pieces = self.step.sales.entry((at_ms.div_euclid(DAY_MS), line.sku.clone())).or_default();
            *pieces = pieces.saturating_add(line.quantity);
        }
    }

    /// Keeps an event, in case its unit is exposed later.
    fn remember(&mut self, event: &OutboxEvent) {
        let unit = self.person(&event.unit);
        let data = Recalled::written(&event.kind, event.data.get());
        let row = PastRow { unit: unit.clone(), position: event.position, at_ms: event.at_ms, data };
        self.pasts.entry(unit).or_default().push(row.clone());
        self.step.pasts.push(row);
    }

    fn happen(&mut self, event: &OutboxEvent) {
        if !self.sums.listens_to(&event.kind) {
            return;
        }
        if event.kind != ORDER && self.sums.looks_back_at(&event.kind) {
            self.remember(event);
        }
        let person = self.person(&event.unit);
        let of_person = (person.clone(), String::new())..;
        let experiments: Vec<String> = (self.units.range(of_person))
            .take_while(|((unit, _), _)| *unit == person)
            .map(|((_, experiment), _)| experiment.clone())
            .collect();
        if experiments.is_empty() {
            return;
        }
        let Ok(data) = serde_json::from_str::<Value>(event.data.get()) else { return };
        let occurrence = Occurrence { kind: &event.kind, at_ms: event.at_ms, data: &data };
        for experiment in experiments {
            let key = (person.clone(), experiment);
            self.count(&key, occurrence);
            self.follow(&key, occurrence);
        }
    }

    /// Counts what follows from an event for a unit whose clicks on shelves its experiment looks at.
    fn follow(&mut self, key: &(VisitorId, String), event: Occurrence<'_>) {
        let looks_at_clicks = |metric: &Metric| DERIVED.iter().any(|kind| metric.listens_to(kind));
        if !self.metrics(&key.1).iter().any(looks_at_clicks) {
            return;
        }
        let unit = self.units.get_mut(key).filter(|unit| unit.exposed_at_ms <= event.at_ms);
        let Some(made) = unit.and_then(|unit| unit.clicks.take(event)) else { return };
        self.changed_units.insert(key.clone());
        for (kind, data) in made {
            self.count(key, Occurrence { kind, at_ms: event.at_ms, data: &data });
        }
    }

    fn count(&mut self, key: &(VisitorId, String), event: Occurrence<'_>) {
        let Some(unit) = self.units.get(key) else { return };
        let metrics = self.metrics(&key.1);
        let after = |(index, metric): (usize, &Metric)| {
            let before = unit.did.tallies.get(index)?;
            Some((index, metric.after(before, unit.exposed_at_ms, event)?))
        };
        let changes: Vec<(usize, Tally)> = metrics.iter().enumerate().filter_map(after).collect();
        if changes.is_empty() {
            return;
        }
        if unit.counts() {
            let (variation, segments, did) = (unit.variation, unit.segments.clone(), unit.did.clone());
            self.each_arm(&key.1, variation, &segments, |arm, metrics| {
                for (index, after) in &changes {
                    let past = did.pasts.get(*index).copied().unwrap_or(0);
                    if let Some(metric) = metrics.get(*index) {
                        arm.change(*index, metric, &did.tallies[*index], after, past);
                    }
                }
            });
        }
        if let Some(unit) = self.units.get_mut(key) {
            changes.into_iter().for_each(|(index, after)| unit.did.tallies[index] = after);
            self.changed_units.insert(key.clone());
        }
    }

    /// The sums of the units that were exposed on each day, with the moment when it ended.
    fn days(&self, experiment: &str, variation: u32) -> impl Iterator<Item = (i64, &ArmSums)> + Clone {
        let from = (experiment.to_owned(), "day=".to_owned(), 0);
        let days = self.sums.arms.range(from..).map_while(move |((key, segment, of), arm)| {
            let day: i64 = segment.strip_prefix("day=").filter(|_| key == experiment)?.parse().ok()?;
            Some((day, *of, arm))
        });
        days.filter(move |(_, of, _)| *of == variation).map(|(day, _, arm)| ((day + 1) * DAY_MS, arm))
    }

    fn look(&mut self, experiment: &str, at_ms: i64) {
        let from = (experiment.to_owned(), String::new(), 0);
        let arms: BTreeMap<u32, &ArmSums> = (self.sums.arms.range(from..))
            .take_while(|((key, segment, _), _)| key == experiment && segment.is_empty())
            .map(|((_, _, variation), arm)| (*variation, arm))
            .collect();
        let units = arms.values().map(|arm| arm.units()).sum();
        if !is_look(units) {
            return;
        }
        let last = arms.keys().last().copied().unwrap_or(0);
        let metrics = self.metrics(experiment);
        let caps = caps(metrics, arms.values().copied());
        let line = |variation: u32| {
            let mut arm =
                arms.get(&variation).map_or_else(|| ArmSums::new(metrics.len()), |arm| (*arm).clone());
            arm.complete(metrics, self.days(experiment, variation), at_ms);
            arm.cap(&caps);
            arm.to_look_text(metrics)
        };
        let arms = (0..=last).map(line).collect::<Vec<_>>().join("\n");
        self.step.looks.push(LookRow { experiment: experiment.to_owned(), units, at_ms, arms });
    }

    /// Ends the fold with a step of the roll-ups.
    pub fn into_step(self, from: u64, to: u64) -> RollUp {
        let Self { sums, mut units, changed_units, changed_arms, step, .. } = self;
        let unit = |key: (VisitorId, String)| {
            let unit = units.remove(&key)?;
            Some(unit.close(key.1, key.0))
        };
        let arm = |key: ArmKey| {
            let text = sums.arms.get(&key)?.to_text();
            let (experiment, segment, variation) = key;
            Some(ArmRow { experiment, segment, variation, sums: text })
        };
        RollUp {
            from,
            to,
            units: changed_units.into_iter().filter_map(unit).collect(),
            arms: changed_arms.into_iter().filter_map(arm).collect(),
            ..step
        }
    }
}

#[cfg(test)]
mod tests;
