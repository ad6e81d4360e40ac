//! Products on pages: cards, shelves, the first page, lists and the page of one product.

use cart_core::{Product, StockPolicy, limits::LINE_QUANTITY_MAX};
use serde::Serialize;

use super::{Price, link};

/// From this many pieces down, a page says how many are left: enough to hurry an honest shopper, rare enough to be
/// believed.
const FEW_LEFT_MAX: i64 = 5;

/// Tints that the style sheet knows, as `tint-0` and so on.
const TINTS: u8 = 6;

/// Says what a shopper may know of the stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Availability {
    /// There is enough.
    InStock,
    /// There are so many, and no more.
    FewLeft {
        /// Pieces that a cart may still take.
        left: i64,
    },
    /// There is nothing left.
    SoldOut,
}

impl Availability {
    /// Judges the pieces that a cart may still take, under a product's stock policy.
    pub fn of(policy: StockPolicy, available: i64) -> Self {
        match available {
            _ if !policy.is_tracked() => Self::InStock,
            ..=0 => Self::SoldOut,
            left @ 1..=FEW_LEFT_MAX => Self::FewLeft { left },
            _ => Self::InStock,
        }
    }

    fn most(self) -> i64 {
        match self {
            Self::InStock => i64::from(LINE_QUANTITY_MAX),
            Self::FewLeft { left } => left,
            Self::SoldOut => 0,
        }
    }
}

/// Is a product's picture. Its words stand beside it everywhere, so it has no alternative text of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// Where the browser gets it.
    pub src: String,
    /// The tint behind it, 0 to 5: always the same for a product, and mixed within a grid.
    pub tint: u8,
    /// Whether it was drawn to stand free on the tint; a placeholder fills its frame.
    pub free: bool,
}

impl Picture {
    /// Returns the picture of a product: its file, or the one drawn from its name at `/products/{sku}/picture`.
    pub fn of(product: &Product) -> Self {
        let hash =
            product.sku.as_str().bytes().fold(7_u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
        let tint = (hash >> 3) as u8 % TINTS;
        match &product.image {
            Some(file) => {
                let free = file.ends_with(".svg");
                let path: Vec<String> = file.split('/').map(link::encode).collect();
                Self { src: format!("/static/products/{}", path.join("/")), tint, free }
            }
            None => Self { src: link::picture(product.sku.as_str()), tint, free: false },
        }
    }
}

/// Is a product on a shelf or in a grid.
#[derive(Clone, Debug, Serialize)]
pub struct Card {
    /// Its SKU.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// The path of its page.
    pub href: String,
    /// Its price.
    pub price: Price,
    /// Its picture.
    pub picture: Picture,
    /// Its stock.
    pub availability: Availability,
}

impl Card {
    /// Returns the card of a product of which a cart may still take so many pieces.
    pub fn of(product: &Product, available: i64) -> Self {
        Self {
            sku: product.sku.to_string(),
            name: product.name.clone(),
            href: link::product(product.sku.as_str()),
            price: product.price.into(),
            picture: Picture::of(product),
            availability: Availability::of(product.stock_policy, available),
        }
    }
}

/// Is a row of products under a heading; an empty one is not shown.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Shelf {
    /// The heading.
    pub heading: String,
    /// The products.
    pub cards: Vec<Card>,
}

impl Shelf {
    /// Puts products under a heading.
    pub fn new(heading: impl Into<String>, cards: Vec<Card>) -> Self {
        Self { heading: heading.into(), cards }
    }
}

/// Is the large welcome of the first page.
#[derive(Clone, Debug, Serialize)]
pub struct Hero {
    /// A few words.
    pub heading: String,
    /// A sentence or two.
    pub text: String,
}

/// Is the first page.
#[derive(Clone, Debug, Serialize)]
pub struct Home {
    /// The welcome; the first three featured products stand beside it.
    pub hero: Hero,
    /// Products that the shop puts forward.
    pub featured: Vec<Card>,
    /// What is popular, or chosen for the visitor.
    pub shelf: Shelf,
    doors: Vec<Door>,
}

