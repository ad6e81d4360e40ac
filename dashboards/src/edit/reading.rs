//! From what was typed to a definition, or to everything that is wrong with it.

use experiments::definition::{PLANNED_UNITS_DEFAULT, SCHEMA_VERSION, WHOLE_BP};
use experiments::guardrail::Ask;
use experiments::ramp::RampStep;
use experiments::{DefinitionError, Experiment};
use serde_json::{Value, json};

use super::error::{FormError, place_on_page};
use super::form::{DefinitionForm, KIND_AA, VariationForm, field_name};
use super::targeting::{condition_of, layer, prerequisites};

/// The form of a new experiment stands at `/admin/experiments/new`, so no experiment can be read under that key.
const KEY_OF_THIS_PAGE: &str = "new";

impl DefinitionForm {
    /// Returns the experiment that the form defines, as a draft.
    ///
    /// # Errors
    /// Everything that is wrong with numbers, values and the sum of weights, and the first thing that
    /// [`Experiment::parse_value`] finds when those are taken for right.
    pub fn experiment(&self) -> Result<Experiment, Vec<FormError>> {
        let mut errors = Vec::new();
        let mut right = |field: &str, read: Result<Value, String>, instead: Value| {
            read.unwrap_or_else(|message| {
                errors.push(FormError::at(field, message));
                instead
            })
        };
        let coverage =
            right("coverage_percent", share("The coverage", &self.coverage_percent), WHOLE_BP.into());
        let planned_units = right("planned_units", units(&self.planned_units), PLANNED_UNITS_DEFAULT.into());
        let ramp = right("ramp", ramp(&self.ramp), json!([]));
        let planned_days = right("planned_days", days(&self.planned_days), Value::Null);
        let guardrails = right("guardrails", guardrails(&self.guardrails), json!([]));
        let method = right("method", method(&self.method), json!({"kind": "sequential"}));
        let bandit = match self.bandit.as_str() {
            "" => Value::Null,
            policy => {
                let hours = right("bandit_every_hours", hours(&self.bandit_every_hours), 24.into());
                let least = "The least share of the bandit";
                let floor =
                    right("bandit_floor_percent", share(least, &self.bandit_floor_percent), 500.into());
                json!({"policy": policy, "every_hours": hours, "floor_bp": floor})
            }
        };
        let prerequisites = right("prerequisites", prerequisites(&self.prerequisites), json!([]));
        let metrics: Vec<&str> = self.metrics.split_whitespace().collect();
        let values: Vec<Value> = (self.variations.iter().enumerate())
            .map(|(row, variation)| {
                right(&field_name(row, "value"), value(row, &variation.value), Value::Null)
            })
            .collect();
        let mut targeting = json!({"prerequisites": prerequisites});
        match condition_of(&self.rows, &self.condition) {
            Ok(condition) => targeting["condition"] = condition.unwrap_or_default(),
            Err(wrong) => errors.extend(wrong),
        }
        match layer([&self.layer, &self.layer_from_percent, &self.layer_to_percent]) {
            Ok(layer) => targeting["layer"] = layer,
            Err(wrong) => errors.push(wrong),
        }
        let weights = self.weights().unwrap_or_else(|wrong| {
            errors.extend(wrong);
            even_weights(self.variations.len())
        });
        let variation = |((form, value), weight): ((&VariationForm, Value), u32)| json!({"key": form.key, "name": form.name, "weight_bp": weight, "value": value});
        let variations: Vec<Value> = self.variations.iter().zip(values).zip(weights).map(variation).collect();
        let seed = if self.seed.is_empty() { Value::Null } else { self.seed.as_str().into() };
        let read = Experiment::parse_value(&json!({
            "schema_version": SCHEMA_VERSION,
            "key": self.key,
            "name": self.name,
            "hypothesis": self.hypothesis,
            "owner": self.owner,
            "flag": self.flag,
            "seed": seed,
            "targeting": targeting,
            "coverage_bp": coverage,
            "ramp": ramp,
            "variations": variations,
            "primary_metric": self.primary_metric,
            "metrics": metrics,
            "guardrails": guardrails,
            "correction": if self.correction.is_empty() { "holm" } else { self.correction.as_str() },
            "method": method,
            "strata": if self.strata.is_empty() { Value::Null } else { self.strata.as_str().into() },
            "bandit": bandit,
            "planned_units": planned_units,
            "planned_days": planned_days,
            "is_aa": self.kind == KIND_AA,
        }));
        let read = read.and_then(|experiment| experiment.check_values().map(|()| experiment));
        if self.key == KEY_OF_THIS_PAGE {
            errors.push(FormError::at(
                "key",
                format!("The key “{}” is taken by this page: choose another.", self.key),
            ));
        }
        match read {
            Ok(experiment) if errors.is_empty() => return Ok(experiment),
            Ok(_) => {}
            Err(error) => errors.push(self.error_of(&error)),
        }
        errors.sort_by_key(place_on_page);
        Err(errors)
    }

