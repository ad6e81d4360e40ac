//! Features that were imported from GrowthBook, which every door serves beside the shop's own experiments.

use experiments::{
    growthbook::{FEATURES_MAX, Payload, PayloadError, Problem, Severity, encryption::sealed_part},
    json::{Json, Object},
};

use super::{Definitions, FLAGS};

/// The parts of a payload that only whoever answers it may say.
const ANSWERED: [&str; 2] = ["status", "dateUpdated"];

/// Says why a text holds no features that can be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportFault {
    /// It is beyond a limit or no JSON object.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Only those with a key can read it.
    #[error("`{0}` is encrypted: import what an SDK connection without encryption gets")]
    Sealed(&'static str),
    /// Nothing in it is a feature.
    #[error("`features` is no object: import the answer of GrowthBook's `GET /api/features/{{clientKey}}`")]
    NoFeatures,
    /// There are more than fit beside the shop's own.
    #[error(
        "`features` has {found}, the most allowed beside the shop's own is {most}: archive those that are not used"
    )]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
}

/// Is a payload that was, or is to be, imported.
#[derive(Debug)]
pub struct Imported(Object);

impl Imported {
    /// Reads a payload, or the features of one by themselves, as fixtures of SDKs have them.
    ///
    /// # Errors
    /// [`ImportFault`], in words that say how to mend it.
    pub fn read(text: &str) -> Result<Self, ImportFault> {
        // Some editors begin a file with a mark of its byte order.
        let payload = Payload::read(text.trim_start_matches('\u{feff}'))?;
        if let Some(part) = sealed_part(&payload) {
            return Err(ImportFault::Sealed(part));
        }
        let payload = match payload.get("features") {
            Some(Json::Object(_)) => payload,
            None if is_features(&payload) => Object::default().with("features", payload),
            _ => return Err(ImportFault::NoFeatures),
        };
        let imported = Self(payload);
        let (found, most) = (imported.count("features"), FEATURES_MAX - FLAGS.len());
        if found > most {
            return Err(ImportFault::TooMany { found, most });
        }
        Ok(imported)
    }

    /// Counts what an object or a list of the payload holds.
    pub fn count(&self, part: &str) -> usize {
        match self.0.get(part) {
            Some(Json::Object(object)) => object.len(),
            Some(Json::Array(items)) => items.len(),
            _ => 0,
        }
    }

    /// Returns the payload as it is kept and comes out again.
    pub fn payload(&self) -> &Object {
        &self.0
    }

    /// Finds what SDKs pass over or hardly anybody means, in itself or beside the shop's own experiments.
    ///
    /// # Errors
    /// [`ImportFault`] where SDKs could not even be given it.
    pub fn problems(&self, definitions: &Definitions) -> Result<Vec<Problem>, ImportFault> {
        Ok(Payload::compile(self.beside(&definitions.own).into())?.problems().to_vec())
    }

    /// Finds keys that are the shop's own already: either the shop or the SDKs would go by the wrong one.
    ///
    /// # Errors
    /// As [`Imported::problems`].
    pub fn collisions(&self, definitions: &Definitions) -> Result<Vec<Problem>, ImportFault> {
        Ok(collisions(&Payload::compile(self.0.clone().into())?, definitions))
    }

    /// Adds the shop's own features and saved groups, and keeps everything else as it came.
    pub(super) fn with(&self, own: &Object) -> Object {
        let with_features = self.0.clone().with("features", self.part_with("features", own));
        match own.get("savedGroups") {
            Some(_) => with_features.with("savedGroups", self.part_with("savedGroups", own)),
            None => with_features,
        }
    }

    /// Makes of it what the shop's doors serve. Where both have a key, the shop's own holds: its carts go by it.
    pub(super) fn beside(&self, own: &Object) -> Object {
        let version = own.get("dateUpdated").cloned().unwrap_or(Json::Null);
        self.with(own).without(&ANSWERED).with("dateUpdated", version)
    }

    fn part_with(&self, part: &str, own: &Object) -> Object {
        let both = [self.0.get(part), own.get(part)];
        let members = both.into_iter().filter_map(|members| members?.as_object()).flat_map(Object::iter);
        members.map(|(key, member)| (key.to_owned(), member.clone())).collect()
    }
}

/// Reports whether an object holds nothing but features.
fn is_features(object: &Object) -> bool {
    let is_feature = |json: &Json| {
        json.as_object()
            .is_some_and(|feature| ["defaultValue", "rules"].iter().any(|part| feature.get(part).is_some()))
    };
    !object.is_empty() && object.iter().all(|(_, json)| is_feature(json))
}

