//! The page of the shelves' rules.

use actix_web::{
    HttpResponse,
    web::{Data, Path, Query},
};
use dashboards::{
    Notice, Pages, RuleState, Session, ShelfRuleChange, ShelfRuleForm, ShelfRuleRow, ShelfRulesPage,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Did, html, html_with,
    login::{Sent, SignedIn},
    refusal, see_other,
};
use crate::{
    api::shelf_rules::save_rules,
    clock,
    problem::{Kind, Problem},
    shelves::{
        ShelfName,
        rules::{Act, Choice, Rule, Rules},
    },
    shop::Shop,
    storefront::form::Form,
};

const DONE: &[(&str, &str)] = &[("saved", "Saved. Pages obey the rules within a second or two.")];

#[derive(Deserialize)]
pub(super) struct Wanted {
    /// The rule that stands in the form.
    rule: Option<String>,
}

async fn page(
    shop: &Shop,
    session: Session,
    form: ShelfRuleForm,
    notice: Option<Notice>,
) -> Result<ShelfRulesPage, Problem> {
    shop.shelves.rulebook.refresh(&*shop.store).await?;
    let history = shop.shelves.rulebook.history(&*shop.store).await?;
    let (rules, now_ms) = (shop.shelves.rulebook.get(), clock::now_ms());
    let title = |shelf: ShelfName| (shelf.name().to_owned(), shelf.title().to_owned());
    Ok(ShelfRulesPage {
        session,
        notice,
        revision: history.first().map_or(0, |last| last.revision),
        rows: rules.rules().iter().map(|rule| row(rule, now_ms)).collect(),
        form,
        shelves: ShelfName::ALL.map(title).into(),
        json: serde_json::to_string_pretty(&*rules).expect("rules are plain values"),
        changes: history
            .into_iter()
            .map(|saved| ShelfRuleChange {
                count: Rules::parse(&saved.text).map_or(0, |rules| rules.rules().len()),
                reason: saved.reason,
                by: saved.saved_by,
                at_ms: saved.saved_at_ms,
            })
            .collect(),
    })
}

fn row(rule: &Rule, now_ms: i64) -> ShelfRuleRow {
    ShelfRuleRow {
        id: rule.id.clone(),
        words: words(&rule.act),
        note: rule.note.clone(),
        shelves: rule.shelves.iter().map(|shelf| shelf.title().to_owned()).collect(),
        from_ms: rule.from_ms,
        until_ms: rule.until_ms,
        state: match () {
            () if rule.from_ms.is_some_and(|from| now_ms < from) => RuleState::ToCome,
            () if rule.until_ms.is_some_and(|until| until <= now_ms) => RuleState::Over,
            () => RuleState::InForce,
        },
    }
}

fn words(act: &Act) -> String {
    match act {
        Act::Exclude(choice) => format!("Never offers {}", named(choice)),
        Act::Boost { choice, percent: percent @ 100.. } => {
            format!("Boosts to {percent} %: {}", named(choice))
        }
        Act::Boost { choice, percent } => format!("Puts back to {percent} %: {}", named(choice)),
        Act::Pin { sku, place } => format!("Puts {sku} at place {place}"),
        Act::Spread { most } => format!("Offers at most {most} of a category at once"),
        Act::Once(choice) => format!("Never again, to whoever bought them: {}", named(choice)),
    }
}

fn named(choice: &Choice) -> String {
    /// So many are named before the rest is counted.
    const NAMED: usize = 4;
    let skus = choice.skus.iter().map(ToString::to_string);
    let categories = choice.categories.iter().map(|category| format!("category {category}"));
    let attributes = choice.attributes.iter().map(|(name, value)| format!("{name}={value}"));
    let all: Vec<String> = categories.chain(attributes).chain(skus).collect();
    match all.len().saturating_sub(NAMED) {
        0 => all.join(", "),
        rest => format!("{} and {rest} more", all[..NAMED].join(", ")),
    }
}

/// `GET /admin/shelves/rules`.
pub(super) async fn list(
    shop: Data<Shop>,
    pages: Data<Pages>,
    wanted: Query<Wanted>,
    did: Query<Did>,
    SignedIn(session): SignedIn,
) -> Result<HttpResponse, Problem> {
    shop.shelves.rulebook.refresh(&*shop.store).await?;
    let rules = shop.shelves.rulebook.get();
    let found = rules.rules().iter().find(|rule| wanted.rule.as_ref() == Some(&rule.id));
    let form = found.map_or_else(ShelfRuleForm::default, form_of);
    html(pages.shelf_rules(&page(&shop, session, form, did.notice(DONE, &[])).await?))
}

