//! The definition of an experiment: versioned JSON in, a checked value out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ramp::{Held, RampStep};

mod begun;
pub(crate) mod check;
mod draws;
mod error;
mod late;
mod rules;
mod shipped;
mod status;
mod targeting;

pub use begun::Begun;
use check::{
    are_alike, check_key, check_length, check_line, check_ramp, check_shipped, check_size, check_text,
    check_values, check_variations,
};
use draws::check_draws;
pub use draws::{Draws, EPOCH_HOURS_MAX, EPOCHS_MAX, FLOOR_BP_MIN, PastEpoch};
pub use error::DefinitionError;
pub use late::{LateError, LateMetric};
pub use rules::{Correction, GuardrailRule, LOOKS_MAX, METRICS_MAX, Method, PRIMARY_METRIC_DEFAULT};
use rules::{check_method, check_metrics, check_strata};
pub use shipped::Shipped;
pub use status::Status;
use targeting::check_targeting;
pub use targeting::{
    CONDITION_BYTES_MAX, LAYER_STEP_BP, Layer, PREREQUISITES_MAX, Prerequisite, Targeting, attributes_of,
    groups_of,
};

/// The one schema version this build reads and writes.
pub const SCHEMA_VERSION: u32 = 1;
/// The whole, in basis points: weights sum to it and coverage cannot pass it.
pub const WHOLE_BP: u32 = 10_000;
/// Most bytes of a definition's JSON: ten workflow objects fit many times over, and a list of experiments
/// stays small enough to hold in memory and to send to a client whole.
pub const DEFINITION_BYTES_MAX: usize = 64 * 1024;
/// Most variations: each treatment arm is paid for with wider intervals (Bonferroni), so more could hardly
/// ever reach a verdict; it also bounds the label values of the metrics.
pub const VARIATIONS_MAX: usize = 10;
/// Most bytes of a key: keys stand in query strings, metric labels and cookies.
pub const KEY_BYTES_MAX: usize = 64;
/// Most bytes of a seed: it is hashed on every assignment.
pub const SEED_BYTES_MAX: usize = 128;
/// Most bytes of a name: it stands in headings and table rows.
pub const NAME_BYTES_MAX: usize = 200;
/// Most bytes of a hypothesis: a paragraph or two.
pub const HYPOTHESIS_BYTES_MAX: usize = 4_000;
/// Most bytes of what was learned: as a hypothesis, whose answer it is.
pub const LEARNED_BYTES_MAX: usize = HYPOTHESIS_BYTES_MAX;
/// Most planned days: whoever waits longer than a year for an answer no longer has the question.
pub const PLANNED_DAYS_MAX: u32 = 366;
/// Fewest planned units: below some hundreds the statistics decide nothing (see [`crate::verdict`]).
pub const PLANNED_UNITS_MIN: u64 = 100;
/// Most planned units: more than the people on earth is a slip of the keyboard.
pub const PLANNED_UNITS_MAX: u64 = 10_000_000_000;
/// Planned units of a definition that names none; GrowthBook's default for the same parameter.
pub const PLANNED_UNITS_DEFAULT: u64 = 5_000;

/// Describes one arm of an experiment and the value its units get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variation {
    key: String,
    #[serde(default)]
    name: String,
    weight_bp: u32,
    value: Value,
}

impl Variation {
    /// Returns the key, unique in its experiment.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the name for people; the key where none was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the share of the covered units, in basis points, 1 to 10,000.
    pub fn weight_bp(&self) -> u32 {
        self.weight_bp
    }

    /// Returns what the flag answers for a unit of this variation.
    pub fn value(&self) -> &Value {
        &self.value
    }
}

