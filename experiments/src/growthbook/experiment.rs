//! Experiments, compiled: inline, of a rule, or run by themselves on a page.

use super::page::{PagePattern, compile_patterns};
use super::problem::{Inspector, Step, kind};
use super::read::{self, Filter, Parent, text, truthy};
use super::{Condition, Problem};
use crate::hash::{BucketRange, HashVersion, Seed, bucket_ranges, equal_weights};
use crate::json::{Json, NULL, Object};
use crate::regexp::Regexp;

mod check;

/// Holds a compiled experiment.
///
/// ```
/// use experiments::growthbook::{Evaluator, Experiment, Payload, User};
/// use experiments::json::Json;
/// let experiment = Experiment::compile(&Json::parse(r#"{"key": "my-test", "variations": ["a", "b"]}"#)?);
/// let (payload, attributes) = (Payload::default(), Json::parse(r#"{"id": "1"}"#)?);
/// let result = Evaluator::new(&payload, User::new(&attributes)).run(&experiment);
/// assert_eq!((result.value.as_str(), result.in_experiment), (Some("b"), true));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Experiment {
    pub(super) key: String,
    pub(super) variations: Vec<Json>,
    /// Every other field, as the JavaScript SDK reports the experiment.
    pub(super) fields: Object,
    pub(super) hash_attribute: String,
    pub(super) fallback_attribute: Option<String>,
    pub(super) seed: Seed,
    pub(super) version: Option<HashVersion>,
    pub(super) ranges: Vec<BucketRange>,
    coverage: f64,
    has_ranges: bool,
    pub(super) names: Vec<VariationName>,
    /// The keys of `meta`, which sticky buckets store.
    pub(super) meta_keys: Vec<Option<String>>,
    pub(super) namespace: Option<(Seed, BucketRange)>,
    pub(super) filters: Option<Vec<Filter>>,
    pub(super) condition: Option<Condition>,
    pub(super) parents: Vec<Parent>,
    pub(super) sticky: Sticky,
    pub(super) pages: Option<Vec<PagePattern>>,
    /// An old pattern for the address; one that is broken matches nothing.
    pub(super) url: Option<Option<Regexp>>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) is_draft: bool,
    pub(super) is_stopped: bool,
    /// The variation that everybody included gets; one that does not exist leaves them out.
    pub(super) force: Option<Option<usize>>,
}

/// Names a variation in results.
#[derive(Debug, Clone)]
pub(super) struct VariationName {
    pub(super) key: String,
    pub(super) name: Option<String>,
    pub(super) is_passed_through: bool,
}

/// Says how an experiment keeps its units in their variation.
#[derive(Debug, Clone)]
pub(super) struct Sticky {
    pub(super) is_disabled: bool,
    /// Under which name an assignment is kept: key and bucket version.
    pub(super) key: String,
    /// Units with an assignment of a version below this one are left out.
    pub(super) version_min: f64,
}

impl Experiment {
    /// Compiles an experiment from its JSON. What makes no sense includes nobody or is passed over, as in the
    /// SDKs.
    pub fn compile(json: &Json) -> Experiment {
        Experiment::check(json).0
    }

    /// Compiles an experiment and says what makes no sense in it.
    pub fn check(json: &Json) -> (Experiment, Vec<Problem>) {
        let mut inspector = Inspector::default();
        let empty = Object::default();
        let compiled = match json {
            Json::Object(object) => Experiment::compile_in(object, object.clone(), &mut inspector),
            other => {
                inspector.report(format!("is {} where an experiment must be an object", kind(other)));
                Experiment::compile_in(&empty, empty.clone(), &mut inspector)
            }
        };
        let problems = inspector.finish();
        (compiled, problems)
    }

