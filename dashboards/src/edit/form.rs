//! The fields of the form: from a definition and from a browser.

use experiments::bandit::Policy;
use experiments::definition::{
    Correction, GuardrailRule, Method, PLANNED_UNITS_DEFAULT, PRIMARY_METRIC_DEFAULT, VARIATIONS_MAX,
};
use experiments::guardrail::Ask;
use experiments::{Experiment, Metric};

use super::reading::{even_weights, percent_of, ramp_of};
use super::targeting::{ConditionRow, ROWS_MAX, layer_texts, prerequisites_text, rows_of};
use super::{FormError, reach};
use crate::rivalry;

/// Each variation shows something else.
pub(super) const KIND_AB: &str = "ab";
/// All variations show the same.
pub(super) const KIND_AA: &str = "aa";

/// The policies of a bandit, as the form writes them.
pub(super) const BANDIT_THOMPSON: &str = "thompson";
pub(super) const BANDIT_TOP_TWO: &str = "top_two";
/// A day, so that no epoch is a night.
const BANDIT_HOURS_DEFAULT: &str = "24";
const BANDIT_FLOOR_DEFAULT: &str = "5";

/// Holds what a person typed, right or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionForm {
    /// Field `key`.
    pub key: String,
    /// Field `name`.
    pub name: String,
    /// Field `hypothesis`.
    pub hypothesis: String,
    /// Field `owner`.
    pub owner: String,
    /// Field `planned_days`; empty where nobody has said so yet.
    pub planned_days: String,
    /// Field `kind`: [`KIND_AB`] or [`KIND_AA`].
    pub kind: String,
    /// Field `flag`.
    pub flag: String,
    /// Field `seed`; empty means the key.
    pub seed: String,
    /// Fields `who_{n}_…`, n from 1: the rows of the condition, without those left blank.
    pub rows: Vec<ConditionRow>,
    /// Field `condition`: what rows cannot say, JSON.
    pub condition: String,
    /// Field `layer`: its key; empty where there is none.
    pub layer: String,
    /// Field `layer_from_percent`.
    pub layer_from_percent: String,
    /// Field `layer_to_percent`.
    pub layer_to_percent: String,
    /// Field `prerequisites`: on each line a flag and its value.
    pub prerequisites: String,
    /// Field `coverage_percent`, at most two decimals.
    pub coverage_percent: String,
    /// Field `ramp`: a step a line, `24 h: 50 %`.
    pub ramp: String,
    /// Field `primary_metric`.
    pub primary_metric: String,
    /// Field `method`, such as `sequential` or `group_sequential:5`.
    pub method: String,
    /// Field `bandit`: how weights are drawn again, `thompson` or `top_two`; empty where they stay.
    pub bandit: String,
    /// Field `bandit_every_hours`.
    pub bandit_every_hours: String,
    /// Field `bandit_floor_percent`, at most two decimals.
    pub bandit_floor_percent: String,
    /// Field `guardrails`: on each line a metric and a percentage.
    pub guardrails: String,
    /// Field `correction`: `holm` or `benjamini_hochberg`.
    pub correction: String,
    /// Field `metrics`: keys on lines.
    pub metrics: String,
    /// Field `strata`: the attribute within whose values arms are compared; may be empty.
    pub strata: String,
    /// Field `planned_units`.
    pub planned_units: String,
    /// Fields `variation_{n}_…`, n from 1, without the rows left blank.
    pub variations: Vec<VariationForm>,
    /// Field `reason`: why it changes.
    pub reason: String,
    /// Field `revision`: the revision that was being edited.
    pub revision: Option<u64>,
}

/// Holds one variation's row of the form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VariationForm {
    /// Field `variation_{n}_key`.
    pub key: String,
    /// Field `variation_{n}_name`.
    pub name: String,
    /// Field `variation_{n}_weight_percent`, at most two decimals.
    pub weight_percent: String,
    /// Field `variation_{n}_value`, JSON.
    pub value: String,
}

