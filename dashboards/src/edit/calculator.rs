//! How many visitors an experiment needs: a small form beside the big one, answered before anything is fixed.

use experiments::bayes::{Better, Prior};
use experiments::definition::{LOOKS_MAX, PLANNED_UNITS_MAX};
use experiments::effect::Scale;
use experiments::group_sequential::Spending;
use experiments::inference::{Looks, Mode};
use experiments::metric::RETENTION_DAYS_MAX;
use experiments::planner::{Offer, offers};
use experiments::power::{Baseline, Study, days_for};
use experiments::verdict::{ALPHA, UNITS_PER_ARM_MIN};
use serde::Serialize;

use super::{DefinitionForm, FormError, METHODS};
use crate::field::{Choice, Field, choice, described};
use crate::figure::{NONE, count, counted, short_percent};

mod baseline;

use baseline::{Arms, KINDS, RETENTION, SHARE};

const ONCE: &str = "once";
const SOME: &str = "some";
const ANY: &str = "any";

/// Largest number that is read: far beyond any shop, and far below where arithmetic ends.
const NUMBER_MAX: f64 = 1e12;
/// Most days until a visitor counts, as of a retention.
const DAYS_AFTER_MAX: u64 = RETENTION_DAYS_MAX as u64;
/// The standard deviation of lifts that the Bayesian row takes to be likely beforehand, as the form's own choice does.
const PRIOR_DEVIATION: f64 = 0.3;

/// Holds what was typed into the calculator, right or wrong, with its answer once it was asked.
///
/// Its fields are sent by GET to the page it stands on. [`Calculator::read`] integrates, which takes a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Calculator {
    kind: String,
    rate: String,
    mean: String,
    deviation: String,
    events: String,
    level: String,
    below: String,
    after_days: String,
    correlation: String,
    variations: String,
    control: String,
    lift: String,
    power: String,
    units_a_day: String,
    looks: String,
    looks_count: String,
    /// The experiment that the form of a new one was filled in from, field `copy`.
    copy: String,
    is_asked: bool,
    outcome: Result<Option<Answer>, Vec<FormError>>,
}

/// Holds what every way to read results needs, the best first.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    asked: Asked,
    offers: Vec<Offer>,
    /// The best of them, as the big form writes and tells it.
    method: String,
    label: String,
}

/// What the fields say, once they are right.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Asked {
    baseline: Baseline,
    lift: f64,
    power: f64,
    units_a_day: Option<u64>,
    looks: Looks,
    arms: Arms,
    /// Days until a visitor counts.
    after_days: u64,
}

#[derive(Serialize)]
pub(super) struct View<'a> {
    copy: &'a str,
    is_open: bool,
    fields: Vec<Field<'a>>,
    errors: &'a [FormError],
    answer: Option<AnswerView>,
}

#[derive(Serialize)]
struct AnswerView {
    sentence: String,
    notes: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    most: String,
    expected: String,
    days: String,
    days_expected: String,
    remark: &'static str,
    is_best: bool,
    is_valid: bool,
}

impl Default for Calculator {
    fn default() -> Calculator {
        Calculator {
            kind: SHARE.into(),
            rate: String::new(),
            mean: String::new(),
            deviation: String::new(),
            events: String::new(),
            level: "90".into(),
            below: String::new(),
            after_days: "14".into(),
            correlation: String::new(),
            variations: "2".into(),
            control: String::new(),
            lift: String::new(),
            power: "80".into(),
            units_a_day: String::new(),
            looks: ANY.into(),
            looks_count: "5".into(),
            copy: String::new(),
            is_asked: false,
            outcome: Ok(None),
        }
    }
}

