//! A segment: orders both ways, by order and by item, as they are counted and as they lie in a file.
//!
//! | section | numbers | holds |
//! |---|---|---|
//! | 0 | u64 | ids of the orders |
//! | 1 | i32 | their days since 1970 |
//! | 2 | u32 | how many distinct items they had |
//! | 3 | u16 | words in section 4; the highest bit: this order is taken back |
//! | 4 | u16 | items ascending, each as the gap to the one before; 65,535: the gap is in the next two words, the high one first |
//! | 5 | u64 | for each item, where its bytes in section 6 begin, and behind the last where they end |
//! | 6 | u8 | the places of its orders, ascending, each as the gap to the one before, in LEB128 |

use std::{hint::black_box, path::Path};

use super::{
    CountsError,
    bytes::{Bytes, varint_len},
    count::Count,
    frame::{Framed, Kind, write},
    orders::{Orders, is_taken_back, items, words},
    weighing::{Scale, rounded},
};

const SECTIONS: usize = 7;

/// How many orders are looked up at once.
const AT_ONCE: usize = 16;

/// Holds weighed orders both ways, ready to be counted.
pub(super) struct Segment {
    heads: Vec<Head>,
    gaps: Vec<u16>,
    starts: Vec<u64>,
    postings: Vec<u8>,
    /// How many items an order has on average, seen from one of its items: what a row costs per order.
    pub(super) breadth: f64,
}

/// Says where an order's words are and what it weighs: eight bytes, so that one look fetches all.
#[derive(Clone, Copy)]
struct Head {
    start: u32,
    mark: u16,
    weight: u16,
}

impl Head {
    #[inline]
    fn count(self) -> Count {
        let one = Count::one(self.weight);
        if is_taken_back(self.mark) { one.negated() } else { one }
    }
}

impl Segment {
    /// Turns orders around, writes them to a file and returns them ready to be counted, with the most orders of one item.
    pub(super) fn write(
        path: &Path,
        orders: Orders,
        item_count: usize,
        scale: &Scale,
    ) -> Result<(Self, u32), CountsError> {
        let (starts, postings, most) = turned(&orders, item_count);
        write(path, Kind::Segment, SECTIONS, |frame| {
            frame.section(&orders.ids)?;
            frame.section(&orders.days)?;
            frame.section(&orders.lengths)?;
            frame.section(&orders.marks)?;
            frame.section(&orders.gaps)?;
            frame.section(&starts)?;
            frame.section(&postings)
        })?;
        Ok((Self::new(orders, starts, postings, scale), most))
    }

    /// Reads a segment, on two threads.
    pub(super) fn read(path: &Path, item_count: usize, scale: &Scale) -> Result<Self, CountsError> {
        let file = Framed::open(path, Kind::Segment, SECTIONS)?;
        let (orders, turned) = std::thread::scope(|scope| {
            let turned = scope.spawn(|| Ok((file.section::<u64>(5)?, file.section::<u8>(6)?)));
            let read = || {
                let (days, lengths) = (file.section(1)?, file.section(2)?);
                let (marks, gaps) = (file.section(3)?, file.section(4)?);
                Ok(Orders { ids: Vec::new(), days, lengths, marks, gaps })
            };
            (read(), turned.join().expect("reading does not panic"))
        });
        let orders: Orders = orders?;
        let (starts, postings) = turned?;
        let words_of_all: usize = orders.marks.iter().map(|&mark| words(mark)).sum();
        let is_sound = orders.days.len() == orders.marks.len()
            && orders.lengths.len() == orders.marks.len()
            && words_of_all == orders.gaps.len()
            && !starts.is_empty()
            && starts.len() <= item_count + 1
            && starts.is_sorted()
            && starts.last() == Some(&(postings.len() as u64));
        if is_sound { Ok(Self::new(orders, starts, postings, scale)) } else { Err(file.torn()) }
    }

    /// Reads the orders alone.
    pub(super) fn read_orders(path: &Path) -> Result<Orders, CountsError> {
        let file = Framed::open(path, Kind::Segment, SECTIONS)?;
        let (ids, days, lengths) = (file.section(0)?, file.section(1)?, file.section(2)?);
        Ok(Orders { ids, days, lengths, marks: file.section(3)?, gaps: file.section(4)? })
    }

    /// Reads the ids of the orders and their days.
    pub(super) fn read_days(path: &Path) -> Result<(Vec<u64>, Vec<i32>), CountsError> {
        let file = Framed::open(path, Kind::Segment, SECTIONS)?;
        Ok((file.section(0)?, file.section(1)?))
    }

    /// Reads the ids of the orders.
    pub(super) fn read_ids(path: &Path) -> Result<Vec<u64>, CountsError> {
        Framed::open(path, Kind::Segment, SECTIONS)?.section(0)
    }

    fn new(orders: Orders, starts: Vec<u64>, postings: Vec<u8>, scale: &Scale) -> Self {
        let mut days: Vec<(i32, f64)> = Vec::new();
        let longest = orders.lengths.iter().max().map_or(0, |&longest| longest.min(100_000));
        let lengths: Vec<f64> = (0..=longest).map(|length| scale.length(length)).collect();
        let mut heads = Vec::with_capacity(orders.marks.len());
        let mut squares = 0_u64;
        let mut start = 0;
        for ((&mark, &day), &length) in orders.marks.iter().zip(&orders.days).zip(&orders.lengths) {
            // Orders come by day, so the last day is nearly always the same.
            if days.last().is_none_or(|(last, _)| *last != day) {
                days.clear();
                days.push((day, scale.day(day)));
            }
            let share = lengths.get(length as usize).copied().unwrap_or_else(|| scale.length(length));
            heads.push(Head { start, mark, weight: rounded(days[0].1, share) });
            start += words(mark) as u32;
            squares += (words(mark) * words(mark)) as u64;
        }
        let breadth = squares as f64 / orders.gaps.len().max(1) as f64;
        Self { heads, gaps: orders.gaps, starts, postings, breadth }
    }

