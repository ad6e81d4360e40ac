//! The time that an algorithm has, or the store when a shelf asks it: a shelf never delays its page.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Semaphore, task, time::timeout};

/// Most algorithms at work at a time. One that never ends keeps its place, and no more than so many can; what finds no place in its
/// time is late as well.
const AT_WORK_MAX: usize = 32;

/// Most things that are written behind pages that no longer wait for them.
const BEHIND_MAX: usize = 256;

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

/// Lends places to algorithms and to questions, which are waited for a limited time.
pub struct Deadline {
    at_work: Arc<Semaphore>,
    asked: Arc<Semaphore>,
    behind: Arc<Semaphore>,
}

impl Deadline {
    /// Lends places beside a store with so many connections: half of them at the most answer shelves, so that one that stalls
    /// leaves pages the others.
    pub fn beside(connections: usize) -> Self {
        let places = |places| Arc::new(Semaphore::new(places));
        Self {
            at_work: places(AT_WORK_MAX),
            asked: places((connections / 2).max(1)),
            behind: places(BEHIND_MAX),
        }
    }

    /// Asks, and goes on without an answer when `patience` is over.
    ///
    /// # Errors
    /// [`Failure`]; what is late keeps its place until it is answered, and nobody hears of it.
    pub async fn answered<T: Send + 'static>(
        &self,
        patience: Duration,
        question: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        let places = self.asked.clone();
        let asked = async {
            let place = places.acquire_owned().await.expect("nobody closes it");
            // A task of its own: a connection that is let go of while it waits would make the next who gets it wait.
            let asked = task::spawn(async move {
                let answer = question.await;
                drop(place);
                answer
            });
            asked.await.map_err(|_| Failure::Broken)
        };
        timeout(patience, asked).await.unwrap_or(Err(Failure::Late))
    }

    /// Begins what is to be done in any case, and goes on when `patience` is over.
    ///
    /// # Errors
    /// [`Failure::Late`] where too much is under way already: then it is not begun.
    pub async fn begun(
        &self,
        patience: Duration,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let place = self.behind.clone().try_acquire_owned().map_err(|_| Failure::Late)?;
        let work = task::spawn(async move {
            work.await;
            drop(place);
        });
        // Who no longer waits has begun it all the same.
        let _ = timeout(patience, work).await;
        Ok(())
    }

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
        let places = self.at_work.clone();
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
        let deadline = Deadline::beside(8);
        assert_eq!(deadline.within(LONG, Open, || 7).await, Ok(7));
        assert_eq!(deadline.within(SOON, Open, || thread::sleep(4 * SOON)).await, Err(Failure::Late));
        assert_eq!(deadline.within(Duration::ZERO, Brief, || 7).await, Err(Failure::Late));
        let breaks = || -> i32 { panic!("on purpose") };
        assert_eq!(deadline.within(LONG, Open, breaks).await, Err(Failure::Broken));
        assert_eq!(deadline.within(LONG, Brief, breaks).await, Err(Failure::Broken));
    }

    #[actix_web::test]
    async fn what_is_brief_is_done_at_once_where_there_is_patience_enough() {
        let (deadline, here) = (Deadline::beside(8), thread::current().id());
        let is_here = || thread::current().id();
        assert_eq!(deadline.within(LONG, Brief, is_here).await, Ok(here));
        assert_ne!(deadline.within(LONG, Open, is_here).await, Ok(here));
        let slow = || thread::sleep(4 * BRIEF);
        assert_eq!(deadline.within(BRIEF / 2, Brief, slow).await, Err(Failure::Late), "the time is kept");
    }

    #[actix_web::test]
    async fn a_store_that_stalls_is_not_waited_for_and_asked_no_more() {
        let deadline = Deadline::beside(4);
        let go_on = Arc::new(tokio::sync::Notify::new());
        let stalls = || {
            let go_on = go_on.clone();
            async move { go_on.notified().await }
        };
        for _ in 0..2 {
            assert_eq!(deadline.answered(SOON, stalls()).await, Err(Failure::Late));
        }
        assert_eq!(deadline.answered(SOON, async { 7 }).await, Err(Failure::Late), "pages keep the others");
        go_on.notify_waiters();
        assert_eq!(
            deadline.answered(LONG, async { 7 }).await,
            Ok(7),
            "what is answered gives its place back"
        );
        let breaks = async { panic!("on purpose") };
        assert_eq!(deadline.answered::<i32>(LONG, breaks).await, Err(Failure::Broken));
    }

    #[actix_web::test]
    async fn what_is_begun_is_done_although_nobody_waits() {
        let deadline = Deadline::beside(2);
        let (go_on, (done, heard)) = (Arc::new(Semaphore::new(0)), mpsc::channel());
        for n in 0..BEHIND_MAX {
            let (go_on, done) = (go_on.clone(), done.clone());
            let work = async move {
                go_on.acquire().await.expect("nobody closes it").forget();
                done.send(n).expect("somebody hears");
            };
            assert_eq!(deadline.begun(Duration::ZERO, work).await, Ok(()));
        }
        assert_eq!(deadline.begun(LONG, async {}).await, Err(Failure::Late), "but no more than so much");
        go_on.add_permits(BEHIND_MAX);
        tokio::time::sleep(SOON).await;
        assert_eq!(heard.try_iter().count(), BEHIND_MAX);
        assert_eq!(deadline.begun(LONG, async {}).await, Ok(()));
    }

    #[actix_web::test]
    async fn what_never_ends_takes_no_more_than_its_places() {
        let deadline = Deadline::beside(8);
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
