//! The shop's secret keys: what it gives to browsers to keep is sealed, so that nobody else can read or change it.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): its nonce has 192 bits, so random ones never meet. The first key
//! seals and every key opens: a new one is put in front, and an old one taken away once what it sealed is too old.
//! What a text is for is part of what is authenticated, so a text sealed for one purpose opens for no other.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

/// The most keys: a new one every quarter, and what was sealed in two years still opens.
pub const KEYS_MAX: usize = 8;
/// The longest name of a key in bytes: a date, or a short word.
pub const KEY_NAME_BYTES_MAX: usize = 16;
/// The file below the data folder that holds the keys, where the configuration names none.
const FILE: &str = "session.keys";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Is the keys of a shop, the one that seals first.
pub struct Keyring {
    keys: Vec<Key>,
}

struct Key {
    name: String,
    cipher: XChaCha20Poly1305,
}

/// Is what a sealed text held.
pub struct Opened {
    /// The content.
    pub content: Vec<u8>,
    /// It was sealed with the key that seals today.
    pub is_newest: bool,
}

/// Says why a text does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is no sealed text.
    #[error("it is not a sealed text")]
    Malformed,
    /// The shop does not have the key any more, or never had it.
    #[error("it was sealed with a key that the shop does not have")]
    UnknownKey,
    /// It was changed, or sealed for something else.
    #[error("it was changed, or sealed for something else")]
    Forged,
}

impl Keyring {
    /// Parses keys, each `name:` and 32 bytes in base64.
    ///
    /// # Errors
    /// Says which key is wrong, without showing it.
    pub fn parse<S: AsRef<str>>(texts: &[S]) -> anyhow::Result<Self> {
        anyhow::ensure!(!texts.is_empty(), "there is no key; write at least one");
        anyhow::ensure!(texts.len() <= KEYS_MAX, "there are {} keys, the most is {KEYS_MAX}", texts.len());
        let mut keys: Vec<Key> = vec![];
        for (number, text) in (1..).zip(texts) {
            let key = Key::parse(text.as_ref()).with_context(|| format!("key {number} is not right"))?;
            anyhow::ensure!(keys.iter().all(|k| k.name != key.name), "two keys are called {}", key.name);
            keys.push(key);
        }
        Ok(Self { keys })
    }

    /// Takes the keys of a file in a folder, which is made where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read or made, or a key is wrong.
    pub fn of_file(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_file(folder, &path).with_context(|| format!("cannot make {}", path.display()))?;
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        if fs::metadata(&path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0) {
            tracing::warn!(file = %path.display(), "others may read the shop's keys; chmod 600");
        }
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        Self::parse(&lines).with_context(|| format!("{} is not right", path.display()))
    }

    /// Seals a content for a purpose: `name.base64url`.
    pub fn seal(&self, purpose: &str, content: &[u8]) -> String {
        let Key { name, cipher } = &self.keys[0];
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: content, aad: &bound(purpose, name) };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).expect("memory holds what it held");
        let bytes: Vec<u8> = nonce.into_iter().chain(sealed).collect();
        format!("{name}.{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens what was sealed for a purpose.
    ///
    /// # Errors
    /// [`OpenError`] where this shop did not seal it so.
    pub fn open(&self, purpose: &str, text: &str) -> Result<Opened, OpenError> {
        let (name, encoded) = text.split_once('.').ok_or(OpenError::Malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| OpenError::Malformed)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Malformed)?;
        let at = self.keys.iter().position(|k| k.name == name).ok_or(OpenError::UnknownKey)?;
        let payload = Payload { msg: sealed, aad: &bound(purpose, name) };
        let content = self.keys[at].cipher.decrypt(&XNonce::from(*nonce), payload);
        Ok(Opened { content: content.map_err(|_| OpenError::Forged)?, is_newest: at == 0 })
    }
}

