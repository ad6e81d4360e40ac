//! What threads need to ask, lent out and taken back: as many as ask at once, whatever the number of threads.

use std::sync::{Mutex, PoisonError};

use super::CANDIDATES;
use crate::ask::{Ask, Ranked};

/// Holds what is not in use.
#[derive(Debug)]
pub struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Pool<T> {
    /// Does something with one that is free, or with a new one.
    pub fn with<R>(&self, new: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let free = self.lock().pop();
        let mut lent = free.unwrap_or_else(new);
        let done = work(&mut lent);
        // Where the work panics, what it left half-done is not lent again.
        self.lock().push(lent);
        done
    }

    /// Asks a model for as many candidates as an answer may need.
    pub fn ask<M: Ask<Scratch = T>>(&self, model: &M, given: &[u32]) -> Ranked {
        let mut best = Ranked::new();
        self.with(|| model.scratch(), |scratch| model.ask(given, CANDIDATES, scratch, &mut best));
        best
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_lent_again() {
        let pool = Pool::default();
        pool.with(
            || 1,
            |outer| {
                pool.with(|| 10, |inner| *inner += *outer);
                *outer += 1;
            },
        );
        assert_eq!(pool.with(|| 0, |lent| *lent), 2);
        assert_eq!(pool.lock().len(), 2);
    }
}