    /// Reads the weights in basis points, each more than nothing and the whole in sum.
    fn weights(&self) -> Result<Vec<u32>, Vec<FormError>> {
        let (mut weights, mut errors) = (Vec::new(), Vec::new());
        for (row, variation) in self.variations.iter().enumerate() {
            match basis_points(&variation.weight_percent) {
                Some(weight) if (1..=WHOLE_BP).contains(&weight) => weights.push(weight),
                _ => errors.push(FormError::at(&field_name(row, "weight_percent"), format!("The weight of variation {} must be above 0 and at most 100, with two decimals at most, such as 50 or 33.34.", row + 1))),
            }
        }
        let (sum, whole) = (weights.iter().sum::<u32>(), WHOLE_BP);
        if errors.is_empty() && sum != whole && weights.len() > 1 {
            let rest = percent_of(sum.abs_diff(whole));
            let mend = if sum < whole { format!("add {rest} %") } else { format!("take {rest} % away") };
            let message =
                format!("The weights add up to {} %, but must add up to 100 %: {mend}.", percent_of(sum));
            errors.push(FormError::at(&field_name(0, "weight_percent"), message));
        }
        if errors.is_empty() { Ok(weights) } else { Err(errors) }
    }

    /// Places an error of the definition at the field that it speaks of.
    fn error_of(&self, error: &DefinitionError) -> FormError {
        let mut placed = FormError::from(error);
        if let DefinitionError::DuplicateVariation { key } = error {
            let last = self.variations.iter().rposition(|variation| variation.key == *key);
            placed.field = last.map(|row| field_name(row, "key"));
        }
        placed
    }
}

/// Weights that are right for so many variations, to go on reading with when those typed are wrong.
pub(super) fn even_weights(count: usize) -> Vec<u32> {
    let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
    (0..count).map(|row| WHOLE_BP / count + u32::from(row < WHOLE_BP % count)).collect()
}

/// Writes basis points as a percentage without idle decimals: `33.34`, `50`.
pub(crate) fn percent_of(bp: u32) -> String {
    match (bp / 100, bp % 100) {
        (whole, 0) => whole.to_string(),
        (whole, rest) if rest % 10 == 0 => format!("{whole}.{}", rest / 10),
        (whole, rest) => format!("{whole}.{rest:02}"),
    }
}

/// Reads a percentage of at most two decimals as basis points, exactly; a comma may stand for the point.
pub fn basis_points(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('%').trim_end().replace(',', ".");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, "0"));
    let digits =
        |part: &str| (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.to_owned());
    let (whole, rest) = (digits(whole)?, digits(rest)?);
    if rest.len() > 2 {
        return None;
    }
    let hundredths: u32 = format!("{rest:0<2}").parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(hundredths)
}