/// Finds keys that are the shop's own already.
fn collisions(imported: &Payload, definitions: &Definitions) -> Vec<Problem> {
    let error = |path: String, message: String| Problem { path, message, severity: Severity::Error };
    let mut problems = Vec::new();
    for key in imported.feature_keys() {
        let path = format!("features.{key}");
        if FLAGS.contains(&key) {
            let message = "is a flag of the shop itself: rename it, or export it with --imported-only";
            problems.push(error(path, message.into()));
        } else if definitions.stored(key).is_some() {
            problems.push(error(path, "has the key of an experiment of the shop: rename it".into()));
        }
    }
    let groups = imported.source().get("savedGroups").and_then(Json::as_object);
    for (id, _) in groups.into_iter().flat_map(Object::iter) {
        if definitions.groups().groups().get(id).is_some() {
            problems.push(error(
                format!("savedGroups.{id}"),
                "is a saved group of the shop itself: rename it".into(),
            ));
        }
    }
    for (path, experiment) in imported.tracked() {
        let key = experiment.key();
        if definitions.stored(key).is_some() && !path.starts_with(&format!("features.{key}.")) {
            let message = format!("is counted as `{key}`, an experiment of the shop: give it another `key`");
            problems.push(error(path, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{StoredDefinitions, StoredExperiment};

    fn shop() -> Definitions {
        let definition = r#"{"schema_version": 1, "key": "ours", "name": "Ours", "flag": "checkout_workflow", "status": "running",
            "variations": [{"key": "a", "weight_bp": 5000, "value": "classic"}, {"key": "b", "weight_bp": 5000, "value": "express"}]}"#;
        let row = StoredExperiment {
            key: "ours".into(),
            revision: 1,
            definition: definition.into(),
            saved_at_ms: 1_764_403_200_123,
            saved_by: "ann".into(),
            reason: String::new(),
        };
        Definitions::of(StoredDefinitions { revision: 1, experiments: vec![row], features: None })
    }

    fn refused(text: &str) -> String {
        Imported::read(text).unwrap_err().to_string()
    }

    fn problems(features: &str) -> Vec<String> {
        let imported = Imported::read(&format!(r#"{{"features": {features}}}"#)).unwrap();
        let found = [imported.collisions(&shop()).unwrap(), imported.problems(&shop()).unwrap()];
        found.concat().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn what_is_no_payload_is_refused_with_how_to_mend_it() {
        for (text, why) in [
            ("[]", "payload is a list: it must be an object with `features`"),
            ("{", "payload cannot be read: EOF while parsing an object at line 1 column 1"),
            (
                r#"{"features": {}, "encryptedFeatures": "AQ==.Ag=="}"#,
                "`encryptedFeatures` is encrypted: import what",
            ),
            ("{}", "`features` is no object: import the answer of"),
            (r#"{"status": 400, "error": "no"}"#, "`features` is no object"),
            (r#"{"features": []}"#, "`features` is no object"),
            (
                &format!(r#"{{"features": {}}}"#, "[".repeat(200)),
                "nested deeper than 128 levels at line 1 column 140: flatten",
            ),
            (
                &" ".repeat(10_000_001),
                "payload has 10000001 bytes, the most allowed is 10000000: split it by project",
            ),
        ] {
            assert!(refused(text).contains(why), "{}", refused(text));
        }
        let many: Vec<String> = (0..FEATURES_MAX - 1).map(|n| format!(r#""{n}": {{}}"#)).collect();
        let many = refused(&format!(r#"{{"features": {{{}}}}}"#, many.join(",")));
        assert_eq!(
            many,
            "`features` has 9999, the most allowed beside the shop's own is 9990: archive those that are not used"
        );
    }

    #[test]
    fn features_are_read_with_or_without_their_frame() {
        let bare = r#"{"f": {"defaultValue": 1}, "g": {"rules": []}}"#;
        let framed = format!("\u{feff}{{\"features\": {bare}}}");
        let [bare, framed] = [bare, framed.as_str()].map(|text| Imported::read(text).unwrap());
        assert_eq!((bare.payload(), bare.count("features")), (framed.payload(), 2));
    }

    #[test]
    fn keys_of_the_shop_itself_are_refused_by_their_path() {
        let rule = r#"{"rules": [{"force": 0}, {"key": "ours", "variations": [1, 2]}]}"#;
        assert_eq!(
            problems(&format!(r#"{{"checkout_workflow": {{}}, "ours": {{"rules": []}}, "f": {rule}}}"#)),
            [
                "`features.checkout_workflow` is a flag of the shop itself: rename it, or export it with --imported-only",
                "`features.ours` has the key of an experiment of the shop: rename it",
                "`features.f.rules[1]` is counted as `ours`, an experiment of the shop: give it another `key`",
            ]
        );
        let waits = r#"{"f": {"rules": [{"parentConditions": [{"id": "checkout_workflow", "condition": {"value": "express"}}], "force": 1}]}}"#;
        assert_eq!(problems(waits), [""; 0], "the shop's own flags may be waited for");
    }

    #[test]
    fn the_shop_goes_by_its_own_where_both_have_a_key() {
        let text = r#"{"status": 200, "features": {"checkout_workflow": {"defaultValue": 7}, "f": {"defaultValue": 1}}, "savedGroups": {"g": [1]}}"#;
        let shop = shop();
        let beside = Imported::read(text).unwrap().beside(&shop.own);
        let features = beside.get("features").unwrap();
        assert!(features.get("checkout_workflow").unwrap().get("rules").is_some());
        assert!(features.get("f").is_some() && beside.get("savedGroups").is_some());
        assert_eq!(beside.get("dateUpdated").and_then(Json::as_str), Some(shop.version()));
        assert_eq!(beside.get("status"), None);
    }
}
