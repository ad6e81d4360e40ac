//! An object that remembers the order of its keys.

use super::Json;

/// From this many keys on an object keeps an index: before, walking it is faster.
const INDEX_FROM: usize = 9;

/// Holds an object's keys and values in JavaScript's order: whole numbers first, rising, then the others as they
/// were written; of a key that stands twice the last value, at the first place.
#[derive(Debug, Clone, Default)]
pub struct Object {
    entries: Vec<(String, Json)>,
    /// The places of the entries in the order of their keys; empty below [`INDEX_FROM`] entries.
    by_key: Vec<u32>,
}

impl Object {
    /// Returns the value of a key.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.place(key).map(|place| &self.entries[place].1)
    }

    /// Returns the keys and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Json)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Returns how many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the object with `key` set: in its place if it is there, else at the end.
    pub fn with(self, key: &str, value: impl Into<Json>) -> Object {
        let added = (key.to_owned(), value.into());
        self.entries.into_iter().chain([added]).collect()
    }

    /// Returns the object without these keys.
    pub fn without(&self, keys: &[&str]) -> Object {
        self.entries.iter().filter(|(key, _)| !keys.contains(&key.as_str())).cloned().collect()
    }

    #[inline]
    fn place(&self, key: &str) -> Option<usize> {
        if self.by_key.is_empty() {
            return self.entries.iter().position(|(name, _)| name == key);
        }
        let found = self.by_key.binary_search_by(|&place| self.entries[place as usize].0.as_str().cmp(key));
        found.ok().map(|at| self.by_key[at] as usize)
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.entries == other.entries
    }
}

impl FromIterator<(String, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(entries: I) -> Object {
        let entries: Vec<(String, Json)> = entries.into_iter().collect();
        let mut by_key: Vec<u32> = (0..entries.len() as u32).collect();
        by_key.sort_by(|&one, &other| entries[one as usize].0.cmp(&entries[other as usize].0));
        let is_tidy =
            by_key.windows(2).all(|pair| entries[pair[0] as usize].0 != entries[pair[1] as usize].0)
                && !entries.iter().any(|(key, _)| array_index(key).is_some());
        if !is_tidy {
            return tidied(entries, &by_key);
        }
        if entries.len() < INDEX_FROM {
            by_key = Vec::new();
        }
        Object { entries, by_key }
    }
}

/// Puts doubled keys and whole numbers where JavaScript has them.
fn tidied(entries: Vec<(String, Json)>, by_key: &[u32]) -> Object {
    let mut slots: Vec<Option<(String, Json)>> = entries.into_iter().map(Some).collect();
    let key_of = |slot: &Option<(String, Json)>| slot.as_ref().map(|(key, _)| key.clone());
    let mut first = None::<usize>;
    // The sort is stable, so equal keys come in the order they were written.
    for &place in by_key {
        let place = place as usize;
        match first {
            Some(earlier) if key_of(&slots[earlier]) == key_of(&slots[place]) => {
                let later = slots[place].take();
                slots[earlier] = later;
            }
            _ => first = Some(place),
        }
    }
    let mut entries: Vec<(String, Json)> = slots.into_iter().flatten().collect();
    entries.sort_by_key(|(key, _)| array_index(key).map_or(u64::MAX, u64::from));
    let mut by_key: Vec<u32> = Vec::new();
    if entries.len() >= INDEX_FROM {
        by_key = (0..entries.len() as u32).collect();
        by_key.sort_by(|&one, &other| entries[one as usize].0.cmp(&entries[other as usize].0));
    }
    Object { entries, by_key }
}

/// Reads a key that JavaScript takes for the index of an array (ECMA-262, 2024, section 6.1.7).
pub(super) fn array_index(key: &str) -> Option<u32> {
    let is_written_plainly = key == "0" || (!key.starts_with('0') && key.bytes().all(|b| b.is_ascii_digit()));
    if !is_written_plainly || key.is_empty() {
        return None;
    }
    key.parse().ok().filter(|&index: &u32| index != u32::MAX)
}
