//! What shelves answer again.
//!
//! What goes with a product, or follows on a short trail, is the same for all whose shelf one algorithm fills; only their showings
//! have other names. So an answer that was made for one visitor is another's once it names another showing, unless it offers what
//! lies in their cart: theirs is made for them, and kept for nobody.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use actix_web::web::Bytes;
use cart_core::{Sku, StockLevels};
use recommender::Index;

use super::{About, Filling, ShelfName, Shelves, Shown, rules::Rules, showing::Showing};
use crate::{answers, catalogue::Catalogue, clock, visitor::Visitor};

/// Keeps the answers of shelves.
pub type Answers = answers::Answers<Sources, Answer>;

/// The longest trail whose answer is kept: who has looked at more has one of their own.
const TRAIL_MAX: usize = 3;

/// Is all that an answer is made of, but the time.
#[derive(Clone)]
pub struct Sources {
    index: Option<Arc<Index>>,
    catalogue: Arc<Catalogue>,
    rules: Arc<Rules>,
    sold_out: Arc<BTreeSet<Sku>>,
    levels: Arc<StockLevels>,
}

impl PartialEq for Sources {
    fn eq(&self, other: &Self) -> bool {
        let index = |of: &Self| of.index.as_ref().map(Arc::as_ptr);
        index(self) == index(other)
            && Arc::ptr_eq(&self.catalogue, &other.catalogue)
            && Arc::ptr_eq(&self.rules, &other.rules)
            && Arc::ptr_eq(&self.sold_out, &other.sold_out)
            && Arc::ptr_eq(&self.levels, &other.levels)
    }
}

impl answers::Sources for Sources {
    /// No price begins or ends, no rule, no pre-order.
    fn span(&self, from_ms: i64) -> Range<i64> {
        let next =
            self.catalogue.changes_ms().chain(self.rules.changes_ms()).filter(|at_ms| *at_ms > from_ms);
        from_ms..next.min().unwrap_or(i64::MAX)
    }
}

/// Is a question that many ask, with all that its answer depends on.
pub struct Question {
    text: String,
    asked_ms: i64,
    sources: Sources,
}

/// Is an answer as it was made for somebody.
#[derive(Clone)]
pub struct Answer {
    json: Bytes,
    /// The showing that it names, where it was made for a visitor.
    showing: Option<Showing>,
    /// What it offers.
    skus: Vec<Sku>,
}

impl Answer {
    /// Returns its JSON, naming a showing of its own.
    fn json_for(&self, who: Option<&Visitor>, at_ms: i64) -> Bytes {
        match (&self.showing, who, std::str::from_utf8(&self.json)) {
            (Some(before), Some(who), Ok(text)) => {
                text.replace(before.as_str(), Showing::fresh(who.unit(), at_ms).as_str()).into()
            }
            _ => self.json.clone(),
        }
    }
}

/// Is an answer that was found.
pub struct Found {
    /// Its JSON.
    pub json: Bytes,
    /// Whether there is nothing to be seen.
    pub is_empty: bool,
}

impl Shelves {
    /// Returns the question that a shelf answers, where others ask the same; `text` is how it was put.
    pub fn question(
        &self,
        catalogue: Arc<Catalogue>,
        name: ShelfName,
        about: &About,
        who: Option<&Visitor>,
        filling: Filling,
        text: &str,
    ) -> Option<Question> {
        let is_common = match about {
            About::Product(_) | About::Category(_) | About::Nothing => true,
            About::Trail(trail) => trail.len() <= TRAIL_MAX,
            _ => false,
        };
        let Filling::One(algorithm) = filling else { return None };
        let (sources, asked_ms) = (self.sources(catalogue), clock::now_ms());
        // What somebody of a group is told are the prices of the group.
        let is_common = is_common && who.and_then(Visitor::group).is_none();
        if !is_common || (who.is_some() && sources.rules.ask_what_was_bought(name, asked_ms)) {
            return None;
        }
        let whose = if who.is_some() { "visitor" } else { "anybody" };
        // A trail may be longer than what the question names: the visitor's own comes before it.
        let trail = match about {
            About::Trail(trail) => trail.iter().map(Sku::as_str).collect::<Vec<_>>().join(" "),
            _ => String::new(),
        };
        let text = format!("{} {whose} {algorithm} {text} {trail}", name.name());
        Some(Question { text, asked_ms, sources })
    }

