//! What shoppers like: themes within categories, and hidden companions that are bought together.

use std::collections::BTreeMap;

use cart_core::Sku;
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use sha2::{Digest, Sha256};

use super::seen::Offer;

/// The most products of one theme: what a shopper can keep in mind.
const THEME_PRODUCTS_MAX: usize = 24;
/// How many products belong together; where the numbers do not divide, one set or another has more.
const COMPANIONS: usize = 3;
/// Shoppers leave products with fewer pieces to people: a simulated rush must not empty the shelves.
pub const PIECES_MIN: i64 = 50;
/// How many lines a basket has, from 1 on, in hundredths.
const LINES_PERCENT: [u32; 5] = [30, 28, 20, 13, 9];
/// How often a shopper goes on to a companion of what they took last.
const COMPANION_CHANCE: f64 = 0.6;
/// How often a shopper takes something that has nothing to do with their taste.
const WHIM_CHANCE: f64 = 0.1;
/// How often a shopper looks at the shop's suggestions and takes one of them instead.
const SUGGESTION_CHANCE: f64 = 0.2;
/// How many suggestions a shopper reads.
pub const SUGGESTIONS_READ: usize = 4;

/// Is one thing a shopper will put into the cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The product.
    pub sku: Sku,
    /// Pieces.
    pub quantity: u32,
    /// Takes the suggestion of this rank instead, from 0, where the shop suggests any.
    pub suggestion: Option<usize>,
}

#[derive(Debug)]
struct Theme {
    category: String,
    /// The favourite first.
    products: Vec<Sku>,
}

/// Knows what is on offer and what goes with what. It follows from the catalogue alone: another seed sends other
/// people into the same world.
#[derive(Debug)]
pub struct Market {
    themes: Vec<Theme>,
    companions: BTreeMap<Sku, Vec<Sku>>,
}

impl Market {
    /// Returns the market of some offers; `None` where nothing can be bought.
    pub fn new(offers: &[Offer]) -> Option<Self> {
        let plenty = |o: &&Offer| o.available.is_none_or(|pieces| pieces >= PIECES_MIN);
        let mut categories: BTreeMap<&str, Vec<&Sku>> = BTreeMap::new();
        for offer in offers.iter().filter(plenty) {
            categories.entry(&offer.category).or_default().push(&offer.sku);
        }
        let mut market = Self { themes: vec![], companions: BTreeMap::new() };
        for (category, mut products) in categories {
            products.sort_by_key(|sku| (lot(sku), *sku));
            let themes = products.len().div_ceil(THEME_PRODUCTS_MAX);
            for theme in products.chunks(products.len().div_ceil(themes)) {
                market.add_theme(category, theme);
            }
        }
        (!market.themes.is_empty()).then_some(market)
    }

    fn add_theme(&mut self, category: &str, products: &[&Sku]) {
        // Strides mix favourites and others, so that popularity alone does not find the companions.
        let sets = (products.len() / COMPANIONS).max(1);
        for (at, sku) in products.iter().enumerate() {
            let of_set = products.iter().skip(at % sets).step_by(sets).filter(|other| *other != sku);
            self.companions.insert((*sku).clone(), of_set.map(|s| (*s).clone()).collect());
        }
        let products = products.iter().map(|s| (*s).clone()).collect();
        self.themes.push(Theme { category: category.to_owned(), products });
    }

    /// Returns the products that are bought with each product, by product.
    pub fn companions(&self) -> &BTreeMap<Sku, Vec<Sku>> {
        &self.companions
    }

    /// Draws a basket with the category that the shopper came for.
    pub fn basket(&self, rng: &mut StdRng) -> (String, Vec<Pick>) {
        let mut tastes = vec![self.theme(rng)];
        if rng.random_bool(0.4) {
            tastes.push(self.theme(rng));
        }
        let mut picks: Vec<Pick> = vec![];
        for _ in 0..lines(rng) {
            // A basket that already holds all of a small theme stays smaller.
            let Some(sku) = (0..8).map(|_| self.next(rng, &tastes, &picks)).find(|sku| !holds(&picks, sku))
            else {
                break;
            };
            let suggestion = (!picks.is_empty() && rng.random_bool(SUGGESTION_CHANCE))
                .then(|| rng.random_range(0..SUGGESTIONS_READ));
            picks.push(Pick { sku: sku.clone(), quantity: pieces(rng), suggestion });
        }
        (tastes[0].category.clone(), picks)
    }

    fn theme(&self, rng: &mut StdRng) -> &Theme {
        self.themes.choose(rng).expect("a market has a theme")
    }

