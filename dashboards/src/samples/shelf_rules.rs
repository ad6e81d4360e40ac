//! The page of the shelves' rules.

use super::{AS_OF_MS, DAY_MS, HOSTILE, session};
use crate::session::Notice;
use crate::shelf_rules::{RuleState, ShelfRuleChange, ShelfRuleForm, ShelfRuleRow, ShelfRulesPage};

/// Returns the rules, with one in each state, after a form was refused.
pub fn shelf_rules() -> ShelfRulesPage {
    let row = |id: &str, words: &str, note: &str, days: Option<(i64, i64)>, state| ShelfRuleRow {
        id: id.into(),
        words: words.into(),
        note: note.into(),
        shelves: days.map_or_else(Vec::new, |_| vec!["Bought together".into(), "Popular".into()]),
        from_ms: days.map(|(from, _)| AS_OF_MS + from * DAY_MS),
        until_ms: days.map(|(_, until)| AS_OF_MS + until * DAY_MS),
        state,
    };
    let change = |reason: &str, days, count| ShelfRuleChange {
        reason: reason.into(),
        by: "mara".into(),
        at_ms: AS_OF_MS - days * DAY_MS,
        count,
    };
    ShelfRulesPage {
        session: session(),
        notice: Some(Notice::Refused("Rule \"top\": place must be 1 to 20.".into())),
        revision: 2,
        rows: vec![
            row("no-vouchers", "Never offers: category Vouchers", "", None, RuleState::InForce),
            row("warm", "Boosts to 200 %: season=winter", HOSTILE, Some((2, 90)), RuleState::ToCome),
            row("xmas", "Puts LANTERN at place 1", "Christmas", Some((-300, -200)), RuleState::Over),
        ],
        form: ShelfRuleForm {
            id: "top".into(),
            kind: "pin".into(),
            skus: "LANTERN".into(),
            place: "0".into(),
            shelves: vec!["popular".into()],
            reason: "the season begins".into(),
            ..ShelfRuleForm::default()
        },
        shelves: [("bought_together", "Bought together"), ("popular", "Popular")]
            .map(|(name, title)| (name.to_owned(), title.to_owned()))
            .into(),
        json: "[\n  {\"id\": \"no-vouchers\"}\n]".into(),
        changes: vec![change("winter is coming", 1, 3), change(HOSTILE, 300, 2)],
    }
}
