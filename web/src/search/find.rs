//! Narrowing, counting, sorting and paging in memory.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use cart_core::{Currency, GroupId, PriceQuestion, Product, Sku};

use super::{
    Ask, Cursor, Facet, FacetKind, FacetValue, Matches, PriceRange, Sort,
    ask::Key,
    facets::{FACET_VALUES_MAX, FACETS_MAX, ranges},
    rank::rank,
};
use crate::catalogue::{Catalogue, Listed};

/// Is what a question is answered from, beside the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'s> {
    /// What is sold out.
    pub sold_out: &'s BTreeSet<Sku>,
    /// The pieces of each product sold in the window that the shop looks back.
    pub sales: &'s HashMap<Sku, u64>,
    /// The shop's currency.
    pub currency: Currency,
    /// The group of customers that whoever asks belongs to: by it prices are told, compared and counted.
    pub group: Option<&'s GroupId>,
    /// The time, in Unix milliseconds.
    pub now_ms: i64,
}

/// Is a product that was found, with its variants.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The variant that fits best.
    pub product: Arc<Product>,
    /// All visible variants of the family, itself included; one product alone has no others.
    pub variants: Vec<Arc<Product>>,
}

/// Is the answer to a question.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The hits of the page.
    pub hits: Vec<Hit>,
    /// All hits.
    pub total: usize,
    /// There may be more hits than were looked at.
    pub is_cut: bool,
    /// What the hits may be narrowed by.
    pub facets: Vec<Facet>,
    /// The ranges of their prices.
    pub prices: Vec<PriceRange>,
    /// The hits of which a piece is there, were only those asked for.
    pub in_stock: u32,
    /// What the shopper may have meant.
    pub meant: Option<String>,
    /// Where the next page goes on.
    pub next: Option<Cursor>,
}

/// Answers a question. `matches` is what the store found for its text, and not asked where the text is empty; the page
/// begins `skip` hits behind the cursor.
pub fn find(
    catalogue: &Catalogue,
    ask: &Ask,
    matches: Option<&Matches>,
    sight: &Sight<'_>,
    skip: usize,
    limit: usize,
) -> Found {
    let candidates = candidates(catalogue, ask, matches);
    let mut count = Count::new(catalogue, ask, sight);
    let mut drafts: Vec<Draft<'_>> = vec![];
    for family in candidates.chunk_by(|(a, _), (b, _)| a.family == b.family) {
        drafts.extend(count.family(family));
    }
    let total = drafts.len();
    let facets = count.facets(ask);
    let prices = ranges(std::mem::take(&mut count.prices));
    let mut placed: Vec<Placed<'_>> = drafts.into_iter().map(|d| d.placed(ask.sort)).collect();
    if let Some(cursor) = ask.cursor.as_ref().filter(|c| c.sort == ask.sort) {
        placed.retain(|p| (&p.key, p.id) > (&cursor.key, &*cursor.id));
    }
    let end = skip.saturating_add(limit);
    if placed.len() > end {
        placed.select_nth_unstable_by(end, |a, b| a.place().cmp(&b.place()));
    }
    let is_more = placed.len() > end;
    placed.truncate(end);
    placed.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
    let page = placed.get(skip..).unwrap_or_default();
    let next = page.last().filter(|_| is_more).map(|last| last.cursor(ask.sort));
    let hit = |p: &Placed<'_>| Hit {
        product: p.lead.product.clone(),
        variants: catalogue.variants_of(p.lead).iter().map(|v| v.product.clone()).collect(),
    };
    Found {
        hits: page.iter().map(hit).collect(),
        total,
        is_cut: matches.is_some_and(Matches::is_cut),
        facets,
        prices,
        in_stock: count.in_stock,
        meant: matches.and_then(|m| m.meant.clone()),
        next,
    }
}

/// Returns the products that the text leads to, each with its rank, families together.
fn candidates<'c>(catalogue: &'c Catalogue, ask: &Ask, matches: Option<&Matches>) -> Vec<(&'c Listed, u32)> {
    let Some(matches) = matches else { return catalogue.listed().iter().map(|l| (l, 0)).collect() };
    let mut numbers: Vec<usize> = matches.skus.iter().filter_map(|sku| catalogue.number(sku)).collect();
    numbers.sort_unstable();
    let listed = numbers.into_iter().filter_map(|n| catalogue.listed().get(n));
    listed
        .map(|l| match l.product.sku.as_str().eq_ignore_ascii_case(&ask.text) {
            true => (l, 0),
            false => (l, 1 + rank(&l.name, &matches.terms)),
        })
        .collect()
}

