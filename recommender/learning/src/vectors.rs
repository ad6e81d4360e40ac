//! Item vectors: the leading eigenvectors of the positive pointwise mutual information of items in company.
//!
//! Sources: Levy and Goldberg, "Neural word embedding as implicit matrix factorization" (2014), with their context
//! smoothing of 0.75; Halko, Martinsson and Tropp, "Finding structure with randomness" (2011) for the iteration.

use recommender::vectors::{Vectors, dot};

use crate::{company::Rows, cores};

/// The iterations: more change cosines in the third place only.
const ROUNDS: usize = 6;

/// How contexts are smoothed.
const SMOOTHING: f64 = 0.75;

/// Makes vectors of `dimensions` numbers from symmetrical company.
pub fn vectors(company: &Rows, dimensions: usize) -> Vectors {
    let information = positive_information(company);
    let items = information.len();
    let dimensions = dimensions.min(items);
    if dimensions == 0 {
        return Vectors::default();
    }
    let mut numbers = beginning(items * dimensions);
    for _ in 0..ROUNDS {
        orthonormalise(&mut numbers, dimensions);
        numbers = product(&information, &numbers, dimensions);
    }
    // Each direction is stretched by its eigenvalue; the root keeps the first ones from drowning the others.
    let columns = (0..dimensions).map(|column| {
        let squares = numbers.iter().skip(column).step_by(dimensions).map(|n| f64::from(*n).powi(2));
        squares.sum::<f64>().sqrt().sqrt().max(1e-9) as f32
    });
    let columns: Vec<f32> = columns.collect();
    for vector in numbers.chunks_exact_mut(dimensions) {
        vector.iter_mut().zip(&columns).for_each(|(number, column)| *number /= column);
        let length = dot(vector, vector).sqrt();
        if length > 1e-9 {
            vector.iter_mut().for_each(|number| *number /= length);
        }
    }
    Vectors { numbers, dimensions }
}

fn positive_information(company: &Rows) -> Rows {
    let sums: Vec<f64> =
        company.iter().map(|row| row.iter().map(|other| f64::from(other.1)).sum::<f64>().max(1e-9)).collect();
    let all: f64 = sums.iter().sum();
    let smoothed: f64 = sums.iter().map(|sum| sum.powf(SMOOTHING)).sum();
    let information = |item: usize, &(other, weight): &(u32, f32)| {
        let chance = sums[item] / all * sums[other as usize].powf(SMOOTHING) / smoothed;
        let information = (f64::from(weight) / all / chance).ln();
        (information > 0.0).then_some((other, information as f32))
    };
    company
        .iter()
        .enumerate()
        .map(|(item, row)| row.iter().filter_map(|other| information(item, other)).collect())
        .collect()
}

/// Numbers without a pattern, the same every time.
fn beginning(count: usize) -> Vec<f32> {
    let mut state = 0x1234_5678_9abc_def1_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn product(rows: &Rows, numbers: &[f32], dimensions: usize) -> Vec<f32> {
    let mut products = vec![0.0; numbers.len()];
    let chunk = rows.len().div_ceil(cores()).max(1);
    std::thread::scope(|scope| {
        for (rows, products) in rows.chunks(chunk).zip(products.chunks_mut(chunk * dimensions)) {
            scope.spawn(move || {
                for (row, sums) in rows.iter().zip(products.chunks_exact_mut(dimensions)) {
                    for &(other, weight) in row {
                        let from = other as usize * dimensions;
                        let vector = &numbers[from..from + dimensions];
                        sums.iter_mut().zip(vector).for_each(|(sum, number)| *sum += weight * number);
                    }
                }
            });
        }
    });
    products
}

/// Makes the columns orthogonal and of length one, by the Cholesky factor of their products; twice, since once is
/// accurate only where they already nearly are (Yamamoto et al., "Roundoff error analysis of the CholeskyQR2
/// algorithm", 2015).
fn orthonormalise(numbers: &mut [f32], dimensions: usize) {
    for _ in 0..2 {
        let factor = factor(numbers, dimensions);
        for row in numbers.chunks_exact_mut(dimensions) {
            for a in 0..dimensions {
                let before: f64 = (0..a).map(|b| factor[a * dimensions + b] * f64::from(row[b])).sum();
                row[a] = ((f64::from(row[a]) - before) / factor[a * dimensions + a]) as f32;
            }
        }
    }
}

fn factor(numbers: &[f32], dimensions: usize) -> Vec<f64> {
    let mut factor = vec![0.0; dimensions * dimensions];
    for row in numbers.chunks_exact(dimensions) {
        for (a, sums) in factor.chunks_exact_mut(dimensions).enumerate() {
            sums[..=a].iter_mut().zip(row).for_each(|(sum, b)| *sum += f64::from(row[a]) * f64::from(*b));
        }
    }
    for a in 0..dimensions {
        for b in 0..=a {
            let before: f64 = (0..b).map(|k| factor[a * dimensions + k] * factor[b * dimensions + k]).sum();
            let rest = factor[a * dimensions + b] - before;
            factor[a * dimensions + b] =
                if a == b { rest.max(1e-12).sqrt() } else { rest / factor[b * dimensions + b] };
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_the_same_company_point_the_same_way() {
        // Two groups of four, each item with the others of its group, and one tie between them.
        let group = |item: u32| (item / 4 * 4..item / 4 * 4 + 4).filter(move |&other| other != item);
        let mut company: Rows = (0..8).map(|item| group(item).map(|other| (other, 10.0)).collect()).collect();
        company[0].push((4, 1.0));
        company[4].push((0, 1.0));
        let vectors = vectors(&company, 3);
        assert!(vectors.cosine(1, 2) > 0.8, "{}", vectors.cosine(1, 2));
        assert!(vectors.cosine(1, 6) < 0.3, "{}", vectors.cosine(1, 6));
        assert!((vectors.cosine(3, 3) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn an_item_without_company_has_zeros() {
        let vectors = vectors(&vec![vec![(1, 1.0)], vec![(0, 1.0)], vec![]], 2);
        assert_eq!(vectors.of(2), [0.0, 0.0]);
        assert_eq!(super::vectors(&vec![], 4).numbers.len(), 0);
    }
}
