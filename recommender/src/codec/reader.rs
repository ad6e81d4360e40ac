//! Bytes that come in slices, as a file is read, and are taken off the front.

use super::{Record, Unreadable};

/// Is what is left to be taken.
pub(crate) struct Reader<'a> {
    /// The slice at hand, and how much of it was taken.
    slice: Vec<u8>,
    taken: usize,
    later: Box<dyn Iterator<Item = Vec<u8>> + 'a>,
    left: usize,
    /// What lay across the ends of slices.
    joined: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// Reads so many bytes from slices.
    pub fn new(bytes: usize, slices: impl Iterator<Item = Vec<u8>> + 'a) -> Self {
        Self { slice: Vec::new(), taken: 0, later: Box::new(slices), left: bytes, joined: Vec::new() }
    }

    /// Reads bytes that are all at hand.
    pub fn of(bytes: &[u8]) -> Self {
        Self::new(bytes.len(), std::iter::once(bytes.to_vec()))
    }

    /// Returns how many bytes are left.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Takes so many bytes.
    #[inline]
    pub fn bytes(&mut self, count: usize) -> Result<&[u8], Unreadable> {
        self.claim(count)?;
        let from = self.taken;
        if count > self.slice.len() - from {
            return self.join(count);
        }
        self.taken += count;
        Ok(&self.slice[from..from + count])
    }

    /// Takes so many records.
    pub fn records<T: Record>(&mut self, count: usize) -> Result<Vec<T>, Unreadable> {
        self.claim(count.saturating_mul(T::BYTES))?;
        let mut records = Vec::with_capacity(count);
        while records.len() < count {
            let wanted = (count - records.len()).saturating_mul(T::BYTES);
            let at_hand = &self.slice[self.taken..];
            let whole = at_hand[..at_hand.len().min(wanted)].chunks_exact(T::BYTES);
            self.taken += whole.len() * T::BYTES;
            records.extend(whole.map(T::of));
            if records.len() < count {
                records.push(T::of(self.join(T::BYTES)?));
            }
        }
        Ok(records)
    }

    fn claim(&mut self, count: usize) -> Result<(), Unreadable> {
        let left = self.left.checked_sub(count);
        self.left =
            left.ok_or_else(|| Unreadable(format!("{count} bytes are wanted where {} are left", self.left)))?;
        Ok(())
    }

    /// Puts together what lies across the ends of slices.
    fn join(&mut self, count: usize) -> Result<&[u8], Unreadable> {
        self.joined.clear();
        while self.joined.len() < count {
            if self.taken == self.slice.len() {
                self.slice =
                    self.later.next().ok_or_else(|| Unreadable("the bytes end too early".to_owned()))?;
                self.taken = 0;
            }
            let missing = count - self.joined.len();
            let some = &self.slice[self.taken..];
            let some = &some[..some.len().min(missing)];
            self.joined.extend_from_slice(some);
            self.taken += some.len();
        }
        Ok(&self.joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Stored;

    #[test]
    fn values_are_the_same_wherever_slices_end() {
        let (numbers, text) = ((0..9_u32).collect::<Vec<_>>(), "Tee – Ö".to_owned());
        let mut bytes = Vec::new();
        numbers.put(&mut bytes);
        text.put(&mut bytes);
        for length in 1..=bytes.len() {
            let mut reader = Reader::new(bytes.len(), bytes.chunks(length).map(<[u8]>::to_vec));
            assert_eq!(Vec::<u32>::take(&mut reader), Ok(numbers.clone()), "slices of {length} bytes");
            assert_eq!(String::take(&mut reader), Ok(text.clone()), "slices of {length} bytes");
            assert_eq!(reader.left(), 0);
        }
    }

    #[test]
    fn slices_that_end_before_they_should_are_refused() {
        let mut bytes = Vec::new();
        vec![1_u32; 9].put(&mut bytes);
        let slices = bytes[..20].chunks(8).map(<[u8]>::to_vec);
        assert!(Vec::<u32>::take(&mut Reader::new(bytes.len(), slices)).is_err());
    }
}
