//! One experiment: the verdict, what it rests on, the definition, and the moves.

use experiments::interaction::Interaction;
use experiments::lifecycle::Missing;
use experiments::redraw::Epoch;
use experiments::verdict::{Comparison, Outlook, UNITS_PER_ARM_MIN, Unforeseen};
use experiments::{Analysis, Experiment, Status, Variation, Verdict};
use serde::Serialize;

use crate::edit::MetricChoice;
use crate::figure::{NONE, count, counted, short_percent};
use crate::judgement::{StatusView, VerdictView};
use crate::moment::{Moment, span};
use crate::money::Currency;
use crate::rivalry;
use crate::session::{Notice, Session};

mod beside;
mod definition;
mod flow;
mod forest;
mod history;
mod late;
mod links;
mod method;
mod over_time;
mod ramp;
mod segments;
mod split;
mod variations;
mod weights;

pub use flow::LeftOut;
pub use history::{Change, Entry, Revision, entries};
pub use late::Uncounted;
pub use links::{FreshLink, Link, Links};
pub use segments::Dimension;
pub use split::SegmentSplit;

/// Holds what the page of an experiment shows.
///
/// Its forms post `csrf`, `revision` and `reason` to `/admin/experiments/{key}/start`, `…/pause`, `…/resume`, `…/stop`,
/// `…/archive`, `…/ship/{variation}`, `…/ramp/raise`, `…/ramp/skip`, `…/learned` and, with `metric`, `…/metrics`; it links to `/admin/experiments/{key}/edit` and, once over, to `/admin/experiments/new?copy={key}`.
#[derive(Debug, Clone)]
pub struct ExperimentPage<'a> {
    /// Who reads it; `None` of a report, which is for whoever it is given to and leads nowhere.
    pub session: Option<&'a Session>,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The reason that was typed, where a form is shown again.
    pub reason: &'a str,
    /// The definition.
    pub experiment: &'a Experiment,
    /// Whether everybody gets the variation that it has shipped.
    pub is_shipped: bool,
    /// When the next step of the ramp is due, Unix milliseconds UTC; `None` while nothing is.
    pub step_due_at_ms: Option<i64>,
    /// The definition's revision, from 1.
    pub revision: u64,
    /// When the revision was saved, Unix milliseconds UTC.
    pub saved_at_ms: Option<i64>,
    /// When the experiment started.
    pub started_at_ms: Option<i64>,
    /// When it stopped.
    pub stopped_at_ms: Option<i64>,
    /// Every revision, the oldest first.
    pub history: &'a [Revision],
    /// What may be concluded; of a draft, only the definition is shown.
    pub analysis: &'a Analysis,
    /// The effect in segments.
    pub dimensions: &'a [Dimension],
    /// The split in the same segments.
    pub splits: &'a [SegmentSplit],
    /// What the rest of it is worth, while it runs, or why that is not told.
    pub outlook: Option<Result<Outlook, Unforeseen>>,
    /// The running experiments, this one among them or not.
    pub running: &'a [Experiment],
    /// What experiments do beside each other, this one among them.
    pub interactions: &'a [Interaction],
    /// Units that count nowhere, by the reason.
    pub left_out: &'a [LeftOut],
    /// Of a bandit, its epochs, the oldest first.
    pub epochs: &'a [Epoch],
    /// When its weights are drawn next, Unix milliseconds UTC.
    pub draw_due_at_ms: Option<i64>,
    /// Late metrics without numbers.
    pub uncounted: &'a [Uncounted],
    /// The shop's metrics, of which one may be added.
    pub metrics: &'a [MetricChoice],
    /// How many looks the analysis rests on.
    pub looks: u64,
    /// The address that shows each variation in the shop, in their order; may be shorter.
    pub previews: &'a [String],
    /// The links by which others read its report.
    pub links: &'a Links,
    /// The currency of revenue.
    pub currency: &'a Currency,
    /// When the figures were read, Unix milliseconds UTC.
    pub as_of_ms: i64,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
    note: Option<String>,
}

/// Is what has to be said before the start, with the field where to say it.
#[derive(Serialize)]
struct Lack {
    field: &'static str,
    words: &'static str,
}

impl Lack {
    fn of(missing: Missing) -> Lack {
        Lack { field: missing.field(), words: missing.words() }
    }
}

