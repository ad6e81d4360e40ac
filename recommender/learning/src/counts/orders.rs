//! Orders in a row, in little more than two bytes a line: what is gathered, what a segment holds.

use std::ops::Range;

/// The gap that says that the real one follows in two words.
const WIDE: u16 = u16::MAX;

/// The bit of an order's words that says that the order is taken back.
const TAKEN_BACK: u16 = 1 << 15;

/// Holds orders: who, when, how long, and the items as the gaps between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    pub(super) ids: Vec<u64>,
    pub(super) days: Vec<i32>,
    /// How many distinct items there are, also where only some of them were drawn.
    pub(super) lengths: Vec<u32>,
    /// How many words of `gaps` an order has, and whether it is taken back.
    pub(super) marks: Vec<u16>,
    pub(super) gaps: Vec<u16>,
}

/// Is one order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) id: u64,
    pub(super) day: i32,
    pub(super) length: u32,
    pub(super) is_taken_back: bool,
    /// Ascending.
    pub(super) items: Vec<u32>,
}

impl Told {
    /// Takes items out, or all.
    pub(super) fn give_back(&mut self, items: Option<&[u32]>) {
        let before = self.items.len();
        self.items.retain(|item| items.is_some_and(|items| !items.contains(item)));
        self.length = self.length.saturating_sub((before - self.items.len()) as u32);
    }
}

impl Orders {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn push(&mut self, order: &Told) {
        self.push_items(order.id, order.day, order.length, &order.items);
        if order.is_taken_back {
            *self.marks.last_mut().expect("one was pushed") |= TAKEN_BACK;
        }
    }

    /// Adds an order of ascending items.
    pub(super) fn push_items(&mut self, id: u64, day: i32, length: u32, items: &[u32]) {
        let start = self.gaps.len();
        let mut last = 0;
        for &item in items {
            match u16::try_from(item - last) {
                Ok(gap) if gap != WIDE => self.gaps.push(gap),
                _ => self.gaps.extend([WIDE, ((item - last) >> 16) as u16, (item - last) as u16]),
            }
            last = item;
        }
        self.ids.push(id);
        self.days.push(day);
        self.lengths.push(length);
        let words = self.gaps.len() - start;
        self.marks.push(
            u16::try_from(words).ok().filter(|words| words & TAKEN_BACK == 0).expect("a limit on items"),
        );
    }

    /// Returns where the words of each order are.
    pub(super) fn places(&self) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        self.marks.iter().map(move |&mark| {
            let place = start..start + words(mark);
            start = place.end;
            place
        })
    }

    /// Returns an order, given where its words are.
    pub(super) fn told(&self, order: usize, place: Range<usize>) -> Told {
        Told {
            id: self.ids[order],
            day: self.days[order],
            length: self.lengths[order],
            is_taken_back: is_taken_back(self.marks[order]),
            items: items(&self.gaps[place]).collect(),
        }
    }

    /// Returns the orders that `keeps` wants, by their places.
    pub(super) fn kept(self, keeps: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self::default();
        for (order, place) in self.places().enumerate().filter(|(order, _)| keeps(*order)) {
            kept.gaps.extend_from_slice(&self.gaps[place]);
            kept.ids.push(self.ids[order]);
            kept.days.push(self.days[order]);
            kept.lengths.push(self.lengths[order]);
            kept.marks.push(self.marks[order]);
        }
        kept
    }

    /// Returns how many bytes the orders take.
    pub(super) fn bytes(&self) -> usize {
        self.gaps.len() * 2 + self.len() * (8 + 4 + 4 + 2)
    }
}

/// Returns how many words a mark speaks of.
#[inline]
pub(super) fn words(mark: u16) -> usize {
    usize::from(mark & !TAKEN_BACK)
}

/// Says whether a mark is that of an order that is taken back.
#[inline]
pub(super) fn is_taken_back(mark: u16) -> bool {
    mark & TAKEN_BACK != 0
}

/// Returns the items of an order's words, ascending.
#[inline]
pub(super) fn items(gaps: &[u16]) -> impl Iterator<Item = u32> {
    let mut words = gaps.iter();
    let mut item = 0_u32;
    std::iter::from_fn(move || {
        let gap = match *words.next()? {
            WIDE => u32::from(*words.next()?) << 16 | u32::from(*words.next()?),
            gap => u32::from(gap),
        };
        // Wraps only in a file whose checksum was forged; the item is then out of range, and refused.
        item = item.wrapping_add(gap);
        Some(item)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_come_back_with_items_near_and_far() {
        let told = |id, is_taken_back, items: &[u32]| Told {
            id,
            day: -3,
            length: 9,
            is_taken_back,
            items: items.to_vec(),
        };
        let all =
            [told(1, false, &[0, 1, 65_535, 65_536, 200_000]), told(2, true, &[65_535]), told(3, false, &[])];
        let mut orders = Orders::default();
        all.iter().for_each(|order| orders.push(order));
        let places: Vec<_> = orders.places().collect();
        let back: Vec<Told> =
            places.into_iter().enumerate().map(|(n, place)| orders.told(n, place)).collect();
        assert_eq!(back, all);
        let kept = orders.kept(|order| order != 0);
        assert_eq!((kept.len(), kept.told(0, 0..3)), (2, all[1].clone()));
    }
}