/// Holds one checked experiment: the first variation is the control, the others are treatments.
///
/// It can only be made by [`Experiment::parse`] or serde, both of which check every rule, and it is written
/// back as the JSON it was read from (with defaults filled in).
///
/// ```
/// use experiments::{Experiment, Status};
/// let text = r#"{
///   "schema_version": 1, "key": "checkout-express", "name": "Express checkout", "flag": "checkout_workflow",
///   "variations": [
///     {"key": "classic", "weight_bp": 5000, "value": {"name": "classic"}},
///     {"key": "express", "weight_bp": 5000, "value": {"name": "express"}}
///   ]
/// }"#;
/// let experiment = Experiment::parse(text)?;
/// assert_eq!(experiment.seed(), "checkout-express"); // the key, where no seed is given
/// assert_eq!((experiment.coverage_bp(), experiment.status()), (10_000, Status::Draft));
/// let error = Experiment::parse(&text.replacen("5000", "4000", 1)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "variation weights sum to 9000 of 10000 basis points: add 1000 to some `weight_bp`",
/// );
/// # Ok::<(), experiments::DefinitionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written<Variation>", into = "Written<Variation>")]
pub struct Experiment {
    key: String,
    name: String,
    hypothesis: String,
    owner: String,
    flag: String,
    seed: String,
    coverage_bp: u32,
    targeting: Targeting,
    variations: Vec<Variation>,
    primary_metric: String,
    metrics: Vec<String>,
    late_metrics: Vec<LateMetric>,
    guardrails: Vec<GuardrailRule>,
    correction: Correction,
    method: Method,
    strata: Option<String>,
    planned_units: u64,
    planned_days: Option<u32>,
    is_aa: bool,
    ramp: Vec<RampStep>,
    draws: Option<Draws>,
    held: Option<Held>,
    shipped: Option<Shipped>,
    begun: Option<Begun>,
    learned: String,
    status: Status,
}

/// The definition as it is written; `V` is a variation, read or not yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<V> {
    schema_version: u32,
    key: String,
    name: String,
    #[serde(default)]
    hypothesis: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    owner: String,
    flag: String,
    #[serde(default)]
    seed: Option<String>,
    #[serde(default = "whole")]
    coverage_bp: u32,
    /// Who may take part.
    #[serde(default, skip_serializing_if = "Targeting::is_everybody")]
    targeting: Targeting,
    variations: Vec<V>,
    #[serde(default = "primary_metric_default")]
    primary_metric: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    late_metrics: Vec<LateMetric>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    guardrails: Vec<GuardrailRule>,
    #[serde(default, skip_serializing_if = "Correction::is_usual")]
    correction: Correction,
    #[serde(default, skip_serializing_if = "is_usual")]
    method: Method,
    /// The attribute within whose values arms are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strata: Option<String>,
    #[serde(default = "planned_units_default")]
    planned_units: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    planned_days: Option<u32>,
    /// Where nothing is said, the values say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_aa: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ramp: Vec<RampStep>,
    /// Where the weights follow the results.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "bandit")]
    draws: Option<Draws>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shipped: Option<Shipped>,
    /// What it began with, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Begun>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    learned: String,
    #[serde(default)]
    status: Status,
}

fn whole() -> u32 {
    WHOLE_BP
}

fn primary_metric_default() -> String {
    PRIMARY_METRIC_DEFAULT.to_owned()
}

fn is_usual(method: &Method) -> bool {
    *method == Method::default()
}

fn planned_units_default() -> u64 {
    PLANNED_UNITS_DEFAULT
}

impl Experiment {
    /// Reads and checks a definition from JSON text.
    ///
    /// # Errors
    /// [`DefinitionError`], naming the first thing that is wrong: the text's size, its JSON and fields, the
    /// version, keys and texts, variations and weights, coverage, planned units, in this order.
    pub fn parse(text: &str) -> Result<Experiment, DefinitionError> {
        check_size(text.len())?;
        let written: Written<Variation> =
            serde_json::from_str(text).map_err(|error| DefinitionError::Unreadable(error.to_string()))?;
        written.try_into()
    }

    /// Reads and checks a definition that is already JSON.
    ///
    /// # Errors
    /// As [`Experiment::parse`]; an unreadable variation is named by its place.
    pub fn parse_value(value: &Value) -> Result<Experiment, DefinitionError> {
        check_size(value.to_string().len())?;
        let written = Written::<Value>::deserialize(value)
            .map_err(|error| DefinitionError::Unreadable(error.to_string()))?;
        written.read_variations()?.try_into()
    }

