//! Results out of the house: an experiment's page as one file, its numbers as CSV and as JSON.
//!
//! Each format is made here, once: the doors of the dashboards and the command line both ask [`Report::written`].

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header,
    web::{Data, Path},
};
use clap::ValueEnum;
use dashboards::{
    Currency, Dimension, ExperimentPage, LeftOut, Links, Pages, Revision, SegmentSplit, Uncounted,
};
use experiments::{
    Analysis, ArmSums, Experiment, Status, Verdict,
    definition::Correction,
    guardrail::Standing,
    interaction::Interaction,
    interval::Estimate,
    metric::Format as Unit,
    redraw::Epoch,
    verdict::{Comparison, MetricSummary, MetricValue, Outlook, Segments, Unforeseen},
};
use serde::Serialize;
use serde_json::Value;

use super::{
    experiments::{currency, found_in, shipped_on},
    login::SignedIn,
    page_fault,
};
use crate::{
    bandits::epoch_since_ms,
    clock,
    definitions::Definitions,
    experiment_metrics::ExperimentMetrics,
    problem::{Kind, Problem},
    results::{self, Results},
    revisions::{self, first, step_due_at_ms},
    shop::Shop,
    store::{Store, StoredExperiment},
};

/// What a report's own style needs, and nothing else, where it is shown at our address after all.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'; sandbox";

/// A report leads nowhere.
static NO_LINKS: Links = Links { living: vec![], fresh: None };

/// The columns of the CSV.
const COLUMNS: [&str; 27] = [
    "experiment",
    "variation",
    "metric",
    "role",
    "unit",
    "control_units",
    "treatment_units",
    "control_active",
    "treatment_active",
    "control_value",
    "treatment_value",
    "lift",
    "lift_lower",
    "lift_upper",
    "lift_standard_error",
    "p",
    "p_corrected",
    "correction",
    "difference",
    "difference_lower",
    "difference_upper",
    "difference_standard_error",
    "significant",
    "guardrail",
    "variance_left",
    "verdict",
    "as_of_ms",
];

/// Is a way to write what an experiment has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A page of its own, to read.
    Html,
    /// A row for each treatment and metric.
    Csv,
    /// Everything that is known.
    Json,
}

impl Format {
    fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }
}

/// Holds everything that is known of an experiment at one moment.
pub struct Report {
    experiment: Experiment,
    stored: StoredExperiment,
    is_shipped: bool,
    history: Vec<Revision>,
    running: Vec<Experiment>,
    interactions: Vec<Interaction>,
    results: Results,
    currency: Currency,
    as_of_ms: i64,
}

impl Report {
    /// Reads what is known of the experiment of a key.
    ///
    /// # Errors
    /// [`Kind::UnknownExperiment`], and as [`results::from`].
    pub async fn of(
        store: &dyn Store,
        definitions: &Definitions,
        metrics: &ExperimentMetrics,
        currency: Currency,
        key: &str,
    ) -> Result<Self, Problem> {
        let (experiment, stored) = found_in(definitions, key)?;
        Ok(Self {
            results: results::from(store, metrics, &experiment).await?,
            history: revisions::from(store, key).await?,
            running: definitions.running(),
            interactions: results::shared::of(store, metrics, definitions, Some(key)).await?,
            is_shipped: shipped_on(&experiment, definitions).is_some(),
            experiment,
            stored,
            currency,
            as_of_ms: clock::now_ms(),
        })
    }

    /// Returns the revisions, the oldest first.
    pub fn history(&self) -> &[Revision] {
        &self.history
    }

