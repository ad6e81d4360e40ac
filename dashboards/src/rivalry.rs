//! Running experiments that decide the same flag, in words.

use experiments::definition::WHOLE_BP;
use experiments::{Experiment, Status};

use crate::figure::short_percent;

/// Says what the other running experiments on an experiment's flag mean for it; `None` where there are none, and of what is
/// over. Of one that does not run, it says what a start would mean.
pub(crate) fn told(experiment: &Experiment, all: &[Experiment]) -> Option<String> {
    let rivals = experiment.rivals(all);
    if rivals.is_empty() || experiment.status().is_over() {
        return None;
    }
    if let (false, Err(error)) = (experiment.status() == Status::Running, experiment.check_rivals(all)) {
        return Some(format!("It cannot take visitors now: {}.", quoted(&error.to_string())));
    }
    let mut said = vec![format!(
        "Flag “{}” is decided elsewhere, too; nobody is in two experiments on it.",
        experiment.flag()
    )];
    for before in &rivals.before {
        said.push(format!("{} comes first and takes {} of the visitors.", before.name(), coverage(before)));
    }
    if !rivals.before.is_empty() {
        said.push(match rivals.left() {
            0.0 => "Nobody is left for this one.".into(),
            left => format!("{} are left for this one.", rounded(left)),
        });
    }
    for after in &rivals.after {
        said.push(format!("{} comes behind it and gets only visitors whom this one leaves.", after.name()));
    }
    Some(said.join(" "))
}

/// Says who else decides the flag of an experiment that is being written.
pub(crate) fn foretold(key: &str, flag: &str, all: &[Experiment]) -> Option<String> {
    let rivals = all
        .iter()
        .filter(|other| other.status() == Status::Running && other.flag() == flag && other.key() != key);
    let names: Vec<&str> = rivals.map(Experiment::name).collect();
    (!names.is_empty()).then(|| {
        format!("Flag “{flag}” is decided by {}, too: what is left for this experiment is told once it has all it needs.", names.join(" and "))
    })
}

/// Says of each running experiment that has others before it on its flag what is left for it.
pub(crate) fn listed(all: &[Experiment]) -> Vec<String> {
    let running = all.iter().filter(|experiment| experiment.status() == Status::Running);
    let of = |experiment: &Experiment| {
        let rivals = experiment.rivals(all);
        let names: Vec<&str> = rivals.before.iter().map(|before| before.name()).collect();
        let left = match rivals.left() {
            0.0 => "nobody".into(),
            left => format!("{} of the visitors", rounded(left)),
        };
        (!names.is_empty()).then(|| {
            format!(
                "{} decides flag “{}” behind {}: {left} can meet it.",
                experiment.name(),
                experiment.flag(),
                names.join(" and ")
            )
        })
    };
    running.filter_map(of).collect()
}

/// A share to a hundredth of a percent.
fn rounded(share: f64) -> String {
    short_percent((share * 10_000.0).round() / 10_000.0)
}

fn coverage(experiment: &Experiment) -> String {
    short_percent(f64::from(experiment.coverage_bp()) / f64::from(WHOLE_BP))
}

/// Quotation marks for people where an error has those of programmers.
fn quoted(text: &str) -> String {
    let mut parts = text.split('`');
    let mut said = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        said.push(if index % 2 == 0 { '“' } else { '”' });
        said += part;
    }
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(key: &str, coverage_bp: u32, status: &str) -> Experiment {
        Experiment::parse_value(&json!({
            "schema_version": 1, "key": key, "name": key.to_uppercase(), "flag": "f", "status": status,
            "coverage_bp": coverage_bp, "variations": [
                {"key": "old", "weight_bp": 5000, "value": 0}, {"key": "new", "weight_bp": 5000, "value": 1},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn what_is_left_is_said_on_both_pages() {
        let all = [of("a", 2_500, "running"), of("b", 10_000, "running"), of("z", 10_000, "stopped")];
        let first = told(&all[0], &all).unwrap();
        assert!(first.ends_with("B comes behind it and gets only visitors whom this one leaves."), "{first}");
        let second = told(&all[1], &all).unwrap();
        assert!(
            second.contains(
                "A comes first and takes 25\u{a0}% of the visitors. 75\u{a0}% are left for this one."
            ),
            "{second}"
        );
        assert_eq!(told(&all[2], &all), None, "what is over takes nobody");
        assert_eq!(told(&all[0], &all[..1]), None);
        assert_eq!(listed(&all), ["B decides flag “f” behind A: 75\u{a0}% of the visitors can meet it."]);
        let draft = told(&of("0", 100, "draft"), &all).unwrap();
        assert!(draft.starts_with("It cannot take visitors now: it would take visitors from B"), "{draft}");
        assert!(draft.ends_with("under a key that comes after “b”."), "{draft}");
    }
}
