//! Values as bytes, every number little-endian and every sequence with its length before it.
//!
//! What is read was written by this program, for a file's checksum is right before it is used; yet no bytes
//! whatsoever make a panic, or more memory be asked for than there are bytes.

mod reader;

use std::fmt;

pub(crate) use reader::Reader;

/// Says what bytes are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(pub String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Is a value that a file carries.
pub(crate) trait Stored: Sized {
    /// Adds the value's bytes.
    fn put(&self, out: &mut Vec<u8>);

    /// Takes the value off the front of some bytes.
    ///
    /// # Errors
    /// Where the bytes end too early or make no sense.
    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable>;

    /// Takes so many values, one after the other.
    ///
    /// # Errors
    /// As [`Stored::take`].
    fn take_many(from: &mut Reader<'_>, count: usize) -> Result<Vec<Self>, Unreadable> {
        // A value has at least a byte: no length, however wrong, asks for more memory than a few times the file's.
        let mut values = Vec::with_capacity(count.min(from.left()));
        for _ in 0..count {
            values.push(Self::take(from)?);
        }
        Ok(values)
    }
}

/// Is a value of always as many bytes, any of which make sense. Nearly all of a model is such: so many are taken at once.
pub(crate) trait Record: Sized {
    /// How many bytes.
    const BYTES: usize;

    /// Adds the value's bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// Makes a value of its bytes.
    fn of(bytes: &[u8]) -> Self;
}

impl<T: Record> Stored for T {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        self.write(out);
    }

    #[inline]
    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        from.bytes(T::BYTES).map(T::of)
    }

    fn take_many(from: &mut Reader<'_>, count: usize) -> Result<Vec<Self>, Unreadable> {
        from.records(count)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Record for $number {
            const BYTES: usize = size_of::<Self>();

            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn of(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("as many bytes as a record has"))
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, f32);

impl<T: Record, const N: usize> Record for [T; N] {
    const BYTES: usize = T::BYTES * N;

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|value| value.write(out));
    }

    #[inline]
    fn of(mut bytes: &[u8]) -> Self {
        std::array::from_fn(|_| front(&mut bytes))
    }
}

/// Takes a record off the front of the bytes of several.
#[inline]
pub(crate) fn front<T: Record>(bytes: &mut &[u8]) -> T {
    let (front, rest) = bytes.split_at(T::BYTES);
    *bytes = rest;
    T::of(front)
}

impl Stored for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let number = u64::take(from)?;
        Self::try_from(number)
            .map_err(|_| Unreadable(format!("{number} is more than this machine can count")))
    }
}

impl<T: Stored> Stored for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        u8::from(self.is_some()).put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        match u8::take(from)? {
            0 => Ok(None),
            1 => T::take(from).map(Some),
            other => Err(Unreadable(format!("{other} where 0 or 1 says whether something follows"))),
        }
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.reserve(self.len() * size_of::<T>());
        self.iter().for_each(|value| value.put(out));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let count = usize::take(from)?;
        T::take_many(from, count)
    }
}

impl Stored for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let count = usize::take(from)?;
        let text = std::str::from_utf8(from.bytes(count)?);
        text.map(str::to_owned).map_err(|error| Unreadable(format!("text: {error}")))
    }
}

/// Makes a struct [`Stored`], its fields in the order that is given.
macro_rules! stored {
    ($name:ty { $($field:ident),* $(,)? }) => {
        impl crate::codec::Stored for $name {
            #[inline]
            fn put(&self, out: &mut Vec<u8>) {
                $(crate::codec::Stored::put(&self.$field, out);)*
            }

            #[inline]
            fn take(from: &mut crate::codec::Reader<'_>) -> Result<Self, crate::codec::Unreadable> {
                $(let $field = crate::codec::Stored::take(from)?;)*
                Ok(Self { $($field),* })
            }
        }
    };
}

/// Makes a struct a [`Record`] of its fields, which are records themselves, in their order and without padding.
macro_rules! record {
    ($name:ty { $($field:ident),* $(,)? }) => {
        impl crate::codec::Record for $name {
            const BYTES: usize = size_of::<Self>();

            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                $(crate::codec::Record::write(&self.$field, out);)*
            }

            #[inline]
            fn of(mut bytes: &[u8]) -> Self {
                $(let $field = crate::codec::front(&mut bytes);)*
                debug_assert!(bytes.is_empty(), "a record has no padding");
                Self { $($field),* }
            }
        }
    };
}

pub(crate) use {record, stored};

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Tin {
        label: String,
        grams: [u16; 2],
        notes: Vec<Option<f32>>,
    }

    stored!(Tin { label, grams, notes });

    #[test]
    fn a_value_comes_back_and_half_of_its_bytes_do_not() {
        let tin = Tin { label: "Tee – Ö".to_owned(), grams: [7, 500], notes: vec![None, Some(-0.5)] };
        let mut bytes = Vec::new();
        tin.put(&mut bytes);
        let mut reader = Reader::of(&bytes);
        assert_eq!(Tin::take(&mut reader).unwrap(), tin);
        assert!(reader.left() == 0);
        for end in 0..bytes.len() {
            assert!(Tin::take(&mut Reader::of(&bytes[..end])).is_err(), "{end} bytes are no tin");
        }
    }

    #[test]
    fn a_wrong_length_asks_for_no_memory() {
        let mut bytes = Vec::new();
        u64::MAX.put(&mut bytes);
        assert!(Vec::<u32>::take(&mut Reader::of(&bytes)).is_err());
        assert!(String::take(&mut Reader::of(&bytes)).is_err());
        assert!(<Option<u8> as Stored>::take(&mut Reader::of(&[2])).is_err());
    }
}