    /// Returns the definition.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// Returns the page that shows it, as a report.
    pub fn page(&self) -> ExperimentPage<'_> {
        ExperimentPage {
            session: None,
            notice: None,
            reason: "",
            experiment: &self.experiment,
            is_shipped: self.is_shipped,
            step_due_at_ms: step_due_at_ms(&self.experiment, &self.history),
            revision: self.stored.revision,
            saved_at_ms: Some(self.stored.saved_at_ms),
            started_at_ms: self.started_at_ms(),
            stopped_at_ms: self.stopped_at_ms(),
            history: &self.history,
            analysis: &self.results.analysis,
            dimensions: &self.results.dimensions,
            running: &self.running,
            interactions: &self.interactions,
            left_out: &self.results.left_out,
            splits: &self.results.splits,
            outlook: self.results.outlook,
            epochs: &self.results.epochs,
            draw_due_at_ms: epoch_since_ms(&self.history)
                .and_then(|at_ms| self.experiment.draw_due_at_ms(at_ms)),
            uncounted: &self.results.uncounted,
            metrics: &[],
            looks: self.results.looks,
            previews: &[],
            links: &NO_LINKS,
            currency: &self.currency,
            as_of_ms: self.as_of_ms,
        }
    }

    /// Writes it in a format.
    ///
    /// # Errors
    /// [`Kind::NothingToReport`] of a draft, and [`Kind::PageFault`] where it cannot be written.
    pub fn written(&self, format: Format, pages: &Pages) -> Result<String, Problem> {
        if !self.experiment.status().has_started() {
            let key = self.experiment.key();
            return Err(Problem::new(
                Kind::NothingToReport,
                format!("experiment {key} is a draft, so there are no numbers yet: start it first"),
            ));
        }
        match format {
            Format::Html => pages.experiment(&self.page()).map_err(|error| page_fault(&error)),
            Format::Csv => self.csv().map_err(|error| page_fault(&error)),
            Format::Json => serde_json::to_string_pretty(&self.json())
                .map(|text| text + "\n")
                .map_err(|error| page_fault(&error)),
        }
    }

    fn started_at_ms(&self) -> Option<i64> {
        first(&self.history, |status| status == Status::Running)
    }

    fn stopped_at_ms(&self) -> Option<i64> {
        first(&self.history, Status::is_over)
    }

    fn json(&self) -> Whole<'_> {
        let Results { analysis, looks, left_out, dimensions, splits, outlook, epochs, uncounted } =
            &self.results;
        Whole {
            experiment: self.experiment.to_value(),
            revision: self.stored.revision,
            started_at_ms: self.started_at_ms(),
            stopped_at_ms: self.stopped_at_ms(),
            as_of_ms: self.as_of_ms,
            currency: self.currency.code(),
            looks: *looks,
            left_out,
            splits,
            outlook: outlook.and_then(Result::ok),
            outlook_withheld: outlook.and_then(Result::err),
            epochs: self.epochs(epochs),
            uncounted,
            analysis,
            segments: dimensions.iter().map(Segmented::of).collect(),
            interactions: self
                .interactions
                .iter()
                .filter(|one| one.experiment == self.experiment.key())
                .collect(),
        }
    }

    /// The epochs of a bandit: weights, and whom they assigned.
    fn epochs(&self, epochs: &[Epoch]) -> Vec<Told> {
        let told = |epoch: &Epoch| Told {
            until_ms: epoch.until_ms,
            weights_bp: epoch.weights_bp.clone(),
            units: epoch.arms.iter().map(ArmSums::units).collect(),
        };
        epochs.iter().map(told).collect()
    }

    /// Writes a row for each treatment and metric, with a header, as RFC 4180 has it; what cannot be told is left empty.
    fn csv(&self) -> Result<String, CsvError> {
        table(&COLUMNS, self.results.analysis.comparisons.iter().map(|comparison| self.row(comparison)))
    }

    fn row(&self, comparison: &Comparison) -> [String; COLUMNS.len()] {
        let analysis = &self.results.analysis;
        let (control, treatment) = (&analysis.arms[0], &analysis.arms[comparison.variation]);
        let metric = &analysis.metrics[comparison.metric];
        let (of_control, of_treatment) =
            (&control.values[comparison.metric], &treatment.values[comparison.metric]);
        // Where the split is wrong the page compares nothing, and neither does a spreadsheet.
        let is_told = !analysis.sample_ratio.is_mismatch;
        let [lift, difference] = [comparison.lift, comparison.difference].map(|e| e.filter(|_| is_told));
        let part = |of: &Option<Estimate>, part: fn(&Estimate) -> f64| number(of.as_ref().map(part));
        let p = lift.or(difference).map(|estimate| estimate.p);
        [
            self.experiment.key().to_owned(),
            treatment.key.clone(),
            metric.key.clone(),
            role(metric).to_owned(),
            self.unit(metric),
            control.units.to_string(),
            treatment.units.to_string(),
            of_control.active.to_string(),
            of_treatment.active.to_string(),
            value(of_control),
            value(of_treatment),
            part(&lift, |e| e.value),
            part(&lift, |e| e.lower),
            part(&lift, |e| e.upper),
            part(&lift, |e| e.standard_error),
            number(p),
            number(comparison.adjusted_p.filter(|_| is_told)),
            corrected_by(analysis, comparison).to_owned(),
            part(&difference, |e| e.value),
            part(&difference, |e| e.lower),
            part(&difference, |e| e.upper),
            part(&difference, |e| e.standard_error),
            if is_told { comparison.is_significant.to_string() } else { String::new() },
            comparison
                .guardrail
                .filter(|_| is_told)
                .map_or_else(String::new, |g| standing(g.standing).to_owned()),
            number(comparison.variance_left),
            name_of(&analysis.verdict),
            self.as_of_ms.to_string(),
        ]
    }

    /// What values and differences of a metric are counted in.
    fn unit(&self, metric: &MetricSummary) -> String {
        match metric.format {
            Unit::Number => "number".into(),
            Unit::Share => "share".into(),
            Unit::Money => format!("{} minor units", self.currency.code()),
            Unit::Milliseconds => "milliseconds".into(),
        }
    }
}

/// The shape of the JSON.
#[derive(Serialize)]
struct Whole<'a> {
    experiment: Value,
    revision: u64,
    started_at_ms: Option<i64>,
    stopped_at_ms: Option<i64>,
    as_of_ms: i64,
    currency: &'a str,
    looks: u64,
    left_out: &'a [LeftOut],
    splits: &'a [SegmentSplit],
    outlook: Option<Outlook>,
    /// Why nothing is foretold of a bandit.
    #[serde(skip_serializing_if = "Option::is_none")]
    outlook_withheld: Option<Unforeseen>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    epochs: Vec<Told>,
    /// Metrics that were added after the start and have no numbers.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    uncounted: &'a [Uncounted],
    analysis: &'a Analysis,
    segments: Vec<Segmented<'a>>,
    /// What it does beside other experiments.
    interactions: Vec<&'a Interaction>,
}

