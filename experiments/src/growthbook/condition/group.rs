//! Saved groups: lists and conditions that many definitions share.

use std::collections::BTreeMap;

use super::{
    Condition, GROUP_DEPTH_MAX, GROUPS_OPENED_MAX, GroupsOpened, Path, Subject, compile, list::List,
};
use crate::growthbook::problem::{Inspector, Step, kind};
use crate::json::Json;

/// Holds compiled saved groups by their ids.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    by_id: BTreeMap<String, Group>,
}

#[derive(Debug, Clone)]
enum Group {
    /// A bare list: the first version.
    Values(List),
    List {
        attribute: Option<Path>,
        values: Option<List>,
    },
    Condition(Condition),
    /// A kind this build does not know, or one that is broken: matches nobody.
    Unknown,
}

impl Groups {
    /// Compiles the `savedGroups` of a payload.
    pub fn compile(groups: &Json) -> Groups {
        Groups::compile_in(groups, &mut Inspector::default())
    }

    pub(in crate::growthbook) fn compile_in<'j>(groups: &'j Json, inspector: &mut Inspector<'j>) -> Groups {
        let Json::Object(groups) = groups else {
            inspector.report(format!("is {}: make it an object of groups by id", kind(groups)));
            return Groups::default();
        };
        let compiled = groups.iter().map(|(id, group)| {
            let compiled = inspector.within(Step::Key(id), |inspector| Group::compile(group, inspector));
            (id.to_owned(), compiled)
        });
        Groups { by_id: compiled.collect() }
    }

    pub(in crate::growthbook) fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Answers `$inGroup` and `$notInGroup`, both false where the group has no list.
    pub(super) fn is_in(&self, id: &str, value: &Json, is_negated: bool) -> bool {
        match self.by_id.get(id) {
            None => is_negated,
            Some(Group::Values(values) | Group::List { values: Some(values), .. }) => {
                values.has(value) != is_negated
            }
            Some(_) => false,
        }
    }
}

impl Group {
    fn compile<'j>(group: &'j Json, inspector: &mut Inspector<'j>) -> Group {
        if let Json::Array(values) = group {
            return Group::Values(List::new(values, false));
        }
        let text = |key: &str| group.get(key).and_then(Json::as_str);
        match text("type") {
            Some("list") => {
                let values = group.get("values").and_then(Json::as_array);
                if values.is_none() {
                    inspector.report("has no list of `values`, so it matches nobody: give it one");
                }
                if text("attributeKey").is_none() {
                    inspector.report("has no `attributeKey`, so `$savedGroup` matches nobody: name one");
                }
                Group::List {
                    attribute: text("attributeKey").map(Path::new),
                    values: values.map(|values| List::new(values, false)),
                }
            }
            Some("condition") => match group.get("condition") {
                Some(condition @ (Json::Object(_) | Json::Array(_))) => Group::Condition(
                    inspector.within(Step::Key("condition"), |within| compile::condition(condition, within)),
                ),
                _ => {
                    inspector.report("has no `condition`, so it matches nobody: give it one");
                    Group::Unknown
                }
            },
            _ => {
                inspector.report("is neither a list nor of type `list` or `condition`, so it matches nobody");
                Group::Unknown
            }
        }
    }
}

/// Asks for a group by `$savedGroup`.
#[derive(Debug, Clone)]
pub(super) struct GroupReference {
    pub(super) id: String,
    /// Looks at this attribute instead of the list's own.
    pub(super) attribute: Option<Path>,
}

impl GroupReference {
    pub(super) fn holds(&self, subject: &Subject<'_>, hop: &Hop<'_>) -> bool {
        let Some(next) = hop.enter(&self.id) else { return false };
        match hop.groups.by_id.get(&self.id) {
            Some(Group::List { attribute, values: Some(values) }) => {
                let attribute = self.attribute.as_ref().or(attribute.as_ref());
                attribute.is_some_and(|attribute| values.has(&attribute.find(subject)))
            }
            Some(Group::Condition(condition)) => condition.holds(subject, &next),
            _ => false,
        }
    }
}

/// Knows the saved groups, and through which of them a condition was reached.
pub(super) struct Hop<'h> {
    pub(super) groups: &'h Groups,
    opened: &'h GroupsOpened,
    here: Option<(&'h str, &'h Hop<'h>)>,
    depth: usize,
}

impl<'h> Hop<'h> {
    pub(super) fn first(groups: &'h Groups, opened: &'h GroupsOpened) -> Hop<'h> {
        Hop { groups, opened, here: None, depth: 0 }
    }

    /// Goes into a group; `None` where that would be a circle or beyond a limit.
    fn enter<'n>(&'n self, id: &'n str) -> Option<Hop<'n>> {
        self.opened.set(self.opened.get() + 1);
        let is_allowed =
            self.depth < GROUP_DEPTH_MAX && self.opened.get() <= GROUPS_OPENED_MAX && !self.is_within(id);
        is_allowed.then(|| Hop {
            groups: self.groups,
            opened: self.opened,
            here: Some((id, self)),
            depth: self.depth + 1,
        })
    }

    fn is_within(&self, id: &str) -> bool {
        self.here.is_some_and(|(here, before)| here == id || before.is_within(id))
    }
}