    /// Calls `add` with each item and the count of each order that holds `item`, itself too.
    ///
    /// Orders lie all over memory. So some are looked up before the first of them is gone through, and the processor
    /// waits for all of them together.
    #[inline]
    pub(super) fn visit(&self, item: u32, mut add: impl FnMut(u32, Count)) {
        let mut bytes = self.postings_of(item);
        let mut order = 0;
        let mut heads = [Head { start: 0, mark: 0, weight: 0 }; AT_ONCE];
        loop {
            let mut found = 0;
            while found < AT_ONCE
                && let Some(gap) = bytes.varint()
            {
                order += gap as usize;
                heads[found] = self.heads[order];
                found += 1;
            }
            for head in &heads[..found] {
                black_box(self.gaps[head.start as usize]);
            }
            for &head in &heads[..found] {
                let count = head.count();
                for other in self.items(head) {
                    add(other, count);
                }
            }
            if found < AT_ONCE {
                return;
            }
        }
    }

    /// Returns what an order adds to each of its pairs.
    #[inline]
    pub(super) fn count(&self, order: usize) -> Count {
        self.heads[order].count()
    }

    /// Returns an order's items, ascending, and whether it is taken back.
    #[inline]
    pub(super) fn order(&self, order: usize) -> (impl Iterator<Item = u32>, bool) {
        let head = self.heads[order];
        (self.items(head), is_taken_back(head.mark))
    }

    /// Returns how many orders there are.
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// Returns how many pairs there are in all orders, in both directions.
    pub(super) fn pairs(&self) -> f64 {
        self.gaps.len() as f64 * self.breadth
    }

    #[inline]
    fn items(&self, head: Head) -> impl Iterator<Item = u32> {
        let start = head.start as usize;
        items(&self.gaps[start..start + words(head.mark)])
    }

    /// Returns about how many orders an item is in: no posting is shorter than a byte.
    pub(super) fn orders_at_most(&self, item: u32) -> usize {
        self.postings_of(item).0.len()
    }

    fn postings_of(&self, item: u32) -> Bytes<'_> {
        match self.starts.get(item as usize..item as usize + 2) {
            Some(ends) => Bytes(&self.postings[ends[0] as usize..ends[1] as usize]),
            None => Bytes(&[]),
        }
    }

    /// Adds each item's orders to its total, and returns the number and the weight of all orders.
    pub(super) fn add_totals(&self, totals: &mut [Count]) -> (i64, i64) {
        let mut all = (0, 0);
        for head in &self.heads {
            let sign = if is_taken_back(head.mark) { -1 } else { 1 };
            all.0 += sign * i64::from(words(head.mark) > 0);
            all.1 += sign * i64::from(head.weight) * i64::from(words(head.mark) > 0);
            for item in self.items(*head) {
                totals[item as usize] = totals[item as usize].plus(head.count());
            }
        }
        all
    }

    /// Returns how many bytes this one takes.
    pub(super) fn held_bytes(&self) -> usize {
        self.heads.len() * size_of::<Head>()
            + self.gaps.len() * 2
            + self.starts.len() * 8
            + self.postings.len()
    }

    /// Returns how many bytes a segment of so many orders and words takes in memory, at most.
    pub(super) fn bytes(orders: usize, words: usize, item_count: usize) -> usize {
        // A posting takes one byte to three; two on average is what the commonest lists do not reach.
        orders * (size_of::<Head>() + 8 + 4 + 4 + 2) + words * (2 + 2) + item_count * 8
    }
}

/// Returns, for each item, the places of its orders: first their lengths, then the bytes themselves (a counting sort).
fn turned(orders: &Orders, item_count: usize) -> (Vec<u64>, Vec<u8>, u32) {
    let mut last = vec![0_u32; item_count];
    let mut orders_of = vec![0_u32; item_count];
    let mut starts = vec![0_u64; item_count + 1];
    each_line(orders, |item, order| {
        starts[item + 1] += varint_len(order - last[item]) as u64;
        last[item] = order;
        orders_of[item] += 1;
    });
    for item in 1..starts.len() {
        starts[item] += starts[item - 1];
    }
    let mut postings = vec![0; starts[item_count] as usize];
    let mut free = starts.clone();
    last.fill(0);
    each_line(orders, |item, order| {
        let mut gap = order - last[item];
        last[item] = order;
        let mut at = free[item] as usize;
        while gap >= 0x80 {
            postings[at] = gap as u8 | 0x80;
            gap >>= 7;
            at += 1;
        }
        postings[at] = gap as u8;
        free[item] = at as u64 + 1;
    });
    (starts, postings, orders_of.into_iter().max().unwrap_or(0))
}

fn each_line(orders: &Orders, mut visit: impl FnMut(usize, u32)) {
    for (order, place) in orders.places().enumerate() {
        items(&orders.gaps[place]).for_each(|item| visit(item as usize, order as u32));
    }
}
