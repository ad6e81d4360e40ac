//! Learning from baskets.

use recommender::{
    Task,
    basket::{
        BasketModel, Fame, PastBaskets, Signals,
        features::{self, WIDTH},
    },
    lists::Lists,
    ranker::Ranker,
    tally::keep_best,
};

use serde::{Deserialize, Serialize};

use crate::{
    DAY_MS,
    company::{self, Occurrences, Rows},
    draw::mix,
    linear::{self, Doubt},
    log::Slice,
    names,
    teach::{self, Question, boost::Growth, table::Table},
    vectors,
};

/// Says how a basket model is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The days after which a basket counts 1/e.
    pub days: f32,
    /// A basket of `n` items counts `n` to the power of minus this.
    pub length_power: f32,
    /// How the linear models doubt.
    pub doubt: Doubt,
    /// The numbers of an item's vector.
    pub dimensions: usize,
    /// How many slices, the latest, teach the rankers.
    pub slices: usize,
    /// The most items that are hidden, one at a time, from one basket of a slice.
    pub hidden: usize,
    /// How trees are grown; none for a weighted sum alone.
    pub growth: Option<Growth>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            days: 260.0,
            length_power: 0.5,
            doubt: Doubt::default(),
            dimensions: 48,
            slices: 5,
            hidden: 12,
            growth: Some(Growth { trees: 220, leaves: 15, rate: 0.07, ..Growth::default() }),
        }
    }
}

/// The days after which a basket counts 1/e for what is bought together of late, and for the linear model of late.
const LATE_DAYS: f32 = 30.0;
const LINEAR_LATE_DAYS: f32 = 45.0;

/// The ridge of the linear model of late, to that of the whole: fewer baskets leave more doubt.
const LATE_RIDGE: f32 = 4.0;

/// The days after which an order counts 1/e in an item's fame.
const FAME_DAYS: [f32; 3] = [90.0, 20.0, 5.0];

/// How much less a popular item is worth as company: a power of its orders.
const POPULARITY_POWER: f32 = 0.1;

/// Entries kept per list.
const KEPT: usize = 200;
const LATE_KEPT: usize = 120;
const NAMES_KEPT: usize = 60;
const COMPANY_KEPT: usize = 400;
const POPULAR_KEPT: usize = 400;

/// A basket of more items, such as a bot's or a wholesaler's whole range, says nothing of any two of them.
const ENTRY_MAX: usize = 500;

/// The baskets that all slices hold together, and the least and the most that one is of all: with too few the rankers
/// learn nothing, and with a long slice the lists that they learn with are too old.
const BASKETS: f64 = 4_000.0;
const PART_MIN: f64 = 0.02;
const PART_MAX: f64 = 0.1;

/// The parts of what is known of a candidate, by how the names of their features begin.
const PARTS: [(&str, &[&str]); 7] = [
    ("without linear", &["linear"]),
    ("without together", &["together", "items bought together", "part of items"]),
    ("without names", &["names"]),
    ("without codes", &["codes"]),
    ("without past", &["past baskets"]),
    ("without vectors", &["cosine"]),
    ("without orders", &["orders", "age", "length", "least orders", "late orders"]),
];

/// Learns a basket model: the rankers from questions of the latest slices, each with lists of what came before it (or of
/// all others, where time does not tell), then the lists of all.
pub fn learn(baskets: Slice<'_>, settings: Settings) -> BasketModel {
    let facts = Facts::of(baskets);
    let [completion, together] = taught(baskets, &facts, settings)
        .map(|teaching| teach::ranker(&teaching.into_table(), &features::FEATURES, settings.growth));
    BasketModel { signals: signals(baskets, &facts, settings), completion, together }
}

/// Learns the rankers anew, that of whole baskets and that of one item, without each part of what they know of candidates; these
/// are found as ever.
pub fn ablated(baskets: Slice<'_>, settings: Settings) -> Vec<(&'static str, [Ranker; 2])> {
    let [mut completion, mut together] =
        taught(baskets, &Facts::of(baskets), settings).map(Teaching::into_table);
    teach::parts(&features::FEATURES, &PARTS, |features| {
        [&mut completion, &mut together].map(|table| {
            table.without(features, |table| teach::ranker(table, &features::FEATURES, settings.growth))
        })
    })
}

/// Asks the latest slices, each with lists of what came before it.
fn taught(baskets: Slice<'_>, facts: &Facts, settings: Settings) -> [Teaching; 2] {
    let mut tasks = [Task::Loo, Task::Fbt].map(|task| Teaching { task, table: None });
    let part =
        (BASKETS / settings.slices.max(1) as f64 / baskets.len().max(1) as f64).clamp(PART_MIN, PART_MAX);
    for slice in (0..settings.slices).rev() {
        let from = |slice: usize| (baskets.len() as f64 * (1.0 - part * slice as f64)) as usize;
        let asked = from(slice + 1)..from(slice);
        // Where time does not tell baskets apart, those behind a slice teach as much about it as those before.
        let turned = baskets.is_timeless().then(|| baskets.with_last(asked.clone()));
        let (all, asked) = match &turned {
            Some(turned) => (turned.all(), turned.len() - asked.len()..turned.len()),
            None => (baskets, asked),
        };
        let (early, late) = (all.part(0..asked.start), all.part(asked));
        if early.is_empty() || late.is_empty() {
            continue;
        }
        let signals = signals(early, facts, settings);
        tasks.iter_mut().for_each(|teaching| teaching.add(&signals, late, settings.hidden));
    }
    tasks
}