    fn next<'m>(&'m self, rng: &mut StdRng, tastes: &[&'m Theme], picks: &[Pick]) -> &'m Sku {
        let last = picks.last().and_then(|pick| self.companions.get(&pick.sku));
        if let Some(companion) = last.and_then(|companions| companions.choose(rng))
            && rng.random_bool(COMPANION_CHANCE)
        {
            return self.companions.get_key_value(companion).expect("companions are on offer").0;
        }
        let theme = match rng.random_bool(WHIM_CHANCE) {
            true => self.theme(rng),
            false => tastes.choose(rng).expect("a shopper has a taste"),
        };
        favourite(rng, &theme.products)
    }
}

/// Shuffles products the same way on every machine.
fn lot(sku: &Sku) -> [u8; 8] {
    let digest = Sha256::digest(sku.as_str());
    std::array::from_fn(|at| digest[at])
}

fn holds(picks: &[Pick], sku: &Sku) -> bool {
    picks.iter().any(|pick| pick.sku == *sku)
}

fn lines(rng: &mut StdRng) -> usize {
    let mut draw = rng.random_range(0..LINES_PERCENT.iter().sum());
    for (at, percent) in LINES_PERCENT.iter().enumerate() {
        if draw < *percent {
            return at + 1;
        }
        draw -= percent;
    }
    LINES_PERCENT.len()
}

fn pieces(rng: &mut StdRng) -> u32 {
    match rng.random_range(0..100) {
        0..80 => 1,
        80..95 => 2,
        _ => 3,
    }
}

/// Draws a product; the one of rank r (from 0) with a weight of 1 / (r + 1): Zipf's law, which sales often follow.
fn favourite<'a>(rng: &mut StdRng, products: &'a [Sku]) -> &'a Sku {
    let weight = |rank: usize| 1.0 / (rank + 1) as f64;
    let mut draw = rng.random::<f64>() * (0..products.len()).map(weight).sum::<f64>();
    for (rank, sku) in products.iter().enumerate() {
        draw -= weight(rank);
        if draw < 0.0 {
            return sku;
        }
    }
    products.last().expect("a theme has products")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn offers(count: usize, category: &str) -> Vec<Offer> {
        let offer = |n| Offer {
            sku: Sku::parse(&format!("{category}-{n}")).unwrap(),
            category: category.into(),
            available: None,
        };
        (0..count).map(offer).collect()
    }

    #[test]
    fn every_product_has_companions_of_its_own_category_and_they_agree() {
        let offers = [offers(50, "tea"), offers(7, "mugs"), offers(1, "odd")].concat();
        let market = Market::new(&offers).unwrap();
        assert_eq!(market.companions().len(), 58);
        for (sku, companions) in market.companions() {
            let category = sku.as_str().split('-').next().unwrap();
            assert_eq!(companions.is_empty(), category == "odd", "{sku}");
            assert!(companions.len() < 2 * COMPANIONS);
            for companion in companions {
                assert!(companion.as_str().starts_with(category));
                assert!(market.companions()[companion].contains(sku));
            }
        }
    }

    #[test]
    fn what_is_nearly_sold_out_is_left_to_people() {
        let mut offers = offers(3, "tea");
        offers[0].available = Some(PIECES_MIN - 1);
        offers[1].available = Some(PIECES_MIN);
        let market = Market::new(&offers).unwrap();
        assert_eq!(market.companions().keys().map(Sku::as_str).collect::<Vec<_>>(), ["tea-1", "tea-2"]);
        assert!(Market::new(&offers[..1]).is_none());
    }

    #[test]
    fn baskets_follow_taste_and_companions() {
        let offers = [offers(48, "tea"), offers(48, "mugs"), offers(48, "books")].concat();
        let market = Market::new(&offers).unwrap();
        let mut rng = StdRng::seed_from_u64(7);
        let (mut pairs, mut together, mut lines) = (0, 0, 0);
        for _ in 0..2_000 {
            let (_, picks) = market.basket(&mut rng);
            assert!((1..=5).contains(&picks.len()));
            assert!((1..picks.len()).all(|n| !holds(&picks[..n], &picks[n].sku)));
            lines += picks.len();
            for two in picks.windows(2) {
                pairs += 1;
                together += usize::from(market.companions()[&two[0].sku].contains(&two[1].sku));
            }
        }
        // 2.43 lines are planned; a pair of neighbours is of companions in rather more than half of all cases.
        assert!((4_600..5_000).contains(&lines), "{lines}");
        assert!((pairs / 2..pairs * 3 / 4).contains(&together), "{together} of {pairs}");
    }
}
