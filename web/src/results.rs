//! From roll-ups to an analysis.

use std::collections::BTreeMap;

use dashboards::{Dimension, Growth, LeftOut, SegmentSplit, Uncounted};
use experiments::{
    Analysis, ArmSums, Experiment, Look, Metric, Plan, Status,
    arm::caps,
    redraw::Epoch,
    sample_ratio::{PartSplit, chi_square_p, parts},
    verdict::{self, Division, Outlook, Segments, Unforeseen, outlook, outlook_epochs},
};
use time::OffsetDateTime;

use crate::{
    clock,
    events::rollups::{DAILY, EPOCH},
    experiment_metrics::ExperimentMetrics,
    problem::{Kind, Problem},
    search::sellers::DAY_MS,
    shop::Shop,
    store::{ArmRow, LookRow, RolledUp, SHARED, Store, readers},
};

mod glance;
mod late;
pub mod shared;

pub use glance::at_a_glance;

/// Most days that are told without anybody, of what runs on and is forgotten: a year.
const GROWTH_DAYS_MAX: i64 = 366;
/// How many of the last days say how many units come on one: each weekday once.
const RATE_DAYS: i64 = 7;

/// Is what is known of an experiment's outcome.
pub struct Results {
    /// What may be concluded.
    pub analysis: Analysis,
    /// How many looks the analysis rests on.
    pub looks: u64,
    /// Units that count nowhere, by the reason.
    pub left_out: Vec<LeftOut>,
    /// The effect in segments, by dimension: `week`, `weekday`, or the name of an attribute.
    pub dimensions: Vec<Dimension>,
    /// The split in the same segments.
    pub splits: Vec<SegmentSplit>,
    /// How many units each variation had at the end of each day, the oldest first.
    pub growth: Vec<Growth>,
    /// What the rest of it is worth, or why that is not told; `None` before its first full day, and once it does not run.
    pub outlook: Option<Result<Outlook, Unforeseen>>,
    /// Of a bandit, its epochs, the oldest first.
    pub epochs: Vec<Epoch>,
    /// Late metrics of which there are no numbers, or none yet.
    pub uncounted: Vec<Uncounted>,
}

/// Analyses an experiment over all its looks.
///
/// # Errors
/// Where the store does not answer, or holds rows that fit no experiment.
pub async fn of(shop: &Shop, experiment: &Experiment) -> Result<Results, Problem> {
    from(&*shop.store, &shop.experiment_metrics, experiment).await
}

/// As [`of`], where no shop is open.
///
/// # Errors
/// As [`of`].
pub async fn from(
    store: &dyn Store,
    metrics: &ExperimentMetrics,
    experiment: &Experiment,
) -> Result<Results, Problem> {
    // Before the sums, so that nothing seems to lie behind it that has gone along meanwhile.
    let cursor = store.cursor(readers::ROLLUPS).await?;
    let rolled = store.arms(experiment.key()).await?;
    let (planned, now_ms) = (planned(metrics, experiment, &rolled)?, clock::now_ms());
    let late = late::of(metrics, experiment, &rolled, cursor)?;
    let all: Vec<Metric> =
        planned.iter().chain(late.counted.iter().map(|late| &late.metric)).cloned().collect();
    let plan = plan_of(experiment, &all)?;
    let rolled = late::beside(rolled, experiment, planned.len(), &late.counted)?;
    let arms = Arms::of(&rolled, experiment, &plan, now_ms)?;
    let results = match arms.epochs.is_empty() {
        true => {
            let mut looks = store.looks(experiment.key()).await?;
            // Only methods that are read at planned looks read other metrics at one.
            for (place, late) in late.counted.iter().enumerate().filter(|_| plan.method().is_scheduled()) {
                late::look_beside(&mut looks, planned.len() + place, &store.looks(&late.key).await?)?;
            }
            analyse(&plan, experiment, &arms, &looks, now_ms)?
        }
        false => analyse_epochs(&plan, experiment, arms, now_ms)?,
    };
    Ok(Results { uncounted: late.uncounted, ..results })
}

/// The plan without late metrics.
fn plan(metrics: &ExperimentMetrics, experiment: &Experiment, rolled: &RolledUp) -> Result<Plan, Problem> {
    plan_of(experiment, &planned(metrics, experiment, rolled)?)
}

