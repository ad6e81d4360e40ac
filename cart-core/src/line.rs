//! The lines of a cart, and what keeps two lines of one product apart.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{
    IdError, LinePart, LocationId, Pick, PromotionId, Properties, Sku, StockPolicy, ids::ID_BYTES_MAX,
    property,
};

/// What the name of a line with properties adds to that of its product: `~` and 16 digits.
const DIGEST_BYTES: usize = 17;

/// Is one line of a cart: some pieces of one product at one price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The product.
    pub sku: Sku,
    /// What the shopper wants done to these pieces; lines of one product differ in those that keep lines apart.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// The promotion that gives these pieces away, where one does: they cost nothing, and the promotion alone decides
    /// about them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_of: Option<PromotionId>,
    /// The product's name when it was last added.
    pub name: String,
    /// Pieces wanted, at least 1.
    pub quantity: u32,
    /// The price of one piece in minor units of the cart's currency, as of the last add.
    pub unit_price_minor: i64,
    /// Pieces that the stock holds for this line; at most the quantity.
    pub held: u32,
    /// The product's stock policy when it was last added.
    pub policy: StockPolicy,
    /// What one piece is made of, where the product is a bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<LinePart>,
    /// What the stock holds for a line of bundles, or where it holds pieces for a plain line; one that says nothing holds
    /// pieces of its own product in the main location.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub picks: Vec<Pick>,
    /// It does not travel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub digital: bool,
    /// Pieces of it that were not there when it last changed: they ship later.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub backordered: u32,
    /// When the first pieces ship, in Unix milliseconds, where the product was still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ships_from_ms: Option<i64>,
    /// Pieces that went back to the shelf when the time of the hold was over, until it holds some again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub released: u32,
}

/// Serde asks for a function of a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(crate) fn is_zero(pieces: &u32) -> bool {
    *pieces == 0
}

impl Line {
    /// Returns a line without properties that holds nothing.
    pub fn new(
        sku: Sku,
        name: impl Into<String>,
        quantity: u32,
        unit_price_minor: i64,
        policy: StockPolicy,
    ) -> Self {
        Self {
            sku,
            properties: Properties::default(),
            gift_of: None,
            name: name.into(),
            quantity,
            unit_price_minor,
            held: 0,
            policy,
            parts: vec![],
            picks: vec![],
            digital: false,
            backordered: 0,
            ships_from_ms: None,
            released: 0,
        }
    }

    /// Returns the line's name within its cart.
    pub fn id(&self) -> LineId {
        LineId { sku: self.sku.clone(), digest: self.digest() }
    }

    fn digest(&self) -> Option<u64> {
        match &self.gift_of {
            Some(promotion) => Some(gift_digest(promotion)),
            None => self.properties.digest(),
        }
    }

    /// Reports whether it is the gift of a promotion.
    pub fn is_gift(&self) -> bool {
        self.gift_of.is_some()
    }

    /// Returns what the stock holds for the line, by product and location.
    pub fn holds(&self) -> impl Iterator<Item = (&Sku, &LocationId, u32)> {
        let is_plain = self.parts.is_empty() && self.picks.is_empty() && self.held > 0;
        let own = is_plain.then_some((&self.sku, LocationId::main(), self.held));
        own.into_iter().chain(self.picks.iter().map(|pick| (&pick.sku, &pick.location, pick.pieces)))
    }

    /// Returns the pieces of a product that the stock holds for the line.
    pub fn holds_of(&self, sku: &Sku) -> u32 {
        if self.parts.is_empty() {
            return if *sku == self.sku { self.held } else { 0 };
        }
        self.picks.iter().filter(|pick| pick.sku == *sku).map(|pick| pick.pieces).sum()
    }

    /// Returns the picks that go back to the shelf with so many pieces of those that the line holds; none where a plain
    /// line holds all of them in the main location.
    pub(crate) fn picks_of(&self, pieces: u32) -> Vec<Pick> {
        let held: Vec<_> = self.picks.iter().map(|pick| (&pick.sku, &pick.location, pick.pieces)).collect();
        let gone = crate::stock::parts(&held, pieces, self.held);
        let part = |(pick, pieces): (&Pick, u32)| Pick { pieces, ..pick.clone() };
        self.picks.iter().zip(gone).map(part).filter(|pick| pick.pieces > 0).collect()
    }

