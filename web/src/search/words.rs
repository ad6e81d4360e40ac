//! Words as the index keeps them: without case, accents and punctuation.

use cart_core::Product;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Is the version of the folding below and of the index made of it: a store whose index is of another makes it again.
pub const INDEX_VERSION: u64 = 1;
/// The longest word in characters; what is longer is cut, on both sides.
pub const WORD_CHARS_MAX: usize = 40;
/// Stands between the fields of a product, so that no phrase reaches from one into the next. No word is like it.
pub const GAP: &str = "·";

/// Returns the words of a text: folded runs of letters and digits. A character of a script that is written without
/// spaces is a word of its own.
///
/// ```
/// # use web::search::words::words;
/// assert_eq!(words("Crème-Brûlée, the CHILDREN’S №5"), ["creme", "brulee", "the", "childrens", "no5"]);
/// assert_eq!(words("Straße in Łódź"), ["strasse", "in", "lodz"]);
/// assert_eq!(words("日本茶 100g"), ["日", "本", "茶", "100g"]);
/// ```
pub fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut length) = (vec![], String::new(), 0);
    let mut end = |word: &mut String, length: &mut usize| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
        *length = 0;
    };
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            // An apostrophe does not end a word.
            '\'' | '’' => {}
            c if is_unspaced(c) => {
                end(&mut word, &mut length);
                word.push(c);
                end(&mut word, &mut length);
            }
            c if c.is_alphanumeric() && length < WORD_CHARS_MAX => {
                match unaccented(c) {
                    Some(letters) => word.push_str(letters),
                    None => word.push(c),
                }
                length += 1;
            }
            c if c.is_alphanumeric() => {}
            _ => end(&mut word, &mut length),
        }
    }
    end(&mut word, &mut length);
    words
}

/// Returns the letters without the stroke that Unicode does not take for an accent.
fn unaccented(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'þ' => "th",
        'ı' => "i",
        _ => return None,
    })
}

/// Reports whether a character belongs to a script without spaces: Han, Hiragana, Katakana.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Returns what the index keeps of a visible product: the words of its fields with gaps between them. A hidden product
/// has none.
pub fn text_of(product: &Product) -> Option<String> {
    if product.hidden {
        return None;
    }
    let labels = product.options.values().chain(product.attributes.values()).map(String::as_str);
    let fields = [&*product.name, product.sku.as_str(), &product.category, &product.description];
    let mut text = String::new();
    for field in fields.into_iter().chain(labels) {
        let words = words(field);
        if !words.is_empty() {
            if !text.is_empty() {
                text.push(' ');
                text.push_str(GAP);
                text.push(' ');
            }
            text.push_str(&words.join(" "));
        }
    }
    Some(text)
}

/// Returns each different word of what the index keeps of a product.
pub fn vocabulary(text: &str) -> std::collections::BTreeSet<&str> {
    text.split(' ').filter(|word| !word.is_empty() && *word != GAP).collect()
}

#[cfg(test)]
mod tests {
    use cart_core::{Currency, Money, Sku};

    use super::*;

    #[test]
    fn a_product_is_kept_field_by_field() {
        let mut mug = Product::new(
            Sku::parse("MUG-1").unwrap(),
            "Poppy Mug",
            Money::new(1, Currency::parse("GBP").unwrap()),
        );
        mug.category = "Kitchen".into();
        mug.options.insert("Size".into(), "Large".into());
        assert_eq!(text_of(&mug).unwrap(), "poppy mug · mug 1 · kitchen · large");
        mug.hidden = true;
        assert_eq!(text_of(&mug), None);
    }

    #[test]
    fn a_word_ends_somewhere() {
        assert_eq!(words(&"x".repeat(100)), ["x".repeat(WORD_CHARS_MAX)]);
        assert_eq!(words("!\"'()*-:^\\"), [""; 0]);
    }
}
