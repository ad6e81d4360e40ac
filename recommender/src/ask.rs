//! One way to ask every model, so that pages, evaluations and tunings ask the same thing.
//!
//! A model is a small type beside what it was learnt from: [`BoughtWith`](crate::pairs::BoughtWith) (bought or viewed together),
//! [`BoughtAfter`](crate::history::BoughtAfter), [`History`](crate::history::History) (what somebody buys next),
//! [`BasketModel`](crate::basket::BasketModel) (what a basket lacks), [`SessionModel`](crate::session::SessionModel) and
//! [`Retrieval`](crate::session::Retrieval) (what is viewed next), [`Popular`](crate::lists::Popular). Who adds one implements [`Ask`], and names it in the index's
//! table of who answers what ([`Index`](crate::Index)), and in the learning crate's list of parts.

/// Candidates, the best first, each with how strongly it is suggested.
pub type Ranked = Vec<(u32, f32)>;

/// Ranks items for some that are given: what every model does, whatever it was learnt from.
///
/// What is given is distinct items for models of orders, the latest first where they are somebody's purchases, and for models of
/// sessions a trail, the latest last. Calls are resolved when the program is built: a question costs no look-up of its model.
pub trait Ask {
    /// What a thread needs to ask, to be used again.
    type Scratch;

    /// Returns what a thread needs to ask.
    fn scratch(&self) -> Self::Scratch;

    /// Puts the items that suit what is given best into `best`, which is cleared before; some models name what is given, too, and
    /// those that know all they could name without sorting it first name more than `most`.
    fn ask(&self, given: &[u32], most: usize, scratch: &mut Self::Scratch, best: &mut Ranked);

    /// Returns the answer to one question, with a scratch of its own.
    fn answer(&self, given: &[u32], most: usize) -> Ranked {
        let mut best = Ranked::new();
        self.ask(given, most, &mut self.scratch(), &mut best);
        best
    }
}

impl<M: Ask> Ask for &M {
    type Scratch = M::Scratch;

    fn scratch(&self) -> Self::Scratch {
        (*self).scratch()
    }

    fn ask(&self, given: &[u32], most: usize, scratch: &mut Self::Scratch, best: &mut Ranked) {
        (*self).ask(given, most, scratch, best);
    }
}