    /// Returns the picks that go along with so many pieces of those that the line holds: all but those that go back.
    pub(crate) fn picks_carried(&self, pieces: u32) -> Vec<Pick> {
        let mut carried = self.picks.clone();
        for back in self.picks_of(self.held - pieces) {
            let of = carried.iter_mut().find(|pick| pick.is_of(&back.sku, &back.location));
            of.into_iter().for_each(|pick| pick.pieces -= back.pieces);
        }
        carried.retain(|pick| pick.pieces > 0);
        carried
    }

    /// Reports whether the line has this name.
    pub fn is(&self, id: &LineId) -> bool {
        self.sku == id.sku && self.digest() == id.digest
    }
}

/// Is a line that waits for later: it holds nothing and costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedLine {
    /// The product.
    pub sku: Sku,
    /// What the shopper wants done to these pieces.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// The product's name when it was saved.
    pub name: String,
    /// Pieces wanted, at least 1.
    pub quantity: u32,
}

impl SavedLine {
    /// Returns the name that the line has in the cart.
    pub fn id(&self) -> LineId {
        LineId { sku: self.sku.clone(), digest: self.properties.digest() }
    }
}

/// Names a line within its cart: the SKU and, where the line has properties or is a gift, a digest of that. So equal lines meet in
/// one, and a client that knows no properties may name a line by its SKU.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LineId {
    sku: Sku,
    digest: Option<u64>,
}

impl LineId {
    /// Returns the name of a product's line with these properties.
    pub fn new(sku: Sku, properties: &Properties) -> Self {
        Self { sku, digest: properties.digest() }
    }

    /// Returns the name of the line with the gift of a promotion.
    pub fn of_gift(sku: Sku, promotion: &PromotionId) -> Self {
        Self { sku, digest: Some(gift_digest(promotion)) }
    }

    /// Returns the product.
    pub fn sku(&self) -> &Sku {
        &self.sku
    }

    /// Reports whether the line has no properties.
    pub fn is_plain(&self) -> bool {
        self.digest.is_none()
    }
}

impl From<Sku> for LineId {
    fn from(sku: Sku) -> Self {
        Self { sku, digest: None }
    }
}

impl JsonSchema for LineId {
    fn schema_name() -> Cow<'static, str> {
        "LineId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Names a line within its cart: the SKU and, where the line has properties or is a gift, `~` and a digest of that.",
            "type": "string",
            "minLength": 1,
            "maxLength": ID_BYTES_MAX + DIGEST_BYTES,
        })
    }
}

impl FromStr for LineId {
    type Err = IdError;

    /// Reads `SKU` or `SKU~` and 16 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_digest = |d: &str| d.len() == 16 && d.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let (sku, digest) = match text.rsplit_once('~') {
            Some((sku, digest)) if is_digest(digest) => (sku, u64::from_str_radix(digest, 16).ok()),
            _ => (text, None),
        };
        Ok(Self { sku: Sku::parse(sku)?, digest })
    }
}

impl TryFrom<String> for LineId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<LineId> for String {
    fn from(id: LineId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digest {
            Some(digest) => write!(f, "{}~{digest:016x}", self.sku),
            None => write!(f, "{}", self.sku),
        }
    }
}

impl fmt::Debug for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// The mark in front, which no text holds, keeps gifts apart from properties.
fn gift_digest(promotion: &PromotionId) -> u64 {
    property::fnv([0xfd].into_iter().chain(promotion.as_str().bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PropertiesError;

    fn properties(texts: &[(&str, &str)]) -> Result<Properties, PropertiesError> {
        Properties::parse(texts.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect())
    }

    #[test]
    fn a_line_is_named_by_its_sku_and_its_properties() {
        let sku = Sku::parse("MUG~1").unwrap();
        let plain = LineId::from(sku.clone());
        let engraved = LineId::new(sku.clone(), &properties(&[("engraving", "Ada")]).unwrap());
        let other = LineId::new(sku.clone(), &properties(&[("engraving", "Eve")]).unwrap());
        assert_eq!(plain.to_string(), "MUG~1");
        assert_ne!(engraved, other);
        for id in [plain, engraved, other] {
            assert_eq!(id.to_string().parse::<LineId>().unwrap(), id);
            assert_eq!(id.sku(), &sku);
        }
        assert!("~0123456789abcdef".parse::<LineId>().is_err(), "a line has a product");
        // Where one text ends and the next begins matters.
        let ab_c = properties(&[("ab", "c")]).unwrap();
        assert_ne!(ab_c.digest(), properties(&[("a", "bc")]).unwrap().digest());
    }
}
