//! Learning from sessions.

use recommender::{
    Ask, Ranked, code,
    lists::Lists,
    ranker::Ranker,
    session::{
        Fame, Nearness, PastSessions, Retrieval, SessionModel, Signals,
        features::{self, WIDTH},
        trend,
    },
    tally::{Tally, keep_best},
};

use serde::{Deserialize, Serialize};

use crate::{
    company::{self, Occurrences, Rows},
    evaluate::LIST,
    log::Slice,
    per_item,
    teach::{self, Question, boost::Growth, table::Table},
    vectors,
};

/// Says how a session model is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How past sessions are compared.
    pub nearness: Nearness,
    /// The numbers of an item's vector.
    pub dimensions: usize,
    /// The latest part of the sessions, whose next items teach the ranker.
    pub slice: f64,
    /// The most questions that teach it, the latest.
    pub questions: usize,
    /// How trees are grown; none for a weighted sum alone.
    pub growth: Option<Growth>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nearness: Nearness::default(),
            dimensions: 64,
            slice: 0.15,
            questions: 120_000,
            // Fewer and shallower than baskets': a page that is looked at asks each time.
            growth: Some(Growth { trees: 60, depth: 7, rate: 0.15, ..Growth::default() }),
        }
    }
}

/// The part of the span after which a session's company is worth 1/e.
const AGE: f32 = 0.8;

/// How far around an item its company reaches, and what stands before it counts to what stands after.
const REACH: usize = 10;
const BEFORE: f32 = 0.8;

/// Entries kept per list, and of the near items whose neighbours are asked for what is beyond.
const KEPT: usize = 100;
const NEXT_KEPT: usize = 60;
const BEYOND: usize = 40;
const COMPANY_KEPT: usize = 400;

/// The latest parts of the log whose views are counted by themselves.
const LATE: f64 = 0.2;
const LATEST: f64 = 1.0 / 30.0;

/// The parts of what is known of a candidate, by how the names of their features begin.
const PARTS: [(&str, &[&str]); 7] = [
    ("without past", &["past sessions"]),
    ("without around", &["around", "beyond"]),
    ("without next", &["next"]),
    ("without vectors", &["cosine"]),
    ("without views", &["views", "repeats", "ends"]),
    ("without steps", &["steps", "times viewed", "trail length", "distinct items"]),
    ("without codes", &["code"]),
];

/// Learns a session model: the ranker from questions of the latest slice with lists of what came before, then the lists
/// of all.
pub fn learn(sessions: Slice<'_>, settings: Settings) -> SessionModel {
    let (ranker, repeat) =
        taught(sessions, settings, |table, growth| teach::ranker(table, &features::FEATURES, growth));
    SessionModel { signals: signals(sessions, settings), ranker, repeat }
}

/// Learns the ranker anew without each part of what it knows of candidates; these are found as ever.
pub fn ablated(sessions: Slice<'_>, settings: Settings) -> Vec<(&'static str, Ranker)> {
    let without = |table: &mut Table, growth| {
        let learn = |features: &[usize]| {
            table.without(features, |table| teach::ranker(table, &features::FEATURES, growth))
        };
        teach::parts(&features::FEATURES, &PARTS, learn)
    };
    taught(sessions, settings, without).0
}

/// Fills a table with questions of the latest slice, and returns what is learnt from it, with what the item on screen counts.
fn taught<R>(
    sessions: Slice<'_>,
    settings: Settings,
    learn: impl FnOnce(&mut Table, Option<Growth>) -> R,
) -> (R, f32) {
    let (early, late) = sessions.split(1.0 - settings.slice);
    let signals = signals(early, settings);
    let questions = questions(late, |item| signals.fame[item as usize].views[0] > 0.0);
    let asked = &questions[questions.len().saturating_sub(settings.questions)..];
    let find = |given: &[u32], scratch: &mut features::Scratch, found: &mut _| {
        signals.candidates(given, recommender::session::CANDIDATES, scratch, found);
    };
    let mut table = None;
    teach::fill(&mut table, WIDTH, asked, || signals.scratch(), find);
    let mut table = table.expect("made by filling it");
    (learn(&mut table, settings.growth), repeat(&signals, asked))
}

