//! Counts beside naive ones, over random orders, splits, memories and returns.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;

use super::*;
use crate::draw::{draw, mix};

const PLAIN: Settings = Settings {
    weighing: Weighing { half_life_days: f64::INFINITY, length_power: 0.0 },
    order_items_max: 500,
    partners: 3,
    orders_min: 1,
    memory_bytes: 1 << 30,
};
const COSINE: ShrunkCosine = ShrunkCosine { shrink: 1.0 };

#[derive(Clone, Debug)]
enum Change {
    Order(u64, i32, Vec<u32>),
    GiveBack(u64, Option<Vec<u32>>),
}
use Change::{GiveBack, Order};

fn tell<S: Score>(counts: &mut Counts<S>, changes: &[Change]) -> Added {
    let mut addition = counts.add();
    for change in changes {
        match change {
            Order(id, day, items) => addition.order(*id, *day, items).unwrap(),
            GiveBack(id, items) => addition.give_back(*id, items.as_deref()).unwrap(),
        }
    }
    addition.finish().unwrap()
}

type Row = (Item, Vec<(u32, u32, u64)>);

fn rows<S: Score>(counts: &Counts<S>) -> Vec<Row> {
    counts.rows(|item, row| (item, row.iter().map(|(i, c)| (*i, c.orders(), c.weight())).collect())).unwrap()
}

fn best<S: Score>(counts: &Counts<S>) -> Vec<(Item, Vec<Partner>)> {
    counts.best(|item, partners| (item, partners.to_vec()))
}

/// Counts every pair of every order, one by one.
fn naive(changes: &[Change], settings: Settings) -> Vec<Row> {
    let mut orders: BTreeMap<u64, (i32, u32, Vec<u32>)> = BTreeMap::new();
    let mut latest = i32::MIN;
    let mut count = 0;
    for change in changes {
        match change {
            Order(id, day, items) => {
                let mut items = items.clone();
                let length = draw(*id, &mut items, settings.order_items_max, u64::from);
                latest = latest.max(*day);
                count = count.max(items.last().map_or(0, |last| last + 1));
                orders.entry(*id).or_insert((*day, length, items));
            }
            GiveBack(id, back) => {
                if let Some((_, length, items)) = orders.get_mut(id) {
                    *length -= items.len() as u32;
                    items.retain(|item| back.as_ref().is_some_and(|back| !back.contains(item)));
                    *length += items.len() as u32;
                }
            }
        }
    }
    let scale = Scale::new(settings.weighing, latest);
    let mut pairs: BTreeMap<(u32, u32), (u32, u64)> = BTreeMap::new();
    for (day, length, items) in orders.values() {
        let weight = weighing::rounded(scale.day(*day), scale.length(*length));
        for a in items {
            for b in items {
                let pair = pairs.entry((*a, *b)).or_default();
                *pair = (pair.0 + 1, pair.1 + u64::from(weight));
            }
        }
    }
    (0..count)
        .map(|number| {
            let (orders, weight) = pairs.get(&(number, number)).copied().unwrap_or_default();
            let item = Item { number, orders, weight: weight as f64 / scale.day(latest) };
            let row = pairs.range((number, 0)..=(number, u32::MAX)).filter(|((a, b), _)| a != b);
            (item, row.map(|((_, b), (orders, weight))| (*b, *orders, *weight)).collect())
        })
        .collect()
}

/// Ranks naive rows.
fn naive_best(rows: &[Row], settings: Settings, score: &impl Score, today: f64) -> Vec<(Item, Vec<Partner>)> {
    let totals: Vec<f64> = rows.iter().map(|(item, _)| (item.weight * today).round()).collect();
    let best = |(item, row): &Row| {
        let mut ranked: Vec<(f64, Partner)> = row
            .iter()
            .filter(|(_, orders, weight)| *orders >= settings.orders_min && *weight > 0)
            .map(|&(other, orders, weight)| {
                let rank = score.rank(weight as f64, score.rise(totals[other as usize]), today);
                let score = score.score(rank, totals[item.number as usize]);
                (rank, Partner { item: other, orders, weight: weight as f64 / today, score })
            })
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.item.cmp(&b.1.item)));
        (*item, ranked.into_iter().map(|(_, partner)| partner).take(settings.partners).collect())
    };
    rows.iter().map(best).collect()
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    // Low numbers are bought most, as everywhere.
    let item = || (0_u32..40, 0_u32..40).prop_map(|(a, b)| a * b / 40);
    let items = || prop::collection::vec(item(), 0..9);
    let change = prop_oneof![
        9 => (0_u64..400, -30_i32..60, items()).prop_map(|(id, day, items)| Order(id, day, items)),
        1 => (0_u64..400, prop::option::of(items())).prop_map(|(id, items)| GiveBack(id, items)),
    ];
    prop::collection::vec(change, 0..250)
}

