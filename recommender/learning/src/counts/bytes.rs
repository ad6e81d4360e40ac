//! Numbers as bytes: little-endian, or in as few bytes as they need (LEB128).

/// Adds numbers to bytes.
pub(super) trait Put {
    fn put_u64(&mut self, number: u64);
    fn put_varint(&mut self, number: u64);
}

impl Put for Vec<u8> {
    fn put_u64(&mut self, number: u64) {
        self.extend_from_slice(&number.to_le_bytes());
    }

    fn put_varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.push(number as u8);
    }
}

/// Returns in how many bytes [`Put::put_varint`] writes a number.
pub(super) fn varint_len(number: u32) -> usize {
    (38 - (number | 1).leading_zeros() as usize) / 7
}

/// Reads numbers off the front of bytes; `None` where there are too few.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Option<u64> {
        // Most numbers are small.
        if let [byte @ ..0x80, rest @ ..] = self.0 {
            self.0 = rest;
            return Some(u64::from(*byte));
        }
        let mut number = 0;
        for (place, &byte) in self.0.iter().enumerate().take(10) {
            number |= u64::from(byte & 0x7F) << (7 * place);
            if byte < 0x80 {
                self.0 = &self.0[place + 1..];
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_from_as_few_bytes_as_they_need() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u32::MAX] {
            let mut bytes = Vec::new();
            bytes.put_varint(u64::from(number));
            assert_eq!(bytes.len(), varint_len(number), "{number}");
            assert_eq!(Bytes(&bytes).varint(), Some(u64::from(number)));
            assert_eq!(Bytes(&bytes[..bytes.len() - 1]).varint(), None);
        }
        let mut bytes = Vec::new();
        bytes.put_varint(u64::MAX);
        assert_eq!(Bytes(&bytes).varint(), Some(u64::MAX));
    }
}
