//! What is bought together, of all orders: from counts, by the items of a model.

use recommender::{
    lists::Entry,
    pairs::{Pair, Pairs},
};

use crate::{
    counts::{self, Counts, CountsError, Weighing},
    pairs,
};

/// Holds what counts say of each item, by the counts' own numbers.
#[derive(Clone, Debug, Default)]
pub struct Together {
    orders: u64,
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
struct Item {
    name: Box<str>,
    orders: u32,
    popularity: f32,
    partners: Vec<Pair>,
}

/// Returns how to count with so much memory, that the pairs are those of [`pairs::count`].
pub fn counting(settings: &pairs::Settings, memory_bytes: usize) -> counts::Settings {
    counts::Settings {
        weighing: Weighing { half_life_days: settings.half_life_days, length_power: settings.length_power },
        order_items_max: settings.entry_items_max,
        partners: settings.partners,
        orders_min: settings.min_support.max(1),
        memory_bytes,
    }
}

impl Together {
    /// Takes from counts whose items have names what they say of them.
    ///
    /// # Errors
    /// Where the counts cannot be read.
    pub fn of<S: counts::Score>(counts: &Counts<S>) -> Result<Self, CountsError> {
        let mut items = counts.best(|item, partners| {
            let pair = |partner: &counts::Partner| Pair {
                item: partner.item,
                score: partner.score as f32,
                entries: partner.orders,
            };
            let partners = partners.iter().map(pair).collect();
            Item { name: counts.name(item.number).into(), orders: item.orders, popularity: 0.0, partners }
        });
        for (item, popularity) in items.iter_mut().zip(counts.popularity()?) {
            item.popularity = popularity as f32;
        }
        Ok(Self { orders: counts.all().0, items })
    }

    /// Returns how many orders there are.
    pub fn orders(&self) -> u64 {
        self.orders
    }

    /// Returns the items that are in an order.
    pub fn items(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter(|item| item.orders > 0).map(|item| &*item.name)
    }

    /// Returns every item that is in an order with its orders, each counting less with its age, most popular first; `items` are all
    /// of a model, ascending.
    pub fn popular(&self, items: &[Box<str>]) -> Vec<Entry> {
        let ordered = self.items.iter().zip(self.places(items)).filter(|(item, _)| item.orders > 0);
        let entry =
            |(item, place): (&Item, Option<u32>)| Some(Entry { item: place?, score: item.popularity });
        let mut popular: Vec<Entry> = ordered.filter_map(entry).collect();
        popular.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
        popular
    }

    /// Returns where the counts' items stand among those of a model.
    fn places(&self, items: &[Box<str>]) -> Vec<Option<u32>> {
        let place = |name: &str| items.binary_search_by(|item| (**item).cmp(name));
        self.items.iter().map(|item| place(&item.name).ok().map(|place| place as u32)).collect()
    }

    /// Returns what is bought together with each of a model's items.
    pub fn pairs(&self, items: &[Box<str>]) -> Pairs {
        let places = self.places(items);
        let mut of_places: Vec<Option<&Item>> = vec![None; items.len()];
        for (item, &place) in self.items.iter().zip(&places).filter(|(item, _)| item.orders > 0) {
            let Some(place) = place else { continue };
            of_places[place as usize] = Some(item);
        }
        let mut pairs = Pairs::default();
        for item in of_places {
            let partners = item.map_or(&[][..], |item| &item.partners);
            let numbered = |pair: &Pair| Some(Pair { item: places[pair.item as usize]?, ..*pair });
            pairs.push(item.map_or(0, |item| item.orders), partners.iter().filter_map(numbered));
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        counts::ShrunkCosine,
        draw::mix,
        log::{Gather, Kind, Log},
    };

    /// Orders of some of twenty items, each with its day.
    fn orders() -> Vec<(i64, Vec<String>)> {
        let item = |number: u64, place: u64| format!("SKU-{}", mix(number * 8 + place) % 20);
        let order =
            |number| (number as i64 / 3, (0..1 + number % 7).map(|place| item(number, place)).collect());
        (0..200).map(order).collect()
    }

    fn log() -> Log {
        let mut gather = Gather::new(Kind::Baskets);
        for (number, (day, names)) in orders().iter().enumerate() {
            let lines = names.iter().map(|name| (name.as_str(), None));
            gather.entry(&number.to_string(), day * 86_400_000, lines);
        }
        gather.finish()
    }

    fn counted(settings: &pairs::Settings) -> Together {
        let folder = tempfile::tempdir().unwrap();
        let score = ShrunkCosine { shrink: settings.shrink };
        let mut counts = Counts::open(folder.path(), counting(settings, 1 << 20), score).unwrap();
        let mut addition = counts.add();
        for (number, (day, names)) in orders().iter().enumerate() {
            let items: Vec<u32> = names.iter().map(|name| addition.number(name)).collect();
            addition.order(number as u64, *day as i32, &items).unwrap();
        }
        addition.finish().unwrap();
        Together::of(&counts).unwrap()
    }

    #[test]
    fn counts_and_logs_give_the_same_pairs_and_popularity() {
        let log = log();
        let settings = pairs::Settings {
            half_life_days: 20.0,
            entry_items_max: 4,
            min_support: 2,
            shrink: 3.0,
            ..pairs::Settings::default()
        };
        let together = counted(&settings);
        assert_eq!(together.orders(), 200);
        let (popular, pairs) = (together.popular(log.items()), together.pairs(log.items()));
        let by_item = |pairs: &Pairs, item| {
            let mut partners = pairs.partners(item).to_vec();
            partners.sort_unstable_by_key(|pair| pair.item);
            partners
        };
        let of_log = pairs::count(log.all(), &settings);
        for item in 0..log.items().len() as u32 {
            assert_eq!(pairs.entries(item), of_log.entries(item));
            let (found, expected) = (by_item(&pairs, item), by_item(&of_log, item));
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!((found.item, found.entries), (expected.item, expected.entries));
                assert!((found.score - expected.score).abs() < 1e-3, "{found:?} {expected:?}");
            }
        }
        let unlimited = pairs::Settings { entry_items_max: 10, ..settings };
        let popular_of_all = counted(&unlimited).popular(log.items());
        let of_log = pairs::popular(log.all(), settings.half_life_days);
        assert!(popular.len() == of_log.len() && popular_of_all.len() == of_log.len());
        for (found, expected) in popular_of_all.iter().zip(&of_log) {
            assert!(found.item == expected.item && (found.score - expected.score).abs() < 1e-2);
        }
    }

    #[test]
    fn what_no_order_holds_is_no_item_of_the_counts_and_has_no_partners() {
        let log = log();
        let together = counted(&pairs::Settings::default());
        assert_eq!(together.items().count(), log.items().len());
        let more: Vec<Box<str>> =
            ["A"].into_iter().map(Box::from).chain(log.items().iter().cloned()).collect();
        let (popular, pairs) = (together.popular(&more), together.pairs(&more));
        assert_eq!((pairs.len(), pairs.entries(0), pairs.partners(0).len()), (more.len(), 0, 0));
        assert!(popular.iter().all(|entry| entry.item > 0));
        assert!(Together::default().popular(&more).is_empty());
    }
}