impl Calculator {
    /// Reads the fields `calculator_…` of a query and answers them; unknown ones are passed over, and without any of its own
    /// nothing was asked.
    pub fn read<Name: AsRef<str>, Text: Into<String>>(
        fields: impl IntoIterator<Item = (Name, Text)>,
    ) -> Calculator {
        let mut calculator = Calculator::default();
        for (name, text) in fields {
            if name.as_ref() == "copy" {
                calculator.copy = text.into();
                continue;
            }
            let Some(part) = name.as_ref().strip_prefix("calculator_") else { continue };
            let field = match part {
                "kind" => &mut calculator.kind,
                "rate" => &mut calculator.rate,
                "mean" => &mut calculator.mean,
                "deviation" => &mut calculator.deviation,
                "events" => &mut calculator.events,
                "level" => &mut calculator.level,
                "below" => &mut calculator.below,
                "after_days" => &mut calculator.after_days,
                "correlation" => &mut calculator.correlation,
                "variations" => &mut calculator.variations,
                "control" => &mut calculator.control,
                "lift" => &mut calculator.lift,
                "power" => &mut calculator.power,
                "units_a_day" => &mut calculator.units_a_day,
                "looks" => &mut calculator.looks,
                "looks_count" => &mut calculator.looks_count,
                _ => continue,
            };
            *field = text.into().trim().into();
            calculator.is_asked = true;
        }
        if calculator.is_asked {
            calculator.outcome = calculator.asked().and_then(|asked| asked.answered().map(Some));
        }
        calculator
    }

    /// Reads what was typed; every mistake is told at once.
    fn asked(&self) -> Result<Asked, Vec<FormError>> {
        let mut errors = vec![];
        let mut wrong = |field: &str, message: &str| errors.push(FormError::at(&id(field), message));
        let lift = number(&self.lift).filter(|lift| *lift > 0.0 && *lift <= 1_000.0).map(|lift| lift / 100.0);
        if lift.is_none() {
            wrong("lift", "The smallest lift must be a number above 0, up to 1000 %, such as 5.");
        }
        let power = number(&self.power).filter(|power| (50.0..=99.0).contains(power)).map(|p| p / 100.0);
        if power.is_none() {
            wrong("power", "The power must be a number from 50 to 99 %; 80 is usual.");
        }
        let baseline = self.baseline(lift, &mut wrong);
        let arms = self.arms(&mut wrong);
        let after_days = match self.kind.as_str() {
            RETENTION => whole(&self.after_days).filter(|days| *days > 0 && *days <= DAYS_AFTER_MAX),
            _ => Some(0),
        };
        if after_days.is_none() {
            wrong("after_days", &format!("The days must be a whole number from 1 to {DAYS_AFTER_MAX}."));
        }
        let units_a_day = whole(&self.units_a_day).filter(|units| *units > 0);
        if units_a_day.is_none() && !self.units_a_day.is_empty() {
            wrong(
                "units_a_day",
                "The visitors a day must be a whole number above 0, such as 2000, or empty.",
            );
        }
        let looks = match self.looks.as_str() {
            ONCE => Some(Looks::Once),
            SOME => {
                let count = whole(&self.looks_count).and_then(|count| u32::try_from(count).ok());
                count.filter(|count| (2..=LOOKS_MAX).contains(count)).map(Looks::Scheduled)
            }
            _ => Some(Looks::Anytime),
        };
        if looks.is_none() {
            wrong("looks_count", &format!("The number of looks must be from 2 to {LOOKS_MAX}."));
        }
        match (baseline, lift, power, looks, arms, after_days) {
            (Some(baseline), Some(lift), Some(power), Some(looks), Some(arms), Some(after_days))
                if errors.is_empty() =>
            {
                Ok(Asked { baseline, lift, power, units_a_day, looks, arms, after_days })
            }
            _ => Err(errors),
        }
    }

    fn answer(&self) -> Option<&Answer> {
        self.outcome.as_ref().ok()?.as_ref()
    }

    /// Returns a form with what it advises: how many units are planned, how results are read and, where visitors a day are
    /// known, how long it is to run. Without an answer, the form is as it was.
    pub(super) fn advise(&self, form: DefinitionForm) -> DefinitionForm {
        let Some(answer) = self.answer() else { return form };
        let planned = Answer::planned(&answer.offers[0]);
        DefinitionForm {
            planned_units: planned.to_string(),
            method: answer.method.clone(),
            planned_days: answer.days(planned).map_or(form.planned_days, |days| days.to_string()),
            ..form
        }
    }

