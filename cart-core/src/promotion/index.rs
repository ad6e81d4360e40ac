//! All selectors of a set, each distinct one matched against a cart once.

use std::collections::{BTreeMap, BTreeSet};

use super::{Exceptions, PromotedLine, Selector};
use crate::{FamilyId, Sku};

/// Names a distinct selector of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SelectorId(u32);

/// Finds the selectors that hold for a line by its product's names, instead of asking each selector.
///
/// A selector is a conjunction of clauses (products, one for each attribute, and the exceptions); each clause is a row
/// of bits, one for each line. A name leads to the rows that it sets a bit in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SelectorIndex {
    plans: Vec<Plan>,
    rows: u32,
    skus: Names,
    families: Names,
    categories: Names,
    attributes: Vec<(String, Names)>,
}

/// Is how a selector's rows make its bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Plan {
    products: Option<u32>,
    attributes: Vec<u32>,
    exceptions: Option<u32>,
    full_price_only: bool,
}

/// Maps texts to rows; sorted by their first eight bytes as a number, which decides most comparisons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names(Vec<(u64, Box<str>, Box<[u32]>)>);

/// Returns the first eight bytes as a number that sorts like them.
pub(super) fn prefix(text: &str) -> u64 {
    let mut first = [0; 8];
    let len = text.len().min(first.len());
    first[..len].copy_from_slice(&text.as_bytes()[..len]);
    u64::from_be_bytes(first)
}

impl Names {
    fn rows(&self, text: &str) -> &[u32] {
        if self.0.is_empty() {
            return &[];
        }
        let key = prefix(text);
        let found =
            self.0.binary_search_by(|(first, name, _)| first.cmp(&key).then_with(|| (**name).cmp(text)));
        found.map_or(&[], |n| &self.0[n].2)
    }
}

impl From<BTreeMap<&str, Vec<u32>>> for Names {
    fn from(names: BTreeMap<&str, Vec<u32>>) -> Self {
        let sorted = names.into_iter().map(|(name, rows)| (prefix(name), name.into(), rows.into()));
        Self(sorted.collect())
    }
}

/// Is what a selector selects, whatever it is called.
type Meaning<'a> = (
    (&'a BTreeSet<Sku>, &'a BTreeSet<FamilyId>, &'a BTreeSet<String>),
    &'a BTreeMap<String, BTreeSet<String>>,
    &'a Exceptions,
    bool,
);

/// Collects the selectors of a set.
#[derive(Debug, Default)]
pub(super) struct IndexBuilder<'a> {
    known: BTreeMap<Meaning<'a>, SelectorId>,
    /// The selector of every line, where any promotion uses it.
    pub(super) everything: Option<SelectorId>,
    plans: Vec<Plan>,
    rows: u32,
    skus: BTreeMap<&'a str, Vec<u32>>,
    families: BTreeMap<&'a str, Vec<u32>>,
    categories: BTreeMap<&'a str, Vec<u32>>,
    attributes: BTreeMap<&'a str, BTreeMap<&'a str, Vec<u32>>>,
}

impl<'a> IndexBuilder<'a> {
    pub(super) fn add(&mut self, selector: &'a Selector) -> SelectorId {
        let Selector { skus, families, categories, attributes, except, full_price_only, .. } = selector;
        let meaning = ((skus, families, categories), attributes, except, *full_price_only);
        if let Some(id) = self.known.get(&meaning) {
            return *id;
        }
        let mut plan = Plan { full_price_only: *full_price_only, ..Plan::default() };
        if selector.names_products() {
            let row = self.row();
            plan.products = Some(row);
            self.point(row, skus.iter(), families.iter(), categories);
        }
        for (attribute, values) in attributes {
            let row = self.row();
            plan.attributes.push(row);
            let names = self.attributes.entry(attribute).or_default();
            for value in values {
                names.entry(value).or_default().push(row);
            }
        }
        if *except != Exceptions::default() {
            let row = self.row();
            plan.exceptions = Some(row);
            self.point(row, except.skus.iter(), except.families.iter(), &except.categories);
        }
        let id = SelectorId(self.plans.len() as u32);
        self.plans.push(plan);
        self.known.insert(meaning, id);
        if selector.is_everything() {
            self.everything = Some(id);
        }
        id
    }

