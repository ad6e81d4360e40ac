//! Where segments are kept while rows are counted: as many as memory has room for.

use std::{cell::RefCell, path::Path, sync::Arc};

use super::{
    Counts, CountsError, Score,
    manifest::{Entry, Manifest},
    rows::{Run, Source},
    segment::Segment,
    weighing::Scale,
};

impl<S: Score> Counts<S> {
    /// Makes the place where segments are kept while rows are counted.
    pub(super) fn shelf(&self, manifest: &Manifest) -> Shelf<'_> {
        let (count, partners) = (manifest.item_count as usize, self.settings.partners);
        let needed_bytes = count * (crate::cores() * 12 + 2 * 8 * 2 * partners);
        Shelf {
            folder: &self.folder,
            scale: self.scale(manifest),
            item_count: manifest.item_count,
            room_bytes: self.settings.memory_bytes.saturating_sub(needed_bytes),
            held: RefCell::default(),
        }
    }
}

/// Is where segments are kept while rows are counted.
pub(super) struct Shelf<'a> {
    folder: &'a Path,
    scale: Scale,
    item_count: u32,
    /// What segments may take together.
    room_bytes: usize,
    pub held: RefCell<Vec<(u64, Arc<Segment>)>>,
}

impl Shelf<'_> {
    /// Returns a segment, read where it is not there yet; others make room where they must.
    pub fn segment(&self, wanted: &Entry) -> Result<Arc<Segment>, CountsError> {
        let mut held = self.held.borrow_mut();
        if let Some((_, segment)) = held.iter().find(|(number, _)| *number == wanted.number) {
            return Ok(segment.clone());
        }
        let bytes: usize = held.iter().map(|(_, segment)| segment.held_bytes()).sum();
        if bytes + wanted.bytes(self.item_count) > self.room_bytes {
            held.clear();
        }
        let path = wanted.path(self.folder);
        let segment = Arc::new(Segment::read(&path, self.item_count as usize, &self.scale)?);
        held.push((wanted.number, segment.clone()));
        Ok(segment)
    }

    /// Returns segments that fit in memory together, or `None`.
    pub fn together(&self, segments: &[Entry]) -> Result<Option<Vec<Arc<Segment>>>, CountsError> {
        let bytes: usize = segments.iter().map(|entry| entry.bytes(self.item_count)).sum();
        let fit = bytes <= self.room_bytes || segments.len() <= 1;
        fit.then(|| segments.iter().map(|entry| self.segment(entry)).collect()).transpose()
    }

    /// Returns where the rows of some items come from: all segments in memory, or where they do not fit a run for each.
    pub fn source(&self, segments: &[Entry], items: &[u32]) -> Result<Source, CountsError> {
        if items.is_empty() {
            return Ok(Source::Segments(Vec::new()));
        }
        if let Some(segments) = self.together(segments)? {
            return Ok(Source::Segments(segments));
        }
        let run = |entry: &Entry| {
            let path = self.folder.join(format!("run-{}", entry.number));
            Run::spill(&path, self.segment(entry)?, items, self.item_count as usize)
        };
        Ok(Source::Runs(segments.iter().map(run).collect::<Result<_, _>>()?))
    }
}
