//! Names: what the numbers of items stand for, in the order in which they were first told.
//!
//! | section | numbers | holds |
//! |---|---|---|
//! | 0 | u32 | how many bytes each name has |
//! | 1 | u8 | the names, one after the other |
//!
//! The file is replaced before the manifest, which says how many names there must be: what breaks off leaves some too many.
//! No count depends on a number: partners of the same rank go by their names, and what is drawn is drawn by them.

use std::{cmp::Ordering, collections::HashMap, path::Path, sync::Arc};

use super::{
    CountsError, Fault,
    frame::{Framed, Kind, write},
};
use crate::draw::hash;

/// Holds the names of items; all or none of the items have one.
#[derive(Default)]
pub(super) struct Names {
    all: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Names {
    /// Reads the names of a folder, at least `least`.
    pub(super) fn read(folder: &Path, least: u32) -> Result<Self, CountsError> {
        if least == 0 {
            return Ok(Self::default());
        }
        let path = folder.join(FILE_NAME);
        let torn = || CountsError::File { path: path.clone(), fault: Fault::Torn };
        if !path.exists() {
            return Err(torn());
        }
        let file = Framed::open(&path, Kind::Names, 2)?;
        let (lens, bytes) = (file.section::<u32>(0)?, file.section::<u8>(1)?);
        let mut names = Self::default();
        let mut rest = &bytes[..];
        for len in lens {
            let (name, after) = rest.split_at_checked(len as usize).ok_or_else(torn)?;
            names.number(std::str::from_utf8(name).map_err(|_| torn())?);
            rest = after;
        }
        if names.len() < least { Err(torn()) } else { Ok(names) }
    }

    /// Replaces the names of a folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), CountsError> {
        let lens: Vec<u32> = self.all.iter().map(|name| name.len() as u32).collect();
        write(&folder.join(FILE_NAME), Kind::Names, 2, |frame| {
            frame.section(&lens)?;
            frame.section(self.all.concat().as_bytes())
        })
    }

    /// Returns the number of a name, the next one where it is new.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let (number, name) = (self.len(), Arc::<str>::from(name));
        self.all.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    pub(super) fn len(&self) -> u32 {
        self.all.len() as u32
    }

    /// Returns the name of an item, nothing where items have none.
    pub(super) fn get(&self, item: u32) -> &str {
        self.all.get(item as usize).map_or("", |name| name)
    }

    /// Returns what stands for an item where some of many are drawn.
    pub(super) fn hash(&self, item: u32) -> u64 {
        if self.all.is_empty() { u64::from(item) } else { hash(self.get(item)) }
    }

    /// Compares items by name, those without by number.
    pub(super) fn compare(&self, a: u32, b: u32) -> Ordering {
        self.get(a).cmp(self.get(b)).then(a.cmp(&b))
    }
}

const FILE_NAME: &str = "names";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let mut names = Names::default();
        assert_eq!(["TEA", "CUP", "TEA", "Jüg"].map(|name| names.number(name)), [0, 1, 0, 2]);
        names.write(folder.path()).unwrap();
        let mut names = Names::read(folder.path(), 2).unwrap();
        assert_eq!((names.len(), names.get(2), names.get(3)), (3, "Jüg", ""));
        assert_eq!((names.number("Jüg"), names.number("POT")), (2, 3));
        assert_eq!((names.compare(0, 1), names.compare(1, 1)), (Ordering::Greater, Ordering::Equal));
        for least in [4, 5] {
            let said = Names::read(folder.path(), least).err().unwrap().to_string();
            assert!(said.ends_with("names is torn"), "{said}");
        }
        assert_eq!(Names::read(folder.path(), 0).unwrap().len(), 0, "nothing was told");
        std::fs::remove_file(folder.path().join(FILE_NAME)).unwrap();
        assert!(Names::read(folder.path(), 3).is_err());
    }
}
