//! What a shopper types, as terms that must all be found.

use super::{QUERY_BYTES_MAX, QUERY_TERMS_MAX, words::words};

/// Is a run of words that must follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The words, folded.
    pub words: Vec<String>,
    /// The last word may go on.
    pub is_prefix: bool,
}

/// Is something to be found: one of its alternatives, of which the first is what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term(pub Vec<Alternative>);

/// Is everything that must be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(pub Vec<Term>);

impl Terms {
    /// Reads a query. Words may come in any order; those between quotes, or written as one with a hyphen, follow each
    /// other. The last word may go on, as somebody may still be typing it, unless a space or a quote ends it. A plural and
    /// its singular find each other. Whatever else is in the query is taken for space.
    pub fn parse(text: &str) -> Self {
        let end = text.floor_char_boundary(QUERY_BYTES_MAX);
        let text = &text[..end];
        let mut terms = vec![];
        let parts: Vec<&str> = text.split(['"', '“', '”', '„', '«', '»']).collect();
        for (n, part) in parts.iter().enumerate() {
            // Between the first quote and the second, the third and the fourth; the last may be missing.
            if n % 2 == 1 {
                terms.extend(term(part, false, false));
            } else {
                let chunks: Vec<&str> = part.split_whitespace().collect();
                let goes_on = n + 1 == parts.len() && !part.ends_with(char::is_whitespace);
                for (at, chunk) in chunks.iter().enumerate() {
                    let is_prefix = goes_on && at + 1 == chunks.len();
                    terms.extend(term(chunk, is_prefix, true));
                }
            }
        }
        terms.truncate(QUERY_TERMS_MAX);
        Self(terms)
    }
}

impl Term {
    /// Returns the only word of the term and whether it may go on; a phrase has none.
    pub fn word(&self) -> Option<(&str, bool)> {
        let first = self.0.first()?;
        match &*first.words {
            [word] => Some((word, first.is_prefix)),
            _ => None,
        }
    }

    /// Returns how the term reads.
    pub fn text(&self) -> String {
        self.0.first().map(|a| a.words.join(" ")).unwrap_or_default()
    }
}

fn term(text: &str, is_prefix: bool, inflects: bool) -> Option<Term> {
    let words = words(text);
    let [word] = &*words else {
        return (!words.is_empty()).then(|| Term(vec![Alternative { words, is_prefix }]));
    };
    let mut alternatives = vec![Alternative { words: vec![word.clone()], is_prefix }];
    if inflects {
        alternatives.extend(
            inflections(word, is_prefix)
                .into_iter()
                .map(|w| Alternative { words: vec![w], is_prefix: false }),
        );
    }
    Some(Term(alternatives))
}

/// Returns the plural or singular forms of a word, as English and its neighbours make them: *mug*, *mugs*; *box*,
/// *boxes*; *berry*, *berries*. A form that is no word costs nothing: it is not found.
fn inflections(word: &str, is_prefix: bool) -> Vec<String> {
    let mut forms = vec![];
    let letters = word.chars().count();
    if letters < 3 || !word.chars().all(char::is_alphabetic) {
        return forms;
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|s| s.len() > 1) {
        forms.push(format!("{stem}y"));
    }
    if let Some(stem) = word.strip_suffix("es").filter(|s| s.len() > 2) {
        forms.push(stem.to_owned());
    }
    if let Some(stem) = word.strip_suffix('s').filter(|s| s.len() > 2 && !s.ends_with('s')) {
        forms.push(stem.to_owned());
    }
    // What may go on finds its plurals by itself, but for those that change a letter.
    if let Some(stem) = word.strip_suffix('y') {
        forms.push(format!("{stem}ies"));
    }
    if !is_prefix {
        forms.push(format!("{word}s"));
        forms.push(format!("{word}es"));
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let alternative = |a: &Alternative| a.words.join("+") + if a.is_prefix { "*" } else { "" };
        let terms = Terms::parse(text).0;
        let first = |t: &Term| alternative(&t.0[0]);
        terms.iter().map(first).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_query_is_read() {
        for (text, expected) in [
            ("", ""),
            ("  ", ""),
            ("Poppy MUG", "poppy mug*"),
            ("poppy mug ", "poppy mug"),
            ("\"tea towel\" blue", "tea+towel blue*"),
            ("\"tea towel\"", "tea+towel"),
            ("blue \"tea tow", "blue tea+tow"),
            ("t-shirt", "t+shirt*"),
            ("“Crème fraîche”", "creme+fraiche"),
            ("NOT (mug) OR * : ^ NEAR(a,b)", "not mug or near+a+b*"),
            ("'; DROP TABLE products; --", "drop table products"),
            ("\"\"\"", ""),
            ("\0\u{202e}mug", "mug*"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_query_has_an_end() {
        assert_eq!(Terms::parse(&"a ".repeat(1_000)).0.len(), QUERY_TERMS_MAX);
        assert!(read(&"é".repeat(10_000)).len() <= QUERY_BYTES_MAX);
    }

    #[test]
    fn plurals_and_singulars_find_each_other() {
        let forms = |word| inflections(word, false);
        assert!(forms("mugs").contains(&"mug".into()));
        assert!(forms("mug").contains(&"mugs".into()));
        assert!(forms("berries").contains(&"berry".into()));
        assert!(forms("berry").contains(&"berries".into()));
        assert!(forms("boxes").contains(&"box".into()));
        assert!(!forms("glass").contains(&"glas".into()));
        assert_eq!(forms("22"), [""; 0]);
    }
}