fn settings() -> impl Strategy<Value = Settings> {
    let half_life = prop_oneof![Just(f64::INFINITY), Just(2.0), Just(30.0), Just(1_000.0)];
    let power = prop_oneof![Just(0.0), Just(1.0)];
    let memory = prop_oneof![Just(3_000_usize), Just(20_000), Just(1 << 30)];
    (half_life, power, 2_usize..9, 1_usize..6, 1_u32..4, memory).prop_map(
        |(half_life_days, length_power, order_items_max, partners, orders_min, memory_bytes)| Settings {
            weighing: Weighing { half_life_days, length_power },
            order_items_max,
            partners,
            orders_min,
            memory_bytes,
        },
    )
}

fn check(changes: &[Change], splits: &[usize], settings: Settings, score: impl Score + Clone) {
    let folder = tempfile::tempdir().unwrap();
    let mut told = 0;
    for split in splits.iter().copied().chain([changes.len()]) {
        let split = split.clamp(told, changes.len());
        let mut counts = Counts::open(folder.path(), settings, score.clone()).unwrap();
        tell(&mut counts, &changes[told..split]);
        told = split;
        let expected = naive(&changes[..told], settings);
        let counts = Counts::open(folder.path(), settings, score.clone()).unwrap();
        assert_eq!(rows(&counts), expected);
        let today = counts.scale(&counts.manifest).day(counts.manifest.latest_day);
        assert_eq!(best(&counts), naive_best(&expected, settings, &score, today));
    }
    let whole = tempfile::tempdir().unwrap();
    let mut counts =
        Counts::open(whole.path(), Settings { memory_bytes: 1 << 30, ..settings }, score.clone()).unwrap();
    tell(&mut counts, changes);
    let pieces = Counts::open(folder.path(), settings, score).unwrap();
    assert_eq!((best(&counts), counts.all()), (best(&pieces), pieces.all()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_and_partners_are_the_naive_ones_however_they_were_told(
        changes in changes(),
        // Few at the end, so that heads are changed and not made anew.
        mut splits in prop::collection::vec(0_usize..250, 0..4),
        ends in prop::collection::vec(0_usize..20, 0..4),
        settings in settings(),
        lift in any::<bool>(),
    ) {
        splits.extend(ends.iter().map(|end| changes.len().saturating_sub(*end)));
        splits.sort_unstable();
        if lift {
            check(&changes, &splits, settings, Lift);
        } else {
            check(&changes, &splits, settings, COSINE);
        }
    }
}

#[test]
fn of_310_orders_48_hold_both() {
    let changes: Vec<Change> = (0..310_u64)
        .map(|id| Order(id, 0, if id < 48 { vec![7, 3] } else { vec![3, 100 + id as u32, 3] }))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let mut counts = Counts::open(folder.path(), PLAIN, COSINE).unwrap();
    assert_eq!(tell(&mut counts, &changes), Added { orders: 310, rows_counted: 410, ..Added::default() });
    let (item, partners) = &best(&counts)[3];
    assert_eq!((item.orders, partners[0].item, partners[0].orders), (310, 7, 48));
    assert_eq!(counts.all(), (310, 310.0));
}

#[test]
fn nothing_told_is_nothing_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut counts = Counts::open(folder.path(), PLAIN, COSINE).unwrap();
    assert_eq!(tell(&mut counts, &[]), Added::default());
    assert_eq!((best(&counts), rows(&counts), counts.all()), (vec![], vec![], (0, 0.0)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    tell(&mut counts, &[Order(1, 0, vec![])]);
    let counts = Counts::open(folder.path(), PLAIN, COSINE).unwrap();
    assert_eq!((best(&counts), rows(&counts), counts.all()), (vec![], vec![], (0, 0.0)));
}

#[test]
fn an_order_of_ten_thousand_lines_pairs_as_many_items_as_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let mut counts = Counts::open(folder.path(), PLAIN, COSINE).unwrap();
    let changes = [Order(1, 0, (0..10_000).collect()), Order(2, 0, vec![0, 9_999])];
    tell(&mut counts, &changes);
    let lens: BTreeSet<usize> = rows(&counts).iter().map(|(_, row)| row.len()).collect();
    assert!(lens.is_subset(&BTreeSet::from([0, 1, 499, 500])), "{lens:?}");
    assert_eq!(rows(&counts), naive(&changes, PLAIN));
    // All of them, where the setting says so: fifty million pairs.
    let settings = Settings { order_items_max: ORDER_ITEMS_MAX, ..PLAIN };
    let folder = tempfile::tempdir().unwrap();
    let mut counts = Counts::open(folder.path(), settings, COSINE).unwrap();
    tell(&mut counts, &changes);
    assert!(counts.rows(|_, row| row.len()).unwrap().into_iter().all(|len| len == 9_999));
}

#[test]
fn few_new_orders_change_heads_without_counting_rows_anew() {
    let order =
        |id: u64| Order(id, (id / 100) as i32, (0..6).map(|n| (mix(id * 9 + n) % 300) as u32).collect());
    let folder = tempfile::tempdir().unwrap();
    let mut counts = Counts::open(folder.path(), PLAIN, COSINE).unwrap();
    let changes: Vec<Change> = (0..4_020).map(order).collect();
    assert_eq!(tell(&mut counts, &changes[..4_000]).rows_counted, 300);
    let rows = tell(&mut counts, &changes[4_000..]).rows_counted;
    assert!(rows < 10, "{rows}");
}

#[test]
fn small_segments_are_put_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut counts = Counts::open(folder.path(), PLAIN, COSINE).unwrap();
    for id in 0..100 {
        tell(&mut counts, &[Order(id, 0, vec![1, 2]), GiveBack(id / 2, None)]);
    }
    assert!(counts.manifest.segments.len() < 9, "{:?}", counts.manifest.segments);
    assert_eq!(best(&counts)[1].0.orders, 50);
    // What cancels out is gone: one entry an order and few others.
    let orders: u64 = counts.manifest.segments.iter().map(|entry| entry.orders).sum();
    assert!(orders < 140, "{orders}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), counts.manifest.segments.len() + 2);
}

#[test]
fn files_that_are_torn_foreign_or_of_another_version_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut counts = Counts::open(folder.path(), PLAIN, COSINE).unwrap();
    let mut addition = counts.add();
    let [tea, cup, jug] = ["TEA", "CUP", "JUG"].map(|name| addition.number(name));
    addition.order(1, 0, &[tea, cup]).unwrap();
    addition.order(2, 0, &[tea, cup, jug]).unwrap();
    addition.finish().unwrap();
    let read = || {
        let counts = Counts::open(folder.path(), PLAIN, COSINE).map_err(|error| error.to_string())?;
        counts.rows(|_, _| ()).map_err(|error| error.to_string())
    };
    read().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let whole = fs::read(&path).unwrap();
        let ends_with = |bytes: &[u8], what: &str| {
            fs::write(&path, bytes).unwrap();
            let error = read().unwrap_err();
            assert_eq!(error, format!("{} {what}", path.display()));
        };
        for cut in (0..whole.len()).step_by(3) {
            ends_with(&whole[..cut], "is torn");
        }
        ends_with(&[&whole[..], &[0]].concat(), "is torn");
        for place in 12..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x10;
            let ids = path.to_string_lossy().contains("segment") && (104..120).contains(&place);
            if ids {
                // Ids are read where orders are added only.
                continue;
            }
            ends_with(&damaged, "is torn");
        }
        ends_with(b"PK\x03\x04", "is not the file of counts that it should be");
        let mut newer = whole.clone();
        newer[8] = 3;
        ends_with(&newer, "is of version 3, and this program reads version 2");
        fs::write(&path, whole).unwrap();
    }
    read().unwrap();
    let manifest = Manifest::path(folder.path());
    fs::copy(folder.path().join("segment-1"), &manifest).unwrap();
    assert!(read().unwrap_err().contains("manifest is "), "a file of another kind");
}