    /// Returns the definition as JSON, every default filled in.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a definition holds only texts, integers and JSON")
    }

    /// Returns the key, unique among experiments.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what is expected and why; may be empty.
    pub fn hypothesis(&self) -> &str {
        &self.hypothesis
    }

    /// Returns who answers for it; empty where nobody was named.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Returns the key of the flag whose value the experiment decides.
    pub fn flag(&self) -> &str {
        &self.flag
    }

    /// Returns the hash seed; another seed is another, independent split.
    pub fn seed(&self) -> &str {
        &self.seed
    }

    /// Returns the share of all units that take part, in basis points.
    pub fn coverage_bp(&self) -> u32 {
        self.coverage_bp
    }

    /// Returns who may take part, beside the coverage.
    pub fn targeting(&self) -> &Targeting {
        &self.targeting
    }

    /// Returns the variations, the control first.
    pub fn variations(&self) -> &[Variation] {
        &self.variations
    }

    /// Returns the key of the metric that decides the verdict; the others are only reported.
    pub fn primary_metric(&self) -> &str {
        &self.primary_metric
    }

    /// Returns the keys of the metrics that are reported beside it; none for the shop's usual ones.
    pub fn metrics(&self) -> &[String] {
        &self.metrics
    }

    /// Returns the metrics that were added after the start, in the order in which they were.
    pub fn late_metrics(&self) -> &[LateMetric] {
        &self.late_metrics
    }

    /// Returns what must not get worse.
    pub fn guardrails(&self) -> &[GuardrailRule] {
        &self.guardrails
    }

    /// Returns how what does not decide is corrected for its number.
    pub fn correction(&self) -> Correction {
        self.correction
    }

    /// Returns how results are read.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Returns the attribute within whose values arms are compared, such as `device`: known of units before they were exposed.
    pub fn strata(&self) -> Option<&str> {
        self.strata.as_deref()
    }

    /// Returns N*, the units of both compared arms together at which the sequential interval is tightest.
    pub fn planned_units(&self) -> u64 {
        self.planned_units
    }

    /// Returns how many days it shall run, 1 to [`PLANNED_DAYS_MAX`]; `None` where nobody said so.
    pub fn planned_days(&self) -> Option<u32> {
        self.planned_days
    }

    /// Returns whether all variations are the same on purpose, to try the house: any difference is chance or a
    /// fault.
    pub fn is_aa(&self) -> bool {
        self.is_aa
    }

    /// Returns where the experiment is in its life.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Checks that the variations differ where they are to differ, and are the same where that is what is tried.
    ///
    /// It is asked of what is written anew and of what starts; definitions of earlier versions are read without it.
    ///
    /// # Errors
    /// [`DefinitionError::SameValue`] or [`DefinitionError::OtherValue`].
    pub fn check_values(&self) -> Result<(), DefinitionError> {
        check_values(self.is_aa, &self.variations)
    }

    /// Returns the steps by which the coverage rises after the start, in order.
    pub fn ramp(&self) -> &[RampStep] {
        &self.ramp
    }

    /// Returns how weights are drawn again, of a bandit.
    pub fn draws(&self) -> Option<&Draws> {
        self.draws.as_ref()
    }

    /// Returns the weights of an epoch of a bandit, in basis points; the present ones where it is no past one.
    pub fn weights_bp(&self, epoch: usize) -> Vec<u32> {
        let past = self.draws.as_ref().and_then(|draws| draws.past.get(epoch));
        past.map_or_else(
            || self.variations.iter().map(Variation::weight_bp).collect(),
            |past| past.weights_bp.clone(),
        )
    }

    /// Returns since when and why the ramp is held, where it is; of what is over, where it was at the end.
    pub fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Returns the variation that everybody gets or got after the end, if one was shipped.
    pub fn shipped(&self) -> Option<&Shipped> {
        self.shipped.as_ref()
    }

    pub(crate) fn with_status(self, status: Status) -> Experiment {
        Experiment { status, ..self }
    }

    /// Returns what was learned, as people who look for it later will read it; empty until somebody says it.
    pub fn learned(&self) -> &str {
        &self.learned
    }

    /// Returns the experiment with what was learned from it.
    ///
    /// # Errors
    /// [`DefinitionError::NotLearned`] before it is over, [`DefinitionError::TooLong`].
    pub fn teaching(self, learned: &str) -> Result<Experiment, DefinitionError> {
        if !self.status.is_over() {
            return Err(DefinitionError::NotLearned);
        }
        check_length("learned", learned, LEARNED_BYTES_MAX)?;
        Ok(self.with_learned(learned.to_owned()))
    }

    pub(crate) fn with_learned(self, learned: String) -> Experiment {
        Experiment { learned, ..self }
    }

    pub(crate) fn with_late_metrics(self, late_metrics: Vec<LateMetric>) -> Experiment {
        Experiment { late_metrics, ..self }
    }

    pub(crate) fn with_coverage_bp(self, coverage_bp: u32) -> Experiment {
        Experiment { coverage_bp, ..self }
    }

    pub(crate) fn with_ramp(self, ramp: Vec<RampStep>) -> Experiment {
        Experiment { ramp, ..self }
    }

    /// The experiment with the weights and the epochs of another one.
    pub(crate) fn with_weights_of(mut self, other: &Experiment) -> Experiment {
        for (mine, theirs) in self.variations.iter_mut().zip(&other.variations) {
            mine.weight_bp = theirs.weight_bp;
        }
        if let (Some(mine), Some(theirs)) = (&mut self.draws, &other.draws) {
            mine.past.clone_from(&theirs.past);
        }
        self
    }

    /// The experiment in its next epoch. Weights are one for each variation, above 0, and sum to the whole.
    pub(crate) fn with_next_epoch(mut self, weights_bp: &[u32], now_ms: i64) -> Experiment {
        let past = PastEpoch { until_ms: now_ms, weights_bp: self.weights_bp(usize::MAX) };
        if let Some(draws) = &mut self.draws {
            draws.past.push(past);
            self.variations.iter_mut().zip(weights_bp).for_each(|(one, weight)| one.weight_bp = *weight);
        }
        self
    }

    pub(crate) fn with_held(self, held: Option<Held>) -> Experiment {
        Experiment { held, ..self }
    }

    pub(crate) fn with_shipped(self, shipped: Option<Shipped>) -> Experiment {
        Experiment { shipped, ..self }
    }
}