fn share(what: &str, text: &str) -> Result<Value, String> {
    match basis_points(text) {
        Some(bp) if bp <= WHOLE_BP => Ok(bp.into()),
        _ => Err(format!(
            "{what} must be a number from 0 to 100 with at most two decimals, such as 50 or 33.34."
        )),
    }
}

fn units(text: &str) -> Result<Value, String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '_')).collect();
    plain
        .parse::<u64>()
        .map(Value::from)
        .map_err(|_| "The planned units must be a whole number, such as 5000.".into())
}

/// Writes a ramp as it is typed, a step a line.
pub(super) fn ramp_of(ramp: &[RampStep]) -> String {
    let step = |step: &RampStep| format!("{} h: {} %", step.after_hours, percent_of(step.coverage_bp));
    ramp.iter().map(step).collect::<Vec<_>>().join("\n")
}

/// Reads a ramp: in each line the hours after the start, and the percentage of all visitors.
fn ramp(text: &str) -> Result<Value, String> {
    let mut steps = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let plain = line.replace(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-')), " ");
        let read = || {
            let mut numbers = plain.split_whitespace();
            let step = (numbers.next()?.parse::<u32>().ok()?, basis_points(numbers.next()?)?);
            numbers.next().is_none().then_some(step)
        };
        let (after_hours, coverage_bp) = read().ok_or_else(|| {
            let shown: String = line.trim().chars().take(40).collect();
            format!("The step “{shown}” of the ramp must be hours and a percentage, such as 24 h: 50 %.")
        })?;
        steps.push(json!({"after_hours": after_hours, "coverage_bp": coverage_bp}));
    }
    Ok(steps.into())
}

/// Reads how long a bandit's weights hold.
fn hours(text: &str) -> Result<Value, String> {
    let hours = text.trim_end_matches("hours").trim_end().parse::<u32>();
    hours
        .map(Value::from)
        .map_err(|_| "The bandit's weights hold for a whole number of hours, such as 24.".into())
}

/// Reads the planned length; a draft may leave it open.
fn days(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let days = text.trim_end_matches("days").trim_end().parse::<u32>();
    days.map(Value::from).map_err(|_| "The planned length must be a whole number of days, such as 14.".into())
}

/// What stands before a margin within which a metric must stay as it is.
const EITHER_WAY: [&str; 3] = ["±", "+-", "+/-"];