#[derive(Serialize)]
struct Cause {
    name: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    key: &'a str,
    name: &'a str,
    hypothesis: &'a str,
    is_aa: bool,
    missing: Vec<Lack>,
    status: StatusView,
    verdict: VerdictView,
    is_draft: bool,
    is_running: bool,
    is_paused: bool,
    is_stopped: bool,
    is_over: bool,
    learned: &'a str,
    rivals: Option<String>,
    can_start: bool,
    shipped: Option<&'a str>,
    replaced: Option<&'a str>,
    can_ship: bool,
    share_percent: String,
    reason: &'a str,
    facts: Vec<Fact>,
    causes: Vec<Cause>,
    table_note: String,
    deciding: &'a str,
    treatments: Vec<forest::Treatment<'a>>,
    segments: Vec<segments::View<'a>>,
    /// Why there are none, or whom they leave out.
    segments_note: Option<&'static str>,
    beside: Option<beside::View<'a>>,
    flow: flow::View,
    method: String,
    arms: Vec<variations::ArmView<'a>>,
    charts: Vec<over_time::Figure>,
    split: split::View<'a>,
    fixed: Vec<method::Row<'a>>,
    control: &'a str,
    level: String,
    alpha_note: String,
    sources: String,
    correction: &'static str,
    aa_note: &'static str,
    planned_units: String,
    definition: Vec<definition::Pair>,
    variations: Vec<definition::VariationView<'a>>,
    history: Vec<Entry<'a>>,
    links: links::View<'a>,
    ramp: Option<ramp::View>,
    weights: Option<weights::View<'a>>,
    late: late::View<'a>,
    revision: u64,
    saved: Option<Moment>,
    as_of: Moment,
}

