//! Answers that were given before, and are given again for as long as nothing that they are made of has changed.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use arc_swap::ArcSwapOption;

/// The most bytes of answers and their questions, of each kind of them. Where there are more, all begin anew.
const BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// Is all that answers of a kind are made of, but the question and the time.
///
/// It is held in parts that are swapped whole, so that the same place in memory is the same content while it is held.
pub trait Sources: PartialEq {
    /// Returns the times from one until which nothing changes by itself.
    fn span(&self, from_ms: i64) -> Range<i64>;
}

/// Keeps answers.
pub struct Answers<S, A>(ArcSwapOption<Edition<S, A>>);

/// Is what was answered from the same sources within a span of time.
struct Edition<S, A> {
    sources: S,
    span: Range<i64>,
    kept: RwLock<Kept<A>>,
}

struct Kept<A> {
    answers: HashMap<Box<str>, A>,
    size_bytes: usize,
}

impl<S, A> Default for Answers<S, A> {
    fn default() -> Self {
        Self(ArcSwapOption::empty())
    }
}

impl<A> Default for Kept<A> {
    fn default() -> Self {
        Self { answers: HashMap::new(), size_bytes: 0 }
    }
}

impl<S: Sources, A> Edition<S, A> {
    fn is_of(&self, sources: &S, at_ms: i64) -> bool {
        self.span.contains(&at_ms) && self.sources == *sources
    }

    fn kept(&self) -> RwLockReadGuard<'_, Kept<A>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, question: &str, answer: A, size_bytes: usize) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let size_bytes = question.len() + size_bytes;
        if kept.size_bytes + size_bytes > BYTES_MAX {
            *kept = Kept::default();
        }
        kept.answers.insert(question.into(), answer);
        // An answer in place of another counts beside it: the sooner all begin anew.
        kept.size_bytes += size_bytes;
    }
}

impl<S: Sources, A: Clone> Answers<S, A> {
    /// Finds what was answered from these sources at a time like this, in Unix milliseconds.
    pub fn find(&self, question: &str, sources: &S, at_ms: i64) -> Option<A> {
        let edition = self.0.load();
        let edition = edition.as_deref().filter(|edition| edition.is_of(sources, at_ms))?;
        edition.kept().answers.get(question).cloned()
    }

    /// Keeps an answer of so many bytes, which was made of these sources at this time.
    pub fn keep(&self, question: &str, sources: S, at_ms: i64, answer: A, size_bytes: usize) {
        if let Some(edition) = self.0.load().as_deref().filter(|edition| edition.is_of(&sources, at_ms)) {
            return edition.keep(question, answer, size_bytes);
        }
        let edition = Edition { span: sources.span(at_ms), sources, kept: RwLock::default() };
        edition.keep(question, answer, size_bytes);
        self.0.store(Some(Arc::new(edition)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something of which each even second begins anew.
    #[derive(Clone, PartialEq)]
    struct Seconds(u32);

    impl Sources for Seconds {
        fn span(&self, from_ms: i64) -> Range<i64> {
            from_ms..from_ms.div_euclid(2_000) * 2_000 + 2_000
        }
    }

    #[test]
    fn an_answer_is_given_again_until_its_time_is_over_or_its_sources_are_others() {
        let answers = Answers::default();
        let known = |at_ms| answers.find("MUG", &Seconds(1), at_ms).is_some();
        answers.keep("MUG", Seconds(1), 1_000, (), 2);
        assert_eq!([999, 1_000, 1_999, 2_000].map(known), [false, true, true, false]);
        answers.keep("MUG", Seconds(1), 2_000, (), 2);
        assert_eq!([1_999, 2_000, 3_999, 4_000].map(known), [false, true, true, false]);
        assert!(answers.find("JUG", &Seconds(1), 2_000).is_none());
        assert!(answers.find("MUG", &Seconds(2), 2_000).is_none());
    }

    #[test]
    fn answers_take_no_more_than_their_room() {
        let answers = Answers::default();
        for question in ["A", "B", "C", "D"] {
            answers.keep(question, Seconds(1), 1_000, question, BYTES_MAX / 4);
        }
        let kept = ["A", "B", "C", "D"].map(|question| answers.find(question, &Seconds(1), 1_000));
        assert_eq!(kept, [None, None, None, Some("D")], "all began anew");
    }
}
