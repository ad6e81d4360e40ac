//! Saved groups: lists of units and conditions that many experiments name.

use std::collections::BTreeSet;

use experiments::{
    Experiment,
    definition::attributes_of,
    growthbook::Payload,
    json::{Json, Object},
};
use serde_json::Value;

use super::ATTRIBUTES;
use crate::store::{self, DocumentRevision, Store, StoreError};

/// Names the document that holds them, a JSON object by their ids.
pub(super) const DOCUMENT: &str = "saved_groups";
/// Most saved groups of a shop's own: a page of them.
pub const GROUPS_MAX: usize = 100;
/// Most bytes of all of them: ten thousand units. SDKs fetch them with the flags.
pub const GROUPS_BYTES_MAX: usize = 512 * 1024;
/// Most bytes of a group's id.
const ID_BYTES_MAX: usize = 64;

/// Says why saved groups were not taken.
#[derive(Debug, thiserror::Error)]
pub enum GroupsError {
    /// They are too long.
    #[error("saved groups have {0} bytes, the most is {GROUPS_BYTES_MAX}: shorten their lists")]
    TooLarge(usize),
    /// They are no JSON object.
    #[error(
        "saved groups are a JSON object by their ids, such as {{\"staff\": {{\"type\": \"list\", ...}}}}: {0}"
    )]
    Unreadable(String),
    /// There are too many.
    #[error("there are {0} saved groups, the most is {GROUPS_MAX}")]
    TooMany(usize),
    /// An id that is none.
    #[error("{0:?} is no id of a group: use letters, digits, `-`, `_` and `.`, at most {ID_BYTES_MAX}")]
    Id(String),
    /// One makes no sense.
    #[error("{0}")]
    Problem(String),
    /// One asks for what nobody knows.
    #[error("group {group:?} asks for {name:?}, which the shop does not know of a visitor; it knows {known}")]
    UnknownAttribute {
        /// The group.
        group: String,
        /// The attribute.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// One that an experiment asks for would change or go.
    #[error(
        "experiment {experiment:?} asks for group {group:?} and has started: leave it as it is until that is over, or save another \
         group under a new id"
    )]
    InUse {
        /// The experiment's key.
        experiment: String,
        /// The group.
        group: String,
    },
    /// Somebody else has saved others since they were read.
    #[error(
        "somebody else saved groups since this page was opened: look at what there is now, then save yours again"
    )]
    Overtaken,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Is the shop's own saved groups at one revision.
#[derive(Debug, Clone, Default)]
pub struct SavedGroups {
    /// How often they were saved; 0 where they never were.
    pub revision: u64,
    /// When they were saved last, in Unix milliseconds.
    pub saved_at_ms: i64,
    /// As they were written.
    pub text: String,
    groups: Object,
}

impl SavedGroups {
    /// Returns those that are stored; what cannot be read is reported and left out.
    ///
    /// # Errors
    /// What the store says.
    pub async fn stored(store: &dyn Store) -> store::Result<Self> {
        let Some(last) = store.document_history(DOCUMENT).await?.into_iter().next() else {
            return Ok(Self::default());
        };
        let groups = parse(&last.text).unwrap_or_else(|error| {
            tracing::error!(%error, "the saved groups cannot be read and are left out");
            Object::default()
        });
        Ok(Self { revision: last.revision, saved_at_ms: last.saved_at_ms, text: last.text, groups })
    }

    /// Returns them as a payload has them.
    pub fn groups(&self) -> &Object {
        &self.groups
    }

    /// Puts groups in the place of those that were read at a revision.
    ///
    /// # Errors
    /// [`GroupsError`]; nothing is written then.
    pub async fn save(
        &self,
        store: &dyn Store,
        experiments: &[Experiment],
        text: &str,
        by: &str,
        now_ms: i64,
    ) -> Result<(), GroupsError> {
        let next = parse(text)?;
        let begun =
            |experiment: &&Experiment| experiment.status().has_started() && !experiment.status().is_over();
        for experiment in experiments.iter().filter(begun) {
            let changes = |id: &String| self.groups.get(id).is_some_and(|group| next.get(id) != Some(group));
            if let Some(group) =
                reached(&self.groups, experiment.targeting().groups()).into_iter().find(changes)
            {
                return Err(GroupsError::InUse { experiment: experiment.key().to_owned(), group });
            }
        }
        let revision = DocumentRevision {
            name: DOCUMENT.into(),
            revision: self.revision + 1,
            text: text.to_owned(),
            saved_at_ms: now_ms,
            saved_by: by.to_owned(),
            reason: String::new(),
        };
        match store.revise_document(&revision).await {
            Err(StoreError::Conflict(_)) => Err(GroupsError::Overtaken),
            written => Ok(written?),
        }
    }
}