/// The name of a variation's field in the row, counted from 0.
pub(super) fn field_name(row: usize, part: &str) -> String {
    format!("variation_{}_{part}", row + 1)
}

impl VariationForm {
    pub(super) const fn blank() -> VariationForm {
        VariationForm {
            key: String::new(),
            name: String::new(),
            weight_percent: String::new(),
            value: String::new(),
        }
    }

    /// Returns whether nothing was typed in the row.
    pub fn is_blank(&self) -> bool {
        [&self.key, &self.name, &self.weight_percent, &self.value].iter().all(|text| text.trim().is_empty())
    }
}

impl Default for DefinitionForm {
    /// Returns the form of a new experiment: everybody takes part, half each.
    fn default() -> DefinitionForm {
        let arm = |key: &str, name: &str| VariationForm {
            key: key.into(),
            name: name.into(),
            weight_percent: "50".into(),
            value: String::new(),
        };
        DefinitionForm {
            key: String::new(),
            name: String::new(),
            hypothesis: String::new(),
            owner: String::new(),
            planned_days: String::new(),
            kind: KIND_AB.into(),
            flag: String::new(),
            seed: String::new(),
            rows: Vec::new(),
            condition: String::new(),
            layer: String::new(),
            layer_from_percent: String::new(),
            layer_to_percent: String::new(),
            prerequisites: String::new(),
            coverage_percent: "100".into(),
            ramp: String::new(),
            primary_metric: PRIMARY_METRIC_DEFAULT.into(),
            method: method_text(Method::default()),
            bandit: String::new(),
            bandit_every_hours: BANDIT_HOURS_DEFAULT.into(),
            bandit_floor_percent: BANDIT_FLOOR_DEFAULT.into(),
            guardrails: String::new(),
            correction: correction_text(Correction::default()).into(),
            metrics: String::new(),
            strata: String::new(),
            planned_units: PLANNED_UNITS_DEFAULT.to_string(),
            variations: vec![arm("control", "Control"), arm("treatment", "Treatment")],
            reason: String::new(),
            revision: None,
        }
    }
}

impl From<&Experiment> for DefinitionForm {
    fn from(experiment: &Experiment) -> DefinitionForm {
        let arm = |variation: &experiments::Variation| VariationForm {
            key: variation.key().into(),
            name: variation.name().into(),
            weight_percent: percent_of(variation.weight_bp()),
            value: format!("{:#}", variation.value()),
        };
        let targeting = experiment.targeting();
        let (rows, condition) = rows_of(targeting.condition.as_ref());
        let [layer, layer_from_percent, layer_to_percent] = layer_texts(targeting.layer.as_ref());
        DefinitionForm {
            rows,
            condition,
            layer,
            layer_from_percent,
            layer_to_percent,
            prerequisites: prerequisites_text(targeting),
            key: experiment.key().into(),
            name: experiment.name().into(),
            hypothesis: experiment.hypothesis().into(),
            owner: experiment.owner().into(),
            planned_days: experiment.planned_days().map(|days| days.to_string()).unwrap_or_default(),
            kind: if experiment.is_aa() { KIND_AA } else { KIND_AB }.into(),
            flag: experiment.flag().into(),
            seed: experiment.seed().into(),
            coverage_percent: percent_of(experiment.coverage_bp()),
            ramp: ramp_of(experiment.ramp()),
            primary_metric: experiment.primary_metric().into(),
            method: method_text(experiment.method()),
            bandit: match experiment.draws().map(|draws| draws.policy) {
                None => "",
                Some(Policy::Thompson) => BANDIT_THOMPSON,
                Some(Policy::TopTwo) => BANDIT_TOP_TWO,
            }
            .into(),
            bandit_every_hours: (experiment.draws())
                .map_or_else(|| BANDIT_HOURS_DEFAULT.into(), |draws| draws.every_hours.to_string()),
            bandit_floor_percent: (experiment.draws())
                .map_or_else(|| BANDIT_FLOOR_DEFAULT.into(), |draws| percent_of(draws.floor_bp)),
            guardrails: experiment.guardrails().iter().map(guardrail_line).collect(),
            correction: correction_text(experiment.correction()).into(),
            metrics: experiment.metrics().join("\n"),
            strata: experiment.strata().unwrap_or_default().into(),
            planned_units: experiment.planned_units().to_string(),
            variations: experiment.variations().iter().map(arm).collect(),
            reason: String::new(),
            revision: None,
        }
    }
}

