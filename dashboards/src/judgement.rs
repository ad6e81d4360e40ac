//! A verdict and a status as they are shown: a colour, an icon and words, never a colour alone.

use experiments::{Status, Verdict};
use serde::Serialize;

/// Holds a status as a pill.
#[derive(Debug, Serialize)]
pub(crate) struct StatusView {
    pub tone: &'static str,
    pub icon: &'static str,
    pub label: &'static str,
}

impl StatusView {
    pub(crate) fn of(status: Status) -> StatusView {
        let (tone, icon, label) = match status {
            Status::Draft => ("calm", "pencil", "Draft"),
            Status::Running => ("accent", "play", "Running"),
            Status::Stopped => ("calm", "stop", "Stopped"),
        };
        StatusView { tone, icon, label }
    }
}

/// Holds a verdict: a label, its first sentence, and the rest.
#[derive(Debug, Serialize)]
pub(crate) struct VerdictView {
    pub tone: &'static str,
    pub icon: &'static str,
    pub label: &'static str,
    pub sentence: String,
    pub more: Option<String>,
}

impl VerdictView {
    /// Says a verdict for an experiment of this status; `said` is the analysis' own sentence.
    pub(crate) fn of(status: Status, verdict: Option<&Verdict>, said: &str) -> VerdictView {
        match (status, verdict) {
            (Status::Draft, _) => VerdictView::not_started(),
            (_, None) => VerdictView {
                tone: "calm",
                icon: "wait",
                label: "Not read yet",
                sentence: "The figures of this experiment have not been read yet.".into(),
                more: None,
            },
            (Status::Running, Some(verdict)) => {
                let (sentence, more) = split(said);
                VerdictView::judged(verdict, false, sentence, more)
            }
            (Status::Stopped, Some(verdict)) => {
                let (sentence, more) = split(said);
                let more = last_word(verdict, more);
                VerdictView::judged(verdict, true, sentence, Some(more))
            }
        }
    }

    fn not_started() -> VerdictView {
        VerdictView {
            tone: "calm",
            icon: "pencil",
            label: "Not started",
            sentence: "Nobody has seen this experiment yet.".into(),
            more: Some(
                "Check the definition below, look at each variation in the shop, then start it.".into(),
            ),
        }
    }

    fn judged(verdict: &Verdict, is_over: bool, sentence: String, more: Option<String>) -> VerdictView {
        let (tone, icon, label) = match verdict {
            Verdict::Better { .. } => ("good", "up", "Better"),
            Verdict::Worse { .. } => ("bad", "down", "Worse"),
            Verdict::NoDifferenceYet if is_over => ("calm", "level", "No difference shown"),
            Verdict::NoDifferenceYet => ("calm", "level", "No difference yet"),
            Verdict::TooFew { .. } if is_over => ("calm", "wait", "Stopped too early to tell"),
            Verdict::TooFew { .. } => ("calm", "wait", "Too early to tell"),
            Verdict::SampleRatioMismatch { .. } => ("alarm", "warning", "Verdict withheld: wrong split"),
            Verdict::Withheld { .. } => ("alarm", "warning", "Verdict withheld"),
        };
        VerdictView { tone, icon, label, sentence, more }
    }
}

/// Splits what was said after its first sentence. A sentence ends in a full stop before a capital; a name that looks
/// like such an end only moves the place where the large type stops.
fn split(said: &str) -> (String, Option<String>) {
    let begins_anew = |(at, _): &(usize, &str)| said[at + 2..].starts_with(char::is_uppercase);
    match said.match_indices(". ").find(begins_anew) {
        Some((at, _)) => (said[..=at].to_owned(), Some(said[at + 2..].to_owned())),
        None => (said.to_owned(), None),
    }
}

/// Replaces the advice to a running experiment by what is left to do after the stop; keeps warnings.
fn last_word(verdict: &Verdict, more: Option<String>) -> String {
    let warning = more.as_deref().and_then(|more| more.find("But ").map(|at| &more[at..]));
    let advice = match verdict {
        Verdict::Better { .. } => "It has stopped; you can ship it.",
        Verdict::Worse { .. } => "It has stopped; keep the control.",
        Verdict::NoDifferenceYet => "It has stopped, so this is its last word.",
        Verdict::TooFew { .. } => "It has stopped, so it will never tell. A copy can.",
        Verdict::SampleRatioMismatch { .. } | Verdict::Withheld { .. } => {
            "It has stopped, so no verdict will come."
        }
    };
    match warning {
        Some(warning) => format!("{advice} {warning}"),
        None => advice.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Express is better: conversion rises by 5.0 % (between 1.1 % and 8.9 %). You can stop and ship it. \
                        But revenue per visitor falls by 1.0 % (between 0.1 % and 1.9 %): weigh both first.";

    #[test]
    fn the_first_sentence_stands_alone() {
        let verdict = Verdict::Better { variation: 1 };
        let view = VerdictView::of(Status::Running, Some(&verdict), SAID);
        assert_eq!(view.sentence, "Express is better: conversion rises by 5.0 % (between 1.1 % and 8.9 %).");
        assert!(view.more.unwrap().starts_with("You can stop and ship it. But"));
    }

    #[test]
    fn a_stopped_experiment_is_not_told_to_stop_and_keeps_its_warning() {
        let view = VerdictView::of(Status::Stopped, Some(&Verdict::Better { variation: 1 }), SAID);
        let more = view.more.unwrap();
        assert!(more.starts_with("It has stopped; you can ship it. But revenue"), "{more}");
        let view = VerdictView::of(
            Status::Stopped,
            Some(&Verdict::NoDifferenceYet),
            "No difference yet: x. Let it run.",
        );
        assert_eq!(view.label, "No difference shown");
        assert!(!view.more.unwrap().contains("Let it run"));
    }

    #[test]
    fn a_draft_has_no_verdict_whatever_its_numbers() {
        let view = VerdictView::of(Status::Draft, Some(&Verdict::Better { variation: 1 }), SAID);
        assert_eq!(view.label, "Not started");
    }
}
