//! Passwords: which are good enough, and how they are kept.
//!
//! The rules are those of NIST SP 800-63B-4, section 3.1.1.2 (<https://pages.nist.gov/800-63-4/sp800-63b.html>): long
//! rather than odd, every character allowed, none demanded, and nothing that everybody tries first.

use std::{sync::Arc, time::Duration};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};
use unicode_normalization::UnicodeNormalization;

/// The longest password in bytes: a page of text, and a bound on what hashing reads.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// How long somebody waits for a core that hashes.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// A hash that no password has, so that an unknown account takes as long as a wrong password.
pub const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$YWFhYWFhYWFhYWFhYWFhYQ$lJDqDgv5kWp3Fk0yCh5Rrr1eFKxG0Yxg3VSfPDwTZ0k";
/// What people type where they must type much.
const COMMON: [&str; 14] = [
    "password",
    "passwort",
    "letmein",
    "iloveyou",
    "welcome",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "zxcvbnm",
    "correcthorsebatterystaple",
    "administrator",
    "changeme",
    "football",
    "1q2w3e4r5t",
];

/// Checks a new password.
///
/// # Errors
/// What is wrong with it, as a sentence fragment.
pub fn admit(password: &str, email: &str, chars_min: usize) -> Result<(), String> {
    let chars = password.chars().count();
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(format!("is too long; {PASSWORD_BYTES_MAX} bytes are the most"));
    }
    if chars < chars_min {
        return Err(format!("needs at least {chars_min} characters; a few words with spaces do"));
    }
    if is_guessable(&password.to_lowercase(), email) {
        return Err("is one of the first that anybody would try; choose another".into());
    }
    Ok(())
}

/// A common word, an e-mail address or a run such as 1234, over and over or with a few characters around it.
fn is_guessable(password: &str, email: &str) -> bool {
    let mut rest: String = password.chars().filter(|c| !c.is_whitespace()).collect();
    let user = email.split('@').next().unwrap_or_default();
    let own = [email, user].into_iter().filter(|text| text.len() > 3);
    for word in own.chain(COMMON) {
        rest = rest.replace(word, "");
    }
    let letters: Vec<char> = rest.chars().collect();
    let is_step = |w: &[char], step: i64| i64::from(u32::from(w[1])) - i64::from(u32::from(w[0])) == step;
    let steps = |step| letters.windows(2).filter(|w| is_step(w, step)).count();
    let runs = steps(0).max(steps(1)).max(steps(-1));
    // What is left must be more than a run of one kind and a few odd characters.
    letters.len().saturating_sub(runs) < 6
}

/// Hashes a password with Argon2id and a salt of its own.
///
/// # Errors
/// Where the system gives no randomness.
pub fn hash(password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(normal(password).as_bytes());
    Ok(hash.map_err(|e| anyhow::anyhow!("the password could not be hashed: {e}"))?.to_string())
}

/// Reports whether a password is the one that was hashed. Slow on purpose.
pub fn is_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|h| Argon2::default().verify_password(normal(password).as_bytes(), &h).is_ok())
}

/// Keyboards spell one character in several ways; all of them are one password.
fn normal(password: &str) -> String {
    password.nfkc().collect()
}

/// Hashes off the workers, on few cores at once: each hash takes 19 MiB and a core's whole attention for a while.
#[derive(Clone, Debug)]
pub struct Hasher(Arc<Semaphore>);

impl Hasher {
    /// Returns a hasher that works on so many passwords at once.
    pub fn new(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once.max(1))))
    }

    /// Hashes; `None` where too many others wait.
    pub async fn hash(&self, password: &str) -> Option<String> {
        let (permit, password) = (self.turn().await?, password.to_owned());
        let work = move || {
            let _permit = permit;
            hash(&password)
        };
        spawn_blocking(work).await.ok()?.inspect_err(|error| tracing::error!(%error, "no hash")).ok()
    }

    /// Compares; `None` where too many others wait.
    pub async fn is_password(&self, password: &str, hash: &str) -> Option<bool> {
        let (permit, password, hash) = (self.turn().await?, password.to_owned(), hash.to_owned());
        let work = move || {
            let _permit = permit;
            is_password(&password, &hash)
        };
        spawn_blocking(work).await.ok()
    }

    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        timeout(WAIT_MAX, self.0.clone().acquire_owned()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let stored = hash("correct horse battery").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(is_password("correct horse battery", &stored));
        assert!(!is_password("correct horse batterz", &stored));
        assert!(!is_password("", "not a hash"));
        assert!(is_password("cafe\u{301}", &hash("caf\u{e9}").unwrap()), "one character, two spellings");
    }

    #[test]
    fn nobody_has_a_well_formed_hash() {
        assert!(PasswordHash::new(NOBODY).is_ok());
    }

    #[test]
    fn a_password_is_long_and_not_the_first_guess() {
        let email = "ada.lovelace@example.org";
        for good in [
            "seven geese over Bath",
            "ÅngströmÅngström über",
            "k4#Vq9!tZ2@wR7$",
            "tea at the analytical engine",
        ] {
            assert_eq!(admit(good, email, 15), Ok(()), "{good}");
        }
        for bad in [
            "short",
            "passwordpassword",
            "Password Password 1",
            "aaaaaaaaaaaaaaaaaaaa",
            "123456789012345678",
            "abcdefghijklmnopqrst",
            "ada.lovelace@example.org",
            "ada.lovelace2026",
            "qwertyuiopasdfghjkl",
        ] {
            assert!(admit(bad, email, 15).is_err(), "{bad}");
        }
        assert!(admit(&"xy z".repeat(300), email, 15).is_err(), "longer than the most");
    }
}
