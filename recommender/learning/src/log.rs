//! The log: orders or sessions as numbers, oldest first.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
};

/// Says what a log's entries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Baskets: an entry's items are distinct, and ascending.
    Baskets,
    /// Sessions: an entry's items stand in the order in which they were viewed, and may come again.
    Sessions,
}

/// Holds entries from the oldest to the latest.
#[derive(Clone, Debug)]
pub struct Log {
    items: Vec<Box<str>>,
    /// The name of each item, empty where none is known.
    names: Vec<Box<str>>,
    /// `starts[e]..starts[e + 1]` are the lines of entry `e`.
    starts: Vec<usize>,
    lines: Vec<u32>,
    at_ms: Vec<i64>,
    /// Whose each entry is, by a number, [`NOBODY`] where that is not known or not to be looked at.
    buyers: Vec<u32>,
}

/// The number of nobody who is known.
const NOBODY: u32 = u32::MAX;

impl Log {
    /// Returns how many entries there are.
    pub fn len(&self) -> usize {
        self.at_ms.len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.at_ms.is_empty()
    }

    /// Returns the items, ascending; an item's number is its place.
    pub fn items(&self) -> &[Box<str>] {
        &self.items
    }

    /// Returns the number of an item, or `None` where the log does not hold it.
    pub fn item(&self, name: &str) -> Option<u32> {
        self.items.binary_search_by(|item| (**item).cmp(name)).ok().map(|place| place as u32)
    }

    /// Returns the names of the items, empty where none is known.
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// Returns the items of an entry.
    pub fn entry(&self, number: usize) -> &[u32] {
        &self.lines[self.starts[number]..self.starts[number + 1]]
    }

    /// Returns when an entry was made.
    pub fn at_ms(&self, number: usize) -> i64 {
        self.at_ms[number]
    }

    /// Returns whose an entry is, by a number, `None` where that is not known.
    pub fn buyer(&self, number: usize) -> Option<u32> {
        Some(self.buyers[number]).filter(|&buyer| buyer != NOBODY)
    }

    /// Returns the number of lines of all entries.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Numbers the items of two logs alike, and with them others that are known: items with their names, which are then
    /// the ones that count where they are not empty.
    pub fn over_the_same_items<'a>(
        a: Self,
        b: Self,
        known: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> (Self, Self) {
        let mut named: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
        for log in [&a, &b] {
            for (item, name) in log.items.iter().zip(&log.names) {
                let known = named.entry(item.clone()).or_default();
                if known.is_empty() {
                    known.clone_from(name);
                }
            }
        }
        for (item, name) in known {
            let of_item = named.entry(item.into()).or_default();
            if !name.is_empty() {
                *of_item = name.into();
            }
        }
        let (items, names): (Vec<_>, Vec<_>) = named.into_iter().unzip();
        (a.renumbered(&items, &names), b.renumbered(&items, &names))
    }

    fn renumbered(self, items: &[Box<str>], names: &[Box<str>]) -> Self {
        let find = |item: &str| items.binary_search_by(|other| (**other).cmp(item));
        let places: Vec<u32> =
            self.items.iter().map(|item| find(item).expect("each item is one of all") as u32).collect();
        let lines = self.lines.iter().map(|&item| places[item as usize]).collect();
        Self { items: items.to_vec(), names: names.to_vec(), lines, ..self }
    }

    /// Returns some of the entries, by their place.
    pub fn slice(&self, range: Range<usize>) -> Slice<'_> {
        Slice { log: self, from: range.start, to: range.end }
    }

    /// Returns all entries.
    pub fn all(&self) -> Slice<'_> {
        self.slice(0..self.len())
    }
}

/// Is a part of a log: the entries of a stretch of time.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    log: &'a Log,
    from: usize,
    to: usize,
}

impl<'a> Slice<'a> {
    /// Returns how many entries there are.
    pub fn len(self) -> usize {
        self.to - self.from
    }