    /// Returns the method that it advises, as the big form writes and tells it.
    pub(super) fn advised(&self) -> Option<(&str, &str)> {
        self.answer().map(|answer| (answer.method.as_str(), answer.label.as_str()))
    }

    pub(super) fn view(&self) -> View<'_> {
        let errors = self.outcome.as_ref().err().map_or(&[][..], Vec::as_slice);
        View {
            copy: &self.copy,
            is_open: self.is_asked,
            fields: described(self.fields(errors)),
            errors,
            answer: self.answer().map(Answer::view),
        }
    }

    fn fields<'a>(&'a self, errors: &'a [FormError]) -> Vec<Field<'a>> {
        let field = |name: &str, label: &'static str, value: &'a str| {
            let name = id(name);
            let error = errors.iter().find(|error| error.field.as_deref() == Some(&name));
            Field { error: error.map(|e| e.message.as_str()), name, label, value, ..Field::default() }
        };
        let choices = |options: &[(&'a str, &'a str)], chosen: &str| -> Vec<Choice<'a>> {
            options.iter().map(|option| choice(*option, chosen)).collect()
        };
        vec![
            Field {
                options: choices(&KINDS, &self.kind),
                is_wide: true,
                ..field("kind", "What decides", &self.kind)
            },
            Field {
                hint: Some("What the share is today, such as 3.4."),
                unit: Some("%"),
                kinds: "of-share of-retention",
                ..field("rate", "Rate today", &self.rate)
            },
            Field {
                hint: Some("How many days pass until it is known of a visitor whether they came back."),
                unit: Some("days"),
                kinds: "of-retention",
                ..field("after_days", "Known after", &self.after_days)
            },
            Field {
                hint: Some("What it is on average today, such as 2.50; of a percentile, its value."),
                kinds: "of-mean of-count of-ratio of-quantile",
                ..field("mean", "Value today", &self.mean)
            },
            Field {
                hint: Some(
                    "How far single ones lie from it, such as 12, in the same unit: visitors, or of a ratio single events. Of a count it may be \
                     empty.",
                ),
                kinds: "of-mean of-count of-ratio",
                ..field("deviation", "Standard deviation", &self.deviation)
            },
            Field {
                hint: Some("Which point of all events, such as 90 for where the slowest tenth begins."),
                unit: Some("%"),
                kinds: "of-quantile",
                ..field("level", "Percentile", &self.level)
            },
            Field {
                hint: Some(
                    "The value at the point five lower, such as the 85 % point: it says how far events lie apart there.",
                ),
                kinds: "of-quantile",
                ..field("below", "Value five points lower", &self.below)
            },
            Field {
                hint: Some("How many there are of a visitor on average, such as 0.04 orders or 6 pages."),
                kinds: "of-ratio of-quantile",
                ..field("events", "Events of a visitor", &self.events)
            },
            Field {
                hint: Some(
                    "With the same before the experiment: a page of a past one tells what share of the noise was taken out, which is its square. \
                     Empty if nothing is known of visitors.",
                ),
                unit: Some("%"),
                kinds: "of-share of-mean of-count",
                ..field("correlation", "Correlation with the past", &self.correlation)
            },
            Field {
                hint: Some("With the control. Each further one is paid for with wider intervals."),
                ..field("variations", "Variations", &self.variations)
            },
            Field {
                hint: Some("Empty for equal shares; the others share the rest alike."),
                unit: Some("%"),
                ..field("control", "The control's share", &self.control)
            },
            Field {
                hint: Some("Relative to today, such as 5."),
                unit: Some("%"),
                ..field("lift", "Smallest lift worth finding", &self.lift)
            },
            Field {
                hint: Some("The chance to find that lift if it is there."),
                unit: Some("%"),
                ..field("power", "Power", &self.power)
            },
            Field {
                hint: Some("In all variations together, such as 2000. May be empty."),
                ..field("units_a_day", "Visitors a day", &self.units_a_day)
            },
            Field {
                options: choices(
                    &[
                        (ONCE, "Once, at the end"),
                        (SOME, "A few times, as planned beforehand"),
                        (ANY, "Whenever somebody likes"),
                    ],
                    &self.looks,
                ),
                is_wide: true,
                ..field("looks", "How the team looks at results", &self.looks)
            },
            Field {
                hint: Some("If a few times: how many."),
                kinds: "of-some",
                ..field("looks_count", "Looks", &self.looks_count)
            },
        ]
    }
}

