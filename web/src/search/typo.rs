//! Words that are spelt nearly alike.

use std::collections::BTreeSet;

/// Returns how many slips a word may hold: none in fewer than four letters, two in eight and more, and none where it has
/// a digit: article numbers are meant as they stand.
pub fn allowed(word: &str) -> usize {
    let (mut letters, mut is_alphabetic) = (0, true);
    for c in word.chars() {
        letters += 1;
        is_alphabetic &= c.is_alphabetic();
    }
    match letters {
        _ if !is_alphabetic => 0,
        ..4 => 0,
        4..8 => 1,
        _ => 2,
    }
}

/// Returns the trigrams of a word, its beginning marked by two spaces. Words of which [`allowed`] would never be
/// compared have none.
///
/// ```
/// # use web::search::typo::trigrams;
/// assert_eq!(trigrams("mug"), ["  m", " mu", "mug"]);
/// assert_eq!(trigrams("m25"), [""; 0]);
/// ```
pub fn trigrams(word: &str) -> Vec<String> {
    if !word.chars().all(char::is_alphabetic) || word.chars().nth(2).is_none() {
        return vec![];
    }
    let chars: Vec<char> = "  ".chars().chain(word.chars()).collect();
    let trigrams: BTreeSet<String> = chars.windows(3).map(|w| w.iter().collect()).collect();
    trigrams.into_iter().collect()
}

/// Returns how many trigrams a word must share with one that it may be mended to: each slip spoils three at most, and two
/// swapped letters four.
pub fn least_shared(word: &str) -> usize {
    trigrams(word).len().saturating_sub(4 * allowed(word)).max(1)
}

/// Chooses, of words and the number of products that hold them, those nearest to a mistyped one: the fewest slips, then
/// the most products. A word that may go on is compared with the beginnings of the others.
pub fn nearest(word: &str, is_prefix: bool, alike: Vec<(String, u64)>, most: usize) -> Vec<String> {
    let typed: Vec<char> = word.chars().collect();
    let allowed = allowed(word);
    // A whole word is nearer than a beginning of one that goes on.
    let slips = |other: &str| {
        let whole = Some(distance(&typed, other, false)).filter(|n| *n <= allowed);
        let beginning = is_prefix.then(|| distance(&typed, other, true)).filter(|n| *n <= allowed);
        whole.into_iter().chain(beginning.map(|n| n + 1)).min()
    };
    let mut near: Vec<(usize, u64, String)> = alike
        .into_iter()
        .filter_map(|(other, products)| Some((slips(&other)?, u64::MAX - products, other)))
        .collect();
    near.sort();
    let fewest = near.first().map_or(0, |(slips, ..)| *slips);
    near.into_iter().take_while(|(slips, ..)| *slips == fewest).take(most).map(|(.., word)| word).collect()
}

/// Counts the letters to insert, leave out, change or swap with their neighbour to come from one word to another
/// (optimal string alignment: Damerau 1964, with each place edited once), or to the nearest beginning of it.
fn distance(typed: &[char], other: &str, to_beginning: bool) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before_last: Vec<usize> = vec![];
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in typed.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && typed[i - 1] == *b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    if to_beginning { last.iter().copied().min().unwrap_or(0) } else { last[other.len()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str) -> usize {
        distance(&a.chars().collect::<Vec<_>>(), b, false)
    }

    #[test]
    fn slips_are_counted() {
        for (a, b, slips) in [
            ("poppy", "poppy", 0),
            ("popy", "poppy", 1),
            ("popppy", "poppy", 1),
            ("puppy", "poppy", 1),
            ("poppi", "poppy", 1),
            ("oppy", "poppy", 1),
            ("opppy", "poppy", 1),
            ("lantren", "lantern", 1),
            ("mug", "jug", 1),
            ("kettle", "", 6),
        ] {
            assert_eq!(between(a, b), slips, "{a} {b}");
            assert_eq!(between(b, a), slips, "{b} {a}");
        }
    }

    #[test]
    fn the_nearest_words_are_chosen() {
        let words =
            |list: &[(&str, u64)]| list.iter().map(|(w, n)| ((*w).to_owned(), *n)).collect::<Vec<_>>();
        let known = words(&[("puppy", 9), ("poppy", 2), ("poppies", 40), ("copper", 5)]);
        assert_eq!(nearest("poopy", false, known.clone(), 5), ["poppy"]);
        assert_eq!(nearest("pappy", false, known.clone(), 5), ["puppy", "poppy"]);
        assert_eq!(nearest("coper", true, known.clone(), 5), ["copper"]);
        assert_eq!(nearest("watering", false, known, 5), [""; 0]);
        assert_eq!(nearest("lantre", true, words(&[("lantern", 1)]), 5), ["lantern"]);
    }

    #[test]
    fn near_words_share_enough_trigrams() {
        for (typed, meant) in
            [("lantren", "lantern"), ("popy", "poppy"), ("kettel", "kettle"), ("candelstikc", "candlestick")]
        {
            let meant: BTreeSet<_> = trigrams(meant).into_iter().collect();
            let shared = trigrams(typed).iter().filter(|t| meant.contains(*t)).count();
            assert!(shared >= least_shared(typed), "{typed}: {shared}");
        }
    }
}
