//! A list of products: everything, one category, or what a search found, with what it may be narrowed and sorted by.

use cart_core::Currency;
use serde::Serialize;

use super::{Card, Price, link};
use crate::search::{Ask, Facet, FacetKind, Found, PriceRange, Sort, ask::PriceBounds};

/// Is a list of products. Everything that narrows or sorts it is a link, so that it needs no script.
#[derive(Clone, Debug, Serialize)]
pub struct Listing {
    heading: String,
    query: String,
    category: Option<String>,
    cards: Vec<Card>,
    total: usize,
    first: usize,
    last: usize,
    filters: Vec<Filter>,
    facets: Vec<Group>,
    sorts: Vec<Filter>,
    sort: &'static str,
    chosen: Vec<Filter>,
    /// Where to see the list with nothing chosen.
    unchosen: String,
    meant: Option<Filter>,
    pages: Vec<PageLink>,
    previous: Option<String>,
    next: Option<String>,
    everywhere: String,
}

#[derive(Clone, Debug, Serialize)]
struct Filter {
    name: String,
    href: String,
    current: bool,
    count: Option<u32>,
}

/// Is a facet's values under its name.
#[derive(Clone, Debug, Serialize)]
struct Group {
    name: String,
    filters: Vec<Filter>,
    /// Whether something of it is chosen.
    current: bool,
}

/// Is one entry of the page numbers; without an address it is a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct PageLink {
    number: usize,
    href: Option<String>,
    current: bool,
}

impl Listing {
    /// Products on one page of a list: whole rows at two, three and four columns.
    pub const PAGE_LEN: usize = 24;

    /// Returns how many pages hold so many products; an empty list has one.
    pub fn page_count(total: usize) -> usize {
        total.div_ceil(Self::PAGE_LEN).max(1)
    }

    /// Puts one page of a list together. `page` counts from 1 and is at most [`Self::page_count`] of what was found;
    /// `cards` are that page's products, and `currency` that of the prices.
    pub fn new(ask: &Ask, found: &Found, cards: Vec<Card>, page: usize, currency: Currency) -> Self {
        let href = |page| link::listing(&ask.parameters(), page);
        let count = Self::page_count(found.total);
        let first = (page - 1) * Self::PAGE_LEN;
        let query = ask.text.trim();
        let category = ask.filters.iter().find(|f| f.kind == FacetKind::Category);
        let category = category.and_then(|f| f.values.first()).cloned();
        let everywhere = ask.without(&FacetKind::Category);
        let unchosen = Ask { filters: ask.of(&FacetKind::Category), ..Ask::text(query) };
        Self {
            heading: match (query, &category) {
                ("", None) => "Everything we sell".into(),
                ("", Some(category)) => category.clone(),
                (query, _) => format!("“{query}”"),
            },
            query: query.to_owned(),
            total: found.total,
            first: if cards.is_empty() { 0 } else { first + 1 },
            last: first + cards.len(),
            cards,
            filters: categories(ask, found, &everywhere),
            facets: groups(ask, found, currency),
            sorts: Sort::ALL.map(|sort| sorted(ask, sort)).into(),
            sort: label(ask.sort),
            chosen: chosen(ask, currency),
            unchosen: link::listing(&unchosen.parameters(), 1),
            meant: found.meant.as_ref().map(|text| {
                let ask = Ask { text: text.clone(), ..ask.clone() };
                Filter::to(text.clone(), &ask, false, None)
            }),
            pages: page_links(page, count, href),
            previous: (page > 1).then(|| href(page - 1)),
            next: (page < count).then(|| href(page + 1)),
            everywhere: link::listing(&everywhere.parameters(), 1),
            category,
        }
    }
}

impl Filter {
    fn to(name: impl Into<String>, ask: &Ask, current: bool, count: Option<u32>) -> Self {
        Self { name: name.into(), href: link::listing(&ask.parameters(), 1), current, count }
    }
}

