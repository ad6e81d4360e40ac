//! Heads: of each item the partners that may be among its best, exactly, and a bound on all others.
//!
//! | section | numbers | holds |
//! |---|---|---|
//! | 0 | u8 | what the heads are of ([`Basis`]), and the number and weight of all orders |
//! | 1 | u64 | each item's total: orders above, weight in the low 40 bits |
//! | 2 | u32 | how many bytes each item has in section 3 |
//! | 3 | u8 | per item, where it is in an order: the bound (f64), then its partners ascending, each as the gap to the one before, orders and weight, in LEB128 |

use std::{borrow::Borrow, path::Path};

use super::{
    CountsError,
    bytes::{Bytes, Put},
    count::Count,
    frame::{Framed, Kind, write},
    rows::on_all_cores,
    weighing::Weighing,
};

const SECTIONS: usize = 4;

/// Says what heads were made of, and how: with another basis they are made anew.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Basis {
    pub(super) weighing: Weighing,
    pub(super) latest_day: i32,
    pub(super) score: String,
    pub(super) partners: u32,
    pub(super) orders_min: u32,
}

/// Is the head of one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Head {
    /// No partner outside ranks higher; 0 where there is none that counts.
    pub(super) bound: f64,
    /// Ascending by item.
    pub(super) entries: Vec<(u32, Count)>,
}

/// Holds the heads of all items, and their totals.
pub(super) struct Heads {
    pub(super) basis: Basis,
    /// The number and the weight of all orders.
    pub(super) all: (u64, u64),
    pub(super) totals: Vec<Count>,
    starts: Vec<usize>,
    bytes: Vec<u8>,
}

impl Head {
    pub(super) fn encoded(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.entries.len() * 6);
        bytes.put_u64(self.bound.to_bits());
        let mut last = 0;
        for (item, count) in &self.entries {
            bytes.put_varint(u64::from(item - last));
            bytes.put_varint(u64::from(count.orders()));
            bytes.put_varint(count.weight());
            last = *item;
        }
        bytes
    }

    fn decoded(bytes: &[u8]) -> Self {
        let mut entries = Vec::with_capacity(bytes.len() / 5);
        entries.extend(self::entries(bytes));
        Self { bound: bound(bytes), entries }
    }
}

/// Returns the bound of a head as it is written, 0 for none.
fn bound(bytes: &[u8]) -> f64 {
    Bytes(bytes).u64().map_or(0.0, f64::from_bits)
}

/// Returns the partners of a head as it is written, up to where it makes no sense.
pub(super) fn entries(bytes: &[u8]) -> impl Iterator<Item = (u32, Count)> {
    let mut bytes = Bytes(bytes.get(8..).unwrap_or_default());
    let mut item = 0_u32;
    std::iter::from_fn(move || {
        item = item.checked_add(u32::try_from(bytes.varint()?).ok()?)?;
        Some((item, Count::of(bytes.varint()?, bytes.varint()?)))
    })
}

/// Says whether bytes are a head of partners below so many.
fn is_sound(bytes: &[u8], items: u32) -> bool {
    let mut rest = Bytes(bytes);
    let mut item = Some(0);
    let has_bound = rest.u64().is_some();
    while let (Some(before), false) = (item, rest.0.is_empty()) {
        let gap = rest.varint().and_then(|gap| u32::try_from(gap).ok());
        let next = gap.and_then(|gap| u32::checked_add(before, gap)).filter(|next| *next < items);
        item = next.filter(|_| rest.varint().is_some() && rest.varint().is_some());
    }
    bytes.is_empty() || has_bound && item.is_some()
}

impl Heads {
    pub(super) fn new(
        basis: Basis,
        all: (u64, u64),
        totals: Vec<Count>,
        encoded: &[impl Borrow<[u8]>],
    ) -> Self {
        let lens: Vec<u32> = encoded.iter().map(|head| head.borrow().len() as u32).collect();
        Self { basis, all, totals, starts: ends(&lens), bytes: encoded.concat() }
    }

    /// Returns the head of an item; that of an item that was not yet counted is empty.
    pub(super) fn get(&self, item: u32) -> Head {
        Head::decoded(self.encoded(item))
    }

    /// Returns the bound of an item's head, 0 for an item that was not yet counted.
    pub(super) fn bound(&self, item: u32) -> f64 {
        bound(self.encoded(item))
    }

    /// Returns the head of an item as it is written, nothing for an item that was not yet counted.
    pub(super) fn encoded(&self, item: u32) -> &[u8] {
        let ends = self.starts.get(item as usize..item as usize + 2);
        ends.map_or(&[], |ends| &self.bytes[ends[0]..ends[1]])
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), CountsError> {
        let mut about = Vec::new();
        self.basis.put(&mut about);
        about.put_u64(self.all.0);
        about.put_u64(self.all.1);
        let totals: Vec<u64> = self.totals.iter().map(|total| total.0).collect();
        let lens: Vec<u32> = self.starts.windows(2).map(|ends| (ends[1] - ends[0]) as u32).collect();
        write(path, Kind::Heads, SECTIONS, |frame| {
            frame.section(&about)?;
            frame.section(&totals)?;
            frame.section(&lens)?;
            frame.section(&self.bytes)
        })
    }

    pub(super) fn read(path: &Path) -> Result<Self, CountsError> {
        let file = Framed::open(path, Kind::Heads, SECTIONS)?;
        let about: Vec<u8> = file.section(0)?;
        let mut about = Bytes(&about);
        let read = |about: &mut Bytes| Some((Basis::get(about)?, (about.u64()?, about.u64()?)));
        let (basis, all) = read(&mut about).ok_or_else(|| file.torn())?;
        let totals = file.section::<u64>(1)?.into_iter().map(Count).collect::<Vec<_>>();
        let starts = ends(&file.section::<u32>(2)?);
        let heads = Self { basis, all, totals, starts, bytes: file.section(3)? };
        let is_whole =
            heads.starts.len() == heads.totals.len() + 1 && heads.starts.last() == Some(&heads.bytes.len());
        if !is_whole {
            return Err(file.torn());
        }
        // Whatever a checksum lets through must not stop a program later.
        let check = |item: usize, _: &mut ()| {
            let bytes = &heads.bytes[heads.starts[item]..heads.starts[item + 1]];
            if is_sound(bytes, heads.totals.len() as u32) { Ok(()) } else { Err(file.torn()) }
        };
        on_all_cores(heads.totals.len(), || (), check)?;
        Ok(heads)
    }
}

impl Basis {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.weighing.put(bytes);
        bytes.extend_from_slice(&self.latest_day.to_le_bytes());
        bytes.extend_from_slice(&self.partners.to_le_bytes());
        bytes.extend_from_slice(&self.orders_min.to_le_bytes());
        bytes.put_varint(self.score.len() as u64);
        bytes.extend_from_slice(self.score.as_bytes());
    }

    fn get(bytes: &mut Bytes) -> Option<Self> {
        let weighing = Weighing::get(bytes)?;
        let latest_day = bytes.u32()? as i32;
        let (partners, orders_min) = (bytes.u32()?, bytes.u32()?);
        let len = usize::try_from(bytes.varint()?).ok()?;
        let score = String::from_utf8(bytes.take(len)?.to_vec()).ok()?;
        Some(Self { weighing, latest_day, score, partners, orders_min })
    }
}

fn ends(lens: &[u32]) -> Vec<usize> {
    let mut end = 0;
    let ends = lens.iter().map(|&len| {
        end += len as usize;
        end
    });
    std::iter::once(0).chain(ends).collect()
}
