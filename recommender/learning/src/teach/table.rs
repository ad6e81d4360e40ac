//! Questions with their candidates' features, in bins of one byte: a hundred million features are a hundred megabytes.

/// Bins that split a feature's values evenly, and those that split each tail ever finer: what tells the first candidate
/// from the second lies far out.
const EVEN: usize = 64;
const TAIL: usize = 16;

/// The most bins of a feature. Their sums of all features stay in the second nearest cache.
pub const BINS: usize = EVEN + 2 * TAIL;

/// A tail's bins shrink by this from one to the next.
const TAIL_STEP: f64 = 0.6;

/// Holds questions, each with the rows of its candidates and which of them was right.
pub struct Table {
    features: Vec<Feature>,
    bins: Vec<u8>,
    /// `starts[q]..starts[q + 1]` are the rows of question `q`.
    starts: Vec<u32>,
    /// The row of the right candidate, per question.
    right: Vec<u32>,
}

/// What is known of a feature's values.
pub struct Feature {
    /// The largest value of each bin but the last.
    pub edges: Vec<f32>,
    /// The mean of each bin.
    pub means: Vec<f32>,
    /// The standard deviation of all values, zero where they hardly differ.
    pub spread: f32,
}

impl Table {
    /// Makes an empty table for rows like those of a sample.
    pub fn new<'a>(width: usize, sample: impl Iterator<Item = &'a [f32]> + Clone) -> Self {
        let rows = sample.flat_map(|rows| rows.chunks_exact(width));
        let features = (0..width).map(|feature| Feature::of(rows.clone().map(|row| row[feature]).collect()));
        Self { features: features.collect(), bins: Vec::new(), starts: vec![0], right: Vec::new() }
    }

    /// Adds a question: its candidates' rows, and which of them was right.
    pub fn push(&mut self, rows: &[f32], right: usize) {
        self.right.push(self.starts[self.len()] + right as u32);
        for row in rows.chunks_exact(self.width()) {
            self.bins.extend(row.iter().zip(&self.features).map(|(value, feature)| feature.bin(*value)));
        }
        self.starts.push(self.rows() as u32);
    }

    /// Does something with a table that does not know some features: all rows have the same of them.
    pub fn without<R>(&mut self, features: &[usize], work: impl FnOnce(&Self) -> R) -> R {
        let width = self.width();
        let nothing = || Feature { edges: Vec::new(), means: vec![0.0], spread: 0.0 };
        let hide = |feature: &usize| std::mem::replace(&mut self.features[*feature], nothing());
        let hidden: Vec<Feature> = features.iter().map(hide).collect();
        let bins = |rows: &mut Vec<u8>, feature: usize, new: &mut dyn FnMut(u8) -> u8| {
            rows.chunks_exact_mut(width).for_each(|row| row[feature] = new(row[feature]));
        };
        let mut hidden_bins = Vec::with_capacity(features.len() * self.rows());
        for &feature in features {
            bins(&mut self.bins, feature, &mut |bin| {
                hidden_bins.push(bin);
                0
            });
        }
        let done = work(self);
        let mut hidden_bins = hidden_bins.into_iter();
        for (&feature, hidden) in features.iter().zip(hidden) {
            bins(&mut self.bins, feature, &mut |bin| hidden_bins.next().unwrap_or(bin));
            self.features[feature] = hidden;
        }
        done
    }

    /// Returns how many features a row has.
    pub fn width(&self) -> usize {
        self.features.len()
    }

    /// Returns how many questions there are.
    pub fn len(&self) -> usize {
        self.right.len()
    }

    /// Says whether there is no question.
    pub fn is_empty(&self) -> bool {
        self.right.is_empty()
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> usize {
        self.bins.len() / self.width()
    }

    /// Returns the features.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Returns a row's bins.
    #[inline]
    pub fn row(&self, row: u32) -> &[u8] {
        let width = self.width();
        &self.bins[row as usize * width..(row as usize + 1) * width]
    }

    /// Returns the rows of a question, and which of them is right.
    pub fn question(&self, number: usize) -> (std::ops::Range<u32>, u32) {
        (self.starts[number]..self.starts[number + 1], self.right[number])
    }
}

