//! What the found products may be narrowed by, with counts.

/// The most facets of an answer: those that most hits have.
pub const FACETS_MAX: usize = 30;
/// The most values of a facet in an answer: those that most hits have, and those that were asked for.
pub const FACET_VALUES_MAX: usize = 50;
/// The most ranges of prices.
const RANGES_MAX: usize = 5;

/// Names what products may be narrowed by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FacetKind {
    /// The category.
    Category,
    /// An option that sets variants apart.
    Option(String),
    /// An attribute.
    Attribute(String),
}

impl FacetKind {
    /// Returns the kind of a parameter: `category`, `option.Size`, `attribute.material`.
    pub fn of_parameter(name: &str) -> Option<Self> {
        if name == "category" {
            return Some(Self::Category);
        }
        match name.split_once('.')? {
            (_, "") => None,
            ("option", name) => Some(Self::Option(name.to_owned())),
            ("attribute", name) => Some(Self::Attribute(name.to_owned())),
            _ => None,
        }
    }

    /// Returns the parameter.
    pub fn parameter(&self) -> String {
        match self {
            Self::Category => "category".into(),
            Self::Option(name) => format!("option.{name}"),
            Self::Attribute(name) => format!("attribute.{name}"),
        }
    }

    /// Returns what shoppers read.
    pub fn label(&self) -> &str {
        match self {
            Self::Category => "Category",
            Self::Option(name) | Self::Attribute(name) => name,
        }
    }

    /// Reports whether both are the same, whatever their case.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Category, Self::Category) => true,
            (Self::Option(a), Self::Option(b)) | (Self::Attribute(a), Self::Attribute(b)) => {
                a.to_lowercase() == b.to_lowercase()
            }
            _ => false,
        }
    }
}

/// Is a facet with the values of the hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// What it is.
    pub kind: FacetKind,
    /// Its values; the most frequent first.
    pub values: Vec<FacetValue>,
}

/// Is a value with the hits that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// The hits that have it, whatever else of this facet is asked for.
    pub count: u32,
    /// It is asked for.
    pub is_selected: bool,
}

/// Is a range of prices with the hits in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRange {
    /// The least price in minor units; included.
    pub from_minor: i64,
    /// The greatest price in minor units; included.
    pub to_minor: i64,
    /// The hits in it.
    pub count: u32,
}

/// Lays ranges over prices: bounds that are easily read, with about as many hits between each two.
///
/// ```
/// # use web::search::facets::ranges;
/// let prices = (1..=1_000).map(|n| n * 10).collect();
/// let bounds: Vec<_> = ranges(prices).iter().map(|r| (r.from_minor, r.to_minor, r.count)).collect();
/// assert_eq!(bounds, [(10, 1_999, 199), (2_000, 4_999, 300), (5_000, 10_000, 501)]);
/// ```
pub fn ranges(mut prices: Vec<i64>) -> Vec<PriceRange> {
    prices.sort_unstable();
    let (Some(&least), Some(&greatest)) = (prices.first(), prices.last()) else { return vec![] };
    let mut bounds: Vec<i64> = (1..RANGES_MAX)
        .filter_map(|n| prices.get(prices.len() * n / RANGES_MAX))
        .map(|price| readable(*price))
        .filter(|bound| *bound > least && *bound <= greatest)
        .collect();
    bounds.dedup();
    let begins = std::iter::once(least).chain(bounds.iter().copied());
    let ends = bounds.iter().map(|b| b - 1).chain([greatest]);
    let upto = |price: i64| prices.partition_point(|p| *p <= price);
    begins
        .zip(ends)
        .map(|(from_minor, to_minor)| PriceRange {
            from_minor,
            to_minor,
            count: u32::try_from(upto(to_minor) - upto(from_minor - 1)).unwrap_or(u32::MAX),
        })
        .collect()
}

/// Returns the number of one of the forms 1, 2 and 5 × 10ⁿ that is next below a price.
fn readable(price: i64) -> i64 {
    let ten = 10_i64.pow(price.max(1).ilog10());
    match price / ten {
        5.. => 5 * ten,
        2.. => 2 * ten,
        _ => ten,
    }
}