/// Is a hit that will stand somewhere.
struct Draft<'c> {
    lead: &'c Listed,
    /// How well the lead fits: one that is there before one that is sold out.
    fit: (bool, u32),
    rank: u32,
    is_sold_out: bool,
    lowest: i64,
    highest: i64,
    sales: u64,
    listed: u64,
}

struct Placed<'c> {
    key: Key<'c>,
    id: &'c str,
    lead: &'c Listed,
}

impl<'c> Placed<'c> {
    fn place(&self) -> (&Key<'c>, &'c str) {
        (&self.key, self.id)
    }

    fn cursor(&self, sort: Sort) -> Cursor {
        let key = match &self.key {
            Key::Numbers(a, b) => Key::Numbers(*a, *b),
            Key::Name(name) => Key::Name(name.to_string().into()),
        };
        Cursor { sort, key, id: self.id.to_owned() }
    }
}

impl<'c> Draft<'c> {
    fn placed(self, sort: Sort) -> Placed<'c> {
        let few = |n: u64| -i64::try_from(n).unwrap_or(i64::MAX);
        let key = match sort {
            Sort::Relevance => {
                Key::Numbers(i64::from(self.rank) << 1 | i64::from(self.is_sold_out), few(self.sales))
            }
            Sort::Sales => Key::Numbers(few(self.sales), i64::from(self.rank)),
            Sort::Price => Key::Numbers(self.lowest, 0),
            Sort::PriceDown => Key::Numbers(-self.highest, 0),
            Sort::Newest => Key::Numbers(few(self.listed), 0),
            Sort::Name => Key::Name((&*self.lead.name).into()),
        };
        Placed { key, id: self.lead.id(), lead: self.lead }
    }
}

/// Counts hits by what they have. A product that misses one filter only still counts for the facet of that filter: the
/// shopper sees what else there would be.
struct Count<'q> {
    catalogue: &'q Catalogue,
    sight: &'q Sight<'q>,
    sold_out: Vec<bool>,
    currency: Currency,
    needs_price: bool,
    /// The values that each filter on a facet lets pass.
    filters: Vec<Vec<u32>>,
    /// The filter's bit of each facet, 0 where none is on it.
    bits: Vec<u64>,
    price: Option<(i64, i64)>,
    in_stock_only: bool,
    /// Hits of each value, and the family counted last.
    counts: Vec<(u32, u32)>,
    prices: Vec<i64>,
    in_stock: u32,
}

const PRICE: u64 = 1 << 62;
const STOCK: u64 = 1 << 63;

