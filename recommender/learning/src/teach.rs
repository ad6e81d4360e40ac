//! Teaching a ranker: questions of the past with the answer that came, learnt by a weighted sum first and by trees
//! that correct it.

pub mod boost;
pub mod table;
pub mod weights;

use recommender::ranker::{Candidates, Ranker};

use table::Table;

/// A question whose answer is known: what was given, and what was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The items given.
    pub given: Vec<u32>,
    /// The item that came.
    pub right: u32,
    /// The place of the entry that asks.
    pub entry: u32,
}

/// The part of the questions, the latest, that tells when to stop.
const ASIDE: f64 = 0.12;

/// Questions below which nothing is learnt but the order of retrieval.
const QUESTIONS_MIN: usize = 200;

/// The feature by which candidates are ordered where there are too few questions to teach anything.
const RETRIEVAL: &str = "retrieval, to the best";

/// Teaches a ranker from a table of features with these names, of which one is [`RETRIEVAL`]; `growth` may be `None` for a
/// weighted sum alone.
pub fn ranker(table: &Table, features: &[&str], growth: Option<boost::Growth>) -> Ranker {
    let plain = features.iter().map(|name| if *name == RETRIEVAL { 1.0 } else { 0.0 }).collect();
    if table.len() < QUESTIONS_MIN {
        return Ranker { weights: plain, ..Ranker::default() };
    }
    let taught = ((table.len() as f64) * (1.0 - ASIDE)) as usize;
    let weights = weights::learn(table, taught);
    let forest = growth.map(|growth| boost::grow(table, taught, &weights, growth)).unwrap_or_default();
    Ranker { weights, forest }
}

/// Learns without each part of what is known of candidates: a name, and how the names of its features begin.
pub fn parts<R>(
    features: &[&str],
    parts: &[(&'static str, &[&str])],
    mut learn: impl FnMut(&[usize]) -> R,
) -> Vec<(&'static str, R)> {
    let of = |beginnings: &[&str]| -> Vec<usize> {
        let is_of = |name: &str| beginnings.iter().any(|beginning| name.starts_with(beginning));
        (0..features.len()).filter(|&feature| is_of(features[feature])).collect()
    };
    parts.iter().map(|(name, beginnings)| (*name, learn(&of(beginnings)))).collect()
}

/// Questions whose candidates are held at once: some hundred megabytes of features.
const BLOCK: usize = 8_192;

/// Questions that say how features spread.
const SAMPLE: usize = 2_000;

/// Asks every question on all cores, each with a scratch of its own, and adds those whose answer is among the candidates
/// to a table, made where there is none yet. The same questions give the same table, whatever the number of cores.
pub fn fill<S>(
    table: &mut Option<Table>,
    width: usize,
    questions: &[Question],
    scratch: impl Fn() -> S + Sync,
    find: impl Fn(&[u32], &mut S, &mut Candidates) + Sync,
) {
    let table = table.get_or_insert_with(|| {
        let every = questions.len().div_ceil(SAMPLE).max(1);
        let sample = gather(&questions.iter().step_by(every).collect::<Vec<_>>(), &scratch, &find);
        Table::new(width, sample.iter().map(|(candidates, _)| &candidates.rows[..]))
    });
    for block in questions.chunks(BLOCK) {
        for (candidates, right) in gather(&block.iter().collect::<Vec<_>>(), &scratch, &find) {
            table.push(&candidates.rows, right);
        }
    }
}

fn gather<S>(
    questions: &[&Question],
    scratch: &(impl Fn() -> S + Sync),
    find: &(impl Fn(&[u32], &mut S, &mut Candidates) + Sync),
) -> Vec<(Candidates, usize)> {
    let ask = |questions: &[&Question]| {
        let mut scratch = scratch();
        let mut found = Vec::new();
        for question in questions {
            let mut candidates = Candidates::default();
            find(&question.given, &mut scratch, &mut candidates);
            if let Some(place) = candidates.items.iter().position(|&item| item == question.right) {
                found.push((candidates, place));
            }
        }
        found
    };
    let chunk = questions.len().div_ceil(crate::cores()).max(1);
    std::thread::scope(|scope| {
        let asked: Vec<_> = questions.chunks(chunk).map(|part| scope.spawn(move || ask(part))).collect();
        asked.into_iter().flat_map(|part| part.join().expect("asking does not panic")).collect()
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Asserts that a ranker has learnt something, and nothing of the features whose names begin so, of which there are some.
    pub fn assert_without(ranker: &Ranker, features: &[&str], beginnings: &[&str]) {
        let is_of =
            |feature: usize| beginnings.iter().any(|beginning| features[feature].starts_with(beginning));
        let (hidden, known): (Vec<usize>, Vec<usize>) =
            (0..features.len()).partition(|feature| is_of(*feature));
        assert!(
            !hidden.is_empty() && hidden.iter().all(|feature| ranker.weights[*feature] == 0.0),
            "{beginnings:?}"
        );
        assert!(
            known.iter().filter(|feature| ranker.weights[**feature] != 0.0).count() > 1,
            "{beginnings:?}"
        );
        for tree in &ranker.forest.trees {
            let is_split =
                |(place, node): &(usize, &recommender::forest::Node)| usize::from(node.children[0]) != *place;
            let mut splits = tree.nodes.iter().enumerate().filter(is_split);
            assert!(splits.all(|(_, node)| !is_of(usize::from(node.feature))), "{beginnings:?}");
        }
    }
}
