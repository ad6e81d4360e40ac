//! Rows of counts, one item at a time on all cores, from segments in memory or from runs that were spilled.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    CountsError,
    bytes::{Bytes, Put},
    count::Count,
    segment::Segment,
};

/// The most rows that a thread takes at a time: enough not to meet at the counter, few enough to end together.
const ROWS_AT_A_TIME: usize = 16;

/// The partners that are looked at together where a row is full.
const AT_ONCE: usize = 64;

/// Adds up one row after the other: a sparse accumulator (Gustavson 1978), whose places are written down as they are
/// first met, or looked through in turn where most of them will be met.
pub(super) struct Scratch {
    counts: Vec<Count>,
    met: Vec<u32>,
    is_dense: bool,
}

impl Scratch {
    fn new(item_count: usize) -> Self {
        Self { counts: vec![Count::default(); item_count], met: Vec::new(), is_dense: false }
    }

    /// Adds the row of an item as segments count it; every row before has been taken.
    fn add_segments(&mut self, segments: &[Arc<Segment>], item: u32) {
        let expected: f64 = segments.iter().map(|s| s.orders_at_most(item) as f64 * s.breadth).sum();
        self.is_dense = expected * 4.0 > self.counts.len() as f64;
        for segment in segments {
            if self.is_dense {
                let counts = &mut self.counts[..];
                segment.visit(item, |other, count| {
                    let place = &mut counts[other as usize];
                    *place = place.plus(count);
                });
            } else {
                segment.visit(item, |other, count| self.add(other, count));
            }
        }
    }

    #[inline]
    fn add(&mut self, other: u32, count: Count) {
        let place = &mut self.counts[other as usize];
        if *place == Count::default() {
            self.met.push(other);
        }
        *place = place.plus(count);
    }

    /// Calls `visit` with each count of the row that is not 0, in no order, and makes room for the next row.
    #[inline]
    pub(super) fn drain(&mut self, mut visit: impl FnMut(u32, Count)) {
        let mut taken = |other, place: &mut Count| {
            let count = std::mem::take(place);
            if count != Count::default() {
                visit(other, count);
            }
        };
        if self.is_dense {
            (0..).zip(&mut self.counts).for_each(|(other, place)| taken(other, place));
        } else {
            self.met.drain(..).for_each(|other| taken(other, &mut self.counts[other as usize]));
        }
    }

    /// As [`Self::drain`], but only with counts that `may_matter` lets pass, given what `of_items` has for the item.
    #[inline]
    pub(super) fn drain_those(
        &mut self,
        of_items: &[f64],
        may_matter: impl Fn(f64, Count) -> bool,
        mut visit: impl FnMut(u32, Count),
    ) {
        if !self.is_dense {
            return self.drain(|other, count| {
                if may_matter(of_items[other as usize], count) {
                    visit(other, count);
                }
            });
        }
        // Some at once and without a branch: whether a partner is there, and in how many orders, is as good as random.
        for (first, (counts, of_items)) in
            (0..).step_by(AT_ONCE).zip(self.counts.chunks_mut(AT_ONCE).zip(of_items.chunks(AT_ONCE)))
        {
            let mut pass = [false; AT_ONCE];
            for ((pass, count), of_item) in pass.iter_mut().zip(&*counts).zip(of_items) {
                *pass = may_matter(*of_item, *count);
            }
            if pass.contains(&true) {
                for ((other, count), _) in (first..).zip(&*counts).zip(pass).filter(|(_, pass)| *pass) {
                    if *count != Count::default() {
                        visit(other, *count);
                    }
                }
            }
            counts.fill(Count::default());
        }
    }
}

/// Is where rows come from.
pub(super) enum Source {
    /// All segments, in memory.
    Segments(Vec<Arc<Segment>>),
    /// What each segment had, written down one after the other.
    Runs(Vec<Run>),
}