fn guardrail_line(rule: &GuardrailRule) -> String {
    let sign = if rule.asks == Ask::Equivalent { "±" } else { "" };
    format!("{} {sign}{} %\n", rule.metric, percent_of(rule.margin_bp))
}

/// Writes a correction as the form's field and JSON have it.
pub(super) fn correction_text(correction: Correction) -> &'static str {
    match correction {
        Correction::Holm => "holm",
        Correction::BenjaminiHochberg => "benjamini_hochberg",
    }
}

/// Writes a method as the form's field has it.
fn method_text(method: Method) -> String {
    match method {
        Method::Sequential => "sequential".into(),
        Method::FixedHorizon => "fixed_horizon".into(),
        Method::GroupSequential { looks } => format!("group_sequential:{looks}"),
        Method::Mixture { expected_lift_bp } => format!("mixture:{expected_lift_bp}"),
        Method::Bayesian { prior_deviation_bp: Some(bp) } => format!("bayesian:{bp}"),
        Method::Bayesian { prior_deviation_bp: None } => "bayesian".into(),
    }
}

impl DefinitionForm {
    /// Returns the form of a copy, whose key and seed are still to be chosen. It measures what the experiment measures: the metrics
    /// that were `planned`, named or not, and those that were added late.
    pub fn copy_of(experiment: &Experiment, planned: &[Metric]) -> DefinitionForm {
        let form = DefinitionForm::from(experiment);
        // What a bandit has learned is nothing that its copy knows.
        let even = even_weights(form.variations.len()).into_iter().map(percent_of);
        let variations = match experiment.draws() {
            None => form.variations,
            Some(_) => (form.variations.into_iter().zip(even))
                .map(|(one, weight_percent)| VariationForm { weight_percent, ..one })
                .collect(),
        };
        let metrics = match experiment.late_metrics() {
            [] => form.metrics,
            late => {
                let guards = |key: &str| experiment.guardrails().iter().any(|rule| rule.metric == key);
                let decides = |key: &str| key == experiment.primary_metric() || guards(key);
                let others = planned.iter().map(Metric::key).filter(|key| !decides(key));
                let keys: Vec<&str> = others.chain(late.iter().map(|late| late.metric.as_str())).collect();
                keys.join("\n")
            }
        };
        let name = format!("{} (copy)", experiment.name());
        DefinitionForm { key: String::new(), seed: String::new(), name, variations, metrics, ..form }
    }

    /// Returns what is wrong with the metrics of a copy, whose key is still to be chosen: with those that were added late they may be
    /// more than an experiment may begin with.
    pub fn wrong_metrics(&self) -> Vec<FormError> {
        let keyed = DefinitionForm { key: "copy".into(), ..self.clone() };
        let mut errors = keyed.experiment().err().unwrap_or_default();
        errors.retain(|error| error.field.as_deref() == Some("metrics"));
        errors
    }

