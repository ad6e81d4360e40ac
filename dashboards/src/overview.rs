//! The list of experiments, and the shop's figures above it.

use experiments::interaction::Interaction;
use experiments::{Experiment, Status, Verdict};
use serde::Serialize;

use crate::figure::{count, counted};
use crate::judgement::{StatusView, VerdictView};
use crate::moment::Moment;
use crate::money::Currency;
use crate::session::{Notice, Session};
use crate::{interplay, rivalry};

mod search;

use search::Choice;
pub use search::Search;

/// Holds what the list of experiments shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// Who reads it.
    pub session: Session,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// What is looked for.
    pub search: Search,
    /// All owners and all flags, to choose from.
    pub owners: Vec<String>,
    /// See [`Overview::owners`].
    pub flags: Vec<String>,
    /// How many experiments are archived.
    pub archived: u64,
    /// The shop's figures.
    pub shop: ShopFigures,
    /// One row for each experiment; in the order of [`Status`] from running on, drafts after paused ones.
    pub experiments: Vec<ExperimentRow>,
    /// The running experiments, whatever is looked for.
    pub running: Vec<Experiment>,
    /// What they do beside each other.
    pub interactions: Vec<Interaction>,
    /// When the figures were read, Unix milliseconds UTC.
    pub as_of_ms: i64,
}

/// Sums what the shop did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopFigures {
    /// Orders placed.
    pub orders: u64,
    /// Their revenue, in the smallest unit of the currency.
    pub revenue_minor: i64,
    /// Carts ever opened.
    pub carts: u64,
    /// The shop's currency.
    pub currency: Currency,
}

/// Holds one experiment of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentRow {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub status: Status,
    /// The name of the variation that it has shipped and that everybody gets.
    pub shipped: Option<String>,
    /// Units of all its variations.
    pub units: u64,
    /// The verdict; `None` where none was computed.
    pub verdict: Option<Verdict>,
    /// The verdict in plain words ([`experiments::Analysis::sentence`]); may be empty without a verdict.
    pub sentence: String,
    /// When it started, Unix milliseconds UTC.
    pub started_at_ms: Option<i64>,
    /// What was learned from it; may be empty.
    pub learned: String,
}

#[derive(Serialize)]
struct Figure {
    name: &'static str,
    value: String,
    note: Option<String>,
}

#[derive(Serialize)]
struct Row<'a> {
    key: &'a str,
    name: &'a str,
    status: StatusView,
    shipped: Option<&'a str>,
    verdict: VerdictView,
    /// What speaks against what the verdict seems to say.
    caveat: Option<String>,
    units: String,
    started: Option<Moment>,
    learned: &'a str,
}

/// Experiments that ask the same of whoever reads the list.
#[derive(Serialize)]
struct Section<'a> {
    id: &'static str,
    heading: &'static str,
    lead: &'static str,
    /// Whether the heading is for those alone who do not see the page.
    is_plain: bool,
    rows: Vec<Row<'a>>,
}

/// Says what an experiment asks of whoever reads the list; the order is that of the page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asks {
    Decision,
    Repair,
    Patience,
    Nothing,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    summary: String,
    is_search: bool,
    q: &'a str,
    statuses: Vec<Choice>,
    owners: Vec<Choice>,
    flags: Vec<Choice>,
    archived: Option<String>,
    figures: Vec<Figure>,
    warnings: Vec<String>,
    sections: Vec<Section<'a>>,
    as_of: Moment,
}

