use super::*;
use crate::model::{Score, Settings};

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn skus(texts: &[&str]) -> Vec<Sku> {
    texts.iter().map(|text| sku(text)).collect()
}

/// Items A to F: A goes with B and C, B with A, D with C; F is the most popular, then E, and so on backwards.
fn index() -> Index {
    let settings = Settings {
        score: Score::Lift,
        half_life_days: 180.0,
        neighbours: 50,
        min_support: 1,
        shrink: 0.0,
        length_power: 0.0,
        order_items_max: 500,
    };
    let about = About { trained_at_ms: 5, orders: 9, through_position: 3, through_at_ms: 4, settings };
    let n = |item, score| Neighbour { item, score };
    let neighbours = vec![
        vec![n(1, 0.9), n(2, 0.5)],
        vec![n(0, 0.9)],
        vec![n(3, 0.8), n(0, 0.5)],
        vec![n(2, 0.8)],
        vec![],
        vec![],
    ];
    let popular = (0..6).rev().map(|item| n(item, item as f32)).collect();
    Index::new(Model::new(about, skus(&["A", "B", "C", "D", "E", "F"]), neighbours, popular).unwrap())
}

fn all(_: &Sku) -> bool {
    true
}

/// Writes an answer as `SKU` for bought together, `SKU'` for history and `SKU*` for popular.
fn said(suggestions: &[Suggestion]) -> String {
    let mark = |s: &Suggestion| match s.reason {
        Reason::BoughtTogether => "",
        Reason::History => "'",
        Reason::Popular => "*",
    };
    suggestions.iter().map(|s| format!("{}{} ", s.sku, mark(s))).collect::<String>().trim_end().to_owned()
}

#[test]
fn neighbours_come_first_and_popular_items_fill_up() {
    assert_eq!(said(&index().bought_together(&sku("A"), 4, &all)), "B C F* E*");
    assert_eq!(said(&index().bought_together(&sku("A"), 1, &all)), "B");
    assert_eq!(said(&index().bought_together(&sku("A"), 0, &all)), "");
}

#[test]
fn an_unknown_item_is_answered_with_popular_ones() {
    assert_eq!(said(&index().bought_together(&sku("NEW"), 2, &all)), "F* E*");
    assert_eq!(said(&index().goes_with(&[], 2, &all)), "F* E*");
    assert_eq!(said(&index().for_history(&skus(&["NEW"]), 2, &all)), "F* E*");
}

#[test]
fn nothing_is_suggested_twice_and_never_what_was_asked_about() {
    assert_eq!(said(&index().bought_together(&sku("F"), 9, &all)), "E* D* C* B* A*");
    assert_eq!(said(&index().goes_with(&skus(&["A", "C"]), 9, &all)), "B D F* E*");
    assert_eq!(said(&index().goes_with(&skus(&["A", "B", "C", "D", "E", "F"]), 9, &all)), "");
}

#[test]
fn what_is_not_allowed_makes_room_for_the_next() {
    let in_stock = |sku: &Sku| sku.as_str() != "B" && sku.as_str() != "F";
    assert_eq!(said(&index().bought_together(&sku("A"), 3, &in_stock)), "C E* D*");
    assert_eq!(said(&index().popular(2, &in_stock)), "E* D*");
}

#[test]
fn scores_of_a_cart_add_up() {
    // B: 0.9² from A. C: 0.5² from A + 0.8² from D = 0.89.
    let answer = index().goes_with(&skus(&["A", "D"]), 2, &all);
    assert_eq!(said(&answer), "C B");
    assert!((answer[0].score - 0.89).abs() < 1e-6);
}

#[test]
fn what_was_bought_lately_weighs_more() {
    // Lately D: C 0.8² = 0.64; then A: B 0.9² × 0.85 = 0.69 and C + 0.5² × 0.85, 0.85 in all.
    assert_eq!(said(&index().for_history(&skus(&["D", "A"]), 2, &all)), "C' B'");
    // Lately B: A 0.9² = 0.81, and 0.5² × 0.85 more from C; before it C: D 0.8² × 0.85 = 0.54.
    assert_eq!(said(&index().for_history(&skus(&["B", "C"]), 3, &all)), "A' D' F*");
}

#[test]
fn items_beyond_the_limit_do_not_weigh_but_are_still_left_out() {
    let mut cart: Vec<Sku> = (0..BASIS_ITEMS_MAX).map(|i| sku(&format!("unknown {i}"))).collect();
    cart.push(sku("A"));
    assert_eq!(said(&index().goes_with(&cart, 9, &all)), "F* E* D* C* B*");
}

#[test]
fn equal_scores_are_ordered_by_sku() {
    let mut candidates = vec![
        Neighbour { item: 4, score: 0.5 },
        Neighbour { item: 1, score: 0.5 },
        Neighbour { item: 4, score: 0.25 },
        Neighbour { item: 0, score: 0.75 },
    ];
    sum_per_item(&mut candidates);
    candidates.sort_unstable_by(best_first);
    assert_eq!(candidates.iter().map(|c| c.item).collect::<Vec<_>>(), [0, 4, 1]);
}