fn plan_of(experiment: &Experiment, metrics: &[Metric]) -> Result<Plan, Problem> {
    Plan::of(experiment, metrics).map_err(|error| corrupt(&error))
}

/// The metrics that the sums are sums of.
fn planned(
    metrics: &ExperimentMetrics,
    experiment: &Experiment,
    rolled: &RolledUp,
) -> Result<Vec<Metric>, Problem> {
    let row = rolled.experiments.iter().find(|row| row.experiment == experiment.key());
    match row {
        Some(row) => serde_json::from_str(&row.metrics).map_err(|error| corrupt(&error)),
        None => Ok(metrics.of(experiment)),
    }
}

/// The segments of one dimension in their order, each with the sums of its arms.
type InOrder = BTreeMap<(i64, String), Vec<ArmSums>>;
/// The dimensions by name, each with its segments in their order.
type Divided<T = ArmSums> = Vec<(String, Vec<(String, Vec<T>)>)>;

/// The sums of an experiment, by segment and variation.
struct Arms {
    whole: Vec<ArmSums>,
    segments: BTreeMap<String, Vec<ArmSums>>,
    /// Of segments, the units that were exposed on each day, where that matters.
    daily: BTreeMap<String, BTreeMap<i64, Vec<ArmSums>>>,
    left_out: BTreeMap<String, Vec<u64>>,
    /// Of a bandit, one for each of its epochs.
    epochs: Vec<Epoch>,
    /// Of a bandit, the sums of segments in each epoch: all arms of the first, then all of the next.
    within: BTreeMap<String, Vec<ArmSums>>,
}

impl Arms {
    fn of(rolled: &RolledUp, experiment: &Experiment, plan: &Plan, now_ms: i64) -> Result<Self, Problem> {
        let none = || vec![ArmSums::default(); experiment.variations().len()];
        let draws = experiment.draws();
        let in_epochs =
            || vec![ArmSums::default(); none().len() * draws.map_or(0, |draws| draws.epoch() + 1)];
        let epoch = |epoch: usize| Epoch {
            until_ms: draws.and_then(|draws| Some(draws.past.get(epoch)?.until_ms)),
            weights_bp: experiment.weights_bp(epoch),
            arms: none(),
        };
        let mut found = Self {
            whole: none(),
            segments: BTreeMap::new(),
            daily: BTreeMap::new(),
            left_out: BTreeMap::new(),
            epochs: draws.map_or_else(Vec::new, |draws| (0..=draws.epoch()).map(epoch).collect()),
            within: BTreeMap::new(),
        };
        for ArmRow { segment, variation, sums, .. } in
            rolled.arms.iter().filter(|row| row.experiment == experiment.key())
        {
            let sums = ArmSums::parse(sums).map_err(|error| corrupt(&error))?;
            let arms = match segment.as_str() {
                reason if reason.starts_with('(') => {
                    let units = found.left_out.entry(reason.trim_matches(['(', ')']).to_owned());
                    let units = units.or_insert_with(|| vec![0; experiment.variations().len()]);
                    units
                        .iter_mut()
                        .skip(*variation as usize)
                        .take(1)
                        .for_each(|count| *count += sums.units());
                    continue;
                }
                shared if shared.starts_with(SHARED) => continue,
                "" => &mut found.whole,
                epoch if epoch.starts_with(EPOCH) => {
                    let (index, within) = match epoch[EPOCH.len_utf8()..].split_once(' ') {
                        Some((index, segment)) => (index, Some(segment)),
                        None => (&epoch[EPOCH.len_utf8()..], None),
                    };
                    let index = index.parse::<usize>().ok().filter(|index| *index < found.epochs.len());
                    match (index, within) {
                        (Some(index), None) => &mut found.epochs[index].arms,
                        (Some(index), Some(segment)) => {
                            let arms = found.within.entry(segment.to_owned()).or_insert_with(in_epochs);
                            let place = index * experiment.variations().len() + *variation as usize;
                            if let Some(arm) = arms.get_mut(place) {
                                *arm = sums;
                            }
                            continue;
                        }
                        (None, _) => continue,
                    }
                }
                daily if daily.starts_with(DAILY) => {
                    let Some((day, segment)) = daily[DAILY.len_utf8()..].split_once(' ') else { continue };
                    let Ok(day) = day.parse() else { continue };
                    found.daily.entry(segment.to_owned()).or_default().entry(day).or_insert_with(none)
                }
                _ => found.segments.entry(segment.clone()).or_insert_with(none),
            };
            if let Some(arm) = arms.get_mut(*variation as usize) {
                *arm = sums;
            }
        }
        let metrics: Vec<&Metric> = plan.metrics().iter().map(|planned| &planned.metric).collect();
        found.complete(&metrics, now_ms);
        let caps = caps(&metrics, &found.whole);
        let of_epochs = found.epochs.iter_mut().flat_map(|epoch| &mut epoch.arms);
        let of_segments = found.segments.values_mut().chain(found.within.values_mut()).flatten();
        let arms = found.whole.iter_mut().chain(of_segments).chain(of_epochs);
        arms.for_each(|arm| arm.cap(&caps));
        Ok(found)
    }