    /// Says whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns the log.
    pub fn log(self) -> &'a Log {
        self.log
    }

    /// Returns the entries, each with its time.
    pub fn entries(self) -> impl DoubleEndedIterator<Item = (i64, &'a [u32])> + ExactSizeIterator + Clone {
        let log = self.log;
        (self.from..self.to).map(move |number| (log.at_ms(number), log.entry(number)))
    }

    /// Returns whose the entries are.
    pub fn buyers(self) -> impl Iterator<Item = Option<u32>> + 'a {
        (self.from..self.to).map(move |number| self.log.buyer(number))
    }

    /// Returns an entry by its place in the slice.
    pub fn entry(self, place: usize) -> &'a [u32] {
        self.log.entry(self.from + place)
    }

    /// Returns the times of the first and of the last entry, zeros where there is none.
    pub fn span_ms(self) -> (i64, i64) {
        if self.is_empty() { (0, 0) } else { (self.log.at_ms(self.from), self.log.at_ms(self.to - 1)) }
    }

    /// Returns, of the whole log's entries, those from `part` of this slice on (0 its beginning, 1 its end).
    pub fn split(self, part: f64) -> (Self, Self) {
        let at = self.from + (self.len() as f64 * part) as usize;
        (Self { to: at, ..self }, Self { from: at, ..self })
    }

    /// Returns the earlier and the later part, cut as [`Slice::split`] does, but never between entries of the same time;
    /// where time does not tell the entries apart, by place.
    pub fn split_by_time(self, part: f64) -> (Self, Self) {
        let (early, late) = self.split(part);
        if early.is_empty() || late.is_empty() {
            return (early, late);
        }
        let (from_ms, _) = late.span_ms();
        let times = &self.log.at_ms[early.from..early.to];
        match times.partition_point(|at_ms| *at_ms < from_ms) {
            0 => (early, late),
            at => (self.part(0..at), self.part(at..self.len())),
        }
    }

    /// Returns what came before a time, and what came from then on.
    pub fn split_before(self, at_ms: i64) -> (Self, Self) {
        let at = self.log.at_ms[self.from..self.to].partition_point(|at| *at < at_ms);
        (self.part(0..at), self.part(at..self.len()))
    }

    /// Returns the latest entries, as many as together have at most `lines` lines.
    pub fn latest(self, lines: usize) -> Self {
        let starts = &self.log.starts[self.from..=self.to];
        let least = starts[self.len()].saturating_sub(lines);
        Self { from: self.from + starts.partition_point(|start| *start < least), ..self }
    }

    /// Says whether time does not tell any two entries apart.
    pub fn is_timeless(self) -> bool {
        let (first_ms, last_ms) = self.span_ms();
        first_ms == last_ms
    }

    /// Returns a log of these entries in which those from one place to another stand last.
    pub fn with_last(self, last: Range<usize>) -> Log {
        let order = (0..last.start).chain(last.end..self.len()).chain(last.clone());
        let Log { items, names, .. } = self.log;
        let (mut starts, mut lines, mut at_ms, mut buyers) = (vec![0], vec![], vec![], vec![]);
        for place in order {
            lines.extend(self.entry(place));
            starts.push(lines.len());
            at_ms.push(self.log.at_ms[self.from + place]);
            buyers.push(self.log.buyers[self.from + place]);
        }
        Log { items: items.clone(), names: names.clone(), starts, lines, at_ms, buyers }
    }

    /// Returns the entries from one place to another.
    pub fn part(self, range: Range<usize>) -> Self {
        Self { log: self.log, from: self.from + range.start, to: self.from + range.end }
    }
}

/// Gathers entries, numbering items as they come.
pub struct Gather {
    kind: Kind,
    seen: HashSet<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
    buyers: HashMap<Box<str>, u32>,
    entries: Vec<Gathered>,
    lines: Vec<u32>,
}

/// Is an entry as it came.
struct Gathered {
    at_ms: i64,
    buyer: u32,
    /// Where its lines begin.
    from: usize,
}

