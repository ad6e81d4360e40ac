//! One line of an order: what was bought, and where it came from.

use serde::{Deserialize, Serialize};

use super::Relocation;
use crate::{LineId, LinePart, LocationId, Pick, PromotionId, Properties, Sku, Taken};

/// Is one line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The product.
    pub sku: Sku,
    /// What is to be done to the pieces.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// The promotion that gave the pieces away, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_of: Option<PromotionId>,
    /// Its name.
    pub name: String,
    /// Pieces bought.
    pub quantity: u32,
    /// The price of one piece in minor units.
    pub unit_price_minor: i64,
    /// What promotions took off all of them, in minor units.
    #[serde(default)]
    pub discount_minor: i64,
    /// Pieces that came out of the line's hold.
    pub from_held: u32,
    /// Pieces that came out of the free stock.
    pub from_available: u32,
    /// Pieces of it that were not there: they ship later.
    #[serde(default, skip_serializing_if = "crate::line::is_zero")]
    pub backordered: u32,
    /// When the first pieces ship, in Unix milliseconds, where the product was still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ships_from_ms: Option<i64>,
    /// Tells whether it does not travel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub digital: bool,
    /// Pieces that went back to the stock.
    #[serde(default, skip_serializing_if = "crate::line::is_zero")]
    pub restocked: u32,
    /// What one piece is made of, where it is a bundle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<LinePart>,
    /// What bundles took from the stock, or where a plain line took pieces; one that says nothing took pieces of its own
    /// product from the main location.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<Taken>,
    /// What whoever bought it is told, where there is something.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delivery_note: String,
}

impl OrderLine {
    /// Returns a line without properties or discount that took nothing from the stock.
    pub fn new(sku: Sku, name: impl Into<String>, quantity: u32, unit_price_minor: i64) -> Self {
        Self {
            sku,
            properties: Properties::default(),
            gift_of: None,
            name: name.into(),
            quantity,
            unit_price_minor,
            discount_minor: 0,
            from_held: 0,
            from_available: 0,
            backordered: 0,
            ships_from_ms: None,
            digital: false,
            restocked: 0,
            parts: vec![],
            taken: vec![],
            delivery_note: String::new(),
        }
    }
}

impl OrderLine {
    /// Returns what the line took from the stock as it was placed, by product and location: pieces of its hold, and of the free
    /// stock.
    pub fn all_taken(&self) -> impl Iterator<Item = (&Sku, &LocationId, u32, u32)> {
        let own =
            self.is_plain().then_some((&self.sku, LocationId::main(), self.from_held, self.from_available));
        own.into_iter().chain(self.taken.iter().map(|t| (&t.sku, &t.location, t.from_held, t.from_available)))
    }

    /// Returns the pieces that each location has sold of it, by product, and those of them that came back.
    pub fn all_sold(&self) -> impl Iterator<Item = (&Sku, &LocationId, u32, u32)> {
        let own = self.is_plain().then_some((
            &self.sku,
            LocationId::main(),
            self.from_held + self.from_available,
            self.restocked,
        ));
        own.into_iter().chain(self.taken.iter().map(|t| (&t.sku, &t.location, t.pieces(), t.restocked)))
    }

    /// Returns what each location sends of the line, less what came back; nothing where all of it comes from the main one.
    pub fn sent_from(&self) -> Vec<Pick> {
        let sends = |taken: &Taken| Pick {
            sku: taken.sku.clone(),
            location: taken.location.clone(),
            pieces: taken.pieces() - taken.restocked,
        };
        let sent: Vec<_> = self.taken.iter().map(sends).filter(|pick| pick.pieces > 0).collect();
        if sent.iter().any(|pick| !pick.location.is_main()) { sent } else { vec![] }
    }

    /// Says anew where its pieces come from, by all that was moved since it was placed.
    pub(super) fn relocate(&mut self, relocations: &[Relocation]) {
        self.taken.iter_mut().for_each(|taken| taken.moved = 0);
        let id = self.id();
        for Relocation { from, to, contents, .. } in relocations {
            for packed in contents.iter().filter(|packed| packed.line == id) {
                self.taken_at(&packed.sku, from).moved -= i64::from(packed.pieces);
                self.taken_at(&packed.sku, to).moved += i64::from(packed.pieces);
            }
        }
    }

    fn taken_at(&mut self, sku: &Sku, location: &LocationId) -> &mut Taken {
        if self.is_plain() {
            let (from_held, from_available) = (self.from_held, self.from_available);
            self.taken.push(Taken { from_held, from_available, ..Taken::nothing(sku, LocationId::main()) });
        }
        let at = self.taken.iter().position(|taken| taken.sku == *sku && taken.location == *location);
        let at = at.unwrap_or_else(|| {
            self.taken.push(Taken::nothing(sku, location));
            self.taken.len() - 1
        });
        &mut self.taken[at]
    }

    /// All its pieces are of its own product and came from the main location.
    fn is_plain(&self) -> bool {
        self.parts.is_empty() && self.taken.is_empty()
    }

    /// Returns the line's name.
    pub fn id(&self) -> LineId {
        match &self.gift_of {
            Some(promotion) => LineId::of_gift(self.sku.clone(), promotion),
            None => LineId::new(self.sku.clone(), &self.properties),
        }
    }

    /// Returns what whoever bought it is told: names and texts.
    pub(super) fn notes(&self) -> impl Iterator<Item = (&str, &str)> {
        Some((self.name.as_str(), self.delivery_note.as_str()))
            .into_iter()
            .filter(|(_, note)| !note.is_empty())
    }
}
