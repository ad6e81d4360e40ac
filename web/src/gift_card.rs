//! The codes of gift cards. They are money, so they are kept nowhere: a digest stands for each.

use std::fmt::Write;

use cart_core::{
    GiftCard, GiftCardId,
    limits::{GIFT_CARD_CODE_MAX, GIFT_CARD_CODE_MIN},
};
use sha2::{Digest, Sha256};

/// Names why a card has its first amount.
pub const ISSUE: &str = "issue";

/// What codes are made of: digits and letters that nobody takes for others, 32 of them.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Makes a code of 80 random bits, in groups of four.
pub fn fresh_code() -> String {
    let bytes: [u8; GIFT_CARD_CODE_MIN] = rand::random();
    let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// Reads a code as people type it: case, spaces and dashes do not matter.
///
/// # Errors
/// Says what a code is.
pub fn of_code(text: &str) -> Result<GiftCard, String> {
    let code: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let code = code.to_ascii_uppercase();
    let is_code = (GIFT_CARD_CODE_MIN..=GIFT_CARD_CODE_MAX).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_code {
        return Err(format!(
            "a gift card's code has {GIFT_CARD_CODE_MIN} to {GIFT_CARD_CODE_MAX} letters and digits; compare it with the card"
        ));
    }
    let digest = Sha256::new().chain_update(b"cartwright gift card 1:").chain_update(&code).finalize();
    let hex = digest.iter().take(16).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a text takes text");
        hex
    });
    let id = GiftCardId::parse(&hex).expect("hexadecimal digits are an id");
    Ok(GiftCard { id, last4: code[code.len() - 4..].to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_code_is_one_and_no_other() {
        let (one, other) = (fresh_code(), fresh_code());
        assert_ne!(one, other);
        assert_eq!((one.len(), of_code(&one).unwrap().last4), (19, one[15..].to_owned()));
    }

    #[test]
    fn a_code_is_read_as_people_type_it_and_cannot_be_read_back() {
        let card = of_code("abcd-efgh 2345-6789").unwrap();
        assert_eq!(card, of_code("ABCDEFGH23456789").unwrap());
        assert_ne!(card.id, of_code("ABCDEFGH23456780").unwrap().id);
        assert_eq!((card.last4.as_str(), card.id.as_str().len()), ("6789", 32));
        for bad in
            ["", "SHORT", "ABCDEFGH2345678", &"A".repeat(41), "ABCDEFGH2345678\u{e9}", "ABCDEFGH2345678!"]
        {
            assert!(of_code(bad).is_err(), "{bad:?}");
        }
    }
}