impl Overview {
    pub(crate) fn view(&self) -> View<'_> {
        let order = |row: &&ExperimentRow| match row.status {
            Status::Running => 0,
            Status::Paused => 1,
            Status::Draft => 2,
            Status::Stopped => 3,
            Status::Archived => 4,
        };
        let mut rows: Vec<&ExperimentRow> = self.experiments.iter().collect();
        rows.sort_by_key(order);
        View {
            summary: if self.search.is_empty() { self.summary() } else { self.found() },
            is_search: !self.search.is_empty(),
            q: &self.search.q,
            statuses: self.search.statuses(),
            owners: Search::choices(&self.search.owner, &self.owners),
            flags: Search::choices(&self.search.flag, &self.flags),
            archived: (self.archived > 0).then(|| count(self.archived)),
            figures: self.shop.figures(),
            warnings: rivalry::listed(&self.running)
                .into_iter()
                .chain(interplay::listed(&self.interactions, &self.running))
                .collect(),
            sections: self.sections(&rows),
            as_of: Moment::of(self.as_of_ms),
        }
    }

    /// What needs a decision comes first, then what is broken, what runs, and the rest. What was looked for is one list.
    fn sections<'a>(&'a self, rows: &[&'a ExperimentRow]) -> Vec<Section<'a>> {
        let of = |asks: Option<Asks>| -> Vec<Row<'a>> {
            let asked = rows.iter().filter(|row| asks.is_none_or(|asks| row.asks() == asks));
            asked.map(|row| row.row()).collect()
        };
        let section = |id, heading, lead, asks| Section {
            id,
            heading,
            lead,
            is_plain: asks == Asks::Nothing && rows.iter().all(|row| row.asks() == Asks::Nothing),
            rows: of(Some(asks)),
        };
        let mut sections = if self.search.is_empty() {
            vec![
                section(
                    "decide",
                    "Needs a decision",
                    "A difference is shown, or harm: ship it, stop it, or say why it runs on.",
                    Asks::Decision,
                ),
                section(
                    "broken",
                    "Broken",
                    "Nothing can be told of these before their cause is found: every further visitor is lost to them.",
                    Asks::Repair,
                ),
                section("running", "Running", "Nothing to do but wait.", Asks::Patience),
                section("others", "Drafts and past experiments", "", Asks::Nothing),
            ]
        } else {
            vec![Section { id: "list", heading: "All experiments", lead: "", is_plain: true, rows: of(None) }]
        };
        sections.retain(|section| !section.rows.is_empty());
        sections
    }

    fn found(&self) -> String {
        format!("{} found, past ones among them", counted(self.experiments.len() as u64, "experiment"))
    }

    fn summary(&self) -> String {
        let of = |status| self.experiments.iter().filter(|row| row.status == status).count() as u64;
        let (running, drafts, stopped) = (of(Status::Running), of(Status::Draft), of(Status::Stopped));
        let paused = match of(Status::Paused) {
            0 => String::new(),
            paused => format!(" {} paused,", count(paused)),
        };
        format!(
            "{} running,{paused} {}, {} stopped",
            count(running),
            counted(drafts, "draft"),
            count(stopped)
        )
    }
}

impl ShopFigures {
    fn figures(&self) -> Vec<Figure> {
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let mean = share(1, self.orders).map(|each| self.currency.mean(self.revenue_minor as f64 * each));
        let ordered = share(self.orders, self.carts).filter(|share| *share <= 1.0);
        vec![
            Figure { name: "Carts opened", value: count(self.carts), note: None },
            Figure {
                name: "Orders",
                value: count(self.orders),
                note: ordered.map(|share| format!("{} of carts", crate::figure::percent(share))),
            },
            Figure {
                name: "Revenue",
                value: self.currency.amount(self.revenue_minor),
                note: mean.map(|mean| format!("{mean} an order")),
            },
        ]
    }
}

impl ExperimentRow {
    fn asks(&self) -> Asks {
        match (self.status, &self.verdict) {
            (Status::Draft | Status::Stopped | Status::Archived, _) => Asks::Nothing,
            (_, Some(Verdict::Better { .. } | Verdict::Worse { .. } | Verdict::Harms { .. })) => {
                Asks::Decision
            }
            (_, Some(Verdict::SampleRatioMismatch { .. } | Verdict::Withheld { .. })) => Asks::Repair,
            (Status::Running | Status::Paused, _) => Asks::Patience,
        }
    }

    fn row(&self) -> Row<'_> {
        let verdict =
            VerdictView::of(self.status, self.verdict.as_ref(), &self.sentence).without_repetition();
        Row {
            key: &self.key,
            name: &self.name,
            status: match self.shipped {
                Some(_) => StatusView::shipped(),
                None => StatusView::of(self.status),
            },
            shipped: self.shipped.as_deref(),
            caveat: verdict.caveat(),
            verdict,
            units: count(self.units),
            started: self.started_at_ms.map(Moment::of),
            learned: &self.learned,
        }
    }
}
