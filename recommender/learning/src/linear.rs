//! What an item says of another where all others of the basket speak too: EASE, with doubt and with catalogue facts.
//!
//! Sources: Steck, "Embarrassingly shallow autoencoders for sparse data" (2019): with the Gram matrix G of the baskets,
//! P = (G + λI)⁻¹ and the weight of item i for item j is −P(i, j) / P(j, j); Steck, "Autoencoders that don't overfit
//! towards the identity" (2020): the diagonal is also multiplied, as if a part of each basket had been left out. Names
//! and codes are added to G as if some baskets had held what is alike.

use faer::{Mat, Side, linalg::solvers::DenseSolveCore};
use serde::{Deserialize, Serialize};

use crate::{company::Rows, log::Slice};

/// Says how the model is made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Doubt {
    /// Added to the diagonal.
    pub ridge: f32,
    /// The diagonal is multiplied by one more than this.
    pub dropout: f32,
    /// What likeness of names counts, in baskets.
    pub names: f32,
    /// What neighbouring codes count, in baskets.
    pub codes: f32,
    /// The most items of the model, the most bought.
    #[serde(skip_serializing_if = "is_usual")]
    pub items: usize,
}

fn is_usual(items: &usize) -> bool {
    *items == ITEMS_MAX
}

impl Default for Doubt {
    fn default() -> Self {
        Self { ridge: 2.0, dropout: 0.5, names: 1.0, codes: 1.0, items: ITEMS_MAX }
    }
}

/// The most items of the model, the most bought: memory grows with the square (5,000 items take 100 MB, twice), time
/// with the cube. What is beyond them is bought too rarely to tell.
pub const ITEMS_MAX: usize = 6_000;

/// The weights that are kept per item, the largest whatever their sign.
const KEPT: usize = 400;

/// Makes the model of baskets, each with its worth.
pub fn rows(slice: Slice<'_>, worth: &[f32], alike: &Rows, codes: &Rows, doubt: Doubt) -> Rows {
    let chosen = chosen(slice, worth, doubt.items);
    let mut place_of = vec![usize::MAX; slice.log().items().len()];
    for (place, &item) in chosen.iter().enumerate() {
        place_of[item as usize] = place;
    }
    let size = chosen.len();
    let mut gram = Mat::<f32>::zeros(size, size);
    for ((_, entry), &worth) in slice.entries().zip(worth).filter(|(_, worth)| **worth > 0.0) {
        let places: Vec<usize> =
            entry.iter().map(|&item| place_of[item as usize]).filter(|&p| p < size).collect();
        for &column in &places {
            for &row in &places {
                gram[(row, column)] += worth;
            }
        }
    }
    for (facts, counts) in [(alike, doubt.names), (codes, doubt.codes)] {
        for (place, &item) in chosen.iter().enumerate() {
            for &(other, likeness) in &facts[item as usize] {
                let other = place_of[other as usize];
                if other < size {
                    gram[(other, place)] += counts * likeness;
                }
            }
        }
    }
    let facts = doubt.names + doubt.codes;
    for place in 0..size {
        gram[(place, place)] = gram[(place, place)] * (1.0 + doubt.dropout) + doubt.ridge + facts;
    }
    let inverse = inverse(gram);
    let mut rows: Rows = vec![Vec::new(); place_of.len()];
    for (place, &item) in chosen.iter().enumerate() {
        let weight = |other: usize| -inverse[(other, place)] / inverse[(other, other)];
        let others = (0..size).filter(|&other| other != place).map(|other| (chosen[other], weight(other)));
        let mut row: Vec<(u32, f32)> = others.filter(|other| other.1 != 0.0).collect();
        row.sort_unstable_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        row.truncate(KEPT);
        rows[item as usize] = row;
    }
    rows
}

/// Returns the most bought items, ascending.
fn chosen(slice: Slice<'_>, worth: &[f32], items: usize) -> Vec<u32> {
    let mut bought = vec![0.0; slice.log().items().len()];
    for ((_, entry), worth) in slice.entries().zip(worth) {
        entry.iter().for_each(|&item| bought[item as usize] += worth);
    }
    let mut most: Vec<(u32, f32)> =
        bought.into_iter().enumerate().map(|(item, sum)| (item as u32, sum)).collect();
    most.retain(|item| item.1 > 0.0);
    recommender::tally::keep_best(&mut most, items);
    let mut chosen: Vec<u32> = most.into_iter().map(|item| item.0).collect();
    chosen.sort_unstable();
    chosen
}

/// Inverts a symmetric matrix, with more doubt where facts made it indefinite.
fn inverse(mut gram: Mat<f32>) -> Mat<f32> {
    let size = gram.nrows();
    let mut more = 1.0;
    loop {
        match gram.llt(Side::Lower) {
            Ok(factor) => return factor.inverse(),
            Err(_) => {
                (0..size).for_each(|place| gram[(place, place)] += more);
                more *= 2.0;
            }
        }
    }
}
