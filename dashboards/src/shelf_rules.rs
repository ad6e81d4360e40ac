//! The rules of the shelves: what is in force, a form for one of them, and who changed what.

use serde::Serialize;

use crate::moment::Moment;
use crate::session::{Notice, Session};

/// What a rule can do, in words.
const TYPES: [(&str, &str); 5] = [
    ("exclude", "Never offer them"),
    ("boost", "Let them come sooner, or later"),
    ("pin", "Put one product at a place"),
    ("spread", "Offer only so many of a category at once"),
    ("once", "Never offer them again to whoever bought them"),
];

/// Says when a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleState {
    /// It holds.
    InForce,
    /// It is still to begin.
    ToCome,
    /// It has ended.
    Over,
}

/// Holds a rule as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfRuleRow {
    /// Its name.
    pub id: String,
    /// What it does, in a sentence.
    pub words: String,
    /// What it is for; may be empty.
    pub note: String,
    /// The shelves that it is for, by their names for people; none for all.
    pub shelves: Vec<String>,
    /// When it begins, Unix milliseconds UTC.
    pub from_ms: Option<i64>,
    /// When it ends.
    pub until_ms: Option<i64>,
    /// When it holds.
    pub state: RuleState,
}

/// Holds a change of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfRuleChange {
    /// Why.
    pub reason: String,
    /// Who did it.
    pub by: String,
    /// When, Unix milliseconds UTC.
    pub at_ms: i64,
    /// How many rules there were after it.
    pub count: usize,
}

/// Holds what was typed into the form of a rule; texts stay as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ShelfRuleForm {
    /// The rule's name.
    pub id: String,
    /// What it does.
    pub kind: String,
    /// What it is for.
    pub note: String,
    /// The shelves that were chosen.
    pub shelves: Vec<String>,
    /// When it begins.
    pub from: String,
    /// When it ends.
    pub until: String,
    /// SKUs, one a line.
    pub skus: String,
    /// Categories, one a line.
    pub categories: String,
    /// Attributes, one a line.
    pub attributes: String,
    /// By how much, of a boost.
    pub percent: String,
    /// The place, of a pin.
    pub place: String,
    /// How many, where categories are spread.
    pub most: String,
    /// Why the rules are changed.
    pub reason: String,
}

/// Holds what the page of the rules shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ShelfRulesPage {
    /// Who reads it.
    pub session: Session,
    /// What the last action did.
    pub notice: Option<Notice>,
    /// The number of the last change.
    pub revision: u64,
    /// The rules in their order.
    pub rows: Vec<ShelfRuleRow>,
    /// The form of one rule.
    pub form: ShelfRuleForm,
    /// The shelves: name and name for people.
    pub shelves: Vec<(String, String)>,
    /// All rules as JSON.
    pub json: String,
    /// What was changed, the newest first.
    pub changes: Vec<ShelfRuleChange>,
}

#[derive(Serialize)]
struct StateView {
    tone: &'static str,
    icon: &'static str,
    label: &'static str,
}

#[derive(Serialize)]
struct RowView<'a> {
    id: &'a str,
    words: &'a str,
    note: &'a str,
    shelves: String,
    from: Option<Moment>,
    until: Option<Moment>,
    state: StateView,
}

#[derive(Serialize)]
struct ChangeView<'a> {
    reason: &'a str,
    by: &'a str,
    at: Moment,
    count: usize,
}

#[derive(Serialize)]
struct Choice<'a> {
    value: &'a str,
    label: &'a str,
    is_chosen: bool,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    revision: u64,
    rows: Vec<RowView<'a>>,
    form: &'a ShelfRuleForm,
    is_known: bool,
    types: Vec<Choice<'a>>,
    shelves: Vec<Choice<'a>>,
    json: &'a str,
    lines: usize,
    changes: Vec<ChangeView<'a>>,
}

impl ShelfRulesPage {
    pub(crate) fn view(&self) -> View<'_> {
        let kind = if self.form.kind.is_empty() { TYPES[0].0 } else { &self.form.kind };
        View {
            revision: self.revision,
            rows: self.rows.iter().map(ShelfRuleRow::view).collect(),
            form: &self.form,
            is_known: self.rows.iter().any(|row| row.id == self.form.id),
            types: TYPES.map(|(value, label)| Choice { value, label, is_chosen: value == kind }).into(),
            shelves: self
                .shelves
                .iter()
                .map(|(value, label)| Choice { value, label, is_chosen: self.form.shelves.contains(value) })
                .collect(),
            json: &self.json,
            lines: self.json.lines().count().clamp(6, 30),
            changes: self.changes.iter().map(ShelfRuleChange::view).collect(),
        }
    }
}

impl ShelfRuleRow {
    fn view(&self) -> RowView<'_> {
        let state = match self.state {
            RuleState::InForce => StateView { tone: "good", icon: "check", label: "In force" },
            RuleState::ToCome => StateView { tone: "calm", icon: "wait", label: "To come" },
            RuleState::Over => StateView { tone: "calm", icon: "box", label: "Over" },
        };
        RowView {
            id: &self.id,
            words: &self.words,
            note: &self.note,
            shelves: if self.shelves.is_empty() { "all".into() } else { self.shelves.join(", ") },
            from: self.from_ms.map(Moment::of),
            until: self.until_ms.map(Moment::of),
            state,
        }
    }
}

impl ShelfRuleChange {
    fn view(&self) -> ChangeView<'_> {
        ChangeView { reason: &self.reason, by: &self.by, at: Moment::of(self.at_ms), count: self.count }
    }
}
