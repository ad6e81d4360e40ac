//! Many runs in parallel, each with dice of its own.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use super::dice::Dice;

/// Says how many runs, and from which seed.
pub struct Crowd {
    pub runs: u64,
    pub seed: u64,
}

impl Crowd {
    /// Runs each run once and adds up what it returns, in no order.
    pub fn sum<const N: usize>(&self, part: u64, run: impl Fn(&mut Dice) -> [f64; N] + Sync) -> [f64; N] {
        let next = AtomicU64::new(0);
        let work = || {
            let mut sums = [0.0; N];
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= self.runs {
                    return sums;
                }
                let found = run(&mut Dice::new(self.seed, part, index));
                sums.iter_mut().zip(found).for_each(|(sum, found)| *sum += found);
            }
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut all = [0.0; N];
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                let sums = worker.join().expect("a run does not panic");
                all.iter_mut().zip(sums).for_each(|(all, sum)| *all += sum);
            }
        });
        all
    }

    /// The mean over the runs of what each returns; of indicators, shares in percent.
    pub fn percent<const N: usize>(
        &self,
        part: u64,
        run: impl Fn(&mut Dice) -> [bool; N] + Sync,
    ) -> [f64; N] {
        let counts = self.sum(part, |dice| run(dice).map(|is_so| f64::from(u8::from(is_so))));
        counts.map(|count| 100.0 * count / self.runs as f64)
    }
}
