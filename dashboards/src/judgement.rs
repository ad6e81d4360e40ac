//! A verdict and a status as they are shown: a colour, an icon and words, never a colour alone.

use experiments::{Status, Verdict};
use serde::Serialize;

/// How sentences open that say no more than the label of their verdict.
const OPENINGS: [&str; 5] = [
    "No difference yet",
    "No difference was found",
    "Too early to say",
    "Too little data to say",
    "No verdict",
];

/// How the rest opens where it speaks against the verdict.
const CAVEATS: [&str; 2] = ["But ", "Do not ship"];

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
            Status::Paused => ("alarm", "pause", "Paused"),
            Status::Stopped => ("calm", "stop", "Stopped"),
            Status::Archived => ("calm", "box", "Archived"),
        };
        StatusView { tone, icon, label }
    }

    /// The status of an experiment whose variation everybody gets.
    pub(crate) fn shipped() -> StatusView {
        StatusView { tone: "good", icon: "check", label: "Shipped" }
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
            (_, Some(verdict)) => {
                let (sentence, more) = split(&said.replace(" %", "\u{a0}%"));
                VerdictView::judged(verdict, status.is_over(), sentence, more)
            }
        }
    }

    /// Leaves out of the sentence what the label has said already, for lists where they stand together.
    pub(crate) fn without_repetition(mut self) -> VerdictView {
        let opening = self.sentence.split_once(": ").filter(|(opening, _)| OPENINGS.contains(opening));
        if let Some((_, rest)) = opening {
            let mut letters = rest.chars();
            let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
            self.sentence = first + letters.as_str();
        }
        self
    }

    /// Returns what speaks against what the label seems to say, for lists that leave out the rest: that a winner harms a
    /// guardrail, or that one cannot be read.
    pub(crate) fn caveat(&self) -> Option<String> {
        let more = self.more.as_deref().filter(|more| CAVEATS.iter().any(|words| more.starts_with(words)))?;
        Some(split(more).0)
    }

    /// Labels a verdict whose sentence opens with the words of the label, for pages where the sentence is the headline.
    pub(crate) fn headlined(mut self, status: Status) -> VerdictView {
        let opens_so = self.sentence.split_once(": ").is_some_and(|(opening, _)| OPENINGS.contains(&opening));
        if opens_so && self.tone == "calm" {
            self.label = if status.is_over() { "Last verdict" } else { "Verdict so far" };
        }
        self
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
            Verdict::NotRead { .. } if is_over => ("calm", "wait", "Stopped before its look"),
            Verdict::NotRead { .. } => ("calm", "wait", "Not read yet"),
            Verdict::Harms { .. } => ("bad", "down", "Does harm"),
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

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Express is better: conversion rises by 5.0 % (between 1.1 % and 8.9 %). You can stop and ship it. \
                        But revenue per visitor falls by 1.0 % (between 0.1 % and 1.9 %): weigh both first.";

    #[test]
    fn the_first_sentence_stands_alone() {
        let verdict = Verdict::Better { variation: 1 };
        let view = VerdictView::of(Status::Running, Some(&verdict), SAID);
        assert_eq!(
            view.sentence,
            "Express is better: conversion rises by 5.0\u{a0}% (between 1.1\u{a0}% and 8.9\u{a0}%)."
        );
        assert!(view.more.unwrap().starts_with("You can stop and ship it. But"));
    }

    #[test]
    fn a_label_is_not_repeated_beside_itself() {
        let said =
            "No difference yet: Express may change conversion by anything from −1.0 % to +2.0 %. Let it run.";
        let view =
            VerdictView::of(Status::Running, Some(&Verdict::NoDifferenceYet), said).without_repetition();
        assert_eq!(view.label, "No difference yet");
        assert_eq!(
            view.sentence,
            "Express may change conversion by anything from −1.0\u{a0}% to +2.0\u{a0}%."
        );
        let headline = VerdictView::of(Status::Running, Some(&Verdict::NoDifferenceYet), said)
            .headlined(Status::Running);
        assert_eq!(headline.label, "Verdict so far");
        assert!(headline.sentence.starts_with("No difference yet: Express"));
        let better = VerdictView::of(Status::Running, Some(&Verdict::Better { variation: 1 }), SAID);
        assert!(better.without_repetition().sentence.starts_with("Express is better: conversion"));
    }

    #[test]
    fn what_speaks_against_a_winner_stands_in_the_list() {
        let of = |advice: &str| {
            let said =
                format!("Express is better: conversion rises by 5.0 % (between 1.1 % and 8.9 %). {advice}");
            VerdictView::of(Status::Running, Some(&Verdict::Better { variation: 1 }), &said).caveat()
        };
        assert_eq!(of("You can stop and ship it. Not shown to be safe yet: page latency."), None);
        let broken =
            "But page latency rises by 9.0 % (between 2.0 % and 16.0 %), which was not to get worse.";
        assert_eq!(of(&format!("{broken} Drawer is undecided.")), Some(broken.replace(" %", "\u{a0}%")));
        let blind = "Do not ship it yet: error rate, which was not to get worse, cannot be read: its look has not come.";
        assert_eq!(of(blind).as_deref(), Some(blind));
    }

    #[test]
    fn a_draft_has_no_verdict_whatever_its_numbers() {
        let view = VerdictView::of(Status::Draft, Some(&Verdict::Better { variation: 1 }), SAID);
        assert_eq!(view.label, "Not started");
    }
}