impl Gather {
    /// Begins a log.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            seen: HashSet::new(),
            numbers: HashMap::new(),
            names: Vec::new(),
            buyers: HashMap::new(),
            entries: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Adds an entry of nobody who is known, as [`Gather::entry_of`] does.
    pub fn entry<'a>(
        &mut self,
        id: &str,
        at_ms: i64,
        lines: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    ) -> bool {
        self.entry_of(None, id, at_ms, lines)
    }

    /// Adds an entry of a buyer and its lines, or leaves it out and returns false where its id has been seen: the same order
    /// told by two events.
    pub fn entry_of<'a>(
        &mut self,
        buyer: Option<&str>,
        id: &str,
        at_ms: i64,
        lines: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    ) -> bool {
        if !self.seen.insert(id.into()) {
            return false;
        }
        let buyer = buyer.map_or(NOBODY, |buyer| self.buyer(buyer));
        self.entries.push(Gathered { at_ms, buyer, from: self.lines.len() });
        for (item, name) in lines {
            let number = match self.numbers.get(item) {
                Some(&number) => number,
                None => self.number(item),
            };
            // The first name that an item had: later ones are often notes, as "damaged" or "found".
            if let Some(name) = name.filter(|name| !name.is_empty())
                && self.names[number as usize].is_empty()
            {
                self.names[number as usize] = name.into();
            }
            self.lines.push(number);
        }
        true
    }

    fn number(&mut self, item: &str) -> u32 {
        let number = u32::try_from(self.numbers.len()).expect("fewer than four thousand million items");
        self.numbers.insert(item.into(), number);
        self.names.push(Box::default());
        number
    }

    fn buyer(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.buyers.get(name) {
            return number;
        }
        let number = self.buyers.len() as u32;
        self.buyers.insert(name.into(), number);
        number
    }

    /// Puts the entries into the order of their times, and numbers the items in the order of their names, so that equal
    /// entries give equal numbers however they were read.
    pub fn finish(mut self) -> Log {
        let mut named: Vec<(Box<str>, u32)> = self.numbers.into_iter().collect();
        named.sort_unstable();
        let mut renumbered = vec![0; named.len()];
        for (place, (_, number)) in named.iter().enumerate() {
            renumbered[*number as usize] = place as u32;
        }
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|&number| self.entries[number].at_ms);
        let (mut starts, mut lines) = (vec![0], Vec::with_capacity(self.lines.len()));
        let (mut at_ms, mut buyers) = (Vec::with_capacity(order.len()), Vec::with_capacity(order.len()));
        for number in order {
            let Gathered { at_ms: at, buyer, from } = self.entries[number];
            let to = self.entries.get(number + 1).map_or(self.lines.len(), |next| next.from);
            let mut items: Vec<u32> =
                self.lines[from..to].iter().map(|&item| renumbered[item as usize]).collect();
            if self.kind == Kind::Baskets {
                items.sort_unstable();
                items.dedup();
            }
            lines.extend(items);
            starts.push(lines.len());
            at_ms.push(at);
            buyers.push(buyer);
        }
        let names =
            named.iter().map(|(_, number)| std::mem::take(&mut self.names[*number as usize])).collect();
        let items = named.into_iter().map(|(item, _)| item).collect();
        Log { items, names, starts, lines, at_ms, buyers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(kind: Kind) -> Log {
        let mut gather = Gather::new(kind);
        let plain = |item: &'static str| (item, None);
        assert!(gather.entry("2", 7, ["JUG"].map(plain).into_iter()));
        assert!(gather.entry("1", 5, [("TEA", Some("")), ("CUP", None), ("TEA", Some("A tea"))].into_iter()));
        assert!(!gather.entry("2", 9, ["TEA"].map(plain).into_iter()), "an order told twice counts once");
        gather.finish()
    }

    #[test]
    fn a_basket_holds_each_item_once_and_a_session_what_was_viewed() {
        let (baskets, sessions) = (log(Kind::Baskets), log(Kind::Sessions));
        assert_eq!(baskets.items().iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["CUP", "JUG", "TEA"]);
        assert_eq!(baskets.names().iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["", "", "A tea"]);
        assert_eq!(baskets.all().entries().collect::<Vec<_>>(), [(5, &[0, 2][..]), (7, &[1][..])]);
        assert_eq!(sessions.entry(0), [2, 0, 2]);
        assert_eq!((baskets.item("TEA"), baskets.item("TEAPOT")), (Some(2), None));
    }

    #[test]
    fn buyers_stay_with_their_entries() {
        let mut gather = Gather::new(Kind::Baskets);
        for (id, at_ms, buyer) in
            [("1", 9, Some("v")), ("2", 5, Some("w")), ("3", 7, None), ("4", 8, Some("v"))]
        {
            gather.entry_of(buyer, id, at_ms, [("A", None)].into_iter());
        }
        let log = gather.finish();
        let of = |log: &Log| log.all().buyers().collect::<Vec<_>>();
        assert_eq!(of(&log), [Some(1), None, Some(0), Some(0)]);
        assert_eq!(of(&log.all().with_last(0..1)), [None, Some(0), Some(0), Some(1)]);
        assert_eq!(log.all().split_before(8).1.buyers().collect::<Vec<_>>(), [Some(0), Some(0)]);
    }

    #[test]
    fn a_log_is_cut_by_time() {
        let log = log(Kind::Baskets);
        let (early, late) = log.all().split(0.5);
        assert_eq!(
            (early.len(), early.span_ms(), late.span_ms(), late.entry(0)),
            (1, (5, 5), (7, 7), &[1][..])
        );
        assert_eq!(log.all().part(1..1).span_ms(), (0, 0));
    }

    #[test]
    fn some_entries_are_put_last() {
        let log = log(Kind::Baskets);
        let turned = log.all().with_last(0..1);
        assert_eq!(turned.all().entries().collect::<Vec<_>>(), [(7, &[1][..]), (5, &[0, 2][..])]);
        assert_eq!(turned.items(), log.items());
        assert!(!log.all().is_timeless() && log.all().part(0..1).is_timeless());
    }

    #[test]
    fn entries_of_the_same_time_are_not_torn_apart() {
        let at = |times: &[i64]| {
            let mut gather = Gather::new(Kind::Baskets);
            for (number, at_ms) in times.iter().enumerate() {
                gather.entry(&number.to_string(), *at_ms, [("A", None), ("B", None)].into_iter());
            }
            gather.finish()
        };
        let lengths = |(early, late): (Slice<'_>, Slice<'_>)| (early.len(), late.len());
        assert_eq!(lengths(at(&[0, 1, 1, 1]).all().split_by_time(0.75)), (1, 3));
        assert_eq!(lengths(at(&[5, 5, 5, 5]).all().split_by_time(0.75)), (3, 1));
        assert_eq!(lengths(at(&[]).all().split_by_time(0.75)), (0, 0));
        assert_eq!([0, 3, 4, 99].map(|lines| at(&[0, 1, 2]).all().latest(lines).len()), [0, 1, 2, 3]);
    }

    #[test]
    fn two_logs_and_a_catalogue_share_their_items() {
        let known = [("JUG", "A jug"), ("POT", "A pot"), ("TEA", "")];
        let mut viewed = Gather::new(Kind::Sessions);
        viewed.entry("s", 3, [("URN", None), ("TEA", None)].into_iter());
        let (orders, sessions) = Log::over_the_same_items(log(Kind::Baskets), viewed.finish(), known);
        assert_eq!(orders.items(), sessions.items());
        let names: Vec<&str> = orders.names().iter().map(AsRef::as_ref).collect();
        assert_eq!(names, ["", "A jug", "A pot", "A tea", ""]);
        assert_eq!((orders.entry(0), sessions.entry(0)), (&[0, 3][..], &[4, 3][..]));
    }
}
