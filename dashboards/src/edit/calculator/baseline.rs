//! What is known of the metric that decides, whatever its kind, and of the variations that share the visitors.

use experiments::definition::VARIATIONS_MAX;
use experiments::power::Baseline;

use super::{Calculator, number, whole};

pub(super) const SHARE: &str = "share";
pub(super) const RETENTION: &str = "retention";
pub(super) const MEAN: &str = "mean";
pub(super) const COUNT: &str = "count";
pub(super) const RATIO: &str = "ratio";
pub(super) const QUANTILE: &str = "quantile";

/// How far below the percentile the second value lies that tells how dense events are there, as a share of all events.
const STEP: f64 = 0.05;

/// The kinds of metrics, in words.
pub(super) const KINDS: [(&str, &str); 6] = [
    (SHARE, "A share of the visitors, such as conversion"),
    (MEAN, "A sum for each visitor, such as revenue"),
    (COUNT, "How often a visitor does something"),
    (RATIO, "One sum over another, such as order value or errors by pages"),
    (QUANTILE, "A percentile of all events, such as the slowest tenth of pages"),
    (RETENTION, "A share who come back, some days later"),
];

/// Notes a mistake at a field.
pub(super) type Wrong<'a> = &'a mut dyn FnMut(&str, &str);

/// How the visitors are shared out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Arms {
    pub variations: u32,
    /// The control's share of all visitors; the treatments have equal parts of the rest.
    pub control: f64,
}

impl Arms {
    /// The treatments, of which each is compared with the control.
    pub fn treatments(self) -> u32 {
        self.variations - 1
    }

    fn treatment(self) -> f64 {
        (1.0 - self.control) / f64::from(self.treatments())
    }

    /// A treatment's share of the visitors of the two that are compared.
    pub fn treatment_share(self) -> f64 {
        self.treatment() / (self.control + self.treatment())
    }

    /// The visitors of all variations, given those of the control and one treatment.
    pub fn all(self, of_two: u64) -> u64 {
        (of_two as f64 / (self.control + self.treatment()) - 1e-6).ceil().max(0.0) as u64
    }

    pub fn is_even(self) -> bool {
        (self.treatment() - self.control).abs() < 1e-9
    }
}

impl Calculator {
    pub(super) fn arms(&self, wrong: Wrong<'_>) -> Option<Arms> {
        let most = VARIATIONS_MAX as u32;
        let variations = whole(&self.variations).and_then(|count| u32::try_from(count).ok());
        let variations = variations.filter(|count| (2..=most).contains(count));
        if variations.is_none() {
            wrong("variations", &format!("The variations must be from 2 to {most}, the control among them."));
        }
        let control = match self.control.as_str() {
            "" => variations.map(|count| 1.0 / f64::from(count)),
            text => number(text).map(|percent| percent / 100.0).filter(|share| *share > 0.0 && *share < 1.0),
        };
        if control.is_none() && !self.control.is_empty() {
            wrong("control", "The control's share must be above 0 and below 100 %, or empty.");
        }
        Some(Arms { variations: variations?, control: control? })
    }

    /// Reads what visitors do today, with the noise that what they did before takes out of it.
    pub(super) fn baseline(&self, lift: Option<f64>, wrong: Wrong<'_>) -> Option<Baseline> {
        let baseline = match self.kind.as_str() {
            MEAN => self.of_mean(wrong),
            COUNT => self.of_count(wrong),
            RATIO => self.of_ratio(wrong),
            QUANTILE => self.of_quantile(wrong),
            _ => self.of_share(lift, wrong),
        };
        if !matches!(self.kind.as_str(), SHARE | MEAN | COUNT) || self.correlation.is_empty() {
            return baseline;
        }
        let correlation = number(&self.correlation).map(|percent| percent / 100.0).filter(|c| *c <= 0.99);
        if correlation.is_none() {
            wrong("correlation", "The correlation must be a number from 0 to 99 %, or empty.");
        }
        baseline?.adjusted(correlation?)
    }

    fn of_share(&self, lift: Option<f64>, wrong: Wrong<'_>) -> Option<Baseline> {
        let rate = number(&self.rate).map(|rate| rate / 100.0);
        let baseline = rate.and_then(Baseline::proportion);
        if baseline.is_none() {
            wrong("rate", "The rate must be a number above 0 and below 100 %, such as 3.4.");
        } else if rate.zip(lift).is_some_and(|(rate, lift)| rate * (1.0 + lift) >= 1.0) {
            wrong(
                "lift",
                "With this lift more than 100 % of the visitors would count: ask for a smaller one.",
            );
        }
        baseline
    }

    fn value(&self, wrong: Wrong<'_>) -> Option<f64> {
        let mean = number(&self.mean).filter(|mean| *mean > 0.0);
        if mean.is_none() {
            wrong("mean", "The value must be a number above 0, such as 2.50.");
        }
        mean
    }

    fn deviation(&self, wrong: Wrong<'_>) -> Option<f64> {
        let deviation = number(&self.deviation).filter(|deviation| *deviation > 0.0);
        if deviation.is_none() {
            wrong("deviation", "The standard deviation must be a number above 0, such as 12.");
        }
        deviation
    }

    /// Events of one visitor; more of them know a ratio or a percentile better.
    fn events(&self, wrong: Wrong<'_>) -> Option<f64> {
        let events = number(&self.events).filter(|events| *events > 0.0);
        if events.is_none() {
            wrong(
                "events",
                "The events of a visitor must be a number above 0, such as 0.04 orders or 6 pages.",
            );
        }
        events
    }

    fn of_mean(&self, wrong: Wrong<'_>) -> Option<Baseline> {
        let (mean, deviation) = (self.value(wrong), self.deviation(wrong));
        Baseline::mean(mean?, deviation?.powi(2))
    }

    /// Counts that nobody has measured vary as much as their mean (Poisson).
    fn of_count(&self, wrong: Wrong<'_>) -> Option<Baseline> {
        let mean = self.value(wrong);
        match self.deviation.as_str() {
            "" => mean.and_then(|mean| Baseline::mean(mean, mean)),
            _ => Baseline::mean(mean?, self.deviation(wrong)?.powi(2)),
        }
    }

    /// By the delta method (M − r·D)/D̄ has the variance of one event over the events of a visitor, where events do not depend on
    /// each other.
    fn of_ratio(&self, wrong: Wrong<'_>) -> Option<Baseline> {
        let (mean, deviation, events) = (self.value(wrong), self.deviation(wrong), self.events(wrong));
        Baseline::mean(mean?, deviation?.powi(2) / events?)
    }

    /// The density of events at the percentile is told by the value a little below it.
    fn of_quantile(&self, wrong: Wrong<'_>) -> Option<Baseline> {
        let (value, events) = (self.value(wrong), self.events(wrong));
        let level = number(&self.level).map(|level| level / 100.0);
        let level = level.filter(|level| *level > STEP && *level < 1.0);
        if level.is_none() {
            wrong("level", "The percentile must be above 5 and below 100, such as 90.");
        }
        let below = number(&self.below);
        let step = value.zip(below).map(|(value, below)| value - below).filter(|step| *step > 0.0);
        if value.is_some() && step.is_none() {
            wrong("below", "The value five points lower must be a number below that of today.");
        }
        Baseline::quantile(level?, value?, STEP / step?, 1.0 / events?)
    }
}
