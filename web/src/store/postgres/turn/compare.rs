//! Comparing what a turn decided on without locks with what there is.

use std::collections::BTreeSet;

use cart_core::{CartId, Slot, StockLevel, StockLevels};
use deadpool_postgres::Client;
use tokio_postgres::{Statement, types::ToSql};

use super::super::{
    super::{Result, Staged, Wants},
    cells::bigint,
    transaction::execute_unless,
};

/// Compares what a turn decided on without locks and does not write: carts, levels, and the revision of all levels, where one
/// is given. Keys must not have been used.
pub const SQL: &str = "SELECT 1 / (
        (SELECT count(*) FROM unnest($1::text[], $2::int8[]) AS w (id, version)
            JOIN carts AS c ON c.id = w.id AND c.version = w.version) = cardinality($1)
        AND (SELECT count(*) FROM unnest($3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[])
                AS w (sku, location, available, held, sold, safety, owed_max)
            JOIN stock AS s ON s.sku = w.sku AND s.location = w.location
            WHERE (s.available, s.held, s.sold, s.safety, s.owed_max)
                = (w.available, w.held, w.sold, w.safety, w.owed_max)) = cardinality($3)
        AND ($10::int8 IS NULL OR $10 = (SELECT revision FROM revisions WHERE name = 'shelves'))
        AND NOT EXISTS (SELECT FROM unnest($11::text[], $12::text[]) AS w (cart, key)
            JOIN idempotency_keys AS k ON k.cart = w.cart AND k.key = w.key)
    )::int";

/// Is what a turn decided on and its writes do not compare.
pub struct Read<'r> {
    ids: Vec<&'r str>,
    versions: Vec<i64>,
    levels: LevelColumns<'r>,
    revision: Option<i64>,
    key_carts: Vec<&'r str>,
    keys: Vec<&'r str>,
}

impl<'r> Read<'r> {
    /// Returns what is to be compared. The revision is left out where a write compares it, or no stock was read.
    pub fn of(wants: &'r Wants, staged: &Staged, stock: &'r StockLevels, revision: Option<i64>) -> Self {
        let written: BTreeSet<&CartId> = staged.carts.iter().map(|write| &write.cart.id).collect();
        let read = wants.carts.iter().filter(|(id, _)| !written.contains(id));
        let (ids, versions) =
            read.filter_map(|(id, version)| Some((id.as_str(), bigint((*version)?)))).unzip();
        Self {
            ids,
            versions,
            levels: LevelColumns::of(stock.iter().filter(|(slot, _)| !staged.movements.contains_key(slot))),
            revision,
            key_carts: wants.keys.iter().map(|key| key.cart.as_str()).collect(),
            keys: wants.keys.iter().map(|key| key.key.as_str()).collect(),
        }
    }

    /// Reports whether there is nothing to compare.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.levels.skus.is_empty() && self.revision.is_none() && self.keys.is_empty()
    }

    /// Compares.
    pub async fn compare(&self, client: &Client, statement: &Statement) -> Result<()> {
        let mut params: Vec<&(dyn ToSql + Sync)> = vec![&self.ids, &self.versions];
        params.extend(self.levels.params());
        params.extend([&self.revision as &(dyn ToSql + Sync), &self.key_carts, &self.keys]);
        execute_unless(self.is_empty(), client, statement, &params).await
    }
}

/// Is a set of levels, column by column.
pub struct LevelColumns<'l> {
    skus: Vec<&'l str>,
    locations: Vec<&'l str>,
    parts: [Vec<i64>; 5],
}

impl<'l> LevelColumns<'l> {
    /// Returns the columns of some levels.
    pub fn of(levels: impl Iterator<Item = (&'l Slot, &'l StockLevel)>) -> Self {
        let mut all = Self { skus: vec![], locations: vec![], parts: Default::default() };
        for (slot, level) in levels {
            all.skus.push(slot.sku.as_str());
            all.locations.push(slot.location.as_str());
            let parts = [level.available, level.held, level.sold, level.safety, level.owed_max];
            all.parts.iter_mut().zip(parts).for_each(|(column, part)| column.push(part));
        }
        all
    }

    /// Returns them in the order in which the statements number them.
    pub fn params(&self) -> impl Iterator<Item = &(dyn ToSql + Sync)> {
        let names: [&(dyn ToSql + Sync); 2] = [&self.skus, &self.locations];
        names.into_iter().chain(self.parts.iter().map(|column| column as &(dyn ToSql + Sync)))
    }
}
