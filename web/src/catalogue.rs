//! The catalogue in memory, swapped whole when the store's revision moves.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arc_swap::ArcSwap;
use cart_core::{Currency, Product, Products, Properties, Sku};

use crate::{
    search::{FacetKind, words::words},
    store::{self, Store},
};

/// The currency of a cart where neither the client nor the catalogue names one.
const FALLBACK_CURRENCY: &str = "GBP";

/// Is a visible product as it is looked through.
#[derive(Debug)]
pub struct Listed {
    /// The product.
    pub product: Arc<Product>,
    /// Its name, folded.
    pub name: Box<str>,
    /// The number of its family; a product of none is its own.
    pub family: u32,
    /// The numbers of its values in [`Catalogue::values`].
    pub values: Box<[u32]>,
    /// The revision at which it was listed first.
    pub since: u64,
    number: usize,
}

impl Listed {
    /// Returns what names its family, or itself where it has none.
    pub fn id(&self) -> &str {
        self.product.family.as_ref().map_or(self.product.sku.as_str(), |family| family.as_str())
    }
}

/// Is the catalogue at one revision, ready to be searched.
#[derive(Debug, Default)]
pub struct Catalogue {
    revision: u64,
    products: HashMap<Sku, Arc<Product>>,
    /// The visible products, families together, otherwise in the order of the SKUs.
    listed: Vec<Listed>,
    numbers: HashMap<Sku, usize>,
    /// Where each family begins in `listed`.
    begins: Vec<usize>,
    facets: Vec<FacetKind>,
    /// Each value with the number of its facet.
    values: Vec<(u32, String)>,
    categories: Vec<String>,
    currency: Option<Currency>,
    bundles: Vec<Arc<Product>>,
    changes_ms: Vec<i64>,
}

impl Catalogue {
    /// Builds the catalogue of a snapshot.
    pub fn of(snapshot: store::CatalogueSnapshot) -> Self {
        let store::CatalogueSnapshot { revision, products, listed: since } = snapshot;
        let mut products: Vec<(Arc<Product>, u64)> = products.into_iter().map(Arc::new).zip(since).collect();
        products.sort_unstable_by(|(a, _), (b, _)| a.sku.cmp(&b.sku));
        let mut families: BTreeMap<&str, u32> = BTreeMap::new();
        let mut visible: Vec<(u32, &Arc<Product>, u64)> = vec![];
        let (mut next, mut facets) = (0, Numbering::default());
        resolve(&mut products);
        for (product, since) in products.iter().filter(|(p, _)| p.is_for_sale()) {
            let mut new = || {
                next += 1;
                next - 1
            };
            let family = match &product.family {
                Some(family) => *families.entry(family.as_str()).or_insert_with(new),
                None => new(),
            };
            visible.push((family, product, *since));
        }
        visible.sort_by_key(|(family, ..)| *family);
        let listed: Vec<Listed> = visible
            .into_iter()
            .enumerate()
            .map(|(number, (family, product, since))| Listed {
                name: words(&product.name).join(" ").into(),
                values: facets.values_of(product),
                product: product.clone(),
                family,
                since,
                number,
            })
            .collect();
        let numbers = listed.iter().map(|l| (l.product.sku.clone(), l.number)).collect();
        let begins = listed
            .iter()
            .filter(|l| l.number == 0 || listed[l.number - 1].family != l.family)
            .map(|l| l.number);
        let mut categories: Vec<String> =
            listed.iter().map(|l| l.product.category.clone()).filter(|c| !c.is_empty()).collect();
        categories.sort_unstable();
        categories.dedup();
        let mut counts = BTreeMap::<Currency, usize>::new();
        for listed in &listed {
            *counts.entry(listed.product.price.currency).or_default() += 1;
        }
        let currency = counts.into_iter().max_by_key(|(_, count)| *count).map(|(currency, _)| currency);
        Self {
            revision,
            begins: begins.collect(),
            numbers,
            facets: facets.facets,
            values: facets.values,
            categories,
            currency,
            bundles: listed.iter().map(|l| &l.product).filter(|p| p.bundle.is_some()).cloned().collect(),
            changes_ms: products.iter().flat_map(|(product, _)| product.changes_ms()).collect(),
            products: products.iter().map(|(p, _)| (p.sku.clone(), p.clone())).collect(),
            listed,
        }
    }

    /// Returns the revision that the catalogue shows.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns a product, hidden or not.
    pub fn product(&self, sku: &Sku) -> Option<&Arc<Product>> {
        self.products.get(sku)
    }

    /// Returns properties by the rules that their product has today.
    pub fn marked(&self, sku: &Sku, properties: &Properties) -> Properties {
        match self.product(sku) {
            Some(product) => product.marked(properties).into_owned(),
            None => properties.clone(),
        }
    }

