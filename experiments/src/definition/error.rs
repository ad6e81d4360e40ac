//! What can be wrong with a definition.

use super::{
    DEFINITION_BYTES_MAX, METRICS_MAX, PLANNED_DAYS_MAX, PLANNED_UNITS_MAX, PLANNED_UNITS_MIN,
    SCHEMA_VERSION, VARIATIONS_MAX, WHOLE_BP,
};
use crate::ramp::{AFTER_HOURS_MAX, STEPS_MAX};

/// Says what is wrong with a definition and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// The text is no JSON, or a field is unknown, missing, doubled or of the wrong type.
    #[error("definition cannot be read: {0}")]
    Unreadable(String),
    /// A variation cannot be read; counted from 1.
    #[error("variation {position} cannot be read: {reason}")]
    UnreadableVariation {
        /// Its place in the list, from 1.
        position: usize,
        /// What the JSON reader met.
        reason: String,
    },
    /// The schema version is not [`SCHEMA_VERSION`].
    #[error("schema version {found} is unknown: this build reads version {SCHEMA_VERSION}")]
    UnknownVersion {
        /// The version that was given.
        found: u32,
    },
    /// The JSON is longer than [`DEFINITION_BYTES_MAX`].
    #[error(
        "definition has {bytes} bytes, the most allowed is {DEFINITION_BYTES_MAX}: shorten its texts or values"
    )]
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A key, seed, name or other text is empty.
    #[error("{field} is empty: give it at least one character")]
    Empty {
        /// Which text.
        field: String,
    },
    /// A text is longer than its limit.
    #[error("{field} has {bytes} bytes, the most allowed is {limit}: shorten it")]
    TooLong {
        /// Which text.
        field: String,
        /// Its length.
        bytes: usize,
        /// Its limit.
        limit: usize,
    },
    /// A key holds a character that is unsafe in a query string or a metric label.
    #[error(
        "{field} `{found}` is not a key: start with a letter or digit, then letters, digits, `-`, `_` or `.`"
    )]
    InvalidKey {
        /// Which key.
        field: String,
        /// What was given.
        found: String,
    },
    /// A text holds a control character.
    #[error("{field} holds a control character: remove it")]
    ControlCharacter {
        /// Which text.
        field: String,
    },
    /// Fewer than 2 variations.
    #[error("experiment has {found} variations, the fewest is 2: add a control and a treatment")]
    TooFewVariations {
        /// How many were given.
        found: usize,
    },
    /// More than [`VARIATIONS_MAX`] variations.
    #[error("experiment has {found} variations, the most allowed is {VARIATIONS_MAX}: split it into several")]
    TooManyVariations {
        /// How many were given.
        found: usize,
    },
    /// Two variations share a key.
    #[error("variation key `{key}` stands twice: rename one of them")]
    DuplicateVariation {
        /// The doubled key.
        key: String,
    },
    /// A variation that would never be shown.
    #[error("variation `{key}` has weight 0 and would never be shown: give it a weight or remove it")]
    ZeroWeight {
        /// The variation's key.
        key: String,
    },
    /// Two variations would show the same.
    #[error(
        "variations `{}` and `{}` have the same value, so that nothing can differ: change one, or make it an A/A experiment",
        .keys[0], .keys[1]
    )]
    SameValue {
        /// Their keys.
        keys: [String; 2],
    },
    /// A variation of an A/A experiment shows something else.
    #[error("variation `{key}` has another value than the control: an A/A experiment shows the same to all")]
    OtherValue {
        /// The variation's key.
        key: String,
    },
    /// More than [`STEPS_MAX`] steps of a ramp.
    #[error("ramp has {found} steps, the most allowed is {STEPS_MAX}: leave some out")]
    TooManySteps {
        /// How many were given.
        found: usize,
    },
    /// A step of the ramp that is not later and wider than the one before, or beyond a limit; counted from 1.
    #[error(
        "step {position} of the ramp must come later than the one before (at most {AFTER_HOURS_MAX} hours after the start) and cover more, up to {WHOLE_BP} basis points"
    )]
    StepOutOfOrder {
        /// Its place, from 1.
        position: usize,
    },
    /// The ramp begins at or below what the experiment covers from the start.
    #[error(
        "the first step of the ramp covers {step_bp} basis points and the experiment {coverage_bp} from the start: begin lower"
    )]
    RampNotAbove {
        /// What the first step covers.
        step_bp: u32,
        /// What the experiment covers.
        coverage_bp: u32,
    },
    /// It is not over, so that what will be learned is not known.
    #[error("nothing is learned before an experiment is over: stop it first")]
    NotLearned,
    /// What was shipped is no variation of the experiment.
    #[error("variation `{key}` cannot be shipped: the experiment has none of that key")]
    UnknownShipped {
        /// The key that was named.
        key: String,
    },
    /// The weights do not sum to 10,000.
    #[error("variation weights sum to {sum} of {WHOLE_BP} basis points: {}", mend_weights(*.sum))]
    WeightsDoNotSum {
        /// What they sum to.
        sum: u64,
    },
    /// Coverage above the whole.
    #[error("coverage_bp is {found}, the most is {WHOLE_BP} (everybody): lower it")]
    CoverageAboveWhole {
        /// What was given.
        found: u32,
    },
    /// Planned days out of range.
    #[error("planned_days is {found}: choose from 1 to {PLANNED_DAYS_MAX}")]
    PlannedDaysOutOfRange {
        /// What was given.
        found: u32,
    },
    /// More than [`METRICS_MAX`] metrics.
    #[error("experiment has {found} metrics, the most is {METRICS_MAX}: leave out those that decide nothing")]
    TooManyMetrics {
        /// How many were given.
        found: usize,
    },
    /// A metric that stands twice.
    #[error("metric `{key}` stands twice: it is the primary metric, a guardrail or one of the others")]
    DuplicateMetric {
        /// The doubled key.
        key: String,
    },
    /// A guardrail without a margin.
    #[error(
        "guardrail `{metric}` has margin_bp 0, which nothing could ever keep: allow it at least 1 basis point"
    )]
    NoMargin {
        /// The guardrail's metric.
        metric: String,
    },
    /// A method whose settings do not fit.
    #[error("method {problem}")]
    Method {
        /// What is wrong.
        problem: String,
    },
    /// An attribute that makes no strata.
    #[error("strata {problem}")]
    Strata {
        /// What is wrong.
        problem: &'static str,
    },
    /// Who may take part makes no sense.
    #[error("{field} {problem}")]
    Targeting {
        /// `condition`, `layer` or `prerequisites`.
        field: &'static str,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// A holdout that is none.
    #[error("holdout {problem}")]
    Holdout {
        /// What is wrong and how to mend it.
        problem: &'static str,
    },
    /// More than everybody was to get what is shipped.
    #[error("share_bp is {found}, the most is {WHOLE_BP} (everybody): lower it")]
    ShareAboveWhole {
        /// What was given.
        found: u32,
    },
    /// A bandit whose settings do not fit.
    #[error("bandit {problem}")]
    Draws {
        /// What is wrong.
        problem: String,
    },
    /// Planned units out of range.
    #[error("planned_units is {found}: choose from {PLANNED_UNITS_MIN} to {PLANNED_UNITS_MAX}")]
    PlannedUnitsOutOfRange {
        /// What was given.
        found: u64,
    },
}

fn mend_weights(sum: u64) -> String {
    let whole = u64::from(WHOLE_BP);
    if sum < whole {
        format!("add {} to some `weight_bp`", whole - sum)
    } else {
        format!("take {} from some `weight_bp`", sum - whole)
    }
}