    /// Leaves out, of the metrics that look at later days, the units whose days are not over. Of segments other than days that is
    /// known for the metric that decides; of others nothing is left, since their units came on different days.
    fn complete(&mut self, metrics: &[&Metric], now_ms: i64) {
        if metrics.iter().all(|metric| metric.complete_after_ms().is_none()) {
            return;
        }
        let ended = |segment: &str| Some(end_of(day_of(segment)?));
        let Self { whole, segments, daily, .. } = self;
        for (variation, arm) in whole.iter_mut().enumerate() {
            let days =
                segments.iter().filter_map(|(segment, arms)| Some((ended(segment)?, arms.get(variation)?)));
            arm.complete(metrics, days, now_ms);
        }
        for (segment, arms) in segments {
            for (variation, arm) in arms.iter_mut().enumerate() {
                let alone = arm.clone();
                let days = daily.get(segment).into_iter().flatten();
                let days = days.filter_map(|(day, arms)| Some((end_of(*day), arms.get(variation)?)));
                let day = ended(segment).map(|ended| (ended, &alone));
                arm.complete(metrics, day.into_iter().chain(days), now_ms);
            }
        }
    }

    /// Divides all units by an attribute; those of which it is not known are a stratum, too.
    fn strata(&self, name: &str) -> Vec<Vec<ArmSums>> {
        let of_name = |(segment, arms): (&String, &Vec<ArmSums>)| {
            (segment.split_once('=')?.0 == name).then(|| arms.clone())
        };
        let mut strata: Vec<Vec<ArmSums>> = self.segments.iter().filter_map(of_name).collect();
        let rest = |(variation, whole): (usize, &ArmSums)| {
            whole.without(strata.iter().filter_map(|arms| arms.get(variation)))
        };
        let rest: Vec<ArmSums> = self.whole.iter().enumerate().map(rest).collect();
        if rest.iter().any(|arm| arm.units() > 0) {
            strata.push(rest);
        }
        strata
    }

    /// Returns a bandit's segments, each over its epochs; none where some units were counted before segments were counted by
    /// epoch.
    fn divided_within(&self) -> Divided<Epoch> {
        let count = self.whole.len().max(1);
        let units = |arms: &[ArmSums]| arms.iter().map(ArmSums::units).sum::<u64>();
        let is_whole = |(segment, arms): (&String, &Vec<ArmSums>)| {
            self.within.get(segment).is_some_and(|within| units(within) == units(arms))
        };
        if !self.segments.iter().all(is_whole) {
            return vec![];
        }
        let over_epochs = |arms: Vec<ArmSums>| -> Vec<Epoch> {
            let epochs = self.epochs.iter().zip(arms.chunks(count));
            epochs.map(|(epoch, arms)| Epoch { arms: arms.to_vec(), ..epoch.clone() }).collect()
        };
        let each = |segments: Vec<(String, Vec<ArmSums>)>| {
            segments.into_iter().map(|(segment, arms)| (segment, over_epochs(arms))).collect()
        };
        divided(&self.within).into_iter().map(|(name, segments)| (name, each(segments))).collect()
    }
}

