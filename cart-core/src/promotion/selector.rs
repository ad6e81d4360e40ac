//! Which lines a promotion means.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{FamilyId, Sku, definition::Faults, limits::SELECTOR_NAMES_MAX};

/// Selects lines by their products.
///
/// A line is selected where it is one of the named SKUs, families or categories (or of `all`), has one of the
/// values of every named attribute, and is not excepted. Where only attributes are named, these alone decide.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selector {
    /// What shoppers call what is selected, such as `mugs`; explanations use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// Every product.
    #[serde(skip_serializing_if = "is_false")]
    pub all: bool,
    /// These variants.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub skus: BTreeSet<Sku>,
    /// All variants of these products.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub families: BTreeSet<FamilyId>,
    /// The products that are listed under these categories.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<String>,
    /// Attribute or option to the values of which it must have one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, BTreeSet<String>>,
    /// What is not meant after all.
    #[serde(skip_serializing_if = "Exceptions::is_empty")]
    pub except: Exceptions,
    /// Only lines whose unit price is not reduced already.
    #[serde(skip_serializing_if = "is_false")]
    pub full_price_only: bool,
}

/// Names what a selector does not mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exceptions {
    /// These variants.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub skus: BTreeSet<Sku>,
    /// All variants of these products.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub families: BTreeSet<FamilyId>,
    /// The products that are listed under these categories.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub categories: BTreeSet<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Exceptions {
    fn is_empty(&self) -> bool {
        self.skus.is_empty() && self.families.is_empty() && self.categories.is_empty()
    }
}

impl Selector {
    /// Returns the selector of every line.
    pub fn everything() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Reports whether it selects every line.
    pub fn is_everything(&self) -> bool {
        self.all && self.attributes.is_empty() && self.except.is_empty() && !self.full_price_only
    }

    /// Reports whether SKUs, families or categories are named.
    pub(super) fn names_products(&self) -> bool {
        !(self.skus.is_empty() && self.families.is_empty() && self.categories.is_empty())
    }

    /// Returns what shoppers may call what is selected; nothing for everything.
    pub(super) fn label(&self) -> Option<Arc<str>> {
        if self.name.is_some() || self.is_everything() {
            return self.name.clone();
        }
        let values = self.attributes.values().flatten().map(String::as_str);
        let named = list(names(&self.skus, &self.families, &self.categories).chain(values));
        let Exceptions { skus, families, categories } = &self.except;
        let excepted = list(names(skus, families, categories));
        let label = match (named.is_empty(), excepted.is_empty()) {
            (true, true) => "full-price products".to_owned(),
            (true, false) => format!("anything but {excepted}"),
            (false, true) => named,
            (false, false) => format!("{named}, but not {excepted}"),
        };
        Some(label.into())
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        if let Some(name) = &self.name {
            faults.name("name", name);
        }
        let selects = self.all || self.names_products() || !self.attributes.is_empty();
        faults.need(
            selects,
            "",
            || "selects nothing; name skus, families, categories or attributes, or write all",
        );
        faults.need(
            !(self.all && self.names_products()),
            "all",
            || "stands beside named products; leave out the one or the other",
        );
        for category in self.categories.iter().chain(&self.except.categories) {
            faults.name("categories", category);
        }
        for (attribute, values) in &self.attributes {
            faults.name("attributes", attribute);
            faults.need(!values.is_empty(), "attributes", || {
                format!("has no value for {attribute:?}; name those that are meant")
            });
        }
        let excepted = self.except.skus.len() + self.except.families.len() + self.except.categories.len();
        let names = self.skus.len()
            + self.families.len()
            + self.categories.len()
            + self.attributes.values().map(BTreeSet::len).sum::<usize>()
            + excepted;
        faults.need(names <= SELECTOR_NAMES_MAX, "", || {
            format!("names {names} things, the most allowed is {SELECTOR_NAMES_MAX}; select by category")
        });
    }
}

/// Walks names, those of the most first.
fn names<'a>(
    skus: &'a BTreeSet<Sku>,
    families: &'a BTreeSet<FamilyId>,
    categories: &'a BTreeSet<String>,
) -> impl Iterator<Item = &'a str> {
    let categories = categories.iter().map(String::as_str);
    categories.chain(families.iter().map(FamilyId::as_str)).chain(skus.iter().map(Sku::as_str))
}

/// Lists the first of some names.
fn list<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    const NAMES: usize = 3;
    let first: Vec<_> = names.by_ref().take(NAMES).collect();
    let more = if names.next().is_some() { " …" } else { "" };
    first.join(", ") + more
}