    fn row(&mut self) -> u32 {
        self.rows += 1;
        self.rows - 1
    }

    fn point(
        &mut self,
        row: u32,
        skus: impl Iterator<Item = &'a Sku>,
        families: impl Iterator<Item = &'a FamilyId>,
        categories: impl IntoIterator<Item = &'a String>,
    ) {
        skus.for_each(|sku| self.skus.entry(sku.as_str()).or_default().push(row));
        families.for_each(|family| self.families.entry(family.as_str()).or_default().push(row));
        for category in categories {
            self.categories.entry(category).or_default().push(row);
        }
    }

    pub(super) fn build(self) -> SelectorIndex {
        SelectorIndex {
            plans: self.plans,
            rows: self.rows,
            skus: self.skus.into(),
            families: self.families.into(),
            categories: self.categories.into(),
            attributes: self
                .attributes
                .into_iter()
                .map(|(name, values)| (name.to_owned(), values.into()))
                .collect(),
        }
    }
}

/// Holds, for each selector, the lines that it selects, as bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matches {
    words: usize,
    bits: Vec<u64>,
}

const WORD: usize = u64::BITS as usize;

impl SelectorIndex {
    pub(super) fn matches<'a>(&self, lines: impl ExactSizeIterator<Item = &'a PromotedLine<'a>>) -> Matches {
        let count = lines.len();
        let words = count.div_ceil(WORD);
        let mut rows = vec![0_u64; self.rows as usize * words];
        let mut reduced = vec![0_u64; words];
        for (n, line) in lines.enumerate() {
            let (word, bit) = (n / WORD, 1_u64 << (n % WORD));
            let mut mark =
                |hits: &[u32]| hits.iter().for_each(|row| rows[*row as usize * words + word] |= bit);
            let product = line.product;
            mark(self.skus.rows(product.sku.as_str()));
            mark(self.categories.rows(&product.category));
            if let Some(family) = &product.family {
                mark(self.families.rows(family.as_str()));
            }
            for (attribute, values) in &self.attributes {
                let value = product.attributes.get(attribute).or_else(|| product.options.get(attribute));
                mark(value.map_or(&[], |value| values.rows(value)));
            }
            if line.is_reduced {
                reduced[word] |= bit;
            }
        }
        let mut bits = Vec::with_capacity(self.plans.len() * words);
        for plan in &self.plans {
            for word in 0..words {
                let row = |row: u32| rows[row as usize * words + word];
                let mut selected = plan.products.map_or_else(|| lines_of_word(count, word), row);
                plan.attributes.iter().for_each(|attribute| selected &= row(*attribute));
                selected &= !plan.exceptions.map_or(0, row);
                if plan.full_price_only {
                    selected &= !reduced[word];
                }
                bits.push(selected);
            }
        }
        Matches { words, bits }
    }
}

/// Returns a bit for each of the lines that stand in a word.
fn lines_of_word(count: usize, word: usize) -> u64 {
    match count - word * WORD {
        rest if rest >= WORD => u64::MAX,
        rest => (1 << rest) - 1,
    }
}

impl Matches {
    /// Walks the lines that a selector selects, in order.
    pub(super) fn lines(&self, selector: SelectorId) -> impl Iterator<Item = usize> + use<'_> {
        let first = selector.0 as usize * self.words;
        let words = self.bits[first..first + self.words].iter().enumerate();
        words.flat_map(|(word, bits)| Bits(*bits).map(move |bit| word * WORD + bit))
    }

    /// Reports whether a selector selects no line.
    pub(super) fn is_empty(&self, selector: SelectorId) -> bool {
        let first = selector.0 as usize * self.words;
        self.bits[first..first + self.words].iter().all(|bits| *bits == 0)
    }
}

/// Walks the bits of a word that are set.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}