/// Reads guardrails: on each line a metric and by how many percent it may get worse, or, after ±, differ.
fn guardrails(text: &str) -> Result<Value, String> {
    let rule = |line: &str| {
        let (metric, margin) = line.trim().split_once(char::is_whitespace)?;
        let margin = margin.trim_start();
        let either_way = EITHER_WAY.iter().find_map(|sign| margin.strip_prefix(sign));
        let asks = if either_way.is_some() { Ask::Equivalent } else { Ask::NotWorse };
        let margin_bp = basis_points(either_way.unwrap_or(margin))?;
        Some(json!({"metric": metric, "margin_bp": margin_bp, "asks": asks}))
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let rules = lines.map(|line| {
        rule(line).ok_or_else(|| {
            format!(
                "The guardrail “{}” must be a metric and a percentage, such as page_latency 5 %, or page_latency ±5 %.",
                line.trim()
            )
        })
    });
    rules.collect::<Result<Vec<_>, _>>().map(Value::from)
}

/// Reads a method as the form writes it; an empty field means the usual one.
fn method(text: &str) -> Result<Value, String> {
    let (kind, setting) = text.split_once(':').unwrap_or((text, ""));
    let number = setting.parse::<u32>().ok();
    Ok(match (kind, number) {
        ("" | "sequential", None) => json!({"kind": "sequential"}),
        ("fixed_horizon", None) => json!({"kind": kind}),
        ("group_sequential", Some(looks)) => json!({"kind": kind, "looks": looks}),
        ("mixture", Some(bp)) => json!({"kind": kind, "expected_lift_bp": bp}),
        ("bayesian", Some(bp)) => json!({"kind": kind, "prior_deviation_bp": bp}),
        ("bayesian", None) => json!({"kind": kind}),
        _ => return Err(format!("There is no method “{text}”: choose one of the list.")),
    })
}

fn value(row: usize, text: &str) -> Result<Value, String> {
    let position = row + 1;
    if text.trim().is_empty() {
        return Err(format!(
            "The value of variation {position} is empty: write JSON, such as true, \"blue\" or {{\"name\": \"express\"}}."
        ));
    }
    serde_json::from_str(text)
        .map_err(|error| format!("The value of variation {position} is not JSON: {error}."))
}

#[cfg(test)]
mod tests {
    use experiments::Metric;
    use experiments::definition::Correction;
    use experiments::lifecycle::Move;

    use super::*;

    fn typed(changes: &[(&str, &str)]) -> DefinitionForm {
        let right = [
            ("csrf", "t"),
            ("key", " checkout "),
            ("name", "Checkout"),
            ("hypothesis", "More.\r\nFaster."),
            ("flag", "checkout_workflow"),
            ("seed", ""),
            ("coverage_percent", "33.5 %"),
            ("primary_metric", "revenue_per_unit"),
            ("planned_units", "12,000"),
            ("variation_1_key", "classic"),
            ("variation_1_weight_percent", "33.34"),
            ("variation_1_value", r#"{"name": "classic"}"#),
            ("variation_2_key", "express"),
            ("variation_2_name", "Express"),
            ("variation_2_weight_percent", "66,66"),
            ("variation_2_value", r#"{"name": "express"}"#),
            ("variation_4_key", "  "),
            ("variation_99_key", "x"),
            ("variation_0_key", "x"),
        ];
        DefinitionForm::read(right.iter().chain(changes).copied())
    }

    #[test]
    fn a_form_becomes_a_definition_and_back() {
        let form = typed(&[("revision", "7")]);
        assert_eq!((form.variations.len(), form.revision), (2, Some(7)));
        let experiment = form.experiment().unwrap();
        assert_eq!(experiment.key(), "checkout");
        assert_eq!((experiment.seed(), experiment.coverage_bp()), ("checkout", 3350));
        assert_eq!((experiment.planned_units(), experiment.hypothesis()), (12_000, "More.\nFaster."));
        let weights: Vec<u32> = experiment.variations().iter().map(|v| v.weight_bp()).collect();
        assert_eq!(weights, [3334, 6666]);
        let again = DefinitionForm::from(&experiment);
        assert_eq!(again.experiment().unwrap(), experiment);
        assert_eq!(
            (again.coverage_percent.as_str(), again.variations[0].weight_percent.as_str()),
            ("33.5", "33.34")
        );
    }

    #[test]
    fn guardrails_and_methods_go_through_the_form() {
        let form = typed(&[
            ("guardrails", "page_latency 5 %\r\n\r\nerror_rate 0,5"),
            ("metrics", "orders\r\nadd_to_cart"),
            ("method", "group_sequential:5"),
        ]);
        let experiment = form.experiment().unwrap();
        let rules: Vec<(&str, u32)> =
            experiment.guardrails().iter().map(|rule| (rule.metric.as_str(), rule.margin_bp)).collect();
        assert_eq!(rules, [("page_latency", 500), ("error_rate", 50)]);
        assert_eq!(experiment.correction(), Correction::Holm);
        let fields = [
            ("guardrails", "page_latency ±2 %\nerror_rate +- 0.5\norders 3"),
            ("correction", "benjamini_hochberg"),
        ];
        let asked = typed(&fields).experiment().unwrap();
        let asks: Vec<(Ask, u32)> =
            asked.guardrails().iter().map(|rule| (rule.asks, rule.margin_bp)).collect();
        assert_eq!(asks, [(Ask::Equivalent, 200), (Ask::Equivalent, 50), (Ask::NotWorse, 300)]);
        assert_eq!(asked.correction(), Correction::BenjaminiHochberg);
        let again = DefinitionForm::from(&asked);
        assert_eq!(again.guardrails, "page_latency ±2 %\nerror_rate ±0.5 %\norders 3 %\n");
        assert_eq!(again.experiment().unwrap(), asked);
        assert_eq!(experiment.metrics(), ["orders", "add_to_cart"]);
        assert_eq!(DefinitionForm::from(&experiment).experiment().unwrap(), experiment);
        for method in ["sequential", "fixed_horizon", "mixture:500", "bayesian", "bayesian:3000"] {
            let experiment = typed(&[("method", method)]).experiment().unwrap();
            assert_eq!(DefinitionForm::from(&experiment).method, method);
        }
    }

    #[test]
    fn everything_wrong_is_named_at_once_and_at_its_field() {
        let form = typed(&[
            ("coverage_percent", "101"),
            ("planned_units", "many"),
            ("variation_1_weight_percent", "33.345"),
            ("variation_2_value", "{name}"),
            ("key", "one two"),
        ]);
        let errors = form.experiment().unwrap_err();
        let fields: Vec<&str> = errors.iter().filter_map(|error| error.field.as_deref()).collect();
        assert_eq!(
            fields,
            ["key", "variation_2_value", "variation_1_weight_percent", "coverage_percent", "planned_units"]
        );
        assert_eq!(form.coverage_percent, "101");
    }

    #[test]
    fn weights_and_keys_are_explained_in_the_words_of_the_form() {
        let errors = typed(&[("variation_2_weight_percent", "60")]).experiment().unwrap_err();
        assert_eq!(
            errors,
            [FormError::at(
                "variation_1_weight_percent",
                "The weights add up to 93.34 %, but must add up to 100 %: add 6.66 %."
            )]
        );
        let errors = typed(&[("variation_2_key", "a b")]).experiment().unwrap_err();
        assert_eq!(errors[0].field.as_deref(), Some("variation_2_key"));
        let errors = typed(&[("variation_2_key", "classic")]).experiment().unwrap_err();
        assert_eq!(errors[0].field.as_deref(), Some("variation_2_key"));
        let errors = typed(&[("variation_2_weight_percent", "0")]).experiment().unwrap_err();
        assert_eq!(errors[0].field.as_deref(), Some("variation_2_weight_percent"));
        let errors = typed(&[("key", "new")]).experiment().unwrap_err();
        assert_eq!(errors, [FormError::at("key", "The key “new” is taken by this page: choose another.")]);
        let errors = typed(&[("key", "")]).experiment().unwrap_err();
        assert_eq!(errors, [FormError::at("key", "Key is empty: give it at least one character.")]);
        let errors = typed(&[("guardrails", "page_latency")]).experiment().unwrap_err();
        assert_eq!((errors.len(), errors[0].field.as_deref()), (1, Some("guardrails")));
        let errors = typed(&[("method", "luck")]).experiment().unwrap_err();
        assert_eq!((errors.len(), errors[0].field.as_deref()), (1, Some("method")));
    }

    #[test]
    fn an_empty_request_is_refused_without_a_panic() {
        assert!(DefinitionForm::read::<&str, String>([]).experiment().is_err());
        let huge = "9".repeat(400);
        let errors =
            typed(&[("coverage_percent", &huge), ("planned_units", &huge)]).experiment().unwrap_err();
        assert_eq!(errors.len(), 2);
    }

    #[test]
    fn percentages_are_read_exactly() {
        let table = [
            ("50", Some(5000)),
            ("0.01", Some(1)),
            ("0.1", Some(10)),
            ("100.00", Some(10_000)),
            ("12,5%", Some(1250)),
            ("", None),
            (".5", None),
            ("5.", None),
            ("-1", None),
            ("1e2", None),
            ("+5", None),
            ("1.234", None),
        ];
        for (text, bp) in table {
            assert_eq!(basis_points(text), bp, "{text}");
        }
    }

    #[test]
    fn a_ramp_is_a_step_a_line() {
        let steps = |text: &str| typed(&[("coverage_percent", "10"), ("ramp", text)]).experiment();
        let experiment = steps("24 h: 33.5 %\r\n\n48h 100%").unwrap();
        assert_eq!(DefinitionForm::from(&experiment).ramp, "24 h: 33.5 %\n48 h: 100 %");
        for (text, why) in [
            ("soon", "The step “soon” of the ramp must be hours and a percentage, such as 24 h: 50 %."),
            ("1 2 3", "The step “1 2 3” of the ramp"),
            ("-1 h: 50 %", "The step “-1 h: 50 %” of the ramp"),
            ("24 h: 50 %\n12 h: 60 %", "Step 2 of the ramp must come later than the one before"),
        ] {
            let errors = steps(text).unwrap_err();
            assert_eq!((errors.len(), errors[0].field.as_deref()), (1, Some("ramp")));
            assert!(errors[0].message.starts_with(why), "{errors:?}");
        }
    }

    #[test]
    fn a_copy_waits_for_its_key() {
        let experiment = typed(&[("seed", "old")]).experiment().unwrap();
        let copy = DefinitionForm::copy_of(&experiment, &[]);
        assert_eq!((copy.key.as_str(), copy.seed.as_str(), copy.name.as_str()), ("", "", "Checkout (copy)"));
    }

    #[test]
    fn a_copy_plans_what_was_added_late() {
        let started = |metrics: &str| {
            let fields = [
                ("owner", "ada"),
                ("planned_days", "14"),
                ("guardrails", "orders 5 %"),
                ("metrics", metrics),
            ];
            typed(&fields).experiment().unwrap().moved(Move::Start).unwrap().adding("pots", 7).unwrap()
        };
        let planned = ["revenue_per_unit", "orders", "add_to_cart"].map(|key| {
            let measure = r#"{"kind": "count", "event": {"type": "line_added"}}"#;
            Metric::parse(&format!(r#"{{"key": "{key}", "measure": {measure}}}"#)).unwrap()
        });
        for metrics in ["", "add_to_cart"] {
            let copy = DefinitionForm::copy_of(&started(metrics), &planned);
            assert_eq!(copy.metrics, "add_to_cart\npots");
            let named = DefinitionForm { key: "copy".into(), ..copy }.experiment().unwrap();
            assert!(named.late_metrics().is_empty(), "to the copy it is as any other");
        }
    }

    #[test]
    fn a_copy_of_too_many_metrics_says_so_at_once() {
        let fields = [("owner", "ada"), ("planned_days", "14"), ("metrics", "orders")];
        let started = typed(&fields).experiment().unwrap().moved(Move::Start).unwrap();
        let planned: Vec<Metric> = (0..15)
            .map(|n| {
                let measure = r#"{"kind": "count", "event": {"type": "line_added"}}"#;
                Metric::parse(&format!(r#"{{"key": "planned-{n}", "measure": {measure}}}"#)).unwrap()
            })
            .collect();
        let with_late = |count: usize| {
            (0..count).fold(started.clone(), |more, n| more.adding(&format!("late-{n}"), 7).unwrap())
        };
        // With the one that decides, fifteen others and four late ones are twenty.
        assert_eq!(DefinitionForm::copy_of(&with_late(4), &planned).wrong_metrics(), []);
        let errors = DefinitionForm::copy_of(&with_late(5), &planned).wrong_metrics();
        let told = "Experiment has 21 metrics, the most is 20: leave out those that decide nothing.";
        assert_eq!(errors, [FormError::at("metrics", told)]);
    }
}
