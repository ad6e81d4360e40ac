//! Which lines a promotion means.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
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
        const NAMES: usize = 3;
        if self.name.is_some() || self.is_everything() {
            return self.name.clone();
        }
        let skus = self.skus.iter().map(Sku::as_str);
        let families = self.families.iter().map(FamilyId::as_str);
        let categories = self.categories.iter().map(String::as_str);
        let values = self.attributes.values().flatten().map(String::as_str);
        let mut names = categories.chain(families).chain(skus).chain(values);
        let mut label = String::new();
        for (n, name) in names.by_ref().take(NAMES).enumerate() {
            let separator = if n == 0 { "" } else { ", " };
            let _ = write!(label, "{separator}{name}");
        }
        if names.next().is_some() {
            label.push_str(" …");
        }
        (!label.is_empty()).then(|| label.into())
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
