//! Files in sections: what kind, of which version, how long each section is, and a checksum for each.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use recommender::file::replace;

use super::{
    CountsError, Fault,
    bytes::{Bytes, Put},
};

const MAGIC: &[u8; 8] = b"CWCOUNTS";

/// The version of all files; another one is not read.
pub(super) const VERSION: u32 = 2;

/// How many bytes are turned into numbers at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Names what a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Manifest = 1,
    Segment = 2,
    Heads = 3,
    Names = 4,
}

/// Is a number of fixed width.
pub(super) trait Number: Copy {
    const WIDTH: usize;
    fn put(self, bytes: &mut Vec<u8>);
    fn get(bytes: &[u8]) -> Self;
    fn get_all(bytes: &[u8], numbers: &mut Vec<Self>) {
        numbers.extend(bytes.chunks_exact(Self::WIDTH).map(Self::get));
    }
    fn put_all(numbers: &[Self], bytes: &mut Vec<u8>) {
        numbers.iter().for_each(|number| number.put(bytes));
    }
}

impl Number for u8 {
    const WIDTH: usize = 1;
    fn put(self, bytes: &mut Vec<u8>) {
        bytes.push(self);
    }
    fn get(bytes: &[u8]) -> Self {
        bytes[0]
    }
    fn get_all(bytes: &[u8], numbers: &mut Vec<Self>) {
        numbers.extend_from_slice(bytes);
    }
    fn put_all(numbers: &[Self], bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(numbers);
    }
}

macro_rules! number {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            const WIDTH: usize = size_of::<$kind>();
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("as many bytes as the number is wide"))
            }
        }
    )*};
}
number!(u16, u32, i32, u64);

/// Writes a file section by section.
pub(super) struct Frame<'a> {
    file: &'a mut File,
    sections: Vec<(u64, u32)>,
    buffer: Vec<u8>,
}

impl Frame<'_> {
    /// Writes the next section.
    pub(super) fn section<N: Number>(&mut self, numbers: &[N]) -> io::Result<()> {
        let mut sum = crc32fast::Hasher::new();
        for chunk in numbers.chunks(CHUNK_BYTES / N::WIDTH) {
            self.buffer.clear();
            N::put_all(chunk, &mut self.buffer);
            sum.update(&self.buffer);
            self.file.write_all(&self.buffer)?;
        }
        self.sections.push(((numbers.len() * N::WIDTH) as u64, sum.finalize()));
        Ok(())
    }
}

/// Replaces a file by `count` sections that `write` writes.
pub(super) fn write(
    path: &Path,
    kind: Kind,
    count: usize,
    write: impl FnOnce(&mut Frame) -> io::Result<()>,
) -> Result<(), CountsError> {
    replace(path, |file| {
        file.write_all(&vec![0; header_bytes(count)])?;
        let mut frame = Frame { file, sections: Vec::new(), buffer: Vec::new() };
        write(&mut frame)?;
        let mut header = MAGIC.to_vec();
        VERSION.put(&mut header);
        (kind as u32).put(&mut header);
        for (len, sum) in frame.sections {
            header.put_u64(len);
            sum.put(&mut header);
        }
        crc32fast::hash(&header).put(&mut header);
        assert_eq!(header.len(), header_bytes(count), "as many sections as were named");
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header)
    })
    .map_err(|error| CountsError::io(path, error))
}

fn header_bytes(sections: usize) -> usize {
    MAGIC.len() + 4 + 4 + sections * 12 + 4
}

/// Reads the sections of a file.
pub(super) struct Framed<'a> {
    path: &'a Path,
    file: File,
    /// Where each section begins, how long it is, and its checksum.
    sections: Vec<(u64, u64, u32)>,
}

impl<'a> Framed<'a> {
    /// Opens a file and checks its header and its length.
    pub(super) fn open(path: &'a Path, kind: Kind, sections: usize) -> Result<Self, CountsError> {
        let mut file = File::open(path).map_err(|error| CountsError::io(path, error))?;
        let mut header = vec![0; header_bytes(sections)];
        let len = file.metadata().map_err(|error| CountsError::io(path, error))?.len();
        let mut read = Vec::new();
        Read::take(&mut file, header.len() as u64)
            .read_to_end(&mut read)
            .map_err(|error| CountsError::io(path, error))?;
        let fault = |fault| CountsError::File { path: path.into(), fault };
        if !read.starts_with(MAGIC) {
            return Err(fault(if MAGIC.starts_with(&read) { Fault::Torn } else { Fault::Foreign }));
        }
        header[..read.len()].copy_from_slice(&read);
        let mut bytes = Bytes(&header[MAGIC.len()..]);
        let torn = || fault(Fault::Torn);
        let version = bytes.u32().ok_or_else(torn)?;
        if read.len() >= MAGIC.len() + 4 && version != VERSION {
            return Err(fault(Fault::Version(version)));
        }
        if read.len() < header.len()
            || crc32fast::hash(&read[..read.len() - 4]).to_le_bytes() != read[read.len() - 4..]
        {
            return Err(torn());
        }
        if bytes.u32() != Some(kind as u32) {
            return Err(fault(Fault::Foreign));
        }
        let mut start = header.len() as u64;
        let mut found = Vec::new();
        for _ in 0..sections {
            let section = (start, bytes.u64().ok_or_else(torn)?, bytes.u32().ok_or_else(torn)?);
            start = start.checked_add(section.1).ok_or_else(torn)?;
            found.push(section);
        }
        if start != len { Err(torn()) } else { Ok(Self { path, file, sections: found }) }
    }

    /// Reads a section and compares its checksum.
    pub(super) fn section<N: Number>(&self, number: usize) -> Result<Vec<N>, CountsError> {
        use std::os::unix::fs::FileExt;

        let (mut at, len, expected) = self.sections[number];
        let mut numbers = Vec::with_capacity(len as usize / N::WIDTH);
        let mut sum = crc32fast::Hasher::new();
        let mut buffer = vec![0; CHUNK_BYTES.min(len as usize)];
        let end = at + len;
        while at < end {
            let chunk = &mut buffer[..CHUNK_BYTES.min((end - at) as usize)];
            self.file.read_exact_at(chunk, at).map_err(|error| CountsError::io(self.path, error))?;
            sum.update(chunk);
            N::get_all(chunk, &mut numbers);
            at += chunk.len() as u64;
        }
        if sum.finalize() == expected { Ok(numbers) } else { Err(self.torn()) }
    }

    /// Says that what was read makes no sense.
    pub(super) fn torn(&self) -> CountsError {
        CountsError::File { path: self.path.into(), fault: Fault::Torn }
    }
}
