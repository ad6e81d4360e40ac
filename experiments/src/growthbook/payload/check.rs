//! Features that wait for each other.

use std::collections::BTreeMap;

use crate::growthbook::PREREQUISITE_DEPTH_MAX;
use crate::growthbook::feature::Feature;
use crate::growthbook::index::Index;
use crate::growthbook::problem::{Inspector, Step};

/// How deep the prerequisites of a feature go.
#[derive(Clone, Copy)]
enum Depth {
    /// It is being looked at: whoever meets it again has gone in a circle.
    Open,
    Known(usize),
}

/// Reports features that are their own prerequisite, and chains that are too long.
///
/// A walk in depth with a stack of its own: a chain may have as many links as there are features.
pub(super) fn check_cycles<'j>(features: &'j Index<Feature>, inspector: &mut Inspector<'j>) {
    let mut depths: BTreeMap<&str, Depth> = BTreeMap::new();
    for (key, _) in features.iter() {
        let mut open = vec![(key, false)];
        while let Some((key, is_leaving)) = open.pop() {
            let parents = || {
                let rules = features.get(key).into_iter().flat_map(|feature| &feature.rules);
                rules.flat_map(|rule| &rule.parents).map(|parent| parent.feature.as_str())
            };
            if is_leaving {
                let depth_of = |parent: &str| match depths.get(parent) {
                    Some(Depth::Known(depth)) => depth + 1,
                    _ => 1,
                };
                let depth = parents().map(depth_of).max().unwrap_or(0);
                if depth == PREREQUISITE_DEPTH_MAX + 1 {
                    let message = format!(
                        "has prerequisites {depth} levels deep, the most allowed is {PREREQUISITE_DEPTH_MAX}: shorten the chain"
                    );
                    inspector.within(Step::Key("features"), |i| i.report_at(Step::Key(key), message));
                }
                depths.insert(key, Depth::Known(depth));
                continue;
            }
            if depths.contains_key(key) {
                continue;
            }
            depths.insert(key, Depth::Open);
            open.push((key, true));
            for parent in parents() {
                if matches!(depths.get(parent), Some(Depth::Open)) {
                    let message = format!(
                        "waits for `{parent}`, which waits for it, so neither has a value: take out a prerequisite"
                    );
                    inspector.within(Step::Key("features"), |i| i.report_at(Step::Key(key), message));
                } else {
                    open.push((parent, false));
                }
            }
        }
    }
}