impl Key {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let (name, encoded) = text.split_once(':').context("it has no name; write name:base64")?;
        let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        anyhow::ensure!(
            (1..=KEY_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_name),
            "its name must be 1 to {KEY_NAME_BYTES_MAX} letters, digits, '-' or '_'"
        );
        let bytes = STANDARD.decode(encoded.trim()).context("after its name stands no base64")?;
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|b: Vec<u8>| {
            anyhow::anyhow!("it has {} bytes, not {KEY_BYTES}: openssl rand -base64 {KEY_BYTES}", b.len())
        })?;
        Ok(Self { name: name.to_owned(), cipher: XChaCha20Poly1305::new(&bytes.into()) })
    }
}

/// What is authenticated beside the content.
fn bound(purpose: &str, key: &str) -> Vec<u8> {
    format!("cartwright {purpose}\0{key}").into_bytes()
}

/// Makes a file with one key, whole or not at all; another process that makes it at the same time wins or loses.
fn make_file(folder: &Path, path: &PathBuf) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let key: [u8; KEY_BYTES] = rand::random();
    // A temporary file is readable by its owner alone.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "k{:08x}:{}", rand::random::<u32>(), STANDARD.encode(key))?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(keys: &[(&str, u8)]) -> Keyring {
        let texts: Vec<String> =
            keys.iter().map(|(name, byte)| format!("{name}:{}", STANDARD.encode([*byte; 32]))).collect();
        Keyring::parse(&texts).unwrap()
    }

    fn error(texts: &[&str]) -> String {
        format!("{:#}", Keyring::parse(texts).err().unwrap())
    }

    #[test]
    fn what_was_sealed_opens_for_its_purpose_alone() {
        let ring = ring(&[("a", 1)]);
        let text = ring.seal("cookie 1", b"token");
        assert_eq!(ring.open("cookie 1", &text).unwrap().content, b"token");
        assert_eq!(ring.open("snapshot 1", &text).err(), Some(OpenError::Forged));
        assert_ne!(ring.seal("cookie 1", b"token"), text, "each has a nonce of its own");
    }

    #[test]
    fn any_changed_character_is_noticed() {
        let ring = ring(&[("a", 1)]);
        let text = ring.seal("p", b"token");
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(ring.open("p", &changed).is_err(), "{changed}");
        }
        for broken in ["", ".", "a", "a.", "a.AA", "a.!!"] {
            assert_eq!(ring.open("p", broken).err(), Some(OpenError::Malformed), "{broken}");
        }
    }

    #[test]
    fn keys_are_rotated() {
        let old = ring(&[("a", 1)]);
        let text = old.seal("p", b"x");
        let both = ring(&[("b", 2), ("a", 1)]);
        assert!(!both.open("p", &text).unwrap().is_newest);
        assert!(both.open("p", &both.seal("p", b"x")).unwrap().is_newest);
        assert_eq!(ring(&[("b", 2)]).open("p", &text).err(), Some(OpenError::UnknownKey));
        // A key of the same name that is another key.
        assert_eq!(ring(&[("a", 2)]).open("p", &text).err(), Some(OpenError::Forged));
    }

    #[test]
    fn a_wrong_key_is_told_and_not_shown() {
        let good = format!("a:{}", STANDARD.encode([1; 32]));
        assert!(error(&[]).contains("no key"));
        assert!(error(&[&good, &good]).contains("two keys are called a"));
        assert!(error(&[&good, "secret"]).contains("key 2 is not right: it has no name"));
        assert!(error(&["a:c2hvcnQ="]).contains("has 5 bytes, not 32"));
        assert!(!error(&["a:c2VjcmV0!"]).contains("c2VjcmV0"));
        assert!(error(&["a.b:c2hvcnQ="]).contains("its name must be"));
    }

    #[test]
    fn the_file_is_made_once_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let text = Keyring::of_file(&data).unwrap().seal("p", b"x");
        let again = Keyring::of_file(&data).unwrap();
        assert_eq!(again.open("p", &text).unwrap().content, b"x");
        let mode = fs::metadata(data.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing else is left behind");
    }
}