#[test]
fn an_addition_that_is_not_finished_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { memory_bytes: 0, ..PLAIN };
    let mut counts = Counts::open(folder.path(), settings, COSINE).unwrap();
    tell(&mut counts, &[Order(1, 0, vec![1, 2])]);
    let before = best(&counts);
    let mut addition = counts.add();
    addition.order(2, 0, &[1, 3]).unwrap();
    drop(addition);
    assert_eq!(best(&counts), before);
    let mut counts = Counts::open(folder.path(), settings, COSINE).unwrap();
    assert_eq!(best(&counts), before);
    assert_eq!(tell(&mut counts, &[Order(2, 0, vec![1, 3])]).orders, 1);
    assert_eq!(best(&counts)[1].0.orders, 2);
}

#[test]
fn an_order_that_was_told_before_may_name_a_new_item() {
    let folder = tempfile::tempdir().unwrap();
    let changes = [Order(1, 0, vec![1, 2]), Order(1, 0, vec![3])];
    for change in &changes {
        tell(&mut Counts::open(folder.path(), PLAIN, COSINE).unwrap(), std::slice::from_ref(change));
    }
    let counts = Counts::open(folder.path(), PLAIN, COSINE).unwrap();
    assert_eq!((rows(&counts), best(&counts).len()), (naive(&changes, PLAIN), 4));
}

