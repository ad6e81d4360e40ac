//! The time that an algorithm has: a shelf never delays its page.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Semaphore, task, time::timeout};

/// Most algorithms at work at a time. One that never ends keeps its place, and no more than so many can; what finds no place in its
/// time is late as well.
const AT_WORK_MAX: usize = 32;

/// What brief work may take, with room for a busy machine. Who has less patience lets it be worked out beside, as what may be long.
const BRIEF: Duration = Duration::from_millis(10);

/// Says how long something may take to work out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// A few milliseconds at the most, whatever is asked, and mostly less than it costs to hand it to a thread and be woken.
    Brief,
    /// Nobody knows.
    Open,
}

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
    /// Lets something be worked out: what is brief at the door, all else beside it, and the door goes on without it when `patience`
    /// is over.
    ///
    /// # Errors
    /// [`Failure`]; what is late works on until it ends by itself, and nobody hears of it.
    pub async fn within<T: Send + 'static>(
        &self,
        patience: Duration,
        length: Length,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        // A timer has its own grain: no time at all is none.
        if patience.is_zero() {
            return Err(Failure::Late);
        }
        if length == Length::Brief && patience >= BRIEF {
            return catch_unwind(AssertUnwindSafe(work)).map_err(|_| Failure::Broken);
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

    use super::{
        Length::{Brief, Open},
        *,
    };

    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(30);

    #[actix_web::test]
    async fn what_is_late_or_breaks_is_done_without() {
        let deadline = Deadline::default();
        assert_eq!(deadline.within(LONG, Open, || 7).await, Ok(7));
        assert_eq!(deadline.within(SOON, Open, || thread::sleep(4 * SOON)).await, Err(Failure::Late));
        assert_eq!(deadline.within(Duration::ZERO, Brief, || 7).await, Err(Failure::Late));
        let breaks = || -> i32 { panic!("on purpose") };
        assert_eq!(deadline.within(LONG, Open, breaks).await, Err(Failure::Broken));
        assert_eq!(deadline.within(LONG, Brief, breaks).await, Err(Failure::Broken));
    }

    #[actix_web::test]
    async fn what_is_brief_is_done_at_once_where_there_is_patience_enough() {
        let (deadline, here) = (Deadline::default(), thread::current().id());
        let is_here = || thread::current().id();
        assert_eq!(deadline.within(LONG, Brief, is_here).await, Ok(here));
        assert_ne!(deadline.within(LONG, Open, is_here).await, Ok(here));
        let slow = || thread::sleep(4 * BRIEF);
        assert_eq!(deadline.within(BRIEF / 2, Brief, slow).await, Err(Failure::Late), "the time is kept");
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
            assert_eq!(deadline.within(Duration::from_millis(1), Open, endless()).await, Err(Failure::Late));
        }
        assert_eq!(deadline.within(SOON, Open, || 7).await, Err(Failure::Late), "all places are taken");
        drop(end);
        assert_eq!(deadline.within(LONG, Open, || 7).await, Ok(7), "they are given back");
    }
}