impl<'q> Count<'q> {
    fn new(catalogue: &'q Catalogue, ask: &Ask, sight: &'q Sight<'q>) -> Self {
        let mut sold_out = vec![false; catalogue.listed().len()];
        for number in sight.sold_out.iter().filter_map(|sku| catalogue.number(sku)) {
            sold_out[number] = true;
        }
        let mut bits = vec![0; catalogue.facets().len()];
        let mut filters = vec![];
        for filter in &ask.filters {
            let facets = catalogue.facets().iter().enumerate().filter(|(_, kind)| kind.is(&filter.kind));
            facets.for_each(|(n, _)| bits[n] = 1 << filters.len());
            let wanted: Vec<String> = filter.values.iter().map(|v| v.to_lowercase()).collect();
            let values = catalogue.values().iter().enumerate().filter(|(_, (facet, value))| {
                catalogue.facets().get(*facet as usize).is_some_and(|kind| kind.is(&filter.kind))
                    && wanted.contains(&value.to_lowercase())
            });
            filters.push(values.filter_map(|(n, _)| u32::try_from(n).ok()).collect());
        }
        Self {
            counts: vec![(0, u32::MAX); catalogue.values().len()],
            catalogue,
            sold_out,
            currency: ask.currency.unwrap_or(sight.currency),
            needs_price: ask.currency.is_some(),
            filters,
            bits,
            price: ask.price.map(|(from, to)| (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX))),
            in_stock_only: ask.in_stock,
            prices: vec![],
            in_stock: 0,
            sight,
        }
    }

    /// Counts a family's candidates and answers its hit, where one of them passes every filter.
    fn family(&mut self, candidates: &[(&'q Listed, u32)]) -> Option<Draft<'q>> {
        let mut hit: Option<Draft<'q>> = None;
        let (mut lowest, mut is_there) = (None, false);
        for (listed, rank) in candidates {
            let question = PriceQuestion {
                currency: self.currency,
                group: self.sight.group,
                quantity: 1,
                now_ms: self.sight.now_ms,
            };
            let price = listed.product.price_for(&question).map(|p| p.minor);
            if price.is_none() && self.needs_price {
                continue;
            }
            let number = self.catalogue.number_of(listed);
            let is_sold_out = self.sold_out.get(number).copied().unwrap_or(false);
            let missed = self.missed(listed, price, is_sold_out);
            for value in &listed.values {
                let bit =
                    self.catalogue.values().get(*value as usize).map_or(0, |(f, _)| self.bits[*f as usize]);
                let (count, last) = &mut self.counts[*value as usize];
                if (missed == 0 || missed == bit) && *last != listed.family {
                    (*count, *last) = (*count + 1, listed.family);
                }
            }
            if missed == 0 || missed == PRICE {
                lowest = price.into_iter().chain(lowest).min();
            }
            is_there |= (missed == 0 || missed == STOCK) && !is_sold_out;
            if missed == 0 {
                self.add(&mut hit, listed, *rank, price, is_sold_out);
            }
        }
        self.prices.extend(lowest);
        self.in_stock += u32::from(is_there);
        hit
    }

    /// Names the filters that a product misses, a bit each.
    fn missed(&self, listed: &Listed, price: Option<i64>, is_sold_out: bool) -> u64 {
        let mut missed = 0;
        for (n, values) in self.filters.iter().enumerate() {
            if !values.iter().any(|value| listed.values.contains(value)) {
                missed |= 1 << n;
            }
        }
        if let Some((from, to)) = self.price
            && !price.is_some_and(|p| (from..=to).contains(&p))
        {
            missed |= PRICE;
        }
        if self.in_stock_only && is_sold_out {
            missed |= STOCK;
        }
        missed
    }

    fn add(
        &self,
        hit: &mut Option<Draft<'q>>,
        listed: &'q Listed,
        rank: u32,
        price: Option<i64>,
        is_sold_out: bool,
    ) {
        // What has no price in the currency stands behind what has one.
        let (lowest, highest) = price.map_or((i64::MAX, -i64::MAX), |p| (p, p));
        let sales = self.sight.sales.get(&listed.product.sku).copied().unwrap_or(0);
        let Some(hit) = hit else {
            *hit = Some(Draft {
                lead: listed,
                fit: (is_sold_out, rank),
                rank,
                is_sold_out,
                lowest,
                highest,
                sales,
                listed: listed.since,
            });
            return;
        };
        if (is_sold_out, rank) < hit.fit {
            (hit.lead, hit.fit) = (listed, (is_sold_out, rank));
        }
        hit.rank = hit.rank.min(rank);
        hit.is_sold_out &= is_sold_out;
        hit.lowest = hit.lowest.min(lowest);
        hit.highest = hit.highest.max(highest);
        hit.sales = hit.sales.saturating_add(sales);
        hit.listed = hit.listed.max(listed.since);
    }

    fn facets(&self, ask: &Ask) -> Vec<Facet> {
        let mut facets: Vec<Facet> =
            self.catalogue.facets().iter().map(|kind| Facet { kind: kind.clone(), values: vec![] }).collect();
        for ((facet, value), (count, _)) in self.catalogue.values().iter().zip(&self.counts) {
            let Some(facet) = facets.get_mut(*facet as usize) else { continue };
            let is_selected = ask.names(&facet.kind, value);
            if *count > 0 || is_selected {
                facet.values.push(FacetValue { value: value.clone(), count: *count, is_selected });
            }
        }
        facets.retain(|facet| !facet.values.is_empty());
        for facet in &mut facets {
            facet
                .values
                .sort_by(|a, b| (b.is_selected, b.count, &a.value).cmp(&(a.is_selected, a.count, &b.value)));
            facet.values.truncate(FACET_VALUES_MAX);
            facet.values.sort_by(|a, b| (b.count, &a.value).cmp(&(a.count, &b.value)));
        }
        let weight = |facet: &Facet| facet.values.iter().map(|v| u64::from(v.count)).sum::<u64>();
        facets.sort_by_key(|f| (f.kind != FacetKind::Category, u64::MAX - weight(f)));
        facets.truncate(FACETS_MAX);
        facets.sort_by(|a, b| a.kind.cmp(&b.kind));
        facets
    }
}
