//! The bytes of a model, version 1; every number little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic `CWMODEL` and a line feed |
//! | 4 | version, 1 |
//! | 8 | length of the body in bytes |
//! | … | body: about (length in 4 bytes, JSON); number of items in 4 bytes; per item its SKU (length in 2 bytes, UTF-8); popularity, one (item in 4 bytes, score in 4) per item; per item its neighbours (number in 4 bytes, then the same pairs) |
//! | 32 | SHA-256 of everything before |

use cart_core::Sku;
use sha2::{Digest, Sha256};

use super::{About, Model, ModelError, Neighbour};

const MAGIC: &[u8; 8] = b"CWMODEL\n";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 20;
const CHECKSUM_BYTES: usize = 32;
const PAIR_BYTES: usize = 8;

impl Model {
    /// Returns the model as the bytes of a file; equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = self.body();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len() + CHECKSUM_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&body);
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// Reads a model from the bytes of a file.
    ///
    /// # Errors
    /// [`ModelError`]: `WrongMagic`, `UnknownVersion`, `Torn` where bytes are missing at the end, `Corrupt` where
    /// the checksum does not match or there are bytes too many, `Invalid` where a sound file holds nonsense.
    pub fn parse(bytes: &[u8]) -> Result<Self, ModelError> {
        let body = checked_body(bytes)?;
        let mut reader = Reader(body);
        let about = reader.about()?;
        let items = reader.items()?;
        let popular = reader.pairs(items.len())?;
        let mut starts = Vec::with_capacity(items.len() + 1);
        starts.push(0);
        let mut neighbours = Vec::with_capacity(reader.0.len() / PAIR_BYTES);
        for _ in 0..items.len() {
            let count = reader.u32()? as usize;
            neighbours.extend(reader.pairs(count)?);
            starts.push(neighbours.len());
        }
        if !reader.0.is_empty() {
            return Err(ModelError::Corrupt(format!("{} bytes follow the last item", reader.0.len())));
        }
        Ok(Self::from_parts(about, items, starts, neighbours, popular)?)
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let about = serde_json::to_vec(&self.about).expect("numbers and names always make JSON");
        body.extend_from_slice(&(about.len() as u32).to_le_bytes());
        body.extend_from_slice(&about);
        body.extend_from_slice(&(self.items.len() as u32).to_le_bytes());
        for sku in &self.items {
            // A SKU has at most `ID_BYTES_MAX` bytes.
            body.extend_from_slice(&(sku.as_str().len() as u16).to_le_bytes());
            body.extend_from_slice(sku.as_str().as_bytes());
        }
        push_pairs(&mut body, &self.popular);
        for item in 0..self.items.len() as u32 {
            let list = self.neighbours(item);
            body.extend_from_slice(&(list.len() as u32).to_le_bytes());
            push_pairs(&mut body, list);
        }
        body
    }
}

fn push_pairs(body: &mut Vec<u8>, pairs: &[Neighbour]) {
    for pair in pairs {
        body.extend_from_slice(&pair.item.to_le_bytes());
        body.extend_from_slice(&pair.score.to_le_bytes());
    }
}

/// Checks everything around the body and returns it.
fn checked_body(bytes: &[u8]) -> Result<&[u8], ModelError> {
    let seen = bytes.len().min(MAGIC.len());
    if bytes[..seen] != MAGIC[..seen] {
        return Err(ModelError::WrongMagic);
    }
    let found = bytes.len() as u64;
    let mut reader = Reader(bytes);
    let smallest = (HEADER_BYTES + CHECKSUM_BYTES) as u64;
    let torn = |expected| ModelError::Torn { expected, found };
    reader.take(MAGIC.len()).map_err(|_| torn(smallest))?;
    let version = reader.u32().map_err(|_| torn(smallest))?;
    if version != VERSION {
        return Err(ModelError::UnknownVersion { found: version, known: VERSION });
    }
    let length = reader.u64().map_err(|_| torn(smallest))?;
    let expected = length.saturating_add(smallest);
    if found < expected {
        return Err(torn(expected));
    }
    if found > expected {
        return Err(ModelError::Corrupt(format!("{found} bytes where the header says {expected}")));
    }
    let (signed, checksum) = bytes.split_at(bytes.len() - CHECKSUM_BYTES);
    if Sha256::digest(signed)[..] != *checksum {
        return Err(ModelError::Corrupt("the checksum does not match".to_owned()));
    }
    Ok(&signed[HEADER_BYTES..])
}

/// Takes values off the front of a body whose checksum was right: what is missing here was never written.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ModelError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| {
            ModelError::Corrupt(format!("{count} bytes are wanted where {} are left", self.0.len()))
        })?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        Ok(self.take(N)?.try_into().expect("as many bytes as were asked for"))
    }

    fn u32(&mut self) -> Result<u32, ModelError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, ModelError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn about(&mut self) -> Result<About, ModelError> {
        let length = self.u32()? as usize;
        serde_json::from_slice(self.take(length)?).map_err(|e| ModelError::Corrupt(format!("about: {e}")))
    }

    fn items(&mut self) -> Result<Vec<Sku>, ModelError> {
        let count = self.u32()?;
        (0..count).map(|_| self.sku()).collect()
    }

    fn sku(&mut self) -> Result<Sku, ModelError> {
        let length = u16::from_le_bytes(self.array()?) as usize;
        let text = std::str::from_utf8(self.take(length)?);
        let text = text.map_err(|e| ModelError::Corrupt(format!("SKU: {e}")))?;
        Sku::parse(text).map_err(|e| ModelError::Corrupt(e.to_string()))
    }

    fn pairs(&mut self, count: usize) -> Result<Vec<Neighbour>, ModelError> {
        let bytes = count
            .checked_mul(PAIR_BYTES)
            .ok_or_else(|| ModelError::Corrupt(format!("a list of {count} items")))?;
        let pair = |b: &[u8]| Neighbour {
            item: u32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            score: f32::from_le_bytes([b[4], b[5], b[6], b[7]]),
        };
        Ok(self.take(bytes)?.chunks_exact(PAIR_BYTES).map(pair).collect())
    }
}
