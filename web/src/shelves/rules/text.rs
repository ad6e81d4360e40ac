//! A rule as people and programs write it: one flat object, whose type says which members it has.

use std::collections::BTreeSet;

use cart_core::Sku;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Act, BOOST_PERCENT_MAX, BOOST_PERCENT_MIN, CHOICE_MAX, Choice, NOTE_BYTES_MAX, PLACES_MAX,
    RULE_ID_BYTES_MAX, Rule, RuleError, Rules,
};
use crate::shelves::ShelfName;

/// Names what a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleType {
    /// Never offers them.
    Exclude,
    /// Lets them come sooner, or later.
    Boost,
    /// Puts one product at a place.
    Pin,
    /// Offers at most so many products of each category at once.
    Spread,
    /// Never offers them again to whoever bought them.
    Once,
}

/// Is a rule as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ShelfRule")]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    /// Its name, unlike that of any other rule: letters, digits, `-` and `_`.
    #[schemars(length(min = 1, max = RULE_ID_BYTES_MAX))]
    id: String,
    /// What it does.
    r#type: RuleType,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = NOTE_BYTES_MAX))]
    note: String,
    /// The shelves that it is for; all where none is named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    shelves: BTreeSet<ShelfName>,
    /// When it begins, such as `2026-12-01T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Products, by SKU; of `pin`, the one product.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = CHOICE_MAX))]
    skus: BTreeSet<Sku>,
    /// Products, by category.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = CHOICE_MAX))]
    categories: BTreeSet<String>,
    /// Products, by attribute or option, such as `season=winter`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(max = CHOICE_MAX))]
    attributes: BTreeSet<String>,
    /// Of `boost`: 200 brings something from place 8 to place 4, 50 from place 4 to place 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = BOOST_PERCENT_MIN, max = BOOST_PERCENT_MAX))]
    percent: Option<u32>,
    /// Of `pin`: the place, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = PLACES_MAX))]
    place: Option<usize>,
    /// Of `spread`: the most products of a category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = PLACES_MAX))]
    most: Option<usize>,
}

fn time_of(name: &str, text: Option<&str>) -> Result<Option<i64>, String> {
    let parse = |text: &str| match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(at) => Ok((at.unix_timestamp_nanos() / 1_000_000) as i64),
        Err(_) => Err(format!("{name} {text:?} is no time; write it like 2026-12-01T00:00:00Z")),
    };
    text.map(parse).transpose()
}

fn text_of(at_ms: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000).ok()?.format(&Rfc3339).ok()
}