impl ExperimentPage<'_> {
    pub(crate) fn view(&self) -> View<'_> {
        let (experiment, analysis) = (self.experiment, self.analysis);
        let status = experiment.status();
        let is_mismatch = self.is_mismatch();
        View {
            key: experiment.key(),
            name: experiment.name(),
            hypothesis: experiment.hypothesis(),
            is_aa: experiment.is_aa(),
            missing: experiment.missing().into_iter().map(Lack::of).collect(),
            status: if self.is_shipped { StatusView::shipped() } else { StatusView::of(status) },
            verdict: VerdictView::of(status, Some(&analysis.verdict), &analysis.sentence).headlined(status),
            is_draft: status == Status::Draft,
            is_running: status == Status::Running,
            is_paused: status == Status::Paused,
            is_stopped: status == Status::Stopped,
            is_over: status.is_over(),
            learned: experiment.learned(),
            rivals: rivalry::told(experiment, self.running),
            can_start: experiment.missing().is_empty() && experiment.check_rivals(self.running).is_ok(),
            shipped: self.shipped().filter(|_| self.is_shipped),
            replaced: self.shipped().filter(|_| !self.is_shipped),
            can_ship: !experiment.is_aa() && !experiment.is_holdout(),
            share_percent: crate::edit::percent_of(
                experiment.shipped().map_or(experiments::definition::WHOLE_BP, |shipped| shipped.share_bp),
            ),
            reason: self.reason,
            facts: self.facts(),
            causes: if is_mismatch { causes() } else { Vec::new() },
            table_note: self.table_note(),
            deciding: &analysis.primary().name,
            treatments: forest::treatments(self),
            segments: if is_mismatch { Vec::new() } else { segments::views(self) },
            segments_note: segments::note(self),
            beside: if is_mismatch { None } else { beside::view(self) },
            flow: flow::view(self),
            method: method::told(analysis, &level(analysis), experiment.draws().is_some()),
            arms: variations::arms(self),
            charts: if is_mismatch {
                Vec::new()
            } else {
                over_time::figures(analysis, experiment.draws().is_some())
            },
            split: split::view(self),
            fixed: if is_mismatch { Vec::new() } else { method::rows(analysis, self.currency) },
            control: analysis.arms.first().map_or("the control", |arm| &arm.name),
            level: level(analysis),
            alpha_note: method::promise(analysis),
            sources: method::sources(analysis),
            correction: method::correction(analysis),
            aa_note: method::of_aa(analysis.method),
            planned_units: count(analysis.planned_units),
            definition: definition::pairs(experiment),
            variations: definition::variations(experiment, self.previews),
            history: entries(self.history),
            links: links::view(self.links),
            ramp: ramp::view(self),
            weights: weights::view(self),
            late: late::view(self),
            revision: self.revision,
            saved: self.saved_at_ms.map(Moment::of),
            as_of: Moment::of(self.as_of_ms),
        }
    }

    /// Whether the numbers must not be read as a comparison at all.
    fn is_mismatch(&self) -> bool {
        self.analysis.sample_ratio.is_mismatch
            || matches!(self.analysis.verdict, Verdict::SampleRatioMismatch { .. })
    }

    /// The name of the variation that was shipped, whether or not it still is.
    fn shipped(&self) -> Option<&str> {
        let key = &self.experiment.shipped()?.variation;
        self.experiment.variations().iter().find(|one| one.key() == key).map(Variation::name)
    }

    fn facts(&self) -> Vec<Fact> {
        let units: u64 = self.analysis.arms.iter().map(|arm| arm.units).sum();
        let mut facts = vec![
            Fact { name: "Units", value: count(units), note: Some("visitors who met the difference".into()) },
            match self.experiment.draws() {
                None => Fact {
                    name: "Looks",
                    value: count(self.looks),
                    note: Some(method::looks(self.analysis.method, self.analysis.planned_units)),
                },
                Some(_) => Fact {
                    name: "Epochs",
                    value: count(self.looks),
                    note: Some("with weights of their own; look as often as you like".into()),
                },
            },
        ];
        if let Some(from_ms) = self.started_at_ms {
            let to_ms = self.stopped_at_ms.unwrap_or(self.as_of_ms);
            let name = if self.stopped_at_ms.is_some() { "Ran for" } else { "Running for" };
            let dates = match self.stopped_at_ms {
                Some(to_ms) => format!("{} to {}", Moment::of(from_ms).date, Moment::of(to_ms).date),
                None => format!("since {}", Moment::of(from_ms).date),
            };
            let note = match self.experiment.planned_days() {
                Some(days) => format!("{dates}; planned: {}", counted(days.into(), "day")),
                None => dates,
            };
            facts.push(Fact { name, value: span(from_ms, to_ms), note: Some(note) });
        }
        facts.extend(self.outlook.map(|outlook| self.days_left(outlook)));
        facts.push(Fact {
            name: "Decided by",
            value: self.analysis.primary().name.clone(),
            note: Some(method::false_alarms(self.analysis.method, self.analysis.alpha)),
        });
        facts
    }

    /// When as much is known as was planned, and what that finds.
    fn days_left(&self, outlook: Result<Outlook, Unforeseen>) -> Fact {
        let outlook = match outlook {
            Ok(outlook) => outlook,
            Err(why) => {
                return Fact { name: "Days left", value: "Not told yet".into(), note: Some(why.to_string()) };
            }
        };
        let of_one = outlook.treatment.and_then(|treatment| self.analysis.arms.get(treatment));
        let (planned, a_day) = (count(outlook.planned_units), count(outlook.units_a_day));
        let (value, until) = match (outlook.days_left, of_one) {
            (Some(0), None) => ("None".into(), "the planned units have come".to_owned()),
            (Some(0), Some(arm)) => ("None".into(), format!("{} is known as well as planned", arm.name)),
            (Some(days), None) => (
                format!("About {}", counted(days, "day")),
                format!("until the {planned} planned units, at {a_day} visitors a day"),
            ),
            (Some(days), Some(arm)) => (
                format!("About {}", counted(days, "day")),
                format!(
                    "until {} is known as well as planned, at {a_day} visitors a day and these weights",
                    arm.name
                ),
            ),
            (None, _) => (NONE.into(), "nobody came in the last days".into()),
        };
        let when = if outlook.days_left == Some(0) { "now" } else { "then" };
        let lift = outlook
            .detectable
            .map(|lift| format!("; a lift of {} is found {when} in four of five cases", percent_of(lift)));
        Fact { name: "Days left", value, note: Some(until + &lift.unwrap_or_default()) }
    }

    fn table_note(&self) -> String {
        if self.is_mismatch() {
            return "Counts only. Comparisons are withheld while the split is wrong, because the missing visitors are \
                    rarely like the others."
                .into();
        }
        let preliminary = match self.analysis.verdict {
            Verdict::TooFew { .. } => format!(
                " They are preliminary while there is too little data, and are not shown at all before each of two \
                 variations has {UNITS_PER_ARM_MIN} units."
            ),
            _ => String::new(),
        };
        let is_within = |comparison: &Comparison| comparison.adjusted_by.strata;
        let adjusted = match self
            .experiment
            .strata()
            .filter(|_| self.analysis.comparisons.iter().any(is_within))
        {
            Some(name) => {
                format!(" Adjusted by {}: variations are compared within its values.", name.replace('_', " "))
            }
            None => String::new(),
        };
        let control = self.analysis.arms.first().map_or("the control", |arm| &arm.name);
        if let Verdict::NotRead { .. } = self.analysis.verdict {
            return format!("Lifts relative to {control} are not read before the planned look.");
        }
        let intervals = method::intervals(self.analysis.method, &level(self.analysis));
        format!("Lifts are relative to {control} and stand with their {intervals}.{adjusted}{preliminary}")
    }
}

/// A lift without its sign, to a tenth of a percent.
fn percent_of(lift: f64) -> String {
    short_percent((lift * 1_000.0).round() / 1_000.0)
}

/// How often an interval holds, for titles: `95 %`.
fn level(analysis: &Analysis) -> String {
    short_percent(1.0 - analysis.alpha_per_comparison)
}

fn causes() -> Vec<Cause> {
    let cause = |name, text| Cause { name, text };
    vec![
        cause(
            "One variation fails or is slow.",
            "Visitors who leave before the page is drawn are never counted. Compare errors and load times of the variations.",
        ),
        cause(
            "The exposure is logged in different places.",
            "It must be logged at the same moment of the visit in each variation, where the difference first shows.",
        ),
        cause(
            "Redirects or caches.",
            "A redirect loses some visitors on the way; a cache shows one variation’s page to all.",
        ),
        cause(
            "Robots.",
            "A crawler or a monitor that meets one variation only, or drops its cookies on each visit.",
        ),
        cause(
            "The weights or the seed were changed outside this page.",
            "Units of two different splits then stand in one table.",
        ),
    ]
}
