//! The bytes of a model, version 4; every number little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic `CWMODEL` and a line feed |
//! | 4 | version, 4 |
//! | 8 | length of the body in bytes |
//! | … | body: about (JSON); the items' SKUs; popularity; pairs of orders, of what is bought after something, and of sessions; the basket model and the session model, each where there is one. Sequences have their length in 8 bytes before them |
//! | 32 | BLAKE3 of everything before |

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::mpsc::{self, SyncSender},
    thread,
};

use cart_core::Sku;

use super::{About, Learnt, Model, ModelError};
use crate::codec::{Reader, Stored, Unreadable, stored};

const MAGIC: &[u8; 8] = b"CWMODEL\n";
const VERSION: u32 = 4;
const HEADER_BYTES: usize = 20;

/// What a model says of itself, and what stands before it, in bytes: a few kilobytes.
const ABOUT_BYTES_MAX: u64 = 1 << 20;

const CHECKSUM_BYTES: usize = blake3::OUT_LEN;

/// A file is read in slices that stay in a near cache from its reading over the checksum to the model, and so many wait at most.
const SLICE_BYTES: usize = 256 << 10;
const SLICES_MAX: usize = 8;

stored!(Learnt { popular, orders, after, sessions, baskets, trails });
stored!(Model { about, items, learnt });

impl Stored for About {
    fn put(&self, out: &mut Vec<u8>) {
        serde_json::to_string(self).expect("numbers and names always make JSON").put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        serde_json::from_str(&String::take(from)?).map_err(|error| Unreadable(format!("about: {error}")))
    }
}

impl Stored for Sku {
    fn put(&self, out: &mut Vec<u8>) {
        let text = self.as_str();
        // A SKU has at most `ID_BYTES_MAX` bytes.
        (text.len() as u16).put(out);
        out.extend_from_slice(text.as_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let length = u16::take(from)?;
        let text = std::str::from_utf8(from.bytes(length.into())?);
        let text = text.map_err(|error| Unreadable(format!("SKU: {error}")))?;
        Self::parse(text).map_err(|error| Unreadable(error.to_string()))
    }
}

impl Model {
    /// Returns the model as the bytes of a file; equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        VERSION.put(&mut bytes);
        0_u64.put(&mut bytes);
        self.put(&mut bytes);
        let length = (bytes.len() - HEADER_BYTES) as u64;
        bytes[HEADER_BYTES - size_of::<u64>()..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    /// Reads what a file says of its model, and the file's length in bytes; the checksum is not looked at.
    ///
    /// # Errors
    /// As [`Model::parse`], but for what lies further on.
    pub fn read_about(path: &Path) -> Result<(About, u64), ModelError> {
        let bytes = fs::metadata(path)?.len();
        let mut head = Vec::new();
        File::open(path)?.take(ABOUT_BYTES_MAX).read_to_end(&mut head)?;
        let seen = head.len().min(MAGIC.len());
        if head[..seen] != MAGIC[..seen] {
            return Err(ModelError::WrongMagic);
        }
        let torn = ModelError::Torn { expected: (HEADER_BYTES + CHECKSUM_BYTES) as u64, found: bytes };
        let mut reader = Reader::of(head.get(MAGIC.len()..).unwrap_or_default());
        let read = |reader: &mut Reader<'_>| Ok::<_, Unreadable>((u32::take(reader)?, u64::take(reader)?));
        let Ok((version, _)) = read(&mut reader) else { return Err(torn) };
        if version != VERSION {
            return Err(ModelError::UnknownVersion { found: version, known: VERSION });
        }
        let about = About::take(&mut reader).map_err(|error| ModelError::Corrupt(error.to_string()))?;
        Ok((about, bytes))
    }

    /// Reads a model from the bytes of a file.
    ///
    /// # Errors
    /// [`ModelError`]: `WrongMagic`, `UnknownVersion`, `Torn` where bytes are missing at the end, `Corrupt` where
    /// the checksum does not match or there are bytes too many, `Invalid` where a sound file holds nonsense.
    pub fn parse(bytes: &[u8]) -> Result<Self, ModelError> {
        Self::load(bytes, bytes.len() as u64)
    }

    /// Reads a model of so many bytes.
    ///
    /// # Errors
    /// As [`Model::parse`]; [`ModelError::Io`] where the bytes cannot be read.
    pub(super) fn load(mut source: impl Read + Send, found: u64) -> Result<Self, ModelError> {
        let head = slice(&mut source, (HEADER_BYTES as u64).min(found) as usize)?;
        let length = body_length(&head, found)?;
        let (slices, arriving) = mpsc::sync_channel(SLICES_MAX);
        // Taking and checking come to no harm by any bytes, and need not wait for the checksum: they go side by side.
        let (sound, read) = thread::scope(|scope| {
            let sound = scope.spawn(move || is_sound(&mut source, &head, length, &slices));
            let read = Self::take_whole(Reader::new(length, arriving.into_iter()));
            (sound.join().expect("reading and summing do not panic"), read)
        });
        if sound? { read } else { Err(ModelError::Corrupt("the checksum does not match".to_owned())) }
    }

    fn take_whole(mut body: Reader<'_>) -> Result<Self, ModelError> {
        let model = Self::take(&mut body).map_err(|error| ModelError::Corrupt(error.to_string()))?;
        if body.left() > 0 {
            return Err(ModelError::Corrupt(format!("{} bytes follow the model", body.left())));
        }
        model.check()?;
        Ok(model)
    }
}

/// Checks what stands before the body, and returns the length of the body.
fn body_length(head: &[u8], found: u64) -> Result<usize, ModelError> {
    let seen = head.len().min(MAGIC.len());
    if head[..seen] != MAGIC[..seen] {
        return Err(ModelError::WrongMagic);
    }
    let smallest = (HEADER_BYTES + CHECKSUM_BYTES) as u64;
    let torn = |expected| ModelError::Torn { expected, found };
    let mut reader = Reader::of(head.get(MAGIC.len()..).ok_or(torn(smallest))?);
    let version = u32::take(&mut reader).map_err(|_| torn(smallest))?;
    if version != VERSION {
        return Err(ModelError::UnknownVersion { found: version, known: VERSION });
    }
    let length = u64::take(&mut reader).map_err(|_| torn(smallest))?;
    let expected = length.saturating_add(smallest);
    if found < expected {
        return Err(torn(expected));
    }
    if found > expected {
        return Err(ModelError::Corrupt(format!("{found} bytes where the header says {expected}")));
    }
    usize::try_from(length).map_err(|_| torn(expected))
}

/// Reads a body, hands it on in slices, and says whether the checksum behind it matches.
fn is_sound(
    source: &mut impl Read,
    head: &[u8],
    length: usize,
    slices: &SyncSender<Vec<u8>>,
) -> io::Result<bool> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(head);
    let mut read = 0;
    while read < length {
        // Slices end where the checksum's own blocks do.
        let slice = slice(source, (SLICE_BYTES - (HEADER_BYTES + read) % SLICE_BYTES).min(length - read))?;
        hasher.update(&slice);
        read += slice.len();
        // Where the model made no sense, nobody waits for the rest; whether it was written so is still to be told.
        let _ = slices.send(slice);
    }
    Ok(hasher.finalize().as_slice() == slice(source, CHECKSUM_BYTES)?)
}

/// Reads so many bytes.
fn slice(source: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut slice = Vec::with_capacity(bytes);
    source.take(bytes as u64).read_to_end(&mut slice)?;
    if slice.len() < bytes {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it was cut off while it was read"));
    }
    Ok(slice)
}
