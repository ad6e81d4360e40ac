//! Item vectors: items that are seen in the same company point the same way.

use crate::{codec::stored, invalid::Invalid};

/// Holds a vector of length one per item; an item without company has zeros.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vectors {
    /// The numbers of all vectors, one after the other.
    pub numbers: Vec<f32>,
    /// The numbers of one vector.
    pub dimensions: usize,
}

stored!(Vectors { numbers, dimensions });

impl Vectors {
    /// Refuses numbers that are not a vector per item.
    pub(crate) fn check(&self, items: usize) -> Result<(), Invalid> {
        if self.dimensions.checked_mul(items) == Some(self.numbers.len()) {
            Ok(())
        } else {
            Err(Invalid("vectors are not one per item"))
        }
    }

    /// Returns the vector of an item.
    #[inline]
    pub fn of(&self, item: u32) -> &[f32] {
        &self.numbers[item as usize * self.dimensions..(item as usize + 1) * self.dimensions]
    }

    /// Returns the cosine of the angle between two items.
    pub fn cosine(&self, a: u32, b: u32) -> f32 {
        dot(self.of(a), self.of(b))
    }

    /// Puts the direction of a weighted sum of items into `direction`, a vector of length one.
    pub fn direction(&self, weighted: impl Iterator<Item = (u32, f32)>, direction: &mut Vec<f32>) {
        direction.clear();
        direction.resize(self.dimensions, 0.0);
        for (item, weight) in weighted {
            for (sum, number) in direction.iter_mut().zip(self.of(item)) {
                *sum += weight * number;
            }
        }
        let length = dot(direction, direction).sqrt().max(1e-6);
        direction.iter_mut().for_each(|number| *number /= length);
    }
}

/// Returns the sum of the products of two vectors' numbers.
#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Four sums side by side, which the compiler may keep in one register.
    let mut sums = [0.0; 4];
    let (fours, rest) = (a.chunks_exact(4), a.chunks_exact(4).remainder());
    let tail = &b[b.len() - rest.len()..];
    for (a, b) in fours.zip(b.chunks_exact(4)) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest.iter().zip(tail).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_vectors_of_any_length_is_the_sum_of_products() {
        for length in 0..11 {
            let a: Vec<f32> = (0..length).map(|n| n as f32).collect();
            let b: Vec<f32> = (0..length).map(|n| (n + 1) as f32).collect();
            let by_hand: i32 = (0..length).map(|n| n * (n + 1)).sum();
            assert_eq!(dot(&a, &b), by_hand as f32);
        }
    }
}
