//! What makes no sense in a payload, and where.

use std::fmt::{self, Write};

use crate::json::Json;

/// Most problems that are gathered: whoever mends a hundred looks again.
pub const PROBLEMS_MAX: usize = 100;

/// Names a part of a payload that does nothing, never matches, or means something else than it seems to.
///
/// SDKs pass over it in silence; a server that people edit definitions on should not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is: `features.checkout.rules[2].condition.country.$in`.
    pub path: String,
    /// What is wrong and how to mend it.
    pub message: String,
    /// How much of what was meant is lost.
    pub severity: Severity,
}

/// Says how much of what was meant a [`Problem`] loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It means something that the SDKs agree on, though hardly what was meant: weights that miss 1 by rounding.
    Warning,
    /// It never matches, is passed over, or gives a unit to two variations.
    Error,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` {}", self.path, self.message)
    }
}

/// One step from a value to a part of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'j> {
    Key(&'j str),
    Item(usize),
}

/// Says what kind of thing is named by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    Group,
    Feature,
    Bandit,
}

/// Gathers problems while a payload is compiled, and knows where it is.
#[derive(Debug, Default)]
pub(super) struct Inspector<'j> {
    path: Vec<Step<'j>>,
    problems: Vec<Problem>,
    references: Vec<(Reference, String, String)>,
}

impl<'j> Inspector<'j> {
    pub(super) fn finish(self) -> Vec<Problem> {
        self.problems
    }

    /// Notes that the part at hand names something by its id.
    pub(super) fn refer(&mut self, kind: Reference, id: &str) {
        self.references.push((kind, id.to_owned(), self.path_text()));
    }

    /// Reports what is named and does not exist.
    pub(super) fn resolve(&mut self, exists: impl Fn(Reference, &str) -> bool) {
        for (kind, id, path) in std::mem::take(&mut self.references) {
            let what = match kind {
                Reference::Group => "saved group",
                Reference::Feature => "feature",
                Reference::Bandit => "contextual bandit",
            };
            if !exists(kind, &id) {
                let message = format!("names the {what} `{id}`, which does not exist");
                self.push(Problem { path, message, severity: Severity::Warning });
            }
        }
    }

    /// Reports on the part at hand.
    pub(super) fn report(&mut self, message: impl Into<String>) {
        self.push(Problem { path: self.path_text(), message: message.into(), severity: Severity::Error });
    }

    /// Reports on the part at hand, where the SDKs agree on what it means.
    pub(super) fn warn(&mut self, message: impl Into<String>) {
        self.push(Problem { path: self.path_text(), message: message.into(), severity: Severity::Warning });
    }

    fn push(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    /// Does something one step deeper.
    pub(super) fn within<R>(&mut self, step: Step<'j>, look: impl FnOnce(&mut Inspector<'j>) -> R) -> R {
        self.path.push(step);
        let result = look(self);
        self.path.pop();
        result
    }

    /// Reports on a part one step deeper.
    pub(super) fn report_at(&mut self, step: Step<'j>, message: impl Into<String>) {
        self.within(step, |inspector| inspector.report(message));
    }

    /// Warns of a part one step deeper.
    pub(super) fn warn_at(&mut self, step: Step<'j>, message: impl Into<String>) {
        self.within(step, |inspector| inspector.warn(message));
    }

    fn path_text(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Item(index) => write!(text, "[{index}]").expect("a text can be written to"),
                Step::Key(key) => {
                    text.push_str(if text.is_empty() { "" } else { "." });
                    text.push_str(key);
                }
            }
        }
        text
    }
}

/// Names the kind of a value in a sentence.
pub(super) fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