impl Asked {
    fn answered(self) -> Result<Answer, Vec<FormError>> {
        let study = self.study();
        let found = offers(&study, self.lift, self.power, self.looks).into_iter().chain(self.belief(&study));
        // A definition cannot ask for Pocock's bounds, nor for looks that nobody has counted.
        let can_be_chosen = |offer: &Offer| match &offer.mode {
            Mode::GroupSequential { spending, .. } => {
                *spending == Spending::OBrienFleming && matches!(self.looks, Looks::Scheduled(_))
            }
            _ => true,
        };
        let offers: Vec<Offer> = found.filter(can_be_chosen).collect();
        match offers.first() {
            Some(best) if best.is_valid && best.units_max <= PLANNED_UNITS_MAX => {
                Ok(Answer { method: self.method(best), label: self.label(best), asked: self, offers })
            }
            _ => Err(vec![FormError::at(
                &id("lift"),
                format!(
                    "So small a lift needs more than {} visitors: ask for a larger one, or for a metric that varies less.",
                    count(PLANNED_UNITS_MAX)
                ),
            )]),
        }
    }

    /// One treatment against the control, with its part of the chance of error.
    fn study(&self) -> Study {
        Study {
            alpha: ALPHA / f64::from(self.arms.treatments()),
            treatment_share: self.arms.treatment_share(),
            ..Study::new(self.baseline, Scale::Relative)
        }
    }

    /// What it takes until a belief leaves out zero; it bounds no chance of error, and is told for contrast.
    fn belief(&self, study: &Study) -> Option<Offer> {
        let prior = Some(Prior { mean: 0.0, deviation: PRIOR_DEVIATION });
        let mode = Mode::Bayesian { prior, better: Better::Higher };
        let units = study.units_needed(&mode, self.lift, self.power)?;
        Some(Offer { mode, units_max: units, units_expected: units, is_valid: false })
    }

    fn looks_count(&self) -> u32 {
        if let Looks::Scheduled(count) = self.looks { count } else { 2 }
    }

    /// How the big form writes an offer's method.
    fn method(&self, offer: &Offer) -> String {
        match &offer.mode {
            Mode::FixedHorizon => "fixed_horizon".into(),
            Mode::Sequential { .. } => "sequential".into(),
            Mode::GroupSequential { .. } => format!("group_sequential:{}", self.looks_count()),
            Mode::Mixture { tau } => format!("mixture:{}", lift_bp(*tau)),
            Mode::Bayesian { .. } => format!("bayesian:{}", lift_bp(PRIOR_DEVIATION)),
        }
    }

    /// How the big form tells it.
    fn label(&self, offer: &Offer) -> String {
        let method = self.method(offer);
        if let Some((_, label)) = METHODS.iter().find(|(value, _)| *value == method) {
            return (*label).into();
        }
        match &offer.mode {
            Mode::GroupSequential { .. } => format!("At {} looks on the way there", self.looks_count()),
            Mode::Mixture { tau } => {
                format!(
                    "At any time, tuned to a lift of {}",
                    short_percent(f64::from(lift_bp(*tau)) / 10_000.0)
                )
            }
            _ => method,
        }
    }
}

impl Answer {
    /// The units to plan with an offer: no verdict is given below a minimum.
    fn planned(offer: &Offer) -> u64 {
        offer.units_max.max(2 * UNITS_PER_ARM_MIN)
    }

    /// The days until so many units of two variations have come, with all others, and count.
    fn days(&self, units: u64) -> Option<u64> {
        let all = self.asked.arms.all(units);
        self.asked.units_a_day.and_then(|a_day| Some(days_for(all, a_day)? + self.asked.after_days))
    }

