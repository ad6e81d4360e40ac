//! The page of one product: its price, its variants and what goes with it.

use cart_core::{Part, PriceQuestion, PriceReason, Product, PropertyRule, SelectedPrice};
use serde::Serialize;

use super::{Availability, Card, ListRow, Price, SetOffer, Shelf, Tell, link};

/// Begins the name of a field whose text is a property of the line.
pub const PROPERTY_PREFIX: &str = "property.";
/// From so many characters on, a text has a field of several lines: more than fits into one.
const LONG_CHARS_MIN: u32 = 81;

/// Is the page of one product.
#[derive(Clone, Debug, Serialize)]
pub struct ProductPage {
    card: Card,
    paragraphs: Vec<String>,
    category: Option<Aisle>,
    most: i64,
    choices: Vec<Choice>,
    attributes: Vec<(String, String)>,
    /// What the shopper may say of the pieces.
    fields: Vec<PropertyField>,
    /// What is in it: pieces, name and the path of its page, where it has one.
    parts: Vec<(u32, String, Option<String>)>,
    /// Why the price is what it is, where it is not simply the product's own.
    why: Option<String>,
    steps: Vec<PriceStep>,
    /// The wish lists that the product may be put on.
    lists: Vec<ListRow>,
    /// How to be told that it is back, where it is sold out.
    tell: Option<Tell>,
    /// The product and the best of the shelf, to be bought at once.
    set: Option<SetOffer>,
    shelf: Shelf,
    /// What others looked at next.
    pub viewed: Option<Shelf>,
    /// What the visitor looked at before.
    pub seen: Vec<Card>,
}

/// Is the field of a property that the product takes.
#[derive(Clone, Debug, Serialize)]
struct PropertyField {
    /// Its name in the form.
    name: String,
    label: String,
    required: bool,
    most: u32,
    /// It has several lines.
    is_long: bool,
    /// It keeps lines apart.
    splits: bool,
}

