//! Targeting conditions: which attributes a unit must have.
//!
//! A condition is compiled once to a tree whose patterns, lists and versions are ready to be compared, and asked
//! often. The rules, down to what JavaScript makes of absent attributes and odd operands, are those of the
//! JavaScript SDK 1.8.0 (`mongrule.ts`); where that throws, a condition here is not met.

mod check;
mod compile;
mod group;
mod list;
mod version;

use std::borrow::Cow;

use crate::json::{Json, NULL, Object};
use check::Check;
pub use group::Groups;
use group::{GroupReference, Hop};

use super::problem::{Inspector, Problem};

/// Most saved groups that may lead through each other. GrowthBook's own builder nests no deeper.
pub const GROUP_DEPTH_MAX: usize = 10;
/// Most saved groups that one condition may open in all, so that groups which name each other twice cannot make
/// work that doubles at each level.
pub const GROUPS_OPENED_MAX: u32 = 1_000;

/// Holds a compiled condition: all of its tests must be met.
///
/// ```
/// use experiments::growthbook::{Condition, Groups};
/// use experiments::json::Json;
/// let condition = Condition::compile(&Json::parse(r#"{"country": {"$in": ["DE", "AT"]}, "age": {"$gte": 18}}"#)?);
/// let unit = Json::parse(r#"{"country": "AT", "age": "21"}"#)?;
/// assert!(condition.is_met(&unit, &Groups::default()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Condition {
    tests: Vec<Test>,
}

#[derive(Debug, Clone)]
enum Test {
    Field {
        path: Path,
        check: Check,
    },
    Any(Vec<Condition>),
    Neither(Vec<Condition>),
    Every(Vec<Condition>),
    Not(Condition),
    Group(GroupReference),
    /// What the JavaScript SDK throws on.
    Never,
}

impl Condition {
    /// Compiles a condition. What makes no sense is never met, as in the SDKs.
    pub fn compile(condition: &Json) -> Condition {
        compile::condition(condition, &mut Inspector::default())
    }

    /// Compiles a condition and says what makes no sense in it.
    pub fn check(condition: &Json) -> (Condition, Vec<Problem>) {
        let mut inspector = Inspector::default();
        let compiled = compile::condition(condition, &mut inspector);
        (compiled, inspector.finish())
    }

    pub(super) fn compile_in<'j>(condition: &'j Json, inspector: &mut Inspector<'j>) -> Condition {
        compile::condition(condition, inspector)
    }

    /// Returns whether the attributes meet the condition.
    pub fn is_met(&self, attributes: &Json, groups: &Groups) -> bool {
        self.holds(&Subject::Json(attributes), &Hop::first(groups, &GroupsOpened::default()))
    }

    /// Returns whether these attributes meet the condition.
    pub(super) fn is_met_by(&self, attributes: &Object, groups: &Groups) -> bool {
        self.holds(&Subject::Object(attributes), &Hop::first(groups, &GroupsOpened::default()))
    }

    /// Returns whether the value of a prerequisite meets the condition, which sees it as `value`.
    pub(super) fn is_met_by_value(&self, value: &Json, groups: &Groups) -> bool {
        self.holds(&Subject::Value(value), &Hop::first(groups, &GroupsOpened::default()))
    }

    fn holds(&self, subject: &Subject<'_>, hop: &Hop<'_>) -> bool {
        let holds = |condition: &Condition| condition.holds(subject, hop);
        self.tests.iter().all(|test| match test {
            Test::Field { path, check } => check.holds(&path.find(subject), hop),
            // GrowthBook lets an empty list of choices pass.
            Test::Any(conditions) => conditions.is_empty() || conditions.iter().any(holds),
            Test::Neither(conditions) => !(conditions.is_empty() || conditions.iter().any(holds)),
            Test::Every(conditions) => conditions.iter().all(holds),
            Test::Not(condition) => !holds(condition),
            Test::Group(reference) => reference.holds(subject, hop),
            Test::Never => false,
        })
    }
}

/// Counts the saved groups that were opened.
type GroupsOpened = std::cell::Cell<u32>;

/// What a condition is asked of.
#[derive(Debug, Clone, Copy)]
enum Subject<'s> {
    Json(&'s Json),
    Object(&'s Object),
    /// An object with the one key `value`.
    Value(&'s Json),
}

/// Holds the way to an attribute: `address.city`, `tags.0`.
#[derive(Debug, Clone, PartialEq)]
struct Path {
    first: String,
    rest: Vec<String>,
}

impl Path {
    fn new(text: &str) -> Path {
        let mut parts = text.split('.').map(str::to_owned);
        Path { first: parts.next().unwrap_or_default(), rest: parts.collect() }
    }

    /// Returns the value at the end of the way; what is absent is `null`.
    fn find<'s>(&self, subject: &Subject<'s>) -> Cow<'s, Json> {
        let first = match *subject {
            Subject::Json(json) => part(json, &self.first),
            Subject::Object(object) => object.get(&self.first).map(Cow::Borrowed),
            Subject::Value(value) => (self.first == "value").then_some(Cow::Borrowed(value)),
        };
        let end = self.rest.iter().try_fold(first, |found, name| match found? {
            Cow::Borrowed(whole) => Some(part(whole, name)),
            // A length has no parts.
            Cow::Owned(_) => None,
        });
        end.flatten().unwrap_or(Cow::Borrowed(&NULL))
    }
}

/// Returns a part of an object, an item of a list by its index, or a list's `length`.
fn part<'s>(whole: &'s Json, name: &str) -> Option<Cow<'s, Json>> {
    match whole {
        Json::Object(object) => object.get(name).map(Cow::Borrowed),
        Json::Array(items) if name == "length" => Some(Cow::Owned(Json::from(items.len() as u32))),
        Json::Array(items) => {
            let index: usize = name.parse().ok()?;
            // JavaScript knows `7`, but neither `07` nor `+7`.
            let is_plain = name.len() == 1 || !name.starts_with(['0', '+']);
            items.get(index).filter(|_| is_plain).map(Cow::Borrowed)
        }
        _ => None,
    }
}