/// An epoch of a bandit, as JSON has it.
#[derive(Serialize)]
struct Told {
    until_ms: Option<i64>,
    weights_bp: Vec<u32>,
    units: Vec<u64>,
}

#[derive(Serialize)]
struct Segmented<'a> {
    name: &'a str,
    treatments: &'a [Segments],
}

impl<'a> Segmented<'a> {
    fn of(dimension: &'a Dimension) -> Self {
        Self { name: &dimension.name, treatments: &dimension.segments }
    }
}

/// Writes a table with a header, as RFC 4180 has it.
///
/// # Errors
/// Where it cannot be written.
pub(super) fn table<R>(columns: &[&str], rows: impl IntoIterator<Item = R>) -> Result<String, CsvError>
where
    R: IntoIterator<Item = String>,
{
    let mut file = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    file.write_record(columns)?;
    for row in rows {
        file.write_record(row)?;
    }
    let bytes = file.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8(bytes)?)
}

/// Says why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// A record does not fit.
    #[error(transparent)]
    Record(#[from] csv::Error),
    /// There is no room.
    #[error(transparent)]
    Write(#[from] std::io::Error),
    /// It is no text.
    #[error(transparent)]
    Text(#[from] std::string::FromUtf8Error),
}

fn value(of: &MetricValue) -> String {
    number(of.value)
}

/// Writes a number in full, without grouping; nothing where there is none.
fn number(number: Option<f64>) -> String {
    number.filter(|number| number.is_finite()).map_or_else(String::new, |number| number.to_string())
}

fn role(metric: &MetricSummary) -> &'static str {
    match (metric.is_primary, metric.is_guardrail) {
        (true, _) => "decides",
        (false, true) => "guardrail",
        (false, false) if metric.added_at_ms.is_some() => "added_after_start",
        (false, false) => "reported",
    }
}

/// How the corrected p-value is; one of the metric that decides, for the number of treatments.
fn corrected_by(analysis: &Analysis, comparison: &Comparison) -> &'static str {
    match analysis.correction {
        _ if comparison.is_primary => "bonferroni",
        Correction::Holm => "holm",
        Correction::BenjaminiHochberg if analysis.method.is_anytime() => "e_benjamini_hochberg",
        Correction::BenjaminiHochberg => "benjamini_hochberg",
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Safe => "safe",
        Standing::Harmed => "harmed",
        Standing::WorseWithinMargin => "worse_within_margin",
        Standing::Equivalent => "equivalent",
        Standing::Unclear => "unclear",
        Standing::Unreadable => "unreadable",
    }
}

/// The name of a verdict, as JSON has it.
fn name_of(verdict: &Verdict) -> String {
    let verdict = serde_json::to_value(verdict).unwrap_or_default();
    verdict["kind"].as_str().unwrap_or_default().to_owned()
}

/// `GET /admin/experiments/{key}/report`.
pub(super) async fn html(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    _: SignedIn,
) -> Result<HttpResponse, Problem> {
    answer(&shop, &pages, &key, Format::Html, Some("report.html")).await
}

/// `GET /admin/experiments/{key}/results.csv`.
pub(super) async fn csv(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    _: SignedIn,
) -> Result<HttpResponse, Problem> {
    answer(&shop, &pages, &key, Format::Csv, Some("results.csv")).await
}

/// `GET /admin/experiments/{key}/results.json`.
pub(super) async fn json(
    shop: Data<Shop>,
    pages: Data<Pages>,
    key: Path<String>,
    _: SignedIn,
) -> Result<HttpResponse, Problem> {
    answer(&shop, &pages, &key, Format::Json, None).await
}

/// Answers an experiment in a format, as a file to keep where a name for it is given.
async fn answer(
    shop: &Shop,
    pages: &Pages,
    key: &str,
    format: Format,
    file: Option<&str>,
) -> Result<HttpResponse, Problem> {
    shop.definitions.refresh(&*shop.store).await?;
    let definitions = shop.definitions.get();
    let metrics = &shop.experiment_metrics;
    let report = Report::of(&*shop.store, &definitions, metrics, currency(shop), key).await?;
    let text = report.written(format, pages)?;
    let mut answer = headed(format);
    if let Some(file) = file {
        attach(&mut answer, key, file);
    }
    Ok(answer.body(text))
}

/// Begins an answer in a format.
pub(super) fn headed(format: Format) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(format.content_type())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    answer
}

/// Makes an answer a file to keep. A key is made of letters, digits, - _ and . alone.
pub(super) fn attach(answer: &mut HttpResponseBuilder, key: &str, file: &str) {
    let name = format!("attachment; filename=\"{key}-{file}\"");
    answer.insert_header((header::CONTENT_DISPOSITION, name));
}
