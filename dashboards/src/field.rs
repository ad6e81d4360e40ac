//! One field of a form: its label, hint and error, and what may be chosen.

use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Choice<'a> {
    pub value: &'a str,
    pub label: &'a str,
    pub is_chosen: bool,
}

#[derive(Serialize, Default)]
pub(crate) struct Field<'a> {
    pub name: String,
    pub label: &'static str,
    pub value: &'a str,
    pub hint: Option<&'static str>,
    pub error: Option<&'a str>,
    pub warning: Option<&'a str>,
    /// The ids of its hint and error.
    pub described_by: String,
    pub unit: Option<&'static str>,
    pub options: Vec<Choice<'a>>,
    /// The choices under which it is asked for, as classes of the style sheet; empty for all.
    pub kinds: &'static str,
    /// Whether what may be chosen folds into a list, being too much to stand open.
    pub is_list: bool,
    /// Lines of a text area; 0 for a single line.
    pub lines: usize,
    pub is_code: bool,
    pub is_wide: bool,
    pub is_fixed: bool,
}

impl Field<'_> {
    /// Ties the field to its hint and error, once both are known.
    fn described(mut self) -> Self {
        let hint = self.hint.map(|_| format!("{}-hint", self.name));
        let error = self.error.map(|_| format!("{}-error", self.name));
        let warning = self.warning.map(|_| format!("{}-warning", self.name));
        self.described_by = hint.into_iter().chain(error).chain(warning).collect::<Vec<_>>().join(" ");
        self
    }
}

pub(crate) fn described(fields: Vec<Field<'_>>) -> Vec<Field<'_>> {
    fields.into_iter().map(Field::described).collect()
}

pub(crate) fn choice<'a>((value, label): (&'a str, &'a str), chosen: &str) -> Choice<'a> {
    Choice { value, label, is_chosen: value == chosen }
}