impl std::str::FromStr for Experiment {
    type Err = DefinitionError;

    fn from_str(text: &str) -> Result<Experiment, DefinitionError> {
        Experiment::parse(text)
    }
}

impl Written<Value> {
    fn read_variations(self) -> Result<Written<Variation>, DefinitionError> {
        let mut variations = Vec::new();
        for (index, variation) in self.variations.iter().enumerate() {
            variations.push(Variation::deserialize(variation).map_err(|error| {
                DefinitionError::UnreadableVariation { position: index + 1, reason: error.to_string() }
            })?);
        }
        Ok(Written {
            schema_version: self.schema_version,
            key: self.key,
            name: self.name,
            hypothesis: self.hypothesis,
            owner: self.owner,
            flag: self.flag,
            seed: self.seed,
            coverage_bp: self.coverage_bp,
            targeting: self.targeting,
            variations,
            primary_metric: self.primary_metric,
            metrics: self.metrics,
            late_metrics: self.late_metrics,
            guardrails: self.guardrails,
            correction: self.correction,
            method: self.method,
            strata: self.strata,
            planned_units: self.planned_units,
            planned_days: self.planned_days,
            is_aa: self.is_aa,
            ramp: self.ramp,
            draws: self.draws,
            held: self.held,
            shipped: self.shipped,
            begun: self.begun,
            learned: self.learned,
            status: self.status,
        })
    }
}