/// Divides the units of segments by week since the first exposure, by weekday, and by each of their attributes.
fn divided(segments: &BTreeMap<String, Vec<ArmSums>>) -> Divided {
    let mut dimensions: BTreeMap<(u8, String), InOrder> = BTreeMap::new();
    let mut put = |place: u8, name: &str, order: i64, segment: String, arms: &Vec<ArmSums>| {
        let segments = dimensions.entry((place, name.to_owned())).or_default();
        let sums = segments.entry((order, segment)).or_insert_with(|| vec![ArmSums::default(); arms.len()]);
        sums.iter_mut().zip(arms).for_each(|(sum, arm)| sum.merge(arm));
    };
    let days = || segments.iter().filter_map(|(segment, arms)| Some((day_of(segment)?, arms)));
    let first = days().map(|(day, _)| day).min().unwrap_or(0);
    for (day, arms) in days() {
        let week = (day - first) / 7 + 1;
        put(0, "week", week, format!("Week {week}"), arms);
        let (order, weekday) = weekday_of(day);
        put(1, "weekday", order, weekday, arms);
    }
    for (segment, arms) in segments.iter().filter(|(segment, _)| day_of(segment).is_none()) {
        if let Some((name, value)) = segment.split_once('=') {
            // The largest first.
            let units: u64 = arms.iter().map(ArmSums::units).sum();
            put(2, name, -i64::try_from(units).unwrap_or(i64::MAX), value.to_owned(), arms);
        }
    }
    let dimension = |((_, name), segments): ((u8, String), InOrder)| {
        (name, segments.into_iter().map(|((_, name), arms)| (name, arms)).collect())
    };
    dimensions.into_iter().map(dimension).collect()
}

/// The units a day, where an experiment runs on and its split is right.
fn rate(experiment: &Experiment, analysis: &Analysis, arms: &Arms, now_ms: i64) -> Option<u64> {
    let is_fit = experiment.status() == Status::Running && !analysis.sample_ratio.is_mismatch;
    units_a_day(&arms.segments, now_ms).filter(|_| is_fit)
}

/// Returns the units a day over the last full days in UTC, a week at most; the first day is no full one.
fn units_a_day(segments: &BTreeMap<String, Vec<ArmSums>>, now_ms: i64) -> Option<u64> {
    let days: BTreeMap<i64, u64> = (segments.iter())
        .filter_map(|(segment, arms)| Some((day_of(segment)?, arms.iter().map(ArmSums::units).sum())))
        .collect();
    let today = now_ms.div_euclid(DAY_MS);
    let from = (days.first_key_value()?.0 + 1).max(today - RATE_DAYS);
    let count = u64::try_from(today - from).ok().filter(|count| *count > 0)?;
    Some(days.range(from..today).map(|(_, units)| units).sum::<u64>() / count)
}

/// Returns how many units each variation had at the end of each day since the one before the first, and has now.
fn growth(segments: &BTreeMap<String, Vec<ArmSums>>, now_ms: i64) -> Vec<Growth> {
    let days: BTreeMap<i64, &Vec<ArmSums>> =
        segments.iter().filter_map(|(segment, arms)| Some((day_of(segment)?, arms))).collect();
    let Some((first, arms)) = days.first_key_value() else { return vec![] };
    let mut units = vec![0_u64; arms.len()];
    let mut found = vec![Growth { at_ms: first * DAY_MS, units: units.clone() }];
    let (last, today) = (days.last_key_value().map_or(*first, |(day, _)| *day), now_ms.div_euclid(DAY_MS));
    // On days without anybody the line goes on level, until now.
    for day in *first..=last.max(today.min(first + GROWTH_DAYS_MAX)) {
        if let Some(arms) = days.get(&day) {
            units.iter_mut().zip(arms.iter()).for_each(|(sum, arm)| *sum += arm.units());
        }
        found.push(Growth { at_ms: end_of(day).min(now_ms.max(day * DAY_MS + 1)), units: units.clone() });
    }
    found
}

/// Names the segments whose splits were checked, in the same order.
fn splits<T>(divided: &Divided<T>, check: impl Fn(&[&Vec<T>]) -> Vec<PartSplit>) -> Vec<SegmentSplit> {
    let all = || {
        divided
            .iter()
            .flat_map(|(name, segments)| segments.iter().map(move |(segment, of)| (name, segment, of)))
    };
    let checked = check(&all().map(|(_, _, of)| of).collect::<Vec<_>>());
    let split = |((dimension, segment, _), split): ((&String, &String, _), PartSplit)| SegmentSplit {
        dimension: dimension.clone(),
        segment: segment.clone(),
        split,
    };
    all().zip(checked).map(split).collect()
}

