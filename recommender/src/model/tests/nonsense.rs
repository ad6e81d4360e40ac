use super::*;
use crate::{
    Algorithm, Index, Tuning, Wanted,
    basket::{self, PastBaskets},
    forest::{Forest, Node, Tree},
    lists::Lists,
    ranker::Ranker,
    session::{self, Nearness, PastSessions},
    vectors::Vectors,
};

const ITEMS: u32 = 4;

fn lists() -> Lists {
    let mut lists = Lists::default();
    (0..ITEMS).for_each(|item| lists.push([((item + 1) % ITEMS, 0.5), ((item + 2) % ITEMS, 0.25)]));
    lists
}

fn pairs() -> Pairs {
    let mut pairs = Pairs::default();
    let pair = |item: u32, score| Pair { item: item % ITEMS, score, entries: 2 };
    (0..ITEMS).for_each(|item| pairs.push(3, [pair(item + 1, 0.5), pair(item + 3, 0.25)]));
    pairs
}

fn ranker(width: usize) -> Ranker {
    let root = Node { threshold: 0.5, feature: 1, children: [1, 2], value: 0.0 };
    let tree = Tree { depth: 1, nodes: vec![root, Node::leaf(1, 0.25), Node::leaf(2, 0.5)] };
    Ranker { weights: vec![0.25; width], forest: Forest { trees: vec![tree] } }
}

/// Returns a model that has everything a model can have.
fn whole() -> Model {
    let vectors = Vectors { numbers: vec![0.6; ITEMS as usize * 2], dimensions: 2 };
    let entries: [&[u32]; 3] = [&[0, 1, 2], &[2, 3], &[1, 3, 0]];
    let signals = basket::Signals {
        linear: lists(),
        linear_late: lists(),
        together: lists(),
        together_late: lists(),
        names: lists(),
        codes: lists(),
        past: PastBaskets::new(ITEMS as usize, entries.iter().map(|basket| (1.0, *basket))),
        fame: vec![basket::Fame::default(); ITEMS as usize],
        popular: (0..ITEMS).collect(),
        vectors: vectors.clone(),
    };
    let ranks = || ranker(basket::features::WIDTH);
    let baskets = BasketModel { signals, completion: ranks(), together: ranks() };
    let signals = session::Signals {
        past: PastSessions::new(Nearness::default(), ITEMS as usize, entries.iter().map(|s| (1, *s))),
        around: lists(),
        next: lists(),
        beyond: lists(),
        fame: vec![session::Fame { code: Some(7), ..Default::default() }; ITEMS as usize],
        vectors,
    };
    let trails = SessionModel { signals, ranker: ranker(session::features::WIDTH), repeat: 0.5 };
    let popular = (0..ITEMS).map(|item| entry(item, 1.0 / (item + 1) as f32)).collect();
    let learnt = Learnt {
        popular,
        orders: pairs(),
        after: pairs(),
        sessions: pairs(),
        baskets: Some(baskets),
        trails: Some(trails),
    };
    Model::new(about(), ["A", "B", "C", "D"].map(sku).to_vec(), learnt).unwrap()
}

/// Asks a model everything that can be asked.
fn ask(model: Model) {
    let items = model.items().to_vec();
    let index = Index::new(model);
    for algorithm in [Algorithm::Learnt, Algorithm::Pairs, Algorithm::After, Algorithm::Popular] {
        let wanted = Wanted { algorithm, most: 9, allow: &|_| true, alike: None, tuning: Tuning::default() };
        items.iter().for_each(|item| drop(index.bought_together(item, wanted)));
        index.goes_with(&items[..2], wanted);
        index.next(&items, wanted);
        index.recommended(&items[..2], &items[2..], wanted);
    }
}

#[test]
fn a_byte_changed_under_a_right_checksum_is_refused_or_answers_without_a_panic() {
    let bytes = whole().to_bytes();
    ask(Model::parse(&bytes).unwrap());
    let end = bytes.len() - blake3::OUT_LEN;
    let mut outcomes = [0, 0];
    for place in 0..end {
        let mut bad = bytes.clone();
        bad[place] ^= [0x01, 0x80, 0xff, 0x7f][place % 4];
        let checksum = blake3::hash(&bad[..end]);
        bad[end..].copy_from_slice(checksum.as_bytes());
        let read = Model::parse(&bad);
        outcomes[usize::from(read.is_ok())] += 1;
        if let Ok(model) = read {
            ask(model);
        }
    }
    assert!(outcomes.iter().all(|&count| count > 100), "refused and answered: {outcomes:?}");
}