    /// Says what the numbers are of.
    fn of_what(&self) -> String {
        let Arms { variations, control } = self.asked.arms;
        let weights = match self.asked.arms.is_even() {
            true => format!("{} of equal weight", counted(variations.into(), "variation")),
            false => format!(
                "{} of which the control has {}",
                counted(variations.into(), "variation"),
                short_percent((control * 10_000.0).round() / 10_000.0)
            ),
        };
        let alpha = match self.asked.arms.treatments() {
            1 => "a chance of a false alarm of 5 %".to_owned(),
            treatments => format!("a chance of a false alarm of 5 % that {treatments} treatments share"),
        };
        format!(
            "For {weights} and {alpha}. Planned units are those of the control and one treatment. Expected is what it takes on the average \
             if the lift is there and the experiment stops once it is found."
        )
    }

    fn view(&self) -> AnswerView {
        let best = &self.offers[0];
        let told = |units: u64| self.days(units).map_or_else(|| NONE.into(), |days| counted(days, "day"));
        let row = |(place, offer): (usize, &Offer)| Row {
            name: self.asked.label(offer),
            most: count(self.asked.arms.all(Self::planned(offer))),
            expected: count(self.asked.arms.all(offer.units_expected)),
            days: told(Self::planned(offer)),
            days_expected: told(offer.units_expected),
            remark: match (place, offer.is_valid) {
                (0, _) => "needs the fewest",
                (_, true) => "holds too",
                (_, false) if matches!(offer.mode, Mode::Bayesian { .. }) => {
                    "a belief: bounds no false alarm"
                }
                (_, false) => "does not hold for such looks",
            },
            is_best: place == 0,
            is_valid: offer.is_valid,
        };
        let planned = Self::planned(best);
        let length = self.days(planned).map_or_else(String::new, |days| {
            format!(" That takes {} at most; whole weeks see every day alike.", counted(days, "day"))
        });
        let mut notes = vec![self.of_what()];
        if self.asked.after_days > 0 {
            notes.push(format!(
                "A visitor counts once {} have passed, which the days above hold.",
                counted(self.asked.after_days, "day")
            ));
        }
        if planned > best.units_max {
            notes.push(format!(
                "Fewer would do, but no verdict is given before each variation has {UNITS_PER_ARM_MIN} visitors."
            ));
        }
        AnswerView {
            sentence: format!(
                "Plan {} units and read results “{}”: the form below has it so, and is yours to save.{length}",
                count(planned),
                self.label
            ),
            notes,
            rows: self.offers.iter().enumerate().map(row).collect(),
        }
    }
}

/// A lift in basis points, as a definition keeps what a mixture is tuned to.
fn lift_bp(lift: f64) -> u32 {
    (lift * 10_000.0).round().clamp(1.0, 100_000.0) as u32
}

fn id(part: &str) -> String {
    format!("calculator_{part}")
}

/// Reads a number as people type it: with groups, and with a comma for the point where there is no other.
fn number(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches('%').trim_end();
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\u{a0}');
    if text.is_empty() || !text.chars().all(is_digit) {
        return None;
    }
    let plain = text.replace([' ', '\u{a0}'], "");
    let plain = match plain.rsplit_once(',') {
        Some((_, rest)) if rest.contains('.') => plain.replace(',', ""),
        // 1,234 may be a thousand and more, or little more than one: who typed it is asked again.
        Some((whole, rest)) if rest.len() == 3 && whole != "0" => return None,
        Some((whole, rest)) => format!("{}.{rest}", whole.replace('.', "")),
        None => plain,
    };
    plain.parse::<f64>().ok().filter(|number| *number <= NUMBER_MAX)
}

fn whole(text: &str) -> Option<u64> {
    let plain: String = text.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '_')).collect();
    plain.parse::<u64>().ok().filter(|number| *number as f64 <= NUMBER_MAX)
}

#[cfg(test)]
mod tests;