/// Returns the named groups with all that those name themselves.
fn reached(groups: &Object, named: BTreeSet<String>) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), Vec::from_iter(named));
    while let Some(id) = open.pop() {
        let of = |group: &Json| experiments::definition::groups_of(&group.to_value());
        if found.insert(id.clone()) {
            open.extend(groups.get(&id).map(of).unwrap_or_default());
        }
    }
    found
}

/// Reads saved groups and checks every one.
fn parse(text: &str) -> Result<Object, GroupsError> {
    if text.len() > GROUPS_BYTES_MAX {
        return Err(GroupsError::TooLarge(text.len()));
    }
    let text = if text.trim().is_empty() { "{}" } else { text };
    let groups = match Json::parse(text) {
        Ok(Json::Object(groups)) => groups,
        Ok(_) => return Err(GroupsError::Unreadable("this is something else".into())),
        Err(error) => return Err(GroupsError::Unreadable(error.to_string())),
    };
    if groups.len() > GROUPS_MAX {
        return Err(GroupsError::TooMany(groups.len()));
    }
    for (id, group) in groups.iter() {
        let is_id = (1..=ID_BYTES_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_id {
            return Err(GroupsError::Id(id.to_owned()));
        }
        check_attributes(id, &group.to_value())?;
    }
    let payload = Object::default().with("features", Object::default()).with("savedGroups", groups.clone());
    let compiled =
        Payload::compile(payload.into()).map_err(|error| GroupsError::Problem(error.to_string()))?;
    match compiled.problems().first() {
        Some(problem) => Err(GroupsError::Problem(problem.to_string())),
        None => Ok(groups),
    }
}

fn check_attributes(id: &str, group: &Value) -> Result<(), GroupsError> {
    let mut asked = BTreeSet::new();
    if let Some(attribute) = group.get("attributeKey").and_then(Value::as_str) {
        asked.insert(attribute.to_owned());
    }
    if let Some(condition) = group.get("condition") {
        attributes_of(condition, &mut asked);
    }
    let is_known = |name: &String| ATTRIBUTES.iter().any(|(known, _)| known == name);
    match asked.into_iter().find(|name| !is_known(name)) {
        Some(name) => {
            let known = ATTRIBUTES.map(|(known, _)| known).join(", ");
            Err(GroupsError::UnknownAttribute { group: id.to_owned(), name, known })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_or_refused_with_how_to_mend_them() {
        let good = r#"{"staff": {"type": "list", "attributeKey": "id", "values": ["u1"]},
            "alps": {"type": "condition", "condition": {"country": {"$in": ["AT", "CH"]}}}}"#;
        assert_eq!(parse(good).unwrap().len(), 2);
        assert_eq!(parse(" ").unwrap().len(), 0);
        let many: Vec<String> = (0..101).map(|n| format!(r#""g{n}": []"#)).collect();
        for (text, why) in [
            ("[]", "a JSON object by their ids"),
            ("{", "a JSON object by their ids"),
            (r#"{"a b": []}"#, "is no id of a group"),
            (r#"{"g": {"type": "list"}}"#, "has no list of `values`"),
            (r#"{"g": {"type": "sum"}}"#, "is neither a list nor of type"),
            (r#"{"g": {"type": "condition", "condition": {"device": {"$is": 1}}}}"#, "$is"),
            (
                r#"{"g": {"type": "condition", "condition": {"age": 7}}}"#,
                "asks for \"age\", which the shop does not know",
            ),
            (r#"{"g": {"type": "list", "attributeKey": "mood", "values": []}}"#, "asks for \"mood\""),
            (
                r#"{"g": {"type": "condition", "condition": {"$savedGroup": {"id": "h"}}}}"#,
                "names the saved group `h`",
            ),
            (&format!("{{{}}}", many.join(",")), "there are 101 saved groups, the most is 100"),
            (&format!(r#"{{"g": ["{}"]}}"#, "x".repeat(GROUPS_BYTES_MAX)), "the most is 524288"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_group_is_reached_through_others() {
        let groups = parse(
            r#"{"a": {"type": "condition", "condition": {"$savedGroup": {"id": "b"}}}, "b": {"type": "list", "attributeKey": "id",
            "values": []}, "c": []}"#,
        )
        .unwrap();
        let named = BTreeSet::from(["a".to_owned()]);
        assert_eq!(Vec::from_iter(reached(&groups, named)), ["a", "b"]);
    }
}