/// What a ranker has been taught so far.
struct Teaching {
    task: Task,
    table: Option<Table>,
}

impl Teaching {
    fn add(&mut self, signals: &Signals, late: Slice<'_>, hidden: usize) {
        let questions = questions(self.task, late, hidden, |item| signals.fame[item as usize].age > 0.0);
        let find = |given: &[u32], scratch: &mut features::Scratch, found: &mut _| {
            signals.candidates(given, recommender::basket::CANDIDATES, scratch, found);
        };
        teach::fill(&mut self.table, WIDTH, &questions, || signals.scratch(), find);
    }

    fn into_table(self) -> Table {
        self.table.unwrap_or_else(|| Table::new(WIDTH, std::iter::empty()))
    }
}

/// Returns questions of baskets, up to `most` of each, of items that are known. What is hidden is drawn by a hash of
/// basket and item: the same every time.
pub fn questions(
    task: Task,
    baskets: Slice<'_>,
    most: usize,
    is_known: impl Fn(u32) -> bool,
) -> Vec<Question> {
    let mut questions = Vec::new();
    for (number, (_, entry)) in baskets.entries().enumerate() {
        let known: Vec<u32> = entry.iter().copied().filter(|&item| is_known(item)).take(ENTRY_MAX).collect();
        if known.len() < 2 {
            continue;
        }
        let entry = number as u32;
        let mut drawn = known.clone();
        drawn.sort_by_key(|&item| mix((number as u64) << 32 | u64::from(item)));
        match task {
            Task::Loo => questions.extend(drawn.iter().take(most).map(|&right| {
                let given = known.iter().copied().filter(|&item| item != right).collect();
                Question { given, right, entry }
            })),
            Task::Fbt => questions.extend(drawn.windows(2).take(most).map(|two| Question {
                given: vec![two[0]],
                right: two[1],
                entry,
            })),
            // Baskets are not asked what is viewed.
            Task::Session | Task::After => {}
        }
    }
    questions
}

/// What the catalogue knows.
pub struct Facts {
    alike: Rows,
    codes: Rows,
}

impl Facts {
    fn of(baskets: Slice<'_>) -> Self {
        Self { alike: names::alike(baskets.log()), codes: names::neighbouring(baskets.log()) }
    }
}

/// Learns all that candidates are found and judged by.
pub fn signals(baskets: Slice<'_>, facts: &Facts, settings: Settings) -> Signals {
    let (_, now) = baskets.span_ms();
    let worth = |days: f32, power: f32| -> Vec<f32> {
        let worth = |(at, entry): (i64, &[u32])| {
            let by_age = (-((now - at) as f32) / DAY_MS / days).exp();
            let is_sound = entry.len() <= ENTRY_MAX;
            if is_sound { by_age * (entry.len().max(1) as f32).powf(-power) } else { 0.0 }
        };
        baskets.entries().map(worth).collect()
    };
    let whole = worth(settings.days, settings.length_power);
    let late_doubt = Doubt { ridge: settings.doubt.ridge * LATE_RIDGE, ..settings.doubt };
    let linear = |worth: &[f32], doubt: Doubt| {
        company::lists(&linear::rows(baskets, worth, &facts.alike, &facts.codes, doubt), usize::MAX)
    };
    let places = Occurrences::of(baskets);
    let by_age = worth(settings.days, 0.0);
    let fame = fame(baskets);
    Signals {
        linear: linear(&whole, settings.doubt),
        linear_late: linear(&worth(LINEAR_LATE_DAYS, settings.length_power), late_doubt),
        together: together(baskets, &places, &whole, KEPT),
        together_late: together(baskets, &places, &worth(LATE_DAYS, settings.length_power), LATE_KEPT),
        names: company::lists(&facts.alike, NAMES_KEPT),
        codes: company::lists(&facts.codes, usize::MAX),
        past: PastBaskets::new(fame.len(), by_age.into_iter().zip(baskets.entries().map(|(_, entry)| entry))),
        popular: popular(&fame),
        vectors: vectors::vectors(
            &company(baskets, &places, &worth(settings.days, 1.0)),
            settings.dimensions,
        ),
        fame,
    }
}

fn company(baskets: Slice<'_>, places: &Occurrences, worth: &[f32]) -> Rows {
    company::rows(baskets, places, usize::MAX, COMPANY_KEPT, |basket, _| worth[basket], |_, _, sum| sum)
}