impl From<&PropertyRule> for PropertyField {
    fn from(rule: &PropertyRule) -> Self {
        Self {
            name: format!("{PROPERTY_PREFIX}{}", rule.name),
            label: rule.label().to_owned(),
            required: rule.required,
            most: rule.chars_max(),
            is_long: rule.chars_max() >= LONG_CHARS_MIN,
            splits: rule.splits,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Aisle {
    name: String,
    href: String,
}

/// Is an option of a family: every value leads to the variant that differs least otherwise.
#[derive(Clone, Debug, Serialize)]
struct Choice {
    name: String,
    values: Vec<Variant>,
}

#[derive(Clone, Debug, Serialize)]
struct Variant {
    name: String,
    href: String,
    current: bool,
    sold_out: bool,
}

/// Is the price of one piece where so many are bought.
#[derive(Clone, Debug, Serialize)]
struct PriceStep {
    from: u32,
    price: Price,
}

impl ProductPage {
    /// Puts the page together; the shelf holds what is bought together with the product.
    pub fn new(product: &Product, card: Card, shelf: Shelf) -> Self {
        let category = (!product.category.is_empty())
            .then(|| Aisle { name: product.category.clone(), href: link::category(&product.category) });
        Self {
            most: card.availability.most(),
            card,
            paragraphs: product
                .description
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .map(Into::into)
                .collect(),
            category,
            choices: vec![],
            attributes: product.attributes.clone().into_iter().collect(),
            fields: product.properties.iter().map(PropertyField::from).collect(),
            parts: product.parts().iter().filter_map(part).collect(),
            why: None,
            steps: vec![],
            lists: vec![],
            tell: None,
            set: None,
            shelf,
            viewed: None,
            seen: vec![],
        }
    }

    /// Says what a piece costs now, and why, and where more pieces cost less.
    #[must_use]
    pub fn priced(mut self, product: &Product, now: &PriceQuestion<'_>) -> Self {
        let Some(SelectedPrice { minor, why }) = product.price_for(now) else { return self };
        self.card.price = Price::new(minor, now.currency);
        self.why = match why {
            PriceReason::Base => None,
            PriceReason::Bundle { .. } => Some(format!("This is the price of {why}.")),
            _ => Some(format!("This price holds {why}.")),
        };
        let steps = product.price_steps(now).into_iter().filter(|(from, _)| *from > 1);
        self.steps = steps
            .map(|(from, step)| PriceStep { from, price: Price::new(step.minor, now.currency) })
            .collect();
        self
    }

    /// Offers the product with the first of what truly belongs to it, at the prices that hold now.
    #[must_use]
    pub fn with_set(self, others: &[Card]) -> Self {
        Self { set: SetOffer::of(&self.card, others), ..self }
    }

    /// Lets the shopper put the product on one of their wish lists.
    #[must_use]
    pub fn with_lists(self, lists: Vec<ListRow>) -> Self {
        Self { lists, ..self }
    }

    /// Lets the shopper ask to be told that the product is back, where it is sold out.
    #[must_use]
    pub fn with_tell(self, tell: Option<Tell>) -> Self {
        let is_sold_out = self.card.availability == Availability::SoldOut;
        Self { tell: tell.filter(|_| is_sold_out), ..self }
    }

    /// Lets the shopper choose among the variants of the family, each with the pieces that may still be bought.
    #[must_use]
    pub fn with_family(mut self, product: &Product, family: &[(&Product, i64)]) -> Self {
        if family.len() > 1 {
            self.choices = choices(product, family);
        }
        self
    }
}

fn part(part: &Part) -> Option<(u32, String, Option<String>)> {
    let product = part.product.as_ref()?;
    let href = product.is_for_sale().then(|| link::product(part.sku.as_str()));
    Some((part.quantity, product.name.clone(), href))
}

fn choices(product: &Product, family: &[(&Product, i64)]) -> Vec<Choice> {
    let is_sold_out = |(_, left): &(&Product, i64)| *left <= 0;
    let variant = |name: &str, to: &(&Product, i64), current| Variant {
        name: name.to_owned(),
        href: link::product(to.0.sku.as_str()),
        current,
        sold_out: is_sold_out(to),
    };
    let mut names: Vec<&String> = family.iter().flat_map(|(p, _)| p.options.keys()).collect();
    names.sort_unstable();
    names.dedup();
    // How much another variant is like this one in its other options, and whether it is there.
    let likeness = |to: &&(&Product, i64), but: &str| {
        let same = to.0.options.iter().filter(|(n, v)| *n != but && product.options.get(*n) == Some(v));
        (same.count(), !is_sold_out(to), std::cmp::Reverse(to.0.sku.clone()))
    };
    let choice = |name: &String| {
        let mut values: Vec<&String> = vec![];
        for value in family.iter().filter_map(|(p, _)| p.options.get(name)) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let of = |value: &&String| {
            let having = family.iter().filter(|(p, _)| p.options.get(name) == Some(*value));
            let to = having.max_by_key(|to| likeness(to, name))?;
            Some(variant(value, to, product.options.get(name) == Some(*value)))
        };
        Choice { name: name.clone(), values: values.iter().filter_map(of).collect() }
    };
    let mut choices: Vec<Choice> = names.into_iter().map(choice).collect();
    choices.retain(|choice| choice.values.len() > 1);
    if choices.is_empty() {
        // Nothing says how they differ but their names.
        let all = family.iter().map(|to| variant(&to.0.name, to, to.0.sku == product.sku));
        choices.push(Choice { name: "Variant".into(), values: all.collect() });
    }
    choices
}

#[cfg(test)]
mod tests {
    use cart_core::{Currency, FamilyId, Money, Sku};

    use super::*;

    fn tee(size: &str, colour: &str) -> Product {
        let currency = Currency::parse("GBP").unwrap();
        let sku = Sku::parse(&format!("TEE-{size}-{colour}")).unwrap();
        Product {
            family: FamilyId::parse("TEE").ok(),
            options: [("Size".into(), size.into()), ("Colour".into(), colour.into())].into(),
            ..Product::new(sku, "Tee", Money::new(2_500, currency))
        }
    }

    #[test]
    fn each_value_leads_to_the_nearest_variant() {
        let tees = [tee("S", "Red"), tee("M", "Red"), tee("M", "Blue"), tee("L", "Blue")];
        let family: Vec<_> = tees.iter().map(|t| (t, if t.options["Size"] == "L" { 0 } else { 5 })).collect();
        let shown = |choice: &Choice| {
            let value = |v: &Variant| {
                let marks =
                    [(v.current, "*"), (v.sold_out, "!")].map(|(is, mark)| if is { mark } else { "" });
                format!("{}{}>{}", v.name, marks.concat(), v.href.trim_start_matches("/products/TEE-"))
            };
            choice.values.iter().map(value).collect::<Vec<_>>().join(" ")
        };
        let choices = choices(&tees[1], &family);
        assert_eq!(choices.iter().map(|c| &*c.name).collect::<Vec<_>>(), ["Colour", "Size"]);
        assert_eq!(shown(&choices[0]), "Red*>M-Red Blue>M-Blue");
        assert_eq!(shown(&choices[1]), "S>S-Red M*>M-Red L!>L-Blue");
    }
}