/// Leaves out the segments that are not split as planned: what they seem to show may be whom they lost.
fn sound<T>(divided: Divided<T>, splits: &[SegmentSplit]) -> Divided<T> {
    let mut checked = splits.iter();
    let mut is_sound = |_: &(String, Vec<T>)| !checked.next().is_some_and(|part| part.split.is_mismatch);
    divided
        .into_iter()
        .map(|(name, segments)| (name, segments.into_iter().filter(&mut is_sound).collect()))
        .collect()
}

/// Reads the segments of all dimensions together, since they are corrected together.
fn dimensions<T>(divided: Divided<T>, read: impl Fn(&[Division<T>]) -> Vec<Vec<Segments>>) -> Vec<Dimension> {
    let (names, segments): (Vec<String>, Vec<Division<T>>) = divided.into_iter().unzip();
    let dimension = |(name, segments)| Dimension { name, segments };
    names.into_iter().zip(read(&segments)).map(dimension).collect()
}

/// The moment at which a day ends.
fn end_of(day: i64) -> i64 {
    (day + 1) * DAY_MS
}

fn day_of(segment: &str) -> Option<i64> {
    segment.strip_prefix("day=")?.parse().ok()
}

/// The place of a day in the week, from Monday, and its name.
fn weekday_of(day: i64) -> (i64, String) {
    let date = OffsetDateTime::from_unix_timestamp(day.saturating_mul(DAY_MS / 1_000));
    let weekday = date.unwrap_or(OffsetDateTime::UNIX_EPOCH).weekday();
    (weekday.number_from_monday().into(), weekday.to_string())
}

fn analyse(
    plan: &Plan,
    experiment: &Experiment,
    arms: &Arms,
    looks: &[LookRow],
    now_ms: i64,
) -> Result<Results, Problem> {
    let mut earlier = vec![];
    for row in looks {
        earlier.push(look_of(row, plan.arms().len())?);
    }
    // Nodes' clocks differ by a little; a look is never before the one it follows.
    let mut latest = i64::MIN;
    for look in &mut earlier {
        latest = latest.max(look.at_ms);
        look.at_ms = latest;
    }
    let current = Look { at_ms: now_ms.max(latest), arms: arms.whole.clone() };
    let strata = experiment.strata().map_or_else(Vec::new, |name| arms.strata(name));
    let analysis = verdict::analyze_within(plan, &current, &earlier, &strata);
    let analysis = analysis.map_err(|error| corrupt(&error))?;
    let weights: Vec<f64> = plan.arms().iter().map(|arm| arm.weight).collect();
    let left_out = |(reason, units): (&String, &Vec<u64>)| LeftOut {
        reason: reason.clone(),
        units: units.iter().sum(),
        p_of_split: chi_square_p(units, &weights),
    };
    let left_out = arms.left_out.iter().map(left_out).collect();
    let outlook = rate(experiment, &analysis, arms, now_ms).map(|rate| Ok(outlook(plan, &current, rate)));
    let divided = divided(&arms.segments);
    let units = |arms: &&Vec<ArmSums>| arms.iter().map(ArmSums::units).collect();
    let splits = splits(&divided, |all| parts(&weights, &all.iter().map(units).collect::<Vec<_>>()));
    let dimensions = match analysis.sample_ratio.is_mismatch {
        true => vec![],
        false => dimensions(sound(divided, &splits), |all| verdict::segments(plan, all)),
    };
    let looks = earlier.len() as u64 + 1;
    let (epochs, uncounted) = (vec![], vec![]);
    let growth = growth(&arms.segments, now_ms);
    Ok(Results { analysis, looks, left_out, dimensions, splits, growth, outlook, epochs, uncounted })
}

