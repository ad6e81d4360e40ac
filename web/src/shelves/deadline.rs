//! The time that an algorithm has: a shelf never delays its page.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task, time::timeout};

/// Most algorithms at work at a time. One that never ends keeps its place, and no more than so many can; what finds no place in its
/// time is late as well.
const AT_WORK_MAX: usize = 32;

/// Says why nothing was said in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The time was over.
    Late,
    /// It broke.
    Broken,
}

impl Failure {
    /// Returns the stable name, as metrics know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Broken => "broken",
        }
    }
}

/// Lends places to algorithms, each for a limited time.
pub struct Deadline(Arc<Semaphore>);

impl Default for Deadline {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_WORK_MAX)))
    }
}

impl Deadline {
    /// Lets something be worked out beside the door that waits for it, which goes on without it when `patience` is over.
    ///
    /// # Errors
    /// [`Failure`]; what is late works on until it ends by itself, and nobody hears of it.
    pub async fn within<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        // A timer has its own grain: no time at all is none.
        if patience.is_zero() {
            return Err(Failure::Late);
        }
        let places = self.0.clone();
        let worked = async {
            let place = places.acquire_owned().await.expect("nobody closes it");
            let work = move || {
                let done = work();
                drop(place);
                done
            };
            task::spawn_blocking(work).await.map_err(|_| Failure::Broken)
        };
        timeout(patience, worked).await.unwrap_or(Err(Failure::Late))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(30);

    #[actix_web::test]
    async fn what_is_late_or_breaks_is_done_without() {
        let deadline = Deadline::default();
        assert_eq!(deadline.within(LONG, || 7).await, Ok(7));
        assert_eq!(deadline.within(SOON, || thread::sleep(4 * SOON)).await, Err(Failure::Late));
        assert_eq!(deadline.within(Duration::ZERO, || 7).await, Err(Failure::Late));
        let breaks = || -> i32 { panic!("on purpose") };
        assert_eq!(deadline.within(LONG, breaks).await, Err(Failure::Broken));
    }

    #[actix_web::test]
    async fn what_never_ends_takes_no_more_than_its_places() {
        let deadline = Deadline::default();
        let (end, ended) = mpsc::channel::<()>();
        let ended = Arc::new(std::sync::Mutex::new(ended));
        let endless = || {
            let ended = ended.clone();
            move || _ = ended.lock().expect("nobody panics").recv()
        };
        for _ in 0..AT_WORK_MAX {
            assert_eq!(deadline.within(Duration::from_millis(1), endless()).await, Err(Failure::Late));
        }
        assert_eq!(deadline.within(SOON, || 7).await, Err(Failure::Late), "all places are taken");
        drop(end);
        assert_eq!(deadline.within(LONG, || 7).await, Ok(7), "they are given back");
    }
}