/// Is a category's tile.
#[derive(Clone, Debug, Serialize)]
struct Door {
    name: String,
    href: String,
    picture: Picture,
}

impl Home {
    /// Puts the first page together. `doors` are the categories, each with a product whose picture stands for it.
    pub fn new(hero: Hero, featured: Vec<Card>, shelf: Shelf, doors: &[(String, &Product)]) -> Self {
        let door = |(name, product): &(String, &Product)| Door {
            name: name.clone(),
            href: link::listing("", Some(name), 1),
            picture: Picture::of(product),
        };
        Self { hero, featured, shelf, doors: doors.iter().map(door).collect() }
    }
}

/// Is a list of products: everything, one category, or what a search found.
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

    /// Puts one page of a list together. `page` counts from 1 and is at most [`Self::page_count`] of `total`; `cards`
    /// are that page's products.
    pub fn new<S: AsRef<str>>(
        query: &str,
        category: Option<&str>,
        categories: impl IntoIterator<Item = S>,
        cards: Vec<Card>,
        total: usize,
        page: usize,
    ) -> Self {
        let href = |page| link::listing(query, category, page);
        let count = Self::page_count(total);
        let first = (page - 1) * Self::PAGE_LEN;
        let all = Filter {
            name: "Everything".into(),
            href: link::listing(query, None, 1),
            current: category.is_none(),
        };
        let filter = |name: S| Filter {
            href: link::listing(query, Some(name.as_ref()), 1),
            current: category == Some(name.as_ref()),
            name: name.as_ref().to_owned(),
        };
        Self {
            heading: match (query, category) {
                ("", None) => "Everything we sell".into(),
                ("", Some(category)) => category.to_owned(),
                (query, _) => format!("“{query}”"),
            },
            query: query.to_owned(),
            category: category.map(str::to_owned),
            total,
            first: if cards.is_empty() { 0 } else { first + 1 },
            last: first + cards.len(),
            cards,
            filters: std::iter::once(all).chain(categories.into_iter().map(filter)).collect(),
            pages: page_links(page, count, href),
            previous: (page > 1).then(|| href(page - 1)),
            next: (page < count).then(|| href(page + 1)),
            everywhere: link::listing(query, None, 1),
        }
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

/// Is the page of one product.
#[derive(Clone, Debug, Serialize)]
pub struct ProductPage {
    card: Card,
    paragraphs: Vec<String>,
    category: Option<Filter>,
    most: i64,
    shelf: Shelf,
}

impl ProductPage {
    /// Puts the page together; the shelf holds what is bought together with the product.
    pub fn new(product: &Product, available: i64, shelf: Shelf) -> Self {
        let card = Card::of(product, available);
        let category = (!product.category.is_empty()).then(|| Filter {
            name: product.category.clone(),
            href: link::listing("", Some(&product.category), 1),
            current: false,
        });
        Self {
            most: card.availability.most(),
            card,
            paragraphs: product
                .description
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .map(Into::into)
                .collect(),
            category,
            shelf,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_is_told_in_three_words() {
        let of = |n| Availability::of(StockPolicy::HoldOnAdd, n);
        assert_eq!(of(6), Availability::InStock);
        assert_eq!(of(5), Availability::FewLeft { left: 5 });
        assert_eq!(of(1), Availability::FewLeft { left: 1 });
        assert_eq!(of(0), Availability::SoldOut);
        assert_eq!(of(-1), Availability::SoldOut);
        assert_eq!(Availability::of(StockPolicy::Untracked, 0), Availability::InStock);
    }

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
        let listing = |total, page| Listing::new("", None, [""; 0], vec![], total, page);
        assert_eq!(Listing::page_count(0), 1);
        assert_eq!(Listing::page_count(24), 1);
        assert_eq!(Listing::page_count(25), 2);
        assert_eq!(listing(0, 1).first, 0);
        assert_eq!(listing(49, 2).previous.as_deref(), Some("/products"));
        assert_eq!(listing(49, 2).next.as_deref(), Some("/products?page=3"));
        assert_eq!(listing(49, 3).next, None);
    }
}
