use super::*;
use crate::{lists::Entry, pairs::Pair};

fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}

fn skus(texts: &[&str]) -> Vec<Sku> {
    texts.iter().map(|text| sku(text)).collect()
}

/// A number of entries, and partners with their scores and common entries.
type Listed<'a> = (u32, &'a [(u32, f32, u32)]);

fn pairs(lists: &[Listed<'_>]) -> Pairs {
    let mut pairs = Pairs::default();
    for (entries, list) in lists {
        pairs.push(*entries, list.iter().map(|&(item, score, entries)| Pair { item, score, entries }));
    }
    pairs
}

/// Items A to F: A is bought with B and C, B with A, D with C; E is viewed with F. F is the most popular, then E, and
/// so on backwards. Nothing was learnt beyond pairs.
fn index() -> Index {
    let orders = pairs(&[
        (310, &[(1, 0.9, 48), (2, 0.5, 12)]),
        (60, &[(0, 0.9, 48)]),
        (40, &[(3, 0.8, 30), (0, 0.5, 12)]),
        (35, &[(2, 0.8, 30)]),
        (500, &[]),
        (600, &[]),
    ]);
    let sessions = pairs(&[(0, &[]), (0, &[]), (0, &[]), (0, &[]), (9, &[(5, 0.7, 4)]), (7, &[(4, 0.7, 4)])]);
    let popular = (0..6).rev().map(|item| Entry { item, score: item as f32 }).collect();
    let learnt = Learnt { popular, orders, sessions, ..Learnt::default() };
    Index::new(Model::new(About::default(), skus(&["A", "B", "C", "D", "E", "F"]), learnt).unwrap())
}

fn wanted(most: usize) -> Wanted<'static> {
    Wanted { algorithm: Algorithm::Learnt, most, allow: &|_| true, alike: None, tuning: Tuning::default() }
}

/// Writes an answer, each reason by its mark.
fn said(suggestions: &[Suggestion]) -> String {
    let mark = |s: &Suggestion| match &s.reason {
        Reason::BoughtTogether(e) => format!("({} of {} {})", e.both, e.of, e.with),
        Reason::BoughtBefore(e) => format!("'({} of {} {})", e.both, e.of, e.with),
        Reason::BoughtAfter(e) => format!(">({} of {} {})", e.both, e.of, e.with),
        Reason::ViewedTogether(e) => format!("~({} of {} {})", e.both, e.of, e.with),
        Reason::SimilarBaskets | Reason::SimilarSessions => "?".to_owned(),
        Reason::Viewed => "!".to_owned(),
        Reason::PopularAlike { orders } => format!("*{orders}"),
        Reason::Popular { .. } => "*".to_owned(),
    };
    suggestions.iter().map(|s| format!("{}{} ", s.sku, mark(s))).collect::<String>().trim_end().to_owned()
}

#[test]
fn partners_come_first_with_their_counts_and_popular_items_fill_up() {
    assert_eq!(said(&index().bought_together(&sku("A"), wanted(4))), "B(48 of 310 A) C(12 of 310 A) F* E*");
    assert_eq!(said(&index().bought_together(&sku("A"), wanted(1))), "B(48 of 310 A)");
    assert_eq!(said(&index().bought_together(&sku("A"), wanted(0))), "");
    assert_eq!(index().popular(wanted(1))[0].reason, Reason::Popular { orders: 600 });
    assert_eq!((index().orders(&sku("B")), index().orders(&sku("NEW"))), (60, 0));
}

#[test]
fn an_unknown_item_is_answered_with_popular_ones() {
    assert_eq!(said(&index().bought_together(&sku("NEW"), wanted(2))), "F* E*");
    assert_eq!(said(&index().goes_with(&[], wanted(2))), "F* E*");
    assert_eq!(said(&index().recommended(&skus(&["NEW"]), &[], wanted(2))), "F* E*");
    assert_eq!(said(&index().next(&[], wanted(2))), "F* E*");
}

