//! Products on pages: cards, shelves and the first page.

use cart_core::{Money, OnOffer, Product, limits::LINE_QUANTITY_MAX};
use serde::Serialize;

use super::{Price, day::day, link};
use crate::shelves::showing::Spot;

/// From this many pieces down, a page says how many are left: enough to hurry an honest shopper, rare enough to be
/// believed.
const FEW_LEFT_MAX: i64 = 5;

/// Tints that the style sheet knows, as `tint-0` and so on.
const TINTS: u8 = 6;

/// Says what a shopper may know of the stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Availability {
    /// There is enough.
    InStock,
    /// There are so many, and no more.
    FewLeft {
        /// Pieces that a cart may still take.
        left: i64,
    },
    /// There is nothing on the shelf, and more will come.
    BackOrder {
        /// Pieces that may be bought all the same.
        left: i64,
    },
    /// It is still to come.
    PreOrder {
        /// The day on which it ships.
        day: String,
        /// Pieces that may be bought before.
        left: i64,
    },
    /// There is nothing left.
    SoldOut,
}

impl Availability {
    /// Judges what may be bought of a product, which ships on a day where it is still to come.
    pub fn of(on_offer: Option<OnOffer>, ships_from_ms: Option<i64>) -> Self {
        let all = on_offer.map_or(i64::from(LINE_QUANTITY_MAX), |o| o.all);
        match (on_offer, ships_from_ms) {
            (Some(OnOffer { all: ..=0, .. }), _) => Self::SoldOut,
            (_, Some(at_ms)) => Self::PreOrder { day: day(at_ms), left: all },
            (Some(OnOffer { there: ..=0, all }), None) => Self::BackOrder { left: all },
            (Some(OnOffer { there: left @ 1..=FEW_LEFT_MAX, all }), None) if all == left => {
                Self::FewLeft { left }
            }
            _ => Self::InStock,
        }
    }

    /// Returns how many pieces a shopper may ask for.
    pub(super) fn most(&self) -> i64 {
        match self {
            Self::InStock => i64::from(LINE_QUANTITY_MAX),
            Self::FewLeft { left } | Self::BackOrder { left } | Self::PreOrder { left, .. } => {
                (*left).min(i64::from(LINE_QUANTITY_MAX))
            }
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
    /// How many variants there are to choose from, itself included.
    pub choices: usize,
    /// Another variant costs another amount, and none less.
    pub from: bool,
    /// Why it stands on a shelf.
    pub because: Option<String>,
    /// The place of a shelf where it stands, for links and reports.
    pub spot: Option<String>,
    /// It cannot be bought without saying something about it, which its page asks for.
    pub asks: bool,
}

impl Card {
    /// Returns the card of a product of which so much may be bought now.
    pub fn of(product: &Product, on_offer: Option<OnOffer>, now_ms: i64) -> Self {
        let ships_from_ms = product.ships_from_ms(now_ms);
        Self {
            sku: product.sku.to_string(),
            name: product.name.clone(),
            href: link::product(product.sku.as_str()),
            price: product.price.into(),
            picture: Picture::of(product),
            availability: Availability::of(on_offer, ships_from_ms),
            choices: 1,
            because: None,
            from: false,
            spot: None,
            asks: product.properties.iter().any(|rule| rule.required),
        }
    }

    /// Says where on a shelf it is shown.
    #[must_use]
    pub fn shown_at(mut self, spot: Option<&Spot>) -> Self {
        self.spot = spot.map(Spot::to_string);
        self
    }

    /// Says why it stands there.
    #[must_use]
    pub fn because(mut self, because: String) -> Self {
        self.because = Some(because);
        self
    }

    /// Says what a piece costs now.
    #[must_use]
    pub fn at(mut self, price: Money) -> Self {
        self.price = price.into();
        self
    }

    /// Lets the card stand for a family, of which these are the prices.
    #[must_use]
    pub fn for_family(mut self, prices: &[Money]) -> Self {
        self.choices = prices.len();
        if let Some(least) = prices.iter().min_by_key(|p| p.minor) {
            self.from = prices.iter().any(|p| p != least);
            self.price = (*least).into();
        }
        self
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

/// Is a product with the best of what is bought together with it, to be put into the cart at once.
#[derive(Clone, Debug, Serialize)]
pub struct SetOffer {
    cards: Vec<Card>,
    /// How many there are, in words.
    number: &'static str,
    total: Price,
}

impl SetOffer {
    /// The most products of a set beside the one that its page is about: what one looks over at a glance.
    pub const OTHERS_MAX: usize = 2;

    /// Offers a product with the first others that can be had as they are and for the same currency; nothing where it cannot be
    /// had itself, or alone.
    pub fn of(product: &Card, others: &[Card]) -> Option<Self> {
        let can_be_had =
            |card: &&Card| card.availability != Availability::SoldOut && card.choices == 1 && !card.asks;
        let goes = |card: &&Card| can_be_had(card) && card.price.currency == product.price.currency;
        let others = others.iter().filter(goes).take(Self::OTHERS_MAX).cloned();
        let cards: Vec<Card> = std::iter::once(product).filter(can_be_had).cloned().chain(others).collect();
        let number = match cards.len() {
            2 => "both",
            3 => "all three",
            _ => return None,
        };
        let minor = cards.iter().map(|card| card.price.minor).try_fold(0_i64, i64::checked_add)?;
        let is_whole = cards[0].sku == product.sku;
        is_whole.then(|| Self { number, total: Price::new(minor, product.price.currency), cards })
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
    /// What others went on to from where the visitor is.
    pub next: Option<Shelf>,
    /// What the visitor looked at lately.
    pub seen: Vec<Card>,
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
            href: link::category(name),
            picture: Picture::of(product),
        };
        Self { hero, featured, shelf, next: None, seen: vec![], doors: doors.iter().map(door).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_is_told_in_a_few_words() {
        let of = |n| Availability::of(Some(OnOffer { there: n, all: n }), None);
        assert_eq!(of(6), Availability::InStock);
        assert_eq!(of(5), Availability::FewLeft { left: 5 });
        assert_eq!(of(1), Availability::FewLeft { left: 1 });
        assert_eq!(of(0), Availability::SoldOut);
        assert_eq!(Availability::of(None, None), Availability::InStock);
        let some = |there, all| Some(OnOffer { there, all });
        assert_eq!(Availability::of(some(3, 9), None), Availability::InStock, "nobody need hurry");
        assert_eq!(Availability::of(some(0, 9), None), Availability::BackOrder { left: 9 });
        let day = || "1 December 2026".to_owned();
        let at_ms = Some(1_796_083_200_000);
        assert_eq!(Availability::of(some(0, 9), at_ms), Availability::PreOrder { day: day(), left: 9 });
        assert_eq!(Availability::of(some(0, 0), at_ms), Availability::SoldOut);
        let most = i64::from(LINE_QUANTITY_MAX);
        assert_eq!(Availability::of(None, at_ms), Availability::PreOrder { day: day(), left: most });
    }
}
