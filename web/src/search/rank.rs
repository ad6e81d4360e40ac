//! How well a product's name fits a query, by rules that break ties in turn rather than by a sum of weights, so that an
//! order can be explained and is the same on every store.

use super::terms::{Alternative, Term, Terms};

/// The greatest number that a rule gives.
const WORST: u32 = 0xff;

/// Returns how badly a folded name fits; the lowest fits best. The rules, in turn:
///
/// 1. how many terms the name lacks (they stand elsewhere in the product);
/// 2. how many it holds in another form than they were typed: going on, in plural, mended;
/// 3. how far apart the terms stand in it, and how far from its beginning;
/// 4. how many more words it has.
pub fn rank(name: &str, terms: &Terms) -> u32 {
    let words: Vec<&str> = name.split(' ').collect();
    let (mut lacking, mut altered, mut apart, mut held, mut next) = (0, 0, 0, 0, 0_usize);
    for term in &terms.0 {
        match place(term, &words) {
            Some((at, length, is_altered)) => {
                altered += u32::from(is_altered);
                apart += u32::try_from(at.abs_diff(next)).unwrap_or(WORST);
                next = at + length;
                held += length;
            }
            None => lacking += 1,
        }
    }
    let more = u32::try_from(words.len().saturating_sub(held)).unwrap_or(WORST);
    let rule = |n: u32| n.min(WORST);
    rule(lacking).min(0x3f) << 24 | rule(altered) << 16 | rule(apart) << 8 | rule(more)
}

/// Finds a term in a name: the first place of the first alternative that is there, its length, and whether it differs from
/// what was typed.
fn place(term: &Term, words: &[&str]) -> Option<(usize, usize, bool)> {
    let whole = |a: &Alternative| {
        words.windows(a.words.len()).position(|run| run.iter().zip(&a.words).all(|(w, wanted)| w == wanted))
    };
    let beginning = |a: &Alternative| {
        let (last, first) = a.words.split_last()?;
        words.windows(a.words.len()).position(|run| {
            run.iter().zip(first).all(|(w, wanted)| w == wanted)
                && run.last().is_some_and(|w| w.starts_with(&**last))
        })
    };
    let typed = term.0.first()?;
    if let Some(at) = whole(typed) {
        return Some((at, typed.words.len(), false));
    }
    term.0.iter().find_map(|a| {
        let at = if a.is_prefix { beginning(a) } else { whole(a) };
        Some((at?, a.words.len(), true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ranked_rule_by_rule() {
        let terms = Terms::parse("poppy mug");
        let order = [
            "poppy mug",
            "poppy mug large",
            "large poppy mug",
            "poppy red tin mug",
            "poppy mugs",
            "poppy jug",
            "tea towel",
        ];
        let ranks: Vec<_> = order.iter().map(|name| rank(name, &terms)).collect();
        assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{ranks:x?}");
    }
}