/// Returns what is bought with an item: the part of its baskets, with as much doubt as one basket, and less for what is
/// bought with everything.
fn together(baskets: Slice<'_>, places: &Occurrences, worth: &[f32], most: usize) -> Lists {
    let sums: Vec<f32> = (0..baskets.log().items().len() as u32)
        .map(|item| places.places(item).iter().map(|place| worth[place.0 as usize]).sum())
        .collect();
    let part = |item: u32, other: u32, sum: f32| {
        sum / (sums[item as usize] + 1.0) / (sums[other as usize] + 0.1).powf(POPULARITY_POWER)
    };
    company::lists(&company::rows(baskets, places, usize::MAX, most, |basket, _| worth[basket], part), most)
}

fn fame(baskets: Slice<'_>) -> Vec<Fame> {
    let log = baskets.log();
    let (_, now) = baskets.span_ms();
    let mut fame = vec![Fame::default(); log.items().len()];
    for (at, entry) in baskets.entries() {
        let days = (now - at) as f32 / DAY_MS;
        for &item in entry {
            let fame = &mut fame[item as usize];
            fame.orders[0] += 1.0;
            fame.orders[1..].iter_mut().zip(FAME_DAYS).for_each(|(sum, fade)| *sum += (-days / fade).exp());
            // A day more, so that what is known is older than nothing.
            fame.age = fame.age.max(days + 1.0);
            fame.length += (entry.len() as f32).ln();
        }
    }
    for fame in &mut fame {
        fame.length /= fame.orders[0].max(1.0);
        // A hundredth of an order more, so that none has a logarithm.
        fame.orders.iter_mut().for_each(|sum| *sum = (*sum + 0.01).ln());
        fame.age = fame.age.ln_1p();
    }
    fame
}

fn popular(fame: &[Fame]) -> Vec<u32> {
    let mut popular: Vec<(u32, f32)> =
        fame.iter().enumerate().map(|(item, fame)| (item as u32, fame.orders[2])).collect();
    keep_best(&mut popular, POPULAR_KEPT);
    popular.into_iter().map(|item| item.0).collect()
}

#[cfg(test)]
mod tests {
    use recommender::Ask;

    use super::*;
    use crate::log::{Gather, Kind, Log};

    /// Baskets of three of one group of five items, of four groups, and something that everybody buys.
    fn log(baskets: u64) -> Log {
        let mut gather = Gather::new(Kind::Baskets);
        for number in 0..baskets {
            let group = number % 4 * 5;
            let first = mix(number) % 5;
            let items = [0, 1, 2].map(|step| format!("{}", 100 * group + (first + step) % 5));
            let lines = items.iter().map(|item| (item.as_str(), None)).chain([("milk", Some("Milk"))]);
            gather.entry(&number.to_string(), number as i64 * 3_600_000, lines);
        }
        gather.finish()
    }

    #[test]
    fn what_belongs_together_is_learnt_and_the_same_log_gives_the_same_model() {
        let log = log(1_200);
        let model = learn(log.all(), Settings::default());
        let item = |name: &str| log.item(name).unwrap();
        let best = model.answer(&[item("500"), item("501"), item("milk")], 3);
        let names: Vec<&str> = best.iter().map(|item| &*log.items()[item.0 as usize]).collect();
        assert!(names.iter().all(|name| name.starts_with("50")), "{names:?}");
        assert!(["502", "504"].contains(&names[0]), "the circle's next on either side: {names:?}");
        let again = learn(log.all(), Settings::default());
        assert_eq!(format!("{:?}", again.completion), format!("{:?}", model.completion));
        assert_eq!(format!("{:?}", again.signals), format!("{:?}", model.signals));
    }

    #[test]
    fn a_basket_asks_as_often_as_it_may_and_never_for_what_is_given() {
        let log = log(8);
        for (task, given, asked) in [(Task::Loo, 3, 16), (Task::Fbt, 1, 16)] {
            let questions = questions(task, log.all(), 2, |_| true);
            assert_eq!(questions.len(), asked);
            assert!(questions.iter().all(|q| q.given.len() == given && !q.given.contains(&q.right)));
        }
    }

    #[test]
    fn one_basket_and_none_are_learnt_from_too() {
        let log = log(1);
        let model = learn(log.all(), Settings::default());
        let best = model.answer(&[0], 20);
        assert_eq!(best.len(), 3);
        learn(Gather::new(Kind::Baskets).finish().all(), Settings::default());
    }

    #[test]
    fn what_is_ablated_has_no_say() {
        let rankers = ablated(log(1_200).all(), Settings::default());
        assert_eq!(rankers.len(), PARTS.len());
        for ((_, rankers), (_, beginnings)) in rankers.iter().zip(&PARTS) {
            for ranker in rankers {
                teach::tests::assert_without(ranker, &features::FEATURES, beginnings);
            }
        }
    }
}