/// What the item on screen may count, and how many questions tell.
const REPEATS: [f32; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
const REPEAT_QUESTIONS: usize = 4_000;

/// Returns what the item on screen counts best, by the mean reciprocal rank of some questions.
fn repeat(signals: &Signals, questions: &[Question]) -> f32 {
    let every = questions.len().div_ceil(REPEAT_QUESTIONS).max(1);
    let score = |repeat: f32| {
        let (retrieval, mut best) = (Retrieval::of(signals, repeat), Ranked::new());
        let mut scratch = retrieval.scratch();
        let rank = |question: &Question| {
            retrieval.ask(&question.given, LIST, &mut scratch, &mut best);
            best.iter()
                .position(|item| item.0 == question.right)
                .map_or(0.0, |place| 1.0 / (place as f64 + 1.0))
        };
        questions.iter().step_by(every).map(rank).sum::<f64>()
    };
    let scored = REPEATS.map(|repeat| (repeat, score(repeat)));
    scored.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(1.0, |best| best.0)
}

/// Returns every prefix of every session with the item that came next, of items that are known.
pub fn questions(sessions: Slice<'_>, is_known: impl Fn(u32) -> bool) -> Vec<Question> {
    let mut questions = Vec::new();
    for (number, (_, entry)) in sessions.entries().enumerate() {
        let known: Vec<u32> = entry.iter().copied().filter(|&item| is_known(item)).collect();
        for at in 1..known.len() {
            // What came long before says nothing: a bot's session does not cost its square.
            let given = known[at.saturating_sub(GIVEN_MAX)..at].to_vec();
            questions.push(Question { given, right: known[at], entry: number as u32 });
        }
    }
    questions
}

/// The most items of a trail that a question gives.
const GIVEN_MAX: usize = 50;

/// Learns all that candidates are found and judged by.
pub fn signals(sessions: Slice<'_>, settings: Settings) -> Signals {
    let items = sessions.log().items().len();
    let (oldest, latest) = sessions.span_ms();
    let span = ((latest - oldest) as f32 * AGE).max(1.0);
    let worth: Vec<f32> = sessions.entries().map(|(at, _)| (-((latest - at) as f32) / span).exp()).collect();
    let places = Occurrences::of(sessions);
    let near = |entry: usize, after: i64| match after {
        1.. => worth[entry] / after as f32,
        0 => 0.0,
        _ => worth[entry] * BEFORE / -after as f32,
    };
    let company = company::rows(sessions, &places, REACH, COMPANY_KEPT, near, |_, _, sum| sum);
    let around = around(&company, &places);
    let next = |entry: usize, after: i64| if after == 1 { worth[entry] } else { 0.0 };
    let part = |item: u32, _: u32, sum: f32| sum / (places.count(item) as f32 + 2.0);
    Signals {
        past: PastSessions::new(settings.nearness, items, sessions.entries()),
        next: company::lists(&company::rows(sessions, &places, 1, NEXT_KEPT, next, part), NEXT_KEPT),
        beyond: beyond(&around),
        around: company::lists(&around, KEPT),
        fame: fame(sessions),
        vectors: vectors::vectors(&company, settings.dimensions),
    }
}

/// Scales company by how often the two are viewed: the item's own by its root, the other's less.
fn around(company: &Rows, places: &Occurrences) -> Rows {
    let count = |item: u32| places.count(item) as f32;
    let scaled = |item: usize, &(other, sum): &(u32, f32)| {
        (other, sum / (count(item as u32).sqrt() * (count(other) + 1.0).powf(0.3)))
    };
    let row = |(item, row): (usize, &Vec<(u32, f32)>)| {
        let mut row: Vec<(u32, f32)> = row.iter().map(|other| scaled(item, other)).collect();
        keep_best(&mut row, KEPT);
        row
    };
    company.iter().enumerate().map(row).collect()
}

fn beyond(around: &Rows) -> Lists {
    let items = around.len();
    let rows = per_item(
        items,
        || Tally::new(items),
        |item, tally| {
            for &(near, score) in &around[item as usize] {
                tally.add(near, score);
                for &(far, further) in around[near as usize].iter().take(BEYOND).filter(|far| far.0 != item) {
                    tally.add(far, score * further);
                }
            }
            let mut row = Vec::new();
            tally.best(KEPT, &mut row);
            tally.clear();
            row
        },
    );
    company::lists(&rows, KEPT)
}

fn fame(sessions: Slice<'_>) -> Vec<Fame> {
    let log = sessions.log();
    let items = log.items().len();
    let mut views = vec![[0.0_f32; 3]; items];
    let (mut viewers, mut returners, mut ends) =
        (vec![0.0_f32; items], vec![0.0_f32; items], vec![0.0_f32; items]);
    let from = [0.0, 1.0 - LATE, 1.0 - LATEST].map(|part| (sessions.len() as f64 * part) as usize);
    for (number, (_, entry)) in sessions.entries().enumerate() {
        for &item in entry {
            views[item as usize]
                .iter_mut()
                .zip(from)
                .for_each(|(count, from)| *count += f32::from(u8::from(number >= from)));
        }
        let mut times: Vec<u32> = entry.to_vec();
        times.sort_unstable();
        for same in times.chunk_by(|a, b| a == b) {
            viewers[same[0] as usize] += 1.0;
            returners[same[0] as usize] += f32::from(u8::from(same.len() > 1));
        }
        if let Some(&last) = entry.last() {
            ends[last as usize] += 1.0;
        }
    }
    (0..items)
        .map(|item| Fame {
            views: views[item].map(f32::ln_1p),
            // With as much doubt as some sessions of the usual kind.
            repeats: (returners[item] + 1.0) / (viewers[item] + 8.0),
            ends: (ends[item] + 2.0) / (views[item][0] + 10.0),
            trend: trend(views[item][1], views[item][0]),
            code: code::number(&log.items()[item]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Gather, Kind, Log};

    /// Sessions over thirty items; each goes round its own circle of ten, now and then a step back.
    fn log(sessions: u32) -> Log {
        let mut gather = Gather::new(Kind::Sessions);
        for number in 0..sessions {
            let at = |step: u32| {
                let draw = crate::draw::mix(u64::from(number));
                let back = u32::from(step == 3 && draw.is_multiple_of(3));
                format!("{}", 10 * (number % 3) + (draw as u32 + step - back) % 10)
            };
            let items: Vec<String> = (0..6).map(at).collect();
            gather.entry(
                &number.to_string(),
                i64::from(number) * 1_000,
                items.iter().map(|item| (item.as_str(), None)),
            );
        }
        gather.finish()
    }

    #[test]
    fn what_follows_is_learnt_and_the_same_log_gives_the_same_model() {
        let log = log(900);
        let model = learn(log.all(), Settings::default());
        let item = |name: &str| log.item(name).unwrap();
        let best = model.answer(&[item("11"), item("12")], 3);
        assert_eq!(best[0].0, item("13"));
        let again = learn(log.all(), Settings::default());
        assert_eq!(format!("{:?}", again.ranker), format!("{:?}", model.ranker));
        assert_eq!(format!("{:?}", again.signals), format!("{:?}", model.signals));
    }

    #[test]
    fn what_is_ablated_has_no_say() {
        let rankers = ablated(log(900).all(), Settings::default());
        assert_eq!(rankers.len(), PARTS.len());
        for ((_, ranker), (_, beginnings)) in rankers.iter().zip(&PARTS) {
            teach::tests::assert_without(ranker, &features::FEATURES, beginnings);
        }
    }

    #[test]
    fn few_sessions_are_enough_for_an_order_and_none_for_none() {
        let log = log(9);
        let model = learn(log.all(), Settings::default());
        let best = model.answer(&[log.item("11").unwrap()], 20);
        assert!(!best.is_empty() && model.ranker.forest.trees.is_empty());
        learn(Gather::new(Kind::Sessions).finish().all(), Settings::default());
    }

    #[test]
    fn a_question_is_a_prefix_and_what_came_next() {
        let mut gather = Gather::new(Kind::Sessions);
        gather.entry("1", 0, ["a", "b", "unknown", "c"].map(|item| (item, None)).into_iter());
        let log = gather.finish();
        let questions = questions(log.all(), |item| item != log.item("unknown").unwrap());
        let told: Vec<(Vec<u32>, u32)> =
            questions.into_iter().map(|asked| (asked.given, asked.right)).collect();
        assert_eq!(told, [(vec![0], 1), (vec![0, 1], 2)]);
    }
}