impl TryFrom<Written<Variation>> for Experiment {
    type Error = DefinitionError;

    fn try_from(written: Written<Variation>) -> Result<Experiment, DefinitionError> {
        if written.schema_version != SCHEMA_VERSION {
            return Err(DefinitionError::UnknownVersion { found: written.schema_version });
        }
        check_key("key", &written.key)?;
        check_text("name", &written.name, NAME_BYTES_MAX)?;
        check_length("hypothesis", &written.hypothesis, HYPOTHESIS_BYTES_MAX)?;
        check_line("owner", &written.owner, NAME_BYTES_MAX)?;
        check_key("flag", &written.flag)?;
        let seed = written.seed.unwrap_or_else(|| written.key.clone());
        check_text("seed", &seed, SEED_BYTES_MAX)?;
        let variations = check_variations(written.variations)?;
        if written.coverage_bp > WHOLE_BP {
            return Err(DefinitionError::CoverageAboveWhole { found: written.coverage_bp });
        }
        if !(PLANNED_UNITS_MIN..=PLANNED_UNITS_MAX).contains(&written.planned_units) {
            return Err(DefinitionError::PlannedUnitsOutOfRange { found: written.planned_units });
        }
        if let Some(found) = written.planned_days.filter(|days| !(1..=PLANNED_DAYS_MAX).contains(days)) {
            return Err(DefinitionError::PlannedDaysOutOfRange { found });
        }
        check_length("learned", &written.learned, LEARNED_BYTES_MAX)?;
        check_ramp(&written.ramp)?;
        check_targeting(&written.targeting, &written.flag)?;
        check_shipped(written.shipped.as_ref(), &variations)?;
        let is_aa = written.is_aa.unwrap_or_else(|| are_alike(&variations));
        check_metrics(&written.primary_metric, &written.metrics, &written.late_metrics, &written.guardrails)?;
        check_method(written.method)?;
        check_strata(written.strata.as_deref(), written.draws.is_some())?;
        check_draws(written.draws.as_ref(), &variations, written.method)?;
        Ok(Experiment {
            key: written.key,
            name: written.name,
            hypothesis: written.hypothesis,
            owner: written.owner,
            flag: written.flag,
            seed,
            coverage_bp: written.coverage_bp,
            targeting: written.targeting,
            variations,
            primary_metric: written.primary_metric,
            metrics: written.metrics,
            late_metrics: written.late_metrics,
            guardrails: written.guardrails,
            correction: written.correction,
            method: written.method,
            strata: written.strata,
            planned_units: written.planned_units,
            planned_days: written.planned_days,
            is_aa,
            ramp: written.ramp,
            draws: written.draws,
            held: written.held,
            shipped: written.shipped,
            begun: written.begun,
            learned: written.learned,
            status: written.status,
        })
    }
}

impl From<Experiment> for Written<Variation> {
    fn from(experiment: Experiment) -> Written<Variation> {
        Written {
            schema_version: SCHEMA_VERSION,
            key: experiment.key,
            name: experiment.name,
            hypothesis: experiment.hypothesis,
            owner: experiment.owner,
            flag: experiment.flag,
            seed: Some(experiment.seed),
            coverage_bp: experiment.coverage_bp,
            targeting: experiment.targeting,
            variations: experiment.variations,
            primary_metric: experiment.primary_metric,
            metrics: experiment.metrics,
            late_metrics: experiment.late_metrics,
            guardrails: experiment.guardrails,
            correction: experiment.correction,
            method: experiment.method,
            strata: experiment.strata,
            planned_units: experiment.planned_units,
            planned_days: experiment.planned_days,
            is_aa: experiment.is_aa.then_some(true),
            ramp: experiment.ramp,
            draws: experiment.draws,
            held: experiment.held,
            shipped: experiment.shipped,
            begun: experiment.begun,
            learned: experiment.learned,
            status: experiment.status,
        }
    }
}

#[cfg(test)]
mod tests;