    /// Finds what was answered before, as it is for whoever asks now with such a cart.
    pub fn answer(
        &self,
        question: &Question,
        who: Option<&Visitor>,
        in_cart: &BTreeSet<Sku>,
    ) -> Option<Found> {
        let Question { text, asked_ms, sources } = question;
        let answer = self.answers.find(text, sources, *asked_ms)?;
        if answer.skus.iter().any(|sku| in_cart.contains(sku)) {
            return None;
        }
        Some(Found { json: answer.json_for(who, question.asked_ms), is_empty: answer.skus.is_empty() })
    }

    /// Keeps an answer, unless something changed while it was made, or an algorithm failed. `stock` is what it was made of: levels that
    /// were read for it alone are not kept up to date.
    pub fn keep_answer(
        &self,
        catalogue: Arc<Catalogue>,
        question: Question,
        json: Bytes,
        shelf: &Shown,
        stock: &Arc<StockLevels>,
    ) {
        let is_current =
            Arc::ptr_eq(stock, &question.sources.levels) && question.sources == self.sources(catalogue);
        if is_current && !shelf.is_makeshift {
            let spot = shelf.items.first().and_then(|item| item.spot.as_ref());
            let showing = spot.map(|spot| spot.showing.clone());
            let skus = shelf.items.iter().map(|item| item.suggested.product.sku.clone()).collect();
            let (Question { text, asked_ms, sources }, size_bytes) = (question, json.len());
            let answer = Answer { json, showing, skus };
            self.answers.keep(&text, sources, asked_ms, answer, size_bytes);
        }
    }

    fn sources(&self, catalogue: Arc<Catalogue>) -> Sources {
        Sources {
            index: self.index.load_full(),
            catalogue,
            rules: self.rulebook.get(),
            sold_out: self.sold_out(),
            levels: self.levels.known(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::Sources as _;

    fn sources() -> Sources {
        Sources {
            index: None,
            catalogue: Arc::default(),
            rules: Rules::parse(
                r#"[{"id": "x", "type": "spread", "most": 1, "from": "1970-01-01T00:00:05Z", "until": "1970-01-01T00:00:09Z"}]"#,
            )
            .unwrap()
            .into(),
            sold_out: Arc::default(),
            levels: Arc::default(),
        }
    }

    #[test]
    fn an_answer_is_as_good_as_its_sources() {
        let sources = sources();
        assert_eq!([sources.span(1_000), sources.span(5_000)], [1_000..5_000, 5_000..9_000]);
        let others = [
            Sources { catalogue: Arc::default(), ..sources.clone() },
            Sources { rules: Arc::new((*sources.rules).clone()), ..sources.clone() },
            Sources { sold_out: Arc::default(), ..sources.clone() },
            Sources { levels: Arc::default(), ..sources.clone() },
        ];
        assert!(sources == sources.clone() && others.iter().all(|others| *others != sources));
    }

    #[test]
    fn an_answer_names_the_showing_of_who_asks() {
        let visitor = |token: &str| crate::visitor::Token::of(token).and_then(Visitor::of).unwrap();
        let (ann, bob) = (visitor("ann"), visitor("bob"));
        let showing = Showing::fresh(ann.unit(), 1_000);
        let json =
            format!(r#"["bought_together.1.pairs.{0}","bought_together.2.pairs.{0}"]"#, showing.as_str());
        let made = Answer { json: json.into(), showing: Some(showing.clone()), skus: vec![] };
        let given = made.json_for(Some(&bob), 2_000);
        let spots: Vec<String> = serde_json::from_slice(&given).unwrap();
        let spots: Vec<super::super::showing::Spot> =
            spots.iter().map(|spot| spot.parse().unwrap()).collect();
        assert!(spots.iter().all(|spot| spot.showing.is_of(bob.unit()) && spot.showing.at_ms() == 2_000));
        assert_eq!((spots[0].place, spots[1].place), (1, 2));
        assert_ne!(made.json_for(Some(&ann), 1_000), made.json, "each showing has a name of its own");
    }
}
