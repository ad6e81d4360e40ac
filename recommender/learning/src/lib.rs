//! Learning: from a log of orders or sessions to the models that a server answers from, and how good they are.
//!
//! Nothing here reads logs or knows Polars: the binary `cartwright-batch` reads, and hands a [`log::Log`] over.
//!
//! 1. [`log`]: orders or sessions as numbers, oldest first;
//! 2. [`pairs`]: what stands in the same entries, in plain counts; [`after`]: what customers buy later;
//!    [`company`]: what stands near what, with weights; [`vectors`] and [`linear`] made from it, [`names`] from catalogue facts;
//! 3. [`sessions`] and [`baskets`]: the models put together from these;
//! 4. [`teach`]: their rankers, taught by questions of a later slice that the lists have not seen;
//! 5. [`evaluate`]: questions of the future, asked of models;
//! 6. [`counts`]: what is bought together, counted exactly over more orders than memory holds, and kept from day to day;
//!    [`together`]: what a model takes from it;
//! 7. [`parts`]: each of them behind one trait; [`train`]: all of it, for a shop, and [`tune`]: which settings do best there.
//!
//! What is drawn, is drawn by [`draw`].

pub mod after;
pub mod baskets;
pub mod company;
pub mod counts;
pub mod draw;
pub mod evaluate;
pub mod linear;
pub mod log;
pub mod names;
pub mod pairs;
mod parts;
pub mod sessions;
pub mod teach;
pub mod together;
pub mod train;
pub mod tune;
pub mod vectors;

/// Milliseconds of a day.
pub const DAY_MS: f32 = 86_400_000.0;

/// Returns how many threads learn at once.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}

/// Makes a row per item on all cores, each with a scratch of its own; the rows do not depend on their number.
fn per_item<S, R: Send>(
    items: usize,
    scratch: impl Fn() -> S + Sync,
    row: impl Fn(u32, &mut S) -> R + Sync,
) -> Vec<R> {
    let chunk = items.div_ceil(cores()).max(1);
    let rows = |from: usize| {
        let mut scratch = scratch();
        (from..(from + chunk).min(items)).map(|item| row(item as u32, &mut scratch)).collect::<Vec<R>>()
    };
    let rows = &rows;
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..items).step_by(chunk).map(|from| scope.spawn(move || rows(from))).collect();
        parts.into_iter().flat_map(|part| part.join().expect("counting does not panic")).collect()
    })
}
