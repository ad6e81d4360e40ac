//! Rows of different lengths, one after the other in one piece of memory.

use std::ops::Range;

use crate::{
    codec::{Reader, Stored, Unreadable},
    invalid::Invalid,
};

/// Holds rows, numbered from zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Ragged<T> {
    /// `starts[r]..starts[r + 1]` are the values of row `r`.
    starts: Vec<u32>,
    values: Vec<T>,
}

impl<T> Default for Ragged<T> {
    fn default() -> Self {
        Self { starts: vec![0], values: Vec::new() }
    }
}

impl<T> Ragged<T> {
    /// Adds a row.
    ///
    /// # Panics
    /// Where all rows together hold more than four thousand million values.
    pub fn push(&mut self, row: impl IntoIterator<Item = T>) {
        self.values.extend(row);
        self.starts.push(u32::try_from(self.values.len()).expect("fewer than four thousand million values"));
    }

    /// Returns a row.
    #[inline]
    pub fn row(&self, number: u32) -> &[T] {
        &self.values[self.starts[number as usize] as usize..self.starts[number as usize + 1] as usize]
    }

    /// Copies rows into `values`, one behind the other, and puts where each stands here into `spans`. Rows that lie all over
    /// memory are waited for together, where to read them one by one is to wait for each.
    pub(crate) fn gather(
        &self,
        rows: impl Iterator<Item = u32>,
        spans: &mut Vec<Range<usize>>,
        values: &mut Vec<T>,
    ) where
        T: Copy,
    {
        spans.clear();
        spans.extend(
            rows.map(|row| self.starts[row as usize] as usize..self.starts[row as usize + 1] as usize),
        );
        values.clear();
        spans.iter().for_each(|span| values.extend_from_slice(&self.values[span.clone()]));
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Says whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Ragged<T> {
    /// Returns the values of all rows.
    pub(crate) fn values(&self) -> &[T] {
        &self.values
    }
}

impl<T: Stored> Stored for Ragged<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.starts.put(out);
        self.values.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (starts, values) = (Vec::<u32>::take(from)?, Vec::<T>::take(from)?);
        let spans =
            starts.first() == Some(&0) && starts.last().map(|end| *end as usize) == Some(values.len());
        if spans && starts.is_sorted() {
            Ok(Self { starts, values })
        } else {
            Err(Unreadable("rows do not follow one another".to_owned()))
        }
    }
}

impl<T> FromIterator<Vec<T>> for Ragged<T> {
    fn from_iter<I: IntoIterator<Item = Vec<T>>>(rows: I) -> Self {
        let mut ragged = Self::default();
        rows.into_iter().for_each(|row| ragged.push(row));
        ragged
    }
}

/// Returns the first value of a row that is wanted. So many are looked at side by side; one after the other, each would wait for
/// the one before it.
#[inline]
pub(crate) fn find<T>(row: &[T], is_wanted: impl Fn(&T) -> bool) -> Option<&T> {
    const ABREAST: usize = 16;
    let holds = |some: &&[T]| some.iter().fold(false, |any, value| any | is_wanted(value));
    row.chunks(ABREAST).find(holds)?.iter().find(|value| is_wanted(value))
}

/// Returns per number below `count` the rows that hold it, the last first and each once.
pub fn holders(rows: &Ragged<u32>, count: usize) -> Vec<Vec<u32>> {
    let mut holders: Vec<Vec<u32>> = vec![Vec::new(); count];
    for row in (0..rows.len() as u32).rev() {
        for &number in rows.row(row) {
            let held = &mut holders[number as usize];
            if held.last() != Some(&row) {
                held.push(row);
            }
        }
    }
    holders
}

/// Refuses rows of what is no item, and holders that are not one list of rows per item.
pub(crate) fn check_holders(rows: &Ragged<u32>, holders: &Ragged<u32>, items: usize) -> Result<(), Invalid> {
    let below = |numbers: &[u32], end: usize| numbers.iter().all(|&number| (number as usize) < end);
    if holders.len() == items && below(rows.values(), items) && below(holders.values(), rows.len()) {
        Ok(())
    } else {
        Err(Invalid("what was seen in the past names what is no item"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_what_they_hold() {
        let rows: Ragged<u32> = [vec![2, 0, 2], vec![], vec![0]].into_iter().collect();
        assert_eq!((rows.len(), rows.row(0), rows.row(1)), (3, &[2, 0, 2][..], &[][..]));
        assert_eq!(holders(&rows, 4), [vec![2, 0], vec![], vec![0], vec![]]);
        let (mut spans, mut values) = (vec![], vec![9]);
        rows.gather([2, 1, 0].into_iter(), &mut spans, &mut values);
        assert_eq!((spans, values), (vec![3..4, 3..3, 0..3], vec![0, 2, 0, 2]));
        assert!(Ragged::<u32>::default().is_empty());
    }
}
