//! Lists of values to look for one in.

use std::borrow::Cow;

use crate::json::Json;

/// Holds the values of a list, sorted: saved groups hold tens of thousands of ids.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    texts: Vec<Box<str>>,
    numbers: Vec<f64>,
    has_null: bool,
    has_true: bool,
    has_false: bool,
    folds_case: bool,
}

impl List {
    pub(super) fn new(values: &[Json], folds_case: bool) -> List {
        let mut list = List { folds_case, ..List::default() };
        for value in values {
            match value {
                Json::Null => list.has_null = true,
                Json::Bool(true) => list.has_true = true,
                Json::Bool(false) => list.has_false = true,
                Json::Number(_) => list.numbers.push(plain(value.to_number())),
                Json::String(text) => list.texts.push(fold(text, folds_case).into()),
                // Lists and objects are equal to nothing but themselves.
                Json::Array(_) | Json::Object(_) => {}
            }
        }
        list.texts.sort_unstable();
        list.numbers.sort_unstable_by(f64::total_cmp);
        list
    }

    /// Returns whether the value, or any item of it where it is a list, is strictly one of these.
    pub(super) fn has(&self, value: &Json) -> bool {
        match value {
            Json::Array(items) => items.iter().any(|item| self.has_one(item)),
            one => self.has_one(one),
        }
    }

    fn has_one(&self, value: &Json) -> bool {
        match value {
            Json::Null => self.has_null,
            Json::Bool(true) => self.has_true,
            Json::Bool(false) => self.has_false,
            Json::Number(_) => {
                let number = plain(value.to_number());
                self.numbers.binary_search_by(|one| one.total_cmp(&number)).is_ok()
            }
            Json::String(text) => {
                let text = fold(text, self.folds_case);
                self.texts.binary_search_by(|one| (**one).cmp(&text)).is_ok()
            }
            Json::Array(_) | Json::Object(_) => false,
        }
    }
}

/// Makes one zero of both.
fn plain(number: f64) -> f64 {
    number + 0.0
}

fn fold(text: &str, folds_case: bool) -> Cow<'_, str> {
    if folds_case { text.to_lowercase().into() } else { text.into() }
}
