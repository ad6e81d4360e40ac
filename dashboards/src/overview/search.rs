//! The search over experiments, past ones among them.

use experiments::{Experiment, Status};
use serde::{Deserialize, Serialize};

/// The status of the form that stands for all of them.
const ANY: &str = "any";

/// Holds what is looked for; every part may be left out. It is read from the address of the list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Search {
    /// Words that stand in the name, key, flag, owner, hypothesis, variations or in what was learned.
    #[serde(default)]
    pub q: String,
    /// A status, `any` for all of them, or nothing: then those that are not archived, unless something else is said.
    #[serde(default)]
    pub status: String,
    /// An owner, as a whole.
    #[serde(default)]
    pub owner: String,
    /// A flag, as a whole.
    #[serde(default)]
    pub flag: String,
}

#[derive(Serialize)]
pub(super) struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

impl Search {
    /// Checks that the status is one.
    ///
    /// # Errors
    /// A fragment that says which there are.
    pub fn check(&self) -> Result<(), String> {
        let is_known = |known: &str| self.status == known;
        if self.status.is_empty()
            || is_known(ANY)
            || Status::ALL.iter().any(|status| is_known(status.as_str()))
        {
            return Ok(());
        }
        let known: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
        Err(format!("status {:?} is none of {} and {ANY}", self.status, known.join(", ")))
    }

    /// Returns whether nothing in particular is looked for.
    pub fn is_empty(&self) -> bool {
        [&self.q, &self.status, &self.owner, &self.flag].iter().all(|part| part.trim().is_empty())
    }

    /// Returns whether an experiment is what is looked for.
    pub fn finds(&self, experiment: &Experiment) -> bool {
        let status = experiment.status();
        let is_of_status = match self.status.as_str() {
            "" => status != Status::Archived || !self.is_empty(),
            ANY => true,
            wanted => status.as_str() == wanted,
        };
        let is = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        is_of_status
            && is(&self.owner, experiment.owner())
            && is(&self.flag, experiment.flag())
            && self.has_words(experiment)
    }

    fn has_words(&self, experiment: &Experiment) -> bool {
        let told = [
            experiment.name(),
            experiment.key(),
            experiment.flag(),
            experiment.owner(),
            experiment.hypothesis(),
            experiment.learned(),
        ];
        let variations = experiment.variations().iter().flat_map(|one| [one.key(), one.name()]);
        let told = told.into_iter().chain(variations).collect::<Vec<_>>().join("\n").to_lowercase();
        self.q.to_lowercase().split_whitespace().all(|word| told.contains(word))
    }

    pub(super) fn statuses(&self) -> Vec<Choice> {
        let choice = |value: &str, label: &str| Choice {
            value: value.into(),
            label: label.into(),
            is_chosen: self.status == value || (self.status.is_empty() && value == ANY),
        };
        let one = |status: &Status| {
            let label: String = status.as_str().into();
            let (first, rest) = label.split_at(1);
            choice(status.as_str(), &(first.to_uppercase() + rest))
        };
        std::iter::once(choice(ANY, "Any")).chain(Status::ALL.iter().map(one)).collect()
    }

    pub(super) fn choices(chosen: &str, values: &[String]) -> Vec<Choice> {
        let any = Choice { value: String::new(), label: "Any".into(), is_chosen: chosen.is_empty() };
        let one = |value: &String| Choice {
            value: value.clone(),
            label: value.clone(),
            is_chosen: value == chosen,
        };
        std::iter::once(any).chain(values.iter().map(one)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn experiment(status: &str) -> Experiment {
        Experiment::parse_value(&json!({
            "schema_version": 1, "key": "wrap", "name": "Gift wrap", "flag": "f", "owner": "ann", "status": status,
            "hypothesis": "Shoppers want paper.", "learned": "Nobody minds; PAPER is dear.",
            "variations": [
                {"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "name": "Ribbon", "weight_bp": 5000, "value": 1},
            ],
        }))
        .unwrap()
    }

    fn finds(q: &str, status: &str, owner: &str, flag: &str, experiment: &Experiment) -> bool {
        let [q, status, owner, flag] = [q, status, owner, flag].map(str::to_owned);
        Search { q, status, owner, flag }.finds(experiment)
    }

    #[test]
    fn all_words_are_to_stand_somewhere() {
        let stopped = experiment("stopped");
        for q in ["", "gift", "WRAP paper", "dear minds", "ribbon ann", "  f "] {
            assert!(finds(q, "", "", "", &stopped), "{q}");
        }
        assert!(!finds("gift bow", "", "", "", &stopped));
        assert!(finds("", "stopped", "ann", "f", &stopped));
        assert!(!finds("", "running", "", "", &stopped) && !finds("", "", "bob", "", &stopped));
        assert!(!finds("", "", "", "g", &stopped));
    }

    #[test]
    fn archived_ones_are_found_where_something_is_looked_for() {
        let archived = experiment("archived");
        assert!(!finds("", "", "", "", &archived));
        assert!(finds("gift", "", "", "", &archived) && finds("", "any", "", "", &archived));
        assert!(finds("", "archived", "", "", &archived));
    }

    #[test]
    fn a_status_that_is_none_is_named() {
        let search = Search { status: "asleep".into(), ..Search::default() };
        assert_eq!(
            search.check().unwrap_err(),
            "status \"asleep\" is none of draft, running, paused, stopped, archived and any"
        );
        assert!(Search::default().check().is_ok());
    }
}
