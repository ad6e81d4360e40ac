//! Changes: what the pairs of new orders count now, over all orders.
//!
//! All orders are gone through once, and each meets the new orders that share items with it: where a new order is met by a second item,
//! both items are in either order, and their pair counts one more. That takes a step for each new order of each
//! item of each order, and one for each time that two items of a new order were bought together; whole rows, which are wide
//! by what everybody else bought, are not looked at. This is a set-similarity join by inverted lists (Sarawagi and Kirpal,
//! *Efficient Set Joins on Similarity Predicates*, SIGMOD 2004) with the lists on the small side, so that all but the
//! orders themselves, which are read in a row, stays in a core's cache.

use std::{ops::Range, sync::Arc};

use super::{
    CountsError,
    count::Count,
    rows::{Source, on_all_cores},
    segment::Segment,
};

/// The most pairs of new orders that are counted together on a core, eight bytes each.
const PAIRS_MAX: usize = 1 << 22;

/// How many steps of rows cost as much as one of a meeting, which looks at memory that no cache holds: measured at ten and at a
/// hundred million lines.
const ROW_STEPS: f64 = 3.0;

/// Says what a pair counts now.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) of: u32,
    pub(super) with: u32,
    pub(super) count: Count,
}

/// Says whether meeting all orders is possible, and less work than counting all rows.
pub(super) fn are_few(new: &[Arc<Segment>], all: &[Arc<Segment>]) -> bool {
    let orders = |item| all.iter().map(|segment| segment.orders_at_most(item) as f64).sum::<f64>();
    let rows: f64 = all.iter().map(|segment| segment.pairs()).sum();
    let mut steps = 0.0;
    each(new).all(|(segment, order)| {
        let mut len = 0;
        steps += segment.order(order).0.inspect(|_| len += 1).map(orders).sum::<f64>();
        pairs(len) <= PAIRS_MAX && steps * ROW_STEPS < rows
    })
}

/// Returns the pairs of new orders, both ways, where they matter; some may be there more than once.
///
/// Pairs of an order that is taken back matter in any case: somebody may think that they count more.
pub(super) fn of_orders(
    new: &[Arc<Segment>],
    all: &[Arc<Segment>],
    item_count: usize,
    matters: impl Fn(&Change) -> bool + Sync,
) -> Vec<Change> {
    let orders: Vec<(&Segment, usize)> = each(new).collect();
    let pairs_of: Vec<usize> =
        orders.iter().map(|(segment, order)| pairs(segment.order(*order).0.count())).collect();
    let most = PAIRS_MAX.min(pairs_of.iter().sum::<usize>() / crate::cores() + 1);
    let batches = batches(&pairs_of, most);
    let found = on_all_cores(
        batches.len(),
        || (),
        |batch, ()| {
            let orders = &orders[batches[batch].clone()];
            let mut meeting = Meeting::new(orders, item_count);
            each(all).for_each(|(segment, order)| meeting.meet(segment, order));
            let mut changes = Vec::new();
            meeting.visit(orders, |is_taken_back, of, with, count| {
                let both = [Change { of, with, count }, Change { of: with, with: of, count }];
                changes.extend(both.into_iter().filter(|change| is_taken_back || matters(change)));
            });
            Ok::<_, CountsError>(changes)
        },
    );
    found.expect("nothing fails").concat()
}

/// Returns the pairs of all items with these, where they matter: with fewer orders than before, they climb everywhere.
pub(super) fn of_items(
    fell: &[u32],
    all: &Source,
    item_count: usize,
    matters: impl Fn(&Change) -> bool + Sync,
) -> Result<Vec<Change>, CountsError> {
    let rows = all.map(fell, item_count, |with, row| {
        let mut changes = Vec::new();
        row.drain(|of, count| changes.push(Change { of, with, count }));
        changes.retain(|change| change.of != with && matters(change));
        changes
    })?;
    Ok(rows.concat())
}

fn each(segments: &[Arc<Segment>]) -> impl Iterator<Item = (&Segment, usize)> {
    segments.iter().flat_map(|segment| (0..segment.len()).map(|order| (&**segment, order)))
}

