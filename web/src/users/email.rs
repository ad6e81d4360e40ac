//! E-mail addresses as names to log in with.

use cart_core::{details::is_email, limits::FIELD_BYTES_MAX};

/// Returns the spelling that an account is known by; case makes no account.
///
/// # Errors
/// What is wrong with the text, as a sentence fragment.
pub fn parse(text: &str) -> Result<String, &'static str> {
    let email = text.trim().to_lowercase();
    match email.len() {
        0 => Err("is needed"),
        n if n > FIELD_BYTES_MAX => Err("is too long; 200 bytes are the most"),
        _ if email.chars().any(char::is_control) => Err("holds a control character"),
        _ => is_email(&email).map(|()| email),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_one_account_however_it_is_typed() {
        assert_eq!(parse("  Ada@Example.ORG "), Ok("ada@example.org".into()));
        for bad in ["", "ada", "ada@", "a b@example.org", "ada@example.org\u{0}"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse(&format!("{}@example.org", "a".repeat(200))).is_err());
    }
}