#[test]
fn nothing_is_suggested_twice_and_never_what_was_asked_about() {
    assert_eq!(said(&index().bought_together(&sku("F"), wanted(9))), "E* D* C* B* A*");
    let answer = index().goes_with(&skus(&["A", "C"]), wanted(9));
    assert_eq!(said(&answer), "B(48 of 310 A) D(30 of 40 C) F* E*");
    assert_eq!(said(&index().goes_with(&skus(&["A", "B", "C", "D", "E", "F"]), wanted(9))), "");
}

#[test]
fn what_is_not_allowed_makes_room_for_the_next() {
    let allow = |sku: &Sku| sku.as_str() != "B" && sku.as_str() != "F";
    let wanted = |most| Wanted { allow: &allow, ..wanted(most) };
    assert_eq!(said(&index().bought_together(&sku("A"), wanted(3))), "C(12 of 310 A) E* D*");
    assert_eq!(said(&index().popular(wanted(2))), "E* D*");
}

#[test]
fn scores_of_a_cart_add_up() {
    // B: 0.9² from A. C: 0.5² from A + 0.8² from D = 0.89.
    let answer = index().goes_with(&skus(&["A", "D"]), wanted(2));
    assert_eq!(said(&answer), "C(30 of 35 D) B(48 of 310 A)");
    assert!((answer[0].score - 0.89).abs() < 1e-6);
}

#[test]
fn what_was_bought_lately_weighs_more() {
    // Lately D: C 0.8² = 0.64; then A: B 0.9² × 0.85 = 0.69 and C + 0.5² × 0.85, 0.85 in all.
    let answer = index().recommended(&skus(&["D", "A"]), &[], wanted(2));
    assert_eq!(said(&answer), "C'(30 of 35 D) B'(48 of 310 A)");
}

#[test]
fn what_was_looked_at_counts_at_once_and_merges_with_what_was_bought() {
    assert_eq!(said(&index().next(&skus(&["F", "E"]), wanted(2))), "F! D*");
    assert_eq!(said(&index().next(&skus(&["E"]), wanted(1))), "F~(4 of 9 E)");
    let answer = index().recommended(&skus(&["B"]), &skus(&["E"]), wanted(3));
    assert_eq!(said(&answer), "A'(48 of 60 B) F~(4 of 9 E) D*", "equal places go by SKU");
}

#[test]
fn where_sessions_say_little_it_is_what_goes_with_the_items_looked_at() {
    assert_eq!(said(&index().next(&skus(&["A"]), wanted(3))), "B(48 of 310 A) C(12 of 310 A) F*");
    assert_eq!(
        said(&index().next(&skus(&["A", "E"]), wanted(4))),
        "F~(4 of 9 E) B(48 of 310 A) C(12 of 310 A) D*"
    );
    let answer = index().recommended(&[], &skus(&["E", "A"]), wanted(3));
    assert_eq!(said(&answer), "F~(4 of 9 E) B(48 of 310 A) C(12 of 310 A)");
    let wanted = Wanted { algorithm: Algorithm::Popular, ..wanted(2) };
    assert_eq!(said(&index().next(&skus(&["A"]), wanted)), "F* E*");
}

#[test]
fn popularity_can_be_asked_for_in_place_of_all_else() {
    let wanted = Wanted { algorithm: Algorithm::Popular, ..wanted(2) };
    assert_eq!(said(&index().bought_together(&sku("A"), wanted)), "F* E*");
    assert_eq!(said(&index().next(&skus(&["F"]), wanted)), "E* D*");
}

#[test]
fn popular_items_of_the_kind_come_before_others() {
    let alike = |sku: &Sku| "ABD".contains(sku.as_str());
    let wanted = Wanted { alike: Some(&alike), ..wanted(5) };
    assert_eq!(said(&index().bought_together(&sku("A"), wanted)), "B(48 of 310 A) C(12 of 310 A) D*35 F* E*");
    let allow = |sku: &Sku| sku.as_str() != "D";
    assert_eq!(said(&index().popular(Wanted { allow: &allow, ..wanted })), "B*60 A*310 F* E* C*");
}

#[test]
fn items_beyond_the_limit_do_not_weigh_but_are_still_left_out() {
    let mut cart: Vec<Sku> = (0..BASIS_ITEMS_MAX).map(|i| sku(&format!("unknown {i}"))).collect();
    cart.push(sku("A"));
    assert_eq!(said(&index().goes_with(&cart, wanted(9))), "F* E* D* C* B*");
}