fn pairs(items: usize) -> usize {
    items * items.saturating_sub(1) / 2
}

/// Parts orders so that each part has at most so many pairs, or one order.
fn batches(pairs_of: &[usize], most: usize) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    let mut sum = 0;
    for (order, &pairs) in pairs_of.iter().enumerate() {
        sum += pairs;
        match batches.last_mut() {
            Some(batch) if sum <= most => batch.end = order + 1,
            _ => {
                sum = pairs;
                batches.push(order..order + 1);
            }
        }
    }
    batches
}

/// Is one item of a new order.
#[derive(Clone, Copy, Default)]
struct Line {
    order: u32,
    place: u32,
    /// Where the counts of its pairs with the items before it begin.
    pairs: u32,
}

/// Counts the pairs of some new orders in all orders, one after the other.
struct Meeting {
    /// For each item, where its lines begin, and behind the last where they end.
    starts: Vec<u32>,
    lines: Vec<Line>,
    counts: Vec<Count>,
    /// The pairs of an order that were met. They are counted together: each is somewhere else in memory, and so the processor
    /// waits for many of them at once.
    met: Vec<u32>,
    /// For each new order its last note; what is not above `noted` is of an order before.
    last: Vec<u32>,
    noted: u32,
    /// For each line that was met, the note before of the same new order, and the line's place.
    notes: Vec<(u32, u32)>,
}

impl Meeting {
    fn new(orders: &[(&Segment, usize)], item_count: usize) -> Self {
        let mut starts = vec![0_u32; item_count + 1];
        let items = |order: usize| orders[order].0.order(orders[order].1).0;
        (0..orders.len()).flat_map(items).for_each(|item| starts[item as usize + 1] += 1);
        for item in 1..starts.len() {
            starts[item] += starts[item - 1];
        }
        let mut lines = vec![Line::default(); starts[item_count] as usize];
        let mut free = starts.clone();
        let mut pairs = 0;
        for order in 0..orders.len() {
            for (place, item) in (0..).zip(items(order)) {
                lines[free[item as usize] as usize] = Line { order: order as u32, place, pairs };
                free[item as usize] += 1;
                pairs += place;
            }
        }
        let (counts, last) = (vec![Count::default(); pairs as usize], vec![0; orders.len()]);
        Self { starts, lines, counts, met: Vec::new(), last, noted: 0, notes: Vec::new() }
    }

    /// Adds an order to the pairs that it has in common with new ones.
    fn meet(&mut self, segment: &Segment, order: usize) {
        let Self { starts, lines, counts, met, last, noted, notes } = self;
        let count = segment.count(order);
        for item in segment.order(order).0 {
            for line in &lines[starts[item as usize] as usize..starts[item as usize + 1] as usize] {
                let before = last[line.order as usize];
                let mut note = before;
                while note > *noted {
                    let (earlier, place) = notes[(note - *noted - 1) as usize];
                    met.push(line.pairs + place);
                    note = earlier;
                }
                notes.push((before, line.place));
                last[line.order as usize] = *noted + notes.len() as u32;
            }
        }
        for pair in met.drain(..) {
            let pair = &mut counts[pair as usize];
            *pair = pair.plus(count);
        }
        *noted += notes.len() as u32;
        notes.clear();
        // The next order has no more notes than there are lines; their numbers begin again before they run out.
        if u64::from(*noted) + lines.len() as u64 > u64::from(u32::MAX) {
            last.fill(0);
            *noted = 0;
        }
    }

    /// Calls `visit` with each pair and its count, and whether it is of an order that is taken back.
    fn visit(self, orders: &[(&Segment, usize)], mut visit: impl FnMut(bool, u32, u32, Count)) {
        let mut counts = self.counts.into_iter();
        let mut before = Vec::new();
        for (segment, order) in orders {
            let (items, is_taken_back) = segment.order(*order);
            before.clear();
            for item in items {
                for (&with, count) in before.iter().zip(counts.by_ref()) {
                    visit(is_taken_back, item, with, count);
                }
                before.push(item);
            }
        }
    }
}
