//! What came of the last training: kept beside the models, so that a page can say it, whoever trained.

use std::{fs, io, io::Write, path::Path};

use anyhow::Context;
use recommender::file;
use serde::{Deserialize, Serialize};

/// The most lines of each kind that are kept: what else is wrong is wrong in the same way, and the program says all of it.
pub const LINES_MAX: usize = 20;
/// The most characters of a line that are kept.
const LINE_CHARS_MAX: usize = 400;
/// How the batch program begins the line that says why it ended.
const OWN_WORDS: &str = "cartwright-batch: ";

/// Is a line of the batch program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// It says what it does.
    Said(&'a str),
    /// It says what is wrong: a line of an event file that it passes over, counts that it begins anew.
    Warned(&'a str),
}

/// Says how a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// A model was learnt and put into service.
    InService,
    /// A model was learnt, but it is plainly worse than the one in service, which stays.
    NotPromoted,
    /// There is nothing to learn from.
    Nothing,
    /// It failed.
    Failed,
}

/// Says what came of a training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// When it ended, Unix milliseconds.
    pub ended_at_ms: i64,
    /// How.
    pub ended: Ended,
    /// What it said of what it read, counted and learnt, the last [`LINES_MAX`] lines.
    pub said: Vec<String>,
    /// What was wrong, the first [`LINES_MAX`] lines.
    pub warned: Vec<String>,
    /// How many lines that were.
    pub warned_lines: u64,
    /// Why nothing was learnt.
    pub why: Option<String>,
}

/// Gathers what a training says.
#[derive(Debug, Default)]
pub struct Heard {
    said: Vec<String>,
    warned: Vec<String>,
    warned_lines: u64,
    last_warned: Option<String>,
}

impl Heard {
    /// Takes a line.
    pub fn take(&mut self, line: Line<'_>) {
        match line {
            Line::Said(text) => {
                if self.said.len() == LINES_MAX {
                    self.said.remove(0);
                }
                self.said.push(cut(text));
            }
            Line::Warned(text) => {
                self.warned_lines += 1;
                if self.warned.len() < LINES_MAX {
                    self.warned.push(cut(text));
                }
                self.last_warned = Some(cut(text));
            }
        }
    }

    /// Returns what came of it, which ended so; `failure` is what else is known of why.
    pub fn ended(mut self, ended: Ended, failure: Option<String>, ended_at_ms: i64) -> Training {
        let mut why = failure.as_deref().map(cut);
        // The program's own last words say why it ended, and are no warning.
        let words = self.last_warned.take().and_then(|line| line.strip_prefix(OWN_WORDS).map(cut));
        if let (Ended::Nothing | Ended::Failed, Some(words)) = (ended, words) {
            self.warned_lines -= 1;
            self.warned.truncate(usize::try_from(self.warned_lines).unwrap_or(LINES_MAX));
            why = Some(words);
        }
        let Self { said, warned, warned_lines, .. } = self;
        Training { ended_at_ms, ended, said, warned, warned_lines, why }
    }
}

impl Training {
    /// Reads what came of the last training, `None` where there was none.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            text => {
                let parse = || anyhow::Ok(serde_json::from_slice(&text?)?);
                parse().map(Some).with_context(|| path.display().to_string())
            }
        }
    }

    /// Replaces the file, whole.
    ///
    /// # Errors
    /// Where it cannot be written; the old one then stands.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self).expect("texts and numbers always make JSON");
        file::replace(path, |file| file.write_all(&text))
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_and_what_was_wrong_are_kept_up_to_a_limit() {
        let mut heard = Heard::default();
        for n in 0..30 {
            heard.take(Line::Said(&format!("said {n}")));
            heard.take(Line::Warned(&format!("events:{n} {}", "x".repeat(500))));
        }
        let training = heard.ended(Ended::InService, None, 7);
        assert_eq!((training.said.len(), training.said[0].as_str()), (LINES_MAX, "said 10"));
        assert_eq!(
            (training.warned.len(), training.warned_lines, training.why.as_ref()),
            (LINES_MAX, 30, None)
        );
        assert_eq!(training.warned[0].chars().count(), LINE_CHARS_MAX + 1);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model/training.json");
        assert_eq!(Training::read(&path).unwrap(), None);
        training.save(&path).unwrap();
        assert_eq!(Training::read(&path).unwrap(), Some(training));
        fs::write(&path, "{").unwrap();
        let said = format!("{:#}", Training::read(&path).unwrap_err());
        assert!(said.contains("training.json: EOF"), "{said}");
    }

    #[test]
    fn last_words_say_why_nothing_was_learnt() {
        let ended = |warned: &[&str], ended, failure: Option<&str>| {
            let mut heard = Heard::default();
            warned.iter().for_each(|line| heard.take(Line::Warned(line)));
            let training = heard.ended(ended, failure.map(str::to_owned), 7);
            (training.warned, training.warned_lines, training.why.unwrap_or_default())
        };
        let lines = ["events:1 torn", "cartwright-batch: no orders"];
        let kept = vec!["events:1 torn".to_owned()];
        assert_eq!(ended(&lines, Ended::Nothing, None), (kept.clone(), 1, "no orders".to_owned()));
        assert_eq!(ended(&lines, Ended::Failed, Some("exit 1")), (kept.clone(), 1, "no orders".to_owned()));
        assert_eq!(ended(&lines[..1], Ended::Failed, Some("killed")), (kept.clone(), 1, "killed".to_owned()));
        assert_eq!(ended(&lines[..1], Ended::NotPromoted, None), (kept, 1, String::new()));
    }
}
