//! Training: from orders to a model.

use recommender::{About, Model, Neighbour, Settings, model::Invalid};

use crate::{
    orders::Orders,
    pairs::{Pairs, Partner, Weighing, decay},
    progress::Bar,
};

/// Says when and from what a model is trained.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The time of the training.
    pub now_ms: i64,
    /// The highest position that was read.
    pub through_position: i64,
    /// The latest event that was read.
    pub through_at_ms: i64,
}

/// Learns a model from orders; the same orders, settings and origin give the same model.
///
/// # Errors
/// Where there are more items or neighbours than a model may hold.
pub fn train(orders: &Orders, settings: &Settings, origin: Origin) -> Result<Model, Invalid> {
    let weighing = Weighing {
        half_life_days: settings.half_life_days,
        length_power: settings.length_power,
        order_items_max: settings.order_items_max,
    };
    let pairs = Pairs::new(orders, weighing);
    let bar = Bar::count("counting pairs", orders.items().len() as u64);
    let neighbours = pairs.map_items(|item, partners| {
        bar.advance(1);
        best(&pairs, settings, item, partners)
    });
    bar.finish();
    let about = About {
        trained_at_ms: origin.now_ms,
        orders: orders.len() as u64,
        through_position: origin.through_position,
        through_at_ms: origin.through_at_ms,
        settings: settings.clone(),
    };
    Model::new(about, orders.items().to_vec(), neighbours, popular(orders, settings.half_life_days))
}

/// Returns the best neighbours of an item, ties in the order of their SKUs.
fn best(pairs: &Pairs, settings: &Settings, item: u32, partners: &[Partner]) -> Vec<Neighbour> {
    let scored = |partner: &Partner| {
        let score = pairs.table(item, partner).score(settings.score, settings.shrink)?;
        Some(Neighbour { item: partner.item, score: score as f32 })
    };
    let supported = partners.iter().filter(|partner| partner.orders >= settings.min_support);
    let mut list: Vec<Neighbour> = supported.filter_map(scored).collect();
    sort(&mut list);
    list.truncate(settings.neighbours);
    list
}

/// Returns every item with its orders, each counting less with its age.
fn popular(orders: &Orders, half_life_days: f64) -> Vec<Neighbour> {
    let mut counts = vec![0.0; orders.items().len()];
    for order in 0..orders.len() {
        let weight = decay(orders.latest_at_ms(), orders.at_ms(order), half_life_days);
        for &item in orders.items_of(order) {
            counts[item as usize] += weight;
        }
    }
    let entry = |(item, count): (usize, &f64)| Neighbour { item: item as u32, score: *count as f32 };
    let mut list: Vec<Neighbour> = counts.iter().enumerate().map(entry).collect();
    sort(&mut list);
    list
}

/// Sorts by score downwards, then by item, whose numbers ascend with their SKUs.
fn sort(list: &mut [Neighbour]) {
    list.sort_unstable_by(|a, b| b.score.total_cmp(&a.score).then(a.item.cmp(&b.item)));
}

#[cfg(test)]
mod tests {
    use recommender::Score;

    use super::*;

    const DAY: i64 = 86_400_000;

    fn settings(score: Score) -> Settings {
        Settings {
            score,
            half_life_days: 180.0,
            neighbours: 2,
            min_support: 1,
            shrink: 0.0,
            length_power: 0.0,
            order_items_max: 500,
        }
    }

    fn trained(orders: &[(i64, &[&str])], settings: &Settings) -> Model {
        let origin = Origin { now_ms: 9, through_position: 5, through_at_ms: 7 };
        train(&Orders::of(orders), settings, origin).unwrap()
    }

    fn neighbours(model: &Model, sku: &str) -> String {
        let item = model.item(&cart_core::Sku::parse(sku).unwrap()).unwrap();
        let names: Vec<&str> = model.neighbours(item).iter().map(|n| model.sku(n.item).as_str()).collect();
        names.join(" ")
    }

    #[test]
    fn the_best_are_kept_and_ties_go_by_sku() {
        let orders: &[(i64, &[&str])] =
            &[(0, &["A", "D"]), (0, &["A", "C"]), (0, &["A", "B"]), (0, &["A", "B"])];
        let model = trained(orders, &settings(Score::Cosine));
        // B: 2/√(4·2) = 0.707; C and D: 1/√(4·1) = 0.5.
        assert_eq!(neighbours(&model, "A"), "B C");
        assert!((model.neighbours(0)[0].score - 0.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!(
            (model.about().orders, model.about().trained_at_ms, model.about().through_position),
            (4, 9, 5)
        );
    }

    #[test]
    fn a_pair_with_too_little_support_is_left_out() {
        let orders: &[(i64, &[&str])] = &[(0, &["A", "C"]), (0, &["A", "B"]), (0, &["A", "B"])];
        let model = trained(orders, &Settings { min_support: 2, ..settings(Score::Lift) });
        assert_eq!((neighbours(&model, "A"), neighbours(&model, "C")), ("B".to_owned(), String::new()));
    }

    #[test]
    fn what_sells_lately_is_more_popular() {
        let orders: &[(i64, &[&str])] = &[(0, &["OLD"]), (0, &["OLD"]), (400 * DAY, &["NEW"])];
        let model = trained(orders, &settings(Score::Cosine));
        let names: Vec<&str> = model.popular().iter().map(|n| model.sku(n.item).as_str()).collect();
        assert_eq!(names, ["NEW", "OLD"]);
    }

    #[test]
    fn training_twice_gives_the_same_bytes() {
        let names: Vec<String> = (0..200).map(|i| format!("I{i}")).collect();
        let basket = |o: usize| (0..8).map(|k| names[(o * 7 + k * k * 3) % 200].as_str()).collect::<Vec<_>>();
        let baskets: Vec<Vec<&str>> = (0..300).map(basket).collect();
        let orders: Vec<(i64, &[&str])> =
            baskets.iter().enumerate().map(|(o, b)| (o as i64 * DAY, &b[..])).collect();
        for score in Score::ALL {
            let settings = settings(score);
            assert_eq!(trained(&orders, &settings).to_bytes(), trained(&orders, &settings).to_bytes());
        }
    }
}
