//! When a delivery that failed is tried again.

use std::time::Duration;

/// What a wait differs from its place in the schedule at most, so that what failed together does not come back together.
const JITTER: f64 = 0.2;

/// Lists the waits between tries; after the last try a delivery is a dead letter.
#[derive(Clone, Debug)]
pub struct Schedule(Vec<Duration>);

impl Schedule {
    /// Returns a schedule of waits in seconds.
    pub fn of_seconds(waits: &[u64]) -> Self {
        Self(waits.iter().map(|seconds| Duration::from_secs(*seconds)).collect())
    }

    /// Returns the wait after so many tries, from 1; none where the last one is over. `chance` is drawn from 0 to 1.
    ///
    /// ```
    /// # use std::time::Duration; use web::deliveries::schedule::Schedule;
    /// let schedule = Schedule::of_seconds(&[5, 300]);
    /// assert_eq!(schedule.wait(1, 0.5), Some(Duration::from_secs(5)));
    /// assert_eq!(schedule.wait(2, 0.0), Some(Duration::from_secs(240)));
    /// assert_eq!(schedule.wait(2, 1.0), Some(Duration::from_secs(360)));
    /// assert_eq!(schedule.wait(3, 0.5), None);
    /// ```
    pub fn wait(&self, tries: u32, chance: f64) -> Option<Duration> {
        let at = usize::try_from(tries).ok()?.checked_sub(1)?;
        self.0.get(at).map(|wait| wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0)))
    }
}
