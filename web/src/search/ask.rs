//! What is asked of the catalogue: a text, filters, an order and a place to go on from.

use cart_core::Currency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FacetKind, QUERY_BYTES_MAX};

/// The most values that all filters of a question name.
pub const FILTER_VALUES_MAX: usize = 50;
/// The longest name or value of a filter in bytes.
pub const FILTER_BYTES_MAX: usize = 200;

/// Is the order of what was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// What fits the text best; of what fits alike, what is there, and then what sells most.
    #[default]
    Relevance,
    /// What sold most over the window that the shop looks back.
    Sales,
    /// The lowest price first.
    Price,
    /// The highest price first.
    #[serde(rename = "-price")]
    PriceDown,
    /// What was listed last first.
    Newest,
    /// By name.
    Name,
}

impl Sort {
    /// All orders, as a shopper is offered them.
    pub const ALL: [Self; 6] =
        [Self::Relevance, Self::Sales, Self::Price, Self::PriceDown, Self::Newest, Self::Name];

    /// Returns the name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Sales => "sales",
            Self::Price => "price",
            Self::PriceDown => "-price",
            Self::Newest => "newest",
            Self::Name => "name",
        }
    }

    /// Returns the order of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.name() == name)
    }
}

/// Keeps what has one of some values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What is looked at.
    pub kind: FacetKind,
    /// The values, of which one suffices.
    pub values: Vec<String>,
}

/// Is the least and the greatest price in minor units, of which either may be left open.
pub type PriceBounds = (Option<i64>, Option<i64>);

/// Is a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// What the shopper typed; empty looks at everything.
    pub text: String,
    /// The filters, all of which hold; each kind once.
    pub filters: Vec<Filter>,
    /// The least and the greatest price in minor units, both included.
    pub price: Option<PriceBounds>,
    /// Leaves out what is sold out.
    pub in_stock: bool,
    /// The currency of prices; what has none in it is left out. Without it, the shop's.
    pub currency: Option<Currency>,
    /// The order.
    pub sort: Sort,
    /// The place to go on from.
    pub cursor: Option<Cursor>,
}