/// Writes a rule into the form, by its JSON, so that both have the same words.
fn form_of(rule: &Rule) -> ShelfRuleForm {
    let only = Rules::of(vec![rule.clone()]).expect("a rule that is in force makes sense");
    let json: Value = serde_json::from_str(&only.to_text()).expect("rules are written as JSON");
    let of = &json[0];
    let text = |name: &str| match &of[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        number => number.to_string(),
    };
    let all = |name: &str| {
        let all = of[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.map(str::to_owned).collect::<Vec<_>>()
    };
    ShelfRuleForm {
        id: text("id"),
        kind: text("type"),
        note: text("note"),
        shelves: all("shelves"),
        from: text("from"),
        until: text("until"),
        skus: all("skus").join("\n"),
        categories: all("categories").join("\n"),
        attributes: all("attributes").join("\n"),
        percent: text("percent"),
        place: text("place"),
        most: text("most"),
        reason: String::new(),
    }
}

fn typed(fields: &Form) -> ShelfRuleForm {
    let text = |name: &str| fields.text(name).trim().replace("\r\n", "\n");
    let shelves = fields.pairs().filter_map(|(name, _)| name.strip_prefix("shelf."));
    ShelfRuleForm {
        id: text("id"),
        kind: text("type"),
        note: text("note"),
        shelves: shelves.map(str::to_owned).collect(),
        from: text("from"),
        until: text("until"),
        skus: text("skus"),
        categories: text("categories"),
        attributes: text("attributes"),
        percent: text("percent"),
        place: text("place"),
        most: text("most"),
        reason: text("reason"),
    }
}

/// Makes the JSON of what was typed; a number that is none is left for the rules to refuse.
fn rule_of(form: &ShelfRuleForm) -> Value {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let text = |text: &str| (!text.is_empty()).then(|| json!(text));
    let number = |text: &str| {
        (!text.is_empty()).then(|| text.parse::<u32>().map_or_else(|_| json!(text), Value::from))
    };
    let members = [
        ("id", Some(json!(form.id))),
        ("type", Some(json!(form.kind))),
        ("note", text(&form.note)),
        ("shelves", Some(json!(form.shelves))),
        ("from", text(&form.from)),
        ("until", text(&form.until)),
        ("skus", Some(json!(lines(&form.skus)))),
        ("categories", Some(json!(lines(&form.categories)))),
        ("attributes", Some(json!(lines(&form.attributes)))),
        ("percent", number(&form.percent)),
        ("place", number(&form.place)),
        ("most", number(&form.most)),
    ];
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// `POST /admin/shelves/rules/{change}`: saves one rule in the place of the one of its name, removes it, or saves all rules.
pub(super) async fn change(
    shop: Data<Shop>,
    pages: Data<Pages>,
    change: Path<String>,
    Sent { session, form: fields, .. }: Sent,
) -> Result<HttpResponse, Problem> {
    let form = typed(&fields);
    let rules = shop.shelves.rulebook.get();
    let mut all: Vec<Value> =
        serde_json::from_str(&rules.to_text()).expect("rules are written as a JSON array");
    let place = all.iter().position(|rule| rule["id"] == form.id.as_str());
    match (change.as_str(), place) {
        ("all", _) => return saved(&shop, &pages, session, form, &fields, fields.text("rules")).await,
        ("rule", Some(place)) => all[place] = rule_of(&form),
        ("rule", None) => all.push(rule_of(&form)),
        ("remove", place) => _ = place.map(|place| all.remove(place)),
        (other, _) => return Err(Problem::new(Kind::NoSuchRoute, format!("rules cannot {other}"))),
    }
    saved(&shop, &pages, session, form, &fields, &Value::from(all).to_string()).await
}

async fn saved(
    shop: &Shop,
    pages: &Pages,
    session: Session,
    form: ShelfRuleForm,
    fields: &Form,
    text: &str,
) -> Result<HttpResponse, Problem> {
    let read_at = fields.text("revision").parse().unwrap_or(0);
    let by = session.user.clone();
    match save_rules(shop, text, read_at, by, fields.text("reason").to_owned()).await {
        Ok(()) => Ok(see_other("/admin/shelves/rules?did=saved")),
        Err(problem) => {
            let (status, notice) = refusal(problem)?;
            let mut page = page(shop, session, form, Some(notice)).await?;
            // What was written as JSON is not lost either.
            if let Some(rules) = fields.get("rules") {
                page.json = rules.to_owned();
            }
            html_with(status, pages.shelf_rules(&page))
        }
    }
}