    /// Compiles what is written in `source`; `object` is the same as the SDK reports it.
    pub(super) fn compile_in<'j>(
        source: &'j Object,
        object: Object,
        inspector: &mut Inspector<'j>,
    ) -> Experiment {
        let key = text(&object, "key").unwrap_or_else(|| "undefined".into());
        let variations = object.get("variations").and_then(Json::as_array).unwrap_or_default().to_vec();
        check::check(source, &object, variations.len(), inspector);
        let coverage = read::coverage(source, inspector).unwrap_or(1.0);
        let explicit = truthy(source, "ranges")
            .map(|json| inspector.within(Step::Key("ranges"), |inspector| read::ranges(json, inspector)));
        let (names, meta_keys) = names(&object, variations.len());
        // A rule's experiment leaves out what the rule itself has looked at.
        let own = |name: &str| object.get(name).and_then(|_| truthy(source, name));
        let pages = own("urlPatterns").map(|json| {
            inspector.within(Step::Key("urlPatterns"), |inspector| compile_patterns(json, inspector))
        });
        let mut experiment = Experiment {
            hash_attribute: text(&object, "hashAttribute").unwrap_or_else(|| "id".into()),
            fallback_attribute: text(&object, "fallbackAttribute"),
            seed: Seed::new(&text(&object, "seed").unwrap_or_else(|| key.clone())),
            version: read::hash_version(source, HashVersion::V1, inspector),
            coverage,
            has_ranges: explicit.is_some(),
            ranges: explicit.unwrap_or_default(),
            names,
            meta_keys,
            namespace: truthy(&object, "namespace").map(namespace),
            filters: read::filters(source, inspector),
            condition: read::condition(source, inspector),
            parents: own("parentConditions").map_or_else(Vec::new, |_| read::parents(source, inspector)),
            sticky: sticky(&key, &object),
            pages,
            url: truthy(&object, "url").map(|url| Regexp::new(url.as_str()?, false).ok()),
            groups: truthy(&object, "groups").map(groups),
            is_draft: object.get("status").and_then(Json::as_str) == Some("draft")
                || object.get("active") == Some(&Json::Bool(false)),
            is_stopped: object.get("status").and_then(Json::as_str) == Some("stopped"),
            force: object.get("force").map(|force| index(force.as_f64())),
            fields: object.without(&["variations"]),
            variations,
            key,
        };
        if !experiment.has_ranges {
            experiment.ranges = experiment.ranges_by(experiment.weights());
        }
        experiment
    }

    /// Returns the tracking key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the variations' values, the control first.
    pub fn variations(&self) -> &[Json] {
        &self.variations
    }

    /// Returns what exposures call the variations: the key of each, or its number from 0 where it has none.
    pub fn variation_keys(&self) -> impl Iterator<Item = &str> {
        self.names.iter().take(self.variations.len()).map(|name| name.key.as_str())
    }

    /// Returns a field as it was written.
    pub fn field(&self, name: &str) -> &Json {
        self.fields.get(name).unwrap_or(&NULL)
    }

    /// Returns the experiment's own weights.
    pub(super) fn weights(&self) -> Option<&Json> {
        truthy(&self.fields, "weights")
    }

    pub(super) fn equal_weights(&self) -> Json {
        Json::Array(equal_weights(self.variations.len()).into_iter().map(Json::number).collect())
    }

    /// Returns the bucket ranges under these weights; explicit ranges come before any.
    pub(super) fn ranges_by(&self, weights: Option<&Json>) -> Vec<BucketRange> {
        if self.has_ranges {
            return self.ranges.clone();
        }
        let numbers = |json: &Json| json.as_array().unwrap_or_default().iter().map(Json::to_number).collect();
        let weights: Option<Vec<f64>> = weights.filter(|json| json.is_truthy()).map(numbers);
        bucket_ranges(self.variations.len(), self.coverage, weights.as_deref())
    }
}

/// Reads an index; `None` where no variation can have it.
fn index(number: Option<f64>) -> Option<usize> {
    number.filter(|number| *number >= 0.0 && number.fract() == 0.0).map(|number| number as usize)
}

fn names(object: &Object, variations: usize) -> (Vec<VariationName>, Vec<Option<String>>) {
    let meta = truthy(object, "meta").and_then(Json::as_array).unwrap_or_default();
    let name = |index: usize| {
        let of = |field: &str| meta.get(index).and_then(Json::as_object).and_then(|one| truthy(one, field));
        VariationName {
            key: of("key").map_or_else(|| index.to_string(), |key| key.to_text().into_owned()),
            name: of("name").map(|name| name.to_text().into_owned()),
            is_passed_through: of("passthrough").is_some(),
        }
    };
    let key = |one: &Json| one.get("key").and_then(Json::as_str).map(str::to_owned);
    // A result for nobody names the control, even where there is none.
    ((0..variations.max(1)).map(name).collect(), meta.iter().map(key).collect())
}

fn namespace(json: &Json) -> (Seed, BucketRange) {
    let part = |index: usize| json.as_array().and_then(|parts| parts.get(index));
    let id = part(0).map_or("undefined".into(), Json::to_text);
    let bound = |index: usize| part(index).map_or(f64::NAN, Json::to_number);
    (Seed::new(&format!("__{id}")), BucketRange { start: bound(1), end: bound(2) })
}

fn groups(json: &Json) -> Vec<String> {
    json.as_array().unwrap_or_default().iter().map(|group| group.to_text().into_owned()).collect()
}

fn sticky(key: &str, object: &Object) -> Sticky {
    let version = text(object, "bucketVersion").unwrap_or_else(|| "0".into());
    Sticky {
        is_disabled: truthy(object, "disableStickyBucketing").is_some(),
        key: format!("{key}__{version}"),
        version_min: truthy(object, "minBucketVersion").map_or(0.0, Json::to_number),
    }
}