#[test]
fn other_settings_are_taken_up_from_the_orders_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let changes = [Order(1, 0, vec![1, 2]), Order(2, 400, vec![1, 3]), Order(3, 400, vec![1, 3, 2])];
    tell(&mut Counts::open(folder.path(), PLAIN, COSINE).unwrap(), &changes);
    let settings = Settings { weighing: Weighing { half_life_days: 50.0, length_power: 1.0 }, ..PLAIN };
    let mut counts = Counts::open(folder.path(), settings, Lift).unwrap();
    tell(&mut counts, &[]);
    let fresh = tempfile::tempdir().unwrap();
    let mut expected = Counts::open(fresh.path(), settings, Lift).unwrap();
    tell(&mut expected, &changes);
    assert_eq!(best(&counts), best(&expected));
    let settings = Settings { order_items_max: 4, ..PLAIN };
    let error = Counts::open(folder.path(), settings, COSINE).err().unwrap().to_string();
    assert!(error.contains("pairs 500 items of an order, not 4"), "{error}");
    let mut addition = counts.add();
    let error = addition.order(9, 0, &[ITEMS_MAX]).unwrap_err().to_string();
    assert_eq!(error, "item 10000000 is beyond 10000000, the most items");
}

/// Tells orders by the names of their items.
fn tell_named(counts: &mut Counts<ShrunkCosine>, orders: &[(u64, i32, Vec<String>)]) {
    let mut addition = counts.add();
    for (id, day, names) in orders {
        let items: Vec<u32> = names.iter().map(|name| addition.number(name)).collect();
        addition.order(*id, *day, &items).unwrap();
    }
    addition.finish().unwrap();
}

#[test]
fn which_order_came_first_does_not_matter() {
    // Ten names each, of which six pair, and many partners of the same rank.
    let order = |id: u64| {
        let names = (0..10).map(|place| format!("SKU-{}", mix(id * 16 + place) % 40)).collect();
        (id, (id % 3) as i32, names)
    };
    let settings = Settings { order_items_max: 6, partners: 2, ..PLAIN };
    let told = |ids: &mut dyn Iterator<Item = u64>| {
        let folder = tempfile::tempdir().unwrap();
        for id in ids {
            let mut counts = Counts::open(folder.path(), settings, COSINE).unwrap();
            tell_named(&mut counts, &[order(id)]);
        }
        let counts = Counts::open(folder.path(), settings, COSINE).unwrap();
        let named = |item: Item, partners: &[Partner]| {
            let partners: Vec<(&str, u32, f64)> =
                partners.iter().map(|one| (counts.name(one.item), one.orders, one.score)).collect();
            format!("{} {} {partners:?}", counts.name(item.number), item.orders)
        };
        let mut lines = counts.best(named);
        // What was never drawn is an item where it came early enough.
        lines.retain(|line| !line.ends_with(" 0 []"));
        lines.sort();
        lines
    };
    assert_eq!(told(&mut (0..30)), told(&mut (0..30).rev()));
}

#[test]
fn popularity_counts_orders_by_their_age_alone() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { weighing: Weighing { half_life_days: 10.0, length_power: 1.0 }, ..PLAIN };
    let mut counts = Counts::open(folder.path(), settings, COSINE).unwrap();
    assert!(counts.is_empty() && counts.popularity().unwrap().is_empty());
    tell(&mut counts, &[Order(1, 0, vec![0, 1]), Order(2, 0, vec![0, 1, 2]), Order(3, 10, vec![1, 2])]);
    tell(&mut counts, &[GiveBack(2, Some(vec![1]))]);
    let popularity = counts.popularity().unwrap();
    for (found, expected) in popularity.iter().zip([1.0, 1.5, 1.5]) {
        assert!((found - expected).abs() < 1e-4, "{popularity:?}");
    }
    assert_eq!(counts.days_of(&HashSet::from([1, 2, 9])).unwrap(), BTreeSet::from([0]));
}

#[test]
fn what_was_given_back_makes_an_order_shorter() {
    let changes = [Order(1, 0, vec![0, 1, 2]), GiveBack(1, Some(vec![2]))];
    let settings = Settings { weighing: Weighing { length_power: 1.0, ..PLAIN.weighing }, ..PLAIN };
    let folder = tempfile::tempdir().unwrap();
    let mut counts = Counts::open(folder.path(), settings, COSINE).unwrap();
    tell(&mut counts, &changes[..1]);
    let added = tell(&mut counts, &changes[1..]);
    assert_eq!((added.orders, added.orders_changed), (0, 1));
    let (item, partners) = &best(&counts)[0];
    assert!((item.weight - 0.5).abs() < 1e-4 && partners.len() == 1, "{item:?} {partners:?}");
}