#[test]
fn what_is_bought_later_has_a_direction_and_is_told_in_customers() {
    let mut learnt = index().learnt().clone();
    learnt.after = pairs(&[
        (41, &[(3, 0.6, 9), (4, 0.2, 3)]),
        (20, &[(4, 0.5, 5)]),
        (0, &[]),
        (7, &[(5, 0.1, 2)]),
        (0, &[]),
        (0, &[]),
    ]);
    let items = index().model.items().to_vec();
    let index = Index::new(Model::new(About::default(), items, learnt).unwrap());
    let after = Wanted { algorithm: Algorithm::After, ..wanted(3) };
    assert_eq!(said(&index.bought_together(&sku("A"), after)), "D>(9 of 41 A) E>(3 of 41 A) F*");
    assert_eq!(said(&index.bought_together(&sku("D"), after)), "F>(2 of 7 D) E* C*");
    assert_eq!(said(&index.recommended(&skus(&["B", "A"]), &[], after)), "E>(5 of 20 B) D>(9 of 41 A) F*");
    assert_eq!(said(&index.next(&skus(&["E"]), Wanted { most: 1, ..after })), "F~(4 of 9 E)");
    // Goes with A: B, C. Bought after A: D, E. What both name would come first; equal places go by SKU.
    assert_eq!(
        said(&index.recommended(&skus(&["A"]), &[], wanted(4))),
        "B'(48 of 310 A) D>(9 of 41 A) C'(12 of 310 A) E>(3 of 41 A)"
    );
}

#[test]
fn a_page_does_not_wait_for_the_whole_shop_to_be_looked_through() {
    let all: Vec<Sku> = (0..30_000).map(|n| sku(&format!("S{n:05}"))).collect();
    let popular = (0..30_000).map(|item| Entry { item, score: 30_000.0 - item as f32 }).collect();
    let empty = || pairs(&vec![(0, &[][..]); 30_000]);
    let learnt = Learnt { popular, orders: empty(), sessions: empty(), ..Learnt::default() };
    let index = Index::new(Model::new(About::default(), all.clone(), learnt).unwrap());
    let looks = std::cell::Cell::new(0);
    let late = |sku: &Sku| {
        looks.set(looks.get() + 1);
        *sku >= all[29_999]
    };
    let wanted = Wanted {
        algorithm: Algorithm::Pairs,
        most: 3,
        allow: &late,
        alike: Some(&|_| true),
        tuning: Tuning::default(),
    };
    assert!(index.bought_together(&all[0], wanted).is_empty());
    assert!((10_000..=15_000).contains(&looks.get()), "{}", looks.get());
    assert!(index.next(&all[..9], wanted).is_empty());
    assert_eq!(index.popular(wanted).len(), 1, "who asks for nothing else has time");
}

#[test]
fn a_tuned_algorithm_asks_only_what_enough_speaks_for() {
    let tuned = |min_support, session_percent| Tuning { min_support, session_percent };
    let pairs = Wanted { algorithm: Algorithm::Pairs, ..wanted(1) };
    let strict = Wanted { tuning: tuned(31, 50), ..pairs };
    assert_eq!(said(&index().bought_together(&sku("C"), pairs)), "D(30 of 40 C)");
    assert_eq!(said(&index().bought_together(&sku("C"), strict)), "F*");
    assert_eq!(said(&index().bought_together(&sku("A"), strict)), "B(48 of 310 A)");
    let first = |session_percent| {
        let wanted = Wanted { tuning: tuned(0, session_percent), ..wanted(2) };
        said(&index().recommended(&skus(&["A"]), &skus(&["E"]), wanted))
    };
    assert_eq!(first(100), "F~(4 of 9 E) D*", "nothing of what was bought");
    assert_eq!(first(0), "B'(48 of 310 A) C'(12 of 310 A)", "nothing of what is looked at");
    assert_eq!(first(90), "F~(4 of 9 E) B'(48 of 310 A)");
}
