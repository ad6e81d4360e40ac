//! Catalogue facts: items that are named alike, and items of neighbouring codes.

use std::collections::BTreeMap;

use recommender::{code, tally::Tally};

use crate::{company::Rows, log::Log, per_item};

/// A word that more items bear says nothing of any two of them; it bounds the work, too.
const BEARERS_MAX: usize = 2_000;

/// Numbers this far apart are no neighbours: they are alike by e⁻⁶.
const APART_MAX: u32 = 24;

/// The numbers after which neighbouring codes are alike by 1/e.
const FADE: f32 = 4.0;

/// Returns per item the others by the cosine of their names' words, each weighed by its rarity (tf-idf with counts of one).
pub fn alike(log: &Log) -> Rows {
    let items = log.names().len();
    let mut bearers: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (item, name) in log.names().iter().enumerate() {
        let mut words: Vec<String> = name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        words.sort_unstable();
        words.dedup();
        words.into_iter().for_each(|word| bearers.entry(word).or_default().push(item as u32));
    }
    let telling: Vec<(f32, Vec<u32>)> = bearers
        .into_values()
        .filter(|bearers| bearers.len() <= BEARERS_MAX)
        .map(|bearers| ((items as f32 / bearers.len() as f32).ln(), bearers))
        .collect();
    let mut words: Vec<Vec<usize>> = vec![Vec::new(); items];
    let mut lengths = vec![0.0_f32; items];
    for (word, (rarity, bearers)) in telling.iter().enumerate() {
        for &item in bearers {
            words[item as usize].push(word);
            lengths[item as usize] += rarity * rarity;
        }
    }
    per_item(
        items,
        || Tally::new(items),
        |item, tally| {
            for &word in &words[item as usize] {
                let (rarity, bearers) = &telling[word];
                for &other in bearers.iter().filter(|&&other| other != item) {
                    let lengths = (lengths[item as usize] * lengths[other as usize]).sqrt();
                    if lengths > 0.0 {
                        tally.add(other, rarity * rarity / lengths);
                    }
                }
            }
            let mut row = Vec::new();
            tally.best(usize::MAX, &mut row);
            tally.clear();
            row
        },
    )
}

/// Returns per item the others of neighbouring codes, one for the same number and 1/e four numbers apart.
pub fn neighbouring(log: &Log) -> Rows {
    let numbered =
        log.items().iter().enumerate().filter_map(|(item, code)| Some((code::number(code)?, item as u32)));
    let mut numbered: Vec<(u32, u32)> = numbered.collect();
    numbered.sort_unstable();
    let mut rows: Rows = vec![Vec::new(); log.items().len()];
    for (place, &(number, item)) in numbered.iter().enumerate() {
        let after = numbered[place + 1..].iter().take_while(|other| other.0 - number <= APART_MAX);
        // Where a shop's codes all begin alike, a hundred neighbours are enough.
        for &(other_number, other) in after.take(100) {
            let likeness = (-((other_number - number) as f32) / FADE).exp();
            rows[item as usize].push((other, likeness));
            rows[other as usize].push((item, likeness));
        }
    }
    rows.iter_mut().for_each(|row| recommender::tally::keep_best(row, usize::MAX));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Gather, Kind};

    fn log() -> Log {
        let mut gather = Gather::new(Kind::Baskets);
        let lines = [
            ("85123A", Some("WHITE HANGING HEART")),
            ("85123B", Some("Red hanging heart")),
            ("85127", Some("JAM JAR")),
            ("MUG", None),
        ];
        gather.entry("1", 0, lines.into_iter());
        gather.finish()
    }

    #[test]
    fn what_shares_rare_words_is_alike() {
        let rows = alike(&log());
        // Two of three words are shared; by hand: 2 (ln 2)² / (2 (ln 2)² + (ln 4)²) = 1/3.
        assert_eq!(rows[0].iter().map(|other| other.0).collect::<Vec<_>>(), [1]);
        assert!((rows[0][0].1 - 1.0 / 3.0).abs() < 1e-6);
        assert!(rows[2].is_empty() && rows[3].is_empty());
    }

    #[test]
    fn neighbouring_codes_are_near() {
        let rows = neighbouring(&log());
        assert_eq!(rows[0][0], (1, 1.0));
        assert!((rows[2][0].1 - (-1.0_f32).exp()).abs() < 1e-6, "four numbers on");
        assert!(rows[3].is_empty());
    }
}