impl Feature {
    fn of(mut values: Vec<f32>) -> Self {
        values.sort_unstable_by(f32::total_cmp);
        let edges = edges(&values);
        let (mut sums, mut counts) = (vec![0.0_f64; edges.len() + 1], vec![0.0_f64; edges.len() + 1]);
        let mut squares = 0.0;
        for &value in &values {
            let bin = edges.partition_point(|edge| *edge < value);
            sums[bin] += f64::from(value);
            counts[bin] += 1.0;
            squares += f64::from(value).powi(2);
        }
        let all = values.len().max(1) as f64;
        let mean = sums.iter().sum::<f64>() / all;
        let spread = (squares / all - mean * mean).max(0.0).sqrt();
        let means = sums.iter().zip(&counts).map(|(sum, count)| (sum / count.max(1.0)) as f32).collect();
        Self { edges, means, spread: if spread > 1e-6 * (1.0 + mean.abs()) { spread as f32 } else { 0.0 } }
    }

    fn bin(&self, value: f32) -> u8 {
        self.edges.partition_point(|edge| *edge < value) as u8
    }
}

/// Returns the largest values of all bins but the last, of which none is empty.
fn edges(sorted: &[f32]) -> Vec<f32> {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    if distinct.len() <= BINS {
        distinct.pop();
        return distinct;
    }
    let tail = |step: usize| TAIL_STEP.powi(step as i32 + 1) / EVEN as f64;
    let even = (1..EVEN).map(|bin| bin as f64 / EVEN as f64);
    let mut parts: Vec<f64> = even.chain((0..TAIL).flat_map(|step| [tail(step), 1.0 - tail(step)])).collect();
    parts.sort_unstable_by(f64::total_cmp);
    let mut edges: Vec<f32> =
        parts.iter().map(|part| sorted[(part * sorted.len() as f64) as usize]).collect();
    edges.dedup();
    if edges.last() == sorted.last() {
        edges.pop();
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_a_bin_each() {
        let feature = Feature::of(vec![2.0, 1.0, 2.0, 5.0]);
        assert_eq!(
            (feature.edges.as_slice(), feature.means.as_slice()),
            (&[1.0, 2.0][..], &[1.0, 2.0, 5.0][..])
        );
        assert_eq!([0.0, 1.0, 1.5, 2.0, 99.0].map(|value| feature.bin(value)), [0, 0, 1, 1, 2]);
        assert_eq!(Feature::of(vec![3.0; 9]).spread, 0.0);
    }

    #[test]
    fn many_values_have_finer_bins_towards_the_ends() {
        let feature = Feature::of((0..100_000).map(|n| n as f32).collect());
        let bin = |value: f32| feature.bin(value);
        assert!(feature.edges.len() < BINS && feature.edges.is_sorted());
        assert_eq!(bin(50_100.0), bin(51_500.0));
        assert!(bin(99_999.0) > bin(99_990.0) && bin(99_990.0) > bin(99_900.0), "the best are told apart");
        assert!(bin(3.0) < bin(60.0));
    }

    #[test]
    fn what_is_hidden_comes_back() {
        let rows = [1.0, 5.0, 2.0, 6.0, 3.0, 7.0];
        let mut table = Table::new(2, std::iter::once(&rows[..]));
        table.push(&rows, 1);
        let seen = |table: &Table| {
            let spreads: Vec<f32> = table.features().iter().map(|feature| feature.spread).collect();
            ((0..3).map(|row| table.row(row).to_vec()).collect::<Vec<_>>(), spreads)
        };
        let before = seen(&table);
        assert_eq!(before.0, [[0, 0], [1, 1], [2, 2]]);
        let (bins, spreads) = table.without(&[1], seen);
        assert_eq!((bins, spreads[1]), (vec![vec![0, 0], vec![1, 0], vec![2, 0]], 0.0));
        assert_eq!(seen(&table), before);
    }
}