/// Analyses a bandit, and its segments epoch by epoch as the whole is.
fn analyse_epochs(plan: &Plan, experiment: &Experiment, arms: Arms, now_ms: i64) -> Result<Results, Problem> {
    let current = Look { at_ms: now_ms, arms: arms.whole.clone() };
    let analysis = verdict::analyze_epochs(plan, &current, &arms.epochs).map_err(|error| corrupt(&error))?;
    let outlook =
        rate(experiment, &analysis, &arms, now_ms).map(|rate| outlook_epochs(plan, &arms.epochs, rate));
    let divided = arms.divided_within();
    let over_epochs = |all: &[&Vec<Epoch>]| {
        verdict::splits_of_epochs(&all.iter().map(|epochs| epochs.as_slice()).collect::<Vec<_>>())
    };
    let splits = splits(&divided, over_epochs);
    let dimensions = match analysis.sample_ratio.is_mismatch {
        true => vec![],
        false => dimensions(sound(divided, &splits), |all| verdict::segments_of_epochs(plan, all)),
    };
    let growth = growth(&arms.segments, now_ms);
    let Arms { left_out: apart, epochs, .. } = arms;
    let left_out =
        |(reason, units): (String, Vec<u64>)| LeftOut { reason, units: units.iter().sum(), p_of_split: None };
    Ok(Results {
        analysis,
        looks: epochs.len() as u64,
        left_out: apart.into_iter().map(left_out).collect(),
        dimensions,
        splits,
        growth,
        outlook,
        epochs,
        uncounted: vec![],
    })
}

fn look_of(row: &LookRow, count: usize) -> Result<Look, Problem> {
    let mut arms = vec![ArmSums::default(); count];
    for (arm, text) in arms.iter_mut().zip(row.arms.lines()) {
        *arm = ArmSums::parse(text).map_err(|error| corrupt(&error))?;
    }
    Ok(Look { at_ms: row.at_ms, arms })
}

