//! What is read off all orders, a segment at a time.

use std::collections::{BTreeSet, HashSet};

use super::{
    Counts, CountsError, Score,
    orders::{is_taken_back, items},
    segment::Segment,
    weighing::rounded,
};

impl<S: Score> Counts<S> {
    /// Returns for each item what the orders that hold it weigh by their age alone, in orders of the latest day.
    ///
    /// # Errors
    /// Where the disk refuses or a segment is torn.
    pub fn popularity(&self) -> Result<Vec<f64>, CountsError> {
        let scale = self.scale(&self.manifest);
        let mut sums = vec![0_i64; self.manifest.item_count as usize];
        for entry in &self.manifest.segments {
            let orders = Segment::read_orders(&entry.path(&self.folder))?;
            for (order, place) in orders.places().enumerate() {
                let weight = i64::from(rounded(scale.day(orders.days[order]), 1.0));
                let weight = if is_taken_back(orders.marks[order]) { -weight } else { weight };
                items(&orders.gaps[place]).for_each(|item| sums[item as usize] += weight);
            }
        }
        let today = scale.day(self.manifest.latest_day);
        Ok(sums.into_iter().map(|sum| sum as f64 / today).collect())
    }

    /// Returns the days since 1970 of those of some orders that were told before.
    ///
    /// # Errors
    /// Where the disk refuses or a segment is torn.
    pub fn days_of(&self, orders: &HashSet<u64>) -> Result<BTreeSet<i32>, CountsError> {
        let mut found = BTreeSet::new();
        for entry in self.manifest.segments.iter().filter(|_| !orders.is_empty()) {
            let (ids, days) = Segment::read_days(&entry.path(&self.folder))?;
            found.extend(ids.iter().zip(days).filter(|(id, _)| orders.contains(id)).map(|(_, day)| day));
        }
        Ok(found)
    }
}
