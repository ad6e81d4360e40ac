//! Lists: per item some others with a score, the best first.

/// Is an item that a list names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The number of the item.
    pub item: u32,
    /// How strongly it belongs there; comparable within one set of lists only.
    pub score: f32,
}

/// Holds a list per item.
#[derive(Clone, Debug, PartialEq)]
pub struct Lists {
    /// `starts[i]..starts[i + 1]` are the entries of item `i`.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

impl Default for Lists {
    fn default() -> Self {
        Self { starts: vec![0], entries: Vec::new() }
    }
}

impl Lists {
    /// Adds the list of the next item.
    pub fn push(&mut self, list: impl IntoIterator<Item = (u32, f32)>) {
        self.entries.extend(list.into_iter().map(|(item, score)| Entry { item, score }));
        self.starts.push(self.entries.len() as u32);
    }

    /// Returns the list of an item.
    #[inline]
    pub fn of(&self, item: u32) -> &[Entry] {
        &self.entries[self.starts[item as usize] as usize..self.starts[item as usize + 1] as usize]
    }

    /// Returns the score of `other` in the list of an item, zero where it is not there.
    #[inline]
    pub fn score(&self, item: u32, other: u32) -> f32 {
        self.of(item).iter().find(|entry| entry.item == other).map_or(0.0, |entry| entry.score)
    }

    /// Returns how many items have a list.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Says whether no item has one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