impl RuleText {
    fn choice(&self) -> Result<Choice, String> {
        let Self { skus, categories, attributes, .. } = self;
        if let Some(long) = [skus.len(), categories.len(), attributes.len()].iter().find(|n| **n > CHOICE_MAX)
        {
            return Err(format!("it names {long} of one sort, the most is {CHOICE_MAX}"));
        }
        let pair = |text: &String| match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                Ok((name.to_owned(), value.to_owned()))
            }
            _ => Err(format!("attribute {text:?} has no value; write it like season=winter")),
        };
        let attributes = attributes.iter().map(pair).collect::<Result<_, _>>()?;
        Ok(Choice { skus: skus.clone(), categories: categories.clone(), attributes })
    }

    fn products(&self) -> Result<Choice, String> {
        match self.choice()? {
            none if none == Choice::default() => {
                Err("it names no product; give skus, categories or attributes".into())
            }
            choice => Ok(choice),
        }
    }

    fn act(&self) -> Result<Act, String> {
        let number = |name: &str, number: Option<usize>| match number {
            Some(number @ 1..=PLACES_MAX) => Ok(number),
            _ => Err(format!("{name} must be 1 to {PLACES_MAX}")),
        };
        Ok(match self.r#type {
            RuleType::Exclude => Act::Exclude(self.products()?),
            RuleType::Once => Act::Once(self.products()?),
            RuleType::Boost => {
                let percents = BOOST_PERCENT_MIN..=BOOST_PERCENT_MAX;
                let percent = self.percent.filter(|percent| percents.contains(percent));
                let percent = percent
                    .ok_or_else(|| format!("percent must be {BOOST_PERCENT_MIN} to {BOOST_PERCENT_MAX}"))?;
                Act::Boost { choice: self.products()?, percent }
            }
            RuleType::Pin => match (self.skus.len(), self.skus.first()) {
                (1, Some(sku)) => Act::Pin { sku: sku.clone(), place: number("place", self.place)? },
                (many, _) => return Err(format!("a pin is for one product, by its SKU; it names {many}")),
            },
            RuleType::Spread => Act::Spread { most: number("most", self.most)? },
        })
    }

    /// Names the first member that its type has no use for.
    fn idle(&self) -> Option<&'static str> {
        use RuleType::{Boost, Pin, Spread};
        let kind = self.r#type;
        let idle = [
            ("percent", self.percent.is_some() && kind != Boost),
            ("place", self.place.is_some() && kind != Pin),
            ("most", self.most.is_some() && kind != Spread),
            ("skus", !self.skus.is_empty() && kind == Spread),
            ("categories", !self.categories.is_empty() && matches!(kind, Spread | Pin)),
            ("attributes", !self.attributes.is_empty() && matches!(kind, Spread | Pin)),
        ];
        idle.into_iter().find_map(|(name, is_idle)| is_idle.then_some(name))
    }

    fn rule(self) -> Result<Rule, String> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if self.id.is_empty() || self.id.len() > RULE_ID_BYTES_MAX || !self.id.bytes().all(is_name) {
            return Err(format!("an id is 1 to {RULE_ID_BYTES_MAX} letters, digits, - and _"));
        }
        if self.note.len() > NOTE_BYTES_MAX {
            return Err(format!("the note is longer than {NOTE_BYTES_MAX} bytes"));
        }
        if let Some(name) = self.idle() {
            return Err(format!("{name} means nothing to a rule of this type; leave it out"));
        }
        let (from_ms, until_ms) =
            (time_of("from", self.from.as_deref())?, time_of("until", self.until.as_deref())?);
        if from_ms.zip(until_ms).is_some_and(|(from, until)| from >= until) {
            return Err("it ends before it begins".into());
        }
        let act = self.act()?;
        Ok(Rule { id: self.id, note: self.note, shelves: self.shelves, from_ms, until_ms, act })
    }
}

impl TryFrom<Vec<RuleText>> for Rules {
    type Error = RuleError;

    fn try_from(texts: Vec<RuleText>) -> Result<Self, RuleError> {
        let rule = |(n, text): (usize, RuleText)| {
            let id = if text.id.is_empty() { format!("number {}", n + 1) } else { text.id.clone() };
            text.rule().map_err(|why| RuleError::Rule { id, why })
        };
        Self::of(texts.into_iter().enumerate().map(rule).collect::<Result<_, _>>()?)
    }
}

impl From<Rules> for Vec<RuleText> {
    fn from(rules: Rules) -> Self {
        rules.rules.into_iter().map(RuleText::from).collect()
    }
}

impl From<Rule> for RuleText {
    fn from(rule: Rule) -> Self {
        let (mut percent, mut place, mut most) = (None, None, None);
        let (kind, choice) = match rule.act {
            Act::Exclude(choice) => (RuleType::Exclude, choice),
            Act::Once(choice) => (RuleType::Once, choice),
            Act::Boost { choice, percent: by } => {
                percent = Some(by);
                (RuleType::Boost, choice)
            }
            Act::Pin { sku, place: at } => {
                place = Some(at);
                (RuleType::Pin, Choice { skus: [sku].into(), ..Choice::default() })
            }
            Act::Spread { most: of } => {
                most = Some(of);
                (RuleType::Spread, Choice::default())
            }
        };
        Self {
            id: rule.id,
            r#type: kind,
            note: rule.note,
            shelves: rule.shelves,
            from: rule.from_ms.and_then(text_of),
            until: rule.until_ms.and_then(text_of),
            skus: choice.skus,
            categories: choice.categories,
            attributes: choice.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            percent,
            place,
            most,
        }
    }
}