    /// Visits all products, hidden or not, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Product>> {
        self.products.values()
    }

    /// Returns a product that a shopper may see.
    pub fn visible(&self, sku: &Sku) -> Option<&Arc<Product>> {
        self.product(sku).filter(|p| p.is_for_sale())
    }

    /// Returns the visible products, families together, otherwise in the order of the SKUs.
    pub fn listed(&self) -> &[Listed] {
        &self.listed
    }

    /// Returns the place of a visible product among the listed.
    pub fn number(&self, sku: &Sku) -> Option<usize> {
        self.numbers.get(sku).copied()
    }

    /// Returns the place of a listed product.
    pub fn number_of(&self, listed: &Listed) -> usize {
        listed.number
    }

    /// Returns the visible variants of a listed product's family, itself included.
    pub fn variants_of(&self, listed: &Listed) -> &[Listed] {
        let family = listed.family as usize;
        let begin = self.begins.get(family).copied().unwrap_or(listed.number);
        let end = self.begins.get(family + 1).copied().unwrap_or(self.listed.len());
        self.listed.get(begin..end).unwrap_or_default()
    }

    /// Returns the visible variants of a product's family, itself included; none where it is hidden.
    pub fn variants(&self, sku: &Sku) -> &[Listed] {
        let listed = self.number(sku).and_then(|n| self.listed.get(n));
        listed.map_or(&[], |listed| self.variants_of(listed))
    }

    /// Returns what products may be narrowed by.
    pub fn facets(&self) -> &[FacetKind] {
        &self.facets
    }

    /// Returns every value of every facet, with the number of its facet.
    pub fn values(&self) -> &[(u32, String)] {
        &self.values
    }

    /// Returns the categories of the visible products in order.
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    /// Returns one visible product of each family, in order.
    pub fn families(&self) -> impl Iterator<Item = &Arc<Product>> {
        self.begins.iter().filter_map(|n| self.listed.get(*n)).map(|l| &l.product)
    }

    /// Returns the visible bundles.
    pub fn bundles(&self) -> &[Arc<Product>] {
        &self.bundles
    }

    /// Returns the times at which a price begins or ends or a pre-order is released, in Unix milliseconds.
    pub fn changes_ms(&self) -> impl Iterator<Item = i64> {
        self.changes_ms.iter().copied()
    }

    /// Returns the currency that a cart is opened in when nobody says: the one that most visible products are priced in, and
    /// pounds where there are no prices yet.
    pub fn currency(&self) -> Currency {
        self.currency.unwrap_or_else(|| Currency::parse(FALLBACK_CURRENCY).expect("the fallback is listed"))
    }

    /// Reports how many products a shopper may see.
    pub fn visible_count(&self) -> usize {
        self.listed.len()
    }
}

/// Looks up what bundles are made of.
fn resolve(products: &mut [(Arc<Product>, u64)]) {
    if products.iter().all(|(product, _)| product.bundle.is_none()) {
        return;
    }
    let plain: HashMap<Sku, Arc<Product>> =
        products.iter().map(|(p, _)| (p.sku.clone(), p.clone())).collect();
    for (product, _) in products.iter_mut().filter(|(product, _)| product.bundle.is_some()) {
        Arc::make_mut(product).resolve(|sku| plain.get(sku).cloned());
    }
}

/// Numbers facets and their values as they come.
#[derive(Default)]
struct Numbering {
    facets: Vec<FacetKind>,
    values: Vec<(u32, String)>,
    facet_numbers: HashMap<FacetKind, u32>,
    value_numbers: HashMap<(u32, String), u32>,
}

impl Numbering {
    fn values_of(&mut self, product: &Product) -> Box<[u32]> {
        let category = Some(&product.category).filter(|c| !c.is_empty());
        let category = category.map(|c| (FacetKind::Category, c));
        let options = product.options.iter().map(|(name, value)| (FacetKind::Option(name.clone()), value));
        let attributes =
            product.attributes.iter().map(|(name, value)| (FacetKind::Attribute(name.clone()), value));
        category.into_iter().chain(options).chain(attributes).map(|(kind, v)| self.value(kind, v)).collect()
    }

    fn value(&mut self, kind: FacetKind, value: &str) -> u32 {
        let facets = &mut self.facets;
        let facet = *self.facet_numbers.entry(kind).or_insert_with_key(|kind| {
            facets.push(kind.clone());
            facets.len() as u32 - 1
        });
        let values = &mut self.values;
        *self.value_numbers.entry((facet, value.to_owned())).or_insert_with_key(|value| {
            values.push(value.clone());
            values.len() as u32 - 1
        })
    }
}

impl Products for Catalogue {
    fn product(&self, sku: &Sku) -> Option<&Product> {
        self.products.get(sku).map(|p| &**p)
    }
}

/// Holds the newest catalogue for everybody.
#[derive(Debug, Default)]
pub struct CatalogueCell(ArcSwap<Catalogue>);

impl CatalogueCell {
    /// Returns the catalogue as of now; it stays as it is while it is held.
    pub fn get(&self) -> Arc<Catalogue> {
        self.0.load_full()
    }

    /// Swaps in the store's catalogue where it has moved on.
    ///
    /// # Errors
    /// What the store says; the earlier catalogue stays.
    pub async fn refresh(&self, store: &dyn Store) -> store::Result<()> {
        if let Some(snapshot) = store.catalogue(self.0.load().revision).await? {
            self.0.store(Arc::new(Catalogue::of(snapshot)));
        }
        Ok(())
    }
}
