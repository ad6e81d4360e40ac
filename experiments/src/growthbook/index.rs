//! Values by their keys, found in a few nanoseconds.

/// Holds values by text keys, in the order they were given.
///
/// A table of open addresses over a fixed hash: a map of the standard library would draw its seed from the
/// machine, and a sorted one compares a dozen texts for each feature that is asked. Keys chosen to collide only
/// make it slower, and they come from those who write definitions.
#[derive(Debug, Clone)]
pub(super) struct Index<T> {
    entries: Vec<(String, T)>,
    /// Places of entries, counted from 1; 0 is free. Its length is a power of 2, at least half of it free.
    slots: Vec<u32>,
}

impl<T> Default for Index<T> {
    fn default() -> Index<T> {
        Index { entries: Vec::new(), slots: vec![0] }
    }
}

impl<T> Index<T> {
    #[inline]
    pub(super) fn get(&self, key: &str) -> Option<&T> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(key) as usize & mask;
        loop {
            let place = self.slots[slot].checked_sub(1)?;
            let (name, value) = &self.entries[place as usize];
            if name == key {
                return Some(value);
            }
            slot = (slot + 1) & mask;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl<T> FromIterator<(String, T)> for Index<T> {
    /// Takes keys that differ from each other.
    fn from_iter<I: IntoIterator<Item = (String, T)>>(entries: I) -> Index<T> {
        let entries: Vec<(String, T)> = entries.into_iter().collect();
        let mut slots = vec![0; (2 * entries.len() + 1).next_power_of_two()];
        let mask = slots.len() - 1;
        for (place, (key, _)) in (1..).zip(&entries) {
            let mut slot = hash(key) as usize & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = place;
        }
        Index { entries, slots }
    }
}

/// Mixes eight bytes at a time by multiplying and folding, after FxHash.
#[inline]
fn hash(key: &str) -> u64 {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    let (words, rest) = key.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(key.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    mix(mix(hash, rest), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other() {
        for count in [0, 1, 2, 7, 8, 1_000] {
            let index: Index<usize> = (0..count).map(|i| (format!("flag-{i}"), i)).collect();
            assert!((0..count).all(|i| index.get(&format!("flag-{i}")) == Some(&i)));
            assert_eq!(index.get(&format!("flag-{count}")), None);
            assert_eq!(index.get(""), None);
            assert!(index.iter().map(|(_, i)| *i).eq(0..count));
        }
    }
}
