//! The manifest: which files belong together. It is replaced last, so that an addition is there whole or not at all.
//!
//! Its one section is, little-endian: the most items of an order that pair (u32), how many items there are and how many
//! names (u32 each), the latest day (i32), the number of the next file (u64), that of the heads, 0 where there are none (u64), and for each
//! segment its number, orders, words (u64 each) and the most orders of one item (u32).

use std::path::{Path, PathBuf};

use super::{
    CountsError,
    bytes::Bytes,
    frame::{Framed, Kind, Number, write},
    segment::Segment,
};

/// Holds what a folder of counts consists of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Manifest {
    pub(super) order_items_max: u32,
    pub(super) item_count: u32,
    /// The fewest names that there must be.
    pub(super) names: u32,
    pub(super) latest_day: i32,
    pub(super) next: u64,
    pub(super) heads: u64,
    /// From the first to the latest.
    pub(super) segments: Vec<Entry>,
}

/// Is one segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) orders: u64,
    pub(super) words: u64,
    pub(super) orders_of_item: u32,
}

impl Manifest {
    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join("manifest")
    }

    /// Reads the manifest of a folder, or `None` where there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, CountsError> {
        let path = Self::path(folder);
        if !path.try_exists().map_err(|error| CountsError::io(&path, error))? {
            return Ok(None);
        }
        let file = Framed::open(&path, Kind::Manifest, 1)?;
        let bytes: Vec<u8> = file.section(0)?;
        Self::get(&mut Bytes(&bytes)).map(Some).ok_or_else(|| file.torn())
    }

    fn get(bytes: &mut Bytes) -> Option<Self> {
        let (order_items_max, item_count) = (bytes.u32()?, bytes.u32()?);
        let (names, latest_day) = (bytes.u32()?, bytes.u32()? as i32);
        let (next, heads) = (bytes.u64()?, bytes.u64()?);
        let mut segments = Vec::new();
        while !bytes.0.is_empty() {
            let (number, orders, words) = (bytes.u64()?, bytes.u64()?, bytes.u64()?);
            segments.push(Entry { number, orders, words, orders_of_item: bytes.u32()? });
        }
        Some(Self { order_items_max, item_count, names, latest_day, next, heads, segments })
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), CountsError> {
        let mut bytes = Vec::new();
        self.order_items_max.put(&mut bytes);
        self.item_count.put(&mut bytes);
        self.names.put(&mut bytes);
        self.latest_day.put(&mut bytes);
        self.next.put(&mut bytes);
        self.heads.put(&mut bytes);
        for entry in &self.segments {
            entry.number.put(&mut bytes);
            entry.orders.put(&mut bytes);
            entry.words.put(&mut bytes);
            entry.orders_of_item.put(&mut bytes);
        }
        write(&Self::path(folder), Kind::Manifest, 1, |frame| frame.section(&bytes))
    }
}

impl Entry {
    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("segment-{}", self.number))
    }

    /// Returns how many bytes the segment takes in memory, at most.
    pub(super) fn bytes(&self, item_count: u32) -> usize {
        Segment::bytes(self.orders as usize, self.words as usize, item_count as usize)
    }
}
