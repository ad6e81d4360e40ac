//! Payloads that only those with a key can read: AES-128-CBC with PKCS#7 padding, as GrowthBook's SDKs do.
//!
//! It hides targeting from the curious; it does not prove who wrote the payload. The ciphers are RustCrypto's.

use aes::Aes128;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

use crate::json::{Json, Object};

/// The parts of a payload that are encrypted, under their plain and their encrypted names.
const PARTS: [(&str, &str); 4] = [
    ("features", "encryptedFeatures"),
    ("experiments", "encryptedExperiments"),
    ("savedGroups", "encryptedSavedGroups"),
    ("contextualBandits", "encryptedContextualBandits"),
];

/// Says why something cannot be encrypted or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// The key is not base64 of 16 bytes.
    #[error("key is not base64 of 16 bytes")]
    Key,
    /// The text is not an initialisation vector and a ciphertext, both base64, with a dot between.
    #[error("text is not `<base64 of 16 bytes>.<base64>`")]
    Shape,
    /// Another key was used, or the text has changed.
    #[error("text does not open under this key")]
    Sealed,
}

/// Encrypts a text under a key, base64 of 16 bytes.
///
/// The caller draws `iv`, new for each text and not to be guessed; this crate draws nothing.
///
/// # Errors
/// [`EncryptionError::Key`].
///
/// ```
/// use experiments::growthbook::encryption::{decrypt, encrypt};
/// let (key, text) = ("BwcHBwcHBwcHBwcHBwcHBw==", r#"{"f":{"defaultValue":1}}"#);
/// let sealed = encrypt(text, key, &[1; 16])?;
/// assert_eq!(sealed, "AQEBAQEBAQEBAQEBAQEBAQ==.r1aOMTnSAC1/wLNsbhsVoLJ/dA0peCkopgHd/yC3qgg=");
/// assert_eq!(decrypt(&sealed, key)?, text);
/// # Ok::<(), experiments::growthbook::encryption::EncryptionError>(())
/// ```
pub fn encrypt(text: &str, key: &str, iv: &[u8; 16]) -> Result<String, EncryptionError> {
    let cipher = cbc::Encryptor::<Aes128>::new(&key_bytes(key)?.into(), iv.into());
    // Padding fills the last block, and is a block of its own where the text ends with one.
    let mut buffer = vec![0; (text.len() / 16 + 1) * 16];
    buffer[..text.len()].copy_from_slice(text.as_bytes());
    let sealed =
        cipher.encrypt_padded::<Pkcs7>(&mut buffer, text.len()).map_err(|_| EncryptionError::Shape)?;
    Ok(format!("{}.{}", BASE64.encode(iv), BASE64.encode(sealed)))
}

/// Decrypts a text.
///
/// # Errors
/// [`EncryptionError`], saying whether key, text or their match is at fault.
pub fn decrypt(sealed: &str, key: &str) -> Result<String, EncryptionError> {
    let key = key_bytes(key)?;
    let mut parts = sealed.split('.');
    let mut part = || BASE64.decode(parts.next()?).ok();
    let (Some(iv), Some(mut buffer)) = (part(), part()) else { return Err(EncryptionError::Shape) };
    let iv: [u8; 16] = iv.try_into().map_err(|_| EncryptionError::Shape)?;
    let cipher = cbc::Decryptor::<Aes128>::new(&key.into(), &iv.into());
    let opened = cipher.decrypt_padded::<Pkcs7>(&mut buffer).map_err(|_| EncryptionError::Sealed)?;
    String::from_utf8(opened.to_vec()).map_err(|_| EncryptionError::Sealed)
}

/// Encrypts the parts of a payload and leaves the SDKs empty ones in their place.
///
/// `draw_iv` is called once for each part.
///
/// # Errors
/// [`EncryptionError::Key`].
pub fn encrypt_payload(
    payload: &Object,
    key: &str,
    mut draw_iv: impl FnMut() -> [u8; 16],
) -> Result<Object, EncryptionError> {
    let mut sealed = payload.without(&["savedGroups", "contextualBandits"]);
    sealed = sealed.with("features", Object::default());
    sealed = sealed.with("experiments", Json::Array(Vec::new()));
    for (plain, encrypted) in PARTS {
        if let Some(part) = payload.get(plain) {
            sealed = sealed.with(encrypted, encrypt(&part.to_string(), key, &draw_iv())?);
        }
    }
    Ok(sealed)
}

/// Decrypts the parts of a payload that are encrypted.
///
/// # Errors
/// [`EncryptionError`]; a part that opens and is no JSON counts as sealed.
pub fn decrypt_payload(payload: &Object, key: &str) -> Result<Object, EncryptionError> {
    let mut opened = payload.without(&PARTS.map(|(_, encrypted)| encrypted));
    for (plain, encrypted) in PARTS {
        if let Some(Json::String(part)) = payload.get(encrypted) {
            let json = Json::parse(&decrypt(part, key)?).map_err(|_| EncryptionError::Sealed)?;
            opened = opened.with(plain, json);
        }
    }
    Ok(opened)
}

/// Names the first part of a payload that only those with a key can read.
///
/// ```
/// use experiments::growthbook::encryption::sealed_part;
/// let payload = experiments::json::Json::parse(r#"{"features": {}, "encryptedFeatures": "AQ==.Ag=="}"#).unwrap();
/// assert_eq!(sealed_part(payload.as_object().unwrap()), Some("encryptedFeatures"));
/// ```
pub fn sealed_part(payload: &Object) -> Option<&'static str> {
    let mut names = PARTS.iter().map(|(_, encrypted)| *encrypted);
    names.find(|name| payload.get(name).is_some_and(Json::is_truthy))
}

fn key_bytes(key: &str) -> Result<[u8; 16], EncryptionError> {
    BASE64.decode(key).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(EncryptionError::Key)
}