impl Ask {
    /// Asks for a text.
    pub fn text(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Takes a parameter of an address; answers whether it is one of the question's.
    ///
    /// # Errors
    /// A sentence where its value cannot be read.
    pub fn take(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match name {
            "q" => {
                if value.len() > QUERY_BYTES_MAX {
                    return Err(format!(
                        "q has {} bytes, the most allowed is {QUERY_BYTES_MAX}",
                        value.len()
                    ));
                }
                value.trim().clone_into(&mut self.text);
            }
            "price" => self.price = price_of(value)?,
            "in_stock" => {
                self.in_stock = match value {
                    "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err(format!("in_stock {value:?} is not true or false")),
                }
            }
            "currency" => self.currency = Some(Currency::parse(value).map_err(|e| e.to_string())?),
            "sort" => {
                self.sort = Sort::from_name(value).ok_or_else(|| {
                    let names = Sort::ALL.map(Sort::name).join(", ");
                    format!("sort {value:?} is none of {names}")
                })?;
            }
            name => match FacetKind::of_parameter(name) {
                Some(kind) => self.filter(kind, value)?,
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn filter(&mut self, kind: FacetKind, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Ok(());
        }
        let parameter = kind.parameter();
        if parameter.len() > FILTER_BYTES_MAX || value.len() > FILTER_BYTES_MAX {
            return Err(format!("a filter's name and value have at most {FILTER_BYTES_MAX} bytes each"));
        }
        if self.filters.iter().map(|f| f.values.len()).sum::<usize>() >= FILTER_VALUES_MAX {
            return Err(format!("filters name at most {FILTER_VALUES_MAX} values together"));
        }
        match self.filters.iter_mut().find(|f| f.kind.is(&kind)) {
            Some(filter) if filter.values.iter().any(|v| v == value) => {}
            Some(filter) => filter.values.push(value.to_owned()),
            None => self.filters.push(Filter { kind, values: vec![value.to_owned()] }),
        }
        Ok(())
    }

    /// Returns the parameters that ask the same, but for the cursor.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = vec![];
        let mut push = |name: &str, value: String| parameters.push((name.to_owned(), value));
        if !self.text.trim().is_empty() {
            push("q", self.text.trim().to_owned());
        }
        for filter in &self.filters {
            filter.values.iter().for_each(|value| push(&filter.kind.parameter(), value.clone()));
        }
        if let Some((from, to)) = self.price {
            let end = |minor: Option<i64>| minor.map(|m| m.to_string()).unwrap_or_default();
            push("price", format!("{}..{}", end(from), end(to)));
        }
        if self.in_stock {
            push("in_stock", "true".into());
        }
        if let Some(currency) = self.currency {
            push("currency", currency.code().to_owned());
        }
        if self.sort != Sort::default() {
            push("sort", self.sort.name().to_owned());
        }
        parameters
    }

    /// Returns the filters of a kind.
    pub fn of(&self, kind: &FacetKind) -> Vec<Filter> {
        self.filters.iter().filter(|f| f.kind.is(kind)).cloned().collect()
    }

    /// Asks the same without a kind's filter, from the beginning.
    #[must_use]
    pub fn without(&self, kind: &FacetKind) -> Self {
        let mut ask = Self { cursor: None, ..self.clone() };
        ask.filters.retain(|f| !f.kind.is(kind));
        ask
    }

    /// Asks for a value too, or no longer, from the beginning.
    #[must_use]
    pub fn toggled(&self, kind: &FacetKind, value: &str) -> Self {
        let mut ask = Self { cursor: None, ..self.clone() };
        let was_named = ask.names(kind, value);
        match ask.filters.iter_mut().find(|f| f.kind.is(kind)) {
            Some(filter) if was_named => filter.values.retain(|v| v.to_lowercase() != value.to_lowercase()),
            Some(filter) => filter.values.push(value.to_owned()),
            None => ask.filters.push(Filter { kind: kind.clone(), values: vec![value.to_owned()] }),
        }
        ask.filters.retain(|f| !f.values.is_empty());
        ask
    }

    /// Reports whether a value is asked for.
    pub fn names(&self, kind: &FacetKind, value: &str) -> bool {
        let same = |v: &String| v.to_lowercase() == value.to_lowercase();
        self.filters.iter().any(|f| f.kind.is(kind) && f.values.iter().any(same))
    }
}

fn price_of(value: &str) -> Result<Option<PriceBounds>, String> {
    let wrong = || format!("price {value:?} is not FROM..TO in minor units, of which either may be left out");
    if value.is_empty() {
        return Ok(None);
    }
    let (from, to) = value.split_once("..").ok_or_else(wrong)?;
    let amount = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| wrong()),
    };
    match (amount(from)?, amount(to)?) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) if from > to => Err(wrong()),
        range => Ok(Some(range)),
    }
}

/// Is what a product is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Key<'k> {
    /// Two numbers, the lower first.
    Numbers(i64, i64),
    /// A name.
    Name(std::borrow::Cow<'k, str>),
}

/// Is a place in what was found: right behind one hit. It stays there whatever comes and goes around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(super) sort: Sort,
    pub(super) key: Key<'static>,
    pub(super) id: String,
}

impl Cursor {
    /// Returns the order that the cursor belongs to.
    pub fn sort(&self) -> Sort {
        self.sort
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        let mut ask = Ask::default();
        for (name, value) in [
            ("q", " mug "),
            ("category", "Kitchen"),
            ("option.Size", "M"),
            ("option.size", "L"),
            ("attribute.material", ""),
            ("price", "..2000"),
            ("in_stock", "true"),
            ("sort", "-price"),
        ] {
            assert_eq!(ask.take(name, value), Ok(true), "{name}");
        }
        assert_eq!(ask.text, "mug");
        assert_eq!(ask.filters.len(), 2);
        assert_eq!(ask.filters[1].values, ["M", "L"]);
        assert_eq!(ask.price, Some((None, Some(2_000))));
        assert_eq!(ask.take("colour", "red"), Ok(false));
        for (name, value) in [
            ("price", "5"),
            ("price", "9..5"),
            ("price", "a..b"),
            ("in_stock", "maybe"),
            ("sort", "colour"),
            ("sort", ""),
            ("currency", "POUNDS"),
            ("q", &"x".repeat(201)),
        ] {
            assert!(ask.take(name, value).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn filters_have_an_end() {
        let mut ask = Ask::default();
        let taken = (0..100).take_while(|n| ask.take("category", &n.to_string()).is_ok()).count();
        assert_eq!(taken, FILTER_VALUES_MAX);
    }
}