    /// Reads the form from the fields of a request; unknown ones are passed over, missing ones are empty, and rows of
    /// variations left blank are dropped.
    pub fn read<Name: AsRef<str>, Text: Into<String>>(
        fields: impl IntoIterator<Item = (Name, Text)>,
    ) -> DefinitionForm {
        let mut form = DefinitionForm {
            coverage_percent: String::new(),
            primary_metric: String::new(),
            method: String::new(),
            correction: String::new(),
            planned_units: String::new(),
            variations: vec![VariationForm::blank(); VARIATIONS_MAX],
            rows: vec![ConditionRow::blank(); ROWS_MAX],
            ..DefinitionForm::default()
        };
        for (name, text) in fields {
            let text = text.into();
            match name.as_ref() {
                "key" => form.key = text.trim().into(),
                "name" => form.name = text.trim().into(),
                // Browsers send line ends as CR LF; a definition keeps LF.
                "hypothesis" => form.hypothesis = text.trim().replace("\r\n", "\n"),
                "owner" => form.owner = text.trim().into(),
                "planned_days" => form.planned_days = text.trim().into(),
                "kind" => form.kind = text.trim().into(),
                "flag" => form.flag = text.trim().into(),
                "seed" => form.seed = text.trim().into(),
                "condition" => form.condition = text.trim().replace("\r\n", "\n"),
                "layer" => form.layer = text.trim().into(),
                "layer_from_percent" => form.layer_from_percent = text.trim().into(),
                "layer_to_percent" => form.layer_to_percent = text.trim().into(),
                "prerequisites" => form.prerequisites = text.trim().replace("\r\n", "\n"),
                "coverage_percent" => form.coverage_percent = text.trim().into(),
                "ramp" => form.ramp = text.trim().replace("\r\n", "\n"),
                "method" => form.method = text.trim().into(),
                "bandit" => form.bandit = text.trim().into(),
                "bandit_every_hours" => form.bandit_every_hours = text.trim().into(),
                "bandit_floor_percent" => form.bandit_floor_percent = text.trim().into(),
                "guardrails" => form.guardrails = text.trim().replace("\r\n", "\n"),
                "correction" => form.correction = text.trim().into(),
                "metrics" => form.metrics = text.trim().replace("\r\n", "\n"),
                "primary_metric" => form.primary_metric = text.trim().into(),
                "planned_units" => form.planned_units = text.trim().into(),
                "strata" => form.strata = text.trim().into(),
                "reason" => form.reason = text.trim().into(),
                "revision" => form.revision = text.trim().parse().ok(),
                other => {
                    form.read_variation(other, &text);
                    form.read_row(other, &text);
                }
            }
        }
        form.rows.retain(|row| !row.is_blank());
        form.variations.retain(|variation| !variation.is_blank());
        form
    }

    /// Says what is to know of the other running experiments before this one starts.
    pub fn warnings(&self, running: &[Experiment]) -> Vec<FormError> {
        let told = match self.experiment() {
            Ok(experiment) => rivalry::told(&experiment, running),
            Err(_) => rivalry::foretold(&self.key, &self.flag, running),
        };
        told.map(|told| FormError::at("flag", told)).into_iter().collect()
    }

    /// Says whom the experiment reaches, where the form is right.
    pub fn reach(&self, running: &[Experiment]) -> Option<String> {
        self.experiment().ok().map(|experiment| reach::told(&experiment, running))
    }

    fn read_row(&mut self, name: &str, text: &str) {
        let Some((row, part)) = name.strip_prefix("who_").and_then(|rest| rest.split_once('_')) else {
            return;
        };
        let row = row.parse::<usize>().ok().and_then(|row| row.checked_sub(1));
        let Some(row) = row.and_then(|row| self.rows.get_mut(row)) else { return };
        match part {
            "attribute" => row.attribute = text.trim().into(),
            "operator" => row.operator = text.trim().into(),
            "value" => row.value = text.trim().into(),
            _ => {}
        }
    }

    fn read_variation(&mut self, name: &str, text: &str) {
        let Some((row, part)) = name.strip_prefix("variation_").and_then(|rest| rest.split_once('_')) else {
            return;
        };
        let row = row.parse::<usize>().ok().and_then(|row| row.checked_sub(1));
        let Some(variation) = row.and_then(|row| self.variations.get_mut(row)) else {
            return;
        };
        match part {
            "key" => variation.key = text.trim().into(),
            "name" => variation.name = text.trim().into(),
            "weight_percent" => variation.weight_percent = text.trim().into(),
            "value" => variation.value = text.trim().replace("\r\n", "\n"),
            _ => {}
        }
    }
}