fn corrupt(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "the roll-ups of an experiment cannot be read");
    Problem::new(Kind::RollUpsUnreadable, format!("the roll-ups of this experiment cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_a_metric_that_waits_hold_the_units_whose_days_are_over() {
        let experiment = Experiment::parse(
            r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "primary_metric": "back", "variations": [
                {"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}]}"#,
        );
        let experiment = experiment.unwrap();
        let back = Metric::parse(
            r#"{"key": "back", "measure": {"kind": "retention", "event": {"type": "page"}, "from_days": 1, "to_days": 2}}"#,
        );
        let plan = Plan::of(&experiment, &[back.unwrap()]).unwrap();
        let row = |segment: &str, variation: u32, units: u64, back: u64| ArmRow {
            experiment: "e".into(),
            segment: segment.into(),
            variation,
            sums: format!("{units};{units} {back} {back} 0 0 {back} 0 0 0 0 0"),
        };
        let of_day = |day: i64, units: u64, back: u64| {
            [0, 1].map(|variation| {
                [
                    row(&format!("day={day}"), variation, 2 * units, 2 * back),
                    row(&format!("@{day} device=phone"), variation, units, back),
                    row(&format!("@{day} device=desktop"), variation, units, back),
                ]
            })
        };
        let whole =
            ["device=phone", "device=desktop"].map(|segment| [0, 1].map(|arm| row(segment, arm, 700, 60)));
        let arms = [of_day(100, 300, 30), of_day(101, 300, 20), of_day(102, 100, 10)]
            .into_iter()
            .flatten()
            .flatten();
        let rolled =
            RolledUp { experiments: vec![], arms: arms.chain(whole.into_iter().flatten()).collect() };
        // Two days after the end of day 101, and not of day 102.
        let arms = Arms::of(&rolled, &experiment, &plan, 104 * DAY_MS).unwrap();
        let divided = divided(&arms.segments);
        let (_, devices) = divided.iter().find(|(name, _)| name == "device").unwrap();
        for (device, arms) in devices {
            let counted = |arm: &ArmSums| (arm.units(), arm.metric(0).units(), arm.metric(0).active());
            assert_eq!(arms.iter().map(counted).collect::<Vec<_>>(), [(700, 600, 50); 2], "{device}");
        }
        let rows = &verdict::segments(&plan, std::slice::from_ref(devices))[0][0].rows;
        assert_eq!(rows.iter().map(|row| row.units).collect::<Vec<_>>(), [1_200, 1_200]);
    }

    #[test]
    fn units_grow_from_day_to_day_and_stay_level_on_days_without_any() {
        let day = |day: i64, units: [u64; 2]| (format!("day={day}"), units.map(sums_of).to_vec());
        let segments = BTreeMap::from([day(100, [5, 6]), day(102, [1, 2]), ("device=phone".into(), vec![])]);
        let found = growth(&segments, 103 * DAY_MS + 7);
        let told: Vec<(i64, &[u64])> = found.iter().map(|day| (day.at_ms, day.units.as_slice())).collect();
        assert_eq!(
            told,
            [
                (100 * DAY_MS, &[0, 0][..]),
                (101 * DAY_MS, &[5, 6]),
                (102 * DAY_MS, &[5, 6]),
                (103 * DAY_MS, &[6, 8]),
                (103 * DAY_MS + 7, &[6, 8]),
            ]
        );
        assert!(growth(&BTreeMap::new(), 5).is_empty());
    }

    fn sums_of(units: u64) -> ArmSums {
        ArmSums::parse(&units.to_string()).unwrap()
    }

    #[test]
    fn segments_of_a_bandit_are_told_where_all_of_them_are_known_by_epoch() {
        let experiment = Experiment::parse(
            r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "primary_metric": "orders", "variations": [
                {"key": "a", "weight_bp": 2000, "value": 0}, {"key": "b", "weight_bp": 8000, "value": 1}],
                "bandit": {"every_hours": 24, "floor_bp": 500, "past": [{"until_ms": 1, "weights_bp": [5000, 5000]}]}}"#,
        );
        let experiment = experiment.unwrap();
        let orders =
            Metric::parse(r#"{"key": "orders", "measure": {"kind": "proportion", "event": {"type": "o"}}}"#);
        let plan = Plan::of(&experiment, &[orders.unwrap()]).unwrap();
        let row = |segment: &str, variation: u32, units: u64| ArmRow {
            experiment: "e".into(),
            segment: segment.into(),
            variation,
            sums: format!("{units};{units} {0} {0} 0 0 {0} 0 0 0 0 0", units / 10),
        };
        let units = [("phone", [[300, 310], [100, 390]]), ("desktop", [[250, 240], [90, 400]])];
        let mut rows = vec![];
        for (device, epochs) in units {
            for variation in [0, 1] {
                let whole = epochs.iter().map(|arms| arms[variation]).sum();
                rows.push(row(&format!("device={device}"), variation as u32, whole));
                for (epoch, arms) in epochs.iter().enumerate() {
                    rows.push(row(&format!("~{epoch} device={device}"), variation as u32, arms[variation]));
                }
            }
        }
        let within = |rows: &[ArmRow]| {
            let rolled = RolledUp { experiments: vec![], arms: rows.to_vec() };
            Arms::of(&rolled, &experiment, &plan, 5 * DAY_MS).unwrap().divided_within()
        };
        let divided = within(&rows);
        let (name, devices) = &divided[0];
        assert_eq!((divided.len(), name.as_str(), devices.len()), (1, "device", 2));
        for ((device, epochs), (name, units)) in devices.iter().zip(units) {
            let counted = |epoch: &Epoch| [0, 1].map(|arm| epoch.arms[arm].units());
            let weights = epochs.iter().map(|epoch| epoch.weights_bp[0]).collect::<Vec<_>>();
            assert_eq!((device.as_str(), weights), (name, vec![5_000, 2_000]));
            assert_eq!(epochs.iter().map(counted).collect::<Vec<_>>(), units);
        }
        assert!(within(&rows[1..]).is_empty() && !rows.is_empty());
        let earlier = rows.iter().filter(|row| row.segment != "~0 device=phone").cloned().collect::<Vec<_>>();
        assert!(within(&earlier).is_empty(), "whom an earlier version counted is in no epoch's segment");
    }

    #[test]
    fn the_rate_is_that_of_the_last_full_days() {
        let arms = |units: u64| vec![ArmSums::parse(&units.to_string()).unwrap(); 2];
        let days = |units: &[u64]| -> BTreeMap<String, Vec<ArmSums>> {
            let day = |(day, units): (usize, &u64)| (format!("day={}", day + 100), arms(*units));
            units.iter().enumerate().map(day).chain([("device=phone".to_owned(), arms(9))]).collect()
        };
        let rate = |units: &[u64], day: i64| units_a_day(&days(units), day * DAY_MS + 5);
        assert_eq!(rate(&[5], 100), None, "the first day is not over");
        assert_eq!(rate(&[5, 7], 101), None, "and not a full one");
        assert_eq!(rate(&[5, 10, 30, 99], 103), Some(40));
        assert_eq!(rate(&[5, 10], 104), Some(6), "days on which nobody came count");
        assert_eq!(rate(&[0, 90, 10, 10, 10, 10, 10, 10, 10, 1], 109), Some(20), "a week back");
        assert_eq!(rate(&[], 104), None);
    }
}