/// Lists the categories, of which one is chosen at a time.
fn categories(ask: &Ask, found: &Found, everywhere: &Ask) -> Vec<Filter> {
    let is_all = ask.of(&FacetKind::Category).is_empty();
    let all = Filter::to("Everything", everywhere, is_all, None);
    let facet = found.facets.iter().find(|f| f.kind == FacetKind::Category);
    let mut values: Vec<_> = facet.map(|f| f.values.iter().collect()).unwrap_or_default();
    values.sort_by(|a, b| a.value.cmp(&b.value));
    let filter = |value: &crate::search::FacetValue| {
        let to = everywhere.toggled(&FacetKind::Category, &value.value);
        Filter::to(&value.value, &to, value.is_selected, Some(value.count))
    };
    std::iter::once(all).chain(values.into_iter().map(filter)).collect()
}

/// Lists what else the products may be narrowed by. What would change nothing is left out.
fn groups(ask: &Ask, found: &Found, currency: Currency) -> Vec<Group> {
    let useful =
        |f: &&Facet| f.kind != FacetKind::Category && (f.values.len() > 1 || !ask.of(&f.kind).is_empty());
    let mut groups: Vec<Group> = found
        .facets
        .iter()
        .filter(useful)
        .map(|facet| Group {
            name: facet.kind.label().to_owned(),
            current: facet.values.iter().any(|v| v.is_selected),
            filters: facet
                .values
                .iter()
                .map(|v| {
                    Filter::to(&v.value, &ask.toggled(&facet.kind, &v.value), v.is_selected, Some(v.count))
                })
                .collect(),
        })
        .collect();
    if found.prices.len() > 1 || ask.price.is_some() {
        let range = |range: &PriceRange| {
            let price = Some((Some(range.from_minor), Some(range.to_minor)));
            let current = ask.price == price;
            let to = Ask { price: if current { None } else { price }, cursor: None, ..ask.clone() };
            Filter::to(between(price, currency), &to, current, Some(range.count))
        };
        groups.push(Group {
            name: "Price".into(),
            current: ask.price.is_some(),
            filters: found.prices.iter().map(range).collect(),
        });
    }
    if ask.in_stock || usize::try_from(found.in_stock).is_ok_and(|n| n < found.total) {
        let to = Ask { in_stock: !ask.in_stock, cursor: None, ..ask.clone() };
        groups.push(Group {
            name: "Stock".into(),
            current: ask.in_stock,
            filters: vec![Filter::to("In stock", &to, ask.in_stock, Some(found.in_stock))],
        });
    }
    groups
}

/// Lists what is chosen, each with the list that it would be without it.
fn chosen(ask: &Ask, currency: Currency) -> Vec<Filter> {
    let mut chosen = vec![];
    for filter in ask.filters.iter().filter(|f| f.kind != FacetKind::Category) {
        for value in &filter.values {
            let name = format!("{}: {value}", filter.kind.label());
            chosen.push(Filter::to(name, &ask.toggled(&filter.kind, value), true, None));
        }
    }
    if ask.price.is_some() {
        chosen.push(Filter::to(
            between(ask.price, currency),
            &Ask { price: None, ..ask.clone() },
            true,
            None,
        ));
    }
    if ask.in_stock {
        chosen.push(Filter::to("In stock", &Ask { in_stock: false, ..ask.clone() }, true, None));
    }
    chosen
}

fn between(price: Option<PriceBounds>, currency: Currency) -> String {
    let text = |minor| Price::new(minor, currency).text;
    match price {
        Some((Some(from), Some(to))) if from == to => text(from),
        Some((Some(from), Some(to))) => format!("{} to {}", text(from), text(to)),
        Some((Some(from), None)) => format!("From {}", text(from)),
        Some((None, Some(to))) => format!("Up to {}", text(to)),
        _ => "Any price".into(),
    }
}

fn sorted(ask: &Ask, sort: Sort) -> Filter {
    Filter::to(label(sort), &Ask { sort, cursor: None, ..ask.clone() }, ask.sort == sort, None)
}

fn label(sort: Sort) -> &'static str {
    match sort {
        Sort::Relevance => "Best match",
        Sort::Sales => "Best sellers",
        Sort::Price => "Price, lowest first",
        Sort::PriceDown => "Price, highest first",
        Sort::Newest => "Newest",
        Sort::Name => "Name",
    }
}