impl Source {
    /// Calls `work` for each of the items with its row, which it drains, on all cores, and returns the results in the
    /// items' order.
    pub(super) fn map<T: Send>(
        &self,
        items: &[u32],
        item_count: usize,
        work: impl Fn(u32, &mut Scratch) -> T + Sync,
    ) -> Result<Vec<T>, CountsError> {
        on_all_cores(
            items.len(),
            || Scratch::new(item_count),
            |place, scratch| {
                let item = items[place];
                match self {
                    Self::Segments(segments) => scratch.add_segments(segments, item),
                    Self::Runs(runs) => {
                        scratch.is_dense = false;
                        for run in runs {
                            run.add(place, scratch).map_err(|error| CountsError::io(&run.path, error))?;
                        }
                    }
                }
                Ok(work(item, scratch))
            },
        )
    }
}

/// Does pieces of work on all cores, each core with a scratch of its own, and returns the results in order.
pub(super) fn on_all_cores<S, T: Send, E: Send>(
    pieces: usize,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(usize, &mut S) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let at_a_time = (pieces / (8 * crate::cores())).clamp(1, ROWS_AT_A_TIME);
    let worker = || {
        let mut scratch = scratch();
        let mut done = Vec::new();
        loop {
            let first = next.fetch_add(at_a_time, Ordering::Relaxed);
            if first >= pieces {
                return Ok(done);
            }
            let some: Result<Vec<T>, E> =
                (first..pieces.min(first + at_a_time)).map(|piece| work(piece, &mut scratch)).collect();
            done.push((first, some?));
        }
    };
    let parts: Result<Vec<_>, E> = thread::scope(|scope| {
        let workers: Vec<_> = (0..crate::cores()).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("counting does not panic")).collect()
    });
    let mut parts: Vec<(usize, Vec<T>)> = parts?.into_iter().flatten().collect();
    parts.sort_unstable_by_key(|(first, _)| *first);
    Ok(parts.into_iter().flat_map(|(_, some)| some).collect())
}

/// Is the rows of one segment, spilled to a file that has no name any more and goes when it is closed.
///
/// A row is each item as the gap to the one before, with its count's 64 bits turned left by 24, in LEB128: the weight then
/// stands above the orders, and what is small takes few bytes.
pub(super) struct Run {
    path: PathBuf,
    file: File,
    /// Where each row begins and how long it is.
    rows: Vec<(u64, u32)>,
}

impl Run {
    /// Counts rows of one segment and writes them down.
    pub(super) fn spill(
        path: &Path,
        segment: Arc<Segment>,
        items: &[u32],
        item_count: usize,
    ) -> Result<Self, CountsError> {
        let failed = |error| CountsError::io(path, error);
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(path).map_err(failed)?;
        fs::remove_file(path).map_err(failed)?;
        let end = AtomicU64::new(0);
        let rows = Source::Segments(vec![segment]).map(items, item_count, |_, scratch| {
            let mut row = Vec::new();
            scratch.drain(|other, count| row.push((other, count)));
            row.sort_unstable_by_key(|(other, _)| *other);
            let mut bytes = Vec::new();
            let mut last = 0;
            for (other, count) in row {
                bytes.put_varint(u64::from(other - last));
                bytes.put_varint(count.0.rotate_left(24));
                last = other;
            }
            let start = end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            file.write_all_at(&bytes, start).map(|()| (start, bytes.len() as u32))
        })?;
        let rows: io::Result<Vec<_>> = rows.into_iter().collect();
        Ok(Self { path: path.into(), file, rows: rows.map_err(failed)? })
    }

    fn add(&self, place: usize, scratch: &mut Scratch) -> io::Result<()> {
        let (start, len) = self.rows[place];
        let mut bytes = vec![0; len as usize];
        self.file.read_exact_at(&mut bytes, start)?;
        let mut bytes = Bytes(&bytes);
        let mut other = 0;
        while let Some(gap) = bytes.varint() {
            other += gap as u32;
            let count = bytes.varint().ok_or(io::ErrorKind::UnexpectedEof)?;
            scratch.add(other, Count(count.rotate_right(24)));
        }
        Ok(())
    }
}