/// Lists the first page, the last, and those around the current one, with a gap where some are left out.
fn page_links(page: usize, count: usize, href: impl Fn(usize) -> String) -> Vec<PageLink> {
    let mut links: Vec<PageLink> = vec![];
    for number in (1..=count).filter(|n| *n == 1 || *n == count || n.abs_diff(page) <= 1) {
        if links.last().is_some_and(|last| last.number + 1 < number) {
            links.push(PageLink { number: number - 1, href: None, current: false });
        }
        links.push(PageLink { number, href: Some(href(number)), current: number == page });
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_numbers_leave_gaps() {
        let shown = |page, count| {
            page_links(page, count, |n| n.to_string())
                .into_iter()
                .map(|l| match (l.href, l.current) {
                    (None, _) => "…".to_owned(),
                    (Some(href), true) => format!("[{href}]"),
                    (Some(href), false) => href,
                })
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(shown(1, 1), "[1]");
        assert_eq!(shown(2, 3), "1 [2] 3");
        assert_eq!(shown(1, 9), "[1] 2 … 9");
        assert_eq!(shown(5, 9), "1 … 4 [5] 6 … 9");
        assert_eq!(shown(9, 9), "1 … 8 [9]");
    }

    #[test]
    fn a_list_counts_what_it_shows() {
        let listing = |total, page| {
            let found = Found { total, ..Found::default() };
            Listing::new(&Ask::default(), &found, vec![], page, Currency::parse("GBP").unwrap())
        };
        assert_eq!(Listing::page_count(0), 1);
        assert_eq!(Listing::page_count(24), 1);
        assert_eq!(Listing::page_count(25), 2);
        assert_eq!(listing(0, 1).first, 0);
        assert_eq!(listing(49, 2).previous.as_deref(), Some("/products"));
        assert_eq!(listing(49, 2).next.as_deref(), Some("/products?page=3"));
        assert_eq!(listing(49, 3).next, None);
    }

    #[test]
    fn what_narrows_keeps_what_is_chosen() {
        let mut ask = Ask::text("tea");
        for (name, value) in
            [("category", "Linen"), ("option.Size", "M"), ("price", "..999"), ("sort", "price")]
        {
            ask.take(name, value).unwrap();
        }
        let facet = |kind: FacetKind, values: &[&str]| Facet {
            values: values
                .iter()
                .map(|v| crate::search::FacetValue {
                    value: (*v).to_owned(),
                    count: 2,
                    is_selected: ask.names(&kind, v),
                })
                .collect(),
            kind,
        };
        let found = Found {
            total: 3,
            in_stock: 2,
            facets: vec![
                facet(FacetKind::Category, &["Linen", "Larder"]),
                facet(FacetKind::Option("Size".into()), &["M", "L"]),
            ],
            ..Found::default()
        };
        let page = Listing::new(&ask, &found, vec![], 1, Currency::parse("GBP").unwrap());
        let hrefs = |filters: &[Filter]| filters.iter().map(|f| f.href.clone()).collect::<Vec<_>>();
        assert_eq!(
            hrefs(&page.filters),
            [
                "/products?q=tea&option.Size=M&price=..999&sort=price",
                "/products?q=tea&option.Size=M&category=Larder&price=..999&sort=price",
                "/products?q=tea&option.Size=M&category=Linen&price=..999&sort=price",
            ]
        );
        assert_eq!(
            hrefs(&page.facets[0].filters),
            [
                "/products?q=tea&category=Linen&price=..999&sort=price",
                "/products?q=tea&category=Linen&option.Size=M&option.Size=L&price=..999&sort=price",
            ]
        );
        assert_eq!(page.facets.last().unwrap().name, "Stock");
        assert_eq!(page.chosen.iter().map(|c| &*c.name).collect::<Vec<_>>(), ["Size: M", "Up to £9.99"]);
        assert_eq!(page.unchosen, "/products?q=tea&category=Linen");
    }
}
